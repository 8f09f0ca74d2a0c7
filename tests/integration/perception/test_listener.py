from __future__ import annotations

import wave
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from heliograph.config import Settings
from heliograph.errors import NotConfigured
from heliograph.media.recording import SAMPLE_RATE, Recording, Transcript
from heliograph.perception.reader import Reader
from heliograph.perception.speech import cuts
from heliograph.perception.speech.hearing import Hearing
from heliograph.perception.speech.joining import plain
from heliograph.perception.weights import SPEECH_SAMPLE, weights

pytestmark = pytest.mark.asyncio(loop_scope="module")

TALK = weights("moonshine_voice", "assets/two_cities.wav")
"""44 seconds: how A Tale of Two Cities begins."""
SAYING = weights(*SPEECH_SAMPLE)
"""10 seconds: ever tried, ever failed."""

DIALOGUE = weights("moonshine_voice", "assets/endgame_nagg_nell.wav")
"""28 seconds of Endgame: a man and a woman by turns."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Reader]:
    async with Reader(Settings(data_dir=tmp_path_factory.mktemp("data"), cpu_budget=2)) as reader:
        yield reader


class Kept:
    """Steps in memory. `most`: how many are kept before the run is ended."""

    def __init__(self, most: int = 1000) -> None:
        self.steps: dict[str, bytes] = {}
        self.most = most

    async def known(self, step: str) -> bytes | None:
        return self.steps.get(step)

    async def keep(self, step: str, content: bytes) -> None:
        assert step not in self.steps
        if len(self.steps) >= self.most:
            raise InterruptedError
        self.steps[step] = content


def written(samples: np.ndarray, path: Path) -> Path:
    """A WAV file of samples between -1 and 1."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path


async def sound(reader: Reader, path: Path) -> np.ndarray:
    recording = await reader.player.inspect(path)
    return np.frombuffer(await reader.player.sound(path, recording, 0, 1000), "<i2") / 32768


async def heard(reader: Reader, path: Path, hearing: Hearing | None = None, steps: Kept | None = None) -> Transcript:
    return await reader.listener.transcript(path, await reader.player.inspect(path), hearing or Hearing(), steps=steps or Kept())


def spoken(transcript: Transcript) -> list[str]:
    return [plain(word.text) for segment in transcript.segments for word in segment.words]


async def test_a_talk_becomes_segments_of_words_with_their_times_and_scores(reader: Reader) -> None:
    done: list[float] = []

    async def tell(seconds: float) -> None:
        done.append(seconds)

    transcript = await reader.listener.transcript(TALK, await reader.player.inspect(TALK), Hearing(), heard=tell)
    text = transcript.text.lower()
    assert text.startswith("it was the best of times")
    assert "superlative degree of comparison only" in text
    assert (transcript.language, transcript.engine) == ("en", "moonshine-tiny")
    assert 30 < transcript.speech < 40
    at = 0.0
    for segment in transcript.segments:
        assert segment.end - segment.start <= 30
        assert segment.text == " ".join(word.text for word in segment.words)
        for word in segment.words:
            assert segment.start <= word.start <= word.end <= segment.end
            assert word.start >= at
            assert 0 <= word.score <= 1
            at = word.start
    assert done == sorted(done)
    assert done[-1] == transcript.duration


async def test_the_same_talk_has_the_same_words_whole_and_cut_where_there_are_no_pauses(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = spoken(await heard(reader, TALK))
    monkeypatch.setattr(cuts, "MOST", round(9 * cuts.PER_SECOND))
    monkeypatch.setattr(cuts, "FROM", round(3 * cuts.PER_SECOND))
    monkeypatch.setattr(cuts, "BEGINS", 0)  # all of it is speech, so every cut is one without a pause
    monkeypatch.setattr(cuts, "ENDS", 0)
    steps = Kept()
    cut = spoken(await heard(reader, TALK, steps=steps))
    assert len(steps.steps) >= 7
    wrong = sum(a != b for a, b in zip(whole, cut, strict=True))
    assert wrong <= 2  # parts of nine seconds tell less of what a word must be


async def test_a_span_is_heard_alone_with_the_times_of_the_recording(reader: Reader) -> None:
    transcript = await heard(reader, TALK, Hearing(span=(29.0, 44.0)))
    assert transcript.text.startswith("In short, the period")
    assert transcript.segments[0].start > 29


async def test_what_is_no_speech_has_no_words(reader: Reader, tmp_path: Path) -> None:
    second = np.arange(12 * SAMPLE_RATE) / SAMPLE_RATE
    chance = np.random.default_rng(7)
    beats = np.exp(-((second % 0.5) * 9))
    chords = sum(np.sin(2 * np.pi * tone * second) for tone in (220.0, 277.2, 329.6))
    clicks = np.zeros(len(second))
    clicks[:: SAMPLE_RATE // 3] = 0.9
    sounds = {
        "silence": np.zeros(len(second)),
        "noise": chance.normal(0, 0.1, len(second)),
        "hum": 0.3 * np.sin(2 * np.pi * 50 * second) + 0.1 * np.sin(2 * np.pi * 150 * second),
        "tone": 0.5 * np.sin(2 * np.pi * 440 * second),
        "music": 0.2 * chords * beats,
        "sweep": 0.4 * np.sin(2 * np.pi * (100 + 150 * second) * second),
        "clicks": clicks,
    }
    for name, samples in sounds.items():
        transcript = await heard(reader, written(samples, tmp_path / f"{name}.wav"))
        assert (name, transcript.text) == (name, "")
        assert transcript.language is None
        assert any(warning.startswith("no_speech") for warning in transcript.warnings)


async def test_long_silence_tells_how_far_it_is(reader: Reader, tmp_path: Path) -> None:
    done: list[float] = []

    async def tell(seconds: float) -> None:
        done.append(seconds)

    path = written(np.zeros(150 * SAMPLE_RATE), tmp_path / "silence.wav")
    await reader.listener.transcript(path, await reader.player.inspect(path), Hearing(), heard=tell)
    assert done[:2] == [60.0, 120.0]
    assert done[-1] == 150.0


async def test_what_was_heard_before_the_end_came_is_not_heard_again(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Kept(most=2)
    with pytest.raises(InterruptedError):
        await heard(reader, TALK, steps=steps)
    kept, steps.most = set(steps.steps), 1000
    again = await heard(reader, TALK, steps=steps)
    assert kept < set(steps.steps)  # Kept would complain of a part that comes twice

    async def none(*_: object) -> None:
        raise AssertionError("all is known")

    monkeypatch.setattr(reader.listener.engine, "hear", none)
    monkeypatch.setattr(reader.player, "sound", none)
    assert await heard(reader, TALK, steps=steps) == again


async def test_a_language_that_the_engine_does_not_know_is_refused(reader: Reader) -> None:
    with pytest.raises(NotConfigured, match=r"knows English only, not German.*HELIOGRAPH_WHISPER_MODEL"):
        await heard(reader, SAYING, Hearing(language="de-AT"))


async def test_speech_that_is_not_english_is_an_error_and_no_english_sounding_noise(reader: Reader, tmp_path: Path) -> None:
    backwards = written((await sound(reader, TALK))[-12 * SAMPLE_RATE :][::-1], tmp_path / "backwards.wav")
    with pytest.raises(NotConfigured, match="Nobody seems to speak English"):
        await heard(reader, backwards)
    assert (await heard(reader, backwards, Hearing(language="en"))).language in {"en", None}


async def test_a_part_in_another_language_is_left_out_with_a_warning(reader: Reader, tmp_path: Path) -> None:
    talk = await sound(reader, TALK)
    rest = np.zeros(3 * SAMPLE_RATE)
    mixed = written(np.concatenate([talk, rest, talk[-9 * SAMPLE_RATE :][::-1]]), tmp_path / "mixed.wav")
    transcript = await heard(reader, mixed)
    assert transcript.text.endswith("comparison only.")
    assert any(warning.startswith("not_understood") for warning in transcript.warnings)


async def test_voices_are_told_apart_and_keep_their_letters(reader: Reader) -> None:
    steps = Kept()
    transcript = await heard(reader, DIALOGUE, Hearing(diarize=True), steps)
    said = [(segment.speaker, plain(segment.text)) for segment in transcript.segments]
    assert {speaker for speaker, _ in said} == {"A", "B"}
    asks, answers = [next(who for who, text in said if part in text) for part in ("notheartily", "thatsagoodstory")]
    assert (asks, answers) == ("A", "B")
    assert said[0] == ("A", "doyouhearme")
    plainly = await heard(reader, DIALOGUE, Hearing(), Kept())
    assert spoken(plainly) == spoken(transcript)
    assert {segment.speaker for segment in plainly.segments} == {None}
    assert {step.split(":")[1].split("-")[0] for step in steps.steps} == {"moonshine", "speakers", "voices"}


async def test_one_voice_is_one_speaker_however_long_it_speaks(reader: Reader) -> None:
    transcript = await heard(reader, TALK, Hearing(diarize=True, span=(0.0, 24.0)))
    assert {segment.speaker for segment in transcript.segments} == {"A"}


async def test_a_recording_without_sound_says_so(reader: Reader, tmp_path: Path) -> None:
    transcript = await reader.listener.transcript(tmp_path / "film.mp4", Recording("video/mp4", "video", 5.0), Hearing())
    assert transcript.segments == []
    assert transcript.warnings == ["no_audio: the recording has no sound"]


async def test_a_folder_without_a_whisper_model_is_named(tmp_path: Path) -> None:
    async with Reader(Settings(data_dir=tmp_path, whisper_model=tmp_path / "none")) as reader:
        with pytest.raises(NotConfigured, match=r"HELIOGRAPH_WHISPER_MODEL: .*none is not a folder"):
            await heard(reader, SAYING)
    (tmp_path / "broken").mkdir()
    for name in ("config.json", "model.bin", "tokenizer.json"):
        (tmp_path / "broken" / name).write_text("{}")
    async with Reader(Settings(data_dir=tmp_path, whisper_model=tmp_path / "broken")) as reader:
        with pytest.raises(NotConfigured, match=r"does not load|not installed"):
            await heard(reader, SAYING)
