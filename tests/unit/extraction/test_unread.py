from __future__ import annotations

from heliograph.extraction.embedded import extract
from heliograph.extraction.schema import compile_schema
from heliograph.media.document import Document, Page, Unread, Word
from heliograph.media.geometry import Box
from heliograph.perception.order import arrange

SCHEMA = compile_schema(
    {"type": "object", "properties": {"invoice_number": {"type": "string"}, "iban": {"type": "string"}, "total": {"type": "number"}}}
)


def document(lines: list[str], unread: int) -> Document:
    words = [
        Word(text, Box(0.1 + 0.09 * column, 0.1 + 0.05 * row, 0.08, 0.02), size=12)
        for row, line in enumerate(lines)
        for column, text in enumerate(line.split())
    ]
    arranged = arrange(words, 600, 800)
    hidden = [Unread("Thai", Box(0.1, 0.5 + 0.04 * row, 0.6, 0.02)) for row in range(unread)]
    page = Page(0, 600, 800, arranged.words, arranged.lines, arranged.blocks, unread=hidden, source="ocr")
    return Document("image/png", 1, [page], "image")


def states(read: Document) -> dict[str, str]:
    leaves = extract(read, SCHEMA).leaves
    return {str(path[0]): leaf.state for path, leaf in leaves.items()}


def test_on_a_page_that_is_mostly_unread_nothing_is_called_absent() -> None:
    assert states(document(["4711"], 6)) == {"invoice_number": "unreadable", "iban": "unreadable", "total": "unreadable"}


def test_on_a_readable_page_only_labelled_fields_may_stand_in_what_was_not_read() -> None:
    lines = ["Invoice number: 4711", "Total 25.92", "IBAN:", "Thank you for your visit", "Please come again"]
    found = states(document(lines, 3))
    assert (found["invoice_number"], found["iban"], found["total"]) == ("found", "unreadable", "found")
    assert states(document([*lines[:2], *lines[3:]], 3))["iban"] == "absent"


def test_without_anything_unread_an_empty_field_is_absent() -> None:
    assert states(document(["4711"], 0))["iban"] == "absent"
