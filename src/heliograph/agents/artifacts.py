"""Artifacts: what a run reads and makes, each under a short reference such as `img_a1b2c3`.

References are how a model, a program and a person name bytes without carrying them. They are good inside one namespace: a chat's
session, or
one execution.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from heliograph.errors import NotFound

Kind = Literal["img", "vid", "aud", "doc", "recon", "arr", "url"]
"""Image, video, audio, document, 3D reconstruction, array, URL."""
Source = Literal["store", "manifest", "workspace"]
"""What a tool made under a reference, what the caller brought, and what code wrote as a file of a name of its own."""

REF = re.compile(r"\b(?:img|vid|aud|doc|recon|arr|url)_[0-9a-f]{6}\b")
"""A reference in text."""

SERVED: dict[Kind, tuple[str, ...]] = {
    "img": ("image/jpeg", "image/png"),
    "vid": ("video/mp4",),
    "aud": ("audio/mpeg",),
    "doc": ("application/pdf",),
    "recon": ("application/octet-stream",),
    "arr": ("application/octet-stream",),
    "url": ("text/plain",),
}
"""The media types under which artifacts of a kind are served; clients check them to the letter."""


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """One artifact. `facts`: what is known without opening it: `width`, `height` (pixels), `pages`, `seconds`, `rows`.

    `media_type`: of the bytes as they stand; what the caller brought may be of a type that its kind is not served in.
    """

    ref: str
    media_type: str
    bytes: int
    sha256: str
    filename: str | None = None
    source: Source = "store"
    facts: dict[str, int | float | str] = {}

    @property
    def name(self) -> str:
        """What a person calls it: the file's name, else its reference."""
        return self.filename or self.ref

    @property
    def kind(self) -> Kind:
        """What it is, by its reference."""
        return msgspec.convert(self.ref.partition("_")[0], Kind)


class Artifacts(Protocol):
    """The artifacts of one namespace, as a run sees them."""

    async def put(
        self,
        content: bytes | Path,
        *,
        kind: Kind,
        media_type: str,
        filename: str | None = None,
        source: Source = "store",
        facts: dict[str, int | float | str] | None = None,
    ) -> Artifact:
        """Store bytes under a new reference, before anyone hears of it.

        A step that is done again after a crash puts the same artifacts under the same references. Raises MediaLimitExceeded beyond the
        run's
        budget of bytes.
        """
        ...

    async def get(self, name: str) -> Artifact:
        """The artifact with this reference or filename. Raises NotFound, which names those there are."""
        ...

    async def list(self) -> list[Artifact]:
        """All of the namespace, oldest first."""
        ...

    async def read(self, name: str) -> bytes:
        """The bytes of an artifact. Raises NotFound."""
        ...

    def local(self, name: str) -> AbstractAsyncContextManager[Path]:
        """A local file with the bytes of an artifact, for as long as the context lasts. Raises NotFound."""
        ...


class Seeds:
    """What artifacts are made references of: the step that is open and the place in it, the same again when the step is done again."""

    def __init__(self) -> None:
        self._step: ContextVar[str] = ContextVar("step", default="")
        self._places: dict[str, int] = {}

    @asynccontextmanager
    async def during(self, step: str) -> AsyncGenerator[None]:
        """What is put meanwhile belongs to this step."""
        self._places.pop(step, None)
        token = self._step.set(step)
        try:
            yield
        finally:
            self._step.reset(token)

    def next(self) -> str:
        """The seed of the next artifact of the open step."""
        step = self._step.get()
        place = self._places[step] = self._places.get(step, -1) + 1
        return f"{step}:{place}"


def new_ref(kind: Kind, seed: str) -> str:
    """The reference that `seed` (the run, the step and the artifact's place in it) makes: the same again for the same step."""
    return f"{kind}_{hashlib.sha256(seed.encode()).hexdigest()[:6]}"


def named_among(artifacts: Sequence[Artifact], name: str) -> Artifact:
    """The artifact with this reference, else the last with this filename. Raises NotFound, which names those there are."""
    found = next((each for each in artifacts if each.ref == name), None)
    found = found or next((each for each in reversed(artifacts) if each.filename == name), None)
    if found is None:
        raise NotFound(f"There is no artifact {name[:100]} here; {there_is([(each.ref, each.filename) for each in artifacts])}.")
    return found


def there_is(names: Sequence[tuple[str, str | None]], *, most: int = 20) -> str:
    """What a namespace has, for a sentence: references, with filenames where they have one."""
    if not names:
        return "there are none"
    shown = ", ".join(f"{ref} ({filename})" if filename else ref for ref, filename in names[:most])
    return f"there are {shown}" + (f" and {len(names) - most} more" if len(names) > most else "")
