"""Values that stand where a label points: after it, right of it or below it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from heliograph.extraction.addresses import address_likeness
from heliograph.extraction.boxes import boxed
from heliograph.extraction.candidates import FREE, Candidate, Found, Part, read_as
from heliograph.extraction.fields import Ask
from heliograph.extraction.labels import Finder, Occurrence, Reader, is_label, value_end
from heliograph.extraction.normalise import Conventions
from heliograph.extraction.segments import Segment, Sheet
from heliograph.extraction.vocabulary import Tokens, tokens_of, vocabulary


def near(finder: Finder, sheet: Sheet, occurrence: Occurrence, ask: Ask, conventions: Conventions) -> Iterator[Candidate]:
    """The values to which a label points, nearest first."""
    segment, reader = occurrence.segment, finder.reader
    base = {"fit": occurrence.fit, "colon": float(occurrence.colon), "heading": float(occurrence.heading)}
    end = value_end(reader, segment.text, occurrence.end)
    if ask.range and ask.kind in ("date", "datetime"):
        period = list(_period(reader, sheet, occurrence, ask, conventions, end))
        if len(period) >= 2:
            chosen, found = period[0] if ask.range == "start" else period[1]
            place = {"same": 1.0} if chosen is segment else {"right": 1.0}
            yield _candidate(ask, chosen, found, {**base, **place, "order": 0.0, "gap": 0.0, "period": 1.0}, occurrence)
            return
    box = boxed(reader, sheet, segment) if occurrence.start < 40 else None
    if box is not None:
        yield from _in_box(ask, box, conventions, {**base, "box": 1.0}, occurrence)
        if ask.kind in FREE and not occurrence.colon:
            return
    clear = box is not None and sheet.numbered(segment)
    same = _pick(ask, read_as(ask, _blank(segment.text, occurrence.end), conventions, start=occurrence.end, end=end), ask.range)
    if ask.kind in FREE and not occurrence.colon and segment.text.rstrip().endswith(":"):
        same = []  # all of it is a label: `Advertiser External ID:`
    if ask.kind in FREE and not occurrence.colon and _goes_on(reader, segment.text, occurrence):
        same = []
    for order, found in enumerate(same):
        begins = segment.text[found.start]
        if ask.kind in FREE and not occurrence.colon and (begins.islower() or begins in "(,"):
            continue  # the rest of a sentence, or a remark
        gap = len(segment.text[occurrence.end : found.start].strip(" :#.-=()"))
        far = 0.0 if ask.kind in FREE else min(0.5 if ask.kind in ("date", "id") else 1.0, gap / 25)
        yield _candidate(ask, segment, found, {**base, "same": 1.0, "order": float(order), "gap": far}, occurrence)
    if clear:
        return
    if any(found.quality >= 0.75 for found in same) and (ask.kind in FREE or ask.kind == "id") and (occurrence.colon or ask.kind == "id"):
        return
    rest = segment.text[occurrence.end :]
    beyond = any(c.isalnum() for c in rest) and not rest.startswith("/") and tokens_of(rest) != ("name",)
    taken = 0
    followers = [
        other
        for other in sheet.right_of(segment)
        if any(c.isalnum() for c in other.text) or other.text.strip() in vocabulary().yes | vocabulary().no
    ]
    if followers and _repeats(ask, followers[0]):
        followers = followers[1:]
    followers = [other for other in followers if not _other_part(ask, other.text)]
    for order, other in enumerate(followers):
        if order >= 5 or (is_label(reader, other) and ask.kind not in ("boolean",)) or _is_asked(finder, other):
            break
        if ask.kind in FREE and _is_labelled(reader, other):
            break
        ends = value_end(reader, other.text, 0)
        right = _pick(ask, read_as(ask, other.text, conventions, start=lead_of(ask, other.text), end=ends), ask.range)
        gap = min(1.0, (other.x0 - segment.x1) / (sheet.page.width * 0.6))
        for found in right:
            yield _candidate(
                ask,
                other,
                found,
                {**base, "right": 1.0, "order": float(taken), "gap": gap, "beyond": float(bool(beyond and ask.kind in FREE))},
                occurrence,
            )
            taken += 1
        if ask.kind in FREE:
            break
    if beyond and (ask.kind in FREE or (occurrence.colon and not occurrence.heading)):
        return
    seen_row = -1
    rows = 0
    for other in sheet.below(segment, reach=3.2 if ask.kind not in FREE else 3.0):
        if other.row != seen_row:
            rows += 1
            seen_row = other.row
        if rows > 3:
            break
        if _repeats(ask, other):
            continue
        if is_label(reader, other) or _is_asked(finder, other):
            if segment.share(other) > 0.5 and abs(other.x0 - segment.x0) < 2 * segment.height:
                break
            continue
        if ask.kind in FREE and not followers and _both_ask(sheet, segment, other):
            break
        aligned = max(segment.share(other), 0.0)
        if _other_part(ask, other.text):
            continue
        ends = value_end(reader, other.text, 0)
        found_below = _pick(ask, read_as(ask, other.text, conventions, start=lead_of(ask, other.text), end=ends), ask.range)
        for order, found in enumerate(found_below[:2]):
            if ask.kind == "id" and found.start > 0 and address_likeness(other.text) > 0.3:
                continue  # a house number
            drop = min(1.0, (other.y0 - segment.y1) / (4 * segment.height))
            yield _candidate(
                ask,
                other,
                found,
                {
                    **base,
                    "below": 1.0,
                    "order": float(order),
                    "gap": max(0.0, drop),
                    "aligned": aligned,
                    "busy": float(bool(taken or same)),
                },
                occurrence,
            )
        if ask.kind in FREE and found_below:
            break
        taken += len(found_below)
    if not same and not taken and not occurrence.colon and occurrence.start < 12:
        yield from _above(finder, sheet, occurrence, ask, conventions, base)


def _above(
    finder: Finder, sheet: Sheet, occurrence: Occurrence, ask: Ask, conventions: Conventions, base: dict[str, float]
) -> Iterator[Candidate]:
    """A value on the line over its label, as forms have them where one signs."""
    segment = occurrence.segment
    for other in sheet.rows[segment.row - 1] if segment.row else []:
        near = segment.y0 - other.y1 < 2.2 * segment.height and other.size > 1.1 * segment.size
        if near and segment.share(other) > 0.5 and not is_label(finder.reader, other) and not _is_asked(finder, other):
            for found in _pick(ask, read_as(ask, other.text, conventions), ask.range)[:1]:
                yield _candidate(ask, other, found, {**base, "above": 1.0, "order": 0.0, "gap": 0.0}, occurrence)


def unbroken(candidate: Candidate, lines: list[Segment]) -> None:
    """Join a name that breaks off at the end of its line with what stands under it."""
    segment, start, end = candidate.parts[0]
    under = next((line for line in lines if line.row > segment.row and abs(line.x0 - segment.x0) < segment.height), None)
    if under is not None and re.search(r"(?:[&,+]|\b(?:and|of|the|und|et|y|for))$", segment.text[start:end].rstrip()):
        candidate.parts = [(segment, start, end), (under, 0, len(under.text))]
        candidate.value = f"{segment.text[start:end]} {under.text}"


def _whole(candidate: Candidate, lines: list[Segment], label: Occurrence) -> None:
    """Let a name take up the further lines of a box that asks for a name alone."""
    if "address" in tokens_of(label.segment.text) or len(candidate.parts) > 1:
        return
    last = candidate.parts[0][0]
    for line in lines[lines.index(last) + 1 :][:2]:
        close = (
            not any(c.isdigit() for c in line.text) and line.row > last.row and line.y0 - last.y1 < last.height and line.share(last) > 0.3
        )
        if not close or not 0.7 < line.size / last.size < 1.4 or not line.text[:1].isalpha() or _asks(line):
            return
        candidate.parts = [*candidate.parts, (line, 0, len(line.text))]
        candidate.value = candidate.text
        last = line


def _asks(line: Segment) -> bool:
    """Whether a line asks for a part of an address instead of giving one: `City or town, state and postal code`."""
    tokens = tokens_of(line.text)
    return tokens[:1] in vocabulary().every_label and not any(c.isdigit() for c in line.text)


_COLUMN = 3
"""Values that stand in one column at least."""
_PARTS = {"address": ("address",), **dict.fromkeys(("org", "person", "name"), ("name",))}
"""The word that opens a line with a name or an address in a part of a form that asks for both."""


_STREET = 0.75
"""Likeness from which on a line is part of an address, and no name."""


def _opened(text: str) -> tuple[Tokens, int]:
    """The first word of a line of several, and where the next one begins."""
    first = re.match(r"\s*([^\W\d_]+):?\s+(?=\S)", text)
    return (tokens_of(first[1]), first.end()) if first else ((), 0)


def lead_of(ask: Ask, text: str) -> int:
    """Where a name or an address begins in a line that opens with the word for it: `Name Harbour Trust`."""
    word, end = _opened(text)
    return end if ask.kind in _PARTS and word == _PARTS[ask.kind] else 0


def _both_ask(sheet: Sheet, label: Segment, under: Segment) -> bool:
    """Whether a label and what stands under it are of one column of labels, whose values stand in another one beside it."""
    rows = [row for row in sheet.rows[max(0, label.row - 3) : under.row + 4] if row and abs(row[0].x0 - label.x0) < 0.5 * label.height]
    values = [row[1].x0 for row in rows if len(row) > 1]
    beside = next(sheet.right_of(under), None)
    return beside is not None and sum(abs(x - beside.x0) < 0.5 * label.height for x in values) >= _COLUMN


def _goes_on(reader: Reader, text: str, label: Occurrence) -> bool:
    """Whether what follows a label without a colon is no value: a label's further words (`Agency Name`, `Advertiser/Candidate`), or
    another sentence than the one that ends with it (`Give it to the agent. Do not send it.`)."""
    rest = text[label.end :]
    if rest.startswith("/") or (label.start > 0 and re.match(r"[.!?]\s", rest)):
        return True
    tokens = [token.text for token in reader.tokens(rest)]
    return bool(tokens) and all(token in vocabulary().label_tokens for token in tokens)


def _other_part(ask: Ask, text: str) -> bool:
    """Whether a line is another part than the name that is asked for, or opens with the word for it: `Address 12 Quay Road`."""
    if ask.kind not in _PARTS:
        return False
    return _opened(text)[0] in set(_PARTS.values()) - {_PARTS[ask.kind]} or (ask.kind != "address" and address_likeness(text) > _STREET)


def _in_box(
    ask: Ask, lines: list[Segment], conventions: Conventions, base: dict[str, float], occurrence: Occurrence
) -> Iterator[Candidate]:
    """The value in a form's box: of free text its first line, all of an address."""
    if ask.kind == "address":
        first = next((at for at, line in enumerate(lines) if address_likeness(line.text) > 0.3), -1)
        if first >= 0:
            last = next((at for at, line in enumerate(lines) if at > first and _asks(line)), first + 5)
            parts: list[Part] = [(line, lead_of(ask, line.text), len(line.text)) for line in lines[first : min(last, first + 5)]]
            features = {**base, "order": 0.0, "gap": 0.0, "quality": 1.0, "likeness": 1.0, "reading": min(line.score for line in lines)}
            yield Candidate(" ".join(line.text[start:end] for line, start, end in parts), parts, features, occurrence=occurrence)
        return
    order = 0
    for line in [line for line in lines if not _other_part(ask, line.text)]:
        start = lead_of(ask, line.text)
        for found in _pick(ask, read_as(ask, line.text, conventions, start=start), ask.range)[:2]:
            features = {**base, "order": float(order), "gap": 0.0}
            candidate = _candidate(ask, line, found, features, occurrence)
            if ask.kind in ("org", "person", "name"):
                unbroken(candidate, lines)
                _whole(candidate, lines, occurrence)
            order += 1
            yield candidate
            if ask.kind in FREE:
                return


def _period(reader: Reader, sheet: Sheet, at: Occurrence, ask: Ask, writing: Conventions, end: int) -> Iterator[tuple[Segment, Found]]:
    """The dates that follow a label on its row with nothing but a dash or `to` between them."""
    for found in read_as(ask, _blank(at.segment.text, at.end), writing, start=at.end, end=end):
        yield at.segment, found
    for other in sheet.right_of(at.segment):
        found_here = read_as(ask, other.text, writing)
        if not found_here and len(other.text.strip()) > 3:
            return
        for found in found_here:
            yield other, found


def _pick(ask: Ask, found: list[Found], end: str) -> list[Found]:
    """Of two dates in a row, the one at the asked end of the period."""
    if end and ask.kind in ("date", "datetime") and len(found) >= 2:
        return [found[0] if end == "start" else found[1]]
    return found


def _repeats(ask: Ask, segment: Segment) -> bool:
    """Whether a segment behind a label only says again what stands there, as `Name:` between `Advertiser` and who it is."""
    return ask.kind in ("org", "person", "name", "address") and tokens_of(segment.text) in (("name",), ("address",))


def _is_labelled(reader: Reader, segment: Segment) -> bool:
    """Whether a segment says whose value it holds: `Invoice number: 7567`."""
    label, colon, _ = segment.text.partition(":")
    return bool(colon) and tuple(token.text for token in reader.tokens(label)) in vocabulary().every_label


def _blank(text: str, until: int) -> str:
    return " " * until + text[until:]


def _is_asked(finder: Finder, segment: Segment) -> bool:
    """Whether a segment is itself the label of some field, word for word."""
    tokens = tuple(t.text for t in finder.reader.tokens(segment.text))
    return len(tokens) > 0 and any(weight >= 0.9 for _, weight in finder.exact.get(tokens, ()))


def _candidate(ask: Ask, segment: Segment, found: Found, features: dict[str, float], occurrence: Occurrence) -> Candidate:
    features["quality"] = found.quality
    features["reading"] = segment.score
    return Candidate(found.value, [(segment, found.start, found.end)], features, occurrence=occurrence)
