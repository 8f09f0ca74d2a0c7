"""The OpenAPI document, and how routes declare what they may answer."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

import heliograph
from heliograph.wire.errors import ErrorResponse, OpenAIErrorResponse

DESCRIPTION = "Turns documents and images into grounded JSON, on your own machines, for the clients of the VLM Run API."

_MEANING = {
    400: "Bad request",
    401: "The API key is missing or not valid",
    402: "This month's credits are used up",
    403: "The link is not valid, or no longer",
    404: "There is no such thing",
    409: "It conflicts with what is there",
    413: "The body is too large",
    416: "The range is outside the content",
    422: "Validation Error",
    429: "Too many requests; `Retry-After` says when to come back",
    500: "A fault of the server",
    503: "Not possible right now; `Retry-After` says when to come back",
}


def answers(*statuses: int, openai: bool = False) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer these errors, and the ones any route may."""
    model = OpenAIErrorResponse if openai else ErrorResponse
    described: dict[int | str, dict[str, Any]] = {}
    for status in sorted({*statuses, 500, 503}):
        described[status] = {"description": _MEANING[status], "model": model}
    if 422 in statuses:
        described[422] = {
            "description": _MEANING[422],
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/HTTPValidationError"}}},
        }
    return described


def document(app: FastAPI) -> dict[str, Any]:
    """The document of `app`, made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            openapi_version="3.1.0",
            separate_input_output_schemas=False,
            license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        )
        components = made["components"]
        refused = components["schemas"].get("HTTPValidationError")
        if refused is not None:
            dialects = ("ErrorObject", "OpenAIErrorObject")
            refused["properties"]["error"] = {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in dialects]}
        app.openapi_schema = made
    return app.openapi_schema


TITLE = "Heliograph"
VERSION = heliograph.__version__
