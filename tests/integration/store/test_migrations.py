from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from heliograph.store import migrations
from heliograph.store.database import Database
from heliograph.store.migrations import SchemaError, migrate
from heliograph.store.tables import metadata


async def test_a_migrated_database_has_the_default_tenant_and_the_queue(database: Database):
    async with database.begin() as conn:
        assert await conn.scalar(text("select id from tenants where name = 'default'")) == "default"
        assert await conn.scalar(text("select count(*) from procrastinate_jobs")) == 0


def test_migrations_and_tables_agree(database_url: str):
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(database_url))
    with engine.connect() as connection:
        ours = {"include_name": lambda name, kind, _: not (kind == "table" and str(name).startswith(("procrastinate_", "alembic_")))}
        differences = compare_metadata(MigrationContext.configure(connection, opts=ours | {"compare_type": True}), metadata)
    engine.dispose()
    assert differences == []


def test_the_revisions_are_one_line_and_their_files_are_named_after_them():
    config = Config()
    config.set_main_option("script_location", str(migrations.SCRIPTS))
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [migrations.revisions()[-1]]
    assert sorted(revision.revision for revision in script.walk_revisions()) == migrations.revisions()


def test_the_queues_schema_comes_from_the_release_that_the_revisions_know():
    # A newer procrastinate brings migrations: they become a revision of ours before this number changes.
    assert version("procrastinate") == "3.10.0"


def test_many_processes_may_start_at_once_on_an_empty_database(empty_database_url: str):
    program = "import sys; from heliograph.store.migrations import migrate; print(migrate(sys.argv[1]))"

    def start(_: int) -> str:
        done = subprocess.run([sys.executable, "-c", program, empty_database_url], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(start, range(4)))
    assert sorted(said) == ["False", "False", "False", "True"]
    assert migrations.current(empty_database_url) == migrations.revisions()[-1]


def test_a_current_database_is_left_alone_without_loading_alembic(database_url: str):
    program = "import sys; from heliograph.store.migrations import migrate; print(migrate(sys.argv[1]), 'alembic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program, database_url], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False False"


def test_a_database_of_a_newer_heliograph_is_refused_and_left_as_it_is(database_url: str):
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("update alembic_version set version_num = '9999'")
    with pytest.raises(SchemaError, match="9999") as caught:
        migrate(database_url)
    assert migrations.revisions()[-1] in caught.value.message
    assert migrations.current(database_url) == "9999"


def test_a_migration_that_fails_leaves_the_revision_before(empty_database_url: str):
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("create type procrastinate_job_status as enum ('x')")  # the queue's schema will stumble over it
    with pytest.raises(Exception, match="procrastinate_job_status"):
        migrate(empty_database_url)
    with psycopg.connect(empty_database_url) as connection:
        assert connection.execute("select to_regclass('tenants')").fetchone() == (None,)
