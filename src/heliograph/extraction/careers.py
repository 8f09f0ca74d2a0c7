"""The entries of a life's chapters: where someone worked and learned, what they made, which languages they speak.

An entry begins a fixed number of lines over or at its dates, as the first of its chapter does; its head is taken apart at commas, bars,
dashes, tabs and words such as ` at `. Which part is the position and which the employer is the same for all entries of a
chapter that have as many parts, so what their words say is added up. A part that neither words nor places tell stays out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from heliograph.extraction.candidates import Part
from heliograph.extraction.chapters import Chapter, Row, kind_of
from heliograph.extraction.normalise import Conventions
from heliograph.extraction.periods import Period, period
from heliograph.extraction.schema import Field
from heliograph.extraction.vocabulary import plain, tokens_of, vocabulary

_SEPARATOR = re.compile(r"\s*(?:\t|\||•|·|;|\s[–—-]+(?:\s|$)|,(?:\s|$))\s*|\s+(?:at|@|bei|chez|presso|bij)\s+")
_LISTED = re.compile(r"(?:[^,;|•●·\t()]|\([^()]*\))+")
_LEVEL = re.compile(r"\s*(?:\((?P<inside>[^()]+)\)|(?::|\s[–—-])\s*(?P<behind>\S.*))\s*$")
_NAMED = re.compile(r"(?P<name>[^:]{2,60}?)(?::|\s[–—-])\s+(?P<rest>\S.*)")
_DOTTED = re.compile(r"(?:[A-Z][A-Za-z]{0,4}\.){1,3}(?:\s?[A-Z][a-z]{0,2}\.)?")
_OF = re.compile(
    r"\s+(?:of|in|en|di|de|der|des)\s+(?:Science|Arts|Engineering|Laws|Education|Philosophy|Business Administration|Fine Arts)\b"
)
_IN = re.compile(r"\s+(?:in|en|of|di|im|de)\s+(?=\S)|\s*[:,–-]\s+|\s+")
_STATE = re.compile(r"[A-Z]{2}")
_WORD = re.compile(r"[^\W\d_]+")
_PROSE = 9
"""Words from which on a line of an entry is a sentence, and no head."""
_HEAD = 3
"""Most lines of an entry's head."""

_ROLES = {
    "company": {"company", "employer", "organization", "organisation", "firm", "firma", "unternehmen", "arbeitgeber", "empresa"},
    "position": {"position", "title", "role", "job", "beruf", "poste", "puesto", "cargo"},
    "place": {"location", "place", "city", "ort", "lieu", "ciudad"},
    "start": {"start", "begin", "from", "since", "started"},
    "end": {"end", "until", "ended", "graduation", "obtained", "completed", "issued"},
    "ongoing": {"current", "ongoing"},
    "duties": {"responsibilities", "duties", "achievements", "highlights", "tasks", "bullets", "accomplishments", "details"},
    "description": {"description", "summary"},
    "school": {"institution", "school", "university", "college", "hochschule"},
    "degree": {"degree", "qualification", "abschluss"},
    "study": {"field", "major", "subject", "area", "study", "studies", "fachrichtung"},
    "issuer": {"issuer", "authority", "issued"},
    "level": {"level", "proficiency", "fluency"},
    "name": {"name", "language", "skill", "project"},
}  # fmt: skip
_FITTING = {
    "work experience": ("ongoing", "start", "end", "company", "position", "place", "duties", "description"),
    "education": ("ongoing", "start", "end", "school", "degree", "study", "place"),
    "projects": ("start", "end", "description", "duties", "name"),
    "certifications": ("end", "issuer", "name"),
}


class Told(msgspec.Struct):
    """One value of an entry: what it is, and the parts of the page it was read from. `place` counts those of a list."""

    field: Field
    value: str | bool
    parts: list[Part]
    place: int | None = None


class _Entry(msgspec.Struct):
    head: list[tuple[Row, int, int]]
    period: Period | None = None
    dated: Row | None = None
    duties: list[list[tuple[Row, int, int]]] = []


def entries(field: Field, found: Sequence[Chapter], writing: Conventions) -> list[list[Told]]:
    """The entries that answer a list of objects: of dated entries where its chapter has such, else of names."""
    item = field.item
    kind = kind_of(field.name)
    chapter = next((chapter for chapter in found if chapter.kind == kind and chapter.rows), None) if kind else None
    if item is None or chapter is None:
        return []
    if kind in _FITTING:
        roles = _roles(item, _FITTING[kind])
        made = [_told(entry, roles) for entry in _entries(chapter, writing, dated=kind in ("work experience", "education"))]
        return [told for told in _named(kind, made, roles) if any(isinstance(one.value, str) for one in told)]
    name = named(item)
    if name is None:
        return []
    return [told for row in chapter.rows for told in listed(item, name, [(row, row.bullet, len(row.text))])]


def named(item: Field) -> Field | None:
    """The field of an object that is its name, where the object is little more than that: a skill, a language."""
    roles = _roles(item, ("level", "name"))
    others = [child for child in item.fields if child not in roles.values() and "years" not in child.name]
    return roles.get("name") if not others else None


def listed(item: Field, name: Field, spans: Sequence[tuple[Row, int, int]]) -> Iterator[list[Told]]:
    """The names on a line, apart by commas or bars; what is in parentheses or behind a dash is the level, where one is asked."""
    level = _roles(item, ("level",)).get("level")
    for row, start, end in spans:
        for piece in _LISTED.finditer(row.text, start, end):
            a, b = _trimmed(row.text, piece.start(), piece.end())
            told: list[Told] = []
            how = _LEVEL.search(row.text[a:b]) if level is not None else None
            if how is not None and how.start():
                group = "inside" if how["inside"] else "behind"
                x, y = a + how.start(group), a + how.end(group)
                told.append(Told(level, row.text[x:y], row.parts(x, y)))  # type: ignore[arg-type]
                a, b = _trimmed(row.text, a, a + how.start())
            if any(c.isalpha() for c in row.text[a:b]) and len(row.text[a:b].split()) <= 5:
                yield [Told(name, row.text[a:b], row.parts(a, b)), *told]


def _roles(item: Field, fitting: Sequence[str]) -> dict[str, Field]:
    """Which field of an item plays which part; the first role that its name's words allow."""
    made: dict[str, Field] = {}
    for child in item.fields:
        words = {plain(word) for word in _WORD.findall(child.name.replace("_", " "))} | set(tokens_of(child.name.replace("_", " ")))
        for role in fitting:
            fits = child.kind == "array" if role == "duties" else child.kind == "boolean" if role == "ongoing" else child.kind == "string"
            if fits and words & _ROLES[role]:
                made.setdefault(role, child)
                break
    return made


def _entries(chapter: Chapter, writing: Conventions, *, dated: bool) -> list[_Entry]:
    """The entries of a chapter, each with the lines of its head and of its text."""
    rows = chapter.rows
    free = _free(rows)
    periods = {at: found for at in free if (found := period(rows[at].text, writing)) and not _prose(rows[at])}
    stretches = {at: found for at, found in periods.items() if not found.single}
    marks = sorted(stretches if stretches and dated else periods)
    if dated and not marks:
        marks = [at for at in free if _says(rows[at].text, "school")]
    if marks:
        lead = sum(at < marks[0] for at in free)
        if lead >= _HEAD:
            return []
        starts = [max(mark - lead, 0 if not n else marks[n - 1] + 1) for n, mark in enumerate(marks)]
        starts = [max([start, *(at + 1 for at in range(start, mark) if at not in free)]) for start, mark in zip(starts, marks, strict=True)]
    elif dated:
        return []
    else:
        starts = [at for at in free if _NAMED.match(rows[at].text)] or (free if len(free) == len(rows) else _after_text(free))
    made: list[_Entry] = []
    for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
        entry = _Entry([])
        for at in range(start, end):
            _add(entry, rows, at, periods.get(at), in_head=at in free and at - start < _HEAD and not entry.duties)
        made.append(entry)
    return made


def _free(rows: list[Row]) -> list[int]:
    """The lines that are neither bulleted, nor indented under a line that is not."""
    made: list[int] = []
    margin = rows[0].x0
    for at, row in enumerate(rows):
        height = row.places[-1][1].height
        if row.bullet or (made and row.x0 > margin + 0.7 * height and row.x0 - margin < 6 * height):
            continue
        if made and made[-1] != at - 1 and row.text[:1].islower():
            continue
        margin = row.x0
        made.append(at)
    return made


def _after_text(free: list[int]) -> list[int]:
    return [at for at in free if at - 1 not in free]


def _add(entry: _Entry, rows: list[Row], at: int, when: Period | None, *, in_head: bool) -> None:
    row = rows[at]
    if in_head and (not entry.head or not _prose(row)):
        if when is not None and (entry.period is None or (entry.period.single and not when.single)):
            entry.period, entry.dated = when, row
        a, b = (when.start, when.end) if when is not None else (len(row.text), len(row.text))
        entry.head += [(row, x, y) for x, y in ((0, a), (b, len(row.text))) if any(c.isalnum() for c in row.text[x:y])]
        return
    last = entry.duties[-1] if entry.duties else None
    runs_on = last is not None and not row.bullet and (row.text[:1].islower() or last[-1][0].x1 > 0.9 * max(other.x1 for other in rows))
    if last is not None and runs_on:
        last.append((row, 0, len(row.text)))
    else:
        entry.duties.append([(row, row.bullet, len(row.text))])


def _prose(row: Row) -> bool:
    words = len(_WORD.findall(row.text))
    return words > _PROSE or (words > 4 and row.text.rstrip().endswith("."))


# What a head tells

_Span = tuple[Row, int, int]


def _told(entry: _Entry, roles: dict[str, Field]) -> tuple[list[Told], list[_Span]]:
    """What the dates and the text of an entry tell, and the parts of its head."""
    made: list[Told] = []
    when, row = entry.period, entry.dated
    if when is not None and row is not None:
        ends = {"start": None if when.single else when.first, "end": when.first if when.single else when.last}
        for role, moment in ends.items():
            field = roles.get(role)
            if field is None or moment is None:
                continue
            value = moment.iso if field.format in ("date", "date-time") else row.text[moment.start : moment.end]
            if value is not None and field.format != "date-time":
                made.append(Told(field, value, row.parts(moment.start, moment.end)))
        if "ongoing" in roles and not when.single:
            made.append(Told(roles["ongoing"], when.ongoing, row.parts(when.start, when.end)))
    texts = [
        (" ".join(r.text[a:b].strip() for r, a, b in spans), [p for r, a, b in spans for p in r.parts(a, b)]) for spans in entry.duties
    ]
    if "duties" in roles:
        made += [Told(roles["duties"], text, parts, at) for at, (text, parts) in enumerate(texts)]
    elif "description" in roles and texts:
        made.append(Told(roles["description"], " ".join(text for text, _ in texts), [part for _, parts in texts for part in parts]))
    return made, [span for row, a, b in entry.head for span in _split(row, a, b, whole="name" in roles)]


def _split(row: Row, start: int, end: int, *, whole: bool) -> Iterator[_Span]:
    """The parts of a head: at its separators, with a legal form or the code of a state as part of what is before it."""
    if whole:
        yield row, *_trimmed(row.text, start, end)
        return
    spans: list[tuple[int, int]] = []
    at = start
    for found in [*_SEPARATOR.finditer(row.text, start, end), None]:
        stop = found.start() if found else end
        a, b = _trimmed(row.text, at, stop)
        at = found.end() if found else end
        if not any(c.isalnum() for c in row.text[a:b]):
            continue
        text = row.text[a:b]
        if spans and (text.casefold().rstrip(".") in vocabulary().legal or _STATE.fullmatch(text)):
            spans[-1] = spans[-1][0], b
        else:
            spans.append((a, b))
    for a, b in spans:
        yield row, a, b


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] in " \t,;|()–—-•·:":
        start += 1
    while start < end and text[end - 1] in " \t,;|–—-•·:":
        end -= 1
    if start < end and text[end - 1] == ")" and "(" not in text[start:end]:
        end -= 1
    if start < end and text[end - 1] == "(":
        end -= 1
    return start, len(text[:end].rstrip()) if start < end else start


def _says(text: str, what: str) -> bool:
    known = _careers(what)
    words = [plain(word) for word in _WORD.findall(text)]
    return any(word in known for word in words) or (what == "school" and any(word.endswith(("universitaet", "schule")) for word in words))


def _careers(what: str) -> frozenset[str]:
    return frozenset(plain(word) for word in vocabulary().raw.careers[what])


def _organisation(text: str) -> bool:
    return any(plain(word) in vocabulary().organisation for word in _WORD.findall(text))


def _place(text: str) -> bool:
    words = [plain(word) for word in _WORD.findall(text)]
    return bool(words) and ((", " in text and _STATE.fullmatch(text[-2:]) is not None) or words[-1] in vocabulary().region)


def _named(kind: str, told: list[tuple[list[Told], list[_Span]]], roles: dict[str, Field]) -> Iterator[list[Told]]:
    """The entries with what their heads tell."""
    order = _order([spans for _, spans in told]) if kind == "work experience" else {}
    for known, spans in told:
        parts: Iterator[tuple[str, _Span]]
        if kind == "work experience":
            parts = _worked(spans, order)
        elif kind == "education":
            parts = _learned(spans)
        else:
            parts = _made(kind, spans)
        head = list(parts)
        described = "description" in {role for role, _ in head}
        yield [
            *(Told(roles[role], row.text[a:b], row.parts(a, b)) for role, (row, a, b) in head if role in roles and a < b),
            *(one for one in known if not (described and one.field is roles.get("description"))),
        ]


def _order(heads: list[list[_Span]]) -> dict[int, tuple[int, int]]:
    """Which part is the position and which the employer, by the number of parts, as the heads of that many parts say together."""
    made: dict[int, tuple[int, int]] = {}
    for count in {len(_employed(head)) for head in heads}:
        alike = [_employed(head) for head in heads if len(_employed(head)) == count]
        scored = [(0.1 if a < b else 0.0) - 0.2 * (a + b) + _fit(alike, a, b) for a in range(count) for b in range(count) if a != b]
        pairs = [(a, b) for a in range(count) for b in range(count) if a != b]
        if scored:
            made[count] = pairs[scored.index(max(scored))]
    return made


def _fit(heads: list[list[_Span]], a: int, b: int) -> float:
    """How well the parts at `a` are positions and those at `b` employers."""

    def post(span: _Span) -> int:
        return int(_says(span[0].text[span[1] : span[2]], "position")) - int(_organisation(span[0].text[span[1] : span[2]]))

    return sum(post(head[a]) - post(head[b]) for head in heads)


def _employed(head: list[_Span]) -> list[_Span]:
    return [span for span in head if not _place(span[0].text[span[1] : span[2]])][:3]


def _worked(head: list[_Span], order: dict[int, tuple[int, int]]) -> Iterator[tuple[str, _Span]]:
    parts = _employed(head)
    place = next((span for span in head if _place(span[0].text[span[1] : span[2]])), None)
    if len(parts) == 1:
        text = parts[0][0].text[parts[0][1] : parts[0][2]]
        if _says(text, "position") != _organisation(text):
            yield "position" if _says(text, "position") else "company", parts[0]
    elif parts:
        position, company = order[len(parts)]
        yield "position", parts[position]
        yield "company", parts[company]
        rest = [span for at, span in enumerate(parts) if at not in (position, company)]
        if place is None and rest and rest[0] is parts[-1] and len(rest[0][0].text[rest[0][1] : rest[0][2]].split()) <= 3:
            place = rest[0]
    if place is not None:
        yield "place", place


def _learned(head: list[_Span]) -> Iterator[tuple[str, _Span]]:
    degree = next((span for span in head if _degree(span[0].text[span[1] : span[2]])), None)
    others = [span for span in head if span is not degree and not _place(span[0].text[span[1] : span[2]])]
    school = next((span for span in others if _says(span[0].text[span[1] : span[2]], "school")), None)
    others = [span for span in others if span is not school]
    if degree is not None:
        row, start, end = degree
        cut = start + _degree(row.text[start:end])
        yield "degree", (row, start, cut)
        between = _IN.match(row.text, cut, end)
        if between is not None and between.end() < end:
            yield "study", (row, between.end(), end)
            if school is None and others:
                school = others.pop(0)
        elif others and others[0] is head[min(len(head) - 1, head.index(degree) + 1)]:
            yield "study", others[0]
    if school is not None:
        yield "school", school


def _degree(text: str) -> int:
    """Where a degree at the start of a text ends; 0 where there is none: `M.A.`, `Bachelor of Science`, `MSc`, `Diplom`."""
    dotted = _DOTTED.match(text)
    if dotted:
        return dotted.end()
    word = _WORD.match(text)
    if word is None or not (plain(word.group()) in _careers("degree") or (plain(word.group()).startswith("diplom"))):
        return 0
    of = _OF.match(text, word.end())
    return of.end() if of else word.end()


def _made(kind: str, head: list[_Span]) -> Iterator[tuple[str, _Span]]:
    for at, (row, start, end) in enumerate(head):
        split = _NAMED.match(row.text, start, end) if at == 0 else None
        if split is not None and kind == "projects":
            yield "name", (row, *split.span("name"))
            yield "description", (row, *_trimmed(row.text, *split.span("rest")))
            return
        if kind == "certifications":
            parts = list(_split(row, start, end, whole=False))
            yield from zip(("name", "issuer") if at == 0 else ("issuer",), parts, strict=False)
            if at == 1 or len(parts) > 1:
                return
        elif at == 0:
            yield "name", (row, start, end)
        elif at == 1 and len(row.text[start:end].split()) > 2:
            yield "description", (row, start, end)
