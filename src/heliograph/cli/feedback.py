"""`heliograph feedback`: what people said of answers, as labelled documents."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from heliograph.errors import NotFound

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from heliograph.config import Settings
    from heliograph.evaluation.corrections import Corrected
    from heliograph.store.database import Database

app = typer.Typer(no_args_is_help=True, help="What people said of answers.", pretty_exceptions_enable=False)

GONE = "the file is gone"


@app.callback()
def _feedback() -> None:  # pyright: ignore[reportUnusedFunction]
    """What people said of answers."""


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    tenant: Annotated[str, typer.Option("--tenant", help="Name of the tenant whose feedback it is.")] = "default",
    data_dir: Annotated[Path | None, typer.Option(help="Folder of the data.  [default: .heliograph]")] = None,
) -> None:
    """Write corrected requests as folders that `heliograph eval` measures: files, what they should have given, and the schema.

    Requests with `allow_training: false` or `allow_retention: false` stay out, and so do those that one file and one schema do not
    make again: several files, chosen pages, Markdown, layout and proposed schemas.
    """
    from heliograph.cli.opening import open_database

    with open_database(data_dir) as (settings, url):
        written, left = asyncio.run(_export(settings, url, tenant, folder))
    for reason, count in sorted(left.items()):
        print(f"{count} left out: {reason}", file=sys.stderr)
    for name, count in written.items():
        print(f"{count} documents: heliograph eval {folder / name} --schema {folder / name / 'schema.json'}")
    if not written:
        print("There is no corrected request to export.", file=sys.stderr)


async def _export(settings: Settings, url: str, tenant: str, folder: Path) -> tuple[dict[str, int], Counter[str]]:
    """How many documents of each set were written, and how many were left out for each reason."""
    from heliograph.evaluation.corrections import Export
    from heliograph.store import tenants
    from heliograph.store.blobs import Blobs
    from heliograph.store.database import Database

    left: Counter[str] = Counter()
    database, blobs = Database(url, size=1, overflow=0), Blobs(settings)
    try:
        async with database.begin() as conn:
            owner = await tenants.named(conn, tenant)
        if owner is None:
            raise NotFound(f"There is no tenant {tenant}.")
        made = Export(folder)
        async for corrected in _requests(database, owner.id):
            if isinstance(corrected, str):
                left[corrected] += 1
                continue
            found, blob = corrected
            try:
                async with blobs.local(blob) as file:
                    await asyncio.to_thread(made.add, found, file)
            except NotFound:
                left[GONE] += 1
        return made.sets, left
    finally:
        await database.close()


async def _requests(database: Database, tenant: str) -> AsyncGenerator[tuple[Corrected, str] | str]:
    """Each request that somebody said something of with the blob of its file, or why it stays out."""
    from heliograph.store import feedback

    after = ""
    while True:
        async with database.begin() as conn:
            ids = await feedback.entities(conn, tenant, after=after)
        for id in ids:
            async with database.begin() as conn:
                found = await _corrected(conn, tenant, id)
            yield found
        if not ids:
            return
        after = ids[-1]


async def _corrected(conn: AsyncConnection, tenant: str, id: str) -> tuple[Corrected, str] | str:
    import msgspec

    from heliograph.evaluation.corrections import Corrected
    from heliograph.jobs.bodies import asked
    from heliograph.store import feedback, files, predictions

    row = await predictions.get(conn, tenant, id)
    if row is None:
        return "deleted meanwhile"
    if not row.retain or (row.metadata and msgspec.json.decode(row.metadata).get("allow_training") is False):
        return "not to be used for training, or not to be kept"
    reads = await predictions.reads(conn, tenant, id)
    plan = asked(row).plan
    if len(reads) != 1 or plan.page_indices is not None:
        return "several files, or chosen pages"
    if plan.mode != "extract" or plan.schema is None or plan.choices:
        return "no schema was asked for, or several"
    said = (await feedback.list_(conn, tenant, "request_id", id, limit=feedback.MOST))[::-1]
    found = Corrected(
        request=id,
        domain=plan.domain,
        schema=plan.schema,
        responses=[msgspec.json.decode(item.response) for item in said if item.response is not None],
        notes=[item.notes for item in said if item.notes is not None],
    )
    if not found.truth:
        return "notes alone, or nothing that the schema asks for"
    blob = reads[0].blob
    if reads[0].file_id is not None:
        file = await files.get(conn, tenant, reads[0].file_id)
        blob = file.blob if file else None
    return GONE if blob is None else (found, blob)
