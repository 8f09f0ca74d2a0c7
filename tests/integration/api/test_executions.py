"""Executions from the request to the result, with a worker in this process."""

from __future__ import annotations

import asyncio
import base64
import io
import shutil
import threading
import zipfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from heliograph.agents.task import Task
from heliograph.config import ModelSettings, Settings
from heliograph.jobs import holds
from heliograph.jobs.tasks import asked
from heliograph.jobs.worker import run_worker
from heliograph.models.scripted import Scripted
from heliograph.store import predictions
from tests.integration.agents.packets import RESULTS, SCHEMA, card, letter, report

from .conftest import Api, _Served, serving


@pytest.fixture(scope="module")
def worker(served: _Served) -> Iterator[None]:
    """A worker for all tests here, in a thread as the server is: its engines take seconds to start."""
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(run_worker(served.settings, served.database_url, stop)))
    thread.start()
    yield
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()


def data(content: bytes, media_type: str = "application/pdf") -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def zipped(files: dict[str, str]) -> str:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return base64.b64encode(out.getvalue()).decode()


def inline(name: str, **files: str) -> dict[str, Any]:
    """An inline skill; in the names of files `_` before the ending is a dot."""
    given = {".".join(path.rsplit("_", 1)): text for path, text in files.items()}
    skill = {"SKILL.md": f"---\nname: {name}\ndescription: {name}\n---\nDo it.\n", **given}
    return {"type": "inline", "name": name, "source": {"data": zipped(skill)}}


async def done(api: Api, **body: Any) -> Any:
    """What came of an execution that the call waits for."""
    answer = await api("POST", "/v1/agent/execute", json={"batch": False, **body})
    assert answer.status == 201, answer.content
    assert answer.json["status"] in ("completed", "failed"), answer.json
    return answer.json


pytestmark = pytest.mark.usefixtures("worker")
BWRAP = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")


async def test_a_referral_packet_of_three_files_comes_back_as_one_json_that_cites_file_and_page(api: Api) -> None:
    referral = await api.upload(letter(), "referral.pdf")
    inputs = {
        "files": [{"type": "input_file", "file_id": referral["id"]}],
        "card": {"type": "image_url", "image_url": {"url": data(card(), "image/png")}},
        "labs": {"type": "file_url", "file_url": {"url": data(report())}, "filename": "labs.pdf"},
        "note": "Priority: urgent",
    }
    made = await done(api, config={"prompt": "Read the referral packet.", "json_schema": SCHEMA}, inputs=inputs)
    assert made["status"] == "completed", made["error"]
    response = made["response"]
    assert response["patient_name"] == "Amara Okafor"
    assert response["member_id"] == "NWH-5582-0917"
    assert [row["test"] for row in response["results"]] == [name for name, _, _ in RESULTS]
    assert [(box["file"], box["page"]) for box in response["member_id_metadata"]["bboxes"]] == [("card", 0)]
    assert ("referral.pdf", 0) in [(box["file"], box["page"]) for box in response["diagnosis_metadata"]["bboxes"]]
    assert response["results"][0]["result_metadata"]["bboxes"][0]["file"] == "labs.pdf"
    assert made["execution_mode"] == "agent"
    assert made["usage"]["steps"] == 4
    assert made["usage"]["elements_processed"] == 5
    listed = await api("GET", "/v1/artifacts/list", params={"execution_id": made["id"]})
    assert {"referral.pdf", "labs.pdf"} <= {item["filename"] for item in listed.json["items"]}


async def test_an_execution_without_schema_is_answered_by_the_planner_with_an_artifact(api: Api) -> None:
    made = await done(
        api, config={"prompt": "Make a bar chart of apples 3, pears 5, plums 2"}, inputs={}, toolsets=["core", "viz"]
    )  # fmt: skip
    assert made["status"] == "completed", made["error"]
    ref = made["response"]["image"]["id"]
    picture = await api("GET", "/v1/artifacts", params={"execution_id": made["id"], "object_id": ref})
    assert picture.status == 200
    assert picture.content.startswith(b"\x89PNG")


async def test_an_execution_that_fails_says_why_in_all_places_that_clients_look_in(api: Api) -> None:
    broken = data(b"%PDF-1.7\n" + b"x" * 300)
    answer = await api("POST", "/v1/agent/execute", json={"config": {"json_schema": SCHEMA}, "inputs": {"a": broken}, "batch": False})
    if answer.status == 422:  # seen at once
        assert answer.json["error"]["message"]
        return
    assert answer.json["status"] == "failed"
    assert answer.json["response"] is None
    assert answer.json["message"] == answer.json["error"]["message"]
    assert answer.json["message"] in answer.json["usage"]["message"]


async def test_a_file_that_is_deleted_before_it_is_read_fails_the_execution_with_its_place(api: Api) -> None:
    file = await api.upload(letter(), "gone.pdf")
    body = {"config": {"json_schema": SCHEMA}, "inputs": {"a": {"type": "input_file", "file_id": file["id"]}}}
    async with held(api):
        made = (await api("POST", "/v1/agent/execute", json=body)).json
        assert (await api("DELETE", f"/v1/files/{file['id']}")).status == 200
    ended = await settled(api, made["id"])
    assert ended["status"] == "failed"
    assert ended["error"]["type"] == "not_found"
    assert file["id"] in ended["message"]


async def test_a_running_execution_is_cancelled_by_deleting_it(api: Api) -> None:
    async with held(api):
        made = (await api("POST", "/v1/agent/execute", json={"config": {"prompt": "hello"}, "inputs": {}})).json
        assert (await api("GET", f"/v1/agent/executions/{made['id']}")).json["status"] == "paused"
        assert (await api("DELETE", f"/v1/agent/executions/{made['id']}")).status == 200
    assert (await api("GET", f"/v1/agent/executions/{made['id']}")).status == 404


async def test_equal_calls_that_wait_are_one_execution(api: Api) -> None:
    body = {"config": {"json_schema": SCHEMA}, "inputs": {"a": data(letter())}, "batch": False}
    first, second = await asyncio.gather(*(api("POST", "/v1/agent/execute", json=body) for _ in range(2)))
    assert first.json["id"] == second.json["id"]
    assert first.json["response"] == second.json["response"]


async def test_a_stored_agent_brings_its_schema_and_the_request_may_say_another(api: Api) -> None:
    config = {"prompt": "Read the letter.", "json_schema": {"type": "object", "properties": {"diagnosis": {"type": ["string", "null"]}}}}
    assert (await api("POST", "/v1/agent/create", json={"name": "letters", "config": config})).status == 201
    made = await done(api, name="letters", inputs={"letter": data(letter())}, config={"grounding": False})
    assert made["name"] == "letters:1"
    assert made["response"] == {"diagnosis": "Type 2 diabetes mellitus"}
    other = {"json_schema": {"type": "object", "properties": {"urgency": {"type": ["string", "null"]}}}, "grounding": False}
    made = await done(api, name="letters:1", inputs={"letter": data(letter())}, config=other)
    assert made["response"] == {"urgency": "Routine"}


async def test_an_inline_skill_is_used_and_told_of_by_its_hash(api: Api) -> None:
    schema = '{"type": "object", "properties": {"diagnosis": {"type": ["string", "null"]}}}'
    made = await done(api, config={"skills": [inline("letters", schema_json=schema)], "grounding": False}, inputs={"a": data(letter())})
    assert made["response"] == {"diagnosis": "Type 2 diabetes mellitus"}
    assert made["name"]
    assert [(skill["name"], skill["id"], len(skill["hash"])) for skill in made["skills"]] == [("letters", None, 64)]


async def test_a_preinstalled_skill_is_used_by_its_name_as_the_command_line_does(api: Api) -> None:
    file = await api.upload(letter(), "referral.pdf")
    config = {"skills": [{"type": "skill_reference", "skill_id": "patient-referral", "skill_version": "latest"}]}
    made = await done(api, config=config, inputs={"files": [{"type": "input_file", "file_id": file["id"]}]})
    assert made["status"] == "completed", made["error"]
    assert "Okafor" in str(made["response"])
    assert made["skills"][0]["name"] == "patient-referral"


# -- what a skill says ---------------------------------------------------------------------------------------------------

PIPELINE = """\
import json

schema = json.loads(vlmrun.io.read_file("skills/letters/schema.json"))
data = await vlmrun.document.extract(inputs["letter"], json_schema=schema)
vlmrun.io.write_file("out.csv", "name\\n" + data["diagnosis"] + "\\n")
result = {"data": data, "told": inputs["prompt"]}
"""
LETTERS = '{"type": "object", "properties": {"diagnosis": {"type": ["string", "null"]}}}'
MANIFEST = "apiVersion: vlm.run/v1alpha\nmodel: {model}\ntoolsets: [document, image]\nmodels: [meta-sam3]\n"


@BWRAP
async def test_a_skills_program_is_run_as_it_is_where_the_model_is_orion_2(api: Api) -> None:
    skill = inline("letters", schema_json=LETTERS, pipeline_py=PIPELINE)
    body = {"config": {"prompt": "Go.", "skills": [skill]}, "inputs": {"letter": data(letter())}}
    made = await done(api, **body, model="vlmrun-orion-2:pro")
    assert made["status"] == "completed", made["error"]
    assert made["execution_mode"] == "program"
    assert made["response"] == {"data": {"diagnosis": "Type 2 diabetes mellitus"}, "told": "Go."}
    assert made["usage"]["steps"] == 2
    file = await api("GET", "/v1/artifacts", params={"execution_id": made["id"], "filename": "out.csv"})
    assert file.content == b"name\nType 2 diabetes mellitus\n"


@BWRAP
async def test_the_mode_that_is_asked_for_counts_and_without_a_program_an_agent_works(api: Api) -> None:
    skill = inline("letters", schema_json=LETTERS, pipeline_py=PIPELINE)
    inputs = {"letter": data(letter())}
    run = await done(api, config={"prompt": "Go.", "mode": "program", "skills": [skill]}, inputs=inputs, model="vlmrun-orion-1:auto")
    assert run["execution_mode"] == "program"
    config = {"prompt": "Go.", "mode": "agent", "skills": [skill], "grounding": False}
    planned = await done(api, config=config, inputs=inputs, model="vlmrun-orion-2")
    assert (planned["execution_mode"], planned["response"]) == ("agent", {"diagnosis": "Type 2 diabetes mellitus"})
    plain = inline("letters", schema_json=LETTERS)
    none = await done(api, config={"mode": "program", "skills": [plain], "grounding": False}, inputs=inputs, model="vlmrun-orion-2")
    assert (none["execution_mode"], none["response"]) == ("agent", {"diagnosis": "Type 2 diabetes mellitus"})


@BWRAP
async def test_a_program_that_fails_fails_the_execution_with_its_own_lines(api: Api) -> None:
    skill = inline("letters", pipeline_py="x = 1\n\nraise ValueError('no letter here')\n")
    made = await done(api, config={"skills": [skill]}, inputs={"letter": data(letter())}, model="vlmrun-orion-2")
    assert made["status"] == "failed"
    assert made["error"]["type"] == "program_failed"
    assert 'File "pipeline.py", line 3' in made["message"]
    assert "no letter here" in made["message"]


async def test_the_manifest_of_a_skill_says_model_toolsets_and_providers_where_the_request_says_nothing(api: Api) -> None:
    manifest = MANIFEST.format(model="vlmrun-orion-2:fast")
    first = inline("letters", schema_json=LETTERS, vlmrun_yaml=manifest)
    second = inline("more", vlmrun_yaml="model: vlmrun-orion-1:pro\ntoolsets: [viz]\n")
    async with held(api):
        said: list[dict[str, Any]] = [{}, {"model": "vlmrun-orion-1:lite", "toolsets": ["world_gen"], "models": []}]
        made = [await started(api, config={"skills": [first, second]}, inputs={}, **more) for more in said]
        tasks_ = [await task_of(api, each["id"]) for each in made]
    assert [each["model"] for each in made] == ["vlmrun-orion-2:fast", "vlmrun-orion-1:lite"]
    assert [(task.generation, task.tier) for task in tasks_] == [("orion-2", "fast"), ("orion-1", "lite")]
    assert [task.toolsets for task in tasks_] == [["document", "image", "viz"], ["world-gen"]]
    assert [task.providers for task in tasks_] == [["meta-sam3"], []]
    assert [skill.name for skill in tasks_[0].skills] == ["letters", "more"]


# -- with a language model -----------------------------------------------------------------------------------------------


@asynccontextmanager
async def modelled(settings: Settings, url: str, turns: list[Any]) -> AsyncGenerator[tuple[Api, Scripted]]:
    """A server of its own with a model that answers these, and a worker."""
    async with Scripted(turns, checks=False) as model:
        routes = {"default": ModelSettings(url=model.url, model="scripted", attempts=1)}
        with_model = settings.model_copy(update={"models": routes})
        stop = asyncio.Event()
        working = asyncio.create_task(run_worker(with_model, url, stop))
        try:
            async with serving(with_model, url) as api:
                yield api, model
        finally:
            stop.set()
            await working


async def test_a_model_answers_in_the_schema_and_words_without_one_are_an_object_too(settings: Settings, database_url: str) -> None:
    async with modelled(settings, database_url, [{"total": 12.5}, "It is red."]) as (api, model):
        schema = {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"], "additionalProperties": False}
        made = await done(api, config={"prompt": "What is the total of this?", "json_schema": schema}, inputs={"note": "Total: 12.50"})
        assert (made["status"], made["response"]) == ("completed", {"total": 12.5}), made
        made = await done(api, config={"prompt": "What colour is it?"}, inputs={"note": "a red car"})
        assert (made["status"], made["response"]) == ("completed", {"answer": "It is red."}), made
        heard = str([request.heard for request in model.requests])
    assert "Total: 12.50" in heard
    assert "a red car" in heard


# -- helpers -------------------------------------------------------------------------------------------------------------


async def started(api: Api, **body: Any) -> Any:
    """An execution, as it is answered at once."""
    answer = await api("POST", "/v1/agent/execute", json=body)
    assert answer.status == 201, answer.content
    return answer.json


async def task_of(api: Api, id: str) -> Task:
    """What an execution is asked."""
    async with api.database.begin() as conn:
        row = await predictions.get(conn, api.tenant, id)
    assert row is not None
    return asked(row).task


async def settled(api: Api, id: str) -> Any:
    """An execution when it has ended."""
    for _ in range(600):
        row = (await api("GET", f"/v1/agent/executions/{id}")).json
        if row["status"] in ("completed", "failed"):
            return row
        await asyncio.sleep(0.05)
    raise AssertionError("it did not end")


@asynccontextmanager
async def held(api: Api) -> AsyncGenerator[None]:
    """Nothing of the tenant runs meanwhile."""
    async with api.database.begin() as conn:
        await holds.hold(conn, api.tenant)
    try:
        yield
    finally:
        async with api.database.begin() as conn:
            await holds.release(conn, api.tenant)
