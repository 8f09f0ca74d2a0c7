"""The doctor's look at models: each configured route is asked what it is and what it takes, now, whatever is kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

from heliograph.cli.finding import Finding
from heliograph.errors import HeliographError

if TYPE_CHECKING:
    from heliograph.config import ModelSettings, Settings
    from heliograph.models.contract import Profile
    from heliograph.models.profiles import Found
    from heliograph.models.servers import Server

LISTED = 5
"""Models of a server that are named."""
LOADING = 600.0
"""Seconds that a GGUF file may take to load and say its first word."""


def models(settings: Settings) -> Iterator[Finding]:
    """What was found about every configured route."""
    routes = settings.routes()
    if not routes:
        yield Finding("ok", "models", "none configured: the embedded engine answers", "")
    for name, model in routes.items():
        what = f"model {name}"
        try:
            if model.kind == "embedded":
                yield Finding("ok", what, "the embedded engine")
            elif model.kind == "gguf":
                yield from asyncio.run(_served_here(what, name, settings))
            elif model.kind == "openai":
                yield from asyncio.run(_asked(what, name, model, settings))
            else:
                yield from asyncio.run(_provider(what, name, model, settings))
        except HeliographError as error:
            yield Finding("bad", what, error.message, "see docs/how-to/model.md")
        if model.fallback is not None and not model.fallback_to_cloud and asyncio.run(_crosses(model, routes[model.fallback])):
            yield Finding(
                "note",
                what,
                f"its fallback {model.fallback} would take documents out of your network, so it is never asked",
                f"models.{name}.fallback_to_cloud = true, if it may",
            )


async def _asked(what: str, name: str, model: ModelSettings, settings: Settings) -> list[Finding]:
    from heliograph.models.endpoint import Endpoint
    from heliograph.models.probing import examine
    from heliograph.models.profiles import ProfileCache, profile_of

    endpoint = Endpoint(name, model, settings)
    try:
        found = await examine(endpoint, model)
    finally:
        await endpoint.close()
    ProfileCache(settings.data_dir / "models").keep(found, model)
    return [
        *_reached(what, name, model, found, settings),
        *(_abilities(what, found, profile_of(found, model)) if found.parts.accepts else ()),
    ]


async def _served_here(what: str, name: str, settings: Settings) -> list[Finding]:
    """Load the file and hear a word from it."""
    from heliograph.models.contract import Ask, Text, user
    from heliograph.models.gguf import GgufBackend

    model = settings.routes()[name]
    backend = GgufBackend(name, model, settings=settings)
    try:
        profile = await backend.profile()
        async with asyncio.timeout(LOADING):
            await backend.ask(Ask(messages=[user(Text("Answer with one word."))], max_tokens=4))
    except TimeoutError:
        return [Finding("bad", what, f"{model.path} said nothing within {LOADING:g} s", "a smaller file, or a machine with more cores")]
    finally:
        await backend.close()
    return [Finding("ok", what, f"{model.path} loads and answers"), _limits(what, profile)]


async def _provider(what: str, name: str, model: ModelSettings, settings: Settings) -> list[Finding]:
    from heliograph.models.serving import Models

    models = Models(settings)
    try:
        profile = await models.backend(name).profile()
    finally:
        await models.close()
    return [
        Finding("ok", what, f"{model.kind}, {profile.model}: {_takes(profile)}; not asked, as that costs money"),
        _limits(what, profile),
    ]


async def _crosses(origin: ModelSettings, target: ModelSettings) -> bool:
    from heliograph.models.egress import crosses

    return await crosses(origin, target)


def _reached(what: str, name: str, model: ModelSettings, found: Found, settings: Settings) -> Iterator[Finding]:
    server = found.server
    if server.trouble is None:
        named = ", ".join(server.models[:LISTED]) + (f" and {len(server.models) - LISTED} more" if len(server.models) > LISTED else "")
        listed = f"lists {named}" if server.models else "lists no models"
        yield Finding(
            "ok",
            what,
            f"{model.url}: {server.software or server.dialect or 'a server of unknown kind'}, {listed}; answers as {server.model}",
        )
        return
    yield Finding("bad", what, f"{model.url}: {server.words}", _mend(name, server, settings))


def _mend(name: str, server: Server, settings: Settings) -> str:
    """What would change the trouble."""
    plain = name == "default" and name not in settings.models

    def setting(key: str) -> str:
        return f"HELIOGRAPH_MODEL_{'NAME' if key == 'model' else key.upper()}" if plain else f"models.{name}.{key}"

    match server.trouble:
        case "key":
            return f"set {setting('key')}" + ("" if plain else f", or key_env or key_file of [models.{name}]")
        case "model":
            return f"set {setting('model')} to a model that it lists"
        case "url":
            return f"correct {setting('url')}; it mostly ends in /v1"
        case "refused":
            return "HELIOGRAPH_OFFLINE and HELIOGRAPH_FETCH_ALLOW say what may be asked; see docs/how-to/offline.md"
        case _:
            return f"start its server, or correct {setting('url')}"


def _abilities(what: str, found: Found, profile: Profile) -> Iterator[Finding]:
    lacking = [f"{part} ({found.parts.why.get(part) or 'refused'})" for part, accepted in found.parts.accepts.items() if not accepted]
    unknown = [f"{part} ({why})" for part, why in found.parts.why.items() if part not in found.parts.accepts]
    yield Finding("ok" if profile.json_modes[0] != "prompt" else "note", what, _takes(profile))
    if lacking:
        yield Finding("ok", what, f"takes no {'; no '.join(lacking)}")
    if unknown:
        yield Finding("note", what, f"could not be asked about {'; '.join(unknown)}", "try again when it is less busy")
    yield _limits(what, profile)


def _takes(profile: Profile) -> str:
    taken = [*profile.json_modes]
    taken += [f"images (at most {profile.max_pictures})"] if profile.vision else []
    taken += [field for field in ("audio", "video", "streaming", "logprobs", "prefill") if getattr(profile, field)]
    source = profile.known_from.get("json_modes")
    return f"takes {', '.join(taken)}" + (" (JSON mode set)" if source == "set" else "")


def _limits(what: str, profile: Profile) -> Finding:
    def told(field: str, words: str) -> str:
        return f"{words} ({profile.known_from.get(field, 'assumed')})"

    limits = [
        told("context", f"context {profile.context}"),
        told("max_output", f"answers of {profile.max_output} tokens"),
        told("concurrency", f"{profile.concurrency} at a time"),
        told("dialect", f"schemas for {profile.dialect}"),
        told("coordinates", f"boxes as {profile.coordinates}"),
    ]
    return Finding("ok", what, ", ".join(limits))
