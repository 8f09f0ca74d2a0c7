"""What cards for the reader's eye hold. Artifacts are named by reference, as everywhere: `{"id": "img_a1b2c3"}`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]


def image(ref: str, *, title: str | None = None, width: int | None = None, height: int | None = None) -> Json:
    """`preview.image`: one picture, its size in pixels."""
    return _known({"image": {"id": ref}, "title": title, "width": width, "height": height})


def grid(refs: Sequence[str], *, titles: Sequence[str] = (), title: str | None = None) -> Json:
    """`preview.grid`: pictures side by side, each with its title where there are any."""
    images = [_known({"id": ref, "title": titles[number] if number < len(titles) else None}) for number, ref in enumerate(refs)]
    return _known({"images": images, "title": title})


def video(ref: str, *, title: str | None = None, seconds: float | None = None, width: int | None = None, height: int | None = None) -> Json:
    """`preview.video`: a film, its length in seconds and size in pixels."""
    return _known({"video": {"id": ref}, "title": title, "seconds": seconds, "width": width, "height": height})


def audio(ref: str, *, title: str | None = None, seconds: float | None = None) -> Json:
    """`preview.audio`: a recording of sound, its length in seconds."""
    return _known({"audio": {"id": ref}, "title": title, "seconds": seconds})


def document(ref: str, *, title: str | None = None, pages: int | None = None, page: int | None = None) -> Json:
    """`preview.document`: a file of pages; `page`: the one to open at, counted from 0."""
    return _known({"document": {"id": ref}, "title": title, "pages": pages, "page": page})


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, title: str | None = None) -> Json:
    """`preview.table`: names of columns, and rows of as many values."""
    return _known({"columns": list(columns), "rows": [list(row) for row in rows], "title": title})


def json(value: Any, *, title: str | None = None) -> Json:
    """`preview.json`: any JSON."""
    return {"value": value} if title is None else {"value": value, "title": title}


def chart(ref: str, *, title: str | None = None, kind: str | None = None) -> Json:
    """`preview.chart`: a chart as a picture; `kind`: such as `bar`."""
    return _known({"image": {"id": ref}, "title": title, "kind": kind})


def _known(card: Json) -> Json:
    return {name: value for name, value in card.items() if value is not None}
