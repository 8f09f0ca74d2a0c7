"""Texts that stay are one text with its times."""

from __future__ import annotations

from heliograph.media.document import Barcode, Line, Page, Word
from heliograph.media.geometry import Box
from heliograph.media.recording import Frame, Shot
from heliograph.perception.scenes.texts import Read, together

TOP, BOTTOM = Box(0.1, 0.1, 0.5, 0.1), Box(0.1, 0.8, 0.5, 0.1)
SHOTS = [Shot(0, 10, 0, 249, 5)]


def read(time: float, *lines: tuple[str, Box] | tuple[str, Box, float], best: bool = False, codes: tuple[Barcode, ...] = ()) -> Read:
    page = Page(0, 100, 100, barcodes=list(codes))
    for number, (text, box, *score) in enumerate(lines):
        page.words.append(Word(text, box, score[0] if score else 0.9, number))
        page.lines.append(Line(text, box, [number]))
    return Read(Frame(time, page), time, best)


def times(found: list[Read], end: float = 10.0) -> list[tuple[str, float, float]]:
    return [(text.text, text.start, text.end) for text in together(found, SHOTS, end)[1]]


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
    frames, texts, _ = together(found, SHOTS, 10.0)
    assert [(frame.time, frame.until) for frame in frames] == [(0, 2), (2, 3), (3, 10.0)]
    assert [(text.text, text.frame, text.box.page) for text in texts] == [("Agenda", 0, 0), ("More", 2, 2)]
    assert [word.box.page for word in frames[2].page.words] == [2, 2]


def test_a_code_that_stays_is_one_code() -> None:
    code = Barcode("https://example.com", "QRCode", BOTTOM)
    found = [read(0), read(1, codes=(code,)), read(2, codes=(code,)), read(3)]
    codes = together(found, SHOTS, 10.0)[2]
    assert [(code.text, code.start, code.end, code.frame) for code in codes] == [("https://example.com", 1, 3, 0)]
