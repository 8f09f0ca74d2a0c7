from __future__ import annotations

import io
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from heliograph.config import Settings
from heliograph.errors import NotConfigured, Unavailable
from heliograph.perception.speech import endpoint
from heliograph.perception.speech.endpoint import Endpoint
from heliograph.perception.speech.hearing import Hearing

SOUND = b"\x01\x00" * 32_000
"""Two seconds."""
WORDS = {
    "text": "Good morning.",
    "language": "english",
    "words": [{"word": "Good", "start": 0.1, "end": 0.4}, {"word": "morning.", "start": 0.5, "end": 2.7}],
}


@asynccontextmanager
async def server(answer: Callable[[dict[str, Any]], web.Response]) -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """A speech endpoint on loopback, and what it was asked."""
    asked: list[dict[str, Any]] = []

    async def take(request: web.Request) -> web.Response:
        form: dict[str, Any] = {"authorization": request.headers.get("Authorization")}
        async for part in await request.multipart():
            form.setdefault(part.name, []).append((part.filename, await part.read()) if part.filename else await part.text())
        asked.append(form)
        return answer(form)

    application = web.Application()
    application.router.add_post("/v1/audio/transcriptions", take)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1", asked
    finally:
        await runner.cleanup()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(endpoint, "LONGEST_WAIT", 0.01)


def engine(url: str, **settings: Any) -> Endpoint:
    return Endpoint(Settings(speech_url=url, speech_model="large", speech_key=SecretStr("sk-hidden-key"), **settings))


async def test_an_endpoint_is_sent_a_wav_of_ours_and_its_words_keep_their_times() -> None:
    async with server(lambda _: web.json_response(WORDS)) as (url, asked):
        heard = await engine(url).hear(SOUND, Hearing(language="en", prompt="Brightwater"), None)
    assert [(word.text, word.start, word.end) for word in heard.words] == [(" Good", 0.1, 0.4), (" morning.", 0.5, 2.0)]
    assert heard.language == "en"
    form = asked[0]
    assert form["authorization"] == "Bearer sk-hidden-key"
    assert (form["model"], form["language"], form["prompt"]) == (["large"], ["en"], ["Brightwater"])
    assert form["timestamp_granularities[]"] == ["word", "segment"]
    name, data = form["file"][0]
    assert name == "part.wav"
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (16_000, 1, 32_000)


async def test_a_server_that_refuses_word_times_is_asked_for_less_and_not_for_more_again() -> None:
    def answer(form: dict[str, Any]) -> web.Response:
        if form["response_format"] == ["verbose_json"]:
            return web.json_response({"error": {"message": "verbose_json is not supported"}}, status=400)
        return web.json_response({"text": "Good morning"})

    async with server(answer) as (url, asked):
        one = engine(url)
        heard = await one.hear(SOUND, Hearing(), None)
        await one.hear(SOUND, Hearing(), None)
    assert len(asked) == 4
    assert "".join(word.text for word in heard.words) == " Good morning"
    assert (heard.words[0].start, heard.words[-1].end) == (0.0, 2.0)


async def test_words_are_spread_over_their_segments_where_only_those_have_times() -> None:
    said = {
        "text": "Yes. No.",
        "segments": [{"text": " Yes.", "start": 0.0, "end": 0.5, "avg_logprob": -0.1}, {"text": " No.", "start": 1, "end": 2}],
    }
    async with server(lambda _: web.json_response(said)) as (url, _):
        heard = await engine(url).hear(SOUND, Hearing(), None)
    assert [(word.text, word.start, word.end) for word in heard.words] == [(" Yes.", 0.0, 0.5), (" No.", 1.0, 2.0)]
    assert 0.9 < heard.words[0].score < 0.91


async def test_a_busy_server_is_asked_again_when_it_says() -> None:
    answers = [web.json_response({}, status=429, headers={"Retry-After": "1"}), web.Response(status=503), web.json_response(WORDS)]
    async with server(lambda _: answers.pop(0)) as (url, asked):
        heard = await engine(url).hear(SOUND, Hearing(), None)
    assert len(asked) == 3
    assert len(heard.words) == 2


async def test_what_goes_on_failing_is_unavailable_and_names_no_key() -> None:
    async with server(lambda _: web.Response(status=500, text="with sk-hidden-key")) as (url, asked):
        with pytest.raises(Unavailable, match="answered 500") as failure:
            await engine(url).hear(SOUND, Hearing(), None)
    assert len(asked) == endpoint.ATTEMPTS
    assert "sk-hidden-key" not in str(failure.value)


@pytest.mark.parametrize(("status", "setting"), [(401, "HELIOGRAPH_SPEECH_KEY"), (404, "HELIOGRAPH_SPEECH_MODEL")])
async def test_a_refusal_names_the_setting_to_check(status: int, setting: str) -> None:
    async with server(lambda _: web.json_response({"error": "no"}, status=status)) as (url, asked):
        with pytest.raises(NotConfigured, match=setting):
            await engine(url).hear(SOUND, Hearing(), None)
    assert len(asked) == 1


async def test_nobody_at_the_address_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="HELIOGRAPH_SPEECH_URL"):
        await engine("http://127.0.0.1:9/v1").hear(SOUND, Hearing(), None)


def test_an_offline_server_asks_only_what_is_near() -> None:
    engine("http://127.0.0.1:8000/v1", offline=True)
    with pytest.raises(NotConfigured, match="offline"):
        engine("https://speech.example.com/v1", offline=True)


def test_what_is_no_address_is_said() -> None:
    with pytest.raises(NotConfigured, match="HELIOGRAPH_SPEECH_URL"):
        engine("speech.example.com")


def test_an_address_with_or_without_the_path_is_the_same() -> None:
    assert engine("http://a/v1").url == engine("http://a/v1/").url == engine("http://a/v1/audio/transcriptions").url
