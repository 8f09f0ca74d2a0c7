"""Which parts of a request a model's server accepts: a few tokens each, asked once.

    parts = await ask_about(client, settings, server)

A server that refuses a part says so with a status of 4xx, or of 500, where it takes the plain request. Its silence, a gateway's error
and too many requests say nothing about the part: it stays unknown, and is asked about again.
"""

from __future__ import annotations

import asyncio
import base64
import re
import struct
import time
import zlib
from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

import msgspec

from heliograph.config import ModelSettings
from heliograph.models.errors import ModelError, ModelUnavailable
from heliograph.models.servers import Answer, Client, Server, base, said

Json = Any
Part = Literal["json_schema", "tool", "json_object", "images", "streaming", "logprobs", "prefill"]
"""What a request may hold and a server may not take."""

PARTS: Final[tuple[Part, ...]] = get_args(Part)
FIRST = 60.0
"""Seconds for the first answer, for which the model may have to be loaded."""
EACH = 20.0
"""Seconds for each further answer, where the first one was quick."""
SLOWER = 5.0
"""How much longer than the first answer a further one may take: on a busy processor, or with a tool's longer prompt."""
LONGEST = 60.0
"""Seconds for a further answer, at most."""
TOKENS = 16
"""Tokens of an answer; some providers refuse fewer."""
AT_ONCE = 4
"""Questions asked at a time."""
MANY = (16, 4)
"""Pictures in one request, tried where a server may have a limit to them."""
SIDE = 64
"""Pixels of the drawn picture; vision encoders refuse those smaller than a patch, 28 in some."""
CONTINUES: Final = frozenset({"vllm", "sglang", "llama.cpp", "anthropic"})
"""Whose documentation says that an answer goes on from a last message of the assistant's. Others accept it too, and begin anew."""
IGNORES: Final[Mapping[str, frozenset[Part]]] = {"anthropic": frozenset({"json_schema", "json_object", "logprobs"})}
"""What a server accepts, and says in its documentation that it ignores (Anthropic: OpenAI SDK compatibility)."""
SCHEMA: Final[Json] = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"], "additionalProperties": False}
QUESTION = 'Answer with the JSON object {"ok": true}.'


class Parts(msgspec.Struct, kw_only=True):
    """What was found. `accepts` holds only what is known; `why` what the server said of the rest. `pictures`: most in one request.

    `plain` is None when the plainest request was answered, else why not.
    """

    accepts: dict[Part, bool] = {}
    why: dict[Part, str] = {}
    pictures: int | None = None
    plain: Answer | None = None
    unanswered: str = ""

    @property
    def complete(self) -> bool:
        """Whether every part is known."""
        return len(self.accepts) == len(PARTS)


async def ask_about(client: Client, settings: ModelSettings, server: Server) -> Parts:
    """Ask for a plain answer, then about each part. No answer is `unanswered`."""
    asking = _Asking(client, settings, server)
    found = Parts()
    began = time.monotonic()
    try:
        answer = await asking.send({}, timeout=FIRST)
        if answer.status == 400 and "max_completion_tokens" in said(answer):
            asking.limit = "max_completion_tokens"
            answer = await asking.send({}, timeout=FIRST)
    except ModelError as error:
        found.unanswered = error.message
        return found
    if answer.status >= 400:
        found.plain, found.unanswered = answer, said(answer)
        return found
    asking.patience = min(LONGEST, max(EACH, SLOWER * (time.monotonic() - began)))
    slots = asyncio.Semaphore(min(AT_ONCE, server.slots or AT_ONCE))

    async def about(part: Part) -> None:
        async with slots:
            try:
                accepted, words = await asking.about(part)
            except ModelError as error:
                accepted, words = None, error.message
        if accepted is not None:
            found.accepts[part] = accepted
        if words:
            found.why[part] = words

    await asyncio.gather(*(about(part) for part in PARTS))
    if found.accepts.get("images"):
        found.pictures = await asking.most_pictures()
    return found


def picture() -> bytes:
    """A drawn PNG of `SIDE` pixels: a dark square on white."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    light, dark, edge = b"\xff\xff\xff", b"\x20\x20\x20", SIDE // 4
    plain = b"\0" + light * SIDE
    crossed = b"\0" + light * edge + dark * (SIDE - 2 * edge) + light * edge
    rows = plain * edge + crossed * (SIDE - 2 * edge) + plain * edge
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class _Asking:
    """Requests of a few tokens to one model."""

    def __init__(self, client: Client, settings: ModelSettings, server: Server) -> None:
        self._client, self._settings, self._server = client, settings, server
        self.patience = EACH
        self.limit = "max_completion_tokens" if server.dialect == "openai" else "max_tokens"

    async def send(self, fields: dict[str, Json], *, timeout: float | None = None) -> Answer:  # noqa: ASYNC109
        body = {"model": self._server.model, "messages": [_says("user", QUESTION)], self.limit: TOKENS}
        told = body | self._settings.options | fields
        return await self._client.send("POST", f"{base(self._settings)}/chat/completions", told, timeout=timeout or self.patience)

    async def about(self, part: Part) -> tuple[bool | None, str]:
        """Whether a part is accepted, None for unknown, and the server's words."""
        dialect = self._server.dialect or "plain"
        if part == "prefill" and dialect not in CONTINUES:
            return False, "this server does not say that it goes on from a begun answer"
        if part in IGNORES.get(dialect, ()):
            return False, "this server accepts and ignores it"
        if part == "images" and self._server.images is False:
            return False, "the server says that the model takes none"
        try:
            answer = await self.send(self._fields(part))
        except ModelUnavailable:  # llama.cpp closes connections that it promised to keep
            answer = await self.send(self._fields(part))
        if answer.status >= 500:
            answer = await self.send(self._fields(part))
        accepted = _accepted(answer)
        if not accepted:
            return accepted, said(answer)
        if part == "streaming" and "event-stream" not in answer.headers.get("content-type", ""):
            return False, "it answered with a whole"
        if part == "logprobs" and not _has_logprobs(answer.body):
            return False, "it accepted the request and gave none"
        return True, ""

    async def most_pictures(self) -> int | None:
        """How many pictures one request may hold, where servers are known to limit them; None when there is no limit in sight."""
        if self._server.dialect not in {"vllm", "sglang"}:
            return None
        for count in MANY:
            try:
                answer = await self.send(_shows(count))
            except ModelError:
                return 1
            if answer.status < 400:
                return None if count == MANY[0] else count
            if stated := re.search(r"[Aa]t most (\d+)", said(answer)):
                return max(1, int(stated[1]))
        return 1

    def _fields(self, part: Part) -> dict[str, Json]:
        match part:
            case "json_schema":
                return {"response_format": {"type": part, "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA}}}
            case "tool":
                tool = {"name": "answer", "description": "Give the answer.", "parameters": SCHEMA}
                return {
                    "tools": [{"type": "function", "function": tool}],
                    "tool_choice": {"type": "function", "function": {"name": "answer"}},
                }
            case "json_object":
                return {"response_format": {"type": part}}
            case "images":
                return _shows(1)
            case "streaming":
                return {"stream": True}
            case "logprobs":
                return {"logprobs": True}
            case "prefill":
                begun = {"messages": [_says("user", QUESTION), _says("assistant", '{"ok":')]}
                more = {"continue_final_message": True, "add_generation_prompt": False}
                return begun | (more if self._server.dialect in {"vllm", "sglang"} else {})


def _accepted(answer: Answer) -> bool | None:
    if answer.status < 400:
        return True
    if answer.status in {408, 409, 425, 429, 502, 503, 504}:
        return None
    return False


def _has_logprobs(body: Json) -> bool:
    try:
        return bool(body["choices"][0]["logprobs"]["content"])
    except (TypeError, KeyError, IndexError):
        return False


def _says(role: str, content: Json) -> Json:
    return {"role": role, "content": content}


def _shows(count: int) -> dict[str, Json]:
    url = f"data:image/png;base64,{base64.b64encode(picture()).decode()}"
    drawn = [{"type": "image_url", "image_url": {"url": url}} for _ in range(count)]
    return {"messages": [_says("user", [*drawn, {"type": "text", "text": QUESTION}])]}
