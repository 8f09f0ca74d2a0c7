"""Formats that only LibreOffice reads (DOC, PPT, XLS, RTF, OpenDocument): converted to PDF by it when it is installed.

DOCX, PPTX and XLSX are never sent there: our own readers give the same words on every machine, take milliseconds instead of a second,
and keep table cells and headings that a PDF has lost.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from heliograph._child import leave_limits
from heliograph.errors import CorruptMedia, MediaLimitExceeded, NotConfigured
from heliograph.media.sniff import MediaType

PLACES = ("/usr/bin", "/usr/local/bin", "/opt/libreoffice/program", "/snap/bin", "/Applications/LibreOffice.app/Contents/MacOS")
PREFIX = "heliograph-office-"
REMAINS_AFTER = 3600.0
"""Seconds after which the folder of a child that was killed is taken away by the next conversion."""
START_AGAIN = 81
"""What soffice.bin ends with after it has made its profile; its wrapper would start it again. Without the wrapper the process that we
limit and kill is the one that works."""
TIMEOUT = 50.0
"""Seconds; a conversion takes 1.0 to 1.3 on two shared cores, a first start a few more."""
EXTENSIONS = {
    "application/msword": "doc",
    "application/vnd.ms-excel": "xls",
    "application/vnd.ms-powerpoint": "ppt",
    "application/rtf": "rtf",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.presentation": "odp",
}

_folder: tempfile.TemporaryDirectory[str] | None = None


def program() -> str | None:
    """Path of LibreOffice's command, if it is installed."""
    return (
        shutil.which("soffice")
        or shutil.which("libreoffice")
        or next((found for place in PLACES if (found := shutil.which("soffice", path=place))), None)
    )


def convert_to_pdf(path: Path, media_type: MediaType) -> Path:
    """Convert to PDF; the file lives until the next conversion in this process. Macros do not run, links are not followed.

    Raises NotConfigured when LibreOffice is not installed, CorruptMedia when it cannot read the file, MediaLimitExceeded for time.
    """
    global _folder  # noqa: PLW0603
    command = program()
    if command is None:
        raise NotConfigured(
            f"This file is {media_type.name}; reading it needs LibreOffice, which is not installed on this server "
            "(package `libreoffice-core` with `-writer`, `-calc` and `-impress`)."
        )
    if _folder is not None:
        _folder.cleanup()
    _clear_remains()
    _folder = tempfile.TemporaryDirectory(prefix=PREFIX)
    folder = Path(_folder.name)
    source = folder / f"input.{EXTENSIONS[media_type.media_type]}"
    source.symlink_to(path.resolve())
    binary = Path(command).resolve().with_name("soffice.bin")
    arguments = [
        str(binary if binary.exists() else command), f"-env:UserInstallation=file://{folder}/profile", "--headless", "--norestore",
        "--nolockcheck", "--nodefault", "--convert-to", "pdf", "--outdir", str(folder), str(source),
    ]  # fmt: skip
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(folder), "LANG": "C.UTF-8", "SAL_USE_VCLPLUGIN": "svp"}
    deadline = time.monotonic() + TIMEOUT
    while _run(arguments, environment, deadline) == START_AGAIN and not (folder / "input.pdf").exists():
        pass
    result = folder / "input.pdf"
    if not result.exists():
        raise CorruptMedia(f"The file is {media_type.name}, but LibreOffice cannot read it; it is damaged.")
    return result


def _clear_remains() -> None:
    for folder in Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        with suppress(OSError):
            if folder.stat().st_mtime < time.time() - REMAINS_AFTER:
                shutil.rmtree(folder, ignore_errors=True)


def _run(arguments: list[str], environment: dict[str, str], deadline: float) -> int:
    with subprocess.Popen(  # noqa: S603
        arguments,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=leave_limits,  # noqa: PLW1509  (a reading child has one thread)
    ) as process:
        try:
            return process.wait(max(deadline - time.monotonic(), 0.0))
        except subprocess.TimeoutExpired:
            process.kill()
            raise MediaLimitExceeded(f"LibreOffice did not convert the file within {TIMEOUT:g} seconds.") from None
