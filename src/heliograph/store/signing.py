"""Signed URLs of our own: who holds one may do one thing to one path until a given time."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time


def sign(secret: bytes, path: str, expires: int, *, method: str = "GET") -> str:
    """The signature (HMAC-SHA256, 64 hex characters) of `method` on `path` until `expires` (Unix seconds)."""
    message = json.dumps([method, path, expires]).encode()  # so that no part can be shifted into another
    return hmac.new(secret, message, hashlib.sha256).hexdigest()


def content_path(secret: bytes, file_id: str, *, seconds: float, method: str = "GET") -> str:
    """Path and query that may read (or write, by `PUT`) the content of a file for so long from now."""
    return signed(secret, f"/v1/files/{file_id}/content", seconds=seconds, method=method)


def artifact_path(secret: bytes, tenant: str, namespace: str, ref: str, *, seconds: float) -> str:
    """Path and query that may read an artifact for so long from now."""
    place = base64.urlsafe_b64encode(json.dumps([tenant, namespace, ref]).encode()).decode().rstrip("=")
    return signed(secret, f"/v1/artifacts/linked/{place}", seconds=seconds)


def artifact_at(place: str) -> tuple[str, str, str]:
    """Tenant, namespace and reference that the last part of such a path names. Raises ValueError; who signed it is not looked at."""
    tenant, namespace, ref = json.loads(base64.urlsafe_b64decode(place + "=" * (-len(place) % 4)))
    return str(tenant), str(namespace), str(ref)


def signed(secret: bytes, path: str, *, seconds: float, method: str = "GET") -> str:
    """`path` with the query by which its holder may do `method` on it for so long from now."""
    expires = int(time.time() + seconds)
    return f"{path}?expires={expires}&signature={sign(secret, path, expires, method=method)}"


def verify(secret: bytes, path: str, expires: int, signature: str, *, method: str = "GET", now: float | None = None) -> bool:
    """Whether `signature` is right for exactly these and has not expired. Compared in constant time."""
    right = hmac.compare_digest(sign(secret, path, expires, method=method).encode(), signature.encode())
    return right and (time.time() if now is None else now) < expires
