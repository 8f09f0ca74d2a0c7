"""How a command that is no server gets at the data of one: the settings, and a database that runs and is up to date."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heliograph.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from heliograph.config import Settings


def read_settings(data_dir: Path | None) -> Settings:
    """The settings, with this data folder when one is given; the folder's path made absolute."""
    from heliograph.config import Settings

    given: dict[str, Any] = {} if data_dir is None else {"data_dir": data_dir}
    settings = Settings(**given)
    return settings.model_copy(update={"data_dir": settings.data_dir.expanduser().absolute()})


@contextmanager
def open_database(data_dir: Path | None, *, migrated: bool = True) -> Generator[tuple[Settings, str]]:
    """The settings and the URL of the configured database: an embedded one is started when it does not run, and stopped again.

    Raises NotFound when there is no data folder: a command shall not make one in a folder where somebody happens to be.
    """
    import psycopg

    from heliograph.store.migrations import migrate
    from heliograph.store.postgres import database

    settings = read_settings(data_dir)
    if settings.database_url is None and not (settings.data_dir / "postgres").is_dir():
        raise NotFound(f"There is no data in {settings.data_dir}. Run this where the server runs, or name its folder with --data-dir.")
    try:
        with database(settings) as url:
            if migrated:
                migrate(url)
            yield settings, url
    except psycopg.OperationalError as problem:
        raise Unavailable(f"The database cannot be reached: {str(problem).strip().splitlines()[-1]}") from problem
