from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings

from heliograph.api.app import create_app
from heliograph.api.openapi import document
from heliograph.config import Settings

from .chatting import worker
from .conftest import Api, serving

EXAMPLES = 8
"""Generated requests to each operation."""

CONFIG: dict[str, Any] = {
    "prompt": None, "detail": "auto", "json_schema": None, "skills": None, "gql_stmt": None, "max_retries": 1, "max_tokens": 65535,
    "temperature": 0, "confidence": False, "grounding": False, "keyframes": False, "video_segment_duration": None,
    "video_frames_per_segment": None, "video_model": None, "video_input_mode": None, "video_transcribe_audio": False, "chat_context": None,
    "page_indices": None, "use_context_cache": True, "service_tier": None,
}  # fmt: skip
"""GenerationConfig's fields and their defaults, as published."""
OWN: dict[str, Any] = {"language": None, "diarization": False}
"""Those that it has besides."""
REQUEST = {"metadata", "config", "url", "file_id", "id", "created_at", "callback_url", "model", "domain", "batch"}
RESPONSE = {"usage", "id", "created_at", "completed_at", "response", "status", "domain"}
USAGE = {"elements_processed", "element_type", "credits_used", "steps", "message", "duration_seconds"}
METADATA = {"environment", "session_id", "allow_logging", "allow_training", "allow_retention", "extra"}


@pytest.fixture
def published(settings: Settings) -> dict[str, Any]:
    return document(create_app(settings, "postgresql://nowhere"))


def test_the_document_has_the_published_operation_fields_enums_and_defaults(published: dict[str, Any]) -> None:
    operation = published["paths"]["/v1/document/generate"]["post"]
    assert published["openapi"] == "3.1.0"
    assert operation["operationId"] == "document_generate_v1_document_generate_post"
    assert operation["security"] == [{"HTTPBearer": []}]
    assert {"201", "422"} <= operation["responses"].keys()
    for kind in ("audio", "video"):
        for verb in ("generate", "execute", "schema"):
            assert published["paths"][f"/v1/{kind}/{verb}"]["post"]["operationId"] == f"{kind}_{verb}_v1_{kind}_{verb}_post"
    schemas = published["components"]["schemas"]
    assert {name: field.get("default") for name, field in schemas["GenerationConfig"]["properties"].items()} == CONFIG | OWN
    assert schemas["GenerationConfig"]["properties"]["detail"]["enum"] == ["auto", "hi", "lo"]
    for kind in ("Document", "Audio", "Video"):
        assert schemas[f"{kind}FilePredictionRequest"]["properties"].keys() == REQUEST
    assert schemas["DocumentFilePredictionRequest"]["properties"]["batch"]["default"] is True
    assert schemas["PredictionResponse"]["properties"].keys() >= RESPONSE
    assert schemas["PredictionResponse"]["properties"]["status"]["enum"] == [
        "pending",
        "enqueued",
        "running",
        "completed",
        "failed",
        "paused",
    ]
    assert schemas["CreditUsageResponse"]["properties"].keys() == USAGE
    assert schemas["RequestMetadata"]["properties"].keys() == METADATA
    assert {"AgentSkill", "InlineSkillSource", "HTTPValidationError", "ValidationError"} <= schemas.keys()
    assert published["components"]["securitySchemes"]["HTTPBearer"] | {"description": ""} == {
        "type": "http",
        "scheme": "bearer",
        "description": "",
    }


@pytest.mark.parametrize("name", ["document-generate", "chat-completions"])
def test_the_document_is_a_superset_of_the_published_one(published: dict[str, Any], shared_data: Path, name: str) -> None:
    spec = shared_data.parent / "spec" / "openapi" / f"{name}.yaml"
    if not spec.is_file():
        pytest.skip(f"needs {spec}")
    theirs = yaml.safe_load(spec.read_text())
    missing: list[str] = []
    compare(theirs["components"], published["components"], "components", missing)
    compare(theirs["paths"], published["paths"], "paths", missing)
    assert missing == []


def compare(theirs: Any, ours: Any, where: str, missing: list[str]) -> None:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key, value in theirs.items():
            if key in ours:
                compare(value, ours[key], f"{where}/{key}", missing)
            elif key not in ("description", "title", "summary"):
                missing.append(f"{where}/{key}")
    elif isinstance(theirs, list) and isinstance(ours, list):
        for index, value in enumerate(theirs):  # ours may have more: another role, another kind of part, null
            attempts = [_missing(value, other, f"{where}/{index}") for other in ours]
            missing += min(attempts, key=len, default=[f"{where}/{index}: {value!r}"])
    elif theirs != ours and not where.endswith(("/description", "/title", "/summary")):
        missing.append(f"{where}: {ours!r} instead of {theirs!r}")


def _missing(theirs: Any, ours: Any, where: str) -> list[str]:
    found: list[str] = []
    compare(theirs, ours, where, found)
    return found


def test_operation_ids_are_unique_and_every_operation_says_what_may_go_wrong(published: dict[str, Any]) -> None:
    operations = [(path, method, operation) for path, methods in published["paths"].items() for method, operation in methods.items()]
    ids = [operation["operationId"] for _, _, operation in operations]
    assert len(set(ids)) == len(ids)
    for path, method, operation in operations:
        statuses = {int(status) for status in operation["responses"]}
        assert {500, 503} <= statuses, path
        if operation.get("security"):
            assert 401 in statuses, path
        if method == "post" and "requestBody" in operation:
            assert {413, 422} <= statuses, path


def test_every_route_is_in_the_reference(published: dict[str, Any]) -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "routes.md").read_text()
    for path, methods in published["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path}`" in page, f"docs/reference/routes.md lacks {method.upper()} {path}"


async def test_the_document_and_its_page_are_served_without_a_key_and_without_foreign_hosts(api: Api) -> None:
    for path in ("/openapi.json", "/v1/openapi.json"):
        assert (await api("GET", path, key="")).json["info"]["title"] == "Heliograph"
    page = await api("GET", "/docs", key="")
    assert page.status == 200
    assert b"http" not in page.content
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert b"<script>" not in page.content, "the policy allows no inline script"
    for name in ("swagger-ui-bundle.js", "swagger-ui.css", "start.js", "favicon.png"):
        assert (await api("GET", f"/docs/{name}", key="")).status == 200
    for name in ("index.html", "..%2f__init__.py", "none.js"):
        assert (await api("GET", f"/docs/{name}", key="")).status == 404


async def test_the_console_is_served_with_a_strict_policy(api: Api) -> None:
    page = await api("GET", "/", key="")
    assert page.status == 200
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for name, kind in {"console.js": "text/javascript", "console.css": "text/css"}.items():
        assert (await api("GET", f"/{name}", key="")).headers["content-type"].startswith(kind)


async def test_no_request_that_the_document_allows_breaks_the_server(
    settings: Settings, database_url: str, published: dict[str, Any], tmp_path: Path
) -> None:
    """Generated requests to every operation: no 5xx, and no status that the document does not name."""
    problems: list[str] = []

    def attack(api: Api) -> None:
        for result in schemathesis.openapi.from_dict(published).get_all_operations():
            operation = result.ok()
            allowed = {int(status) for status in operation.definition.raw["responses"]}

            def send(case: Any, operation: Any = operation, allowed: set[int] = allowed) -> None:
                headers = {"Authorization": f"Bearer {api.key}"}
                response = case.call(base_url=api.url, headers=headers, timeout=30)
                if response.status_code >= 500 or response.status_code not in allowed:
                    problems.append(f"{operation.label}: {response.status_code} {response.text[:300]} {case.as_curl_command()[:600]}")

            bounded = hypothesis_settings(
                max_examples=1 if "not yet" in operation.tags else EXAMPLES, deadline=None, database=None, derandomize=True,
                phases=[Phase.generate], suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            bounded(given(case=operation.as_strategy())(send_case(send)))()

    # chats are waited for, so somebody has to work
    async with serving(settings.model_copy(update={"wait_timeout": 0.05}), database_url) as api, worker(api, tmp_path):
        await asyncio.to_thread(attack, api)
    assert problems == []


def send_case(send: Any) -> Any:
    """A function of only `case`, as Hypothesis wants it."""

    def test(case: Any) -> None:
        send(case)

    return test
