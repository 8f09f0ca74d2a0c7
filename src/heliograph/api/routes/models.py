"""`/models` and `/openai/models`: what a request may name as `model`."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from fastapi import APIRouter, Response

from heliograph.api.auth import Guarded
from heliograph.api.openapi import answers
from heliograph.api.routes.transcriptions import TRANSCRIBES
from heliograph.api.server import ServerOf
from heliograph.extraction import domains
from heliograph.models.routes import DEFAULT, EXTRACTOR, Route
from heliograph.wire.schemas import ModelResponse, OpenAIModelList

router = APIRouter(prefix="/v1", tags=["models"], route_class=Guarded)

CREATED = int(datetime(2026, 11, 21, tzinfo=UTC).timestamp())


@router.get("/models", response_model=list[ModelResponse], responses=answers(401))
async def list_models(server: ServerOf) -> Response:
    """Every pair of a model and a domain that it answers: the extractor, and each configured route."""
    routes = server.planner.routes
    named = dict.fromkeys([EXTRACTOR, *(name for name in routes.configured if name != DEFAULT)])
    catalog = domains.catalog().values()
    pairs = [{"model": name, "domain": domain.domain} for name in named for domain in catalog if _answers(routes.find(name), domain)]
    return Response(msgspec.json.encode(pairs), media_type="application/json")


@router.get("/openai/models", response_model=OpenAIModelList, responses=answers(401, openai=True))
async def openai_models(server: ServerOf) -> Response:
    """Every name that a request may send as `model`, in the OpenAI dialect; `answered_by` says where it leads here, and `task` whether it
    chats or transcribes."""
    routes = server.planner.routes
    chats = [(name, routes.find(name).name or "embedded", "chat") for name in routes.names]
    data = [
        {"id": name, "object": "model", "created": CREATED, "owned_by": "heliograph", "answered_by": answered_by, "task": task}
        for name, answered_by, task in [*chats, (TRANSCRIBES, "embedded", "transcribe")]
    ]
    return Response(msgspec.json.encode({"object": "list", "data": data}), media_type="application/json")


def _answers(route: Route, domain: domains.Domain) -> bool:
    """Whether a request for `domain` is taken. That a model takes no pictures after all may only turn out when it is asked."""
    sees = route.name is not None and route.vision is not False
    return domain.needs is None and (domain.vision != "needed" or sees)
