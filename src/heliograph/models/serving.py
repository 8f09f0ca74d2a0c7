"""The configured models of a process, each ready to be asked.

models = Models(settings)
reply = await models.backend("default").ask(Ask(...))
await models.close()
"""

from __future__ import annotations

from heliograph.config import ModelSettings, Settings
from heliograph.errors import NotConfigured
from heliograph.models.contract import Backend
from heliograph.models.openai import OpenAIBackend
from heliograph.models.profiles import ProfileCache


class Models:
    """Backends by route, made when they are first asked for. Belongs to one event loop."""

    def __init__(self, settings: Settings, *, cache: ProfileCache | None = None) -> None:
        """`cache`: where what was found out about models is kept; unset, a folder in the data folder."""
        self.settings = settings
        self._configured = settings.routes()
        self._cache = cache or ProfileCache(settings.data_dir / "models")
        self._backends: dict[str, Backend] = {}

    def backend(self, route: str) -> Backend:
        """The backend of a configured route (`Route.name`). Raises NotConfigured."""
        if route not in self._backends:
            if route not in self._configured:
                raise NotConfigured(f"There is no model route {route!r}; add [models.{route}] to heliograph.toml.")
            self._backends[route] = self._made(route, self._configured[route])
        return self._backends[route]

    async def close(self) -> None:
        """Close all backends."""
        backends, self._backends = self._backends, {}
        for backend in backends.values():
            await backend.close()

    def _made(self, route: str, model: ModelSettings) -> Backend:
        return OpenAIBackend(route, model, settings=self.settings, cache=self._cache)
