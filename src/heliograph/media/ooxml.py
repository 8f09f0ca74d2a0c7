"""Office Open XML packages, opened with bounds: no part or whole unpacks to more than allowed, and no XML entity expands."""

from __future__ import annotations

import posixpath
import zipfile
from pathlib import Path
from typing import Any

from lxml import etree as _etree  # pyright: ignore

from heliograph.errors import CorruptMedia, EncryptedMedia, MediaLimitExceeded
from heliograph.media.content import Limits

etree: Any = _etree  # pyright: ignore[reportUnknownVariableType]  it comes without types

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
STRICT = {
    b"http://purl.oclc.org/ooxml/wordprocessingml/main": b"http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    b"http://purl.oclc.org/ooxml/drawingml/main": b"http://schemas.openxmlformats.org/drawingml/2006/main",
    b"http://purl.oclc.org/ooxml/officeDocument/relationships": b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    b"http://purl.oclc.org/ooxml/officeDocument/math": b"http://schemas.openxmlformats.org/officeDocument/2006/math",
}
"""Namespaces of the strict dialect, ISO/IEC 29500-1 annex A, and the usual ones they stand for."""
MAX_PARTS = 20_000


def check_package(path: Path, limits: Limits) -> None:
    """Raises MediaLimitExceeded when the package would unpack to more than allowed, CorruptMedia when it cannot be opened.

    The sizes in the directory bind: Python's zipfile reads no more than they say.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise CorruptMedia(f"The Office document is damaged: {error}.") from None
    if len(entries) > MAX_PARTS or sum(entry.file_size for entry in entries) > limits.max_unpacked:
        raise MediaLimitExceeded(f"The Office document unpacks to more than the {limits.max_unpacked >> 20} MiB that this server reads.")
    if any(entry.flag_bits & 1 for entry in entries):
        raise EncryptedMedia


class Package:
    """The parts of a package by name."""

    def __init__(self, path: Path, limits: Limits) -> None:
        check_package(path, limits)
        self._archive = zipfile.ZipFile(path)
        self._names = set(self._archive.namelist())

    def close(self) -> None:
        """Release it."""
        self._archive.close()

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def names(self) -> list[str]:
        """All parts' names, sorted."""
        return sorted(self._names)

    def read(self, name: str) -> bytes:
        """A part's bytes. Raises CorruptMedia when it is missing or damaged."""
        try:
            return self._archive.read(name)
        except (KeyError, zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError) as error:
            raise CorruptMedia(f"The Office document is damaged: its part {name} cannot be read ({error}).") from None

    def xml(self, name: str) -> Any:
        """A part's root element. Raises CorruptMedia when it is not XML."""
        data = self.read(name)
        for strict, usual in STRICT.items():
            data = data.replace(strict, usual)
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True)
        root = etree.fromstring(data, parser)
        if root is None:
            raise CorruptMedia(f"The Office document is damaged: its part {name} is not XML.")
        return root

    def related(self, name: str) -> dict[str, tuple[str, str]]:
        """A part's relationships: id to (last word of the type, name of the target part); external ones left out."""
        folder, base = posixpath.split(name)
        place = f"{folder}/_rels/{base}.rels" if folder else f"_rels/{base}.rels"
        if place not in self._names:
            return {}
        found: dict[str, tuple[str, str]] = {}
        for relation in self.xml(place):
            target = relation.get("Target") or ""
            if relation.get("TargetMode") == "External" or not relation.get("Id"):
                continue
            full = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
            found[relation.get("Id")] = ((relation.get("Type") or "").rpartition("/")[2], full)
        return found

    def main(self) -> str:
        """The name of the main part."""
        for kind, target in self.related("").values():
            if kind == "officeDocument":
                return target
        raise CorruptMedia("The Office document is damaged: it does not say which part is its main one.")
