"""PDF: page sizes, words of the text layer with a verdict on it, pictures that need OCR, and rendering. Runs in the child.

Annotations and form fields that show (values typed into AcroForms, stamps, free text) are flattened into the page in memory before it is
read or drawn, so that their text has words and boxes like any other.
"""

from __future__ import annotations

import ctypes
import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pypdfium2

from heliograph.errors import CorruptMedia, EmptyMedia, EncryptedMedia, MediaLimitExceeded
from heliograph.media.content import Inspection, Limits, PageContent, TextLayer
from heliograph.media.document import Page, PageImage, Word
from heliograph.media.geometry import Box, PdfFrame, union
from heliograph.media.pdftext import TextLayer as Layer
from heliograph.media.pdftext import read_words, union_of_words

pdfium: Any = pypdfium2  # it comes without types
raw: Any = pypdfium2.raw
logging.getLogger("pypdfium2").setLevel(logging.ERROR)  # it warns of every XFA form

LETTER = (612.0, 792.0)
MAX_SIDE = 14_400.0
"""Points; ISO 32000-2 annex C.2. A larger page is drawn no larger than this."""

BAD_PAGE = 0.2
"""Share of characters without a meaning from which a whole page counts as garbled; below it only the broken words are read again."""
SCAN = 0.6
"""Share of the page that an opaque picture covers from which text drawn before it is not seen."""
FEW_CHARS = 8
OBJECTS = 20_000
"""Objects of a page that are looked at for pictures."""
GRID = 48
SHOWN = (
    raw.FPDF_ANNOT_WIDGET, raw.FPDF_ANNOT_FREETEXT, raw.FPDF_ANNOT_STAMP, raw.FPDF_ANNOT_INK, raw.FPDF_ANNOT_REDACT, raw.FPDF_ANNOT_LINE,
    raw.FPDF_ANNOT_SQUARE, raw.FPDF_ANNOT_CIRCLE, raw.FPDF_ANNOT_WATERMARK,
)  # fmt: skip


class _Field(msgspec.Struct):
    """A form field's value (`"☑"` or `"☐"` for a box to tick) and its rectangle in user space."""

    value: str
    rect: tuple[float, float, float, float]
    tick: bool = False


class PdfFile:
    """An open PDF. Raises EncryptedMedia, CorruptMedia, EmptyMedia."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._limits = limits
        try:
            self._pdf = pdfium.PdfDocument(path)
        except pdfium.PdfiumError as error:
            if error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
                raise EncryptedMedia from None
            raise CorruptMedia("The PDF is damaged and cannot be opened.") from None
        try:
            self._pdf.init_forms()
        except pdfium.PdfiumError:  # a broken form does not make the pages unreadable
            self._has_forms = False
        else:
            self._has_forms = self._pdf.formenv is not None
        self.page_count = len(self._pdf)
        if not self.page_count:
            raise EmptyMedia("The PDF has no pages.")
        self._flattened: set[int] = set()
        self._loaded: tuple[int, Any] | None = None
        self._fields: dict[int, list[_Field]] = {}

    def close(self) -> None:
        """Release it."""
        self._unload()
        self._pdf.close()

    def inspect(self, media_type: str) -> Inspection:
        """Page count and upright sizes in points. Raises MediaLimitExceeded for too many pages to list."""
        if self.page_count > 100_000:
            raise MediaLimitExceeded(f"The PDF has {self.page_count} pages.")
        return Inspection(media_type, "document", self.page_count, [self._listed_size(index) for index in range(self.page_count)])

    def _listed_size(self, index: int) -> tuple[float, float]:
        try:
            width, height = self._pdf.get_page_size(index)
        except pdfium.PdfiumError:
            return LETTER
        return (width, height) if width > 0 and height > 0 else LETTER

    def open_page(self, index: int, dpi: float | None, want_text: bool) -> PageContent:
        """One page: words if wanted, pixels at `dpi` if given. A damaged page of several is empty, with a warning; an only page raises."""
        try:
            page = self._load(index)
        except pdfium.PdfiumError:
            if self.page_count == 1:
                raise CorruptMedia("The only page of the PDF is damaged and cannot be opened.") from None
            width, height = self._listed_size(index)
            warning = f"Page {index + 1} is damaged and could not be opened."
            image = PageImage(8, 8, b"\xff" * 192, 1.0) if dpi else None
            return PageContent(Page(index, width, height, warnings=[warning]), "good", image=image)
        width, height = page.get_size()
        content = PageContent(Page(index, width, height), "missing")
        if want_text:
            content = self._read(page, index)
        if dpi:
            content.image = self._render(page, dpi)
        return content

    def render(self, index: int, dpi: float) -> PageImage:
        """The upright page's pixels. Raises CorruptMedia when it cannot be opened."""
        try:
            page = self._load(index)
        except pdfium.PdfiumError:
            raise CorruptMedia(f"Page {index + 1} of the PDF is damaged and cannot be opened.") from None
        return self._render(page, dpi)

    def drawn(self, index: int, dpi: float) -> tuple[PageImage, PageImage | None, list[Box]]:
        """What a page shows, what it shows without its text, and the boxes of its pictures.

        Only what belongs to the page is drawn: annotations and fields that show were made part of it, others are left out.
        Raises CorruptMedia when it cannot be opened.
        """
        try:
            page = self._load(index)
        except pdfium.PdfiumError:
            raise CorruptMedia(f"Page {index + 1} of the PDF is damaged and cannot be opened.") from None
        pictures = _drawn(page, _frame(page), index).pictures
        shown = self._render(page, dpi, flat=True)
        _hide_text(page)
        bare = self._render(page, dpi, flat=True)
        self._unload()  # the next to ask for the page gets it with its text
        return shown, bare, pictures

    def _load(self, index: int) -> Any:
        """The page, which stays loaded until another one is asked for: most are read and then drawn."""
        if self._loaded is None or self._loaded[0] != index:
            self._unload()
            self._loaded = index, self._fresh(index)
        return self._loaded[1]

    def _unload(self) -> None:
        if self._loaded is not None:
            self._loaded[1].close()
            self._loaded = None

    def _fresh(self, index: int) -> Any:
        page = self._pdf[index]
        if index in self._flattened or not raw.FPDFPage_GetAnnotCount(page) or not any(True for _ in _shown(page)):
            return page
        self._flattened.add(index)
        self._fields[index] = list(self._fields_of(page))
        if raw.FPDFPage_Flatten(page, raw.FLAT_NORMALDISPLAY) == raw.FLATTEN_SUCCESS:
            page.close()
            page = self._pdf[index]
        return page

    def _fields_of(self, page: Any) -> Iterator[_Field]:
        """Values of text and choice fields, and ticks; passwords left out."""
        if not self._has_forms:
            return
        form = self._pdf.formenv
        for annotation, rect in _shown(page):
            if raw.FPDFAnnot_GetSubtype(annotation) != raw.FPDF_ANNOT_WIDGET:
                continue
            kind = raw.FPDFAnnot_GetFormFieldType(form, annotation)
            if kind in (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON):
                yield _Field("☑" if raw.FPDFAnnot_IsChecked(form, annotation) else "☐", rect, tick=True)
                continue
            if kind not in (raw.FPDF_FORMFIELD_TEXTFIELD, raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX):
                continue
            secret = raw.FPDFAnnot_GetFormFieldFlags(form, annotation) & raw.FPDF_FORMFLAG_TEXT_PASSWORD
            size = raw.FPDFAnnot_GetFormFieldValue(form, annotation, None, 0)
            if 2 < size < 1 << 16 and not (secret and kind == raw.FPDF_FORMFIELD_TEXTFIELD):
                buffer = (raw.FPDF_WCHAR * (size // 2))()
                raw.FPDFAnnot_GetFormFieldValue(form, annotation, buffer, size)
                value = bytes(buffer).decode("utf-16-le", "replace").rstrip("\0").strip()
                if value:
                    yield _Field(value, rect)

    def _read(self, page: Any, index: int) -> PageContent:
        frame = _frame(page)
        text_page = page.get_textpage()
        try:
            address = ctypes.cast(text_page.raw, ctypes.c_void_p).value
            layer = read_words(address or 0, frame, index)
        finally:
            text_page.close()
        for field in self._fields.get(index, []):
            _show_field(field, layer, frame, index)
        drawn = _drawn(page, frame, index)
        verdict, regions = judge(layer, drawn)
        broken = set(layer.broken) if verdict == "good" else set[int]()
        words = [word for number, word in enumerate(layer.words) if number not in broken and word.text]
        width, height = frame.size
        read = Page(index, width, height, words=words, source="text" if words else "none")
        return PageContent(read, verdict, regions, marked=bool(drawn.marks or drawn.pictures))

    def _render(self, page: Any, dpi: float, *, flat: bool = False) -> PageImage:
        width, height = page.get_size()
        scale = dpi / 72
        pixels = width * height * scale * scale
        if pixels > self._limits.max_pixels or max(width, height) > MAX_SIDE:
            scale *= min(math.sqrt(self._limits.max_pixels / pixels), MAX_SIDE / max(width, height), 1.0)
        bitmap = page.render(scale=scale, rev_byteorder=True, draw_annots=not flat, may_draw_forms=not flat, bitmap_maker=_packed)
        return PageImage(bitmap.width, bitmap.height, bytes(bitmap.buffer), scale * 72)


def _packed(width: int, height: int, format: int, rev_byteorder: bool = False) -> Any:
    return pdfium.PdfBitmap.new_foreign(width, height, format, rev_byteorder, force_packed=True)


def _shown(page: Any) -> Iterator[tuple[Any, tuple[float, float, float, float]]]:
    """Annotations that put something on the page, with their rectangles; links, notes and hidden ones left out."""
    rect = raw.FS_RECTF()
    for number in range(min(raw.FPDFPage_GetAnnotCount(page), 5000)):
        annotation = raw.FPDFPage_GetAnnot(page, number)
        if not annotation:
            continue
        hidden = raw.FPDFAnnot_GetFlags(annotation) & (raw.FPDF_ANNOT_FLAG_HIDDEN | raw.FPDF_ANNOT_FLAG_NOVIEW)
        if raw.FPDFAnnot_GetSubtype(annotation) in SHOWN and not hidden and raw.FPDFAnnot_GetRect(annotation, rect):
            yield annotation, (rect.left, min(rect.bottom, rect.top), rect.right, max(rect.bottom, rect.top))
        raw.FPDFPage_CloseAnnot(annotation)


def _frame(page: Any) -> PdfFrame:
    left, bottom, right, top = page.get_bbox()
    if right <= left or top <= bottom:
        left, bottom, right, top = 0.0, 0.0, *LETTER
    return PdfFrame(left, bottom, right, top, page.get_rotation())


def _show_field(field: _Field, layer: Layer, frame: PdfFrame, index: int) -> None:
    """Make a field's value be words of the layer: a tick becomes a mark, a comb of single characters one word, and a value that the
    field's appearance does not show is laid out in its rectangle on one line.
    """
    box = frame.to_box(*field.rect, index)
    if box is None:
        return
    inside = [
        number for number, word in enumerate(layer.words) if box.x <= word.box.cx <= box.x1 and box.y <= word.box.cy <= box.y1 and word.text
    ]
    shown = [layer.words[number] for number in inside]
    size = min((field.rect[3] - field.rect[1]) * 0.7, 12.0)
    if field.tick:
        for word in shown:
            if len(word.text) == 1:  # the glyph of the tick itself, a "4" of ZapfDingbats
                word.text = ""
        layer.words.append(Word(field.value, box, 1.0, -1, size))
    elif not shown:
        step, x = box.w / len(field.value), box.x
        for part in field.value.split():
            layer.words.append(Word(part, Box(x, box.y, step * len(part), box.h, index), 1.0, -1, size))
            x += step * (len(part) + 1)
    elif len(shown) > 1 and all(len(word.text) == 1 for word in shown) and "".join(word.text for word in shown) == field.value:
        shown[0].text, shown[0].box = field.value, union(word.box for word in shown)
        for word in shown[1:]:
            word.text = ""


class Drawn(msgspec.Struct):
    """What a page draws beside text: boxes of pictures, the number of other marks (paths, shadings), and how many of its text objects lie
    under an opaque picture of most of the page.
    """

    pictures: list[Box] = []
    marks: int = 0
    texts: int = 0
    covered_texts: int = 0


def _drawn(page: Any, frame: PdfFrame, index: int) -> Drawn:
    """Looks at up to `OBJECTS` objects, also those in forms."""
    drawn = Drawn()
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    matrix = raw.FS_MATRIX()

    def visit(item: Any, transforms: list[tuple[float, ...]]) -> None:
        kind = raw.FPDFPageObj_GetType(item)
        if kind == raw.FPDF_PAGEOBJ_IMAGE:
            if raw.FPDFPageObj_GetBounds(item, left, bottom, right, top):
                corners = [(x, y) for x in (left.value, right.value) for y in (bottom.value, top.value)]
                for a, b, c, d, e, f in reversed(transforms):
                    corners = [(a * x + c * y + e, b * x + d * y + f) for x, y in corners]
                xs, ys = [x for x, _ in corners], [y for _, y in corners]
                box = frame.to_box(min(xs), min(ys), max(xs), max(ys), index)
                if box is not None:
                    drawn.pictures.append(box)
                    if box.area > SCAN and not raw.FPDFPageObj_HasTransparency(item):
                        drawn.covered_texts = drawn.texts
        elif kind == raw.FPDF_PAGEOBJ_FORM and len(transforms) < 4:
            raw.FPDFPageObj_GetMatrix(item, matrix)
            inner = [*transforms, (matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f)]
            for number in range(min(raw.FPDFFormObj_CountObjects(item), OBJECTS - drawn.marks)):
                visit(raw.FPDFFormObj_GetObject(item, number), inner)
        elif kind == raw.FPDF_PAGEOBJ_TEXT:
            drawn.texts += 1
        else:
            drawn.marks += 1

    for number in range(min(raw.FPDFPage_CountObjects(page), OBJECTS)):
        visit(raw.FPDFPage_GetObject(page, number), [])
        if drawn.marks >= OBJECTS:
            break
    return drawn


def _hide_text(page: Any) -> None:
    """Make every text object of a loaded page invisible, also those in forms."""

    def hide(item: Any, depth: int) -> None:
        kind = raw.FPDFPageObj_GetType(item)
        if kind == raw.FPDF_PAGEOBJ_TEXT:
            raw.FPDFTextObj_SetTextRenderMode(item, raw.FPDF_TEXTRENDERMODE_INVISIBLE)
        elif kind == raw.FPDF_PAGEOBJ_FORM and depth < 8:
            for number in range(min(raw.FPDFFormObj_CountObjects(item), OBJECTS)):
                hide(raw.FPDFFormObj_GetObject(item, number), depth + 1)

    for number in range(raw.FPDFPage_CountObjects(page)):
        hide(raw.FPDFPage_GetObject(page, number), 0)


def judge(layer: Layer, drawn: Drawn) -> tuple[TextLayer, list[Box]]:
    """The verdict on a text layer, and the regions to read by OCR beside it."""
    covered = _coverage(drawn.pictures)
    if layer.chars - layer.outside < FEW_CHARS and (covered > 0.02 or drawn.marks > 20):
        return "missing", []
    if not layer.words:
        return ("missing" if drawn.pictures or drawn.marks else "good"), []
    if (layer.invisible > 0.5 * layer.chars and covered > 0.2) or drawn.covered_texts > 0.5 * drawn.texts:
        return "hidden", []
    if layer.bad > BAD_PAGE * layer.chars:
        return "garbled", []
    regions = union_of_words(layer.words, layer.broken, 0.02) if layer.broken else []
    regions += [box for box in _merged(drawn.pictures) if _unread(box, layer.words)]
    return "good", sorted(regions, key=lambda box: -box.area)[:16]


def _coverage(boxes: list[Box]) -> float:
    """Share of the page that the boxes cover together, on a grid."""
    rows = [0] * GRID
    for box in boxes[:500]:
        span = (1 << max(round(box.x1 * GRID), 0)) - (1 << max(round(box.x * GRID), 0))
        for row in range(max(round(box.y * GRID), 0), min(round(box.y1 * GRID), GRID)):
            rows[row] |= span
    return sum(row.bit_count() for row in rows) / (GRID * GRID)


def _merged(boxes: list[Box]) -> list[Box]:
    """Pictures cut into strips or tiles, put together again: those that touch become one."""
    merged: list[Box] = []
    for box in sorted(boxes[:500], key=lambda box: (box.y, box.x)):
        for index, other in enumerate(merged):
            apart_x = max(box.x, other.x) - min(box.x1, other.x1)
            apart_y = max(box.y, other.y) - min(box.y1, other.y1)
            if apart_x < 0.002 and apart_y < 0.002:
                x0, y0 = min(box.x, other.x), min(box.y, other.y)
                merged[index] = Box(x0, y0, max(box.x1, other.x1) - x0, max(box.y1, other.y1) - y0, box.page)
                break
        else:
            merged.append(box)
    return merged


def _unread(picture: Box, words: list[Word]) -> bool:
    """Could this picture hold text that the layer lacks? Not when it is tiny, nor when it lies behind text as a background does."""
    if picture.area < 0.003 or picture.w < 0.02 or picture.h < 0.01:
        return False
    inside = sum(word.box.area for word in words if picture.x <= word.box.cx <= picture.x1 and picture.y <= word.box.cy <= picture.y1)
    return inside < 0.02 * picture.area
