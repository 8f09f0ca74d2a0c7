"""The schema, brought up to date by Alembic under an advisory lock, so that many processes may start at once.

A revision file is `alembic/versions/NNNN_words.py` with `revision = "NNNN"`; the newest number is what this version
of Heliograph wants. A database that is newer is refused, untouched.
"""

from __future__ import annotations

from pathlib import Path

import psycopg

from heliograph.errors import HeliographError
from heliograph.store.database import libpq_url

DEFAULT_TENANT = "default"
SCRIPTS = Path(__file__).parent / "alembic"
_LOCK = 0x48454C49  # "HELI"


class SchemaError(HeliographError):
    """The database's schema does not fit this version of Heliograph."""

    type = "database_error"


def revisions() -> list[str]:
    """The revisions this version knows, oldest first, without importing Alembic (0.3 s)."""
    return sorted(path.name.partition("_")[0] for path in (SCRIPTS / "versions").glob("[0-9]*.py"))


def current(url: str) -> str | None:
    """The revision of the database at `url`, or None for an empty one."""
    with psycopg.connect(libpq_url(url), autocommit=True) as connection:
        return _current(connection)


def migrate(url: str) -> bool:
    """Bring the database at `url` up to date; True when there was something to do. Safe to call from many processes at once.

    Raises SchemaError when the database was migrated by a newer Heliograph.
    """
    with psycopg.connect(libpq_url(url), autocommit=True, application_name="heliograph migrate") as connection:
        known = revisions()
        if _refuse_newer(_current(connection), known) == known[-1]:
            return False
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))  # released with the connection
        if _refuse_newer(_current(connection), known) == known[-1]:
            return False
        _upgrade(url)
        return True


def _current(connection: psycopg.Connection[tuple[object, ...]]) -> str | None:
    if connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def _refuse_newer(found: str | None, known: list[str]) -> str | None:
    if found is not None and found not in known:
        raise SchemaError(
            f"The database's schema is at revision {found}; this version of Heliograph knows up to {known[-1]}. "
            "Install the version that wrote it, or a later one."
        )
    return found


def _upgrade(url: str) -> None:
    from alembic import command  # noqa: PLC0415 - 0.3 s, and not needed when the schema is current
    from alembic.config import Config  # noqa: PLC0415
    from sqlalchemy import create_engine  # noqa: PLC0415
    from sqlalchemy.pool import NullPool  # noqa: PLC0415

    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(libpq_url(url)), poolclass=NullPool)
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
