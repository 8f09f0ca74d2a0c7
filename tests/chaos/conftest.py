"""Worker processes to kill, and a server whose fall nobody else minds."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from heliograph.store.migrations import migrate
from heliograph.store.postgres import EmbeddedPostgres
from tests.conftest import free_port

REPOSITORY = Path(__file__).parents[2]
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[Start]:
    """Starts `tests.integration.jobs.working` on a database, or with `real` a worker as `serve` does; all are killed at the end."""
    started: list[subprocess.Popen[bytes]] = []

    def start(url: str, *, real: bool = False, **environment: str) -> subprocess.Popen[bytes]:
        output = (tmp_path / f"worker{len(started)}.log").open("wb")
        data = str(tmp_path / "data")
        light = ["tests.integration.jobs.working", url, data, str(tmp_path / "pages.log")]
        process = subprocess.Popen(
            [sys.executable, "-m", *(["heliograph.cli.worker"] if real else light)],
            cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT,
            env=os.environ | {"HELIOGRAPH_DATABASE_URL": url, "HELIOGRAPH_DATA_DIR": data} | environment,
        )  # fmt: skip
        output.close()
        started.append(process)
        return process

    (tmp_path / "pages.log").touch()
    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.communicate()


@pytest.fixture
def pages(tmp_path: Path) -> Callable[[], list[int]]:
    """The pages that were really read so far, in order."""
    return lambda: [int(line.rpartition(":")[2]) for line in (tmp_path / "pages.log").read_text().splitlines()]


@pytest.fixture
def own_postgres() -> Iterator[EmbeddedPostgres]:
    """A migrated PostgreSQL of the test's own, in a data folder, listening on TCP too."""
    folder = Path(tempfile.mkdtemp(prefix="heliograph-postgres-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder, port=free_port())
    server.start()
    migrate(server.url())
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["external", "embedded"])
def url(request: pytest.FixtureRequest) -> str:
    """A database over TCP, and one over the socket of a server in a data folder."""
    if request.param == "external":
        return request.getfixturevalue("database_url")
    server: EmbeddedPostgres = request.getfixturevalue("own_postgres")
    password = server.url().partition("//heliograph:")[2].partition("@")[0]
    return f"postgresql://heliograph:{password}@/heliograph?host={server.home / 'run'}&port={server.port}"


def scan(count: int) -> bytes:
    """A TIFF of so many small pages, each with its number in words that must be read."""
    sheets = [Image.new("L", (620, 260), 255) for _ in range(count)]
    for number, sheet in enumerate(sheets):
        ImageDraw.Draw(sheet).text((30, 60), f"Delivery note {number + 100}\nTotal {number}.50", font=ImageFont.load_default(48), fill=0)
    out = io.BytesIO()
    sheets[0].save(out, "TIFF", save_all=True, append_images=sheets[1:], compression="tiff_deflate")
    return out.getvalue()
