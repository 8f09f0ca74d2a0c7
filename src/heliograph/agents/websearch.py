"""Searching the web through the service that the settings name: a SearXNG of one's own, Brave, or Tavily.

What is searched for leaves the network with the latter two; nothing is searched unless one is configured.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any, cast

import msgspec

from heliograph.agents.services import Service
from heliograph.config import SearchKind, Settings
from heliograph.errors import NotConfigured

Json = Any
OWN: dict[SearchKind, str] = {"brave": "https://api.search.brave.com/res/v1", "tavily": "https://api.tavily.com"}
"""Addresses of the services that have one."""
LONGEST = 600
"""Characters of what a result says."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A page that was found, and what the search service says of it."""

    title: str
    url: str
    text: str


def needs(settings: Settings) -> str | None:
    """What is missing before the web can be searched, as a sentence; None when nothing is."""
    if settings.search_kind is None:
        return "No web search is configured: set HELIOGRAPH_SEARCH_KIND to searxng, brave or tavily, with its URL or key."
    if settings.search_kind == "searxng" and not settings.search_url:
        return "The address of the SearXNG is missing: set HELIOGRAPH_SEARCH_URL."
    if settings.search_kind != "searxng" and settings.search_key is None:
        return f"The key of {settings.search_kind} is missing: set HELIOGRAPH_SEARCH_KEY."
    return None


async def search(query: str, count: int, settings: Settings) -> list[Result]:
    """The first `count` results. Raises NotConfigured, and what `Service.call` raises."""
    kind, missing = settings.search_kind, needs(settings)
    if kind is None or missing is not None:
        raise NotConfigured(missing)
    key = settings.search_key.get_secret_value() if settings.search_key is not None else ""
    headers = {"brave": {"X-Subscription-Token": key}, "tavily": {"Authorization": f"Bearer {key}"}, "searxng": {}}[kind]
    address = settings.search_url or OWN.get(kind, "")
    service = Service(f"The web search ({kind})", "HELIOGRAPH_SEARCH_URL", address, settings, headers=headers)
    match kind:
        case "searxng":
            answer = await service.call("GET", "search", query={"q": query, "format": "json"})
            found = _results(answer.get("results"), "content")
        case "brave":
            answer = await service.call("GET", "web/search", query={"q": query, "count": str(count)})
            found = _results(_table(answer.get("web")).get("results"), "description")
        case "tavily":
            answer = await service.call("POST", "search", body={"query": query, "max_results": count})
            found = _results(answer.get("results"), "content")
    return list(found)[:count]


def _results(found: Json, text: str) -> Iterator[Result]:
    """Results as the services write them alike: `title`, `url`, and what they say under the name `text`."""
    for each in cast("list[Json]", found) if isinstance(found, list) else []:
        entry = _table(each)
        url = str(entry.get("url") or "")
        if re.match(r"https?://", url):
            yield Result(title=_plain(entry.get("title")), url=url, text=_plain(entry.get(text))[:LONGEST])


def _table(value: Json) -> dict[str, Json]:
    return cast("dict[str, Json]", value) if isinstance(value, dict) else {}


def _plain(value: Json) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]{0,200}>", "", str(value or ""))).split())
