"""An answer as a person reads it on a terminal: field, value, how it is known; a transcript line by line with its times."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, cast

from rich.console import Console
from rich.table import Table
from rich.text import Text

from heliograph.cli.answering import Record
from heliograph.cli.progress import clock
from heliograph.cli.question import TRANSCRIPTIONS

STYLES = {"hi": "green", "med": "yellow", "lo": "red"}


def show(record: Record, name: str) -> None:
    """Print the record's answer; Markdown as it is, transcripts as lines, everything else as a table."""
    response: Any = record["response"]
    if record["domain"] == "document.markdown":
        print("\n\n".join(page.get("markdown_content") or page["content"] for page in response["pages"]))
        return
    if record["domain"] in TRANSCRIPTIONS and "segments" in response:
        print("\n".join(script(response, name)))
        return
    recorded = record["usage"]["element_type"] in {"audio", "video"}
    console = Console(width=None if sys.stdout.isatty() else 200)
    table = Table(title=name, title_justify="left", box=None, pad_edge=False, header_style="dim")
    for heading in ("field", "value", "confidence", *(("said or shown", "time") if recorded else ("on the page", "page"))):
        table.add_column(heading, overflow="fold")
    absent = 0
    for field, value, metadata in rows(response):
        if value is None and not metadata:
            absent += 1
            continue
        label = str(metadata.get("confidence") or "")
        boxes: list[dict[str, Any]] = metadata.get("bboxes") or []
        spans: list[dict[str, Any]] = metadata.get("spans") or []
        cited = " ".join(str(part["content"]) for part in (spans if recorded else boxes))
        shown = Text("-", style="dim") if value is None else Text(str(value))
        seen = Text("same", style="dim") if cited == str(value) else Text(cited)
        place = (clock(spans[0]["start_time"]) if spans else "") if recorded else str(boxes[0]["page"]) if boxes else ""
        table.add_row(field, shown, Text(label, style=STYLES.get(label, "dim")), seen, place)
    console.print(table)
    if absent:
        console.print(f"and {absent} fields that are not there", style="dim")


def script(transcript: dict[str, Any], name: str) -> Iterator[str]:
    """A transcript as lines: its head, and each segment with when it is said, by whom, what is shown and what stands on the screen."""
    metadata: dict[str, Any] = transcript.get("metadata") or {}
    head = [clock(metadata["duration"])] if metadata.get("duration") is not None else []
    yield ", ".join([name, *head, *([metadata["language"]] if metadata.get("language") else [])])
    if metadata.get("description"):
        yield metadata["description"]
    segments: list[dict[str, Any]] = transcript["segments"]
    for segment in segments:
        heard: dict[str, Any] = segment if "content" in segment else segment.get("audio") or {}
        said: str | None = heard.get("content")
        speaker = f"{segment['speaker']}: " if segment.get("speaker") else ""
        shown: dict[str, Any] = segment.get("video") or {}
        times = f"{clock(segment['start_time'])} - {clock(segment['end_time'])}"
        lines = [f"{speaker}{said}"] if said else []
        lines += [f"shown: {shown['content']}"] if shown.get("content") else []
        lines += [f"on the screen: {' | '.join(shown['texts'])}"] if shown.get("texts") else []
        for number, line in enumerate(lines or ["nothing is said"]):
            yield f"{times if number == 0 else ' ' * len(times)}  {line}"
    if not segments:
        yield "nothing is said"


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
