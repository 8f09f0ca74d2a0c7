"""JSON services that the operator has configured, such as a detector or a web search: asked only where egress allows.

Their addresses come from the settings, so they may be private; a client's URL never gets here. With `HELIOGRAPH_OFFLINE` they are reached
on this machine and where `HELIOGRAPH_FETCH_ALLOW` says.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any, Literal

import aiohttp
import msgspec
from yarl import URL

import heliograph
from heliograph.config import ModelSettings, Settings
from heliograph.errors import FetchError, HeliographError, NotConfigured, RateLimited, Unavailable
from heliograph.models import egress, keys

Json = Any
LARGEST = 64 << 20
"""Bytes of an answer."""
LONGEST_SENTENCE = 300
CONNECT_TIMEOUT = 10.0


class Service:
    """A service. `who`: as the beginning of a sentence about it; `setting`: the one that holds its address."""

    def __init__(
        self, who: str, setting: str, url: str, settings: Settings, *, headers: dict[str, str] | None = None, timeout: float = 60.0
    ) -> None:
        """Raises NotConfigured for an address that is none, or that may not be asked."""
        self.who, self.setting = who, setting
        self._settings, self._headers, self._timeout = settings, headers or {}, timeout
        try:
            self.url = URL(url.strip())
        except ValueError:
            self.url = URL()
        if self.url.scheme not in ("http", "https") or not self.url.host:
            raise NotConfigured(f"{who} needs an address that begins with http:// or https:// in {setting}.")
        if (why := egress.refusal(ModelSettings(url=url), settings)) is not None:
            raise NotConfigured(f"{who} may not be asked: {why}.")

    async def call(
        self, method: Literal["GET", "POST"], path: str, *, body: Json = None, query: dict[str, str] | None = None
    ) -> dict[str, Json]:
        """The JSON object that it answers. Raises Unavailable where another try may help, RateLimited, FetchError for anything else."""
        headers = {
            "Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity",
            "User-Agent": f"heliograph/{heliograph.__version__}",
        } | self._headers  # fmt: skip
        data = None if body is None else msgspec.json.encode(body)
        target = self.url.joinpath(path) if path else self.url
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._session() as session,
                session.request(method, target, params=query, data=data, headers=headers, allow_redirects=False) as answer,
            ):
                whole = await _read(answer)
                status, wait = answer.status, answer.headers.get("Retry-After", "")
        except TimeoutError:
            raise Unavailable(f"{self.who} did not answer within {self._timeout:g} seconds.") from None
        except FetchError as error:
            raise NotConfigured(f"{self.who} may not be asked: {error.message}") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Unavailable(f"{self.who} cannot be reached ({type(error).__name__}). Check {self.setting}.") from None
        if whole is None:
            raise FetchError(f"{self.who} answered with more than {LARGEST >> 20} MiB.")
        if status != 200:
            raise self._failure(status, whole, int(wait) if wait.isdecimal() else None)
        try:
            return msgspec.json.decode(whole, type=dict[str, Json])
        except (msgspec.DecodeError, RecursionError):
            raise FetchError(f"{self.who} answered with something that is no JSON object.") from None

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=egress.way_out(self._settings, 8),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT),
        )

    def _failure(self, status: int, whole: bytes, wait: int | None) -> HeliographError:
        said = keys.hide(" ".join(whole.decode(errors="replace").split()), [value for value in self._headers.values() if len(value) > 5])
        told = f"{self.who} answered {status}" + (f": {said[:LONGEST_SENTENCE]}" if said else ".")
        if status == 429:
            return RateLimited(told, retry_after=wait)
        if status in (401, 403):
            return NotConfigured(f"{told} Check its key beside {self.setting}.")
        return Unavailable(told, retry_after=wait) if status >= 500 else FetchError(told)


def read_key(who: str, setting: str, key: str | None, key_env: str | None, key_file: Path | None) -> str | None:
    """The key of a service, from wherever its settings say. Raises NotConfigured when it is not there."""
    if key is not None:
        return key.strip() or None
    if key_env is not None:
        found = os.environ.get(key_env, "").strip()
        if not found:
            raise NotConfigured(f"{who} has no key: {setting}.key_env names {key_env}, which is unset.")
        return found
    if key_file is not None:
        try:
            return key_file.read_text("utf-8").strip() or None
        except (OSError, UnicodeDecodeError):
            raise NotConfigured(f"{who} has no key: {setting}.key_file cannot be read.") from None
    return None


async def _read(answer: aiohttp.ClientResponse) -> bytes | None:
    whole = bytearray()
    async for piece in answer.content.iter_any():
        whole += piece
        if len(whole) > LARGEST:
            return None
    return bytes(whole)
