"""The one sandbox of an event loop, which all runs of a worker share, so that its interpreter stays warm between them."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from heliograph.agents.sandbox.running import Sandbox
from heliograph.config import Settings

_SHARED: WeakKeyDictionary[asyncio.AbstractEventLoop, Sandbox] = WeakKeyDictionary()


def shared(settings: Settings) -> Sandbox:
    """The sandbox of the running loop, made when it is first asked for. Its interpreter ends with this process, or when it is idle."""
    loop = asyncio.get_running_loop()
    if loop not in _SHARED:
        _SHARED[loop] = Sandbox(settings)
    return _SHARED[loop]
