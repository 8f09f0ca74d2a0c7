"""Ids of calls to a client's own tools. Ours carry the completion that asked, so that it goes on when the results come, session or not."""

from __future__ import annotations

import re

_OURS = re.compile(r"(?P<id>.+)\.(?P<completion>(?:chatcmpl-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:-\d)?)", re.DOTALL)


def told(id: str, completion: str) -> str:
    """The id that a client sees. A completion whose id the client chose is named by it only if that is a UUID or looks like ours."""
    made = f"{id}.{completion}"
    return made if _OURS.fullmatch(made) else id


def heard(id: str) -> tuple[str, str | None]:
    """The id that the run knows, and the completion that asked, where it says so."""
    found = _OURS.fullmatch(id)
    return (found["id"], found["completion"]) if found else (id, None)
