"""The snippets of the published documentation, run as they are written against a fresh server with its default settings."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import textwrap
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image

from tests.conformance import clients, recordings
from tests.live import Server, data_uri, running_server

TEXT = (clients.HERE / "snippets.md").read_text("utf-8")
SNIPPETS = dict(re.findall(r"^## (.+?)\n\n```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL))
PAGES = ("000_2038774b36189e7b.txt", "001_a75172595a8e76cb.txt", "003_fac8ff7c87c35936.txt", "004_3655771e7013032e.txt")


class Ended(NamedTuple):
    """How a snippet ended: what it printed, the exception that it died of, what the server said, and the values that it left."""

    printed: str
    raised: str | None
    type: str | None
    message: str
    names: dict[str, Any]


class Reader:
    """Somebody who copies snippets into files beside their documents."""

    def __init__(self, server: Server, folder: Path) -> None:
        """`folder` gets the files that the snippets name."""
        self.server, self.folder = server, folder
        samples = Path(str(files("heliograph.samples")))
        shutil.copy(samples / "invoice.pdf", folder / "invoice.pdf")
        with Image.open(samples / "receipt.png") as receipt:
            receipt.convert("RGB").save(folder / "photo.jpg")
        recordings.call(folder)
        recordings.talk(folder)

    def filled_in(self, snippet: str, **placeholders: str) -> str:
        """The snippet with a key, this server's address and `placeholders` in the place of what stands in angle brackets."""
        code = re.sub(r"https://(api|agent)\.vlm\.run(?=/v1)", self.server.url, snippet)
        for placeholder, value in ({"VLMRUN_API_KEY": self.server.key} | placeholders).items():
            code = code.replace(f"<{placeholder}>", value)
        left = re.search(r"<[\w-]+>|https?://(?!127\.0\.0\.1)", code)
        assert left is None, f"a reader would not know what to put for {left[0]}"
        return code

    def runs(self, snippet: str, **placeholders: str) -> Ended:
        script = self.folder / "snippet.py"
        script.write_text(self.filled_in(snippet, **placeholders))
        done = subprocess.run(
            [clients.python_environment(), clients.HERE / "snippet_client.py", script], cwd=self.folder, capture_output=True, text=True,
            timeout=180, check=True, env={"VLMRUN_BASE_URL": f"{self.server.url}/v1", "HOME": str(self.folder), "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        printed, _, last = done.stdout.rstrip("\n").rpartition("\n")
        return Ended(printed=printed, **json.loads(last))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("snippets")
    with running_server(folder / "data") as server:
        yield Reader(server, folder)


def is_the_invoice(ended: Ended) -> None:
    assert ended.raised is None, ended.message
    prediction = ended.names["response"]
    assert prediction["status"] == "completed"
    assert {"BW-2026-0318", 8956.08} <= {value for value in prediction["response"].values() if not isinstance(value, dict | list)}


def test_a_request_with_a_skill_prints_the_invoice(reader: Reader) -> None:
    ended = reader.runs(SNIPPETS["requests using skills"])
    is_the_invoice(ended)
    assert ast.literal_eval(ended.printed) == ended.names["response"]["response"]


@pytest.mark.parametrize("name", ["requests using domains", "document with a skill"])
def test_a_request_reads_the_invoice(reader: Reader, name: str) -> None:
    is_the_invoice(reader.runs(SNIPPETS[name]))


def test_the_page_of_documents_reads_the_invoice_by_domain_and_by_skill(reader: Reader) -> None:
    is_the_invoice(reader.runs(SNIPPETS["doc to json with a domain"], path="invoice", domain="document.invoice"))
    is_the_invoice(reader.runs(SNIPPETS["doc to json with a skill"], path="invoice", **{"skill-name": "invoice-extraction"}))


def test_an_image_without_a_domain_is_refused_by_the_client_itself_and_read_by_the_server(reader: Reader) -> None:
    ended = reader.runs(SNIPPETS["image with a skill"])
    assert ended.raised == "TypeError"
    assert "domain" in ended.message
    with_one = SNIPPETS["image with a skill"].replace("client.image.generate(", 'client.image.generate(\ndomain="document.invoice",')
    assert reader.runs(with_one).names["response"]["status"] == "completed"


@pytest.mark.parametrize(("medium", "field"), [("video", "attendees"), ("audio", "customer_name")])
def test_a_skill_reads_a_recording_in_the_background(reader: Reader, medium: str, field: str) -> None:
    started = reader.runs(SNIPPETS[f"{medium} with a skill"])
    assert started.raised is None, started.message
    assert started.names["response"]["status"] == "pending"
    done = reader.server.settled(started.names["response"]["id"], within=60)
    assert done["status"] == "completed", done
    assert not done["response"][field], "somebody was invented"
    assert done["usage"]["element_type"] == medium


@pytest.mark.parametrize("name", ["chat", "chat completion with the openai client"])
def test_a_chat_says_who_it_is_talking_to(reader: Reader, name: str) -> None:
    response = reader.runs(SNIPPETS[name]).names["response"]
    assert response["object"] == "chat.completion"
    assert response["model"] == "vlmrun-orion-1:auto"
    assert response["session_id"]
    assert "embedded planner" in response["choices"][0]["message"]["content"]


def test_a_chat_that_needs_a_language_model_says_so_where_there_is_none(reader: Reader) -> None:
    ended = reader.runs(SNIPPETS["chat with a skill"])
    assert ended.raised is None, ended.message
    (choice,) = ended.names["response"]["choices"]
    assert choice["finish_reason"] == "stop"
    assert "needs a language model" in choice["message"]["content"]


def test_an_agent_reads_with_the_skill_that_is_here_and_says_which_version_that_is(reader: Reader) -> None:
    snippet = SNIPPETS["agent with a skill"]
    link = data_uri((reader.folder / "invoice.pdf").read_bytes(), "application/pdf")
    ended = reader.runs(snippet, **{"file-url": link})
    status, latest = reader.server.call("POST", "/v1/skills/lookup", {"name": "patient-referral"})
    assert (status, ended.raised, ended.type) == (200, "ResourceNotFoundError", "not_found")
    assert latest["skill_version"] in ended.message
    started = reader.runs(snippet.replace("20260219-abc123", "latest"), **{"file-url": link}).names["response"]
    assert started["status"] == "pending"
    deadline = time.monotonic() + 60
    while (execution := reader.server.call("GET", f"/v1/agent/executions/{started['id']}")[1])["status"] != "completed":
        assert execution["status"] != "failed", execution
        assert time.monotonic() < deadline, execution
        time.sleep(0.5)
    status, skill = reader.server.call("GET", f"/v1/skills/{latest['id']}/files/schema.json")
    assert status == 200
    assert set(execution["response"]) >= set(skill["properties"])


def test_the_openai_client_takes_the_address(reader: Reader) -> None:
    assert reader.runs(SNIPPETS["chat with the openai client"]).raised is None


def test_a_pinned_version_that_is_not_here_is_not_found_and_those_that_are_here_are_named(reader: Reader) -> None:
    skill = reader.runs(SNIPPETS["pinned version"]).names["skill"]
    assert (skill["skill_name"], skill["skill_version"]) == ("invoice-extraction", "20260219-abc123")
    status, latest = reader.server.call("POST", "/v1/skills/lookup", {"name": "invoice-extraction"})
    assert status == 200
    body = {"url": "data:text/plain,Total%207", "batch": False, "config": {"skills": [skill]}}
    status, answer = reader.server.call("POST", "/v1/document/generate", body)
    assert (status, answer["error"]["type"]) == (404, "not_found")
    assert latest["skill_version"] in answer["error"]["message"]
    pinned = skill | {"skill_version": latest["skill_version"]}
    status, answer = reader.server.call("POST", "/v1/document/generate", body | {"config": {"skills": [pinned]}})
    assert (status, answer["status"]) == (201, "completed")


def published(page: str) -> list[str]:
    """The Python snippets of a page: its fences, or, where the fences were lost, the longest runs of lines that are Python.

    A notebook's line that installs the client is not Python.
    """
    page = re.sub(r"^ *!pip install .*\n", "", page, flags=re.MULTILINE)
    if fenced := re.findall(r"^ *```python[^\n]*\n(.*?)^ *```", page, re.MULTILINE | re.DOTALL):
        return [textwrap.dedent(code) for code in fenced]
    lines, at = page.splitlines(), 0
    found: list[str] = []
    while at < len(lines):
        ends = range(at + 1, len(lines) + 1) if lines[at].startswith("from ") else ()
        end = max((end for end in ends if is_python("\n".join(lines[at:end]))), default=0)
        if end:
            found.append("\n".join(lines[at:end]))
        at = end or at + 1
    return found


def is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def test_the_snippets_here_are_the_published_ones(shared_data: Path) -> None:
    pages = [(shared_data.parent / "spec" / "seeds" / name).read_text("utf-8") for name in PAGES]
    theirs = [ast.dump(ast.parse(code)) for page in pages for code in published(page)]
    assert sorted(theirs) == sorted(ast.dump(ast.parse(code)) for code in SNIPPETS.values())
