"""What `webpage.py` (in a child) tells of a web page; light, so that every process may import it."""

from __future__ import annotations

import msgspec


class Link(msgspec.Struct, frozen=True):
    """A link, absolute."""

    text: str
    url: str


class WebPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page. `links`: of its content, each address once, at most 100."""

    title: str | None
    markdown: str
    links: list[Link]
