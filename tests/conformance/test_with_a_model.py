"""The official clients, unchanged, against a server whose model is scripted: chats that call tools, what a model adds to answers about
documents, and every way in which it fails."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from heliograph.models.scripted import Call, Heard, Scripted, Turn
from tests.conformance import clients
from tests.conformance.test_official_clients import judge
from tests.live import running_server

RIGHT = {
    "merchant_name": "Marlow & Finch Market",
    "transaction_date": "2026-03-14",
    "total": 76.1,
    "moon_phase": None,
    "mood": "glad",
    "items": [{"description": "OAT MILK 1L", "total_price": 4.98}, {"description": "RYE BREAD SLICED", "total_price": 4.25}],
}
failed_once: set[str] = set()


PERSON = {"name": "Ann", "age": 31}
LONG = " ".join(f"word{number}" for number in range(60))


def chat(heard: Heard, case: str) -> Any:
    """What the model says in chats and executions: calls of tools first, and then words about what they gave."""
    ours = next((tool for tool in heard.tools if tool in {"Person", "final_result"}), None)
    match case:
        case "chart" if not heard.results:
            return Turn(calls=[Call("make_chart", {"kind": "bar", "labels": ["apples", "pears"], "values": [3, 5]})])
        case "blur" if not heard.results:
            (picture,) = set(re.findall(r"\[(img_[0-9a-f]{6})", heard.text))
            return Turn(calls=[Call("blur_faces", {"image": picture})])
        case "chart" | "blur":
            made = json.loads(heard.results[-1].split("\n")[1])
            return f"Here it is: {made['id']}."
        case "weather" if not heard.results:
            return Turn(calls=[Call("get_weather", {"city": "Oslo"})])
        case "weather":
            return f"The weather: {heard.results[-1]}"
        case "named":
            return " ".join(re.findall(r"\[((?:aud|vid)_[0-9a-f]{6})", heard.text)) or "Nothing was named."
        case "recall":
            return "heron" if "My word is heron." in heard.text else "I was not told."
        case "person" if ours:
            return Turn(calls=[Call(ours, PERSON)])
        case "aged" if not heard.repair:
            return PERSON | {"age": "old"}
        case "person" | "aged":
            return PERSON
        case "long":
            return Turn(answer=LONG, pace=0.03)
    return "Heard."


OPENAI = {
    "conformance": "openai 1.109.1 and instructor 1.12.0 (Python)",
    "openai": "openai 3.54.0 and pydantic-ai 2.68.0 (Python)",
    "node": "openai 4.104.0 (Node)",
    "node-openai": "openai 7.57.0 (Node)",
}
CHATS = {"chart", "blur", "weather", "recall", "person", "aged", "long", "echo", "named"}


def answer(heard: Heard) -> Any:
    """What the model says, by the case that the request's prompt names last."""
    if "caption" in (heard.schema or {}).get("properties", {}):
        return {"caption": "A receipt on a table.", "tags": ["receipt"]}
    named = re.findall(r"CASE: (\w+)\.", heard.text)
    case = named[-1] if named else ""
    if case in CHATS:
        return chat(heard, case)
    first = case not in failed_once
    failed_once.add(case)
    match case:
        case "write" if "<request>" in heard.text:
            return {"description": "Reads the total of receipts", "instructions": 'The sum to pay is printed last, beside "TOTAL".'}
        case "skilled" | "write":
            return {"total": 76.1}
        case "shown":
            return {"total": 76.1 if "SAMPLE KIOSK" in heard.text and "41.17" in heard.text else 0.0}
        case "cut" if first:
            return Turn(answer=RIGHT, truncate=60)
        case "wrong" if first:
            return RIGHT | {"total": "seventy"}
        case "refuse":
            return Turn(refusal="I cannot help with that.")
        case "busy" if first:
            return Turn(status=429, retry_after=0.2)
        case "break" if first:
            return Turn(answer=RIGHT, reset_after=12)
    return RIGHT


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    scratch = tmp_path_factory.mktemp("model")
    with (
        Scripted([Turn(answer=answer, times=0)], "openai", without={"json_schema"}) as model,
        running_server(scratch / "data", HELIOGRAPH_MODEL_URL=model.url, HELIOGRAPH_MODEL_NAME="scripted") as server,
    ):
        yield clients.environment(server, scratch)


@pytest.mark.parametrize(("client", "least"), [("conformance", 24), ("openai", 23)])
def test_openais_python_clients_chat(environment: dict[str, str], collected: list[clients.Result], client: Any, least: int) -> None:
    command = [clients.python_environment(client), clients.HERE / "openai_client.py"]
    found = list(clients.drive(OPENAI[client], command, environment, cwd=clients.HERE))
    collected += found
    judge(found)
    assert len(found) >= least


@pytest.mark.parametrize("client", ["node", "node-openai"])
def test_openais_node_clients_chat(environment: dict[str, str], collected: list[clients.Result], client: Any) -> None:
    folder = clients.node_environment(client)
    if folder is None:
        pytest.skip("Node and npm are not installed")
    script = folder / "openai_client.mjs"
    if client != "node":
        shutil.copy(clients.HERE / "node" / script.name, script)  # Node finds packages beside the script
    try:
        found = list(clients.drive(OPENAI[client], ["node", script.name], environment, cwd=folder))
    finally:
        if client != "node":
            script.unlink()
    collected += found
    judge(found)


def test_the_python_sdk_gets_the_models_values_with_our_evidence(environment: dict[str, str], collected: list[clients.Result]) -> None:
    command = [clients.python_environment(), clients.HERE / "model_client.py"]
    found = list(clients.drive("vlmrun (Python), with a model", command, environment, cwd=clients.HERE))
    collected += found
    judge(found)
    assert len(found) == 17
