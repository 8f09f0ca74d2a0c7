"""The weaker mode: a plain process that Landlock and seccomp hold."""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from heliograph.agents.sandbox import jail
from heliograph.agents.sandbox.inside import landlock
from heliograph.agents.sandbox.running import Sandbox
from heliograph.agents.sandbox.script import Limits, Script
from heliograph.config import Settings
from heliograph.errors import NotConfigured
from tests.integration.agents.sandbox.conftest import TOOLS, echo
from tests.integration.agents.sandbox.escapes import EVERY

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALSO_HELD = [
    "reads a secret of the data folder",
    "reads /etc/passwd",
    "reads the worker's environment",
    "reads its own memory map",
    "leaves something in shared memory",
    "connects to a port of this machine",
    "connects to a socket of this machine, as PostgreSQL has one",
    "connects to an abstract socket",
    "forks",
    "starts a program",
    "kills everything",
    "signals its parent",
    "signals the worker",
    "has a signal sent by a file",
    "becomes root",
    "mounts",
    "leaves its user namespace",
    "traces",
    "reads another process's memory",
    "shares memory that stays",
    "takes all memory",
    "opens files without end",
    "makes a huge sparse file",
    "spins deaf to signals",
    "sleeps deaf to signals",
]


def for_everyone(program: str) -> bool:
    """Whether every account can run this program."""
    path = Path(program).resolve()
    return path.exists() and all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    if landlock.version() == 0:
        pytest.skip("needs a kernel with Landlock")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found = [sys.executable, shutil.which(version, path="/usr/local/bin:/usr/bin")]
    program = next((program for program in found if program and (os.getuid() != 0 or for_everyone(program))), None)
    if program is None:
        pytest.skip(f"needs a {version} that every account can run, because this is root")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", program)
        async with Sandbox(Settings(data_dir=tmp_path_factory.mktemp("data"), sandbox="subprocess")) as opened:
            await opened.warm()
            yield opened


async def test_programs_run_and_call_tools(sandbox: Sandbox) -> None:
    code = "import pandas, tempfile\nwith tempfile.NamedTemporaryFile() as f: f.write(b'x')\n"
    code += "open('a', 'w').write('b')\n(await vlmrun.image.rotate('x'))['tool']"
    ran = await sandbox.run(Script(code=code), echo, TOOLS)
    assert (ran.value, ran.error, ran.files) == ("image.rotate", None, {"a": b"b"})


@pytest.mark.parametrize("name", ALSO_HELD)
async def test_an_escape_fails_there_too(sandbox: Sandbox, outside: Path, name: str) -> None:
    escape = next(escape for escape in EVERY if escape.name == name)
    lures = {"secret": str(outside), "worker": os.getpid(), "port": 9, "unix": "/tmp/s", "abstract": "\0s"}
    ran = await sandbox.run(Script(code=escape.code, arguments=lures), echo, limits=Limits(**{"seconds": 20.0, "cpu": 10} | escape.limits))
    assert not ran.value
    assert ran.error
    assert re.search(f"{escape.fails}|Permission denied", f"{ran.killed}\n{ran.error}")


async def test_what_a_run_left_is_gone(sandbox: Sandbox) -> None:
    ran = await sandbox.run(Script(code="import os\nopen('left', 'w').write('x')\nos.getcwd()"), echo)
    assert not Path(ran.value).exists()
    assert not Path(ran.value).parent.exists()


async def test_one_run_cannot_read_what_another_has(sandbox: Sandbox) -> None:
    seen: list[str] = []

    async def look(tool: str, arguments: dict[str, object]) -> None:
        path = str(arguments["image"])
        ran = await sandbox.run(Script(code=f"open({path + '/a'!r}).read()"), echo)
        seen.append(str(ran.error))

    await sandbox.run(Script(code="import os\nopen('a', 'w').write('x')\nawait vlmrun.image.rotate(os.getcwd())"), look, TOOLS)
    assert "Permission denied" in seen[0]


async def test_it_says_why_where_it_does_not_work(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jail, "bare", lambda: ["/bin/sh", "-c", "echo 'this kernel has no Landlock' >&2"])
    async with Sandbox(settings.model_copy(update={"sandbox": "subprocess"})) as sandbox:
        with pytest.raises(NotConfigured, match="HELIOGRAPH_SANDBOX=subprocess here: this kernel has no Landlock"):
            await sandbox.warm()
