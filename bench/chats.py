"""Chats that an agent answers, from outside a running server: what a run costs beside what its tools and models take.

The embedded planner answers a greeting, which takes it a few milliseconds: the rest is the way through queue, journal and log of events.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
from tests.live import Server, running_server

from bench import Row

PATH = "/v1/openai/chat/completions"
TIMES = 40
AT_ONCE = 32


async def stream(client: aiohttp.ClientSession, server: Server, *, resumed: str | None = None) -> AsyncIterator[str]:
    """The data of each event of a new chat, or of the one with this id."""
    body = {"messages": [{"role": "user", "content": "hello"}], "stream": True}
    asked = client.get(f"{server.url}{PATH}/{resumed}/events") if resumed else client.post(server.url + PATH, json=body)
    async with asked as answer:
        assert answer.status in (200, 201), await answer.text()
        async for line in answer.content:
            if line.startswith(b"data: "):
                yield line[6:].decode().strip()


async def timed(client: aiohttp.ClientSession, server: Server, *, resumed: str | None = None) -> tuple[float, float, str]:
    """Milliseconds to the first event and to the end, and the completion's id."""
    began = time.perf_counter()
    told: list[str] = []
    first = 0.0
    async for data in stream(client, server, resumed=resumed):
        first = first or time.perf_counter() - began
        told.append(data)
    assert told[-1] == "[DONE]", told[-1]
    return first * 1e3, (time.perf_counter() - began) * 1e3, json.loads(told[0])["id"]


async def _measured(server: Server) -> list[Row]:
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {server.key}"}) as client:
        for _ in range(5):
            await timed(client, server)
        streams = [await timed(client, server) for _ in range(TIMES)]
        again = [await timed(client, server, resumed=id) for _, _, id in streams]
        began = time.perf_counter()
        for _ in range(3):
            await asyncio.gather(*(timed(client, server) for _ in range(AT_ONCE)))
        rate = 3 * AT_ONCE / (time.perf_counter() - began)
    how = f"median of {TIMES}, one client, embedded planner"
    return [
        Row("chat answered by a run: first event", statistics.median(first for first, _, _ in streams), "ms", "", how),
        Row("chat answered by a run: end", statistics.median(end for _, end, _ in streams), "ms", "", how),
        Row("events of a chat that has ended, from the beginning", statistics.median(end for _, end, _ in again), "ms", "", how),
        Row("chats answered by runs", rate, "chats/s", "", f"{AT_ONCE} at once, one worker"),
    ]


def measure() -> Iterator[Row]:
    """First event, end and resumption of a chat, and how many a second."""
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder) / "data") as server:
        yield from asyncio.run(_measured(server))
