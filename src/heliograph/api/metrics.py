"""What `/metrics` tells Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The counters of one API process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "heliograph_http_requests", "HTTP requests by route and status.", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "heliograph_http_request_seconds",
            "Seconds from the request's first byte to the response's last.",
            ["route"],
            registry=self.registry,
            buckets=(0.005, 0.02, 0.1, 0.5, 2, 10, 60, 120),
        )
        self._jobs = Gauge("heliograph_predictions", "Predictions by status, of all tenants.", ["status"], registry=self.registry)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """One finished request. `route` is the template, such as `/v1/files/{file_id}`."""
        self._requests.labels(method if method.isupper() and len(method) <= 7 else "OTHER", route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def render(self, jobs: dict[str, int]) -> bytes:
        """The text that is scraped. `jobs`: predictions by status."""
        self._jobs.clear()
        for status, count in jobs.items():
            self._jobs.labels(status).set(count)
        return generate_latest(self.registry)
