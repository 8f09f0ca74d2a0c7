"""What a request gets: its response, what was read for it, and the files that belong to it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from heliograph.extraction.made import MadeFiles
from heliograph.extraction.redaction.copying import Made
from heliograph.extraction.result import Extraction
from heliograph.media.document import Document
from heliograph.media.recording import Recording, Transcript, Viewing


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
