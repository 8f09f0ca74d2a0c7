"""The toolsets, one module or package each. Importing one registers its tools."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from threading import Event, Lock

loaded = Event()
"""Set when every tool is registered."""
_LOADING = Lock()


def load() -> None:
    """Import every toolset; takes seconds the first time (imaging, charts), so only workers do."""
    with _LOADING:
        for module in iter_modules(__path__):
            import_module(f"{__name__}.{module.name}")
        loaded.set()
