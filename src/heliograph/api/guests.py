"""Callers without a key, where an operator lets them in (`HELIOGRAPH_GUESTS`): each browser has a few chats a day.

A browser is known by the `X-Browser-Fingerprint` it sends, else by a cookie that this server signed. Both are the client's to change,
so chats also count for the address they come from; a request that brings neither counts as the address's own. Digests under the database's
secret are all that is kept of any of them.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

import msgspec
from starlette.requests import HTTPConnection

from heliograph.api.auth import Caller
from heliograph.api.links import trusted
from heliograph.config import Settings
from heliograph.errors import RateLimited
from heliograph.store import guests, tenants
from heliograph.store.database import Database

FINGERPRINT = "x-browser-fingerprint"
SHORTEST, LONGEST = 16, 256
"""Characters of a fingerprint; a shorter one could be guessed, and with it somebody's chats."""
COOKIE = "heliograph_guest"
COOKIE_SECONDS = 365 * 86400
UPLOADS = 5
"""Files for each chat that a browser, or an address, has a day."""


class Guest(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls without a key. `address`: digest of where from. `counted`: digest that today's chats count for. `cookie`: the header
    to send, for a browser that is new."""

    caller: Caller
    address: str
    counted: str
    cookie: str | None = None


class Guests:
    """Tells guests apart and counts what they do. `secret` is the database's, so all replicas agree. `now`: the time, UTC."""

    def __init__(self, settings: Settings, secret: bytes, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._settings = settings
        self._key = hashlib.sha256(b"guests\0" + secret).digest()
        self._now = now

    def identify(self, request: HTTPConnection) -> Guest:
        """Whose browser this is; a new one if it does not say, or says what this server never signed."""
        place = self._digest("address", address(request, self._settings.trusted_proxies))
        fingerprint = request.headers.get(FINGERPRINT, "")
        if SHORTEST <= len(fingerprint) <= LONGEST:
            browser = self._digest("fingerprint", fingerprint)
            return Guest(caller=_caller(browser), address=place, counted=browser)
        name, _, signature = request.cookies.get(COOKIE, "").partition(".")
        if name and hmac.compare_digest(signature.encode("utf-8", "surrogatepass"), self._digest("signature", name).encode()):
            browser = self._digest("cookie", name)
            return Guest(caller=_caller(browser), address=place, counted=browser)
        name = secrets.token_urlsafe(18)
        secure = "; Secure" if request.url.scheme == "https" or (self._settings.public_url or "").startswith("https:") else ""
        cookie = f"{COOKIE}={name}.{self._digest('signature', name)}; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Lax{secure}"
        return Guest(caller=_caller(self._digest("cookie", name)), address=place, counted=self._digest("nobody", place), cookie=cookie)

    async def count(self, database: Database, guest: Guest) -> None:
        """Count one chat. Raises RateLimited, which says when there will be more, without counting."""
        await self._count(database, guest, "chat", 1)

    async def count_upload(self, database: Database, guest: Guest) -> None:
        """Count one file. Raises as `count`."""
        await self._count(database, guest, "file", UPLOADS)

    async def _count(self, database: Database, guest: Guest, what: str, times: int) -> None:
        now = self._now()
        each, all = self._settings.guest_chats * times, self._settings.guest_chats_per_address * times
        mark = "" if what == "chat" else f"{what}:"
        async with database.begin() as conn:
            await tenants.reserve_guests(conn)
            if not await guests.count(conn, now.date(), mark + guest.counted, most=each):
                raise self._spent(now, each, what, "a guest")
            if not await guests.count(conn, now.date(), mark + guest.address, most=all):
                raise self._spent(now, all, what, "all guests of your address together")

    def _spent(self, now: datetime, most: int, what: str, who: str) -> RateLimited:
        reset = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
        wait = max(1, int((reset - now).total_seconds()) + 1)
        return RateLimited(
            f"Without an API key {who} may have {most} {what}{'' if most == 1 else 's'} a day; "
            f"there will be more at {reset:%Y-%m-%dT%H:%M:%SZ}.", retry_after=wait,
        )  # fmt: skip

    def _digest(self, kind: str, value: str) -> str:
        return hmac.new(self._key, f"{kind}\0{value}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def address(request: HTTPConnection, proxies: list[str]) -> str:
    """Where a request comes from, as far as it can be believed: behind trusted proxies, the last address that is not one of theirs. Of
    IPv6 the /64, which is what one household has."""
    host = request.client.host if request.client else ""
    for forwarded in reversed(request.headers.get("x-forwarded-for", "").split(",")):
        if not trusted(host, proxies):
            break
        host = forwarded.strip() or host
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else str(found)


def _caller(browser: str) -> Caller:
    return Caller(tenants.GUESTS, "guest", browser)
