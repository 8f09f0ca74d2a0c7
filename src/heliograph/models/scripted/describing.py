"""What each kind of server says of itself, where a client looks for it: `/v1/models`, `/props`, `/api/show`, `/version`.

Sources: vllm and sglang, `ModelCard.max_model_len`; llama.cpp, tools/server/README.md (`GET /props`, `GET /v1/models`); ollama,
docs/api.md (`POST /api/show`, `GET /api/ps`); gemini, https://ai.google.dev/api/models; anthropic, https://platform.claude.com/docs/en/api/models-list.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from heliograph.models.contract import Dialect
from heliograph.models.scripted.checking import Abilities

Body = dict[str, Any]
HEADERS: Final[Mapping[Dialect, dict[str, str]]] = {
    "openai": {"openai-version": "2020-10-01", "openai-processing-ms": "12"},
    "anthropic": {"anthropic-organization-id": "00000000-0000-0000-0000-000000000000"},
}
"""Headers by which a provider can be told from a gateway."""
_BORN = 1_767_225_600


def models(dialect: Dialect, can: Abilities) -> Body:
    """The body of `GET /v1/models`."""
    if dialect == "anthropic":
        listed = [{"type": "model", "id": name, "display_name": name, "created_at": "2026-01-01T00:00:00Z"} for name in can.models]
        return {"data": listed, "has_more": False, "first_id": can.models[0], "last_id": can.models[-1]}
    card: Body = {"object": "model", "created": _BORN}
    match dialect:
        case "vllm" | "sglang":
            card |= {"owned_by": dialect, "max_model_len": can.context}
        case "llama.cpp":
            card |= {"owned_by": "llamacpp", "meta": {"n_ctx_train": can.context, "n_ctx": can.context}}
        case "ollama":
            card |= {"owned_by": "library"}
        case "gemini":
            card |= {"owned_by": "google"}
        case _:
            card |= {"owned_by": "system"}
    prefix = "models/" if dialect == "gemini" else ""
    return {"object": "list", "data": [{"id": prefix + name, **card} for name in can.models]}


def gemini_models(can: Abilities) -> Body:
    """The body of Gemini's `GET /v1beta/models`."""
    methods = ["generateContent", "countTokens"]
    limits = {"inputTokenLimit": can.context, "outputTokenLimit": 8192, "supportedGenerationMethods": methods}
    return {"models": [{"name": f"models/{name}", "displayName": name, **limits} for name in can.models]}


def props(can: Abilities) -> Body:
    """The body of llama.cpp's `GET /props`."""
    return {
        "default_generation_settings": {"n_ctx": can.context},
        "total_slots": 1,
        "model_alias": can.models[0],
        "model_path": f"/models/{can.models[0]}.gguf",
        "modalities": {"vision": can.vision, "audio": False},
        "build_info": "scripted",
    }


def show(can: Abilities) -> Body:
    """The body of Ollama's `POST /api/show`."""
    abilities = ["completion", *(["vision"] if can.vision else []), *([] if "tools" in can.without else ["tools"])]
    information = {"general.architecture": "scripted", "scripted.context_length": 131_072}
    return {"capabilities": abilities, "model_info": information, "parameters": f"num_ctx {can.context}", "details": {"family": "scripted"}}


def running(can: Abilities) -> Body:
    """The body of Ollama's `GET /api/ps`."""
    return {"models": [{"name": name, "model": name, "context_length": can.context} for name in can.models]}


def model_info(can: Abilities) -> Body:
    """The body of SGLang's `GET /model_info`."""
    return {"model_path": can.models[0], "is_generation": True, "has_image_understanding": can.vision, "max_context_length": can.context}
