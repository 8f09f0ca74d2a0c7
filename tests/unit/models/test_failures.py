"""What servers say when they refuse, in their words, as errors."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from heliograph.models import failures
from heliograph.models.errors import ModelBusy, ModelDeclined, ModelError, ModelLimit, ModelRefused, ModelUnavailable
from heliograph.models.habits import Habits


def failed(status: int, body: Any, **headers: str) -> ModelError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return failures.failure(status, failures.read(raw), sent, who="The model route 'x'", route="x")


TOO_LONG = [
    (400, {"error": {"message": "This model's maximum context length is 128000 tokens.", "code": "context_length_exceeded"}}),
    (
        400,
        {
            "object": "error",
            "message": "This model's maximum context length is 4096 tokens. However, you requested 9999 tokens",
            "code": 400,
        },
    ),
    (400, {"error": {"code": 400, "message": "the request exceeds the available context size", "type": "exceed_context_size_error"}}),
    (400, {"error": {"message": "The input (9000 tokens) is longer than the model's context length (4096 tokens)."}}),
    (400, {"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long: 250000 tokens > 200000 maximum"}}),
    (400, {"error": {"message": "The input token count (2000000) exceeds the maximum number of tokens allowed (1048576)."}}),
    (413, {"type": "error", "error": {"type": "request_too_large", "message": "Request exceeds the maximum size"}}),
    (500, {"error": {"message": "input is too long, context size exceeded"}}),
    (413, b"<html><head><title>413 Request Entity Too Large</title></head></html>"),
]


@pytest.mark.parametrize(("status", "body"), TOO_LONG)
def test_a_request_that_is_too_long_is_a_limit_in_every_dialect(status: int, body: Any) -> None:
    assert isinstance(failed(status, body), ModelLimit)


@pytest.mark.parametrize("status", [408, 409, 425, 500, 502, 503, 504, 520, 529, 429])
def test_what_may_go_better_later_is_unavailable(status: int) -> None:
    assert isinstance(failed(status, {"error": {"message": "Sorry."}}), ModelUnavailable)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 422, 501, 301])
def test_what_will_not_is_refused(status: int) -> None:
    assert isinstance(failed(status, {"error": {"message": "No."}}), ModelRefused)


def test_a_spent_quota_is_no_overload() -> None:
    spent = {"error": {"message": "You exceeded your current quota, please check your plan.", "code": "insufficient_quota"}}
    assert isinstance(failed(429, spent), ModelRefused)
    assert isinstance(failed(429, {"error": {"message": "Rate limit reached for requests"}}), ModelBusy)


def test_a_500_that_no_second_try_can_help_is_refused() -> None:
    assert isinstance(failed(500, {"error": {"message": "image input is not supported - hint: provide the mmproj"}}), ModelRefused)


def test_a_provider_that_minds_the_document_declines() -> None:
    filtered = {"error": {"message": "The response was filtered due to the prompt triggering our content management policy."}}
    assert isinstance(failed(400, filtered), ModelDeclined)
    assert isinstance(failed(400, {"error": {"message": "No.", "code": "content_filter"}}), ModelDeclined)


def test_a_sentence_ends_before_the_next_begins() -> None:
    assert "Bad key. Set models.x.key_env" in failed(401, {"error": {"message": "Bad key"}}).message
    assert "Bad key! Set models.x.key_env" in failed(401, {"error": {"message": "Bad key!"}}).message


def test_how_long_to_wait_is_read_in_every_form() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    past = format_datetime(datetime.now(UTC) - timedelta(seconds=30), usegmt=True)
    assert failed(429, {}, Retry_After="7").retry_after == 7
    assert failed(429, {}, Retry_After="0.4").retry_after == 1
    assert failed(429, {}, Retry_After=soon).retry_after in (29, 30, 31)
    assert failed(429, {}, Retry_After=past).retry_after == 0
    assert failed(429, {}, Retry_After="soon").retry_after is None
    assert failed(429, {}, Retry_After="99999999").retry_after == failures.LONGEST_WAIT
    assert failed(429, {}, retry_after_ms="1500", Retry_After="9").retry_after == 2
    limits = {"x_ratelimit_remaining_requests": "5", "x_ratelimit_reset_requests": "1m", "x_ratelimit_remaining_tokens": "0"}
    assert failed(429, {}, **limits, x_ratelimit_reset_tokens="6m1.5s").retry_after == 362
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "17s"}]
    assert failed(429, [{"error": {"message": "Slow down.", "status": "RESOURCE_EXHAUSTED", "details": details}}]).retry_after == 17


def test_messages_are_short_and_hold_nothing_of_the_document() -> None:
    detail = "[{'type': 'missing', 'loc': ('body', 'x'), 'msg': 'Field required', 'input': {'messages': 'Patient Jane Roe'}}]"
    message = failed(400, {"object": "error", "message": detail, "code": 400}).message
    assert "Field required" in message
    assert "Jane" not in message
    listed = {"detail": [{"loc": ["body"], "msg": "Field required", "input": "Jane"}]}
    assert "Field required" in failed(422, listed).message
    assert len(failed(400, {"error": {"message": "x" * 10_000}}).message) < 400
    assert "<" not in failed(502, b"<html><head><title>502 Bad Gateway</title></head><body>" + b"<p>" * 100).message


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[]", b"3", b'{"error": null}', b'{"error": [1]}', b"[" * 100_000, b"null"])
def test_no_body_breaks_the_reading(body: bytes) -> None:
    assert failed(500, body).message.startswith("The model route 'x' failed (500)")


def test_room_for_an_answer_is_found_in_what_servers_say() -> None:
    for sentence in (
        "This model's maximum context length is 1000 tokens. However, you requested 1500 tokens (400 in the messages, 1100 in the answer).",
        "Requested token count exceeds the model's maximum context length of 1000 tokens. You requested a total of 1500 tokens: 400 tokens "
        "from the input messages and 1100 tokens for the completion.",
        "input length and `max_tokens` exceed context limit: 400 + 1100 > 1000, decrease input length or `max_tokens` and try again",
        "'max_tokens' is too large: 1100. This model's maximum context length is 1000 tokens and your request has 400 input tokens.",
    ):
        error = failed(400, {"error": {"message": sentence}})
        assert isinstance(error, ModelLimit)
        assert failures.room(error) == 600
    assert failures.room(ModelLimit("too long")) is None


def test_a_server_is_not_sent_twice_what_it_does_not_take() -> None:
    habits = Habits()
    body = {"model": "m", "temperature": 0.0, "max_tokens": 9000, "messages": []}
    newer = ModelRefused("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.")
    second = habits.learn(newer, body)
    assert second == {"model": "m", "temperature": 0.0, "max_completion_tokens": 9000, "messages": []}
    third = habits.learn(ModelRefused("Unsupported value: 'temperature' does not support 0.0 with this model."), second)
    assert third == {"model": "m", "max_completion_tokens": 9000, "messages": []}
    fourth = habits.learn(ModelRefused("max_tokens is too large: 9000. This model supports at most 4096 completion tokens"), third)
    assert fourth == {"model": "m", "max_completion_tokens": 4096, "messages": []}
    assert habits.suit(body) == fourth
    assert habits.learn(ModelRefused("No such model."), fourth) is None
    assert habits.learn(ModelUnavailable("temperature"), fourth) is None
