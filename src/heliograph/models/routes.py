"""Which model a name leads to. Imports nothing heavy: the API process decides routes at submit.

A name that a client sends is, in this order: the name of a configured route (`[models.<name>]`); a published name, which leads to
the route of its base (`vlmrun-orion-1` for `vlmrun-orion-1:auto`), else to the default route (`[models.default]`, or the one-model
case `HELIOGRAPH_MODEL_URL`), else to the embedded engine; anything else is `model_not_found`, which lists what there is.
"""

from __future__ import annotations

import msgspec

from heliograph.config import ModelSettings, Settings
from heliograph.models.errors import ModelNotFound

DEFAULT = "default"
EXTRACTOR = "vlm-1"
_TIERS = ("lite", "auto", "fast", "pro")
_BACKBONES = ("qwen3.6-35b-a3b", "gemma4-26b-a4b", "kimi-2.6", "gpt-5.5", "claude-opus-4.8")
_ORION = ("vlmrun-orion-1", "vlmrun-orion-1.5", "vlmrun-orion-2")
PUBLISHED: tuple[str, ...] = (
    EXTRACTOR,
    *(name for base in _ORION for name in (base, *(f"{base}:{tier}" for tier in _TIERS))),
    *(f"vlmrun-orion-2:{backbone}" for backbone in _BACKBONES),
)
"""The names that the platform publishes; clients send them as they are."""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request goes. `asked`: the name as it was sent. `name`: the configured route, None for the embedded engine.

    `vision`: whether its settings say that it takes pictures; None where that is to be found out by asking it.
    """

    asked: str
    name: str | None = None
    vision: bool | None = None


Known = dict[str, Route]
"""Every name that a request may send, and where it leads."""


class Routes:
    """The configured models of `settings`, by route."""

    def __init__(self, settings: Settings) -> None:
        self.configured: dict[str, ModelSettings] = settings.routes()
        self.known: Known = {name: self._route(name) for name in (*PUBLISHED, *self.configured)}

    @property
    def names(self) -> list[str]:
        """Every name that a request may send."""
        return [name for name in self.known if name != DEFAULT]

    def find(self, asked: str | None) -> Route:
        """The route of a name; None or empty is `vlm-1`. Raises `ModelNotFound`."""
        return find(self.known, asked)

    def _route(self, name: str) -> Route:
        for candidate in (name, name.partition(":")[0], DEFAULT):
            model = self.configured.get(candidate)
            if model is not None:
                embedded = model.kind == "embedded"
                return Route(asked=name, name=None if embedded else candidate, vision=None if embedded else model.vision)
        return Route(asked=name)


def find(known: Known, asked: str | None) -> Route:
    """The route of a name; None or empty is `vlm-1`. Raises `ModelNotFound`."""
    name = asked or EXTRACTOR
    if name not in known:
        there = ", ".join(other for other in known if other != DEFAULT)
        raise ModelNotFound(f"There is no model {name[:100]!r} here; there are {there}.", param="model")
    return known[name]
