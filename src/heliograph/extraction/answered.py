"""What a request gets: its response, what was read for it, and the files that belong to it."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any, Literal

import msgspec

from heliograph.extraction.redaction.copying import Made
from heliograph.extraction.result import Extraction
from heliograph.media.document import Document
from heliograph.media.recording import Recording, Transcript, Viewing

_PLACE = "heliograph:made:"
PLACE = re.compile(rf'"{_PLACE}([a-z0-9-]{{1,64}})"')
"""A place in a response, as JSON text, where the link to a made file belongs; the group is its name."""


class MadeFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that belongs to an answer. `name`: small letters, digits and hyphens, one of its kind in the answer."""

    name: str
    media_type: str
    path: Path


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


class Answer(msgspec.Struct, kw_only=True):
    """What a request gets. `response` is JSON in the order it shall be written; `elements` counts pages or images read, or five-minute
    pieces of a recording."""

    response: Any
    elements: int
    element_type: Literal["page", "image", "audio", "video"]
    warnings: list[str]
    document: Document
    """What was read; of a recording, what was said and what stood on its frames, as far as values were looked for in it."""
    extraction: Extraction | None = None
    """How each value is known, the empty ones too, which the response leaves out."""
    made: Made | None = None
    """A file that belongs to the answer; `response["redacted_uri"]` is for who keeps it to fill. To be closed by who takes the answer."""
    files: MadeFiles | None = None
    """Files whose places in the response are for who keeps them to fill. To be closed by who takes the answer."""
    recording: Recording | None = None
    transcript: Transcript | None = None
    viewing: Viewing | None = None

    @property
    def message(self) -> str | None:
        """The warnings in one line, for `usage.message`."""
        return "; ".join(" ".join(warning.split()) for warning in self.warnings) or None

    def close(self) -> None:
        """Delete the files that belong to the answer."""
        for kept in (self.made, self.files):
            if kept is not None:
                kept.close()
