"""Zips for tests."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from typing import cast

SKILL_MD = '---\nname: orders\ndescription: "Reads orders: all of them"\nlicense: MIT\n---\n# Orders\n\nRead the order number.\n'


Entry = tuple[str | zipfile.ZipInfo, str | bytes]


def zipped(files: Mapping[str, str | bytes] | Iterable[Entry]) -> bytes:
    """A zip of `files`, as they come: nothing is checked, names may come twice."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        entries = cast("Iterable[Entry]", files.items() if isinstance(files, Mapping) else files)
        for name, content in entries:
            archive.writestr(name, content)
    return buffer.getvalue()
