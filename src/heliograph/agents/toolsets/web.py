"""`web`: pages by address, and a search where one is configured."""

from __future__ import annotations

from typing import Annotated

import msgspec
from pydantic import Field

from heliograph.agents import websearch
from heliograph.agents.context import Context
from heliograph.agents.tools import tool
from heliograph.agents.toolsets.core import LONGEST, text_in
from heliograph.agents.websearch import Result
from heliograph.media.website import Link

HTML = "text/html"


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """What stands at an address: its words as Markdown, and under `id` the file itself. `next`: the letter to go on from, if any."""

    id: str
    url: str
    media_type: str
    title: str | None
    text: str
    characters: int
    next: int | None = None
    links: list[Link] = []


class Results(msgspec.Struct, frozen=True):
    """What a search found, the likeliest first."""

    results: list[Result]


@tool("web", effect="reads-outside")
async def fetch_page(
    at: Context,
    url: Annotated[str, Field(description="An http(s) address.", pattern=r"^https?://\S+$", max_length=8_000)],
    start: Annotated[int, Field(description="Letter to begin at, counted from 0.", ge=0)] = 0,
    characters: Annotated[int, Field(description="Most letters to answer with.", ge=1, le=1_000_000)] = LONGEST,
) -> Fetched:
    """Fetch a web page and read it as Markdown with its links; of other files, such as PDFs, the words."""
    artifact = await at.workspace.fetch(url)
    title, links = None, list[Link]()
    if artifact.media_type.partition(";")[0] == HTML:
        async with at.artifacts.local(artifact.ref) as path:
            page = await at.reader.web_page(path, url)
        title, text, links = page.title, page.markdown, page.links
    else:
        text = await text_in(at, artifact.ref)
    end = start + characters
    return Fetched(
        id=artifact.ref,
        url=url,
        media_type=artifact.media_type,
        title=title,
        text=text[start:end],
        characters=len(text),
        next=end if end < len(text) else None,
        links=links,
    )


@tool("web", effect="reads-outside", needs=websearch.needs)
async def web_search(
    at: Context,
    query: Annotated[str, Field(description="What to look for.", min_length=1, max_length=500)],
    count: Annotated[int, Field(description="How many results.", ge=1, le=20)] = 5,
) -> Results:
    """Search the web. Read a result with fetch_page before relying on it."""
    return Results(await websearch.search(query, count, at.settings))
