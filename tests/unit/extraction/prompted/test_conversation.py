"""Conversations with a scripted model: cut answers are gone on with, wrong ones repaired, and what failed is said for what it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from heliograph.config import ModelSettings
from heliograph.extraction.prompted.conversation import MOST_CONTINUED, Said, converse
from heliograph.extraction.prompted.request import Request
from heliograph.extraction.schema import Schema, compile_schema
from heliograph.models.contract import Dialect, Profile, Text, system, user
from heliograph.models.errors import ModelRefused, ModelUnavailable
from heliograph.models.openai import OpenAIBackend
from heliograph.models.scripted import Scripted, Turn

RECEIPT = compile_schema({
    "type": "object",
    "properties": {
        "company": {"type": "string"},
        "date": {"type": "string", "format": "date"},
        "total": {"type": "number"},
        "paid": {"type": "boolean"},
        "items": {
            "type": "array",
            "items": {"type": "object", "properties": {"name": {"type": "string"}, "price": {"type": "number"}}, "required": ["name"]},
        },
        "note": {"type": "string"},
    },
    "required": ["company", "total"],
})  # fmt: skip
ROWS = [{"name": f"Article {number}", "price": number / 4} for number in range(40)]
WHOLE: dict[str, Any] = {"company": "Tea House", "date": "2024-03-05", "total": 12.5, "paid": True, "items": ROWS, "note": None}
SMALL = {**WHOLE, "items": ROWS[:2]}
PROFILE = Profile(json_modes=("json_schema", "tool", "json_object", "prompt"), dialect="vllm", logprobs=True, model="scripted")
PREFILL = Profile(json_modes=PROFILE.json_modes, dialect="vllm", logprobs=True, prefill=True, model="scripted")


@asynccontextmanager
async def talking(
    script: Any, *, profile: Profile = PROFILE, schema: Schema = RECEIPT, dialect: Dialect = "vllm", abilities: Any = None, **request: Any
) -> AsyncIterator[tuple[Said, Scripted]]:
    """What comes of a conversation with a scripted model, and the server that answered."""
    async with Scripted(script, dialect, **(abilities or {})) as server:
        settings = ModelSettings(url=server.url, model="scripted", timeout=5)
        backend = OpenAIBackend("test", settings, profile=profile)
        try:
            messages = [system("You read."), user(Text("<document>Tea House</document>"), Text("Fields: ..."))]
            yield await converse(backend, messages, schema, Request(**request)), server
        finally:
            await backend.close()


def told(server: Scripted, number: int) -> str:
    """What the user said last in a request."""
    return str(server.bodies[number]["messages"][-1]["content"])


# answers


async def test_an_answer_is_had_with_its_states_and_likelihoods() -> None:
    turn = Turn(answer=SMALL, logprob={"Tea House": -1.5, "12.5": -0.25})
    async with talking([turn]) as (said, server):
        assert said.value == SMALL
        assert (said.problems, said.warnings, said.truncated, said.refused, said.asked) == ([], [], False, None, 1)
        assert said.states[("company",)] == "found"
        assert said.states[("items", 1, "price")] == "found"
        assert said.states[("note",)] == "absent"
        assert said.tokens[("total",)] == pytest.approx(-0.25, abs=0.1)
        assert said.weakest[("company",)] == pytest.approx(-1.5)
        assert said.weakest[("items", 0, "name")] == pytest.approx(-0.01)
        assert ("note",) not in said.tokens
        assert said.spent.output > 0
        assert server.bodies[0]["response_format"]["json_schema"]["schema"]["required"] == list(WHOLE)


async def test_an_answer_between_thoughts_prose_and_fences_is_found() -> None:
    for wrap in ("fence", "prose", "think"):
        async with talking([Turn(answer=SMALL, wrap=wrap)]) as (said, _):
            assert said.value == SMALL
            assert said.asked == 1


async def test_no_more_tokens_are_asked_for_than_the_model_writes() -> None:
    async with talking([SMALL], max_tokens=1_000_000) as (_, server):
        assert server.bodies[0]["max_tokens"] == PROFILE.max_output
    async with talking([SMALL], max_tokens=70) as (_, server):
        assert server.bodies[0]["max_tokens"] == 70


async def test_a_forgotten_bracket_is_no_cut() -> None:
    async with talking([json.dumps(SMALL)[:-1]]) as (said, _):
        assert (said.value, said.truncated, said.asked) == (SMALL, False, 1)


# cut answers


async def test_a_cut_answer_is_gone_on_with_from_its_last_whole_row() -> None:
    def rest(heard: Any) -> Any:
        received = json.loads(heard.messages[-2].text if hasattr(heard.messages[-2], "text") else heard.messages[-2]["content"])
        return {**dict.fromkeys(WHOLE), "items": ROWS[len(received["items"]) :], "note": "thanks"}

    async with talking([Turn(answer=WHOLE, truncate=150), Turn(answer=rest)]) as (said, server):
        assert said.value == {**WHOLE, "note": "thanks"}
        assert not said.truncated
        assert said.asked == 2
        assert "`items` holds only the entries from number" in told(server, 1)
        assert said.states[("items", 39, "price")] == "found"
        assert set(said.tokens) >= {("items", number, "name") for number in range(40)}
        assert ("items",) not in said.states


async def test_rows_given_again_after_a_cut_are_kept_once() -> None:
    for again in (ROWS, ROWS[2:], ROWS[1:]):
        async with talking([Turn(answer=WHOLE, truncate=120), {"items": again}]) as (said, server):
            assert "(the first 3 were received)" in told(server, 1)
            assert said.value["items"] == ROWS


async def test_a_model_that_takes_prefills_writes_on_where_it_stopped() -> None:
    text = json.dumps(WHOLE)
    turns = [Turn(answer=text, truncate=100), Turn(answer=lambda heard: text[len(heard.prefill) :])]
    async with talking(turns, profile=PREFILL) as (said, server):
        assert said.value == WHOLE
        assert said.asked == 2
        assert text.startswith(server.bodies[1]["messages"][-1]["content"])
        assert set(said.tokens) >= {("company",), ("items", 39, "price")}


async def test_a_model_that_begins_anew_after_a_prefill_is_understood() -> None:
    async with talking([Turn(answer=WHOLE, truncate=100), WHOLE], profile=PREFILL) as (said, _):
        assert said.value == WHOLE
        assert said.asked == 2


async def test_an_answer_that_is_cut_again_and_again_keeps_its_rows_and_says_so() -> None:
    many = {**WHOLE, "items": [{"name": f"Article {number}", "price": number} for number in range(4_000)]}

    def rest(heard: Any) -> Any:
        received = json.loads(heard.messages[-2].text if hasattr(heard.messages[-2], "text") else heard.messages[-2]["content"])
        return {"items": many["items"][len(received["items"]) :], "note": "thanks"}

    async with talking([Turn(answer=many, truncate=200), Turn(answer=rest, truncate=200, times=0)]) as (said, _):
        assert said.asked == 1 + MOST_CONTINUED
        assert said.truncated
        kept = [row for row in said.value["items"] if "price" in row]
        assert kept == many["items"][: len(kept)]
        assert len(kept) > 30
        assert "note" not in said.value
        assert said.states[("note",)] == "not_reached"
        assert said.states[("items",)] == "not_reached"
        assert said.states[("company",)] == "found"


async def test_a_continuation_that_brings_nothing_is_the_last() -> None:
    async with talking([Turn(answer=WHOLE, truncate=80), Turn(answer="I cannot go on.", times=0)]) as (said, _):
        assert said.asked == 2
        assert said.truncated
        assert said.value["company"] == "Tea House"


async def test_a_model_that_goes_round_in_circles_is_stopped() -> None:
    circling = {**WHOLE, "items": [*ROWS[:2], *[{"name": "Tea", "price": 1}] * 500]}
    async with talking([Turn(answer=circling, truncate=400), Turn(times=0, answer=circling)]) as (said, _):
        assert said.asked == 1
        assert said.value["items"] == [*ROWS[:2], {"name": "Tea", "price": 1}]
        assert said.truncated
        assert any(warning.startswith("repetition:") for warning in said.warnings)


async def test_endless_blanks_are_cut() -> None:
    async with talking([Turn(answer=SMALL, whitespace=True)], max_tokens=400) as (said, _):
        assert (said.value, said.truncated, said.asked) == (SMALL, False, 1)
    async with talking([Turn(answer=SMALL, whitespace=True, truncate=20), {"items": ROWS[:2], "total": 12.5}], max_tokens=400) as (said, _):
        assert said.asked == 2
        assert said.value["items"] == ROWS[:2]


async def test_a_stream_that_breaks_is_gone_on_with() -> None:
    for broken in (Turn(answer=WHOLE, reset_after=60), Turn(answer=WHOLE, error_after=60), Turn(answer=WHOLE, end_after=60)):
        async with talking([broken, {"items": ROWS, "note": None}]) as (said, _):
            assert said.value["items"] == ROWS
            assert said.value["company"] == "Tea House"
            assert not said.truncated


async def test_a_server_that_dies_while_an_answer_is_gone_on_with_leaves_what_there_is() -> None:
    async with talking([Turn(answer=WHOLE, truncate=100), Turn(status=500, times=0)]) as (said, _):
        assert said.truncated
        assert said.value["company"] == "Tea House"
        assert any(warning.startswith("not_continued:") for warning in said.warnings)


# refusals, garbage, failures


async def test_a_refusal_is_no_absence() -> None:
    async with talking([Turn(refusal="I cannot read medical records.")]) as (said, _):
        assert said.refused == "I cannot read medical records."
        assert said.value is None
        assert set(said.states.values()) == {"refused"}
        assert said.states[("total",)] == "refused"
        assert said.asked == 1


async def test_garbage_is_shown_again_and_an_answer_taken() -> None:
    async with talking(["There is no total on this page, sorry!", SMALL]) as (said, server):
        assert said.value == SMALL
        assert "not a JSON object" in told(server, 1)
        assert server.bodies[1]["messages"][-2] == {"role": "assistant", "content": "There is no total on this page, sorry!"}


async def test_a_schema_given_back_is_no_answer() -> None:
    async with talking([RECEIPT.source, SMALL]) as (said, server):
        assert said.value == SMALL
        assert "JSON Schema itself" in told(server, 1)
    async with talking([Turn(answer=RECEIPT.source, times=0)], max_retries=0) as (said, _):
        assert said.value is None
    asked = compile_schema({"type": "object", "properties": {"type": {"type": "string"}, "properties": {"type": "object"}}})
    async with talking([{"type": "house", "properties": {}}], schema=asked) as (said, _):
        assert said.asked == 1


async def test_garbage_without_end_is_unreadable_and_not_absent() -> None:
    async with talking([Turn(answer="Hello!", times=0)], max_retries=2) as (said, _):
        assert said.asked == 3
        assert said.value is None
        assert set(said.states.values()) == {"unreadable"}
        assert said.warnings == ["unreadable_answer: the model's answer held no JSON that answers"]


async def test_without_retries_nothing_is_asked_again() -> None:
    async with talking([Turn(answer="Hello!", times=0)], max_retries=0) as (said, _):
        assert said.asked == 1
    async with talking([Turn(answer={**SMALL, "total": "a lot"}, times=0)], max_retries=0) as (said, _):
        assert (said.asked, said.value["total"]) == (1, None)


async def test_a_model_that_is_away_raises() -> None:
    with pytest.raises(ModelUnavailable):
        async with talking([Turn(status=503, times=0)]):
            pass
    with pytest.raises(ModelRefused):
        async with talking([Turn(status=401, times=0)]):
            pass


async def test_a_json_mode_that_the_server_refuses_gives_way_to_the_next() -> None:
    async with talking([SMALL], abilities={"without": {"json_schema"}}) as (said, server):
        assert said.value == SMALL
        assert said.warnings[0].startswith("json_mode: the server refused the mode json_schema, and was asked in tool")
        assert "tools" in server.bodies[-1]
    async with talking([SMALL], abilities={"without": {"json_schema", "tools", "json_object"}}) as (said, server):
        assert said.value == SMALL
        assert len(said.warnings) == 3
        assert not {"tools", "response_format"} & server.bodies[-1].keys()


# values that do not fit


async def test_values_that_can_mean_one_thing_are_made_to_fit_without_asking() -> None:
    answer = {
        "company": "Tea",
        "date": "5 March 2024",
        "total": "$ 1,212.50",
        "paid": "yes",
        "items": [{"name": 7, "price": ""}],
        "note": "",
    }
    async with talking([answer], profile=Profile(json_modes=("prompt",), model="scripted")) as (said, _):
        assert said.asked == 1
        assert said.value == {
            "company": "Tea", "date": "2024-03-05", "total": 1212.5, "paid": True, "items": [{"name": "7", "price": None}], "note": None,
        }  # fmt: skip
        assert said.problems == []


async def test_a_wrong_value_is_shown_to_the_model_and_only_it_is_replaced() -> None:
    wrong = {**SMALL, "total": "twelve fifty", "items": [ROWS[0], {"name": "Article 1", "price": "free"}]}
    right = {**SMALL, "company": "TEA HOUSE", "total": 12.5, "items": [ROWS[0], {"name": "Article one", "price": 0}]}
    async with talking([wrong, right]) as (said, server):
        assert said.value == {**SMALL, "items": [ROWS[0], {"name": "Article 1", "price": 0}]}
        assert said.problems == []
        assert said.asked == 2
        assert '- total: "twelve fifty" is not a number, or null' in told(server, 1)
        assert '- items.1.price: "free" is not a number, or null' in told(server, 1)
        assert json.loads(server.bodies[1]["messages"][-2]["content"]) == wrong


async def test_what_cannot_be_repaired_is_null_and_said() -> None:
    wrong = {**SMALL, "total": "twelve fifty"}
    async with talking([Turn(answer=wrong, times=0)], max_retries=2) as (said, _):
        assert said.asked == 3
        assert said.value == {**SMALL, "total": None}
        assert said.states[("total",)] == "unreadable"
        assert said.problems == ['total: "twelve fifty" is not a number, or null']
        assert said.warnings == ['value_dropped: total: "twelve fifty" is not a number, or null']


async def test_a_repair_that_makes_it_worse_is_forgotten() -> None:
    wrong = {**SMALL, "total": "twelve fifty"}
    worse = {"company": 3, "total": "dear", "paid": "perhaps", "date": "soon", "items": "many"}
    async with talking([wrong, worse], max_retries=1) as (said, _):
        assert said.value == {**SMALL, "total": None}


async def test_a_repair_that_fails_leaves_the_answer() -> None:
    for turn in (Turn(status=500, times=0), Turn(refusal="No."), Turn(answer="Sorry")):
        async with talking([{**SMALL, "total": "dear"}, turn]) as (said, _):
            assert said.value == {**SMALL, "total": None}


async def test_what_lowering_lost_is_checked_and_repaired() -> None:
    schema = compile_schema({
        "type": "object",
        "properties": {
            "code": {"type": "string", "pattern": "^[A-Z]{2}[0-9]{4}$"},
            "rate": {"type": "number", "maximum": 1},
            "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2, "uniqueItems": True},
        },
        "additionalProperties": False,
    })  # fmt: skip
    first = {"code": "ab12", "rate": 19, "tags": ["a", "a", "b"]}
    async with talking([first, {"code": "AB1234", "rate": 0.19, "tags": ["a", "b"]}], schema=schema) as (said, server):
        assert said.value == {"code": "AB1234", "rate": 0.19, "tags": ["a", "b"]}
        assert '"ab12" is not a string that matches ^[A-Z]{2}[0-9]{4}$' in told(server, 1)
        assert "19 is not a number at most 1" in told(server, 1)
    async with talking([Turn(answer=first, times=0)], schema=schema, max_retries=1) as (said, _):
        assert said.value["code"] is None
        assert said.value["rate"] is None
        assert schema.check(said.value) == []


async def test_keys_that_were_not_asked_for_are_left_out() -> None:
    schema = compile_schema({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False})
    async with talking([{"a": "x", "b": "y"}], schema=schema) as (said, _):
        assert (said.value, said.problems, said.asked) == ({"a": "x"}, [], 1)


# large schemas and other shapes


def wide(groups: int) -> Schema:
    group = {"type": "object", "properties": {f"field_{number}": {"type": "string"} for number in range(40)}}
    return compile_schema({"type": "object", "properties": {f"group_{number}": group for number in range(groups)}, "required": ["group_0"]})


async def test_a_schema_too_large_for_one_answer_is_asked_in_parts_side_by_side() -> None:
    profile = Profile(json_modes=("json_schema",), dialect="vllm", max_output=2_000, model="scripted")
    async with talking([Turn(fill=True, times=0, delay=0.05)], profile=profile, schema=wide(10)) as (said, server):
        assert said.asked > 3
        assert server.most_open == said.asked
        assert list(said.value) == [f"group_{number}" for number in range(10)]


async def test_a_part_that_is_refused_leaves_the_others() -> None:
    profile = Profile(json_modes=("json_schema",), dialect="vllm", max_output=2_000, model="scripted")
    turns = [Turn(refusal="Not this.", times=1), Turn(fill=True, times=0)]
    async with talking(turns, profile=profile, schema=wide(10)) as (said, _):
        assert said.refused is None
        assert "refused: the model would not answer a part: Not this." in said.warnings
        assert {"refused"} <= set(said.states.values())
        assert said.value


async def test_renamed_keys_and_pairs_come_back_and_keep_their_likelihoods() -> None:
    schema = compile_schema({
        "type": "object",
        "properties": {"Größe": {"type": "number"}, "Sätze": {"type": "object", "additionalProperties": {"type": "number"}}},
    })  # fmt: skip
    answer = {"Groe": 7, "Satze": [{"key": "A", "value": 19}, {"key": "B", "value": "x"}]}
    profile = Profile(json_modes=("json_schema",), logprobs=True, model="scripted")
    async with talking([answer, answer], schema=schema, profile=profile) as (said, server):
        assert said.value == {"Größe": 7, "Sätze": {"A": 19, "B": None}}
        assert set(said.tokens) == {("Größe",), ("Sätze", "A")}
        assert "- Satze.1.value:" in told(server, 1)  # as the model knows it


async def test_a_list_as_the_answer_is_had_as_a_list() -> None:
    schema = compile_schema({"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}})
    rows = [{"name": f"Row number {number}"} for number in range(30)]
    async with talking([Turn(answer={"answer": rows}, truncate=60), {"answer": rows[3:]}], schema=schema) as (said, _):
        assert len(said.value) >= 27


async def test_keys_made_of_digits_are_found_when_they_are_wrong() -> None:
    schema = compile_schema({"type": "object", "properties": {"2024": {"type": "number", "minimum": 5}, "2025": {"type": "number"}}})
    async with talking([Turn(answer={"2024": 1, "2025": 2}, times=0)], schema=schema) as (said, _):
        assert said.value == {"2024": None, "2025": 2}


async def test_ending_a_conversation_ends_all_that_was_asked() -> None:
    profile = Profile(json_modes=("json_schema",), dialect="vllm", max_output=2_000, model="scripted")
    async with Scripted([Turn(fill=True, times=0, delay=30)], "vllm") as server:
        backend = OpenAIBackend("test", ModelSettings(url=server.url, model="scripted"), profile=profile)
        talk = asyncio.create_task(converse(backend, [user(Text("A page."))], wide(10), Request()))
        while server.open < 4:
            await asyncio.sleep(0.01)
        talk.cancel()
        with pytest.raises(asyncio.CancelledError):
            await talk
        async with asyncio.timeout(1):
            while server.open:
                await asyncio.sleep(0.01)
        await backend.close()


async def test_when_one_part_cannot_be_had_the_others_are_given_up() -> None:
    profile = Profile(json_modes=("json_schema",), dialect="vllm", max_output=2_000, model="scripted")
    with pytest.raises(ModelUnavailable):
        async with talking([Turn(status=503, times=1), Turn(fill=True, times=0, delay=30)], profile=profile, schema=wide(10)):
            pass
