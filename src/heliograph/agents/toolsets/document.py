"""`document`, for pages as they are: their pictures, their words, and files made of them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import msgspec
from pydantic import Field

from heliograph.agents import cards, pagesearch, paper, patterns
from heliograph.agents.context import Context
from heliograph.agents.pagesearch import Citation, PageText
from heliograph.agents.tools import DocumentRef, Made, tool
from heliograph.agents.toolsets.core import LONGEST, made
from heliograph.errors import InvalidRequest
from heliograph.media.document import Page, Source

PageIndices = Annotated[list[int] | None, Field(description="Which pages, counted from 0; all when left out.", max_length=1000)]
PDF = "application/pdf"
MOST_PICTURES = 50
"""Pages whose pictures one call makes."""
MOST_HITS = 100
"""Places that a search tells; all are counted."""


class Info(msgspec.Struct, frozen=True, kw_only=True):
    """A document, looked at but not read. `sizes`: width and height of its pages in points (1/72 inch), at most the first 50."""

    id: str
    media_type: str
    pages: int
    sizes: list[tuple[float, float]]
    warnings: list[str] = []


class PagePicture(msgspec.Struct, frozen=True, kw_only=True):
    """The picture of a page, counted from 0; sizes in pixels."""

    id: str
    page: int
    width: int
    height: int


class PagePictures(msgspec.Struct, frozen=True):
    """Pictures of pages, in their order."""

    images: list[PagePicture]


class PageWords(msgspec.Struct, frozen=True, kw_only=True):
    """What is written on a page. `source`: `text` where the file says it, `ocr` where it was read off its picture, `mixed`, or `none`."""

    page: int
    text: str
    source: Source
    language: str | None = None


class ReadDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document's words, page by page. `next_page`: the page to go on from, where there was too much to answer with at once."""

    page_count: int
    pages: list[PageWords]
    next_page: int | None = None
    warnings: list[str] = []


class SearchResult(msgspec.Struct, frozen=True, kw_only=True):
    """Where something stands in a document: how often in all, and the first places as citations."""

    count: int
    matches: list[Citation]
    pages_searched: int
    warnings: list[str] = []


class Documents(msgspec.Struct, frozen=True):
    """New documents, in order."""

    documents: list[Made]


@tool("document")
async def document_info(at: Context, document: DocumentRef) -> Info:
    """Say what kind of file a document is and how many pages it has, without reading it."""
    artifact = await at.artifacts.get(document)
    async with at.artifacts.local(artifact.ref) as path:
        seen = await at.reader.inspect(path)
    return Info(id=artifact.ref, media_type=seen.media_type, pages=seen.page_count, sizes=seen.sizes[:50], warnings=seen.warnings)


@tool("document")
async def document_images(
    at: Context,
    document: DocumentRef,
    pages: PageIndices = None,
    longest_side: Annotated[int, Field(description="Of each picture, in pixels.", ge=64, le=6000)] = 1600,
) -> PagePictures:
    """Make an image of each page of a document. A scan that lies on its side is turned upright once it has been read."""
    artifact = await at.artifacts.get(document)
    images: list[PagePicture] = []
    async with at.artifacts.local(artifact.ref) as path:
        sizes = (await at.reader.inspect(path)).sizes
        wanted = range(len(sizes)) if pages is None else pages
        if len(wanted) > MOST_PICTURES:
            raise InvalidRequest(f"One call makes pictures of at most {MOST_PICTURES} pages; this asks for {len(wanted)}.", param="pages")
        for index in wanted:
            if not 0 <= index < len(sizes):
                raise InvalidRequest(f"There is no page {index}; {artifact.ref} has {len(sizes)}, counted from 0.", param="pages")
            page = Page(index, *sizes[index], rotation=at.readings.rotation(artifact.sha256, index))
            shown = await at.reader.picture(path, index, page, longest_side)
            facts: dict[str, int | float | str] = {"width": shown.width, "height": shown.height, "page": index, "document": artifact.ref}
            kept = await at.artifacts.put(shown.data, kind="img", media_type="image/jpeg", facts=facts)
            images.append(PagePicture(id=kept.ref, page=index, width=shown.width, height=shown.height))
    titles = [f"Page {image.page + 1}" for image in images]
    await at.show("preview.grid", cards.grid([image.id for image in images], titles=titles))
    return PagePictures(images)


@tool("document")
async def read_document(
    at: Context,
    document: DocumentRef,
    pages: PageIndices = None,
    characters: Annotated[int, Field(description="Most letters to answer with; whole pages, the first one always.", ge=1)] = LONGEST,
) -> ReadDocument:
    """Read the words of a document page by page, scans and photos by OCR."""
    read = await at.readings.read(at.reader, at.artifacts, document, say=at.say, pages=pages)
    told: list[PageWords] = []
    length = 0
    for page in read.pages:
        text = page.text
        length += len(text)
        if told and length > characters:
            break
        told.append(PageWords(page=page.index, text=text, source=page.source, language=page.language))
    rest = read.pages[len(told) :]
    warnings = [*read.warnings, *(warning for page in read.pages for warning in page.warnings)]
    return ReadDocument(page_count=read.page_count, pages=told, next_page=rest[0].index if rest else None, warnings=warnings[:20])


@tool("document")
async def search_document(
    at: Context,
    document: DocumentRef,
    query: Annotated[
        str, Field(description="Words that stand one after the other, or a regular expression.", min_length=1, max_length=2_000)
    ],
    regex: Annotated[bool, Field(description="Whether query is a regular expression; it sees a page as lines of text.")] = False,
    whole_words: Annotated[bool, Field(description="Whether words may not be parts of longer words.")] = False,
    pages: PageIndices = None,
) -> SearchResult:
    """Find words or a regular expression in a document, with the page and the boxes of each place. Case and accents do not matter."""
    read = await at.readings.read(at.reader, at.artifacts, document, say=at.say, pages=pages)
    if regex:
        texts = [PageText(page) for page in read.pages]
        hits = await patterns.find(query, [text.text for text in texts], most=10_000)
        found = [citation for hit in hits if (citation := texts[hit.text].citation(hit.start, hit.end)) is not None]
    elif not query.split():
        raise InvalidRequest("The query is blank.", param="query")
    else:
        found = list(pagesearch.find(read.pages, query, whole=whole_words))
    warnings = [*read.warnings, *(warning for page in read.pages for warning in page.warnings)]
    return SearchResult(count=len(found), matches=found[:MOST_HITS], pages_searched=len(read.pages), warnings=warnings[:20])


@tool("document")
async def split_document(
    at: Context,
    document: DocumentRef,
    parts: Annotated[
        list[list[int]] | None,
        Field(description="The pages of each new document, counted from 0, such as [[0, 1], [2]].", min_length=1, max_length=200),
    ] = None,
    every: Annotated[int | None, Field(description="Instead of parts: a new document after so many pages.", ge=1)] = None,
) -> Documents:
    """Split a document into several PDFs, or take pages out of it: each list of pages becomes a document; one a page when none is given."""
    artifact = await at.artifacts.get(document)
    if parts is not None and every is not None:
        raise InvalidRequest("Give parts or every, not both.", param="every")
    if parts is not None and not all(parts):
        raise InvalidRequest("A part without pages cannot be a document.", param="parts")
    with tempfile.TemporaryDirectory(prefix="heliograph-split-") as folder:
        async with paper.as_pdf(at, artifact.ref, Path(folder) / "whole.pdf") as path:
            count = (await at.reader.inspect(path)).page_count
            step = every or 1
            wanted = parts or [list(range(start, min(start + step, count))) for start in range(0, count, step)]
            if len(wanted) > 200:
                raise InvalidRequest(f"That would be {len(wanted)} documents; one call makes at most 200.", param="every")
            made_of = [await _assembled(at, [(path, pages)], Path(folder) / f"{number}.pdf") for number, pages in enumerate(wanted)]
    return Documents(made_of)


@tool("document")
async def merge_documents(
    at: Context, documents: Annotated[list[str], Field(description="References, in the order wanted.", min_length=1, max_length=100)]
) -> Made:
    """Put documents and images together into one PDF."""
    with tempfile.TemporaryDirectory(prefix="heliograph-merge-") as folder:
        sources: list[tuple[Path, list[int] | None]] = []
        for number, name in enumerate(documents):
            copy = Path(folder) / f"part-{number}.pdf"
            async with paper.as_pdf(at, name, copy) as path:
                if path != copy:
                    await paper.link(path, copy)
            sources.append((copy, None))
        merged = await _assembled(at, sources, Path(folder) / "whole.pdf")
    await at.show("preview.document", cards.document(merged.id, pages=merged.pages))
    return merged


async def _assembled(at: Context, sources: list[tuple[Path, list[int] | None]], target: Path) -> Made:
    count = await at.reader.assemble(sources, target)
    return made(await at.artifacts.put(target, kind="doc", media_type=PDF, facts={"pages": count}))
