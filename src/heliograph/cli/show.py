"""An answer as a person reads it on a terminal: field, value, how it is known."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, cast

from rich.console import Console
from rich.table import Table
from rich.text import Text

from heliograph.cli.answering import Record

STYLES = {"hi": "green", "med": "yellow", "lo": "red"}


def show(record: Record, name: str) -> None:
    """Print the record's answer; Markdown as it is, everything else as a table."""
    response: Any = record["response"]
    if record["domain"] == "document.markdown":
        print("\n\n".join(page.get("markdown_content") or page["content"] for page in response["pages"]))
        return
    console = Console(width=None if sys.stdout.isatty() else 200)
    table = Table(title=name, title_justify="left", box=None, pad_edge=False, header_style="dim")
    for heading in ("field", "value", "confidence", "on the page", "page"):
        table.add_column(heading, overflow="fold")
    absent = 0
    for field, value, metadata in rows(response):
        if value is None and not metadata:
            absent += 1
            continue
        label = str(metadata.get("confidence") or "")
        boxes: list[dict[str, Any]] = metadata.get("bboxes") or []
        cited = " ".join(str(box["content"]) for box in boxes)
        shown = Text("-", style="dim") if value is None else Text(str(value))
        seen = Text("same", style="dim") if cited == str(value) else Text(cited)
        table.add_row(field, shown, Text(label, style=STYLES.get(label, "dim")), seen, str(boxes[0]["page"]) if boxes else "")
    console.print(table)
    if absent:
        console.print(f"and {absent} fields that are not there", style="dim")


def rows(answer: object, path: str = "") -> Iterator[tuple[str, object, dict[str, Any]]]:
    """Every scalar of an answer with its dotted path and its metadata (empty when it has none)."""
    if isinstance(answer, dict):
        fields = cast("dict[str, Any]", answer)
        for name, value in fields.items():
            if name.endswith("_metadata") and name.removesuffix("_metadata") in fields:
                continue
            where = f"{path}.{name}" if path else name
            if isinstance(value, dict | list):
                yield from rows(cast("object", value), where)
            else:
                yield where, value, fields.get(f"{name}_metadata") or {}
    elif isinstance(answer, list):
        for index, item in enumerate(cast("list[object]", answer)):
            yield from rows(item, f"{path}[{index}]")
    else:
        yield path, answer, {}
