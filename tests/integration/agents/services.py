"""Services on loopback, for tools that ask some."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web


@asynccontextmanager
async def serving(handlers: dict[str, Callable[[web.Request, Any], web.Response]]) -> AsyncGenerator[str]:
    """The address of a server with these handlers by path; each is given the request and its JSON, None without one."""
    app = web.Application(client_max_size=64 << 20)

    def routed(handler: Callable[[web.Request, Any], web.Response]) -> Any:
        async def handle(request: web.Request) -> web.Response:
            return handler(request, await request.json() if request.can_read_body else None)

        return handle

    for path, handler in handlers.items():
        app.router.add_route("*", path, routed(handler))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
