"""The pages about bringing a model say what works: each example of settings is used, against a scripted server of that dialect."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from heliograph.config import ModelSettings, Settings
from heliograph.models.contract import Ask, Dialect, Picture, Text, system, user
from heliograph.models.routes import Routes
from heliograph.models.scripted import Scripted, Turn, read
from heliograph.models.serving import Models

HOWTO = Path(__file__).resolve().parents[3] / "docs" / "how-to"
PAGES: list[tuple[str, Dialect]] = [
    ("vllm", "vllm"),
    ("ollama", "ollama"),
    ("llama-cpp", "llama.cpp"),
    ("openai", "openai"),
    ("gemini", "gemini"),
    ("anthropic", "anthropic"),
]
NATIVE = ("google", "anthropic")
FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL)
SCHEMA = {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"], "additionalProperties": False}


def fences(page: str, language: str) -> list[str]:
    text = (HOWTO / page).read_text("utf-8")
    return [fence["code"] for fence in FENCE.finditer(text) if fence["language"] == language]


def examples() -> list[tuple[str, Dialect, str]]:
    """Every settings file on a page, with the dialect of the server that it is for."""
    found: list[tuple[str, Dialect, str]] = []
    for page, dialect in PAGES:
        for code in fences(f"models/{page}.md", "toml"):
            found.append((page, "sglang" if "SGLANG" in code else dialect, code))
    return found


async def ask(settings: Settings, server: Scripted, model: ModelSettings) -> None:
    """The default route answers a question with a picture and a schema, with its key."""
    route = Routes(settings).find("vlm-1")
    assert route.name == "default"
    models = Models(settings)
    try:
        backend = models.backend(route.name)
        profile = await backend.profile()
        messages = [system("You read documents."), user(Picture(b"\xff\xd8\xff", 10, 10), Text("Total: 12.50"))]
        reply = await backend.ask(Ask(messages=messages, schema=SCHEMA))
    finally:
        await models.close()
    assert json.loads(reply.text) == {"total": 12.5}
    assert (reply.finish, reply.mode) == ("stop", "json_schema")
    assert profile.vision
    (request,) = server.requests
    assert request.heard is not None
    assert (request.heard.pictures, request.heard.schema is not None) == (1, True)
    if model.model:
        assert request.heard.model == model.model


@pytest.mark.parametrize(("page", "dialect", "code"), examples())
async def test_the_settings_on_each_page_ask_a_model(
    page: str, dialect: Dialect, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ModelSettings(**tomllib.loads(code)["models"]["default"])
    if model.kind == "gguf":
        assert model.path is not None
        return
    key = None
    if model.key_env:
        key = "a-secret-key"
        monkeypatch.setenv(model.key_env, key)
    assert model.url is None or model.kind not in NATIVE
    async with Scripted([Turn(answer={"total": 12.5}, times=0)], dialect, models=[model.model or "scripted"], key=key) as server:
        here = server.origin if model.kind in NATIVE else server.url
        told = re.sub(r'(?m)^url = ".*"$', f'url = "{here}"', code) if model.url else code.rstrip() + f'\nurl = "{here}"\n'
        (tmp_path / "heliograph.toml").write_text(told, "utf-8")
        monkeypatch.chdir(tmp_path)
        await ask(Settings(), server, model)


@pytest.mark.parametrize(("page", "dialect"), PAGES)
async def test_the_variables_on_each_page_do_the_same(page: str, dialect: Dialect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, str] = {}
    for code in fences(f"models/{page}.md", "sh"):
        told |= {name: value.strip('"') for name, value in re.findall(r"^export (\w+)=(.*)$", code, re.MULTILINE)}
    key = "a-secret-key" if "HELIOGRAPH_MODEL_KEY" in told else None
    monkeypatch.chdir(tmp_path)
    name = told.get("HELIOGRAPH_MODEL_NAME", "scripted")
    async with Scripted([Turn(answer={"total": 12.5}, times=0)], dialect, models=[name], key=key) as server:
        here = server.origin if told.get("HELIOGRAPH_MODEL_KIND") in NATIVE else server.url
        for variable, value in (told | {"HELIOGRAPH_MODEL_URL": here} | ({"HELIOGRAPH_MODEL_KEY": key} if key else {})).items():
            monkeypatch.setenv(variable, value)
        settings = Settings()
        await ask(settings, server, settings.routes()["default"])


async def test_geminis_openai_compatible_address_is_probed_and_asked(tmp_path: Path) -> None:
    assert "/v1beta/openai" in (HOWTO / "models" / "gemini.md").read_text("utf-8")
    async with Scripted([{"total": 12.5}], "gemini", models=["gemini-3.8-flash"]) as server:
        model = ModelSettings(url=f"{server.origin}/v1beta/openai", model="gemini-3.8-flash")
        await ask(Settings(models={"default": model}, data_dir=tmp_path), server, model)
        assert {request.path for request in server.requests} == {"/v1beta/openai/chat/completions"}


@pytest.mark.parametrize("code", [code for code in fences("model.md", "toml") if "heliograph.toml" in code])
def test_the_settings_of_the_first_page_load_and_their_routes_lead_where_it_says(code: str) -> None:
    routes = Routes(Settings(**tomllib.loads(code)))
    assert routes.find("vlmrun-orion-1").name == "default"
    if "vlm-1" in routes.configured:
        assert routes.find("vlm-1").name is None
        assert routes.find("vlmrun-orion-1:pro").name == "vlmrun-orion-1:pro"


def test_the_table_has_every_key_of_a_route_and_no_other() -> None:
    rows = re.findall(r"^\| (`[^|]+) \|", (HOWTO / "model.md").read_text("utf-8"), re.M)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(ModelSettings.model_fields)


def test_the_defaults_in_the_table_are_the_defaults() -> None:
    text = (HOWTO / "model.md").read_text("utf-8")
    defaults: dict[str, Any] = {name: field.default for name, field in ModelSettings.model_fields.items()}
    assert f"| {defaults['timeout']:g}, {defaults['idle_timeout']:g} |" in text
    for name in ("concurrency", "attempts"):
        assert re.search(rf"^\| `{name}` \|.*\| {defaults[name]} \|$", text, re.M)


def test_the_example_of_a_script_is_one(tmp_path: Path) -> None:
    (code,) = [code for code in fences("model.md", "toml") if "[[turn]]" in code]
    (tmp_path / "script.toml").write_text(code, "utf-8")
    script = read(tmp_path / "script.toml")
    assert (script.turns[0].status, script.turns[2].truncate) == (429, 20)
    assert script.turns[1].when is not None
