"""`heliograph demo`: the shipped receipt and invoice become JSON with citations and annotated pictures."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, cast

import typer


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the whole answers and the pictures.")] = Path("out/demo"),
) -> None:
    """Read the sample receipt and invoice."""
    asyncio.run(_run(out))


async def _run(out: Path) -> None:
    from heliograph.cli.answering import Here
    from heliograph.cli.extract import write_pictures
    from heliograph.cli.progress import Progress
    from heliograph.cli.question import ask
    from heliograph.config import settings
    from heliograph.perception.reader import Reader
    from heliograph.samples import INVOICE, RECEIPT

    started = time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    reader = Reader(settings())
    written: list[Path] = []
    try:
        for path, domain in ((RECEIPT, "document.receipt"), (INVOICE, "document.invoice")):
            here = Here(ask(domain), settings(), reader)
            try:
                with Progress(path.name) as progress:
                    record = await here.answer(path, progress)
            finally:
                await here.close()
            answer = out / f"{path.stem}.json"
            answer.write_text(json.dumps(record["response"], indent=2, ensure_ascii=False), "utf-8")
            print(f"# {path.name} as {domain}; what it does not hold is left out here, and is null in {answer}")
            print("\n".join(compact(_without_nulls(record["response"]))))
            written += [answer, *await write_pictures(here, path, record, out, path.stem)]
    finally:
        await reader.close()
    print(f"\nDone in {time.monotonic() - started:.1f} s. Look at:", file=sys.stderr)
    for path in written:
        print(f"  {path}", file=sys.stderr)


def compact(node: object, indent: str = "", lead: str = "", tail: str = "") -> Iterator[str]:
    """JSON lines of `node`: one line a field, and one for each `<field>_metadata`, however deep it is."""
    if isinstance(node, dict | list) and node and not lead.endswith('_metadata": '):
        opening, closing = ("{", "}") if isinstance(node, dict) else ("[", "]")
        yield f"{indent}{lead}{opening}"
        members: list[tuple[str, object]] = (
            [(f"{json.dumps(name)}: ", value) for name, value in cast("dict[str, object]", node).items()]
            if isinstance(node, dict)
            else [("", value) for value in cast("list[object]", node)]
        )
        for place, (name, value) in enumerate(members, 1):
            yield from compact(value, indent + "  ", name, "," if place < len(members) else "")
        yield f"{indent}{closing}{tail}"
    else:
        yield f"{indent}{lead}{json.dumps(node, ensure_ascii=False)}{tail}"


def _without_nulls(node: object) -> Any:
    if isinstance(node, dict):
        kept = {name: _without_nulls(value) for name, value in cast("dict[str, object]", node).items()}
        return {name: value for name, value in kept.items() if value not in (None, {}, [])}
    return [_without_nulls(item) for item in cast("list[object]", node)] if isinstance(node, list) else node
