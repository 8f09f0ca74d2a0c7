"""A speech engine behind an OpenAI-compatible address, `POST <url>/audio/transcriptions`: speaches, vLLM, LocalAI, OpenAI itself.

It is sent what we have cut, as WAV, and nothing else: neither the file nor its name, nor an address of a client's.
"""

from __future__ import annotations

import asyncio
import io
import math
import wave
from typing import Literal

import aiohttp
import msgspec
from yarl import URL

import heliograph
from heliograph.config import ModelSettings, Settings
from heliograph.errors import FetchError, HeliographError, NotConfigured, Unavailable
from heliograph.media.recording import SAMPLE_RATE, Said
from heliograph.models import egress, keys
from heliograph.perception.speech.hearing import Heard, Hearing, spread
from heliograph.perception.speech.languages import code

PATH = "audio/transcriptions"
ATTEMPTS = 4
FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0
"""Seconds between two tries: the first, doubled each time, and the most that a server may ask for."""
LARGEST = 8 << 20
"""Bytes of an answer."""
SENTENCE = 300
CONNECT_TIMEOUT = 10.0

Format = Literal["words", "segments", "text"]
FORMATS: tuple[Format, ...] = ("words", "segments", "text")
"""What is asked for, best first: `verbose_json` with words, without, and `json`. A server that refuses one is not asked for it again."""


class _Word(msgspec.Struct):
    word: str
    start: float
    end: float
    probability: float | None = None


class _Segment(msgspec.Struct):
    text: str
    start: float
    end: float
    avg_logprob: float | None = None
    words: list[_Word] | None = None


class _Answer(msgspec.Struct):
    text: str = ""
    language: str | None = None
    words: list[_Word] | None = None
    segments: list[_Segment] | None = None


class _Refused(Exception):
    """The server does not take what it was asked in this form."""


class Endpoint:
    """The `Engine` at `speech_url`."""

    languages = None
    parallel = 4

    def __init__(self, settings: Settings) -> None:
        """Raises NotConfigured for an address that is none, or that an offline server may not ask."""
        self._settings = settings
        self.model = settings.speech_model or "whisper-1"
        self.name = f"endpoint:{self.model}"
        self._key = settings.speech_key.get_secret_value().strip() if settings.speech_key else None
        self.url = _address(settings.speech_url or "")
        if (why := egress.refusal(ModelSettings(url=str(self.url)), settings)) is not None:
            raise NotConfigured(f"The speech endpoint may not be asked: {why}.")
        self._formats = list(FORMATS)
        self.pids: list[int] = []

    async def hear(self, sound: bytes, hearing: Hearing, guess: str | None) -> Heard:
        """Raises NotConfigured when the server refuses, Unavailable when it cannot be reached or is too busy."""
        del guess  # a server that is told a language does not look for another
        seconds = len(sound) / (2 * SAMPLE_RATE)
        while True:
            form = self._formats[0]
            try:
                answer = await self._ask(_wav(sound), hearing, form)
            except _Refused as refusal:
                if len(self._formats) == 1:
                    raise NotConfigured(str(refusal)) from None
                if form == self._formats[0]:
                    self._formats.pop(0)
                continue
            return _heard(answer, seconds)

    async def close(self) -> None:
        """Nothing stays open."""

    async def _ask(self, clip: bytes, hearing: Hearing, form: Format) -> _Answer:
        wait = FIRST_WAIT
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._once(clip, hearing, form)
            except Unavailable as error:
                if attempt == ATTEMPTS:
                    raise
                await asyncio.sleep(min(max(wait, error.retry_after or 0), LONGEST_WAIT))
                wait *= 2
        raise AssertionError

    async def _once(self, clip: bytes, hearing: Hearing, form: Format) -> _Answer:
        headers = {"Accept": "application/json", "User-Agent": f"heliograph/{heliograph.__version__}"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        timeout = self._settings.speech_timeout
        try:
            async with (
                asyncio.timeout(timeout),
                aiohttp.ClientSession(
                    connector=egress.way_out(self._settings, 1),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    trust_env=False,
                    timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT),
                ) as session,
                session.post(self.url, data=self._form(clip, hearing, form), headers=headers, allow_redirects=False) as answer,
            ):
                whole = await _read(answer)
                status, after = answer.status, answer.headers.get("Retry-After", "")
        except TimeoutError:
            raise Unavailable(f"The speech endpoint did not answer within {timeout:g} seconds.") from None
        except FetchError as error:
            raise NotConfigured(f"The speech endpoint may not be asked: {error.message}") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Unavailable(f"The speech endpoint cannot be reached ({type(error).__name__}). Check HELIOGRAPH_SPEECH_URL.") from None
        if status != 200:
            raise self._failure(status, whole, after)
        try:
            return msgspec.json.decode(whole, type=_Answer)
        except (msgspec.DecodeError, RecursionError):
            raise _Refused("The speech endpoint answered with something that is no transcript.") from None

    def _form(self, clip: bytes, hearing: Hearing, form: Format) -> aiohttp.FormData:
        data = aiohttp.FormData()
        data.add_field("file", clip, filename="part.wav", content_type="audio/wav")
        data.add_field("model", self.model)
        data.add_field("temperature", "0")
        data.add_field("response_format", "json" if form == "text" else "verbose_json")
        if form == "words":
            data.add_field("timestamp_granularities[]", "word")
            data.add_field("timestamp_granularities[]", "segment")
        if hearing.language:
            data.add_field("language", hearing.language)
        if hearing.prompt:
            data.add_field("prompt", hearing.prompt)
        return data

    def _failure(self, status: int, whole: bytes, after: str) -> HeliographError | _Refused:
        said = keys.hide(" ".join(whole.decode(errors="replace").split()), [self._key] if self._key else [])
        told = f"The speech endpoint answered {status}" + (f": {said[:SENTENCE]}" if said else ".")
        if status in (408, 409, 425, 429) or status >= 500:
            return Unavailable(told, retry_after=int(after) if after.isdecimal() else None)
        if status in (401, 403):
            return NotConfigured(f"{told} Check HELIOGRAPH_SPEECH_KEY.")
        if status in (400, 415, 422):
            return _Refused(told)
        return NotConfigured(f"{told} Check HELIOGRAPH_SPEECH_URL and HELIOGRAPH_SPEECH_MODEL.")


def _address(url: str) -> URL:
    try:
        address = URL(url.strip().rstrip("/"))
    except ValueError:
        address = URL()
    if address.scheme not in ("http", "https") or not address.host:
        raise NotConfigured("The speech endpoint needs an address that begins with http:// or https:// in HELIOGRAPH_SPEECH_URL.")
    return address if address.path.endswith(f"/{PATH}") else address.joinpath(PATH)


def _wav(sound: bytes) -> bytes:
    held = io.BytesIO()
    with wave.open(held, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(sound)
    return held.getvalue()


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    whole = bytearray()
    async for piece in answer.content.iter_any():
        whole += piece
        if len(whole) > LARGEST:
            raise NotConfigured(f"The speech endpoint answered with more than {LARGEST >> 20} MiB.")
    return bytes(whole)


def _heard(answer: _Answer, seconds: float) -> Heard:
    """The words of an answer: with its times, with times spread over its segments, or over the whole part."""
    segments = answer.segments or []
    found = answer.words or [word for segment in segments for word in segment.words or []]
    words: list[Said] = []
    if found:
        glued = _unspaced(answer.text, found)
        for word in found:
            text = word.word if word.word.startswith(" ") or glued else f" {word.word}"
            words.append(_said(text, word.start, word.end, 1.0 if word.probability is None else word.probability, seconds))
    elif segments:
        for segment in segments:
            score = 1.0 if segment.avg_logprob is None else math.exp(min(0.0, segment.avg_logprob))
            words += [_said(word.text, word.start, word.end, score, seconds) for word in spread(segment.text, segment.start, segment.end)]
    else:
        words = spread(answer.text, 0.0, seconds)
    return Heard([word for word in words if word.text.strip()], code(answer.language))


def _unspaced(text: str, words: list[_Word]) -> bool:
    """Is it a language that writes no spaces, so that words come without them as well?"""
    return len(words) > 2 and len(text.split()) * 2 < len(words)


def _said(text: str, start: float, end: float, score: float, seconds: float) -> Said:
    begin = min(max(start, 0.0), seconds)
    return Said(text, round(begin, 3), round(min(max(end, begin), seconds), 3), round(min(max(score, 0.0), 1.0), 4))
