"""Real schemas, asked of every kind of server that checks what it is sent: none is refused, and what comes back fits the original."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from heliograph.config import ModelSettings
from heliograph.errors import InvalidRequest
from heliograph.extraction.domains import catalog
from heliograph.extraction.prompted.conversation import converse
from heliograph.extraction.prompted.request import Request
from heliograph.extraction.prompted.states import settled
from heliograph.extraction.schema import Schema, compile_schema
from heliograph.models.contract import Backend, Dialect, JsonMode, Profile, Text, system, user
from heliograph.models.openai import OpenAIBackend
from heliograph.models.providers import ProviderBackend
from heliograph.models.scripted import Scripted, Turn

NATIVE = {"anthropic": ("anthropic", "claude-haiku-4-5"), "gemini": ("google", "gemini-3.8-flash")}
CASES: list[tuple[Dialect, JsonMode]] = [(dialect, mode) for dialect in get_args(Dialect) for mode in ("json_schema", "tool")]


def real(shared_data: Path) -> dict[str, Schema]:
    """The schemas of all domains, and those from the wild that can be fitted at all."""
    found = {name: compile_schema(domain.json_schema) for name, domain in catalog().items()}
    for path in sorted((shared_data / "schemas_real_jsonschemabench" / "items").glob("*.json")):
        try:
            found[path.stem] = compile_schema(json.loads(path.read_text()))
        except InvalidRequest:
            continue  # refused at submit, never asked
    return found


def backend(server: Scripted, dialect: Dialect, profile: Profile) -> Backend:
    if dialect in NATIVE:
        kind, model = NATIVE[dialect]
        settings: Any = {"kind": kind, "url": server.origin, "model": model, "key": "secret"}
        return ProviderBackend("test", ModelSettings(**settings), profile=profile)
    return OpenAIBackend("test", ModelSettings(url=server.url, model="scripted"), profile=profile)


@pytest.mark.parametrize(("dialect", "mode"), CASES)
async def test_no_real_schema_is_refused_and_every_answer_to_one_fits_it(dialect: Dialect, mode: JsonMode, shared_data: Path) -> None:
    schemas = real(shared_data)
    assert len(schemas) >= 100
    # every schema meets five of the sixteen kinds of server; that none refuses any is shown for all of them in the unit tests
    schemas = dict(list(schemas.items())[CASES.index((dialect, mode)) % 3 :: 3])
    model = NATIVE.get(dialect, ("", "scripted"))[1]
    profile = Profile(json_modes=(mode,), dialect=dialect, model=model, max_output=32_000)
    async with Scripted([Turn(fill=True, times=0)], dialect, models=[model], context=1_000_000) as server:
        asked = backend(server, dialect, profile)
        try:
            for name, schema in schemas.items():
                said = await converse(asked, [system("Read."), user(Text("A page."))], schema, Request(max_retries=0))
                assert not [warning for warning in said.warnings if warning.startswith(("json_mode", "unreadable"))], name
                whole = settled(said.value, schema.root, {}, missing="absent", null="absent")
                assert schema.check(whole) == [], (name, said.value)
                assert said.value or name.startswith("Github_easy"), name
        finally:
            await asked.close()
