from __future__ import annotations

from tests.unit.answers.drawn import Sheet, document, invoice

from heliograph.extraction.domains import catalog
from heliograph.extraction.layout import layout
from heliograph.extraction.schema import compile_schema


def test_elements_come_as_a_list_and_as_keys_with_boxes() -> None:
    first, second = Sheet(0), Sheet(4)
    first.block("title", "Report")
    first.block("text", "One", y=80)
    first.block("text", "Two", y=120)
    second.block("text", "Three")
    made = layout(document(first, second))
    assert [(e["category"], e["text"], e["page"]) for e in made["elements"]] == [
        ("title", "Report", 0), ("text", "One", 0), ("text", "Two", 0), ("text", "Three", 4),
    ]  # fmt: skip
    keys = ["title_1_page0", "text_1_page0", "text_2_page0", "text_1_page4"]
    assert list(made) == ["elements", *keys, *[f"{key}_metadata" for key in keys]]
    box = made["text_1_page4_metadata"]["bboxes"][0]
    assert box == {"content": "Three", "bbox": {"xywh": second.page.blocks[0].box.xywh()}, "page": 4, "confidence": 0.9}
    assert made["elements"][3]["xywh"] == box["bbox"]["xywh"]


def test_the_answer_fits_the_domains_own_schema() -> None:
    schema = compile_schema(catalog()["document.layout-detection"].json_schema)
    assert schema.check(layout(invoice())) == []
    assert schema.check(layout(document(Sheet()))) == []
