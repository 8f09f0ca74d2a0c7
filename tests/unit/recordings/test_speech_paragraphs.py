from __future__ import annotations

from heliograph.media.recording import Said
from heliograph.perception.speech.paragraphs import LONGEST, segments


def words(text: str, start: float = 0.0, each: float = 0.4) -> list[Said]:
    return [Said(f" {word}", start + n * each, start + n * each + 0.3, 0.9) for n, word in enumerate(text.split())]


def test_a_long_pause_parts_and_a_short_one_does_not() -> None:
    made = segments([*words("Good morning."), *words("How are you?", 1.2), *words("Fine", 5.0)])
    assert [segment.text for segment in made] == ["Good morning. How are you?", "Fine"]
    assert (made[0].start, made[1].start) == (0.0, 5.0)
    assert [word.text for word in made[0].words] == ["Good", "morning.", "How", "are", "you?"]


def test_a_long_speech_is_parted_between_sentences() -> None:
    made = segments(words("This is one sentence that goes on for a while here. " * 15))
    assert all(segment.end - segment.start <= LONGEST and segment.text.endswith("here.") for segment in made)
    assert sum(len(segment.words) for segment in made) == 165


def test_a_segment_has_one_speaker() -> None:
    made = segments(words("Yes. No. Why?"), ["A", "B", "B"])
    assert [(segment.speaker, segment.text) for segment in made] == [("A", "Yes."), ("B", "No. Why?")]


def test_a_language_without_spaces_keeps_none() -> None:
    made = segments([Said("今日", 0, 0.4), Said("は", 0.4, 0.5), Said("晴れ。", 0.5, 1.0)])
    assert made[0].text == "今日は晴れ。"
