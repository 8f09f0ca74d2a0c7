"""`/models` and `/openai/models`: what a request may name as `model`."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from fastapi import APIRouter, Response

from heliograph.api.auth import Guarded
from heliograph.api.openapi import answers
from heliograph.extraction import domains
from heliograph.wire.schemas import ModelResponse, OpenAIModelList

router = APIRouter(prefix="/v1", tags=["models"], route_class=Guarded)

CREATED = int(datetime(2026, 11, 21, tzinfo=UTC).timestamp())


@router.get("/models", response_model=list[ModelResponse], responses=answers(401))
async def list_models() -> Response:
    """Every pair of model and domain."""
    pairs = [{"model": "vlm-1", "domain": name} for name in domains.catalog()]
    return Response(msgspec.json.encode(pairs), media_type="application/json")


@router.get("/openai/models", response_model=OpenAIModelList, responses=answers(401, openai=True))
async def openai_models() -> Response:
    """Every model, in the OpenAI dialect."""
    data = [{"id": "vlm-1", "object": "model", "created": CREATED, "owned_by": "heliograph"}]
    return Response(msgspec.json.encode({"object": "list", "data": data}), media_type="application/json")
