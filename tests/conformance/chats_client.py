"""Checks of chats, of what they make, and of executions that use tools, without a model, for `python_client.py`."""

from __future__ import annotations

import asyncio
import io
import os
import re
import uuid
from pathlib import Path
from typing import Any

from driver import INVOICE, RECEIPT, SCRATCH, check
from PIL import Image, ImageChops
from vlmrun.client import VLMRun
from vlmrun.client.exceptions import APIError, ResourceNotFoundError
from vlmrun.client.types import AgentExecutionConfig, AgentSkill

ORION = "vlmrun-orion-1:auto"
CHART = "Make a bar chart of apples 3, pears 5, plums 2"
PHOTO, FACES = Path(os.environ["PHOTO"]), int(os.environ["FACES"])
"""A picture, and how many faces are on it: 0 where there is no picture of people to test with."""


def user(words: str, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": [*parts, {"type": "text", "text": words}]}


def chat(client: VLMRun, words: str, *parts: dict[str, Any], **options: Any) -> Any:
    return client.agent.completions.create(model=ORION, messages=[user(words, *parts)], **options)


def text(completion: Any) -> str:
    (choice,) = completion.choices
    assert choice.finish_reason == "stop", choice.finish_reason
    return choice.message.content


def uploaded(client: VLMRun, path: Path) -> dict[str, str]:
    return {"type": "input_file", "file_id": client.files.upload(path).id}


def reference(words: str, kind: str = "img") -> str:
    """The one artifact of the kind that the words name, found as the official command line finds them."""
    (found,) = set(re.findall(rf"\b{kind}_\w{{6}}\b", words))
    return found


def executed(client: VLMRun, inputs: dict[str, Any], toolsets: list[Any] | None = None, **config: Any) -> Any:
    accepted = client.agent.execute(inputs=inputs, config=AgentExecutionConfig(**config), toolsets=toolsets)
    assert accepted.status in {"pending", "enqueued"}, accepted.status
    assert accepted.response is None
    done = client.executions.wait(accepted.id, timeout=60, sleep=1)
    assert done.completed_at is not None
    assert done.name == accepted.name
    return done


def refused(status: int, call: Any) -> APIError:
    try:
        call()
    except APIError as error:
        assert error.http_status == status, f"{error.http_status}: {error}"  # noqa: PT017 - this driver runs without pytest
        return error
    raise AssertionError(f"not refused with {status}")


# -- chats -----------------------------------------------------------------------------------------------------------------


@check("agent.completions", "artifacts.get (session)", "artifacts.list (session)")
def _(client: VLMRun) -> None:
    answer = chat(client, CHART, toolsets=["core", "viz"])
    assert answer.object == "chat.completion"
    assert answer.model == ORION
    assert answer.usage.credits_used is not None
    uuid.UUID(answer.session_id)
    made = reference(text(answer))
    listed = client.artifacts.list(session_id=answer.session_id)
    assert listed.namespace_id == answer.session_id
    assert [(item.object_id, item.source) for item in listed.items] == [(made, "store")]
    picture = client.artifacts.get(object_id=made, session_id=answer.session_id)
    assert isinstance(picture, Image.Image)
    assert len(picture.getcolors(1 << 24) or []) > 3, "nothing is drawn"
    raw = client.artifacts.get(object_id=made, session_id=answer.session_id, raw_response=True)
    assert Image.open(io.BytesIO(raw)).size == picture.size


@check("agent.async_completions")
def _(client: VLMRun) -> None:
    async def both() -> tuple[Any, list[Any]]:
        create = client.agent.async_completions.create
        whole = await create(model=ORION, messages=[user(CHART)], toolsets=["viz"])
        return whole, [chunk async for chunk in await create(model=ORION, messages=[user(CHART)], stream=True, toolsets=["viz"])]

    whole, chunks = asyncio.run(both())
    assert reference(text(whole))
    assert reference("".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices))


@check("agent.completions (stream)")
def _(client: VLMRun) -> None:
    chunks = list(chat(client, CHART, stream=True, stream_options={"include_usage": True}))  # a router chooses the tools
    assert chunks[0].choices[0].delta.role == "assistant"
    assert {chunk.session_id for chunk in chunks} == {chunks[0].session_id}, "the first chunk tells the session, and so do all"
    assert len({chunk.id for chunk in chunks}) == 1
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason] == ["stop"]
    assert chunks[-1].choices == []
    assert chunks[-1].usage.credits_used is not None
    made = reference("".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices))
    assert isinstance(client.artifacts.get(object_id=made, session_id=chunks[0].session_id), Image.Image)


@check("agent.completions (session)")
def _(client: VLMRun) -> None:
    session = {"session_id": str(uuid.uuid4())}  # chosen by the client
    first = chat(client, "Rotate it by 90 degrees", uploaded(client, RECEIPT), toolsets=["image"], extra_body=session)
    assert first.session_id == session["session_id"]
    turned = reference(text(first))
    second = chat(client, f"Crop {turned} to the left half", toolsets=["image"], extra_body=session)
    half = reference(text(second).replace(turned, ""))
    whole, left = (client.artifacts.get(object_id=one, session_id=first.session_id) for one in (turned, half))
    with Image.open(RECEIPT) as receipt:
        assert whole.size == receipt.size[::-1]
    assert abs(left.size[0] * 2 - whole.size[0]) <= 2
    sources = {item.object_id: (item.source, item.filename) for item in client.artifacts.list(session_id=first.session_id).items}
    assert sources[turned][0] == sources[half][0] == "store"
    assert ("manifest", RECEIPT.name) in sources.values()
    assert client.artifacts.get(filename=RECEIPT.name, session_id=first.session_id) == RECEIPT.read_bytes()


@check("agent.completions (document)")
def _(client: VLMRun) -> None:
    answer = chat(client, "What is the total?", uploaded(client, INVOICE), toolsets=["document"])
    assert "8,956.08" in text(answer)
    merged = chat(
        client, "Merge these two PDFs", uploaded(client, INVOICE), uploaded(client, INVOICE), extra_body={"toolsets": ["document"]}
    )
    path = client.artifacts.get(object_id=reference(text(merged), "doc"), session_id=merged.session_id)
    assert path.suffix == ".pdf"
    assert path.read_bytes().startswith(b"%PDF")


@check("agent.completions (skill)")
def _(client: VLMRun) -> None:
    answer = chat(client, "Read it.", uploaded(client, INVOICE), skills=[{"skill_name": "invoice-extraction"}], toolsets=["document"])
    assert "BW-2026-0318" in text(answer)
    error = refused_chat(client, "Read it.", skills=[{"skill_name": "nobody-published-this"}])
    assert error.status_code == 404


@check("agent.completions (refused)")
def _(client: VLMRun) -> None:
    assert "viz" in str(refused_chat(client, "hello", toolsets=["charts"])), "the toolsets that there are are not named"
    assert "meta-sam3" in str(refused_chat(client, "hello", models=["yolo"])), "the providers that there are are not named"
    error = refused_chat(client, "find the dogs", models=["meta-sam3"], toolsets=["image"])
    assert (error.status_code, error.body["type"]) == (422, "not_configured"), error


def refused_chat(client: VLMRun, words: str, **options: Any) -> Any:
    try:
        chat(client, words, **options)
    except Exception as error:
        if hasattr(error, "status_code"):
            return error
        raise
    raise AssertionError("the chat was not refused")


@check("artifacts.get (unknown)")
def _(client: VLMRun) -> None:
    answer = chat(client, CHART, toolsets=["viz"])
    made = reference(text(answer))
    try:
        client.artifacts.get(object_id="img_000000", session_id=answer.session_id)
    except ResourceNotFoundError as error:
        assert made in str(error), "what there is is not named"  # noqa: PT017 - this driver runs without pytest
    else:
        raise AssertionError("an artifact that nobody made was found")
    for call in (client.artifacts.list, lambda session_id: client.artifacts.get(object_id=made, session_id=session_id)):
        refused(404, lambda call=call: call(session_id=str(uuid.uuid4())))


# -- executions ------------------------------------------------------------------------------------------------------------


@check("agent.execute (skill, several files)")
def _(client: VLMRun) -> None:
    inputs = {"first": uploaded(client, INVOICE), "others": [uploaded(client, RECEIPT)], "note": "both are of 2026", "limits": {"pages": 2}}
    done = executed(client, inputs, skills=[AgentSkill(skill_name="invoice-extraction", version="latest")])
    assert "BW-2026-0318" in str(done.response)


@check("agent.execute (faces)")
def _(client: VLMRun) -> None:
    done = executed(client, {"image": uploaded(client, PHOTO)}, ["core", "image"], prompt="Blur all the faces in this photo")
    assert "face" in done.response["answer"]
    if FACES:
        is_blurred(client, done)


def is_blurred(client: VLMRun, done: Any) -> None:
    blurred = client.artifacts.get(object_id=done.response["image"]["id"], execution_id=done.id)
    before = Image.open(PHOTO).convert("RGB")
    changed = ImageChops.difference(before, blurred).convert("L").point(lambda value: 255 * (value > 24))
    assert blurred.size == before.size
    assert changed.getbbox() is not None, "nothing was blurred"
    share = changed.histogram()[255] / (before.size[0] * before.size[1])
    assert 0.0005 < share < 0.5, f"{share:.4f} of the picture is changed"
    assert f"{FACES} face" in done.response["answer"], done.response


@check("agent.execute (refused)")
def _(client: VLMRun) -> None:
    def execute(part: dict[str, str]) -> Any:
        return client.agent.execute(inputs={"file": part}, config=AgentExecutionConfig(prompt="Read it"))

    assert "file" in str(refused(422, lambda: execute({"type": "input_file"})))
    note = SCRATCH / "gone.txt"
    note.write_text(str(uuid.uuid4()))
    part = uploaded(client, note)
    client.files.delete(part["file_id"])
    refused(404, lambda: execute(part))
