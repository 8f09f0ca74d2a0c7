"""PPTX as slides: every shape's text, table and picture in its real place (placeholders inherit theirs from the layout)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pptx
from pptx.enum.shapes import MSO_SHAPE_TYPE, PP_PLACEHOLDER
from pptx.exc import PackageNotFoundError

from heliograph.errors import CorruptMedia
from heliograph.media.content import Limits
from heliograph.media.document import BlockKind
from heliograph.media.flow import Element, Flow, Frame, Grid, GridCell, Paragraph, Picture, Run, Slide
from heliograph.media.ooxml import A, check_package

EMU = 12_700.0
DEPTH = 20
MAX_SHAPES = 5000
INSET = 5.0
TITLES = (PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE)
SIZES: dict[str, float] = {"title": 32.0, "section-header": 20.0, "text": 16.0, "list-item": 16.0}

Transform = tuple[float, float, float, float]
"""Offset and scale that a group puts on what is in it: x, y, and factors."""


def read_pptx(path: Path, limits: Limits) -> Flow:
    """A PowerPoint presentation; hidden slides are left out with a warning."""
    check_package(path, limits)
    opener: Any = pptx.Presentation
    try:
        presentation = opener(str(path))
    except (PackageNotFoundError, KeyError, ValueError):
        raise CorruptMedia("The presentation is damaged and cannot be read.") from None
    width, height = (presentation.slide_width or 9_144_000) / EMU, (presentation.slide_height or 6_858_000) / EMU
    slides: list[Slide] = []
    hidden = 0
    for slide in presentation.slides:
        if slide.element.get("show") == "0":
            hidden += 1
            continue
        slides.append(Slide(width, height, list(_frames(slide.shapes, (0.0, 0.0, 1.0, 1.0), 0))[:MAX_SHAPES]))
    return Flow(slides=slides, warnings=[f"{hidden} hidden slides were left out."] if hidden else [])


def _frames(shapes: Any, outer: Transform, depth: int) -> Iterator[Frame]:
    for shape in shapes:
        try:
            yield from _shape(shape, outer, depth)
        except (KeyError, AttributeError, ValueError, TypeError, NotImplementedError, IndexError):
            continue  # one broken shape does not cost the slide


def _shape(shape: Any, outer: Transform, depth: int) -> Iterator[Frame]:
    ox, oy, fx, fy = outer
    left, top = (shape.left or 0) / EMU * fx + ox, (shape.top or 0) / EMU * fy + oy
    width, height = (shape.width or 0) / EMU * fx, (shape.height or 0) / EMU * fy
    if shape.shape_type == MSO_SHAPE_TYPE.GROUP:
        if depth < DEPTH:
            yield from _frames(shape.shapes, _inside(shape, (left, top, width, height)), depth + 1)
        return
    content: list[Element] = []
    if getattr(shape, "has_table", False) and shape.has_table:
        content.append(_table(shape.table))
    elif hasattr(shape, "image") and _is_picture(shape):
        content.append(Picture(shape.image.blob))
    elif getattr(shape, "has_chart", False) and shape.has_chart:
        content += _chart(shape.chart)
    if getattr(shape, "has_text_frame", False) and shape.has_text_frame:
        content += _texts(shape)
    if not content:
        return
    inset = 0.0 if isinstance(content[0], Picture | Grid) else INSET
    yield Frame(left + inset, top + inset, max(width - 2 * inset, 20.0), max(height - 2 * inset, 8.0), content)


def _is_picture(shape: Any) -> bool:
    try:
        return bool(shape.image)
    except (ValueError, KeyError, AttributeError):  # linked rather than embedded, or missing
        return False


def _inside(group: Any, place: tuple[float, float, float, float]) -> Transform:
    """How a group maps the coordinates of its children (`a:chOff`, `a:chExt`) to the slide."""
    left, top, width, height = place
    frame = group.element.find(f".//{A}xfrm")
    offset, extent = (frame.find(A + name) if frame is not None else None for name in ("chOff", "chExt"))
    if offset is None or extent is None:
        return left, top, 1.0, 1.0
    inner_width, inner_height = int(extent.get("cx") or 0) / EMU or width, int(extent.get("cy") or 0) / EMU or height
    fx, fy = (width / inner_width if inner_width else 1.0), (height / inner_height if inner_height else 1.0)
    return left - int(offset.get("x") or 0) / EMU * fx, top - int(offset.get("y") or 0) / EMU * fy, fx, fy


def _texts(shape: Any) -> list[Element]:
    kind: BlockKind = "text"
    level = 0
    if shape.is_placeholder:
        role = shape.placeholder_format.type
        if role in TITLES:
            kind, level = "title", 1
        elif role == PP_PLACEHOLDER.SUBTITLE:
            kind, level = "section-header", 2
        elif role in (PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.SLIDE_NUMBER):
            kind = "page-footer"
    listed = shape.is_placeholder and kind == "text"
    found: list[Element] = []
    for paragraph in shape.text_frame.paragraphs:
        own_kind: BlockKind = kind
        bullet = _bullet(paragraph, listed)
        if bullet and kind == "text":
            own_kind = "list-item"
        default = SIZES.get(own_kind, 11.0)
        runs = list(_runs(paragraph, default))
        if any(run.text.strip() for run in runs):
            indent = 14.0 * (paragraph.level + 1) if own_kind == "list-item" else 0.0
            found.append(Paragraph(runs, own_kind, level, indent, bullet if own_kind == "list-item" else "", align=_align(paragraph)))
    return found


def _runs(paragraph: Any, size: float | None) -> Iterator[Run]:
    """A paragraph's runs, line breaks and fields (slide numbers, dates), in order; python-pptx itself lists only the runs."""
    element = paragraph._p
    styled = {run._r: run for run in paragraph.runs}
    for child in element:
        if child.tag == A + "br":
            yield Run("\n")
        elif child.tag in (A + "r", A + "fld"):
            text = "".join(part.text or "" for part in child.iter(A + "t")).replace("\v", "\n").replace("_x000B_", "\n")
            font = styled[child].font if child in styled else None
            if text:
                yield Run(text, bool(font and font.bold), float(font.size.pt) if font and font.size and size else size)


def _bullet(paragraph: Any, listed: bool) -> str:
    """The mark of a list item: as written, else a dot in body placeholders, which have one by inheritance."""
    properties = paragraph._p.pPr
    if properties is not None:
        if properties.find(A + "buNone") is not None:
            return ""
        if properties.find(A + "buChar") is not None or properties.find(A + "buAutoNum") is not None:
            return "•"
    return "•" if listed else ""


def _align(paragraph: Any) -> Any:
    return {"CENTER": "center", "RIGHT": "right"}.get(getattr(paragraph.alignment, "name", ""), "left")


def _table(table: Any) -> Grid:
    rows: list[list[GridCell]] = []
    for row in table.rows:
        cells: list[GridCell] = []
        for cell in row.cells:
            if cell.is_spanned:
                continue
            content = [Paragraph(list(_runs(paragraph, None))) for paragraph in cell.text_frame.paragraphs]
            cells.append(GridCell(content or [Paragraph([])], *((cell.span_height, cell.span_width) if cell.is_merge_origin else (1, 1))))
        rows.append(cells)
    return Grid(rows, 1 if table.first_row else 0)


def _chart(chart: Any) -> list[Element]:
    """A chart's title, and its numbers as a table."""
    found: list[Element] = []
    if chart.has_title and chart.chart_title.has_text_frame:
        found.append(Paragraph([Run(chart.chart_title.text_frame.text)], "caption"))
    for plot in chart.plots:
        names = [str(category) for category in plot.categories]
        series = [(one.name or "", list(one.values)) for one in plot.series]
        if not names or not series:
            continue
        lines = [["", *(name for name, _ in series)]]
        lines += [
            [name, *("" if number >= len(values) or values[number] is None else f"{values[number]:g}" for _, values in series)]
            for number, name in enumerate(names)
        ]
        found.append(Grid([[GridCell([Paragraph([Run(value)])]) for value in line] for line in lines], 1))
    return found
