"""Providers of tools: names that requests send in `models`, each a model route or a service behind a URL (`[providers.<name>]`).

Light: the API process calls `check` when a request names providers. A service is asked with `POST <url>/<what it can do>`:

    detect       {image, labels}            -> {detections: [{label, xywh, confidence}]}
    segment      {image, labels, boxes}     -> {masks: [{label, xywh, confidence, mask}]}
    depth        {image}                    -> {depth}
    generate     {prompt, images, medium}   -> {made}
    reconstruct  {images}                   -> {made}

where `image`, `mask`, `depth` and `made` are `{media_type, data}` with data in base64, a mask is a PNG that is white within, a depth a PNG
that is lighter nearer, and `xywh` are fractions of the image.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec

from heliograph.config import Ability, ProviderSettings, Settings
from heliograph.errors import FetchError, NotConfigured

if TYPE_CHECKING:
    from heliograph.agents.context import Context
    from heliograph.agents.services import Service

Json = Any
T = TypeVar("T")
DOES: dict[str, tuple[Ability, ...]] = {
    "google-gemini-3-image": ("generate",),
    "google-gemini-3-analysis": ("look", "detect"),
    "google-gemini-robotics-er": ("look", "detect"),
    "google-veo-3.1": ("generate",),
    "microsoft-omniparser-v2": ("detect",),
    "qwen-qwen3-vl-8b": ("look", "detect"),
    "meta-sam2": ("segment",),
    "meta-sam3": ("segment", "detect"),
    "meta-sam3d": ("reconstruct",),
    "depth-anything-3": ("depth",),
    "vlm-dots-ocr": ("look",),
    "nvidia-cosmos-reason-2-8b": ("look",),
}
"""What the providers with names that the platform publishes can be asked."""
Medium = Literal["image", "video"]
FILM = "google-veo-3.1"
"""The one that generates films; others make pictures."""
_NO_FILM = f'A film model is needed: add [providers."{FILM}"] with a url to heliograph.toml.'
_NEEDED: dict[Ability, str] = {
    "look": "a vision model",
    "detect": "a detector",
    "segment": "a segmentation model",
    "depth": "a depth model",
    "generate": "an image model",
    "reconstruct": "a reconstruction model",
}


class Encoded(msgspec.Struct, frozen=True):
    """Bytes as services write them: `data` in base64."""

    media_type: str
    data: str

    @classmethod
    def of(cls, media_type: str, content: bytes) -> Encoded:
        """From bytes."""
        return cls(media_type, base64.b64encode(content).decode())

    def content(self, who: str) -> bytes:
        """The bytes. Raises FetchError."""
        try:
            return base64.b64decode(self.data, validate=True)
        except (binascii.Error, ValueError):
            raise FetchError(f"{who} answered with data that is not base64.") from None


class Detection(msgspec.Struct, frozen=True, kw_only=True):
    """Something found in a picture. `xywh`: fractions of it; `confidence`: 0-1, None where the provider says none."""

    label: str
    xywh: list[float]
    confidence: float | None = None


class Mask(msgspec.Struct, frozen=True, kw_only=True):
    """The outline of something, as a PNG of the picture's size that is white within."""

    label: str
    xywh: list[float]
    mask: Encoded
    confidence: float | None = None


class _Detections(msgspec.Struct):
    detections: list[Detection]


class _Masks(msgspec.Struct):
    masks: list[Mask]


class _Depth(msgspec.Struct):
    depth: Encoded


class _Made(msgspec.Struct):
    made: Encoded


def does(name: str, provider: ProviderSettings) -> tuple[Ability, ...]:
    """What a configured provider can be asked."""
    return tuple(provider.does) if provider.does is not None else DOES.get(name, ())


def check(names: Sequence[str], settings: Settings) -> None:
    """Raise NotConfigured where a request names providers that this server does not have."""
    if (missing := unconfigured(names, settings)) is not None:
        raise NotConfigured(missing, param="models")


def unconfigured(names: Sequence[str], settings: Settings) -> str | None:
    """What is missing for the providers that a request names, as a sentence that names the setting; None when nothing is."""
    missing = [name for name in names if name not in settings.providers]
    if not missing:
        return None
    tables = ", ".join(f"[providers.{name}]" if "." not in name else f'[providers."{name}"]' for name in missing)
    return f"This server has no {', '.join(missing)}: add {tables} to heliograph.toml with the route or the url that answers."


def needs(ability: Ability, settings: Settings) -> str | None:
    """What is missing before somebody can be asked for this, as a sentence; None when nothing is."""
    if any(ability in does(name, provider) for name, provider in settings.providers.items() if (name, ability) != (FILM, "generate")):
        return None
    return f"{_NEEDED[ability].capitalize()} is needed: add {_example(ability)} to heliograph.toml."


def route(at: Context, ability: Ability) -> str | None:
    """The model route to ask: of a provider that the request named, else the run's own, else of any provider; None without one."""
    named = [provider for name, provider in _able(at, ability) if provider.route is not None and name in at.task.providers]
    if named:
        return named[0].route
    if at.route is not None:
        return at.route
    return next((provider.route for _, provider in _able(at, ability) if provider.route is not None), None)


def named(at: Context, ability: Ability) -> str | None:
    """The service that the request itself names for this; None where it names none."""
    return next((name for name, provider in _able(at, ability) if name in at.task.providers and provider.url is not None), None)


def needs_film(settings: Settings) -> str | None:
    """What is missing before films can be made, as a sentence; None when nothing is."""
    return None if FILM in settings.providers else _NO_FILM


async def detect(at: Context, image: Encoded, labels: Sequence[str]) -> list[Detection] | None:
    """What a configured service finds of `labels`; of everything where there are none. None without a service."""
    service = _service(at, "detect")
    if service is None:
        return None
    return (await _asked(service, "detect", {"image": image, "labels": list(labels)}, _Detections)).detections


async def segment(at: Context, image: Encoded, labels: Sequence[str], boxes: Sequence[Sequence[float]]) -> list[Mask]:
    """The outlines of `labels`, or of what stands in `boxes` (fractions). Raises NotConfigured without a service."""
    return (await _asked(_needed(at, "segment"), "segment", {"image": image, "labels": list(labels), "boxes": boxes}, _Masks)).masks


async def depth(at: Context, image: Encoded) -> bytes:
    """How far away things are: a PNG, lighter nearer. Raises NotConfigured without a service."""
    service = _needed(at, "depth")
    return (await _asked(service, "depth", {"image": image}, _Depth)).depth.content(service.who)


async def generate(at: Context, prompt: str, images: Sequence[Encoded] = (), *, medium: Medium = "image") -> tuple[str, bytes]:
    """Media type and bytes of what a service draws or films. Raises NotConfigured without one."""
    service = _needed(at, "generate", films=medium == "video")
    made = (await _asked(service, "generate", {"prompt": prompt, "images": list(images), "medium": medium}, _Made)).made
    return made.media_type, made.content(service.who)


async def reconstruct(at: Context, images: Sequence[Encoded]) -> tuple[str, bytes]:
    """Media type and bytes of what a service builds in space (PLY, SPZ). Raises NotConfigured without one."""
    service = _needed(at, "reconstruct")
    made = (await _asked(service, "reconstruct", {"images": list(images)}, _Made)).made
    return made.media_type, made.content(service.who)


def _able(at: Context, ability: Ability) -> list[tuple[str, ProviderSettings]]:
    """The configured providers that can be asked for this, those first that the request named."""
    able = [(name, provider) for name, provider in at.settings.providers.items() if ability in does(name, provider)]
    return sorted(able, key=lambda entry: entry[0] not in at.task.providers)


def _needed(at: Context, ability: Ability, *, films: bool | None = None) -> Service:
    service = _service(at, ability, films=films)
    if service is None and films:
        raise NotConfigured(_NO_FILM)
    if service is None:
        raise NotConfigured(f"{_NEEDED[ability].capitalize()} is needed: add {_example(ability)} with a url to heliograph.toml.")
    return service


def _service(at: Context, ability: Ability, *, films: bool | None = None) -> Service | None:
    """The service to ask; `films`: whether it is to be the one that makes films, where that matters."""
    able = _able(at, ability)
    fit = ((name, provider) for name, provider in able if provider.url is not None and films in (None, name == FILM))
    name, provider = next(fit, (None, None))
    if name is None or provider is None or provider.url is None:
        return None
    from heliograph.agents.services import Service, read_key  # noqa: PLC0415 - the API process imports this module and asks nobody

    who, setting = f"The provider {name}", f"providers.{name}"
    secret = provider.key.get_secret_value() if provider.key is not None else None
    key = read_key(who, setting, secret, provider.key_env, provider.key_file)
    headers = {**({"Authorization": f"Bearer {key}"} if key else {}), **provider.headers}
    return Service(who, f"{setting}.url", provider.url, at.settings, headers=headers, timeout=provider.timeout)


def _example(ability: Ability) -> str:
    named = next((name for name, abilities in DOES.items() if ability in abilities and "." not in name), "<name>")
    return f"[providers.{named}]"


async def _asked(service: Service, what: Ability, body: dict[str, Json], form: type[T]) -> T:
    answer = await service.call("POST", what, body=body)
    try:
        return msgspec.convert(answer, form)
    except msgspec.ValidationError as error:
        raise FetchError(f"{service.who} answered to {what} in another form than was agreed: {error}.") from None
