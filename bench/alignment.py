"""Alignment: looking up what a model said on pages that are read already, beside the model's own time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import quantiles
from typing import Any

from tests.unit.extraction.drawing import page

from bench import Row
from heliograph.extraction.alignment import Alignment
from heliograph.extraction.schema import Schema, compile_schema
from heliograph.media.document import Page

RUNS = 40
_ROWS = 14
_CLAUSE = "Clause {} of part {}: the carrier shall deliver all of it to {} within {} days after notice was given in writing"
_LONG = 100
_PLACES = ("Mill Lane", "High Street", "Station Road", "Harbour Walk", "Castle Hill", "Bridge Row", "Market Place")


def measure() -> Iterator[Row]:
    """Milliseconds of CPU a page: index and look-up of 62 values on a full A4 page, found, unsupported, and over 100 pages."""
    first = _full(0)
    said, schema = _answer([0])
    times = [_seconds([first], said, schema) for _ in range(RUNS)]
    p95 = 1000 * quantiles(times, n=20)[-1]
    yield Row("full A4 page, 62 values", p95, "ms", "p95 < 50", f"p95 of {RUNS}; {len(first.words)} words")
    lost, _ = _answer([77])
    times = [_seconds([first], lost, schema) for _ in range(RUNS)]
    yield Row("the same, another page's values", 1000 * quantiles(times, n=20)[-1], "ms", "p95 < 50", f"p95 of {RUNS}; most on no page")
    many = [_full(index) for index in range(_LONG)]
    long, listed = _answer(range(_LONG))
    yield Row(f"{_LONG} pages at once", 1000 * _seconds(many, long, listed) / _LONG, "ms a page", "p95 < 50", f"{62 * _LONG} values")


def _seconds(pages: list[Page], said: dict[str, Any], schema: Schema) -> float:
    begun = time.process_time()
    Alignment(pages).align(said, schema)
    return time.process_time() - begun


def _full(number: int) -> Page:
    """A page with a head of ten labelled values and a table of fourteen rows, filled up with text."""
    head = [f"{name.replace('_', ' ').title()}:  {value}" for name, value in _head(number).items()]
    rows = [f"{row['name']}    {row['day']}   {row['amount']:,.2f}" for row in _rows(number)]
    prose = [_CLAUSE.format(line, number, _PLACES[line % 7], line + 3) for line in range(22)]
    return page("\n".join([*head, *rows, *prose]), index=number)


def _head(number: int) -> dict[str, str]:
    return {
        **{f"reference_{at}": f"R{number:03}-{at}{(number * 37 + at * 11) % 97:02}" for at in range(8)},
        **{f"address_{at}": f"{number + at * 13 + 1} {_PLACES[(number + at) % 7]}, York" for at in range(6)},
        **{f"amount_{at}": f"{(number + 1) * 31 + at * 7.25:,.2f}" for at in range(6)},
    }


def _rows(number: int) -> list[dict[str, Any]]:
    return [
        {
            "name": f"Crate {number}-{at} of {_PLACES[at % 7]}",
            "day": f"2024-{at % 12 + 1:02}-{number % 28 + 1:02}",
            "amount": number * 10 + at * 3.5,
        }
        for at in range(_ROWS)
    ]


def _answer(numbers: Any) -> tuple[dict[str, Any], Schema]:
    """What a model says about such pages, and the schema that it was asked with."""
    text, number = {"type": "string"}, {"type": "number"}
    row = {"properties": {"name": text, "day": {"type": "string", "format": "date"}, "amount": number}}
    values: list[dict[str, Any]] = []
    for each in numbers:
        head: dict[str, Any] = dict(_head(each))
        values.append({**{name: float(v.replace(",", "")) if name[:6] == "amount" else v for name, v in head.items()}, "rows": _rows(each)})
    one = {name: number if name[:6] == "amount" else text for name in _head(0)} | {"rows": {"type": "array", "items": row}}
    if len(values) == 1:
        return values[0], compile_schema({"properties": one})
    return {"sheets": values}, compile_schema({"properties": {"sheets": {"type": "array", "items": {"properties": one}}}})
