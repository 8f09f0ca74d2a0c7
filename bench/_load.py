"""Sends chats and takes the time, as light as it can be: raw connections, kept open, one request at a time on each.

`python -m bench._load URL KEY MODEL CONCURRENCY SECONDS STREAM` prints JSON: how many a second, and percentiles of what was added to
the stub's own pause, in milliseconds, until the first event (`first`) and to the end (`added`).
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from typing import cast
from urllib.parse import urlsplit

import uvloop

WARM = 0.25
"""Part of the time that does not count."""
_HELD = re.compile(rb"held (\d+) us")
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, request: bytes, taken: list[tuple[float, float, float, int]], wrong: list[bytes], until: float) -> None:
        self.request, self.taken, self.wrong, self.until = request, taken, wrong, until
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's are no subclass
        self.ask()

    def ask(self) -> None:
        """Send one request."""
        self.pieces: list[bytes] = []
        self.size, self.first, self.length = 0, 0.0, -1
        self.began = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        """Take what came, and go on when it was all."""
        self.pieces.append(data)
        self.size += len(data)
        if not self.first:
            whole = b"".join(self.pieces)
            if _HELD.search(whole) is None and b"HTTP/1.1 20" in whole[:20]:
                return
            self.first = time.perf_counter()
            head = whole.partition(b"\r\n\r\n")[0]
            length = _LENGTH.search(head)
            self.length = -1 if length is None else len(head) + 4 + int(length[1])
        if self.size < self.length or (self.length < 0 and not data.endswith(b"0\r\n\r\n")):
            return
        ended = time.perf_counter()
        whole = b"".join(self.pieces)
        held = _HELD.search(whole)
        if held is None or b"HTTP/1.1 20" not in whole[:20]:
            self.wrong.append(whole[:400])
        else:
            pause = int(held[1]) / 1e6
            self.taken.append((ended, self.first - self.began - pause, ended - self.began - pause, whole.count(b"data: {")))
        if ended < self.until:
            self.ask()
        else:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        if not self.done.done():
            self.done.set_result(None)


def percentile(values: list[float], part: float) -> float:
    """The value below which `part` of them lie, in milliseconds."""
    return 1000 * sorted(values)[min(len(values) - 1, int(part * len(values)))]


async def main() -> None:
    """Run and print."""
    url, key, model, concurrency, seconds, stream = sys.argv[1:7]
    parts = urlsplit(url)
    body = json.dumps(
        {"model": model, "messages": [{"role": "user", "content": "Say something about lighthouses."}], "temperature": 0.5}
        | ({"stream": True} if stream == "1" else {}),
        separators=(",", ":"),
    ).encode()
    request = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    taken: list[tuple[float, float, float, int]] = []
    wrong: list[bytes] = []
    began = time.perf_counter()
    until = began + float(seconds)
    loop = asyncio.get_running_loop()
    clients: list[Client] = []
    for _ in range(int(concurrency)):
        _, client = await loop.create_connection(lambda: Client(request, taken, wrong, until), parts.hostname, parts.port)
        clients.append(client)
    await asyncio.wait([client.done for client in clients], timeout=float(seconds) + 30)
    warm = began + WARM * float(seconds)
    counted = [each for each in taken if warm <= each[0] <= until]
    made = {"wrong": len(wrong), "what": wrong[0].decode(errors="replace") if wrong else "", "count": len(counted)}
    if counted:
        made["rate"] = len(counted) / (until - warm)
        made["events"] = min(each[3] for each in counted)
        for name, place in (("first", 1), ("added", 2)):
            values = [each[place] for each in counted]
            made[name] = {"p50": percentile(values, 0.5), "p99": percentile(values, 0.99)}
    print(json.dumps(made))


if __name__ == "__main__":
    uvloop.run(main())
