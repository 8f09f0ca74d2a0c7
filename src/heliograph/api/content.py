"""Bytes on their way to a client: whole, or the one range that was asked for."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from heliograph.store.blobs import Blobs

SHOWN_INLINE = re.compile(r"(image/(png|jpeg|gif|webp|bmp)|application/pdf|audio/.*|video/.*)")
"""What a browser may show itself. Anything else is offered as a download: HTML from a stranger must not run on our address."""


def content(
    blobs: Blobs,
    blob: str,
    *,
    size: int,
    sha256: str | None,
    media_type: str | None,
    filename: str,
    wanted: str | None,
    bodiless: bool = False,
) -> Response:
    """The response with a blob's bytes. `wanted`: the `Range` header; `bodiless`: to a HEAD."""
    kind = media_type or "application/octet-stream"
    inline = SHOWN_INLINE.fullmatch(kind) is not None
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=3600",
        "Content-Disposition": f"{'inline' if inline else 'attachment'}; filename*=UTF-8''{quote(filename, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "ETag": f'"{sha256}"',
    }
    start, end = 0, size
    status = 200
    if wanted is not None:
        asked = byte_range(wanted, size)
        if asked is not None:
            start, end = asked
            if start >= end:
                return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
            status = 206
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    chunks = _nothing() if bodiless else blobs.stream(blob, start, end)
    return StreamingResponse(chunks, status, headers, kind if inline else "application/octet-stream")


def byte_range(wanted: str, size: int) -> tuple[int, int] | None:
    """Start and end (exclusive) of a `Range` header with one range of bytes; None for one that is to be ignored (RFC 9110, 14.2)."""
    match = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", wanted.replace(" ", ""))
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return max(size - int(last), 0), size if int(last) else 0
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last) + 1, size) if last else size


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""
