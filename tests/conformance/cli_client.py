"""Runs the official `vlmrun` command line against a running server; same output as `driver.py`.

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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

CLI = Path(sys.executable).parent / "vlmrun"
RECEIPT, INVOICE, CALL, TALK, SCRATCH = (Path(os.environ[name]) for name in ("RECEIPT", "INVOICE", "CALL", "TALK", "SCRATCH"))
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


def skill_folder(name: str, *fields: str) -> Path:
    folder = SCRATCH / "cli-skills" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "SKILL.md").write_text(f"---\nname: {name}\ndescription: Reads what it is told to\n---\nRead the fields.\n")
    kinds = {"total": {"type": ["number", "null"]}, "invoice_id": {"type": ["string", "null"]}}
    (folder / "schema.json").write_text(json.dumps({"type": "object", "properties": {field: kinds[field] for field in fields}}))
    return folder


def fresh(word: str) -> str:
    """A name that no other check uses."""
    return f"{word}-{uuid.uuid4().hex[:8]}"


def found(name: str, *words: str) -> dict[str, str]:
    return json.loads(vlmrun("skills", "get", name, *words, "--json"))


def read(*words: str | Path) -> dict[str, object]:
    """What is read from the invoice."""
    answer = json.loads(vlmrun("generate", "-i", INVOICE, *words, "-f", "json"))
    assert answer["status"] == "completed"
    return answer["response"]


@check("vlmrun generate --skill")
def _() -> None:
    one, other = skill_folder("cli-total", "total"), skill_folder("cli-number", "invoice_id")
    assert read("--skill", one) == {"total": 8956.08}
    assert read("-k", one, "-k", other) == {"total": 8956.08, "invoice_id": "BW-2026-0318"}


@check("vlmrun generate --skill-id")
def _() -> None:
    name = fresh("cli-pinned")
    vlmrun("skills", "upload", skill_folder(name, "total"))
    first = found(name)
    vlmrun("skills", "upload", skill_folder(name, "invoice_id"))
    assert read("--skill-id", name) == {"invoice_id": "BW-2026-0318"}
    assert read("--skill-id", f"{name}:latest") == {"invoice_id": "BW-2026-0318"}
    assert read("--skill-id", f"{name}:{first['skill_version']}", "--no-batch") == {"total": 8956.08}
    assert read("--skill-id", f"{name}:1", "--skill-id", f"{name}:2") == {"total": 8956.08, "invoice_id": "BW-2026-0318"}
    assert "BW-2026-0318" in str(read("--skill-id", "invoice-extraction"))


@check("vlmrun skills upload")
def _() -> None:
    name = fresh("cli-uploaded")
    said = vlmrun("skills", "upload", skill_folder(name, "total"))
    info = found(name)
    assert info["id"] in said
    assert info["skill_version"] in said
    vlmrun("skills", "upload", skill_folder(name, "total"), "--name", f"{name}-b", "--description", "Another")
    assert found(f"{name}-b")["description"] == "Another"


@check("vlmrun skills get")
def _() -> None:
    name = fresh("cli-got")
    vlmrun("skills", "upload", skill_folder(name, "total"))
    info = found(name)
    assert info["status"] == "completed"
    assert found(info["id"]) == found(name, "--version", info["skill_version"]) == found(name, "-V", "1") == info
    assert info["id"] in vlmrun("skills", "get", name)


@check("vlmrun skills list")
def _() -> None:
    name = fresh("cli-listed")
    vlmrun("skills", "upload", skill_folder(name, "total"))
    vlmrun("skills", "upload", skill_folder(name, "invoice_id"))
    assert name in vlmrun("skills", "list")
    several = json.loads(vlmrun("skills", "list", "-n", "1000", "--order-by", "name", "--asc", "--json"))
    names = [info["name"] for info in several]
    assert names == sorted(names)
    assert names.count(name) == 2
    grouped = [info["name"] for info in json.loads(vlmrun("skills", "list", "-n", "1000", "--grouped", "-j"))]
    assert grouped.count(name) == 1
    assert {"invoice-extraction", "receipt-extraction", "patient-referral"} <= set(grouped)
    assert len(json.loads(vlmrun("skills", "list", "-n", "1", "--offset", "1", "-j"))) == 1


@check("vlmrun skills create")
def _() -> None:
    prompted = json.loads(vlmrun("skills", "create", "-p", "Extract invoice_id and total", "-n", fresh("cli-prompted"), "--json"))
    assert prompted["status"] == "completed"
    assert set(read("--skill-id", prompted["name"])) == {"invoice_id", "total"}
    prompt, schema = SCRATCH / "prompt.txt", SCRATCH / "a-total.json"
    prompt.write_text("Read the total of an invoice")
    schema.write_text(json.dumps({"type": "object", "properties": {"total": {"type": ["number", "null"]}}}))
    filed = json.loads(vlmrun("skills", "create", "-f", prompt, "--schema", schema, "-n", fresh("cli-filed"), "-j"))
    assert read("--skill-id", f"{filed['name']}:{filed['skill_version']}") == {"total": 8956.08}


@check("vlmrun skills download")
def _() -> None:
    name = fresh("cli-downloaded")
    folder = skill_folder(name, "total")
    vlmrun("skills", "upload", folder)
    vlmrun("skills", "download", name, "--output", SCRATCH / "downloads")
    taken = SCRATCH / "downloads" / name
    for path in (folder / "SKILL.md", folder / "schema.json"):
        assert (taken / path.name).read_bytes() == path.read_bytes()
    vlmrun("skills", "download", "patient-referral", "-V", "latest", "-o", SCRATCH / "downloads")
    assert (SCRATCH / "downloads" / "patient-referral" / "SKILL.md").is_file()


@check("vlmrun generate (panel)")
def _() -> None:
    assert "completed" in vlmrun("generate", "-i", RECEIPT, "-d", "document.receipt")


@check("vlmrun generate (audio)")
def _() -> None:
    answer = json.loads(vlmrun("generate", "-i", CALL, "-d", "audio.transcription", "-f", "json"))
    assert answer["status"] == "completed"
    assert "best of times" in answer["response"]["segments"][0]["content"]
    assert "completed" in vlmrun("generate", "-i", CALL, "--skill-id", "call-summary", "--no-batch")


@check("vlmrun generate (video)")
def _() -> None:
    answer = json.loads(vlmrun("generate", "-i", TALK, "-d", "video.transcription", "--no-batch", "-f", "json"))
    assert answer["usage"]["element_type"] == "video"
    (segment,) = answer["response"]["segments"]
    assert "best of times" in segment["audio"]["content"]
    assert "Quarterly review" in segment["video"]["content"]
    notes = json.loads(vlmrun("generate", "-i", TALK, "--skill-id", "meeting-notes", "--no-batch", "-f", "json"))
    assert notes["response"]["attendees"] == []


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


@check("vlmrun execute | executions list | get")
def _() -> None:
    schema = SCRATCH / "execute-schema.json"
    schema.write_text(json.dumps({"type": "object", "properties": {"total": {"type": ["number", "null"]}}}))
    words = ("execute", "-p", "Read the total.", "-i", RECEIPT, "--schema", schema, "--poll-interval", "1", "-f", "json")
    answer = json.loads(vlmrun(*words))
    assert answer["status"] == "completed"
    assert answer["response"]["total"] is not None
    assert answer["id"][:8] in vlmrun("executions", "list", "--limit", "10")
    assert json.loads(vlmrun("executions", "get", answer["id"], "-f", "json"))["response"] == answer["response"]


@check("vlmrun execute (skill)")
def _() -> None:
    answer = json.loads(vlmrun("execute", "--skill-id", "receipt-extraction", "-i", RECEIPT, "--poll-interval", "1", "-f", "json"))
    assert answer["status"] == "completed"
    assert answer["response"]


@check("vlmrun artifacts list | get")
def _() -> None:
    words = ("execute", "-p", "Make a bar chart of apples 3, pears 5", "-t", "core", "-t", "viz", "--poll-interval", "1", "-f", "json")
    answer = json.loads(vlmrun(*words))
    ref = answer["response"]["image"]["id"]
    assert ref in vlmrun("artifacts", "list", "-e", answer["id"])
    picture = SCRATCH / "chart.jpg"
    vlmrun("artifacts", "get", ref, "-e", answer["id"], "-o", picture)
    assert picture.read_bytes().startswith(b"\xff\xd8\xff")


@check("vlmrun config show")
def _() -> None:
    vlmrun("config", "show")


CHART = "Make a bar chart of apples 3, pears 5, plums 2"


def made(words: str, kind: str = "img") -> str:
    (found,) = set(re.findall(rf"\b{kind}_[0-9a-f]{{6}}\b", words))
    return found


def pictures(folder: Path) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for path in folder.iterdir():
        with Image.open(path) as picture:
            found[path.name] = picture.size
    return found


@check("vlmrun chat")
def _() -> None:
    folder = SCRATCH / fresh("streamed")
    said = vlmrun("chat", CHART, "-o", folder)  # streams, and then downloads what the answer names
    assert list(pictures(folder)) == [f"{made(said)}.jpg"]


@check("vlmrun chat --no-stream --format json")
def _() -> None:
    answer = json.loads(vlmrun("chat", CHART, "-ns", "-nd", "-t", "core", "-t", "viz", "-f", "json"))
    assert answer["usage"]["credits_used"] is not None
    assert made(answer["content"]) in vlmrun("artifacts", "list", "-s", answer["session_id"])


@check("vlmrun chat --input")
def _() -> None:
    folder = SCRATCH / fresh("merged")
    vlmrun("chat", "Merge these two PDFs", "-i", INVOICE, "-i", INVOICE, "-o", folder)
    (merged,) = folder.iterdir()
    assert merged.suffix == ".pdf"
    assert merged.read_bytes().startswith(b"%PDF")


@check("vlmrun chat --session-id")
def _() -> None:
    session, first, second = str(uuid.uuid4()), SCRATCH / fresh("first"), SCRATCH / fresh("second")
    turned = made(vlmrun("chat", "Rotate it by 90 degrees", "-i", RECEIPT, "-s", session, "-o", first))
    vlmrun("chat", f"Make {turned} 100 pixels wide", "-s", session, "-t", "image", "-ns", "-o", second)
    with Image.open(RECEIPT) as receipt:
        assert pictures(first) == {f"{turned}.jpg": receipt.size[::-1]}
    assert 100 in {width for width, _ in pictures(second).values()}


@check("vlmrun chat --skill-id")
def _() -> None:
    assert "BW-2026-0318" in vlmrun("chat", "Read it.", "-i", INVOICE, "--skill-id", "invoice-extraction:latest", "-t", "document", "-nd")


def judged(run: Callable[[], None]) -> dict[str, object]:
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
    return {"outcome": outcome, "detail": detail, "seconds": round(time.monotonic() - started, 2)}


def main() -> None:
    asked = [name for name in CHECKS if len(sys.argv) == 1 or name in sys.argv[1:]]
    with ThreadPoolExecutor(2) as pool:  # most of a command's time is its own start
        for name, found in zip(asked, pool.map(judged, [CHECKS[name] for name in asked]), strict=True):
            print(json.dumps({"name": name, **found}), flush=True)


if __name__ == "__main__":
    main()
