"""The door to hearing: a recording becomes a `Transcript`.

The sound comes minute by minute. Where somebody speaks is found first, and only that is heard: cut at pauses, a few parts at a time, each
kept as a step when it is done. Sound and chances of voice of the parts in hand are all that memory holds.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import msgspec

from heliograph.children import ChildPool
from heliograph.config import Settings
from heliograph.media.recording import SAMPLE_RATE, Recording, Said, Transcript
from heliograph.perception.player import Player
from heliograph.perception.speech.cuts import Cut, Cutter
from heliograph.perception.speech.engines import engine
from heliograph.perception.speech.hearing import WINDOW, Engine, Heard, Hearing, Voice, Voices
from heliograph.perception.speech.joining import joined, ordered
from heliograph.perception.speech.languages import code
from heliograph.perception.speech.paragraphs import segments
from heliograph.perception.speech.trimming import trimmed
from heliograph.perception.speech.turns import speakers
from heliograph.perception.speech.understanding import Understanding, refuse
from heliograph.perception.steps import NoSteps, Steps

BLOCK = 1875
"""Windows, a minute, that are looked at for voices at a time."""
LEAD = 63
"""Windows, two seconds, that the network of voices hears before them."""
NEAR = 50
"""Words before a seam among which the same are looked for."""
MOST_HOURS = 1000
SAMPLE = 2
"""Bytes of a sample."""
PARALLEL = 4
"""Children at most: with more of them, decoding the file is what takes the time."""
MEMORY = 3 << 30
"""Address space of a child; what it holds is watched by the pool."""
KEEPS = 560 << 20
"""Memory in bytes that a child may hold between parts before a fresh one takes over. When it hears it holds 410 MB, when it also tells
voices apart 430 MB (2026-11)."""
ENVIRONMENT = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "16000000"}
VOICE_TIMEOUT = 120.0

T = TypeVar("T")
OnHeard = Callable[[float], Awaitable[None]]


class Listener:
    """Hears recordings. One per process: its children hold the engines and are shared by all calls. Close it."""

    def __init__(self, settings: Settings, player: Player, threads: int) -> None:
        """`threads`: those that all children together may use."""
        self._player = player
        self._size = min(threads, PARALLEL)
        self._pool = ChildPool(
            "heliograph.perception.speech.engine",
            size=self._size,
            memory=MEMORY,
            recycle_after=settings.child_recycle * 20,
            most_kept=KEEPS,
            env=ENVIRONMENT,
        )
        self._settings, self._threads = settings, threads

    @cached_property
    def engine(self) -> Engine:
        """Who hears. Raises NotConfigured for an endpoint whose address is none or may not be asked."""
        return engine(self._settings, self._pool, self._size, self._threads)

    def language(self, hearing: Hearing) -> str | None:
        """The language that is stated, with the order or for this server; None has it found out."""
        return code(hearing.language or self._settings.speech_language)

    async def transcript(
        self,
        path: Path,
        recording: Recording,
        hearing: Hearing,
        *,
        steps: Steps | None = None,
        heard: OnHeard | None = None,
    ) -> Transcript:
        """All that is said in the recording at `path`, or in `hearing.span` of it; times are those of the recording.

        `heard` is told the seconds done. Raises NotConfigured for what the engine cannot do, such as a language.
        """
        language = self.language(hearing)
        hearing = msgspec.structs.replace(hearing, language=language)
        refuse(self.engine.languages, language)
        made = Transcript(recording.duration, language=language, engine=self.engine.name)
        if recording.audio is None:
            made.language = None
            made.warnings.append("no_audio: the recording has no sound")
            return made
        work = _Work(self, path, recording, hearing, steps or NoSteps(), heard)
        understood = Understanding(self.engine, stated=language is not None)
        words: list[Said] = []
        voices: list[Voice] = []
        speech = 0
        async with aclosing(work.parts()) as parts:
            async for cut, part, found in parts:
                start, end = _seconds(cut.start), _seconds(cut.end)
                speech += cut.speech
                if heard:
                    await heard(min(end, recording.duration))
                for voice in found:
                    voice.turns = [(since + start, until + start) for since, until in voice.turns]
                voices += found
                if not understood.add(part, start, end, _seconds(cut.speech)):
                    continue
                made.language = made.language or part.language
                new = [Said(word.text, round(word.start + start, 3), round(word.end + start, 3), word.score) for word in part.words]
                if cut.seam is not None:
                    words[-NEAR:], new = joined(words[-NEAR:], new, _seconds(cut.seam), _seconds(cut.seam - cut.start))
                words += new
        understood.verdict()
        made.warnings += understood.warnings
        made.speech = round(min(_seconds(speech), recording.duration), 3)
        words = ordered(words)
        made.segments = segments(words, speakers(words, await self._turns(voices)))
        if not hearing.words:
            for segment in made.segments:
                segment.words = []
        if not made.segments:
            made.language = None
            if not understood.warnings:
                made.warnings.append("no_speech: nobody speaks in the recording")
        if heard:
            await heard(recording.duration)
        return made

    async def voices(self, sound: bytes, lead: int) -> Voices:
        """Where somebody speaks in `sound`; see `voice.find_voices`."""
        return await self._pool.call("voices", sound, lead, timeout=VOICE_TIMEOUT, returns=Voices)

    async def speakers(self, sound: bytes) -> list[Voice]:
        """The voices in `sound`; see `speakers.Speakers`."""
        call = ("find_speakers", sound, max(1, self._threads // self._size))
        return await self._pool.call(*call, timeout=VOICE_TIMEOUT, returns=list[Voice])

    async def _turns(self, voices: list[Voice]) -> list[tuple[float, float, int]]:
        """Who speaks when: start, end and the number of the speaker."""
        if not voices:
            return []
        numbers = await self._pool.call("group_speakers", voices, timeout=VOICE_TIMEOUT, returns=list[int])
        return [(start, end, number) for voice, number in zip(voices, numbers, strict=True) for start, end in voice.turns]

    async def sound(self, path: Path, recording: Recording, start: float, seconds: float) -> bytes:
        """The player's."""
        return await self._player.sound(path, recording, start, seconds)

    @property
    def pids(self) -> list[int]:
        """Process ids of its children."""
        return [*self._pool.pids, *(self.engine.pids if "engine" in self.__dict__ else [])]

    async def close(self) -> None:
        """End the children."""
        if "engine" in self.__dict__:
            await self.engine.close()
        await self._pool.close()


class _Work:
    """One recording under way: its sound in blocks, and the parts that are being heard."""

    def __init__(self, listener: Listener, path: Path, recording: Recording, hearing: Hearing, steps: Steps, heard: OnHeard | None) -> None:
        self._listener, self._path, self._recording, self._hearing, self._steps = listener, path, recording, hearing, steps
        self._heard, self._under_way = heard, 0
        start, end = hearing.span or (0.0, MOST_HOURS * 3600.0)  # what lasts longer than its file says is heard to the end
        self._begin, self._end = int(start * SAMPLE_RATE) // WINDOW, -int(-end * SAMPLE_RATE // WINDOW)
        self._blocks: dict[int, bytes] = {}
        self._chances: dict[int, bytes] = {}
        """Sound, and chances of voice, of the latest two minutes."""
        self._guess: str | None = None
        options = msgspec.json.encode([hearing.language, hearing.prompt, hearing.span])
        self._name = f"speech:{listener.engine.name}-{hashlib.sha256(options).hexdigest()[:8]}"

    async def parts(self) -> AsyncGenerator[tuple[Cut, Heard, list[Voice]]]:
        """Parts in order, as many under way at a time as the engine hears, with the voices in them when they are to be told apart."""
        under_way: deque[tuple[Cut, asyncio.Task[tuple[Heard, list[Voice]]]]] = deque()

        async def first() -> tuple[Cut, Heard, list[Voice]]:
            cut, task = under_way[0]
            part, voices = await task
            under_way.popleft()
            self._under_way = len(under_way)
            self._guess = self._guess or part.language
            return cut, part, voices

        try:
            async for cut in self._cuts():
                while len(under_way) >= self._listener.engine.parallel:
                    yield await first()
                known = await self._known(self._step(cut), Heard)
                voices = await self._known(self._step(cut, "speakers"), list[Voice]) if self._hearing.diarize else []
                sound = await self._sound(cut) if known is None or voices is None else b""
                under_way.append((cut, asyncio.create_task(self._part(cut, sound, known, voices, self._voiced(cut)))))
                self._under_way = len(under_way)
            while under_way:
                yield await first()
        finally:
            for _, task in under_way:
                task.cancel()
            await asyncio.gather(*(task for _, task in under_way), return_exceptions=True)

    async def _cuts(self) -> AsyncGenerator[Cut]:
        cutter = Cutter()
        for block in range(self._end // BLOCK + 1):
            first = block * BLOCK
            voices = await self._voices(block) if first + BLOCK > self._begin else Voices(bytes(BLOCK), bytes(BLOCK))
            inside = range(max(0, self._begin - first), min(len(voices.chances), self._end - first))
            chances = bytes(chance if n in inside else 0 for n, chance in enumerate(voices.chances))
            self._chances[block] = chances
            self._chances.pop(block - 2, None)
            for cut in cutter.feed(chances, voices.levels):
                yield cut
            if self._heard and cutter.idle and not self._under_way:  # nobody speaks: no part will tell how far it is
                await self._heard(min(_seconds(first + len(voices.chances)), self._recording.duration))
            if len(voices.chances) < BLOCK:
                break
        for cut in cutter.finish():
            yield cut

    async def _voices(self, block: int) -> Voices:
        step = f"speech:voices:{block * BLOCK * WINDOW * 1000 // SAMPLE_RATE}"
        known = await self._steps.known(step)
        if known is not None:
            return msgspec.msgpack.decode(known, type=Voices)
        before = (await self._block(block - 1))[-LEAD * WINDOW * SAMPLE :] if block else b""  # first: players go on, never back
        sound = await self._block(block)
        found = await self._listener.voices(before + sound, len(before) // (WINDOW * SAMPLE))
        await self._steps.keep(step, msgspec.msgpack.encode(found))
        return found

    async def _block(self, block: int) -> bytes:
        """The sound of a minute. The latest two are held: a part is never longer than that."""
        sound = self._blocks.get(block)
        if sound is None:
            seconds = BLOCK * WINDOW / SAMPLE_RATE
            sound = await self._listener.sound(self._path, self._recording, block * seconds, seconds)
            self._blocks[block] = sound
            for old in [known for known in self._blocks if known < block - 1]:
                del self._blocks[old]
        return sound

    async def _sound(self, cut: Cut) -> bytes:
        sound = bytearray()
        for block in range(cut.start // BLOCK, (cut.end - 1) // BLOCK + 1):
            first = block * BLOCK * WINDOW * SAMPLE
            since, to = max(cut.start * WINDOW * SAMPLE - first, 0), cut.end * WINDOW * SAMPLE - first
            sound += (await self._block(block))[since:to]
        return bytes(sound)

    def _voiced(self, cut: Cut) -> bytes:
        """The chances of voice of a part."""
        blocks = range(cut.start // BLOCK, (cut.end - 1) // BLOCK + 1)
        whole = b"".join(self._chances[block] for block in blocks)
        first = blocks.start * BLOCK
        return whole[cut.start - first : cut.end - first]

    def _step(self, cut: Cut, name: str | None = None) -> str:
        """`name`: of what no engine or option changes but the span that is heard."""
        what = self._name if name is None else f"speech:{name}-{self._hearing.span}" if self._hearing.span else f"speech:{name}"
        return f"{what}:{cut.start * WINDOW * 1000 // SAMPLE_RATE}"

    async def _known(self, step: str, kind: type[T]) -> T | None:
        known = await self._steps.known(step)
        return None if known is None else msgspec.msgpack.decode(known, type=kind)

    async def _part(
        self, cut: Cut, sound: bytes, heard: Heard | None, voices: list[Voice] | None, chances: bytes
    ) -> tuple[Heard, list[Voice]]:
        """Hear a part, and tell its voices apart, as far as that is not known yet. `chances`: of voice, window by window."""
        if heard is None:
            heard = await self._listener.engine.hear(sound, self._hearing, self._guess)
            heard.words = [trimmed(word, chances) for word in heard.words]
            await self._steps.keep(self._step(cut), msgspec.msgpack.encode(heard))
        if voices is None:
            voices = await self._listener.speakers(sound)
            await self._steps.keep(self._step(cut, "speakers"), msgspec.msgpack.encode(voices))
        return heard, voices


def _seconds(windows: int) -> float:
    return windows * WINDOW / SAMPLE_RATE
