import pytest

from heliograph.agents.recordings import seconds_of
from heliograph.agents.spoken import said, shown
from heliograph.media.geometry import Box
from heliograph.media.recording import Said, Segment, Shown, Transcript


def heard(*sentences: str, timed: bool = True) -> Transcript:
    segments: list[Segment] = []
    at = 0.0
    for sentence in sentences:
        words = [Said(word, at + place, at + place + 0.8) for place, word in enumerate(sentence.split())]
        segments.append(Segment(at, words[-1].end, sentence, words if timed else []))
        at = words[-1].end + 2
    return Transcript(at, segments)


TALK = heard("We planned the annual budgets today.", "The Kubernetes cluster costs more, and nobody budgeted for it.")


def test_other_inflections_are_found_with_their_times() -> None:
    assert [(hit.text, hit.start, hit.score) for hit in said(TALK, "budget")] == [("budgets", 4.0, 0.95), ("budgeted", 14.8, 0.95)]


def test_a_phrase_is_found_where_its_words_follow_each_other_whatever_small_words_stand_between() -> None:
    assert [hit.text for hit in said(TALK, "annual budget")] == ["annual budgets"]
    assert [hit.text for hit in said(TALK, "cost more nobody")] == ["costs more, and nobody"]


def test_words_far_apart_are_found_where_all_are_said_soon_after_another() -> None:
    hits = said(TALK, "cluster budget")
    assert [(hit.text.split()[0], hit.text.split()[-1]) for hit in hits] == [("cluster", "budgeted")]
    assert hits[0].score < 0.6


def test_a_letter_heard_wrongly_does_not_matter_in_a_long_word_and_does_in_a_short_one() -> None:
    assert [hit.score < 0.95 for hit in said(heard("the kubernetis cluster"), "kubernetes")] == [True]
    assert said(heard("a cat sat"), "cot") == []


def test_without_times_of_words_they_are_taken_to_be_spread_evenly() -> None:
    (hit,) = said(heard("one two three four", timed=False), "three")
    assert hit.start == pytest.approx(1.9, abs=0.2)


def test_nothing_is_found_of_nothing() -> None:
    assert said(TALK, "?!") == said(Transcript(3), "budget") == said(TALK, "zeppelin") == []


def test_what_is_shown_is_found_as_a_whole() -> None:
    texts = [Shown("Quarterly budget 2026", 1.0, 5.0, Box(0, 0, 1, 1), 0.99, 0), Shown("Thanks", 5.0, 9.0, Box(0, 0, 1, 1), 0.99, 1)]
    assert [(hit.start, hit.end, hit.text, hit.how) for hit in shown(texts, "budgets")] == [(1.0, 5.0, "Quarterly budget 2026", "shown")]


@pytest.mark.parametrize(
    ("written", "seconds"), [("1:15", 75.0), ("75", 75.0), ("1:02:03.5", 3723.5), ("12s", 12.0), (3, 3), ("soon", "soon"), ("2,5 sec", 2.5)]
)
def test_times_are_understood_as_people_write_them(written: object, seconds: object) -> None:
    assert seconds_of(written) == seconds
