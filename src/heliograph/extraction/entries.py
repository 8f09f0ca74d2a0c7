"""What a form asks for and what was filled in, as its lines show it, whatever is asked of it.

An `Entry` is a caption with the place for its answer: a box between borders with the caption at its head and the answer under it,
a blank line with words before, behind or under it, or a comb of places for one character each. Captions keep the words that stand
over them (the heading of their section, the numbered line that they belong to, the first caption of their box), for `City or town`
means another town under `Mailing address` than under `Permanent residence`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from heliograph.extraction.boxes import PARTS
from heliograph.extraction.labels import address_likely
from heliograph.extraction.ruling import Blank, Region, is_blank
from heliograph.extraction.segments import Segment, Sheet
from heliograph.extraction.vocabulary import Tokens, tokens_of, vocabulary

TICKS = frozenset("☐☑☒□✓✔✗⊠■")
_TALLEST = 140.0
"""Points of the tallest box that is one question; what is taller is a part of the page."""
_WORDY = 140
"""Characters of the longest line that heads a box; what is longer is prose in a frame."""
_PLACES = frozenset({"city", "town", "zip", "country", "state", "province", "street"})
_SECTION = re.compile(r"(?:part|section|schedule|teil|abschnitt|partie|sezione|parte|sección|deel)\b", re.IGNORECASE)
_NUMBER = re.compile(r"\(?\d{1,2}[a-z]?[.)]?|\(?[a-z][.)]", re.IGNORECASE)
_LARGER = 1.25
"""How much larger than its caption what was filled in on a scan is set or written."""
_ROOM = 1.1
"""Of a caption's height: space under it that could have been filled in."""
_LETTERING = 3
"""Boxes that must set captions and values apart by their type before it is believed."""


class Entry(msgspec.Struct):
    """`caption` are the segments that ask, `value` the lines that answer, top to bottom, none when the place was left empty.

    `behind` are words after a blank. `sure`: that there was room for an answer, so that none means none. `number` is the box's own.
    """

    where: Literal["box", "blank", "comb", "tick"]
    caption: list[Segment]
    value: list[Segment]
    region: Region
    context: Tokens = ()
    behind: list[Segment] = []
    number: str = ""
    sure: bool = False

    @property
    def text(self) -> str:
        """The caption in one line."""
        return " ".join(segment.text for segment in self.caption)


def entries(sheet: Sheet) -> list[Entry]:
    """The entries of a page, top to bottom; none on pages without drawn lines or typed blanks."""
    combs = sheet.ruling.combs()
    if not sheet.ruling.across and not sheet.ruling.blanks and not combs:
        return []
    blank_of = {
        segment.index: number
        for segment in sheet.segments
        if (number := sheet.ruling.blank_of(sheet.page.words[segment.words[0]])) is not None
    }
    made = [*_boxes(sheet, blank_of, combs), *_blanks(sheet, blank_of), *_combs(sheet, combs)]
    made.sort(key=lambda entry: (entry.caption[0].row, entry.caption[0].x0))
    _in_context(sheet, made)
    return made


def bold(segment: Segment) -> bool:
    """Whether most words of a segment are bold."""
    words = segment.sheet.page.words
    return 2 * sum(words[i].bold for i in segment.words) > len(segment.words)


# Boxes


def _boxes(sheet: Sheet, blank_of: dict[int, int], combs: list[Region]) -> Iterator[Entry]:
    """The captions at the head of boxes, with what stands under them."""
    boxes: dict[Region, list[Segment]] = {}
    for segment in sheet.segments:
        region = sheet.ruling.around(segment)
        if any(_in(segment, comb) for comb in combs):
            continue
        rounded = Region(round(region.x0), round(region.y0), round(region.x1), round(region.y1), region.walls)
        if region.y0 > 0 and region.y1 < sheet.page.height and region.y1 - region.y0 <= _TALLEST:
            boxes.setdefault(rounded, []).append(segment)
    lettering = _lettering(sheet, list(boxes.values()))
    if lettering is None and not sheet.numbers and not _headed(list(boxes.values())):
        return
    for region, segments in boxes.items():
        filled = any(segment.index in blank_of for segment in segments)
        ruled = any(region.x0 - 2 <= b.x0 and b.x1 <= region.x1 + 2 and region.y0 + 3 < b.y < region.y1 - 3 for b in sheet.ruling.blanks)
        if filled or ruled or any(set(segment.text) & TICKS for segment in segments):
            continue
        yield from _columns(sheet, region, segments, lettering)


def _lettering(sheet: Sheet, boxes: Sequence[list[Segment]]) -> tuple[float, bool] | None:
    """Size and weight of captions, when the page sets what was filled in apart from them."""
    if sheet.page.source not in ("text", "mixed"):
        return None
    heads = Counter(_type(segments[0]) for segments in boxes if len(segments) > 1 and _says(segments[0]))
    if not heads:
        return None
    most = heads.most_common(1)[0][0]
    apart = sum(_type(segments[0]) == most and any(_type(s) != most and _says(s) for s in segments[1:]) for segments in boxes)
    return most if apart >= _LETTERING else None


def _headed(boxes: Sequence[list[Segment]]) -> bool:
    """Whether boxes have a small caption at their head, as on a scanned form; the columns of a table do not."""
    small = [box for box in boxes if 1 < len(box) <= 4 and _says(box[0]) and any(line.size > _LARGER * box[0].size for line in box[1:])]
    return len(small) >= _LETTERING and 2 * len(small) > sum(len(box) > 1 for box in boxes)


def _type(segment: Segment) -> tuple[float, bool]:
    return round(segment.size * 2) / 2, bold(segment)


def _says(segment: Segment) -> bool:
    return any(c.isalpha() for c in segment.text)


def _columns(sheet: Sheet, region: Region, segments: list[Segment], lettering: tuple[float, bool] | None) -> Iterator[Entry]:
    """The entries of one box: captions side by side in its first row head columns of their own."""
    asking = next((s for s in segments if _says(s)), None)
    if asking is None:
        return
    segments = [s for s in segments if s.y0 > asking.cy or not (_NUMBER.fullmatch(s.text) and s.x1 <= asking.x0 + 2)]
    first = segments[0].row
    heads = [s for s in segments if s.row == first and _says(s) and (lettering is None or _type(s) == lettering)]
    if not heads or len(heads[0].text) > _WORDY:
        return
    for at, head in enumerate(heads):
        left = 0.0 if at == 0 else head.x0 - 2 * head.height
        right = sheet.page.width if at + 1 == len(heads) else heads[at + 1].x0 - 2 * head.height
        lines = [s for s in segments if s is not head and s not in heads and left <= s.x0 < right]
        yield from _stacked(sheet, region, head, lines, lettering, alone=len(heads) == 1)


def _stacked(
    sheet: Sheet, region: Region, head: Segment, lines: list[Segment], lettering: tuple[float, bool] | None, *, alone: bool
) -> Iterator[Entry]:
    """A caption and what stands under it, which may be further captions with theirs."""
    caption, value = [head], list[Segment]()
    if lettering and not any(_type(line) != lettering for line in lines if _says(line)):
        lettering = None  # this box is filled in as it is printed

    def entry(bottom: float) -> Entry:
        last = caption[-1]
        sure = (alone or lettering is not None) and bottom - last.y1 > _ROOM * last.height
        return Entry("box", list(caption), list(value), region, number=sheet.number_of(head), sure=sure)

    for line in lines:
        if (
            not any(c.isalnum() for c in line.text)
            or (tokens_of(line.text) in PARTS and not value)
            or (line.row == head.row and _NUMBER.fullmatch(line.text))
        ):
            continue
        asks = _says(line) and (
            _type(line) == lettering if lettering else bool(value) and (_smaller(line, head, value[-1]) or _labels(line))
        )
        goes_on = asks and _close(caption[-1], line) if lettering else _runs_on(caption[-1], line) and line.size < _LARGER * head.size
        if goes_on and not value:
            caption.append(line)
            continue
        if asks or (sheet.numbered(line) and not address_likely(line.text)):
            yield entry(line.y0)
            head, caption, value = line, [line], []
            continue
        value.append(line)
    yield entry(region.y1)


def _smaller(line: Segment, head: Segment, value: Segment) -> bool:
    """Whether a line is as small as the caption, under a value that is not."""
    return line.size * _LARGER < value.size and line.size < 1.1 * _LARGER * head.size and value.size > 1.1 * head.size


def _close(last: Segment, line: Segment) -> bool:
    return line.row > last.row and line.y0 - last.y1 < 0.9 * max(last.height, line.height)


def _labels(line: Segment) -> bool:
    """Whether a line under a value asks for the next one: `Street address (including apartment no.)`."""
    words = vocabulary()
    tokens = [t for t in tokens_of(line.text) if words.weight(t) > 0]
    if tuple(tokens) in words.every_label or line.text.rstrip().endswith(":"):
        return True
    known = sum(t in words.label_tokens or t in _PLACES for t in tokens)
    return len(tokens) > 1 and known >= 0.6 * len(tokens) and not any(c.isdigit() for c in line.text)


def _runs_on(last: Segment, line: Segment) -> bool:
    """Whether a line goes on with the sentence of the one before."""
    return (
        line.text[:1].islower()
        or line.text[:1] in "(,"
        or last.text.casefold().endswith((",", " or", " and", " of", " the", " to", " for", " an", " a", " from"))
        or tokens_of(line.text) in (("no",), ("code",))
    )


# Blanks


def _blanks(sheet: Sheet, blank_of: dict[int, int]) -> list[Entry]:
    """The blanks of a page with the words around them; one that a line's end leaves for the next line's start is one entry."""
    on: dict[int, list[Segment]] = {}
    for segment in sheet.segments:
        if segment.index in blank_of and not all(is_blank(word) for word in segment.text.split()):
            on.setdefault(blank_of[segment.index], []).append(segment)
    made: list[Entry] = []
    last: tuple[Blank, Entry] | None = None
    for number, blank in enumerate(sheet.ruling.blanks):
        row = _row_of(sheet, blank, on.get(number, []))
        if row is None:
            continue
        before = _before(sheet, blank, row, blank_of)
        behind = [s for s in sheet.rows[row] if s.x0 >= blank.x1 - 3 and s.index not in blank_of][:1]
        under = _under(sheet, blank, row, blank_of)
        value = on.get(number, [])
        if not before and not under and last is not None and not last[1].behind and _goes_on(sheet, last[0], blank):
            last[1].value += value
            last = blank, last[1]
            continue
        if not value and under and not before:
            value = _hovering(sheet, blank, under)
        ordinal = next((s.text for s in before if _NUMBER.fullmatch(s.text)), "")
        before = [s for s in before if not _NUMBER.fullmatch(s.text)]
        if before and before[0].text[:1].islower():
            before = [*_line_above(sheet, before[0].row, blank, blank_of), *before]
        elif not before and not any(s.x1 <= blank.x0 + 3 and _says(s) for s in sheet.rows[row]):
            above = _line_above(sheet, row, blank, blank_of)
            if above and (not under or above[-1].text.endswith(":")):
                before, under = above, []
        caption = before or under or behind
        if not caption:
            continue
        entry = Entry("blank", caption, value, Region(blank.x0, blank.y - 12, blank.x1, blank.y), sure=True)
        entry.behind = [*(behind if before or under else []), *(under if before else [])]
        entry.number = ordinal.strip("().") or sheet.number_of(caption[0])
        made.append(entry)
        last = blank, entry
    return made


def _row_of(sheet: Sheet, blank: Blank, on: list[Segment]) -> int | None:
    """The row that a blank belongs to: that of what is written on it, or of the words beside it, or the one over it."""
    if on:
        return on[0].row
    near = [s for s in sheet.segments if s.y0 - 3 <= blank.y <= s.y1 + 0.75 * s.height + 1]
    if near:
        return min(near, key=lambda s: min(abs(s.x1 - blank.x0), abs(s.x0 - blank.x1))).row
    over = [s for s in sheet.segments if s.cy < blank.y]
    return over[-1].row if over else None


def _before(sheet: Sheet, blank: Blank, row: int, blank_of: dict[int, int]) -> list[Segment]:
    """The words that lead to a blank on its row."""
    found: list[Segment] = []
    edge = blank.x0
    others = [b for b in sheet.ruling.blanks if abs(b.y - blank.y) < 4 and b.x1 <= blank.x0 + 3]
    for segment in reversed(sheet.rows[row]):
        if segment.x1 > blank.x0 + 3 or segment.y1 < blank.y - 2.2 * segment.height:
            continue
        apart = any(segment.x1 - 1 <= x <= edge + 1 and a <= segment.cy <= b for x, a, b in sheet.ruling.down)
        reach = 0.25 * sheet.page.width if segment.text.endswith(":") and not found else 3 * sheet.height
        if apart or segment.index in blank_of or edge - segment.x1 > reach or any(segment.x1 <= b.x1 for b in others):
            break
        found.insert(0, segment)
        edge = segment.x0
    return found


def _under(sheet: Sheet, blank: Blank, row: int, blank_of: dict[int, int]) -> list[Segment]:
    """The small words under a blank that say what belongs on it."""
    for following in sheet.rows[row : row + 3]:
        here = [
            s
            for s in following
            if s.index not in blank_of
            and -1.5 <= s.y0 - blank.y < 1.3 * s.height
            and blank.x0 - 4 <= s.cx <= blank.x1 + 4
            and s.x1 - s.x0 <= blank.x1 - blank.x0 + 8 * s.height
            and not s.text.endswith(":")
            and not sheet.number_of(s)
        ]
        if here:
            return here if len(here) == 1 else []
    return []


def _hovering(sheet: Sheet, blank: Blank, under: list[Segment]) -> list[Segment]:
    """What stands over a blank with a caption under it, a little higher than on the line, as signatures and dates do."""
    tall = under[0].height
    over = [s for s in sheet.segments if blank.x0 - 2 <= s.x0 and s.x1 <= blank.x1 + 2 and 0 < blank.y - s.y1 < 2.2 * tall]
    taken = any(y > s.y1 and y < blank.y and a < s.x1 and b > s.x0 for s in over for y, a, b in sheet.ruling.across)
    alone = len({s.row for s in over}) == 1 and not any(s.text.endswith((":", ".")) for s in over)
    return over if alone and not taken and _type(over[0]) != _type(under[0]) else []


def _line_above(sheet: Sheet, row: int, blank: Blank, blank_of: dict[int, int]) -> list[Segment]:
    """The end of the line before, whose sentence a row goes on with, and the line before that where it is in the middle of it too."""
    found: list[Segment] = []
    walls = [x for x, a, b in sheet.ruling.down if a - 1 <= blank.y - 4 <= b + 1]
    left, right = max((x for x in walls if x <= blank.x0 + 3), default=0.0), min((x for x in walls if x >= blank.x1 - 3), default=1e9)
    top = min((s.y0 for s in sheet.rows[row] if left - 2 <= s.x0 <= right), default=blank.y)
    for number in range(row - 1, max(-1, row - 6), -1):
        here = [s for s in sheet.rows[number] if left - 2 <= s.x0 and s.x1 <= right + 2]
        if not here:
            continue
        bottom = max(s.y1 for s in here)
        crossed = any(bottom < y < top and a < blank.x0 + 3 < b for y, a, b in sheet.ruling.across)
        if top - bottom > 1.6 * sheet.height or crossed or here[-1].index in blank_of:
            break
        found.insert(0, here[-1])
        if not here[-1].text[:1].islower() or len(here) > 1 or len(found) == 2:
            break
        top = min(s.y0 for s in here)
    return found


def _goes_on(sheet: Sheet, last: Blank, blank: Blank) -> bool:
    """Whether a blank is the next line of the one before: nothing but blanks between them."""
    if not 6 < blank.y - last.y < 3.2 * sheet.height + 6:
        return False
    between = [s for s in sheet.segments if last.y < s.cy < blank.y and s.x0 < blank.x1 and s.x1 > blank.x0]
    return all(s.y1 >= blank.y - 0.75 * s.height - 1 for s in between)


# Combs


def _in(segment: Segment, region: Region) -> bool:
    return region.x0 - 2 <= segment.cx <= region.x1 + 2 and region.y0 - 2 <= segment.cy <= region.y1 + 2


def _combs(sheet: Sheet, combs: list[Region]) -> Iterator[Entry]:
    """Combs with the caption over them, or before them on their row."""
    for comb in combs:
        value = sorted((s for s in sheet.segments if _in(s, comb)), key=lambda s: s.x0)
        over = [s for s in sheet.segments if _says(s) and -2 < comb.y0 - s.y1 < 2.2 * s.height and s.x1 > comb.x0 and s.x0 < comb.x1]
        level = [s for s in sheet.segments if _says(s) and s.x1 <= comb.x0 + 2 and comb.y0 - 2 <= s.cy <= comb.y1 + 2]
        caption = [over[-1]] if over else [max(level, key=lambda s: s.x1)] if level else []
        if caption:
            yield Entry("comb", caption, value, comb, sure=True)


# Context


def _in_context(sheet: Sheet, made: list[Entry]) -> None:
    """Give every entry the words over it."""
    sections = [
        (row[0].y0, tokens_of(" ".join(s.text for s in row)))
        for row in sheet.rows
        if row and _SECTION.match(row[0].text) and len(row[0].text) < 60
    ]
    first_of: dict[Region, Entry] = {}
    for at, entry in enumerate(made):
        head = entry.caption[0]
        words: Tokens = next((tokens for y, tokens in reversed(sections) if y < head.y0), ())
        if not entry.number:
            parent = first_of.get(entry.region) if entry.where == "box" else None
            if parent is None:
                above = (e for e in reversed(made[:at]) if e.number and e.where == "box" and e.caption[0].y0 < head.y0 - 1)
                parent = next((e for e in above if e.region.x0 <= head.cx <= e.region.x1 and head.y0 - e.region.y1 < 60), None)
            if parent is None and _PLACES & set(tokens_of(head.text)):
                above = (e for e in reversed(made[:at]) if "address" in tokens_of(e.text) and 0 < head.y0 - e.caption[0].y0 < _TALLEST)
                parent = next(above, None)
            left = (e for e in made if e.where == "box" and e.caption[0].row == head.row and abs(e.region.x1 - entry.region.x0) < 3)
            for other in (parent, next(left, None) if entry.where == "box" else None):
                words = (*words, *tokens_of(other.text)) if other is not None else words
        if entry.where == "box":
            first_of.setdefault(entry.region, entry)
        entry.context = words
