"""Corrected answers as folders that `heliograph eval` measures: one a schema, each document in it with its truth beside it.

DIR/document.invoice/schema.json              what was asked
DIR/document.invoice/1f0c29ab4d71.pdf         a document, under a name that says nothing
DIR/document.invoice/1f0c29ab4d71.pdf.json    what people said the answer should be
DIR/feedback.jsonl                            one object a document: where it stands, which request it is of, and the notes
"""

from __future__ import annotations

import hashlib
import json
import mimetypes
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import msgspec

from heliograph.errors import Conflict, MediaError
from heliograph.extraction.domains import catalog, schema_hash
from heliograph.extraction.schema import METADATA_SUFFIX
from heliograph.media.sniff import sniff_file

Json = dict[str, Any]


class Corrected(msgspec.Struct, frozen=True, kw_only=True):
    """A request and what was said of its answer: `responses` oldest first, each as much of the answer as its author wrote."""

    request: str
    domain: str | None
    schema: Json
    responses: Sequence[Json]
    notes: Sequence[str]

    @property
    def truth(self) -> Json:
        """What the answer should be: of each field what was said last, without citations and without what the schema does not ask for."""
        said: Json = {}
        for response in self.responses:
            said |= {name: _bare(value) for name, value in response.items()}
        return {name: said[name] for name in self.schema.get("properties", {}) if name in said}

    @property
    def set(self) -> str:
        """The name of its folder: the domain's where the schema is, else with the schema's hash."""
        known = catalog().get(self.domain or "")
        if known is not None and known.json_schema == self.schema:
            return known.domain
        return f"{self.domain or 'own'}-{schema_hash(self.schema)}"


class Export:
    """A folder that corrected answers are written into. Raises Conflict when there is something in it already: what was deleted on the
    server since an earlier export would stay."""

    def __init__(self, folder: Path) -> None:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise Conflict(f"{folder} is not an empty folder; export into a new one.")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.sets: dict[str, int] = {}
        """How many documents of each set were written."""

    def add(self, corrected: Corrected, file: Path) -> None:
        """Write one document with its truth."""
        name = corrected.set
        place = self.folder / name
        if name not in self.sets:
            place.mkdir()
            _write(place / "schema.json", corrected.schema)
        document = place / (hashlib.sha256(corrected.request.encode()).hexdigest()[:12] + _suffix(file))
        shutil.copyfile(file, document)
        _write(document.with_name(document.name + ".json"), corrected.truth)
        line = {"file": f"{name}/{document.name}", "request_id": corrected.request, "notes": list(corrected.notes)}
        with (self.folder / "feedback.jsonl").open("a", encoding="utf-8") as said:
            said.write(json.dumps(line, ensure_ascii=False) + "\n")
        self.sets[name] = self.sets.get(name, 0) + 1


def _suffix(file: Path) -> str:
    try:
        return mimetypes.guess_extension(sniff_file(file).media_type) or ""
    except MediaError:
        return ""


def _write(path: Path, value: Json) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _bare(value: Any) -> Any:
    """`value` without the citations that answers carry."""
    if isinstance(value, dict):
        items = cast("Json", value).items()
        return {name: _bare(child) for name, child in items if not name.endswith(METADATA_SUFFIX)}
    return [_bare(child) for child in cast("list[Any]", value)] if isinstance(value, list) else value
