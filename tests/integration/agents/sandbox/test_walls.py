"""Each wall is needed: without it, programs do what they cannot do with it. And runs know nothing of one another."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import psutil
import pytest

from heliograph.agents.sandbox import jail
from heliograph.agents.sandbox.running import Sandbox
from heliograph.agents.sandbox.script import Limits, Ran, Script
from heliograph.config import Settings
from tests.integration.agents.sandbox.conftest import Run, echo
from tests.integration.agents.sandbox.escapes import EVERY, Escape

pytestmark = pytest.mark.asyncio(loop_scope="module")

Weakened = Callable[[str, str, str], AbstractAsyncContextManager[Sandbox]]

FILTER = ("confine.py", "    seccomp.install()\n", "")
LIMITS = ("confine.py", "resource.setrlimit(limit, (value, value))", "pass")
DISK = ("confine.py", 'f"size={disk},nr_inodes=10000,mode=0700"', '"mode=0700"')
HIDDEN_PROC = ("confine.py", '    _mount("tmpfs", "/proc"', '    False and _mount("tmpfs", "/proc"')
NEEDED: list[tuple[tuple[str, str, str], list[str]]] = [
    (
        FILTER,
        [
            "forks",
            "forks without end",
            "spawns",
            "runs a program from memory",
            "makes a pipe in its outputs",
            "talks to the kernel by netlink",
            "has a signal sent by a file",
            "signals by a descriptor",
            "leaves its user namespace",
            "changes its personality",
            "shares memory that stays",
            "leaves a message queue",
            "watches files",
            "pins itself to all processors first",
            "listens",
        ],
    ),
    (
        LIMITS,
        ["takes all memory", "takes all memory by mapping", "takes all threads", "opens files without end", "makes a huge sparse file"],
    ),
    (DISK, ["fills the disk with several files", "fills the disk with names"]),
    (HIDDEN_PROC, ["reads its own memory map", "opens its own memory"]),
]
KEPT_BY_NAMESPACES = [
    "connects to a port of this machine",
    "connects to a socket of this machine, as PostgreSQL has one",
    "connects to an abstract socket",
    "signals the worker",
    "mounts",
    "takes off what hides /proc",
    "becomes root",
    "changes its root",
    "names the machine",
    "sets the clock",
    "loads a module",
    "makes a device",
]
NAMED = {escape.name: escape for escape in EVERY}


@pytest.fixture
def weakened(tmp_path: Path, settings: Settings, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Weakened:
    """Opens a sandbox whose inside has one piece of its text replaced."""

    @asynccontextmanager
    async def open_without(file: str, guard: str, instead: str) -> AsyncIterator[Sandbox]:
        folder = tmp_path / "inside"
        shutil.copytree(Path(jail.inside.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
        for made in (tmp_path, folder):
            made.chmod(0o755)
        text = (folder / file).read_text()
        assert guard in text
        (folder / file).write_text(text.replace(guard, instead))
        monkeypatch.setattr(jail.inside, "__file__", str(folder / "__init__.py"))
        async with Sandbox(settings) as opened:
            yield opened

    return open_without


async def attempt(sandbox: Sandbox, escape: Escape) -> Ran:
    limits = Limits(**{"seconds": 20.0, "cpu": 10} | escape.limits)
    lures = {"worker": os.getpid(), "port": 9, "unix": "/tmp/s", "abstract": "\0s"}
    return await sandbox.run(Script(code=escape.code, arguments=lures), echo, limits=limits)


@pytest.mark.parametrize(("guard", "names"), NEEDED, ids=["filter", "limits", "disk", "hidden-proc"])
async def test_without_the_guard_the_escapes_succeed(weakened: Weakened, guard: tuple[str, str, str], names: list[str]) -> None:
    async with weakened(*guard) as sandbox:
        rans = {name: await attempt(sandbox, NAMED[name]) for name in names}
    assert [name for name, ran in rans.items() if not ran.value] == []


async def test_without_the_filter_the_namespaces_and_lost_rights_still_hold(weakened: Weakened) -> None:
    async with weakened(*FILTER) as sandbox:
        rans = {name: await attempt(sandbox, NAMED[name]) for name in KEPT_BY_NAMESPACES}
    assert {name: ran for name, ran in rans.items() if ran.value or not ran.error} == {}


async def test_without_the_filter_what_a_program_started_still_ends_with_it(weakened: Weakened) -> None:
    code = "import os, time\nfor _ in range(5):\n    if os.fork() == 0:\n        os.setsid()\n        time.sleep(60)\nresult = 1"
    async with weakened(*FILTER) as sandbox:
        before = await _settled(sandbox)
        assert (await sandbox.run(Script(code=code), echo)).value == 1
        assert await _settled(sandbox) == before


async def _settled(sandbox: Sandbox) -> int:
    """How many processes are below this one when their number has been the same for half a second."""
    await sandbox.warm()
    seen: list[int] = []
    for _ in range(100):
        seen.append(len(psutil.Process().children(recursive=True)))
        if len(seen) > 5 and len(set(seen[-6:])) == 1:
            break
        await asyncio.sleep(0.1)
    return seen[-1]


async def test_a_run_finds_nothing_of_an_earlier_one(run: Run) -> None:
    leave = (
        "import numpy, json, sys, os\nopen('/tmp/left', 'w').write('x')\n"
        "open('left', 'w').write('x')\nnumpy.left = json.left = sys.left = 1\nos.environ['LEFT'] = '1'"
    )
    assert (await run(leave)).error is None
    find = (
        "import numpy, json, sys, os\n"
        "[os.listdir(), os.listdir('/tmp'), hasattr(numpy, 'left'), 'left' in vars(json), 'left' in vars(sys), 'LEFT' in os.environ]"
    )
    assert (await run(find)).value == [[], ["modules", "work"], False, False, False, False]


async def test_a_run_finds_nothing_of_one_beside_it(run: Run) -> None:
    left, found = asyncio.Event(), asyncio.Event()

    async def wait(tool: str, arguments: dict[str, object]) -> None:
        left.set()
        await found.wait()

    beside = asyncio.ensure_future(run("open('/tmp/left', 'w').write('x')\nawait vlmrun.image.rotate()", wait))
    await left.wait()
    ran = await run("import os\n[os.path.exists('/tmp/left'), os.getpid()]")
    found.set()
    assert ran.value == [False, 1]
    assert (await beside).error is None


async def test_a_program_knows_nothing_of_the_machine_and_of_the_server(run: Run, sandbox: Sandbox) -> None:
    ran = await run(
        "import os, socket\n"
        "def open_ones():\n    for n in range(200):\n        try: os.fstat(n); yield n\n        except OSError: pass\n"
        "{'environment': sorted(os.environ), 'host': os.uname().nodename, 'pid': os.getpid(), 'parent': os.getppid(), 'user': os.getuid(),"
        " 'descriptors': list(open_ones()), 'cwd': os.getcwd()}"
    )
    assert ran.value == {
        "environment": ["HOME", "LANG", "MPLBACKEND", "PYTHONDONTWRITEBYTECODE", "TMPDIR"],
        "host": "sandbox",
        "pid": 1,
        "parent": 0,
        "user": 65534,
        "descriptors": [0, 1, 2, 3],
        "cwd": "/tmp/work",
    }


async def test_the_environment_of_the_server_is_not_in_a_programs_memory(
    settings: Settings, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELIOGRAPH_API_KEY", "a-key-that-nobody-may-read")
    code = (
        "import ctypes\nlibc = ctypes.CDLL(None)\nenviron = ctypes.POINTER(ctypes.c_char_p).in_dll(libc, 'environ')\nseen = []\nplace = 0\n"
        "while environ and environ[place]:\n    seen.append(environ[place].decode())\n    place += 1\nseen"
    )
    async with Sandbox(settings) as fresh:
        ran = await fresh.run(Script(code=code), echo)
    assert ran.value
    assert not any("a-key" in line for line in ran.value)


async def test_processes_are_gone_when_a_run_is_over_however_it_ended(run: Run, sandbox: Sandbox) -> None:
    before = await _settled(sandbox)
    await run("1")
    await run("import time; time.sleep(9)", limits={"seconds": 0.3})
    await run("import os; os._exit(3)")
    await run("import os; os.abort()")
    assert await _settled(sandbox) == before


async def test_the_sandbox_ends_with_its_worker(settings: Settings, sandbox: Sandbox, tmp_path: Path) -> None:
    code = (
        "import asyncio, os, sys, psutil\nfrom heliograph.config import Settings\nfrom heliograph.agents.sandbox.running import Sandbox\n"
        "from heliograph.agents.sandbox.script import Script\nasync def call(tool, arguments): pass\n"
        "async def begun(line):\n"
        "    print(*[child.pid for child in psutil.Process().children(recursive=True)], flush=True)\n    os.kill(os.getpid(), 9)\n"
        "async def main():\n"
        "    await Sandbox(Settings()).run(Script(code='import time; vlmrun.log.print(1); time.sleep(60)'), call, on_print=begun)\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE, cwd=tmp_path)
    pids = [int(pid) for pid in (await process.communicate())[0].split()]
    assert len(pids) == 5  # bubblewrap, its first process, the nursery, the keeper and the program
    for _ in range(100):
        if not any(psutil.pid_exists(pid) for pid in pids):
            break
        await asyncio.sleep(0.1)
    assert [pid for pid in pids if psutil.pid_exists(pid)] == []
