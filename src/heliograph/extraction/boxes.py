"""Forms made of boxes: a label, alone or in several small lines, and its value under or right of it in the same box.

A box is a ruled cell, or what stands under a numbered heading (`1a Total ordinary dividends`) up to the next one. What stands in
the next box is not the value, and an empty box means that there is none.
"""

from __future__ import annotations

from heliograph.extraction.labels import Reader, is_label
from heliograph.extraction.segments import Segment, Sheet
from heliograph.extraction.vocabulary import tokens_of

_RULED = 0.9
"""Least score of tables whose cells were drawn with lines; those found by alignment score lower."""
_LARGER = 1.12
"""Values filled into a form are often set larger than its labels; a line as much smaller than a value is no part of it."""
_FURTHER = 1.3
"""How much larger than its first line a label's further lines can be measured, on scans."""


PARTS = frozenset({("name",), ("address",), ("title",)})
"""Words that say again, inside a box, which part of the answer follows."""


def boxed(reader: Reader, sheet: Sheet, label: Segment) -> list[Segment] | None:
    """The lines of the value in the box that `label` heads, top to bottom; none when it is empty, None when no box can be told."""
    cell = sheet.cell_of(label, least=_RULED)
    numbered = sheet.numbered(label)
    if cell is None:
        return (_value(reader, sheet, label, _under(sheet, label)) or None) if numbered else None
    lines = [line for line in sheet.cell_segments(label, cell) if line.row > label.row or (line.row == label.row and line.x0 >= label.x1)]
    value = _value(reader, sheet, label, lines)
    if not value and numbered:
        value = _value(reader, sheet, label, sheet.cell_below(label, cell))
    return value if value or numbered else None  # a heading that fills its cell: the value is in another one


def _value(reader: Reader, sheet: Sheet, label: Segment, lines: list[Segment]) -> list[Segment]:
    """The lines after a label's own further lines and before the next label."""
    value: list[Segment] = []
    last = label
    for line in lines:
        ends = sheet.numbered(line) or is_label(reader, line)
        if tokens_of(line.text) in PARTS and (not value or line.row == value[-1].row):
            continue
        if not any(c.isalnum() for c in line.text) and len(line.text) > 2:
            continue
        if not value and _runs_on(last, line) and line.size < _FURTHER * label.size:
            last = line
            continue
        if ends or (value and line.size < value[-1].size / _LARGER and line.size < _LARGER * label.size):
            break
        if any(c.isalnum() for c in line.text):
            value.append(line)
    return value


def _runs_on(last: Segment, line: Segment) -> bool:
    """Whether a line goes on with the sentence of the one before."""
    return line.text[:1].islower() or line.text[:1] in "(," or last.text.endswith((",", " or", " and", " of", " the", " to", " for"))


def _under(sheet: Sheet, label: Segment) -> list[Segment]:
    """What stands under a numbered heading, as wide as the place up to the next heading on its row."""
    right = min((other.x0 for other in sheet.right_of(label)), default=sheet.page.width)
    before = [other.x0 for other in sheet.rows[label.row] if other.x1 <= label.x0 + 1 and label.x0 - other.x1 < 3 * label.height]
    left = min([label.x0, *before]) - 2 * label.height
    found: list[Segment] = []
    for row in sheet.rows[label.row + 1 : label.row + 6]:
        here = [s for s in row if s.x0 >= left and s.x0 < right - label.height]
        if not here:
            continue
        if here[0].y0 - label.y1 > 5 * sheet.height or any(sheet.numbered(s) for s in here):
            break
        found += here
    return found
