from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from heliograph.agents import packet
from heliograph.agents.context import Context
from heliograph.agents.events import Said
from heliograph.agents.memory import Brought, Memory, MemoryWorkspace
from heliograph.agents.outcome import Outcome
from heliograph.agents.task import Format, Media, Message, SkillRef, Task, Text
from heliograph.config import ModelSettings, Settings
from heliograph.errors import HeliographError, InvalidRequest, MediaError, NotFound, RequiredMissing
from heliograph.models.scripted import Scripted, Turn
from heliograph.models.serving import Models
from heliograph.perception.reader import Reader

from .packets import RESULTS, SCHEMA, card, letter, report

PDF = "application/pdf"


class Packets:
    """Runs over one memory: what one run kept the next finds."""

    def __init__(self, settings: Settings, reader: Reader, models: Models) -> None:
        self.memory = Memory()
        self._settings, self._reader, self._models = settings, reader, models
        self.route: str | None = None

    def bring(self, content: bytes, filename: str | None, *, image: bool = False) -> dict[str, int]:
        """What stands in the inputs for a file."""
        position = len(self.memory.inputs)
        media_type = "image/png" if image else PDF
        self.memory.inputs[position] = Brought(content=content, kind="img" if image else "doc", media_type=media_type, filename=filename)
        return {"$media": position}

    async def run(
        self, inputs: dict[str, Any] | None, *, schema: dict[str, Any] | None = SCHEMA, strict: bool = False, **task: Any
    ) -> Outcome:
        format = None if schema is None else Format(schema=schema, strict=strict)
        told: dict[str, Any] = {"grounding": True} | task
        asked = Task(**({"kind": "execution", "model": "vlmrun-orion-1:auto", "inputs": inputs, "format": format} | told))
        return await packet.run(
            Context(
                task=asked, workspace=MemoryWorkspace(self.memory), settings=self._settings, reader=self._reader, models=self._models,
                route=self.route, say=self._say, show=self._show,
            )
        )  # fmt: skip

    async def _say(self, line: str) -> None: ...

    async def _show(self, card: Any, data: Any) -> None: ...


@pytest.fixture
def packets(settings: Settings, reader: Reader, models: Models) -> Packets:
    return Packets(settings, reader, models)


def places(response: dict[str, Any], field: str) -> set[tuple[str, int]]:
    return {(box["file"], box["page"]) for box in response[f"{field}_metadata"]["bboxes"]}


@pytest.mark.asyncio(loop_scope="package")
async def test_a_referral_packet_becomes_one_json_whose_values_cite_file_and_page(packets: Packets) -> None:
    made = await packets.run(
        {
            "files": [packets.bring(letter(), "referral.pdf"), packets.bring(card(), "card.png", image=True)],
            "lab": packets.bring(report(), "labs.pdf"),
        }
    )
    value = made.value
    assert value["patient_name"] == "Amara Okafor"
    assert value["date_of_birth"] == "1984-07-19"
    assert value["referring_provider"] == "Dr. Ellen Marsh"
    assert value["diagnosis"] == "Type 2 diabetes mellitus"
    assert value["member_id"] == "NWH-5582-0917"
    assert value["group_number"] == "40031"
    assert [(row["test"], row["result"], row["unit"]) for row in value["results"]] == [(t, float(r), u) for t, r, u in RESULTS]
    assert {("referral.pdf", 0), ("labs.pdf", 0)} <= places(value, "patient_name"), "all who say it are cited"
    assert places(value, "diagnosis") == {("referral.pdf", 0)}
    assert places(value, "member_id") == {("card.png", 0)}
    assert places(value["results"][0], "result") == {("labs.pdf", 0)}
    assert made.spent.steps == 3
    assert made.answered_by == "embedded"
    assert not [warning for warning in made.warnings if warning.startswith("conflict")]
    assert msgspec.json.decode(made.text) == value


@pytest.mark.asyncio(loop_scope="package")
async def test_the_second_page_of_the_second_file_is_cited_as_that(packets: Packets) -> None:
    schema = {"type": "object", "properties": {"urgency": {"type": ["string", "null"]}}}
    made = await packets.run({"a": packets.bring(report(), "labs.pdf"), "b": packets.bring(letter(), "letter.pdf")}, schema=schema)
    assert made.value["urgency"] == "Routine"
    assert places(made.value, "urgency") == {("letter.pdf", 1)}


@pytest.mark.asyncio(loop_scope="package")
async def test_files_that_say_different_things_are_told_of_with_both_values(packets: Packets) -> None:
    made = await packets.run(
        {"a": packets.bring(letter(), "letter.pdf"), "b": packets.bring(report(patient="Bruno Castellano"), "labs.pdf")}
    )
    said = [warning for warning in made.warnings if warning.startswith("conflict: patient_name")]
    assert len(said) == 1
    for words in ("Amara Okafor", "Bruno Castellano", "letter.pdf", "labs.pdf"):
        assert words in said[0]
    assert made.value["patient_name"] in ("Amara Okafor", "Bruno Castellano")


@pytest.mark.asyncio(loop_scope="package")
async def test_rows_of_several_files_are_joined_and_accounted_for(packets: Packets) -> None:
    more = [("Sodium", "139", "mmol/L"), RESULTS[0]]
    made = await packets.run({"a": packets.bring(report(), "one.pdf"), "b": packets.bring(report(rows=more), "two.pdf")})
    assert [row["test"] for row in made.value["results"]] == ["Hemoglobin", "Glucose", "Creatinine", "Sodium"]
    assert places(made.value["results"][0], "result") == {("one.pdf", 0), ("two.pdf", 0)}
    assert places(made.value["results"][3], "result") == {("two.pdf", 0)}
    told = next(warning for warning in made.warnings if warning.startswith("rows: results has 4"))
    assert "3 from one.pdf" in told
    assert "2 from two.pdf" in told
    assert "1 in two files" in told


@pytest.mark.asyncio(loop_scope="package")
async def test_words_among_the_inputs_are_files_of_the_packet(packets: Packets) -> None:
    mail = "Dear colleague,\n\nplease see the file.\nGroup number: 40031\nDiagnosis: Hypertension\n\nKind regards"
    made = await packets.run({"email_body": mail, "metadata": {"member_id": "NWH-1"}, "instructions": "Extract what is there."})
    assert made.value["group_number"] == "40031"
    assert places(made.value, "group_number") == {("email_body", 0)}
    assert made.value["member_id"] == "NWH-1"
    assert places(made.value, "member_id") == {("inputs", 0)}


@pytest.mark.asyncio(loop_scope="package")
async def test_what_was_read_before_a_crash_is_not_read_again(packets: Packets) -> None:
    inputs = {"a": packets.bring(letter(), "letter.pdf"), "b": packets.bring(report(), "labs.pdf")}
    first = await packets.run(inputs)
    assert [step for step in packets.memory.steps if step.startswith("packet:")] == ["packet:0", "packet:1"]
    packets.memory.inputs.clear()
    again = await packets.run(inputs)
    assert again.value == first.value
    assert again.warnings == first.warnings


@pytest.mark.asyncio(loop_scope="package")
async def test_two_files_of_one_name_are_told_apart(packets: Packets) -> None:
    made = await packets.run({"one": packets.bring(letter(), "scan.pdf"), "two": packets.bring(report(), "scan.pdf")})
    assert places(made.value, "diagnosis") == {("scan.pdf", 0)}
    assert places(made.value["results"][0], "result") == {("scan.pdf (two)", 0)}


@pytest.mark.asyncio(loop_scope="package")
async def test_a_file_that_cannot_be_read_is_told_of_and_one_that_is_not_there_ends_the_run(packets: Packets) -> None:
    broken = packets.bring(b"%PDF-1.4 broken", "broken.pdf")
    made = await packets.run({"a": packets.bring(letter(), "letter.pdf"), "b": broken})
    assert made.value["diagnosis"] == "Type 2 diabetes mellitus"
    assert any(warning.startswith("not_read: broken.pdf") for warning in made.warnings)
    alone = Packets(packets._settings, packets._reader, packets._models)
    with pytest.raises(MediaError, match=r"broken\.pdf"):
        await alone.run({"b": alone.bring(b"%PDF-1.4 broken", "broken.pdf")})
    alone.memory.steps.clear()
    with pytest.raises(NotFound) as missing:
        await alone.run({"files": [{"$media": 7}]})
    assert missing.value.param == "inputs.files.0"


@pytest.mark.asyncio(loop_scope="package")
async def test_an_empty_packet_and_a_strict_schema_that_stays_open_are_refused(packets: Packets) -> None:
    with pytest.raises(InvalidRequest, match="nothing to read"):
        await packets.run({"instructions": "Extract"})
    schema = {"type": "object", "properties": {"blood_group": {"type": "string"}}, "required": ["blood_group"]}
    inputs = {"a": packets.bring(letter(), "letter.pdf")}
    with pytest.raises(RequiredMissing, match="blood_group"):
        await packets.run(inputs, schema=schema, strict=True)
    made = await packets.run(inputs, schema=schema)
    assert made.value == {"blood_group": None, "blood_group_metadata": None}
    assert "required_missing: blood_group" in made.warnings


@pytest.mark.asyncio(loop_scope="package")
async def test_grounding_is_left_out_where_it_is_not_wanted(packets: Packets) -> None:
    made = await packets.run({"a": packets.bring(letter(), "letter.pdf")}, grounding=False)
    assert not [name for name in made.value if name.endswith("_metadata")]


def _skill(memory: Memory, folder: Path, name: str, files: dict[str, Any]) -> SkillRef:
    """A skill of these files, JSON where they are no text."""
    place = folder / name
    for path, content in {"SKILL.md": f"---\nname: {name}\ndescription: {name}\n---\nRead it.\n", **files}.items():
        file = place / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else msgspec.json.encode(content).decode())
    memory.skills[name] = place
    return SkillRef(name=name, hash=name, blob=name)


def _object(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields}


TEXT = {"type": ["string", "null"]}
REFERRAL = _object(patient_name=TEXT, referring_provider=TEXT, diagnosis=TEXT, reason=TEXT) | {"title": "Patient Referral"}
LAB = _object(patient_name=TEXT, collected=TEXT, results=SCHEMA["properties"]["results"]) | {"title": "Laboratory Report"}


@pytest.mark.asyncio(loop_scope="package")
async def test_each_file_goes_to_the_skill_that_it_is_for_and_all_become_one(packets: Packets, tmp_path: Path) -> None:
    skills = [
        _skill(packets.memory, tmp_path, "patient-referral", {"schema.json": REFERRAL}),
        _skill(packets.memory, tmp_path, "laboratory-report", {"schema.json": LAB}),
    ]
    made = await packets.run(
        {"files": [packets.bring(report(), "labs.pdf"), packets.bring(letter(), "letter.pdf")]}, schema=None, skills=skills
    )
    assert "kind: labs.pdf is laboratory-report" in made.warnings
    assert "kind: letter.pdf is patient-referral" in made.warnings
    assert made.value["patient_name"] == "Amara Okafor"
    assert made.value["diagnosis"] == "Type 2 diabetes mellitus"
    assert len(made.value["results"]) == 3


@pytest.mark.asyncio(loop_scope="package")
async def test_a_skill_with_several_schemas_answers_each_kind_of_file_in_its_own(packets: Packets, tmp_path: Path) -> None:
    skill = _skill(packets.memory, tmp_path, "forms", {"schemas/referral.json": REFERRAL, "schemas/lab.json": LAB})
    both = await packets.run(
        {"files": [packets.bring(report(), "labs.pdf"), packets.bring(letter(), "letter.pdf")]}, schema=None, skills=[skill]
    )
    assert [(one["schemaUsed"], one["files"]) for one in both.value["results"]] == [("lab", ["labs.pdf"]), ("referral", ["letter.pdf"])]
    assert both.value["results"][1]["data"]["diagnosis"] == "Type 2 diabetes mellitus"
    alone = Packets(packets._settings, packets._reader, packets._models)
    alone.memory.skills = packets.memory.skills
    one = await alone.run({"file": alone.bring(letter(), "letter.pdf")}, schema=None, skills=[skill])
    assert one.value["schemaUsed"] == "referral"
    assert one.value["data"]["reason"]


@pytest.mark.asyncio(loop_scope="package")
async def test_a_skill_without_a_schema_lists_what_each_file_says(packets: Packets, tmp_path: Path) -> None:
    skill = _skill(packets.memory, tmp_path, "plain", {})
    made = await packets.run({"file": packets.bring(letter(), "letter.pdf")}, schema=None, skills=[skill])
    assert made.value["results"][0]["file"] == "letter.pdf"
    assert "Type 2 diabetes mellitus" in str(made.value["results"][0]["data"])


@pytest.mark.asyncio(loop_scope="package")
async def test_an_input_of_another_medium_is_named(packets: Packets) -> None:
    with pytest.raises(HeliographError, match=r"talk\.mp3"):
        await packets.run({"sound": packets.bring(b"ID3\x04\x00" + bytes(500), "talk.mp3")})


@pytest.mark.asyncio(loop_scope="package")
async def test_a_model_answers_a_packet_whose_values_are_to_be_cited(settings: Settings, reader: Reader) -> None:
    names: dict[str, str | list[str]] = {"patient_name": r"Patient name: (.+)", "diagnosis": r"Diagnosis: (.+)"}
    async with Scripted([Turn(extract=names, times=0)], "vllm") as server:
        route = ModelSettings(url=server.url, model="scripted", vision=False)
        mine = settings.model_copy(update={"models": {"default": route}})
        models = Models(mine)
        packets = Packets(mine, reader, models)
        packets.route = "default"
        inputs = {"letter": packets.bring(letter(), "referral.pdf")}
        made = await packets.run(inputs)
        asked = len(server.requests)
        again = await packets.run(inputs)
        await models.close()
    assert (made.value["patient_name"], made.value["diagnosis"]) == ("Amara Okafor", "Type 2 diabetes mellitus")
    assert places(made.value, "diagnosis") == {("referral.pdf", 0)}
    assert made.answered_by == "default"
    assert asked > 0
    assert again.value == made.value
    assert len(server.requests) == asked


@pytest.mark.asyncio(loop_scope="package")
async def test_a_chat_with_a_document_and_a_schema_is_answered_in_the_schema(packets: Packets) -> None:
    packets.bring(letter(), "letter.pdf")
    message = Message(role="user", parts=[Media(position=0), Text("Give me what the letter says.")])
    schema = {"type": "object", "properties": {"patient_name": {"type": ["string", "null"]}, "urgency": {"type": ["string", "null"]}}}
    outcome = await packets.run(None, schema=schema, kind="completion", messages=[message], grounding=False)
    assert msgspec.json.decode(outcome.text) == outcome.value == {"patient_name": "Amara Okafor", "urgency": "Routine"}
    assert [event.text for event in packets.memory.events.values() if isinstance(event, Said)] == [outcome.text]
