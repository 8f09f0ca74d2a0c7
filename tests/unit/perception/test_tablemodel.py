from __future__ import annotations

import pytest
from tests.unit.perception.drawing import Drawing

from heliograph.media.document import Table, Word
from heliograph.media.geometry import Box
from heliograph.perception.tablemodel import TableModel

ROWS = [
    ("Port", "Ships", "Cargo", "Change"),
    ("Leith", "410", "1,204", "3.1"),
    ("Hull", "380", "980", "2.4"),
    ("Bristol", "150", "455", "1.9"),
    ("Dover", "275", "730", "0.8"),
]


@pytest.fixture(scope="module")
def model() -> TableModel:
    return TableModel()


def scan(*, ruled: bool) -> Drawing:
    page = Drawing(900, 500)
    for r, row in enumerate(ROWS):
        for c, text in enumerate(row):
            page.text(80 + 200 * c, 90 + 60 * r, text)
    if ruled:
        for r in range(len(ROWS) + 1):
            page.pen.line((60, 75 + 60 * r, 840, 75 + 60 * r), fill="black", width=3)
        for c in range(5):
            page.pen.line((60 + 195 * c, 75, 60 + 195 * c, 375), fill="black", width=3)
    return page


def read(model: TableModel, page: Drawing) -> Table | None:
    words = [Word(text, Box.from_xyxy(*box, width=page.width, height=page.height)) for text, box in page.words]
    return model.read(page.pixels, Box.from_xyxy(50, 65, 850, 390, width=page.width, height=page.height), words)


def test_a_scanned_table_without_rules_is_read_cell_by_cell(model: TableModel) -> None:
    table = read(model, scan(ruled=False))
    assert table is not None
    assert (table.rows, table.columns) == (5, 4)
    assert [tuple(c.text for c in sorted(table.cells, key=lambda c: c.column) if c.row == row) for row in range(5)] == ROWS


def test_a_ruled_table_is_left_to_its_rules(model: TableModel) -> None:
    assert read(model, scan(ruled=True)) is None


def test_an_empty_region_is_no_table(model: TableModel) -> None:
    assert read(model, Drawing(900, 500)) is None
