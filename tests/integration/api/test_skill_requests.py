"""Requests that use skills: what is planned, what is recorded, what is kept."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from sqlalchemy import text

from heliograph.extraction.plan import Plan
from heliograph.jobs.bodies import asked
from heliograph.store import predictions
from heliograph.store.blobs import Blobs

from .conftest import PDF, PNG, Answer, Api
from .publishing import package, publish, zipped

URI = f"data:application/pdf;base64,{base64.b64encode(PDF).decode()}"
PICTURE = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
OTHER = json.dumps({"type": "object", "properties": {"seller": {"type": "string"}}})
CLASH = json.dumps({"type": "object", "properties": {"total": {"type": "string"}}})


async def generate(api: Api, *skills: dict[str, Any], path: str = "/v1/document/generate", key: str | None = None, **body: Any) -> Answer:
    return await api("POST", path, key=key, json={"url": URI, "config": {"skills": list(skills)} | body.pop("config", {})} | body)


async def planned(api: Api, answer: Answer) -> Plan:
    assert answer.status == 201, answer.content
    return asked(await row(api, answer.json["id"])).plan


async def row(api: Api, id: str) -> predictions.Prediction:
    async with api.database.begin() as conn:
        found = await predictions.get(conn, api.tenant, id)
    assert found is not None
    return found


def inline(data: bytes, **more: Any) -> dict[str, Any]:
    source = {"type": "base64", "media_type": "application/zip", "data": base64.b64encode(data).decode()}
    return {"type": "inline", "name": "brought", "description": "d", "source": source} | more


async def test_a_kept_skill_supplies_prompt_and_schema_and_is_recorded(api: Api) -> None:
    made = await publish(api, name="totals")
    used = {"name": "totals", "version": made["version"], "hash": made["hash"], "id": made["id"]}
    for reference in (
        {"skill_name": "totals"},
        {"skill_id": "totals", "skill_version": "latest", "type": "vlm-run"},
        {"skill_id": made["id"], "skill_version": 1},
        {"skill_name": "nonsense", "skill_id": made["id"]},
        {"skill_name": "totals", "version": made["version"]},
    ):
        answer = await generate(api, reference)
        plan = await planned(api, answer)
        assert (plan.schema_from, plan.instructions, list((plan.schema or {})["properties"])) == ("skill", "Read the total.", ["total"])
        assert answer.json["skills"] == [used], reference
        assert (await api("GET", f"/v1/predictions/{answer.json['id']}")).json["skills"] == [used]
    assert (await api("GET", "/v1/predictions")).json[0]["skills"] == [used]
    assert (await api("POST", "/v1/document/generate", json={"url": URI, "domain": "document.invoice"})).json["skills"] == []


async def test_latest_moves_on_and_a_pinned_version_stays(api: Api) -> None:
    first = await publish(api, name="totals")
    second = await publish(api, package("Read the grand total."), name="totals")
    assert (await planned(api, await generate(api, {"skill_name": "totals"}))).instructions == "Read the grand total."
    assert (await planned(api, await generate(api, {"skill_id": first["id"]}))).instructions == "Read the grand total."
    for version in (1, "1", first["version"]):
        assert (
            await planned(api, await generate(api, {"skill_name": "totals", "skill_version": version}))
        ).instructions == "Read the total."
    missing = await generate(api, {"skill_name": "totals", "version": "20260219-abc123"})
    assert missing.status == 404
    assert first["version"] in missing.json["error"]["message"]
    assert second["version"] in missing.json["error"]["message"]
    near = await generate(api, {"skill_name": "totls"})
    assert (near.status, "did you mean totals" in near.json["error"]["message"]) == (404, True)


async def test_another_tenants_skill_is_not_there_unless_it_is_public(api: Api) -> None:
    await publish(api, name="mine")
    stranger = await api.new_key("a stranger to skills")
    assert (await generate(api, {"skill_name": "mine"}, key=stranger)).status == 404
    await publish(api, package("Read it all."), name="everyones", is_public=True)
    assert (await generate(api, {"skill_name": "everyones"}, key=stranger)).status == 201


async def test_a_skill_needs_no_domain_for_pictures_either_and_execute_takes_its_name(api: Api) -> None:
    made = await publish(api, name="totals")
    picture = await api("POST", "/v1/image/generate", json={"images": [PICTURE], "config": {"skills": [{"skill_name": "totals"}]}})
    assert (await planned(api, picture)).schema_from == "skill"
    for path, body in (("document", {"url": URI}), ("image", {"images": [PICTURE]})):
        executed = await api("POST", f"/v1/{path}/execute", json=body | {"name": "totals", "version": made["version"]})
        assert (await planned(api, executed)).instructions == "Read the total."
        assert executed.json["skills"][0]["id"] == made["id"]
    unknown = await api("POST", "/v1/document/execute", json={"url": URI, "name": "document.invoce"})
    assert unknown.status == 404
    assert "is no domain (did you mean document.invoice" in unknown.json["error"]["message"]
    assert (await api("POST", "/v1/document/execute", json={"url": URI, "name": "totals", "version": 2})).status == 404
    assert (await api("POST", "/v1/document/execute", json={"url": URI, "name": "document.invoice", "version": 2})).status == 404


async def test_skills_of_both_kinds_are_one_request_and_a_clash_names_both(api: Api) -> None:
    made = await publish(api, name="totals")
    answer = await generate(api, {"skill_name": "totals"}, inline(package("Read who sells.", more={"schema.json": OTHER})))
    plan = await planned(api, answer)
    assert list((plan.schema or {})["properties"]) == ["total", "seller"]
    assert plan.instructions == "Read the total.\n\nRead who sells."
    assert [(used["name"], used["id"]) for used in answer.json["skills"]] == [("totals", made["id"]), ("brought", None)]
    assert answer.json["skills"][1]["version"] is None
    clash = await generate(api, {"skill_name": "totals"}, inline(package(more={"schema.json": CLASH})))
    assert clash.status == 422
    assert "Skills totals and brought clash: total is a number in the one and a string" in clash.json["error"]["message"]


async def test_the_order_of_schemas_is_the_contracts(api: Api) -> None:
    await publish(api, name="totals")
    reference = {"skill_name": "totals"}
    own = await planned(api, await generate(api, reference, config={"json_schema": json.loads(OTHER), "prompt": "Only the first page."}))
    assert (own.schema_from, list((own.schema or {})["properties"])) == ("json_schema", ["seller"])
    assert own.instructions == "Read the total.\n\nOnly the first page."
    selected = await planned(api, await generate(api, reference, domain="document.invoice", config={"gql_stmt": "{ invoice_id }"}))
    assert (selected.schema_from, list((selected.schema or {})["properties"])) == ("gql_stmt", ["invoice_id"])
    beside = await planned(api, await generate(api, reference, domain="document.invoice"))
    assert (beside.schema_from, beside.domain) == ("skill", "document.invoice")


async def test_the_schema_of_kept_skills_is_told(api: Api) -> None:
    await publish(api, name="totals")
    shown = await api("POST", "/v1/schema", json={"config": {"skills": [{"skill_name": "totals"}]}})
    assert list(shown.json["json_schema"]["properties"]) == ["total"]
    several = zipped({"SKILL.md": "Tell.", "schemas/a.json": OTHER, "schemas/b.json": CLASH})
    shown = await api("POST", "/v1/schema", json={"config": {"skills": [inline(several)]}})
    assert list(shown.json["json_schema"]["properties"]) == ["schemaUsed", "documentType", "classificationRationale", "data"]
    assert (await api("POST", "/v1/schema", json={"config": {"skills": [{"skill_name": "none"}]}})).status == 404


async def test_a_skill_in_use_is_not_deleted_under_its_request(api: Api) -> None:
    made = await publish(api, name="totals")
    answer = await generate(api, {"skill_name": "totals"})
    refused = await api("DELETE", f"/v1/skills/{made['id']}")
    assert refused.status == 409
    await api.finish(answer.json["id"])
    assert (await api("DELETE", f"/v1/skills/{made['id']}")).status == 200
    assert (await generate(api, {"skill_name": "totals"})).status == 404
    shown = await api("GET", f"/v1/predictions/{answer.json['id']}")
    assert shown.json["skills"][0]["version"] == made["version"], "what was used stays known"


async def test_nothing_of_an_inline_skills_files_is_kept_with_its_request(api: Api) -> None:
    data = zipped({"SKILL.md": "Read the sesame.", "resources/secret.bin": b"\x00\xff" * 200})
    before = {blob async for blob in Blobs(api.settings).walk()}
    for brought in (inline(data), {"type": "inline", "bundle": base64.b64encode(data).decode()}):
        answer = await generate(api, brought)
        kept = (await row(api, answer.json["id"])).request
        assert base64.b64encode(data).decode() not in kept
        assert json.loads(kept)["body"]["config"]["skills"][0]["type"] == "inline"
    assert {blob async for blob in Blobs(api.settings).walk() if "/skills/" in blob} <= before


async def test_equal_requests_are_equal_whatever_became_latest_meanwhile(api: Api) -> None:
    await publish(api, name="totals")
    first = await generate(api, {"skill_name": "totals"}, id="mine")
    await publish(api, package("Read something else."), name="totals")
    assert (await generate(api, {"skill_name": "totals"}, id="mine")).json["skills"] == first.json["skills"]
    assert (await generate(api, {"skill_name": "totals", "skill_version": 1}, id="mine")).status == 409


async def test_many_requests_with_a_skill_that_nobody_has_read_yet(api: Api) -> None:
    await publish(api, package("Read it, all of you."), name="popular")
    answers = await asyncio.gather(*(generate(api, {"skill_name": "popular"}) for _ in range(20)))
    assert {answer.status for answer in answers} == {201}
    async with api.database.begin() as conn:
        assert await conn.scalar(text("SELECT count(*) FROM skill_uses WHERE tenant = :tenant"), {"tenant": api.tenant}) == 20


@pytest.mark.parametrize("damage", [b"no zip", zipped({"SKILL.md": "Another."})])
async def test_a_damaged_package_is_an_error_and_not_another_skill(api: Api, damage: bytes) -> None:
    made = await publish(api, package(f"Read {damage!r}."), name="damaged")
    await Blobs(api.settings).put(f"{api.tenant}/skills/{made['hash']}", damage)
    answer = await generate(api, {"skill_name": "damaged"})
    assert (answer.status, answer.json["error"]["type"]) == (500, "internal_error")
    assert "not those that were published" in answer.json["error"]["message"]
