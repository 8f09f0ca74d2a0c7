"""`heliograph skills new`: a skill's folder from a prompt."""

from __future__ import annotations

import asyncio
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from heliograph.config import Settings
    from heliograph.skills.archive import Files


def skill_new(
    prompt: Annotated[str, typer.Argument(metavar="PROMPT", help="What the skill extracts, in words.")],
    name: Annotated[str | None, typer.Option(help="Its name. Default: the first words of the prompt.")] = None,
    schema: Annotated[Path | None, typer.Option(help="The JSON Schema of its answers. Default: made from the prompt.")] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder in which its folder is made.")] = Path(),
    model: Annotated[
        str | None, typer.Option(metavar="ROUTE", help="The model that writes, as in [models.<route>]. Default: as a server's vlm-1.")
    ] = None,
) -> None:
    """Write a skill from a prompt such as 'Extract invoice_id, date and total_amount': by the configured model, else by a template.

    The folder is a beginning: read it, mend it, and put examples beside it.
    """
    from heliograph.cli.question import read_schema
    from heliograph.config import settings
    from heliograph.skills import package
    from heliograph.skills.writing import checked, name_of, slug

    folder = out / slug(name or name_of(checked(prompt, None)[0]))
    if folder.exists():
        raise typer.BadParameter(f"{folder} is there already; give another --name or --out")
    files = asyncio.run(_written(settings(), prompt, read_schema(schema) if schema else None, name, model))
    made = package.read(files)
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in files.items():
        (folder / path).write_bytes(content)
    print(f"{folder}: {made.description}")
    fields = ", ".join((made.schema or {}).get("properties", {}))
    print(f"Its fields: {fields}." if fields else "It has no schema: what it extracts is found in each document.")
    print(f"Try it: heliograph extract --skill {shlex.quote(str(folder))} FILE")


async def _written(settings: Settings, prompt: str, schema: dict[str, Any] | None, name: str | None, model: str | None) -> Files:
    from heliograph.api.writing import Writer

    writer = Writer(settings, model)
    try:
        return await writer.write(prompt, schema, name)
    finally:
        await writer.close()
