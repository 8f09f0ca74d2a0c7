"""Which model a server has, where the settings do not say: the only one that it lists."""

from __future__ import annotations

from heliograph.errors import NotConfigured
from heliograph.models.endpoint import Endpoint
from heliograph.models.loose import string, table, tables

LISTING_TIMEOUT = 10.0
MOST_NAMED = 20


async def only_model(endpoint: Endpoint) -> str:
    """The id of the only model that a server lists. Raises NotConfigured when there are none or more, and ModelUnavailable."""
    answer = await endpoint.send("GET", str(endpoint.url / "models"), timeout=LISTING_TIMEOUT)
    ids = [id for entry in tables(table(answer.body).get("data")) if (id := string(entry.get("id")))]
    if len(ids) == 1:
        return ids[0]
    setting = f"set models.{endpoint.name}.model (HELIOGRAPH_MODEL_NAME for the default)"
    if not ids:
        raise NotConfigured(f"{endpoint.who} does not list its models (status {answer.status}); {setting}.")
    named = ", ".join(ids[:MOST_NAMED]) + (", …" if len(ids) > MOST_NAMED else "")
    raise NotConfigured(f"{endpoint.who} has more than one model; {setting} to one of {named}.")
