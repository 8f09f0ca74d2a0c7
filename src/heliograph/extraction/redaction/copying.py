"""The copy: pages drawn anew, one at a time, into a file that holds nothing of the original's but what is left of its pages.

A PDF comes out for everything but a single image, which stays an image of its format. Whatever page could not be read is black: nobody
knows what is on it. What is written is bounded by a page in memory, however long the document is.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

from heliograph.extraction.redaction.found import CATEGORIES, Category, Found, runs
from heliograph.extraction.redaction.inventing import Inventor
from heliograph.media.content import Inspection
from heliograph.media.document import Document, Page, Word
from heliograph.media.geometry import Box, union
from heliograph.media.mask import Mask, Masked, Patch
from heliograph.media.pdfwriting import PdfWriter

DPI = {"lo": 150.0, "auto": 200.0, "hi": 300.0}
"""Resolution of a copied page, by the request's `detail`; an image keeps its own."""
BESIDE = {"text": (0.2, 0.12), "ocr": (0.35, 0.2)}
"""How far a black box reaches beyond its word, across and up and down, in heights of the word: a text layer's boxes are tight, those
of a reader of pictures may be off by half a character."""
STRETCH = 0.02
"""Share of its width by which a run of words may come out wider in another resolution."""
DOUBTFUL = 0.55
"""Score of a word read from a picture below which it may be anything, handwriting for one, and is painted over."""
FEW = 10
"""Words in a picture from which it is read like a page and not painted over, as the strips of a scan are."""
LEAST = 3
"""Words below which a picture counts as not read: it is a photograph, and words were seen in its shadows."""
PHOTO = 0.6
"""Share of the page above which a picture is the page."""
_FAILED = re.compile(r"could not be (?:read|opened)|is damaged and could not")
SUFFIX = {
    "application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "image/tiff": ".tiff", "image/bmp": ".bmp",
    "image/gif": ".gif",
}  # fmt: skip


_LOOK = {
    "page_blackened": "{pages} could not be read, and all of it is black",
    "unread_text": "text on {pages} could not be read; it is painted over",
    "doubtful_words": "words on {pages} may be misread or handwriting; they are painted over",
    "pictures": "pictures on {pages} are painted over, since a face cannot be told from anything else",
    "pictures_kept": "a picture on {pages} holds text and was read like a page; look for faces in it",
}
"""What a person is told to look at."""


class Maker(Protocol):
    """What draws the pages: a `Reader`."""

    async def inspect(self, path: Path) -> Inspection:
        """What a file is and how many pages it has."""
        ...

    async def mask(self, path: Path, index: int, how: Mask) -> Masked:
        """A page drawn anew."""
        ...


class Made:
    """A file that was made for an answer, in a folder of its own. Whoever takes the answer closes it."""

    def __init__(self, media_type: str) -> None:
        self.media_type = media_type
        self._folder = tempfile.TemporaryDirectory(prefix="heliograph-made-")

    @property
    def path(self) -> Path:
        """Where it is, until `close`."""
        return Path(self._folder.name) / f"copy{self.suffix}"

    @property
    def suffix(self) -> str:
        """The usual ending of a file of its type."""
        return SUFFIX[self.media_type]

    def close(self) -> None:
        """Delete it."""
        self._folder.cleanup()


class Told(msgspec.Struct):
    """A finding as the report has it: where, not what. `boxes` are its lines'; each in fractions of the page."""

    category: Category
    page: int
    boxes: list[Box]


async def copy(
    maker: Maker,
    paths: Sequence[Path],
    document: Document,
    found: Sequence[Found],
    *,
    inventor: Inventor | None = None,
    detail: Literal["auto", "hi", "lo"] = "auto",
    warnings: list[str],
) -> tuple[Made, dict[str, Any]]:
    """Write a copy of `document`, read from `paths`, with what was `found` painted over, or replaced where an `inventor` is given.

    Returns the file and the report that is the request's answer; adds to `warnings` what a person must look at. Raises a MediaError
    when a page cannot be drawn at all.
    """
    inspections = [await maker.inspect(path) for path in paths]
    alone = len(document.pages) == 1 and len(paths) == 1 and inspections[0].kind == "image"
    made = Made(_written_as(inspections[0].media_type) if alone else "application/pdf")
    told: list[Told] = []
    look: dict[str, list[int]] = {}
    try:
        writer = None if alone else PdfWriter(made.path)
        try:
            for page in document.pages:
                path, index = _source(paths, inspections, page.index)
                here = [one for one in found if one.page == page.index]
                drawing = _Drawing(page, here, inventor)
                how = drawing.mask(DPI[detail], inspections[0].media_type if alone else None)
                masked = await maker.mask(path, index, how)
                if drawing.unreadable and not masked.blank and not how.whole:
                    how = msgspec.structs.replace(how, whole=True)
                    masked = await maker.mask(path, index, how)
                told += drawing.told(masked, whole=how.whole)
                for name in drawing.look(masked, whole=how.whole):
                    look.setdefault(name, []).append(page.index + 1)
                if writer is None:
                    made.media_type = masked.media_type or made.media_type
                    made.path.write_bytes(masked.data)
                else:
                    size = (page.width, page.height)
                    words = [] if how.whole else drawing.words(masked)
                    writer.page(masked.data, masked.encoding, (masked.width, masked.height), size, words)
        finally:
            if writer is not None:
                writer.close()
    except BaseException:
        made.close()
        raise
    warnings += [f"{name}: {_LOOK[name].format(pages=_pages(look[name]))}" for name in _LOOK if name in look]
    return made, _report(document, told, warnings)


def _pages(numbers: list[int]) -> str:
    named = ", ".join(str(number) for number in numbers[:12])
    return f"page{'s' if len(numbers) > 1 else ''} {named}" + (f" and {len(numbers) - 12} more" if len(numbers) > 12 else "")


def _written_as(media_type: str) -> str:
    return media_type if media_type in SUFFIX else "image/jpeg"


def _source(paths: Sequence[Path], inspections: Sequence[Inspection], index: int) -> tuple[Path, int]:
    """The file that holds the page with this running index, and the page's index in it."""
    for path, inspection in zip(paths, inspections, strict=True):
        if index < inspection.page_count:
            return path, index
        index -= inspection.page_count
    raise IndexError(index)


def _report(document: Document, told: list[Told], warnings: list[str]) -> dict[str, Any]:
    counts = Counter(one.category for one in told)
    return {
        "redacted_uri": None,
        "pages": [page.index for page in document.pages],
        "counts": {category: counts[category] for category in CATEGORIES if counts[category]},
        "findings": [
            {
                "category": one.category,
                "page": one.page,
                "bbox": {"xywh": union(one.boxes).xywh()},
                "bboxes": [{"xywh": box.xywh(), "page": one.page} for box in one.boxes],
            }
            for one in told
        ],
        "warnings": list(dict.fromkeys(warnings)),
    }


class _Drawing:
    """What is to happen to one page."""

    def __init__(self, page: Page, found: list[Found], inventor: Inventor | None) -> None:
        self.page, self.found, self.inventor = page, found, inventor
        self.failed = any(_FAILED.search(warning) for warning in page.warnings)
        self.unreadable = _unreadable(page)
        self.pictures = [block.box for block in page.blocks if block.kind == "picture" and self._is_picture(block.box)]
        doubted = [n for n, word in enumerate(page.words) if word.score < DOUBTFUL]
        replaced = inventor.replaced(page, found) if inventor else {}
        self.changed = {word: text for word, text in replaced.items() if word not in set(doubted)}
        hidden = {part.word for one in found for part in one.parts if part.word not in self.changed} | set(doubted)
        self.hidden = sorted(hidden)
        self.doubted = [word for word in doubted if not any(part.word == word for one in found for part in one.parts)]
        self.order = [word for line in page.lines for word in line.words]
        placed = set(self.order)
        self.order += [word for word in range(len(page.words)) if word not in placed]

    def mask(self, dpi: float, media_type: str | None) -> Mask:
        page = self.page
        patches = [Patch(self._wider(box, members)) for box, members in runs(page, self.hidden)]
        patches += [Patch(self._wider(code.box, [])) for code in page.barcodes]
        patches += [Patch(self._wider(line.box, [])) for line in page.unread]
        patches += [Patch(box) for box in self.pictures]
        for box, members in runs(page, [word for word in self.order if word in self.changed]):
            size = max(page.words[word].size for word in members)
            text = " ".join(self.changed[word] for word in members if self.changed[word])
            patches.append(Patch(self._wider(box, members, least=True), text, size, page.words[members[0]].bold))
        return Mask(
            patches=patches, words=[word.box for word in page.words], size=(page.width, page.height), rotation=page.rotation, dpi=dpi,
            whole=self.failed, media_type=media_type, few=FEW,
        )  # fmt: skip

    def words(self, masked: Masked) -> list[Word]:
        """The words that stay, in reading order: seen on the page, not painted over, and the new ones."""
        hidden = set(self.hidden)
        covered = [*self.pictures, *masked.pictures, *(code.box for code in self.page.barcodes), *(line.box for line in self.page.unread)]
        kept: list[Word] = []
        for number in self.order:
            word = self.page.words[number]
            if number in hidden or not masked.seen[number] or any(_inside(word.box, box) for box in covered):
                continue
            text = self.changed.get(number, word.text)
            if text:
                kept.append(msgspec.structs.replace(word, text=text))
        return kept

    def told(self, masked: Masked, *, whole: bool) -> list[Told]:
        page = self.page
        told = [Told(one.category, page.index, [box for box, _ in runs(page, (part.word for part in one.parts))]) for one in self.found]
        told += [Told("other", page.index, [code.box]) for code in page.barcodes]
        told += [Told("photo", page.index, [box]) for box in _apart([*masked.pictures, *self.pictures])]
        told += [Told("unreadable", page.index, [line.box]) for line in page.unread]
        told += [Told("unreadable", page.index, [page.words[word].box]) for word in self.doubted]
        if whole:
            told.append(Told("unreadable", page.index, [Box(0, 0, 1, 1, page.index)]))
        return told

    def look(self, masked: Masked, *, whole: bool) -> list[str]:
        """What a person must look at on this page, by the names of `_LOOK`."""
        said = {
            "page_blackened": whole,
            "unread_text": bool(self.page.unread),
            "doubtful_words": bool(self.doubted),
            "pictures": bool(masked.pictures or self.pictures),
            "pictures_kept": bool(self._held()),
        }
        return ["page_blackened"] if whole else [name for name, so in said.items() if so]

    def _held(self) -> list[Box]:
        """Pictures that hold so many words that they are read like a page."""
        return [block.box for block in self.page.blocks if block.kind == "picture" and not self._is_picture(block.box)]

    def _is_picture(self, box: Box) -> bool:
        return box.area <= PHOTO and sum(_inside(word.box, box) for word in self.page.words) < FEW

    def _wider(self, box: Box, members: list[int], *, least: bool = False) -> Box:
        page = self.page
        exact = page.source == "text" and all(page.words[word].score == 1.0 for word in members)
        across, up = BESIDE["text" if exact or least else "ocr"]
        height = min((page.words[word].box.h for word in members), default=0.01)
        dx, dy = across * height * page.height / max(page.width, 1.0) + STRETCH * box.w, up * height
        return Box.from_xyxy(box.x - dx, box.y - dy, box.x1 + dx, box.y1 + dy, page=box.page)


def _unreadable(page: Page) -> bool:
    """Whether next to nothing was read: no word at all, or of a picture fewer than `LEAST` that are words and no larger than words."""
    if page.source == "text":
        return not page.words
    return sum(sum(c.isalnum() for c in word.text) > 1 and word.box.h < 0.1 for word in page.words) < LEAST


def _inside(box: Box, other: Box) -> bool:
    return other.x <= box.cx <= other.x1 and other.y <= box.cy <= other.y1


def _apart(boxes: list[Box]) -> list[Box]:
    """Boxes without those that say the same as another."""
    kept: list[Box] = []
    for box in boxes:
        if all(box.iou(other) < 0.7 for other in kept):
            kept.append(box)
    return kept
