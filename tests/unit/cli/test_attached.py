from __future__ import annotations

from pathlib import Path

import pytest
import typer

from heliograph.cli.answering import Here
from heliograph.cli.attached import Attached, item
from heliograph.cli.question import ask
from heliograph.config import Settings
from heliograph.errors import NotFound
from heliograph.extraction.plan import Example
from heliograph.perception.reader import Reader
from heliograph.skills import preinstalled

SKILL = {
    "SKILL.md": "---\nname: ferry\n---\nRead the note.",
    "schema.json": '{"type": "object", "properties": {"fare": {"type": "number"}}}',
    "resources/a.html": "<p>Faehrgeld: 12.50</p>",
    "resources/a.json": '{"fare": 12.5}',
}


def folder(where: Path, **more: str) -> Path:
    for name, content in (SKILL | more).items():
        path = where / "ferry" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return where / "ferry"


def test_a_name_asks_for_a_skill_and_a_colon_for_its_version() -> None:
    assert item("invoice-extraction") == {"type": "skill_reference", "skill_id": "invoice-extraction", "skill_version": "latest"}
    assert item("orders:20261121-0a1b2c3d")["skill_version"] == "20261121-0a1b2c3d"
    assert ask(skill="orders").config["skills"] == [item("orders")]


@pytest.mark.parametrize("given", ["no/such/folder", "skill.zip", "./orders", "SKILL.md"])
def test_what_is_neither_a_folder_nor_a_name_is_refused(given: str) -> None:
    with pytest.raises(typer.BadParameter, match="no folder, and no name"):
        item(given)


def test_what_tools_leave_behind_does_not_travel_with_a_folder(tmp_path: Path) -> None:
    before = item(folder(tmp_path))
    folder(tmp_path, **{".git/HEAD": "x", "__pycache__/a.pyc": "x"})
    assert item(tmp_path / "ferry") == before


def test_a_preinstalled_skill_answers_here_by_its_name(settings: Settings) -> None:
    plan = Here(ask(skill="invoice-extraction"), settings).plan("document")
    assert plan.schema_from == "skill"
    assert plan.examples
    (used,) = plan.skills
    assert used.version == f"{preinstalled.first_made('invoice-extraction'):%Y%m%d}-{used.hash[:8]}"
    pinned = Here(ask(skill=f"invoice-extraction:{used.version}"), settings).plan("document")
    assert pinned == plan
    assert list(Here(ask(skill="multi-form-classification"), settings).plan("document").choices) == [
        "expense_claim",
        "job_application",
        "leave_request",
    ]


@pytest.mark.parametrize(("name", "said"), [("nonsense", "there are invoice-extraction"), ("invoice-extraction:9", "no version '9'")])
def test_what_is_not_preinstalled_is_refused_with_what_is(settings: Settings, name: str, said: str) -> None:
    with pytest.raises(typer.BadParameter, match=said):
        Here(ask(skill=name), settings)


async def test_examples_that_are_no_text_are_read_from_the_folder(tmp_path: Path, settings: Settings) -> None:
    attached = Attached()
    (example,) = attached.read(item(folder(tmp_path))).examples
    assert (example.text, example.path) == (None, "resources/a.html")
    with pytest.raises(NotFound):
        await attached.document(example)
    async with Reader(settings) as reader:
        attached.reader = reader
        read = await attached.document(example)
        assert "Faehrgeld: 12.50" in read.text
        assert await attached.document(example) is read
        with pytest.raises(NotFound):
            await attached.document(Example(answer={}, package=example.package, path="../SKILL.md"))


async def test_a_folders_example_teaches_the_words_of_its_documents(tmp_path: Path, settings: Settings) -> None:
    document = tmp_path / "note.html"
    document.write_text("<p>Endbetrag: 7.00</p><p>Faehrgeld: 31.20</p>")
    here = Here(ask(skill=folder(tmp_path), grounding=False), settings)
    try:
        record = await here.answer(document)
    finally:
        await here.close()
    assert record["response"] == {"fare": 31.2}
    assert record["usage"]["message"] is None
