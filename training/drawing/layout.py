"""How a document looks: a layout drawn by chance from the families of a side (train or held out) sets every part of a content on paper.

What differs between the two sides: where labels stand, how tables are ruled, how the letterhead stands, and the typefaces. Labels at the
left and labels above are so common that a side without them would be no document of the world; they are on the training side.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Literal

from training.drawing.content import (
    BoxForm,
    Content,
    Entries,
    Entry,
    Grid,
    Heading,
    Letterhead,
    Line,
    Lines,
    Part,
    Piece,
    Side,
    Stamp,
    Ticks,
    Title,
    Totals,
)
from training.drawing.fonts import Face, faces
from training.drawing.sheet import Sheet, width, wrap
from training.drawing.truth import Mark, Truth

Layouts = Literal["train", "held-out"]
WAYS: dict[Layouts, tuple[str, ...]] = {
    "train": ("left", "left", "inline", "above", "cell", "ruled"),
    "held-out": ("dotted", "far", "below", "banded"),
}
"""Where labels stand. left: in a column of their own; inline: `Label: value`; above: small over the value; cell: small in a ruled box;
ruled: a two-column ruled table. dotted: leaders up to the value; far: values end at the right margin; below: under a line that carries
the value; banded: a dark row of labels over a row of values."""
TABLES: dict[Layouts, tuple[str, ...]] = {"train": ("header rule", "ruled", "plain"), "held-out": ("banded", "rows", "open")}
HEADS: dict[Layouts, tuple[str, ...]] = {"train": ("left", "centre"), "held-out": ("right", "banner")}


@dataclass(frozen=True)
class Style:
    """What one document looks like throughout."""

    face: Face
    size: float
    margin: float
    way: str
    table: str
    head: str
    columns: int
    colon: str
    upper: bool
    bold_labels: bool
    leading: float

    @classmethod
    def of(cls, random: Random, layouts: Layouts, *, standard: bool = False) -> Style:
        """A style of the families of `layouts`; `standard`: in a typeface that need not be embedded."""
        family = random.choice(("sans", "sans", "sans", "serif", "mono"))
        way = random.choice(WAYS[layouts])
        return cls(
            face=random.choice(faces(layouts, family, standard=standard)),
            size=random.choice((8.0, 9.0, 9.5, 10.0, 11.0)) if family != "mono" else random.choice((7.5, 8.0, 8.5)),
            margin=random.choice((36.0, 42.0, 50.0, 60.0)),
            way=way,
            table=random.choice(TABLES[layouts]),
            head=random.choice(HEADS[layouts]),
            columns=random.choice((1, 2, 2, 3)) if way in {"above", "cell", "below"} else random.choice((1, 1, 2)),
            colon=":" if way == "inline" else random.choice((":", "", ":", " :") if way == "left" else (":", "", "")),
            upper=random.random() < 0.2,
            bold_labels=random.random() < 0.35,
            leading=random.choice((1.25, 1.35, 1.5, 1.7)),
        )


class Layout:
    """Sets contents on a sheet, from the top down, with new pages where needed."""

    def __init__(self, sheet: Sheet, style: Style, random: Random) -> None:
        self.sheet, self.style, self.random = sheet, style, random
        self.y: float = style.margin + style.size
        self.step: float = style.size * style.leading
        self.bottom = sheet.height - style.margin - 24

    def part(self, part: Part, x: float, room: float) -> None:
        """Draw a part in the column from `x`, `room` points wide."""
        since = len(self.sheet.ink)
        self._part(part, x, room)
        match part:
            case Title():
                self.sheet.element("title", since)
            case Heading():
                self.sheet.element("section-header", since)
            case Lines(bullet=""):
                self.sheet.element("text", since)
            case Grid():
                heads = [[column.label for column in part.columns]] if any(column.label for column in part.columns) else []
                self.sheet.element("table", since, heads + [[cell.text for cell in row] for row in part.rows])
            case _:
                pass

    def _part(self, part: Part, x: float, room: float) -> None:
        match part:
            case Letterhead():
                self._letterhead(part, x, room)
            case Title():
                self._title(part, x, room)
            case Heading():
                self._heading(part, x, room)
            case Lines():
                self._lines(part, x, room)
            case Entries():
                self._entries(part, x, room)
            case Grid():
                self._grid(part, x, room)
            case Totals():
                self._totals(part, x, room)
            case Ticks():
                self._ticks(part, x, room)
            case Side():
                self._side(part, x, room)
            case BoxForm():
                self._boxes(part, x, room)
            case Stamp():
                degrees = self.random.choice((-18, -12, 12, 20))
                size = min(34.0, 0.4 * room / max(1.0, width(part.text, self.style.face.bold, 1.0)))
                self.sheet.stamp(x + 0.35 * room, self.y - 30, part.text, self.style.face.bold, size, degrees)

    def footer(self, lines: list[Line]) -> None:
        """Small lines at the foot of the page."""
        since = len(self.sheet.ink)
        y = self.sheet.height - self.style.margin + 4
        for line in reversed(lines):
            for row in reversed(wrap(line, self.style.face.plain, 7, self.sheet.width - 2 * self.style.margin)):
                self.sheet.put(self.style.margin, y, row, self.style.face.plain, 7, grey=0.2)
                y -= 9
        self.sheet.element("page-footer", since)

    def _space(self, height: float) -> None:
        """A new page when less than `height` is left."""
        if self.y + height > self.bottom and self.y > self.style.margin + 60:
            self.sheet.next_page()
            self.y = self.style.margin + self.style.size

    def _label(self, text: str) -> str:
        made = text.upper() if self.style.upper else text
        return made if not self.style.colon or made.endswith((":", "?", ".", "#")) else made + self.style.colon

    @property
    def _label_font(self) -> str:
        return self.style.face.bold if self.style.bold_labels else self.style.face.plain

    def _put(self, x: float, y: float, line: Line, size: float | None = None, *, bold: bool = False, grey: float = 0.0) -> float:
        face = self.style.face
        return self.sheet.put(x, y, line, face.bold if bold else face.plain, size or self.style.size, grey=grey)

    def _wide(self, line: Line, size: float | None = None, *, bold: bool = False) -> float:
        face = self.style.face
        return sum(width(piece.text, face.bold if bold else face.plain, size or self.style.size) for piece in line)

    def _letterhead(self, part: Letterhead, x: float, room: float) -> None:
        style = self.style
        if style.head == "banner":
            self.sheet.box(x - 8, self.y - 20, room + 16, 18 + self.step * len(part.lines), fill=0.9, weight=0)
        if part.mark:
            at = x + room - 30 if style.head == "left" else x
            self.sheet.box(at, self.y - 12, 26, 26, fill=self.random.choice((0.2, 0.5, 0.7)), weight=0)
        for position, line in enumerate(part.lines):
            size = style.size * (1.6 if position == 0 else 0.9)
            wide = self._wide(line, size, bold=position == 0)
            start = x + (room - wide if style.head == "right" else (room - wide) / 2 if style.head == "centre" else 0)
            start += 32 if part.mark and style.head in {"banner", "right"} and start < x + 32 else 0
            self._put(start, self.y, line, size, bold=position == 0)
            self.y += self.step * (1.3 if position == 0 else 0.95)
        self.y += 0.8 * self.step

    def _title(self, part: Title, x: float, room: float) -> None:
        size = self.style.size * 1.7
        self._space(3 * size)
        wide = self._wide(part.line, size, bold=True)
        start = x + (room - wide) / 2 if self.style.head == "centre" else x
        self._put(start, self.y + 0.4 * size, part.line, size, bold=True)
        self.y += 1.9 * size

    def _heading(self, part: Heading, x: float, room: float) -> None:
        self._space(4 * self.step)
        self.y += 0.5 * self.step
        text = part.text.upper() if self.style.upper else part.text
        if self.style.table == "banded":
            self.sheet.box(x, self.y - 1.1 * self.style.size, room, 1.5 * self.style.size, fill=0.85, weight=0)
        self._put(x + 2, self.y, (Piece(text),), self.style.size * 1.15, bold=True)
        if self.style.table == "header rule":
            self.sheet.rule(x, self.y + 4, x + room, self.y + 4)
        self.y += 1.5 * self.step

    def _lines(self, part: Lines, x: float, room: float) -> None:
        size = self.style.size * (0.85 if part.small else 1.0)
        indent = 12.0 if part.bullet else 0.0
        for position, line in enumerate(part.lines):
            bold, since = part.bold_first and position == 0, len(self.sheet.ink)
            for row, wrapped in enumerate(wrap(line, self.style.face.bold if bold else self.style.face.plain, size, room - indent)):
                self._space(self.step)
                if part.bullet and row == 0:
                    self._put(x, self.y, (Piece(part.bullet),), size)
                self._put(x + indent, self.y, wrapped, size, bold=bold)
                self.y += self.step * (0.88 if part.small else 1.0)
            if part.bullet:
                self.sheet.element("list-item", since)
        self.y += 0.4 * self.step

    # --- labels with values

    def _entries(self, part: Entries, x: float, room: float) -> None:
        way = part.way or self.style.way
        columns = part.columns or self.style.columns
        while columns > 1 and room / columns < 130:
            columns -= 1
        if way == "banded":
            self._banded(part.entries, x, room, min(4, max(2, int(room / 130))) if room >= 260 else 1)
        elif columns == 1:
            for entry in part.entries:
                self.y += self._entry(entry, way, x, room, part.entries)
        else:
            gap = 0.0 if way == "cell" else 14.0
            wide = (room - gap * (columns - 1)) / columns
            for start in range(0, len(part.entries), columns):
                row = part.entries[start : start + columns]
                most = max(len(entry.lines) for entry in row)
                self._space((most + 1) * self.step * 1.5)
                top = self.y
                heights: list[float] = []
                for position, entry in enumerate(row):
                    self.y = top
                    heights.append(self._entry(entry, way, x + position * (wide + gap), wide, part.entries, least=most))
                self.y = top + max(heights)
        self.y += 0.6 * self.step

    def _values(self, entry: Entry, room: float) -> list[Line]:
        return [row for line in entry.lines for row in wrap(line, self.style.face.plain, self.style.size, room)]

    def _entry(self, entry: Entry, way: str, x: float, room: float, group: list[Entry], *, least: int = 1) -> float:
        """Draw one label with its value at the present height; returns the height it takes."""
        step, size, label = self.step, self.style.size, self._label(entry.label)
        if way in {"left", "ruled", "dotted", "far"}:
            widest = max(width(self._label(other.label), self._label_font, size) for other in group)
            return self._beside(entry, label, way, x, room, min(widest + 12, 0.6 * room))
        if way == "inline":
            start = width(label + " ", self._label_font, size)
            rows = self._values(entry, max(room - start, 80))
            self._space(step * len(rows))
            self.sheet.put(x, self.y, (Piece(label),), self._label_font, size)
            for position, row in enumerate(rows):
                self._put(x + start, self.y + position * step, row)
            return step * max(1, len(rows))
        small = max(6.0, 0.72 * size)
        rows = self._values(entry, room - 10)
        height = step * max(len(rows), least, 1)
        self._space(height + 2 * small)
        if way == "below":
            for position, row in enumerate(rows):
                self._put(x, self.y + position * step, row)
            under = self.y + height - step + 3
            self.sheet.rule(x, under, x + room - 6, under)
            self.sheet.put(x, under + small + 1, (Piece(label.rstrip(":")),), self._label_font, small, grey=0.15)
            return height + small + 12
        inset = 4.0 if way == "cell" else 0.0
        self.sheet.put(x + inset, self.y, (Piece(label),), self._label_font, small, grey=0.15)
        for position, row in enumerate(rows):
            self._put(x + inset, self.y + small * 0.6 + size + position * step, row)
        full = small * 0.6 + size + height + (4 if way == "cell" else 6)
        if way == "cell":
            self.sheet.box(x, self.y - small - 2, room, full)
        return full

    def _beside(self, entry: Entry, label: str, way: str, x: float, room: float, start: float) -> float:
        step = self.step
        labels = wrap((Piece(label),), self._label_font, self.style.size, start - 6)
        rows = self._values(entry, room - start - 4)
        tall = step * max(1, len(rows), len(labels))
        self._space(tall)
        for position, row in enumerate(labels):
            self.sheet.put(x + (3 if way == "ruled" else 0), self.y + position * step, row, self._label_font, self.style.size)
        for position, row in enumerate(rows):
            at = x + room - self._wide(row) if way in {"far", "dotted"} else x + start
            self._put(at, self.y + position * step, row)
            if way == "dotted" and position == 0:
                dot = width(".", self.style.face.plain, self.style.size)
                begin = x + width(label, self._label_font, self.style.size) + 4
                count = int((at - 4 - begin) / dot)
                if count > 2 and len(labels) == 1:
                    self._put(begin, self.y, (Piece("." * count),), grey=0.3)
        if way == "ruled":
            self.sheet.box(x, self.y - self.style.size - 1, room, tall)
            self.sheet.rule(x + start - 4, self.y - self.style.size - 1, x + start - 4, self.y - self.style.size - 1 + tall)
        return tall

    def _banded(self, entries: list[Entry], x: float, room: float, columns: int) -> None:
        wide = room / columns
        for first in range(0, len(entries), columns):
            row = entries[first : first + columns]
            values = [self._values(entry, wide - 8) for entry in row]
            most = max(1, *(len(lines) for lines in values))
            self._space(self.step * (most + 2))
            self.sheet.box(x, self.y - self.style.size, room, 1.4 * self.style.size, fill=0.85, weight=0.4)
            for position, entry in enumerate(row):
                self.sheet.put(x + position * wide + 4, self.y, (Piece(entry.label),), self.style.face.bold, 0.85 * self.style.size)
            self.y += 1.5 * self.step
            for position, lines in enumerate(values):
                for number, line in enumerate(lines):
                    self._put(x + position * wide + 4, self.y + number * self.step, line)
            self.y += most * self.step + 4

    # --- tables

    def _grid(self, part: Grid, x: float, room: float) -> None:
        style = self.style
        total = sum(column.share for column in part.columns)
        edges = [x]
        for column in part.columns:
            edges.append(edges[-1] + room * column.share / total)
        header = [(Piece(column.label.upper() if style.upper else column.label),) for column in part.columns]
        self._space(4 * self.step)
        if style.table == "banded":
            self.sheet.box(x, self.y - 1.1 * style.size, room, 1.5 * style.size, fill=0.8, weight=0)
        if any(column.label for column in part.columns):
            self._row(part, header, edges, bold=True)
        for number, cells in enumerate(part.rows):
            self._space(2 * self.step)
            if style.table == "banded" and number % 2:
                self.sheet.box(x, self.y - 1.1 * style.size, room, self.step, fill=0.93, weight=0)
            self._row(part, [(cell,) for cell in cells], edges)
        if style.table == "header rule":
            self.sheet.rule(x, self.y - self.step * 0.7, x + room, self.y - self.step * 0.7)
        self.y += 0.6 * self.step

    def _row(self, part: Grid, cells: list[Line], edges: list[float], *, bold: bool = False) -> None:
        style, top = self.style, self.y - 1.15 * self.style.size
        face = style.face.bold if bold else style.face.plain
        most = 1
        for position, (cell, column) in enumerate(zip(cells, part.columns, strict=True)):
            left, right = edges[position] + 3, edges[position + 1] - 3
            rows = wrap(cell, face, style.size, right - left)
            most = max(most, len(rows))
            for number, row in enumerate(rows):
                at = right - self._wide(row, bold=bold) if column.right else left
                self._put(at, self.y + number * self.step, row, bold=bold)
        self.y += most * self.step + (3 if style.table in {"ruled", "rows"} else 0)
        low = self.y - 1.15 * style.size
        if style.table == "ruled":
            for left, right in pairwise(edges):
                self.sheet.box(left, top, right - left, low - top)
        elif style.table == "rows":
            self.sheet.rule(edges[0], low, edges[-1], low, 0.4, 0.4)
        elif style.table == "header rule" and bold:
            self.sheet.rule(edges[0], low, edges[-1], low)
            self.y += 2

    def _totals(self, part: Totals, x: float, room: float) -> None:
        left = x + (0.52 * room if room > 260 else 0)
        self._space(len(part.entries) * self.step)
        strong = part.strong % len(part.entries)
        for position, entry in enumerate(part.entries):
            bold = position == strong
            if bold:
                self.sheet.rule(left, self.y - self.style.size, x + room, self.y - self.style.size)
                self.y += 2
            self._put(left, self.y, (Piece(self._label(entry.label)),), bold=bold)
            for line in entry.lines:
                self._put(x + room - 3 - self._wide(line, bold=bold), self.y, line, bold=bold)
            self.y += self.step
        self.y += 0.6 * self.step

    # --- forms

    def _ticks(self, part: Ticks, x: float, room: float) -> None:
        size = self.style.size
        self._space(2 * self.step)
        if part.question:
            self.sheet.put(x, self.y, (Piece(part.question),), self._label_font, size)
            self.y += self.step
        at = x
        for option in part.options:
            wide = width(option.label, self.style.face.plain, size) + size + 18
            if at > x and at + wide > x + room:
                at = x
                self.y += self.step * 1.1
            self.tick(at, self.y - 0.8 * size, 0.9 * size, option.ticked, option.paths)
            self._put(at + size + 4, self.y, (Piece(option.label),))
            at += wide
        self.y += 1.5 * self.step

    def tick(self, x: float, y: float, side: float, ticked: bool, paths: tuple[str, ...]) -> None:
        """A box to tick."""
        self.sheet.box(x, y, side, side)
        if ticked:
            self.sheet.rule(x + 1.5, y + 1.5, x + side - 1.5, y + side - 1.5, 1.1)
            self.sheet.rule(x + 1.5, y + side - 1.5, x + side - 1.5, y + 1.5, 1.1)
        if paths:
            self.sheet.mark_box(x, y, side, side, dict.fromkeys(paths, ticked))

    def _boxes(self, part: BoxForm, x: float, room: float) -> None:
        size, small = self.style.size, max(5.5, 0.66 * self.style.size)
        wide = room / part.columns
        column, unit = 0, small + 1.9 * size + 2
        tall = unit
        self._space(3 * unit)
        for box in part.boxes:
            if column + box.span > part.columns:
                column = 0
                self.y += tall
                tall = unit
                self._space(2 * unit)
            left, top, across = x + column * wide, self.y - size, wide * box.span
            label = f"{box.number} {box.entry.label}".strip()
            labels = wrap((Piece(label),), self.style.face.plain, small, across - 6)
            need = small * 1.15 * len(labels) + max(box.rows, len(box.entry.lines)) * 1.25 * size + 6
            tall = max(tall, need)
            for number, row in enumerate(labels):
                self.sheet.put(left + 3, top + (number + 1) * small * 1.15, row, self.style.face.plain, small, grey=0.1)
            first = top + small * 1.15 * len(labels) + 1.2 * size
            for number, line in enumerate(box.entry.lines):
                self._put(left + 5, first + number * 1.25 * size, line)
            self.sheet.box(left, top, across, max(need, unit))
            column += box.span
        self.y += tall + self.step

    def _side(self, part: Side, x: float, room: float) -> None:
        gap, top, page = 18.0, self.y, self.sheet.page
        split = (room - gap) * part.share
        for child in part.left:
            self.part(child, x, split)
        low = self.y
        if self.sheet.page != page:
            return self._rest(part, x, room)
        self.y = top
        for child in part.right:
            self.part(child, x + split + gap, room - split - gap)
        self.y = max(low, self.y) if self.sheet.page == page else self.y
        return None

    def _rest(self, part: Side, x: float, room: float) -> None:
        """The left column went over to the next page: the right one goes under it."""
        for child in part.right:
            self.part(child, x, room)


def draw(content: Content, path: Path, random: Random, layouts: Layouts, *, standard: bool = False) -> Truth:
    """Draw a content as a PDF of the layouts' side; returns where what stands. A till strip is as long as what is on it.

    `standard`: in typefaces that every PDF reader has, so that the file is small and the same on every machine.
    """
    style = Style.of(random, layouts, standard=standard)
    height = None
    if content.paper == "thermal":
        style = _narrow(style, random, layouts, standard=standard)
        state = random.getstate()
        height = _set(content, path, style, random, 6000.0).y + 20
        random.setstate(state)
    elif content.paper == "card":
        style = replace(style, margin=14.0, size=min(style.size, 8.0), columns=2)
    sheet = _set(content, path, style, random, height).sheet
    for name, value in content.given.items():
        sheet.truth.marks.setdefault(name, Mark(value))
    return sheet.truth


def _narrow(style: Style, random: Random, layouts: Layouts, *, standard: bool) -> Style:
    """The style of a till: one narrow column, mostly in a typewriter's face, amounts at the right."""
    face = random.choice(faces(layouts, "mono" if random.random() < 0.75 else "sans", standard=standard))
    way = random.choice(("inline", "far") if layouts == "train" else ("left", "dotted"))
    size = random.choice((7.0, 7.5, 8.0))
    head = "centre" if random.random() < 0.75 else "left"
    return replace(
        style, face=face, size=size, margin=12.0, way=way, table="plain", head=head, columns=1, leading=random.choice((1.3, 1.45))
    )


def _set(content: Content, path: Path, style: Style, random: Random, height: float | None) -> Layout:
    sheet = Sheet(path, content.paper, height)
    layout = Layout(sheet, style, random)
    for part in content.parts:
        layout.part(part, style.margin, sheet.width - 2 * style.margin)
    layout.footer(content.footer)
    sheet.save()
    return layout
