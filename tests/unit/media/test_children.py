import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from heliograph.children import ChildFailed, ChildPool
from heliograph.errors import CorruptMedia, EncryptedMedia, MediaLimitExceeded, Unavailable
from heliograph.media.geometry import Box

HERE = str(Path(__file__).parent)
MiB = 1 << 20


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


async def gone(pid: int, seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    return not alive(pid)


@pytest.fixture
async def pool():
    async with ChildPool("childish", memory=1024 * MiB, recycle_after=50, env={"PYTHONPATH": HERE}) as pool:
        yield pool


async def test_arguments_and_results_cross_as_their_types(pool: ChildPool) -> None:
    sys.path.insert(0, HERE)
    from childish import Pair

    big = bytes(range(256)) * 4096
    got = await pool.call("echo", Pair(Box(0.1, 0.2, 0.3, 0.4, 5), big), 12, returns=Pair)
    assert got == Pair(Box(0.1, 0.2, 0.3, 0.4, 5), big * 12)


async def test_an_error_of_the_tree_arrives_as_itself_and_keeps_the_child(pool: ChildPool) -> None:
    pid = await pool.call("pid")
    with pytest.raises(EncryptedMedia, match=r"Needs a password\.") as caught:
        await pool.call("refuse")
    assert caught.value.param == "file"
    assert await pool.call("pid") == pid


async def test_any_other_error_arrives_with_its_traceback(pool: ChildPool) -> None:
    with pytest.raises(ChildFailed, match="ValueError: oops") as caught:
        await pool.call("stumble")
    assert "in stumble" in caught.value.__notes__[0]


async def test_a_call_over_its_time_is_killed_and_the_child_replaced(pool: ChildPool) -> None:
    pid = await pool.call("pid")
    began = time.monotonic()
    with pytest.raises(MediaLimitExceeded, match=r"longer than 0\.2 seconds"):
        await pool.call("sleep", 60.0, timeout=0.2)
    assert time.monotonic() - began < 5
    assert await gone(pid)
    assert await pool.call("pid") != pid


async def test_a_cancelled_call_kills_its_child_and_frees_the_slot(pool: ChildPool) -> None:
    pid = await pool.call("pid")
    call = asyncio.create_task(pool.call("sleep", 60.0))
    await asyncio.sleep(0.1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await gone(pid)
    assert await pool.call("sleep", 0.0) == "slept"


async def test_cancelling_while_it_waits_for_a_slot_harms_nobody(pool: ChildPool) -> None:
    first = asyncio.create_task(pool.call("sleep", 0.3))
    second = asyncio.create_task(pool.call("sleep", 0.0))
    await asyncio.sleep(0.05)
    second.cancel()
    assert await first == "slept"
    assert await pool.call("sleep", 0.0) == "slept"


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT])
async def test_a_crash_is_the_files_fault_and_the_next_call_works(pool: ChildPool, number: int) -> None:
    with pytest.raises(CorruptMedia, match="crashed"):
        await pool.call("die", int(number))
    assert await pool.call("sleep", 0.0) == "slept"


async def test_a_kill_from_outside_says_memory(pool: ChildPool) -> None:
    with pytest.raises(MediaLimitExceeded, match="memory"):
        await pool.call("die", int(signal.SIGKILL))


async def test_processor_time_over_the_limit_is_said(pool: ChildPool) -> None:
    with pytest.raises(MediaLimitExceeded, match="processor time"):
        await pool.call("die", int(signal.SIGXCPU))


async def test_memory_over_the_limit_is_refused(pool: ChildPool) -> None:
    assert await pool.call("eat", 100 * MiB) == 100 * MiB
    with pytest.raises(MediaLimitExceeded, match="memory"):
        await pool.call("eat", 2048 * MiB)


async def test_a_child_that_died_idle_is_replaced_unnoticed(pool: ChildPool) -> None:
    pid = await pool.call("pid")
    os.kill(pid, signal.SIGKILL)
    assert await gone(pid)
    assert await pool.call("pid") != pid


async def test_children_are_recycled_after_so_many_calls() -> None:
    async with ChildPool("childish", recycle_after=2, env={"PYTHONPATH": HERE}) as pool:
        pids = [await pool.call("pid") for _ in range(4)]
    assert pids[0] == pids[1] != pids[2] == pids[3]


async def test_a_child_that_keeps_memory_is_replaced() -> None:
    async with ChildPool("childish", memory=512 * MiB, env={"PYTHONPATH": HERE}) as pool:
        pid = await pool.call("pid")
        await pool.call("hold", 350 * MiB)
        assert await pool.call("pid") != pid


async def test_a_child_that_keeps_more_than_it_may_is_replaced_long_before_its_limit() -> None:
    async with ChildPool("childish", memory=4096 * MiB, most_kept=120 * MiB, env={"PYTHONPATH": HERE}) as pool:
        first = await pool.call("pid")
        await pool.call("hold", 20 * MiB)
        assert await pool.call("pid") == first
        await pool.call("hold", 120 * MiB)
        assert await pool.call("pid") != first


async def test_a_child_sees_no_secret_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELIOGRAPH_API_KEY", "secret")
    async with ChildPool("childish", env={"PYTHONPATH": HERE, "OMP_NUM_THREADS": "1"}) as pool:
        seen = await pool.call("environment", returns=dict[str, str])
    assert "HELIOGRAPH_API_KEY" not in seen
    assert seen["OMP_NUM_THREADS"] == "1"


async def test_as_many_calls_run_at_once_as_there_are_children() -> None:
    async with ChildPool("childish", size=2, env={"PYTHONPATH": HERE}) as pool:
        await pool.start()
        assert len(pool.pids) == 2
        began = time.monotonic()
        await asyncio.gather(*(pool.call("sleep", 0.4) for _ in range(2)))
        assert time.monotonic() - began < 0.75


async def test_closing_ends_running_calls_and_all_that_children_started() -> None:
    pool = ChildPool("childish", env={"PYTHONPATH": HERE})
    grandchild = await pool.call("start_grandchild")
    call = asyncio.create_task(pool.call("sleep", 60.0))
    await asyncio.sleep(0.1)
    pids = pool.pids
    await pool.close()
    with pytest.raises(Unavailable):
        await call
    with pytest.raises(Unavailable):
        await pool.call("pid")
    assert all([await gone(pid) for pid in [*pids, grandchild]])


async def test_a_module_that_cannot_start_says_so() -> None:
    async with ChildPool("no_such_module") as pool:
        with pytest.raises(ChildFailed, match="no_such_module"):
            await pool.call("anything")


async def test_children_die_with_a_killed_parent() -> None:
    code = (
        "import asyncio\nfrom heliograph.children import ChildPool\n"
        "async def main():\n pool = ChildPool('childish')\n print(await pool.call('pid'), flush=True)\n await pool.call('sleep', 60.0)\n"
        "asyncio.run(main())"
    )
    with subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": HERE}, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    assert await gone(pid)
