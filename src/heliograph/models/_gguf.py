"""The process that serves a GGUF file: `python -m heliograph.models._gguf SPEC`, started by `gguf_server`.

It leaves its parent before it loads anything, so that it outlives the worker that happened to need it first, and says that it lives
by a lock, which the kernel lets go of however it ends. It ends by itself: some seconds after the last process that uses it, or when
nobody has asked for long.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import secrets
import signal
import sys
import time
from pathlib import Path
from typing import Any

from heliograph.models.gguf_locks import Lock, Place

LOOKS = 0.5
"""Seconds between looks at who uses it."""
BATCH, PICTURE_BATCH = 128, 512
"""Tokens read between two looks at whether the caller has left; a picture's tokens must fit into one."""


def main(spec: dict[str, Any]) -> None:
    """Serve until nobody wants it. `spec`: see `gguf_server.Spec`."""
    place = Place(Path(spec["folder"]))
    alive = Lock(place.alive)
    if not alive.wait(10.0):
        sys.exit(0)  # another was quicker
    if os.fork():
        os._exit(0)  # no exit handlers: they are the child's now
    os.setsid()
    _leave_limits()
    log = os.open(place.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for stream in (1, 2):
        os.dup2(log, stream)
    _step_back(spec["niceness"])
    signal.signal(signal.SIGTERM, _leave)
    try:
        server, token = _load(spec)
    except BaseException as error:
        print(error, "could not be loaded", sep="\n", flush=True)
        os._exit(1)
    place.announce({"pid": os.getpid(), "url": f"{server.listening_address}/v1", "key": token})
    _stay(place, spec["grace"], spec["idle"])
    os._exit(0)


def _leave(*_: object) -> None:
    os._exit(0)


def _leave_limits() -> None:
    """A process that may use little time and memory may have started this one."""
    for limit in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE):
        hard = resource.getrlimit(limit)[1]
        resource.setrlimit(limit, (hard, hard))


def _step_back(niceness: int) -> None:
    """Let the other engines of this machine go first (docs/design/models.md, with the measurement)."""
    with contextlib.suppress(OSError):
        os.nice(niceness)
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(niceness))  # where sessions share the processor, niceness counts within one only


def _load(spec: dict[str, Any]) -> tuple[Any, str]:
    llama: Any = importlib.import_module("xllamacpp")  # after the fork: it starts threads
    params = llama.CommonParams()
    token = secrets.token_urlsafe(24)
    params.model.path = spec["path"]
    params.model_alias = {Path(spec["path"]).stem}
    if spec["mmproj"]:
        params.mmproj.path = spec["mmproj"]
    params.n_parallel = spec["slots"]
    params.n_ctx = spec["context"] * spec["slots"]
    params.n_batch = params.n_ubatch = PICTURE_BATCH if spec["mmproj"] else BATCH
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = spec["threads"]
    params.api_keys = [token]
    params.endpoint_props = True
    params.endpoint_slots = params.ui = params.warmup = False
    params.cache_ram_mib = 0
    params.offline = True
    params.verbosity = 1
    return llama.Server(params), token


def _stay(place: Place, grace: float, idle: float) -> None:
    """Return once nobody has been here for `grace` seconds, or nobody has asked for `idle`; then no request is under way."""
    last_user = last_asked = time.monotonic()
    while True:
        time.sleep(LOOKS)
        now = time.monotonic()
        users, busy = Lock(place.users), Lock(place.busy)
        if not users.take():
            last_user = now
        users.release()
        if not busy.take():
            last_asked = last_user = now
        elif now - last_user > grace or now - last_asked > idle:
            place.address.unlink(missing_ok=True)
            return  # with `busy` still held: whoever wants to ask waits, and finds that there is no server
        busy.release()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
