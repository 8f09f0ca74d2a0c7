from __future__ import annotations

import numpy as np
import pytest
import zxingcpp
from tests.unit.perception.drawing import Drawing, receipt

from heliograph.media.geometry import Box
from heliograph.perception.barcodes import find_barcodes


def with_code(text: str, kind: zxingcpp.BarcodeFormat, scale: int) -> tuple[np.ndarray, Box]:
    code = np.array(zxingcpp.create_barcode(text, kind).to_image(scale=scale))
    page = receipt().pixels.copy()
    height, width = code.shape[:2]
    page[750 : 750 + height, 100 : 100 + width] = code.reshape(height, width, 1) if code.ndim == 2 else code
    return page, Box.from_xyxy(100, 750, 100 + width, 750 + height, width=page.shape[1], height=page.shape[0])


@pytest.mark.parametrize(
    ("text", "kind", "scale"),
    [
        ("https://example.org/r/4711", zxingcpp.BarcodeFormat.QRCode, 4),
        ("INV-2024-0017", zxingcpp.BarcodeFormat.Code128, 2),
        ("shipment 88", zxingcpp.BarcodeFormat.DataMatrix, 5),
        ("4006381333931", zxingcpp.BarcodeFormat.EAN13, 2),
    ],
)
def test_a_code_on_a_page_is_read_where_it_stands(text: str, kind: zxingcpp.BarcodeFormat, scale: int) -> None:
    page, box = with_code(text, kind, scale)
    (code,) = find_barcodes(page)
    assert code.text == text
    assert code.box.intersection(box) > 0.95 * code.box.area


def test_a_page_of_text_and_rules_has_no_codes() -> None:
    page = receipt()
    for x in range(50, 650, 4):
        page.pen.line((x, 800, x, 900), fill="black", width=1 + x % 3)
    assert find_barcodes(page.pixels) == []
    assert find_barcodes(Drawing().pixels) == []


def test_a_code_whose_dark_parts_are_a_colourful_picture_is_read() -> None:
    code = np.array(zxingcpp.create_barcode("https://example.org/r/4711", zxingcpp.BarcodeFormat.QRCode).to_image(scale=6))
    height, width = code.shape[:2]
    dark = code.reshape(height, width) < 128
    # the dark modules show a picture, from nearly black to nearly as light as paper
    picture = np.full((height, width, 3), 255, np.uint8)
    greys = np.random.default_rng(0).integers(30, 225, (height // 6 + 1, width // 6 + 1, 1))
    picture[dark] = greys.repeat(3, axis=2).repeat(6, axis=0).repeat(6, axis=1)[:height, :width][dark]
    (found,) = find_barcodes(np.pad(picture, ((30, 30), (30, 30), (0, 0)), constant_values=255))
    assert found.text == "https://example.org/r/4711"
    # 25 modules of 6 pixels, behind the code's own quiet zone of 4 modules and a margin of 30 pixels
    assert found.box.iou(Box.from_xyxy(54, 54, 204, 204, width=width + 60, height=height + 60)) > 0.9


@pytest.mark.parametrize("shape", [(1, 1, 3), (3000, 1, 3), (2, 5000, 3)])
def test_pictures_of_any_proportions_are_looked_at(shape: tuple[int, int, int]) -> None:
    assert find_barcodes(np.full(shape, 128, np.uint8)) == []
