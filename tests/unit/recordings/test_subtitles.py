from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.errors import InvalidRequest
from heliograph.media.recording import Said, Segment, Transcript
from heliograph.media.subtitles import LINES, WIDTH, Cue, columns, cues, laid, parse, srt, vtt

TALK = (
    "The first thing we have to talk about is the budget, which grew. Nobody really knew why it did. Now we do, "
    "and we want an answer by Friday."
)


def segment(text: str, start: float = 0.0, pace: float = 0.3, speaker: str | None = None) -> Segment:
    words = [Said(word, start + pace * place, start + pace * (place + 0.9)) for place, word in enumerate(text.split())]
    return Segment(start, words[-1].end, text, words, speaker)


def of(*segments: Segment) -> Transcript:
    return Transcript(duration=max((each.end for each in segments), default=0.0) + 5, segments=list(segments))


def test_cues_end_where_sentences_end_and_begin_when_their_first_word_is_said() -> None:
    found = cues(of(segment(TALK)))
    assert [cue.text for cue in found] == [
        "The first thing we have to talk about is the budget, which grew.",
        "Nobody really knew why it did.",
        "Now we do, and we want an answer by Friday.",
    ]
    assert [cue.start for cue in found] == pytest.approx([0.0, 3.9, 5.7])


def test_two_lines_are_of_about_one_length() -> None:
    assert laid("This sentence is a little longer than one line") == ["This sentence is a little", "longer than one line"]
    assert laid("One line is enough here") == ["One line is enough here"]


def test_a_cue_ends_at_a_long_pause() -> None:
    words = [Said("Well", 0, 0.5), Said("then", 0.6, 1.2), Said("let", 4.0, 4.3), Said("us", 4.4, 4.6), Said("go", 4.7, 5.2)]
    found = cues(Transcript(9, [Segment(0, 5.2, "Well then let us go", words)]))
    assert [(cue.text, cue.start) for cue in found] == [("Well then", 0.0), ("let us go", 4.0)]


def test_a_short_word_stays_until_it_can_be_read_unless_the_next_is_said() -> None:
    found = cues(Transcript(20, [Segment(1, 1.2, "Yes."), Segment(8, 8.2, "No."), Segment(8.5, 10, "Perhaps we should.")]))
    assert [(cue.start, cue.end) for cue in found] == [(1.0, 2.0), (8.0, 8.5), (8.5, 10.0)]


def test_scripts_without_spaces_are_broken_between_letters_and_never_before_closing_marks() -> None:
    text = "今天我们要谈论的是关于预算的问题，这是一个非常重要的话题，大家都要认真听。"
    found = cues(Transcript(12, [Segment(0, 11, text)]))
    assert "".join(line for cue in found for line in cue.lines) == text
    assert all(columns(line) <= WIDTH and line[0] not in "，。" for cue in found for line in cue.lines)


def test_a_word_longer_than_a_line_is_cut() -> None:
    found = cues(Transcript(9, [Segment(0, 5, "x" * 100)]))
    assert "".join(line for cue in found for line in cue.lines) == "x" * 100
    assert all(len(line) <= WIDTH for cue in found for line in cue.lines)


def test_subrip_numbers_cues_and_names_a_speaker_when_another_spoke_before() -> None:
    talk = of(segment("Hello there.", 0, speaker="A"), segment("Still me.", 3, speaker="A"), segment("And me.", 6, speaker="B"))
    assert srt(cues(talk)) == (
        "1\n00:00:00,000 --> 00:00:01,000\nSpeaker A: Hello there.\n\n"
        "2\n00:00:03,000 --> 00:00:04,000\nStill me.\n\n"
        "3\n00:00:06,000 --> 00:00:07,000\nSpeaker B: And me.\n"
    )


def test_webvtt_escapes_and_names_voices() -> None:
    shown = vtt([Cue(3661.5, 3662, ["a --> b", "R&D <i>"], "A")], language="en")
    assert shown == "WEBVTT\nLanguage: en\n\n01:01:01.500 --> 01:01:02.000\n<v Speaker A>a --&gt; b\nR&amp;D &lt;i&gt;\n"


def test_an_arrow_in_words_does_not_break_subrip() -> None:
    assert [cue.text for cue in parse(srt([Cue(0, 1, ["a --> b"]), Cue(1, 2, ["c"])]))] == ["a → b", "c"]


def test_silence_makes_files_without_cues() -> None:
    assert (srt(cues(Transcript(5))), vtt(cues(Transcript(5)))) == ("", "WEBVTT\n")


def test_files_of_others_are_read_without_their_styling() -> None:
    text = (
        "\ufeffWEBVTT - notes\r\n\r\nNOTE of the author\r\n\r\nintro\r\n00:01.000 --> 00:02.500 align:start\r\n"
        "<v.loud Ann>Fish &amp; <b>chips</b>\r\n\r\n00:00:03.000 --> 00:00:04.000\r\n- x < y\r\n"
    )
    assert parse(text) == [Cue(1.0, 2.5, ["Fish & chips"], "Ann"), Cue(3.0, 4.0, ["- x < y"])]
    assert parse("1\n00:00:01,000 --> 00:00:02,000\n{\\an8}<font color=red>Up</font>\n") == [Cue(1.0, 2.0, ["Up"])]


@pytest.mark.parametrize(("text", "says"), [("Dear all,\n\nhello", "no captions"), ("00:00:02.000 --> 00:00:01.000\nx", "ends before")])
def test_what_is_no_caption_file_is_refused_in_words(text: str, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        parse(text)


words = st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=60), min_size=1, max_size=40)
times = st.floats(0, 90, allow_nan=False)


@given(st.lists(st.tuples(times, times, words, st.booleans()), max_size=4))
@settings(deadline=None, max_examples=60)
def test_no_letter_is_lost_no_line_too_long_and_no_cue_over_another(parts: list[tuple[float, float, list[str], bool]]) -> None:
    segments: list[Segment] = []
    for a, b, said, timed in parts:
        start, end = sorted((a, b))
        step = (end - start) / len(said)
        heard = [Said(word, start + step * place, start + step * (place + 1)) for place, word in enumerate(said)]
        segments.append(Segment(start, end, " ".join(said), heard if timed else []))
    found = cues(Transcript(100, segments))
    ordered = sorted(segments, key=lambda each: (each.start, each.end))
    assert "".join(line for cue in found for line in cue.lines).replace(" ", "") == "".join(each.text.replace(" ", "") for each in ordered)
    assert all(len(cue.lines) <= LINES and max(map(columns, cue.lines)) <= WIDTH for cue in found)
    assert all(cue.start < cue.end for cue in found)
    assert all(one.end <= two.start + 1e-9 for one, two in pairwise(found))
