"""`heliograph keys`: API keys and webhook secrets. A key is shown once, when it is made; only its hash is kept."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from heliograph.cli.opening import in_transaction
from heliograph.errors import NotFound

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from heliograph.store.tenants import Key, Tenant

app = typer.Typer(no_args_is_help=True, help="API keys and webhook secrets.", pretty_exceptions_enable=False)

TenantOption = Annotated[str, typer.Option("--tenant", help="Name of the tenant whose keys these are.")]
DataDirOption = Annotated[Path | None, typer.Option("--data-dir", help="Folder of the embedded database.  [default: .heliograph]")]


@app.command()
def create(
    tenant: TenantOption = "default",
    name: Annotated[str, typer.Option(help="What the key is for.")] = "cli",
    data_dir: DataDirOption = None,
) -> None:
    """Make a key and print it, this once. A tenant that is not there yet is made."""
    from heliograph.store import tenants

    async def make(conn: AsyncConnection) -> str:
        owner = await tenants.create(conn, tenant)
        return (await tenants.create_key(conn, owner.id, name))[1]

    secret = in_transaction(data_dir, make)
    print(secret)
    print(f"A key of the tenant {tenant}. It is not shown again.", file=sys.stderr)


@app.command("list")
def list_(tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None, data_dir: DataDirOption = None) -> None:
    """List keys: id, tenant, beginning, name, when made, last used and revoked."""
    from heliograph.store import tenants

    async def collect(conn: AsyncConnection) -> list[tuple[Tenant, Key]]:
        owners = await tenants.list_(conn) if tenant is None else [await _tenant(conn, tenant)]
        return [(owner, key) for owner in owners for key in await tenants.list_keys(conn, owner.id)]

    rows = [("ID", "TENANT", "KEY", "NAME", "MADE", "LAST USED", "REVOKED")]
    for owner, key in in_transaction(data_dir, collect):
        made, used, revoked = (
            f"{moment:%Y-%m-%d %H:%M}" if moment else "-" for moment in (key.created_at, key.last_used_at, key.revoked_at)
        )
        rows.append((key.id, owner.name, f"{key.prefix}…", key.name, made, used, revoked))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:  # whole, whatever the terminal's width: an id is to be copied
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(help="Its id, as `list` shows it, or the key itself.")],
    tenant: TenantOption = "default",
    data_dir: DataDirOption = None,
) -> None:
    """Make a key worthless, within seconds and for good."""
    from heliograph.store import tenants

    async def end(conn: AsyncConnection) -> None:
        owner = await _tenant(conn, tenant)
        found = await tenants.find_key(conn, key) if key.startswith("hg_") else None
        if await tenants.revoke_key(conn, owner.id, found.id if found else key) is None:
            raise NotFound(f"The tenant {tenant} has no such key; `heliograph keys list` shows all keys and whose they are, for --tenant.")

    in_transaction(data_dir, end)
    print("Revoked.", file=sys.stderr)


@app.command("webhook-secret")
def webhook_secret(
    tenant: TenantOption = "default",
    renew: Annotated[bool, typer.Option("--renew", help="Make a new one; the old one signs nothing any more.")] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Print the secret that signs a tenant's webhooks."""
    from heliograph.store import tenants

    async def show(conn: AsyncConnection) -> str:
        return await tenants.webhook_secret(conn, (await _tenant(conn, tenant)).id, renew=renew)

    print(in_transaction(data_dir, show))


async def _tenant(conn: AsyncConnection, name: str) -> Tenant:
    from heliograph.store import tenants

    found = await tenants.named(conn, name)
    if found is None:
        raise NotFound(f"There is no tenant {name}; `heliograph keys create --tenant {name}` makes it.")
    return found
