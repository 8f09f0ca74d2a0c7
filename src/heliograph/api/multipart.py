"""`multipart/form-data`, streamed: the file's bytes go from the socket to the store and are never held.

`read_form` reads up to the file part and hands it out as an iterator; fields before it are known then, fields after it once
the iterator is exhausted.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from heliograph.errors import InvalidRequest

LONGEST_FIELD = 64 * 1024
MOST_FIELDS = 100


@dataclass
class Form:
    """A form with one file. `content` yields its bytes and must be exhausted before `values` is complete; it is None where there is no
    file. `values`: of each field, all that were sent."""

    filename: str
    content_type: str | None
    content: AsyncIterator[bytes] | None
    values: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    @property
    def fields(self) -> dict[str, str]:
        """The last value of each field."""
        return {name: values[-1] for name, values in self.values.items()}

    @property
    def file(self) -> AsyncIterator[bytes]:
        """`content`. Raises InvalidRequest when there is no file."""
        if self.content is None:
            raise InvalidRequest("The form has no field `file`.", param="file")
        return self.content


@dataclass
class _Part:
    name: str = ""
    filename: str | None = None
    content_type: str | None = None


_Event = tuple[str, _Part | bytes]


class _Reader:
    """Turns the parser's callbacks into events: `part`, `data`, `end` of a part, `close` of the form."""

    def __init__(self, boundary: bytes) -> None:
        self.events: deque[_Event] = deque()
        self._header = self._value = b""
        self._part = _Part()
        self.closed = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._on_header,
                "on_header_value": self._on_value,
                "on_header_end": self._header_end,
                "on_headers_finished": lambda: self.events.append(("part", self._part)),
                "on_part_data": lambda data, start, end: self.events.append(("data", data[start:end])),
                "on_part_end": lambda: self.events.append(("end", self._part)),
                "on_end": self._close,
            },
        )

    def feed(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise InvalidRequest(f"The form could not be read: {error}.") from error

    def _begin(self) -> None:
        self._part = _Part()

    def _on_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]
        self._bound()

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._bound()

    def _bound(self) -> None:
        if len(self._header) + len(self._value) > LONGEST_FIELD:
            raise InvalidRequest("A header of the form is too long.")

    def _header_end(self) -> None:
        name = self._header.lower()
        if name == b"content-disposition":
            _, options = parse_options_header(self._value)
            self._part.name = _text(options.get(b"name", b""))
            filename = options.get(b"filename")
            self._part.filename = _extended_name(self._value) if filename is None else _text(filename)
        elif name == b"content-type":
            self._part.content_type = _text(self._value).strip().lower()
        self._header = self._value = b""

    def _close(self) -> None:
        self.closed = True


_EXTENDED_NAME = re.compile(rb"filename\*=(?:utf-8|iso-8859-1)?'[^']*'([^;\s]+)", re.IGNORECASE)


def _extended_name(header: bytes) -> str | None:
    """`filename*=utf-8''...` (RFC 5987), which forms should not have but older HTTP clients send for names that are not ASCII."""
    found = _EXTENDED_NAME.search(header)
    return None if found is None else _text(unquote_to_bytes(found[1]))


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


async def read_form(stream: AsyncIterator[bytes], content_type: str) -> Form:
    """Read up to the part `file`, or to the end where there is none. Raises InvalidRequest when the form is malformed."""
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary or len(boundary) > 256:
        raise InvalidRequest("Send the file as `multipart/form-data` in a field named `file`.", param="file")
    events = _events(stream, _Reader(boundary))
    fields: dict[str, list[str]] = {}
    async for kind_of, part in events:
        if kind_of != "part" or not isinstance(part, _Part):
            continue
        if part.filename is not None or part.name == "file":
            return Form(part.filename or part.name, part.content_type, _content(events, fields), fields)
        await _field(events, part, fields)
    return Form("", None, None, fields)


async def _events(stream: AsyncIterator[bytes], reader: _Reader) -> AsyncGenerator[_Event, None]:
    async for chunk in stream:
        if reader.closed:
            continue
        reader.feed(chunk)
        while reader.events:
            yield reader.events.popleft()
    if not reader.closed:
        raise InvalidRequest("The form ends before its closing boundary.")


async def _content(events: AsyncGenerator[_Event, None], fields: dict[str, list[str]]) -> AsyncIterator[bytes]:
    inside = True
    async for kind, value in events:
        if isinstance(value, bytes):
            if inside:
                yield value
        elif kind == "end":
            inside = False
        elif value.filename is not None:
            raise InvalidRequest("The form has more than one file.", param="file")
        else:
            await _field(events, value, fields)


async def _field(events: AsyncGenerator[_Event, None], part: _Part, fields: dict[str, list[str]]) -> None:
    raw = b""
    async for _, value in events:
        if not isinstance(value, bytes):
            break
        raw += value
        if len(raw) > LONGEST_FIELD:
            raise InvalidRequest("A field of the form is too long.", param=part.name)
    if sum(map(len, fields.values())) >= MOST_FIELDS:
        raise InvalidRequest("The form has too many fields.")
    fields.setdefault(part.name, []).append(_text(raw))
