"""`python -m heliograph.models.scripted script.toml --port N`: a scripted server until it is stopped."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from pathlib import Path
from typing import get_args

from heliograph.models.contract import Dialect
from heliograph.models.scripted.script import Script, read
from heliograph.models.scripted.server import Scripted


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m heliograph.models.scripted", description="A model server that answers by a script.")
    parser.add_argument("script", nargs="?", type=Path, help="TOML or JSON; without one, every answer is a valid instance of the schema")
    parser.add_argument("--dialect", choices=get_args(Dialect), default="openai", help="whose rules and errors")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--model", action="append", help="a model's id; several times for several (scripted)")
    parser.add_argument("--context", type=int, default=32_768, help="tokens of prompt and answer")
    parser.add_argument("--key", help="the API key that must be sent")
    given = parser.parse_args()
    try:
        script = read(given.script) if given.script else Script()
    except (OSError, ValueError) as problem:
        sys.exit(str(problem))
    abilities = {"models": given.model or ["scripted"], "context": given.context, "key": given.key}
    server = Scripted(script, given.dialect, host=given.host, port=given.port, **abilities)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(server))


async def _serve(server: Scripted) -> None:
    async with server:
        print(f"{server.url}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    main()
