"""Chats with a language model, as a client sees them: a real server and worker, and a scripted model."""

from __future__ import annotations

import io
import json
import shutil
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from heliograph.models.scripted import Scripted, Turn
from heliograph.models.scripted.script import Call
from tests.live import Server, data_uri, running_server

CHAT = "/v1/openai/chat/completions"
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}
TOTAL = {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"]}


def turn(heard: Any) -> Any:
    """A model that turns the picture, asks for the weather where it may, and then answers."""
    if not heard.tools:
        return {"total": 7} if heard.schema else "Nothing to do."
    given = f"img_{heard.text.split('[img_')[1][:6]}"
    if "execute_code" in heard.tools and not heard.results:
        code = f'(await vlmrun.image.rotate_image(image="{given}", angle=90))["id"]'
        return Turn(calls=[Call("execute_code", {"code": code})])
    if not heard.results:
        return Turn(answer="Let me turn it.", calls=[Call("rotate_image", {"image": given, "angle": 90})])
    if len(heard.results) == 1 and "weather" in heard.tools:
        return Turn(calls=[Call("weather", {"city": "Bonn"})])
    made = json.loads(heard.results[0].split("\n")[1])
    return f"It is turned: {made.get('id') or made['value']}."


@pytest.fixture(scope="module")
def model() -> Iterator[Scripted]:
    with Scripted([Turn(answer=turn, times=0)], "vllm", checks=False) as made:
        yield made


@pytest.fixture(scope="module")
def server(model: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("served") / "data"
    with running_server(folder, HELIOGRAPH_MODEL_URL=model.url, HELIOGRAPH_MODEL_NAME="scripted") as made:
        yield made


def asked(text: str = "Turn it.", **fields: Any) -> dict[str, Any]:
    buffer = io.BytesIO()
    Image.new("RGB", (80, 40), "red").save(buffer, "PNG")
    parts = [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": data_uri(buffer.getvalue(), "image/png")}}]
    return {"model": "vlmrun-orion-1:auto", "toolsets": ["core", "image"], "messages": [{"role": "user", "content": parts}]} | fields


def size(server: Server, session: str, ref: str) -> tuple[int, int]:
    path = f"/v1/artifacts?session_id={session}&object_id={ref}"
    request = urllib.request.Request(f"{server.url}{path}", headers={"Authorization": f"Bearer {server.key}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return Image.open(io.BytesIO(answer.read())).size


def named(text: str) -> str:
    return f"img_{text.split('img_')[1][:6]}"


def test_an_answer_names_an_artifact_that_can_be_fetched(server: Server) -> None:
    status, body = server.call("POST", CHAT, asked())
    assert status == 201, body
    choice = body["choices"][0]
    assert choice["finish_reason"] == "stop"
    assert choice["message"]["content"].startswith("It is turned: img_")
    assert size(server, body["session_id"], named(choice["message"]["content"])) == (40, 80)
    assert body["usage"]["steps"] == 2


def test_a_later_turn_knows_what_was_made(server: Server, model: Scripted) -> None:
    _, first = server.call("POST", CHAT, asked())
    made = named(first["choices"][0]["message"]["content"])
    messages = [{"role": "user", "content": "And now?"}]
    status, _ = server.call("POST", CHAT, asked(messages=messages, session_id=first["session_id"]))
    assert status == 201
    heard = model.requests[-1].heard
    assert heard is not None
    assert made in heard.text


def test_a_clients_tool_rests_the_run_and_its_answer_goes_on_with_it(server: Server, model: Scripted) -> None:
    status, body = server.call("POST", CHAT, asked(tools=[WEATHER]))
    assert status == 201, body
    assert body["choices"][0]["finish_reason"] == "tool_calls"
    (call,) = body["choices"][0]["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"city": "Bonn"}
    before = len(model.requests)
    answer = {"role": "tool", "tool_call_id": call["id"], "content": "rain"}
    status, body = server.call("POST", CHAT, asked(messages=[answer], tools=[WEATHER], session_id=body["session_id"]))
    assert status == 201, body
    assert body["choices"][0]["message"]["content"].startswith("It is turned: img_")
    assert len(model.requests) - before == 1


def test_a_stream_tells_words_work_and_cards(server: Server) -> None:
    request = urllib.request.Request(
        f"{server.url}{CHAT}", method="POST", data=json.dumps(asked(stream=True, preview=True)).encode(),
        headers={"Authorization": f"Bearer {server.key}", "Content-Type": "application/json"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=60) as answer:
        lines = [line.decode().strip() for line in answer if line.startswith(b"data: ")]
    assert lines[-1] == "data: [DONE]"
    deltas = [choice["delta"] for line in lines[:-1] for choice in json.loads(line[6:])["choices"]]
    words = "".join(delta.get("content") or "" for delta in deltas)
    thoughts = "".join(delta.get("reasoning_content") or "" for delta in deltas)
    assert words.startswith("Let me turn it.")
    assert "<preview data=" in words
    assert "It is turned: img_" in words
    assert "rotate_image(image=img_" in thoughts


def test_json_is_the_content(server: Server) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "Total", "schema": TOTAL}}
    status, body = server.call("POST", CHAT, asked(response_format=form))
    assert status == 201, body
    assert json.loads(body["choices"][0]["message"]["content"]) == {"total": 7}


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap (apt-get install bubblewrap)")
def test_orion_2_answers_by_a_program(server: Server) -> None:
    status, body = server.call("POST", CHAT, asked(model="vlmrun-orion-2"))
    assert status == 201, body
    text = body["choices"][0]["message"]["content"]
    assert size(server, body["session_id"], named(text)) == (40, 80)
