"""A model's stream on its way through: its chunks as they are, but with our id, our session and the model's name as it was asked for.

Nearly all servers begin every chunk alike, so what differs is put in by two replacements a read, whatever the number of chunks in it. That
is safe: a quote inside a JSON string is always escaped, so `"id":"..."` between quotes of its own is a member and never text. Chunks of
servers that are not so regular are taken apart and written anew.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from heliograph.agents.task import ToolCall
from heliograph.models import failures
from heliograph.models.loose import string, table, tables
from heliograph.models.streams import DONE, LARGEST_EVENT, Events

Json = Any
LONGEST = 16 << 20
"""Characters of an answer, which is held until its turn is kept."""


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _Call(msgspec.Struct):
    index: int = 0
    id: str | None = None
    function: _Function | None = None


class _Delta(msgspec.Struct):
    content: Json = None
    tool_calls: list[_Call] | None = None


class _Choice(msgspec.Struct):
    index: int = 0
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    choices: list[_Choice] | None = None
    usage: Json = None
    error: Json = None


_CHUNK = msgspec.json.Decoder(_Chunk)


class Rewriter:
    """One stream. `feed` gives what is to be sent on for what came; the rest of it tells what was said."""

    def __init__(self, *, id: str, session: str, model: str) -> None:
        """What the client is told instead of the server's own."""
        self._told = {"id": id, "session_id": session, "model": model}
        self._id = b'"id":%b,"session_id":%b' % (msgspec.json.encode(id), msgspec.json.encode(session))
        self._model = b'"model":' + msgspec.json.encode(model)
        self._rest = b""
        self._known: tuple[str | None, str | None] | None = None
        self._needles: tuple[bytes, bytes] | None = None
        self._careful: Events | None = None
        self._text: list[str] = []
        self._size = 0
        self._calls: dict[int, _Call] = {}
        self.finish: str | None = None
        """Why the first choice ended, in the server's word; None while it has not."""
        self.usage: Json = None
        self.error: failures.Complaint | None = None
        """What the server said in the middle of its stream instead of going on."""
        self.done = False
        """Whether the server said that this was all."""
        self.garbled: str | None = None
        """Why what came is no stream of chunks."""

    @property
    def text(self) -> str:
        """What the first choice has said so far."""
        return "".join(self._text)

    @property
    def calls(self) -> list[ToolCall]:
        """The client's tools that the first choice calls."""
        made = [(call.id or "", call.function or _Function()) for _, call in sorted(self._calls.items())]
        return [ToolCall(id, function.name or "", function.arguments or "") for id, function in made]

    @property
    def begun(self) -> bool:
        """Whether a chunk has come."""
        return self._known is not None

    @property
    def over(self) -> bool:
        """Whether nothing more is to be expected."""
        return self.done or self.error is not None or self.garbled is not None

    def feed(self, piece: bytes) -> bytes:
        """What these bytes complete, as the client is to get it: without `[DONE]`, an error, or what comes after either."""
        if self._careful is not None:
            return self._anew(self._careful.feed(piece))
        whole = self._rest + piece
        if b"\r" in whole:
            whole = whole.replace(b"\r\n", b"\n")  # no JSON holds a bare one
        end = whole.rfind(b"\n") + 1
        self._rest = whole[end:]
        if len(self._rest) > LARGEST_EVENT:
            self.garbled = f"an event larger than {LARGEST_EVENT >> 20} MiB"
            return b""
        return self._lines(whole[:end]) if end else b""

    def end(self) -> bytes:
        """What was left when the stream ended without a last line feed."""
        if self._careful is None and self._rest:
            self._careful = Events()
            self._careful.feed(self._rest)
        return self._anew(self._careful.end()) if self._careful is not None and not self.over else b""

    def _lines(self, whole: bytes) -> bytes:
        whole, ended, _ = (b"\n" + whole).partition(b"\ndata: [DONE]")
        whole = whole[1:] + b"\n" if ended else whole[1:]
        chunks = _chunks(whole)
        if chunks is None or not self._regular(chunks, whole):
            self._careful = Events()
            made = self._anew(self._careful.feed(whole + self._rest))
        else:
            for chunk in chunks:
                self._take(chunk)
            made = (
                whole
                if not chunks or self._needles is None
                else whole.replace(self._needles[0], self._id).replace(self._needles[1], self._model)
            )
        self.done = self.done or bool(ended and not self.over)
        return made

    def _regular(self, chunks: list[_Chunk], whole: bytes) -> bool:
        """Whether every chunk has the id and the model that the first had, written alike."""
        if not chunks:
            return True
        if self._known is None or self._needles is None:
            first = chunks[0]
            if first.id is None or first.model is None:
                return False
            needles = [_needle(whole, name, value) for name, value in (("id", first.id), ("model", first.model))]
            if needles[0] is None or needles[1] is None:
                return False
            self._known, self._needles = (first.id, first.model), (needles[0], needles[1])
        if any((chunk.id, chunk.model) != self._known for chunk in chunks):
            return False
        return all(whole.count(needle) == len(chunks) for needle in self._needles)

    def _anew(self, events: list[Json]) -> bytes:
        made: list[bytes] = []
        for event in events:
            if self.over:
                break
            if event is DONE:
                self.done = True
            elif event.get("error") or event.get("object") == "error":
                self.error = failures.read(event)
            else:
                try:
                    chunk = msgspec.convert(event, _Chunk)
                except msgspec.ValidationError:
                    self.garbled = "a chunk that is none"
                    break
                self._take(chunk)
                if self._known is None:
                    self._known = (chunk.id, chunk.model)
                made.append(b"data: " + msgspec.json.encode(event | self._told) + b"\n\n")
        if self._careful is not None and self._careful.garbled is not None and not self.over:
            self.garbled = self._careful.garbled
        return b"".join(made)

    def _take(self, chunk: _Chunk) -> None:
        if chunk.usage:
            self.usage = chunk.usage
        for choice in chunk.choices or ():
            if choice.index:
                continue
            if choice.finish_reason:
                self.finish = choice.finish_reason
            if (delta := choice.delta) is None:
                continue
            if delta.content:
                said = delta.content if isinstance(delta.content, str) else _words(delta.content)
                self._text.append(said)
                self._size += len(said)
                if self._size > LONGEST:
                    self.garbled = f"more than {LONGEST >> 20} million characters"
            for call in delta.tool_calls or ():
                self._add(call)

    def _add(self, call: _Call) -> None:
        known = self._calls.setdefault(call.index, _Call(call.index, None, _Function()))
        known.id = known.id or call.id
        if call.function is not None and known.function is not None:
            known.function.name = known.function.name or call.function.name
            known.function.arguments = (known.function.arguments or "") + (call.function.arguments or "")


def as_chunks(said: dict[str, Json]) -> bytes:
    """A whole answer, of a server that does not stream, as a stream."""
    head = {"id": said.get("id"), "object": "chat.completion.chunk", "created": said.get("created"), "model": said.get("model")}
    chunks: list[dict[str, Json]] = []
    for choice in tables(said["choices"]):
        message = table(choice.get("message"))
        calls = [call | {"index": index} for index, call in enumerate(tables(message.get("tool_calls")))]
        delta = message | ({"tool_calls": calls} if calls else {})
        chunks.append(head | {"choices": [{"index": choice.get("index", 0), "delta": delta, "finish_reason": choice.get("finish_reason")}]})
    chunks.append(head | {"choices": [], "usage": said.get("usage")})
    return b"".join(b"data: " + msgspec.json.encode(chunk) + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"


def _chunks(whole: bytes) -> list[_Chunk] | None:
    """The chunks of whole lines; None when there is anything else in them than chunks and comments."""
    chunks: list[_Chunk] = []
    for line in whole.split(b"\n"):
        if line.startswith(b"data: {"):
            try:
                chunk = _CHUNK.decode(line[6:])
            except (msgspec.DecodeError, msgspec.ValidationError):
                return None
            if chunk.error is not None or chunk.choices is None:
                return None
            chunks.append(chunk)
        elif line and not line.startswith(b":"):
            return None
    return chunks


def _needle(whole: bytes, name: str, value: str) -> bytes | None:
    """The member as it is written in the first chunk."""
    written = rb'"%b"\s*:\s*%b' % (name.encode(), re.escape(msgspec.json.encode(value)))
    found = re.search(written, whole)
    return found.group() if found else None


def _words(content: Json) -> str:
    """The words of content that comes as parts."""
    return "".join(string(part.get("text")) for part in tables(content) if part.get("type") == "text")
