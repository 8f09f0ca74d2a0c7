"""A JSON Schema from a file itself: labels with values become typed fields, tables become arrays of objects.

A label is text before a colon, or text that documents are known to use as a label (`vocabulary.json`), with a value beside or
below it. What the platform's `POST /v1/<media>/schema` answers, this makes: a `SchemaResponse` with a name of its own, the
day's date as version, a hash, a GraphQL statement of all leaves, and a schema in which every field may be null.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import Any, cast

from heliograph.extraction import gql
from heliograph.extraction.embedded import extract
from heliograph.extraction.grid import Column, Grid, dtype, grid, snake
from heliograph.extraction.normalise import amounts, dates
from heliograph.extraction.schema import compile_schema
from heliograph.extraction.segments import Segment, Sheet, sheets
from heliograph.extraction.vocabulary import plain, tokens_of, vocabulary
from heliograph.media.document import Cell, Document, Table

Json = dict[str, Any]

MAX_FIELDS = 200
DESCRIPTION = "Auto-generated schema"
_LABEL = re.compile(r"^(?P<label>[^:\d][^:]{0,59}?)\s*(?::|：)\s*(?P<value>.*)$", re.DOTALL)
_LONG = 7
"""Words: what is longer is a sentence, not a label."""
_NAMES_A_CODE = re.compile(r"(^|_)(no|nr|num|number|id|code|ref|reference|account|phone|fax|tel|zip|ssn|ein|npi|iban|vat|barcode)(_|$)")
_ITEM_COLUMNS = frozenset({"description", "item", "product", "article", "service", "quantity", "price", "amount", "total", "unit"})

_KINDS: tuple[tuple[str, str, str], ...] = (
    # words of the document, category, name
    (r"invoice|rechnung|facture|factura|fattura|factuur", "finance", "invoice"),
    (r"receipt|cashier|quittung|ticket de caisse", "retail", "receipt"),
    (r"purchase order|order confirmation|bestellung", "finance", "purchase-order"),
    (r"bank statement|account statement|opening balance|closing balance", "finance", "bank-statement"),
    (r"patient|diagnos[ie]s|physician|medical record", "healthcare", "medical-record"),
    (r"passport|driver'?s? licen[sc]e|identity card|date of birth", "identity", "identity-document"),
    (r"curriculum vitae|work experience|education", "hr", "resume"),
    (r"agreement|hereby|party of the|whereas", "legal", "agreement"),
    (r"form w-2|form 1099|form 1040|tax return", "accounting", "tax-form"),
    (r"bill of lading|delivery note|packing list|waybill", "logistics", "shipping-document"),
)


def propose(document: Document, today: date) -> Json:
    """The `SchemaResponse` for `document`; its `json_schema` has no properties where no label and no table was found."""
    category, name = _kind(document)
    return proposal(proposed_schema(document), category=category, name=name, description=DESCRIPTION, today=today)


def proposal(schema: Json, *, category: str, name: str, description: str, today: date) -> Json:
    """The `SchemaResponse` for a schema that was made today."""
    stamp = today.strftime("%Y%m%d")
    return {
        "domain": f"custom.{category}.{name}-{stamp}",
        "description": description,
        "schema_version": stamp,
        "schema_hash": hashlib.sha256(json.dumps(schema, sort_keys=True).encode()).hexdigest(),
        "gql_stmt": gql.statement(schema),
        "json_schema": schema,
    }


def proposed_schema(document: Document) -> Json:
    """A schema of what `document` seems to hold: fields in reading order, then tables. Every value may be null."""
    fields: Json = {}
    pages = sheets(document)
    for sheet in pages:
        for label, value in _labelled(sheet):
            if len(fields) >= MAX_FIELDS:
                break
            _add(fields, label, value)
    for page in document.pages:
        for table in page.tables:
            data = grid(table)
            if _is_form(table, data):
                continue
            _add_table(fields, data)
    if not any(field.get("type") == "array" for field in fields.values()) and (lines := _item_lines(document)):
        fields["items"] = lines
    return {"type": "object", "properties": fields}


def _item_lines(document: Document) -> Json | None:
    """Lines of things and prices that stand in no table, as on receipts."""
    columns: Json = {
        name: {**_nullable({"type": kind}), "description": description}
        for name, kind, description in (
            ("description", "string", "What the line is for"),
            ("quantity", "number", "How many"),
            ("unit_price", "number", "Price of one"),
            ("total_price", "number", "Price of the line"),
        )
    }
    items: Json = {"type": "array", "items": {"type": "object", "properties": columns}, "default": [], "description": "Item lines"}
    found = extract(document, compile_schema({"type": "object", "properties": {"items": items}})).values
    rows = cast("list[Json]", found.get("items") or [])
    priced = [row for row in rows if row.get("total_price") is not None]
    if len(priced) < 2:
        return None
    said = {name: column for name, column in columns.items() if name == "description" or any(row.get(name) is not None for row in priced)}
    return {**items, "items": {"type": "object", "properties": said}}


def _labelled(sheet: Sheet) -> Iterator[tuple[str, str]]:
    """Labels and their values, in reading order."""
    tabular = _inside_tables(sheet)
    taken: set[int] = set()
    for segment in sheet.segments:
        if segment.index in taken or tokens_of(segment.text)[:1] == ("page",) or any(word in tabular for word in segment.words):
            continue
        found = _LABEL.match(segment.text)
        if found and _is_label(found["label"]):
            if found["value"]:
                yield found["label"], found["value"]
            elif value := _value_near(sheet, segment, taken):
                taken.add(value.index)
                yield found["label"], value.text
        elif not found and tokens_of(segment.text) in vocabulary().every_label and _is_label(segment.text):
            if value := _value_near(sheet, segment, taken):
                taken.add(value.index)
                yield segment.text, value.text
        elif not found and (parts := _label_then_value(segment.text)):
            label, text = parts
            beside = next(sheet.right_of(segment), None)
            if text.endswith("%") and beside is not None and amounts(beside.text):
                text = beside.text  # a rate belongs to the label: `Tax 6.25 %   4.48`
                taken.add(beside.index)
            yield label, text


def _inside_tables(sheet: Sheet) -> set[int]:
    """Words in tables that will become arrays, but for rows of totals below the records."""
    inside: set[int] = set()
    for table in sheet.page.tables:
        if _is_form(table, grid(table)):
            continue
        rows: dict[int, list[Cell]] = {}
        for cell in table.cells:
            rows.setdefault(cell.row, []).append(cell)
        for number, cells in rows.items():
            text = " ".join(cell.text for cell in sorted(cells, key=lambda cell: cell.column))
            if number < table.header_rows or not _label_then_value(text):
                inside.update(word for cell in cells for word in cell.words)
    return inside


def _is_label(text: str) -> bool:
    words = text.split()
    letters = sum(c.isalpha() for c in text)
    return letters >= 2 and len(words) <= _LONG and letters >= 0.5 * len(text.replace(" ", "")) and not re.search(r"[.!?] |https?$|@", text)


def _value_near(sheet: Sheet, label: Segment, taken: set[int]) -> Segment | None:
    """What stands right of a label, else below it, unless that is a label itself."""
    beside = next(sheet.right_of(label), None)
    if beside is not None:
        return beside if beside.index not in taken and not _reads_as_label(beside.text) else None
    below = next(sheet.below(label, reach=2.0), None)
    return below if below is not None and below.index not in taken and not _reads_as_label(below.text) else None


def _reads_as_label(text: str) -> bool:
    found = _LABEL.match(text)
    return bool(found and _is_label(found["label"])) or tokens_of(text) in vocabulary().every_label


def _label_then_value(text: str) -> tuple[str, str] | None:
    """A known label and then a date or number, as in `Total due $ 12.50`."""
    words = text.split()
    for cut in range(min(len(words) - 1, _LONG), 0, -1):
        label, value = " ".join(words[:cut]).rstrip("#. "), " ".join(words[cut:])
        if tokens_of(label) in vocabulary().every_label and (dates(value) or amounts(value)) and len(value) <= 40:
            return label, value
    return None


def _add(fields: Json, label: str, value: str) -> None:
    printed = " ".join(label.split()).strip(" .#*-–")
    name = snake(plain(printed))
    if not name or name[0].isdigit():
        name = f"field_{name}" if name else ""
    if not name or name.endswith("_metadata"):
        return
    number = 2
    while name in fields:
        name, number = f"{snake(plain(printed))}_{number}", number + 1
    fields[name] = {**_type(value, name), "title": printed, "description": f"The value labelled {printed!r} in the document"}


def _type(value: str, name: str) -> Json:
    if _NAMES_A_CODE.search(name):
        return _nullable({"type": "string"})
    said = value.strip()
    spans = dates(said)
    if spans and spans[0].end - spans[0].start >= 0.6 * len(said):
        return _nullable({"type": "string", "format": "date"})
    kind = dtype([said])
    if kind == "str" and (numbers := amounts(said)) and sum(number.end - number.start for number in numbers) >= len(said.replace(" ", "")):
        return _nullable({"type": "number"})  # a rate and an amount, as in `VAT 20 % 4.00`
    return _of_dtype(kind, name)


def _of_dtype(kind: str | None, name: str) -> Json:
    if _NAMES_A_CODE.search(name):
        return _nullable({"type": "string"})
    match kind:
        case "int":
            return _nullable({"type": "integer"})
        case "float" | "currency" | "percentage":
            return _nullable({"type": "number"})
        case "bool":
            return _nullable({"type": "boolean"})
        case "date":
            return _nullable({"type": "string", "format": "date"})
        case _:
            return _nullable({"type": "string"})


def _nullable(kind: Json) -> Json:
    return {"anyOf": [kind, {"type": "null"}], "default": None}


def _is_form(table: Table, data: Grid) -> bool:
    """Labels and values rather than records: in most rows below the first, a label stands left of something that is none."""
    if table.columns < 2:
        return False
    pairs = [any(_reads_as_label(left) and right and not _reads_as_label(right) for left, right in pairwise(row)) for row in data.rows]
    return bool(pairs) and sum(pairs) >= 0.5 * len(pairs)


def _add_table(fields: Json, data: Grid) -> None:
    """A table's columns as the fields of an array's items; a table with the same columns, as on a next page, adds nothing."""
    columns: Json = {}
    for number, column in enumerate(data.columns):
        name = snake(plain(column.name)) or f"column_{number + 1}"
        if name[0].isdigit():
            name = f"column_{name}"
        while name in columns or name.endswith("_metadata"):
            name = f"{name}_{number + 1}"
        described = {"title": column.name, "description": f"Column {column.name!r} of the table"} if column.name else {}
        columns[name] = {**_of_dtype(column.dtype, name), **described}
    if not columns or not data.rows:
        return
    items: Json = {"type": "object", "properties": columns}
    if any(list(field["items"]["properties"]) == list(columns) for field in fields.values() if field.get("type") == "array"):
        return
    name = _table_name(data.title, data.columns)
    number = 2
    while name in fields:
        name, number = f"{_table_name(data.title, data.columns)}_{number}", number + 1
    fields[name] = {"type": "array", "items": items, "default": [], "description": f"Rows of the table {data.title or ''}".strip()}


def _table_name(title: str | None, columns: list[Column]) -> str:
    if title and 0 < len(title.split()) <= 5 and snake(title) and not title[0].isdigit():
        return snake(plain(title))
    heads = {token for column in columns for token in tokens_of(column.name)}
    return "items" if len(heads & _ITEM_COLUMNS) >= 2 else "table"


def _kind(document: Document) -> tuple[str, str]:
    """Category and name for the schema, by the words that the document uses most of."""
    text = document.text[:20_000].lower()
    counts = [(len(re.findall(words, text)), -order) for order, (words, _, _) in enumerate(_KINDS)]
    most, order = max(counts)
    return _KINDS[-order][1:] if most else ("general", "document")
