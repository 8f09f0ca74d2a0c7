"""The candidates of every field: what its labels point at, what the page shows without one, each with its score."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from heliograph.extraction.addresses import Name
from heliograph.extraction.candidates import Candidate, read_as
from heliograph.extraction.choices import choices
from heliograph.extraction.entries import TICKS, entries
from heliograph.extraction.fields import Ask
from heliograph.extraction.filled import filled, ticked
from heliograph.extraction.labels import Finder, Occurrence
from heliograph.extraction.licences import numbered_fields
from heliograph.extraction.pointing import near
from heliograph.extraction.reading import Reading
from heliograph.extraction.scoring import score_of
from heliograph.extraction.segments import Segment
from heliograph.extraction.unlabelled import unlabelled
from heliograph.extraction.vocabulary import tokens_of, vocabulary

_OWN = 0.97
"""Fit of a label from which on it is the field's own name."""
_CAPTION, _EARLY = 0.9, 4
"""Fit of a label that is a field's caption, and the character before which it begins its line, behind a form's number."""
_TALL = 40
"""Rows that a table may have between its head and its totals."""
_DEEP = 12
"""Rows under its headings in which a table of totals by tax rate ends."""


class Pool(msgspec.Struct):
    """A field's candidates, best first, and how well the best of its labels on the pages fits (0-1; 0 where none was found)."""

    ask: Ask
    candidates: list[Candidate] = []
    label: float = 0.0
    place: Occurrence | None = None
    """Where that label stands."""

    def add(self, candidate: Candidate) -> None:
        """Take in a candidate with the fit of its label."""
        self.candidates.append(candidate)
        self.label = max(self.label, min(1.0, candidate.features["fit"]))


def gather(reading: Reading, asks: list[Ask]) -> list[Pool]:
    """A pool for every field, in their order."""
    finder = Finder(asks)
    pools = [Pool(ask) for ask in asks]
    heads: list[list[Segment]] = [[] for _ in asks]
    for sheet in reading.sheets:
        for occurrence in finder.find(sheet):
            pool = pools[occurrence.ask]
            ask = pool.ask
            if occurrence.fit > pool.label and pool.label < 1.0:
                pool.label, pool.place = min(1.0, occurrence.fit), occurrence
            if occurrence.heading and occurrence.fit >= _OWN:
                heads[occurrence.ask].append(occurrence.segment)
            for candidate in near(finder, sheet, occurrence, ask, reading.conventions):
                _complete(reading, ask, candidate)
                pool.candidates.append(candidate)
            if ask.role:
                pool.candidates += _stacked(reading, occurrence, ask)
            if ask.kind == "boolean":
                pool.candidates += _ticked(occurrence)
    for sheet in reading.sheets:
        for index, candidate, caption in filled(finder, asks, entries(sheet), reading.conventions):
            if candidate is None:
                _left_empty(pools[index], caption)
            else:
                pools[index].add(candidate)
        for index, candidate in ticked(finder, asks, choices(sheet)):
            pools[index].add(candidate)
    for index, candidate in numbered_fields(reading, asks):
        pools[index].add(candidate)
    for pool, columns in zip(pools, heads, strict=True):
        if pool.ask.role:
            _cross(pool.candidates, columns)
        pool.candidates += [] if _captioned(pool) else unlabelled(reading, pool.ask)
        for candidate in pool.candidates:
            candidate.score = score_of(reading, pool.ask, candidate)
        pool.candidates.sort(key=lambda candidate: -candidate.score)
    return pools


def _captioned(pool: Pool) -> bool:
    """Whether the page asks in the field's own words for a name or address, which then is not guessed from what else it shows."""
    at = pool.place
    if at is None or pool.ask.kind not in ("org", "address") or pool.label < _CAPTION:
        return False
    text = at.segment.text
    alone = at.heading or text[at.end : at.end + 1] in ("/", ",") or at.segment.sheet.numbered(at.segment)
    return alone and at.start < _EARLY and pool.ask.strong <= set(tokens_of(text[at.start : at.end]))


def _cross(candidates: list[Candidate], columns: list[Segment]) -> None:
    """Mark amounts in a row of totals that stand in the column headed by the field's own name."""
    for candidate in candidates:
        segment, at = candidate.parts[0][0], candidate.occurrence
        if at is None or not candidate.features.get("right"):
            continue
        row = at.segment
        heads = [head for head in columns if head.sheet is row.sheet and row.row - _TALL <= head.row < row.row]
        candidate.features["crossing"] = float(any(head.share(segment) > 0.3 for head in heads))


def _stacked(reading: Reading, occurrence: Occurrence, ask: Ask) -> Iterator[Candidate]:
    """Under a heading beside others, the amount in the last row of those that say net, tax and gross by rate: their sum."""
    heading = occurrence.segment
    sheet = heading.sheet
    last = next(
        (at for row in range(heading.row + 1, heading.row + _DEEP) if (at := reading.sums.last.get((heading.page, row))) is not None), None
    )
    if last is None or last > heading.row + _DEEP or len(sheet.rows[heading.row]) < 3:
        return
    share = (heading.x1 - heading.x0) / max(1, len(heading.text))
    x0, x1 = heading.x0 + share * occurrence.start, heading.x0 + share * occurrence.end
    for segment in sheet.rows[last]:
        if min(segment.x1, x1) - max(segment.x0, x0) <= 0:
            continue
        for found in read_as(ask, segment.text, reading.conventions)[:1]:
            features = {"fit": occurrence.fit, "heading": 1.0, "below": 1.0, "quality": found.quality, "reading": segment.score}
            yield Candidate(found.value, [(segment, found.start, found.end)], features, occurrence=occurrence)


def _left_empty(pool: Pool, caption: Segment) -> None:
    """Where a form has a place under a caption and nothing in it, that caption names nothing elsewhere either."""
    pool.candidates = [c for c in pool.candidates if c.occurrence is None or c.occurrence.segment is not caption or "entry" in c.features]


def _complete(reading: Reading, ask: Ask, candidate: Candidate) -> None:
    """Let a value run on over the lines it has: addresses and names."""
    segment, start, _ = candidate.parts[0]
    if ask.kind in ("org", "person", "name") and candidate.features.get("right") and candidate.occurrence is not None:
        _from_above(reading, candidate, candidate.occurrence.segment)
    if ask.kind == "org" and len(candidate.parts) == 1:
        whole = reading.parties.with_tail(Name(str(candidate.value), candidate.parts, 0.0))
        candidate.parts, candidate.value = whole.parts, whole.text
    if ask.kind == "address" and not candidate.features.get("box"):
        made = reading.parties.address_from(segment, start)
        candidate.features["likeness"] = -1.0
        if made is not None:
            candidate.features["likeness"] = min(1.5, made.score)
            candidate.parts, candidate.value = made.parts, made.text
        else:
            block = reading.parties.block(segment)
            if block is not None:
                at = block.lines.index(segment)
                for line in block.lines[at + 1 : at + 3]:
                    following = reading.parties.address_from(line)
                    if following is not None and following.score > 0.6:
                        candidate.features["likeness"] = min(1.5, following.score)
                        candidate.parts, candidate.value = following.parts, following.text
                        break


def _ticked(occurrence: Occurrence) -> Iterator[Candidate]:
    """Whether a label is crossed or answered by a short word before or after it; for boxes to tick there is `choices`."""
    words = vocabulary()
    segment = occurrence.segment
    neighbours = [
        other
        for other in segment.sheet.rows[segment.row]
        if other is not segment and (abs(other.x1 - segment.x0) < 3 * segment.height or abs(other.x0 - segment.x1) < 3 * segment.height)
    ]
    before = segment.text[: occurrence.start].strip()
    places: list[tuple[str, Segment, int, int]] = []
    if before:
        at = segment.text.rfind(before.split()[-1], 0, occurrence.start)
        places.append((before.split()[-1], segment, at, at + len(before.split()[-1])))
    places += [(other.text.strip(), other, 0, len(other.text)) for other in neighbours if len(other.text.strip()) <= 3]
    for text, where, start, end in places:
        token = text.casefold()
        if (token in words.yes or token in words.no) and text not in TICKS:
            features = {"fit": occurrence.fit, "same": 1.0, "quality": 1.0, "reading": where.score}
            yield Candidate(token in words.yes, [(where, start, end)], features, occurrence=occurrence)


def _from_above(reading: Reading, candidate: Candidate, label: Segment) -> None:
    """A name beside its label begins on the line over it when no label stands beside that one and it is nearer below than above."""
    segment, start, _ = candidate.parts[0]
    block, rows = reading.parties.block(segment), segment.sheet.rows
    at = block.lines.index(segment) if block is not None else 0
    if block is None or not at or start:
        return
    over = block.lines[at - 1]
    gap = segment.y0 - over.y1
    further = [other for row in rows[: over.row] for other in row if other.x1 > label.x0 and other.y1 <= over.y0]
    if (
        len(rows[over.row]) == 1
        and abs(over.x0 - segment.x0) < 0.5 * segment.height
        and abs(over.size - segment.size) < 0.15 * segment.size
        and gap < 1.3 * segment.height
        and all(over.y0 - other.y1 > 1.15 * gap for other in further)
        and not any(c.isdigit() for c in over.text)
        and not over.text.rstrip().endswith(":")
        and reading.parties.party(over) == reading.parties.party(segment)
    ):
        candidate.parts = [(over, 0, len(over.text)), *candidate.parts]
        candidate.value = f"{over.text} {candidate.value}"
