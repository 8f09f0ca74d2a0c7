"""What a worker tells Prometheus: its models' counters, on a loopback port of its own."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server

log = logging.getLogger(__name__)

MOST = 64
"""Ports that are tried: as many workers of one machine can be scraped."""


@contextmanager
def scraped(registry: CollectorRegistry, first: int) -> Generator[int | None]:
    """Serve `/metrics` on the first free port of loopback from `first` on; gives the port, or None when `first` is 0 or none was free."""
    for port in range(first, min(first + MOST, 65_536)) if first else ():
        try:
            server, thread = start_http_server(port, addr="127.0.0.1", registry=registry)
        except OSError:
            continue
        log.info("this worker's metrics are at http://127.0.0.1:%d/metrics", port)
        try:
            yield port
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
        return
    if first:
        log.warning("no port from %d on is free for this worker's metrics", first)
    yield None
