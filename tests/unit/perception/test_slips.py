from __future__ import annotations

import pytest

from heliograph.perception.recognition import Glyphs
from heliograph.perception.slips import mend


def line(text: str, doubts: dict[int, tuple[float, dict[str, float]]]) -> Glyphs:
    """A line read as `text`, sure but for the characters numbered in `doubts`, blanks not counted."""
    letters = text.replace(" ", "")
    blanks, gap = list[float](), 0.0
    for char in text:
        if char == " ":
            gap = 0.9
        else:
            blanks.append(gap)
            gap = 0.0
    scores = [doubts[number][0] if number in doubts else 0.99 for number in range(len(letters))]
    others = [doubts[number][1] if number in doubts else {} for number in range(len(letters))]
    return Glyphs(letters, scores, [number / len(letters) for number in range(len(letters))], blanks, others)


@pytest.mark.parametrize(
    ("text", "doubts", "mended"),
    [
        ("G3O,", {2: (0.56, {"0": 0.44})}, "G30,"),
        ("16.0C", {4: (0.7, {"0": 0.27})}, "16.00"),
        ("SERVATI0N", {7: (0.56, {"O": 0.44})}, "SERVATION"),
        ("Te1", {2: (0.74, {"l": 0.26})}, "Tel"),
        ("Ma11", {2: (0.7, {"l": 0.3}), 3: (0.6, {"l": 0.4})}, "Mall"),
        ("Ta×", {2: (0.59, {"X": 0.41})}, "TaX"),
        ("4 × 2", {1: (0.7, {"X": 0.29})}, "4X2"),
        ("SETIA ÁLAM", {5: (0.63, {"A": 0.3})}, "SETIAALAM"),
        ("NO. 17. LONG LANE", {5: (0.56, {",": 0.44})}, "NO.17,LONGLANE"),
    ],
)
def test_a_doubtful_character_gives_way_to_what_its_word_expects(
    text: str, doubts: dict[int, tuple[float, dict[str, float]]], mended: str
) -> None:
    glyphs = line(text, doubts)
    mend([glyphs])
    assert glyphs.text == mended
    assert all(glyphs.scores[number] < 0.5 for number in doubts)


@pytest.mark.parametrize(
    ("text", "doubts"),
    [
        ("VE05", {2: (0.6, {"O": 0.4})}),
        ("RM0.40", {2: (0.6, {"O": 0.4})}),
        ("IA00", {2: (0.6, {"O": 0.4}), 3: (0.6, {"O": 0.4})}),
        ("A1B2C3", {1: (0.6, {"l": 0.4})}),
        ("2kg", {0: (0.6, {"z": 0.4})}),
        ("12.61 S", {4: (0.6, {"5": 0.4})}),
        ("50MX75", {2: (0.6, {"8": 0.05})}),
        ("Thank You. Bye", {8: (0.6, {",": 0.4})}),
        ("3.50", {1: (0.6, {",": 0.4})}),
    ],
)
def test_codes_amounts_and_units_stay_as_they_were_read(text: str, doubts: dict[int, tuple[float, dict[str, float]]]) -> None:
    glyphs = line(text, doubts)
    mend([glyphs])
    assert glyphs.text == text.replace(" ", "")


def test_an_accent_stays_where_the_picture_has_others() -> None:
    doubtful = line("SETIA ÁLAM", {5: (0.63, {"A": 0.3})})
    mend([doubtful, line("São Paulo", {})])
    assert doubtful.text == "SETIAÁLAM"
