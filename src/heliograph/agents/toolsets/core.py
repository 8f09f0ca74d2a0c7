"""`core`: files in and out of a run, and what a picture shows."""

from __future__ import annotations

from typing import Annotated

import msgspec
from pydantic import Field

from heliograph.agents import cards, looking, recordings
from heliograph.agents.artifacts import REF, Artifact, Kind
from heliograph.agents.context import Context
from heliograph.agents.tools import AnyRef, ImageRef, Made, tool
from heliograph.errors import InvalidRequest, NotFound, UnsupportedMedia
from heliograph.media.sniff import sniff, text_of
from heliograph.perception.speech.hearing import Hearing

URL = Annotated[str, Field(description="An http(s) address, or a data: URL.", max_length=1 << 25)]
FILENAME = r"^[^./\\\x00-\x1f][^/\\\x00-\x1f]{0,199}$"
LONGEST = 40_000
"""Characters of a text that a tool answers with unless asked for more or fewer."""
MOST_TEXT = 16 << 20
"""Bytes of a file that is read as text."""


class File(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact. `source`: `store` for what a tool made, `manifest` for what the caller brought, `workspace` for files with names."""

    id: str
    media_type: str
    bytes: int
    filename: str | None = None
    source: str = "store"
    facts: dict[str, int | float | str] = {}


class Linked(msgspec.Struct, frozen=True, kw_only=True):
    """A file, and the address at which it can be had for some days."""

    id: str
    url: str
    media_type: str


class Files(msgspec.Struct, frozen=True):
    """Artifacts, the oldest first."""

    files: list[File]


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a text. `next`: the letter to go on from, None at the end; `characters`: of the whole."""

    text: str
    characters: int
    next: int | None = None


class Seen(msgspec.Struct, frozen=True):
    """What a model says of a picture, and which one said it."""

    text: str
    answered_by: str


@tool("core", group="io", effect="reads-outside")
async def put_image_url(at: Context, url: URL) -> Made:
    """Fetch an image from a URL and keep it under a reference."""
    artifact = await at.workspace.fetch(url)
    if artifact.kind != "img":
        raise UnsupportedMedia(f"{_short(url)} is no image but {artifact.media_type}: it is kept as {artifact.ref}.")
    return made(artifact)


@tool("core", group="io", effect="reads-outside")
async def put_file_url(
    at: Context, file: Annotated[str, Field(description="An http(s) or data: URL, or the id of an uploaded file.", max_length=1 << 25)]
) -> Made:
    """Take a file into the conversation, from a URL or by the id of an uploaded file, and keep it under a reference."""
    if "://" in file[:12] or file[:5].lower() == "data:":
        return made(await at.workspace.fetch(file))
    try:
        return made(await at.workspace.file(file))
    except NotFound:
        if REF.fullmatch(file):
            return made(await at.artifacts.get(file))
        raise


@tool("core", group="io")
async def list_artifacts(
    at: Context, kind: Annotated[Kind | None, Field(description="Only of this kind: img, vid, aud, doc, recon, arr or url.")] = None
) -> Files:
    """List the files there are: what was brought and what tools made, the oldest first."""
    return Files([listed(artifact) for artifact in await at.artifacts.list() if kind in (None, artifact.kind)])


@tool("core", group="io")
async def get_image_from_index(
    at: Context,
    images: Annotated[list[str] | None, Field(description="References of images; all of the conversation when left out.")] = None,
    index: Annotated[int, Field(description="Which one, counted from 0; -1 is the last.")] = 0,
) -> Made:
    """Pick one image of several by its place."""
    refs = images or [artifact.ref for artifact in await at.artifacts.list() if artifact.kind == "img"]
    if not -len(refs) <= index < len(refs):
        raise InvalidRequest(f"There is no image {index}; there are {len(refs)}, counted from 0.", param="index")
    return made(await at.artifacts.get(refs[index]))


@tool("core", group="io")
async def preview_image(
    at: Context, image: ImageRef, title: Annotated[str | None, Field(description="A line to stand above it.", max_length=200)] = None
) -> Made:
    """Show an image to the person."""
    artifact = await at.artifacts.get(image)
    if artifact.kind != "img":
        raise InvalidRequest(f"{artifact.ref} is no image; preview_file_url shows files of every kind.", param="image")
    shown = made(artifact)
    await at.show("preview.image", cards.image(artifact.ref, title=title, width=shown.width, height=shown.height))
    return shown


@tool("core", group="io")
async def preview_file_url(at: Context, file: AnyRef) -> Linked:
    """Make a link at which a file can be downloaded without a key for some days, and show the file to the person."""
    artifact = await at.artifacts.get(file)
    url = await at.workspace.link(artifact.ref)
    if artifact.kind == "img":
        await at.show("preview.image", cards.image(artifact.ref, title=artifact.filename))
    elif artifact.kind == "doc":
        await at.show("preview.document", cards.document(artifact.ref, title=artifact.filename, pages=made(artifact).pages))
    elif artifact.kind == "vid":
        await at.show("preview.video", cards.video(artifact.ref, title=artifact.filename, seconds=_seconds(artifact)))
    elif artifact.kind == "aud":
        await at.show("preview.audio", cards.audio(artifact.ref, title=artifact.filename, seconds=_seconds(artifact)))
    return Linked(id=artifact.ref, url=url, media_type=artifact.media_type)


@tool("core", group="io")
async def read_file(
    at: Context,
    path: AnyRef,
    start: Annotated[int, Field(description="Letter to begin at, counted from 0.", ge=0)] = 0,
    characters: Annotated[int, Field(description="Most letters to answer with.", ge=1, le=1_000_000)] = LONGEST,
) -> Read:
    """Read the text of a file: of text files as they are, of documents and images the words on their pages, of recordings what is said."""
    return piece(await text_in(at, path), start, characters)


@tool("core", group="io")
async def write_file(
    at: Context,
    path: Annotated[str, Field(description="Name of the new file, such as notes.txt or data.csv.", pattern=FILENAME)],
    text: Annotated[str, Field(description="What shall stand in it.", max_length=8 << 20)],
) -> Made:
    """Write text to a file that the person can download."""
    content = text.encode("utf-8", "replace")
    media_type = "text/csv" if path.lower().endswith(".csv") else "application/json" if path.lower().endswith(".json") else "text/plain"
    return made(await at.artifacts.put(content, kind="doc", media_type=media_type, filename=path, source="workspace"))


@tool("core", group="io")
async def save_artifact(
    at: Context,
    artifact: AnyRef,
    filename: Annotated[str, Field(description="The name to keep it under, with its ending.", pattern=FILENAME)],
) -> Made:
    """Keep a copy of an artifact under a file name, so that the person can download it by that name."""
    kept = await at.artifacts.get(artifact)
    async with at.artifacts.local(kept.ref) as path:
        copy = await at.artifacts.put(
            path, kind=kept.kind, media_type=kept.media_type, filename=filename, source="workspace", facts=kept.facts
        )
    return made(copy)


@tool("core", group="image", needs=looking.needs)
async def parse_image(
    at: Context,
    image: ImageRef,
    prompt: Annotated[str | None, Field(description="A question about the image; a caption when left out.", max_length=20_000)] = None,
) -> Seen:
    """Describe an image, or answer a question about what it shows, with a vision model."""
    return Seen(*await looking.look(at, image, prompt or looking.CAPTION))


async def text_in(at: Context, name: str) -> str:
    """The text of an artifact: its own where it is text, what is said in a recording, else the words on its pages, page by page."""
    artifact = await at.artifacts.get(name)
    if not artifact.bytes:
        return ""
    if artifact.kind in ("vid", "aud"):
        async with recordings.opened(at, name) as source:
            return (await at.recordings.transcript(at, source, Hearing())).text
    if artifact.bytes <= MOST_TEXT:
        data = await at.artifacts.read(artifact.ref)
        if sniff(data[: 1 << 16]).reader in ("text", "csv") or artifact.media_type in ("text/plain", "text/csv", "application/json"):
            return text_of(data)[0]
    document = await at.readings.read(at.reader, at.artifacts, artifact.ref, say=at.say)
    return document.text


def piece(text: str, start: int, characters: int) -> Read:
    """A piece of `text`, and where the next begins."""
    end = start + characters
    return Read(text=text[start:end], characters=len(text), next=end if end < len(text) else None)


def made(artifact: Artifact) -> Made:
    """An artifact as tools name it."""
    facts = artifact.facts

    def whole(name: str) -> int | None:
        value = facts.get(name)
        return int(value) if isinstance(value, int | float) else None

    return Made(id=artifact.ref, width=whole("width"), height=whole("height"), pages=whole("pages"), filename=artifact.filename)


def listed(artifact: Artifact) -> File:
    """An artifact with all that is known of it."""
    return File(
        id=artifact.ref,
        media_type=artifact.media_type,
        bytes=artifact.bytes,
        filename=artifact.filename,
        source=artifact.source,
        facts=artifact.facts,
    )


def _seconds(artifact: Artifact) -> float | None:
    value = artifact.facts.get("seconds")
    return float(value) if isinstance(value, int | float) else None


def _short(url: str) -> str:
    return url if len(url) <= 100 else f"{url[:97]}..."
