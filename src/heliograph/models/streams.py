"""Server-sent events, read as servers really send them (https://html.spec.whatwg.org/multipage/server-sent-events.html).

What differs from the letter of it: each `data` line that is JSON by itself is an event, whether or not a blank line follows; an `error`
line or a bare JSON line, as some servers write in the middle of a stream, is an event too; the end may come without `[DONE]`.
"""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

from heliograph.models.loose import table

LARGEST_EVENT = 8 << 20
"""Bytes of one event, above which the sender is taken to be broken."""


class Done:
    """The event `[DONE]`: the sender says that this was all."""


DONE: Final = Done()
_DECODER: Final = msgspec.json.Decoder(dict[str, Any])
Event = dict[str, Any] | Done


class Events:
    """Turns the bytes of a stream, cut anywhere, into events."""

    def __init__(self) -> None:
        self._rest = b""
        self._pending: list[bytes] = []
        self._kind = b""
        self.garbled: str | None = None
        """Why what came is no event stream from there on; nothing is read after it."""

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that these bytes complete."""
        lines = (self._rest + chunk).splitlines(keepends=True)
        # a line that ends in CR may go on with LF: it is complete when the next byte is here
        self._rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        if len(self._rest) + sum(map(len, self._pending)) > LARGEST_EVENT:
            self.garbled = f"an event larger than {LARGEST_EVENT >> 20} MiB"
        events: list[Event] = []
        for line in lines:
            if self.garbled is not None:
                break
            if line.startswith(b"data: {") and not self._pending and not self._kind:  # nearly all of them
                try:
                    events.append(_DECODER.decode(line[6:]))
                    continue
                except msgspec.DecodeError:
                    pass
            if line == b"\n" and not self._pending and not self._kind:
                continue
            if (event := self._line(line.rstrip(b"\r\n"))) is not None:
                events.append(event)
        return events

    def end(self) -> list[Event]:
        """What is complete when the stream has ended without a last line feed; half an event is none."""
        rest, self._rest = self._rest.rstrip(b"\r"), b""
        event = self._line(rest) if rest and self.garbled is None else None
        return [] if event is None else [event]

    def _line(self, line: bytes) -> Event | None:
        if not line:
            return self._blank()
        if line[:1] in (b":", b"{"):
            return _object(line) if line[:1] == b"{" else None
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            return self._data(value)
        if field == b"event":
            self._kind = value.strip()
        elif field == b"error":
            return {"error": _object(value) or value.decode(errors="replace")}
        return None

    def _data(self, value: bytes) -> Event | None:
        whole = b"\n".join([*self._pending, value])
        if whole.strip() == b"[DONE]":
            self._pending = []
            return DONE
        found = _object(whole)
        if found is None:
            if value or self._pending:
                self._pending.append(value)
            return None
        self._pending = []
        if self._kind == b"error" and "error" not in found:
            found = {"error": found}
        return found

    def _blank(self) -> Event | None:
        pending, self._pending = b"\n".join(self._pending).strip(), []
        kind, self._kind = self._kind, b""
        if not pending:
            return None
        if kind == b"error":
            return {"error": pending.decode(errors="replace")}
        self.garbled = "an event that is not JSON"
        return None


def parse(data: bytes) -> Any:
    """JSON, half surrogate pairs included, which servers cut apart with their tokens. Raises ValueError."""
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError:
        return json.loads(data.decode(errors="replace"))


def _object(data: bytes) -> dict[str, Any] | None:
    data = data.strip()
    if not (data.startswith(b"{") and data.endswith(b"}")):
        return None
    try:
        found = parse(data)
    except (ValueError, RecursionError):
        return None
    return table(found) or None
