"""Examples of a skill: read once, shown whole, remembered, and no request fails for one."""

from __future__ import annotations

from typing import Any

from heliograph.errors import NotFound
from heliograph.extraction.examples import Lessons, laid_out
from heliograph.extraction.plan import Example
from heliograph.extraction.schema import compile_schema
from heliograph.media.document import Document

from .drawing import document

SCHEMA = compile_schema(
    {"type": "object", "properties": {"invoice_number": {"type": ["string", "null"]}, "total": {"type": ["number", "null"]}}}
)
TEXT = "Fakturo: 8841-B\nSumo: 77.50\n"
ANSWER = {"invoice_number": "8841-B", "total": 77.5}


class Files:
    """`Examples` of one document. `asked`: the paths that were asked for."""

    def __init__(self, found: Document | None = None) -> None:
        self.found = found
        self.asked: list[str | None] = []

    async def document(self, example: Example) -> Document:
        self.asked.append(example.path)
        if self.found is None:
            raise NotFound("The package has no such file.")
        return self.found


def _file(path: str, **changes: Any) -> Example:
    return Example(answer=ANSWER, package="ab" * 32, path=path, **changes)


async def test_text_and_files_teach_the_same_labels() -> None:
    text = await Lessons([Example(answer=ANSWER, text=TEXT)]).labels(SCHEMA)
    files = await Lessons([_file("resources/a.pdf")], Files(document("Fakturo: 8841-B\nSumo: 77.50"))).labels(SCHEMA)
    assert text == files
    assert [*text[("total",)]] == [("sumo",)]


async def test_what_a_process_learned_is_not_learned_again() -> None:
    files = Files(document("Kodfako: 8841-B\nSumo: 77.50"))
    first = await Lessons([_file("resources/b.pdf")], files).labels(SCHEMA)
    assert await Lessons([_file("resources/b.pdf")], files).labels(SCHEMA) == first
    assert files.asked == ["resources/b.pdf"]


async def test_an_example_that_cannot_be_read_is_told_of_and_asked_for_again_by_the_next_request() -> None:
    missing = Lessons([_file("resources/c.pdf"), Example(answer=ANSWER, text=TEXT)], Files())
    assert ("total",) in await missing.labels(SCHEMA)
    assert [shown.answer for shown in await missing.shown(SCHEMA)] == [ANSWER]
    assert missing.warnings == ["example_not_read: resources/c.pdf: The package has no such file."]
    files = Files(document("Fakturo: 8841-B"))
    await Lessons([_file("resources/c.pdf"), Example(answer=ANSWER, text=TEXT)], files).labels(SCHEMA)
    assert files.asked == ["resources/c.pdf"]


async def test_without_a_place_for_files_those_are_left_out() -> None:
    lessons = Lessons([_file("resources/d.pdf")])
    assert (await lessons.labels(SCHEMA), await lessons.shown(SCHEMA)) == ({}, [])
    assert lessons.warnings == ["example_not_read: resources/d.pdf: files of skills cannot be read here"]


async def test_a_model_is_shown_what_the_schema_asks_for_and_nothing_that_it_does_not() -> None:
    answers = [{"total": 77.5, "secret": "x"}, {"other": 1}, {"total": None}]
    shown = await Lessons([Example(answer=answer, text=TEXT) for answer in answers]).shown(SCHEMA)
    assert [(one.text, one.answer) for one in shown] == [(TEXT.strip(), {"total": 77.5})]


async def test_each_of_several_schemas_has_examples_of_its_own() -> None:
    lessons = Lessons([Example(answer=ANSWER, text=TEXT, choice="bill"), Example(answer={"total": 1.0}, text="Aliaj 1.00", choice="claim")])
    assert [shown.choice for shown in await lessons.shown(SCHEMA, "bill")] == ["bill"]
    assert await lessons.labels(SCHEMA, "claim") == {}
    assert await lessons.labels(SCHEMA) == {}


def test_separated_values_are_a_table() -> None:
    page = laid_out("Varo,Prezo\nFero,19.00\n\nStano,3.75\n", separated=True).pages[0]
    assert [(table.rows, table.columns, table.header_rows) for table in page.tables] == [(3, 2, 1)]


def test_long_text_is_laid_out_on_a_bounded_number_of_pages() -> None:
    assert 1 < len(laid_out("word " * 4_000).pages) <= 20
    assert len(laid_out("line\n" * 10_000).pages) == 20
