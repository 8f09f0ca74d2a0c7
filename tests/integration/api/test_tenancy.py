"""Made from the routes themselves: whatever has an id in its address is another tenant's 404 and the same tenant's own."""

from __future__ import annotations

import base64
import hashlib

from fastapi import FastAPI

from heliograph.agents.outcome import Outcome
from heliograph.api.app import create_app
from heliograph.api.openapi import document
from heliograph.config import Settings
from heliograph.jobs.chatlog import logged
from heliograph.jobs.tasks import asked
from heliograph.store import completions, predictions

from .conftest import PDF, Api
from .publishing import publish

URI = "data:application/pdf;base64," + base64.b64encode(PDF).decode()
OPEN = {
    "/v1/files/{file_id}/content",
    "/v1/skills/{skill_id}/content",
    "/v1/artifacts/linked/{place}",
    "/v1/shared/{token}",
    "/v1/shared/{token}/artifacts/{name}",
}
"""Opened by a signature or a token instead of a key; tested with the files, the skills, the artifacts and the sessions."""
SAME = {"/v1/chat/completions/{completion_id}"}
"""Another address of a route that is tried."""
PUBLIC = {"/v1/hub/domains/{domain}"}
"""The catalogue is everybody's."""


def routes(settings: Settings) -> list[tuple[str, str]]:
    """(method, path) of every route with an id that this release has."""
    from heliograph.api.routes.later import ROUTES

    later = {"/v1" + path for routes in ROUTES.values() for _, path in routes}
    found: list[tuple[str, str]] = []
    for path, methods in walk(create_app(settings, "postgresql://nowhere")):
        if "{" in path and path.startswith("/v1") and path not in OPEN | PUBLIC | SAME | later:
            found += [(method, path) for method in methods]
    # what deletes comes last, and before what it is part of
    return sorted(found, key=lambda route: (route[0] == "DELETE", -len(route[1]), route))


def walk(app: FastAPI) -> list[tuple[str, set[str]]]:
    return [(path, {method.upper() for method in operations}) for path, operations in document(app)["paths"].items()]


async def test_another_tenants_ids_are_404_and_a_second_key_of_the_tenant_sees_everything(api: Api) -> None:
    stranger, colleague = await api.new_key("stranger"), await api.new_key()
    file = await api.upload()
    made = (await api("POST", "/v1/document/generate", json={"url": URI, "domain": "document.invoice"})).json
    skill = await publish(api, name="a")
    chat = (await api("POST", "/v1/openai/chat/completions", json={"messages": [{"content": "hello"}], "batch": True})).json
    await api.finish(chat["id"], '{"text":"hello"}')
    async with api.database.begin() as conn:
        row = await predictions.get(conn, api.tenant, chat["id"])
        assert row is not None
        await completions.record(conn, [logged(row, asked(row).task, {}, Outcome(text="hello"))])
    agent = (await api("POST", "/v1/agent/create", json={"name": "a", "config": {"prompt": "Find the total."}})).json
    execution = (await api("POST", "/v1/agent/execute", json={"inputs": {"note": "1.50"}, "config": {"prompt": "Find the total."}})).json
    bodies = {"/v1/skills/{skill_id}/update": {"description": "mine"}, "/v1/sessions/{session_id}": {"title": "mine"}}
    ids = {
        "{skill_id}": skill["id"],
        "{completion_id}": chat["id"],
        "{session_id}": chat["session_id"],
        "{agent_id}": agent["id"],
        "{execution_id}": execution["id"],
        "{path}": "SKILL.md",
        "{file_id}": file["id"],
        "{md5}": hashlib.md5(PDF).hexdigest(),
        "{prediction_id}": made["id"],
        "{entity_id}": made["id"],
        "{index}": "0",
    }
    tried = routes(api.settings)
    assert len(tried) >= 8
    for method, path in tried:
        address = path
        for name, value in ids.items():
            address = address.replace(name, value)
        assert "{" not in address, f"{path} has an id that this test does not know"
        body = {"json": bodies[path]} if path in bodies else {}
        assert (await api(method, address, key=stranger, **body)).status == 404, f"{method} {path}"
        seen = await api(method, address, key=colleague, **body)
        assert seen.status in (200, 201), f"{method} {path}: {seen.content}"
    assert (await api("GET", "/v1/files", key=stranger)).json == []
    assert (await api("GET", "/v1/predictions", key=stranger)).json == []
    file = await api.upload()
    theirs = await api("POST", "/v1/document/generate", json={"file_id": file["id"], "domain": "document.invoice"}, key=stranger)
    assert theirs.status == 404


async def test_every_route_under_v1_needs_a_key_but_those_that_a_signature_opens(api: Api) -> None:
    checked = 0
    for path, methods in walk(create_app(api.settings, "postgresql://nowhere")):
        if not path.startswith("/v1/") or path in OPEN or path == "/v1/openapi.json":
            continue
        for method in methods:
            answer = await api(method, path.replace("{", "").replace("}", ""), key="")
            assert answer.status == 401, f"{method} {path}"
            checked += 1
    assert checked > 50
