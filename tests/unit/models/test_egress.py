"""What leaves the network, what may fall back where, and whom an offline server may ask."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from heliograph.config import ModelSettings, Settings
from heliograph.errors import NotConfigured
from heliograph.models import egress
from heliograph.models.contract import Ask, Backend, Picture, Profile, user
from heliograph.models.errors import CircuitOpen, ModelRefused, ModelUnavailable
from heliograph.models.fallback import Chain, Link
from heliograph.models.metrics import ModelMetrics
from heliograph.models.openai import OpenAIBackend
from heliograph.models.serving import Models
from tests.unit.models.fakes import QUESTION, Fake, said, settings

LOCAL = settings()
CLOUD = ModelSettings(url="https://8.8.8.8/v1")


@pytest.mark.parametrize(
    ("model", "where"),
    [
        (ModelSettings(url="http://127.0.0.1:8000/v1"), "local"),
        (ModelSettings(url="http://[::1]:8000/v1"), "local"),
        (ModelSettings(url="http://localhost:8000/v1"), "local"),
        (ModelSettings(url="http://10.1.2.3/v1"), "local"),
        (ModelSettings(url="http://192.168.0.9/v1"), "local"),
        (ModelSettings(url="https://8.8.8.8/v1"), "cloud"),
        (ModelSettings(url="https://[2606:4700::1]/v1"), "cloud"),
        (ModelSettings(url="http://10.1.2.3/v1", egress="cloud"), "cloud"),
        (ModelSettings(url="https://8.8.8.8/v1", egress="local"), "local"),
        (ModelSettings(kind="gguf"), "local"),
        (ModelSettings(kind="anthropic", model="m"), "cloud"),
        (ModelSettings(url="http://gpu-box:8000/v1"), None),
    ],
)
def test_an_address_says_whether_requests_leave_the_network(model: ModelSettings, where: str | None) -> None:
    assert egress.stated(model) == where


@pytest.mark.parametrize(("address", "from_it", "to_it"), [("10.0.0.7", True, False), ("8.8.8.8", False, True), (None, True, True)])
async def test_a_name_is_what_it_resolves_to_and_in_doubt_documents_stay(
    monkeypatch: pytest.MonkeyPatch, address: str | None, from_it: bool, to_it: bool
) -> None:
    def look_up(*_: Any, **__: Any) -> Any:
        if address is None:
            raise socket.gaierror
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    named = ModelSettings(url="http://gpu-box:8000/v1")
    assert await egress.crosses(named, CLOUD) is from_it
    assert await egress.crosses(LOCAL, named) is to_it


def chain(*backends: Backend, models: list[ModelSettings] | None = None, metrics: ModelMetrics | None = None) -> Chain:
    models = models or [LOCAL] * len(backends)
    links = [Link(backend.name, model, lambda backend=backend: backend) for backend, model in zip(backends, models, strict=True)]
    return Chain(backends[0], models[0], links[1:], metrics=metrics)


async def test_the_next_route_answers_when_one_is_out_of_service() -> None:
    metrics = ModelMetrics()
    for error in (ModelUnavailable(), CircuitOpen()):
        routed = chain(Fake(error, name="a"), Fake(error, name="b"), Fake(said("yes"), name="c"), metrics=metrics)
        assert (await routed.ask(QUESTION)).text == "yes"
        assert "".join([delta.text async for delta in routed.stream(QUESTION)]) == "yes"
    assert 'heliograph_model_fallbacks_total{fallback="c",route="a"} 4.0' in metrics.render().decode()


async def test_what_the_first_route_refuses_is_refused() -> None:
    other = Fake(name="b")
    with pytest.raises(ModelRefused):
        await chain(Fake(ModelRefused(), name="a"), other).ask(QUESTION)
    assert other.asked == []


async def test_when_nobody_answers_the_first_trouble_is_told_with_the_rest() -> None:
    first = Fake(CircuitOpen("a is out.", retry_after=9), name="a")
    with pytest.raises(CircuitOpen, match=r"a is out\. b refused\.") as caught:
        await chain(first, Fake(ModelRefused("b refused."), name="b")).ask(QUESTION)
    assert caught.value.retry_after == 9


async def test_documents_stay_unless_every_route_before_lets_them_go() -> None:
    free = settings(fallback_to_cloud=True)
    for models, leaves in (
        ([LOCAL, CLOUD], False),
        ([free, CLOUD], True),
        ([LOCAL, free, CLOUD], False),
        ([free, LOCAL, CLOUD], False),
        ([free, free, CLOUD], True),
        ([CLOUD, CLOUD], True),
    ):
        *inner, last = [Fake(ModelUnavailable("gone"), name=str(place)) for place in range(len(models))]
        last.script = [said("from the cloud")]
        routed = chain(*inner, last, models=models)
        if leaves:
            assert (await routed.ask(QUESTION)).text == "from the cloud"
        else:
            with pytest.raises(ModelUnavailable, match="outside your network"):
                await routed.ask(QUESTION)
            assert last.asked == []


async def test_a_route_that_cannot_do_it_is_passed_over() -> None:
    blind, seeing = Fake(name="b"), Fake(name="c", profile=Profile(vision=True, prefill=True, json_modes=("tool",)))
    seen = Ask(messages=[user(Picture(b"", 1, 1))], schema={}, mode="json_schema")
    assert (await chain(Fake(ModelUnavailable(), name="a"), blind, seeing).ask(seen)).text == "yes"
    assert blind.asked == []
    assert seeing.asked[0].mode is None  # its own strongest
    begun = Ask(messages=[], prefill="{")
    with pytest.raises(ModelUnavailable, match="beginning"):
        await chain(Fake(ModelUnavailable(), name="a"), blind).ask(begun)


def configured(**models: ModelSettings) -> Models:
    return Models(Settings(models=models))


def test_a_fallback_out_of_the_network_is_refused_when_it_is_configured() -> None:
    with pytest.raises(NotConfigured, match=r"models\.a\.fallback_to_cloud = true"):
        configured(a=settings(fallback="b"), b=CLOUD).backend("a")
    configured(a=settings(fallback="b", fallback_to_cloud=True), b=CLOUD).backend("a")


@pytest.mark.parametrize(
    ("models", "words"),
    [
        ({"a": settings(fallback="a")}, "a -> a"),
        ({"a": settings(fallback="b"), "b": settings(fallback="c"), "c": settings(fallback="a")}, "a -> b -> c -> a"),
        ({"a": settings(fallback="b"), "b": settings(fallback="c"), "c": settings(fallback="b")}, "b -> c -> b"),
        ({"a": settings(fallback="b")}, "not configured"),
        ({"a": settings(fallback="b"), "b": ModelSettings(kind="embedded")}, "embedded engine"),
    ],
)
def test_fallbacks_that_lead_nowhere_are_no_configuration(models: dict[str, ModelSettings], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Settings(models=models)


@pytest.mark.parametrize(
    ("url", "allow", "allowed"),
    [
        ("http://127.0.0.1:8000/v1", [], True),
        ("http://localhost:8000/v1", [], True),
        ("http://10.0.0.7/v1", [], False),
        ("http://10.0.0.7/v1", ["10.0.0.0/24"], True),
        ("http://10.0.0.7/v1", ["10.0.1.0/24"], False),
        ("http://gpu-box/v1", [], False),
        ("http://gpu-box/v1", ["gpu-box"], True),
        ("https://8.8.8.8/v1", [], False),
        ("https://8.8.8.8/v1", ["8.8.8.8"], True),
    ],
)
def test_offline_only_this_machine_and_what_is_allowed_is_asked(url: str, allow: list[str], allowed: bool) -> None:
    models = Models(Settings(offline=True, fetch_allow=allow, models={"a": ModelSettings(url=url, egress="local")}))
    if allowed:
        models.backend("a")
    else:
        with pytest.raises(NotConfigured, match="HELIOGRAPH_FETCH_ALLOW"):
            models.backend("a")


def test_offline_no_provider_without_an_address_is_asked() -> None:
    with pytest.raises(NotConfigured, match="HELIOGRAPH_OFFLINE"):
        Models(Settings(offline=True, models={"a": ModelSettings(kind="anthropic", model="m")})).backend("a")


async def test_offline_a_name_that_leads_elsewhere_is_not_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_: Any, **__: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.9.9.9", 80))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    offline = Settings(offline=True, fetch_allow=["192.168.0.0/16"])
    backend = OpenAIBackend("a", ModelSettings(url="http://gpu-box/v1", model="m"), settings=offline, profile=Profile())
    with pytest.raises(ModelRefused, match="offline"):
        await backend.ask(QUESTION)
    await backend.close()


@pytest.mark.parametrize("url", [None, "127.0.0.1:8000", "ftp://host/v1", "http://", "http://h/v1?key=x", "http://h/v1/chat/completions"])
def test_an_address_that_is_none_is_no_configuration(url: str | None) -> None:
    with pytest.raises(NotConfigured, match=r"models\.a\.url"):
        configured(a=ModelSettings(url=url)).backend("a")
