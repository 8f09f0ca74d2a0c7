"""What asking a model costs beside the model: our client with its guards against a bare aiohttp call, at 32 at a time, in one run.

The model is a process of its own that thinks for 0.1 to 0.3 s and then streams an answer of 200 tokens. Both sides make and send the same
body, a prompt with a page picture of 200 kB; the bare call reads the answer's bytes and understands none of them.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import random
import resource
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from multiprocessing.connection import Connection
from typing import NamedTuple

import aiohttp
from aiohttp import web

from bench import Row
from heliograph.config import ModelSettings
from heliograph.models.completions import body
from heliograph.models.contract import Ask, Picture, Profile, Text, system, user
from heliograph.models.guarding import Guard
from heliograph.models.openai import OpenAIBackend

AT_ONCE = 32
CALLS = 160
ROUNDS = 12
TOKENS = 200
PROFILE = Profile(vision=True, json_modes=("json_schema",), dialect="vllm", model="bench", concurrency=AT_ONCE)
ASK = Ask(
    messages=[system("You read."), user(Picture(random.Random(1).randbytes(200_000), 1000, 1400), Text("What does it cost? " * 100))],
    schema={"type": "object", "properties": {"total": {"type": "number"}}},
)


class Timed(NamedTuple):
    """One round: latencies in seconds, and processor seconds of this process a call."""

    latencies: list[float]
    cpu: float


def measure() -> Iterator[Row]:
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    server.start()
    try:
        bare, ours = asyncio.run(compare(f"http://127.0.0.1:{here.recv()}/v1"))
    finally:
        server.terminate()
        server.join()
    note = (
        f"{ROUNDS} rounds of {CALLS} calls in turns, {AT_ONCE} at a time, the quietest of each; {TOKENS} tokens streamed, a 200 kB picture"
    )
    for share, name in ((0.5, "p50"), (0.95, "p95")):
        added = min(quantile(our.latencies, share) for our in ours) - min(quantile(its.latencies, share) for its in bare)
        yield Row(f"a call to a model, {name}, beyond a bare aiohttp call", 1000 * added, "ms", "<= 5", note)
        note = "as above"
    note = "medians of the rounds"
    cpu = statistics.median(our.cpu - its.cpu for our, its in zip(ours, bare, strict=True))
    yield Row("processor time of a call, beyond a bare aiohttp call", 1000 * cpu, "ms", "<= 5", note)
    yield Row("processor time of the bare call", 1000 * statistics.median(its.cpu for its in bare), "ms", "", note)


async def compare(url: str) -> tuple[list[Timed], list[Timed]]:
    """Rounds of the bare call and of ours, in turns, after one of each that is not counted."""
    model = ModelSettings(url=url, model="bench", concurrency=AT_ONCE)
    backend = Guard(OpenAIBackend("bench", model, profile=PROFILE), model)
    bare, ours = list[Timed](), list[Timed]()

    async def ask() -> None:
        assert (await backend.ask(ASK)).finish == "stop"

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as session:

        async def post() -> None:
            data = body(ASK, PROFILE, "json_schema", model="bench")
            async with session.post(f"{url}/chat/completions", json=data) as answer:
                assert (await answer.read()).endswith(b"[DONE]\n\n")

        for counted in range(ROUNDS + 1):
            for call, rounds in ((post, bare), (ask, ours)):
                timed = await run(call)
                if counted:
                    rounds.append(timed)
    await backend.close()
    return bare, ours


async def run(call: Callable[[], Awaitable[None]]) -> Timed:
    """`CALLS` calls, `AT_ONCE` at a time."""
    latencies: list[float] = []
    left = iter(range(CALLS))

    async def caller() -> None:
        for _ in left:
            started = time.perf_counter()
            await call()
            latencies.append(time.perf_counter() - started)

    before = processor()
    await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
    return Timed(latencies, (processor() - before) / CALLS)


def processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[int(share * (len(values) - 1))]


def serve(there: Connection) -> None:
    """The model: tells its port through `there`."""
    words = ["{", '"total"', ": ", *["1"] * (TOKENS - 4), "}"]
    chunks = [{"choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]} for word in words]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    chunks.append({"choices": [], "usage": {"prompt_tokens": 900, "completion_tokens": TOKENS}})
    events = [f"data: {json.dumps({'id': 'x', 'object': 'chat.completion.chunk', 'model': 'bench', **chunk})}\n\n" for chunk in chunks]
    pieces = ["".join(events[place : place + 20]).encode() for place in range(0, len(events), 20)]
    chance = random.Random(2)

    async def answer(request: web.Request) -> web.StreamResponse:
        await request.read()
        await asyncio.sleep(chance.uniform(0.1, 0.3))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
        await response.write(b"data: [DONE]\n\n")
        return response

    async def forever() -> None:
        app = web.Application(client_max_size=1 << 30)
        app.router.add_post("/v1/chat/completions", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        there.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(forever())
