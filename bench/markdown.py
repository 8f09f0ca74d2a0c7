"""PDF to Markdown beside the permissive peers that run without downloads: pages a second, and how true their tables are.

The tables are those of `tables_icdar2013` in the evaluation data (`DATA`, by default `../shared/data`), as each tool writes them in
Markdown.
Peers live in `.venv-peers` (`make peers`).
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import pypdfium2

from bench import Row
from bench.reading import opened, processor
from heliograph.evaluation.likeness import Share, bags
from heliograph.evaluation.tablelikeness import Spot, html_cells, relations
from heliograph.extraction.markdown import markdown

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("DATA", ROOT.parent / "shared" / "data"))
SET = "tables_icdar2013"
PYTHON = ROOT / ".venv-peers" / "bin" / "python"
PEERS = ("kreuzberg", "docling-rs", "markitdown")
PAGES = 100
ROUNDS = 3
RULE = re.compile(r"^\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?$")
HTML_TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL | re.IGNORECASE)


class Converted(NamedTuple):
    """One tool's Markdown of each file, and its median seconds for all pages."""

    markdown: list[str]
    cpu: float
    wall: float


def measure() -> Iterator[Row]:
    """Speed on all pages of the set, repeated to a hundred in one file; tables file by file. Without the data only a word on that."""
    manifest = DATA / SET / "manifest.jsonl"
    if not manifest.is_file():
        yield Row("PDF to Markdown", 0, "pages/s", "", f"not measured: {SET} is not in {DATA}")
        return
    rows = [json.loads(row) for row in manifest.read_text().splitlines()]
    paths = [DATA / row["path"] for row in rows]
    truths = [json.loads((DATA / row["truth_path"]).read_text()) for row in rows]
    with tempfile.TemporaryDirectory() as name:
        hundred = repeated(paths, Path(name) / "hundred.pdf")
        tools = {"Heliograph": asyncio.run(ours(paths, hundred, Path(name)))}
        tools |= {peer: made for peer in PEERS if (made := theirs(peer, paths, hundred))}
    fastest = min((made.wall for peer, made in tools.items() if peer in PEERS), default=None)
    for tool, made in tools.items():
        peer = tool in PEERS
        ratio = f"{fastest / made.wall:.2f} of the fastest peer" if fastest else "no peer installed (make peers)"
        note = f"wall, median of {ROUNDS}; {PAGES / made.cpu:.0f} a core second{'' if peer else f'; {ratio}'}"
        yield Row(f"{PAGES} pages of PDF to Markdown, {tool}", PAGES / made.wall, "pages/s", "" if peer else ">= fastest peer", note)
    for tool, made in tools.items():
        note = f"{SET}, adjacency of cells as written in Markdown, detection included"
        yield Row(f"tables in Markdown, F1, {tool}", fidelity(truths, made.markdown), "", "" if tool in PEERS else "> peers", note)
    for peer in PEERS:
        if peer not in tools:
            yield Row(f"PDF to Markdown, {peer}", 0, "pages/s", "", "not measured: not installed (make peers), or it failed")


def repeated(paths: Sequence[Path], target: Path) -> Path:
    """One PDF of `PAGES` pages: those of the files, over and over."""
    made, count = pypdfium2.PdfDocument.new(), 0
    while count < PAGES:
        for path in paths:
            original = pypdfium2.PdfDocument(path)
            some = min(len(original), PAGES - count)
            made.import_pages(original, list(range(some)))
            count += some
    made.save(target)
    return target


async def ours(paths: Sequence[Path], hundred: Path, folder: Path) -> Converted:
    """Heliograph's Markdown, from file to text, through its reader's processes."""
    async with await opened(folder) as reader:

        async def convert(path: Path) -> str:
            pages: list[dict[str, Any]] = markdown(await reader.read(path))["pages"]
            return "\n\n".join(page["markdown_content"] for page in pages)

        texts = [await convert(path) for path in paths]
        await convert(hundred)
        cpu: list[float] = []
        wall: list[float] = []
        for _ in range(ROUNDS):
            started, used = time.perf_counter(), time.process_time() + processor(reader)
            await convert(hundred)
            wall.append(time.perf_counter() - started)
            cpu.append(time.process_time() + processor(reader) - used)
    return Converted(texts, median(cpu), median(wall))


def theirs(peer: str, paths: Sequence[Path], hundred: Path) -> Converted | None:
    """A peer's Markdown; None when it is not installed or fails."""
    if not PYTHON.is_file():
        return None

    def run(rounds: int, *files: Path) -> dict[str, Any]:
        command = [str(PYTHON), "-P", str(Path(__file__).with_name("_peers.py")), peer, str(rounds), *map(str, files)]
        return json.loads(subprocess.run(command, check=True, capture_output=True, timeout=300).stdout)

    try:
        texts, timed = run(0, *paths)["markdown"], run(1 if peer == "markitdown" else ROUNDS, hundred)
    except (subprocess.SubprocessError, json.JSONDecodeError):
        return None
    return Converted(texts, median(timed["cpu"]), median(timed["wall"]))


def fidelity(truths: Sequence[dict[str, Any]], texts: Sequence[str]) -> float:
    """F1 of adjacency relations, pooled over the files' tables."""
    total = Share()
    for truth, text in zip(truths, texts, strict=True):
        want = [pair for table in truth["tables"] for pair in relations(map(true_cell, table["cells"])).elements()]
        got = [pair for cells in tables(text) for pair in relations(cells).elements()]
        total = total.plus(bags(want, got))
    return total.f1


def true_cell(cell: dict[str, Any]) -> Spot:
    """A cell of the set's truth."""
    return Spot(cell["text"], cell["row"], cell["col"], cell["row_end"] - cell["row"] + 1, cell["col_end"] - cell["col"] + 1)


def tables(text: str) -> list[list[Spot]]:
    """The cells of each table of a Markdown text: pipe tables and HTML tables."""
    found = [html_cells(html) for html in HTML_TABLE.findall(text)]
    rows: list[list[str]] = []
    for line in [*HTML_TABLE.sub("", text).splitlines(), ""]:
        if line.lstrip().startswith("|"):
            if not RULE.match(line.strip()):
                rows.append([part.replace("<br>", " ").strip() for part in re.split(r"(?<!\\)\|", line.strip().strip("|"))])
        elif rows:
            found.append([Spot(cell, row, column) for row, cells in enumerate(rows) for column, cell in enumerate(cells)])
            rows = []
    return found
