"""Files that are made for an answer, and their places in its response."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import msgspec

SUFFIX = {"image/jpeg": ".jpg", "image/png": ".png", "video/mp4": ".mp4", "audio/mpeg": ".mp3"}
_PLACE = "heliograph:made:"
PLACE = re.compile(rf'"{_PLACE}([a-z0-9-]{{1,64}})"')
"""A place in a response, as JSON text, where the link to a made file belongs; the group is its name."""


class MadeFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that belongs to an answer. `name`: small letters, digits and hyphens, one of its kind in the answer."""

    name: str
    media_type: str
    path: Path

    @property
    def filename(self) -> str:
        """Its name with the usual ending of a file of its type."""
        return self.name + SUFFIX.get(self.media_type, "")


class MadeFiles:
    """Files that belong to an answer, in a folder of their own. Whoever takes the answer closes it."""

    def __init__(self) -> None:
        self.files: list[MadeFile] = []
        self._folder = tempfile.TemporaryDirectory(prefix="heliograph-made-")

    def keep(self, name: str, media_type: str, content: bytes) -> str:
        """Keep a file; the string for its place in the response, which who keeps the answer replaces by a link."""
        path = Path(self._folder.name) / name
        path.write_bytes(content)
        self.files.append(MadeFile(name=name, media_type=media_type, path=path))
        return _PLACE + name

    def close(self) -> None:
        """Delete them."""
        self._folder.cleanup()
