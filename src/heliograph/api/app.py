"""The application: rings around routers. `create_app` is all that `heliograph serve` needs."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from heliograph.api import errors
from heliograph.api.admission import Admission
from heliograph.api.artifacts import Presenter
from heliograph.api.checking import Checker
from heliograph.api.edge import Edge
from heliograph.api.metrics import Metrics
from heliograph.api.openapi import DESCRIPTION, TITLE, VERSION
from heliograph.api.passthrough.ring import Ring
from heliograph.api.pictures import Pictures
from heliograph.api.planning import Planner
from heliograph.api.routes import (
    agents,
    artifacts,
    chat,
    completions,
    feedback,
    files,
    generate,
    health,
    hub,
    later,
    models,
    pages,
    predictions,
    recordings,
    sessions,
    transcriptions,
)
from heliograph.api.routes import skills as skill_routes
from heliograph.api.server import Server
from heliograph.api.skills import Skills
from heliograph.config import Settings
from heliograph.errors import HeliographError
from heliograph.store.blobs import Blobs
from heliograph.store.database import Database


def create_app(settings: Settings, database_url: str) -> FastAPI:
    """The API over an existing, migrated database. It holds no state that another replica would miss."""
    blobs, database = Blobs(settings), Database(database_url)
    skills = Skills(settings, database, blobs)
    server = Server(
        settings=settings,
        database=database,
        blobs=blobs,
        metrics=Metrics(),
        admission=Admission(settings),
        pictures=Pictures(settings, blobs),
        presenter=Presenter(settings, blobs),
        planner=Planner(settings, skills, blobs),
        checker=Checker(settings, blobs),
        skills=skills,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        await server.open()
        yield
        await server.close()

    app = FastAPI(title=TITLE, version=VERSION, description=DESCRIPTION, lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    app.state.server, app.state.keys, app.state.settings = server, server.keys, settings
    for router in (
        health.router, health.guarded, files.open_router, files.welcoming, files.router, generate.document, generate.image,
        recordings.audio, recordings.video, transcriptions.router, predictions.router,
        feedback.router, skill_routes.open_router, skill_routes.router, hub.router, models.router, artifacts.open_router, artifacts.router,
        chat.router,
        sessions.open_router, sessions.router, completions.router, completions.plain, agents.router, later.router, pages.router,
    ):  # fmt: skip
        app.include_router(router)
    app.add_exception_handler(HeliographError, _of_the_tree)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_status)
    app.add_middleware(Ring, server=server)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=[
            "Authorization",
            "Content-Type",
            "Idempotency-Key",
            "Last-Event-ID",
            "X-Api-Key",
            "X-Browser-Fingerprint",
            "X-Client-Id",
            "X-Request-Id",
        ],
        expose_headers=["Retry-After", "X-Request-Id"],
        max_age=600,
    )
    app.add_middleware(Edge, metrics=server.metrics)
    return app


async def _of_the_tree(request: Request, error: Exception) -> Response:
    assert isinstance(error, HeliographError)
    return errors.render(error, path=request.url.path, request_id=request.state.request_id)


async def _of_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return errors.render_validation(error.errors(), path=request.url.path, request_id=request.state.request_id)


async def _of_status(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = error.detail if error.status_code != 404 else f"There is no {request.method} {request.url.path[:200]} here."
    return errors.render_status(
        error.status_code, message, path=request.url.path, request_id=request.state.request_id, headers=error.headers
    )
