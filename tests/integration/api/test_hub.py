from __future__ import annotations

import pytest

from .conftest import Api


async def test_the_catalogue_lists_domains_with_what_clients_read(api: Api) -> None:
    domains = (await api("GET", "/v1/domains")).json
    names = {domain["domain"] for domain in domains}
    assert {"document.invoice", "document.receipt", "document.markdown", "document.layout-detection"} <= names
    assert (await api("GET", "/v1/hub/domains")).json == domains
    assert all({"name", "description", "supported_inputs", "tags"} <= domain.keys() for domain in domains)
    assert (await api("GET", "/v1/hub/info")).json["version"]
    assert (await api("GET", "/v1/hub/domains/document.invoice")).json is True
    assert (await api("GET", "/v1/hub/domains/document.nothing")).json is False


async def test_a_schema_comes_with_hash_and_graphql(api: Api) -> None:
    schema = (await api("POST", "/v1/hub/schema", json={"domain": "document.invoice", "gql_stmt": None})).json
    assert schema["domain"] == "document.invoice"
    assert "invoice_id" in schema["gql_stmt"]
    assert {"invoice_id", "total", "customer", "issuer"} <= schema["json_schema"]["properties"].keys()
    assert (
        await api("POST", "/v1/schema", json={"domain": "document.invoice", "config": {"max_retries": 3, "temperature": 0.0}})
    ).json == schema

    selected = (await api("POST", "/v1/schema", json={"domain": "document.invoice", "config": {"gql_stmt": "{ total invoice_id }"}})).json
    assert list(selected["json_schema"]["properties"]) == ["total", "invoice_id"]
    assert selected["schema_hash"] != schema["schema_hash"]
    own = {"type": "object", "properties": {"b": {"type": "string"}, "a": {"type": "integer"}}}
    given = (await api("POST", "/v1/schema", json={"config": {"json_schema": own}})).json
    assert list(given["json_schema"]["properties"]) == ["b", "a"]
    assert given["domain"]


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Invoice", "Invoice"),
        ("Purchase Order", "PurchaseOrder"),
        ("W-2, page 1²", "W2Page1"),
        ("1099 form", "Model1099Form"),
        ("Überweisung – Beleg", "ÜberweisungBeleg"),
        ("…", "Model"),
    ],
)
async def test_the_title_of_a_schema_is_one_that_clients_can_make_a_class_of(api: Api, title: str, shown: str) -> None:
    own = {"title": title, "type": "object", "properties": {"total": {"type": "number", "title": "Sum total"}}}
    answer = await api("POST", "/v1/schema", json={"config": {"json_schema": own}})
    assert answer.json["json_schema"] == own | {"title": shown}


async def test_unknown_domains_and_fields_are_refused_with_the_nearest(api: Api) -> None:
    missing = await api("POST", "/v1/hub/schema", json={"domain": "document.invoise"})
    assert missing.status == 404
    assert "document.invoice" in missing.json["detail"]
    assert (await api("POST", "/v1/schema", json={"domain": "document.invoise"})).status == 422
    assert (await api("POST", "/v1/schema", json={})).status == 422
    field = await api("POST", "/v1/hub/schema", json={"domain": "document.invoice", "gql_stmt": "{ invoice_idd }"})
    assert field.status == 422
    assert "invoice_id" in field.json["error"]["message"]


async def test_models_are_listed_in_both_dialects(api: Api) -> None:
    models = (await api("GET", "/v1/models")).json
    assert {"model": "vlm-1", "domain": "document.invoice"} in models
    openai = (await api("GET", "/v1/openai/models")).json
    assert openai["object"] == "list"
    assert openai["data"][0]["id"] == "vlm-1"
    assert (await api("GET", "/v1/models", key="wrong")).status == 401
    refused = await api("GET", "/v1/openai/models", key="wrong")
    assert refused.status == 401
    assert refused.json["error"].keys() == {"message", "type", "param", "code"}
