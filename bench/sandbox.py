"""Programs in the sandbox: a call while it is warm, the first one, and what a tool costs on its way over the pipe."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from statistics import median, quantiles
from typing import Any

import psutil

from bench import Row
from heliograph.agents.sandbox.running import Sandbox
from heliograph.agents.sandbox.script import Attachment, Script, ToolSpec
from heliograph.config import Settings

COLD, WARM, TRIPS, BESIDE = 3, 60, 500, 40
TOOL = ToolSpec(group="bench", name="echo", parameters={"properties": {"value": {}}})
NUMPY = Script(code="import numpy as np\nfloat(np.arange(1000.0).sum())")
CHART = Script(code="import matplotlib.pyplot as plt\nplt.bar([1, 2, 3], [3, 1, 2])\nplt.savefig('chart.png')")


async def _echo(tool: str, arguments: dict[str, Any]) -> Any:
    value = arguments["value"]
    return value.data if isinstance(value, Attachment) else value


async def _timed(sandbox: Sandbox, script: Script) -> float:
    started = time.perf_counter()
    ran = await sandbox.run(script, _echo, [TOOL])
    assert ran.error is None, ran.error
    return (time.perf_counter() - started) * 1000


def _memory() -> float:
    """MiB that the processes below this one hold, shared pages counted once."""
    return sum(process.memory_full_info().pss for process in psutil.Process().children(recursive=True)) / 2**20


async def _measure() -> list[Row]:
    rows: list[Row] = []
    cold: list[float] = []
    for _ in range(COLD):
        async with Sandbox(Settings()) as sandbox:
            cold.append(await _timed(sandbox, NUMPY))
    async with Sandbox(Settings(sandbox_runs=8)) as sandbox:
        await sandbox.warm()
        await asyncio.sleep(0.2)
        idle = _memory()
        warm = [await _timed(sandbox, NUMPY) for _ in range(WARM)]
        chart = [await _timed(sandbox, CHART) for _ in range(WARM // 4)]
        started = time.perf_counter()
        await asyncio.gather(*[_timed(sandbox, NUMPY) for _ in range(BESIDE)])
        together = BESIDE / (time.perf_counter() - started)
        loop = (
            "import time\nseconds = []\nfor _ in range({count}):\n    started = time.perf_counter()\n    await vlmrun.bench.echo({value})\n"
            "    seconds.append(time.perf_counter() - started)\nseconds"
        )
        small = (await sandbox.run(Script(code=loop.format(count=TRIPS, value="'x'")), _echo, [TOOL])).value
        large = (await sandbox.run(Script(code=loop.format(count=40, value="b'x' * (1 << 20)")), _echo, [TOOL])).value
    tail = quantiles(warm, n=20)[-1]
    rows.append(Row("warm call: numpy", median(warm), "ms", "< 150", f"a process of its own, p95 {tail:.0f} ms, {WARM} one by one"))
    rows.append(Row("warm call: a chart", median(chart), "ms", "", "matplotlib to PNG, the file handed back"))
    rows.append(Row("warm calls, 8 at a time", together, "runs/s"))
    rows.append(Row("first call", median(cold), "ms", "", "starts bubblewrap and loads numpy, Pillow, pandas, matplotlib, pypdfium2"))
    rows.append(Row("tool over the pipe and back", median(small) * 1000, "ms", "", f"{TRIPS} calls awaited one by one"))
    rows.append(Row("the same with 1 MiB of bytes both ways", median(large) * 1000, "ms"))
    rows.append(Row("memory while idle", idle, "MiB", "", "all processes of the sandbox, shared pages counted once"))
    return rows


def measure() -> Iterator[Row]:
    yield from asyncio.run(_measure())
