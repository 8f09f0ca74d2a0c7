"""Skills that the server keeps: published, found, read and deleted. A stranger's zip is opened in a killable child.

The files of a version are one blob, named after their hash, so the same content of a tenant is stored once. Who adds or removes such a
blob holds its content in the database: none is deleted under a version that has just been published.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec

from heliograph.api import _skills
from heliograph.api._skills import Packed
from heliograph.api.writing import Writer
from heliograph.children import ChildPool
from heliograph.config import Settings
from heliograph.errors import HeliographError, InvalidRequest, NotFound
from heliograph.skills import attach, preinstalled
from heliograph.skills.archive import SKILL_MD, Files, content_hash
from heliograph.store import skills, tenants
from heliograph.store.blobs import Blobs, key
from heliograph.store.database import Database
from heliograph.store.files import File
from heliograph.store.skills import Skill

TIMEOUT = 30.0
MEMORY = 1 << 30
MOST_ASKED = 16
"""Skills of one request, each of which is looked up."""
REMEMBERED = 120.0
"""Seconds for which what was written from a prompt is given again to who asks the same."""
MOST_REMEMBERED = 32
"""Of them, with those that are being written."""
MOST_ALIKE = 100
"""Skills whose names differ in a number only, for names that nobody asked for."""
LONGEST_NAME = 64
"""Characters of a name by the Agent Skills specification."""

_NAME_LINE = re.compile(rb"^name:.*$", re.MULTILINE)


class Skills:
    """The kept skills of one server. Its children are started by the first zip and the first prompt."""

    def __init__(self, settings: Settings, database: Database, blobs: Blobs) -> None:
        self._database = database
        self._blobs = blobs
        self._pool = ChildPool("heliograph.api._skills", size=1, memory=MEMORY, recycle_after=settings.child_recycle)
        self._writer = Writer(settings)
        self._writing: dict[bytes, asyncio.Task[Files]] = {}
        self._installed = False
        self._installing = asyncio.Lock()

    async def close(self) -> None:
        """Stop the children."""
        await self._writer.close()
        await self._pool.close()

    async def unpack(self, file: File) -> Packed:
        """The skill in an uploaded zip. Raises InvalidRequest for what is none or could not work, naming `file_id`."""
        try:
            async with self._blobs.local(file.blob) as path:
                return await self._pool.call("pack", path, timeout=TIMEOUT, returns=Packed)
        except NotFound:
            raise NotFound(f"The content of file {file.id} is gone; upload it again.", param="file_id") from None
        except HeliographError as error:
            error.param = "file_id"
            raise

    async def write(
        self, tenant: str, prompt: str, json_schema: dict[str, Any] | None, name: str | None, *, talk: str | None = None
    ) -> tuple[str, Packed]:
        """A skill written from `prompt`, and the name to publish it under. `talk`: the conversation that it was taken from. Raises
        InvalidRequest and Unavailable.

        A `name` that was not asked for is one that the tenant has no other skill under. Who asks the same again while it is being
        written, or soon after, gets the same: official clients give up after 30 s and ask again, which a model may well take.
        """
        asked = hashlib.sha256(msgspec.json.encode([tenant, prompt, json_schema, name, talk])).digest()
        task = self._writing.get(asked)
        if task is None:
            finished = [each for each, task in self._writing.items() if task.done()]
            for each in finished[: max(0, len(self._writing) + 1 - MOST_REMEMBERED)]:
                del self._writing[each]
            task = self._writing[asked] = asyncio.create_task(self._writer.write(prompt, json_schema, name, talk=talk))
            task.add_done_callback(lambda _: asyncio.get_running_loop().call_later(REMEMBERED, self._writing.pop, asked, None))
        try:
            files = await asyncio.shield(task)
        except HeliographError:
            if self._writing.get(asked) is task:
                del self._writing[asked]
            raise
        packed = await self._packed(files)
        if name is not None:
            return name, packed
        return await self._free(tenant, packed.name or "skill", files, packed)

    async def publish(
        self,
        tenant: str,
        name: str,
        packed: Packed,
        *,
        description: str | None = None,
        is_public: bool | None = None,
        created_at: datetime | None = None,
    ) -> Skill:
        """The version of this content under this name, `latest` from now on; as `store.skills.publish`."""
        blob = key(tenant, "skills", packed.hash)
        if not await self._blobs.exists(blob):
            await self._blobs.put(blob, packed.data)  # before the transaction: it may take long
        async with self._database.begin() as conn:
            await skills.lock_content(conn, tenant, packed.hash)
            if not await self._blobs.exists(blob):  # somebody deleted the last version of this content meanwhile
                await self._blobs.put(blob, packed.data)
            return await skills.publish(
                conn, tenant, name, hash=packed.hash, blob=blob, bytes=packed.size, files=packed.count, description=description,
                is_public=is_public, warnings=packed.warnings, created_at=created_at,
            )  # fmt: skip

    async def resolve(self, tenant: str, items: Sequence[dict[str, Any]]) -> list[Skill | None]:
        """The versions that the items of `config.skills` mean, None for those that come with the request.

        Raises NotFound and InvalidRequest, naming `config.skills`.
        """
        if len(items) > MOST_ASKED:
            raise InvalidRequest(f"config.skills holds more than {MOST_ASKED} skills.", param="config.skills")
        references = [attach.reference(item) for item in items]
        if not any(references):
            return [None] * len(references)
        await self.preinstall()
        try:
            async with self._database.begin() as conn:
                return [await skills.resolve(conn, tenant, *reference) if reference else None for reference in references]
        except NotFound as error:
            error.param = "config.skills"
            raise

    async def listing(self, skill: Skill) -> dict[str, int]:
        """The sizes of the package's files, by path."""
        async with self._blobs.local(skill.blob) as package:
            return await self._pool.call("listing", package, timeout=TIMEOUT, returns=dict[str, int])

    async def content(self, skill: Skill, path: str) -> bytes:
        """The file at `path` within the package. Raises NotFound."""
        async with self._blobs.local(skill.blob) as package:
            return await self._pool.call("content", package, path, timeout=TIMEOUT, returns=bytes)

    async def delete(self, tenant: str, id: str) -> Skill | None:
        """Delete the tenant's version, and its files where no other has the same; None when there is none. Raises Conflict while it is
        used."""
        async with self._database.begin() as conn:
            gone = await skills.delete(conn, tenant, id)
        if gone is not None:
            with suppress(HeliographError):  # what is left is collected later
                async with self._database.begin() as conn:
                    await skills.drop(conn, self._blobs, gone.blob)
        return gone

    async def preinstall(self) -> None:
        """Publish the skills that every server has, where they are not there yet. Many servers may do so at once."""
        if self._installed:
            return
        async with self._installing:
            if self._installed:
                return
            async with self._database.begin() as conn:
                await tenants.reserve(conn)
            for name in preinstalled.FIRST_MADE:
                files, made = await asyncio.to_thread(preinstalled.files, name), preinstalled.first_made(name)
                if not await self._is_current(name, content_hash(files), made):
                    packed = await asyncio.to_thread(_skills.packed, files)  # ours, and tested: no child is needed, nor the validator
                    await self.publish(
                        tenants.PREINSTALLED, name, packed, description=packed.description, is_public=True, created_at=made
                    )  # fmt: skip
            self._installed = True

    async def _packed(self, files: Files) -> Packed:
        return await self._pool.call("judged", files, timeout=TIMEOUT, returns=Packed)

    async def _free(self, tenant: str, base: str, files: Files, packed: Packed) -> tuple[str, Packed]:
        """`base`, or with a number after it, such that the tenant has this content under that name, or nothing."""
        name = base
        for number in range(2, MOST_ALIKE):
            async with self._database.begin() as conn:
                if not await skills.is_named(conn, tenant, name) or await skills.with_content(conn, tenant, name, packed.hash):
                    return name, packed
            name = f"{base[: LONGEST_NAME - 4].rstrip('-')}-{number}"
            packed = await self._packed(files | {SKILL_MD: _NAME_LINE.sub(f'name: "{name}"'.encode(), files[SKILL_MD], count=1)})
        return name, packed

    async def _is_current(self, name: str, hash: str, made: datetime) -> bool:
        """Whether the content with this hash, or what a later release ships, is the latest of its name, with its files."""
        async with self._database.begin() as conn:
            try:
                latest = await skills.resolve(conn, tenants.PREINSTALLED, name)
            except NotFound:
                return False
        if latest.hash != hash:
            return latest.created_at > made
        return await self._blobs.exists(latest.blob)
