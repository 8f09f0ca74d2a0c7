"""Who is who on a document: blocks of lines, names of organisations and people, and whose address is whose.

A block is a column of lines that stand together. A party's block stands under its heading (`Bill to`, `Verkäufer`); without
headings the issuer is who heads the page, and the customer is the addressee of a letter.
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from heliograph.extraction.addresses import (
    REGISTRATION,
    Name,
    address_end,
    address_likeness,
    beside_on_row,
    goes_on,
    postal_codes_in,
)
from heliograph.extraction.identifiers import patterned
from heliograph.extraction.normalise import amounts, dates
from heliograph.extraction.segments import Segment, Sheet
from heliograph.extraction.vocabulary import plain, tokens_of, vocabulary

_NEUTRAL = frozenset({("name",), ("to",), ("from",), ("attention",), ("address",), ("m", "s"), ("main",), ("property",), ("payee",)})
_READ = 0.7
"""Reader's score of a word under which its size says nothing: handwriting, stamps and logos look large."""


class Block(msgspec.Struct):
    """Lines that stand together in a column, top to bottom. `party`: whose heading stands over it."""

    lines: list[Segment]
    party: str = ""


class Heading(msgspec.Struct, frozen=True):
    """A label that opens a party's part of the page."""

    segment: Segment
    party: str


@lru_cache(maxsize=32768)
def name_likeness(text: str) -> float:
    """How much a line looks like the name of an organisation or a person."""
    words = vocabulary()
    stripped = text.strip(" .,:*-=_")
    letters = sum(c.isalpha() for c in stripped)
    if letters < 3 or len(stripped) > 70:
        return -3.0
    tokens = [plain(t) for t in re.findall(r"[^\W\d_]+\.?", stripped)]
    score = 0.0
    if any(t in words.legal or t.rstrip(".") in words.legal for t in tokens):
        score += 1.6
    elif any(t.rstrip(".") in words.organisation for t in tokens) and not all(t.rstrip(".") in words.organisation for t in tokens):
        score += 0.8  # `Bistro & Café` alone says what it is, not who
    canonical = tokens_of(stripped)
    if canonical in words.titles:
        score -= 4.0
    elif any(canonical[: len(title)] == title for title in words.titles if len(title) >= 1 and len(title[0]) > 3):
        score -= 1.5
    if canonical in words.every_label or text.rstrip().endswith(":"):
        score -= 2.5
    if re.search(r"[:=]|\bthank|\bwelcome|\bpage\b", stripped, re.I):
        score -= 1.5
    if dates(stripped) or next(iter(patterned("email", stripped)), None) or next(iter(patterned("url", stripped)), None):
        score -= 3.0
    without = REGISTRATION.sub("", stripped)
    digits = sum(c.isdigit() for c in without)
    score -= 3.0 * digits / max(1, len(without))
    if any(a.decimals == 2 for a in amounts(without)):
        score -= 2.0
    if address_likeness(without) > 0.75:
        score -= 1.4
    elif text.rstrip().endswith(","):
        score -= 0.8
    if len(tokens) > 8:
        score -= 1.0
    if len(tokens) == 1 and letters < 4:
        score -= 0.8
    return score


def clean_name(text: str) -> tuple[int, int]:
    """Where in `text` the name is: without a registration number in brackets behind it, or dashes around it."""
    start = len(text) - len(text.lstrip(" *-=_.:~"))
    end = len(re.sub(r"[\s*\-=_:,~]*(?:\s\.)?\s*$", "", text))
    for _ in range(2):
        found = REGISTRATION.search(text, start, end)
        if found and found.start() > start + 2:
            end = found.start()
    return start, len(re.sub(r"(?<=[\w.])\s+\.$", "", text[:end].rstrip(" -,(")))


class Parties:
    """The blocks, headings, names and addresses of a document."""

    def __init__(self, sheets: list[Sheet]) -> None:
        self.sheets = sheets
        words = vocabulary()
        self.labels: dict[tuple[str, ...], str] = {}
        for party, concept in (
            ("delivery", "shipping.address"),
            ("issuer", "issuer.name"),
            ("customer", "customer.name"),
            ("customer", "customer.address"),
        ):
            for tokens in words.labels[concept]:
                if tokens not in _NEUTRAL and len(tokens) > 0:
                    self.labels.setdefault(tokens, party)
        self._heads = {tokens[0] for tokens in self.labels}
        self.headings = [heading for sheet in sheets for heading in self._headings(sheet)]
        self.blocks = [block for sheet in sheets[:3] for block in _blocks(sheet)]
        self._block_of = {(line.page, line.index): block for block in self.blocks for line in block.lines}
        self._party_cache: dict[tuple[int, int], str] = {}
        self._names: dict[str, list[Name]] = {}
        self._addresses: dict[tuple[str, tuple[tuple[int, int, int, int], ...]], list[Name]] = {}

    def _headings(self, sheet: Sheet) -> list[Heading]:
        found: list[Heading] = []
        for segment in sheet.segments:
            text = re.split(r"[:(]", segment.text, maxsplit=1)[0]
            tokens = tokens_of(text)
            party = self.labels.get(tokens)
            if party is None and len(tokens) > 1 and all(t in self._heads for t in tokens):
                party = self.labels.get(tokens[:1])
            if party and (":" in segment.text or len(tokens) == len(tokens_of(segment.text))):
                found.append(Heading(segment, party))
        return found

    def block(self, segment: Segment) -> Block | None:
        """The block a line stands in."""
        return self._block_of.get((segment.page, segment.index))

    def party(self, segment: Segment) -> str:
        """Whose part of the page a line stands in: that of the nearest heading over it, or none."""
        key = (segment.page, segment.index)
        if key not in self._party_cache:
            self._party_cache[key] = self._nearest(segment)
        return self._party_cache[key]

    def _nearest(self, segment: Segment) -> str:
        best, party = 1e9, ""
        for heading in self.headings:
            other = heading.segment
            if other.page != segment.page or other.row > segment.row:
                continue
            if other.row == segment.row and other.x0 > segment.x0:
                continue
            height = max(segment.height, other.height)
            down = (segment.y0 - other.y0) / height
            across = (segment.x0 - other.x0) / segment.sheet.page.width
            if down > 14 or across < -0.08 or across > 0.45:
                continue
            distance = down + 25 * abs(across)
            if distance < best:
                best, party = distance, heading.party
        return party

    def names(self, party: str) -> list[Name]:
        """Who the party may be, best first; without a label of its own."""
        if party not in self._names:
            made: list[Name] = []
            for sheet in self.sheets[:1]:
                if party == "issuer":
                    made += _completed([*self._issuers(sheet), *self._headed(sheet, party)], self._imprints(sheet))
                else:
                    made += self._customers(sheet) if party == "customer" else self._headed(sheet, party)
            self._names[party] = sorted(made, key=lambda name: -name.score)[:6]
        return self._names[party]

    def _issuers(self, sheet: Sheet) -> list[Name]:
        made: list[Name] = []
        lines = [row for row in sheet.rows if row]
        rank = 0
        height = sheet.page.height
        for position, row in enumerate(lines):
            for segment in row:
                if segment.y0 > height * 0.42 and rank > 6:
                    break
                likely = name_likeness(segment.text)
                if likely < -2.5 and tokens_of(segment.text) not in vocabulary().titles:
                    rank += 0.5 if segment is row[0] else 0
                    continue
                score = likely + 1.5 * max(0.0, 1 - rank / 5)
                large = max(-0.5, min(1.2, segment.height / sheet.height - 1))
                score += 0.7 * (large if segment.score > _READ else min(0.0, large))
                under = [other for nearby in lines[position + 1 : position + 3] for other in nearby if other.share(segment) > 0.3]
                if any(address_likeness(other.text) > 0.6 for other in under):
                    score += 0.9
                if self.party(segment) in ("customer", "delivery"):
                    score -= 3.0
                start, end = clean_name(segment.text)
                if REGISTRATION.search(segment.text) or any(REGISTRATION.fullmatch(" " + other.text) for other in under):
                    score += 0.8
                made.append(Name(segment.text[start:end], [(segment, start, end)], score))
                rank += 1 if segment is row[0] else 0
        return [self._with_head(self.with_tail(name)) for name in made]

    def _imprints(self, sheet: Sheet) -> list[Name]:
        """Names with a legal form that begin the sender's line over an address window, or stand at the foot of the page."""
        made: list[Name] = []
        for row in sheet.rows:
            for segment in row:
                begins = _PARTED.split(segment.text, maxsplit=1)[0]
                foot = segment.y0 > _FOOT * sheet.page.height
                line = len(_PARTED.findall(segment.text)) >= 2 and postal_codes_in(segment.text)
                start, end = clean_name(begins)
                name = begins[start:end]
                if (
                    not (foot or line)
                    or not _has_legal_form(name)
                    or name_likeness(name) < 1.0
                    or self.party(segment) in ("customer", "delivery")
                ):
                    continue
                made.append(Name(name, [(segment, start, end)], name_likeness(name) + (1.2 if line else 0.5)))
        return made

    def _with_head(self, name: Name) -> Name:
        """A name whose legal form stands on its second line begins on the line over it."""
        segment = name.parts[0][0]
        block = self.block(segment)
        words = [plain(t).rstrip(".") for t in re.findall(r"[^\W\d_]+\.?", name.text)]
        if block is None or not any(word in vocabulary().legal for word in words):
            return name
        at = block.lines.index(segment)
        over = block.lines[at - 1] if at else None
        if (
            over is None
            or segment.y0 - over.y1 > 0.7 * segment.height
            or abs(over.height - segment.height) > 0.2 * segment.height
            or abs(over.cx - segment.cx) > 4 * segment.height
            or name_likeness(over.text) < -0.3
            or any(word in vocabulary().legal for word in re.findall(r"[^\W\d_]+", plain(over.text)))
            or sum(word not in vocabulary().legal for word in words) > 1
        ):
            return name
        start, end = clean_name(over.text)
        return Name(f"{over.text[start:end]} {name.text}", [(over, start, end), *name.parts], name.score + 0.2)

    def with_tail(self, name: Name) -> Name:
        """A legal form that stands alone on the next line belongs to the name."""
        segment = name.parts[0][0]
        block = self.block(segment)
        if block is None or any(plain(t) in vocabulary().legal for t in name.text.split()):
            return name
        at = block.lines.index(segment)
        if at + 1 < len(block.lines):
            below = block.lines[at + 1]
            start, end = clean_name(below.text)
            words = [plain(t).rstrip(".") for t in re.findall(r"[^\W\d_]+", below.text[start:end])]
            if (
                len(words) <= 3
                and any(w in vocabulary().legal for w in words)
                and not any(c.isdigit() for c in below.text)
                and all(w in vocabulary().legal or w in ("m", "co", "s") for w in words)
            ):
                return Name(f"{name.text} {below.text[start:end]}", [*name.parts, (below, start, end)], name.score + 0.5)
        return name

    def _headed(self, sheet: Sheet, party: str) -> list[Name]:
        """What stands right under a party's headings."""
        made: list[Name] = []
        for heading in self.headings:
            if heading.party != party or heading.segment.page != sheet.page.index or re.search(r":\s*\w", heading.segment.text):
                continue
            for segment in list(sheet.below(heading.segment, reach=3.0))[:3]:
                if name_likeness(segment.text) > -0.8:
                    start, end = clean_name(segment.text)
                    made.append(Name(segment.text[start:end], [(segment, start, end)], 2.0 + name_likeness(segment.text)))
                    break
        return made

    def _customers(self, sheet: Sheet) -> list[Name]:
        issuers = sorted(self._issuers(sheet), key=lambda name: -name.score)
        issuer = issuers[0].parts if issuers else []
        made = self._headed(sheet, "customer")
        made += self._addressed(sheet, issuer)
        for block in self.blocks:
            lines = block.lines
            if (
                not 3 <= len(lines) <= 8
                or lines[0].page != sheet.page.index
                or lines[0].y0 > sheet.page.height * 0.42
                or lines[0].x0 > sheet.page.width * 0.62
            ):
                continue
            first = 0
            while first < len(lines) - 2 and (
                (len(re.findall(r"[●•·|,–-]", lines[first].text)) >= 2 and postal_codes_in(lines[first].text))
                or tokens_of(lines[first].text) in self.labels
                or tokens_of(lines[first].text) in vocabulary().labels["shipping.address"]
            ):
                first += 1
            rest = lines[first + 1 :]
            if (
                any(postal_codes_in(line.text) and address_likeness(line.text) > 0.3 for line in rest)
                and name_likeness(lines[first].text) > -0.6
                and self.party(lines[first]) not in ("issuer", "delivery")
            ):
                start, end = clean_name(lines[first].text)
                if any(segment is lines[first] for segment, _, _ in issuer):
                    continue
                bonus = 0.8 if first > 0 and tokens_of(lines[first - 1].text) not in vocabulary().labels["shipping.address"] else 0.0
                made.append(
                    Name(lines[first].text[start:end], [(lines[first], start, end)], 1.7 + bonus + 0.3 * name_likeness(lines[first].text))
                )
        return made

    def _addressed(self, sheet: Sheet, issuer: list[tuple[Segment, int, int]]) -> list[Name]:
        """Whom a letter is addressed to: over the street and the town that stand, widely spaced, in its window."""
        made: list[Name] = []
        width, height = sheet.page.width, sheet.page.height
        for town in sheet.segments:
            if not (0.14 * height < town.y0 < 0.36 * height and town.x0 < 0.3 * width and town.height > 0) or not postal_codes_in(
                town.text
            ):
                continue
            column = [town]
            for row in reversed(sheet.rows[: town.row]):
                over = next((s for s in row if abs(s.x0 - town.x0) < 0.5 * town.height), None)
                if over is None:
                    continue
                if column[-1].y0 - over.y1 > 4 * town.height or abs(over.height - town.height) > 0.4 * town.height or len(column) > 5:
                    break
                column.append(over)
            name = column[-1]
            if not 3 <= len(column) <= 5 or any(name is segment for segment, _, _ in issuer) or self.party(name) in ("issuer", "delivery"):
                continue
            if address_likeness(column[1].text) > 0.2 and name_likeness(name.text) > -0.6:
                start, end = clean_name(name.text)
                made.append(Name(name.text[start:end], [(name, start, end)], 1.7 + 0.3 * name_likeness(name.text)))
        return made

    def address_from(self, segment: Segment, start: int = 0, *, strict: bool = False) -> Name | None:
        """The address whose first line is `segment.text[start:]`: that line and those under it that go on like one."""
        block = self.block(segment)
        lines = [segment]
        if block is not None:
            lines = block.lines[block.lines.index(segment) :]
        parts: list[tuple[Segment, int, int]] = []
        total = 0.0
        for position, line in enumerate(lines[:7]):
            first = start if position == 0 else 0
            end = address_end(line.text, first)
            text = line.text[first:end].strip()
            likely = address_likeness(text) if text else -1.0
            following = address_likeness(lines[position + 1].text) if position + 1 < len(lines) else 0.0
            if not text or (
                likely < (0.3 if position else 0.1)
                and not (position and likely > -0.2 and len(text) < 40 and (following > 0.7 or goes_on(parts)) and not strict)
            ):
                break
            lead = len(line.text[first:end]) - len(line.text[first:end].lstrip(" :.,-"))
            parts.append((line, first + lead, first + len(line.text[first:end].rstrip(" :;,-" if position == len(lines) - 1 else " :;-"))))
            total += min(1.0, max(0.0, likely))
            beside = beside_on_row(line) if text.endswith(",") else None
            if beside is not None:
                parts[-1] = (line, parts[-1][1], len(line.text.rstrip()))
                parts.append((beside, 0, len(beside.text.rstrip(" :;,-"))))
                total += min(1.0, address_likeness(beside.text))
            if end < len(line.text.rstrip()):
                break
        if not parts:
            return None
        has_place = any(postal_codes_in(line.text[a:b]) or address_likeness(line.text[a:b]) > 0.9 for line, a, b in parts)
        return Name(
            " ".join(line.text[a:b].strip() for line, a, b in parts), parts, total / max(2.0, len(parts)) + (0.5 if has_place else 0.0)
        )

    def _from_above(self, block: Block, position: int, name: Name | None) -> Name | None:
        """The address around a line of it: a line over it that is a little like one, and goes on with a comma, begins it."""
        first = position
        taken = [part for part, _, _ in name.parts] if name is not None else []
        while first and not any(block.lines[first - 1] is part for part in taken):
            over = block.lines[first - 1]
            goes_on = over.text.rstrip().endswith(",")
            if address_likeness(over.text) < (0.1 if goes_on else 0.4) or ":" in over.text:
                break
            if (not goes_on and name_likeness(over.text) > 0.5) or block.lines[first].y0 - over.y1 > 0.9 * over.height:
                break
            first -= 1
        return self.address_from(block.lines[first]) or self.address_from(block.lines[position])

    def addresses(self, party: str, name: Name | None) -> list[Name]:
        """Addresses of a party without a label: under its name, or heading the page."""
        key = party, tuple((part.page, part.index, start, end) for part, start, end in name.parts) if name is not None else ()
        if key not in self._addresses:
            self._addresses[key] = self._addresses_of(party, name)
        return self._addresses[key]

    def _addresses_of(self, party: str, name: Name | None) -> list[Name]:
        made: list[Name] = []
        near = name.parts[-1][0] if name is not None else None
        for block in self.blocks:
            skip = -1
            for position, line in enumerate(block.lines):
                if (
                    position <= skip
                    or address_likeness(line.text) < 0.5
                    or (name is not None and any(line is part for part, _, _ in name.parts))
                ):
                    continue
                found = self._from_above(block, position, name)
                if found is None:
                    continue
                skip = max(at for at, other in enumerate(block.lines) if any(other is part for part, _, _ in found.parts))
                whose = self.party(line)
                score = found.score + (0.6 if len(found.parts) > 1 else 0.0)
                if whose == party:
                    score += 1.0
                elif whose:
                    score -= 1.5
                if near is not None and near.page == line.page:
                    rows = line.row - near.row
                    if 0 < rows <= 4 and line.share(near) > 0.2:
                        score += 1.6 - 0.25 * rows
                    elif rows < 0:
                        score -= 0.8
                if party == "issuer":
                    score += 0.8 * max(0.0, 1 - line.cy / (line.sheet.page.height * 0.45))
                elif near is None:
                    score -= 1.0
                made.append(Name(found.text, found.parts, score))
        return sorted(made, key=lambda item: -item.score)[:6]


_PARTED = re.compile(r"\s*[●•·|]\s*|\s[–—-]\s|,\s+|\s{2,}")
"""What parts the pieces of a sender's line."""
_FOOT = 0.85
"""From which part of a page's height on its foot begins."""


def _has_legal_form(name: str) -> bool:
    return any(word.rstrip(".") in vocabulary().legal or word in vocabulary().legal for word in plain(name).replace("(", " ").split())


def _completed(names: list[Name], imprints: list[Name]) -> list[Name]:
    """Trade names at the head of a page made whole by the legal name that begins with them and stands in an imprint."""
    made: list[Name] = []
    for name in names:
        short = tokens_of(name.text)
        whole = next(
            (i for i in imprints if len(short) and tokens_of(i.text)[: len(short)] == short and not _has_legal_form(name.text)), None
        )
        made.append(name if whole is None else Name(whole.text, whole.parts, name.score + 0.3))
    return [*made, *imprints]


def _blocks(sheet: Sheet) -> list[Block]:
    blocks: list[Block] = []
    open_blocks: list[Block] = []
    titles = vocabulary().titles
    headed: dict[int, bool] = {}  # whether a segment is a title, by its index
    for segment in sheet.segments:
        is_title = headed[segment.index] = tokens_of(segment.text) in titles
        if is_title:
            open_blocks = [block for block in open_blocks if block.lines[-1].share(segment) == 0]
        best, best_gap = None, 1e9
        least, most = -0.8 * max(segment.height, 1.0), 2.4 * max(segment.height, 1.0)
        for block in open_blocks:
            last = block.lines[-1]
            gap = segment.y0 - last.y1
            if not least <= gap <= most or gap >= best_gap or last.row == segment.row:
                continue
            if is_title == headed[last.index] and _continues(segment, last, gap):  # a title heads the page, not an address
                best, best_gap = block, gap
        if best is None:
            best = Block([])
            blocks.append(best)
            open_blocks.append(best)
        best.lines.append(segment)
        open_blocks = [block for block in open_blocks if segment.row - block.lines[-1].row <= 6]
    return blocks


def _continues(segment: Segment, last: Segment, gap: float) -> bool:
    """Whether a segment is the next line under `last`, `gap` points below it; lines of one type, flush or centred, may stand wide."""
    height = max(min(last.height, segment.height), 1.0)
    if not -0.8 * height <= gap <= 2.4 * height:
        return False
    indent, shift = abs(segment.x0 - last.x0), abs(segment.cx - last.cx)
    if gap > 1.25 * height:
        aligned = indent < 0.3 * height or shift < 0.3 * height
        if not aligned or (abs(segment.height - last.height) >= 0.35 * height and abs(segment.size - last.size) >= 0.05 * last.size):
            return False
    return indent < 1.2 * height or shift < 2.5 * height or segment.share(last) > 0.6
