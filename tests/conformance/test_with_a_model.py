"""The official Python SDK, unchanged, against a server whose model is scripted: what a model adds, and every way in which it fails."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from heliograph.models.scripted import Heard, Scripted, Turn
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


def answer(heard: Heard) -> Any:
    """What the model says, by the case that the request's prompt names."""
    if "caption" in (heard.schema or {}).get("properties", {}):
        return {"caption": "A receipt on a table.", "tags": ["receipt"]}
    named = re.search(r"CASE: (\w+)\.", heard.text)
    case = named[1] if named else ""
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


def test_the_python_sdk_gets_the_models_values_with_our_evidence(tmp_path: Path) -> None:
    python = clients.python_environment()
    script = [Turn(answer=answer, times=0)]
    with (
        Scripted(script, "openai", without={"json_schema"}) as model,
        running_server(tmp_path / "data", HELIOGRAPH_MODEL_URL=model.url, HELIOGRAPH_MODEL_NAME="scripted") as server,
    ):
        environment = clients.environment(server, tmp_path)
        command = [python, clients.HERE / "model_client.py"]
        results = list(clients.drive("vlmrun (Python), with a model", command, environment, cwd=clients.HERE))
    judge(results)
    assert len(results) == 14
