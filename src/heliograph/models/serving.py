"""The configured models of a process, each ready to be asked.

models = Models(settings)
reply = await models.backend("default").ask(Ask(...))
await models.close()
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial

from heliograph.config import EMBEDDED, ModelSettings, Settings
from heliograph.errors import NotConfigured
from heliograph.models import egress
from heliograph.models.contract import Backend
from heliograph.models.fallback import Chain, Link
from heliograph.models.guarding import Guard
from heliograph.models.metrics import ModelMetrics
from heliograph.models.profiles import ProfileCache


class Models:
    """Backends by route, made when they are first asked for. Belongs to one event loop.

    Routes that lead to the same model still have circuits and paces of their own; calls of one route share them.
    """

    def __init__(self, settings: Settings, *, cache: ProfileCache | None = None, metrics: ModelMetrics | None = None) -> None:
        """`cache`: where what was found out about models is kept; unset, a folder in the data folder."""
        self.settings = settings
        self._configured = settings.routes()
        self._cache = cache or ProfileCache(settings.data_dir / "models")
        self.metrics = metrics or ModelMetrics()
        self._guards: dict[str, Guard] = {}
        self._backends: dict[str, Backend] = {}

    def backend(self, route: str) -> Backend:
        """The backend of a configured route (`Route.name`), with its retries, circuit, pace and fallbacks.

        Raises NotConfigured, which names the setting or package that is missing.
        """
        if route not in self._backends:
            guard = self._guard(route)
            others = self._others(route)
            self._backends[route] = Chain(guard, self._configured[route], others, metrics=self.metrics) if others else guard
        return self._backends[route]

    def ends_embedded(self, route: str) -> bool:
        """Whether the embedded engine answers when the models of a route and its fallbacks are all out of service."""
        name: str | None = route
        while name is not None and name != EMBEDDED:
            name = self._configured[name].fallback if name in self._configured else None
        return name == EMBEDDED

    async def close(self) -> None:
        """Close all backends."""
        async with AsyncExitStack() as stack:  # each, whatever happens to the others
            for guard in self._guards.values():
                stack.push_async_callback(guard.close)
            self._guards, self._backends = {}, {}

    def _guard(self, route: str) -> Guard:
        if route not in self._guards:
            model = self._configured.get(route)
            if model is None:
                raise NotConfigured(f"There is no model route {route!r}; add [models.{route}] to heliograph.toml.")
            self._guards[route] = Guard(self._made(route, model), model, metrics=self.metrics)
        return self._guards[route]

    def _others(self, route: str) -> list[Link]:
        """The routes behind this one, as far as their settings allow. Raises NotConfigured when its own fallback is not allowed."""
        links: list[Link] = []
        before = [(route, self._configured[route])]
        while (name := before[-1][1].fallback) not in (None, EMBEDDED, *(earlier for earlier, _ in before)):
            model = self._configured[name]
            leaking = next((earlier for earlier, its in before if _leaks(its, model)), None)
            if leaking == before[-1][0] and not links:
                raise NotConfigured(
                    f"models.{route}.fallback would carry documents out of your network, to {name!r}; "
                    f"set models.{route}.fallback_to_cloud = true if that is wanted."
                )
            if leaking is not None:
                break
            links.append(Link(name, model, partial(self._guard, name)))
            before.append((name, model))
        return links

    def _made(self, route: str, model: ModelSettings) -> Backend:
        match model.kind:
            case "openai":
                from heliograph.models.openai import OpenAIBackend  # noqa: PLC0415 - each kind brings its own packages

                return OpenAIBackend(route, model, settings=self.settings, cache=self._cache)
            case "gguf":
                try:
                    from heliograph.models.gguf import GgufBackend  # noqa: PLC0415
                except ImportError as error:
                    raise _missing(route, model.kind, "gguf", error) from error
                return GgufBackend(route, model, settings=self.settings)
            case "embedded":
                raise NotConfigured(f"The model route {route!r} is the embedded engine, which is not a model to be asked.")
            case _:
                if (why := egress.refusal(model, self.settings)) is not None:
                    raise NotConfigured(f"The model route {route!r} may not be asked: {why}.")
                try:
                    from heliograph.models.providers import ProviderBackend  # noqa: PLC0415
                except ImportError as error:
                    raise _missing(route, model.kind, "providers", error) from error
                return ProviderBackend(route, model, settings=self.settings, cache=self._cache)


def _leaks(origin: ModelSettings, target: ModelSettings) -> bool:
    """Is it certain from the settings that a fallback leaves the network, and not allowed? Names are resolved when it is used."""
    return not origin.fallback_to_cloud and egress.stated(origin) == "local" and egress.stated(target) == "cloud"


def _missing(route: str, kind: str, extra: str, error: ImportError) -> NotConfigured:
    return NotConfigured(
        f"The model route {route!r} of kind {kind!r} needs packages that are not installed: pip install 'heliograph[{extra}]' ({error})."
    )
