"""Skills through the official Python SDK: publishing, finding, pinning, and requests that use them. Part of `python_client.py`'s run."""

from __future__ import annotations

import io
import json
import re
import shutil
import urllib.request
import uuid
import zipfile
from pathlib import Path
from typing import Any

from driver import INVOICE, RECEIPT, SCRATCH, check, completed, grounded_leaf
from PIL import Image
from vlmrun.client import VLMRun
from vlmrun.client.exceptions import APIError, ResourceNotFoundError
from vlmrun.client.types import AgentSkill, GenerationConfig, SkillInfo

PREINSTALLED = (
    "call-summary",
    "invoice-extraction",
    "meeting-notes",
    "multi-form-classification",
    "patient-referral",
    "receipt-extraction",
)
VERSION = re.compile(r"\d{8}-[0-9a-f]{8}")
TOTAL = {"total": {"type": ["number", "null"], "description": "Total amount"}}
NUMBER = {"invoice_id": {"type": ["string", "null"], "description": "Invoice number"}}
THE_TOTAL, THE_NUMBER = 8956.08, "BW-2026-0318"


def fresh(word: str) -> str:
    """A name that no other check uses."""
    return f"{word}-{uuid.uuid4().hex[:8]}"


def skill_folder(name: str, fields: dict[str, Any] | None = None, text: str = "Read the fields.") -> Path:
    """A skill on disk, written anew if it is there."""
    folder = SCRATCH / "skills" / name
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "resources").mkdir(parents=True)
    (folder / "SKILL.md").write_text(f'---\nname: {name}\ndescription: "Reads what it is told to"\n---\n{text}\n')
    (folder / "resources" / "notes.md").write_text("Amounts are in euros.\n")
    if fields is not None:
        (folder / "schema.json").write_text(json.dumps({"type": "object", "properties": fields}))
    return folder


def publish(client: VLMRun, name: str, fields: dict[str, Any] | None = None, text: str = "Read the fields.") -> SkillInfo:
    created = client.skills.create_from_directory(skill_folder(name, fields, text))
    assert created.type == "skill_reference"
    assert created.skill_name == name
    return client.skills.get(id=created.skill_id)


def zipped(client: VLMRun, folder: Path) -> str:
    """The id of the uploaded zip of a folder."""
    archive = SCRATCH / f"{folder.name}-{uuid.uuid4().hex[:8]}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for path in sorted(folder.rglob("*")):
            out.write(path, path.relative_to(folder))
    return client.files.upload(archive).id


def read(client: VLMRun, *skills: AgentSkill, **options: Any) -> dict[str, Any]:
    """What the skills read from the invoice."""
    config = GenerationConfig(skills=list(skills), **options)
    return completed(client.document.generate(file=INVOICE, config=config)).response


def refused(status: int, call: Any, *arguments: Any, **options: Any) -> APIError:
    try:
        call(*arguments, **options)
    except APIError as error:
        assert error.http_status == status, f"{error.http_status}: {error}"  # noqa: PT017 - this driver runs without pytest
        return error
    raise AssertionError(f"not refused with {status}")


# -- publishing and finding ----------------------------------------------------------------------------------------


@check("skills.create_from_directory", "skills.get")
def _(client: VLMRun) -> None:
    info = publish(client, fresh("totals"), TOTAL)
    assert info.description == "Reads what it is told to"
    assert info.status == "completed"
    assert info.is_public is False
    assert info.created_at is not None
    assert VERSION.fullmatch(info.skill_version or ""), info.skill_version
    for found in (
        client.skills.get(info.name),
        client.skills.get(name=info.name, skill_version="latest"),
        client.skills.get(name=info.name, skill_version=info.skill_version),
        client.skills.get(name=info.name, version="1"),
        client.skills.get(name=info.id),
    ):
        assert found == info


@check("skills.create_from_directory (the same again)")
def _(client: VLMRun) -> None:
    name = fresh("same")
    first = publish(client, name, TOTAL)
    again = publish(client, name, TOTAL)  # written anew: the zip is another, its content is not
    assert (again.id, again.skill_version, again.created_at) == (first.id, first.skill_version, first.created_at)


@check("skills.create_from_directory (new content)")
def _(client: VLMRun) -> None:
    name = fresh("grows")
    first, second = publish(client, name, TOTAL), publish(client, name, TOTAL | NUMBER)
    assert first.id != second.id
    assert first.skill_version != second.skill_version
    assert client.skills.get(name).id == second.id
    assert client.skills.get(name=name, version=first.skill_version).id == first.id
    assert [client.skills.get(name=name, version=number).id for number in ("1", "2")] == [first.id, second.id]


@check("skills.create_from_directory (renamed)")
def _(client: VLMRun) -> None:
    name = fresh("renamed")
    folder = skill_folder(fresh("before"), TOTAL)
    created = client.skills.create_from_directory(folder, name=name, description="Another description")
    assert created.skill_name == name
    info = client.skills.get(name)
    assert (info.id, info.description) == (created.skill_id, "Another description")


@check("skills.create_from_directory (description of several lines)")
def _(client: VLMRun) -> None:
    folder = skill_folder(fresh("folded"), TOTAL)
    (folder / "SKILL.md").write_text("---\nname: folded\ndescription: >\n  Reads\n  totals.\n---\nRead the total.\n")
    info = client.skills.get(id=client.skills.create_from_directory(folder, name=folder.name).skill_id)
    assert info.description == "Reads totals.", "the client sends the first line"


@check("skills.create")
def _(client: VLMRun) -> None:
    info = client.skills.create(prompt="Extract invoice_id, date and total_amount", name=fresh("from-a-prompt"))
    assert info.name.startswith("from-a-prompt-")
    assert info.status == "completed"
    answer = completed(
        client.document.generate(
            file=INVOICE,
            domain="document.invoice",  # beside the skill, as the platform's own tests send it
            config=GenerationConfig(skills=[AgentSkill(skill_name=info.name, version=info.skill_version)]),
        )
    ).response
    assert list(answer) == ["invoice_id", "date", "total_amount"]
    assert answer["invoice_id"] == THE_NUMBER


@check("skills.create (prompt alone)")
def _(client: VLMRun) -> None:
    info = client.skills.create(prompt="Extract the total amount of every invoice")
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", info.name), info.name
    assert len(info.name) <= 64
    assert info.description


@check("skills.create (prompt and schema)")
def _(client: VLMRun) -> None:
    schema = {"type": "object", "properties": TOTAL | NUMBER}
    info = client.skills.create(prompt="Read invoices", json_schema=schema, name=fresh("with-a-schema"))
    assert read(client, AgentSkill(skill_id=info.id)) == {"total": THE_TOTAL, "invoice_id": THE_NUMBER}


@check("skills.create (file)")
def _(client: VLMRun) -> None:
    name = fresh("from-a-file")
    file_id = zipped(client, skill_folder(name, TOTAL))
    info = client.skills.create(file_id=file_id, name=name, description="Made from a zip")
    assert (info.name, info.description) == (name, "Made from a zip")
    refused(422, client.skills.create, file_id=file_id, name=name)
    refused(422, client.skills.create, file_id=file_id, prompt="and this", name=name, description="two sources")
    refused(422, client.skills.create, file_id=client.files.upload(RECEIPT).id, name=name, description="no zip")
    refused(404, client.skills.create, file_id=str(uuid.uuid4()), name=name, description="no file")


@check("skills.create (session)")
def _(client: VLMRun) -> None:
    refused(404, client.skills.create, session_id=str(uuid.uuid4()))
    asked = "Extract invoice_number and total_amount"
    chat: Any = client.agent.completions.create(model="vlmrun-orion-1:auto", messages=[{"role": "user", "content": asked}])
    made = client.skills.create(session_id=chat.session_id)
    assert made.status == "completed"
    assert "conversation" in made.description


@check("skills.update")
def _(client: VLMRun) -> None:
    name = fresh("updated")
    first = publish(client, name, TOTAL)
    second = client.skills.update(first.id, file_id=zipped(client, skill_folder(name, NUMBER)), description="Reads the number")
    assert second.name == name
    assert second.id != first.id
    assert second.description == "Reads the number"
    assert client.skills.get(name).id == second.id
    assert client.skills.get(id=first.id).skill_version == first.skill_version
    assert read(client, AgentSkill(skill_name=name, version=first.skill_version)) == {"total": THE_TOTAL}
    assert read(client, AgentSkill(skill_name=name)) == {"invoice_id": THE_NUMBER}
    refused(404, client.skills.update, str(uuid.uuid4()), description="of nothing")


@check("skills.update (description)")
def _(client: VLMRun) -> None:
    first = publish(client, fresh("described"), TOTAL)
    again = client.skills.update(first.id, description="Reads totals in euros")
    assert again.description == "Reads totals in euros"
    assert client.skills.get(first.name).description == "Reads totals in euros"


@check("skills.download")
def _(client: VLMRun) -> None:
    folder = skill_folder(fresh("downloaded"), TOTAL)
    link = client.skills.download(client.skills.create_from_directory(folder).skill_id)
    assert link.expires_in == 3600
    with urllib.request.urlopen(link.download_url, timeout=30) as answer:  # without a key
        archive = zipfile.ZipFile(io.BytesIO(answer.read()))
    assert {name: archive.read(name) for name in archive.namelist()} == {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    refused(404, client.skills.download, str(uuid.uuid4()))


@check("skills.list")
def _(client: VLMRun) -> None:
    name = fresh("listed")
    first, second = publish(client, name, TOTAL), publish(client, name, NUMBER)
    assert [info.id for info in client.skills.list(limit=2)] == [second.id, first.id], "the newest first"
    assert [info.id for info in client.skills.list(limit=1, offset=1)] == [first.id]
    every = client.skills.list(limit=1000, order_by="name", descending=False)
    assert [info.name for info in every] == sorted(info.name for info in every)
    latest = {info.name: info.id for info in client.skills.list(limit=1000, grouped=True)}
    assert latest[name] == second.id
    assert len(latest) < len(every)
    refused(422, client.skills.list, limit=1001)
    refused(422, client.skills.list, order_by="size")


@check("skills.list (preinstalled)")
def _(client: VLMRun) -> None:
    listed = {info.name: info for info in client.skills.list(limit=1000, grouped=True)}
    for name in PREINSTALLED:
        assert listed[name].is_public is True
        assert listed[name].status == "completed"
        assert client.skills.get(name).id == listed[name].id
        with urllib.request.urlopen(client.skills.download(listed[name].id).download_url, timeout=30) as answer:
            assert "SKILL.md" in zipfile.ZipFile(io.BytesIO(answer.read())).namelist()
        assert refused_to_change(client, listed[name]), f"{name} is read-only"


def refused_to_change(client: VLMRun, info: SkillInfo) -> bool:
    try:
        client.skills.update(info.id, description="mine now")
    except APIError as error:
        return error.http_status in {403, 404, 409, 422}
    return False


@check("skills.get (unknown)")
def _(client: VLMRun) -> None:
    for call in (lambda: client.skills.get("invoice-extractoin"), lambda: client.skills.get(id=str(uuid.uuid4()))):
        try:
            call()
        except ResourceNotFoundError as error:
            said = str(error)
        else:
            raise AssertionError("a skill was found that nobody published")
        if "extractoin" in said:
            assert "invoice-extraction" in said, f"no near name: {said}"


# -- requests ------------------------------------------------------------------------------------------------------


@check("document.generate (inline skill)")
def _(client: VLMRun) -> None:
    name = fresh("inline")
    assert read(client, AgentSkill.from_directory(skill_folder(name, TOTAL))) == {"total": THE_TOTAL}
    refused(404, client.skills.get, name)


@check("document.generate (skill)")
def _(client: VLMRun) -> None:
    info = publish(client, fresh("reads"), TOTAL)
    for reference in (
        AgentSkill(skill_name=info.name),
        AgentSkill(skill_id=info.id),
        AgentSkill(skill_id=info.name, skill_version="latest"),
        AgentSkill(skill_name=info.name, skill_version=info.skill_version),
        AgentSkill(skill_name=info.name, version="1", type="vlm-run"),
    ):
        assert read(client, reference) == {"total": THE_TOTAL}
    grounded = read(client, AgentSkill(skill_id=info.id), grounding=True, confidence=True)
    grounded_leaf(grounded, "total")


@check("document.generate (skill, batch)")
def _(client: VLMRun) -> None:
    info = publish(client, fresh("waits"), NUMBER)
    config = GenerationConfig(skills=[AgentSkill(skill_name=info.name)])
    accepted = client.document.generate(file=INVOICE, batch=True, config=config)
    assert accepted.status == "pending"
    assert client.predictions.wait(accepted.id, timeout=120, sleep=1).response == {"invoice_id": THE_NUMBER}


@check("document.generate (skill, autocast)")
def _(client: VLMRun) -> None:
    folder = skill_folder(fresh("cast"))
    (folder / "schema.json").write_text(json.dumps({"title": "Our 1st total", "type": "object", "properties": TOTAL}))
    info = client.skills.get(id=client.skills.create_from_directory(folder).skill_id)
    config = GenerationConfig(skills=[AgentSkill(skill_name=info.name)])
    answer = completed(client.document.generate(file=INVOICE, config=config, autocast=True))
    assert answer.response.total == THE_TOTAL, "the response was not cast to the skill's model"
    assert type(answer.response).__name__ == "Our1stTotal"


@check("document.generate (skill without schema)")
def _(client: VLMRun) -> None:
    info = publish(client, fresh("words"), text="## Fields to extract\n\n- `total` (number): the total amount\n- `invoice_id`: its number")
    assert read(client, AgentSkill(skill_name=info.name)) == {"total": THE_TOTAL, "invoice_id": THE_NUMBER}


@check("document.generate (two skills)")
def _(client: VLMRun) -> None:
    one, other = publish(client, fresh("one"), TOTAL), publish(client, fresh("other"), NUMBER)
    both = read(client, AgentSkill(skill_name=one.name), AgentSkill(skill_name=other.name))
    assert both == {"total": THE_TOTAL, "invoice_id": THE_NUMBER}
    clash = publish(client, fresh("clash"), {"total": {"type": ["string", "null"]}})
    said = str(refused(422, read, client, AgentSkill(skill_name=one.name), AgentSkill(skill_name=clash.name)))
    assert one.name in said
    assert clash.name in said


@check("document.generate (skill and own schema)")
def _(client: VLMRun) -> None:
    skill = AgentSkill(skill_name=publish(client, fresh("overridden"), TOTAL | NUMBER).name)
    assert read(client, skill, json_schema={"type": "object", "properties": NUMBER}) == {"invoice_id": THE_NUMBER}
    assert read(client, skill, gql_stmt="{ total }") == {"total": THE_TOTAL}
    assert set(read(client, skill, prompt="Be exact.")) == {"total", "invoice_id"}


@check("document.generate (preinstalled skills)")
def _(client: VLMRun) -> None:
    invoice = read(client, AgentSkill(skill_name="invoice-extraction", version="latest"))
    assert THE_NUMBER in invoice.values()
    assert THE_TOTAL in invoice.values()
    chosen = read(client, AgentSkill(skill_name="multi-form-classification"))
    assert {"schemaUsed", "documentType", "classificationRationale", "data"} <= set(chosen)


@check("document.generate (unknown skill)")
def _(client: VLMRun) -> None:
    assert "invoice-extraction" in str(refused(404, read, client, AgentSkill(skill_name="invoice-extractions")))
    latest = client.skills.get("invoice-extraction").skill_version
    assert latest in str(refused(404, read, client, AgentSkill(skill_name="invoice-extraction", version="20260219-abc123")))


@check("image.generate (skill)")
def _(client: VLMRun) -> None:
    config = GenerationConfig(skills=[AgentSkill(skill_name="receipt-extraction")], grounding=True)
    by_path = completed(client.image.generate(domain=None, images=[RECEIPT], config=config)).response
    assert 76.1 in by_path.values()
    by_picture = completed(client.image.generate(domain=None, images=[Image.open(RECEIPT).convert("RGB")], config=config)).response
    assert 76.1 in by_picture.values()


@check("client.get_schema (skill)")
def _(client: VLMRun) -> None:
    name = publish(client, fresh("schema"), TOTAL | NUMBER).name
    schema = client.get_schema("document.receipt", GenerationConfig(skills=[AgentSkill(skill_name=name)]))
    assert list(schema.json_schema["properties"]) == ["total", "invoice_id"], "a skill's schema goes before the domain's"
