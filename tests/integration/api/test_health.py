from __future__ import annotations

import asyncio
import logging

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from heliograph.config import Settings
from heliograph.store import tenants
from heliograph.store.postgres import EmbeddedPostgres

from .conftest import Api, serving


async def test_health_answers_with_a_good_key_and_is_401_with_a_bad_one(api: Api) -> None:
    good = await api("GET", "/v1/health")
    assert good.status == 200
    assert good.json["status"] == "ok"
    for key in ("hg_wrong", "", "hg_é"):
        bad = await api("GET", "/v1/health", key=key)
        assert bad.status == 401
        assert bad.headers["www-authenticate"] == "Bearer"
        assert bad.json["error"]["type"] == "authentication_error"
        assert bad.json["detail"] == bad.json["error"]["message"]
        assert bad.json["error"]["id"] == bad.headers["x-request-id"]


async def test_the_key_may_come_as_x_api_key(api: Api) -> None:
    assert (await api("GET", "/v1/health", key="", headers={"X-Api-Key": api.key})).status == 200
    assert (await api("GET", "/v1/health", key="", headers={"X-Api-Key": "no"})).status == 401
    assert (await api("GET", "/v1/health", key="", headers={"Authorization": f"bearer {api.key}"})).status == 200
    assert (await api("GET", "/v1/health", key="", headers={"Authorization": f"Basic {api.key}"})).status == 401


async def test_a_revoked_key_stops_working_within_seconds(api: Api) -> None:
    assert (await api("GET", "/v1/health")).status == 200
    async with api.database.begin() as conn:
        for key in await tenants.list_keys(conn, api.tenant):
            await tenants.revoke_key(conn, api.tenant, key.id)
    for _ in range(50):
        if (await api("GET", "/v1/health")).status == 401:
            break
        await asyncio.sleep(0.1)
    else:
        pytest.fail("still works after 5 seconds")


async def test_a_seeded_key_works_for_the_default_tenant_even_after_it_was_revoked(settings: Settings, database_url: str) -> None:
    seeded = settings.model_copy(update={"api_key": SecretStr("seeded-in-a-test")})
    for _ in range(2):
        async with serving(seeded, database_url) as api:
            assert (await api("GET", "/v1/health", key="seeded-in-a-test")).status == 200
            async with api.database.begin() as conn:
                for key in await tenants.list_keys(conn, api.tenant):
                    await tenants.revoke_key(conn, api.tenant, key.id)


async def test_last_use_of_a_key_is_noted(api: Api) -> None:
    await api("GET", "/v1/health")
    async with api.database.begin() as conn:
        assert any(key.last_used_at for key in await tenants.list_keys(conn, api.tenant))


async def test_probes_need_no_key(api: Api) -> None:
    assert (await api("GET", "/livez", key="")).status == 200
    assert (await api("GET", "/readyz", key="")).status == 200


async def test_metrics_count_by_route_and_are_off_on_public_addresses(settings: Settings, database_url: str) -> None:
    async with serving(settings, database_url) as api:
        await api("GET", "/v1/predictions/some-id")
        shown = await api("GET", "/metrics", key="")
        assert (
            'heliograph_http_requests_total{method="GET",route="/v1/predictions/{prediction_id:path}",status="404"} 1.0'
            in shown.content.decode()
        )
        assert "some-id" not in shown.content.decode()
    async with serving(settings.model_copy(update={"host": "0.0.0.0"}), database_url) as api:
        assert (await api("GET", "/metrics", key="")).status == 404
    async with serving(settings.model_copy(update={"host": "0.0.0.0", "metrics_public": True}), database_url) as api:
        assert (await api("GET", "/metrics", key="")).status == 200


async def test_every_answer_carries_a_request_id(api: Api) -> None:
    for method, path in (("GET", "/livez"), ("GET", "/v1/health"), ("GET", "/nowhere"), ("PATCH", "/v1/health"), ("OPTIONS", "/v1/files")):
        assert (await api(method, path)).headers["x-request-id"]
    assert (await api("GET", "/livez", headers={"X-Request-Id": "mine-1"})).headers["x-request-id"] == "mine-1"
    assert (await api("GET", "/livez", headers={"X-Request-Id": "no good"})).headers["x-request-id"] != "no good"


async def test_browsers_may_call_from_the_origins_that_are_set(settings: Settings, database_url: str) -> None:
    preflight = {"Origin": "https://ui.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    async with serving(settings.model_copy(update={"cors_origins": ["https://ui.example"]}), database_url) as api:
        answer = await api("OPTIONS", "/v1/files", key="", headers=preflight)
        assert answer.headers["access-control-allow-origin"] == "https://ui.example"
        refused = await api("GET", "/v1/health", key="", headers={"Origin": "https://ui.example"})
        assert refused.headers["access-control-allow-origin"] == "https://ui.example", "a page must be able to read errors"
        assert "access-control-allow-origin" not in (await api("GET", "/v1/health", headers={"Origin": "https://other.example"})).headers
    async with serving(settings, database_url) as api:
        assert "access-control-allow-origin" not in (await api("OPTIONS", "/v1/files", key="", headers=preflight)).headers


async def test_the_access_log_names_key_and_route_but_no_secret(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    file = await api.upload()
    with caplog.at_level(logging.DEBUG, logger="heliograph.access"):
        await api("GET", file["public_url"], key="")
        await api("GET", f"/v1/files/{file['id']}")
        lines = await logged(caplog, 2)
    assert f"GET /v1/files/{file['id']}/content 200" in lines[0].getMessage()
    assert f"GET /v1/files/{file['id']} 200" in lines[1].getMessage()
    assert {line.levelname for line in lines} == {"INFO"}
    for line in lines:
        assert api.key not in line.getMessage()
        assert "signature" not in line.getMessage()


async def test_probes_and_scrapes_are_logged_at_debug_level(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="heliograph.access"):
        for path in ("/livez", "/readyz", "/metrics", "/v1/health"):
            await api("GET", path)
        assert [line.levelname for line in await logged(caplog, 4)] == ["DEBUG"] * 4


async def logged(caplog: pytest.LogCaptureFixture, count: int) -> list[logging.LogRecord]:
    """The lines of the access log as soon as there are `count`; each is written after its answer."""
    async with asyncio.timeout(5):
        while len(lines := [record for record in caplog.records if record.name == "heliograph.access"]) < count:
            await asyncio.sleep(0.01)
    return lines


async def test_a_database_that_is_away_is_503_and_comes_back(settings: Settings, postgres: EmbeddedPostgres, database_url: str) -> None:
    async with serving(settings, database_url) as api:
        file = await api.upload()
        name = database_url.rpartition("/")[2]
        import psycopg

        with psycopg.connect(postgres.url(), autocommit=True) as admin:
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
            for method, path in (("GET", f"/v1/files/{file['id']}"), ("GET", "/readyz"), ("GET", "/v1/predictions")):
                answer = await api(method, path)
                assert answer.status == 503, answer.content
                assert int(answer.headers["retry-after"]) > 0
                assert answer.json["error"]["type"] == "unavailable"
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        assert (await api("GET", f"/v1/files/{file['id']}")).status == 200
        async with api.database.begin() as conn:
            await conn.execute(text("SELECT 1"))
