"""Routes of the API that this server does not have yet.

Lists of what a tenant has made are empty, for nothing could be made: that is true, and clients show it as it is. Everything else answers
422 `not_configured` in the caller's dialect with a sentence: never 501 or 404, which clients retry or take for a wrong address.
"""

from __future__ import annotations

from typing import NoReturn

from fastapi import APIRouter, Request

from heliograph.api.auth import Guarded
from heliograph.api.openapi import answers
from heliograph.errors import NotConfigured

router = APIRouter(prefix="/v1", tags=["not yet"], route_class=Guarded)

ROUTES: dict[str, list[tuple[str, str]]] = {
    "Datasets": [("POST", "/datasets/create"), ("GET", "/datasets/{id}")],
    "Fine-tuning": [
        ("POST", "/fine_tuning/create"),
        ("POST", "/fine_tuning/provision"),
        ("POST", "/fine_tuning/generate"),
        ("GET", "/fine_tuning/jobs/{id}"),
    ],
}
"""What is missing, by the word that its sentence begins with."""

LISTS = {
    "/datasets": "Datasets",
    "/fine_tuning/jobs": "Fine-tuning jobs",
    "/fine_tuning/models": "Fine-tuned models",
}
"""What is listed, and of which there is none."""

_SUBJECT = {path: subject for subject, routes in ROUTES.items() for _, path in routes}


async def not_yet(request: Request) -> NoReturn:
    """Not part of this release."""
    subject = _SUBJECT[request.scope["route"].path.removeprefix("/v1")]
    raise NotConfigured(f"{subject}: this release of Heliograph does not have it.")


async def none() -> list[dict[str, object]]:
    """An empty list: this release has no way to make one."""
    return []


for _path, _subject in LISTS.items():
    router.add_api_route(_path, none, methods=["GET"], summary=f"{_subject} (none in this release)", responses=answers(401))

for _subject, _routes in ROUTES.items():
    for _method, _path in _routes:
        _openai = _path.startswith("/openai/")
        router.add_api_route(
            _path, not_yet, response_model=None, methods=[_method], summary=f"{_subject} (not in this release)", status_code=422,
            responses=answers(401, 422, openai=_openai),
        )  # fmt: skip
