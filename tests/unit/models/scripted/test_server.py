import asyncio
import json
import sys
import time

import aiohttp
import pytest

from heliograph.models.scripted import Call, Script, Scripted, Turn, When, read

SCHEMA = {
    "type": "object",
    "properties": {"total": {"type": "number"}, "name": {"type": "string"}},
    "required": ["total", "name"],
    "additionalProperties": False,
}


def body(text="Total: 12.50", **fields):
    return {"model": "scripted", "messages": [{"role": "user", "content": text}], **fields}


def asked_for(schema, **fields):
    return body(response_format={"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}, **fields)


async def post(server, sent, path="/v1/chat/completions", **headers):
    async with aiohttp.ClientSession() as session, session.post(server.origin + path, json=sent, headers=headers) as answer:
        return answer.status, await answer.json(), answer.headers


async def events(server, sent, path="/v1/chat/completions"):
    found = []
    async with aiohttp.ClientSession() as session, session.post(server.origin + path, json={**sent, "stream": True}) as answer:
        async for line in answer.content:
            if line.startswith(b"data: "):
                data = line.removeprefix(b"data: ").strip()
                found.append(data if data == b"[DONE]" else json.loads(data))
    return found


def said(answer):
    return answer["choices"][0]["message"]["content"]


async def test_turns_answer_in_order_and_an_exhausted_script_refuses():
    async with Scripted(["one", {"two": 2}]) as server:
        assert said((await post(server, body()))[1]) == "one"
        assert json.loads(said((await post(server, body()))[1])) == {"two": 2}
        status, error, _ = await post(server, body())
        assert (status, error["error"]["code"]) == (400, "script_exhausted")
        assert [request.turn for request in server.requests] == [0, 1, None]


async def test_a_predicate_picks_its_turn_as_often_as_it_fits():
    script = [
        Turn(when=When(text="Total", schema=True), answer={"a": 1}),
        Turn(when=When(repair=True), answer="repaired"),
        Turn(answer="else"),
    ]
    async with Scripted(script) as server:
        asked = asked_for(SCHEMA)
        repair = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "{}"}, {"role": "user", "content": "not valid"}]
        assert [said((await post(server, sent))[1]) for sent in (asked, asked, {**body(), "messages": repair}, body("hm"))] == [
            '{"a": 1}',
            '{"a": 1}',
            "repaired",
            "else",
        ]


async def test_without_a_script_the_answer_is_an_instance_of_the_schema():
    async with Scripted() as server:
        assert json.loads(said((await post(server, asked_for(SCHEMA)))[1])) == {"total": 1.5, "name": "text"}


async def test_values_are_found_in_the_prompt_and_typed_by_the_schema():
    schema = {
        "type": "object",
        "properties": {
            "total": {"type": ["number", "null"]},
            "date": {"type": ["string", "null"]},
            "lines": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"name": {"type": "string"}, "price": {"type": "number"}, "note": {"type": "string"}},
                },
            },
        },
    }
    turn = Turn(extract={"total": [r"Sum: (\S+)", r"Total: (\S+)"], "lines[]": r"^(?P<name>\w+) x (?P<price>\S+)$", "date": r"Dated (\S+)"})
    text = "Tea x 1.20\nMilk x 0.90\nTotal: $2.10"
    async with Scripted([turn], dialect="plain", checks=False) as server:
        sent = {**asked_for(schema), **{"messages": [{"role": "user", "content": text}]}}
        answer = json.loads(said((await post(server, sent))[1]))
    assert answer == {
        "total": 2.1,
        "date": None,
        "lines": [{"name": "Tea", "price": 1.2, "note": None}, {"name": "Milk", "price": 0.9, "note": None}],
    }


async def test_a_callable_computes_the_answer_or_the_turn():
    async def second(heard):
        return Turn(status=503, retry_after=2)

    async with Scripted([lambda heard: heard.last.upper(), second]) as server:
        assert said((await post(server, body("abc")))[1]) == "ABC"
        status, _, headers = await post(server, body())
        assert (status, headers["Retry-After"]) == (503, "2")


async def test_a_stream_is_the_answer_in_pieces_with_usage_and_done():
    async with Scripted([{"total": 12.5}]) as server:
        found = await events(server, body(stream_options={"include_usage": True}))
    assert found[-1] == b"[DONE]"
    assert found[-2]["usage"]["completion_tokens"] > 1
    assert "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in found[:-2]) == '{"total": 12.5}'
    assert found[-3]["choices"][0]["finish_reason"] == "stop"


async def test_a_forced_tool_gets_the_answer_as_its_arguments():
    tool = {"type": "function", "function": {"name": "answer", "parameters": SCHEMA, "strict": True}}
    forced = body(tools=[tool], tool_choice={"type": "function", "function": {"name": "answer"}})
    async with Scripted([{"total": 1, "name": "a"}, Turn(calls=[Call("other", {"x": 1})]), {"total": 2, "name": "b"}]) as server:
        call = (await post(server, forced))[1]["choices"][0]["message"]["tool_calls"][0]["function"]
        assert (call["name"], json.loads(call["arguments"])) == ("answer", {"total": 1, "name": "a"})
        assert (await post(server, forced))[1]["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "other"
        pieces = [chunk["choices"][0]["delta"].get("tool_calls") for chunk in await events(server, forced) if chunk != b"[DONE]"]
        arguments = "".join(piece[0]["function"]["arguments"] for piece in pieces if piece)
        assert json.loads(arguments) == {"total": 2, "name": "b"}


async def test_limits_cut_the_answer_and_say_so():
    async with Scripted([Turn(answer="a b c d e f", times=0)]) as server:
        for sent in (body(max_tokens=2), body(max_completion_tokens=2)):
            answer = (await post(server, sent))[1]
            assert (said(answer), answer["choices"][0]["finish_reason"]) == ("a b", "length")
    async with Scripted([Turn(answer="a b c", truncate=1), Turn(answer="x", whitespace=True)]) as server:
        assert said((await post(server, body()))[1]) == "a"
        assert said((await post(server, body(max_tokens=50)))[1]) == "x" + "\n" * 49


async def test_log_probabilities_are_given_when_asked_for_and_placed_by_text():
    async with Scripted([Turn(answer="total twelve", logprob={"twelve": -2.0}, times=0)]) as server:
        assert (await post(server, body()))[1]["choices"][0]["logprobs"] is None
        tokens = (await post(server, body(logprobs=True, top_logprobs=1)))[1]["choices"][0]["logprobs"]["content"]
    assert "".join(token["token"] for token in tokens) == "total twelve"
    assert [token["logprob"] for token in tokens][-1] == -2.0
    assert tokens[0]["logprob"] == -0.01
    assert tokens[0]["top_logprobs"]


async def test_a_refusal_is_no_answer():
    async with Scripted([Turn(refusal="I cannot help with that."), Turn(answer="half", finish="content_filter")]) as server:
        message = (await post(server, body()))[1]["choices"][0]["message"]
        assert (message["content"], message["refusal"]) == (None, "I cannot help with that.")
        assert (await post(server, body()))[1]["choices"][0]["finish_reason"] == "content_filter"


async def test_a_stream_can_break_end_early_carry_an_error_or_garbage():
    async with Scripted([Turn(answer="a b c d", reset_after=3), Turn(answer="a b c d", end_after=3)]) as server:
        with pytest.raises((aiohttp.ClientPayloadError, aiohttp.ClientConnectionError)):
            await events(server, body())
        assert [chunk["choices"][0]["finish_reason"] for chunk in await events(server, body())] == [None] * 3
    async with Scripted([Turn(answer="a b", error_after=2, error="CUDA out of memory"), Turn(answer="a b", garbage_after=1)]) as server:
        assert (await events(server, body()))[-1]["error"]["message"] == "CUDA out of memory"
        with pytest.raises(ValueError, match="Expecting"):
            await events(server, body())


async def test_who_leaves_is_noticed():
    async with Scripted([Turn(answer="word " * 500, pace=0.05), Turn(delay=30)]) as server:
        for _ in range(2):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(events(server, body()), 0.2)
        await asyncio.sleep(0.2)
        assert all(request.disconnected is not None for request in server.requests)
        assert all(request.disconnected - request.at < 1 for request in server.requests)
        assert server.open == 0


async def test_the_same_beginning_of_a_prompt_is_counted_as_cached():
    async with Scripted([Turn(answer="a", times=0)]) as server:
        cached = [
            (await post(server, body("word " * 100 + end)))[1]["usage"]["prompt_tokens_details"]["cached_tokens"]
            for end in ("one", "two", "two")
        ]
    assert cached == [0, 96, 96]


async def test_slow_answers_take_their_time():
    async with Scripted([Turn(answer="a", delay=0.2)]) as server:
        before = time.monotonic()
        await post(server, body())
        assert time.monotonic() - before >= 0.2


@pytest.mark.parametrize(
    ("dialect", "words"),
    [
        ("openai", "context_length_exceeded"),
        ("vllm", "However, you requested"),
        ("sglang", "is longer than the model's context length"),
        ("llama.cpp", "exceed_context_size_error"),
        ("gemini", "exceeds the maximum number of tokens allowed"),
        ("anthropic", "prompt is too long"),
    ],
)
async def test_too_long_a_prompt_is_refused_in_each_servers_words(dialect, words):
    async with Scripted(["a"], dialect, context=50) as server:
        status, error, _ = await post(server, body("word " * 100))
    assert status == 400
    assert words in json.dumps(error)


async def test_ollama_cuts_too_long_a_prompt_and_says_nothing():
    async with Scripted([Turn(echo=True)], "ollama", context=50) as server:
        status, answer, _ = await post(server, body("first " + "word " * 100 + "last"))
    assert status == 200
    assert "first" not in said(answer)
    assert answer["usage"]["prompt_tokens"] <= 50


@pytest.mark.parametrize(
    ("abilities", "sent", "words"),
    [
        ({"without": {"json_schema"}}, asked_for(SCHEMA), "unavailable"),
        ({"without": {"tools"}}, body(tools=[{"type": "function", "function": {"name": "a", "parameters": {}}}]), "not supported"),
        ({"without": {"logprobs"}}, body(logprobs=True), "not allowed to request logprobs"),
        ({"reasoning": True}, body(max_tokens=5), "max_completion_tokens"),
        ({"reasoning": True}, body(temperature=0), "temperature"),
        ({}, body(chat_template_kwargs={}), "Unrecognized request argument"),
        ({}, body(response_format={"type": "json_object"}), "must contain the word 'json'"),
        ({}, body(stream_options={"include_usage": True}), "stream_options"),
        ({}, asked_for({**SCHEMA, "required": ["total"]}), "'required'"),
        ({}, {**body(), "model": "gpt-4"}, "does not exist"),
        ({"key": "secret"}, body(), "Incorrect API key"),
        ({"vision": False}, body([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]), "image_url"),
        ({"max_pictures": 1}, body([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}] * 2), "At most 1 image"),
        ({}, body([{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]), "data URL"),
    ],
)
async def test_what_openai_refuses_is_refused(abilities, sent, words):
    async with Scripted(["a"], **abilities) as server:
        status, error, _ = await post(server, sent)
    assert 400 <= status < 500
    assert words in error["error"]["message"]
    assert server.requests[0].turn is None


async def test_vllm_goes_on_from_a_begun_answer_when_asked_in_its_way():
    messages = [{"role": "user", "content": "x"}, {"role": "assistant", "content": '{"total": '}]
    sent = {"model": "scripted", "messages": messages, "continue_final_message": True}
    async with Scripted([{"total": 1}], "vllm") as server:
        status, error, _ = await post(server, sent)
        assert (status, error["error"]["message"][:15]) == (400, "Cannot set both")
        assert said((await post(server, {**sent, "add_generation_prompt": False}))[1]) == "1}"


@pytest.mark.parametrize("dialect", ["openai", "vllm", "sglang", "llama.cpp", "ollama", "gemini", "anthropic", "plain"])
async def test_every_dialect_lists_its_models_and_is_healthy(dialect):
    async with Scripted(dialect=dialect, models=["qwen"]) as server, aiohttp.ClientSession() as session:
        async with session.get(server.url + "/models") as answer:
            assert [model["id"].removeprefix("models/") for model in (await answer.json())["data"]] == ["qwen"]
        async with session.get(server.origin + "/health") as answer:
            assert answer.status == 200


async def test_anthropics_messages_are_spoken():
    sent = {"model": "scripted", "max_tokens": 50, "messages": [{"role": "user", "content": "Total 1"}]}
    tool = {"name": "answer", "input_schema": {**SCHEMA, "properties": {"total": {"type": "number", "minimum": 0}}}}
    async with Scripted(["hello", "hello", {"total": 1}, Turn(status=529)], "anthropic") as server:
        answer = (await post(server, sent, "/v1/messages"))[1]
        assert (answer["content"], answer["stop_reason"]) == ([{"type": "text", "text": "hello"}], "end_turn")
        found = await events(server, sent, "/v1/messages")
        assert [event["type"] for event in found][:2] == ["message_start", "content_block_start"]
        assert "".join(event["delta"]["text"] for event in found if event["type"] == "content_block_delta") == "hello"
        answer = (await post(server, {**sent, "tools": [tool], "tool_choice": {"type": "tool", "name": "answer"}}, "/v1/messages"))[1]
        assert (answer["content"][0]["input"], answer["stop_reason"]) == ({"total": 1}, "tool_use")
        status, error, _ = await post(server, sent, "/v1/messages")
        assert (status, error["error"]["type"]) == (529, "overloaded_error")
        del sent["max_tokens"]
        assert (await post(server, sent, "/v1/messages"))[1]["error"]["message"] == "max_tokens: Field required"


async def test_geminis_generate_content_is_spoken():
    sent = {
        "contents": [{"role": "user", "parts": [{"text": "x"}]}],
        "generationConfig": {
            "responseMimeType": "application/json",
            "responseJsonSchema": {"type": "object", "properties": {"a": {"type": "string"}}},
        },
    }
    path = "/v1beta/models/scripted:"
    async with Scripted([Turn(times=2), Turn(refusal="no")], "gemini") as server:
        answer = (await post(server, sent, path + "generateContent"))[1]
        assert json.loads(answer["candidates"][0]["content"]["parts"][0]["text"]) == {"a": "text"}
        found = await events(server, sent, path + "streamGenerateContent?alt=sse")
        assert json.loads("".join(event["candidates"][0]["content"]["parts"][0]["text"] for event in found)) == {"a": "text"}
        assert found[-1]["candidates"][0]["finishReason"] == "STOP"
        assert (await post(server, sent, path + "generateContent"))[1]["candidates"][0]["finishReason"] == "SAFETY"
        sent["generationConfig"]["responseJsonSchema"]["not"] = {}
        assert "Unknown name" in (await post(server, sent, path + "generateContent"))[1]["error"]["message"]


def test_it_runs_in_a_thread_for_those_without_a_loop():
    with Scripted(["a"]) as server:
        assert said(asyncio.run(post(server, body()))[1]) == "a"
    assert server.bodies[0]["messages"]


def test_a_script_is_read_from_toml_and_from_json(tmp_path):
    toml = tmp_path / "script.toml"
    toml.write_text("[[turn]]\nwhen = {image = true}\nanswer = {a = 1}\n[[turn]]\nstatus = 429\nretry_after = 1\n")
    script = read(toml)
    assert (script.turns[0].when, script.turns[0].answer, script.turns[1].status) == (When(image=True), {"a": 1}, 429)
    (tmp_path / "script.json").write_text('{"turn": [{"calls": [{"name": "a", "arguments": {}}]}]}')
    assert read(tmp_path / "script.json").turns[0].calls == [Call("a", {})]
    toml.write_text("[[turn]]\nanswr = 1\n")
    with pytest.raises(ValueError, match="answr"):
        read(toml)


async def test_the_most_requests_at_a_time_are_counted():
    async with Scripted(Script([Turn(answer="a", delay=0.1, times=0)])) as server:
        await asyncio.gather(*(post(server, body()) for _ in range(3)))
        assert (server.most_open, server.open) == (3, 0)


async def test_from_a_shell_it_serves_a_script_until_it_is_stopped(tmp_path):
    script = tmp_path / "script.toml"
    script.write_text('[[turn]]\nanswer = "from a file"\n')
    command = (sys.executable, "-m", "heliograph.models.scripted", str(script), "--dialect", "ollama", "--model", "qwen")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        url = (await process.stdout.readline()).decode().strip()
        async with aiohttp.ClientSession() as session, session.post(f"{url}/chat/completions", json={**body(), "model": "qwen"}) as answer:
            assert said(await answer.json()) == "from a file"
    finally:
        process.terminate()
        await process.wait()


async def test_a_script_that_is_none_is_said_in_a_line(tmp_path):
    script = tmp_path / "script.toml"
    script.write_text("[[turn]]\nanswr = 1\n")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "heliograph.models.scripted", str(script), stderr=asyncio.subprocess.PIPE
    )
    _, errors = await process.communicate()
    assert process.returncode == 1
    assert b"answr" in errors
    assert b"Traceback" not in errors
