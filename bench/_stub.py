"""A model's server that thinks of nothing: answers chats after a random pause, and says how long it held each. As light as it can be.

`python -m bench._stub PORT LOW HIGH CHUNKS`: pauses LOW to HIGH milliseconds, and streams CHUNKS chunks, one a turn of its loop.
"""

from __future__ import annotations

import asyncio
import random
import re
import sys
import time
from typing import cast

import uvloop

HEAD = b'{"id":"chatcmpl-stub","object":"chat.completion%b","created":1700000000,"model":"stub",'
WORDS = b"lorem ipsum dolor sit amet consectetur "
USED = b'{"prompt_tokens":9,"completion_tokens":100,"total_tokens":109}'
WHOLE = (
    b'"choices":[{"index":0,"message":{"role":"assistant","content":"held %d us '
    + WORDS * 8
    + b'"},"finish_reason":"stop"}],"usage":'
    + USED
    + b"}"
)
USAGE = b'"choices":[],"usage":' + USED + b"}"


class Stub(asyncio.Protocol):
    """One connection; one request at a time on it."""

    low, high, chunks = 0.0, 0.0, 100

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's are no subclass
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        """Answer when the request is whole."""
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        if length is None or len(body) < int(length[1]):
            return
        self.buffer = b""
        came = time.perf_counter()
        pause = random.uniform(self.low, self.high)
        answer = self.stream if b'"stream":true' in body else self.whole
        if pause:
            asyncio.get_running_loop().call_later(pause, answer, came)
        else:
            answer(came)

    def whole(self, came: float) -> None:
        """The answer at once."""
        body = HEAD % b"" + WHOLE % held(came)
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    def stream(self, came: float) -> None:
        """The answer in chunks."""
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        head = HEAD % b".chunk"
        self.event(
            head + b'"choices":[{"index":0,"delta":{"role":"assistant","content":"held %d us "},"finish_reason":null}]}' % held(came)
        )
        self.next(head, 1)

    def next(self, head: bytes, number: int) -> None:
        """One chunk, and the next one soon."""
        if number < self.chunks:
            delta = b'"choices":[{"index":0,"delta":{"content":"word%d "},"finish_reason":null}]}' % number
            self.event(head + delta)
            asyncio.get_running_loop().call_soon(self.next, head, number + 1)
            return
        self.event(head + b'"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}')
        self.event(head + USAGE)
        self.event(b"[DONE]")
        self.transport.write(b"0\r\n\r\n")

    def event(self, data: bytes) -> None:
        """One event as one piece of the transfer."""
        self.transport.write(b"%x\r\ndata: %b\n\n\r\n" % (len(data) + 8, data))


def held(came: float) -> int:
    """Microseconds since the request came."""
    return round((time.perf_counter() - came) * 1e6)


async def main() -> None:
    """Serve until killed."""
    port, low, high, chunks = (float(text) for text in sys.argv[1:5])
    Stub.low, Stub.high, Stub.chunks = low / 1000, high / 1000, int(chunks)
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", int(port))
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
