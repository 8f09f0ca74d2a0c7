from __future__ import annotations

import pytest
from tests.unit.perception.drawing import Drawing, placed, receipt, typed

from heliograph.media.document import Table, Word
from heliograph.media.geometry import Box
from heliograph.perception.ocr import TextReader
from heliograph.perception.order import arrange
from heliograph.perception.rules import find_rules
from heliograph.perception.tables import find_tables

W, H = 600.0, 800.0


def tables(words: list[Word], rules: list[Box] | None = None) -> list[Table]:
    arranged = arrange(words, W, H)
    return find_tables(arranged.words, arranged.lines, rules or [], W, H)


def grid(table: Table) -> list[list[str]]:
    rows = [[""] * table.columns for _ in range(table.rows)]
    for cell in table.cells:
        rows[cell.row][cell.column] = cell.text
    return rows


def across(y: float, x0: float, x1: float) -> Box:
    return Box.from_xyxy(x0, y - 0.4, x1, y + 0.4, width=W, height=H)


def down(x: float, y0: float, y1: float) -> Box:
    return Box.from_xyxy(x - 0.4, y0, x + 0.4, y1, width=W, height=H)


def test_a_ruled_table_has_the_cells_of_its_rules() -> None:
    rules = [across(y, 50, 350) for y in (100, 120, 140, 160)] + [down(x, 100, 160) for x in (50, 150, 250, 350)]
    words: list[Word] = []
    for r, row in enumerate([["Name", "Unit", "Price"], ["Bolt", "box", "4.50"], ["Nut", "bag", "3.20"]]):
        for c, text in enumerate(row):
            words += placed(55 + 100 * c, 105 + 20 * r, text)
    (table,) = tables(words, rules)
    assert grid(table) == [["Name", "Unit", "Price"], ["Bolt", "box", "4.50"], ["Nut", "bag", "3.20"]]
    assert table.header_rows == 1
    assert table.cells[0].box.iou(Box.from_xyxy(50, 100, 150, 120, width=W, height=H)) > 0.95


def test_slots_without_a_rule_between_them_are_one_cell() -> None:
    rules = [across(100, 50, 350), across(120, 150, 350), across(140, 50, 350), across(160, 50, 350)]
    rules += [down(50, 100, 160), down(150, 100, 160), down(250, 120, 160), down(350, 100, 160)]
    words = placed(60, 115, "Item") + placed(200, 105, "Amount") + placed(160, 125, "net") + placed(260, 125, "gross")
    words += placed(60, 145, "Bolt") + placed(160, 145, "4.00") + placed(260, 145, "4.80")
    (table,) = tables(words, rules)
    spans = {cell.text: (cell.row, cell.column, cell.row_span, cell.column_span) for cell in table.cells}
    assert spans == {
        "Item": (0, 0, 2, 1), "Amount": (0, 1, 1, 2), "net": (1, 1, 1, 1), "gross": (1, 2, 1, 1),
        "Bolt": (2, 0, 1, 1), "4.00": (2, 1, 1, 1), "4.80": (2, 2, 1, 1),
    }  # fmt: skip
    assert table.header_rows == 2


def test_a_body_ruled_only_around_is_divided_into_its_rows() -> None:
    rules = [across(y, 50, 350) for y in (100, 120, 200)] + [down(x, 100, 200) for x in (50, 200, 350)]
    words = placed(60, 105, "Article") + placed(210, 105, "Price")
    for r, (name, price) in enumerate([("Bolt", "4.50"), ("Nut", "3.20"), ("Washer", "1.10")]):
        words += placed(60, 130 + 20 * r, name) + placed(210, 130 + 20 * r, price)
    (table,) = tables(words, rules)
    assert grid(table) == [["Article", "Price"], ["Bolt", "4.50"], ["Nut", "3.20"], ["Washer", "1.10"]]


def test_two_tables_apart_are_two() -> None:
    rules, words = [], []
    for top in (100, 400):
        rules += [across(y, 50, 250) for y in (top, top + 20, top + 40)] + [down(x, top, top + 40) for x in (50, 150, 250)]
        for r in range(2):
            for c in range(2):
                words += placed(55 + 100 * c, top + 5 + 20 * r, f"t{top}r{r}c{c}")
    first, second = tables(words, rules)
    assert grid(first)[0][0] == "t100r0c0"
    assert grid(second)[1][1] == "t400r1c1"


def test_a_frame_around_a_paragraph_is_no_table() -> None:
    rules = [across(y, 50, 350) for y in (100, 200)] + [down(x, 100, 200) for x in (50, 350)]
    words = [word for n in range(5) for word in placed(60, 110 + 16 * n, "words of a paragraph within a frame")]
    assert tables(words, rules) == []


def test_words_that_line_up_are_a_table_without_rules() -> None:
    rows = [
        ("Description", "Qty", "Unit", "Amount"),
        ("Garden hose", "2", "14.00", "28.00"),
        ("Clay pot small", "10", "3.50", "35.00"),
        ("Seeds", "4", "2.25", "9.00"),
    ]
    words: list[Word] = []
    for r, row in enumerate(rows):
        for x, text in zip((50, 250, 330, 420), row, strict=True):
            words += placed(x, 100 + 16 * r, text)
    (table,) = tables(words)
    assert grid(table) == [list(row) for row in rows]
    assert table.header_rows == 1


def test_a_wrapped_description_continues_its_row() -> None:
    words: list[Word] = []
    for r, row in enumerate([("1", "Garden hose with", "2", "28.00"), ("2", "Clay pot", "10", "35.00"), ("3", "Seeds", "4", "9.00")]):
        for x, text in zip((50, 100, 300, 400), row, strict=True):
            words += placed(x, 100 + 30 * r, text)
    words += placed(100, 112, "brass fittings")
    (table,) = tables(words)
    assert grid(table)[0] == ["1", "Garden hose with brass fittings", "2", "28.00"]
    assert table.rows == 3


def test_a_heading_over_two_columns_spans_them() -> None:
    words = placed(200, 100, "First half year of 2024") + placed(50, 116, "Region")
    for x, text in ((200, "Sales"), (290, "Costs")):
        words += placed(x, 116, text)
    for r, row in enumerate([("North", "410", "220"), ("South", "380", "190"), ("East", "150", "90"), ("West", "275", "130")]):
        for x, text in zip((50, 200, 290), row, strict=True):
            words += placed(x, 132 + 16 * r, text)
    found = tables(words)
    assert len(found) == 1
    assert [row for row in grid(found[0]) if row[0] in {"North", "West"}] == [["North", "410", "220"], ["West", "275", "130"]]


QUANTITY_FIRST = """\
QTY DESCRIPTION    PRICE AMOUNT
 2 Sourdough loaf   4.20   8.40
12 Oat milk 1 L     2.15  25.80
 1 Butter croissant 3.80   3.80
 1 Jam jar          6.40   6.40
"""
QUANTITY_AFTER = """\
DESCRIPTION       QTY PRICE AMOUNT
Sourdough loaf      2  4.20   8.40
Oat milk 1 L       12  2.15  25.80
Butter croissants  11  3.80  41.80
Jam jar             1  6.40   6.40
"""
BELOW = """\
         SUBTOTAL       82.40
         VAT 20%        16.48
         TOTAL          98.88

     THANK YOU
VISA ****1234           98.88
"""


@pytest.mark.parametrize("size", [10.0, 12.0])
def test_columns_a_space_apart_are_columns_whatever_their_order(size: float) -> None:
    for text in (QUANTITY_FIRST, QUANTITY_AFTER):
        (table,) = tables(typed(text, size=size, pitch=0.6 * size))
        assert [len(row) for row in grid(table)] == [4] * 5
        assert grid(table)[0] == text.split("\n", 1)[0].split()
        assert {row[1] for row in grid(table)} & {"Oat milk 1 L", "12"}
        assert [row[3] for row in grid(table)] == [line.split()[-1] for line in text.splitlines()]


@pytest.mark.parametrize("text", [QUANTITY_FIRST, QUANTITY_AFTER])
def test_totals_and_thanks_below_the_items_are_no_rows_of_theirs(text: str) -> None:
    assert [grid(table) for table in tables(typed(text + BELOW))] == [grid(table) for table in tables(typed(text))]


def test_a_typed_rule_ends_a_table() -> None:
    items = "Sourdough loaf       4.20\nOat milk 1 L         2.15\nButter croissant     3.80\n"
    (table,) = tables(typed(items + "-------------------------\nTOTAL               10.15\nCASH                20.00"))
    assert [row[0] for row in grid(table)] == ["Sourdough loaf", "Oat milk 1 L", "Butter croissant"]


def test_a_number_that_belongs_to_a_name_stays_with_it() -> None:
    rows = [("Week 1", "4.20", "8.40"), ("Week 2", "2.15", "25.80"), ("Week 3", "3.80", "3.80"), ("Week 4", "1 204.00", "6 400.00")]
    words = [w for r, row in enumerate(rows) for x, text in zip((50, 150, 250), row, strict=True) for w in placed(x, 100 + 16 * r, text)]
    assert grid(tables(words)[0]) == [list(row) for row in rows]


def test_a_heading_in_proportional_type_is_not_parted_between_its_columns() -> None:
    words = placed(150, 100, "Fused aluminum oxide") + placed(300, 100, "Silicon carbide")
    for r, row in enumerate([("North", "410", "220", "90", "45"), ("South", "380", "190", "85", "40"), ("East", "150", "90", "60", "30")]):
        for x, text in zip((50, 155, 215, 305, 355), row, strict=True):
            words += placed(x, 116 + 16 * r, text)
    texts = [cell.text for cell in tables(words)[0].cells if cell.row == 0]
    assert texts == ["Fused aluminum oxide", "Silicon carbide"]


def test_a_scanned_receipt_of_fixed_pitch_keeps_its_columns(reader: TextReader) -> None:
    page = Drawing(620, 560)
    page.typed(60, 40, "     CORNER BAKERY LTD\n\n" + QUANTITY_FIRST + BELOW, size=22)
    words = [
        Word(word.text, Box.from_xyxy(*word.box, width=page.width, height=page.height), size=word.height * H / page.height)
        for line in reader.read(page.pixels).lines
        for word in line.words
    ]
    arranged = arrange(words, page.width * H / page.height, H)
    (table,) = find_tables(arranged.words, arranged.lines, [], page.width * H / page.height, H)
    assert [row[0] for row in grid(table)] == ["QTY", "2", "12", "1", "1"]
    assert [row[3] for row in grid(table)] == ["AMOUNT", "8.40", "25.80", "3.80", "6.40"]


def test_prose_in_two_columns_is_no_table() -> None:
    text = [
        "one line of prose that fills its column",
        "and the next one that goes on with words",
        "then a third that says no more than those",
        "and a last one before the paragraph ends",
    ]
    words = [word for x in (50, 320) for n, line in enumerate(text) for word in placed(x, 100 + 14 * n, line)]
    assert tables(words) == []


def test_labels_with_values_are_no_table() -> None:
    rows = [("Invoice number:", "20418"), ("Date:", "14.03.2024"), ("Customer:", "10022"), ("Due:", "13.04.2024")]
    words = [word for n, (a, b) in enumerate(rows) for word in placed(50, 100 + 16 * n, a) + placed(250, 100 + 16 * n, b)]
    assert tables(words) == []


def test_cells_refer_to_the_words_they_hold() -> None:
    words: list[Word] = []
    for r, row in enumerate([("Garden hose", "2", "28.00"), ("Clay pot", "10", "35.00"), ("Seeds", "4", "9.00")]):
        for x, text in zip((50, 250, 330), row, strict=True):
            words += placed(x, 100 + 16 * r, text)
    arranged = arrange(words, W, H)
    (table,) = find_tables(arranged.words, arranged.lines, [], W, H)
    assert all(" ".join(arranged.words[i].text for i in cell.words) == cell.text for cell in table.cells)
    assert sorted(i for cell in table.cells for i in cell.words) == list(range(len(words)))


def rules_of(page: Drawing) -> list[Box]:
    words = [Box.from_xyxy(*box, width=page.width, height=page.height) for _, box in page.words]
    return find_rules(page.pixels, words=words)


def test_rules_are_found_in_pixels_and_strokes_of_letters_are_not() -> None:
    page = receipt()
    assert rules_of(page) == []
    page.pen.rectangle((50, 230, 650, 500), outline="black", width=2)
    page.pen.line((500, 230, 500, 500), fill="black", width=2)
    rules = rules_of(page)
    assert sum(rule.w > rule.h for rule in rules) == 2
    assert sum(rule.h > rule.w for rule in rules) == 3


def test_strokes_between_letters_on_a_dark_band_are_no_rules() -> None:
    page = Drawing(700, 400, ink="white")
    page.pen.rectangle((50, 100, 650, 150), fill="#102050")
    page.text(70, 110, "White letters like HILL on a dark band", 28)
    assert [rule for rule in rules_of(page) if rule.h > rule.w and 0.12 < rule.cx < 0.9] == []
