from __future__ import annotations

import numpy as np
import pytest

from heliograph.media.recording import Said
from heliograph.perception.speech.hearing import Voice
from heliograph.perception.speech.speakers import grouped
from heliograph.perception.speech.turns import label, speakers


def word(start: float, end: float) -> Said:
    return Said(" word", start, end)


def test_words_go_to_the_turn_they_share_most_with_and_else_to_the_nearest() -> None:
    turns = [(0.0, 2.0, 7), (1.8, 4.0, 3)]
    words = [word(0.1, 0.5), word(1.7, 1.95), word(1.9, 2.5), word(5.0, 5.2)]
    assert speakers(words, turns) == ["A", "A", "B", "B"]


def test_letters_follow_the_order_of_the_first_words() -> None:
    assert speakers([word(5, 6), word(8, 9)], [(7.5, 9.5, 0), (4.5, 6.5, 1)]) == ["A", "B"]
    assert [label(place) for place in (0, 25, 26, 27, 702)] == ["A", "Z", "AA", "AB", "AAA"]


def test_a_short_word_between_anothers_is_that_ones_unless_there_is_a_pause() -> None:
    turns = [(0.0, 1.0, 0), (1.0, 1.3, 1), (1.3, 3.0, 0)]
    assert speakers([word(0.5, 1.0), word(1.02, 1.28), word(1.3, 1.8)], turns) == ["A", "A", "A"]
    turns = [(0.0, 1.0, 0), (1.5, 1.8, 1), (2.3, 3.0, 0)]
    assert speakers([word(0.5, 1.0), word(1.5, 1.8), word(2.3, 2.8)], turns) == ["A", "B", "A"]


def test_without_turns_nobody_is_named() -> None:
    assert speakers([word(0, 1)], []) == [None]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_voices_that_are_alike_are_one_speaker_and_short_ones_join_the_nearest(count: int) -> None:
    chance = np.random.default_rng(count)
    middles = chance.normal(size=(count, 256))
    voices: list[Voice] = []
    whose: list[int] = []
    for n in range(40):
        who = n if n < count else int(chance.integers(count))
        own = (middles[who] + 0.4 * chance.normal(size=256)).astype("<f4")
        voices.append(Voice([(float(n), n + 0.9)], 0.6 if n % 7 == 6 else 3.0, own.tobytes()))
        whose.append(who)
    assert grouped(voices) == whose


def test_no_voices_are_no_speakers() -> None:
    assert grouped([]) == []
