"""Pictures with known text: words drawn by Pillow, with the box of each word's ink; and PDF files with a text layer."""

from __future__ import annotations

import ctypes
import random
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pypdfium2
from PIL import Image, ImageDraw, ImageFont

from heliograph.media.document import Word
from heliograph.media.geometry import Box

raw = pypdfium2.raw


@dataclass
class Drawing:
    """A white page in pixels to draw words on."""

    width: int = 900
    height: int = 1200
    ink: str = "black"
    paper: str = "white"
    words: list[tuple[str, tuple[float, float, float, float]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.image = Image.new("RGB", (self.width, self.height), self.paper)
        self.pen = ImageDraw.Draw(self.image)

    def text(self, x: float, y: float, text: str, size: int = 24) -> None:
        """Draws words from `x` on, their tops at `y`, an ordinary space apart."""
        font = ImageFont.load_default(size)
        for word in text.split():
            self.pen.text((x, y), word, font=font, fill=self.ink)
            self.words.append((word, self.pen.textbbox((x, y), word, font=font)))
            x += self.pen.textlength(word + " ", font=font)

    def typed(self, x: float, y: float, text: str, size: int = 24, pitch: float = 15, step: float = 40) -> None:
        """Draws lines of `text` as a printer of fixed pitch does, each character in the middle of its place."""
        font = ImageFont.load_default(size)
        for number, line in enumerate(text.splitlines()):
            for column, char in enumerate(line):
                self.pen.text((x + pitch * (column + 0.5), y + step * number), char, font=font, fill=self.ink, anchor="ma")

    @property
    def pixels(self) -> np.ndarray:
        return np.asarray(self.image)


def receipt() -> Drawing:
    """A receipt of a dozen lines, labels on the left and amounts on the right."""
    page = Drawing(700, 1000)
    page.text(210, 40, "Corner Bakery Ltd", 34)
    page.text(220, 90, "12 Harbour Street, Bristol")
    page.text(60, 160, "Date: 14/03/2024")
    page.text(440, 160, "Till No. 7")
    for number, (name, amount) in enumerate(
        [
            ("Sourdough loaf", "4.20"),
            ("Oat milk 1 L", "2.15"),
            ("Butter croissant", "3.80"),
            ("Rye bread sliced", "5.05"),
            ("Jam jar", "6.40"),
        ]
    ):
        page.text(60, 240 + 46 * number, name)
        page.text(560, 240 + 46 * number, amount)
    page.text(60, 520, "Subtotal")
    page.text(560, 520, "21.60")
    page.text(60, 566, "VAT 20%")
    page.text(560, 566, "4.32")
    page.text(60, 620, "Total amount due", 30)
    page.text(545, 620, "25.92", 30)
    page.text(150, 720, "Thank you for your visit")
    return page


def f1(want: Iterable[str], got: Iterable[str]) -> float:
    """F1 of two bags of words."""
    a, b = Counter(want), Counter(got)
    return 2 * (a & b).total() / max(1, a.total() + b.total())


def placed(
    x: float, y: float, text: str, *, size: float = 10.0, width: float = 600.0, height: float = 800.0, bold: bool = False
) -> list[Word]:
    """Words in points, half as wide as tall per character."""
    words: list[Word] = []
    for part in text.split():
        w = 0.5 * size * len(part)
        words.append(Word(part, Box.from_xyxy(x, y, x + w, y + size, width=width, height=height), size=size, bold=bold))
        x += w + 0.3 * size
    return words


def typed(text: str, *, size: float = 10.0, pitch: float = 6.0, step: float = 14.0) -> list[Word]:
    """Words where a typewriter would set `text`, line by line, on a page of 600 x 800 points."""
    words: list[Word] = []
    for number, line in enumerate(text.splitlines()):
        for match in re.finditer(r"\S+", line):
            y = 100 + step * number
            box = Box.from_xyxy(
                50 + pitch * match.start(), y, 50 + pitch * match.end() - 0.08 * size, y + 0.9 * size, width=600, height=800
            )
            words.append(Word(match.group(), box, size=size))
    return words


def shuffled(words: Iterable[Word], seed: int = 7) -> list[Word]:
    """The words in another order."""
    result = list(words)
    random.Random(seed).shuffle(result)
    return result


def write_pdf(
    path: Path,
    pages: list[list[tuple[float, float, float, str]]],
    pictures: dict[int, tuple[Image.Image, tuple[float, float, float, float]]] | None = None,
    *,
    invisible: bool = False,
) -> Path:
    """A Letter PDF whose pages hold text runs `(x, top, size, text)` in points from the top left, and pictures in rectangles."""
    pdf = pypdfium2.PdfDocument.new()
    font = raw.FPDFText_LoadStandardFont(pdf, b"Helvetica")
    for number, runs in enumerate(pages):
        page = pdf.new_page(612, 792)
        if pictures and number in pictures:
            image, (x0, y0, x1, y1) = pictures[number]
            item = pypdfium2.PdfImage.new(pdf)
            item.set_bitmap(pypdfium2.PdfBitmap.from_pil(image))
            item.set_matrix(pypdfium2.PdfMatrix().scale(x1 - x0, y1 - y0).translate(x0, 792 - y1))
            page.insert_obj(item)
        for x, top, size, text in runs:
            item = raw.FPDFPageObj_CreateTextObj(pdf, font, ctypes.c_float(size))
            encoded = (text + "\0").encode("utf-16-le")
            raw.FPDFText_SetText(item, ctypes.cast(ctypes.c_char_p(encoded), ctypes.POINTER(ctypes.c_ushort)))
            if invisible:
                raw.FPDFTextObj_SetTextRenderMode(item, 3)
            raw.FPDFPageObj_Transform(item, 1, 0, 0, 1, x, 792 - top - size)
            raw.FPDFPage_InsertObject(page, item)
        page.gen_content()
    pdf.save(str(path))
    pdf.close()
    return path
