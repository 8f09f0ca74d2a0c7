"""`POST /v1/{document,image}/{generate,execute,schema}`: every request makes a prediction, or finds the one it made before."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from starlette.background import BackgroundTask

from heliograph.api.auth import Caller, CallerOf, Guarded
from heliograph.api.intake import Source
from heliograph.api.openapi import answers
from heliograph.api.server import Server, ServerOf
from heliograph.api.submit import Asked, submit
from heliograph.api.waiting import left
from heliograph.errors import InvalidRequest, NotFound, Unavailable
from heliograph.jobs.bodies import prediction_body
from heliograph.store import predictions
from heliograph.store.predictions import Prediction
from heliograph.wire.predictions import PredictionResponse
from heliograph.wire.requests import (
    DocumentExecuteRequest,
    DocumentFilePredictionRequest,
    DocumentSchemaRequest,
    ImageExecuteRequest,
    ImagePredictionRequest,
    ImageSchemaRequest,
)

document = APIRouter(prefix="/v1/document", tags=["document"], route_class=Guarded)
image = APIRouter(prefix="/v1/image", tags=["image"], route_class=Guarded)

SAID: dict[str, Any] = {
    "status_code": 201,
    "response_model": PredictionResponse,
    "responses": answers(401, 402, 404, 409, 413, 422, 429),
}
KeyHeader = Annotated[
    str | None,
    Header(alias="Idempotency-Key", min_length=1, max_length=255, description="The same key and body get the same answer for a day."),
]


@document.post("/generate", **SAID)
async def document_generate(
    body: DocumentFilePredictionRequest, request: Request, server: ServerOf, caller: CallerOf, *, key: KeyHeader = None
) -> Response:
    """Generate structured prediction for the given document."""
    asked = Asked(
        kind="document", operation="generate", body=body, domain=body.domain, sources=one_file(body.url, body.file_id), idempotency_key=key
    )
    return await answered(request, server, caller, asked)


@document.post("/execute", **SAID)
async def document_execute(
    body: DocumentExecuteRequest, request: Request, server: ServerOf, caller: CallerOf, *, key: KeyHeader = None
) -> Response:
    """Run a domain, or a skill, by its name over a document."""
    asked = Asked(
        kind="document",
        operation="execute",
        body=body,
        domain=body.name,
        sources=one_file(body.url, body.file_id),
        idempotency_key=key,
        version=body.version,
    )
    return await answered(request, server, caller, asked)


@document.post("/schema", **SAID)
async def document_schema(
    body: DocumentSchemaRequest, request: Request, server: ServerOf, caller: CallerOf, *, key: KeyHeader = None
) -> Response:
    """Propose a JSON Schema from the document itself."""
    asked = Asked(
        kind="document", operation="schema", body=body, domain=None, sources=one_file(body.url, body.file_id), idempotency_key=key
    )
    return await answered(request, server, caller, asked)


@image.post("/generate", **SAID)
async def image_generate(
    body: ImagePredictionRequest, request: Request, server: ServerOf, caller: CallerOf, *, key: KeyHeader = None
) -> Response:
    """Generate structured prediction for the given images, which are the pages of one document."""
    asked = Asked(kind="image", operation="generate", body=body, domain=body.domain, sources=_images(body.images), idempotency_key=key)
    return await answered(request, server, caller, asked)


@image.post("/execute", **SAID)
async def image_execute(
    body: ImageExecuteRequest, request: Request, server: ServerOf, caller: CallerOf, *, key: KeyHeader = None
) -> Response:
    """Run a domain, or a skill, by its name over images."""
    asked = Asked(
        kind="image",
        operation="execute",
        body=body,
        domain=body.name,
        sources=_images(body.images),
        idempotency_key=key,
        version=body.version,
    )
    return await answered(request, server, caller, asked)


@image.post("/schema", **SAID)
async def image_schema(
    body: ImageSchemaRequest, request: Request, server: ServerOf, caller: CallerOf, *, key: KeyHeader = None
) -> Response:
    """Propose a JSON Schema from the images themselves."""
    asked = Asked(kind="image", operation="schema", body=body, domain=None, sources=_images(body.images), idempotency_key=key)
    return await answered(request, server, caller, asked)


def one_file(url: str | None, file_id: str | None) -> list[Source]:
    """The file that a body names. Raises InvalidRequest unless it is exactly one."""
    given = [Source("file_id", "file", file_id)] if file_id else []
    given += [Source("url", "url", url)] if url else []
    if len(given) != 1:
        raise InvalidRequest("Give exactly one of `file_id` and `url`.", param="file_id")
    return given


def _images(images: list[str]) -> list[Source]:
    return [Source(f"images.{index}", "url", url) for index, url in enumerate(images)]


async def answered(request: Request, server: Server, caller: Caller, asked: Asked) -> Response:
    """What a request is answered: at once, or where it waits when its prediction is finished."""
    row = await submit(server, caller, asked)
    if asked.body.batch:
        return Response(prediction_body(row, await server.linker(request)), 201, media_type="application/json")
    if row.status not in predictions.FINISHED:
        await server.waiter.wait((caller.tenant, row.id), server.settings.wait_timeout, left=left(request))
    async with server.database.begin() as conn:
        found = await predictions.get(conn, caller.tenant, row.id)
    if found is None:
        raise NotFound("The prediction was deleted while it was waited for.")
    body = prediction_body(found, await server.linker(request))
    return Response(body, 201, media_type="application/json", background=await delivering(server, found, request))


async def delivering(server: Server, row: Prediction, request: Request) -> BackgroundTask | None:
    """What notes, once the answer is out, that the caller has it, where that decides how long it is kept."""
    if row.retain or row.status not in predictions.FINISHED or await request.is_disconnected():
        return None
    return BackgroundTask(_delivered, server, row)


async def _delivered(server: Server, row: Prediction) -> None:
    """Note that the caller has the result, from when on it need not be kept. A database that is away keeps it the whole hour."""
    with suppress(Unavailable):
        async with server.database.begin() as conn:
            await predictions.delivered(conn, row.tenant, row.id)
