"""Drives OpenAI's Python client, and what is built on it, against a server whose model is scripted; output as `driver.py` says.

Run by two interpreters: that of the official SDK, whose OpenAI client is an older one and which has instructor, and one with the newest
client and pydantic-ai. The model answers by `test_with_a_model.py`'s script: what it is to say stands in the prompt.
"""

from __future__ import annotations

import asyncio
import base64
import importlib.util
import json
import os
import re
import urllib.request
import uuid
from pathlib import Path
from typing import Any

from driver import CHECKS, check, run
from openai import AsyncOpenAI, BadRequestError, NotFoundError, OpenAI, UnprocessableEntityError
from pydantic import BaseModel

ORION = "vlmrun-orion-1:auto"
BASE, KEY = os.environ["VLMRUN_BASE_URL"], os.environ["VLMRUN_API_KEY"]
CALL, TALK = Path(os.environ["CALL"]), Path(os.environ["TALK"])
"""Somebody reads the beginning of "A Tale of Two Cities"; the same over slides."""
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


class Person(BaseModel):
    name: str
    age: int


ANN = Person(name="Ann", age=31)


def user(words: str) -> list[Any]:
    return [{"role": "user", "content": words}]


def said(completion: Any) -> str:
    (choice,) = completion.choices
    assert choice.finish_reason == "stop", choice.finish_reason
    return choice.message.content


def only(words: str) -> str:
    (found,) = set(re.findall(r"img_[0-9a-f]{6}", words))
    return found


def fetched(session: str, reference: str) -> tuple[str, bytes]:
    """Content type and bytes of an artifact."""
    asked = urllib.request.Request(
        f"{BASE}/artifacts?session_id={session}&object_id={reference}", headers={"Authorization": f"Bearer {KEY}"}
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return answer.headers["Content-Type"], answer.read()


@check("models.list")
def _(client: OpenAI) -> None:
    assert {"vlm-1", ORION, "vlmrun-orion-2:pro"} <= {model.id for model in client.models.list()}


@check("chat.completions.create (tools of the server)")
def _(client: OpenAI) -> None:
    answer = client.chat.completions.create(model=ORION, messages=user("CASE: chart."), extra_body={"toolsets": ["viz"]})
    kind, content = fetched(answer.session_id, only(said(answer)))
    assert kind == "image/png"
    assert content.startswith(b"\x89PNG")
    assert answer.usage.completion_tokens > 0


@check("chat.completions.create (stream)")
def _(client: OpenAI) -> None:
    chunks = list(client.chat.completions.create(model=ORION, messages=user("CASE: chart. Draw a bar chart."), stream=True))
    choices = [choice for chunk in chunks for choice in chunk.choices]
    assert choices[0].delta.role == "assistant"
    assert [choice.finish_reason for choice in choices if choice.finish_reason] == ["stop"]
    assert "make_chart" in "".join(getattr(choice.delta, "reasoning_content", None) or "" for choice in choices)
    assert fetched(chunks[0].session_id, only("".join(choice.delta.content or "" for choice in choices)))
    assert chunks[-1].usage.total_tokens > 0


@check("chat.completions.create (async)")
def _(_: OpenAI) -> None:
    async def main() -> tuple[str, str]:
        async with AsyncOpenAI(base_url=f"{BASE}/openai", api_key=KEY, max_retries=0) as client:
            whole = await client.chat.completions.create(model=ORION, messages=user("CASE: echo."))
            stream = await client.chat.completions.create(model=ORION, messages=user("CASE: echo."), stream=True)
            return said(whole), "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])

    assert asyncio.run(main()) == ("Heard.", "Heard.")


@check("chat.completions.create (session)")
def _(client: OpenAI) -> None:
    session = str(uuid.uuid4())
    client.chat.completions.create(model=ORION, messages=user("My word is heron."), extra_body={"session_id": session})
    answer = client.chat.completions.create(model=ORION, messages=user("CASE: recall."), extra_body={"session_id": session})
    assert answer.session_id == session
    assert said(answer) == "heron"


@check("chat.completions.create (client's tools)")
def _(client: OpenAI) -> None:
    asked = user("CASE: weather. How is it in Oslo?")
    for told in ("with the whole chat", "with the session alone"):
        first = client.chat.completions.create(model=ORION, messages=asked, tools=[WEATHER])
        assert first.choices[0].finish_reason == "tool_calls"
        (call,) = first.choices[0].message.tool_calls
        assert (call.function.name, json.loads(call.function.arguments)) == ("get_weather", {"city": "Oslo"})
        result = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
        if told == "with the whole chat":
            second = client.chat.completions.create(model=ORION, messages=[*asked, first.choices[0].message, result], tools=[WEATHER])
        else:
            session = {"session_id": first.session_id}
            second = client.chat.completions.create(model=ORION, messages=[result], tools=[WEATHER], extra_body=session)
        assert second.session_id == first.session_id
        assert "sunny" in said(second), told


@check("chat.completions.create (stream, client's tools)")
def _(client: OpenAI) -> None:
    chunks = list(client.chat.completions.create(model=ORION, messages=user("CASE: weather."), tools=[WEATHER], stream=True))
    choices = [choice for chunk in chunks for choice in chunk.choices]
    calls = [call for choice in choices for call in choice.delta.tool_calls or []]
    assert "".join(call.function.name or "" for call in calls) == "get_weather"
    assert json.loads("".join(call.function.arguments or "" for call in calls)) == {"city": "Oslo"}
    assert [choice.finish_reason for choice in choices if choice.finish_reason] == ["tool_calls"]


@check("chat.completions.create (n)")
def _(client: OpenAI) -> None:
    answer = client.chat.completions.create(model=ORION, messages=user("CASE: echo."), n=2)
    assert [(choice.index, choice.message.content) for choice in answer.choices] == [(0, "Heard."), (1, "Heard.")]


@check("chat.completions.create (response_format)")
def _(client: OpenAI) -> None:
    schema = Person.model_json_schema()
    for form in (
        {"type": "json_object"},
        {"type": "json_object", "schema": schema},
        {"type": "json_schema", "schema": schema},
        {"type": "json_schema", "json_schema": schema, "name": "person", "strict": True},
        {"type": "json_schema", "json_schema": {"name": "person", "schema": schema}},
    ):
        answer = client.chat.completions.create(model=ORION, messages=user("CASE: person."), response_format=form)
        assert Person.model_validate_json(said(answer)) == ANN, form
    assert said(client.chat.completions.create(model=ORION, messages=user("CASE: echo."), response_format={"type": "text"})) == "Heard."


@check("chat.completions.create (an answer that is not of the schema)")
def _(client: OpenAI) -> None:
    answer = client.chat.completions.parse(model=ORION, messages=user(f"CASE: aged. {uuid.uuid4()}"), response_format=Person)
    assert answer.choices[0].message.parsed == ANN


@check("chat.completions.create (straight to the model)")
def _(client: OpenAI) -> None:
    answer = client.chat.completions.create(model=ORION, messages=user("CASE: echo."), extra_body={"toolsets": []})
    assert said(answer) == "Heard."
    assert answer.model == ORION
    again: Any = {"toolsets": [], "session_id": answer.session_id}
    chunks = list(client.chat.completions.create(model=ORION, messages=user("CASE: echo."), stream=True, extra_body=again))
    assert {chunk.session_id for chunk in chunks} == {answer.session_id}
    assert "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices) == "Heard."


@check("chat.completions.parse")
def _(client: OpenAI) -> None:
    answer = client.chat.completions.parse(model=ORION, messages=user("CASE: person."), response_format=Person)
    assert answer.choices[0].message.parsed == ANN


@check("chat.completions.stream")
def _(client: OpenAI) -> None:
    with client.chat.completions.stream(model=ORION, messages=user("CASE: person."), response_format=Person) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_completion()
    assert {"content.delta", "content.done"} <= set(kinds)
    assert final.choices[0].message.parsed == ANN


@check("chat.completions.list")
def _(client: OpenAI) -> None:
    answer = client.chat.completions.create(model=ORION, messages=user("CASE: echo."))
    assert answer.id in [stored.id for stored in client.chat.completions.list(limit=5)]
    assert client.chat.completions.retrieve(answer.id).choices[0].message.content == "Heard."


@check("audio.transcriptions.create", "audio.transcriptions.create (text)", "audio.transcriptions.create (verbose_json)")
def _(client: OpenAI) -> None:
    create = client.audio.transcriptions.create
    words = create(model="whisper-1", file=CALL).text
    assert "best of times" in words
    assert create(model="whisper-1", file=CALL, response_format="text").strip() == words.strip()
    asked: Any = {"response_format": "verbose_json", "timestamp_granularities": ["word", "segment"]}
    full = create(model="whisper-1", file=CALL, language="en", temperature=0, **asked)
    assert full.language in {"en", "english"}
    assert abs(full.duration - 8.5) < 0.2
    assert " ".join(segment.text.strip() for segment in full.segments) == words.strip()
    assert [word.word.strip(".,") for word in full.words][:6] == ["It", "was", "the", "best", "of", "times"]
    times = [time for word in full.words for time in (word.start, word.end)]
    assert times == sorted(times)
    plain = create(model="whisper-1", file=TALK, response_format="verbose_json")  # a video is taken for its sound
    assert plain.segments
    assert not plain.words, "words were not asked for"


@check("audio.transcriptions.create (srt)", "audio.transcriptions.create (vtt)")
def _(client: OpenAI) -> None:
    srt, vtt = (client.audio.transcriptions.create(model="whisper-1", file=CALL, response_format=form) for form in ("srt", "vtt"))
    assert re.match(r"1\n00:00:0\d,\d{3} --> 00:00:\d\d,\d{3}\n", srt), srt
    assert vtt.startswith("WEBVTT\n\n")
    for subtitles in (srt, vtt):
        assert "best of times" in " ".join(subtitles.split())


@check("audio.transcriptions.create (async)")
def _(_: OpenAI) -> None:
    async def main() -> str:
        async with AsyncOpenAI(base_url=f"{BASE}/openai", api_key=KEY, max_retries=0) as client:
            return (await client.audio.transcriptions.create(model="whisper-1", file=CALL)).text

    assert "best of times" in asyncio.run(main())


@check("audio.transcriptions.create (errors)")
def _(client: OpenAI) -> None:
    for kind, file, options in (
        ((BadRequestError, UnprocessableEntityError), ("notes.wav", b"not a recording at all\n" * 20), {}),
        ((BadRequestError, UnprocessableEntityError), ("empty.wav", b""), {}),
        ((BadRequestError, UnprocessableEntityError), CALL, {"response_format": "docx"}),
    ):
        try:
            client.audio.transcriptions.create(model="whisper-1", file=file, **options)
        except kind as error:
            assert error.body["message"]  # noqa: PT017 - this driver runs without pytest
        else:
            raise AssertionError(f"not refused: {file}, {options}")


@check("chat.completions.create (audio_url, video_url, input_audio)")
def _(client: OpenAI) -> None:
    for kind, part in (
        ("aud", {"type": "audio_url", "audio_url": {"url": link(CALL, "audio/mpeg")}}),
        ("vid", {"type": "video_url", "video_url": {"url": link(TALK, "video/mp4")}}),
        ("aud", {"type": "input_audio", "input_audio": {"data": link(CALL, "").partition(",")[2], "format": "mp3"}}),
    ):
        content = [part, {"type": "text", "text": "CASE: named."}]
        answer = client.chat.completions.create(model=ORION, messages=[{"role": "user", "content": content}])
        assert re.search(rf"\b{kind}_[0-9a-f]{{6}}\b", said(answer)), f"the model was not told of {part['type']}: {said(answer)}"


def link(path: Path, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(path.read_bytes()).decode()}"


@check("errors")
def _(client: OpenAI) -> None:
    for kind, request in (
        (NotFoundError, {"model": "gpt-0", "messages": user("hello")}),
        (UnprocessableEntityError, {"model": ORION, "messages": user("hello"), "extra_body": {"toolsets": ["charts"]}}),
        ((BadRequestError, UnprocessableEntityError), {"model": ORION, "messages": []}),
    ):
        try:
            client.chat.completions.create(**request)
        except kind as error:
            assert error.body["message"]  # noqa: PT017 - this driver runs without pytest
        else:
            raise AssertionError(f"not refused: {request}")


@check("a stream that breaks is gone on with")
def _(client: OpenAI) -> None:
    words, last, answer_id = "", "", ""
    with client.chat.completions.with_streaming_response.create(model=ORION, messages=user("CASE: long."), stream=True) as answer:
        for line in answer.iter_lines():
            if line.startswith("id:"):
                last = line.partition(":")[2].strip()
            if line.startswith("data: {"):
                chunk = json.loads(line[6:])
                answer_id = chunk["id"]
                words += "".join(choice["delta"].get("content") or "" for choice in chunk["choices"])
                if words and last:
                    break
    assert words != LONG, "nothing is left to be told"
    asked = urllib.request.Request(
        f"{BASE}/openai/chat/completions/{answer_id}/events", headers={"Authorization": f"Bearer {KEY}", "Last-Event-ID": last}
    )
    with urllib.request.urlopen(asked, timeout=60) as rest:
        lines = [line.decode().strip() for line in rest]
    for line in lines:
        if line.startswith("data: {"):
            words += "".join(choice["delta"].get("content") or "" for choice in json.loads(line[6:])["choices"])
    assert words == LONG
    assert "data: [DONE]" in lines


LONG = " ".join(f"word{number}" for number in range(60))

if importlib.util.find_spec("instructor"):

    @check("instructor (JSON mode)", "instructor (tools mode)")
    def _(client: OpenAI) -> None:
        import instructor

        for mode in (instructor.Mode.JSON, instructor.Mode.TOOLS):
            wrapped = instructor.from_openai(client, mode=mode)
            found = wrapped.chat.completions.create(model=ORION, messages=user("CASE: person."), response_model=Person)
            assert isinstance(found, Person)
            assert (found.name, found.age) == (ANN.name, ANN.age), mode


if importlib.util.find_spec("pydantic_ai"):

    def agent(**options: Any) -> Any:
        from pydantic_ai import Agent
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.providers.openai import OpenAIProvider

        return Agent(OpenAIChatModel(ORION, provider=OpenAIProvider(base_url=f"{BASE}/openai", api_key=KEY)), **options)

    @check("pydantic-ai (tools)", "pydantic-ai (stream)")
    def _(_: OpenAI) -> None:
        asked: list[str] = []
        talker = agent()

        @talker.tool_plain
        def get_weather(city: str) -> str:
            """The weather in a city."""
            asked.append(city)
            return "sunny"

        assert "sunny" in talker.run_sync("CASE: weather. How is it in Oslo?").output
        assert asked == ["Oslo"]

        async def streamed() -> str:
            async with talker.run_stream("CASE: echo.") as result:
                return "".join([piece async for piece in result.stream_text(delta=True)])

        assert asyncio.run(streamed()) == "Heard."

    @check("pydantic-ai (typed output)")
    def _(_: OpenAI) -> None:
        from pydantic_ai import NativeOutput, PromptedOutput

        assert agent(output_type=NativeOutput(Person)).run_sync("CASE: person.").output == ANN
        assert agent(output_type=PromptedOutput(Person)).run_sync("CASE: person.").output == ANN
        assert agent(output_type=Person).run_sync("CASE: person.").output == ANN  # by a tool of the client's


if __name__ == "__main__":
    run(OpenAI(base_url=f"{BASE}/openai", api_key=KEY, max_retries=0), list(CHECKS))
