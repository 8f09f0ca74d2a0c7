"""Identifiers that a label names: `MRN: 4471`, a column headed `Member ID`, a box with `Patient name` over it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from importlib.resources import files

import msgspec

from heliograph.extraction.redaction.found import Category, Findings, Passage
from heliograph.extraction.redaction.people import bare, is_name, lists
from heliograph.extraction.segments import Segment, Sheet
from heliograph.extraction.vocabulary import tokens_of, vocabulary


class Lists(msgspec.Struct, frozen=True):
    """`labels.json`. In `numbers`, `{no}` stands for one of `no`, `{no?}` for one or nothing; `people` and `acts` (`ordered by`) label
    names by themselves, with an office (`provider`) and with `name`; `whose` may stand before the label of an address or a phone;
    `others` label what identifies nobody."""

    numbers: dict[Category, list[str]]
    no: list[str]
    people: list[str]
    offices: list[str]
    names: list[str]
    acts: list[str]
    employers: list[str]
    whose: list[str]
    addresses: list[str]
    phones: list[str]
    faxes: list[str]
    mails: list[str]
    births: list[str]
    others: list[str]


def _either(phrases: Iterable[str]) -> str:
    """A pattern for any of these phrases, whatever blanks they are written with."""
    made: list[str] = []
    for phrase in sorted(phrases, key=len, reverse=True):
        written = re.escape(phrase).replace("\\ ", r"\s*" if "/" in phrase or "#" in phrase else r"\s+")
        made.append(written.replace("'", "['’]?"))
    return "|".join(made)


class _Labels:
    """The patterns of labels."""

    def __init__(self, lists: Lists) -> None:
        no = rf"(?:\s*(?:{'|'.join(re.escape(one) for one in lists.no if one[0].isalpha())})\b\.?|\s*[#№])"
        self.numbers: list[tuple[Category, re.Pattern[str]]] = []
        self.inline: list[tuple[Category, re.Pattern[str]]] = []
        value = r"(?P<value>[A-Za-z]{0,6}[-#]?\d[\w\-/.]*(?:[ -]\d[\w-]*)*|[A-Za-z0-9]*\d[\w\-/]*)"
        for category, phrases in lists.numbers.items():
            bare = [phrase.replace(" {no}", "\0").replace(" {no?}", "\1") for phrase in phrases]
            words = _either(bare).replace("\0", rf"\.?(?:{no})+").replace("\1", rf"\.?(?:{no})*")
            self.numbers.append((category, re.compile(words, re.I)))
            sign = r"\s*[:#.=\-–]*\s*(?:is\s+)?"
            self.inline.append((category, re.compile(rf"(?<![\w/-])(?:{words})(?![\w-]){sign}{value}", re.I)))
        aside = r"(?:\s*\([^()]{1,40}\))?"
        who = rf"(?:{_either(lists.people)})(?:['’]?s)?(?:\s+(?:{_either(lists.offices)}))?(?:['’]?s)?"
        first = r"(?:(?:full|legal|last|first|middle|given|family|maiden|preferred)\s+)?names?"
        acted = rf"(?:{_either(lists.acts)})\s+(?:by|to)"
        named = rf"(?:{who})(?:\s+{first})?|{acted}(?:\s+{first})?|{_either(lists.names)}"
        self.name = re.compile(rf"(?:{named}){aside}", re.I)
        self.name_inside = re.compile(rf"(?<![\w-])(?:{who}(?:\s+{first})?|{acted}|{first}|surname)\s*:\s*", re.I)
        self.employer = re.compile(_either(lists.employers), re.I)
        whose = rf"(?:(?:{_either(lists.whose)})\s+)*"
        self.address = re.compile(rf"{whose}(?:{_either(lists.addresses)}){aside}", re.I)
        counted = rf"(?:{no})*{aside}"
        self.phone = re.compile(rf"{whose}(?:{_either(lists.phones)}){counted}", re.I)
        self.fax = re.compile(rf"{whose}(?:{_either(lists.faxes)}){counted}", re.I)
        self.mail = re.compile(rf"{whose}(?:{_either(lists.mails)}){aside}", re.I)
        self.other = re.compile(_either(lists.others), re.I)
        self.date = re.compile(
            rf"{_either(lists.births)}|(?:[a-z]+\s+){{0,2}}dates?(?:\s*(?:/|&|and)\s*time)?(?:\s+(?:of|of the)\s+\w+(?:\s+\w+)?|\s+\w+)?",
            re.I,
        )


@cache
def _labels() -> _Labels:
    read = files("heliograph.extraction.redaction").joinpath("labels.json").read_bytes()
    return _Labels(msgspec.json.decode(read, type=Lists))


_ENDS = re.compile(
    r"\s{2,}|\s[|•·]\s|;|\s\(|\s[–—]\s|\d|,?\s+(?=[A-Za-z][\w'./ ]{0,24}(?<!Dr)(?<!Jr)(?<!Sr):)"
    r"|,?\s+\b(?:DOB|MRN|SSN|Age|Sex|Gender|Phone|Fax|NPI|ID|Date|DOS|Room|Acct)\b"
)
"""What a labelled name ends before."""
_AMOUNT = re.compile(r"\W*[$€£]\s*[\d,.]+\W*|\W*\d[\d,]*\.\d{2}\W*")
_LINES = 4
"""Lines that a labelled address has at most."""


def labelled(sheet: Sheet, findings: Findings) -> None:
    """Add what labels name on a page."""
    for segment in sheet.segments:
        passage = Passage(sheet.page, segment.words)
        inline(passage, findings)
        _rest(sheet, segment, passage, findings)
    _columns(sheet, findings)


def inline(passage: Passage, findings: Findings) -> None:
    """Add the numbers that a label stands before in running text."""
    for category, pattern in _labels().inline:
        for m in pattern.finditer(passage.text):
            if _long_enough(category, m["value"]):
                findings.add(category, passage, *m.span("value"))


def _long_enough(category: Category, value: str) -> bool:
    digits = sum(c.isdigit() for c in value)
    if re.fullmatch(r"\d{1,2}[.)]?", value):  # the number of the next box of a form
        return False
    return digits >= (3 if category in {"health_plan_number", "other", "device", "account_number"} else 2)


@lru_cache(maxsize=8192)
def label_of(text: str) -> Category | None:
    """The kind of identifier that `text`, as a whole, is a label of."""
    label = re.sub(r"^[\W_]*(?:\d{1,2}[a-z]?[.)]?\s+)?", "", text).rstrip(" :.*?_-–=").strip()
    if not label or len(label) > 60:
        return None
    labels = _labels()
    contacts: tuple[tuple[Category, re.Pattern[str]], ...] = (("fax", labels.fax), ("email", labels.mail), ("phone", labels.phone))
    places: tuple[tuple[Category, re.Pattern[str]], ...] = (("address", labels.address), ("date", labels.date), ("name", labels.name))
    if labels.employer.fullmatch(label):
        return "name"
    for category, pattern in (*contacts, *labels.numbers, *places):
        if pattern.fullmatch(label):
            return category
    return None


def _is_label(segment: Segment) -> bool:
    text = segment.text.strip()
    if re.match(r"\d{1,2}[a-z]?\.\s+[A-Z]", text) or _labels().other.fullmatch(text.rstrip(" :")):
        return True
    return text.endswith(":") or label_of(text) is not None or tokens_of(text.rstrip(":")) in vocabulary().every_label


def _rest(sheet: Sheet, segment: Segment, passage: Passage, findings: Findings) -> None:
    text = passage.text
    alone = label_of(text)
    if alone is not None:
        for value in _values(sheet, segment, alone, loose=_is_loose(text)):
            _take(sheet, alone, value, Passage(sheet.page, value.words), 0, findings, loose=_is_loose(text))
        return
    # label: value, in one
    colon = re.match(r"\s*([^:\d][^:]{0,58}?)\s*[:=]\s*(?=\S)", text)
    if colon and (category := label_of(colon[1])) is not None:
        _take(sheet, category, segment, passage, colon.end(), findings, loose=_is_loose(colon[1]))
    else:
        _unmarked(sheet, segment, passage, findings)
    for m in _labels().name_inside.finditer(text):
        _take(sheet, "name", segment, passage, m.end(), findings)
    for m in re.finditer(r"(?<=[\s,;])([A-Za-z][A-Za-z /'.]{1,40}?)\s*:\s*(?=\S)", text):
        words = m[1].split()
        for count in range(len(words), 0, -1):
            category = label_of(" ".join(words[-count:]))
            if category is not None:
                _take(sheet, category, segment, passage, m.end(), findings)
                break


def _unmarked(sheet: Sheet, segment: Segment, passage: Passage, findings: Findings) -> None:
    """A label and its value with nothing but a blank between them: `Name Ada Quill`."""
    words = passage.text.split(" ")
    for count in range(min(len(words) - 1, 5), 0, -1):
        category = label_of(" ".join(words[:count]))
        rest = " ".join(words[count:])
        if category == "name" and len(words) - count > 1 and is_name(rest) and not any(word.islower() for word in words[count:]):
            _take(sheet, category, segment, passage, len(passage.text) - len(rest), findings)
            return
        if category == "address" and any(c.isdigit() for c in rest):
            _address(sheet, segment, passage, len(passage.text) - len(rest), findings, town=False)
            return


def _values(sheet: Sheet, label: Segment, category: Category, *, loose: bool) -> Iterator[Segment]:
    """What a label that stands by itself is about: beside it, or else below it, or above it where that is nearer."""
    colon = label.text.rstrip().endswith(":")
    beside = next(sheet.right_of(label), None)
    if beside is None or _is_label(beside):
        for other in _across(sheet, label):
            if loose or _fits(category, other.text):
                yield other
    elif colon or beside.x0 - label.x1 < 30 * label.height:
        yield beside
        if category in {"address", "name"}:
            more = next((other for other in sheet.right_of(label) if other is not beside), None)
            if more is not None and not _is_label(more) and more.x0 - beside.x1 < 3 * label.height:
                yield more
        if colon:
            return
    below = next((other for other in sheet.below(label, reach=2.2) if _in_column(other, label)), None)
    above = None if colon else _above(sheet, label)
    nearer = below is not None and above is not None and label.y0 - above.y1 < below.y0 - label.y1
    taken = beside is not None and not _is_label(beside) and (loose or _fits(category, beside.text))
    if below is not None and not _is_label(below) and not taken and (not nearer or _fits(category, below.text)):
        yield below
    if above is not None and not _is_label(above) and (loose or _fits(category, above.text)):
        yield above


def _across(sheet: Sheet, label: Segment) -> Iterator[Segment]:
    """What stands to the right of a label, half a line higher or lower, as on a sheet that lies askew."""
    for row in sheet.rows[max(label.row - 2, 0) : label.row + 3]:
        for other in row:
            if other.x0 > label.x1 and abs(other.cy - label.cy) < label.height and not other.on_end and not _is_label(other):
                yield other


def _in_column(value: Segment, label: Segment) -> bool:
    return value.share(label) > 0.2 or abs(value.x0 - label.x0) < label.height


def _above(sheet: Sheet, label: Segment) -> Segment | None:
    """What stands right over a label, as where forms print the label in small under the line that was written on."""
    for row in reversed(sheet.rows[: label.row]):
        for other in row:
            if (
                not other.on_end
                and _in_column(other, label)
                and -label.height < label.y0 - other.y1 < 1.7 * max(label.height, other.height)
            ):
                return other
        if row and label.y0 - max(other.y1 for other in row) > 3 * label.height:
            return None
    return None


_TOWN = re.compile(
    r"\b(?:city|town|county|birth\s?place|place of birth|residence|municipality|precinct|neighborhood|hometown|street)\b", re.I
)


def _is_loose(label: str) -> bool:
    return bool(_labels().employer.fullmatch(label.strip(" :")) or _TOWN.search(label))


def _fits(category: Category, text: str) -> bool:
    if category == "name":
        return is_name(text)
    if category == "address":
        return any(c.isdigit() for c in text) or "," in text
    return any(c.isdigit() for c in text) or category == "email"


def _take(
    sheet: Sheet, category: Category, segment: Segment, passage: Passage, start: int, findings: Findings, *, loose: bool = False
) -> None:
    """Add the value that begins at `start` of a segment and is of this kind, if it can be one. `loose`: its label is an employer's or a
    town's, so that any words will do."""
    text = passage.text
    if category != "address" and _AMOUNT.fullmatch(text[start:]):
        return
    if category == "name":
        ends = _ENDS.search(text, start)
        end = ends.start() if ends and ends.start() > start else len(text) if not ends else start
        value = text[start:end].strip(" ,.;")
        words = value.split()
        if len(words) > 8 or (len(words) > 5 and not loose and "," not in value):
            return
        if value and (is_name(value) or (loose and value.lower() not in {"none", "n/a", "self", "retired", "unemployed", "self-employed"})):
            at = text.index(value, start)
            first, last = (0, len(value)) if loose else bare(value)
            findings.add("name", passage, at + first, at + last)
        return
    if category == "address":
        _address(sheet, segment, passage, start, findings, town=loose)
        return
    if category in {"date", "phone", "fax", "email"}:
        value = text[start:]
        if category == "email":
            if "@" in value:
                findings.add("email", passage, start, start + len(value.split()[0]))
            return
        m = re.match(r"\W*(?:[A-Za-z]{3,9}\.?\s+)?[(+]?\d[\d\s().\-/–,:]*(?:[A-Za-z]{3,9}[\s.,]*\d[\d\s,]*)?", value)
        digits = sum(c.isdigit() for c in m.group()) if m else 0
        if (
            m
            and digits >= (6 if category != "date" else 3)
            and not (category == "date" and re.fullmatch(r"\W*(?:19|20)\d{2}\W*", m.group()))
        ):
            found = re.search(r"\d\W*$", m.group())
            findings.add(category, passage, start, start + (found.start() + 1 if found else len(m.group())))
        return
    m = re.match(r"\W{0,3}((?:[A-Za-z]{1,6}[ -]?)?[\w\-/.]*\d[\w\-/.]*(?:[ -][\w\-/.]*\d[\w\-/.]*)*)", text[start:])
    if m and _long_enough(category, m[1]):
        findings.add(category, passage, start + m.start(1), start + m.end(1))


def _address(sheet: Sheet, segment: Segment, passage: Passage, start: int, findings: Findings, *, town: bool) -> None:
    """A labelled address with the lines of it below, to the next label; `town`: its label allows a name alone."""
    text = passage.text
    following = re.search(r"\s+(?:[A-Za-z][\w'./ ]{1,24}:|(?:Phone|Tel|Fax|DOB|MRN|Email)\b)", text[start:])
    end = start + following.start() if following else len(text)
    if not (_fits("address", text[start:end]) or town) or text[start:end].strip().lower() in lists().never | {"same as above", "n/a"}:
        return
    findings.add("address", passage, start, end)
    if following:
        return
    last = segment
    x0 = segment.x0 if start == 0 else sheet.page.words[passage.parts(start, start + 1)[0].word].box.x * sheet.page.width
    for _ in range(_LINES - 1):
        below = next((other for other in sheet.below(last, reach=1.0) if abs(other.x0 - x0) < 1.5 * last.height), None)
        if below is None or _is_label(below) or re.match(r"[^:]{1,30}:", below.text) or len(below.text) > 60:
            return
        if not (re.search(r"\d", below.text) or re.search(r",\s*[A-Z]", below.text)):
            return
        findings.add("address", Passage(sheet.page, below.words), 0, len(below.text))
        last = below


def _columns(sheet: Sheet, findings: Findings) -> None:
    """The cells of columns whose heads are labels."""
    for table in sheet.page.tables:
        heads: dict[int, tuple[Category | None, bool]] = {}
        for cell in sorted(table.cells, key=lambda cell: cell.row):
            if not cell.words or cell.column_span > 1:
                continue
            category = label_of(cell.text)
            numbered = re.match(r"\d{1,2}[a-z]?[.)]?\s+[A-Z][a-z]", cell.text)
            if category is not None or numbered or _labels().other.fullmatch(cell.text.strip(" :")):
                heads[cell.column] = category, _is_loose(cell.text)
                continue
            category, employer = heads.get(cell.column, (None, False))
            if category is None:
                continue
            passage = Passage(sheet.page, cell.words)
            if category == "address":
                findings.add("address", passage, 0, len(passage.text))
            else:
                _take(sheet, category, Segment(sheet, cell.words, 0), passage, 0, findings, loose=employer)
