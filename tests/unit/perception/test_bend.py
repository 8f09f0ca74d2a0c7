from __future__ import annotations

import cv2
import numpy as np
from tests.unit.perception.drawing import Drawing

from heliograph.media.content import PageContent
from heliograph.media.document import Page, PageImage
from heliograph.media.geometry import Box
from heliograph.perception.bend import find_bend
from heliograph.perception.engine import read_page
from heliograph.perception.ocr import TextReader
from heliograph.perception.options import Options

ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
FRUITS = ["apples", "pears", "plums", "grapes", "cherries", "figs", "dates", "limes", "melons", "nuts"]
LEFT = [f"The {word} of the left column stands here" for word in ORDINALS]
RIGHT = [f"and {word} on the right reads on below" for word in FRUITS]
SAG = 50
"""Pixels by which the sides of the bent sheet hang down."""


def sheet() -> Drawing:
    """Two columns of prose with a narrow gutter."""
    page = Drawing(1300, 900)
    for number, (left, right) in enumerate(zip(LEFT, RIGHT, strict=True)):
        page.text(100, 120 + 62 * number, left, 26)
        page.text(670, 120 + 62 * number, right, 26)
    return page


def sag(x: np.ndarray | float, width: int) -> np.ndarray | float:
    """How far down a spot of the bent sheet lies below its place on the flat one."""
    return SAG * (2 * np.asarray(x) / width - 1) ** 2


def bent(page: Drawing) -> np.ndarray:
    """The page as a sheet whose sides hang down, seen from the front."""
    height, width = page.pixels.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height + SAG, dtype=np.float32))
    return cv2.remap(page.pixels, x, (y - sag(x, width)).astype(np.float32), cv2.INTER_CUBIC, borderValue=(255, 255, 255))


def content(picture: np.ndarray) -> PageContent:
    height, width = picture.shape[:2]
    image = PageImage(width, height, np.ascontiguousarray(picture).tobytes())
    return PageContent(Page(0, float(width), float(height)), "missing", image=image)


def test_columns_of_a_bent_sheet_are_read_one_after_the_other() -> None:
    page = read_page(content(bent(sheet())), Options(threads=2))
    assert [line.text for line in page.lines] == LEFT + RIGHT


def test_boxes_on_a_bent_sheet_are_those_of_the_picture() -> None:
    drawn = sheet()
    picture = bent(drawn)
    page = read_page(content(picture), Options(threads=2))
    apples = next(word for word in page.words if word.text == "apples")
    x0, y0, x1, y1 = next(box for word, box in drawn.words if word == "apples")
    down = float(sag((x0 + x1) / 2, drawn.width))
    true = Box.from_xyxy(x0, y0 + down, x1, y1 + down, width=picture.shape[1], height=picture.shape[0])
    assert abs(apples.box.cx - true.cx) < 0.01
    assert abs(apples.box.cy - true.cy) < 0.01


def test_places_on_the_flat_sheet_are_found_on_the_picture_again(reader: TextReader) -> None:
    picture = bent(sheet())
    bend = find_bend(picture, reader.read(picture).lines)
    assert bend is not None
    spots = np.array([(150.0, 300.0), (640.0, 500.0), (1150.0, 800.0)])
    assert np.abs(bend.bent(bend.flat(spots)) - spots).max() < 1
    # a line that hung by more than thirty pixels is level to a few
    line = np.array([(x, 400.0 + float(sag(x, 1300))) for x in (150, 400, 650, 900, 1150)])
    assert np.ptp(line[:, 1]) > 28
    assert np.ptp(bend.flat(line)[:, 1]) < 8


def test_a_flat_sheet_has_no_bend_also_when_it_lies_askew(reader: TextReader) -> None:
    flat = sheet().pixels
    assert find_bend(flat, reader.read(flat).lines) is None
    turn = cv2.getRotationMatrix2D((650, 450), 2.5, 1)
    askew = cv2.warpAffine(flat, turn, (1300, 900), flags=cv2.INTER_CUBIC, borderValue=(255, 255, 255))
    assert find_bend(askew, reader.read(askew).lines) is None
