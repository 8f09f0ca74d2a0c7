"""What is said about ourselves, the web and what there is."""

from __future__ import annotations

import re

from heliograph.agents.planner.clauses import Clause
from heliograph.agents.planner.moves import Act, Move


def fetch(clause: Clause) -> Move | None:
    """`open https://example.com and show me the page`."""
    if (
        clause.slots.urls
        and clause.has("tell", "read", "extract", "summarise", "detect", "ask")
        and re.search(r"\b(?:page|site|website|url|link|fetch|open|visit|load)\b", clause.text, re.IGNORECASE)
    ):
        return Act("fetch", "nothing", {"url": clause.slots.urls[0]})
    return None


def web_search(clause: Clause) -> Move | None:
    """`search the web for tide tables`."""
    asked = re.match(
        r"\s*(?:(?:search|look|google|browse)\b.*?\b(?:web|internet|online|google)\b|google)\s*(?:for|:)?\s+(.{2,300})",
        clause.text,
        re.IGNORECASE,
    )
    return Act("web_search", "nothing", {"query": asked[1].strip(" ?.!")}) if asked else None


def artifacts(clause: Clause) -> Move | None:
    """`list the images we have`."""
    listing = re.search(
        r"\b(?:list|which|what|show)\b.*\b(?:files?|images?|artifacts?|documents?|attachments?|refs?|references)\b.*\b(?:have|there|so\s+far|here|session|made|got)\b",
        clause.text,
        re.IGNORECASE,
    )
    return Act("artifacts", "nothing") if listing and not clause.unknown else None


def about_us(clause: Clause) -> Move | None:
    """`who are you?`, `hello`."""
    if clause.has("you"):
        return Act("introduce", "nothing")
    if clause.concepts <= {"greeting", "it"} and clause.has("greeting") and not clause.unknown:
        return Act("introduce", "nothing")
    return None
