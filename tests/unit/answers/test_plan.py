from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heliograph.errors import InvalidRequest, NotConfigured, NotFound
from heliograph.extraction import gql
from heliograph.extraction.domains import catalog
from heliograph.extraction.options import Options, Recorded
from heliograph.extraction.plan import MAX_EXAMPLES, Example, Kind, Plan, Skill, SkillUse, resolve, schema_of
from heliograph.extraction.schema import compile_schema
from heliograph.models.errors import ModelNotFound
from heliograph.models.routes import Route
from heliograph.wire.requests import RequestMetadata

INVOICE = catalog()["document.invoice"].json_schema
SHIP = {"type": "object", "properties": {"ship": {"type": "string"}}}
USE = SkillUse(name="taught", version="20261121-0123abcd", hash="0123abcd", id="1")
OWN = {"type": "object", "properties": {"po": {"type": "string"}}, "required": ["po"]}


def reader(item: dict[str, Any]) -> Skill:
    """Skills by name, as a store would give them."""
    return {
        "full": Skill(name="full", prompt="Read the order.", schema=OWN),
        "other": Skill(name="other", prompt="Read the ship.", schema=SHIP),
        "clash": Skill(name="clash", prompt="", schema={"type": "object", "properties": {"po": {"type": "integer"}}}),
        "derived": Skill(name="derived", prompt="Read.", schema=OWN, derived=True),
        "bare": Skill(name="bare", prompt="Read whatever there is."),
        "forms": Skill(
            name="forms", prompt="Tell forms apart.", choices={"order": OWN, "ship": SHIP}, examples=[Example(answer=1, choice="ship")]
        ),
        "taught": Skill(
            name="taught", prompt="", schema=OWN, examples=[Example(answer={"po": str(n)}, text="x") for n in range(12)], use=USE
        ),
    }[item["skill_id"]]


def plan(domain: str | None = "document.invoice", **config: Any) -> Plan:
    return resolve("document", "generate", domain, config, skills=reader)


def test_a_domain_alone_gives_its_schema_and_prompt() -> None:
    made = plan()
    assert (made.mode, made.schema_from, made.schema, made.domain) == ("extract", "domain", INVOICE, "document.invoice")
    assert made.instructions == catalog()["document.invoice"].prompt


def test_json_schema_wins_over_everything_and_the_prompts_stay() -> None:
    made = plan(json_schema=OWN, gql_stmt="{ total }", skills=[{"skill_id": "full"}], prompt="Only page one.")
    assert (made.schema, made.schema_from) == (OWN, "json_schema")
    assert made.instructions is not None
    assert made.instructions.endswith("Read the order.\n\nOnly page one.")
    assert "gql_stmt has no effect beside json_schema" in made.warnings


def test_gql_selects_from_the_domain_even_beside_a_skill() -> None:
    made = plan(gql_stmt="{ total }", skills=[{"skill_id": "full"}])
    assert made.schema is not None
    assert (list(made.schema["properties"]), made.schema_from) == (["total"], "gql_stmt")


def test_gql_without_a_domain_selects_from_the_skills() -> None:
    made = plan(None, gql_stmt="{ ship }", skills=[{"skill_id": "full"}, {"skill_id": "other"}])
    assert made.schema is not None
    assert list(made.schema["properties"]) == ["ship"]


def test_a_skill_wins_over_the_domain() -> None:
    assert plan(skills=[{"skill_id": "full"}]).schema == OWN


def test_skills_are_merged_and_a_field_with_two_meanings_is_refused() -> None:
    made = plan(None, skills=[{"skill_id": "full"}, {"skill_id": "other"}])
    assert made.schema == {"type": "object", "properties": {"po": {"type": "string"}, "ship": {"type": "string"}}, "required": ["po"]}
    with pytest.raises(InvalidRequest, match="Skills full and clash clash: po is a string in the one and an integer in the other"):
        plan(None, skills=[{"skill_id": "full"}, {"skill_id": "clash"}])


def test_a_skill_with_several_schemas_leaves_the_choice_to_the_document() -> None:
    made = plan(skills=[{"skill_id": "forms"}])
    assert (made.choices, made.schema, made.schema_from) == ({"order": OWN, "ship": SHIP}, None, "skill")
    assert [example.choice for example in made.examples] == ["ship"]


def test_a_skill_with_several_schemas_is_not_combined_with_others_and_is_named() -> None:
    with pytest.raises(InvalidRequest, match=r"Skill forms has several schemas.* combined with other") as refused:
        plan(None, skills=[{"skill_id": "other"}, {"skill_id": "forms"}])
    assert refused.value.param == "config.skills"
    with pytest.raises(InvalidRequest, match=r"forms has several schemas \(order, ship\), and gql_stmt selects from one"):
        plan(None, skills=[{"skill_id": "forms"}], gql_stmt="{ po }")


def test_what_a_request_says_itself_wins_over_several_schemas() -> None:
    for made in (
        plan(None, skills=[{"skill_id": "forms"}], json_schema=OWN),
        plan(None, skills=[{"skill_id": "forms"}, {"skill_id": "other"}], json_schema=OWN),
        plan(skills=[{"skill_id": "forms"}], gql_stmt="{ total }"),
    ):
        assert made.choices == {}
        assert made.schema is not None
        assert made.examples == [], "they answer other fields"


def test_the_schema_of_several_is_the_envelope_that_is_answered() -> None:
    _, schema = schema_of(None, {"skills": [{"skill_id": "forms"}]}, skills=reader)
    fits = compile_schema(schema)
    for answer in ({"schemaUsed": "ship", "data": {"ship": "Ada"}}, {"schemaUsed": None, "data": None}):
        assert fits.check({"documentType": "Ship", "classificationRationale": "It says so.", **answer}) == []
    assert fits.check({"schemaUsed": "other", "documentType": "", "classificationRationale": "", "data": None})
    assert "ship" in gql.statement(schema)


def test_a_skill_given_twice_counts_once_and_is_recorded() -> None:
    made = plan(None, skills=[{"skill_id": "taught"}, {"skill_id": "taught"}])
    assert made.skills == [USE]
    assert (made.schema, len(made.examples)) == (OWN, 12)


def test_examples_of_several_skills_take_turns_and_are_bounded() -> None:
    def many(item: dict[str, Any]) -> Skill:
        return Skill(name=item["skill_id"], prompt="", schema=OWN, examples=[Example(answer={"po": item["skill_id"]}) for _ in range(12)])

    made = resolve("document", "generate", None, {"skills": [{"skill_id": "a"}, {"skill_id": "b"}]}, skills=many)
    assert [example.answer["po"] for example in made.examples] == ["a", "b"] * (MAX_EXAMPLES // 2)


def test_examples_answer_only_what_is_asked() -> None:
    def taught(item: dict[str, Any]) -> Skill:
        answer = {"po": "12", "date": 3, "lines": [{"sku": "A", "price": 2}], "seller": {"name": "Ada"}}
        return Skill(name="s", prompt="", schema=OWN, examples=[Example(answer=answer), Example(answer={"other": 1})])

    line = {"type": "object", "properties": {"price": {"type": "number"}}}
    fields = {"po": {"type": "string"}, "date": {"type": "string"}, "lines": {"type": "array", "items": line}}
    made = resolve("document", config={"skills": [{}], "json_schema": {"type": "object", "properties": fields}}, skills=taught)
    assert [example.answer for example in made.examples] == [{"po": "12", "lines": [{"price": 2}]}]


def test_execute_asks_for_a_skill_in_the_version_that_it_names() -> None:
    asked: list[dict[str, Any]] = []

    def stored(item: dict[str, Any]) -> Skill:
        asked.append(item)
        return Skill(name="full", prompt="", schema=OWN)

    resolve("document", "execute", "full", version=2, skills=stored)
    assert asked == [{"type": "skill_reference", "skill_id": "full", "skill_version": 2}]
    with pytest.raises(NotFound, match=r"no version '2' of 'document\.invoice'"):
        resolve("document", "execute", "document.invoice", version=2, skills=stored)


def test_a_derived_schema_is_marked_and_gives_way_to_a_domain() -> None:
    made = plan(None, skills=[{"skill_id": "derived"}])
    assert made.schema_from == "instructions"
    assert any(warning.startswith("schema_derived") for warning in made.warnings)
    assert plan(skills=[{"skill_id": "derived"}]).schema_from == "domain"


def test_fields_named_in_a_text_beside_a_schema_are_left_out_and_that_is_said() -> None:
    made = plan(None, skills=[{"skill_id": "other"}, {"skill_id": "derived"}])
    assert made.schema == SHIP
    assert made.warnings == ["the fields that the text of derived names are left out: only skills with a schema.json are merged"]


def test_a_skill_without_any_fields_takes_them_from_the_document() -> None:
    made = plan(None, skills=[{"skill_id": "bare"}])
    assert (made.schema, made.schema_from, made.mode) == (None, "document", "extract")
    with pytest.raises(InvalidRequest, match="made from each file"):
        schema_of(None, {"skills": [{"skill_id": "bare"}]}, skills=reader)


@pytest.mark.parametrize("config", [{}, {"prompt": "everything"}, {"json_schema": None, "skills": None, "gql_stmt": None}, {"skills": []}])
def test_nothing_asked_names_the_four_ways(config: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match=r"domain, config\.json_schema, config\.skills, or config\.gql_stmt"):
        resolve("document", "generate", None, config)


def test_gql_alone_says_what_it_selects_from() -> None:
    with pytest.raises(InvalidRequest, match="four ways"):
        plan(None, gql_stmt="{ total }")
    with pytest.raises(InvalidRequest, match="give a domain, or a skill that has one"):
        plan(None, gql_stmt="{ total }", skills=[{"skill_id": "bare"}])


def test_an_unknown_domain_names_its_neighbours() -> None:
    with pytest.raises(InvalidRequest, match=r"no domain 'document.invoce'; did you mean document.invoice"):
        plan("document.invoce")


def test_execute_takes_a_domain_with_a_slash_or_else_a_skill() -> None:
    assert resolve("document", "execute", "healthcare/lab-report").domain == "healthcare.lab-report"
    assert resolve("document", "execute", "full", skills=reader).schema == OWN


def test_a_domain_that_needs_a_model_is_not_configured_but_its_name_may_carry_another_schema() -> None:
    with pytest.raises(NotConfigured, match="vision model"):
        plan("image.caption")
    assert plan("image.caption", json_schema=OWN).schema == OWN
    assert not plan("image.caption", json_schema=OWN).vision


def test_what_a_picture_shows_is_planned_for_a_model_that_may_see_and_for_no_other() -> None:
    def routed(domain: str, vision: bool | None, **config: Any) -> Plan:
        return resolve("image", "generate", domain, config, route=Route(asked="vlm-1", name="house", vision=vision))

    for vision in (None, True):
        assert (routed("image.caption", vision).mode, routed("image.caption", vision).vision) == ("extract", True)
        assert routed("image.person-detection", vision).mode == "detect"
        assert routed("retail.product-catalog", vision, gql_stmt="{ season }").vision
    for config in ({}, {"gql_stmt": "{ season }"}):
        with pytest.raises(NotConfigured, match=r"\[models.house\] says vision = false"):
            routed("retail.product-catalog", False, **config)
    assert routed("media.tv-news", True).warnings == []
    assert not routed("media.tv-news", True).vision, "a blind model reads what is written"
    for blind in (routed("media.tv-news", False), plan("media.tv-news")):
        assert [warning for warning in blind.warnings if "only what is written" in warning]


def test_a_skills_model_is_asked_for_only_where_the_request_leaves_it_open() -> None:
    def made(item: dict[str, Any]) -> Skill:
        return Skill(name=item["skill_id"], prompt="", schema=OWN, model=item.get("name"))

    def find(of_skill: str | None) -> Route:
        return Route(asked=of_skill or "vlm-1", name="found")

    def routed(*models: str | None) -> tuple[str, str | None]:
        skills = [{"skill_id": f"s{number}", "name": model} for number, model in enumerate(models)]
        answered = resolve("document", "generate", None, {"skills": skills}, skills=made, route=find)
        return answered.model, answered.route

    assert routed("a", "b") == ("a", "found")
    assert routed(None, "b") == ("vlm-1", "found"), "the first skill's alone counts"
    assert resolve("document", "schema", None, {}, route=find).model == "vlm-1"


@pytest.mark.parametrize("kind", ["audio", "video"])
def test_a_transcription_is_one_mode_whatever_is_selected_of_it(kind: Kind) -> None:
    whole = resolve(kind, "generate", f"{kind}.transcription", {"grounding": True})
    assert (whole.kind, whole.mode, whole.schema_from, whole.recorded) == (kind, "transcribe", "domain", Recorded())
    assert [warning for warning in whole.warnings if "carries its own times" in warning]
    some = resolve(kind, "generate", f"{kind}.transcription", {"gql_stmt": "{ segments { start_time } }"})
    assert (some.mode, some.schema_from) == ("transcribe", "gql_stmt")
    assert some.schema is not None
    assert list(some.schema["properties"]) == ["segments"]


@pytest.mark.parametrize("kind", ["audio", "video"])
def test_schemas_skills_and_proposals_are_decided_for_recordings_as_for_documents(kind: Kind) -> None:
    assert resolve(kind, "generate", None, {"json_schema": OWN}).schema == OWN
    assert resolve(kind, "generate", f"{kind}.transcription", {"json_schema": OWN}).mode == "extract"
    assert resolve(kind, "execute", "full", {}, skills=reader).schema == OWN
    assert resolve(kind, "execute", f"{kind}/transcription", {}, skills=reader).mode == "transcribe"
    assert resolve(kind, "schema", None, {"language": "de"}).mode == "propose"
    with pytest.raises(InvalidRequest, match="four ways"):
        resolve(kind, "generate", None, {})


@pytest.mark.parametrize(
    ("kind", "domain", "said"),
    [
        ("audio", "document.invoice", r"not about sound: ask for it at .*Domains of sound: .*audio\.transcription"),
        ("video", "document.invoice", r"Domains of video: .*media\.tv-news.*video\.transcription"),
        ("video", "audio.transcription", r"ask for it at /v1/audio"),
        ("audio", "media.tv-news", r"ask for it at /v1/image or /v1/video"),
        ("document", "audio.transcription", r"not about documents and images: ask for it at /v1/audio"),
        ("image", "video.transcription", r"ask for it at /v1/video"),
    ],
)
def test_a_domain_of_another_medium_is_refused_and_says_where_to_go(kind: Kind, domain: str, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said) as refused:
        resolve(kind, "generate", domain, {})
    assert refused.value.param == "domain"


def test_domains_of_pictures_that_take_video_are_asked_of_video() -> None:
    assert resolve("video", "generate", "media.tv-news", {}).mode == "extract"
    assert resolve("image", "generate", "media.tv-news", {}).recorded is None


def test_what_is_decided_about_a_recording_stands_in_the_plan() -> None:
    config = {
        "keyframes": True, "video_segment_duration": 30, "video_frames_per_segment": 2, "video_model": "seer", "diarization": True,
        "video_input_mode": "native_video", "video_transcribe_audio": True, "chat_context": "hello", "language": "en-US",
    }  # fmt: skip
    made = resolve("video", "generate", "video.transcription", config, named=lambda name: Route(asked=name, name=f"{name}-here"))
    assert made.recorded == Recorded(
        keyframes=True, segment_duration=30, frames_per_segment=2, video_model="seer", video_route="seer-here",
        video_input_mode="native_video", transcribe_audio=True, chat_context="hello", language="en", diarization=True,
    )  # fmt: skip
    assert not any("no effect" in warning for warning in made.warnings)
    assert msgspec.json.decode(msgspec.json.encode(made), type=Plan) == made


def test_a_model_for_captions_that_is_not_there_is_refused() -> None:
    def named(name: str) -> Route:
        raise ModelNotFound(f"There is no model {name}.", param="model")

    with pytest.raises(ModelNotFound) as refused:
        resolve("video", "generate", "video.transcription", {"video_model": "seer"}, named=named)
    assert refused.value.param == "config.video_model"


def test_a_skill_reference_without_a_store_is_not_configured() -> None:
    with pytest.raises(NotConfigured):
        resolve("document", "generate", None, {"skills": [{"skill_id": "full"}]})


def test_what_every_official_client_sends_gives_no_warning() -> None:
    python = {"max_retries": 3, "max_tokens": 65535, "temperature": 0.0, "detail": "auto", "confidence": False, "grounding": False}
    node = {"detail": "auto", "json_schema": None, "skills": None, "confidence": False, "grounding": False, "gql_stmt": None}
    assert plan(**python).warnings == []
    assert plan(**node).warnings == []


def test_every_option_can_be_null() -> None:
    options = msgspec.json.decode(msgspec.json.encode(dict.fromkeys(_options(), None)))
    assert plan(**options) == plan()


@pytest.mark.parametrize(
    ("kind", "ignored"),
    [
        ("document", {"keyframes", "video_segment_duration", "chat_context", "language", "diarization"}),
        ("audio", {"keyframes", "video_segment_duration", "chat_context", "page_indices"}),
        ("video", {"page_indices"}),
    ],
)
def test_options_of_another_medium_give_a_warning_and_defaults_none(kind: Kind, ignored: set[str]) -> None:
    config = {
        "keyframes": True, "video_segment_duration": 30, "video_transcribe_audio": False, "chat_context": "hello", "language": "de",
        "diarization": True, "page_indices": [0],
    }  # fmt: skip
    made = resolve(kind, "generate", None, {**config, "json_schema": OWN})
    assert {warning.split()[0].removeprefix("config.") for warning in made.warnings} == ignored


def test_an_unknown_option_gives_a_warning_that_names_it() -> None:
    assert plan(groundings=True).warnings == ["config.groundings is not an option and has no effect"]


@pytest.mark.parametrize(
    ("config", "param"),
    [
        ({"detail": "max"}, "config.detail"),
        ({"grounding": "yes"}, "config.grounding"),
        ({"video_segment_duration": 0}, "config.video_segment_duration"),
        ({"service_tier": "fast"}, "config.service_tier"),
        ({"page_indices": ["a"]}, "config.page_indices[0]"),
        ({"page_indices": [-1]}, "config.page_indices"),
        ({"page_indices": []}, "config.page_indices"),
        ({"json_schema": []}, "config.json_schema"),
        ({"json_schema": {"$ref": "https://example.com/s.json"}}, "config.json_schema"),
        ({"gql_stmt": "{ nothing }"}, "config.gql_stmt"),
        ({"skills": [{"skill_id": "full"}] * 17}, "config.skills"),
        ({"prompt": "x" * 200_001}, "config.prompt"),
    ],
)
def test_a_wrong_option_is_refused_with_its_name(config: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        plan(**config)
    assert refused.value.param == param


def test_pages_ascend_without_repeats_and_must_be_there() -> None:
    made = plan(page_indices=[4, 0, 4])
    assert made.page_indices == [0, 4]
    assert made.warnings == ["page_indices names a page twice; it is read once"]
    made.check_pages(5)
    with pytest.raises(InvalidRequest, match="page 4, but there is only 4 pages, 0 to 3"):
        made.check_pages(4)


@pytest.mark.parametrize(
    ("asked", "tier"), [(None, "standard"), ("auto", "standard"), ("default", "standard"), ("flex", "flex"), ("priority", "priority")]
)
def test_the_service_tier_is_settled(asked: str | None, tier: str) -> None:
    assert plan(service_tier=asked).service_tier == tier


@pytest.mark.parametrize(
    ("envelope", "strict"),
    [
        ({"name": "Po", "schema": OWN, "strict": True}, True),
        ({"name": "Po", "schema": OWN}, False),
        ({"type": "json_schema", "json_schema": {"name": "Po", "schema": OWN, "strict": True}}, True),
        ({"type": "json_schema", "schema": OWN}, False),
        (OWN, False),
    ],
)
def test_a_schema_may_come_in_an_envelope(envelope: dict[str, Any], strict: bool) -> None:
    made = plan(json_schema=envelope)
    assert (made.schema, made.strict) == (OWN, strict)


def test_a_schema_with_a_field_called_schema_is_no_envelope() -> None:
    schema = {"type": "object", "properties": {"schema": {"type": "string"}}}
    assert plan(json_schema=schema).schema == schema


def test_markdown_takes_no_grounding_and_says_so() -> None:
    made = plan("document.markdown", grounding=True)
    assert made.mode == "markdown"
    assert made.warnings == ["markdown carries its own boxes: grounding and confidence have no effect on it"]
    assert plan("document.layout-detection", grounding=True).warnings == []


def test_a_copy_is_planned_whole_and_never_in_part() -> None:
    assert (plan("healthcare.phi-redaction").mode, plan("healthcare.phi-edit-replace").mode) == ("redact", "replace")
    assert any("a person must look" in warning for warning in plan("healthcare.phi-redaction").warnings)
    assert any("no effect" in warning for warning in plan("healthcare.phi-redaction", grounding=True).warnings)
    with pytest.raises(InvalidRequest, match="cannot select"):
        plan("healthcare.phi-redaction", gql_stmt="{ counts }")


def test_schema_operation_needs_nothing() -> None:
    assert resolve("image", "schema").mode == "propose"


@settings(suppress_health_check=[HealthCheck.too_slow])  # drawing text is slow on a busy machine, and says nothing of the plan
@given(st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=6))
def test_a_plan_survives_json_with_the_order_of_its_schema(names: list[str]) -> None:
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names if not name.endswith("_metadata")}}
    made = plan(json_schema=schema)
    back = msgspec.json.decode(msgspec.json.encode(made), type=Plan)
    assert back == made
    assert list(back.schema["properties"]) == list(schema["properties"])  # pyright: ignore[reportOptionalSubscript]


def test_planning_imports_nothing_that_reads_pixels() -> None:
    heavy = "('numpy', 'cv2', 'PIL', 'openvino')"
    code = f"import sys, heliograph.extraction.plan, heliograph.skills; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def _options() -> list[str]:
    return list(Options.__struct_fields__)


def test_schema_of_is_what_a_request_would_be_answered_in() -> None:
    domain, schema = schema_of("document.invoice", {"gql_stmt": "{ total }"})
    assert domain is catalog()["document.invoice"]
    assert json.dumps(schema) == json.dumps(plan(gql_stmt="{ total }").schema)


def test_every_option_is_documented_and_nothing_else() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "options.md").read_text("utf-8")
    of_config, of_metadata = page.split("## Metadata of a request")
    assert set(re.findall(r"^\| `(\w+)` \|", of_config, re.MULTILINE)) == set(_options())
    assert set(re.findall(r"^\| `(\w+)` \|", of_metadata, re.MULTILINE)) == set(RequestMetadata.model_fields)
