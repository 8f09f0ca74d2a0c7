"""What a server turns out not to take, learnt from its refusals: fields that are left out from then on, and limits to an answer."""

from __future__ import annotations

import re
from typing import Final

from heliograph.models import failures
from heliograph.models.errors import ModelError, ModelLimit, ModelRefused
from heliograph.models.loose import Json

OPTIONAL: Final = ("temperature", "stream_options", "logprobs", "strict", "reasoning_effort", "chat_template_kwargs")
"""Fields without which a request asks for the same."""
LEAST_ROOM = 64
"""Tokens below which it is no use to ask for an answer."""

_MOST = (
    re.compile(r"at most (\d+) (?:completion|output) tokens"),
    re.compile(r"max_tokens: \d+ > (\d+), which is the maximum"),
    re.compile(r"range of `?max_(?:completion_)?tokens`? is \[\d+, ?(\d+)\]"),
    re.compile(r"max_(?:completion_)?tokens`? must be less than or equal to `?(\d+)"),
)


class Habits:
    """What is known of one server."""

    def __init__(self) -> None:
        self._without: set[str] = set()
        self._new_name = False
        self._most: int | None = None

    def suit(self, body: dict[str, Json]) -> dict[str, Json]:
        """The body as this server takes it."""
        made = {name: value for name, value in body.items() if name not in self._without}
        if self._new_name and "max_tokens" in made:
            made["max_completion_tokens"] = made.pop("max_tokens")
        for limit in ("max_tokens", "max_completion_tokens"):
            if self._most is not None and limit in made:
                made[limit] = min(made[limit], self._most)
        return made

    def learn(self, error: ModelError, body: dict[str, Json]) -> dict[str, Json] | None:
        """A body that may be taken after this refusal of `body`; None when there is none."""
        limit = "max_completion_tokens" if "max_completion_tokens" in body else "max_tokens"
        if isinstance(error, ModelLimit):
            left = failures.room(error)
            if left is not None and LEAST_ROOM <= left < body.get(limit, 0):
                return body | {limit: left}
            return None
        if not isinstance(error, ModelRefused):
            return None
        said = error.message
        if limit == "max_tokens" and "max_tokens" in body and "max_completion_tokens" in said:
            self._new_name = True
            return self.suit(body)
        for pattern in _MOST:
            if (found := pattern.search(said)) and 0 < int(found[1]) < body.get(limit, 0):
                self._most = int(found[1])
                return self.suit(body)
        for name in OPTIONAL:
            if name in body and re.search(rf"\b{name}\b", said):
                self._without.add(name)
                return self.suit(body)
        return None
