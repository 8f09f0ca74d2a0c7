"""What the drivers of Python clients share: how a check is written, judged and printed. Run in the clients' own environment.

Reads VLMRUN_BASE_URL, VLMRUN_API_KEY, RECEIPT (an image), INVOICE (a PDF) and SCRATCH (a folder). Prints one JSON object a line:
`{"name": "files.upload", "outcome": "passed" | "later" | "client" | "failed", "detail": ...}`.

    later   the server answered 422 `not_configured`: a part that Heliograph does not have yet, and says so
    client  the client itself does not implement the method
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Check = Callable[[Any], Any]
"""Gets the client that `run` was called with."""
CHECKS: dict[str, Check] = {}

RECEIPT, INVOICE, SCRATCH = (Path(os.environ[name]) for name in ("RECEIPT", "INVOICE", "SCRATCH"))


def check(*names: str) -> Callable[[Check], Check]:
    def register(function: Check) -> Check:
        for name in names:
            CHECKS[name] = function
        return function

    return register


def completed(prediction: Any) -> Any:
    assert prediction.status == "completed", f"status {prediction.status}: {prediction.usage}"
    return prediction


def grounded_leaf(response: dict[str, Any], field: str) -> None:
    """The published shape of `<field>_metadata`."""
    meta = response[f"{field}_metadata"]
    assert meta["confidence"] in {"hi", "med", "lo"}, meta
    assert meta["bboxes"], f"{field} has no box"
    for box in meta["bboxes"]:
        assert len(box["bbox"]["xywh"]) == 4
        assert all(0 <= number <= 1 for number in box["bbox"]["xywh"])
        assert isinstance(box["page"], int)
        assert isinstance(box["content"], str)
        assert box["content"]


def outcome(client: Any, function: Check) -> tuple[str, str]:
    try:
        function(client)
    except NotImplementedError as error:
        return "client", str(error) or "not implemented in the client"
    except Exception as error:
        kind = getattr(error, "error_type", None)
        body = getattr(error, "body", None)  # the OpenAI client keeps the parsed error here
        if isinstance(body, dict):
            kind = kind or body.get("code") or body.get("type")
        message = str(getattr(error, "message", None) or error)
        if kind == "not_configured":
            return "later", message
        return "failed", f"{type(error).__name__}: {message}"
    return "passed", ""


def run(client: Any, names: list[str]) -> None:
    """Run the checks of `names`, or of those that the command line asks for; a name without a check shows up as failed."""
    only = set(sys.argv[1:])
    seen: dict[Check, tuple[str, str, float]] = {}
    for name in dict.fromkeys(names):
        if only and name not in only:
            continue
        function = CHECKS.get(name)
        if function is None:
            result: tuple[str, str, float] = ("failed", "no check is written for this method", 0.0)
        else:
            if function not in seen:
                started = time.monotonic()
                seen[function] = (*outcome(client, function), time.monotonic() - started)
            result = seen[function]
        print(json.dumps({"name": name, "outcome": result[0], "detail": result[1], "seconds": round(result[2], 2)}), flush=True)
