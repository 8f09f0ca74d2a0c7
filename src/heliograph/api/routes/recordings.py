"""`POST /v1/{audio,video}/{generate,execute,schema}`: recordings make predictions as documents do."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from heliograph.api.auth import Caller, CallerOf, Guarded
from heliograph.api.routes.generate import SAID, KeyHeader, answered, one_file
from heliograph.api.server import Server, ServerOf
from heliograph.api.submit import Asked
from heliograph.extraction.plan import Kind, Operation
from heliograph.wire.requests import (
    AudioExecuteRequest,
    AudioFilePredictionRequest,
    AudioSchemaRequest,
    VideoExecuteRequest,
    VideoFilePredictionRequest,
    VideoSchemaRequest,
)

_Body = (
    AudioExecuteRequest
    | AudioFilePredictionRequest
    | AudioSchemaRequest
    | VideoExecuteRequest
    | VideoFilePredictionRequest
    | VideoSchemaRequest
)
audio = APIRouter(prefix="/v1/audio", tags=["audio"], route_class=Guarded)
video = APIRouter(prefix="/v1/video", tags=["video"], route_class=Guarded)


@audio.post("/generate", **SAID)
async def audio_generate(
    body: AudioFilePredictionRequest, request: Request, server: ServerOf, caller: CallerOf, *, key: KeyHeader = None
) -> Response:
    """Generate structured prediction for the given recording of sound."""
    return await _made("audio", "generate", body, body.domain, request, server, caller, key)


@audio.post("/execute", **SAID)
async def audio_execute(
    body: AudioExecuteRequest, request: Request, server: ServerOf, caller: CallerOf, *, key: KeyHeader = None
) -> Response:
    """Run a domain, or a skill, by its name over a recording of sound."""
    return await _made("audio", "execute", body, body.name, request, server, caller, key, version=body.version)


@audio.post("/schema", **SAID)
async def audio_schema(
    body: AudioSchemaRequest, request: Request, server: ServerOf, caller: CallerOf, *, key: KeyHeader = None
) -> Response:
    """Propose a JSON Schema from what is said."""
    return await _made("audio", "schema", body, None, request, server, caller, key)


@video.post("/generate", **SAID)
async def video_generate(
    body: VideoFilePredictionRequest, request: Request, server: ServerOf, caller: CallerOf, *, key: KeyHeader = None
) -> Response:
    """Generate structured prediction for the given video."""
    return await _made("video", "generate", body, body.domain, request, server, caller, key)


@video.post("/execute", **SAID)
async def video_execute(
    body: VideoExecuteRequest, request: Request, server: ServerOf, caller: CallerOf, *, key: KeyHeader = None
) -> Response:
    """Run a domain, or a skill, by its name over a video."""
    return await _made("video", "execute", body, body.name, request, server, caller, key, version=body.version)


@video.post("/schema", **SAID)
async def video_schema(
    body: VideoSchemaRequest, request: Request, server: ServerOf, caller: CallerOf, *, key: KeyHeader = None
) -> Response:
    """Propose a JSON Schema from what is said and written in a video."""
    return await _made("video", "schema", body, None, request, server, caller, key)


async def _made(
    kind: Kind,
    operation: Operation,
    body: _Body,
    domain: str | None,
    request: Request,
    server: Server,
    caller: Caller,
    key: str | None,
    version: int | str = "latest",
) -> Response:
    sources = one_file(body.url, body.file_id)
    asked = Asked(kind=kind, operation=operation, body=body, domain=domain, sources=sources, idempotency_key=key, version=version)
    return await answered(request, server, caller, asked)
