"""Extraction with a model: our own CPU beside the model's time, for pages that are read already.

Everything but the model is real: windows, prompts, lowering, parsing, looking values up, counting rows, the embedded extraction of the
same pages, merging and combining. The model answers at once, in this process.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from tests.unit.extraction.prompted.ledgers import ledger
from tests.unit.extraction.prompted.talking import Drawn, Talking, said

from bench import Row
from heliograph.config import Settings
from heliograph.errors import MediaError
from heliograph.evaluation.sets import items
from heliograph.extraction.prompted.extractor import extract
from heliograph.extraction.prompted.request import Request
from heliograph.extraction.schema import Schema, compile_schema
from heliograph.media.document import Document, Page
from heliograph.models.contract import Ask
from heliograph.perception.reader import Reader
from heliograph.perception.steps import NoSteps

ROOT = Path(__file__).resolve().parents[1]
REAL = Path(os.environ.get("HELIOGRAPH_TEST_DATA") or ROOT.parent / "shared" / "data")
"""Documents that are not ours to ship; measured where they are at hand."""
DRAWN = "tests/data/eval"
RUNS = 40
TRIES = 5
LONG = 300
_ROWS = 24
SCHEMA = compile_schema(
    {
        "type": "object",
        "properties": {
            "account": {"type": "string", "description": "The account number"},
            "holder": {"type": "string"},
            "opening_balance": {"type": "number"},
            "closing_balance": {"type": "number"},
            "entries": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "date": {"type": "string"},
                        "text": {"type": "string"},
                        "reference": {"type": "string"},
                        "amount": {"type": "number"},
                    },
                },
            },
        },
    }
)


def measure() -> Iterator[Row]:
    """Milliseconds of CPU a page."""
    for folder, what in ((REAL, "real documents that people labelled"), (ROOT / DRAWN, f"drawn documents of every domain ({DRAWN})")):
        if folder.is_dir():
            each = asyncio.run(_documents(folder))
            note = f"{len(each)} {what} with a text layer, {TRIES} tries each, the model says the truth"
            row = "a page of a real document" if folder == REAL else "a page of a drawn document, to 176 fields"
            yield Row(f"{row}, p50", median(each), "ms", "<= 30", note)
            yield Row(f"{row}, p95", quantiles(each, n=20)[-1], "ms", "<= 50", note)
    times = [1000 * asyncio.run(_seconds([_page(0, number=run)])) for run in range(RUNS + 3)][3:]
    note = f"{RUNS} documents of one page, {len(_page(0).words)} words, {4 + 4 * _ROWS} values"
    yield Row("a page full of values, p50", median(times), "ms", "<= 50", note)
    yield Row("a page full of values, p95", quantiles(times, n=20)[-1], "ms", "<= 50", note)
    pages = [_page(index) for index in range(LONG)]
    took = asyncio.run(_seconds(pages))
    yield Row(f"{LONG} pages in windows", 1000 * took / LONG, "ms a page", "<= 50", f"{LONG * _ROWS} rows in one list")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        note = "growth of a fresh process beyond the pages' words; grounded answer included"
        yield Row(f"memory of {LONG} pages in windows", pool.submit(_grown).result(), "MiB", "", note)


async def _documents(folder: Path) -> list[float]:
    """Milliseconds a page for each labelled PDF of a folder that has a text layer on every page, the least of its tries."""
    made: list[float] = []
    reader = Reader(Settings())
    try:
        for item in items(folder):
            document = await reader.read(item.path) if item.path.suffix == ".pdf" and await _has_text(reader, item.path) else None
            if document is not None and all(page.source == "text" for page in document.pages):
                schema = compile_schema(item.schema)
                tries = [await _drawn(document, schema, item.truth) for _ in range(TRIES)]
                made.append(1000 * min(tries) / len(document.pages))
    finally:
        await reader.close()
    return made


async def _has_text(reader: Reader, path: Path) -> bool:
    """Whether the first page says its own words; what does not is not read here, which takes seconds a page."""
    try:
        return (await reader.read(path, pages=[0], detail="lo")).pages[0].source == "text"
    except MediaError:
        return False


async def _drawn(document: Document, schema: Schema, truth: Any) -> float:
    model = Talking(lambda ask: truth, context=32_768, max_output=8_192)
    began = time.process_time()
    await extract(document, schema, Request(), model, Drawn(), NoSteps())
    return time.process_time() - began


async def _seconds(pages: list[Page]) -> float:
    document = Document("application/pdf", len(pages), pages)
    model = Talking(_read, context=32_768, max_output=8_192)
    began = time.process_time()
    made = await extract(document, SCHEMA, Request(), model, Drawn(), NoSteps())
    took = time.process_time() - began
    if len(made.values["entries"]) != _ROWS * len(pages):
        raise AssertionError(f"{len(made.values['entries'])} rows of {_ROWS * len(pages)}")
    return took


def _read(ask: Ask) -> Any:
    rows = re.findall(r"^(\d+ May 2026) \| (.+?) \| (R\d+-\d+) \| ([\d.]+)$", said(ask), re.MULTILINE)
    return {
        "account": "4711-0815",
        "holder": "Ann Example",
        "opening_balance": 100.5,
        "closing_balance": None,
        "entries": [{"date": date, "text": text, "reference": reference, "amount": float(value)} for date, text, reference, value in rows],
    }


def _grown() -> float:
    """MiB by which this process grows while it extracts the long document, whose pages it holds already."""
    asyncio.run(_seconds([_page(0)]))
    pages = [_page(index) for index in range(LONG)]
    before = _peak()
    asyncio.run(_seconds(pages))
    return _peak() - before


def _peak() -> float:
    """The most memory that this process held at once, in MiB."""
    return int(re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[0]) / 1024


def _page(index: int, *, number: int | None = None) -> Page:
    """A page of transfers of customer `number`, which is the page's own unless told."""
    number = index if number is None else number
    rows = [
        (
            f"{row % 28 + 1} May 2026",
            f"Transfer to customer {number} {row} for goods and services",
            f"R{number}-{row}",
            f"{number}{row:02}.50",
        )
        for row in range(_ROWS)
    ]
    return ledger([("Date", "Text", "Reference", "Amount"), *rows], index=index, above="Account 4711-0815 Ann Example 100.50", height=0.03)
