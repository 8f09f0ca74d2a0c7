"""`/v1/health` for clients; `/livez`, `/readyz` and `/metrics` for the operator's machinery."""

from __future__ import annotations

import ipaddress

import msgspec
from fastapi import APIRouter, Response

import heliograph
from heliograph.api import metrics
from heliograph.api.auth import Guarded
from heliograph.api.openapi import answers
from heliograph.api.server import ServerOf
from heliograph.config import Settings
from heliograph.errors import NotFound
from heliograph.store import predictions
from heliograph.wire.schemas import Health

router = APIRouter(tags=["health"])
guarded = APIRouter(prefix="/v1", tags=["health"], route_class=Guarded)


@guarded.get("/health", response_model=Health, responses=answers(401))
async def health() -> Response:
    """200 when the server answers and the key is good; clients call it first."""
    return _json({"status": "ok", "version": heliograph.__version__})


@router.get("/livez", response_model=Health, responses=answers())
async def live() -> Response:
    """The process runs."""
    return _json({"status": "ok", "version": heliograph.__version__})


@router.get("/readyz", response_model=Health, responses=answers())
async def ready(server: ServerOf) -> Response:
    """The process can take work: the database answers and there is room on the disk. Else 503."""
    async with server.database.begin() as conn:
        await predictions.by_status(conn)
    server.admission.check_disk()
    return _json({"status": "ok", "version": heliograph.__version__})


@router.get("/metrics", responses={**answers(404), 200: {"content": {"text/plain": {}}}}, response_class=Response)
async def prometheus(server: ServerOf) -> Response:
    """Counters for Prometheus; only when listening on loopback, or with `HELIOGRAPH_METRICS_PUBLIC`."""
    if not (server.settings.metrics_public or is_loopback(server.settings)):
        raise NotFound("Metrics are off on public addresses; HELIOGRAPH_METRICS_PUBLIC=true turns them on.")
    async with server.database.begin() as conn:
        jobs = await predictions.by_status(conn)
    return Response(server.metrics.render(jobs), media_type=metrics.CONTENT_TYPE)


def is_loopback(settings: Settings) -> bool:
    """Whether the server listens only to its own machine."""
    if settings.host == "localhost":
        return True
    try:
        return ipaddress.ip_address(settings.host).is_loopback
    except ValueError:
        return False


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
