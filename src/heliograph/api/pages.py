"""Pages for people: the console at `/` and the API reference at `/docs`. Everything comes from this server; scripts only from files."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from starlette.responses import FileResponse, HTMLResponse, Response

from heliograph.errors import NotFound

WEB = Path(__file__).parent.parent / "web"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
}

_CLOSED = "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
CONSOLE_POLICY = f"{_CLOSED}; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' blob: data:; media-src blob:"
REFERENCE_POLICY = f"{_CLOSED}; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
"""Swagger UI sets style attributes and draws its icons from data URIs."""

_REFERENCE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Heliograph API</title>
<link rel="icon" href="/docs/favicon.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""

_START = """SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  presets: [SwaggerUIBundle.presets.apis],
});
"""

_REFERENCE_FILES = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "favicon.png"})


def console(name: str) -> Response:
    """A file of the console. Raises NotFound."""
    return _file(WEB / name, CONSOLE_POLICY)


def reference() -> Response:
    """The page of the API reference."""
    return HTMLResponse(_REFERENCE, headers={"Content-Security-Policy": REFERENCE_POLICY})


def reference_file(name: str) -> Response:
    """A file that the reference page loads. Raises NotFound."""
    if name == "start.js":
        return Response(_START, media_type="text/javascript")
    if name not in _REFERENCE_FILES:
        raise NotFound
    spec = find_spec("fastapi_offline")  # brings Swagger UI 5, the first that knows OpenAPI 3.1; wanted for its files alone
    if spec is None or spec.origin is None:
        raise NotFound
    return _file(Path(spec.origin).with_name("static") / name, REFERENCE_POLICY)


def _file(path: Path, policy: str) -> Response:
    media_type = TYPES.get(path.suffix)
    if media_type is None or not path.is_file():
        raise NotFound
    headers = {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}
    return FileResponse(path, media_type=media_type, headers=headers)
