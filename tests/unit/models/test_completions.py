"""Chunks of Chat Completions as replies."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.models import completions
from heliograph.models.completions import BLANKS_OF_JSON, Completion, aligned
from heliograph.models.contract import Ask, Finish, JsonMode, Profile, Reply, Spent, Token, system


def said(*deltas: dict[str, Any], finish: str | None = "stop", mode: JsonMode | None = "json_schema", **more: Any) -> Reply:
    completion = Completion(mode)
    for delta in deltas:
        completion.take({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    completion.take({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}], **more})
    return completion.reply(route="test", model="m")


@pytest.mark.parametrize(
    ("word", "finish"),
    [
        ("stop", "stop"),
        ("STOP", "stop"),
        ("eos", "stop"),
        ("tool_calls", "stop"),
        ("length", "length"),
        ("MAX_TOKENS", "length"),
        ("content_filter", "refusal"),
        ("SAFETY", "refusal"),
        ("abort", "broken"),
    ],
)
def test_every_word_for_an_end_is_understood(word: str, finish: Finish) -> None:
    assert said({"content": "x"}, finish=word).finish == finish


def test_reasoning_is_not_the_answer() -> None:
    reply = said({"reasoning_content": "Hm."}, {"reasoning": "Hm."}, {"content": [{"type": "thinking", "thinking": []}]}, {"content": "{}"})
    assert reply.text == "{}"


def test_parts_of_content_are_joined() -> None:
    assert said({"content": [{"type": "text", "text": "{"}]}, {"content": None}, {"content": "}"}).text == "{}"


def test_the_arguments_of_the_first_call_are_the_answer() -> None:
    first = {"index": 0, "id": "a", "function": {"name": "answer", "arguments": ""}}
    pieces = [{"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in ('{"a"', ": 1}")]
    other = {"tool_calls": [{"index": 1, "function": {"name": "answer", "arguments": '{"a": 2}'}}]}
    reply = said({"content": "I will call."}, {"tool_calls": [first]}, *pieces, other, mode="tool", finish="tool_calls")
    assert (reply.text, reply.finish) == ('{"a": 1}', "stop")


def test_an_answer_in_words_where_a_call_was_forced_is_taken() -> None:
    assert said({"content": '{"a": 1}'}, mode="tool").text == '{"a": 1}'


def test_arguments_that_are_no_text_become_it() -> None:
    assert said({"tool_calls": [{"function": {"name": "answer", "arguments": {"a": "ü"}}}]}, mode="tool").text == '{"a": "ü"}'


def test_a_character_that_tokens_cut_apart_is_whole_again() -> None:
    assert said({"content": "a\ud83d"}, {"content": "\ude00b"}).text == "a😀b"
    assert said({"content": "a\ud83d"}).text == "a�"


def test_usage_is_counted_wherever_the_cache_is_told() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 8}}
    assert said({"content": "x"}, usage=usage).spent == Spent(10, 8, 3)
    assert said({"content": "x"}, usage={"prompt_tokens": 10, "prompt_cache_hit_tokens": 4}).spent == Spent(10, 4, 0)
    assert said({"content": "x"}, usage=None).spent == Spent()


def test_white_space_is_cut_only_when_it_does_not_end() -> None:
    indented = "{\n" + " " * (BLANKS_OF_JSON - 20) + '"a": 1}'
    assert said({"content": indented}).finish == "stop"
    endless = said({"content": '{"a": 1'}, *[{"content": "\n \t"}] * BLANKS_OF_JSON)
    assert (endless.text, endless.finish) == ('{"a": 1', "length")
    padded = "|" + " " * BLANKS_OF_JSON * 2 + "|"
    assert said({"content": padded}, mode=None).text == padded


def test_an_answer_larger_than_any_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completions, "LARGEST_REPLY", 100)
    completion = Completion(None)
    while not completion.cut:
        completion.take({"choices": [{"delta": {"content": "spam"}}]})
    reply = completion.reply(route="test", model="m")
    assert (len(reply.text), reply.finish) == (100, "length")


def test_a_filtered_answer_has_a_reason() -> None:
    assert said({"content": "half"}, finish="content_filter").refusal
    assert said({"refusal": "I may "}, {"refusal": "not."}).refusal == "I may not."


@pytest.mark.parametrize(
    "chunk", [{}, {"choices": None}, {"choices": []}, {"choices": [None]}, {"choices": [{"delta": None}]}, {"usage": 1}]
)
def test_odd_chunks_add_nothing(chunk: dict[str, Any]) -> None:
    completion = Completion(None)
    assert completion.take(chunk) == ""
    assert not completion.begun


def entry(token: str, logprob: float = -0.5, raw: list[int] | None = None) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": raw}


def test_tokens_spell_the_text_without_what_surrounds_it() -> None:
    entries = [entry("hm</think>"), entry("{"), entry("}", -2.0), entry("<|im_end|>")]
    assert aligned(entries, "{}") == [Token("{", -0.5), Token("}", -2.0)]


def test_a_character_of_several_tokens_belongs_to_the_last() -> None:
    euro = list("€".encode())
    found = aligned([entry("a"), entry("\\xe2", -1.0, euro[:1]), entry("\\x82\\xac", -2.0, euro[1:]), entry("b")], "a€b")
    assert found == [Token("a", -0.5), Token("", -1.0), Token("€", -2.0), Token("b", -0.5)]


@pytest.mark.parametrize("entries", [[], [entry("other")], [{"token": "x"}], [None], [entry("x", raw=[999])]])
def test_tokens_that_do_not_spell_the_text_are_none(entries: list[Any]) -> None:
    assert aligned(entries, "x") is None


def test_a_name_that_servers_refuse_is_mended() -> None:
    asked = Ask(messages=[system("x")], schema={"type": "object"}, name="Straße & co " * 20)
    made = completions.body(asked, Profile(), "json_schema", model="m")
    name = made["response_format"]["json_schema"]["name"]
    assert len(name) <= 64
    assert name.isascii()
    assert name.replace("_", "").replace("-", "").isalnum()
