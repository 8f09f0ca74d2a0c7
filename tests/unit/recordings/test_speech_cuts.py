from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.perception.speech.cuts import APART, LEAST, MARGIN, MOST, OVERLAP, PER_SECOND, Cut, Cutter

VOICE, NONE = 250, 5


def windows(*lengths: float) -> bytes:
    """Speech and silence by turns, in seconds, beginning with silence."""
    return b"".join(bytes([VOICE if n % 2 else NONE]) * round(length * PER_SECOND) for n, length in enumerate(lengths))


def cuts(chances: bytes, levels: bytes | None = None, block: int = 1875) -> list[Cut]:
    cutter, found = Cutter(), list[Cut]()
    levels = levels or bytes([100]) * len(chances)
    for at in range(0, len(chances), block):
        found += cutter.feed(chances[at : at + block], levels[at : at + block])
    return [*found, *cutter.finish()]


def test_nobody_speaks_in_silence_and_a_click_is_no_speech() -> None:
    assert cuts(windows(20)) == []
    assert cuts(windows(5, (LEAST - 1) / PER_SECOND, 5)) == []


def test_a_pause_of_two_seconds_always_parts() -> None:
    first, second = cuts(windows(1, 3, 2.5, 3, 1))
    assert first.start == round(PER_SECOND) - MARGIN
    assert second.start - first.end > round(1.9 * PER_SECOND)


def test_a_short_pause_parts_only_what_is_long_enough() -> None:
    assert len(cuts(windows(1, 5, 0.8, 5, 1))) == 1
    assert len(cuts(windows(1, 13, 0.8, 5, 1))) == 2


def test_talk_without_a_pause_is_cut_at_its_quietest_place_with_an_overlap() -> None:
    chances = windows(1, 60, 1)
    levels = bytearray(bytes([200]) * len(chances))
    quiet = round(18 * PER_SECOND)
    levels[quiet - 3 : quiet + 4] = bytes([120]) * 7
    found = cuts(chances, bytes(levels))
    seam = found[1].seam
    assert seam is not None
    assert abs(seam - quiet) <= 2
    assert (found[1].start, found[0].end) == (seam - OVERLAP, seam + OVERLAP)
    assert all(cut.end - cut.start <= MOST + 2 * MARGIN for cut in found)
    assert sum(cut.speech for cut in found) == round(60 * PER_SECOND)  # what two parts share is spoken once


turns = st.lists(st.floats(0.05, 40.0), min_size=1, max_size=14)


@settings(max_examples=60, deadline=None)
@given(turns, st.integers(1, 3000))
def test_all_speech_is_in_a_part_and_no_part_too_long_whatever_the_blocks(lengths: list[float], block: int) -> None:
    chances = windows(*lengths)
    found = cuts(chances, block=block)
    assert found == cuts(chances, block=len(chances) or 1)
    at = 0
    for n, length in enumerate(lengths):
        start, at = at, at + round(length * PER_SECOND)
        if n % 2 and at - start >= LEAST:
            covered = set[int]().union(*(range(cut.start, cut.end) for cut in found))
            assert covered.issuperset(range(start, at))
    for before, after in itertools.pairwise(found):
        assert after.start >= before.end or after.seam is not None
    assert all(0 <= cut.start < cut.end <= len(chances) and cut.end - cut.start <= MOST + APART for cut in found)
