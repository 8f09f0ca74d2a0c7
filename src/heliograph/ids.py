"""Identifiers: UUIDv4 strings, as the clients expect."""

from __future__ import annotations

import secrets
import uuid


def new_id() -> str:
    """A random UUIDv4 string."""
    return str(uuid.uuid4())


def new_completion_id() -> str:
    """A new id of a chat completion: `chatcmpl-` and 32 hexadecimal digits, as OpenAI's clients know them."""
    return f"chatcmpl-{uuid.uuid4().hex}"


def new_key() -> str:
    """A new API key: `hg_` and 43 URL-safe characters (256 bits)."""
    return "hg_" + secrets.token_urlsafe(32)
