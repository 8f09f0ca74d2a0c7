from __future__ import annotations

from .conftest import Api


async def test_health_answers_with_a_good_key_and_is_401_with_a_bad_one(api: Api) -> None:
    good = await api("GET", "/v1/health")
    assert good.status == 200
    assert good.json["status"] == "ok"
    for key in ("hg_wrong", ""):
        bad = await api("GET", "/v1/health", key=key)
        assert bad.status == 401
        assert bad.json["error"]["type"] == "authentication_error"
        assert bad.json["detail"] == bad.json["error"]["message"]
        assert bad.json["error"]["id"] == bad.headers["x-request-id"]
