"""What programs may do in the sandbox, and what comes back."""

from __future__ import annotations

import asyncio
import shutil
import zlib
from pathlib import Path
from typing import Any

import pytest

from heliograph.agents.sandbox.running import Sandbox
from heliograph.agents.sandbox.script import Answer, Attachment, Script, ToolSpec
from heliograph.config import Settings
from heliograph.errors import InvalidRequest, NotConfigured, NotFound, Unavailable
from tests.integration.agents.sandbox.conftest import TOOLS, Run, echo

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_value_is_that_of_the_last_line(run: Run) -> None:
    assert (await run("x = 20\nx + 1")).value == 21


async def test_a_variable_called_result_comes_before_the_last_line(run: Run) -> None:
    assert (await run("result = {'a': 1}\nprint('done') or 5")).value == {"a": 1}


async def test_a_program_without_either_has_no_value(run: Run) -> None:
    assert (await run("x = 1")).value is None


async def test_await_may_stand_at_the_top(run: Run) -> None:
    assert (await run("import asyncio\nawait asyncio.sleep(0)\n'slept'")).value == "slept"


async def test_a_program_may_run_a_loop_of_its_own(run: Run) -> None:
    ran = await run("import asyncio\nasync def main():\n    return await vlmrun.image.rotate('img_1', 90)\nasyncio.run(main())")
    assert ran.value == {"tool": "image.rotate", "arguments": {"image": "img_1", "angle": 90}}


async def test_an_entry_gets_the_inputs_and_may_be_async(run: Run) -> None:
    ran = await run("async def main(inputs):\n    return inputs['n'] * 2", entry="main", arguments={"n": 21})
    assert ran.value == 42


async def test_an_entry_that_is_missing_is_said(run: Run) -> None:
    assert "no function main(inputs)" in str((await run("x = 1", entry="main")).error)


async def test_tools_are_called_by_place_and_by_name_and_in_parallel(run: Run) -> None:
    together, most = 0, 0

    async def slow(tool: str, arguments: dict[str, Any]) -> Any:
        nonlocal together, most
        together += 1
        most = max(most, together)
        await asyncio.sleep(0.1)
        together -= 1
        return arguments

    ran = await run(
        "import asyncio\nturn = vlmrun.image.rotate\nawait asyncio.gather(turn('a', 1), turn('b', angle=2), turn(image='c'))",
        slow,
    )
    assert ran.value == [{"image": "a", "angle": 1}, {"image": "b", "angle": 2}, {"image": "c"}]
    assert most == 3
    assert ran.calls == 3


async def test_tools_can_be_imported(run: Run) -> None:
    assert (await run("from vlmrun.document import extract\n(await extract('doc_1'))['tool']")).value == "document.extract"


async def test_pictures_files_and_bytes_reach_a_tool(run: Run) -> None:
    seen: list[Any] = []

    async def look(tool: str, arguments: dict[str, Any]) -> Any:
        seen.append(arguments["image"])
        return b"\x00back"

    ran = await run(
        "from PIL import Image\nfrom pathlib import Path\nPath('a.bin').write_bytes(b'abc')\n"
        "r = [await vlmrun.image.rotate(x) for x in (b'raw', Path('a.bin'), Image.new('RGB', (2, 2)))]\n[len(x) for x in r]",
        look,
    )
    assert ran.value == [5, 5, 5]
    assert seen[0] == Attachment("data", b"raw")
    assert seen[1] == Attachment("a.bin", b"abc")
    assert seen[2].name == "image.png"
    assert seen[2].data.startswith(b"\x89PNG")


async def test_files_that_come_with_an_answer_lie_in_the_working_folder_and_do_not_come_back(run: Run) -> None:
    async def make(tool: str, arguments: dict[str, Any]) -> Any:
        return Answer({"id": "img_a1b2c3"}, {"img_a1b2c3": b"pixels"})

    code = "made = await vlmrun.image.rotate('x')\nimport os\nos.chdir('/tmp')\nagain = await vlmrun.image.rotate('x')\n"
    code += "[open('work/' + made['id'], 'rb').read().decode(), again]"
    ran = await run(code, make)
    assert ran.value == ["pixels", {"id": "img_a1b2c3"}]
    assert ran.files == {}


async def test_files_of_an_answer_that_do_not_fit_are_a_refusal(run: Run) -> None:
    async def make(tool: str, arguments: dict[str, Any]) -> Any:
        return Answer(1, {"large": b"x" * (3 << 20)})

    assert "do not fit into the working folder" in str((await run("await vlmrun.image.rotate('x')", make, limits={"disk": 1 << 20})).error)


async def test_a_tools_refusal_can_be_caught_and_else_is_the_programs_error(run: Run) -> None:
    async def refuse(tool: str, arguments: dict[str, Any]) -> Any:
        raise NotFound("There is no img_9.")

    caught = await run("try:\n    await vlmrun.image.rotate('img_9')\nexcept vlmrun.ToolError as e:\n    result = str(e)", refuse)
    assert caught.value == "There is no img_9."
    assert str((await run("await vlmrun.image.rotate('img_9')", refuse)).error).endswith("There is no img_9.")


async def test_what_breaks_in_a_tool_ends_the_run(run: Run) -> None:
    async def broken(tool: str, arguments: dict[str, Any]) -> Any:
        raise KeyError("a mistake of ours")

    with pytest.raises(KeyError, match="a mistake of ours"):
        await run("await vlmrun.image.rotate('img_9')", broken)


async def test_an_unknown_argument_is_said_with_those_there_are(run: Run) -> None:
    assert "no argument degrees; it takes image, angle" in str((await run("await vlmrun.image.rotate('a', degrees=3)")).error)


async def test_an_unknown_tool_is_said_with_those_there_are(run: Run) -> None:
    assert "vlmrun.image has no turn; it has rotate" in str((await run("await vlmrun.image.turn('a')")).error)
    assert "vlmrun has no picture; it has ToolError, document, image, io, log" in str((await run("vlmrun.picture")).error)


async def test_a_forgotten_await_is_hinted_at(run: Run) -> None:
    assert "put `await` before the call" in str((await run("vlmrun.image.rotate('a')['tool']")).error)


async def test_a_call_that_was_not_awaited_is_said(run: Run) -> None:
    assert "put `await` before it" in str((await run("[vlmrun.image.rotate('a')]")).error)


async def test_the_libraries_are_there(run: Run) -> None:
    ran = await run(
        "import io, numpy as np, pandas as pd, matplotlib.pyplot as plt, pypdfium2, openpyxl\nfrom PIL import Image\n"
        "frame = pd.DataFrame({'a': np.arange(3), 'b': [1.5, None, 2.5]})\n"
        "plt.bar(frame.a, frame.a)\nplt.savefig('chart.png')\nframe.to_excel('t.xlsx')\n"
        "pdf = pypdfium2.PdfDocument.new()\npdf.new_page(100, 100)\n"
        "{'frame': frame, 'size': Image.open('chart.png').size, 'pages': len(pdf), 'mean': frame.a.mean(), 'eye': np.eye(2, dtype=int)}"
    )
    assert ran.error is None
    assert ran.value["frame"] == [{"a": 0, "b": 1.5}, {"a": 1, "b": None}, {"a": 2, "b": 2.5}]
    assert ran.value["pages"] == 1
    assert ran.value["mean"] == 1.0
    assert ran.value["eye"] == [[1, 0], [0, 1]]
    assert set(ran.files) == {"chart.png", "t.xlsx"}


async def test_paths_and_dates_become_strings_and_what_is_no_number_null(run: Run) -> None:
    code = "import datetime, pathlib, decimal\n"
    code += "[pathlib.Path('a/b'), datetime.date(2026, 1, 2), float('nan'), decimal.Decimal('1.5'), {1, 1}, {2: 'x'}]"
    assert (await run(code)).value == ["a/b", "2026-01-02", None, 1.5, [1], {"2": "x"}]


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("object()", "the result holds object, which has no form in JSON"),
        ("{'a': [1, b'x']}", "the result['a'][1] holds bytes; write them to a file"),
        ("x = []\nx.append(x)\nx", "nested deeper than 64"),
        ("from PIL import Image\nImage.new('L', (1, 1))", "save it to a file, which is kept"),
        ("lambda: 1", "which has no form in JSON"),
    ],
)
async def test_a_value_that_is_no_json_is_an_error_that_says_where(run: Run, code: str, sentence: str) -> None:
    ran = await run(code)
    assert sentence in str(ran.error)
    assert ran.value is None


async def test_an_error_shows_the_programs_own_lines_alone(run: Run) -> None:
    ran = await run("import json\ndef read(text):\n    return json.loads(text)\nread('{')")
    assert str(ran.error).splitlines()[0] == "Traceback (most recent call last):"
    assert 'File "program.py", line 4' in str(ran.error)
    assert "return json.loads(text)" in str(ran.error)
    assert "decoder.py" not in str(ran.error)
    assert str(ran.error).splitlines()[-1].startswith("json.decoder.JSONDecodeError")


async def test_a_syntax_error_shows_its_line(run: Run) -> None:
    assert "line 2" in str((await run("x = 1\nif x\n")).error)


async def test_output_and_error_output_are_kept_apart(run: Run) -> None:
    ran = await run("import sys\nprint('out', 'ä')\nprint('err', file=sys.stderr)")
    assert (ran.stdout, ran.stderr) == ("out ä\n", "err\n")


async def test_output_is_cut_and_says_so(run: Run) -> None:
    ran = await run("print('x' * 5000)", limits={"output": 1000})
    assert ran.stdout.startswith("x" * 1000 + "\n[4001 more bytes were written")


async def test_lines_and_cards_are_shown_while_it_runs(run: Run) -> None:
    seen: list[Any] = []

    async def show(thing: Any) -> None:
        seen.append(thing)

    async def call(tool: str, arguments: dict[str, Any]) -> Any:
        return list(seen)

    ran = await run(
        "vlmrun.log.print('one', 2)\nvlmrun.log.preview({'type': 'preview.json'})\nawait vlmrun.image.rotate()",
        call,
        on_print=show,
        on_preview=show,
    )
    assert ran.value == ["one 2\n", {"type": "preview.json"}]


async def test_files_lie_in_the_working_folder_and_new_ones_come_back(run: Run, outside: Path) -> None:
    ran = await run(
        "import os\ntext = vlmrun.io.read_file('in/a.txt')\nvlmrun.io.write_file('out/b.txt', text.upper())\n"
        "(vlmrun.io.read_file('s'), sorted(os.listdir()))",
        files={"in/a.txt": b"hello", "s": outside},
    )
    assert ran.value == ["the secret", ["in", "out", "s"]]
    assert ran.files == {"out/b.txt": b"HELLO"}


async def test_large_files_arrive_whole(run: Run, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"0123456789" * 1_000_000)
    code = "import os, zlib\n[zlib.crc32(open('large', 'rb').read()), os.path.getsize('empty'), os.path.getsize('other')]"
    ran = await run(code, files={"large": tmp_path / "large", "empty": b"", "other": b"x" * 5_000_000})
    assert ran.value == [zlib.crc32(b"0123456789" * 1_000_000), 0, 5_000_000]
    assert ran.files == {}


async def test_a_changed_file_comes_back(run: Run) -> None:
    assert (await run("open('a', 'w').write('new')", files={"a": b"old one"})).files == {"a": b"new"}


async def test_modules_can_be_imported_and_their_lines_are_shown(run: Run) -> None:
    ran = await run("from lib.sums import add\nadd(1, None)", modules={"lib.sums": "def add(a, b):\n    return a + b\n"})
    assert "modules/lib/sums.py" in str(ran.error)


@pytest.mark.parametrize("name", ["../a", "/etc/a", "", "a\nb", "x" * 300, ".."])
async def test_a_file_that_leads_elsewhere_is_refused(run: Run, name: str) -> None:
    with pytest.raises(InvalidRequest):
        await run("1", files={name: b""})


async def test_files_beyond_the_disk_are_refused(run: Run) -> None:
    with pytest.raises(InvalidRequest, match="HELIOGRAPH_SANDBOX_DISK"):
        await run("1", files={"a": b"x" * 2_000_000}, limits={"disk": 1_000_000})


async def test_a_run_that_takes_too_long_is_killed(run: Run) -> None:
    ran = await run("import time\nprint('begun')\ntime.sleep(60)", limits={"seconds": 0.5})
    assert (ran.killed, ran.stdout) == ("time", "begun\n")
    assert ran.seconds < 20


async def test_a_run_that_is_cancelled_takes_its_tools_along_and_leaves_the_sandbox_working(run: Run) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def wait(tool: str, arguments: dict[str, Any]) -> Any:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    task = asyncio.ensure_future(run("await vlmrun.image.rotate()", wait))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
    assert (await run("1")).value == 1


async def test_random_numbers_differ_between_runs(run: Run) -> None:
    code = "import random, uuid, numpy\n[random.random(), str(uuid.uuid4()), float(numpy.random.rand())]"
    first, second = (await run(code)).value, (await run(code)).value
    assert all(one != other for one, other in zip(first, second, strict=True))


async def test_runs_go_on_beside_one_another(run: Run) -> None:
    rans = await asyncio.gather(*[run(f"import time; time.sleep(0.3); {n}") for n in range(4)])
    assert [ran.value for ran in rans] == [0, 1, 2, 3]


async def test_what_breaks_where_lines_are_shown_ends_the_run(run: Run) -> None:
    async def show(text: str) -> None:
        raise LookupError("the log is gone")

    with pytest.raises(LookupError, match="the log is gone"):
        await run("vlmrun.log.print('x')\nimport time\ntime.sleep(60)", on_print=show)
    assert (await run("1")).value == 1


async def test_a_run_whose_nursery_dies_asks_to_be_tried_again(settings: Settings, sandbox: Sandbox) -> None:
    begun = asyncio.Event()

    async def begin(tool: str, arguments: dict[str, Any]) -> None:
        begun.set()
        await asyncio.sleep(60)

    async with Sandbox(settings) as other:
        running = asyncio.ensure_future(other.run(Script(code="await vlmrun.image.rotate()"), begin, TOOLS))
        await begun.wait()
        other._nursery._process.kill()  # type: ignore[union-attr]
        with pytest.raises(Unavailable, match="try again"):
            await running


async def test_a_nursery_that_died_is_replaced(settings: Settings, sandbox: Sandbox) -> None:
    async with Sandbox(settings) as other:
        assert (await other.run(Script(code="1"), echo)).value == 1
        other._nursery._process.kill()  # type: ignore[union-attr]
        await other._nursery._process.wait()  # type: ignore[union-attr]
        assert (await other.run(Script(code="2"), echo)).value == 2


async def test_an_idle_nursery_is_let_go_and_started_again(settings: Settings, sandbox: Sandbox) -> None:
    async with Sandbox(settings.model_copy(update={"sandbox_idle": 0.2})) as other:
        assert (await other.run(Script(code="1"), echo)).value == 1
        process = other._nursery._process  # type: ignore[union-attr]
        async with asyncio.timeout(10):
            await process.wait()
        assert (await other.run(Script(code="2"), echo)).value == 2


async def test_the_doctor_runs_a_program(settings: Settings, sandbox: Sandbox) -> None:
    from heliograph.cli.doctor import _sandbox

    finding = await asyncio.to_thread(_sandbox, settings)
    assert finding.verdict == "ok"
    assert "a program ran in" in finding.detail


async def test_switched_off_it_says_which_setting(settings: Settings) -> None:
    async with Sandbox(settings.model_copy(update={"sandbox": "off"})) as off:
        with pytest.raises(NotConfigured, match="HELIOGRAPH_SANDBOX is off"):
            await off.run(Script(code="1"), echo)


async def test_without_bubblewrap_it_refuses_and_says_what_to_do(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    async with Sandbox(settings) as sandbox:
        with pytest.raises(NotConfigured, match=r"apt-get install bubblewrap.*HELIOGRAPH_SANDBOX"):
            await sandbox.warm()


async def test_where_bubblewrap_does_not_work_its_reason_is_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    async with Sandbox(settings) as sandbox:
        with pytest.raises(NotConfigured, match="No permissions to create new namespace"):
            await sandbox.run(Script(code="1"), echo)


async def test_where_no_new_proc_can_be_mounted_a_run_still_has_none(
    settings: Settings, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    picky = tmp_path / "bwrap"
    picky.write_text(f'#!/bin/sh\ncase " $* " in *" --proc "*) exit 1;; esac\nexec {shutil.which("bwrap")} "$@"\n')
    picky.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    async with Sandbox(settings) as other:
        ran = await other.run(Script(code="import os\nopen('a', 'w').write('x')\n[os.listdir('/proc'), os.getpid()]"), echo)
    assert (ran.value, ran.files) == ([[], 1], {"a": b"x"})


async def test_a_tool_whose_group_is_a_part_of_vlmrun_joins_it(run: Run) -> None:
    ran = await run(
        "(await vlmrun.io.fetch('u'))['tool'], callable(vlmrun.io.read_file)",
        tools=[ToolSpec(group="io", name="fetch", parameters={"properties": {"u": {}}})],
    )
    assert ran.value == ["io.fetch", True]
