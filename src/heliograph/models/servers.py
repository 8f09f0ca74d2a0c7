"""Which software serves a model, and what it says of the model, told by what it answers at its own addresses.

    server = await meet(client, settings)

Never by the model's name: the same weights behave otherwise behind vLLM than behind Ollama, and a gateway may call them anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, Protocol, cast

import msgspec

from heliograph.config import ModelSettings
from heliograph.models.contract import Dialect
from heliograph.models.errors import ModelError, ModelUnavailable

Json = Any
Trouble = Literal["unreachable", "refused", "key", "url", "model"]
"""Why a model cannot be asked: no answer, asking it is not allowed (egress, offline), the key, the address, the model's id."""

LISTING = 10.0
"""Seconds for an answer that needs no model."""
OLLAMA_CONTEXT = 4_096
"""Ollama's context unless it is told otherwise; it cuts a longer prompt without a word."""
CONTEXT_KEYS = ("max_model_len", "context_length", "context_window", "max_context_length")
"""Where servers and gateways write a model's context into their list of models: vLLM and SGLang, OpenRouter, Groq, Mistral."""
OUTPUT_KEYS = ("max_completion_tokens", "max_output_tokens", "max_tokens")
OWNERS: Final[Mapping[str, Dialect]] = {
    "vllm": "vllm",
    "sglang": "sglang",
    "llamacpp": "llama.cpp",
    "library": "ollama",
    "google": "gemini",
}
"""`owned_by` of a listed model. OpenAI's own names are missing, because gateways give them for everything."""
HEADERS: Final[Mapping[str, Dialect]] = {
    "openai-processing-ms": "openai",
    "openai-version": "openai",
    "anthropic-organization-id": "anthropic",
}
"""Headers that only these providers send."""
HOSTED: Final = frozenset({"openai", "gemini", "anthropic"})
"""Providers, which have no addresses of their own beside their API."""


class Answer(msgspec.Struct, frozen=True):
    """What a server answered: header names in lower case, the body parsed where it is JSON, else as text."""

    status: int
    headers: dict[str, str]
    body: Json


class Client(Protocol):
    """Sends plain requests to a model's server: with its key and headers, and only where egress allows."""

    async def send(self, method: Literal["GET", "POST"], url: str, body: Json = None, *, timeout: float) -> Answer:  # noqa: ASYNC109
        """The answer, whatever its status. Raises ModelUnavailable when there is none in time, ModelRefused when it may not be sent."""
        ...


class Server(msgspec.Struct, kw_only=True):
    """A model's server. `software`: for people. `context` and `max_output` in tokens, `slots` are requests it answers side by side.

    `images`, `audio`: whether it says that the model takes them. `trouble`, `words`: why the model cannot be asked.
    """

    model: str = ""
    models: list[str] = []
    software: str = ""
    dialect: Dialect | None = None
    context: int | None = None
    max_output: int | None = None
    slots: int | None = None
    images: bool | None = None
    audio: bool | None = None
    trouble: Trouble | None = None
    words: str = ""


def base(settings: ModelSettings) -> str:
    """The address that the paths of the OpenAI API follow."""
    return (settings.url or "").strip().rstrip("/").removesuffix("/chat/completions")


def root(settings: ModelSettings) -> str:
    """The address of what a server offers beside the OpenAI API."""
    return base(settings).removesuffix("/v1")


async def meet(client: Client, settings: ModelSettings) -> Server:
    """Ask a server what it is and which models it has. What goes wrong is `trouble`; raises only what the settings lack."""
    try:
        listed = await client.send("GET", f"{base(settings)}/models", timeout=LISTING)
    except ModelError as error:
        kind: Trouble = "unreachable" if isinstance(error, ModelUnavailable) else "refused"
        return Server(model=settings.model or "", trouble=kind, words=error.message)
    if listed.status in {401, 403}:
        return Server(model=settings.model or "", trouble="key", words=said(listed))
    entries = list(_entries(listed.body))
    server = Server(models=[str(entry["id"]).removeprefix("models/") for entry in entries], dialect=_by_listing(listed, entries))
    if listed.status == 404 and not base(settings).endswith("/v1"):
        longer = await _get(client, f"{base(settings)}/v1/models")
        if longer is not None and longer.status < 400:
            server.trouble, server.words = "url", f"the models are at {base(settings)}/v1"
            return server
    server.model = settings.model or (server.models[0] if len(server.models) == 1 else "")
    if not server.model:
        server.trouble = "model"
        server.words = f"it lists {', '.join(server.models[:20])}" if server.models else f"it lists no models ({said(listed)})"
    _read_entry(server, next((entry for entry in entries if str(entry["id"]).removeprefix("models/") == server.model), None))
    if server.dialect not in HOSTED:
        await _look_around(client, settings, server)
    if settings.dialect != "auto":
        server.dialect = settings.dialect
    return server


async def settle(client: Client, settings: ModelSettings, server: Server) -> None:
    """Learn what a server knows only once the model is loaded: Ollama's context."""
    if server.dialect != "ollama":
        return
    running = await _get(client, f"{root(settings)}/api/ps")
    for entry in _dicts(_at(running.body, "models")) if running is not None else ():
        if server.model in {entry.get("name"), entry.get("model"), str(entry.get("name")).removesuffix(":latest")}:
            server.context = _whole(entry.get("context_length")) or server.context


def said(answer: Answer) -> str:
    """A server's own words about an answer that is an error, in one line."""
    body: Json = answer.body
    for step in ("error", "message"):
        body = cast("Json", body).get(step, body) if isinstance(body, dict) else body
    words = " ".join(str(body or "").split())
    return f"status {answer.status}{f': {words[:300]}' if words else ''}"


async def _look_around(client: Client, settings: ModelSettings, server: Server) -> None:
    """Knock at the addresses that only one kind of server has."""
    at = root(settings)
    props, ollama, version, *sglang = await asyncio.gather(
        *(_get(client, f"{at}{path}") for path in ("/props", "/api/version", "/version", "/model_info", "/get_model_info"))
    )
    described = next((answer.body for answer in sglang if answer is not None and _at(answer.body, "model_path") is not None), None)
    if props is not None and _at(props.body, "default_generation_settings") is not None:
        server.dialect, server.software = "llama.cpp", "llama.cpp"
        server.context = _whole(_at(props.body, "default_generation_settings", "n_ctx")) or server.context
        server.slots = _whole(_at(props.body, "total_slots"))
        server.images = _truth(_at(props.body, "modalities", "vision"))
        server.audio = _truth(_at(props.body, "modalities", "audio"))
    elif ollama is not None and isinstance(_at(ollama.body, "version"), str):
        server.dialect, server.software = "ollama", f"Ollama {ollama.body['version']}"
        await _show(client, at, server)
    elif described is not None and server.dialect in {None, "sglang"}:
        server.dialect, server.software = "sglang", "SGLang"
        server.images = _truth(_at(described, "has_image_understanding"))
        server.context = server.context or _whole(_at(described, "max_context_length"))
    elif version is not None and isinstance(_at(version.body, "version"), str) and server.dialect in {None, "vllm"}:
        server.dialect, server.software = "vllm", f"vLLM {version.body['version']}"


async def _show(client: Client, at: str, server: Server) -> None:
    """What Ollama says of a model. Its context is what it was told to take, not what the model could."""
    server.context = OLLAMA_CONTEXT
    try:
        shown = await client.send("POST", f"{at}/api/show", {"model": server.model}, timeout=LISTING)
    except ModelError:
        return
    able = _at(shown.body, "capabilities")
    if isinstance(able, list):
        server.images, server.audio = "vision" in able, "audio" in able
    for line in str(_at(shown.body, "parameters") or "").splitlines():
        name, _, value = line.strip().partition(" ")
        if name == "num_ctx" and value.strip().isdigit():
            server.context = int(value)


async def _get(client: Client, url: str) -> Answer | None:
    try:
        return await client.send("GET", url, timeout=LISTING)
    except ModelError:
        return None


def _by_listing(listed: Answer, entries: list[dict[str, Json]]) -> Dialect | None:
    for header, dialect in HEADERS.items():
        if header in listed.headers:
            return dialect
    if listed.headers.get("server", "").lower() == "llama.cpp":
        return "llama.cpp"
    owners: set[Dialect | None] = {OWNERS.get(str(entry.get("owned_by"))) for entry in entries}
    return owners.pop() if len(owners) == 1 else None


def _read_entry(server: Server, entry: dict[str, Json] | None) -> None:
    if entry is None:
        return
    found = (_whole(entry.get(key)) for key in CONTEXT_KEYS)
    server.context = next((value for value in found if value), None) or _whole(_at(entry, "meta", "n_ctx"))
    most = (_whole(value) for key in OUTPUT_KEYS for value in (entry.get(key), _at(entry, "top_provider", key)))
    server.max_output = next((value for value in most if value), None)


def _entries(body: Json) -> Iterator[dict[str, Json]]:
    return (entry for entry in _dicts(_at(body, "data")) if isinstance(entry.get("id"), str))


def _dicts(value: Json) -> Iterator[dict[str, Json]]:
    entries = cast("list[Json]", value) if isinstance(value, list) else []
    return (cast("dict[str, Json]", entry) for entry in entries if isinstance(entry, dict))


def _at(value: Json, *steps: str) -> Json:
    for step in steps:
        if not isinstance(value, dict):
            return None
        value = cast("dict[str, Json]", value).get(step)
    return value


def _whole(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _truth(value: Json) -> bool | None:
    return value if isinstance(value, bool) else None
