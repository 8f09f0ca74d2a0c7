"""Callers without a key: so many chats a day by browser and by address, and nobody else's sessions."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.requests import Request

from heliograph.api.guests import COOKIE, Guests, address
from heliograph.config import ModelSettings, Settings
from heliograph.errors import InvalidRequest, RateLimited
from heliograph.models.scripted import Scripted, Turn
from heliograph.store import tenants
from heliograph.store.database import Database
from tests.integration.api.conftest import PDF, Answer, Api, serving

PATH = "/v1/openai/chat/completions"
ONE, OTHER = "fingerprint-of-one-browser", "fingerprint-of-another-browser"


@asynccontextmanager
async def open_door(settings: Settings, database_url: str, **more: Any) -> AsyncIterator[Api]:
    """A server with guests and a model."""
    async with Scripted([Turn(answer="hello", times=0)]) as model:
        models = {"house": ModelSettings(url=model.url, model="scripted")}
        values = {"models": models, "guests": True, "guest_chats": 3, "min_free_disk": 0}
        async with serving(settings.model_copy(update=values | more), database_url) as api:
            yield api


async def chat(api: Api, browser: str | None = None, *, cookie: str = "", **options: Any) -> Answer:
    headers = ({"X-Browser-Fingerprint": browser} if browser else {}) | ({"Cookie": cookie} if cookie else {})
    body = {"model": "house", "messages": [{"content": "hi"}]} | options
    return await api("POST", PATH, key="", headers=headers, json=body)


def set_cookie(answer: Answer) -> str:
    found = re.match(rf"({COOKIE}=[^;]+); .*HttpOnly; SameSite=Lax", answer.headers["set-cookie"])
    assert found is not None
    return found[1]


async def test_nobody_chats_without_a_key_unless_guests_are_let_in(settings: Settings, database_url: str) -> None:
    async with open_door(settings, database_url, guests=False) as api:
        assert (await chat(api, ONE)).status == 401
        assert (await api("GET", "/v1/sessions", key="", headers={"X-Browser-Fingerprint": ONE})).status == 401


async def test_a_browser_has_so_many_chats_a_day_and_is_told_when_there_are_more(settings: Settings, database_url: str) -> None:
    async with open_door(settings, database_url) as api:
        for stream in (False, True, False):
            assert (await chat(api, ONE, stream=stream)).status == 201
        refused = await chat(api, ONE)
        assert (refused.status, refused.json["error"]["code"]) == (429, "rate_limit_exceeded")
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).date()
        assert f"{tomorrow}T00:00:00Z" in refused.json["error"]["message"]
        assert 0 < int(refused.headers["retry-after"]) <= 86401
        assert (await chat(api, OTHER)).status == 201
        # a key knows no such limit, and a wrong one is no guest's
        for _ in range(4):
            assert (await api("POST", PATH, json={"model": "house", "messages": [{"content": "hi"}]})).status == 201
        assert (await api("POST", PATH, key="hg_wrong", json={"model": "house", "messages": [{"content": "hi"}]})).status == 401


async def test_all_browsers_of_an_address_together_have_a_limit_too(settings: Settings, database_url: str) -> None:
    async with open_door(settings, database_url, guest_chats_per_address=5) as api:
        statuses = [(await chat(api, f"another-browser-each-time-{number}")).status for number in range(7)]
        assert statuses == [201] * 5 + [429] * 2
        refused = await chat(api, ONE)
        assert "your address" in refused.json["error"]["message"]


async def test_a_browser_without_a_fingerprint_is_known_by_a_signed_cookie(settings: Settings, database_url: str) -> None:
    async with open_door(settings, database_url) as api:
        first = await chat(api)
        cookie = set_cookie(first)
        statuses = [(await chat(api, cookie=cookie)) for _ in range(4)]
        assert [answer.status for answer in statuses] == [201, 201, 201, 429]
        assert all("set-cookie" not in answer.headers for answer in statuses)
        listed = (await api("GET", "/v1/sessions", key="", headers={"Cookie": cookie})).json
        assert len(listed) == 4  # the first chat was its own already
        # a cookie that was tampered with, or one that this server never signed, is none: it counts as the address's own
        name = cookie.partition(".")[0]
        for forged in (name + "." + "0" * 64, f"{COOKIE}=somebody.{cookie.partition('.')[2]}"):
            assert set_cookie(await chat(api, cookie=forged)) != cookie
            assert (await api("GET", "/v1/sessions", key="", headers={"Cookie": forged})).json == []
        assert (await chat(api, cookie=name + ".")).status == 429
        assert (await chat(api)).status == 429


async def test_guests_see_their_own_sessions_only_and_nothing_else_of_the_server(settings: Settings, database_url: str) -> None:
    async with open_door(settings, database_url) as api:
        session = (await chat(api, ONE)).json["session_id"]
        mine, theirs = {"X-Browser-Fingerprint": ONE}, {"X-Browser-Fingerprint": OTHER}
        assert len((await api("GET", f"/v1/sessions/{session}", key="", headers=mine)).json["messages"]) == 2
        assert (await api("GET", "/v1/artifacts/list", key="", headers=mine, params={"session_id": session})).status == 200
        for headers, key in ((theirs, ""), ({}, ""), ({}, api.key)):
            assert (await api("GET", f"/v1/sessions/{session}", key=key, headers=headers)).status == 404
            assert (await api("DELETE", f"/v1/sessions/{session}", key=key, headers=headers)).status == 404
            assert (await api("GET", "/v1/artifacts/list", key=key, headers=headers, params={"session_id": session})).status == 404
        assert (await chat(api, OTHER, session_id=session)).status == 404
        for path in ("/v1/files", "/v1/predictions", "/v1/openai/chat/completions", "/v1/skills", "/v1/models"):
            assert (await api("GET", path, key="", headers=mine)).status == 401
        assert (await api("POST", "/v1/document/generate", key="", headers=mine, json={"url": "http://x"})).status == 401
        assert (await api("DELETE", f"/v1/sessions/{session}", key="", headers=mine)).status == 200


async def test_a_guest_uploads_a_file_for_a_chat(settings: Settings, database_url: str) -> None:
    async with open_door(settings, database_url) as api:
        import aiohttp

        form = aiohttp.FormData(quote_fields=False)
        form.add_field("file", PDF, filename="a.pdf")
        made = await api("POST", "/v1/files", key="", headers={"X-Browser-Fingerprint": ONE}, data=form)
        assert made.status == 201
        assert made.json["public_url"] is None  # nobody's place to put files up
        headers = {"X-Browser-Fingerprint": ONE}
        assert (await api("GET", f"/v1/files/{made.json['id']}", key="", headers=headers)).status == 401
        assert (await api("GET", f"/v1/files/hash/{hashlib.md5(PDF).hexdigest()}", key="", headers=headers)).status == 401


async def test_a_new_day_begins_at_midnight_utc_and_a_short_fingerprint_is_none(settings: Settings, database: Database) -> None:
    now = datetime(2026, 3, 1, 23, 59, 30, tzinfo=UTC)
    guests = Guests(settings.model_copy(update={"guest_chats": 1}), b"secret", now=lambda: now)
    one = guests.identify(request(fingerprint=ONE))
    await guests.count(database, one)
    with pytest.raises(RateLimited) as refused:
        await guests.count(database, one)
    assert refused.value.retry_after == 31
    assert "2026-03-02T00:00:00Z" in refused.value.message
    now += timedelta(seconds=30)
    await guests.count(database, one)
    assert guests.identify(request(fingerprint="short")).cookie is not None


async def test_what_the_address_is_refused_does_not_cost_the_browser_a_chat(settings: Settings, database: Database) -> None:
    values = {"guest_chats": 2, "guest_chats_per_address": 1}
    guests = Guests(settings.model_copy(update=values), b"secret")
    one, other = guests.identify(request(fingerprint=ONE)), guests.identify(request(fingerprint=OTHER))
    await guests.count(database, one)
    for _ in range(3):
        with pytest.raises(RateLimited, match="address"):
            await guests.count(database, other)
    generous = Guests(settings.model_copy(update=values | {"guest_chats_per_address": 9}), b"secret")
    await generous.count(database, other)
    await generous.count(database, other)


def test_only_trusted_proxies_say_where_a_request_comes_from() -> None:
    forwarded = request(forwarded="6.6.6.6, 203.0.113.9, 10.0.0.7", host="10.0.0.1")
    assert address(forwarded, []) == "10.0.0.1"
    assert address(forwarded, ["10.0.0.0/8"]) == "203.0.113.9"
    assert address(request(host="2001:db8::1:2:3:4"), []) == "2001:db8::/64"


async def test_the_tenant_of_guests_has_no_keys(database: Database) -> None:
    async with database.begin() as conn:
        await tenants.reserve_guests(conn)
        assert tenants.GUESTS not in [tenant.id for tenant in await tenants.list_(conn)]
        with pytest.raises(InvalidRequest):
            await tenants.create_key(conn, tenants.GUESTS, "no")


def request(*, fingerprint: str | None = None, forwarded: str | None = None, host: str = "192.0.2.1") -> Request:
    headers = [(b"x-browser-fingerprint", fingerprint.encode())] if fingerprint else []
    headers += [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    return Request({"type": "http", "headers": headers, "client": (host, 1), "scheme": "http", "server": ("h", 80), "path": "/"})
