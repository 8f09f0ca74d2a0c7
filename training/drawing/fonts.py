"""Typefaces to draw with: the fourteen that every PDF reader has, and Debian's where they are installed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

DEBIAN = Path("/usr/share/fonts/truetype")


@dataclass(frozen=True)
class Face:
    """A typeface: the names of its plain and bold cuts as the PDF calls them."""

    plain: str
    bold: str


STANDARD = {
    "sans": (Face("Helvetica", "Helvetica-Bold"),),
    "serif": (Face("Times-Roman", "Times-Bold"),),
    "mono": (Face("Courier", "Courier-Bold"),),
}
FILES = {
    "train": {
        "sans": ("dejavu/DejaVuSans", "liberation/LiberationSans", "crosextra/Carlito", "roboto/unhinted/RobotoTTF/Roboto", "lato/Lato"),
        "serif": ("dejavu/DejaVuSerif", "liberation/LiberationSerif", "crosextra/Caladea"),
        "mono": ("dejavu/DejaVuSansMono", "liberation/LiberationMono"),
    },
    "held-out": {
        "sans": ("open-sans/OpenSans", "freefont/FreeSans", "liberation/LiberationSansNarrow", "roboto/unhinted/RobotoCondensed"),
        "serif": ("freefont/FreeSerif",),
        "mono": ("freefont/FreeMono", "hack/Hack"),
    },
}
"""Files without the cut's name, by what they are drawn for."""


@cache
def faces(layouts: str, style: str, *, standard: bool = False) -> tuple[Face, ...]:
    """The typefaces of a style (`sans`, `serif`, `mono`) for `train` or `held-out` layouts: the standard ones and, unless `standard`, the
    installed."""
    if standard:
        return STANDARD[style]
    found = [face for stem in FILES[layouts][style] if (face := _registered(DEBIAN / stem)) is not None]
    return (*STANDARD[style], *found)


@cache
def _registered(stem: Path) -> Face | None:
    plain = next((path for cut in ("-Regular", "") if (path := stem.with_name(f"{stem.name}{cut}.ttf")).exists()), None)
    bold = next((path for cut in ("-Bold", "Bold") if (path := stem.with_name(f"{stem.name}{cut}.ttf")).exists()), None)
    if plain is None or bold is None:
        return None
    for path in (plain, bold):
        pdfmetrics.registerFont(TTFont(path.stem, str(path)))  # pyright: ignore[reportUnknownMemberType]
    return Face(plain.stem, bold.stem)
