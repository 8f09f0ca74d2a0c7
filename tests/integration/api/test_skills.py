from __future__ import annotations

import asyncio
import io
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from heliograph.config import Settings
from heliograph.ids import new_id
from heliograph.models.scripted import Scripted, Turn
from heliograph.skills import preinstalled
from heliograph.store import predictions, skills, tenants
from heliograph.store.blobs import Blobs, key

from .conftest import PDF, Answer, Api, serving
from .publishing import SCHEMA, create, package, publish, upload, zipped

SHIPPED = set(preinstalled.FIRST_MADE)


async def listed(api: Api, *, key: str | None = None, **params: str) -> list[str]:
    """Name and number of what is listed, but for what is public: that is other tests' too."""
    answer = await api("GET", "/v1/skills", params=params, key=key)
    assert answer.status == 200, answer.content
    return [f"{skill['name']} {skill['number']}" for skill in answer.json if not skill["is_public"]]


async def lookup(api: Api, name: str, **body: Any) -> Answer:
    return await api("POST", "/v1/skills/lookup", json={"name": name} | body)


async def update(api: Api, skill: str, data: bytes | None = None, **body: Any) -> Answer:
    file = {"file_id": await upload(api, data)} if data is not None else {}
    return await api("POST", f"/v1/skills/{skill}/update", json=file | body)


async def using(api: Api, skill: str) -> str:
    """An unfinished prediction that uses this version."""
    async with api.database.begin() as conn:
        row = await predictions.create(
            conn, api.tenant, id=new_id(), kind="document", operation="generate", domain=None, model="vlm-1", request="{}", digest="d"
        )  # fmt: skip
        assert row is not None
        await skills.use(conn, api.tenant, row.id, [skill])
    return row.id


async def test_an_uploaded_zip_becomes_a_skill_that_says_what_it_is(api: Api) -> None:
    made = await publish(api, name="totals", description="Reads a total.")
    day = datetime.now(UTC).strftime("%Y%m%d")
    assert made["skill_version"] == made["version"] == f"{day}-{made['hash'][:8]}"
    expected = {"name": "totals", "description": "Reads a total.", "number": 1, "status": "completed", "is_public": False, "files": 2}
    assert {name: made[name] for name in expected} == expected
    assert made["warnings"] == []
    assert made["deleted_at"] is None
    for answer in (await api("GET", f"/v1/skills/{made['id']}"), await api("GET", "/v1/skills/totals"), await lookup(api, "totals")):
        assert (answer.status, answer.json) == (200, made)
    assert await listed(api) == ["totals 1"]
    assert f"{api.tenant}/skills/{made['hash']}" in await api.stored()


@pytest.mark.parametrize("sent", [">", "|", ">-", "|2+"])
async def test_a_description_of_several_lines_is_whole_though_clients_read_its_first(api: Api, sent: str) -> None:
    text = f"---\nname: totals\ndescription: {sent}\n  Reads totals,\n  and nothing else.\n---\nRead the total."
    made = await publish(api, zipped({"SKILL.md": text.encode()}), name="totals", description=sent)
    assert made["description"] == "Reads totals, and nothing else."
    assert (await publish(api, zipped({"SKILL.md": text.encode()}), name="totals", description="> 5"))["description"] == "> 5"


async def test_the_same_content_in_another_zip_is_the_same_version(api: Api) -> None:
    made = await publish(api, name="totals")
    files = dict(reversed(list(_files(package()).items())))
    nested = zipped({f"a-folder/{name}": content for name, content in files.items()})
    again = await publish(api, nested, name="totals", description="Said otherwise.")
    assert (again["id"], again["hash"], again["description"]) == (made["id"], made["hash"], "Said otherwise.")
    assert again["updated_at"] > made["updated_at"]
    assert await listed(api) == ["totals 1"]


def _files(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


async def test_an_update_is_a_new_version_and_the_old_ones_stay(api: Api) -> None:
    one = await publish(api, name="totals")
    two = await update(api, one["id"], package("Read the total, and nothing else."))
    assert two.status == 201, two.content
    assert (two.json["number"], two.json["name"]) == (2, "totals")
    assert (await lookup(api, "totals")).json["number"] == 2
    for version in (1, "1", one["version"]):
        assert (await lookup(api, "totals", skill_version=version)).json["id"] == one["id"]
        assert (await lookup(api, "totals", version=version)).json["id"] == one["id"]
    back = await update(api, two.json["id"], package())
    assert (back.json["id"], back.json["version"]) == (one["id"], one["version"]), "what was there before is that version again"
    assert (await lookup(api, "totals")).json["number"] == 1
    versions = await api("GET", f"/v1/skills/{one['id']}/versions")
    assert [skill["number"] for skill in versions.json] == [1, 2]
    assert [skill["number"] for skill in (await api("GET", "/v1/skills/totals/versions", params={"offset": "1"})).json] == [2]
    assert await listed(api, grouped="True") == ["totals 1"]


async def test_what_is_said_of_a_version_can_be_changed_without_a_new_one(api: Api) -> None:
    one = await publish(api, name="totals")
    two = (await update(api, one["id"], package("Otherwise."))).json
    said = await update(api, one["id"], description="Better said.", is_public=True)
    assert said.status == 201
    assert said.json == one | {"description": "Better said.", "is_public": True}
    assert (await lookup(api, "totals")).json == two, "which one is the latest does not change"
    assert (await update(api, one["id"])).status == 422


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "file_id"),
        ({"name": "a", "description": "b"}, "file_id"),
        ({"file_id": "x", "prompt": "Extract the total"}, "file_id"),
        ({"file_id": "x", "session_id": "y"}, "file_id"),
        ({"file_id": "x", "description": "b"}, "name"),
        ({"file_id": "x", "name": "a"}, "description"),
        ({"file_id": "x", "name": " ", "description": "b"}, "name"),
        ({"file_id": "x", "name": "a\nb", "description": "b"}, "name"),
        ({"file_id": "x", "name": "n" * 256, "description": "b"}, "name"),
        *(({"file_id": "x", "name": name, "description": "b"}, "name") for name in (".", "..", "../../etc", "a/b", "a\\b", "c:a")),
        ({"prompt": ""}, "prompt"),
        ({"prompt": "Extract the total", "name": " "}, "name"),
        ({"prompt": "Extract the total", "name": "../out"}, "name"),
    ],
)
async def test_a_skill_comes_from_exactly_one_source_and_has_a_name(api: Api, body: dict[str, Any], param: str) -> None:
    answer = await api("POST", "/v1/skills/create", json=body)
    assert answer.status == 422, answer.content
    assert answer.json["detail"][0]["loc"] == ["body", param]
    assert await listed(api) == []


async def test_a_skill_is_written_from_a_prompt_and_says_so(api: Api) -> None:
    prompt = "Extract invoice_id, date and total_amount"
    made = (await api("POST", "/v1/skills/create", json={"prompt": prompt})).json
    assert "template" in made["description"]
    schema = await api("GET", f"/v1/skills/{made['id']}/files/schema.json")
    assert schema.json["properties"].keys() == {"invoice_id", "date", "total_amount"}
    assert prompt in (await api("GET", f"/v1/skills/{made['id']}/files/SKILL.md")).content.decode()
    again = await api("POST", "/v1/skills/create", json={"prompt": prompt, "json_schema": None, "file_id": None})
    assert (again.status, again.json["id"]) == (201, made["id"])
    given = {"type": "object", "properties": {"due": {"type": "string"}}}
    named = await api("POST", "/v1/skills/create", json={"prompt": prompt, "json_schema": given, "name": "mine", "description": "Mine."})
    assert (named.json["name"], named.json["description"]) == ("mine", "Mine.")
    assert (await api("GET", "/v1/skills/mine/files/schema.json")).json == given


async def test_a_name_that_was_not_asked_for_is_no_other_skills(api: Api) -> None:
    prompt, given = "Extract the total", {"type": "object", "properties": {"due": {"type": "string"}}}
    first = (await api("POST", "/v1/skills/create", json={"prompt": prompt})).json
    second = (await api("POST", "/v1/skills/create", json={"prompt": prompt, "json_schema": given})).json
    assert second["name"] == f"{first['name']}-2"
    assert f'name: "{second["name"]}"' in (await api("GET", f"/v1/skills/{second['id']}/files/SKILL.md")).content.decode()
    again = (await api("POST", "/v1/skills/create", json={"prompt": prompt, "json_schema": given})).json
    assert again["id"] == second["id"]
    onto = (await api("POST", "/v1/skills/create", json={"prompt": prompt, "json_schema": given, "name": first["name"]})).json
    assert (onto["name"], onto["number"]) == (first["name"], 2)


async def test_who_asks_again_while_a_model_writes_gets_what_it_writes(settings: Settings, database_url: str) -> None:
    proposal: dict[str, Any] = {
        "description": "Reads totals.",
        "instructions": "The total stands at the foot of the page.",
        "fields": [{"name": "total", "type": "number", "description": "The total", "choices": [], "several": False}],
        "groups": [],
    }
    async with Scripted(
        [Turn(answer=proposal, delay=1.0), Turn(answer=proposal | {"instructions": "Another.", "description": "Another."})]
    ) as model:
        async with serving(settings.model_copy(update={"model_url": model.url}), database_url) as api:
            body = {"prompt": "Extract the total of the invoice"}
            first = asyncio.create_task(api("POST", "/v1/skills/create", json=body))
            await asyncio.sleep(0.3)
            others = await asyncio.gather(*(api("POST", "/v1/skills/create", json=body) for _ in range(3)))
            made = [(await first).json, *(answer.json for answer in others), (await api("POST", "/v1/skills/create", json=body)).json]
            assert made[0]["description"].startswith("Reads totals. (Written by the model")
            assert len({skill["id"] for skill in made}) == 1
        assert len([request for request in model.requests if request.heard]) == 1


async def test_a_schema_or_prompt_that_is_no_use_is_refused(api: Api) -> None:
    for body in ({"prompt": " "}, {"prompt": "Extract", "json_schema": {"type": "object", "properties": {"a": {"$ref": "#/nowhere"}}}}):
        answer = await api("POST", "/v1/skills/create", json=body)
        assert answer.status == 422, answer.content
    assert await listed(api) == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (PDF, "zip"),
        (zipped({"README.md": "no skill"}), "SKILL.md"),
        (zipped({"a/SKILL.md": "---\nname: a\n---\n", "b/SKILL.md": "---\nname: b\n---\n"}), "SKILL.md"),
        (package(more={"../evil.py": "x"}), "evil"),
        (package(more={"schema.json": "[1]"}), "schema.json"),
        (package(more={"vlmrun.yaml": "a: &a [*a]"}), "vlmrun.yaml"),
    ],
)
async def test_a_zip_that_cannot_work_is_refused_and_nothing_of_it_is_kept(api: Api, data: bytes, said: str) -> None:
    answer = await create(api, data, name="a")
    assert answer.status == 422, answer.content
    assert answer.json["detail"][0]["loc"] == ["body", "file_id"]
    assert said in answer.json["error"]["message"]
    assert not [blob for blob in await api.stored() if "/skills/" in blob]
    assert (await api("POST", "/v1/skills/create", json={"file_id": "none", "name": "a", "description": "b"})).status == 404


async def test_what_has_no_effect_in_a_skill_is_told(api: Api) -> None:
    made = await publish(
        api, package(more={"vlmrun.yaml": "apiVersion: vlm.run/v1alpha\nmodel: vlm-1\ntoolsets: [core]\ncolour: red\n"}), name="a"
    )
    assert any("colour" in warning for warning in made["warnings"])


async def test_what_the_specification_has_against_a_skill_is_told_and_the_skill_taken(api: Api) -> None:
    made = await publish(api, zipped({"SKILL.md": "---\nname: My_Skill\ndescription: Reads.\n---\nRead.\n"}), name="a")
    assert [warning.partition("'")[0] for warning in made["warnings"]] == ["Skill name ", "Skill name "]


async def test_files_are_read_one_by_one_and_as_a_zip_and_no_browser_runs_them(api: Api) -> None:
    page, picture = "<script>alert(1)</script>", b"\x89PNG\r\n\x1a\n"
    data = package(more={"resources/page.html": page, "resources/a b/logo.png": picture, "run.bin": b"\xff\x00"})
    made = await publish(api, data, name="a")
    there = {file["path"]: file["bytes"] for file in (await api("GET", f"/v1/skills/{made['id']}/files")).json}
    assert there == {path: len(content) for path, content in _files(data).items()}
    address = f"/v1/skills/{made['id']}/files/"
    for path, kind, content in [
        ("resources/page.html", "text/plain; charset=utf-8", page.encode()),
        ("schema.json", "application/json", SCHEMA.encode()),
        ("resources/a%20b/logo.png", "image/png", picture),
        ("run.bin", "application/octet-stream", b"\xff\x00"),
    ]:
        got = await api("GET", address + path)
        assert (got.status, got.headers["content-type"], got.content) == (200, kind, content)
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert (await api("GET", address + "run.bin")).headers["content-disposition"].startswith("attachment")
    for path in ("none.md", "resources", "%2e%2e/%2e%2e/etc/passwd", "SKILL.md/x"):
        assert (await api("GET", address + path)).status == 404, path

    link = await api("GET", f"/v1/skills/{made['id']}/download")
    assert link.json["expires_in"] == 3600
    got = await api("GET", link.json["download_url"], key="")
    assert (got.status, got.headers["content-type"]) == (200, "application/zip")
    assert _files(got.content) == _files(data)
    assert await publish(api, got.content, name="a", description="As said.") == made | {
        "updated_at": (await lookup(api, "a")).json["updated_at"]
    }
    forged = link.json["download_url"].replace(made["id"], (await lookup(api, "invoice-extraction")).json["id"])
    assert (await api("GET", forged, key="")).status == 403
    assert (await api("GET", link.json["download_url"].partition("?")[0], key="")).status == 422


async def test_content_that_was_lost_is_404_and_not_a_fault(api: Api) -> None:
    made = await publish(api, name="totals")
    file = await upload(api, package("Another."))
    for blob in await api.stored():
        if "/skills/" in blob or blob.endswith(file):
            await Blobs(api.settings).delete(blob)
    for path in ("/files", "/files/SKILL.md"):
        assert (await api("GET", f"/v1/skills/{made['id']}{path}")).status == 404
    lost = await api("POST", "/v1/skills/create", json={"file_id": file, "name": "a", "description": "b"})
    assert lost.status == 404
    assert file in lost.json["detail"]
    link = (await api("GET", f"/v1/skills/{made['id']}/download")).json["download_url"]
    assert (await api("GET", link, key="")).status == 404
    assert (await publish(api, name="totals"))["id"] == made["id"]
    assert (await api("GET", f"/v1/skills/{made['id']}/files/SKILL.md")).status == 200, "publishing it again heals it"


async def test_lists_are_sorted_and_paged_as_the_clients_ask(api: Api) -> None:
    for name in ("b", "a", "c"):
        await publish(api, package(name=name), name=name)
    await publish(api, package("Otherwise."), name="a")
    mine = {"limit": "1000", "offset": "0"}
    assert await listed(api, **mine, order_by="created_at", descending="True", grouped="False") == ["a 2", "c 1", "a 1", "b 1"]
    assert await listed(api, **mine, order_by="name", descending="False") == ["a 1", "a 2", "b 1", "c 1"]
    assert await listed(api, **mine, order_by="updated_at", descending="true", grouped="True") == ["a 2", "c 1", "b 1"]
    assert await listed(api, limit="2", offset="1") == ["c 1", "a 1"]
    for wrong in ({"order_by": "hash"}, {"limit": "0"}, {"limit": "1001"}, {"offset": "-1"}, {"descending": "maybe"}):
        assert (await api("GET", "/v1/skills", params=wrong)).status == 422


async def test_what_is_not_there_is_404_with_what_is(api: Api) -> None:
    made = await publish(api, name="totals")
    wrong = await lookup(api, "totals", skill_version="20260219-abc123")
    assert wrong.status == 404
    assert made["version"] in wrong.json["detail"]
    assert "did you mean totals" in (await lookup(api, "total")).json["detail"]
    for path in ("none", new_id(), "none/versions", "none/download", "none/files/SKILL.md"):
        assert (await api("GET", f"/v1/skills/{path}")).status == 404, path
    assert (await api("DELETE", "/v1/skills/totals")).status == 404, "a name is more than one version"
    assert (await api("POST", "/v1/skills/lookup", json={})).status == 422
    assert (await lookup(api, "totals", skill_version=1, version=2)).status == 422


async def test_a_request_names_a_few_skills_at_most(api: Api) -> None:
    body = {"url": "https://example.com/a.pdf", "config": {"skills": [{"skill_id": "none"}] * 17}}
    answer = await api("POST", "/v1/document/generate", json=body)
    assert answer.status == 422
    assert "more than 16" in answer.json["error"]["message"]


async def test_a_public_skill_is_everybodys_to_use_and_its_owners_to_change(api: Api) -> None:
    stranger = await api.new_key(f"stranger of {api.tenant}")
    name = f"shared-{api.tenant[:8]}"
    made = await publish(api, name=name, is_public=True)
    for method, path in [("GET", ""), ("GET", "/versions"), ("GET", "/download"), ("GET", "/files/SKILL.md")]:
        assert (await api(method, f"/v1/skills/{made['id']}{path}", key=stranger)).status == 200, path
    assert made in (await api("GET", "/v1/skills", params={"limit": "1000"}, key=stranger)).json
    assert (await api("DELETE", f"/v1/skills/{made['id']}", key=stranger)).status == 403
    assert (await api("POST", f"/v1/skills/{made['id']}/update", json={"description": "mine"}, key=stranger)).status == 403
    theirs = await publish(api, package("Theirs."), key=stranger, name=name)
    assert theirs["number"] == 1
    assert (await api("GET", f"/v1/skills/{name}", key=stranger)).json == theirs
    assert (await api("GET", f"/v1/skills/{name}")).json == made
    hidden = await update(api, made["id"], package("Hidden."), is_public=False)
    assert (await api("GET", f"/v1/skills/{hidden.json['id']}", key=stranger)).status == 404


async def test_a_deleted_version_can_be_read_about_and_its_files_are_gone(api: Api) -> None:
    made = await publish(api, name="totals")
    link = (await api("GET", f"/v1/skills/{made['id']}/download")).json["download_url"]
    prediction = await using(api, made["id"])
    refused = await api("DELETE", f"/v1/skills/{made['id']}")
    assert refused.status == 409
    assert refused.json["error"]["type"] == "conflict"
    await api.finish(prediction)
    gone = await api("DELETE", f"/v1/skills/{made['id']}")
    assert gone.status == 200
    assert gone.json["deleted_at"]
    assert (await api("GET", f"/v1/skills/{made['id']}")).json == gone.json
    assert await listed(api) == []
    assert not [blob for blob in await api.stored() if "/skills/" in blob]
    assert (await api("GET", link, key="")).status == 404
    for method, path in [("DELETE", ""), ("GET", "/download"), ("GET", "/files/SKILL.md")]:
        assert (await api(method, f"/v1/skills/{made['id']}{path}")).status == 404
    assert (await update(api, made["id"], description="x")).status == 404
    back = await publish(api, name="totals")
    assert (back["id"], back["number"], back["deleted_at"]) == (made["id"], 1, None)
    assert (await api("GET", f"/v1/skills/{made['id']}/files/SKILL.md")).status == 200


async def test_a_hundred_updates_at_once_over_two_servers_lose_nothing(settings: Settings, database_url: str) -> None:
    async with serving(settings, database_url) as api, serving(settings, database_url) as replica:
        made = await publish(api, name="totals")
        files = [await upload(api, package(f"Number {number % 60}.")) for number in range(100)]
        address = f"/v1/skills/{made['id']}/update"
        answers = await asyncio.gather(
            *((api, replica)[number % 2]("POST", address, json={"file_id": file}) for number, file in enumerate(files))
        )
        assert {answer.status for answer in answers} == {201}
        assert len({answer.json["id"] for answer in answers}) == 60
        versions = (await api("GET", f"/v1/skills/{made['id']}/versions", params={"limit": "1000"})).json
        assert sorted(skill["number"] for skill in versions) == list(range(1, 62))
        assert (await lookup(replica, "totals")).json == versions[0]
        stored = {blob for blob in await api.stored() if "/skills/" in blob}
        assert stored == {f"{api.tenant}/skills/{skill['hash']}" for skill in versions}


async def test_publishing_what_is_being_deleted_leaves_no_version_without_files(api: Api) -> None:
    made = await publish(api, name="totals")
    file = await upload(api, package())
    blob = key(api.tenant, "skills", made["hash"])
    async with api.database.begin() as conn:
        await skills.lock_content(conn, api.tenant, made["hash"])
        body = {"file_id": file, "name": "totals", "description": "d"}
        again = asyncio.create_task(api("POST", "/v1/skills/create", json=body))
        await _until_somebody_waits(api)  # it has seen that the files are there
        assert await skills.delete(conn, api.tenant, made["id"])
        assert await skills.drop(conn, Blobs(api.settings), blob)
    assert (await again).json["id"] == made["id"]
    assert (await api("GET", f"/v1/skills/{made['id']}/files/SKILL.md")).status == 200


async def _until_somebody_waits(api: Api) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    for _ in range(500):
        async with api.database.begin() as conn:
            if await conn.scalar(waiting):
                return
        await asyncio.sleep(0.02)
    raise AssertionError("nobody waits")


async def test_every_server_has_the_preinstalled_skills_in_the_same_versions(settings: Settings, database_url: str) -> None:
    async with serving(settings, database_url) as api, serving(settings, database_url) as replica:
        first = (await api("GET", "/v1/skills", params={"limit": "1000"})).json
        assert {skill["name"] for skill in first} == SHIPPED
        for skill in first:
            assert skill["is_public"]
            assert skill["description"]
            assert skill["version"].startswith(f"{preinstalled.first_made(skill['name']):%Y%m%d}-")
            assert (await api("GET", f"/v1/skills/{skill['id']}/files/SKILL.md")).status == 200
        assert (await replica("GET", "/v1/skills", params={"limit": "1000"})).json == first
        assert (await api("DELETE", f"/v1/skills/{first[0]['id']}")).status == 403
    await Blobs(settings).delete(key(tenants.PREINSTALLED, "skills", first[0]["hash"]))
    async with serving(settings, database_url) as api:
        assert (await api("GET", "/v1/skills", params={"limit": "1000"})).json[1:] == first[1:], "a restart publishes nothing anew"
        assert (await api("GET", f"/v1/skills/{first[0]['id']}/files/SKILL.md")).status == 200, "but what was lost comes back"


async def test_a_later_release_brings_a_new_version_and_an_earlier_one_does_not_take_it_back(
    settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "invoice-extraction"

    async def shipped() -> Any:
        async with serving(settings, database_url) as api:
            return (await lookup(api, name)).json

    now = await shipped()
    original = preinstalled.files(name)
    monkeypatch.setitem(preinstalled.FIRST_MADE, name, datetime(2031, 1, 2).date())

    def changed(_: str) -> dict[str, bytes]:
        return original | {"resources/more.md": b"more"}

    monkeypatch.setattr(preinstalled, "files", changed)
    later = await shipped()
    assert later["number"] == 2
    assert later["version"].startswith("20310102-")
    monkeypatch.undo()
    assert (await shipped()) == later
    async with serving(settings, database_url) as api:
        assert (await lookup(api, name, skill_version=1)).json["id"] == now["id"]


async def test_writes_are_counted_and_wait_for_room_on_the_disk(settings: Settings, database_url: str) -> None:
    async with serving(settings.model_copy(update={"rate_limit": 2}), database_url) as api:
        file = await upload(api, package())
        body = {"file_id": file, "name": "a", "description": "b"}
        assert (await api("POST", "/v1/skills/create", json=body)).status == 201
        assert (await api("POST", "/v1/skills/create", json=body)).status == 429
        assert (await api("GET", "/v1/skills")).status == 200
    async with serving(settings.model_copy(update={"min_free_disk": 1 << 60}), database_url) as api:
        assert (await api("POST", "/v1/skills/create", json=body)).status == 503
        assert (await lookup(api, "a")).status == 200
