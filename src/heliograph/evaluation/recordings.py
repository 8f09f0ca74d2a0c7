"""How well recordings are heard and watched: words and their times, voices, silence, cuts, what stands on the screen.

A truth is a JSON object; what it holds is measured, and nothing else:

    {"text": "as it was said", "language": "en",            # "" for a recording without speech
     "words": [{"word": "as", "start_sec": 0.54}],
     "segments": [{"start_sec": 1.7, "end_sec": 3.9, "speaker_tag": 1}],
     "shot_start_frames": [0, 30],
     "shown": [{"text": "5", "start_sec": 2.6, "end_sec": 3.5}]}

Only the file's bytes are seen by the system under test, under a neutral name. It is not told the language. A recording that cannot be heard
or watched counts as heard and watched empty, and under `refused`.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast

import msgspec

import heliograph
from heliograph.errors import HeliographError
from heliograph.evaluation.cuts import compare
from heliograph.evaluation.kept import Kept, code, digest
from heliograph.evaluation.likeness import Share, letters
from heliograph.evaluation.voices import Turn, confusion
from heliograph.evaluation.wording import Placed, errors, late, normalised, rate
from heliograph.media.recording import Transcript, Viewing
from heliograph.perception.reader import Reader
from heliograph.perception.scenes.watcher import Watching
from heliograph.perception.speech.hearing import Hearing

Truth = dict[str, Any]
TASKS = frozenset({"asr", "asr+word_times", "asr_word", "asr_empty", "container_support", "diarize", "shot_boundaries", "video_read_timer"})
"""Tasks of a manifest that are measured here. Tags and gestures of videos are a vision model's."""
ALIKE = frozenset({"av_formats_docling", "speech_misc"})
"""Sets in which one recording comes in several containers or encodings."""
SHOWN: dict[str, Truth] = {
    "video_content/vlmrun_test.mp4": {
        "text": "",
        "shown": [{"text": text, "start_sec": start, "end_sec": start + 0.9} for text, start in (("5", 2.64), ("4", 3.6), ("3", 4.56))],
    }
}
"""What a person saw in recordings that came without a truth: a film leader counting down."""
COLLAR = 0.25
"""Seconds around the edges of true turns that are forgiven, as is the custom."""
SLACK = 0.1
"""Seconds by which a frame may miss the time for which a text is shown."""


class Taped(NamedTuple):
    """A recording with its truth. `moving`: whether it has pictures."""

    id: str
    set: str
    path: Path
    truth: Truth
    moving: bool = False

    @property
    def to_hear(self) -> bool:
        """Whether it takes ears to judge it: also where nothing is known but that it can be opened."""
        return not self.truth or not self.truth.keys().isdisjoint({"text", "words", "segments"})

    @property
    def to_watch(self) -> bool:
        """Whether it takes eyes to judge it."""
        return (self.moving and not self.truth) or not self.truth.keys().isdisjoint({"shot_start_frames", "shown"})


class Perceived(msgspec.Struct):
    """What was made of a recording; `refused` says why one of both is empty."""

    transcript: Transcript
    viewing: Viewing
    refused: str | None = None


class Senses(Protocol):
    """What is measured."""

    version: str
    """What is kept of it is kept under this: changes when it may hear or see otherwise."""

    async def hear(self, path: Path, *, voices: bool) -> Transcript:
        """What is said, with `voices` by whom. Raises HeliographError when it cannot."""
        ...

    async def watch(self, path: Path) -> Viewing:
        """What is shown. Raises HeliographError when it cannot."""
        ...


class Embedded:
    """The ears and eyes in this process, as a client of the API gets them."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.version = f"{reader.listener.engine.name} {heliograph.__version__} {code('media', 'perception')}"

    async def hear(self, path: Path, *, voices: bool) -> Transcript:
        """What is said, in whatever language is found to be spoken."""
        recording = await self._reader.player.inspect(path)
        return await self._reader.listener.transcript(path, recording, Hearing(diarize=voices))

    async def watch(self, path: Path) -> Viewing:
        """What is shown."""
        return await self._reader.watcher.viewing(path, await self._reader.player.inspect(path), Watching())


class Marks(NamedTuple):
    """What one recording adds to the figures of its set: shares to be summed, and distances to be lined up."""

    shares: dict[str, Share]
    off: dict[str, list[float]]


def sets_in(data: Path) -> list[str]:
    """The sets of a data folder that hold recordings with something to measure."""
    rows = (json.loads(row) for row in (data / "manifest.jsonl").read_text().splitlines())
    return list(dict.fromkeys(row["set"] for row in rows if row.get("task") in TASKS and row.get("kind") in {"audio", "video"}))


def recordings(data: Path, names: Sequence[str], limit: int | None = None) -> list[Taped]:
    """The recordings of these sets, at most `limit` a set."""
    found: list[Taped] = []
    every = [json.loads(row) for row in (data / "manifest.jsonl").read_text().splitlines()]
    for name in names:
        for row in [row for row in every if row["set"] == name and row.get("task") in TASKS][:limit]:
            truth = json.loads((data / row["truth_path"]).read_text()) if row.get("truth_path") else SHOWN.get(row["id"], {})
            found.append(Taped(row["id"], name, data / row["path"], truth, row["kind"] == "video"))
    return found


def folder_recordings(folder: Path, limit: int | None = None) -> Iterator[Taped]:
    """A user's own recordings: each with its truth in `<file>.json` or `<stem>.json` beside it, or its words in `<stem>.txt`.

    Raises ValueError naming a truth that is none.
    """
    count = 0
    for path in sorted(folder.rglob("*")):
        beside = [path.with_name(path.name + ".json"), path.with_suffix(".json"), path.with_suffix(".txt")]
        truth = next((name for name in beside if name.is_file()), None)
        if truth is None or not path.is_file() or path.suffix in {".json", ".txt"} or (limit is not None and count >= limit):
            continue
        count += 1
        yield Taped(path.relative_to(folder).as_posix(), folder.resolve().name, path, _truth(truth))


def judge(truth: Truth, made: Perceived) -> Marks:
    """What one recording adds to the figures of its set."""
    shares: dict[str, Share] = {"refused": Share(made.refused is not None, 1, 1)}
    off: dict[str, list[float]] = {}
    if "text" in truth and not truth["text"]:
        shares["no words"] = Share(not made.transcript.text.strip(), 1, 1)
    elif "text" in truth:
        language = truth.get("language", "en")
        wrong = errors(truth["text"], made.transcript.text, language)
        shares |= {rate(language): wrong, f"{rate(language)}, {language}": wrong}
        shares["language named"] = Share(made.transcript.language == language, 1, 1)
    if "words" in truth:
        want = [Placed(word["word"], word["start_sec"]) for word in truth["words"]]
        got = [Placed(word.text, word.start) for segment in made.transcript.segments for word in segment.words]
        off["word start off, s"] = found = [abs(by) for by in late(want, got, truth.get("language", "en"))]
        for within in (100, 200) if found else ():
            shares[f"words within {within} ms"] = Share(sum(by <= within / 1000 + 1e-9 for by in found), len(found), len(found))
    if "segments" in truth:
        turns = [Turn(turn["start_sec"], turn["end_sec"], str(turn["speaker_tag"])) for turn in truth["segments"]]
        said = [Turn(segment.start, segment.end, segment.speaker or "") for segment in made.transcript.segments]
        shares["DER"], shares[f"DER, collar {COLLAR:g} s"] = confusion(turns, said), confusion(turns, said, COLLAR)
        off["speakers off"] = [abs(len({turn.voice for turn in turns}) - len({turn.voice for turn in said}))]
    if "shot_start_frames" in truth:
        shares["cuts F1"], by = compare(truth["shot_start_frames"], (shot.first for shot in made.viewing.shots))
        off["cuts off, frames"] = [abs(frames) for frames in by]
    if "shown" in truth:
        shares["shown and read"] = Share(
            sum(_read(text, made.viewing) for text in truth["shown"]), len(truth["shown"]), len(truth["shown"])
        )
    return Marks(shares, off)


async def measure(
    senses: Senses,
    taped: Sequence[Taped],
    *,
    kept: Kept | None = None,
    told: Callable[[Taped, dict[str, float], Perceived], None] | None = None,
) -> dict[str, dict[str, float]]:
    """Figures of each set, summed over its recordings before they are divided; `documents` is how many.

    What was heard and seen is kept in `kept` as long as file, engine and code are the same. `told` hears of each recording.
    """
    kept, made = kept or Kept(None), defaultdict[str, list[tuple[Taped, Perceived]]](list)
    with tempfile.TemporaryDirectory(prefix="heliograph-eval-") as folder:
        for one in taped:
            question = ("perceived", senses.version, digest(one.path), one.to_hear, one.to_watch, "segments" in one.truth)
            perceived = kept.find(Perceived, *question)
            if perceived is None:
                perceived = await _perceive(senses, one, Path(folder))
                if perceived.refused is None:
                    kept.keep(perceived, *question)
            made[one.set].append((one, perceived))
            if told is not None:
                told(one, _numbers([judge(one.truth, perceived)]), perceived)
    return {name: _figures(name, group) for name, group in made.items()}


async def _perceive(senses: Senses, one: Taped, folder: Path) -> Perceived:
    made = Perceived(Transcript(0.0), Viewing(0.0))
    path = folder / f"recording{one.path.suffix.lower()}"
    shutil.copyfile(one.path, path)
    try:
        if one.to_hear:
            made.transcript = await senses.hear(path, voices="segments" in one.truth)
        if one.to_watch:
            made.viewing = await senses.watch(path)
    except HeliographError as error:
        print(f"{one.id}: {error}", file=sys.stderr)
        made.refused = str(error)
    finally:
        path.unlink()
    return made


def _figures(name: str, group: Sequence[tuple[Taped, Perceived]]) -> dict[str, float]:
    figures = _numbers([judge(one.truth, made) for one, made in group])
    for by_language in [figure for figure in figures if figure.startswith(("WER, ", "CER, "))]:
        if sum(figure.startswith(("WER, ", "CER, ")) for figure in figures) == 1:
            del figures[by_language]
    if name in ALIKE and (same := _same(group)).want:
        figures["same words"] = same.recall
    return dict(sorted(figures.items())) | {"documents": len(group)}


def _numbers(marks: Sequence[Marks]) -> dict[str, float]:
    shares, off = defaultdict[str, Share](Share), defaultdict[str, list[float]](list)
    for mark in marks:
        for figure, share in mark.shares.items():
            shares[figure] = shares[figure].plus(share)
        for figure, distances in mark.off.items():
            off[figure] += distances
    numbers = {figure: share.f1 if " F1" in figure else share.recall for figure, share in shares.items()}
    for figure, distances in off.items():
        if distances:
            numbers |= {f"{figure}, mean": statistics.fmean(distances), f"{figure}, median": statistics.median(distances)}
    return numbers


def _same(group: Sequence[tuple[Taped, Perceived]]) -> Share:
    """Of recordings that come more than once, those in which the very words were heard that were heard in most of their like."""
    alike = defaultdict[str, list[str]](list)
    for one, made in group:
        language = one.truth.get("language", "en")
        alike[one.truth.get("text", "")].append("" if made.refused else " ".join(normalised(made.transcript.text, language)))
    groups = [texts for texts in alike.values() if len(texts) > 1]
    right = sum(max(Counter(filter(None, texts)).values(), default=0) for texts in groups)
    count = sum(len(texts) for texts in groups)
    return Share(right, count, count)


def _read(text: Truth, viewing: Viewing) -> bool:
    """Whether a frame shown in that time was read with the text on it: as a word of its own, or several in a row."""
    wanted = text["text"].split()
    for frame in viewing.frames:
        if frame.time <= text["end_sec"] + SLACK and max(frame.time, frame.until) >= text["start_sec"] - SLACK:
            words = [letters(word.text) for word in frame.page.words]
            want = [letters(word) for word in wanted]
            if any(words[at : at + len(want)] == want for at in range(len(words))):
                return True
    return False


def _truth(path: Path) -> Truth:
    if path.suffix == ".txt":
        return {"text": path.read_text("utf-8").strip()}
    try:
        raw: Any = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from None
    if not isinstance(raw, dict):
        raise ValueError(f"{path} is not a JSON object")
    return cast("Truth", raw)
