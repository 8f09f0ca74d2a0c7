"""Whose value stands: the model's or the embedded extractor's; and how sure the answer is."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import msgspec
import pytest

from heliograph.extraction import calibration
from heliograph.extraction.agreement import OTHER, SAME, SIMILAR, agreement
from heliograph.extraction.alignment import Alignment, Found
from heliograph.extraction.combining import combine
from heliograph.extraction.confidence import HI, label
from heliograph.extraction.result import Evidence, Extraction, Leaf, State
from heliograph.extraction.result import Path as Where
from heliograph.extraction.schema import Schema, compile_schema
from heliograph.media.geometry import Box
from tests.unit.extraction.drawing import page

TEXT = """
Invoice number: A-4711
Date: 15 September 2001
Subtotal   100.00
Tax         19.00
Total      119.00
"""
SCHEMA = compile_schema(
    {
        "properties": {
            "number": {"type": "string"},
            "date": {"type": "string", "format": "date"},
            "total": {"type": "number"},
            "items": {"type": "array", "items": {"properties": {"name": {"type": "string"}, "price": {"type": "number"}}}},
        }
    }
)
PLACE = Evidence("119.00", Box(0.5, 0.6, 0.1, 0.01), 1.0)


def known(value: Any, probability: float, state: State = "found") -> Leaf:
    """What the embedded extractor says of a value."""
    found = value is not None
    return Leaf(value, state if found else "absent", "exact" if found else "none", probability, [PLACE] if found else [])


def embedded(**leaves: Leaf) -> Extraction:
    return Extraction({name: leaf.value for name, leaf in leaves.items()}, {(name,): leaf for name, leaf in leaves.items()})


def combined(said: dict[str, Any], other: Extraction, schema: Schema = SCHEMA, text: str = TEXT, **options: Any) -> Extraction:
    found = options.pop("found", None) or Alignment([page(text)]).find(said, schema)
    return combine(said, schema, found, other, **options)


def test_a_value_that_both_have_is_surer_than_one_that_the_model_has_alone() -> None:
    alone = combined({"total": 119.0}, embedded(total=known(None, 0.9))).leaves[("total",)]
    both = combined({"total": 119.0}, embedded(total=known(119.0, 0.98))).leaves[("total",)]
    against = combined({"total": 119.0}, embedded(total=known(100.0, 0.7))).leaves[("total",)]
    assert against.probability < alone.probability < both.probability
    assert both.match == "exact"


def test_of_two_values_on_the_page_the_likelier_one_stands_and_a_warning_says_what_the_model_said() -> None:
    doubtful = combined({"total": 119.0}, embedded(total=known(100.0, 0.3)))
    assert (doubtful.values, doubtful.warnings) == ({"total": 119.0}, [])
    sure = combined({"total": 119.0}, embedded(total=known(100.0, 0.999)))
    assert sure.values == {"total": 100.0}
    assert sure.warnings == ["replaced: total is 100.0 on the page; the model said 119.0, which is less likely"]


def test_half_of_a_value_gives_way_to_the_likelier_whole() -> None:
    made = combined({"number": "A-4711"}, embedded(number=known("A-4711 / 2001", 0.97)))
    assert made.values == {"number": "A-4711 / 2001"}
    assert combined({"number": "A-4711"}, embedded(number=known("A-4711 / 2001", 0.2))).values == {"number": "A-4711"}


def test_a_better_spelling_than_the_pages_stands_however_sure_the_embedded_extractor_is() -> None:
    text = "Vendor: Marlow & Fimch Market Limited"
    schema = compile_schema({"properties": {"vendor": {"type": "string"}}})
    read = embedded(vendor=known("Marlow & Fimch Market Limited", 0.99))
    assert combined({"vendor": "Marlow & Finch Market Limited"}, read, schema, text).values == {"vendor": "Marlow & Finch Market Limited"}


ADDRESS = compile_schema({"properties": {"address": {"type": "string"}}})
SHOP = """
Golden Key Maker
No 290, Jalan Air Panas
Setapak, 53200 Kuala Lumpur
"""
WHOLE = "No 290, Jalan Air Panas Setapak, 53200 Kuala Lumpur"


@pytest.mark.parametrize("said", ["Jalan Air Panas, Setapak, 53200 Kuala Lumpur", f"Golden Key Maker {WHOLE}"])
def test_an_address_begins_and_ends_where_the_embedded_extractor_saw_it(said: str) -> None:
    made = combined({"address": said}, embedded(address=known(WHOLE, 0.4)), ADDRESS, SHOP)
    assert made.values == {"address": WHOLE}
    assert made.warnings[0].startswith("replaced: address is")


def test_an_address_that_no_page_holds_is_not_taken_for_a_part_of_another() -> None:
    made = combined({"address": "No 290"}, embedded(address=known("No 290, Jalan Air Panas", 0.4)), ADDRESS, "nothing of it")
    assert made.values == {"address": "No 290"}


def test_commas_are_as_the_page_has_them() -> None:
    made = combined({"address": "No 290, Jalan Air Panas, Setapak, 53200 Kuala Lumpur"}, embedded(address=known(WHOLE, 0.4)), ADDRESS, SHOP)
    assert (made.values, made.warnings) == ({"address": WHOLE}, [])


def test_a_word_that_the_model_put_together_stays_together() -> None:
    made = combined({"address": "Jalan Air Panas"}, embedded(address=known("Ja lan Air Panas", 0.9)), ADDRESS, "Ja lan Air Panas")
    assert made.values == {"address": "Jalan Air Panas"}


@pytest.mark.parametrize(("name", "said"), [("iban", "867388-U"), ("vehicle_vin", "WXY 1234"), ("email", "www.example.com")])
def test_a_value_that_cannot_be_what_is_asked_for_is_left_out_and_a_warning_says_so(name: str, said: str) -> None:
    schema = compile_schema({"properties": {name: {"type": "string"}}})
    made = combined({name: said}, embedded(**{name: known(None, 0.9)}), schema, f"Golden Key ({said})")
    assert made.values == {name: None}
    assert made.leaves[(name,)].state == "absent"
    assert made.warnings == [f"mistyped: {name} cannot be {said!r}, which the model said; it is left empty"]


@pytest.mark.parametrize("said", ["DE89 3704 0044 0532 0130 00", "DE89 3704 0O44 0532 0130 00", "DE** **** **** **** **30 00"])
def test_an_identifier_may_be_misread_or_masked(said: str) -> None:
    schema = compile_schema({"properties": {"iban": {"type": "string"}}})
    assert combined({"iban": said}, embedded(iban=known(None, 0.9)), schema, said).values == {"iban": said}


def test_a_value_on_no_page_gives_way_to_a_sure_one_and_a_warning_says_so() -> None:
    made = combined({"total": 120.0}, embedded(total=known(119.0, 0.99)))
    leaf = made.leaves[("total",)]
    assert (made.values["total"], leaf.value, leaf.match, leaf.evidence) == (119.0, 119.0, "exact", [PLACE])
    assert made.warnings == ["replaced: total is 119.0 on the page; the model said 120.0, which no page holds"]


def test_a_value_on_no_page_is_kept_and_marked_when_nothing_surer_is_known() -> None:
    for other in (known(119.0, HI - 0.01), known(None, 0.99)):
        made = combined({"total": 120.0}, embedded(total=other))
        leaf = made.leaves[("total",)]
        assert (made.values["total"], leaf.match, leaf.evidence, label(leaf.probability, leaf.match)) == (120.0, "none", [], "lo")


def test_what_the_model_left_out_is_filled_only_from_strong_evidence() -> None:
    sure = combined({"total": None}, embedded(total=known(119.0, 0.99)))
    assert (sure.values["total"], sure.leaves[("total",)].state) == (119.0, "found")
    assert sure.warnings == ["found_on_page: total is taken from the page, where the model said nothing"]
    assert sure.leaves[("total",)].probability < 0.99
    unsure = combined({"total": None}, embedded(total=known(119.0, 0.8)))
    assert (unsure.values["total"], unsure.leaves[("total",)].state, unsure.warnings) == (None, "absent", [])


@pytest.mark.parametrize("state", ["refused", "not_reached", "unreadable"])
def test_where_the_model_did_not_look_likely_evidence_is_enough_and_a_null_keeps_its_reason(state: State) -> None:
    found = {("total",): Found(Leaf(None, state)), ("number",): Found(Leaf(None, state))}
    made = combined({"total": None, "number": None}, embedded(total=known(119.0, 0.8), number=known(None, 0.7)), found=found)
    assert made.values == {"total": 119.0, "number": None}
    assert made.leaves[("number",)].state == state


def test_an_answer_that_is_no_object_at_all_is_filled_field_by_field() -> None:
    found = {(): Found(Leaf(None, "refused"))}
    made = combine(None, SCHEMA, found, embedded(total=known(119.0, 0.8), number=known("A", 0.3)))
    assert made.values == {"total": 119.0, "number": None}
    assert made.leaves[("number",)].state == "refused"
    nothing = combine(None, SCHEMA, found, embedded(total=known(None, 0.9)))
    assert (nothing.values, nothing.leaves[()].state) == (None, "refused")


def test_a_spelling_of_the_same_keeps_the_models_value_with_the_pages_citation() -> None:
    said = {"number": "North Mill Trading Limited"}
    made = combined(said, embedded(number=Leaf("North Mi1l Tradlng Limited", "found", "exact", 0.9, [PLACE])))
    leaf = made.leaves[("number",)]
    assert (made.values, leaf.match, leaf.evidence) == (said, "none", [])
    similar = combined(said, embedded(number=Leaf("North MiIl Trading Limited", "found", "exact", 0.9, [PLACE])))
    leaf = similar.leaves[("number",)]
    assert (similar.values, leaf.match, leaf.evidence) == (said, "fuzzy", [PLACE])


def test_of_several_places_the_embedded_extractors_is_cited() -> None:
    made = combined({"total": 119.0}, embedded(total=known(119.0, 0.9)), text="Total 119.00\nPaid 119.00")
    assert made.leaves[("total",)].evidence == [PLACE]


ROWS = "Name    Price\nPen     1.50\nInk     7.25\nPaper   3.00"


def listed(probability: float) -> Extraction:
    rows = [{"name": "Pen", "price": 1.5}, {"name": "Ink", "price": 7.25}, {"name": "Paper", "price": 3.0}]
    leaves = {("items", at, name): known(value, probability) for at, row in enumerate(rows) for name, value in row.items()}
    return Extraction({"items": rows}, leaves)


def test_rows_are_compared_with_the_row_that_holds_the_same_whatever_its_number() -> None:
    said = {"items": [{"name": "Ink", "price": 7.25}, {"name": "Paper", "price": None}]}
    made = combined(said, listed(0.99), text=ROWS)
    assert made.values["items"] == [{"name": "Ink", "price": 7.25}, {"name": "Paper", "price": 3.0}]
    assert made.reasons[("items", 0, "price")]["same"] == 1.0
    assert made.warnings == ["found_on_page: items.1.price is taken from the page, where the model said nothing"]


def test_a_row_of_the_models_alone_is_kept_as_it_is() -> None:
    made = combined({"items": [{"name": "Glue", "price": 9.0}]}, listed(0.99), text=ROWS)
    assert made.values["items"] == [{"name": "Glue", "price": 9.0}]
    assert {leaf.match for leaf in made.leaves.values()} == {"none"}


def test_an_empty_list_is_filled_from_a_sure_table_only() -> None:
    answers: list[dict[str, Any]] = [{"items": []}, {"items": None}]
    for said in answers:
        assert len(combined(said, listed(0.95), text=ROWS).values["items"]) == 3
        assert not combined(said, listed(0.8), text=ROWS).values["items"]


def test_a_model_that_was_unsure_of_its_words_is_believed_less() -> None:
    other = embedded(total=known(None, 0.5))
    sure, unsure = (combined({"total": 119.0}, other, logprobs={("total",): lp}).leaves[("total",)] for lp in (-0.01, -2.0))
    assert unsure.probability < sure.probability


def test_a_null_that_both_agree_on_is_surer_than_one_against_evidence() -> None:
    agreed = combined({"total": None}, embedded(total=known(None, 0.95))).leaves[("total",)]
    doubted = combined({"total": None}, embedded(total=known(119.0, 0.9))).leaves[("total",)]
    assert doubted.probability < 0.5 < agreed.probability


def test_inputs_are_left_as_they_were() -> None:
    said, other = {"total": 120.0}, embedded(total=known(119.0, 0.99))
    found = Alignment([page(TEXT)]).find(said, SCHEMA)
    before = msgspec.json.encode([said, other.values, list(other.leaves.values()), list(found.values())])
    combine(said, SCHEMA, found, other)
    assert msgspec.json.encode([said, other.values, list(other.leaves.values()), list(found.values())]) == before


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("North Mill Ltd", "NORTH  MILL LTD.", SAME),
        ("2001-09-15", "15.9.2001", SAME),
        (12.5, "12,50 €", SAME),
        (12.5, 12.51, OTHER),
        ("North Mill", "North Mill Ltd", SIMILAR),
        ("INV-441", "INV-442", OTHER),
        ("INV 441", "INV 4412", OTHER),
        (True, 1, OTHER),
        (None, "", OTHER),
        (None, None, SAME),
        ("€", "$", OTHER),
        (float("nan"), 1.0, OTHER),
    ],
)
def test_two_values_say_the_same_or_something_like_it_or_another_thing(a: Any, b: Any, same: float) -> None:
    assert agreement(a, b) == agreement(b, a) == same


def test_a_number_of_more_digits_than_python_writes_agrees_with_no_other() -> None:
    assert agreement(10**5000, 1.0) == OTHER


def a_calibration(**changes: Any) -> calibration.Calibration:
    made = calibration.Calibration(version=calibration.VERSION, weights={"bias": 1.0}, made_from="test", made="2026-01-01", route="qwen")
    return msgspec.structs.replace(made, **changes)


def test_a_routes_own_calibration_is_kept_and_used(tmp_path: Path) -> None:
    path = calibration.keep(a_calibration(), tmp_path)
    assert path == tmp_path / "models" / "qwen.calibration.json"
    mine = calibration.calibration(tmp_path, "qwen")
    assert mine == a_calibration()
    leaf = combined({"total": 119.0}, embedded(), calibration=mine).leaves[("total",)]
    assert leaf.probability == pytest.approx(0.7311, abs=1e-4)


def test_without_a_calibration_the_shipped_one_is_used(tmp_path: Path) -> None:
    assert calibration.calibration(tmp_path, "qwen") is calibration.shipped()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 1}', msgspec.json.encode(a_calibration(version=99)), b"\xff\xfe"])
def test_a_calibration_that_cannot_be_used_is_left_alone_with_a_warning(
    content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = calibration.path_of(tmp_path, "qwen")
    path.parent.mkdir()
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert calibration.calibration(tmp_path, "qwen") is calibration.shipped()
    assert str(path) in caplog.text
    assert path.read_bytes() == content


def test_a_routes_name_never_leaves_the_folder(tmp_path: Path) -> None:
    assert calibration.path_of(tmp_path, "../../etc/passwd").parent == tmp_path / "models"


def test_every_trait_of_an_answer_has_a_shipped_weight_or_means_nothing() -> None:
    said: Where = ("total",)
    made = combined({"total": 119.0, "number": None}, embedded(total=known(119.0, 0.98), number=known(None, 0.9)))
    weights = calibration.shipped().weights
    assert {"exact", "same", "same_sure"} <= made.reasons[said].keys() & weights.keys()
    assert {"null", "null_agreed"} <= made.reasons[("number",)].keys() & weights.keys()
