"""A web page as Markdown, with its links. Runs in the child; nothing is fetched and no script runs.

What surrounds a page's content (navigation, footers, forms) is left out, and where the page says which part is the content, that is taken.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin

from selectolax.lexbor import LexborHTMLParser

from heliograph.media.content import Limits
from heliograph.media.flow import Element, Grid, Paragraph
from heliograph.media.html import flow_html, text_of_html
from heliograph.media.website import Link, WebPage

AROUND = "nav, footer, aside, form, [role=navigation], [role=banner], [role=contentinfo], [role=search], [aria-hidden=true]"
CONTENT = ("main", "[role=main]", "article")
SHARE = 0.4
"""Share of the page's text from which on a part that claims to be the content is believed."""
MOST_LINKS = 100
LONGEST_LABEL = 200


def web_page(path: Path, address: str, limits: Limits) -> WebPage:
    """The HTML file at `path`, which stands at `address`. Raises MediaLimitExceeded."""
    parser = LexborHTMLParser(text_of_html(path, limits))
    title = parser.css_first("title")
    for node in parser.css(AROUND):
        node.decompose()
    whole = parser.body.text(deep=True) if parser.body is not None else ""
    content: Any = parser.body
    for selector in CONTENT:
        found = parser.css_first(selector)
        if found is not None and len(found.text(deep=True).split()) >= SHARE * len(whole.split()):
            content = found
            break
    markdown = written(flow_html(content.html or "")) if content is not None else ""
    said = " ".join(title.text(deep=True).split()) if title is not None else ""
    return WebPage(title=said or None, markdown=markdown, links=_links(content, address) if content is not None else [])


def written(elements: list[Element]) -> str:
    """Elements of a flow as Markdown; pictures are left out."""
    parts: list[str] = []
    before = ""
    for element in elements:
        kind, text = "table" if isinstance(element, Grid) else "text", ""
        if isinstance(element, Paragraph):
            kind, text = element.kind, _paragraph(element)
        elif isinstance(element, Grid):
            text = _table(element)
        if text:
            parts += ["\n" if kind == before == "list-item" else "\n\n", text]
            before = kind
    return "".join(parts).strip()


def _paragraph(paragraph: Paragraph) -> str:
    if paragraph.columns:
        return f"```\n{paragraph.text}\n```"
    lines = [" ".join(line.split()) for line in paragraph.text.split("\n")]
    text = "\n".join(line for line in lines if line)
    if not text:
        return ""
    if paragraph.kind in ("title", "section-header"):
        return "#" * min(max(paragraph.level, 1), 6) + " " + text.replace("\n", " ")
    if paragraph.kind == "list-item":
        marker = "-" if paragraph.marker in ("", "•") else paragraph.marker
        return f"{'  ' * max(round(paragraph.indent / 18) - 1, 0)}{marker} {text}"
    return text


def _table(table: Grid) -> str:
    rows = [[" ".join(" ".join(part.text.split()) for part in cell.content).replace("|", "\\|") for cell in row] for row in table.rows]
    width = max(len(row) for row in rows)
    rows = [row + [""] * (width - len(row)) for row in rows]
    head = rows[0] if table.header_rows else [""] * width
    body = rows[1:] if table.header_rows else rows
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * width, *body])


def _links(content: Any, address: str) -> list[Link]:
    found: dict[str, Link] = {}
    for node in content.css("a[href]"):
        url = urldefrag(urljoin(address, (node.attributes.get("href") or "").strip())).url
        text = " ".join(node.text(deep=True).split())[:LONGEST_LABEL]
        if text and re.match(r"https?://", url) and url not in found:
            found[url] = Link(text, url)
            if len(found) == MOST_LINKS:
                break
    return list(found.values())
