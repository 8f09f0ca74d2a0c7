"""Which backend a route gets, and what is said when it can have none."""

from __future__ import annotations

import sys

import pytest

from heliograph.config import ModelSettings, Settings
from heliograph.errors import NotConfigured
from heliograph.models.serving import Models
from tests.unit.models.fakes import Fake, settings


def models(**tables: ModelSettings) -> Models:
    return Models(Settings(models=tables))


@pytest.mark.parametrize(("kind", "extra", "module"), [("gguf", "gguf", "gguf"), ("anthropic", "providers", "providers")])
def test_a_kind_whose_packages_are_missing_names_them(monkeypatch: pytest.MonkeyPatch, kind: str, extra: str, module: str) -> None:
    monkeypatch.setitem(sys.modules, f"heliograph.models.{module}", None)
    with pytest.raises(NotConfigured, match=rf"pip install 'heliograph\[{extra}\]'"):
        models(a=ModelSettings(kind=kind, model="m")).backend("a")


def test_the_embedded_engine_is_no_model() -> None:
    with pytest.raises(NotConfigured, match="embedded engine"):
        models(a=ModelSettings(kind="embedded")).backend("a")


def test_routes_share_the_guard_of_the_route_they_fall_back_to() -> None:
    made = models(a=settings(fallback="c"), b=settings(fallback="c"), c=settings())
    for route in "abc":
        made.backend(route)
    assert made._others("a")[0].backend() is made._others("b")[0].backend() is made.backend("c")


async def test_all_are_closed_even_if_one_will_not() -> None:
    class Stuck(Fake):
        async def close(self) -> None:
            raise OSError("stuck")

    made = models(a=settings(), b=settings(), c=settings())
    fakes = [Fake(), Stuck(), Fake()]
    for route, fake in zip("abc", fakes, strict=True):
        made.backend(route)
        made._guards[route]._backend = fake
    with pytest.raises(OSError, match="stuck"):
        await made.close()
    assert fakes[0].closed
    assert fakes[2].closed
