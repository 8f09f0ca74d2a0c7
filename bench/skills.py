"""Kept skills: lists and look-ups among 10,000 versions of one's own and 10,000 public ones, from outside, over one connection."""

from __future__ import annotations

import asyncio
import http.client
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlencode, urlsplit

from sqlalchemy import text
from tests.live import Server, running_server

from bench import Row
from heliograph.cli.opening import open_database
from heliograph.store import tenants
from heliograph.store.database import Database

SKILLS = 10_000
CALLS = 300
UNBOUNDED = ("any list: no files", "1,000 skills", "a name that is not there, and its nearest")
"""Told for comparison, without a goal."""

_FILL = text(
    "INSERT INTO skills (id, tenant, name, description, version, number, hash, blob, bytes, files, is_public, created_at, updated_at) "
    "SELECT gen_random_uuid()::text, CAST(:tenant AS text), :prefix || md5((n / 2)::text), 'What skill ' || n || ' extracts.', "
    "'20261121-' || left(hash, 8), n % 2 + 1, hash, CAST(:tenant AS text) || '/skills/' || hash, 4000, 3, :public, moment, moment "
    "FROM (SELECT n, encode(sha256(n::text::bytea), 'hex') AS hash, clock_timestamp() - n * interval '1 minute' AS moment "
    "FROM generate_series(0, :count - 1) AS n) AS numbered"
)


async def fill(url: str) -> None:
    """Two versions of each name; and as many that another tenant made public."""
    database = Database(url, size=1)
    try:
        async with database.begin() as conn:
            other = (await tenants.create(conn, "other")).id
            await conn.execute(_FILL, {"tenant": tenants.DEFAULT, "prefix": "mine-", "count": SKILLS, "public": False})
            await conn.execute(_FILL, {"tenant": other, "prefix": "theirs-", "count": SKILLS, "public": True})
        async with database.engine.connect() as conn:
            await (await conn.execution_options(isolation_level="AUTOCOMMIT")).execute(text("ANALYZE skills"))
    finally:
        await database.close()


def timed(server: Server, method: str, path: str, bodies: list[Any], *, status: int = 200) -> list[float]:
    """Milliseconds of each call, one after the other."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc)
    headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "application/json"}
    taken: list[float] = []
    for body in bodies:
        started = time.perf_counter()
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        content = answer.read()
        taken.append((time.perf_counter() - started) * 1000)
        assert answer.status == status, content
    connection.close()
    return taken


def measure() -> Iterator[Row]:
    """Lists in each order, from the beginning and from the end; look-ups by name, id and version."""
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder) / "data", "--workers", "0") as server:
        with open_database(Path(folder) / "data", migrated=False) as (_, url):
            asyncio.run(fill(url))
        _, some = server.call("GET", "/v1/skills?limit=1000&order_by=name&descending=false")
        mine = [skill for skill in some if not skill["is_public"]]
        asked = [mine[number % len(mine)] for number in range(CALLS)]
        lists = {
            "25 skills, newest first": {},
            "25 skills by name, only the newest versions": {"order_by": "name", "grouped": "True"},
            "25 skills, only the newest versions": {"grouped": "True"},
            "25 skills after 9,000 others": {"offset": "9000"},
            "1,000 skills": {"limit": "1000"},
        }
        lookups = {
            "a skill by its name": [{"name": skill["name"]} for skill in asked],
            "a skill by an id of its name": [{"name": skill["id"]} for skill in asked],
            "a skill by name and version": [{"name": skill["name"], "skill_version": skill["version"]} for skill in asked],
        }
        measured = {"any list: no files": timed(server, "GET", "/v1/files", [None] * CALLS)}
        measured |= {what: timed(server, "GET", f"/v1/skills?{urlencode(query)}", [None] * CALLS) for what, query in lists.items()}
        near = [{"name": f"{skill['name']}x"} for skill in asked[:40]]
        measured["a name that is not there, and its nearest"] = timed(server, "POST", "/v1/skills/lookup", near, status=404)
        measured |= {what: timed(server, "POST", "/v1/skills/lookup", bodies) for what, bodies in lookups.items()}
    for what, taken in measured.items():
        yield Row(
            what,
            quantiles(taken, n=20)[-1],
            "ms",
            "" if what in UNBOUNDED else "< 20",
            f"p95 of {len(taken)}, median {median(taken):.1f}",
        )
