"""What workers tell Prometheus."""

from __future__ import annotations

import urllib.request

from heliograph.jobs.scraping import scraped
from heliograph.models.contract import Reply, Spent
from heliograph.models.metrics import ModelMetrics
from tests.live import free_port


def test_workers_of_one_machine_serve_their_models_counters_side_by_side() -> None:
    first, second = ModelMetrics(), ModelMetrics()
    first.answered("default", Reply(text="{}", spent=Spent(input=2_000_000, output=500_000)), 1.5, price=(0.5, 2.0))
    with scraped(first.registry, free_port()) as port, scraped(second.registry, port or 0) as other:
        assert port is not None
        assert other is not None
        assert other > port
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            told = answer.read().decode()
    assert 'heliograph_model_price_total{route="default"} 2.0' in told
    assert 'heliograph_model_tokens_total{kind="output",route="default"} 500000.0' in told


def test_no_port_is_no_server() -> None:
    with scraped(ModelMetrics().registry, 0) as port:
        assert port is None
