"""Labels that examples teach: an answer is looked for on the words of its document, and what stands before a value is what it is called.

    learned = synonyms([Worked(document, answer)], schema)        # as hints that instructions give: extract(..., learned=learned)

A label is the text before a value in its line, else the run of words left of it, else the one over it; the label of a column is its
heading. Nothing is learned that would do harm: a label that two fields share, or that is another field's own name, or by which the
engine answers the examples themselves worse than without it, is left.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from heliograph.extraction import embedded
from heliograph.extraction.agreement import OTHER, agreement
from heliograph.extraction.alignment import Alignment, Found
from heliograph.extraction.alignment.folding import fold
from heliograph.extraction.fields import kind_of
from heliograph.extraction.instructions import Hints
from heliograph.extraction.result import FieldPath, Path, field_path, walk
from heliograph.extraction.schema import Field, Schema
from heliograph.extraction.segments import Segment, Sheet, sheets
from heliograph.extraction.vocabulary import Tokens, split_name, tokens_of, vocabulary
from heliograph.media.document import Document
from heliograph.media.geometry import Box

LEARNED = 0.9
"""Weight of a learned label; a field's own name weighs 1, so that it wins where both are there. Measured on drawn documents, 2026-11-21:
four examples of a kind bring 40 of 1,634 values more and cost none; at 1 they bring 45 and cost two."""
_PAGES, _ALL_PAGES = 4, 16
"""Pages of an example, and of all together, that are learned from: at most some 5 s of CPU, once in a process."""
_WORDS, _LETTERS = 5, 60
"""The most words and characters that a label has."""
_OVER = 2.2
"""Heights of a line over a value within which its label stands."""
_HEAD = 40
"""Rows over the first of a list's entries within which its headings stand."""
_KNOWN = 0.9
"""Fit of the label beside a value from which on it is one that the field has anyway."""
_ROUNDS = 3
"""Times that labels are tried on the examples, and those that do harm are left."""
_ENDS = re.compile(r"[:;|]|\d")
_TELLING = 4
"""Characters of a value by which it is known inside other words."""
_NAMES = frozenset({"org", "person", "person1", "name", "address", "street", "city", "state", "postal", "country"})
"""Kinds of values that stand in blocks, where the line over them is mostly another line of the block."""
_EDGES = " \t:;|.,#*-–—=()[]/•"


class Worked(msgspec.Struct, frozen=True):
    """A document with its right answer, in the shape of the schema."""

    document: Document
    answer: Any


def synonyms(examples: Sequence[Worked], schema: Schema) -> Hints:
    """Further labels of the fields of `schema`, as the examples show them. Empty where they show none that help."""
    examples = list(_first_pages(examples))
    shown: dict[tuple[FieldPath, Tokens], set[int]] = {}
    for number, example in enumerate(examples):
        for label in _labels(example, schema):
            shown.setdefault(label, set()).add(number)
    owners = Counter(tokens for _, tokens in shown)
    named = {tokens_of(split_name(field.name)): field.path for field in schema.root.leaves()}
    shown = {(path, tokens): of for (path, tokens), of in shown.items() if owners[tokens] == 1 and named.get(tokens, path) == path}
    return _helpful(shown, examples, schema)


def _first_pages(examples: Iterable[Worked]) -> Iterator[Worked]:
    """The examples with the pages that are learned from: each is answered several times."""
    left = _ALL_PAGES
    for one in examples:
        pages = one.document.pages[: min(_PAGES, left)]
        if pages:
            left -= len(pages)
            yield Worked(msgspec.structs.replace(one.document, pages=pages), one.answer)


def _helpful(shown: Mapping[tuple[FieldPath, Tokens], set[int]], examples: Sequence[Worked], schema: Schema) -> Hints:
    """Of the labels, each with the examples that show it, those by which the engine answers one of these examples better than without, and
    that cost no field its value."""
    if not shown:
        return {}
    before = [_right(example, schema, {}) for example in examples]
    for _ in range(_ROUNDS):
        learned: Hints = {}
        for path, tokens in shown:
            learned.setdefault(path, {})[tokens] = LEARNED
        after = [_right(example, schema, learned) for example in examples] if learned else before
        lost = {path for old, new in zip(before, after, strict=True) for path, right in old.items() if right > new[path]}
        kept = {
            (path, tokens): of
            for (path, tokens), of in shown.items()
            if path not in lost and any(after[number][path] > before[number][path] for number in of)
        }
        if len(kept) == len(shown):
            return {} if lost else learned  # a label cost another field its value, and it cannot be told which
        shown = kept
    return {}


def _right(example: Worked, schema: Schema, learned: Hints) -> Counter[FieldPath]:
    """How many values of each field the embedded engine finds on the example, as its answer has them."""
    extraction = embedded.extract(example.document, schema, learned=learned)
    said = dict(walk(extraction.values))
    right: Counter[FieldPath] = Counter()
    for path, value in walk(example.answer):
        if value is not None and agreement(value, said.get(path)) != OTHER:
            right[field_path(path)] += 1
    return right


def _labels(example: Worked, schema: Schema) -> Iterator[tuple[FieldPath, Tokens]]:
    """Each field of the answer with what its value is called on the document."""
    found = Alignment(example.document.pages).find(example.answer, schema)
    page = {sheet.page.index: sheet for sheet in sheets(example.document)}
    kinds = {field.path: field for field in schema.root.leaves()}
    values = _Values(found, page)
    said = Counter(fold(str(value)) for _, value in walk(example.answer) if value is not None and value != "")
    for path, one in found.items():
        if not one.leaf.evidence or one.leaf.match in ("none", "computed", "model") or isinstance(one.leaf.value, bool):
            continue
        if any(isinstance(step, int) for step in path) or field_path(path) not in kinds:
            continue
        if said[fold(str(one.leaf.value))] > 1:
            continue  # two fields have it, and either may be what the label is of
        if one.label < _KNOWN and (one.places == 1 or one.label > 0):
            for text in values.labels(path, kinds[field_path(path)]):
                if (tokens := _tokens(text)) and not _part_of(text, said):
                    yield field_path(path), tokens
    yield from values.headings(found, kinds)


def _part_of(text: str, values: Iterable[str]) -> bool:
    """Whether a text is a value, a part of one, or has one in it."""
    own = fold(text)
    return any(own in value or (len(value) >= _TELLING and value in own) for value in values)


def _tokens(text: str) -> Tokens:
    """The tokens of a text that may be a label; none of one that is not."""
    text = text.strip(_EDGES)
    words = text.split()
    letters = sum(c.isalpha() for c in text)
    if not 0 < len(words) <= _WORDS or len(text) > _LETTERS or letters < 2 or any(c.isdigit() for c in text):
        return ()
    tokens = tokens_of(text)
    told = any(vocabulary().weight(token) >= 1.0 for token in tokens)
    return tokens if told and not vocabulary().legal.intersection(tokens) else ()


class _Values:
    """Where the values of an answer stand on its document, as spans of the text of segments."""

    def __init__(self, found: Mapping[Path, Found], page: Mapping[int, Sheet]) -> None:
        self._at: dict[Path, tuple[Segment, int]] = {}
        self._taken: set[int] = set()
        for path, one in found.items():
            for number, part in enumerate(one.leaf.evidence):
                place = _segment(page.get(part.box.page), part.box)
                if place is not None:
                    self._taken.add(id(place[0]))
                    if number == 0:
                        self._at[path] = place
        self._sheets = page

    def labels(self, path: Path, field: Field) -> Iterator[str]:
        """What the value at `path` may be called: the words before it in its segment, left of it, over it."""
        if path not in self._at:
            return
        segment, start = self._at[path]
        before = segment.text[:start].rstrip(_EDGES)
        if before:
            colon = segment.text[len(before) : start].strip() in (":", "=")
            if colon or (segment.text[start - 1] in " #" and kind_of(field) not in _NAMES):  # else it is a part of a word or address
                yield _last(before)
            return
        sheet = segment.sheet
        left = [other for other in sheet.rows[segment.row] if other.x1 <= segment.x0 + 0.5 * segment.height]
        beside = left[-1] if left else None
        if beside is not None and id(beside) not in self._taken:
            yield beside.text
            if beside.text.rstrip().endswith(":"):
                return
        top, height = segment.y0, segment.height
        higher = [other for row in sheet.rows[: segment.row] for other in row if other.share(segment) > 0.3]
        over = [other for other in higher if -0.3 * height <= top - other.y1 <= _OVER * height]
        if over and id(over[-1]) not in self._taken and (kind_of(field) not in _NAMES or _heads(over)):
            yield over[-1].text

    def headings(self, found: Mapping[Path, Found], kinds: Mapping[FieldPath, Field]) -> Iterator[tuple[FieldPath, Tokens]]:
        """The fields of lists with the headings of their columns: a row over the first entry in which several of them are headed."""
        lists: dict[FieldPath, dict[FieldPath, Segment]] = {}
        for path in found:
            steps = [number for number, step in enumerate(path) if isinstance(step, int)]
            field = field_path(path)
            if len(steps) == 1 and steps[0] < len(path) - 1 and path in self._at and field in kinds:
                columns = lists.setdefault(field_path(path[: steps[0]]), {})
                columns.setdefault(field, self._at[path][0])
        for columns in lists.values():
            yield from self._headed(columns)

    def _headed(self, columns: Mapping[FieldPath, Segment]) -> Iterator[tuple[FieldPath, Tokens]]:
        first = min(columns.values(), key=lambda segment: (segment.page, segment.y0))
        rows = first.sheet.rows[max(0, first.row - _HEAD) : first.row]
        for row in reversed(rows):
            heads: dict[FieldPath, Segment] = {}
            for field, cell in columns.items():
                over = [head for head in row if cell.page == first.page and head.share(cell) > 0.3 and id(head) not in self._taken]
                if len(over) == 1 and _tokens(over[0].text):
                    heads[field] = over[0]
            if len(heads) >= 2 and len({id(head) for head in heads.values()}) == len(heads):
                for field, head in heads.items():
                    yield field, _tokens(head.text)
                return


def _heads(over: Sequence[Segment]) -> bool:
    """Whether the last of the segments over a value is a heading: it ends as labels do, or nothing stands right over it."""
    label = over[-1]
    return label.text.rstrip().endswith(":") or len(over) < 2 or label.y0 - over[-2].y1 > 0.8 * label.height


def _segment(sheet: Sheet | None, box: Box) -> tuple[Segment, int] | None:
    """The segment that the words under `box` are part of, and the character of it at which they begin."""
    if sheet is None:
        return None
    width, height = sheet.page.width, sheet.page.height
    x, y = box.x * width, box.cy * height
    for segment in sheet.segments:
        if segment.y0 <= y <= segment.y1 and segment.x0 - 1 <= x + 0.5 <= segment.x1 + 1:
            word = next(
                (n for n, index in enumerate(segment.words) if sheet.page.words[index].box.x1 * width > x + 0.5), len(segment.words) - 1
            )
            inside = sheet.page.words[segment.words[word]].box
            share = (box.x - inside.x) / inside.w if inside.w > 0 else 0.0
            skipped = round(max(0.0, min(1.0, share)) * len(sheet.page.words[segment.words[word]].text))
            return segment, segment.offsets[word] + skipped
    return None


def _last(before: str) -> str:
    """Of the words before a value in its segment, those after the last colon or number."""
    ends = [found.end() for found in _ENDS.finditer(before)]
    return before[ends[-1] :] if ends else before
