"""`POST /v1/{audio,video}/{generate,execute,schema}`: recordings make predictions as documents do."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from heliograph.api.auth import CallerOf, Guarded
from heliograph.api.routes.generate import SAID, KeyHeader, answered, one_file
from heliograph.api.server import ServerOf
from heliograph.api.submit import Asked
from heliograph.wire.requests import (
    AudioExecuteRequest,
    AudioFilePredictionRequest,
    AudioSchemaRequest,
    VideoExecuteRequest,
    VideoFilePredictionRequest,
    VideoSchemaRequest,
)

audio = APIRouter(prefix="/v1/audio", tags=["audio"], route_class=Guarded)
video = APIRouter(prefix="/v1/video", tags=["video"], route_class=Guarded)


@audio.post("/generate", **SAID)
async def audio_generate(
    body: AudioFilePredictionRequest, request: Request, server: ServerOf, caller: CallerOf, *, key: KeyHeader = None
) -> Response:
    """Generate structured prediction for the given recording of sound."""
    sources = one_file(body.url, body.file_id)
    asked = Asked(kind="audio", operation="generate", body=body, domain=body.domain, sources=sources, idempotency_key=key)
    return await answered(request, server, caller, asked)


@audio.post("/execute", **SAID)
async def audio_execute(
    body: AudioExecuteRequest, request: Request, server: ServerOf, caller: CallerOf, *, key: KeyHeader = None
) -> Response:
    """Run a domain, or a skill, by its name over a recording of sound."""
    sources = one_file(body.url, body.file_id)
    asked = Asked(
        kind="audio", operation="execute", body=body, domain=body.name, sources=sources, idempotency_key=key, version=body.version
    )
    return await answered(request, server, caller, asked)


@audio.post("/schema", **SAID)
async def audio_schema(
    body: AudioSchemaRequest, request: Request, server: ServerOf, caller: CallerOf, *, key: KeyHeader = None
) -> Response:
    """Propose a JSON Schema from what is said."""
    sources = one_file(body.url, body.file_id)
    asked = Asked(kind="audio", operation="schema", body=body, domain=None, sources=sources, idempotency_key=key)
    return await answered(request, server, caller, asked)


@video.post("/generate", **SAID)
async def video_generate(
    body: VideoFilePredictionRequest, request: Request, server: ServerOf, caller: CallerOf, *, key: KeyHeader = None
) -> Response:
    """Generate structured prediction for the given video."""
    sources = one_file(body.url, body.file_id)
    asked = Asked(kind="video", operation="generate", body=body, domain=body.domain, sources=sources, idempotency_key=key)
    return await answered(request, server, caller, asked)


@video.post("/execute", **SAID)
async def video_execute(
    body: VideoExecuteRequest, request: Request, server: ServerOf, caller: CallerOf, *, key: KeyHeader = None
) -> Response:
    """Run a domain, or a skill, by its name over a video."""
    sources = one_file(body.url, body.file_id)
    asked = Asked(
        kind="video", operation="execute", body=body, domain=body.name, sources=sources, idempotency_key=key, version=body.version
    )
    return await answered(request, server, caller, asked)


@video.post("/schema", **SAID)
async def video_schema(
    body: VideoSchemaRequest, request: Request, server: ServerOf, caller: CallerOf, *, key: KeyHeader = None
) -> Response:
    """Propose a JSON Schema from what is said and written in a video."""
    sources = one_file(body.url, body.file_id)
    asked = Asked(kind="video", operation="schema", body=body, domain=None, sources=sources, idempotency_key=key)
    return await answered(request, server, caller, asked)
