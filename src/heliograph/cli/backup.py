"""`heliograph backup` and `restore`: the database and the local blobs as one tar archive.

The archive holds `manifest.json`, `database.dump` (pg_dump's custom format) and `blobs/<key>`. The database is dumped
first, in one snapshot, so every blob that it names is there to be copied after it. Blobs in a bucket are the bucket's
to keep and are not copied.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from heliograph.errors import Conflict, HeliographError, InvalidRequest, NotFound

if TYPE_CHECKING:
    from heliograph.store.blobs import Blobs

_FORMAT = 1
_CHUNK = 4 << 20

ArchiveArgument = Annotated[Path, typer.Argument(help="The archive, such as heliograph.tar.")]
DataDirOption = Annotated[Path | None, typer.Option(help="Folder of the database and the blobs.  [default: .heliograph]")]


class BackupFailed(HeliographError):
    """A program of PostgreSQL failed."""

    type = "backup_failed"


def backup(archive: ArchiveArgument, data_dir: DataDirOption = None) -> None:
    """Write database and local blobs into one archive. The server may run meanwhile."""
    from heliograph import __version__
    from heliograph.cli.opening import open_database
    from heliograph.store import migrations
    from heliograph.store.blobs import Blobs

    if not archive.absolute().parent.is_dir():
        raise NotFound(f"There is no folder {archive.absolute().parent}.")
    with open_database(data_dir, migrated=False) as (settings, url):
        blobs = Blobs(settings)
        manifest = {
            "format": _FORMAT,
            "heliograph": __version__,
            "schema": migrations.current(url),
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "blobs": blobs.folder is not None,
        }
        part = archive.with_name(archive.name + ".part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # everything is in there, the keys' hashes too
        try:
            with open(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w") as tar:
                _add_bytes(tar, "manifest.json", json.dumps(manifest, indent=2).encode())
                with tempfile.TemporaryDirectory(dir=archive.absolute().parent, prefix=".heliograph-") as folder:
                    dump = Path(folder) / "database.dump"
                    _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={dump}", url)
                    tar.add(dump, "database.dump")
                count = asyncio.run(_add_blobs(tar, blobs)) if blobs.folder is not None else 0
            part.replace(archive)
        finally:
            part.unlink(missing_ok=True)
    size = archive.stat().st_size / (1 << 20)
    what = f"the database and {count} blobs" if blobs.folder is not None else "the database"
    print(f"{archive}: {what}, {size:.1f} MiB. Keep it as safe as the server.")
    if blobs.folder is None:
        print(f"The blobs are in {settings.store_url}: back that up too.")


def restore(archive: ArchiveArgument, data_dir: DataDirOption = None) -> None:
    """Bring an archive back into an empty data folder, or an empty external database. The server must not run."""
    from heliograph.cli.opening import read_settings
    from heliograph.cli.serve import only_one
    from heliograph.store import migrations
    from heliograph.store.blobs import Blobs
    from heliograph.store.postgres import database

    settings = read_settings(data_dir)
    if not archive.is_file():
        raise NotFound(f"There is no archive {archive}.")
    with only_one(settings, "restoring"), _opened(archive) as tar:
        manifest = _manifest(tar, archive)
        known = migrations.revisions()
        if manifest["schema"] not in known:
            maker = f"Heliograph {manifest['heliograph']}"
            raise InvalidRequest(f"{archive} was made by {maker}, whose database is newer than this version's. Install that version.")
        with database(settings) as url:
            if migrations.current(url) is not None:
                if settings.database_url is not None:
                    raise Conflict("The database of HELIOGRAPH_DATABASE_URL holds data already. Restore into an empty one.")
                raise Conflict(f"There is data in {settings.data_dir} already. Restore into a new folder with --data-dir.")
            blobs = Blobs(settings)
            settings.data_dir.mkdir(parents=True, exist_ok=True)  # with a database of one's own there may be none yet
            count = asyncio.run(_bring_back(tar, url, blobs, settings.data_dir))
            migrations.migrate(url)
    if manifest["blobs"]:
        print(f"The database and {count} blobs of {manifest['made_at']} are in {settings.data_dir}.")
    else:
        print(f"The database of {manifest['made_at']} is back; its blobs are where they were.")


async def _bring_back(tar: tarfile.TarFile, url: str, blobs: Blobs, folder: Path) -> int:
    """Blobs first, the database last and in one transaction: a restore that was cut off can be run again."""
    count = 0
    with tempfile.NamedTemporaryFile(dir=folder, prefix="restore-") as dump:
        try:
            for member in tar:
                content = tar.extractfile(member)
                if content is None:
                    continue
                if member.name == "database.dump":
                    await asyncio.to_thread(shutil.copyfileobj, content, dump, _CHUNK)
                elif member.name.startswith("blobs/"):
                    await blobs.put(_key(member.name), _chunks(content))
                    count += 1
        except tarfile.TarError as problem:
            raise InvalidRequest(f"The archive is damaged or not whole: {problem}") from problem
        dump.flush()
        options = ("--no-owner", "--no-privileges", "--single-transaction", f"--dbname={url}")
        await asyncio.to_thread(_run, "pg_restore", *options, dump.name)
    return count


def _key(name: str) -> str:
    from heliograph.store.blobs import check

    try:
        return check(name.removeprefix("blobs/"))
    except ValueError as problem:
        raise InvalidRequest(f"The archive holds {name!r}, which no backup writes.") from problem


def _opened(archive: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(archive, "r:")
    except tarfile.TarError as problem:
        raise InvalidRequest(f"{archive} is no archive of `heliograph backup`: {problem}") from problem


def _manifest(tar: tarfile.TarFile, archive: Path) -> dict[str, Any]:
    first = tar.next()
    content = tar.extractfile(first) if first is not None and first.name == "manifest.json" else None
    manifest: dict[str, Any] = json.load(content) if content is not None else {}
    if manifest.get("format") != _FORMAT:
        raise InvalidRequest(f"{archive} is no archive of `heliograph backup`, or of a later version's.")
    return manifest


async def _add_blobs(tar: tarfile.TarFile, blobs: Blobs) -> int:
    count = 0
    async for key in blobs.walk():
        try:
            async with blobs.local(key) as path:
                await asyncio.to_thread(tar.add, path, f"blobs/{key}")
        except (NotFound, FileNotFoundError):
            continue  # deleted meanwhile, as its row is or will be
        count += 1
    return count


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    member.mode = 0o600
    tar.addfile(member, io.BytesIO(content))


async def _chunks(content: IO[bytes]) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(content.read, _CHUNK):
        yield chunk


def _run(name: str, *arguments: str) -> None:
    from heliograph.store.postgres import program

    done = subprocess.run([str(program(name)), *arguments], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise BackupFailed(f"{name} failed: {done.stderr.strip()}")
