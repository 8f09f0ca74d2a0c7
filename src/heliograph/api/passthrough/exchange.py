"""One passed-through chat as a response: asks the model, sends its answer on as it comes, and keeps the turn before it ends.

Until `[DONE]`, or the body, is sent the turn is committed. What fails, or is left by its client, leaves the session as it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import Any

import aiohttp
import msgspec
from sqlalchemy import text as sql
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from heliograph.agents.task import Message, Text, ToolCall
from heliograph.api.errors import body as error_body
from heliograph.api.passthrough import asking
from heliograph.api.passthrough.preparing import Prepared, give_back, hold_on, kept
from heliograph.api.passthrough.recording import Recorder
from heliograph.api.passthrough.rewriting import Rewriter, as_chunks
from heliograph.api.passthrough.upstream import TooLongForModel, Upstream, told
from heliograph.api.server import Server
from heliograph.errors import HeliographError, Unavailable
from heliograph.models import failures
from heliograph.models.endpoint import drain_at_once
from heliograph.models.loose import string, table, tables
from heliograph.models.streams import parse
from heliograph.store import sessions
from heliograph.store.completions import Completion, Status
from heliograph.store.firstturns import FirstTurn

Json = Any
HEARTBEAT = 10.0
"""Seconds of silence after which a comment is sent, so that nobody between takes the connection for dead."""
EVENT_STREAM = (b"content-type", b"text/event-stream; charset=utf-8")
NO_CACHE = (b"cache-control", b"no-cache")
UNBUFFERED = (b"x-accel-buffering", b"no")

_NO_DISK = sql("SET LOCAL synchronous_commit = off")

log = logging.getLogger(__name__)


class Exchange(Response):
    """The response to one chat."""

    def __init__(self, server: Server, recorder: Recorder, prepared: Prepared) -> None:
        self._server, self._recorder, self._prepared = server, recorder, prepared
        self._settled = False
        self.raw_headers: list[tuple[bytes, bytes]] = []  # what others add
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve it. Raises what is to be told instead of an answer, and ClientDisconnect when its client has left."""
        task = asyncio.current_task()
        assert task is not None
        gone = asyncio.create_task(_gone(receive))

        def leave(_: asyncio.Task[None]) -> None:
            task.cancel()

        gone.add_done_callback(leave)
        written = asyncio.Event()
        writing = None if self._prepared.at is None else asyncio.create_task(hold_on(self._server, self._prepared, written))
        try:
            await (self._stream(send, scope["state"]["send_body"]) if self._prepared.chat.stream else self._whole(send))
        except asyncio.CancelledError:
            if not gone.done() or gone.cancelled():
                raise
            task.uncancel()
            self._log("cancelled", "", None, None)
            raise ClientDisconnect from None
        except HeliographError as error:
            self._log("failed", "", None, None, error)
            raise
        finally:
            gone.remove_done_callback(leave)
            gone.cancel()
            if writing is not None:
                written.set()
                await writing
            if not self._settled and self._prepared.chat.session_id is not None:
                with contextlib.suppress(HeliographError):  # its lease ends by itself
                    await give_back(self._server, self._prepared)

    async def _ask(self) -> tuple[Upstream, aiohttp.ClientResponse]:
        """Ask, with less of the session's history while that is more than the model takes."""
        while True:
            try:
                return await self._server.upstreams.ask(self._prepared.route, self._prepared.body)
            except TooLongForModel:
                if not self._prepared.shorten():
                    raise

    async def _whole(self, send: Send) -> None:
        upstream, answer = await self._ask()
        try:
            async with asyncio.timeout(upstream.model.timeout):
                whole = await upstream.endpoint.read(answer)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            answer.close()
            raise told(upstream.endpoint.trouble(error, upstream.model.timeout)) from None
        except BaseException:
            answer.close()
            raise
        answer.release()
        said = _parsed(whole)
        if not said.get("choices"):
            raise _wrong(upstream, said)
        said |= {"id": self._prepared.id, "object": "chat.completion", "model": self._prepared.model, "session_id": self._prepared.session}
        text, calls, finish = _first(said)
        await self._keep(text, calls)
        self._log("completed", text, finish, said.get("usage"), by=upstream.name)
        content = msgspec.json.encode(said)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode()), *self.raw_headers]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _stream(self, send: Send, send_body: Send) -> None:
        prepared = self._prepared
        out = _Out(send, send_body, self.raw_headers)
        rewriter = Rewriter(id=prepared.id, session=prepared.session, model=prepared.model)
        pulse = _Pulse(out)
        upstream: Upstream | None = None
        answer: aiohttp.ClientResponse | None = None
        try:
            upstream, answer = await self._ask()
            if "json" in answer.content_type:
                await out.send(rewriter.feed(as_chunks(_told(upstream, await upstream.endpoint.read(answer)))))
            else:
                await self._pass(upstream, answer, rewriter, out, pulse)
            await self._keep(rewriter.text, rewriter.calls)
            if rewriter.done and not answer.content.at_eof():  # mostly it is by now
                await _part(answer.content)
        except HeliographError as error:
            if not out.begun:
                raise
            self._log("failed", rewriter.text, rewriter.finish, rewriter.usage, error, by=upstream.name if upstream else "")
            await out.end(b"data: " + error_body(error.status, error.type, error.message, path="/v1/openai/", request_id="").body + b"\n\n")
            return
        finally:
            pulse.stop()
            if answer is not None and rewriter.done and answer.content.at_eof():
                answer.release()
            elif answer is not None:
                answer.close()
        self._log("completed", rewriter.text, rewriter.finish, rewriter.usage, by=upstream.name)
        await out.end(b"data: [DONE]\n\n")

    async def _pass(self, upstream: Upstream, answer: aiohttp.ClientResponse, rewriter: Rewriter, out: _Out, pulse: _Pulse) -> None:
        """Send a stream on as it comes. Raises what ends it before its time."""
        pulse.watch(answer, upstream.model.idle_timeout, upstream.model.timeout)
        content = answer.content
        drain_at_once(content)
        try:
            while not rewriter.over and (piece := await content.readany()):
                pulse.heard()
                if made := rewriter.feed(piece):
                    await out.send(made)
            if not rewriter.over and (made := rewriter.end()):
                await out.send(made)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            if rewriter.finish is None:
                late = pulse.gave_up
                raise told(upstream.endpoint.trouble(error if late is None else TimeoutError(), late or 0.0)) from None
        if rewriter.error is not None:
            raise told(upstream.endpoint.failure(rewriter.error.number or 500, rewriter.error))
        if pulse.gave_up is not None and rewriter.finish is None:
            raise told(upstream.endpoint.trouble(TimeoutError(), pulse.gave_up))
        if rewriter.garbled is not None:
            raise Unavailable(f"{upstream.endpoint.who} sent {rewriter.garbled} in its stream.")
        if not rewriter.done and rewriter.finish is None:
            raise Unavailable(f"{upstream.endpoint.who} broke off its answer.")

    async def _keep(self, text: str, calls: list[ToolCall]) -> None:
        """Commit the turn. Raises Unavailable where the database is away: then there was no turn."""
        prepared = self._prepared
        if not prepared.keeps:
            return
        answer = Message(role="assistant", parts=[Text(text)] if text else [], calls=calls)
        turn = [*(await kept(self._server, prepared) if prepared.brought else prepared.turn), answer]
        messages = [msgspec.json.encode(message).decode() for message in turn]
        tenant, session = prepared.caller.tenant, prepared.session
        if prepared.at is None:
            await self._recorder.keep(
                FirstTurn(
                    id=session, tenant=tenant, guest=prepared.guest, ui=prepared.ui, title=prepared.title, completion=prepared.id,
                    messages=messages,
                )
            )  # fmt: skip
            return
        # who leaves just now has had the answer, so its turn is kept
        self._settled = await asyncio.shield(asyncio.ensure_future(self._append(messages, prepared.at)))
        if not self._settled:
            raise Unavailable(f"The session {session[:100]} was deleted, or written to by others, while this was being answered.")

    async def _append(self, messages: list[str], at: int) -> bool:
        prepared = self._prepared
        async with self._server.database.begin() as conn:
            if not self._server.settings.passthrough_sync:
                await conn.execute(_NO_DISK)
            return await sessions.append(conn, prepared.caller.tenant, prepared.session, prepared.id, messages, at=at, title=prepared.title)

    def _log(
        self, status: Status, text: str, finish: str | None, usage: Json, error: HeliographError | None = None, *, by: str = ""
    ) -> None:
        prepared = self._prepared
        if not prepared.logs:
            return
        metadata = prepared.chat.metadata
        self._recorder.log(
            Completion(
                tenant=prepared.caller.tenant, id=prepared.id, session=prepared.session, key_id=prepared.caller.key_id,
                model=prepared.model, answered_by=by or prepared.route, status=status, finish_reason=finish,
                stream=prepared.chat.stream, request=asking.logged(prepared.chat, prepared.turn, prepared.left_out), response=text or None,
                error=None if error is None else msgspec.json.encode({"type": error.type, "message": error.message}).decode(),
                usage=msgspec.json.encode(usage).decode() if usage else None,
                metadata=msgspec.json.encode(metadata).decode() if metadata else None, user_agent=prepared.user_agent,
                milliseconds=round((time.perf_counter() - prepared.began) * 1000), created_at=prepared.created_at,
            )
        )  # fmt: skip


class _Out:
    """The event stream that is sent."""

    def __init__(self, send: Send, send_body: Send, headers: list[tuple[bytes, bytes]]) -> None:
        self._send, self._send_body = send, send_body
        self._headers = [EVENT_STREAM, NO_CACHE, UNBUFFERED, *headers]
        self.begun = False
        self.ended = False

    async def send(self, data: bytes) -> None:
        if not self.begun:
            self.begun = True
            await self._send({"type": "http.response.start", "status": 201, "headers": self._headers})
        await self._send_body({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self, data: bytes) -> None:
        self.ended = True
        if self.begun:
            await self._send_body({"type": "http.response.body", "body": data})
        else:
            await self.send(data)
            await self._send_body({"type": "http.response.body", "body": b""})


class _Pulse:
    """Looks every few seconds whether anything has come: sends a comment where nothing has, and gives the model up after its time."""

    def __init__(self, out: _Out) -> None:
        self._out = out
        self._loop = asyncio.get_running_loop()
        self._last = self._loop.time()
        self._answer: aiohttp.ClientResponse | None = None
        self._patience = 0.0
        self._longest = self._end = 0.0
        self._sending: asyncio.Task[None] | None = None
        self._timer = self._loop.call_later(HEARTBEAT, self._beat)
        self.gave_up: float | None = None
        """The seconds after which the model was given up."""

    def watch(self, answer: aiohttp.ClientResponse, patience: float, longest: float) -> None:
        """Close `answer` when nothing has come of it for `patience` seconds, or it takes longer than `longest`."""
        self._answer, self._patience = answer, patience
        self._last = self._loop.time()
        self._longest, self._end = longest, self._last + longest
        self._timer.cancel()
        self._timer = self._loop.call_later(min(HEARTBEAT, patience, longest), self._beat)

    def heard(self) -> None:
        self._last = self._loop.time()

    def stop(self) -> None:
        self._timer.cancel()

    def _beat(self) -> None:
        now = self._loop.time()
        silence = now - self._last
        if self._answer is not None and (silence >= self._patience or now >= self._end):
            self.gave_up = self._patience if silence >= self._patience else self._longest
            self._answer.close()
            return
        if silence >= HEARTBEAT and not self._out.ended:
            self._sending = self._loop.create_task(self._out.send(b": heartbeat\n\n"))
        left = min(self._patience - silence, self._end - now) if self._answer is not None else HEARTBEAT
        self._timer = self._loop.call_later(max(0.01, min(HEARTBEAT - silence if silence < HEARTBEAT else HEARTBEAT, left)), self._beat)


async def _gone(receive: Receive) -> None:
    """Return when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _part(content: aiohttp.StreamReader) -> None:
    """Let the server close its stream, so that the connection can serve again."""
    with contextlib.suppress(TimeoutError, aiohttp.ClientError, OSError):
        async with asyncio.timeout(0.05):
            while await content.readany():
                pass


def _parsed(whole: bytes) -> dict[str, Json]:
    try:
        return table(parse(whole))
    except (ValueError, RecursionError):
        return {}


def _wrong(upstream: Upstream, said: dict[str, Json]) -> HeliographError:
    """What the caller is told of an answer that is none."""
    if said.get("error") or said.get("object") == "error":
        complaint = failures.read(said)
        return told(upstream.endpoint.failure(complaint.number or 500, complaint))
    return Unavailable(f"{upstream.endpoint.who} answered with something that is not a chat completion.")


def _told(upstream: Upstream, whole: bytes) -> dict[str, Json]:
    said = _parsed(whole)
    if not said.get("choices"):
        raise _wrong(upstream, said)
    return said


def _first(said: dict[str, Json]) -> tuple[str, list[ToolCall], str | None]:
    """Text, calls and end of the first choice."""
    firsts = [choice for choice in tables(said.get("choices")) if not choice.get("index")]
    choice = firsts[0] if firsts else {}
    message = table(choice.get("message"))
    content = message.get("content")
    text = content if isinstance(content, str) else "".join(string(part.get("text")) for part in tables(content))
    calls = [
        ToolCall(string(call.get("id")), string(function.get("name")), string(function.get("arguments")))
        for call in tables(message.get("tool_calls"))
        if (function := table(call.get("function")))
    ]
    return text, calls, string(choice.get("finish_reason")) or None
