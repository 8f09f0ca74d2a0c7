from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from heliograph.errors import InvalidRequest, NotConfigured
from heliograph.extraction.plan import Skill, SkillUse, resolve
from heliograph.extraction.schema import compile_schema
from heliograph.skills import read_folder, read_zip, reader
from heliograph.skills.derive import derive

SKILL_MD = '---\nname: orders\ndescription: "Reads orders: all of them"\nlicense: MIT\n---\n# Orders\n\nRead the order number.\n'
SCHEMA = {"type": "object", "properties": {"order_number": {"type": "string"}}}


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def inline(data: bytes, **more: Any) -> dict[str, Any]:
    return {
        "type": "inline",
        "source": {"type": "base64", "media_type": "application/zip", "data": base64.b64encode(data).decode()},
        **more,
    }


def test_an_inline_skill_brings_its_schema_and_its_text() -> None:
    skill = reader()(inline(zipped({"SKILL.md": SKILL_MD, "schema.json": json.dumps(SCHEMA)})))
    assert (skill.name, skill.prompt, skill.schema, skill.derived) == ("orders", "# Orders\n\nRead the order number.", SCHEMA, False)
    assert skill.description == "Reads orders: all of them"
    assert reader()(inline(zipped({"SKILL.md": SKILL_MD}), name="mine", description="own")).name == "mine"


def test_the_older_flat_bundle_is_read_too() -> None:
    data = zipped({"SKILL.md": SKILL_MD, "schema.json": json.dumps(SCHEMA)})
    assert reader()({"type": "inline", "bundle": base64.b64encode(data).decode(), "skill_version": 3, "source": None}).schema == SCHEMA


def test_a_plan_is_made_from_an_inline_skill_alone() -> None:
    item = inline(zipped({"SKILL.md": SKILL_MD, "schema.json": json.dumps(SCHEMA)}))
    plan = resolve("document", "generate", None, {"skills": [item]}, skills=reader())
    assert (plan.schema, plan.schema_from, plan.instructions) == (SCHEMA, "skill", "# Orders\n\nRead the order number.")


def test_what_a_request_used_is_named_by_its_content() -> None:
    data = zipped({"SKILL.md": SKILL_MD, "schema.json": json.dumps(SCHEMA)})
    plan = resolve("document", "generate", None, {"skills": [inline(data), inline(data)]}, skills=reader())
    assert plan.skills == [SkillUse(name="orders", hash=read_zip(data).hash)]
    assert (plan.instructions or "").count("Read the order number.") == 1, "the same skill twice is once"


TAUGHT = {
    "SKILL.md": SKILL_MD,
    "schema.json": json.dumps(SCHEMA),
    "resources/a.txt": "No. 12",
    "resources/a.json": '{"order_number": "12"}',
    "resources/b.pdf": b"%PDF-1.4",
    "resources/b.json": '{"order_number": "13"}',
    "resources/c.txt": "No. 14",
    "resources/c.json": '{"order_number": 14}',
}


def test_of_an_inline_skill_only_examples_in_text_are_used_and_what_is_left_out_is_said() -> None:
    plan = resolve("document", "generate", None, {"skills": [inline(zipped(TAUGHT))]}, skills=reader())
    assert [(example.text, example.answer, example.path) for example in plan.examples] == [("No. 12", {"order_number": "12"}, None)]
    assert any("skill orders: resources/c.json is not used" in warning for warning in plan.warnings)
    assert any("skill orders: resources/b.pdf not used as examples" in warning for warning in plan.warnings)


def test_where_the_files_stay_at_hand_every_example_is_used() -> None:
    skill = reader(keeps_files=True)(inline(zipped(TAUGHT)))
    assert [(example.text, example.path) for example in skill.examples] == [("No. 12", "resources/a.txt"), (None, "resources/b.pdf")]


def test_a_skill_with_several_schemas_has_none_read_from_its_text() -> None:
    files = {"SKILL.md": LIST, "schemas/order.json": json.dumps(SCHEMA)}
    plan = resolve("document", "generate", None, {"skills": [inline(zipped(files))]}, skills=reader())
    assert (plan.schema, plan.choices, plan.schema_from) == (None, {"order": SCHEMA}, "skill")


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"type": "inline"}, "needs source"),
        ({"type": "inline", "source": {}}, "missing required field `data`"),
        (inline(b"", skill_id="x"), "no skill_id"),
        ({"type": "inline", "source": {"type": "url", "data": ""}}, "must be base64"),
        ({"type": "inline", "source": {"media_type": "application/gzip", "data": ""}}, "application/zip"),
        ({"type": "inline", "source": {"data": "not base64!"}}, "not base64"),
        ({"type": "inline", "source": {"data": "eHh4"}}, "not a zip"),
        ({"type": "inline", "source": {"data": "A" * (69 << 20)}}, "larger than"),
        ({}, "skill_id or skill_name"),
        ({"skill_id": "a", "skill_version": 2, "version": 3}, "two versions: 2 and 3"),
        ({"skill_id": ["a"]}, "config.skills"),
    ],
)
def test_a_wrong_attachment_is_refused_with_a_sentence(item: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        reader()(item)


def test_a_reference_is_looked_up_by_id_before_name_and_by_the_version_that_says_something() -> None:
    asked: list[tuple[str, str]] = []

    def lookup(name: str, version: str) -> Skill:
        asked.append((name, version))
        return Skill(name="stored", prompt="Read.", schema=SCHEMA)

    read = reader(lookup)
    for item in (
        {"type": "vlm-run", "skill_id": "an-id", "skill_name": "a-name"},
        {"skill_name": "a-name", "skill_version": "latest", "version": "20260720-b19b53d9"},
        {"skill_name": "a-name", "skill_version": 2, "version": None},
    ):
        assert read(item).schema == SCHEMA
    assert asked == [("an-id", "latest"), ("a-name", "20260720-b19b53d9"), ("a-name", "2")]


def test_a_reference_without_a_store_is_not_configured_and_says_what_works() -> None:
    with pytest.raises(NotConfigured, match="type inline"):
        reader()({"skill_name": "invoice-extraction", "version": "latest"})


LIST = """# Order skill

Read orders.

## Fields to extract

- **Order number**: the number at the top
- `order_date` (date): when it was placed
- `rush` (boolean): whether it is urgent
- `total`: the amount to pay
- **Lines** (list): every line
  - `sku`: article number
  - `quantity` (integer): how many

## Style

- **Be brief**: do not chat
"""


def test_fields_are_read_from_a_list_in_the_text() -> None:
    schema = derive(LIST)
    assert schema is not None
    leaves = {field.dotted: (field.kind, field.format) for field in compile_schema(schema).root.leaves()}
    assert leaves == {
        "Order_number": ("string", ""),
        "order_date": ("string", "date"),
        "rush": ("boolean", ""),
        "total": ("number", ""),
        "Lines[].sku": ("string", ""),
        "Lines[].quantity": ("integer", ""),
    }
    assert schema["properties"]["order_date"]["description"] == "when it was placed"


def test_fields_are_read_from_a_table_in_the_text() -> None:
    schema = derive(
        "| Field | Type | Description |\n|---|---|---|\n| `po_number` | string | The order |\n| amount | number | What to pay |\n"
    )
    assert schema is not None
    assert [(f.dotted, f.kind) for f in compile_schema(schema).root.leaves()] == [("po_number", "string"), ("amount", "number")]


@pytest.mark.parametrize(
    "block",
    [
        '{"type": "object", "properties": {"po": {"type": "string"}}}',
        '{"po": "PO-12", "po_metadata": null}',
        '{"po": null}',
    ],
)
def test_fields_are_read_from_a_json_block_be_it_a_schema_or_an_example(block: str) -> None:
    schema = derive(f"Answer so:\n\n```json\n{block}\n```\n")
    assert schema is not None
    assert [(f.dotted, f.kind) for f in compile_schema(schema).root.leaves()] == [("po", "string")]


def test_text_that_names_no_fields_gives_none() -> None:
    assert derive("Be careful.\n\n- **Speed**: matters\n- Read `page 1` first\n") is None


@pytest.mark.parametrize(
    "text",
    [
        "```" + " " * 500_000,
        "## Fields\n- `a`: " + "(string" * 100_000,
        "## Fields\n- `a`: " + "list " * 100_000,
        "|Field|\n|---|\n" * 50_000,
        "```\n" * 100_000,
    ],
)
def test_text_made_to_be_slow_is_read_all_the_same(text: str) -> None:
    derive(text)


def test_published_skills_that_extract_nothing_give_no_schema(shared_data: Path) -> None:
    for folder in sorted((shared_data / "agent_skills").iterdir()):
        if (folder / "SKILL.md").exists():
            package = read_folder(folder)
            assert package.name == folder.name
            assert package.description
            assert derive(package.text) is None, folder.name
