"""The least that a pass-through in Python can be: raw ASGI and aiohttp, no key, no check, nothing kept. What others are measured against.

`python -m bench._relay PORT SLOW FAST`: the base URLs of two models, `slow` and whatever else is asked for.
"""

from __future__ import annotations

import sys
from typing import Any

import aiohttp
import uvicorn


class Relay:
    """The application."""

    session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass one request on."""
        if scope["type"] != "http":
            return
        if self.session is None:
            self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar())
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        upstream = sys.argv[2] if b'"slow"' in body else sys.argv[3]
        if not body:
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        async with self.session.post(f"{upstream}/chat/completions", data=body, headers={"Content-Type": "application/json"}) as answer:
            kind = answer.headers.get("Content-Type", "").encode()
            await send({"type": "http.response.start", "status": answer.status, "headers": [(b"content-type", kind)]})
            async for piece in answer.content.iter_any():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    uvicorn.run(Relay(), port=int(sys.argv[1]), http="httptools", loop="uvloop", ws="none", lifespan="off", log_level="warning")
