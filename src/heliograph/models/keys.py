"""API keys of models: where they are read, and how they stay out of logs and messages."""

from __future__ import annotations

import os
import re

from heliograph.config import ModelSettings
from heliograph.errors import NotConfigured

_LOOKS_LIKE_A_KEY = re.compile(r"\b(?:sk|pk|rk|key|gsk|xai|hf|nvapi|AIza|Bearer)[-_ ][\w*.\-]{6,}|\bAIza[\w\-]{10,}")
SHORTEST_SECRET = 6
"""Characters of a header's value above which it is hidden in messages like a key."""


def read_key(name: str, model: ModelSettings) -> str | None:
    """The API key of the route `name`, None when it has none. Raises NotConfigured when it is not where the settings say."""
    if model.key is not None:
        return model.key.get_secret_value().strip() or None
    if model.key_env is not None:
        key = os.environ.get(model.key_env, "").strip()
        if not key:
            raise NotConfigured(
                f"The key of the model route {name!r} is missing: models.{name}.key_env names {model.key_env}, which is unset."
            )
        return key
    if model.key_file is not None:
        try:
            return model.key_file.read_text("utf-8").strip() or None
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "not text"
            raise NotConfigured(f"The key of the model route {name!r} cannot be read: models.{name}.key_file, {why}.") from None
    return None


def secrets(model: ModelSettings, key: str | None) -> list[str]:
    """What no message may hold: the key, and the values of the headers that an operator has set."""
    values = [*model.headers.values(), *([key] if key else [])]
    return sorted((value for value in values if len(value) >= SHORTEST_SECRET), key=len, reverse=True)


def hide(text: str, hidden: list[str]) -> str:
    """`text` without these secrets, nor anything that looks like a key."""
    for secret in hidden:
        text = text.replace(secret, "[key]")
    return _LOOKS_LIKE_A_KEY.sub("[key]", text)
