"""Markdown becomes what it stands for; other text stays as it is."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from heliograph.extraction.embedded import extract
from heliograph.extraction.examples import laid_out
from heliograph.extraction.schema import compile_schema
from heliograph.media import opening
from heliograph.media.flow import Grid, Paragraph
from heliograph.media.markdown import flow_markdown, is_markdown

MINUTES = """# Minutes: *Tower* 3 #

Date: 12 August 2026
**Chaired by:** Hanna Lindqvist

## Present
- Hanna Lindqvist
- Tom [Osei](https://tom.example)

## Action items

| Task | Owner |
|:-----|------:|
| Order `blades` | Tom Osei |
| Book a \\| crane | |

Room Galileo
"""


@pytest.mark.parametrize("text", ["# Title\n\ntext", "\n\n### Title", "a\n## b\nc\n## d\n", "x\n\na | b\n--|--\n1 | 2\n", "|a|\n|-|\n"])
def test_what_can_be_nothing_else_is_markdown(text: str) -> None:
    assert is_markdown(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#1 in sales\n#2 in costs",
        "Total | 12.50\nPaid | 12.50",
        "a\n----\n",
        "text\n# a comment\nx = 1",
        "a | b\n-- | -- | --\n",
        "- a\n- b",
    ],
)
def test_other_text_is_not(text: str) -> None:
    assert not is_markdown(text)


def test_headings_lists_and_tables_are_what_they_stand_for(tmp_path: Path) -> None:
    (tmp_path / "minutes.md").write_text(MINUTES)
    read = opening.open_page(tmp_path / "minutes.md", 0, None).page
    assert [(block.kind, block.level) for block in read.blocks if block.level] == [
        ("title", 1),
        ("section-header", 2),
        ("section-header", 2),
    ]
    assert [" ".join(read.lines[line].text for line in block.lines) for block in read.blocks if block.kind == "list-item"] == [
        "• Hanna Lindqvist", "• Tom Osei",
    ]  # fmt: skip
    assert read.lines[0].text == "Minutes: *Tower* 3"
    assert [word.text for word in read.words if word.bold][3:5] == ["Chaired", "by:"]
    (table,) = read.tables
    assert [cell.text for cell in table.cells] == ["Task", "Owner", "Order blades", "Tom Osei", "Book a | crane", ""]


def test_lines_stay_lines_and_code_stays_as_it_is() -> None:
    first, code, last = flow_markdown("one\ntwo\n```\nx  | y\n# no\n```\n***\nthree")
    assert isinstance(first, Paragraph)
    assert isinstance(code, Paragraph)
    assert isinstance(last, Paragraph)
    assert (first.text, code.text, code.columns, last.text) == ("one\ntwo", "x  | y\n# no", True, "three")


def test_rows_are_as_long_as_the_head() -> None:
    (grid,) = flow_markdown("|a|b|\n|-|-|\n|1|\n|1|2|3|")
    assert isinstance(grid, Grid)
    assert [[cell.content[0].text for cell in row] for row in grid.rows] == [["a", "b"], ["1", ""], ["1", "2"]]


def test_lists_and_tables_are_answered_and_what_follows_a_table_is_not_of_it() -> None:
    text: dict[str, Any] = {"type": "string"}
    items = {"type": "array", "items": {"type": "object", "properties": {"task": text, "owner": text}}}
    asked = {"date": text | {"format": "date"}, "chaired_by": text, "present": {"type": "array", "items": text}, "action_items": items}
    assert extract(laid_out(MINUTES), compile_schema({"type": "object", "properties": asked})).values == {
        "date": "2026-08-12",
        "chaired_by": "Hanna Lindqvist",
        "present": ["Hanna Lindqvist", "Tom Osei"],
        "action_items": [{"task": "Order blades", "owner": "Tom Osei"}, {"task": "Book a | crane", "owner": None}],
    }


@pytest.mark.parametrize("part", ["# " + " " * 5000, "**a ", "[", "`", "| ", "- " * 5000, "|" + "-|" * 2000 + "\n", "__x "])
def test_no_text_takes_long(part: str) -> None:
    text = "## a\n## b\n" + part * (200_000 // len(part))
    started = time.monotonic()
    assert is_markdown(text)
    flow_markdown(text)
    assert time.monotonic() - started < 5
