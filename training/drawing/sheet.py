"""Pages on which text is put, and which remember where: a PDF with a text layer, and the truth about it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from reportlab.lib.colors import Color
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from training.drawing.content import Line, Paper, Piece
from training.drawing.truth import Element, Mark, Truth

SIZES: dict[Paper, tuple[float, float]] = {
    "a4": (595.28, 841.89), "letter": (612, 792), "thermal": (227, 600), "card": (325, 205), "wide": (1224, 792),
}  # fmt: skip
DESCENDING = frozenset("gjpqyQçş,;()[]{}|/@§")
RISING = frozenset("bdfhijklt!?%&$€£#*'\"()[]{}|/\\@§º°áàâäãéèêëíìîïóòôöõúùûüñ")


class Ink(NamedTuple):
    """A line as it was put: page, left, top, right, bottom in points, text."""

    page: int
    x0: float
    y0: float
    x1: float
    y1: float
    text: str


def width(text: str, font: str, size: float) -> float:
    """How wide a text runs, in points."""
    return float(stringWidth(text, font, size))


class Sheet:
    """A PDF that is drawn from the upper left corner down, in points. Text is put by its baseline."""

    def __init__(self, path: Path, paper: Paper, height: float | None = None) -> None:
        self.width, self.height = SIZES[paper]
        self.height = height or self.height
        self.canvas = Canvas(str(path), pagesize=(self.width, self.height), invariant=1, pageCompression=1)
        self.truth = Truth()
        self.page = 0
        self.ink: list[Ink] = []

    def put(self, x: float, y: float, line: Line, font: str, size: float, *, grey: float = 0.0) -> float:
        """A line of pieces beginning at `x` on the baseline `y`; returns where it ends. `grey`: 0 black to 1 white."""
        self.canvas.setFillColor(Color(grey, grey, grey))
        self.canvas.setFont(font, size)
        wide = sum(width(piece.text, font, size) for piece in line)
        self.ink.append(Ink(self.page, x, y - 0.74 * size, x + wide, y + 0.21 * size, "".join(piece.text for piece in line)))
        for piece in line:
            self.canvas.drawString(x, self.height - y, piece.text)
            end = x + width(piece.text, font, size)
            if piece.answers:
                self._mark(x, y, piece.text, font, size, piece.answers)
            x = end
        return x

    def _mark(self, x: float, y: float, text: str, font: str, size: float, answers: dict[str, object]) -> None:
        """The box of the ink: from the first letter to the last, as high and as low as these letters reach."""
        bare = text.strip()
        left = x + width(text[: len(text) - len(text.lstrip())], font, size)
        right = left + width(bare, font, size)
        top = y - (0.74 if any(letter.isupper() or letter.isdigit() or letter in RISING for letter in bare) else 0.54) * size
        bottom = y + (0.21 if any(letter in DESCENDING for letter in bare) else 0.01) * size
        x0, x1, y0, y1 = left / self.width, right / self.width, top / self.height, bottom / self.height
        for path, value in answers.items():
            self.truth.add(path, value, self.page, (x0, y0, x1, y0, x1, y1, x0, y1))

    def mark_box(self, x: float, y: float, w: float, h: float, answers: dict[str, object]) -> None:
        """A value that is drawn rather than written, such as a tick, in the box from its upper left corner."""
        x0, y0, x1, y1 = x / self.width, y / self.height, (x + w) / self.width, (y + h) / self.height
        for path, value in answers.items():
            self.truth.add(path, value, self.page, (x0, y0, x1, y0, x1, y1, x0, y1))

    def element(self, category: str, since: int, cells: list[list[str]] | None = None) -> None:
        """Note what was put since there were `since` lines of ink, on the page where it begins, as a block of the page."""
        lines = [ink for ink in self.ink[since:] if ink.page == self.ink[since].page and ink.text.strip()] if since < len(self.ink) else []
        if lines:
            x0, y0 = min(ink.x0 for ink in lines) / self.width, min(ink.y0 for ink in lines) / self.height
            x1, y1 = max(ink.x1 for ink in lines) / self.width, max(ink.y1 for ink in lines) / self.height
            mark = Mark(" ".join(ink.text.strip() for ink in lines), [(lines[0].page, (x0, y0, x1, y0, x1, y1, x0, y1))])
            self.truth.elements.append(Element(category, mark, cells or []))

    def rule(self, x0: float, y0: float, x1: float, y1: float, weight: float = 0.6, grey: float = 0.0) -> None:
        """A straight line."""
        self.canvas.setLineWidth(weight)
        self.canvas.setStrokeColor(Color(grey, grey, grey))
        self.canvas.line(x0, self.height - y0, x1, self.height - y1)

    def box(self, x: float, y: float, w: float, h: float, *, fill: float | None = None, weight: float = 0.6) -> None:
        """A rectangle from its upper left corner; `fill`: its grey."""
        self.canvas.setLineWidth(weight)
        self.canvas.setStrokeColor(Color(0, 0, 0))
        if fill is not None:
            self.canvas.setFillColor(Color(fill, fill, fill))
        self.canvas.rect(x, self.height - y - h, w, h, stroke=int(weight > 0), fill=int(fill is not None))

    def stamp(self, x: float, y: float, text: str, font: str, size: float, degrees: float) -> None:
        """Large grey words across what is there."""
        self.canvas.saveState()
        self.canvas.translate(x, self.height - y)
        self.canvas.rotate(degrees)
        self.canvas.setFillColor(Color(0.75, 0.3, 0.3, alpha=0.55))
        self.canvas.setFont(font, size)
        self.canvas.drawString(0, 0, text)
        self.canvas.restoreState()

    def next_page(self) -> None:
        """Go on to an empty page."""
        self.canvas.showPage()
        self.page += 1

    def save(self) -> None:
        """Write the file."""
        self.canvas.showPage()
        self.canvas.save()


def wrap(line: Line, font: str, size: float, room: float) -> list[Line]:
    """The pieces in lines of at most `room` points, broken between words; a word that is longer stands alone."""
    made: list[list[tuple[str, dict[str, object]]]] = [[]]
    used = 0.0
    for piece in line:
        words = piece.text.split(" ")
        for position, word in enumerate(words):
            text = word + (" " if position < len(words) - 1 else "")
            wide = width(text.rstrip(), font, size)
            if used and used + wide > room and word:
                made.append([])
                used = 0.0
            if made[-1] and made[-1][-1][1] is piece.answers:
                made[-1][-1] = (made[-1][-1][0] + text, piece.answers)
            elif text:
                made[-1].append((text, piece.answers))
            used += width(text, font, size)
    return [tuple(Piece(text, answers) for text, answers in pieces) for pieces in made if pieces]
