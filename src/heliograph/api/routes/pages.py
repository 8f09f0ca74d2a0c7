"""`/` and `/docs`: the console and the API reference."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from heliograph.api import pages
from heliograph.api.openapi import document

router = APIRouter(include_in_schema=False)


@router.get("/")
async def console() -> Response:
    """The console."""
    return pages.console("index.html")


@router.get("/docs")
async def reference() -> Response:
    """The API reference, to read and to try."""
    return pages.reference()


@router.get("/docs/{name}")
async def reference_file(name: str) -> Response:
    """What the reference page loads."""
    return pages.reference_file(name)


@router.get("/openapi.json")
@router.get("/v1/openapi.json")
async def openapi(request: Request) -> Response:
    """The OpenAPI 3.1 document."""
    return JSONResponse(document(request.app))


@router.get("/console.js")
@router.get("/console.css")
@router.get("/favicon.ico")
async def console_file(request: Request) -> Response:
    """What the console loads."""
    return pages.console(request.url.path.removeprefix("/"))
