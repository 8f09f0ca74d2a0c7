"""Text that stands on end on an upright page."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw
from tests.unit.perception.drawing import Drawing, placed, receipt

from heliograph.media.document import Word
from heliograph.media.geometry import Box
from heliograph.perception.ocr import ReadImage, TextReader
from heliograph.perception.order import ON_END, arrange
from heliograph.perception.sideways import strips, unruled


def stamped(turn: int) -> Image.Image:
    """A receipt whose rules run through a stamp that was set on end."""
    page = receipt()
    stamp = Drawing(420, 90)
    stamp.text(10, 20, "2009 MAR 14 PM 2:45", 36)
    side = stamp.image.rotate(turn, expand=True)
    page.image.paste(side, (410 if turn == 90 else 400, 210))
    pen = ImageDraw.Draw(page.image)
    for y in (300, 415, 530):
        pen.line([(40, y), (660, y)], fill="black", width=3)
    return page.image


def on_end(read: ReadImage) -> list[str]:
    return [" ".join(word.text for word in line.words) for line in read.lines if line.stands]


@pytest.mark.parametrize("turn", [90, 270])
def test_a_stamp_on_end_is_read_as_one_line_in_its_own_direction(reader: TextReader, turn: int) -> None:
    read = reader.read(np.asarray(stamped(turn)))
    assert read.turn == 0
    assert ["".join(filter(str.isalnum, text)) for text in on_end(read)] == ["2009MAR14PM245"]
    tops = [word.box[1] for line in read.lines if line.stands for word in line.words]
    assert tops == sorted(tops, reverse=turn == 90)


def test_what_stands_upright_beside_a_stamp_is_still_read(reader: TextReader) -> None:
    texts = [word.text for line in reader.read(np.asarray(stamped(90))).lines for word in line.words]
    assert {"Sourdough", "loaf", "4.20", "25.92"} <= set(texts)


@pytest.mark.parametrize("angle", [-84.0, 93.0])
def test_a_box_in_a_turned_strip_is_found_on_the_page(angle: float) -> None:
    page = np.zeros((400, 300, 3), np.uint8)
    page[150:190, 120:130] = 255
    (strip,) = strips([((110, 140, 140, 220), angle)], 300, 400)
    turned = np.rot90(page[strip.top : strip.bottom, strip.left : strip.right], -strip.turn // 90)
    rows, columns = np.nonzero(turned[..., 0])
    box = (float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1))
    assert strip.on_image(box) == (120, 150, 130, 190)


def test_pieces_of_one_line_share_a_strip_and_upright_ones_have_none() -> None:
    pieces = [((100.0, 100.0, 120.0, 180.0), 88.0), ((102.0, 260.0, 122.0, 330.0), 90.0), ((10.0, 10.0, 90.0, 30.0), 1.0)]
    assert len(strips(pieces, 600, 800)) == 1
    assert len(strips([*pieces, ((400.0, 100.0, 420.0, 180.0), 90.0)], 600, 800)) == 2


def test_a_rule_is_taken_out_and_the_strokes_across_it_are_not() -> None:
    strip = np.full((80, 200, 3), 255, np.uint8)
    strip[:, 100:103] = 0
    strip[40:46, 80:120] = 0
    clear = unruled(strip)
    assert clear is not None
    assert (clear[:30, 95:110] == 255).all()
    assert (clear[41:45, 80:120] == 0).all()
    assert unruled(np.full((80, 200, 3), 255, np.uint8)) is None


def test_words_marked_as_one_line_on_end_stay_together_however_short() -> None:
    boxes = [("2009", 100), ("MAR", 130), ("3", 155)]
    stamp = [Word(text, Box.from_xyxy(300, y, 322, y + 20, width=600, height=800), line=ON_END - 3, size=20) for text, y in boxes]
    beside = placed(40, 128, "Other words that go on")
    assert [line.text for line in arrange([*stamp, *beside], 600, 800).lines] == ["Other words that go on", "2009 MAR 3"]
