"""`heliograph jobs`: what waits and runs, and holding it back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from heliograph.cli.opening import in_transaction
from heliograph.errors import NotFound

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

app = typer.Typer(no_args_is_help=True, help="Hold, release and list jobs.", pretty_exceptions_enable=False)

TenantOption = Annotated[str | None, typer.Option("--tenant", help="Name of the tenant.  [default: all]")]
DataDirOption = Annotated[Path | None, typer.Option("--data-dir", help="Folder of the data.  [default: .heliograph]")]
IdsArgument = Annotated[list[str] | None, typer.Argument(help="Only these predictions.")]


@app.command()
def pause(ids: IdsArgument = None, tenant: TenantOption = None, data_dir: DataDirOption = None) -> None:
    """Hold back what waits and, without ids, what comes later. What runs goes on."""
    from heliograph.jobs.holds import hold

    async def work(conn: AsyncConnection) -> int:
        return await hold(conn, await _tenant(conn, tenant), ids=ids or None)

    held = in_transaction(data_dir, work)
    scope = f" --tenant {tenant}" if tenant else ""
    print(f"{_jobs(held)} held." if ids else f"{_jobs(held)} held, and so is what comes until `heliograph jobs resume{scope}`.")
    _expect(held, ids, "do not wait")


@app.command()
def resume(ids: IdsArgument = None, tenant: TenantOption = None, data_dir: DataDirOption = None) -> None:
    """End a hold of the same scope; what it held is queued as if it had come now."""
    from heliograph.jobs.holds import release

    async def work(conn: AsyncConnection) -> int:
        return await release(conn, await _tenant(conn, tenant), ids=ids or None)

    released = in_transaction(data_dir, work)
    print(f"{_jobs(released)} released.")
    _expect(released, ids, "are not held")


@app.command("list")
def list_(
    tenant: TenantOption = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    data_dir: DataDirOption = None,
) -> None:
    """List unfinished jobs: those that run, then those that wait, in the order in which they will run."""
    from heliograph.jobs.holds import held_back, unfinished

    async def work(conn: AsyncConnection) -> tuple[list[tuple[str, ...]], list[str]]:
        return await unfinished(conn, await _tenant(conn, tenant), limit=limit), await held_back(conn)

    jobs, holds = in_transaction(data_dir, work)
    rows = [("ID", "TENANT", "STATUS", "TIER", "DOMAIN", "CREATED", "RUNS"), *jobs]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for name in holds:
        whose, scope = (f"the tenant {name}", f" --tenant {name}") if name else ("every tenant", "")
        print(f"New work of {whose} is held back; `heliograph jobs resume{scope}` ends that.", file=sys.stderr)


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count} jobs"


def _expect(count: int, ids: list[str] | None, state: str) -> None:
    """Raises NotFound when some of the predictions asked for were not in the state that it takes."""
    if ids and count < len(set(ids)):
        raise NotFound(f"{len(set(ids)) - count} of the predictions named {state}.")


async def _tenant(conn: AsyncConnection, name: str | None) -> str | None:
    from heliograph.store import tenants

    if name is None:
        return None
    found = await tenants.named(conn, name)
    if found is None:
        raise NotFound(f"There is no tenant {name}.")
    return found.id
