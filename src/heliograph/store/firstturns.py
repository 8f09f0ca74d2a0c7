"""Sessions that begin with a whole turn, many at a time: one statement, one commit, whoever they belong to."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class FirstTurn(msgspec.Struct, frozen=True, kw_only=True):
    """A new session and the messages of its first turn, as JSON text of `agents.task.Message`. `id` was made by this server, so nobody
    else writes to it."""

    id: str
    tenant: str
    guest: str | None
    ui: bool
    title: str | None
    completion: str
    messages: list[str]


KEEP = """
WITH fresh AS (
    SELECT * FROM json_to_recordset(%s::json)
    AS row(id text, tenant text, guest text, ui boolean, title text, completion text, messages json)
), made AS (
    INSERT INTO sessions (id, tenant, guest, ui, title)
    SELECT id, tenant, guest, ui, title FROM fresh WHERE EXISTS (SELECT 1 FROM tenants WHERE tenants.id = fresh.tenant)
    ON CONFLICT (id) DO NOTHING RETURNING id
)
INSERT INTO turns (session, position, completion, message)
SELECT fresh.id, said.position - 1, fresh.completion, said.message
FROM fresh JOIN made USING (id), json_array_elements_text(fresh.messages) WITH ORDINALITY AS said (message, position)
"""
"""Takes `payload`. Doing it again, after a commit that was not heard of, changes nothing."""


def payload(turns: Sequence[FirstTurn]) -> str:
    """The turns as the one parameter of `KEEP`."""
    return msgspec.json.encode(turns).decode()
