from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.errors import InvalidRequest
from heliograph.extraction.plan import Example
from heliograph.skills.archive import Files, content_hash
from heliograph.skills.package import Package, read, read_folder, read_zip
from tests.unit.skills.zips import SKILL_MD, zipped

SCHEMA = {"type": "object", "properties": {"order_number": {"type": "string"}, "total": {"type": "number"}}}
RECEIPT = {"type": "object", "properties": {"shop": {"type": "string"}}}


def files(**more: object) -> Files:
    return {"SKILL.md": SKILL_MD.encode(), **{path: _bytes(content) for path, content in more.items()}}


def _bytes(content: object) -> bytes:
    return content if isinstance(content, bytes) else content.encode() if isinstance(content, str) else json.dumps(content).encode()


def skill(contents: Mapping[str, object]) -> Package:
    return read(files(**contents))


@pytest.mark.parametrize("folder", ["", "orders/"])
def test_a_zip_gives_name_description_text_and_schema(folder: str) -> None:
    package = read_zip(zipped({f"{folder}SKILL.md": SKILL_MD, f"{folder}schema.json": json.dumps(SCHEMA), f"{folder}resources/a.txt": "x"}))
    assert (package.name, package.description) == ("orders", "Reads orders: all of them")
    assert (package.text, package.schema) == ("# Orders\n\nRead the order number.", SCHEMA)
    assert (package.choices, package.examples, package.tests, package.warnings, package.model) == ({}, [], [], [], None)


def test_a_folder_reads_as_its_zip_does(tmp_path: Path) -> None:
    content = {"SKILL.md": SKILL_MD, "schema.json": json.dumps(SCHEMA), "vlmrun.yaml": "model: vlmrun-orion-1:auto\n"}
    for name, text in content.items():
        (tmp_path / name).write_text(text)
    assert read_folder(tmp_path) == read_zip(zipped(content))
    assert read_folder(tmp_path).model == "vlmrun-orion-1:auto"


def test_a_package_is_named_by_its_content_unless_that_is_known() -> None:
    assert read(files()).hash == content_hash(files())
    assert read(files(), hash="known").hash == "known"


def test_a_skill_that_has_lost_its_skill_md_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"exactly one SKILL\.md"):
        read({"schema.json": b"{}"})


@pytest.mark.parametrize(
    ("text", "name", "body"),
    [
        ("no frontmatter", None, "no frontmatter"),
        ("---\n---\nbody", None, "body"),
        ("\ufeff---\r\nname: a\r\n---\r\nbody", "a", "body"),
        ("---\nname: >\n  two\n  lines\n---\nbody", "two lines", "body"),
        ("---\nname: a\n---\n\n---\nrest", "a", "---\nrest"),
        ("---\nname: [a, b]\n---\nbody", None, "body"),
        ("---\nname: 2024\n---\nbody", "2024", "body"),
        ("---\nname: true\n---\nbody", None, "body"),
    ],
)
def test_frontmatter_is_read_as_yaml(text: str, name: str | None, body: str) -> None:
    package = skill({"SKILL.md": text})
    assert (package.name, package.text) == (name, body)


def test_a_description_with_a_colon_needs_no_quotes() -> None:
    package = skill({"SKILL.md": '---\nname: a\ndescription: Read orders: number, "date" and 😀:\n---\nbody'})
    assert (package.name, package.description) == ("a", 'Read orders: number, "date" and 😀:')
    with pytest.raises(InvalidRequest, match="not YAML"):
        skill({"SKILL.md": "---\ndescription: a: b\nname: [\n---\nbody"})


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ({"SKILL.md": b"\xff\xfe"}, r"SKILL\.md of the skill is not UTF-8"),
        ({"SKILL.md": "x" * (1 << 20) + "x"}, r"larger than 1048576 bytes"),
        ({"SKILL.md": "---\na: &b [x]\nc: *b\n---\n"}, "anchors or aliases"),
        ({"SKILL.md": "---\n" + "[" * 5000 + "\n---\n"}, "frontmatter"),
        ({"SKILL.md": "---\nname: [\n---\n"}, "not YAML"),
        ({"SKILL.md": "---\n? [a]\n: b\n---\n"}, "not YAML"),
        ({"SKILL.md": "---\na: !!timestamp x\n---\n"}, "not YAML"),
        ({"SKILL.md": "---\n" + "a: b\n" * 20_000 + "---\n"}, "longer than 65536"),
        ({"SKILL.md": "---\njust text\n---\n"}, "key: value"),
        ({"SKILL.md": "---\nname: " + "a" * 256 + "\n---\n"}, "longer than 255"),
        ({"SKILL.md": "Read\0."}, r"SKILL\.md of the skill holds a NUL"),
        ({"SKILL.md": '---\nname: "a\\0b"\n---\n'}, "frontmatter of SKILL.md holds a NUL"),
        ({"SKILL.md": '---\nmetadata: {a: [{"\\ud800": 1}]}\n---\n'}, "frontmatter of SKILL.md holds half of a character"),
        ({"vlmrun.yaml": 'plan: "\\udfff"'}, r"vlmrun\.yaml of the skill holds half of a character"),
        ({"schema.json": '{"properties": {"a\\u0000": {}}}'}, r"schema\.json of the skill holds a NUL"),
        ({"schema.json": '{"maximum": 1' + "0" * 30 + "}"}, r"schema\.json of the skill holds a whole number of more than 64 bits"),
        ({"schema.json": '{"x":' * 300 + "1" + "}" * 300}, r"schema\.json of the skill holds more than 256 levels"),
        ({"vlmrun.yaml": "metadata: {1" + "0" * 30 + ": 1}"}, r"vlmrun\.yaml of the skill holds a whole number"),
        ({"schema.json": "{"}, r"schema\.json of the skill is not JSON"),
        ({"schema.json": "[]"}, "must be an object"),
        ({"schema.json": "[" * 100_000}, "not JSON"),
        ({"schema.json": b'"\xff"'}, "not JSON"),
        ({"schema.json": {"type": "nothing"}}, r"schema\.json of the skill: "),
        ({"schema.json": {"$ref": "https://example.com/x.json"}}, r"schema\.json of the skill: "),
        ({"schemas/a.json": "{"}, r"schemas/a\.json of the skill is not JSON"),
        ({"schemas/a.json": {"type": 3}}, r"schemas/a\.json of the skill: "),
        ({f"schemas/{n}.json": "{}" for n in range(65)}, "more than 64 schemas"),
        ({"schemas/a.json": b" " * (4 << 20), "schema.json": "{}"}, "larger than 4194304"),
    ],
)
def test_what_cannot_work_is_refused_with_a_sentence(contents: Mapping[str, object], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        skill(contents)


@given(st.binary(max_size=300))
@settings(max_examples=200)
def test_any_bytes_in_any_place_are_read_or_refused(data: bytes) -> None:
    for path in ("SKILL.md", "schema.json", "schemas/a.json", "vlmrun.yaml", "resources/a.json", "resources/a.txt"):
        with contextlib.suppress(InvalidRequest):
            package = skill({"resources/a.txt": "x", "resources/a.json": "{}", path: data})
            assert msgspec.msgpack.decode(msgspec.msgpack.encode(package), type=Package) == package


def test_schemas_in_their_folder_are_choices_and_schema_json_is_what_else() -> None:
    package = skill({"schemas/order.json": SCHEMA, "schemas/receipt.json": RECEIPT, "schemas/deep/er.json": "{", "schemas/notes.md": "x"})
    assert (package.schema, package.choices) == (None, {"order": SCHEMA, "receipt": RECEIPT})
    assert skill({"schema.json": RECEIPT, "schemas/order.json": SCHEMA}).schema == RECEIPT


def test_a_document_beside_its_answer_is_an_example_at_any_depth() -> None:
    answer = {"order_number": "A-1"}
    package = skill(
        {
            "schema.json": SCHEMA,
            "resources/a.md": "Order no. A-1",
            "resources/a.json": answer,
            "resources/deep/er/B.PDF": b"%PDF",
            "resources/deep/er/B.json": answer,
            "resources/alone.txt": "no answer",
            "resources/codes.json": [1, 2],
            "resources/x.bin": b"",
            "resources/x.json": answer,
            "elsewhere/a.txt": "x",
            "elsewhere/a.json": answer,
        }
    )
    assert package.examples == [
        Example(answer=answer, text="Order no. A-1", package=package.hash, path="resources/a.md"),
        Example(answer=answer, package=package.hash, path="resources/deep/er/B.PDF"),
    ]
    assert (package.tests, package.warnings) == ([], [])


@pytest.mark.parametrize(
    ("name", "content", "stands"),
    [
        ("a.txt", "x" * 20_000, True),
        ("a.txt", "x" * 20_001, False),
        ("a.csv", "\ufeffno;total", True),
        ("a.txt", b"M\xe4rz", False),
        ("a.txt", " \n", False),
        ("a.txt", "x\0", False),
        ("a.html", "<p>x", False),
    ],
)
def test_short_plain_text_stands_in_the_example_itself(name: str, content: str | bytes, *, stands: bool) -> None:
    package = skill({"schema.json": SCHEMA, f"resources/{name}": content, "resources/a.json": {"total": 1}})
    assert [example.text for example in package.examples] == [str(content).lstrip("\ufeff") if stands else None]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("{", "not JSON"),
        ([1], "does not fit the schema"),
        ({"total": "much"}, "does not fit the schema"),
        ({"order_number": "\0"}, "holds a NUL"),
        ({"total": 10**30}, "holds a whole number"),
        ('{"more": ' + "[" * 65 + "]" * 65 + "}", "holds more than 64 levels"),
        ({"something": "else"}, "none of the schema's fields"),
        ({"order_number": "x" * 100_000}, "larger than 100000 bytes"),
    ],
)
def test_an_answer_that_is_none_is_left_out_and_said(answer: Any, why: str) -> None:
    package = skill({"schema.json": SCHEMA, "resources/a.txt": "x", "resources/a.png": b"x", "resources/a.json": answer})
    assert package.examples == []
    assert len(package.warnings) == 1
    assert package.warnings[0].startswith("resources/a.json is not used: ")
    assert why in package.warnings[0]


def test_without_a_schema_any_object_is_an_answer() -> None:
    assert [example.answer for example in skill({"resources/a.txt": "x", "resources/a.json": {"a": 1}}).examples] == [{"a": 1}]
    assert skill({"resources/a.txt": "x", "resources/a.json": [1]}).warnings == ["resources/a.json is not used: it is not an object"]


def test_an_answer_says_its_schema_by_its_folder_or_as_the_response_does() -> None:
    contents: dict[str, object] = {
        "schemas/order.json": SCHEMA,
        "schemas/receipt.json": RECEIPT,
        "resources/order/deep/a.txt": "x",
        "resources/order/deep/a.json": {"total": 2},
        "resources/b.txt": "x",
        "resources/b.json": {"schemaUsed": "receipt", "documentType": "Receipt", "data": {"shop": "Y"}},
        "resources/c.txt": "x",
        "resources/c.json": {"schemaUsed": "novel", "data": {}},
        "resources/d.txt": "x",
        "resources/d.json": {"shop": "Z"},
    }
    package = skill(contents)
    assert [(example.path, example.choice, example.answer) for example in package.examples] == [
        ("resources/b.txt", "receipt", {"shop": "Y"}),
        ("resources/order/deep/a.txt", "order", {"total": 2}),
    ]
    assert [warning.split(":")[0] for warning in package.warnings] == ["resources/c.json is not used", "resources/d.json is not used"]
    fallback = skill({**contents, "schema.json": RECEIPT})
    assert [(example.path, example.choice) for example in fallback.examples] == [
        ("resources/b.txt", "receipt"),
        ("resources/d.txt", None),
        ("resources/order/deep/a.txt", "order"),
    ]


def test_no_more_than_eight_examples_are_used_and_every_schema_has_its_share() -> None:
    contents: dict[str, object] = {"schemas/order.json": SCHEMA, "schemas/receipt.json": RECEIPT}
    for n in range(9):
        contents |= {f"resources/order/{n}.txt": "x", f"resources/order/{n}.json": {"total": n}}
    for n in range(2):
        contents |= {f"resources/receipt/{n}.txt": "x", f"resources/receipt/{n}.json": {"shop": "Y"}}
    package = skill(contents)
    assert [example.choice for example in package.examples].count("receipt") == 2
    assert len(package.examples) == 8
    assert package.warnings == ["resources: 8 of 11 examples are used, which is the most"]


def test_pairs_in_examples_are_tests_and_never_examples() -> None:
    package = skill(
        {
            "schema.json": SCHEMA,
            "examples/a.md": "Order A-1",
            "examples/a.json": {"order_number": "A-1"},
            "examples/b.pdf": b"%PDF",
            "examples/none.md": "Nothing here",
            "examples/none.json": {},
        }
    )
    assert package.examples == []
    assert package.tests == [
        Example(answer={"order_number": "A-1"}, package=package.hash, path="examples/a.md"),
        Example(answer={}, package=package.hash, path="examples/none.md"),
    ]
    assert package.warnings == ["examples/b.pdf is not tested: there is no b.json beside it"]


def test_that_no_schema_fits_can_be_tested() -> None:
    package = skill({"schemas/order.json": SCHEMA, "examples/a.md": "A poem", "examples/a.json": {"schemaUsed": None, "data": None}})
    assert [(test.choice, test.answer) for test in package.tests] == [(None, None)]


def test_published_skills_load(shared_data: Path) -> None:
    folder = shared_data / "agent_skills"
    names = [json.loads(line)["path"] for line in (folder / "manifest.jsonl").read_text().splitlines()]
    assert names
    for path in names:
        package = read_folder(shared_data / path)
        truth = json.loads((folder / "truth" / f"{Path(path).name}.json").read_text())
        assert truth["valid"]
        assert package.name == truth["name"]
        assert package.description
        assert package.text
        assert package.warnings == []


@pytest.mark.parametrize("value", ["2020-01-01", "!!set {a, b}", "!!binary aGk=", ".inf", "{1: {2.5: x}}", "{2020-01-01: x}", "{null: x}"])
def test_whatever_yaml_means_by_metadata_the_package_goes_from_process_to_process(value: str) -> None:
    package = skill({"SKILL.md": f"---\nmetadata: {value}\n---\nRead.", "vlmrun.yaml": f"metadata:\n  a: {value}\n"})
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(package), type=Package).text == "Read."
