"""Boxes to tick: what each stands for, and which are ticked.

What a box stands for is the text behind it, up to the next box, with the lines that go on under it; else the text before it; else
the caption of the ruled box that it stands in alone. Boxes for yes and no stand for the question before or over them.
"""

from __future__ import annotations

import re

import msgspec

from heliograph.extraction.entries import Entry
from heliograph.extraction.ruling import Region
from heliograph.extraction.segments import Segment, Sheet
from heliograph.extraction.vocabulary import Tokens, plain, tokens_of

_MARK = re.compile(r"[☐☑☒□✓✔✗⊠■]|(?<!\w)[\[(]\s?[xX✓✔]?\s?[\])](?!\w)")
_ASKS = re.compile(
    r"\(?\d{1,2}[a-z]?[.)]?\s+[A-Z]|.*\b(?:check|tick|select|mark|indicate|ankreuzen|cochez|cocher|marque|barrare|aankruisen)\b",
    re.IGNORECASE,
)
"""How a line begins, or what it says, that boxes to tick under it belong to."""
_TICKED = frozenset("☑☒✓✔✗⊠■")
_LONGEST = 90
"""Characters before a box that can be its label, where nothing stands behind it."""


class Choice(msgspec.Struct):
    """A box to tick at `segment.text[start:end]`; `caption` is what it stands for, as an entry to compare fields with."""

    segment: Segment
    start: int
    end: int
    ticked: bool
    caption: Entry
    answer: bool | None = None
    """What a tick here says when the box is one of yes and no."""

    @property
    def label(self) -> str:
        """What the box stands for."""
        return self.caption.text


class _Mark(msgspec.Struct):
    segment: Segment
    start: int
    end: int
    ticked: bool


def choices(sheet: Sheet) -> list[Choice]:
    """The boxes to tick of a page, in order."""
    marks = [
        _Mark(segment, found.start(), found.end(), _is_ticked(found.group()))
        for segment in sheet.segments
        for found in _MARK.finditer(segment.text)
    ]
    if not marks:
        return []
    made: list[Choice] = []
    for mark in marks:
        region = sheet.ruling.around(mark.segment)
        first, second = (_before, _behind) if _trails(sheet, mark) else (_behind, _before)
        caption = first(sheet, mark, marks) or second(sheet, mark, marks) or _boxed(sheet, mark, marks, region)
        if not caption:
            continue
        entry = Entry("tick", caption, [], region, context=_question(sheet, mark, region, caption))
        token = plain(" ".join(s.text for s in caption)).strip(" .:,;")
        answer = True if token in _YES else False if token in _NO else None
        if answer is not None:
            asked = _asked(sheet, mark, caption)
            if not asked:
                continue
            entry = Entry("tick", asked, [], region, context=entry.context)
        made.append(Choice(mark.segment, mark.start, mark.end, mark.ticked, entry, answer))
    return made


_YES, _NO = frozenset({"yes", "y", "ja", "oui", "si", "sim", "ya"}), frozenset({"no", "n", "nein", "non", "nao", "nee", "tidak"})


def _is_ticked(mark: str) -> bool:
    return mark in _TICKED or any(c in "xX✓✔" for c in mark)


def _piece(segment: Segment, start: int, end: int) -> Segment | None:
    """The words of a segment in `text[start:end]` as a segment of their own."""
    words = [w for w, at in zip(segment.words, segment.offsets, strict=True) if start <= at < end]
    words = [w for w in words if any(c.isalnum() for c in segment.sheet.page.words[w].text)]
    if not words:
        return None
    made = Segment(segment.sheet, words, segment.row)
    made.index = segment.index
    return made


def _trails(sheet: Sheet, mark: _Mark) -> bool:
    """Whether boxes on this row stand behind what they stand for: text begins it, and a box ends it."""
    row = [s for s in sheet.rows[mark.segment.row] if not _apart_far(sheet, s, mark.segment)]
    return not _MARK.match(row[0].text) and bool(re.search(rf"(?:{_MARK.pattern})$", row[-1].text))


def _apart_far(sheet: Sheet, a: Segment, b: Segment) -> bool:
    """Whether an upright line stands between two segments of a row."""
    left, right = (a, b) if a.x0 < b.x0 else (b, a)
    return left is not right and _apart(sheet, left, right)


def _behind(sheet: Sheet, mark: _Mark, marks: list[_Mark]) -> list[Segment]:
    """The text behind a box, with the lines that go on under it."""
    ends = min((m.start for m in marks if m.segment is mark.segment and m.start > mark.start), default=len(mark.segment.text))
    head = _piece(mark.segment, mark.end, ends)
    if head is None and ends == len(mark.segment.text):
        following = next(sheet.right_of(mark.segment), None)
        near = following is not None and following.x0 - mark.segment.x1 < 2.5 * sheet.height
        if following is not None and near and not _MARK.match(following.text) and not _apart(sheet, mark.segment, following):
            ends = min((m.start for m in marks if m.segment is following), default=len(following.text))
            head = _piece(following, 0, ends)
    if head is None:
        return []
    caption = [head]
    for row in sheet.rows[head.row + 1 : head.row + 4]:
        here = [s for s in row if abs(s.x0 - head.x0) < 1.2 * head.height and s.y0 - caption[-1].y1 < 0.9 * head.height]
        if not here:
            if row and min(s.y0 for s in row) - caption[-1].y1 > head.height:
                break
            continue
        if _MARK.search(here[0].text) or here[0].text[:1].isupper() or not any(c.isalnum() for c in here[0].text):
            break
        caption.append(here[0])
    return caption


def _apart(sheet: Sheet, left: Segment, right: Segment) -> bool:
    return any(left.x1 - 1 <= x <= right.x0 + 1 and a <= left.cy <= b for x, a, b in sheet.ruling.down)


def _before(sheet: Sheet, mark: _Mark, marks: list[_Mark]) -> list[Segment]:
    """The text that ends at a box, where no other box comes before it."""
    first = max((m.end for m in marks if m.segment is mark.segment and m.end <= mark.start), default=0)
    head = _piece(mark.segment, first, mark.start)
    if head is not None:
        return [head]
    before = [s for s in sheet.rows[mark.segment.row] if s.x1 <= mark.segment.x0 + 1]
    if not before or mark.segment.x0 - before[-1].x1 > 3 * sheet.height or _apart(sheet, before[-1], mark.segment):
        return []
    near = before[-1]
    if _MARK.search(near.text) or not any(c.isalpha() for c in near.text) or len(near.text) > _LONGEST:
        return []
    return [near] if near.text[:1].isupper() or near.text.endswith((":", "?")) else []


def _boxed(sheet: Sheet, mark: _Mark, marks: list[_Mark], region: Region) -> list[Segment]:
    """All that a ruled box says that a box to tick stands in alone."""
    if not (region.y0 > 0 and region.y1 < sheet.page.height) or sum(_in(m.segment, region) for m in marks) > 1:
        return []
    return [s for s in sheet.segments if s is not mark.segment and _in(s, region) and any(c.isalpha() for c in s.text)][:6]


def _in(segment: Segment, region: Region) -> bool:
    return region.x0 - 2 <= segment.cx <= region.x1 + 2 and region.y0 - 2 <= segment.cy <= region.y1 + 2


def _question(sheet: Sheet, mark: _Mark, region: Region, caption: list[Segment]) -> Tokens:
    """The words that head a group of boxes: what stands first in the ruled box, what begins the row, and the line over it."""
    words: list[str] = []
    row = sheet.rows[mark.segment.row]
    lead = row[0]
    if lead is not mark.segment and lead not in caption and not _MARK.search(lead.text):
        words += tokens_of(lead.text)
    elif mark.segment is lead and mark.start > 0:
        words += tokens_of(lead.text[: mark.start])
    if region.y0 > 0:
        first = next((s for s in sheet.segments if _in(s, region) and any(c.isalpha() for c in s.text)), None)
        if first is not None and not _MARK.search(first.text):
            words += tokens_of(first.text)
    above = next(
        (r for r in reversed(sheet.rows[max(0, mark.segment.row - 8) : mark.segment.row]) if r and not _MARK.search(r[0].text)), None
    )
    if above is not None and (above[0].text.endswith((":", "?")) or sheet.numbered(above[0]) or _ASKS.match(above[0].text)):
        words += tokens_of(above[0].text)
    return tuple(words)


def _asked(sheet: Sheet, mark: _Mark, caption: list[Segment]) -> list[Segment]:
    """The question before the boxes for yes and no of a row, or on the line over them."""
    row = sheet.rows[mark.segment.row]
    pieces: list[Segment] = []
    for segment in row:
        if segment.x0 > mark.segment.x0 + 1:
            break
        found = _MARK.search(segment.text)
        piece = _piece(segment, 0, found.start() if found else len(segment.text))
        if piece is not None and plain(piece.text).strip(" .:,;") not in _YES | _NO:
            pieces.append(piece)
    pieces = [p for p in pieces if all(p.words[0] not in c.words for c in caption)]
    if pieces:
        return pieces[-1:]
    for above in reversed(sheet.rows[max(0, mark.segment.row - 3) : mark.segment.row]):
        here = [s for s in above if s.x0 <= mark.segment.x1 + sheet.height and s.x1 >= mark.segment.x0 - 20 * sheet.height]
        if here and not _MARK.search(here[-1].text):
            return here[-1:]
    return []


def option(text: str) -> str:
    """What a box stands for, without remarks: `Limited liability company. Enter ...` is `Limited liability company`."""
    return re.split(r"\s\(|[.;:]\s|[.;:]$|\s[▶►]", text, maxsplit=1)[0].strip(" :,")
