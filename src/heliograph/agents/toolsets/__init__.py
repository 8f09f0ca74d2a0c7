"""The toolsets, one module or package each. Importing one registers its tools; packages beside this one can bring their own.

A package that is installed beside Heliograph names modules with tools as entry points of the group `heliograph.toolsets`.
"""

from __future__ import annotations

import logging
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules
from threading import Event, Lock

log = logging.getLogger(__name__)

GROUP = "heliograph.toolsets"
loaded = Event()
"""Set when every tool is registered."""
_LOADING = Lock()


def load() -> None:
    """Import every toolset; takes seconds the first time (imaging, charts), so only workers do."""
    with _LOADING:
        if loaded.is_set():
            return
        for module in iter_modules(__path__):
            import_module(f"{__name__}.{module.name}")
        load_others()
        loaded.set()


def load_others() -> None:
    """Import the modules that other packages bring. One that cannot be imported is left out, and the log says why."""
    for brought in entry_points(group=GROUP):
        try:
            brought.load()
        except Exception:
            log.exception("the tools of %s (%s) are left out", brought.name, brought.value)
