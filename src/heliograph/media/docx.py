"""DOCX as a flow: paragraphs, headings, lists, tables, text boxes, pictures, headers and footers, notes; tracked deletions left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from heliograph.media.content import Limits
from heliograph.media.document import BlockKind
from heliograph.media.flow import Element, Flow, Grid, GridCell, PageBreak, Paragraph, Picture, Run
from heliograph.media.ooxml import MATH, MC, A, Package, R, W

EMU = 12_700.0
SKIPPED = frozenset(W + name for name in ("del", "moveFrom", "instrText", "delText", "fldData", "pPr", "rPr", "sdtPr", "sdtEndPr"))
VML = "{urn:schemas-microsoft-com:vml}"
WP = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
BULLET = "•"
DEPTH = 60


def read_docx(path: Path, limits: Limits) -> Flow:
    """A Word document."""
    package = Package(path, limits)
    try:
        return _Reader(package).read()
    finally:
        package.close()


class _Style:
    __slots__ = ("based_on", "bold", "level", "name", "numbering")

    def __init__(self, element: Any) -> None:
        name = element.find(W + "name")
        self.name = (name.get(W + "val") or "").lower() if name is not None else ""
        based = element.find(W + "basedOn")
        self.based_on = based.get(W + "val") if based is not None else None
        level = element.find(f"{W}pPr/{W}outlineLvl")
        self.level = _number(level) + 1 if level is not None and _number(level) < 9 else 0
        heading = re.fullmatch(r"heading (\d)", self.name)
        if heading:
            self.level = int(heading.group(1))
        self.bold = _on(element.find(f"{W}rPr/{W}b"))
        self.numbering = element.find(f"{W}pPr/{W}numPr")


def _number(element: Any, default: int = 0) -> int:
    value = element.get(W + "val") if element is not None else None
    return int(value) if value and re.fullmatch(r"-?\d{1,6}", value) else default


def _on(element: Any) -> bool | None:
    """A toggle property: absent None, else whether it is on."""
    return None if element is None else element.get(W + "val") not in ("0", "false", "off", "none")


class _Reader:
    def __init__(self, package: Package) -> None:
        self._package = package
        self._main = package.main()
        self._relations = package.related(self._main)
        self._styles: dict[str, _Style] = {}
        self._formats: dict[str, dict[int, tuple[str, str, int]]] = {}
        self._counters: dict[str, dict[int, int]] = {}
        self._notes: list[tuple[str, str]] = []

    def _targets(self, kind: str) -> list[str]:
        return [target for found, target in self._relations.values() if found == kind and target in self._package]

    def read(self) -> Flow:
        for name in self._targets("styles"):
            for style in self._package.xml(name).iter(W + "style"):
                self._styles[style.get(W + "styleId") or ""] = _Style(style)
        for name in self._targets("numbering"):
            self._read_numbering(self._package.xml(name))
        body = self._package.xml(self._main).find(W + "body")
        elements = list(self._blocks(body, 0)) if body is not None else []
        elements += self._footnotes()
        header, footer = self._margins("header"), self._margins("footer")
        size = body.find(f".//{W}sectPr/{W}pgSz") if body is not None else None
        width, height = (float(size.get(W + side) or 0) / 20 for side in ("w", "h")) if size is not None else (0, 0)
        plausible = 100 <= width <= 4000 and 100 <= height <= 4000
        return Flow(elements, header=header, footer=footer, size=(width, height) if plausible else (595.0, 842.0))

    def _read_numbering(self, root: Any) -> None:
        abstract: dict[str, dict[int, tuple[str, str, int]]] = {}
        for definition in root.iter(W + "abstractNum"):
            levels: dict[int, tuple[str, str, int]] = {}
            for level in definition.iter(W + "lvl"):
                kind, text, start = level.find(W + "numFmt"), level.find(W + "lvlText"), level.find(W + "start")
                found = kind.get(W + "val") if kind is not None else "decimal"
                levels[int(level.get(W + "ilvl") or 0)] = (
                    found or "decimal",
                    (text.get(W + "val") if text is not None else "") or "",
                    _number(start, 1),
                )
            abstract[definition.get(W + "abstractNumId") or ""] = levels
        for number in root.iter(W + "num"):
            target = number.find(W + "abstractNumId")
            if target is not None:
                self._formats[number.get(W + "numId") or ""] = abstract.get(target.get(W + "val") or "", {})

    def _margins(self, kind: str) -> list[Paragraph]:
        """Paragraphs of the first header or footer that says something."""
        for name in self._targets(kind):
            kept = self._relations
            self._relations = self._package.related(name)
            found = [paragraph for element in self._blocks(self._package.xml(name), 0) for paragraph in _flat(element)]
            self._relations = kept
            found = [
                Paragraph(p.runs, "page-header" if kind == "header" else "page-footer", align=p.align) for p in found if p.text.strip()
            ]
            if found:
                return found[:12]
        return []

    def _footnotes(self) -> Iterator[Element]:
        for kind in ("footnotes", "endnotes"):
            for name in self._targets(kind):
                for note in self._package.xml(name):
                    number = note.get(W + "id")
                    if note.get(W + "type") in (None, "normal") and (kind, number) in self._notes:
                        runs = [run for block in self._blocks(note, 0) for paragraph in _flat(block) for run in paragraph.runs]
                        yield Paragraph([Run(f"[{number}] "), *runs], "footnote")

    # blocks

    def _blocks(self, parent: Any, depth: int) -> Iterator[Element]:
        if depth > DEPTH:
            return
        for child in parent:
            if child.tag == W + "p":
                yield from self._paragraph(child, depth)
            elif child.tag == W + "tbl":
                grid = self._table(child, depth)
                if grid.rows:
                    yield grid
            elif child.tag in (W + "sdt", W + "sdtContent", W + "ins", W + "moveTo", W + "customXml", W + "smartTag"):
                yield from self._blocks(child, depth + 1)
            elif child.tag == MC + "AlternateContent":
                chosen = child.find(MC + "Choice")
                chosen = chosen if chosen is not None else child.find(MC + "Fallback")
                if chosen is not None:
                    yield from self._blocks(chosen, depth + 1)

    def _style(self, name: str | None) -> tuple[int, bool, Any, str]:
        """Heading level, bold, numbering and name of a style, inherited."""
        level, bold, numbering, own = 0, None, None, ""
        for _ in range(12):
            style = self._styles.get(name or "")
            if style is None:
                break
            own = own or style.name
            level = level or style.level
            bold = style.bold if bold is None else bold
            numbering = style.numbering if numbering is None else numbering
            name = style.based_on
        return level, bool(bold), numbering, own

    def _paragraph(self, element: Any, depth: int) -> Iterator[Element]:
        properties = element.find(W + "pPr")
        style = properties.find(W + "pStyle") if properties is not None else None
        level, bold, numbering, name = self._style(style.get(W + "val") if style is not None else None)
        if properties is not None:
            outline = properties.find(W + "outlineLvl")
            if outline is not None and 0 <= _number(outline, 9) < 9:
                level = _number(outline) + 1
            own = properties.find(W + "numPr")
            numbering = own if own is not None else numbering
            if _on(properties.find(W + "pageBreakBefore")):
                yield PageBreak()
        kind: BlockKind = "text"
        if name == "title":
            kind, level = "title", 1
        elif level:
            kind, level = "section-header", min(level, 6)
        elif "caption" in name:
            kind = "caption"
        marker, indent = self._marker(numbering)
        if marker and not level:
            kind = "list-item"
        justify = properties.find(W + "jc") if properties is not None else None
        align = {"center": "center", "right": "right", "end": "right"}.get(justify.get(W + "val") if justify is not None else "", "left")
        runs: list[Run] = []
        later: list[Element] = []
        for piece in self._inline(element, bold, depth):
            if isinstance(piece, Run):
                runs.append(piece)
            elif isinstance(piece, PageBreak):
                if any(run.text.strip() for run in runs):
                    yield Paragraph(runs, kind, level, indent, marker, align=align)  # pyright: ignore[reportArgumentType]
                    runs, marker = [], ""
                yield piece
            else:
                later.append(piece)
        if level and marker:
            runs, marker = [Run(marker + " "), *runs], ""
        if any(run.text.strip() for run in runs) or not later:
            shown = marker if any(run.text.strip() for run in runs) else ""
            yield Paragraph(runs, kind, level, indent, shown, align=align)  # pyright: ignore[reportArgumentType]
        yield from later

    def _marker(self, numbering: Any) -> tuple[str, float]:
        """What stands before a list item, and its indent in points; counts on."""
        if numbering is None:
            return "", 0.0
        number, level = numbering.find(W + "numId"), _number(numbering.find(W + "ilvl"))
        key = number.get(W + "val") if number is not None else "0"
        levels = self._formats.get(key or "0")
        if not levels:
            return "", 0.0
        kind, text, start = levels.get(level, ("bullet", "", 1))
        indent = 18.0 * (min(level, 8) + 1)
        if kind == "none":
            return "", indent
        if kind == "bullet":
            return BULLET, indent
        counters = self._counters.setdefault(key or "0", {})
        counters[level] = counters.get(level, start - 1) + 1
        for deeper in [other for other in counters if other > level]:
            del counters[deeper]

        def shown(match: re.Match[str]) -> str:
            at = int(match.group(1)) - 1
            form, _, first = levels.get(at, ("decimal", "", 1))
            return _count(counters.get(at, first), form)

        return re.sub(r"%(\d)", shown, text) or f"{counters[level]}.", indent

    # what stands in a paragraph

    def _inline(self, parent: Any, bold: bool, depth: int) -> Iterator[Run | PageBreak | Paragraph | Grid | Picture]:
        if depth > DEPTH:
            return
        for child in parent:
            tag = child.tag
            if not isinstance(tag, str) or tag in SKIPPED:
                continue
            if tag == W + "r":
                yield from self._run(child, bold, depth)
            elif tag.startswith(MATH):
                text = _formula(child, 0)
                if text:
                    yield Run(text)
            elif tag in (W + "bookmarkStart", W + "bookmarkEnd", W + "proofErr"):
                continue
            elif tag == W + "sdt":
                content = child.find(W + "sdtContent")
                if content is not None:
                    yield from self._inline(content, bold, depth + 1)
            else:
                yield from self._inline(child, bold, depth + 1)

    def _run(self, run: Any, bold: bool, depth: int) -> Iterator[Run | PageBreak | Paragraph | Grid | Picture]:
        properties = run.find(W + "rPr")
        if properties is not None:
            if _on(properties.find(W + "vanish")):
                return
            own = _on(properties.find(W + "b"))
            style = properties.find(W + "rStyle")
            if own is None and style is not None:
                own = self._style(style.get(W + "val"))[1] or None
            bold = bold if own is None else own
        yield from self._content(run, bold, depth)

    def _content(self, parent: Any, bold: bool, depth: int) -> Iterator[Run | PageBreak | Paragraph | Grid | Picture]:
        for child in parent:
            tag = child.tag
            if tag == W + "t":
                yield Run(child.text or "", bold)
            elif tag in (W + "tab", W + "ptab"):
                yield Run("\u2003", bold)
            elif tag == W + "noBreakHyphen":
                yield Run("-", bold)
            elif tag == W + "sym":
                yield Run(_symbol(child.get(W + "char")), bold)
            elif tag == W + "br":
                yield PageBreak() if child.get(W + "type") == "page" else Run("\n")
            elif tag == W + "lastRenderedPageBreak":
                yield PageBreak()
            elif tag == W + "cr":
                yield Run("\n")
            elif tag in (W + "footnoteReference", W + "endnoteReference"):
                kind = "footnotes" if tag == W + "footnoteReference" else "endnotes"
                self._notes.append((kind, child.get(W + "id")))
                yield Run(f"[{child.get(W + 'id')}]")
            elif tag == W + "fldChar":
                box = child.find(f"{W}ffData/{W}checkBox")
                if box is not None:
                    state = _on(box.find(W + "checked"))
                    yield Run("☑" if (state if state is not None else _on(box.find(W + "default"))) else "☐")
            elif tag == MC + "AlternateContent":
                chosen = child.find(MC + "Choice")
                chosen = chosen if chosen is not None else child.find(MC + "Fallback")
                if chosen is not None:
                    yield from self._content(chosen, bold, depth + 1)
            elif tag in (W + "drawing", W + "pict", W + "object"):
                yield from self._drawing(child, depth)

    def _drawing(self, drawing: Any, depth: int) -> Iterator[Paragraph | Grid | Picture | PageBreak]:
        """Text boxes and pictures of a drawing; a shape's fallback copy is not read twice."""
        if depth > DEPTH:
            return
        extent = drawing.find(f".//{WP}extent")
        width, height = ((float(extent.get(side) or 0) / EMU or None) for side in ("cx", "cy")) if extent is not None else (None, None)
        blips = [blip.get(R + "embed") for blip in drawing.iter(A + "blip")] + [
            image.get(R + "id") for image in drawing.iter(VML + "imagedata")
        ]
        for target in blips:
            found = self._relations.get(target or "")
            if found and found[1] in self._package:
                single = len(blips) == 1
                yield Picture(self._package.read(found[1]), width if single else None, height if single else None)
        for box in drawing.iter(W + "txbxContent"):
            if not any(parent.tag == W + "txbxContent" or parent.tag == MC + "Fallback" for parent in _up(box, drawing)):
                yield from self._blocks(box, depth + 1)

    # tables

    def _table(self, table: Any, depth: int) -> Grid:
        rows: list[list[GridCell]] = []
        open_spans: dict[int, GridCell] = {}
        header_rows = 0
        for row in _children(table, "tr"):
            properties = row.find(W + "trPr")
            cells: list[GridCell] = []
            column = _number(properties.find(W + "gridBefore")) if properties is not None else 0
            if column:
                cells.append(GridCell([Paragraph([])], 1, column))
            for cell in _children(row, "tc"):
                settings = cell.find(W + "tcPr")
                span = max(_number(settings.find(W + "gridSpan"), 1), 1) if settings is not None else 1
                merge = settings.find(W + "vMerge") if settings is not None else None
                if merge is not None and merge.get(W + "val") != "restart" and column in open_spans:
                    open_spans[column].row_span += 1
                else:
                    content = [paragraph for block in self._blocks(cell, depth + 1) for paragraph in _flat(block)]
                    made = GridCell(content or [Paragraph([])], 1, span)
                    cells.append(made)
                    open_spans.pop(column, None)
                    if merge is not None:
                        open_spans[column] = made
                column += span
            heading = properties is not None and _on(properties.find(W + "tblHeader"))
            if heading and header_rows == len(rows):
                header_rows += 1
            rows.append(cells)
        if rows and not header_rows and len(rows) > 1 and all(_bold(cell) for cell in rows[0]):
            header_rows = 1
        return Grid(rows if any(rows) else [], header_rows)


def _children(parent: Any, name: str) -> Iterator[Any]:
    """Rows or cells, also within content controls and tracked insertions."""
    for child in parent:
        if child.tag == W + name:
            yield child
        elif child.tag in (W + "sdt", W + "sdtContent", W + "ins", W + "customXml"):
            yield from _children(child, name)


def _up(element: Any, stop: Any) -> Iterator[Any]:
    parent = element.getparent()
    while parent is not None and parent is not stop:
        yield parent
        parent = parent.getparent()


def _flat(element: Element) -> list[Paragraph]:
    """A block in a cell or a margin as paragraphs: a table within a table becomes lines of its cells, pictures are left out."""
    if isinstance(element, Paragraph):
        return [
            Paragraph(element.runs, element.kind, 0, 0.0, "", align=element.align)
            if not element.marker
            else Paragraph([Run(element.marker + " "), *element.runs])
        ]
    if isinstance(element, Grid):
        return [
            Paragraph([run for cell in row for paragraph in cell.content for run in [*paragraph.runs, Run("  ")]]) for row in element.rows
        ]
    return []


def _bold(cell: GridCell) -> bool:
    runs = [run for paragraph in cell.content for run in paragraph.runs if run.text.strip()]
    return bool(runs) and all(run.bold for run in runs)


def _formula(element: Any, depth: int) -> str:
    """An Office formula on one line: a/b, x^2, x_1, √(...)."""
    if element.tag == MATH + "t":
        return element.text or ""
    if depth > DEPTH or not isinstance(element.tag, str) or element.tag.endswith("Pr"):
        return ""
    parts = {child.tag.rpartition("}")[2]: _formula(child, depth + 1) for child in element if isinstance(child.tag, str)}
    name = element.tag.rpartition("}")[2]
    if name == "f":
        return f"{_grouped(parts.get('num', ''))}/{_grouped(parts.get('den', ''))}"
    if name in ("sSup", "sSub", "sSubSup"):
        low = f"_{_grouped(parts['sub'])}" if "sub" in parts else ""
        return parts.get("e", "") + low + (f"^{_grouped(parts['sup'])}" if "sup" in parts else "")
    if name == "rad":
        return f"{parts.get('deg', '')}√({parts.get('e', '')})"
    if name == "d":
        return "(" + ", ".join(_formula(child, depth + 1) for child in element.findall(MATH + "e")) + ")"
    return "".join(_formula(child, depth + 1) for child in element)


def _grouped(text: str) -> str:
    return text if len(text) < 2 or text.isalnum() else f"({text})"


def _symbol(code: str | None) -> str:
    value = int(code, 16) if code and re.fullmatch(r"[0-9A-Fa-f]{1,5}", code) else 0
    ticks = {0xF0FE: "☑", 0xF0FD: "☒", 0xF0A8: "☐", 0xF06F: "☐", 0xF052: "☑", 0xF053: "☒", 0xF0FC: "✓", 0xF0FB: "✗"}
    return ticks.get(value) or (BULLET if 0xF000 <= value <= 0xF0FF else chr(value) if value > 31 else "")


def _count(number: int, form: str) -> str:
    if form in ("lowerLetter", "upperLetter"):
        letters = chr(97 + (number - 1) % 26) * ((number - 1) // 26 + 1) if 0 < number < 1000 else str(number)
        return letters.upper() if form == "upperLetter" else letters
    if form in ("lowerRoman", "upperRoman") and 0 < number < 4000:
        text, rest = "", number
        for value, digits in (
            (1000, "m"),
            (900, "cm"),
            (500, "d"),
            (400, "cd"),
            (100, "c"),
            (90, "xc"),
            (50, "l"),
            (40, "xl"),
            (10, "x"),
            (9, "ix"),
            (5, "v"),
            (4, "iv"),
            (1, "i"),
        ):
            text += digits * (rest // value)
            rest %= value
        return text.upper() if form == "upperRoman" else text
    return f"{number:02d}" if form == "decimalZero" else str(number)
