"""The functions that run in an engine child: one opened page becomes one read page, or its faces.

Call them through a `ChildPool` of this module. Networks load at their first use and stay warm; the pool replaces the child when it has
grown or served long enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import msgspec
import numpy as np

from heliograph.media.content import PageContent
from heliograph.media.document import Block, Face, Page, PageImage, Source, Table, Unread, Word
from heliograph.media.geometry import Box, union
from heliograph.perception.barcodes import find_barcodes
from heliograph.perception.bend import Bend, Flattened, find_bend
from heliograph.perception.blocks import numbered, with_pictures, with_tables
from heliograph.perception.detection import Image
from heliograph.perception.faces import FaceFinder
from heliograph.perception.language import guess_language
from heliograph.perception.layout import LayoutModel, Region, name_blocks
from heliograph.perception.ocr import ReadImage, ReadLine, TextReader, Turn, turned
from heliograph.perception.options import Options
from heliograph.perception.order import ON_END, arrange
from heliograph.perception.rules import find_rules
from heliograph.perception.scripts import UNKNOWN
from heliograph.perception.tablemodel import TableModel
from heliograph.perception.tables import find_tables
from heliograph.perception.textlayer import agrees, merged
from heliograph.perception.ticks import with_ticks

LARGE, SURE_OF_LARGE = 0.15, 0.95
"""A line taller than this share of a frame needs this score: a countdown's digit has it, bottles in a row that read as letters have not."""
FEW, SURE_OF_FEW = 3, 0.8
"""So do lines of so few letters: what moves before a camera reads as one or two of them now and then."""


def read_page(content: PageContent, options: Options) -> Page:
    """Words, lines, blocks, tables, barcodes and the language of one page; `content.image` is needed for all but words in a text layer."""
    page = content.page
    image = None if content.image is None else pixels_of(content.image)
    if content.structured:
        if image is not None and options.ocr and content.regions:
            _read_pictures(content, image, options)
        page.language = page.language or guess_language(line.text for line in page.lines)
        return page
    if image is None or not options.ocr:
        seen = Seen(page.words, page.source)
    else:
        seen = _words(content, image, options)
        if seen.turn:
            image = turned(image, seen.turn)
            page.rotation = seen.turn
            if seen.turn in {90, 270}:
                page.width, page.height = page.height, page.width
    words, source = seen.words, seen.source
    if image is not None and (source != "text" or content.regions or options.structure == "full"):
        page.barcodes = find_barcodes(image, page.index)
    if image is not None and options.paper:
        words = with_ticks(words, image, page.width, page.height, page.index)
    # letters that nobody reads, and the corners of codes, look like boxes to tick
    apart = [*(code.box for code in page.barcodes), *(line.box for line in page.unread)]
    words = [word for word in words if not any(_inside(word.box, box) for box in apart)]
    flat = Flattened(seen.bend, image, page) if seen.bend is not None and image is not None else None
    arranged = arrange(flat.words(words), *flat.size) if flat else arrange(words, page.width, page.height, skew=seen.skew)
    page.words, page.lines, page.source = arranged.words, arranged.lines, source
    blocks = arranged.blocks
    regions: list[Region] = []
    if image is not None:
        page.rules = find_rules(flat.image if flat else image, page.index, words=[word.box for word in page.words])
        page.tables = find_tables(page.words, page.lines, page.rules, *(flat.size if flat else (page.width, page.height)))
        if flat:
            flat.restore(page, blocks)
        if options.structure == "full":
            regions = _layout(options.threads).regions(image, page.index)
            if source in {"ocr", "mixed"}:
                page.tables = _with_model_tables(page.tables, image, regions, page.words)
    blocks = with_tables(blocks, page.lines, page.tables)
    blocks = name_blocks(blocks, regions) if regions else blocks
    page.blocks = with_pictures(blocks, content.regions if content.text == "good" else [])
    numbered(page.blocks, page.lines)
    page.language = guess_language(line.text for line in page.lines)
    return page


def turn_image(image: PageImage, turn: int) -> PageImage:
    """`image` turned clockwise by 90, 180 or 270 degrees."""
    result = np.ascontiguousarray(np.rot90(pixels_of(image), -turn // 90))
    return PageImage(result.shape[1], result.shape[0], result.tobytes(), image.dpi)


def find_faces(image: PageImage, threads: int, page: int = 0) -> list[Face]:
    """The faces on a picture. Raises NotConfigured when the networks are missing."""
    return _faces(threads).find(pixels_of(image), page)


def warm(threads: int) -> None:
    """Load the OCR networks. Raises NotConfigured when weights or runtimes are missing."""
    _reader(threads)


@cache
def _reader(threads: int) -> TextReader:
    return TextReader(threads)


@cache
def _faces(threads: int) -> FaceFinder:
    return FaceFinder(threads)


@cache
def _layout(threads: int) -> LayoutModel:
    return LayoutModel(threads)


@cache
def _table_model() -> TableModel:
    return TableModel()


def pixels_of(image: PageImage) -> Image:
    """`height` x `width` x 3, without a copy."""
    return np.frombuffer(image.data, np.uint8).reshape(image.height, image.width, 3)


class Seen(msgspec.Struct):
    """A page's words, where they come from, its skew in degrees, how far it must be turned to be upright, and how its sheet bends."""

    words: list[Word]
    source: Source
    skew: float = 0.0
    turn: Turn = 0
    bend: Bend | None = None


def _words(content: PageContent, image: Image, options: Options) -> Seen:
    page = content.page
    if content.text == "good":
        seen = [word for region in content.regions for word in _read_region(image, region, page, options)]
        words = merged(page.words, seen)
        source: Source = "text" if len(words) == len(page.words) else ("mixed" if page.words else "ocr")
        return Seen(words, source if words else "none")
    reader = _reader(options.threads)
    if content.text == "hidden":
        layer = arrange(page.words, page.width, page.height)
        if agrees(layer.words, layer.lines, lambda box: reader.read_line(_crop(image, box))):
            return Seen(page.words, "text")
    read = reader.read(image, options.detail)
    height = page.height if read.turn in {0, 180} else page.width
    whole = Box(0.0, 0.0, 1.0, 1.0, page.index)
    words = _placed(read, whole, height)
    _note_unread(page, read, whole)
    return Seen(words, "ocr" if read.lines else "none", _skew(read), read.turn, find_bend(turned(image, read.turn), read.lines))


def _read_pictures(content: PageContent, image: Image, options: Options) -> None:
    """Add what the pictures of a structured page say, each as blocks after its own."""
    page = content.page
    page.barcodes = find_barcodes(image, page.index)
    layer = list(page.words)
    for region in content.regions:
        seen = merged(layer, _read_region(image, region, page, options))[len(layer) :]
        seen = [word for word in seen if not any(_inside(word.box, code.box) for code in page.barcodes)]
        if not seen:
            continue
        arranged = arrange(seen, page.width, page.height)
        words, lines = len(page.words), len(page.lines)
        page.words += [msgspec.structs.replace(word, line=word.line + lines) for word in arranged.words]
        page.lines += [msgspec.structs.replace(line, words=[index + words for index in line.words]) for line in arranged.lines]
        blocks = [
            Block("text", union(arranged.lines[i].box for i in block.lines), [index + lines for index in block.lines])
            for block in arranged.blocks
        ]
        own = [n for n, block in enumerate(page.blocks) if block.kind == "picture" and block.box.iou(region) > 0.5]
        place = own[0] + 1 if own else len(page.blocks)
        page.blocks[place:place] = blocks
        page.source = "mixed" if layer else "ocr"
    numbered(page.blocks, page.lines)


def _read_region(image: Image, region: Box, page: Page, options: Options) -> list[Word]:
    """The words in a `region`; what is there and cannot be read is noted on `page`."""
    x0, y0, x1, y1 = (round(edge) for edge in region.to_xyxy(image.shape[1], image.shape[0]))
    if min(x1 - x0, y1 - y0) < 16:
        return []
    read = _reader(options.threads).read(np.ascontiguousarray(image[y0:y1, x0:x1]), options.detail, upright=True)
    if not options.paper:
        read.lines = [line for line in read.lines if line.score >= _needed(line, read)]
    _note_unread(page, read, region)
    return _placed(read, region, page.height)


def _needed(line: ReadLine, read: ReadImage) -> float:
    """The least score at which a line on a frame is believed."""
    tall = (line.box[3] - line.box[1]) / read.height
    return SURE_OF_LARGE if tall > LARGE else SURE_OF_FEW if line.letters <= FEW else 0.0


def _note_unread(page: Page, read: ReadImage, region: Box) -> None:
    """Keep the places of what cannot be read, and say so."""
    for line in read.unread:
        page.unread.append(Unread(line.script, _within(region, Box.from_xyxy(*line.box, width=read.width, height=read.height))))
    for script in dict.fromkeys(line.script for line in read.unread):
        named = "text" if script == UNKNOWN else f"{script} script"
        warning = f"unreadable: {named} on page {page.index + 1}"
        if warning not in page.warnings:
            page.warnings.append(warning)


def _within(region: Box, inner: Box) -> Box:
    """A box of a region's picture on the page."""
    return Box(region.x + inner.x * region.w, region.y + inner.y * region.h, inner.w * region.w, inner.h * region.h, region.page)


def _placed(read: ReadImage, region: Box, height: float) -> list[Word]:
    """Words read in a `region` of a page whose height is `height` points, on the page."""
    words: list[Word] = []
    for number, line in enumerate(read.lines):
        mark = ON_END - number if line.stands else -1
        for word in line.words:
            box = _within(region, Box.from_xyxy(*word.box, width=read.width, height=read.height))
            words.append(Word(word.text, box, round(word.score, 4), mark, size=round(word.height / read.height * region.h * height, 2)))
    return words


def _skew(read: ReadImage) -> float:
    """The lean of the page's lines: the median over those long enough to tell."""
    angles = [
        line.angle for line in read.lines if abs(line.angle) < 20 and len(line.words) > 0 and sum(len(w.text) for w in line.words) >= 8
    ]
    return float(np.median(angles)) if len(angles) >= 3 else 0.0


def _inside(box: Box, other: Box) -> bool:
    return box.intersection(other) > 0.6 * box.area


def _crop(image: Image, box: Box) -> Image:
    x0, y0, x1, y1 = box.to_xyxy(image.shape[1], image.shape[0])
    margin = 0.15 * (y1 - y0)
    top, bottom = max(0, round(y0 - margin)), round(y1 + margin)
    return np.ascontiguousarray(image[top:bottom, max(0, round(x0 - margin)) : round(x1 + margin)])


def _with_model_tables(tables: Sequence[Table], image: Image, regions: Sequence[Region], words: Sequence[Word]) -> list[Table]:
    result = list(tables)
    for region in regions:
        if region.kind == "table" and all(table.box.intersection(region.box) < 0.3 * region.box.area for table in result):
            table = _table_model().read(image, region.box, words)
            if table is not None:
                result.append(table)
    return sorted(result, key=lambda table: (table.box.y, table.box.x))
