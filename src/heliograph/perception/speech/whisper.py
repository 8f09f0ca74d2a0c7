"""Whisper from a folder (faster-whisper, the extra `whisper`): 99 languages, word times, on the CPU in 8-bit integers."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heliograph.errors import NotConfigured
from heliograph.media.recording import Said
from heliograph.perception.speech.hearing import Heard

SURE = 0.8
"""Chance from which a detected language overrules the one of the parts before."""
UNSURE = 0.5
"""Mean chance of tokens below which the language of the parts before is doubted."""
TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8)
REPETITIVE = 2.4
"""Compression ratio of text that goes round in circles, as in Whisper."""
NEEDED = ("config.json", "model.bin", "tokenizer.json")


def missing(folder: Path) -> str | None:
    """Why no Whisper model can be loaded from `folder`, as far as its files tell; None when it looks right."""
    if not folder.is_dir():
        return f"{folder} is not a folder"
    lacking = [name for name in NEEDED if not (folder / name).is_file()]
    if lacking:
        return f"{folder} holds no {', '.join(lacking)}; it should be a Whisper model in CTranslate2's format"
    return None


class Whisper:
    """The model, loaded."""

    def __init__(self, folder: Path, threads: int) -> None:
        """Raises NotConfigured for a folder without a model, one that does not load, and when faster-whisper is not installed."""
        if (why := missing(folder)) is not None:
            raise NotConfigured(f"HELIOGRAPH_WHISPER_MODEL: {why}.")
        os.environ["HF_HUB_OFFLINE"] = "1"  # it must not look for what a folder lacks
        try:
            self._runtime: Any = importlib.import_module("ctranslate2")
            faster: Any = importlib.import_module("faster_whisper")
        except ImportError:
            raise NotConfigured(
                "HELIOGRAPH_WHISPER_MODEL is set, but faster-whisper is not installed: run `pip install 'heliograph[whisper]'`."
            ) from None
        try:
            self._model: Any = faster.WhisperModel(
                str(folder), device="cpu", compute_type="int8", cpu_threads=threads, num_workers=1, local_files_only=True
            )
        except (RuntimeError, ValueError, OSError, KeyError) as error:
            raise NotConfigured(f"HELIOGRAPH_WHISPER_MODEL: the model in {folder} does not load: {error}") from error

    def hear(self, sound: NDArray[np.float32], *, language: str | None, guess: str | None, prompt: str | None) -> Heard:
        """`sound`: 16 kHz, -1 to 1, up to half a minute. `guess` stands as long as the text in that language is likely."""
        if language is not None and language not in self._model.supported_languages:
            raise NotConfigured(f"The Whisper model of this server does not know the language {language!r}.", param="config.language")
        heard = self._write(sound, language or guess, prompt)
        if language is None and guess is not None and heard.sureness < UNSURE:
            detected, chance, _ = self._model.detect_language(audio=sound)
            if detected != guess and chance >= SURE:
                other = self._write(sound, detected, prompt)
                heard = max(heard, other, key=lambda one: one.sureness)
        return heard

    def _write(self, sound: NDArray[np.float32], language: str | None, prompt: str | None) -> Heard:
        self._runtime.set_random_seed(0)  # what is unlikely is tried again with some chance in it, the same each time
        segments, about = self._model.transcribe(
            sound,
            language=language,
            initial_prompt=prompt,
            word_timestamps=True,
            without_timestamps=False,
            condition_on_previous_text=False,
            temperature=list(TEMPERATURES),
            beam_size=5,
        )
        words: list[Said] = []
        chances: list[tuple[float, int]] = []
        seconds = len(sound) / 16_000
        for segment in segments:
            chances.append((float(np.exp(segment.avg_logprob)), max(1, len(segment.tokens))))
            if segment.compression_ratio > REPETITIVE:
                continue
            said: list[Any] = segment.words or []
            words += [_said(word.word, word.start, word.end, word.probability, seconds) for word in said]
        tokens = sum(count for _, count in chances)
        sure = sum(chance * count for chance, count in chances) / tokens if tokens else 0.0
        known = language is not None or about.language_probability >= UNSURE
        return Heard([word for word in words if word.text.strip()], about.language if known else None, round(sure, 4))


def _said(text: str, start: float, end: float, chance: float, seconds: float) -> Said:
    begin = min(max(float(start), 0.0), seconds)
    return Said(text, round(begin, 3), round(min(max(float(end), begin), seconds), 3), round(min(max(float(chance), 0.0), 1.0), 4))
