"""Runs the official `vlmrun` command line against a running server; same output as `python_client.py`.

Each check runs the command as a user would and looks at its exit code and what it printed.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

CLI = Path(sys.executable).parent / "vlmrun"
RECEIPT, INVOICE, SCRATCH = (Path(os.environ[name]) for name in ("RECEIPT", "INVOICE", "SCRATCH"))
CHECKS: dict[str, Callable[[], None]] = {}


class Later(Exception):
    """The server said `not_configured`."""


def vlmrun(*words: str | Path) -> str:
    """The output of one command; raises with it when the command fails."""
    environment = os.environ | {"COLUMNS": "240", "NO_COLOR": "1", "TERM": "dumb"}
    done = subprocess.run([CLI, *words], env=environment, capture_output=True, text=True, timeout=180, check=False)
    output = done.stdout + done.stderr
    if done.returncode != 0:
        if "not_configured" in output or "does not have" in output:
            raise Later(" ".join(re.sub(r"[^\x20-\x7e]", " ", output).split())[-300:])
        raise AssertionError(f"exit code {done.returncode}: {' '.join(output.split())[-400:]}")
    return output


def check(name: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def register(function: Callable[[], None]) -> Callable[[], None]:
        CHECKS[name] = function
        return function

    return register


@check("vlmrun --version")
def _() -> None:
    assert "0.9.2" in vlmrun("--version")


@check("vlmrun files upload | list | delete")
def _() -> None:
    note = SCRATCH / f"{uuid.uuid4()}.txt"
    note.write_text(str(uuid.uuid4()))
    uploaded = vlmrun("files", "upload", note, "--purpose", "assistants")
    match = re.search(r"ID:\s*([0-9a-f-]{36})", uploaded)
    assert match, uploaded
    assert match[1] in vlmrun("files", "list")
    assert match[1] in vlmrun("files", "delete", match[1])
    assert match[1] not in vlmrun("files", "list")


@check("vlmrun files get")
def _() -> None:
    try:
        vlmrun("files", "get", str(uuid.uuid4()))
    except AssertionError as error:
        raise NotImplementedError("`get_content` is not implemented in the client") from error


@check("vlmrun generate --domain")
def _() -> None:
    answer = json.loads(vlmrun("generate", "-i", INVOICE, "-d", "document.invoice", "-f", "json"))
    assert answer["status"] == "completed"
    assert answer["response"]["invoice_id"]


@check("vlmrun generate --schema --prompt")
def _() -> None:
    schema = SCRATCH / "total.json"
    schema.write_text(json.dumps({"type": "object", "properties": {"total": {"type": ["number", "null"]}}}))
    answer = json.loads(
        vlmrun("generate", "-i", RECEIPT, "-d", "document.receipt", "--schema", schema, "-p", "the amount paid", "--no-batch", "-f", "json")
    )
    assert set(answer["response"]) == {"total"}
    assert answer["response"]["total"] is not None


@check("vlmrun generate --skill")
def _() -> None:
    skill = SCRATCH / "cli-skill"
    skill.mkdir(exist_ok=True)
    (skill / "SKILL.md").write_text("---\nname: cli-skill\ndescription: Reads the total\n---\nRead the total.\n")
    (skill / "schema.json").write_text(json.dumps({"type": "object", "properties": {"total": {"type": ["number", "null"]}}}))
    assert json.loads(vlmrun("generate", "-i", INVOICE, "-k", skill, "-f", "json"))["response"]["total"] is not None


@check("vlmrun generate (panel)")
def _() -> None:
    assert "completed" in vlmrun("generate", "-i", RECEIPT, "-d", "document.receipt")


@check("vlmrun predictions list | get")
def _() -> None:
    answer = json.loads(vlmrun("generate", "-i", RECEIPT, "-d", "document.receipt", "-f", "json"))
    assert answer["id"][:8] in vlmrun("predictions", "list", "--limit", "10")
    assert "completed" in vlmrun("predictions", "get", answer["id"])
    assert "completed" in vlmrun("predictions", "get", answer["id"], "--wait")


@check("vlmrun hub version | list | schema")
def _() -> None:
    assert re.search(r"\d+\.\d+\.\d+", vlmrun("hub", "version"))
    assert "document.invoice" in vlmrun("hub", "list")
    assert "invoice_id" in vlmrun("hub", "schema", "document.invoice")


@check("vlmrun models list")
def _() -> None:
    assert "vlm-1" in vlmrun("models", "list", "--domain", "document.invoice")


@check("vlmrun config show")
def _() -> None:
    vlmrun("config", "show")


LATER = {
    "vlmrun chat": ("chat", "hello", "-ns", "-nd"),
    "vlmrun execute": ("execute", "-p", "say hello", "-i", RECEIPT),
    "vlmrun executions list": ("executions", "list"),
    "vlmrun executions get": ("executions", "get", str(uuid.uuid4())),
    "vlmrun skills list": ("skills", "list"),
    "vlmrun skills get": ("skills", "get", "none"),
    "vlmrun skills create": ("skills", "create", "-p", "Read totals"),
    "vlmrun skills upload": ("skills", "upload", SCRATCH / "cli-skill"),
    "vlmrun skills download": ("skills", "download", "none"),
    "vlmrun artifacts list": ("artifacts", "list", "-s", str(uuid.uuid4())),
    "vlmrun artifacts get": ("artifacts", "get", "img_a1b2c3", "-s", str(uuid.uuid4())),
}


def main() -> None:
    runs: dict[str, Callable[[], object]] = dict(CHECKS)
    for name, words in LATER.items():
        runs[name] = lambda words=words: vlmrun(*words)
    for name, run in runs.items():
        if len(sys.argv) > 1 and name not in sys.argv[1:]:
            continue
        started = time.monotonic()
        outcome, detail = "passed", ""
        try:
            run()
        except Later as error:
            outcome, detail = "later", str(error)
        except NotImplementedError as error:
            outcome, detail = "client", str(error)
        except Exception as error:
            outcome, detail = "failed", f"{type(error).__name__}: {error}"
        print(json.dumps({"name": name, "outcome": outcome, "detail": detail, "seconds": round(time.monotonic() - started, 2)}), flush=True)


if __name__ == "__main__":
    main()
