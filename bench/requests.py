"""A running server from outside: a receipt, a ten-page PDF, memory of the API and of a worker."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from tests.live import Server, data_uri, running_server

from bench import Row

SAMPLES = Path(str(files("heliograph.samples")))


def processes(root: int) -> dict[str, list[int]]:
    """Resident bytes of the server's processes, by the role that their command line names."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                continue
    family, grown = {root}, True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        family |= more
        grown = bool(more)
    sizes: dict[str, list[int]] = {}
    for pid in family:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            resident = next(
                int(line.split()[1]) * 1024 for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")
            )
        except (OSError, StopIteration):
            continue
        role = "postgres" if b"postgres" in words[0] else " ".join(word.decode() for word in words[1:5])
        sizes.setdefault(role, []).append(resident)
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
            "<= 2.5",
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
        for role, resident in processes(server.process.pid).items():
            yield Row(
                f"resident memory: {role}",
                sum(resident) / 2**20,
                "MiB",
                "<= 150 for the API",
                f"{len(resident)} processes, shared pages counted each time",
            )


def repeat_pages(source: Path, target: Path, count: int) -> None:
    """A PDF of `count` pages made of the pages of `source`, over and over."""
    import pypdfium2 as pdfium

    original, made = pdfium.PdfDocument(source), pdfium.PdfDocument.new()
    for index in range(count):
        made.import_pages(original, [index % len(original)])
    made.save(target)
