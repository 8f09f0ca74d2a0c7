"""`<field>_metadata`: where it stands and what it says."""

from __future__ import annotations

from heliograph.extraction.confidence import HI, MED, label
from heliograph.extraction.metadata import with_metadata
from heliograph.extraction.result import Evidence, Extraction, Leaf
from heliograph.extraction.schema import compile_schema
from heliograph.media.geometry import Box

SCHEMA = compile_schema(
    {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "party": {"type": "object", "properties": {"city": {"type": "string"}}},
            "items": {"type": "array", "items": {"type": "object", "properties": {"sum": {"type": "number"}}}},
            "tags": {"type": "array", "items": {"type": "string"}},
            "note": {"type": "string"},
        },
    }
)
BOX = Evidence("kevin", Box(0.19154, 0.2, 0.1, 0.02, 3), 0.987)


def extraction(**changes: object) -> Extraction:
    values = {"note": None, "tags": ["a"], "items": [{"sum": 2.5}], "party": None, "name": "Kevin"} | changes
    leaves = {
        ("name",): Leaf("Kevin", "found", "fuzzy", 0.99, [BOX]),
        ("items", 0, "sum"): Leaf(2.5, "found", "exact", MED, [BOX]),
        ("tags", 0): Leaf("a", "found", "exact", 0.9, [BOX]),
        ("note",): Leaf(None, "absent"),
    }
    return Extraction(values, leaves)


def test_own_fields_keep_schema_order_and_citations_come_after_them() -> None:
    made = with_metadata(extraction(), SCHEMA, grounding=True, confidence=True)
    assert list(made) == ["name", "party", "items", "tags", "note", "name_metadata", "note_metadata"]
    assert list(made["items"][0]) == ["sum", "sum_metadata"]


def test_a_citation_has_raw_text_box_page_and_label() -> None:
    made = with_metadata(extraction(), SCHEMA, grounding=True, confidence=False)
    assert made["name_metadata"] == {
        "confidence": "hi",
        "match": "fuzzy",
        "state": "found",
        "probability": 0.99,
        "bboxes": [{"content": "kevin", "bbox": {"xywh": [0.1915, 0.2, 0.1, 0.02]}, "page": 3, "confidence": 0.99}],
    }
    assert made["items"][0]["sum_metadata"]["confidence"] == "med"
    assert made["note_metadata"] is None


def test_confidence_alone_gives_labels_without_boxes_and_neither_gives_bare_values() -> None:
    sure = with_metadata(extraction(), SCHEMA, grounding=False, confidence=True)
    assert sure["name_metadata"]["confidence"] == "hi"
    assert sure["name_metadata"]["bboxes"] == []
    bare = with_metadata(extraction(), SCHEMA, grounding=False, confidence=False)
    assert list(bare) == ["name", "party", "items", "tags", "note"]


def test_a_null_that_is_not_absent_says_why() -> None:
    found = extraction(name=None)
    found.leaves[("name",)] = Leaf(None, "unreadable", "none", 0.0, [])
    made = with_metadata(found, SCHEMA, grounding=True, confidence=True)
    assert made["name_metadata"] == {"state": "unreadable", "bboxes": []}


def test_a_value_that_could_not_be_located_is_lo_and_says_none() -> None:
    found = extraction(note="from nowhere")
    found.leaves[("note",)] = Leaf("from nowhere", "found", "none", 0.97, [])
    made = with_metadata(found, SCHEMA, grounding=True, confidence=True)
    assert (made["note_metadata"]["confidence"], made["note_metadata"]["match"], made["note_metadata"]["bboxes"]) == ("lo", "none", [])


def test_a_box_that_a_model_states_is_never_more_than_med() -> None:
    assert label(0.999, "model") == "med"
    assert (label(HI), label(MED), label(MED - 0.01)) == ("hi", "med", "lo")
