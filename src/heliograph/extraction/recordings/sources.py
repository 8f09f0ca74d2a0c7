"""What values of a recording are read from: what was said and what stands on its frames, as one document; and where that is in time.

The pages of what was said come first, then one for each frame that was read. `located` turns evidence on these pages into the citation
of a recording: `spans` with the words as they were said or read and their seconds; and for what was read also `bboxes` on the frame,
whose `page` is the frame's place among those that were read and whose `time` is its own.
"""

from __future__ import annotations

from typing import Any

import msgspec

from heliograph.extraction.recordings.speech import Span, Speech
from heliograph.extraction.result import Evidence
from heliograph.media.document import Document, Page
from heliograph.media.geometry import Box
from heliograph.media.recording import Frame, Shown, Transcript, Viewing

Json = Any


class Sources:
    """What was heard and seen of one recording. `viewing`: None where nobody looked."""

    def __init__(self, transcript: Transcript, viewing: Viewing | None = None) -> None:
        self.speech = Speech(transcript)
        self.frames: list[Frame] = viewing.frames if viewing is not None else []
        self.spoken = len(self.speech.document.pages)
        """How many of the pages are of what was said."""
        self._texts: list[Shown] = viewing.texts if viewing is not None else []
        read = [moved(frame.page, self.spoken + index) for index, frame in enumerate(self.frames)]
        pages = [*self.speech.document.pages, *read]
        self.document = Document("audio/x-transcript", len(pages), pages)
        """All of it, for a model."""
        self.read = Document("image/x-frames", len(read), read, "image")
        """What stands on frames alone."""

    def frame_of(self, page: int) -> Frame | None:
        """The frame that a page shows; None for pages of what was said."""
        index = page - self.spoken
        return self.frames[index] if 0 <= index < len(self.frames) else None

    def located(self, evidence: list[Evidence]) -> dict[str, Json]:
        """`bboxes` and `spans` of a citation."""
        boxes: list[Json] = []
        spans: list[Span] = []
        for part in evidence:
            frame = self.frame_of(part.box.page)
            if frame is None:
                spans += self.speech.spans([part])
                continue
            boxes.append(
                {
                    "content": part.content,
                    "bbox": {"xywh": part.box.xywh()},
                    "page": part.box.page - self.spoken,
                    "time": seconds(frame.time),
                    "confidence": round(part.score, 2),
                }
            )
            start, end = self.standing(frame, part.box)
            spans.append(Span(start, end, part.content, part.score))
        return {"bboxes": boxes, "spans": [written(span) for span in dict.fromkeys(spans)]}

    def standing(self, frame: Frame, box: Box) -> tuple[float, float]:
        """From when to when words are on screen: their frame is one that can be read well, and seldom the first to show them."""
        for text in self._texts:
            over = text.box
            if text.start <= frame.time <= text.end and over.x <= box.cx <= over.x1 and over.y <= box.cy <= over.y1:
                return text.start, text.end
        return frame.time, max(frame.until, frame.time)


def written(span: Span) -> Json:
    """A span as a response has it."""
    return {"start_time": seconds(span.start), "end_time": seconds(span.end), "content": span.content}


def seconds(time: float) -> float:
    """A time as a response has it: to the millisecond."""
    return round(max(0.0, time), 3)


def moved(page: Page, index: int) -> Page:
    """`page` under another index, in its boxes too."""

    def at(box: Box) -> Box:
        return Box(box.x, box.y, box.w, box.h, index)

    return msgspec.structs.replace(
        page,
        index=index,
        words=[msgspec.structs.replace(word, box=at(word.box)) for word in page.words],
        lines=[msgspec.structs.replace(line, box=at(line.box)) for line in page.lines],
        blocks=[msgspec.structs.replace(block, box=at(block.box)) for block in page.blocks],
        tables=[
            msgspec.structs.replace(
                table, box=at(table.box), cells=[msgspec.structs.replace(cell, box=at(cell.box)) for cell in table.cells]
            )
            for table in page.tables
        ],
        barcodes=[msgspec.structs.replace(code, box=at(code.box)) for code in page.barcodes],
    )
