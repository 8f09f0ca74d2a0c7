"""What models did, for Prometheus: requests, tries, tokens, seconds and circuits, by route."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from heliograph.models.breaker import State
from heliograph.models.contract import Reply
from heliograph.models.errors import ModelError

STATES: dict[State, int] = {"closed": 0, "half_open": 1, "open": 2}


class ModelMetrics:
    """The counters of one process. `registry`: what they are scraped with."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._tries = Counter(
            "heliograph_model_tries",
            "Requests sent to a model, by how they ended: a finish of the contract, or a type of error.",
            ["route", "outcome"],
            registry=self.registry,
        )
        self._retries = Counter("heliograph_model_retries", "Requests that were tried again.", ["route"], registry=self.registry)
        self._fallbacks = Counter(
            "heliograph_model_fallbacks", "Requests that another route answered.", ["route", "fallback"], registry=self.registry
        )
        self._tokens = Counter("heliograph_model_tokens", "Tokens read, cached and written.", ["route", "kind"], registry=self.registry)
        self._price = Counter(
            "heliograph_model_price", "What requests cost, in the currency of the route's prices.", ["route"], registry=self.registry
        )
        self._seconds = Histogram(
            "heliograph_model_seconds",
            "Seconds of one try, from its slot to its end.",
            ["route"],
            registry=self.registry,
            buckets=(0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000),
        )
        self._windows = Counter(
            "heliograph_model_windows",
            "Windows of documents that were answered: asked for, or found in the journal of an earlier run.",
            ["route", "how"],
            registry=self.registry,
        )
        self._circuit = Gauge("heliograph_model_circuit", "0 closed, 1 half open, 2 open.", ["route"], registry=self.registry)
        self._limit = Gauge("heliograph_model_limit", "Requests it gets at a time, as it keeps up.", ["route"], registry=self.registry)

    def answered(self, route: str, reply: Reply, seconds: float, *, price: tuple[float, float] = (0.0, 0.0)) -> None:
        """A try that gave a reply. `price`: of a million tokens read and written."""
        self._price.labels(route).inc((reply.spent.input * price[0] + reply.spent.output * price[1]) / 1e6)
        self._tries.labels(route, reply.finish).inc()
        self._seconds.labels(route).observe(seconds)
        for kind, count in (("input", reply.spent.input), ("cached", reply.spent.cached), ("output", reply.spent.output)):
            self._tokens.labels(route, kind).inc(count)

    def failed(self, route: str, error: ModelError | None, seconds: float) -> None:
        """A try that gave none. `error` is None when it was cancelled."""
        self._tries.labels(route, error.type if error is not None else "cancelled").inc()
        self._seconds.labels(route).observe(seconds)

    def retried(self, route: str) -> None:
        """A request is tried again."""
        self._retries.labels(route).inc()

    def fell_back(self, route: str, fallback: str) -> None:
        """Another route answered."""
        self._fallbacks.labels(route, fallback).inc()

    def windows(self, route: str, *, asked: int, resumed: int) -> None:
        """A document was answered."""
        self._windows.labels(route, "asked").inc(asked)
        self._windows.labels(route, "resumed").inc(resumed)

    def stands(self, route: str, state: State, limit: float) -> None:
        """How a model stands now."""
        self._circuit.labels(route).set(STATES[state])
        self._limit.labels(route).set(int(limit))

    def render(self) -> bytes:
        """The text that is scraped."""
        return generate_latest(self.registry)
