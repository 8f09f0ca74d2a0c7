"""Extracting: the embedded extractor alone, on pages that are read already."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median

from tests.unit.extraction.drawing import document
from tests.unit.extraction.test_embedded import INVOICE, LINES

from bench import Row
from heliograph.extraction.embedded import extract
from heliograph.extraction.schema import Schema, compile_schema
from heliograph.media.document import Document

RUNS = 30


def measure() -> Iterator[Row]:
    """Milliseconds a page of an invoice, of ten pages, with few and many fields."""
    few = compile_schema({"properties": {"invoice_number": {"type": "string"}, "total": {"type": "number"}, "items": LINES}})
    many = compile_schema({"properties": {f"measured value {i} of part {i % 7}": {"type": "number"} for i in range(400)}})
    for what, made, schema in (
        ("one page, 3 fields and a table", document(INVOICE), few),
        ("ten pages, 3 fields and a table", document(*[INVOICE] * 10), few),
        ("one page, 400 fields", document(INVOICE), many),
    ):
        yield Row(what, 1000 * _seconds(made, schema) / len(made.pages), "ms a page", "", f"median of {RUNS}")
    begun = time.perf_counter()
    for _ in range(RUNS):
        compile_schema(many.source)
    yield Row("compile a schema of 400 fields", 1000 * (time.perf_counter() - begun) / RUNS, "ms", "", "")


def _seconds(made: Document, schema: Schema) -> float:
    times: list[float] = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        extract(made, schema)
        times.append(time.perf_counter() - begun)
    return median(times)
