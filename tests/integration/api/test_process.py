"""What the API process is made of, and what it weighs."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from heliograph.api.waiting import Key, Waiter

from .conftest import Api

SCRIPT = """
import json, sys
from pathlib import Path
from heliograph.api.app import create_app
from heliograph.api.openapi import document
from heliograph.config import Settings
from heliograph.extraction import domains
app = create_app(Settings(data_dir=Path(sys.argv[1])), "postgresql://nowhere")
document(app), domains.catalog()
resident = int(Path("/proc/self/statm").read_text().split()[1]) * 4096
print(json.dumps({"modules": sorted(sys.modules), "resident": resident}))
"""
HEAVY = {"numpy", "cv2", "PIL", "openvino", "onnxruntime", "pypdfium2", "rapidocr", "docx", "openpyxl", "selectolax"}


def test_the_api_imports_no_engine_and_stays_small(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path)], capture_output=True, text=True, check=True, timeout=120)
    seen = json.loads(done.stdout)
    assert HEAVY & set(seen["modules"]) == set()
    assert "heliograph.api._drawing" not in seen["modules"]
    assert seen["resident"] < 150 << 20


async def test_memory_does_not_grow_with_the_file(api: Api) -> None:
    size = 160

    async def body() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%PDF-1.4\n'
        for _ in range(size * 16):
            yield bytes(1 << 16)
            await asyncio.sleep(0)
        yield b"\r\n--b--\r\n"

    await api.upload()
    before = resident()
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await api("POST", "/v1/files", data=body(), headers=headers)
    assert answer.json["bytes"] == (size << 20) + 9
    assert resident() - before < 80 << 20


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


class Rows:
    """A database of statuses that counts how often it is asked."""

    def __init__(self) -> None:
        self.statuses: dict[Key, str] = {}
        self.asked: list[int] = []
        self.broken = False

    async def __call__(self, keys: list[Key]) -> dict[Key, str]:
        self.asked.append(len(keys))
        if self.broken:
            raise OSError("away")
        return {key: self.statuses[key] for key in keys if key in self.statuses}


async def test_one_poller_asks_for_all_waiting_calls_together() -> None:
    rows = Rows()
    keys = [("t", str(number)) for number in range(100)]
    rows.statuses = dict.fromkeys(keys, "running")
    waiter = Waiter(rows)
    calls = [asyncio.create_task(waiter.wait(key, 30)) for key in keys for _ in range(2)]
    await asyncio.sleep(0.3)
    assert max(rows.asked) == 100
    assert len(rows.asked) < 12
    rows.statuses |= {keys[0]: "completed", keys[1]: "failed"}
    del rows.statuses[keys[2]]
    await asyncio.sleep(0.3)
    assert [call.done() for call in calls[:6]] == [True] * 6, "finished, failed and deleted ones are answered"
    assert not any(call.done() for call in calls[6:])
    await waiter.close()
    await asyncio.wait_for(asyncio.gather(*calls), 1)
    await asyncio.wait_for(waiter.wait(keys[5], 30), 1)


async def test_waiting_outlives_a_database_that_is_away_and_ends_with_its_time_or_its_client() -> None:
    rows = Rows()
    rows.statuses[("t", "a")] = "running"
    waiter = Waiter(rows)
    rows.broken = True
    call = asyncio.create_task(waiter.wait(("t", "a"), 30))
    await asyncio.sleep(0.2)
    rows.broken = False
    rows.statuses[("t", "a")] = "completed"
    await asyncio.wait_for(call, 5)

    rows.statuses[("t", "b")] = "running"
    began = time.monotonic()
    await waiter.wait(("t", "b"), 0.2)
    assert 0.15 < time.monotonic() - began < 5
    gone = asyncio.get_running_loop().create_future()
    call = asyncio.create_task(waiter.wait(("t", "b"), 30, left=gone))
    await asyncio.sleep(0.1)
    gone.set_result(None)
    await asyncio.wait_for(call, 5)
    await waiter.close()
