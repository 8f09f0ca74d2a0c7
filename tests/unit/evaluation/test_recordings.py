from __future__ import annotations

import json
from pathlib import Path

import pytest

from heliograph.errors import CorruptMedia
from heliograph.evaluation.kept import Kept
from heliograph.evaluation.recordings import Perceived, Taped, Truth, folder_recordings, judge, measure, recordings, sets_in
from heliograph.evaluation.summary import lower_is_better
from heliograph.media.document import Page, Word
from heliograph.media.geometry import Box
from heliograph.media.recording import Frame, Said, Segment, Shot, Transcript, Viewing

BOX = Box(0, 0, 1, 1)


def heard(text: str, *, language: str = "en") -> Transcript:
    words = [Said(word, at * 0.5, at * 0.5 + 0.4) for at, word in enumerate(text.split())]
    return Transcript(9, [Segment(0, 9, text, words)] if text else [], language)


def seen(*starts: int, texts: tuple[tuple[float, str], ...] = ()) -> Viewing:
    starts = starts or (0,)
    shots = [Shot(start / 30, end / 30, start, end - 1, start / 30) for start, end in zip(starts, [*starts[1:], 900], strict=True)]
    return Viewing(9, shots, [Frame(at, Page(0, 9, 9, words=[Word(word, BOX, 1) for word in text.split()])) for at, text in texts])


class Scripted:
    """Hears in a recording what stands in it, and counts how often it was asked."""

    version = "1"

    def __init__(self) -> None:
        self.asked: list[tuple[str, bool]] = []

    async def hear(self, path: Path, *, voices: bool) -> Transcript:
        self.asked.append((path.name, voices))
        text = path.read_text()
        if text == "broken":
            raise CorruptMedia
        return heard(text)

    async def watch(self, path: Path) -> Viewing:
        self.asked.append((path.name, False))
        return seen(0, 30)


def taped(tmp_path: Path, *texts: tuple[str, Truth], name: str = "speech") -> list[Taped]:
    made: list[Taped] = []
    for number, (text, truth) in enumerate(texts):
        path = tmp_path / f"secret-{number}.wav"
        path.write_text(text)
        made.append(Taped(str(number), name, path, truth))
    return made


async def test_error_rates_are_pooled_over_words_and_not_over_recordings(tmp_path: Path) -> None:
    items = taped(
        tmp_path, ("one", {"text": "two", "language": "en"}), ("a b c d e f g h i", {"text": "a b c d e f g h i", "language": "en"})
    )
    figures = (await measure(Scripted(), items))["speech"]
    assert (figures["WER"], figures["documents"], figures["refused"]) == (pytest.approx(0.1), 2, 0)
    assert "WER, en" not in figures  # where there is one language it says nothing more


async def test_what_cannot_be_heard_counts_as_heard_empty_and_is_tried_again(tmp_path: Path) -> None:
    items = taped(tmp_path, ("broken", {"text": "one two", "language": "en"}), ("one", {"text": "uno", "language": "es"}))
    kept, system = Kept(tmp_path / "kept"), Scripted()
    for _ in range(2):
        figures = (await measure(system, items, kept=kept))["speech"]
        assert (figures["refused"], figures["WER, en"], figures["WER, es"]) == (0.5, 1, 1)
        assert figures["language named"] == 0
    assert len(system.asked) == 3


async def test_file_names_are_not_shown_and_only_what_the_truth_needs_is_asked(tmp_path: Path) -> None:
    items = taped(tmp_path, ("one", {"segments": [{"start_sec": 0, "end_sec": 9, "speaker_tag": 1}]}), ("x", {"shot_start_frames": [0]}))
    system = Scripted()
    await measure(system, items)
    assert system.asked == [("recording.wav", True), ("recording.wav", False)]


async def test_recordings_that_are_one_must_have_the_same_words(tmp_path: Path) -> None:
    texts = ("Ask not.", "ask not", "Ask, not", "ask knot")
    figures = (await measure(Scripted(), taped(tmp_path, *((text, {}) for text in texts), name="av_formats_docling")))["av_formats_docling"]
    assert figures["same words"] == 0.75
    truths = [{"text": text, "language": "en"} for text in ("one", "one", "two")]
    items = taped(tmp_path, *zip(("one", "won", "two"), truths, strict=True), name="speech_misc")
    assert (await measure(Scripted(), items))["speech_misc"]["same words"] == 0.5


def test_silence_must_stay_silent() -> None:
    assert judge({"text": ""}, Perceived(heard(""), seen())).shares["no words"].recall == 1
    assert judge({"text": ""}, Perceived(heard("Thank you."), seen())).shares["no words"].recall == 0


def test_times_of_words_are_judged_where_the_words_are_right() -> None:
    truth = {"language": "en", "words": [{"word": w, "start_sec": s} for w, s in (("one", 0.05), ("two", 0.35), ("three", 1.9))]}
    marks = judge(truth, Perceived(heard("one two tree"), seen()))
    assert marks.off["word start off, s"] == pytest.approx([0.05, 0.15])
    assert (marks.shares["words within 100 ms"].recall, marks.shares["words within 200 ms"].recall) == (0.5, 1)


def test_a_text_counts_as_read_in_its_own_time_and_as_a_word_of_its_own() -> None:
    truth = {"shown": [{"text": "5", "start_sec": 2, "end_sec": 3}]}
    for texts, right in ((((2.5, "- 5"),), 1), (((4.0, "5"),), 0), (((2.5, "15"),), 0)):
        assert judge(truth, Perceived(heard(""), seen(texts=texts))).shares["shown and read"].recall == right


def test_cuts_and_voices_are_judged() -> None:
    marks = judge({"shot_start_frames": [0, 31, 90]}, Perceived(heard(""), seen(0, 30, 60)))
    assert (marks.shares["cuts F1"].f1, marks.off["cuts off, frames"]) == (0.5, [1])
    turns = [{"start_sec": 0, "end_sec": 3, "speaker_tag": 1}, {"start_sec": 3, "end_sec": 9, "speaker_tag": 2}]
    marks = judge({"segments": turns}, Perceived(heard("one voice"), seen()))
    assert (marks.shares["DER"].recall, marks.off["speakers off"]) == (pytest.approx(1 / 3), [1])


def test_less_is_better_of_errors_and_distances_only() -> None:
    worse = ("WER", "WER, de", "CER", "DER, collar 0.25 s", "word start off, s, median", "cuts off, frames, mean", "refused")
    assert all(lower_is_better(figure) for figure in worse)
    assert not any(lower_is_better(figure) for figure in ("cuts F1", "no words", "same words", "shown and read", "words within 100 ms"))


def test_a_manifest_names_recordings_and_tasks_of_other_kinds_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "talks").mkdir()
    rows = [
        {"id": "a", "set": "talks", "kind": "audio", "task": "asr_word", "path": "talks/a.wav", "truth_path": "talks/a.json"},
        {"id": "b", "set": "talks", "kind": "video", "task": "container_support", "path": "talks/b.mkv", "truth_path": None},
        {"id": "c", "set": "talks", "kind": "video", "task": "classify_gesture", "path": "talks/c.mkv", "truth_path": None},
    ]
    (tmp_path / "manifest.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    (tmp_path / "talks" / "a.json").write_text('{"text": "nine"}')
    assert sets_in(tmp_path) == ["talks"]
    first, second = recordings(tmp_path, ["talks"])
    assert first.truth == {"text": "nine"}
    assert (first.to_watch, second.to_hear, second.to_watch) == (False, True, True)


def test_a_folder_of_ones_own_has_its_truth_beside_the_recordings(tmp_path: Path) -> None:
    for name in ("a.mp3", "b.wav", "c.flac"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "a.txt").write_text("as it was said\n")
    (tmp_path / "b.wav.json").write_text('{"text": "", "language": "de"}')
    assert [(one.id, one.truth) for one in folder_recordings(tmp_path)] == [
        ("a.mp3", {"text": "as it was said"}),
        ("b.wav", {"text": "", "language": "de"}),
    ]
    (tmp_path / "b.wav.json").write_text("[]")
    with pytest.raises(ValueError, match=r"b\.wav\.json is not a JSON object"):
        list(folder_recordings(tmp_path))
