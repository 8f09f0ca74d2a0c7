"""Bank statements as PDFs, and a model that reads them: every row that it is shown."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from heliograph.models.scripted import Heard
from tests.integration.jobs.asking import PLAN
from tests.unit.media.paper import Pdf

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "account": {"type": "string", "description": "The account number"},
        "entries": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"date": {"type": "string"}, "text": {"type": "string"}, "amount": {"type": "number"}},
                "required": ["date", "text", "amount"],
            },
        },
    },
    "required": ["account", "entries"],
}
ASKED = msgspec.structs.replace(PLAN, domain=None, schema_from="json_schema", schema=SCHEMA, route="default", grounding=True)
"""The plan of a request for `SCHEMA` to the default model."""


def statement(pages: int, rows: int = 12) -> bytes:
    """A PDF with a ruled table on each page; row `n` of page `p` says `Transfer p-n` and amounts to `p.n`."""
    pdf = Pdf()
    for page in range(pages):
        said = [f"BT /F1 14 Tf 60 740 Td (Account 4711-0815 page {page + 1}) Tj ET"]
        lines = [("Date", "Text", "Amount"), *((f"{row + 1} May 2026", f"Transfer {page}-{row}", amount(page, row)) for row in range(rows))]
        for number, cells in enumerate(lines):
            y = 690 - number * 24
            said += [f"BT /F1 10 Tf {x} {y} Td ({cell}) Tj ET" for x, cell in zip((64, 184, 424), cells, strict=True)]
            said.append(f"60 {y - 8} m 550 {y - 8} l S")
        top, bottom = 690 + 16, 690 - rows * 24 - 8
        said.append(f"60 {top} m 550 {top} l S")
        said += [f"{x} {top} m {x} {bottom} l S" for x in (60, 180, 420, 550)]
        pdf.page("\n".join(said).encode())
    return pdf.bytes()


def amount(page: int, row: int) -> str:
    """What row `row` of page `page` says."""
    return f"{page + 1}{row:02}.50"


def read_rows(heard: Heard) -> dict[str, Any]:
    """The answer of a model that reads every row shown, and gives the account where it stands."""
    shown = heard.text.rpartition("entries that the pages show:")[2] or heard.text
    rows = re.findall(r"(\d+ May 2026) \| (Transfer \d+-\d+) \| (\d+\.\d\d)", shown)
    account = re.search(r"Account (\S+)", heard.text)
    return {
        "account": account[1] if account else None,
        "entries": [{"date": date, "text": text, "amount": float(value)} for date, text, value in rows],
    }


def pages_shown(heard: Heard) -> list[int]:
    """The pages in a request, from 0."""
    return [int(number) - 1 for number in re.findall(r'<page number="(\d+)">', heard.text)]
