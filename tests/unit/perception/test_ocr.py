from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.unit.perception.drawing import Drawing, f1, receipt

from heliograph.errors import NotConfigured
from heliograph.media.geometry import Box
from heliograph.perception import inference, weights
from heliograph.perception.detection import Image as Pixels
from heliograph.perception.ocr import ReadImage, TextReader, Turn
from heliograph.perception.recognition import Glyphs, Recogniser, second_point


def texts(read: ReadImage) -> list[str]:
    return [word.text for line in read.lines for word in line.words]


def overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    return Box.from_xyxy(*a, width=5000, height=5000).iou(Box.from_xyxy(*b, width=5000, height=5000))


def test_reads_the_words_of_a_receipt(reader: TextReader) -> None:
    page = receipt()
    assert f1([word for word, _ in page.words], texts(reader.read(page.pixels))) >= 0.97


def test_boxes_are_tight_around_the_ink_of_each_word(reader: TextReader) -> None:
    page = receipt()
    read = [(word.text, word.box) for line in reader.read(page.pixels).lines for word in line.words]
    overlaps = [max((overlap(ink, box) for text, box in read if text == word), default=0.0) for word, ink in page.words]
    assert np.mean(overlaps) >= 0.85
    assert np.mean([o >= 0.7 for o in overlaps]) >= 0.95


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_page_that_does_not_stand_upright_reads_as_its_upright_twin(reader: TextReader, turn: Turn) -> None:
    page = receipt()
    lying = np.ascontiguousarray(np.rot90(page.pixels, turn // 90))  # counter-clockwise, so that a clockwise turn mends it
    twin, read = reader.read(page.pixels), reader.read(lying)
    assert (twin.turn, read.turn) == (0, turn)
    assert (read.width, read.height) == (page.width, page.height)
    assert texts(read) == texts(twin)


def test_a_page_known_to_be_upright_is_never_turned(reader: TextReader) -> None:
    assert reader.read(np.rot90(receipt().pixels, 2), upright=True).turn == 0


def test_a_picture_without_text_has_no_lines(reader: TextReader) -> None:
    shade = np.linspace(90, 220, 800)
    picture: NDArray[np.uint8] = np.repeat(np.add.outer(shade, shade)[:, :, None] / 2, 3, axis=2).astype(np.uint8)
    assert texts(reader.read(picture)) == []


def test_light_text_on_dark_paper_is_read_and_boxed(reader: TextReader) -> None:
    page = Drawing(700, 200, ink="white", paper="#203040")
    page.text(40, 80, "Outstanding balance 1,204.50", 30)
    read = reader.read(page.pixels)
    assert texts(read) == ["Outstanding", "balance", "1,204.50"]
    assert overlap(read.lines[0].words[2].box, page.words[2][1]) > 0.7


def test_spaces_between_words_are_kept(reader: TextReader) -> None:
    page = Drawing(1000, 160)
    page.text(30, 60, "No 3 of 4 sent to 17 A Long Lane at 9 am", 28)
    assert texts(reader.read(page.pixels)) == ["No", "3", "of", "4", "sent", "to", "17", "A", "Long", "Lane", "at", "9", "am"]


def test_single_digits_and_colons_that_stand_apart_are_read(reader: TextReader) -> None:
    page = Drawing(900, 700)
    for row, (name, count) in enumerate([("Plain rice", "1"), ("Green tea", "2"), ("Mixed noodles", "1"), ("Fried egg", "3")]):
        page.text(60, 60 + 60 * row, name)
        page.text(470, 60 + 60 * row, count)
        page.text(700, 60 + 60 * row, "12.50")
    for row, (label, end) in enumerate([("Rounding", 185), ("Discount", 185), ("Salesperson", 220)]):
        page.text(60, 360 + 60 * row, label)
        page.text(end, 360 + 60 * row, ":")
        page.text(700, 360 + 60 * row, "0.05")
    read = texts(reader.read(page.pixels))
    assert sorted(text for text in read if len(text) == 1) == ["1", "1", "2", "3", ":", ":", ":"]


def test_dots_of_dirt_and_rules_beside_lines_are_no_marks(reader: TextReader) -> None:
    page = Drawing(900, 500)
    for row in range(5):
        page.text(100, 60 + 70 * row, "Grilled chicken")
        page.text(600, 60 + 70 * row, "8.90")
        page.pen.ellipse((500, 70 + 70 * row, 505, 75 + 70 * row), fill="black")
    page.pen.line((450, 20, 450, 480), fill="black", width=3)
    assert sorted(texts(reader.read(page.pixels))) == sorted(["Grilled", "chicken", "8.90"] * 5)


def test_text_too_small_for_the_first_look_is_read_at_the_second(reader: TextReader) -> None:
    page = Drawing(3000, 3900)
    page.text(400, 1000, "small print in one corner of a large scan")
    page.text(400, 1050, "holds the number 4471-20 that is wanted")
    assert f1([word for word, _ in page.words], texts(reader.read(page.pixels))) >= 0.9


def test_a_leaning_page_says_by_how_much_it_leans(reader: TextReader) -> None:
    page = receipt()
    leaning = page.image.rotate(-3, resample=Image.Resampling.BICUBIC, fillcolor="white", expand=True)
    read = reader.read(np.asarray(leaning))
    angles = [line.angle for line in read.lines if sum(len(word.text) for word in line.words) > 10]
    assert np.median(angles) == pytest.approx(3, abs=0.7)
    assert f1([word for word, _ in page.words], texts(read)) >= 0.9


def test_the_other_runtime_reads_the_same(monkeypatch: pytest.MonkeyPatch, reader: TextReader) -> None:
    class Absent:
        def __init__(self, *_: object) -> None:
            raise ImportError("no OpenVINO here")

    monkeypatch.setattr(inference, "OpenVINO", Absent)
    page = receipt()
    assert texts(TextReader(2).read(page.pixels)) == texts(reader.read(page.pixels))


def test_the_preferred_runtime_is_the_one_that_runs() -> None:
    network = inference.load(weights.weights(*weights.RECOGNITION), 1, side_by_side=True)
    assert isinstance(network, inference.OpenVINO)
    assert len(network.metadata["character"].splitlines()) > 1000


def test_missing_weights_are_named_and_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "DETECTION", ("rapidocr", "models/gone.onnx"))
    with pytest.raises(NotConfigured, match=r"rapidocr does not hold models/gone\.onnx"):
        TextReader(1)


def test_a_package_that_is_not_installed_is_named() -> None:
    with pytest.raises(NotConfigured, match="no_such_package is not installed"):
        weights.weights("no_such_package", "models/x.onnx")


def test_many_shapes_of_lines_and_pages_leave_memory_flat(reader: TextReader) -> None:
    """Shapes are bucketed: after the buckets have been seen, further sizes add next to nothing."""

    def resident() -> float:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * 4096 / 2**20

    def look(count: int, offset: int) -> None:
        for step in range(count):
            page = Drawing(500 + 13 * step + offset, 160 + 7 * step)
            page.text(10, 20, "x" * (3 + (step * 5 + offset) % 37), 14 + step % 9)
            page.text(10, 90, "Amount due 12.50 EUR", 14 + (step + offset) % 11)
            reader.read(page.pixels, upright=True)

    look(24, 0)
    before = resident()
    look(24, 5)
    assert resident() - before < 60


def test_lines_read_to_tell_the_way_up_are_not_read_again(reader: TextReader, monkeypatch: pytest.MonkeyPatch) -> None:
    crops: list[bytes] = []
    read = Recogniser.read

    def counting(self: Recogniser, lines: Sequence[Pixels]) -> list[Glyphs]:
        crops.extend(line.tobytes() for line in lines)
        return read(self, lines)

    monkeypatch.setattr(Recogniser, "read", counting)
    assert len(reader.read(receipt().pixels).lines) >= 5
    assert len(crops) == len(set(crops))


@pytest.mark.parametrize(
    ("text", "at", "second"),
    [
        ("$1.4.50", 2, True),
        ("1.450,00", 1, True),
        ("47.80", 2, False),
        ("Total 2.30", 7, False),
        ("27.03.2018", 2, False),
        ("No 7.5 of", 4, False),
    ],
)
def test_a_point_is_not_put_back_into_a_number_that_has_one(text: str, at: int, second: bool) -> None:
    assert second_point(text, at) is second
