from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.config import Settings
from heliograph.errors import NotConfigured
from heliograph.media.recording import Said
from heliograph.perception.speech import languages
from heliograph.perception.speech.alignment import token_starts
from heliograph.perception.speech.engines import Embedded, WhisperFolder, engine
from heliograph.perception.speech.hearing import Heard, spread
from heliograph.perception.speech.moonshine import TIMES, loop, read_tokens, sureness, without_tail
from heliograph.perception.speech.trimming import SECONDS, SLACK, trimmed
from heliograph.perception.speech.understanding import Understanding, refuse
from heliograph.perception.speech.whisper import Whisper
from heliograph.perception.weights import SPEECH_TOKENS, weights

SOUND = np.zeros(16_000, np.float32)
ENGLISH = SimpleNamespace(languages=frozenset({"en"}))


class FakeWhisper:
    """A model that writes what it was told to, language by language: text, mean log chance, compression ratio."""

    supported_languages = ("en", "de")
    said: ClassVar[dict[str | None, tuple[str, float, float]]] = {}
    detected = ("de", 0.9, [])
    asked: list[str | None]

    def __init__(self, folder: str, **options: Any) -> None:
        assert options["local_files_only"]
        assert options["device"] == "cpu"
        type(self).asked = []

    def transcribe(self, sound: Any, language: str | None, **options: Any) -> tuple[list[Any], Any]:
        assert options["condition_on_previous_text"] is False
        self.asked.append(language)
        text, chance, ratio = self.said[language]
        words = [SimpleNamespace(word=f" {word}", start=0.1, end=9.0, probability=0.9) for word in text.split()]
        segment = SimpleNamespace(words=words, avg_logprob=chance, compression_ratio=ratio, tokens=[1, 2, 3])
        return [segment], SimpleNamespace(language=language or "en", language_probability=0.99)

    def detect_language(self, audio: Any) -> tuple[str, float, list[Any]]:
        return self.detected


@pytest.fixture
def whisper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Whisper:
    faster, runtime = ModuleType("faster_whisper"), ModuleType("ctranslate2")
    faster.WhisperModel, runtime.set_random_seed = FakeWhisper, lambda seed: None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "faster_whisper", faster)
    monkeypatch.setitem(sys.modules, "ctranslate2", runtime)
    for name in ("config.json", "model.bin", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    return Whisper(tmp_path, 1)


def text(heard: Heard) -> str:
    return "".join(word.text for word in heard.words).strip()


def test_whisper_doubts_the_language_of_the_parts_before_where_its_text_is_unlikely(whisper: Whisper) -> None:
    FakeWhisper.said = {"en": ("gooten targ", -2.0, 1.0), "de": ("guten Tag", -0.1, 1.0)}
    heard = whisper.hear(SOUND, language=None, guess="en", prompt=None)
    assert (text(heard), heard.language) == ("guten Tag", "de")
    assert text(whisper.hear(SOUND, language="en", guess=None, prompt=None)) == "gooten targ"
    FakeWhisper.said["en"] = ("good day", -0.1, 1.0)
    FakeWhisper.asked.clear()
    assert text(whisper.hear(SOUND, language=None, guess="en", prompt=None)) == "good day"
    assert FakeWhisper.asked == ["en"]


def test_whisper_keeps_no_text_that_goes_round_in_circles_and_no_time_after_the_end(whisper: Whisper) -> None:
    FakeWhisper.said = {None: ("thank you thank you thank you", -0.1, 9.0)}
    assert whisper.hear(SOUND, language=None, guess=None, prompt=None).words == []
    FakeWhisper.said = {None: ("thank you", -0.1, 1.0)}
    assert [word.end for word in whisper.hear(SOUND, language=None, guess=None, prompt=None).words] == [1.0, 1.0]


def test_whisper_says_which_language_it_does_not_know(whisper: Whisper) -> None:
    with pytest.raises(NotConfigured, match="does not know the language 'xx'"):
        whisper.hear(SOUND, language="xx", guess=None, prompt=None)


def test_whisper_without_its_package_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("config.json", "model.bin", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(NotConfigured, match=r"pip install 'heliograph\[whisper\]'"):
        Whisper(tmp_path, 1)


def test_an_endpoint_comes_before_a_folder_and_a_folder_before_the_embedded_engine(tmp_path: Path) -> None:
    def chosen(**settings: Any) -> Any:
        return engine(Settings(**settings), None, 2, 4)  # type: ignore[arg-type]

    assert isinstance(chosen(), Embedded)
    folder = chosen(whisper_model=tmp_path / "small")
    assert isinstance(folder, WhisperFolder)
    assert folder.name == "whisper:small"
    assert chosen(whisper_model=tmp_path, speech_url="http://a/v1", speech_model="large").name == "endpoint:large"


def test_a_language_has_one_code_whatever_it_is_called() -> None:
    assert [languages.code(name) for name in ("en", "EN", "en-US", "english", "zh_CN", " German ", "xx", "", None)] == [
        "en", "en", "en", "en", "zh", "de", "xx", None, None,
    ]  # fmt: skip
    assert (languages.name("de"), languages.name("ht"), languages.name("xx")) == ("German", "Haitian Creole", "xx")


def test_an_engine_of_one_language_refuses_others_and_gives_up_on_what_it_never_understands() -> None:
    refuse(frozenset({"en"}), "en")
    with pytest.raises(NotConfigured, match="not French"):
        refuse(frozenset({"en"}), "fr")
    understood = Understanding(ENGLISH, stated=False)  # type: ignore[arg-type]
    assert understood.add(Heard([], "en", 0.9), 0, 10, 8)
    assert not understood.add(Heard([], "en", 0.5), 10, 20, 8)
    understood.verdict()
    assert understood.warnings[0].startswith("not_understood: what is said at 10.0-20.0 s")
    lost = Understanding(ENGLISH, stated=False)  # type: ignore[arg-type]
    with pytest.raises(NotConfigured, match="Nobody seems to speak English"):
        for part in range(100):
            lost.add(Heard([], "en", 0.45), part * 20, part * 20 + 20, 20)
    assert part < 10


def test_who_says_that_english_is_spoken_gets_what_was_heard_and_noise_stays_out() -> None:
    understood = Understanding(ENGLISH, stated=True)  # type: ignore[arg-type]
    assert understood.add(Heard([], "en", 0.5), 0, 10, 8)
    assert not understood.add(Heard([], "en", 0.3), 10, 12, 1)
    understood.verdict()
    assert understood.warnings == []


def test_a_word_is_as_long_as_somebody_speaks() -> None:
    chances = bytes([0] * 10 + [250] * 10 + [0] * 30)
    word = trimmed(Said(" word", 0.0, 1.5, 0.5), chances)
    assert word.start == pytest.approx((10 - SLACK) * SECONDS)
    assert word.end == pytest.approx((20 + SLACK) * SECONDS)
    assert trimmed(Said(" word", 1.0, 1.2), chances) == Said(" word", 1.0, 1.2)


def test_a_word_that_reaches_back_over_a_pause_begins_after_it() -> None:
    chances = bytes([250] * 14 + [0] * 50 + [250] * 20)
    word = trimmed(Said(" ladies", 10 * SECONDS, 84 * SECONDS), chances)
    assert word.start == pytest.approx((64 - SLACK) * SECONDS)
    assert word.end == pytest.approx(84 * SECONDS)


@given(st.lists(st.integers(3, 9), max_size=30), st.lists(st.integers(3, 9), min_size=1, max_size=6))
def test_a_part_that_comes_again_and_again_is_a_loop(before: list[int], part: list[int]) -> None:
    found = loop(before + part * TIMES)
    assert found is not None
    assert len(part) % found == 0 or found < len(part)


def test_what_is_said_once_is_no_loop() -> None:
    assert loop([3, 4, 5, 3, 4, 6, 3, 4, 7]) is None


def test_repeated_text_is_no_surer_than_it_was_the_first_time() -> None:
    assert sureness([5, 6, 7], [0.2, 0.4, 0.3]) == pytest.approx(0.3)
    assert sureness([5, 6, 7] * 3, [0.2, 0.4, 0.3] + [1.0] * 6) < 0.65
    assert sureness([], []) == 0.0


def test_the_table_of_tokens_reads_to_its_end() -> None:
    tokens = read_tokens(weights(*SPEECH_TOKENS).read_bytes())
    assert len(tokens) == 32_768
    assert tokens[:3] == [b"<unk>", b"<s>", b"</s>"]
    assert b" the" in tokens
    assert "日".encode() in tokens


@given(st.integers(1, 12), st.integers(0, 60), st.integers(0, 2**32 - 1))
def test_each_token_begins_after_the_one_before(tokens: int, more: int, seed: int) -> None:
    attention = np.random.default_rng(seed).random((3, tokens, tokens + more)).astype(np.float32)
    starts = token_starts(attention)
    assert len(starts) == tokens
    assert starts[0] == 0
    assert (np.diff(starts) >= 1).all()
    assert starts[-1] < tokens + more


def test_tokens_begin_where_they_look() -> None:
    attention = np.full((2, 3, 30), 0.01, np.float32)
    attention[:, 0, :10] = attention[:, 1, 10:17] = attention[:, 2, 17:] = 0.9
    assert token_starts(attention).tolist() == [0, 10, 17]


def test_words_without_times_are_spread_by_their_lengths() -> None:
    words = spread("a bbb", 1.0, 3.0)
    assert [(word.text, word.start, word.end) for word in words] == [(" a", 1.0, 1.5), (" bbb", 1.5, 3.0)]
    assert spread("", 0.0, 1.0) == []


def test_words_that_crowd_after_the_end_are_made_up() -> None:
    said = [Said(" about", 6.46, 6.74, 1.0), Said(" 1455,", 6.74, 8.11, 0.93)]
    made_up = [Said(" is", 8.11, 8.14, 0.24), Said(" a", 8.14, 8.16, 0.13), Said(" book.", 8.16, 8.33, 0.05)]
    assert without_tail(said + made_up) == said
    mumbled = [Said(" is", 8.11, 8.4, 0.24), Said(" a", 8.4, 8.6, 0.13)]
    assert without_tail(said + mumbled) == said + mumbled
    assert without_tail([]) == []
