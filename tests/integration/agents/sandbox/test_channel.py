"""Programs that misuse the channel to the worker, or what comes back through it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.agents.sandbox.conftest import Run

pytestmark = pytest.mark.asyncio(loop_scope="module")

FORGE = """
import json, os, struct
def forge(message, blob=b''):
    text = message if isinstance(message, bytes) else json.dumps(message).encode()
    data = struct.pack('>II', len(text), len(blob)) + text + blob
    while data:
        data = data[os.write(3, data):]
def hang():
    import time
    time.sleep(600)
"""


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("os.write(3, b'GET / HTTP/1.1\\r\\n\\r\\n')", "a message of"),
        ("os.write(3, b'\\xff' * 100)", "a message of"),
        ("os.write(3, struct.pack('>II', 1 << 31, 1 << 31))", "a message of"),
        ("forge(b'[1, 2]')", "no object"),
        ("forge(b'{')", "not JSON"),
        ("forge(b'{\"done\": NaN}')", "not JSON"),
        ("forge(b'[' * 100000 + b']' * 100000)", "not JSON"),
        ("import pickle\nforge(pickle.dumps({'done': {}}))", "not JSON"),
        ("forge({'shutdown': True})", "no known kind"),
        ("forge({'done': 'yes'})", "without its object"),
        ("forge({'call': 1, 'tool': 'image.rotate', 'arguments': [1]})", "without its object"),
        ("forge({'call': 'one', 'tool': 'image.rotate', 'arguments': {}})", "without a number"),
        ("forge({'call': 1, 'tool': 'image.rotate', 'arguments': {'x': {'$bytes': 100}}}, b'abc')", "not JSON"),
        ("forge({'call': 1, 'tool': 'image.rotate', 'arguments': {'x': {'$bytes': -1}}}, b'abc')", "not JSON"),
        ("for _ in range(300): forge({'preview': {}})", "more than 200 cards"),
        ("forge({'preview': {'x': 'x' * 2000000}})", "cards, or one of more than"),
        ("for _ in range(20000): forge({'print': ''})", "too many messages"),
        ("os.close(3)", "closed its channel"),
        ("os.closerange(0, 100)", "closed its channel"),
    ],
)
async def test_what_is_no_message_ends_the_run(run: Run, code: str, sentence: str) -> None:
    ran = await run(f"{FORGE}\n{code}\nhang()", limits={"seconds": 30})
    assert ran.killed == "protocol"
    assert sentence in str(ran.error)
    assert ran.seconds < 25
    assert (await run("1")).value == 1


async def test_half_a_message_is_waited_for_until_time_is_up(run: Run) -> None:
    ran = await run(f"{FORGE}\nos.write(3, struct.pack('>II', 1000, 0) + b'{{')\nhang()", limits={"seconds": 1})
    assert ran.killed == "time"


@pytest.mark.parametrize("tool", ["image.delete", "rotate", "image.rotate\\n", "__import__", "os.system", "", "image.rotate.__globals__"])
async def test_a_tool_outside_the_list_is_never_called(run: Run, tool: str) -> None:
    called: list[str] = []

    async def call(tool: str, arguments: dict[str, Any]) -> None:
        called.append(tool)

    ran = await run(
        f"{FORGE}\nforge({{'call': 7, 'tool': '{tool}', 'arguments': {{}}}})\n"
        "n, m = struct.unpack('>II', os.read(3, 8))\nresult = json.loads(os.read(3, n + m))",
        call,
    )
    assert called == []
    assert ran.value["id"] == 7
    assert "There is no tool" in ran.value["error"]


async def test_calls_beyond_the_most_are_refused_and_not_made(run: Run) -> None:
    called: list[str] = []

    async def call(tool: str, arguments: dict[str, Any]) -> None:
        called.append(tool)

    code = (
        "import asyncio\nmade = await asyncio.gather(*[vlmrun.image.rotate('a', n) for n in range(10000)], return_exceptions=True)\n"
        "[sum(x is None for x in made), str(made[-1])]"
    )
    ran = await run(code, call, limits={"calls": 50, "seconds": 15})
    assert len(called) == 50
    assert ran.killed == "protocol" or ran.value == [50, "A run may call tools 50 times."]
    ran = await run(code.replace("10000", "60"), call, limits={"calls": 50})
    assert ran.value == [50, "A run may call tools 50 times."]


async def test_no_more_than_the_most_calls_are_made_at_once(run: Run) -> None:
    import asyncio

    together, most = 0, 0

    async def call(tool: str, arguments: dict[str, Any]) -> None:
        nonlocal together, most
        together += 1
        most = max(most, together)
        await asyncio.sleep(0.02)
        together -= 1

    await run("import asyncio\nawait asyncio.gather(*[vlmrun.image.rotate() for n in range(40)])", call, limits={"calls_at_once": 3})
    assert most == 3


async def test_answers_that_are_never_read_hold_nobody_up_but_the_program(run: Run) -> None:
    async def call(tool: str, arguments: dict[str, Any]) -> str:
        return "x" * 1_000_000

    ran = await run(
        f"{FORGE}\nfor n in range(40): forge({{'call': n, 'tool': 'image.rotate', 'arguments': {{}}}})\nhang()", call, limits={"seconds": 2}
    )
    assert ran.killed == "time"
    assert ran.seconds < 20


async def test_an_answer_too_large_for_the_channel_is_refused_to_the_program(run: Run) -> None:
    async def call(tool: str, arguments: dict[str, Any]) -> bytes:
        return b"x" * 3_000_000

    assert "too large for a program" in str((await run("await vlmrun.image.rotate()", call, limits={"frame": 2_000_000})).error)


async def test_arguments_too_large_are_refused_without_a_call(run: Run) -> None:
    called: list[str] = []

    async def call(tool: str, arguments: dict[str, Any]) -> None:
        called.append(tool)

    assert "A call may carry" in str((await run("await vlmrun.image.rotate(b'x' * 2000000)", call, limits={"frame": 4_000_000})).error)
    assert called == []


async def test_a_forged_outcome_is_judged(run: Run) -> None:
    outcome = {
        "value": {"$bytes": 3},
        "error": None,
        "files": {"../evil": {"$bytes": 1}, "/etc/evil": {"$bytes": 1}, "a\nb": {"$bytes": 1}, "good": {"$bytes": 1}, "number": 5},
        "left": 5,
    }
    ran = await run(f"{FORGE}\nforge({{'done': json.loads({json.dumps(outcome)!r})}}, b'abcdefgh')\nhang()")
    assert ran.value is None
    assert ran.error == "The program's value is no JSON."
    assert ran.files == {"good": b"g"}
    assert len(ran.left) == 3


async def test_what_comes_after_the_outcome_is_not_heard(run: Run) -> None:
    called: list[str] = []

    async def call(tool: str, arguments: dict[str, Any]) -> None:
        called.append(tool)

    ran = await run(
        f"{FORGE}\nforge({{'done': {{'value': 1}}}})\nforge({{'call': 1, 'tool': 'image.rotate', 'arguments': {{}}}})\nhang()", call
    )
    assert ran.value == 1
    assert called == []
    assert ran.seconds < 20


async def test_links_in_the_outputs_are_not_followed(run: Run, outside: Path) -> None:
    ran = await run(
        f"import os\nos.symlink({str(outside)!r}, 'a.txt')\nos.symlink('/usr/lib', 'lib')\n"
        f"os.symlink('/dev/zero', 'zero')\nos.symlink('real', 'alias')\nopen('real', 'w').write('x')",
    )
    assert ran.files == {"real": b"x"}
    assert {sentence.partition(":")[0] for sentence in ran.left} == {"a.txt", "alias", "zero"}


async def test_strange_names_in_the_outputs_are_left(run: Run) -> None:
    ran = await run("import os\nfor name in (b'a\\nb', b'\\xff\\xfe', b'c\\x1b[2J', b'ok'):\n    open(name, 'w').write('x')")
    assert set(ran.files) <= {"ok", "??"}
    assert ran.files["ok"] == b"x"
    assert len(ran.left) >= 2


async def test_too_many_and_too_large_files_are_left_with_a_word(run: Run) -> None:
    ran = await run("for n in range(30):\n    open(f'{n:02}', 'w').write('x')", limits={"files": 10})
    assert len(ran.files) == 10
    assert "more than 10 files" in ran.left[0]
    ran = await run("open('a', 'wb').write(b'x' * 3000000)", limits={"frame": 4_000_000})
    assert ran.files == {}
    assert "not kept" in ran.left[0]


async def test_folders_nested_without_end_are_left(run: Run) -> None:
    ran = await run("import os\nfor n in range(3000):\n    os.mkdir('d')\n    os.chdir('d')\nopen('x', 'w')\n1")
    assert ran.value == 1
    assert ran.files == {}
    assert ran.left


async def test_files_made_beyond_memory_are_left_or_said(run: Run) -> None:
    code = "for n in range(3):\n    with open(f'f{n}', 'wb') as f:\n        for _ in range(9): f.write(bytes(1 << 20))\n1"
    ran = await run(code, limits={"memory": 24 << 20})
    assert ran.error or ran.left or len(ran.files) == 3
    assert ran.killed is None


async def test_a_sparse_file_is_left_unread(run: Run) -> None:
    ran = await run("open('a', 'wb').truncate(200 << 20)")
    assert ran.files == {}
    assert "not kept" in ran.left[0]


async def test_what_a_program_puts_off_to_its_exit_does_not_happen(run: Run) -> None:
    ran = await run(
        "import atexit, threading, time\natexit.register(time.sleep, 30)\nthreading.Thread(target=time.sleep, args=(30,)).start()\n"
        "class Late:\n    def __del__(self): time.sleep(30)\nlate = Late()\n5"
    )
    assert ran.value == 5
    assert ran.seconds < 20


@pytest.mark.parametrize("name", ["json", "asyncio", "os", "threading", "numpy", "vlmrun", "inside"])
async def test_modules_and_files_with_the_names_of_others_disturb_nobody_else(run: Run, name: str) -> None:
    evil = "raise SystemExit('evil')"
    ran = await run("import vlmrun\n(await vlmrun.image.rotate('a'))['tool']", modules={name: evil}, files={f"{name}.py": evil.encode()})
    assert ran.value == "image.rotate"


async def test_a_program_that_takes_over_its_harness_gains_nothing(run: Run) -> None:
    ran = await run(
        "import sys\nfrom inside import module\nsend = module.Channel.send\n"
        "module.Channel.send = lambda self, message: send(self, {'done': {'value': 'forged'}})\n"
        "sys.settrace(lambda *a: None)\nsys.setprofile(lambda *a: None)\n5"
    )
    assert ran.value == "forged"
    assert (await run("5")).value == 5
    assert (await run("(await vlmrun.image.rotate('a'))['tool']")).value == "image.rotate"


async def test_what_cannot_be_text_is_made_text(run: Run) -> None:
    ran = await run("import os\nos.write(1, b'\\xff\\x00ok')\nprint('\\ud800')\n'\\ud800'")
    assert ran.value == "?"
    assert "ok" in ran.stdout
    assert ran.error is None


@pytest.mark.parametrize(
    "code", ["import sys\nsys.exit(3)", "raise SystemExit('no')", "raise KeyboardInterrupt", "raise BaseException('x')", "quit()\n1"]
)
async def test_leaving_early_is_an_error_only_when_it_says_so(run: Run, code: str) -> None:
    ran = await run(code)
    assert ran.killed is None
    assert ran.error


async def test_ending_the_own_process_is_said(run: Run) -> None:
    ran = await run("import os\nprint('x', flush=True)\nos._exit(0)")
    assert "ended its own process" in str(ran.error)
    assert ran.stdout == "x\n"


async def test_a_crash_names_its_signal(run: Run) -> None:
    ran = await run("import ctypes\nctypes.string_at(0)")
    assert ran.killed == "crash"
    assert "SIGSEGV" in str(ran.error)
