from __future__ import annotations

from typing import Any

from heliograph.extraction.metadata import with_metadata
from heliograph.extraction.packet import Part, cited, combined
from heliograph.extraction.result import Evidence, Extraction, Leaf, walk
from heliograph.extraction.schema import compile_schema
from heliograph.media.geometry import Box

TEXT = {"type": ["string", "null"]}
SCHEMA = compile_schema(
    {
        "type": "object",
        "properties": {
            "patient": {"type": "object", "properties": {"name": TEXT, "member": TEXT}},
            "tags": {"type": "array", "items": {"type": "string"}},
            "rows": {"type": "array", "items": {"type": "object", "properties": {"test": TEXT, "value": {"type": ["number", "null"]}}}},
        },
    }
)


def part(file: str, values: Any, *, pages: int = 1, page: int = 0, probability: float = 0.9, **of: float) -> Part:
    """A file that says these values, all on one page and equally sure, but for those of the fields in `of`."""
    leaves = {
        path: Leaf(value, state="absent")
        if value is None
        else Leaf(value, "found", "exact", of.get(str(path[-1]), probability), [Evidence(str(value), Box(0.1, 0.1, 0.2, 0.1, page), 1.0)])
        for path, value in walk(values)
    }
    return Part(file, pages, Extraction(values, leaves))


def answer(*parts: Part) -> tuple[Any, list[str]]:
    whole = combined(parts, SCHEMA)
    return cited(with_metadata(whole, SCHEMA, grounding=True, confidence=True), parts), whole.warnings


def where(metadata: Any) -> list[tuple[str, int]]:
    return [(box["file"], box["page"]) for box in metadata["bboxes"]]


def test_fields_of_an_object_come_from_the_files_that_say_them() -> None:
    value, warnings = answer(
        part("a", {"patient": {"name": "Amara", "member": None}}, pages=3, page=2), part("b", {"patient": {"name": None, "member": "M1"}})
    )
    assert (value["patient"]["name"], value["patient"]["member"]) == ("Amara", "M1")
    assert where(value["patient"]["name_metadata"]) == [("a", 2)]
    assert where(value["patient"]["member_metadata"]) == [("b", 0)]
    assert warnings == []


def test_what_two_files_say_alike_is_the_surer_ones_with_the_evidence_of_both() -> None:
    value, warnings = answer(
        part("a", {"patient": {"name": "AMARA OKAFOR"}}, probability=0.7), part("b", {"patient": {"name": "Amara Okafor"}})
    )
    assert value["patient"]["name"] == "Amara Okafor"
    assert where(value["patient"]["name_metadata"]) == [("b", 0), ("a", 0)]
    assert value["patient"]["name_metadata"]["probability"] == 0.9
    assert warnings == []


def test_a_contradiction_is_told_of_unless_the_other_is_hardly_sure() -> None:
    sure, unsure = part("b", {"patient": {"name": "Bruno"}}, probability=0.7), part("b", {"patient": {"name": "Bruno"}}, probability=0.3)
    first = part("a", {"patient": {"name": "Amara"}})
    value, warnings = answer(first, sure)
    assert value["patient"]["name"] == "Amara"
    assert warnings == ["conflict: patient.name is 'Amara' in a and 'Bruno' in b; the first is the surer one and was taken"]
    assert answer(first, unsure)[1] == []
    assert answer(unsure, first)[0]["patient"]["name"] == "Amara"


def test_what_no_file_says_keeps_the_reason_why_one_could_not_be_read() -> None:
    unreadable = Part("b", 1, Extraction({"patient": {"name": None}}, {("patient", "name"): Leaf(None, state="unreadable")}))
    value, _ = answer(part("a", {"patient": {"name": None}}), unreadable)
    assert value["patient"]["name"] is None
    assert value["patient"]["name_metadata"]["state"] == "unreadable"


def test_rows_are_joined_in_the_order_of_files_and_those_of_two_count_once() -> None:
    value, warnings = answer(
        part("a", {"rows": [{"test": "Na", "value": 139}, {"test": "K", "value": 4.1}]}),
        part("b", {"rows": [{"test": "K", "value": 4.1}, {"test": "Na", "value": 141}]}),
    )
    assert [(row["test"], row["value"]) for row in value["rows"]] == [("Na", 139), ("K", 4.1), ("Na", 141)]
    assert where(value["rows"][1]["value_metadata"]) == [("a", 0), ("b", 0)]
    assert warnings == ["rows: rows has 3: 2 from a, 2 from b; 1 in two files counted once"]


def test_equal_rows_of_one_file_are_two_rows() -> None:
    row = {"test": "K", "value": 4.1}
    value, _ = answer(part("a", {"rows": [row, row]}), part("b", {"rows": [row]}))
    assert len(value["rows"]) == 2


def test_rows_that_are_hardly_sure_are_left_out_beside_good_ones_and_told_of() -> None:
    good, poor = part("a", {"rows": [{"test": "K", "value": 4.1}]}), part("b", {"rows": [{"test": "Page", "value": 1}]}, probability=0.2)
    value, warnings = answer(good, poor)
    assert [row["test"] for row in value["rows"]] == ["K"]
    assert warnings == ["rows: 1 of rows in b left out: hardly sure"]
    assert [row["test"] for row in answer(poor)[0]["rows"]] == ["Page"], "alone they are all there is"


def test_lists_of_words_are_joined_without_repeats() -> None:
    value, _ = answer(part("a", {"tags": ["x", "y"]}), part("b", {"tags": ["y", "z"]}))
    assert value["tags"] == ["x", "y", "z"]


def test_one_file_alone_is_as_it_was() -> None:
    values = {"patient": {"name": "Amara", "member": None}, "tags": [], "rows": [{"test": "K", "value": None}]}
    whole = combined([part("a", values)], SCHEMA)
    assert whole.values == values
    assert whole.warnings == []
