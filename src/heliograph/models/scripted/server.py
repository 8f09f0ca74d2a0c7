"""The scripted server: a model's HTTP interface without a model.

    async with Scripted([{"total": 12.5}, Turn(status=429, retry_after=1), Turn(fill=True)], dialect="vllm") as server:
        ...                                  # ask server.url, a base URL that ends in /v1
        server.requests[0].body              # what was asked

Every server answers `/v1/chat/completions`, `/v1/messages` and Gemini's `generateContent`; `dialect` decides whose rules and whose words
of error it has. Outside an event loop `with Scripted(...)` runs it in a thread.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from aiohttp import web

from heliograph.models.contract import Dialect
from heliograph.models.parts import QUESTION
from heliograph.models.scripted import anthropic, describing, faults, gemini, openai
from heliograph.models.scripted.checking import Abilities, check
from heliograph.models.scripted.faults import Fault, Protocol
from heliograph.models.scripted.heard import Heard, cut
from heliograph.models.scripted.saying import Said, say, shared
from heliograph.models.scripted.script import Script, Turn, read

_CONTEXTS: Final[Mapping[Dialect, int]] = {"anthropic": 200_000, "gemini": 1_000_000}
_GARBAGE = b'\x00\xff<html>not an event\n\ndata: {"choices": [\n\n'


class Recorded(msgspec.Struct, kw_only=True):
    """A request that came. Times are `time.monotonic()`; `disconnected` is set when the client went away before the end."""

    path: str
    headers: dict[str, str]
    body: Any = None
    heard: Heard | None = None
    turn: int | None = None
    status: int | None = None
    at: float
    ended: float | None = None
    disconnected: float | None = None


class Scripted:
    """A server that answers by a script. `requests` are those of models' answers, in the order in which they came.

    What only asks whether the server takes a part of a request (`models.parts`) is among the `probes` instead: it gets the answer that
    it asks for, or the server's refusal, and uses up no turn.
    """

    def __init__(
        self,
        script: Script | Sequence[Turn | Any] | Path = (),
        dialect: Dialect = "openai",
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        **abilities: Any,
    ) -> None:
        """`abilities`: the fields of `Abilities`, such as `context=8192`, `without={"json_schema"}`, `key="secret"`."""
        self.script = script if isinstance(script, Script) else read(script) if isinstance(script, Path) else Script(script)
        self.dialect: Dialect = dialect
        self.abilities = msgspec.convert({"context": _CONTEXTS.get(dialect, Abilities().context)} | abilities, Abilities)
        self.requests: list[Recorded] = []
        self.probes: list[Recorded] = []
        self.open = 0
        self.most_open = 0
        self._host, self._port = host, port
        self._runner: web.AppRunner | None = None
        self._prompts: list[list[str]] = []
        self._thread: threading.Thread | None = None
        self._stop: Callable[[], None] | None = None

    @property
    def origin(self) -> str:
        """`http://host:port`: the base URL for clients of Anthropic and Gemini."""
        return f"http://{self._host}:{self._port}"

    @property
    def url(self) -> str:
        """The base URL for OpenAI-compatible clients."""
        return f"{self.origin}/v1"

    @property
    def bodies(self) -> list[Any]:
        """The bodies of `requests`."""
        return [request.body for request in self.requests]

    async def start(self) -> None:
        """Listen; the port is known afterwards."""
        app = web.Application(client_max_size=1 << 30)
        app.add_routes(list(self._routes()))
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.2, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening and cut off what is open."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Scripted:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def __enter__(self) -> Scripted:
        ready = threading.Event()

        async def serve() -> None:
            done = asyncio.Event()
            loop = asyncio.get_running_loop()
            self._stop = lambda: loop.call_soon_threadsafe(done.set) and None
            try:
                await self.start()
            finally:
                ready.set()
            await done.wait()
            await self.stop()

        self._thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
        self._thread.start()
        ready.wait()
        if self._runner is None:
            raise OSError(f"cannot listen on {self._host}:{self._port}")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._stop is not None
        assert self._thread is not None
        self._stop()
        self._thread.join()

    def _routes(self) -> Iterator[web.RouteDef]:
        for base in ("/v1", "/v1beta/openai"):
            yield web.post(f"{base}/chat/completions", self._chat)
            yield self._told(f"{base}/models", lambda: describing.models(self.dialect, self.abilities))
        yield web.post("/v1/messages", self._messages)
        for method in ("generateContent", "streamGenerateContent"):
            yield web.post(f"/v1beta/models/{{model}}:{method}", self._generate)
        yield self._told("/v1beta/models", lambda: describing.gemini_models(self.abilities))
        yield self._told("/health", lambda: {"status": "ok"})
        match self.dialect:
            case "vllm":
                yield self._told("/version", lambda: {"version": "0.28.0"})
            case "sglang":
                yield self._told("/model_info", lambda: describing.model_info(self.abilities))
            case "llama.cpp":
                yield self._told("/props", lambda: describing.props(self.abilities))
            case "ollama":
                yield self._told("/api/version", lambda: {"version": "0.14.0"})
                yield self._told("/api/show", lambda: describing.show(self.abilities), "POST")
                yield self._told("/api/ps", lambda: describing.running(self.abilities))
            case _:
                pass

    def _told(self, path: str, body: Callable[[], Any], method: str = "GET") -> web.RouteDef:
        async def handler(request: web.Request) -> web.Response:
            try:
                self._authorise(request)
            except Fault as fault:
                return web.json_response(fault.body(self.dialect, "openai"), status=fault.status)
            return web.json_response(body(), headers=describing.HEADERS.get(self.dialect))

        return web.route(method, path, handler)

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        return await self._recorded(request, "openai", lambda body: openai.hear(body, self.dialect))

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        return await self._recorded(request, "anthropic", anthropic.hear)

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        stream = request.path.endswith(":streamGenerateContent")
        return await self._recorded(request, "gemini", lambda body: gemini.hear(body, request.match_info["model"], stream=stream))

    async def _recorded(self, request: web.Request, protocol: Protocol, hear: Callable[[dict[str, Any]], Heard]) -> web.StreamResponse:
        recorded = Recorded(
            path=request.path, headers={name.lower(): value for name, value in request.headers.items()}, at=time.monotonic()
        )
        self.requests.append(recorded)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            answer = await self._answer(request, recorded, protocol, hear)
            recorded.status = answer.status
        except (asyncio.CancelledError, ConnectionError):
            recorded.disconnected = time.monotonic()
            raise
        else:
            return answer
        finally:
            self.open -= 1
            recorded.ended = time.monotonic()

    async def _answer(
        self, request: web.Request, recorded: Recorded, protocol: Protocol, hear: Callable[[dict[str, Any]], Heard]
    ) -> web.StreamResponse:
        headers: dict[str, str] = {}
        try:
            try:
                recorded.body = await request.json()
            except ValueError:
                raise Fault(400, "We could not parse the JSON body of your request.") from None
            self._authorise(request)
            heard = recorded.heard = hear(recorded.body)
            if probe := QUESTION in heard.text:
                self.requests.remove(recorded)
                self.probes.append(recorded)
            check(heard, self.dialect, protocol, self.abilities)
            if "logprobs" in self.abilities.without:
                heard = recorded.heard = msgspec.structs.replace(heard, logprobs=False)
            if self.dialect == "ollama":
                heard = recorded.heard = cut(heard, self.abilities.context)
            if not probe:
                recorded.turn = self.script.next(heard)
            if recorded.turn is None and not probe:
                raise Fault(400, "The script has no turn for this request.", code="script_exhausted")
            turn = Turn(answer={"ok": True}) if recorded.turn is None else self.script.turns[recorded.turn]
            turn, answer = await _computed(turn, heard)
            await asyncio.sleep(turn.delay)
            if turn.status is not None:
                headers = {**turn.headers, **({} if turn.retry_after is None else {"Retry-After": f"{turn.retry_after:g}"})}
                if turn.body is not None:
                    text = turn.body if isinstance(turn.body, str) else json.dumps(turn.body)
                    kind = "text/plain" if isinstance(turn.body, str) else "application/json"
                    return web.Response(status=turn.status, headers=headers, text=text, content_type=kind)
                raise Fault(turn.status, turn.error)
            said = say(turn, heard, answer=answer, limit=self.abilities.context - len(heard.prompt), cached=self._cached(heard))
        except Fault as fault:
            return web.json_response(fault.body(self.dialect, protocol), status=fault.status, headers=headers)
        if heard.stream:
            return await self._stream(request, protocol, turn, heard, said)
        made = {"openai": openai.whole, "anthropic": anthropic.whole, "gemini": gemini.whole}[protocol](said, heard)
        if "usage" in self.abilities.without:
            made.pop("usage", None)
        return await _whole(request, turn, made)

    def _authorise(self, request: web.Request) -> None:
        sent = request.headers.get("x-api-key") or request.headers.get("x-goog-api-key") or request.query.get("key")
        sent = sent or request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.abilities.key is not None and sent != self.abilities.key:
            raise faults.no_key(self.dialect)

    def _cached(self, heard: Heard) -> int:
        prompt = heard.prompt
        alike = max((shared(prompt, earlier) for earlier in self._prompts), default=0)
        self._prompts = [*self._prompts[-31:], prompt]
        return alike

    async def _stream(self, request: web.Request, protocol: Protocol, turn: Turn, heard: Heard, said: Said) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache", **turn.headers})
        await response.prepare(request)
        for place, event in enumerate(self._events(protocol, heard, said)):
            if turn.pace:
                await asyncio.sleep(turn.pace)
            if place == turn.end_after:
                return response
            if place == turn.reset_after:
                await _reset(request)
                return response
            if place == turn.garbage_after:
                await response.write(_GARBAGE)
            if place == turn.error_after:
                await response.write(self._error(protocol, turn.error))
                return response
            await response.write(event)
        return response

    def _events(self, protocol: Protocol, heard: Heard, said: Said) -> Iterator[bytes]:
        match protocol:
            case "openai":
                for data in openai.events(said, heard):
                    if '"usage": {' not in data or "usage" not in self.abilities.without:
                        yield f"data: {data}\n\n".encode()
            case "anthropic":
                for name, data in anthropic.events(said, heard):
                    yield f"event: {name}\ndata: {data}\n\n".encode()
            case "gemini":
                for data in gemini.events(said, heard):
                    yield f"data: {data}\r\n\r\n".encode()

    def _error(self, protocol: Protocol, message: str) -> bytes:
        status = 529 if protocol == "anthropic" else 500
        data = json.dumps(Fault(status, message).body(self.dialect, protocol))
        return (f"event: error\ndata: {data}\n\n" if protocol == "anthropic" else f"data: {data}\n\n").encode()


async def _computed(turn: Turn, heard: Heard) -> tuple[Turn, Any]:
    """The turn and its answer, after asking the answer's callable; one that gives a turn replaces it."""
    answer = turn.answer
    while callable(answer):
        answer = answer(heard)
        if inspect.isawaitable(answer):
            answer = await answer
        if isinstance(answer, Turn):
            turn, answer = answer, answer.answer
    return turn, answer


async def _whole(request: web.Request, turn: Turn, made: dict[str, Any]) -> web.StreamResponse:
    body = json.dumps(made, ensure_ascii=False).encode()
    if turn.garbage_after is not None:
        body = b"<html>" + body[: len(body) // 2]
    if turn.reset_after is None:
        return web.Response(body=body, content_type="application/json", headers=turn.headers)
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    await _reset(request)
    return response


async def _reset(request: web.Request) -> None:
    """Cut the connection as a machine that dies does: with a reset, after what was written is on its way."""
    await asyncio.sleep(0.02)
    if request.transport is not None:
        connection = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
