"""Values that a model said, looked for on the words that were read."""

from __future__ import annotations

from typing import Any, cast

import pytest

from heliograph.extraction.alignment import Alignment
from heliograph.extraction.result import Leaf, Path
from heliograph.extraction.schema import compile_schema
from heliograph.media.document import Page, Word
from heliograph.media.geometry import Box, union
from tests.unit.extraction.drawing import page

DATE = {"type": "string", "format": "date"}


def align(text: str | list[Page], values: Any, schema: dict[str, Any] | None = None, **options: Any) -> dict[Path, Leaf]:
    """The leaves of `values` on a drawn page; without a schema, of one that fits them."""
    pages = [page(text)] if isinstance(text, str) else text
    return Alignment(pages).align(values, compile_schema(schema or _schema(values)), **options)


def _schema(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {"type": "object", "properties": {name: _schema(child) for name, child in cast("dict[str, Any]", value).items()}}
    if isinstance(value, list):
        return {"type": "array", "items": _schema(cast("list[Any]", value)[0])}
    kinds: dict[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return {"type": [kinds[type(value)], "null"]} if value is not None else {}


def under(leaf: Leaf) -> str:
    """The words that a leaf cites."""
    return " | ".join(part.content for part in leaf.evidence)


@pytest.mark.parametrize(
    "written",
    [
        "9/15/2001",
        "15.09.2001",
        "15. September 2001",
        "Sept 15, 2001",
        "15 septembre 2001",
        "2001-09-15",
        "15 de septiembre de 2001",
        "2001年9月15日",
    ],
)
def test_a_date_is_found_however_it_is_written(written: str) -> None:
    leaf = align(f"Invoice date: {written}  Page 1", {"date": "2001-09-15"}, {"properties": {"date": DATE}})[("date",)]
    assert (leaf.match, under(leaf)) == ("exact", written)


def test_a_date_in_the_other_order_of_day_and_month_is_no_exact_one() -> None:
    text = "Rechnungsdatum 03.04.2020\nLieferdatum 25.03.2020"
    assert align(text, {"date": "2020-04-03"}, {"properties": {"date": DATE}})[("date",)].match == "exact"
    assert align(text, {"date": "2020-03-04"}, {"properties": {"date": DATE}})[("date",)].match == "fuzzy"
    assert align(text, {"date": "2020-03-05"}, {"properties": {"date": DATE}})[("date",)].match == "none"


def test_a_date_that_goes_over_two_lines_cites_both() -> None:
    leaf = align("This lease begins on September 15,\n2001 and ends a year later", {"begin": "2001-09-15"})[("begin",)]
    assert under(leaf) == "September 15, | 2001"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1234.5, "1,234.50"),
        (1234.5, "1.234,50 €"),
        (1234.5, "1 234,50"),
        (-1234.5, "(1,234.50)"),
        (-12.0, "12.00-"),
        (0.19, "19 %"),
        (7, "7"),
    ],
)
def test_a_number_is_found_however_it_is_written(value: float, written: str) -> None:
    leaf = align(f"Total  {written}\nOther  88", {"total": value})[("total",)]
    assert (leaf.match, under(leaf)) == ("exact", written)


def test_a_number_with_another_digit_is_not_supported() -> None:
    leaf = align("Total  1,234.50", {"total": 1234.6})[("total",)]
    assert (leaf.match, leaf.evidence, leaf.value) == ("none", [], 1234.6)


def test_a_number_with_the_other_sign_is_fuzzy() -> None:
    assert align("Discount  12.50", {"discount": -12.5})[("discount",)].match == "fuzzy"


@pytest.mark.parametrize(
    ("value", "text", "cited"),
    [
        ("Ernst Müller", "Kunde: ERNST MÜLLER", "ERNST MÜLLER"),
        ("Jose Garcia", "Name  José García", "José García"),
        ("Finanzdienstleistung", "Wir erbringen Finanz-\ndienstleistung für Sie", "Finanz- | dienstleistung"),
        ("office", "The oﬃce of the clerk", "oﬃce"),
        ("東京都", "住所 東京都千代田区", "東京都"),
        ("123-45-6789", "SSN 123 45 6789", "123 45 6789"),
        ("DE89370400440532013000", "IBAN DE89 3704 0044 0532 0130 00", "DE89 3704 0044 0532 0130 00"),
        ("€", "Amounts in €", "€"),
        ("(800) 555-0100", "Call (800) 555-0100 now", "(800) 555-0100"),
        ("Иванов", "Заявитель ИВАНОВ Пётр", "ИВАНОВ"),
    ],
)
def test_a_text_is_found_whatever_its_case_accents_and_spaces(value: str, text: str, cited: str) -> None:
    leaf = align(text, {"it": value})[("it",)]
    assert (leaf.match, under(leaf)) == ("exact", cited)


def test_letters_misread_are_forgiven_and_the_match_says_so() -> None:
    leaf = align("TOTAL GROCER SON BHD", {"company": "Total Grocer Sdn Bhd"})[("company",)]
    assert (leaf.match, under(leaf)) == ("fuzzy", "TOTAL GROCER SON BHD")


def test_digits_are_forgiven_only_for_letters_that_look_like_them() -> None:
    assert align("Invoice INV-2O18-44l", {"number": "INV-2018-441"})[("number",)].match == "fuzzy"
    assert align("Invoice INV-2018-442", {"number": "INV-2018-441"})[("number",)].match == "none"
    assert align("Invoice INV-2018-4412", {"number": "INV-2018-441"})[("number",)].match == "none"


def test_part_of_a_word_is_not_the_value() -> None:
    assert align("cartoons", {"item": "cart"})[("item",)].match == "none"
    assert align("Qty 3pcs", {"quantity": 3})[("quantity",)].match == "exact"


def test_digits_of_a_larger_number_are_not_the_value() -> None:
    assert align("Rents 1,500", {"rents": "500"})[("rents",)].match == "none"
    assert align("Rents 1.5", {"rents": 5})[("rents",)].match == "none"
    assert align("Filed 12.03.2019", {"year": 2019})[("year",)].match == "exact"


def test_a_box_to_tick_is_not_mistaken_for_the_one_before_it() -> None:
    text = "Classification:\n☐ C Corporation   ☐ S Corporation   ☐ Partnership"
    leaves = align(text, {"c_corporation": False, "s_corporation": False})
    first, second = (leaves[(name,)].evidence[0].box.x for name in ("c_corporation", "s_corporation"))
    assert first < second


def test_lines_of_a_column_are_one_text_with_a_box_for_each() -> None:
    text = "Seller            Buyer\nNorth Mill Ltd    Jane Poe\n1 Mill Lane       22 High Street\nYork YO1 1AA      Leeds LS1 4AB"
    leaf = align(text, {"buyer": "Jane Poe\n22 High Street\nLeeds LS1 4AB"})[("buyer",)]
    assert (leaf.match, under(leaf)) == ("exact", "Jane Poe | 22 High Street | Leeds LS1 4AB")


def test_a_value_composed_of_fields_far_apart_is_computed_from_them() -> None:
    text = "First name: Jane\n\n\n\n\n\n\n\nLast name: Poecock"
    leaf = align(text, {"full_name": "Jane Poecock"})[("full_name",)]
    assert (leaf.match, under(leaf)) == ("computed", "Jane | Poecock")


def test_a_text_made_up_of_the_pages_usual_words_is_not_supported() -> None:
    text = "The seller delivers the goods.\nThe buyer pays the price.\nThe court of York decides."
    assert align(text, {"clause": "The buyer decides the court of the goods"})[("clause",)].match == "none"


def test_of_several_places_the_one_behind_the_label_is_taken() -> None:
    text = "Net amount   100.00\nDue          100.00\nBalance      100.00"
    leaves = align(text, {"balance": 100.0, "net_amount": 100.0})
    assert leaves[("balance",)].evidence[0].box.y > leaves[("net_amount",)].evidence[0].box.y
    again = align(text, {"net_amount": 100.0, "balance": 100.0})
    assert again == leaves


def test_a_stated_box_chooses_between_places_and_is_never_the_citation() -> None:
    text = "Ref A77   x\nRef A77   y\nRef A77   z"
    words = page(text).words
    second = words[4].box
    near = Box(second.x + 0.01, second.y - 0.004, second.w, second.h, 0)
    leaf = align(text, {"code": "A77"}, stated={("code",): [near]})[("code",)]
    assert (leaf.match, leaf.evidence[0].box) == ("exact", second)
    lost = align(text, {"code": "B99"}, stated={("code",): [near]})[("code",)]
    assert (lost.match, lost.evidence) == ("none", [])


def test_a_stated_box_without_words_under_it_is_a_models_word() -> None:
    stamp = Box(0.6, 0.7, 0.2, 0.1, 0)
    leaf = align("Signed at York", {"stamp": "APPROVED"}, stated={("stamp",): [stamp]})[("stamp",)]
    assert (leaf.match, [part.box for part in leaf.evidence]) == ("model", [stamp])


ITEMS = """
Qty   Description        Unit     Amount
1     Blue pen           2.00     2.00
2     Red pen            2.00     4.00
1     Blue pen           2.00     2.00
                         Total    8.00
"""


def rows(*wanted: tuple[int, str, float, float]) -> dict[str, Any]:
    return {"items": [dict(zip(("qty", "description", "unit", "amount"), row, strict=True)) for row in wanted], "total": 8.0}


def test_the_rows_of_a_list_go_down_the_page_and_each_cell_stands_on_its_rows_line() -> None:
    leaves = align(ITEMS, rows((1, "Blue pen", 2.0, 2.0), (2, "Red pen", 2.0, 4.0), (1, "Blue pen", 2.0, 2.0)))
    heights = [
        {round(leaves[("items", row, name)].evidence[0].box.cy, 4) for name in ("qty", "description", "unit", "amount")} for row in range(3)
    ]
    assert [len(lines) for lines in heights] == [1, 1, 1]
    assert heights[0] < heights[1] or max(heights[0]) < max(heights[1]) < max(heights[2])
    for row in range(3):
        qty, unit, amount = (leaves[("items", row, name)].evidence[0].box.x for name in ("qty", "unit", "amount"))
        assert qty < unit < amount


REPEATED = """
Item        Price
Delivery    1 x 4,10    4,10
Delivery    2 x 3,00    6,00
Oak board   1 x 7,50    7,50
Delivery    3 x 1,00    3,00
"""


def _aslant(upright: Page, slope: float) -> Page:
    """The same page as a scanner sees it that it lies in askew."""
    for word in upright.words:
        box = word.box
        word.box = Box(box.x, box.y + slope * box.cx * upright.width / upright.height, box.w, box.h, box.page)
    return upright


@pytest.mark.parametrize("slope", [0.0, 0.045, -0.045])
def test_rows_that_say_the_same_are_told_apart_also_on_a_page_that_lies_askew(slope: float) -> None:
    said = [("Delivery", 4.1), ("Delivery", 6.0), ("Oak board", 7.5), ("Delivery", 3.0)]
    values = {"items": [{"description": name, "amount": amount} for name, amount in said]}
    made = _aslant(page(REPEATED), slope)
    leaves = align([made], values)
    lines = [line.words for line in made.lines[1:]]
    for row, words in enumerate(lines):
        first, last = made.words[words[0]].box, made.words[words[-1]].box
        assert leaves[("items", row, "description")].evidence[0].box.y == pytest.approx(first.y, abs=0.004)
        assert leaves[("items", row, "amount")].evidence[0].box.x == pytest.approx(last.x)


def test_a_rows_misread_text_is_cited_rather_than_another_rows_that_reads_well() -> None:
    text = "Red tiles 15x15    10.00\nOak board          20.00\nRed tlles 15x15    30.00"
    leaves = align(text, {"items": [{"name": "Red tiles 15x15", "price": 10.0}, {"name": "Red tiles 15x15", "price": 30.0}]})
    first, second = (leaves[("items", row, "name")] for row in (0, 1))
    assert (first.match, second.match, under(second)) == ("exact", "fuzzy", "Red tlles 15x15")


def test_a_row_said_once_too_often_is_not_supported() -> None:
    leaves = align(ITEMS, rows((1, "Blue pen", 2.0, 2.0), (2, "Red pen", 2.0, 4.0), (2, "Red pen", 2.0, 4.0), (1, "Blue pen", 2.0, 2.0)))
    second, third = (leaves[("items", row, "description")].match for row in (1, 2))
    assert {second, third} == {"exact", "none"}
    assert leaves[("items", 3, "description")].match == "exact"


def test_a_total_that_no_page_says_is_computed_from_its_column() -> None:
    text = "Work   Hours\nPlan   2.5\nBuild  7.5"
    leaves = align(text, {"lines": [{"work": "Plan", "hours": 2.5}, {"work": "Build", "hours": 7.5}], "total_hours": 10.0})
    total = leaves[("total_hours",)]
    assert (total.match, under(total)) == ("computed", "2.5 | 7.5")
    wrong = align(text, {"lines": [{"work": "Plan", "hours": 2.5}, {"work": "Build", "hours": 7.5}], "total_hours": 11.0})
    assert wrong[("total_hours",)].match == "none"


def test_a_gross_amount_that_no_page_says_is_computed_from_net_and_tax() -> None:
    leaves = align("Net 100.00\nVAT 19.00", {"net": 100.0, "tax": 19.0, "gross": 119.0})
    assert (leaves[("gross",)].match, under(leaves[("gross",)])) == ("computed", "100.00 | 19.00")


def test_small_numbers_need_a_label_to_be_believed() -> None:
    assert align("Room 4\nPlease pay 3 fees", {"children": 3})[("children",)].match == "none"
    assert align("Room 4\nChildren: 3", {"children": 3})[("children",)].match == "exact"


def test_an_allowed_value_is_found_by_its_words_or_computed_from_those_of_another_language() -> None:
    schema = {"properties": {"kind": {"enum": ["INVOICE", "CREDIT_NOTE"]}}}
    assert align("Credit note 77", {"kind": "CREDIT_NOTE"}, schema)[("kind",)].match == "exact"
    german = align("Rechnung Nr. 77", {"kind": "INVOICE"}, schema)[("kind",)]
    assert (german.match, under(german)) == ("computed", "Rechnung")
    assert align("Lieferschein 77", {"kind": "INVOICE"}, schema)[("kind",)].match == "none"


def test_a_currency_is_found_by_its_sign() -> None:
    schema = {"properties": {"currency": {"type": "string", "description": "ISO 4217 code"}}}
    leaf = align("Total RM 12.00", {"currency": "MYR"}, schema)[("currency",)]
    assert (leaf.match, under(leaf)) == ("exact", "RM")


def test_a_yes_or_no_cites_its_box_to_tick() -> None:
    text = "☒ Individual    ☐ Corporation"
    leaves = align(text, {"individual": True, "corporation": False})
    assert [leaves[(name,)].match for name in ("individual", "corporation")] == ["exact", "exact"]
    assert under(leaves[("corporation",)]).startswith("☐")
    assert align(text, {"individual": False})[("individual",)].match == "none"


def test_a_null_is_absent_and_unknown_fields_are_looked_for_too() -> None:
    leaves = align("Total 9.00", {"total": None, "extra": {"deep": "Total"}}, {"properties": {"total": {"type": ["number", "null"]}}})
    assert (leaves[("total",)].state, leaves[("total",)].value) == ("absent", None)
    assert leaves[("extra", "deep")].match == "exact"


def test_only_the_pages_asked_for_are_looked_at() -> None:
    pages = [page("Total 9.00", index=4), page("Total 9.00", index=7)]
    leaf = align(pages, {"total": 9.0}, within={7})[("total",)]
    assert [part.box.page for part in leaf.evidence] == [7]
    assert align(pages, {"total": 9.0}, within=set())[("total",)].match == "none"


def test_citations_are_tight_and_carry_the_readers_score() -> None:
    made = page("Name: Jane Poe,", score=0.8)
    leaf = align([made], {"name": "Jane Poe"})[("name",)]
    words: list[Word] = made.words
    whole = union([words[1].box, words[2].box])
    cited = leaf.evidence[0]
    assert (cited.content, cited.score) == ("Jane Poe", 0.8)
    assert cited.box.x == pytest.approx(whole.x)
    assert cited.box.x1 < whole.x1
