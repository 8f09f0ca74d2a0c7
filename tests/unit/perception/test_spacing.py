from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from heliograph.perception.recognition import Glyphs, Recogniser
from heliograph.perception.spacing import beginnings

HEIGHT = 32
CHARACTERS = "0123456789."


def typed(text: str, blanks: list[float], pitch: int = 14, ink: int = 8) -> tuple[Glyphs, NDArray[np.bool_]]:
    """A line of fixed pitch: each character of `text` a block of `ink` columns in the middle of its place."""
    mask = np.zeros((HEIGHT, pitch * len(text)), np.bool_)
    centres: list[float] = []
    for place, char in enumerate(text):
        if char != " ":
            width = 2 if char in "il" else ink
            start = place * pitch + (pitch - width) // 2
            mask[6:26, start : start + width] = True
            centres.append((place + 0.5) / len(text))
    letters = text.replace(" ", "")
    return Glyphs(letters, [0.99] * len(letters), centres, blanks, [{}] * len(letters)), mask


def test_white_around_a_narrow_letter_is_no_blank() -> None:
    glyphs, ink = typed("Descriptions", [0, 0, 0, 0, 0, 0.09, 0, 0.3, 0, 0, 0, 0])
    assert beginnings(glyphs, ink) == [0]


def test_a_blank_as_wide_as_a_character_parts_words_though_the_reader_saw_little_of_it() -> None:
    glyphs, ink = typed("Total due", [0, 0, 0, 0, 0, 0.06, 0, 0])
    assert beginnings(glyphs, ink) == [0, 5]


def test_without_white_the_reader_alone_decides() -> None:
    glyphs, ink = typed("Total due", [0, 0, 0, 0, 0, 0.06, 0, 0])
    assert beginnings(glyphs, np.ones_like(ink)) == [0, 5]


def test_an_empty_line_has_no_words() -> None:
    assert beginnings(Glyphs("", [], [], [], []), np.zeros((4, 4), np.bool_)) == []


class Columns:
    """A network that answers every line with the same columns."""

    def __init__(self, columns: NDArray[np.float32]) -> None:
        self.metadata = {"character": "\n".join(CHARACTERS)}
        self._columns = columns

    def __call__(self, *inputs: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        return [self._columns[None] for _ in inputs]

    def each(self, inputs: Iterable[NDArray[np.float32]], take: Callable[[int, NDArray[np.float32]], None]) -> None:
        for number, _ in enumerate(inputs):
            take(number, self._columns[None])


def emitted(*columns: dict[str, float]) -> Glyphs:
    """What is read when the columns of the network are these; what is missing to 1 is nothing."""
    names = ["", *CHARACTERS, " "]
    rows = np.array([[column.get(name, 0.0) for name in names] for column in columns], np.float32)
    rows[:, 0] = 1 - rows[:, 1:].sum(axis=1)
    return Recogniser(Columns(rows)).read([np.zeros((48, 8 * len(columns), 3), np.uint8)])[0]


def test_a_point_that_all_but_vanished_between_digits_is_read_at_its_own_low_score() -> None:
    glyphs = emitted({"2": 0.99}, {" ": 0.58, ".": 0.03}, {"3": 0.99}, {"0": 0.99})
    assert (glyphs.text, glyphs.blanks) == ("2.30", [0.0] * 4)
    assert glyphs.score < 0.8


def test_a_blank_between_digits_stays_one() -> None:
    glyphs = emitted({"2": 0.99}, {" ": 0.97, ".": 0.01}, {"3": 0.99}, {"0": 0.99})
    assert glyphs.text == "230"
    assert glyphs.blanks[1] > 0.9
