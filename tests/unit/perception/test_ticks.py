"""Boxes to tick are seen as squares, with or without ink in them, and nothing else is."""

from __future__ import annotations

import pytest
from tests.unit.perception.drawing import Drawing

from heliograph.media.document import Word
from heliograph.media.geometry import Box
from heliograph.perception.ticks import with_ticks

WIDTH, HEIGHT = 612.0, 792.0


def sheet(dpi: float) -> tuple[Drawing, float]:
    """A Letter page at `dpi`, and the pixels of a point."""
    return Drawing(round(WIDTH * dpi / 72), round(HEIGHT * dpi / 72)), dpi / 72


def seen(page: Drawing, words: list[Word] | None = None) -> list[tuple[str, int, int]]:
    """The marks found, with their places in points."""
    found = with_ticks(words or [], page.pixels, WIDTH, HEIGHT)
    return sorted((w.text, round(w.box.x * WIDTH), round(w.box.y * HEIGHT)) for w in found if w.text in "☐☑")


def square(page: Drawing, unit: float, x: float, y: float, side: float = 9, width: int = 1) -> None:
    page.pen.rectangle((x * unit, y * unit, (x + side) * unit, (y + side) * unit), outline="black", width=width)


@pytest.mark.parametrize("dpi", [100, 150, 200])
@pytest.mark.parametrize("side", [7, 9, 14])
def test_squares_are_ticked_when_there_is_ink_in_them(dpi: float, side: float) -> None:
    page, unit = sheet(dpi)
    pen = max(1, round(unit))
    for number, x in enumerate((60, 160, 260, 360)):
        square(page, unit, x, 100, side, pen)
        a, b, m = x * unit, 100 * unit, side * unit
        if number == 1:  # a cross
            page.pen.line((a, b, a + m, b + m), fill="black", width=pen)
            page.pen.line((a, b + m, a + m, b), fill="black", width=pen)
        if number == 2:  # a tick that leaves the box
            page.pen.line((a + 0.2 * m, b + 0.4 * m, a + 0.45 * m, b + 0.8 * m), fill="black", width=pen)
            page.pen.line((a + 0.45 * m, b + 0.8 * m, a + 1.4 * m, b - 0.5 * m), fill="black", width=pen)
    assert [mark for mark, _, _ in sorted(seen(page), key=lambda found: found[1])] == ["☐", "☑", "☑", "☐"]


def test_a_box_on_the_border_of_a_table_is_one() -> None:
    page, unit = sheet(150)
    page.pen.line((40 * unit, 109 * unit, 500 * unit, 109 * unit), fill="black", width=2)
    square(page, unit, 60, 100, 9, 2)
    assert seen(page) == [("☐", 60, 100)]


def test_places_for_digits_and_cells_of_tables_are_no_boxes_to_tick() -> None:
    page, unit = sheet(150)
    for number in range(9):
        square(page, unit, 60 + 16 * number, 100, 14)
    for column in range(5):
        page.pen.line(((60 + 15 * column) * unit, 200 * unit, (60 + 15 * column) * unit, 260 * unit), fill="black")
        page.pen.line((60 * unit, (200 + 15 * column) * unit, 120 * unit, (200 + 15 * column) * unit), fill="black")
    assert seen(page) == []


def test_letters_that_were_read_are_no_boxes_and_a_letter_read_for_a_box_gives_way() -> None:
    page, unit = sheet(150)
    square(page, unit, 60, 100, 9)
    page.text(80 * unit, 100 * unit, "Order", 20)
    around = Box.from_xyxy(60, 100, 69, 109, width=WIDTH, height=HEIGHT)
    assert seen(page, [Word("口", around, 0.6)]) == [("☐", 60, 100)]
    assert seen(page, [Word("DO", around, 0.9)]) == []
    assert seen(page, [Word("7", around, 1.0)]) == []
