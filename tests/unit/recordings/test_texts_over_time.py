"""Texts that stay are one text with its times."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from heliograph.media.document import Barcode, Line, Page, Word
from heliograph.media.geometry import Box
from heliograph.media.recording import Frame, Shot
from heliograph.perception.scenes.texts import Read, settle, together
from heliograph.perception.scenes.watched import Moments

TOP, BOTTOM = Box(0.1, 0.1, 0.5, 0.1), Box(0.1, 0.8, 0.5, 0.1)
SHOTS = [Shot(0, 10, 0, 249, 5)]


def read(time: float, *lines: tuple[str, Box] | tuple[str, Box, float], best: bool = False, codes: tuple[Barcode, ...] = ()) -> Read:
    page = Page(0, 100, 100, barcodes=list(codes))
    for number, (text, box, *score) in enumerate(lines):
        page.words.append(Word(text, box, score[0] if score else 0.9, number))
        page.lines.append(Line(text, box, [number]))
    return Read(Frame(time, page), time, best)


def times(found: list[Read], end: float = 10.0) -> list[tuple[str, float, float]]:
    return [(text.text, text.start, text.end) for text in together(found, SHOTS, end).texts]


def test_a_text_that_stays_is_one_text() -> None:
    assert times([read(0, ("Agenda", TOP)), read(2, ("Agenda", TOP)), read(5)]) == [("Agenda", 0, 5)]


def test_the_best_reading_of_a_flickering_text_is_kept() -> None:
    found = [read(0, ("Quarterly repart", TOP, 0.7)), read(2, ("Quarterly report", TOP, 0.95)), read(4, ("Quartenly report", TOP, 0.8))]
    assert times(found) == [("Quarterly report", 0, 10.0)]


def test_a_counter_is_as_many_texts_as_it_shows() -> None:
    found = [read(second, (f"00:0{second}", TOP)) for second in range(4)]
    assert times(found, 4.0) == [("00:00", 0, 1), ("00:01", 1, 2), ("00:02", 2, 3), ("00:03", 3, 4.0)]


def test_one_text_at_two_places_is_two() -> None:
    assert times([read(0, ("Yes", TOP), ("Yes", BOTTOM)), read(3, ("Yes", TOP))]) == [("Yes", 0, 10.0), ("Yes", 0, 3)]


def test_a_frame_that_says_nothing_new_is_left_out_unless_it_stands_for_its_shot() -> None:
    found = [
        read(0, ("Agenda", TOP)),
        read(1, ("Agenda", TOP)),
        read(2, ("Agenda", TOP), best=True),
        read(3, ("Agenda", TOP), ("More", BOTTOM)),
    ]
    put = together(found, SHOTS, 10.0)
    frames, texts = put.frames, put.texts
    assert [(frame.time, frame.until) for frame in frames] == [(0, 2), (2, 3), (3, 10.0)]
    assert [(text.text, text.frame, text.box.page) for text in texts] == [("Agenda", 0, 0), ("More", 2, 2)]
    assert [word.box.page for word in frames[2].page.words] == [2, 2]


def test_a_code_that_stays_is_one_code() -> None:
    code = Barcode("https://example.com", "QRCode", BOTTOM)
    found = [read(0), read(1, codes=(code,)), read(2, codes=(code,)), read(3)]
    codes = together(found, SHOTS, 10.0).codes
    assert [(code.text, code.start, code.end, code.frame) for code in codes] == [("https://example.com", 1, 3, 1)]


def test_a_text_that_scrolls_is_one_text() -> None:
    found = [read(second, ("Camera Joao Almeida", Box(0.3, 0.9 - 0.2 * second, 0.4, 0.05))) for second in range(4)]
    assert times(found, 4.0) == [("Camera Joao Almeida", 0, 4.0)]


def test_letters_that_are_read_for_digits_make_no_new_text_and_other_digits_do() -> None:
    found = [read(0, ("HOME O : O AWAY", TOP)), read(1, ("HOME 0 : O AWAY", TOP)), read(2, ("HOME 1 : 0 AWAY", TOP))]
    assert [(start, end) for _, start, end in times(found)] == [(0, 2), (2, 10.0)]


def test_words_far_apart_on_a_line_are_texts_of_their_own() -> None:
    page = Page(0, 100, 100)
    page.words = [Word(text, Box(x, 0.1, 0.1, 0.02), 1, 0) for text, x in (("HOME", 0.1), ("2", 0.205), ("12:07", 0.4))]
    page.lines = [Line("HOME 2 12:07", Box(0.1, 0.1, 0.4, 0.02), [0, 1, 2])]
    found = together([Read(Frame(0, page), 0, True)], SHOTS, 1.0)
    assert [text.text for text in found.texts] == ["HOME 2", "12:07"]


def test_a_closer_look_says_when_texts_came_and_went() -> None:
    put = together([read(0, ("Agenda", TOP)), read(2, ("Budget", TOP), ("Note", BOTTOM)), read(4, ("Budget", TOP))], SHOTS, 10.0)
    assert [(turn.number, len(turn.came), len(turn.went)) for turn in put.turns] == [(1, 2, 1), (2, 0, 1)]
    settle(put, 1, Moments([1.2, None], [1.16]))
    settle(put, 2, Moments([], [3.5]))
    assert [(text.text, text.start, text.end) for text in put.texts] == [("Agenda", 0, 1.16), ("Budget", 1.2, 10.0), ("Note", 2, 3.5)]


words = st.text("abcdefgh", min_size=4, max_size=8)


@given(st.lists(st.lists(st.tuples(words, st.integers(0, 9)), max_size=4, unique_by=lambda line: line[1]), min_size=1, max_size=8))
def test_every_reading_is_part_of_one_text_and_texts_last_while_they_are_read(screens: list[list[tuple[str, int]]]) -> None:
    found = [
        read(number, *((text, Box(0.1, 0.1 * row, 0.5, 0.05)) for text, row in screen), best=number == 0)
        for number, screen in enumerate(screens)
    ]
    put = together(found, SHOTS, float(len(screens)))
    for text in put.texts:
        assert 0 <= text.start < text.end <= len(screens)
        assert put.frames[text.frame].page.index == text.frame == text.box.page
    for number, screen in enumerate(screens):
        showing = sum(text.start <= number < text.end for text in put.texts)
        assert showing == len(screen)
    assert [frame.page.index for frame in put.frames] == list(range(len(put.frames)))
