"""What is not acceptable as a body gets a clear 4xx, never 5xx, and text of every kind comes back as it was sent."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path

import pytest

from heliograph.config import Settings

from .conftest import PDF, Api, serving

URI = "data:application/pdf;base64," + base64.b64encode(PDF).decode()
JSON = {"Content-Type": "application/json"}


async def test_bodies_that_cannot_be_accepted_are_4xx_with_a_reason(api: Api) -> None:
    wrapped = b'{"url":"%s","domain":"document.invoice","metadata":{"extra":{"x":%%s}}}' % URI.encode()
    refused = {
        b"": "body",
        b"{": "json_invalid",
        b"nonsense": "json_invalid",
        b'"\xff"': "json_invalid",
        b"NaN": "json_invalid",
        wrapped % b"NaN": "json_invalid",
        wrapped % b"Infinity": "json_invalid",
        wrapped % b"1e999": "json_invalid",
        wrapped % (b"9" * 5000): "json_invalid",
        wrapped % b"99999999999999999999999": "64 bits",
        wrapped % b'"a\\u0000b"': "NUL",
        wrapped % b'{"a\\u0000b":1}': "NUL",
        wrapped % b'"\\ud800"': "json_invalid",
        wrapped % b'"\\ud800 text"': "json_invalid",
        wrapped % b'"\\udc00"': "json_invalid",
        wrapped % b'{"\\ud800":1}': "json_invalid",
        wrapped % (b"[" * 100 + b"]" * 100): "nested",
        wrapped % (b"[" * 100_000 + b"]" * 100_000): "nested",
        wrapped % (b"[" + b"0," * 2_100_000 + b"0]"): "values",
        wrapped % (b"[" + b"0," * 600_000 + b"0]"): "values",
        b"[]": "",
        b"7": "",
        b"null": "",
    }
    for body, reason in refused.items():
        answer = await api("POST", "/v1/document/generate", data=body, headers=JSON)
        assert answer.status == 422, body[:200]
        assert reason in answer.content.decode(), (body[:200], answer.content)
        assert isinstance(answer.json["detail"], list)
    wrong = await api("POST", "/v1/document/generate", data=b"a=b", headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert wrong.status == 422
    assert "application/json" in wrong.json["error"]["message"]
    assert (await api("GET", "/v1/files/%00")).status == 404
    assert (await api("GET", "/v1/predictions/a%00b")).status == 404


async def test_a_body_over_the_limit_is_413_whether_announced_or_streamed(settings: Settings, database_url: str) -> None:
    async with serving(settings.model_copy(update={"max_body": 10_000}), database_url) as api:

        async def endless():
            for _ in range(100):
                yield b" " * 1000
                await asyncio.sleep(0)

        for data in (b" " * 10_001, endless()):
            answer = await api("POST", "/v1/document/generate", data=data, headers=JSON)
            assert answer.status == 413
            assert answer.json["error"]["type"] == "payload_too_large"


async def test_the_key_is_asked_for_before_the_body_is_read(settings: Settings, database_url: str) -> None:
    async with serving(settings.model_copy(update={"max_body": 10}), database_url) as api:
        assert (await api("POST", "/v1/document/generate", data=b"x" * 1000, headers=JSON, key="wrong")).status == 401


async def test_a_refused_value_is_repeated_only_when_it_is_short(api: Api) -> None:
    short = await api("POST", "/v1/document/generate", json={"url": URI, "batch": "perhaps"})
    assert short.json["detail"][0]["input"] == "perhaps"
    long = await api("POST", "/v1/document/generate", json={"url": URI, "batch": "x" * 5000})
    assert "xxx" not in long.content.decode()


async def test_error_bodies_have_one_shape_in_each_dialect(api: Api) -> None:
    for method, path, status in (
        ("GET", "/nowhere", 404),
        ("GET", "/v1/files/none", 404),
        ("PATCH", "/v1/files", 405),
        ("POST", "/v1/document/generate", 422),
        ("POST", "/v1/video/generate", 422),
        ("GET", "/v1/files?limit=0", 422),
    ):
        answer = await api(method, path)
        assert answer.status == status
        assert answer.json.keys() == {"detail", "error"}
        assert answer.json["error"].keys() == {"type", "message", "id"}
        assert answer.json["error"]["id"] == answer.headers["x-request-id"]
        assert isinstance(answer.json["detail"], list if status == 422 else str)
    for method, path, key in (
        ("POST", "/v1/openai/chat/completions", None),
        ("GET", "/v1/openai/models", "wrong"),
        ("GET", "/v1/openai/x", None),
    ):
        answer = await api(method, path, key=key)
        assert answer.json.keys() == ({"detail", "error"} if answer.status == 422 else {"error"})
        assert answer.json["error"].keys() == {"message", "type", "param", "code"}


async def test_what_comes_later_says_so(api: Api) -> None:
    from heliograph.api.routes.later import LISTS, ROUTES

    for path in LISTS:
        answer = await api("GET", "/v1" + path, params={"skip": "0", "limit": "25", "order_by": "created_at", "descending": "True"})
        assert (answer.status, answer.json) == (200, []), "there are none, which is true"
    for routes in ROUTES.values():
        for method, path in routes:
            answer = await api(method, "/v1" + path.replace("{id}", "some-id"), data=b"{}" if method == "POST" else None, headers=JSON)
            assert answer.status == 422
            assert answer.json["error"]["type"] == "not_configured"
            assert "does not have" in answer.json["error"]["message"]


async def test_a_fault_in_the_code_is_a_500_with_the_requests_id_and_nothing_else(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from heliograph.api.routes import hub

    def broken() -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(hub.domains, "catalog", broken)
    answer = await api("GET", "/v1/domains")
    assert answer.status == 500
    assert answer.json["error"]["id"] == answer.headers["x-request-id"]
    assert "secret" not in answer.content.decode()


async def test_every_case_of_the_json_parsing_suite_is_taken_or_refused_as_it_should_be(api: Api, shared_data: Path) -> None:
    items = sorted((shared_data / "json_parsing_nst" / "items").glob("*.json"))
    assert len(items) > 150
    for item in items:
        answer = await api("POST", "/v1/document/generate", data=item.read_bytes(), headers=JSON)
        assert 400 <= answer.status < 500, item.name
        is_invalid = "json_invalid" in answer.content.decode()
        if item.name.startswith("y_"):
            assert not is_invalid, item.name
        elif item.name.startswith("n_"):
            assert is_invalid or "nested" in answer.content.decode() or item.stat().st_size == 0, item.name


async def test_naughty_strings_come_back_as_they_were_sent(api: Api, shared_data: Path) -> None:
    [source] = [
        path for path in (shared_data / "naughty_strings").rglob("*") if path.is_file() and path.name.endswith(("blns.json", "blns.txt"))
    ][:1]
    text = source.read_text("utf-8")
    strings = json.loads(text) if source.suffix == ".json" else [line for line in text.splitlines() if line and not line.startswith("#")]
    strings = [string for string in strings if "\0" not in string]
    assert len(strings) > 300
    body = {
        "url": URI,
        "domain": "document.invoice",
        "metadata": {"session_id": strings[-1] or "x", "extra": {"all": strings}},
        "id": "blns",
    }
    made = await api("POST", "/v1/document/generate", json=body)
    assert made.status == 201
    assert (await api("GET", "/v1/predictions/blns")).json["metadata"]["extra"]["all"] == strings
    for number, string in enumerate(strings[::12]):
        if not string or len(string) > 255:
            continue
        made = await api("POST", "/v1/document/generate", json={"url": URI, "domain": "document.invoice", "id": f"{number}{string}"})
        assert made.status == 201, string
        assert made.json["id"] == f"{number}{string}"
        refused = await api("POST", "/v1/document/generate", json={"url": URI, "domain": string, "config": {"gql_stmt": string}})
        assert refused.status == 422, string
