"""Configured models as workers use them: retries, circuits, fallbacks, pace and leaving, against scripted servers."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from heliograph.config import ModelSettings, Settings
from heliograph.models import guarding
from heliograph.models.breaker import FAILURES
from heliograph.models.contract import Ask, Text, user
from heliograph.models.errors import CircuitOpen, ModelBusy, ModelRefused, ModelUnavailable
from heliograph.models.scripted import Scripted, Turn
from heliograph.models.serving import Models

QUESTION = Ask(messages=[user(Text("What does it cost?"))])


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarding, "FIRST_DELAY", 0.01)


@asynccontextmanager
async def configured(base: Settings, **models: dict[str, Any]) -> AsyncIterator[Models]:
    tables = {name: ModelSettings(**{"model": "scripted"} | model) for name, model in models.items()}
    made = Models(base.model_copy(update={"models": tables}))
    try:
        yield made
    finally:
        await made.close()


@pytest.mark.parametrize("turn", [Turn(status=503), Turn(status=500), Turn(answer="x", reset_after=0), Turn(answer="x", garbage_after=0)])
async def test_a_stumble_is_not_seen_by_who_asked(settings: Settings, turn: Turn) -> None:
    async with Scripted([turn, turn, "12.50"]) as server, configured(settings, a={"url": server.url}) as models:
        assert (await models.backend("a").ask(QUESTION)).text == "12.50"
        assert len([request for request in server.requests if request.turn is not None]) == 3


async def test_retry_after_is_obeyed(settings: Settings) -> None:
    async with Scripted([Turn(status=429, retry_after=1), "12.50"]) as server, configured(settings, a={"url": server.url}) as models:
        assert (await models.backend("a").ask(QUESTION)).text == "12.50"
        refused, answered = [request for request in server.requests if request.turn is not None]
        assert answered.at - refused.at >= 1


async def test_a_refusal_is_asked_once(settings: Settings) -> None:
    async with Scripted([Turn(status=400), "12.50"]) as server, configured(settings, a={"url": server.url}) as models:
        with pytest.raises(ModelRefused):
            await models.backend("a").ask(QUESTION)
        assert len([request for request in server.requests if request.turn is not None]) == 1


async def test_a_server_that_dies_opens_the_circuit_and_one_that_returns_closes_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heliograph.models.breaker.FIRST_PAUSE", 0.3)
    server = Scripted([Turn(answer="12.50", times=0)])
    await server.start()
    async with configured(settings, a={"url": server.url, "attempts": 1}) as models:
        backend = models.backend("a")
        await backend.ask(QUESTION)
        await server.stop()
        for _ in range(FAILURES):
            with pytest.raises(ModelUnavailable, match=r"cannot be reached|broke off"):
                await backend.ask(QUESTION)
        with pytest.raises(CircuitOpen):
            await backend.ask(QUESTION)
        server._port = int(server.url.split(":")[2].split("/")[0])
        await server.start()
        await asyncio.sleep(0.35)
        assert (await backend.ask(QUESTION)).text == "12.50"
        await server.stop()


async def test_another_route_answers_for_one_that_is_down_and_the_reply_says_so(settings: Settings, unused_tcp_port: int) -> None:
    async with Scripted([Turn(answer="12.50", times=0)]) as server:
        down = {"url": f"http://127.0.0.1:{unused_tcp_port}/v1", "fallback": "b", "attempts": 2}
        async with configured(settings, a=down, b={"url": server.url}) as models:
            reply = await models.backend("a").ask(QUESTION)
            assert (reply.text, reply.route) == ("12.50", "b")


async def test_a_server_that_never_answered_has_no_profile_and_its_fallback_speaks_for_it(settings: Settings, unused_tcp_port: int) -> None:
    down = {"url": f"http://127.0.0.1:{unused_tcp_port}/v1"}
    async with (
        Scripted([Turn(answer="12.50", times=0)], "vllm") as server,
        configured(settings, a=down, b=down | {"fallback": "c"}, c={"url": server.url}) as models,
    ):
        with pytest.raises(ModelUnavailable, match="cannot be reached"):
            await models.backend("a").profile()
        assert (await models.backend("b").profile()).vision


async def test_a_wrong_key_is_told_before_anything_is_asked(settings: Settings) -> None:
    async with Scripted(dialect="vllm", key="right") as server, configured(settings, a={"url": server.url, "key": "wrong-key"}) as models:
        with pytest.raises(ModelRefused, match=r"models\.a\.key_env") as caught:
            await models.backend("a").profile()
        assert "wrong-key" not in str(caught.value)


async def test_nothing_goes_to_the_cloud_unasked(settings: Settings, unused_tcp_port: int) -> None:
    async with Scripted([Turn(answer="12.50", times=0)]) as cloud:
        down = {"url": f"http://127.0.0.1:{unused_tcp_port}/v1", "fallback": "mid", "attempts": 1}
        middle = {"url": f"http://127.0.0.1:{unused_tcp_port}/v1", "fallback": "far", "attempts": 1, "fallback_to_cloud": True}
        async with configured(settings, a=down, mid=middle, far={"url": cloud.url, "egress": "cloud"}) as models:
            with pytest.raises(ModelUnavailable):
                await models.backend("a").ask(QUESTION)
            assert cloud.requests == []
            assert (await models.backend("mid").ask(QUESTION)).route == "far"


async def test_leaving_reaches_the_server_within_a_second_through_every_layer(settings: Settings) -> None:
    async with (
        Scripted([Turn(answer="12.50 " * 50, pace=0.1, times=0)]) as server,
        configured(settings, a={"url": server.url, "fallback": "b"}, b={"url": server.url}) as models,
    ):
        backend = models.backend("a")
        await backend.profile()
        known = len(server.requests)
        task = asyncio.create_task(backend.ask(QUESTION))
        await until(lambda: server.open == 1 and len(server.requests) == known + 1)
        left = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: server.requests[-1].disconnected is not None)
        assert (server.requests[-1].disconnected or 0) - left < 1
        await asyncio.sleep(0.1)
        assert len(server.requests) == known + 1  # nobody tried again


async def test_an_overloaded_server_is_asked_less_at_a_time_and_everyone_is_answered(settings: Settings) -> None:
    working, most = 0, 4

    async def answer(request: web.Request) -> web.Response:
        nonlocal working
        await request.read()
        if working >= most:
            return web.json_response({"error": {"message": "Too many requests."}}, status=429)
        working += 1
        await asyncio.sleep(0.02)
        working -= 1
        message = {"choices": [{"message": {"content": "12.50"}, "finish_reason": "stop"}]}
        return web.json_response(message)

    async with serving(answer) as url, configured(settings, a={"url": url, "concurrency": 32, "attempts": 12}) as models:
        backend = models.backend("a")
        replies = await asyncio.gather(*(backend.ask(QUESTION) for _ in range(64)))
        assert {reply.text for reply in replies} == {"12.50"}
        assert 'heliograph_model_limit{route="a"} 32.0' not in models.metrics.render().decode()


async def test_a_stream_cut_at_any_byte_gives_what_came_or_is_asked_again(settings: Settings) -> None:
    pieces = [{"choices": [{"delta": {"role": "assistant", "content": ""}}]}]
    pieces += [{"choices": [{"delta": {"content": text}}]} for text in ('{"a":', ' "Zoë 😀', '"}')]
    pieces += [
        {"choices": [{"delta": {}, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 3}},
    ]
    events = [f"data: {json.dumps(piece, ensure_ascii=False)}\r\n\r\n" for piece in pieces]
    whole = "".join([*events, "data: [DONE]\r\n\r\n"]).encode()
    ended = len("".join(events[:5]).encode()) - 4  # the finish reason is there
    cut = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        if cut:
            await response.write(whole[:cut])
        if cut < len(whole) and cut % 2 and request.transport is not None:
            request.transport.close()  # without the end of the chunked body
        return response

    async with serving(answer) as url, configured(settings, a={"url": url, "attempts": 1}) as models:
        backend = models.backend("a")
        await backend.profile()
        guard = models._guards["a"]
        for cut in range(len(whole) + 1):
            guard._breaker.succeeded()
            try:
                reply = await backend.ask(QUESTION)
            except ModelUnavailable:
                assert '"content": "{' not in whole[:cut].decode(errors="ignore").rpartition("\r\n")[0]
            else:
                assert '{"a": "Zoë 😀"}'.startswith(reply.text)
                assert reply.finish == ("stop" if cut >= ended else "broken"), cut
                if reply.finish == "stop":
                    assert json.loads(reply.text) == {"a": "Zoë 😀"}


async def test_a_quota_that_lasts_longer_than_patience_is_told_at_once(settings: Settings) -> None:
    async with Scripted([Turn(status=429, retry_after=3600)]) as server, configured(settings, a={"url": server.url}) as models:
        for _ in range(2):
            with pytest.raises(ModelBusy) as caught:
                await asyncio.wait_for(models.backend("a").ask(QUESTION), 5)
            assert (caught.value.retry_after or 0) > 3500
        assert len([request for request in server.requests if request.turn is not None]) == 1


@asynccontextmanager
async def serving(answer: Callable[[web.Request], Any]) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/v1/chat/completions", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


async def until(true: Callable[[], bool], within: float = 5.0) -> None:
    async with asyncio.timeout(within):
        while not true():
            await asyncio.sleep(0.01)
