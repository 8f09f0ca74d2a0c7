from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.unit.perception.drawing import Drawing, receipt

from heliograph.media.content import PageContent
from heliograph.media.document import Page, PageImage
from heliograph.perception.engine import read_page
from heliograph.perception.ocr import TextReader
from heliograph.perception.options import Options
from heliograph.perception.scripts import UNKNOWN, unread

DRAWN = Path(__file__).parents[2] / "data" / "scripts"
"""Six lines in each script: names of languages, countries, months and units out of Unicode's CLDR, drawn in free fonts."""


def pixels(name: str) -> np.ndarray:
    return np.asarray(Image.open(DRAWN / f"{name}.png").convert("RGB"))


def content(picture: np.ndarray) -> PageContent:
    height, width = picture.shape[:2]
    image = PageImage(width, height, np.ascontiguousarray(picture).tobytes())
    return PageContent(Page(0, float(width), float(height)), "missing", image=image)


@pytest.mark.parametrize("name", sorted({path.stem for path in DRAWN.glob("*.png")} - {"myanmar"}))
def test_a_page_in_a_script_that_is_not_read_says_so_and_hands_out_no_words(name: str) -> None:
    page = read_page(content(pixels(name)), Options(threads=2))
    assert page.warnings == [f"unreadable: {name.title()} script on page 1"]
    assert {line.script for line in page.unread} == {name.title()}
    assert len(page.unread) == 6
    assert page.words == []


def test_a_script_whose_rings_pass_for_letters_is_named_all_the_same() -> None:
    page = read_page(content(pixels("myanmar")), Options(threads=2))
    assert page.warnings == ["unreadable: Myanmar script on page 1"]


def test_the_readable_part_of_a_page_in_two_scripts_is_read(reader: TextReader) -> None:
    form = Drawing(620, 560)
    form.text(20, 30, "Invoice 4711 of 14/03/2024")
    form.text(20, 80, "Total amount due 25.92")
    form.text(20, 130, "Harbour Street 12, Bristol")
    picture = form.pixels.copy()
    picture[220:550] = pixels("arabic")
    read = reader.read(picture)
    assert [line.script for line in read.unread] == ["Arabic"] * 6
    assert all(line.box[1] > 220 for line in read.unread)
    assert {"4711", "25.92", "Bristol"} <= {word.text for line in read.lines for word in line.words}


@pytest.mark.parametrize("blur", [0, 5])
def test_latin_print_is_never_called_unreadable(reader: TextReader, blur: int) -> None:
    page = receipt()
    picture = np.asarray(page.image.resize((page.width // max(1, blur), page.height // max(1, blur))).resize((page.width, page.height)))
    assert [line.script for line in reader.read(picture).unread if line.script != UNKNOWN] == []


def test_a_single_doubtful_line_on_a_readable_page_names_no_script() -> None:
    likely = np.array([[0.05, 0.9, 0.05]])
    assert unread(["Latin", "Thai", "None"], likely, 0.1) == [None]


def test_what_most_lines_of_a_page_are_decides_those_that_could_be_either() -> None:
    likely = np.array([[0.1, 0.8, 0.1]] * 5 + [[0.1, 0.42, 0.48]])
    assert unread(["Latin", "Thai", "Lao"], likely, 0.5) == ["Thai"] * 6


def test_a_page_of_which_nothing_can_be_read_or_named_is_unknown() -> None:
    likely = np.array([[0.3, 0.2, 0.2, 0.3]] * 6)
    assert unread(["Latin", "Thai", "Lao", "None"], likely, 0.95) == [UNKNOWN] * 6
