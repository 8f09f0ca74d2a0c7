"""Whatever a model says about whatever was read, looking it up ends, changes no value and cites only what is there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.extraction.alignment import Alignment
from heliograph.extraction.combining import combine
from heliograph.extraction.embedded import extract
from heliograph.extraction.schema import compile_schema
from heliograph.media.document import Cell as TableCell
from heliograph.media.document import Document, Line, Page, Table, Word
from heliograph.media.geometry import Box
from tests.unit.extraction.drawing import page

NAUGHTY = [
    "", " ", "\x00", "\ufeff", "\u202e\u0000", "\ufdfa", "\ufb00\ufb01\ufb02", "Ａ１", "İ", "ß", "ǅ", "𝒜𝓁𝓁", "👩\u200d👩\u200d👧",
    "\u0663\u0664\u0665", "½", "Ⅷ", "e\u0301" * 40, "NaN", "-1E+02", "1/0", "0x7f", "1.2.3", "10.0.0.1", "$", "()", "-", "NULL",
    "9" * 400, "1,,2", "2001-13-45", "0000-00-00", "24:61", "日本語テキスト", "ไทย", "שלום", "☒",
]  # fmt: skip
texts = st.one_of(st.sampled_from(NAUGHTY), st.text(max_size=30), st.from_regex(r"[0-9.,/ -]{1,14}", fullmatch=True))
scalars = st.one_of(texts, st.integers(), st.floats(allow_nan=False), st.booleans(), st.none())
answers: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from("abcde"), inner, max_size=4)),
    max_leaves=12,
)
fractions = st.floats(0, 1)


@st.composite
def pages(draw: st.DrawFn) -> Page:
    words: list[Word] = []
    count = draw(st.integers(0, 14))
    for _ in range(count):
        x, y = draw(fractions), draw(fractions)
        box = Box(x, y, draw(st.floats(0, 0.3)) * (1 - x), draw(st.floats(0, 0.05)) * (1 - y))
        words.append(Word(draw(texts), box, draw(fractions), draw(st.integers(-1, 3))))
    lines = [Line("", words[0].box, [i for i, word in enumerate(words) if word.line == line]) for line in range(4)] if words else []
    cells = [TableCell("", words[0].box, 0, 0, words=draw(st.lists(st.integers(0, count - 1), max_size=3)))] if words else []
    return Page(0, 600, 800, words, lines, tables=[Table(words[0].box, 1, 1, cells)] if words else [])


ANY = compile_schema({})
SHAPED = compile_schema(
    {
        "properties": {
            "a": {"type": "string", "format": "date"},
            "b": {"type": "number"},
            "c": {"type": "boolean"},
            "d": {"enum": ["x", "Rechnung", None]},
            "e": {"type": "array", "items": {"properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}},
        }
    }
)


@settings(deadline=None)
@given(st.lists(pages(), max_size=2), answers, st.booleans())
def test_looking_up_anything_ends_and_cites_only_what_is_there(read: list[Page], said: Any, shaped: bool) -> None:
    for index, one in enumerate(read):
        one.index = index
    found = Alignment(read).find(said, SHAPED if shaped else ANY)
    for path, one in found.items():
        value = said
        for step in path:
            value = value[step]
        assert one.leaf.value is value
        assert (one.leaf.match == "none") == (not one.leaf.evidence)
        for part in one.leaf.evidence:
            assert part.content in " ".join(word.text for page in read for word in page.words) or one.leaf.match == "computed"
            assert part.box.x >= -1e-9
            assert part.box.x1 <= 1 + 1e-9
            assert part.box.y1 <= 1 + 1e-9


@settings(deadline=None, max_examples=40)
@given(pages(), answers)
def test_combining_anything_gives_an_answer_of_the_models_shape(read: Page, said: Any) -> None:
    document = Document("application/pdf", 1, [read])
    made = combine(said, SHAPED, Alignment([read]).find(said, SHAPED), extract(document, SHAPED))
    assert all(0.0 <= leaf.probability <= 1.0 for leaf in made.leaves.values())


@pytest.mark.parametrize("value", [pytest.param(10**5000, id="endless"), float("nan"), float("inf"), 1e308, 5e-324])
def test_numbers_that_no_page_can_hold_are_not_supported(value: float) -> None:
    found = Alignment([page("Total 12.00")]).find({"total": value}, ANY)
    assert found[("total",)].leaf.match == "none"


@pytest.mark.parametrize("text", NAUGHTY)
def test_a_page_of_one_strange_text_is_looked_at(text: str) -> None:
    found = Alignment([page(f"Label: {text} end")]).find({"a": text, "b": f"x{text}", "c": [text, text]}, ANY)
    assert len(found) == 4
