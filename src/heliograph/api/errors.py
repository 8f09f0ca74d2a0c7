"""How an error looks on the wire: one pure function per dialect, used by every route.

VLM Run routes answer `{"detail": ..., "error": {"type", "message", "id"}}`, where `detail` is the sentence again, or the
list form for 422. Routes under `/v1/openai` answer `{"error": {"message", "type", "param", "code"}}`, and for 422 the list too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from starlette.responses import Response

from heliograph.errors import HeliographError, InvalidRequest

LONGEST_INPUT = 256
"""Characters of a refused value that a validation error repeats; longer ones (data URIs) are left out."""

TYPES = {
    400: "invalid_request",
    401: "authentication_error",
    402: "insufficient_credits",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "payload_too_large",
    416: "range_not_satisfiable",
    422: "invalid_request",
    429: "rate_limit_exceeded",
    503: "unavailable",
}
"""The `type` of an error that carries only a status."""


def is_openai(path: str) -> bool:
    """Whether clients of this path read the OpenAI dialect."""
    return path.startswith("/v1/openai/")


def status_of(kind: str) -> int:
    """The status of an error that is known by its type alone: of a run that failed."""
    return 409 if kind == "cancelled" else next((error.status for error in _tree(HeliographError) if error.type == kind), 500)


def _tree(error: type[HeliographError]) -> Iterator[type[HeliographError]]:
    yield error
    for below in error.__subclasses__():
        yield from _tree(below)


def render(error: HeliographError, *, path: str, request_id: str) -> Response:
    """The response for an error of the tree."""
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after is not None else {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    items = None
    if error.status == 422:
        items = [{"loc": _location(error.param), "msg": error.message, "type": error.type}]
    return body(error.status, error.type, error.message, path=path, request_id=request_id, items=items, param=error.param, headers=headers)


def render_status(status: int, message: str, *, path: str, request_id: str, headers: Mapping[str, str] | None = None) -> Response:
    """The response for a bare status, such as an unknown route."""
    kind = TYPES.get(status, "internal_error" if status >= 500 else "invalid_request")
    return body(status, kind, message, path=path, request_id=request_id, headers=headers)


def render_validation(errors: Sequence[Mapping[str, Any]], *, path: str, request_id: str) -> Response:
    """The 422 for a body, query or header that pydantic refused; `errors` as pydantic lists them."""
    items = [_item(error) for error in errors]
    first = items[0] if items else {"loc": ["body"], "msg": InvalidRequest().message}
    where = ".".join(str(part) for part in first["loc"])
    param = ".".join(str(part) for part in first["loc"][1:]) or None
    return body(422, "invalid_request", f"{where}: {first['msg']}", path=path, request_id=request_id, items=items, param=param)


def body(
    status: int,
    kind: str,
    message: str,
    *,
    path: str,
    request_id: str,
    items: list[dict[str, Any]] | None = None,
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The response in the dialect of `path`. `items` is the list form of `detail`."""
    if is_openai(path):
        content: dict[str, Any] = {"error": {"message": message, "type": kind, "param": param, "code": kind}}
        content |= {"detail": items} if items is not None else {}
    else:
        content = {"detail": message if items is None else items, "error": {"type": kind, "message": message, "id": request_id}}
    return Response(msgspec.json.encode(content), status, dict(headers or {}), "application/json")


def _location(param: str | None) -> list[str | int]:
    parts = param.split(".") if param else []
    return ["body", *(int(part) if part.isdecimal() else part for part in parts)]


def _item(error: Mapping[str, Any]) -> dict[str, Any]:
    item: dict[str, Any] = {"loc": list(error.get("loc", ("body",))), "msg": error.get("msg", ""), "type": error.get("type", "")}
    if "input" in error:
        text = _json(error["input"])
        if text is not None and len(text) <= LONGEST_INPUT:
            item["input"] = msgspec.Raw(text)
    context = error.get("ctx")
    if isinstance(context, Mapping):
        item["ctx"] = {str(key): value if isinstance(value, str | int | float | bool) else str(value) for key, value in context.items()}  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return item


def _json(value: object) -> bytes | None:
    try:
        return msgspec.json.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return None
