from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.media.recording import Said
from heliograph.perception.speech.joining import joined

WORDS = ["the", "a", "quiet", "morning", "came", "over", "hills", "and", "we", "went", "on", "again"]


def said(words: list[str], every: float = 0.4) -> list[Said]:
    return [Said(f" {word}", n * every, n * every + 0.3) for n, word in enumerate(words)]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=4, max_size=60), st.floats(0.1, 0.9), st.floats(-0.25, 0.25))
def test_a_text_heard_in_two_overlapping_parts_comes_out_once_and_whole(words: list[str], place: float, slip: float) -> None:
    whole = said(words)
    seam, reach = place * whole[-1].end, 1.5
    before = [word for word in whole if word.end <= seam + reach]
    after = [Said(word.text.title(), word.start + slip, word.end + slip) for word in whole if word.start >= seam - reach]
    left, right = joined(before, after, seam, reach)
    assert [word.text.lower() for word in [*left, *right]] == [word.text for word in whole]


def test_words_cut_in_half_at_the_edges_are_taken_from_the_part_that_has_them_whole() -> None:
    before = [Said(" good", 0, 0.4), Said(" morning", 0.5, 1.0), Said(" every", 1.1, 1.4)]
    after = [Said(" Ning", 0.8, 1.0), Said(" everybody,", 1.1, 1.6), Said(" hello", 1.7, 2.0)]
    left, right = joined(before, after, 1.0, 0.5)
    assert [word.text for word in [*left, *right]] == [" good", " morning", " everybody,", " hello"]
