"""A running server from outside: a receipt, PDFs of ten and a hundred pages, memory of the API and of a worker."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

from tests.live import Server, data_uri, running_server

from bench import Row

SAMPLES = Path(str(files("heliograph.samples")))


ROLES = {
    "postgres": "PostgreSQL, all processes",
    "heliograph.cli.app": "API and supervisor",
    "heliograph.cli.worker": "worker",
    "heliograph.perception.engine": "engines (OCR, layout)",
    "heliograph.perception.looking": "readers of text layers",
    "heliograph.media.opening": "parser of untrusted bytes",
}
WORKER = ("heliograph.cli.worker", "heliograph.perception.engine", "heliograph.perception.looking", "heliograph.media.opening")
"""A worker with all its children."""


def memory(root: int) -> dict[str, float]:
    """MiB that the family of `root` holds, by role. PSS: a page that n processes share counts 1/n for each."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    sizes = dict.fromkeys(ROLES.values(), 0.0)
    for pid in family:
        with suppress(OSError):
            command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
            held = next(line for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() if line.startswith("Pss:"))
            role = next((name for word, name in ROLES.items() if word in command), None)
            if role is not None:
                sizes[role] += int(held.split()[1]) / 1024
    return sizes


def timed(server: Server, body: dict[str, Any], *, kind: str, times: int) -> list[float]:
    """Wall seconds of `times` calls that wait for their answer."""
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        _, answer = server.call("POST", f"/v1/{kind}/generate", body)
        seconds.append(time.perf_counter() - started)
        assert answer["status"] == "completed", answer
    return seconds


def measure() -> Iterator[Row]:
    """Receipt and PDF to JSON, warm and without the page cache; then resident memory."""
    config = {"grounding": True, "confidence": True, "use_context_cache": False}
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder) / "data") as server:
        receipt = {
            "images": [data_uri((SAMPLES / "receipt.png").read_bytes(), "image/png")],
            "domain": "document.receipt",
            "batch": False,
            "config": config,
        }
        timed(server, receipt, kind="image", times=2)
        yield Row(
            "scanned receipt to grounded JSON, warm",
            statistics.median(timed(server, receipt, kind="image", times=7)),
            "s",
            "<= 1.2",
            "median of 7",
        )
        ten = Path(folder) / "ten.pdf"
        repeat_pages(SAMPLES / "invoice.pdf", ten, 10)
        pages = {"url": data_uri(ten.read_bytes(), "application/pdf"), "domain": "document.invoice", "batch": False, "config": config}
        timed(server, pages, kind="document", times=1)
        yield Row(
            "born-digital PDF of 10 pages to grounded JSON",
            statistics.median(timed(server, pages, kind="document", times=7)),
            "s",
            "<= 2",
            "median of 7",
        )
        hundred = Path(folder) / "hundred.pdf"
        repeat_pages(SAMPLES / "invoice.pdf", hundred, 100)
        pages["url"] = data_uri(hundred.read_bytes(), "application/pdf")
        taken = statistics.median(timed(server, pages, kind="document", times=3))
        yield Row("born-digital PDF of 100 pages to grounded JSON", taken, "s", "<= 4", "median of 3")
        for role, held in memory(server.process.pid).items():
            yield Row(f"memory: {role}", held, "MiB", "<= 150" if role.startswith("API") else "", "PSS")
        yield from endurance(server, Path(folder))


def endurance(server: Server, folder: Path) -> Iterator[Row]:
    """Memory after 100 and after 500 documents: nine in ten a born-digital page of its own, one in ten a scan."""
    config = {"json_schema": {"type": "object", "properties": {"total": {"type": ["number", "null"]}}}, "use_context_cache": False}
    page = folder / "page.pdf"
    repeat_pages(SAMPLES / "invoice.pdf", page, 1)
    born, scan = data_uri(page.read_bytes(), "application/pdf"), data_uri((SAMPLES / "receipt.png").read_bytes(), "image/png")
    held: dict[int, float] = {}
    started = time.perf_counter()
    for number in range(1, 501):
        body = {"url": scan if number % 10 == 0 else born, "batch": False, "config": config}
        _, answer = server.call("POST", "/v1/document/generate", body)
        assert answer["status"] == "completed", answer
        if number in {100, 500}:
            sizes = memory(server.process.pid)
            held[number] = sum(sizes[ROLES[part]] for part in WORKER)
    yield Row("500 documents, one after the other", 500 / (time.perf_counter() - started), "documents/s", "", "one in ten a scan")
    yield Row("worker with its children after 500 documents", held[500], "MiB", "<= 900", f"{held[100]:.0f} MiB after 100")
    yield Row("growth from document 100 to 500", (held[500] - held[100]) / 400, "MiB/document", "< 0.2", "PSS of worker and children")


def repeat_pages(source: Path, target: Path, count: int) -> None:
    """A PDF of `count` pages made of the pages of `source`, over and over."""
    import pypdfium2 as pdfium

    original, made = pdfium.PdfDocument(source), pdfium.PdfDocument.new()
    for index in range(count):
        made.import_pages(original, [index % len(original)])
    made.save(target)
