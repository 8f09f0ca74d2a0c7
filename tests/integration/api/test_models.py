from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import pytest

from heliograph.api import errors
from heliograph.config import ModelSettings, Settings
from heliograph.extraction.domains import catalog
from heliograph.jobs.bodies import asked
from heliograph.models.errors import ModelNotFound
from heliograph.models.routes import PUBLISHED
from heliograph.store import predictions

from .conftest import PDF, PNG, Api, serving
from .publishing import package, publish

URI = "data:application/pdf;base64," + base64.b64encode(PDF).decode()
PICTURE = "data:image/png;base64," + base64.b64encode(PNG).decode()
NOWHERE = "http://127.0.0.1:9/v1"
BODIES: list[tuple[str, dict[str, Any]]] = [
    ("/v1/document/generate", {"url": URI, "domain": "document.invoice"}),
    ("/v1/document/execute", {"url": URI, "name": "document.invoice"}),
    ("/v1/document/schema", {"url": URI, "batch": True}),
    ("/v1/image/generate", {"images": [PICTURE], "domain": "document.invoice"}),
    ("/v1/image/execute", {"images": [PICTURE], "name": "document.invoice"}),
    ("/v1/image/schema", {"images": [PICTURE], "batch": True}),
]


@pytest.fixture
async def routed(settings: Settings, database_url: str) -> AsyncIterator[Api]:
    """A server with a default model, one that is blind, and one of an operator's own name."""
    models = {
        "default": ModelSettings(url=NOWHERE),
        "vlmrun-orion-1": ModelSettings(url=NOWHERE, vision=False),
        "house": ModelSettings(url=NOWHERE, vision=True),
    }
    async with serving(settings.model_copy(update={"models": models}), database_url) as api:
        yield api


async def planned(api: Api, path: str, **body: Any) -> tuple[str | None, str, str]:
    """The route that a request is given, the model it is for, and the model that its row keeps."""
    answer = await api("POST", path, json=body)
    assert answer.status == 201, answer.content
    async with api.database.begin() as conn:
        row = await predictions.get(conn, api.tenant, answer.json["id"])
    assert row
    plan = asked(row).plan
    return plan.route, plan.model, row.model


@pytest.mark.parametrize(("path", "body"), BODIES)
async def test_every_route_finds_the_model_that_a_request_names(routed: Api, path: str, body: dict[str, Any]) -> None:
    for name, route in (
        ("vlm-1", "default"),
        ("vlmrun-orion-2:pro", "default"),
        ("vlmrun-orion-1:fast", "vlmrun-orion-1"),
        ("house", "house"),
    ):
        assert await planned(routed, path, **body, model=name) == (route, name, name)
    assert await planned(routed, path, **body) == ("default", "vlm-1", "vlm-1")
    assert await planned(routed, path, **body, model=None) == ("default", "vlm-1", "vlm-1")
    missing = await routed("POST", path, json={**body, "model": "gpt-4"})
    assert missing.status == 404
    assert missing.json["error"]["type"] == "model_not_found"
    for there in ("vlm-1", "vlmrun-orion-2:gpt-5.5", "house"):
        assert there in missing.json["detail"]


async def test_without_a_model_published_names_are_the_embedded_engine_and_others_are_not_found(api: Api) -> None:
    path, body = BODIES[0]
    assert await planned(api, path, **body, model="vlmrun-orion-1:auto") == (None, "vlmrun-orion-1:auto", "vlmrun-orion-1:auto")
    for name in ("house", "default", "VLM-1", "vlm-1 ", "x" * 5000):
        refused = await api("POST", path, json={**body, "model": name})
        assert refused.status == 404, name
        assert len(refused.content) < 10_000
    assert await api.count("predictions") == 1


async def test_a_request_that_names_no_model_takes_that_of_its_first_skill(routed: Api) -> None:
    path, body = BODIES[0]
    skills = [bundle("vlmrun-orion-1:pro"), bundle("house")]
    assert (await planned(routed, path, **body, config={"skills": skills}))[:2] == ("vlmrun-orion-1", "vlmrun-orion-1:pro")
    assert (await planned(routed, path, **body, config={"skills": skills}, model="vlm-1"))[:2] == ("default", "vlm-1")
    assert (await planned(routed, path, **body, config={"skills": [bundle(None)]}))[:2] == ("default", "vlm-1")
    refused = await routed("POST", path, json={**body, "config": {"skills": [bundle("gpt-4")]}})
    assert (refused.status, refused.json["error"]["type"]) == (404, "model_not_found")


async def test_a_request_that_names_no_model_takes_that_of_the_version_of_a_kept_skill_that_it_asks_for(routed: Api) -> None:
    path, body = BODIES[0]
    for model in ("vlmrun-orion-1:pro", "house"):
        await publish(routed, package(more={"vlmrun.yaml": _manifest(model)}), name="totals")

    async def answered_by(**skill: Any) -> str | None:
        return (await planned(routed, path, **body, config={"skills": [{"skill_name": "totals"} | skill, bundle("vlm-1")]}))[0]

    assert await answered_by() == "house"
    assert await answered_by(skill_version=1) == "vlmrun-orion-1"
    assert await planned(routed, path, **body, config={"skills": [{"skill_id": "totals"}]}, model="vlm-1") == ("default", "vlm-1", "vlm-1")


def _manifest(model: str) -> str:
    return f"apiVersion: vlm.run/v1alpha\nmodel: {model}\ntoolsets: [core]\n"


def bundle(model: str | None) -> dict[str, Any]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("SKILL.md", "---\nname: totals\ndescription: d\n---\nRead totals.\n")
        if model is not None:
            archive.writestr("vlmrun.yaml", _manifest(model))
    source = {"type": "base64", "media_type": "application/zip", "data": base64.b64encode(packed.getvalue()).decode()}
    return {"type": "inline", "source": source}


@pytest.mark.parametrize("domain", ["image.caption", "image.object-detection", "image.person-detection", "aerospace.remote-sensing"])
async def test_what_a_picture_shows_is_taken_where_a_model_may_see_it(routed: Api, api: Api, domain: str) -> None:
    body = {"images": [PICTURE], "domain": domain}
    assert (await routed("POST", "/v1/image/generate", json=body)).status == 201, "nobody has asked this model yet"
    assert (await routed("POST", "/v1/image/generate", json={**body, "model": "house"})).status == 201
    blind = await routed("POST", "/v1/image/generate", json={**body, "model": "vlmrun-orion-1"})
    none = await api("POST", "/v1/image/generate", json=body)
    for refused, setting in ((blind, "[models.vlmrun-orion-1]"), (none, "HELIOGRAPH_MODEL_URL")):
        assert refused.status == 422
        assert refused.json["error"]["type"] == "not_configured"
        assert setting in refused.json["error"]["message"]
    assert refused.json["detail"][0]["loc"] == ["body", "domain"]


async def test_models_lists_each_model_with_the_domains_that_it_answers(routed: Api, api: Api) -> None:
    def pairs(answer: Any) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for pair in answer.json:
            found.setdefault(pair["model"], set()).add(pair["domain"])
        return found

    alone = pairs(await api("GET", "/v1/models"))
    assert alone.keys() == {"vlm-1"}
    assert "document.invoice" in alone["vlm-1"]
    assert "media.tv-news" in alone["vlm-1"]
    assert "image.caption" not in alone["vlm-1"]
    several = pairs(await routed("GET", "/v1/models"))
    assert several.keys() == {"vlm-1", "vlmrun-orion-1", "house"}
    assert "image.caption" in several["vlm-1"] & several["house"]
    assert several["vlmrun-orion-1"] == alone["vlm-1"]
    for model, names in several.items():
        for domain in names:
            takes = catalog()[domain].supported_inputs
            pages = not {"image", "document"}.isdisjoint(takes)
            path, what = ("image", {"images": [PICTURE]}) if pages else (takes[0], {"url": "https://example.com/a"})
            asked_for = {"domain": domain, "model": model, "batch": True} | what
            assert (await routed("POST", f"/v1/{path}/generate", json=asked_for)).status == 201, (model, domain)


async def test_the_openai_list_has_every_name_and_who_answers_it(routed: Api, api: Api) -> None:
    def answering(answer: Any) -> dict[str, str]:
        assert answer.json["object"] == "list"
        assert all(model.keys() == {"id", "object", "created", "owned_by", "answered_by", "task"} for model in answer.json["data"])
        assert [model["id"] for model in answer.json["data"] if model["task"] == "transcribe"] == ["whisper-1"]
        return {model["id"]: model["answered_by"] for model in answer.json["data"] if model["task"] == "chat"}

    assert answering(await api("GET", "/v1/openai/models")) == dict.fromkeys(PUBLISHED, "embedded")
    named = answering(await routed("GET", "/v1/openai/models"))
    assert named.keys() == {*PUBLISHED, "house"}
    assert (named["vlm-1"], named["vlmrun-orion-1:lite"], named["house"]) == ("default", "vlmrun-orion-1", "house")


def test_an_unknown_model_is_said_in_the_callers_dialect() -> None:
    error = ModelNotFound("There is no model 'x' here.", param="model")
    ours = errors.render(error, path="/v1/document/generate", request_id="r")
    theirs = errors.render(error, path="/v1/openai/chat/completions", request_id="r")
    assert ours.status_code == theirs.status_code == 404
    assert b'"error":{"type":"model_not_found"' in ours.body
    assert b'"param":"model","code":"model_not_found"' in theirs.body
