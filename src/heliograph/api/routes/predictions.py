"""`/v1/predictions`: how far they are, what came of them, and what they looked at."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response

from heliograph.api.auth import CallerOf, Guarded
from heliograph.api.body import parse
from heliograph.api.openapi import answers
from heliograph.api.paging import LimitOf, SkipOf
from heliograph.api.pictures import DPI, LEAST_DPI, MOST_DPI
from heliograph.api.server import ServerOf
from heliograph.errors import InvalidRequest, NotFound
from heliograph.jobs import retention
from heliograph.jobs.bodies import prediction_body
from heliograph.store import deliveries, predictions
from heliograph.wire.predictions import DeliveryResponse, PredictionResponse, Status

router = APIRouter(prefix="/v1/predictions", tags=["predictions"], route_class=Guarded)

StatusesOf = Annotated[list[Status] | None, Query(description="Only those with one of these statuses.")]
EnvironmentOf = Annotated[Literal["dev", "staging", "prod"] | None, Query(description="Only those with this `metadata.environment`.")]
SessionOf = Annotated[str | None, Query(description="Only those with this `metadata.session_id`.", max_length=1024, pattern=r"^[^\x00]*$")]
MetadataOf = Annotated[
    str | None,
    Query(description='Only those whose metadata contain this JSON object, such as `{"extra":{"dataset_id":"7"}}`.', max_length=8192),
]


@router.get("", response_model=list[PredictionResponse], responses=answers(401, 422))
async def list_predictions(
    request: Request,
    server: ServerOf,
    caller: CallerOf,
    *,
    skip: SkipOf = 0,
    limit: LimitOf = 10,
    status: StatusesOf = None,
    environment: EnvironmentOf = None,
    session_id: SessionOf = None,
    metadata: MetadataOf = None,
) -> Response:
    """The tenant's predictions, newest first."""
    wanted = filtered(metadata, environment, session_id, server.settings.json_depth)
    async with server.database.begin() as conn:
        rows = await predictions.list_(conn, caller.tenant, skip=skip, limit=limit, metadata=wanted, statuses=status or ())
    link = await server.linker(request)
    return Response(msgspec.json.encode([msgspec.Raw(prediction_body(row, link)) for row in rows]), media_type="application/json")


# Ids are any string a client chose, slashes too, so the longer addresses stand first.


@router.get("/{prediction_id:path}/deliveries", response_model=list[DeliveryResponse], responses=answers(401, 404))
async def list_deliveries(prediction_id: str, server: ServerOf, caller: CallerOf) -> Response:
    """The attempts to deliver the prediction's webhook, first to last."""
    async with server.database.begin() as conn:
        if await predictions.get(conn, caller.tenant, prediction_id, kinds=predictions.REQUESTS) is None:
            raise NotFound(f"There is no prediction {prediction_id[:100]}.")
        rows = await deliveries.list_(conn, caller.tenant, prediction_id)
    fields = DeliveryResponse.model_fields
    return Response(msgspec.json.encode([{name: getattr(row, name) for name in fields} for row in rows]), media_type="application/json")


@router.get(
    "/{prediction_id:path}/pages/{index}",
    responses={**answers(401, 404, 422), 200: {"content": {"image/jpeg": {}}, "description": "The page, upright"}},
    response_class=Response,
)
async def page_picture(
    prediction_id: str,
    index: int,
    server: ServerOf,
    caller: CallerOf,
    dpi: Annotated[float, Query(ge=LEAST_DPI, le=MOST_DPI, description="How large it is drawn.")] = DPI,
) -> Response:
    """A picture of a page that the prediction read; pages count over all its files, from 0."""
    async with server.database.begin() as conn:
        row = await predictions.get(conn, caller.tenant, prediction_id, kinds=predictions.REQUESTS)
        reads = await predictions.reads(conn, caller.tenant, prediction_id) if row else []
    blobs = [read.blob for read in reads if read.blob is not None]
    if not 0 <= index < server.settings.max_pages or not blobs or len(blobs) < len(reads):
        raise NotFound(f"There is no page {index} of a prediction {prediction_id[:100]}, or it has not been fetched yet.")
    picture = await server.pictures.draw(blobs, index, dpi)
    return Response(picture, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=600"})


@router.get("/{prediction_id:path}", response_model=PredictionResponse, responses=answers(401, 404))
async def get_prediction(prediction_id: str, request: Request, server: ServerOf, caller: CallerOf) -> Response:
    """A prediction, with its response once it is completed."""
    async with server.database.begin() as conn:
        row = await predictions.get(conn, caller.tenant, prediction_id, kinds=predictions.REQUESTS)
    if row is None:
        raise NotFound(f"There is no prediction {prediction_id[:100]}.")
    return Response(prediction_body(row, await server.linker(request)), media_type="application/json")


@router.delete("/{prediction_id:path}", response_model=PredictionResponse, responses=answers(401, 404))
async def delete_prediction(prediction_id: str, request: Request, server: ServerOf, caller: CallerOf) -> Response:
    """Cancel the prediction if it is not finished, and remove it with its inputs and results, and with `allow_retention: false` the
    uploaded files that only it read. Answers what it was."""
    row, _ = await retention.forget(server.database, server.blobs, caller.tenant, prediction_id, kinds=predictions.REQUESTS)
    if row is None:
        raise NotFound(f"There is no prediction {prediction_id[:100]}.")
    return Response(prediction_body(row, await server.linker(request)), media_type="application/json")


def filtered(metadata: str | None, environment: str | None, session_id: str | None, depth: int) -> dict[str, object] | None:
    """What the metadata of those that are listed contain. Raises InvalidRequest."""
    wanted = _object(metadata, depth) if metadata else {}
    wanted |= {"environment": environment} if environment else {}
    wanted |= {"session_id": session_id} if session_id else {}
    return wanted or None


def _object(text: str, depth: int) -> dict[str, object]:
    value = parse(text.encode("utf-8", "surrogatepass"), depth)
    if not isinstance(value, dict):
        raise InvalidRequest("metadata must be a JSON object.", param="metadata")
    return value  # pyright: ignore[reportUnknownVariableType]
