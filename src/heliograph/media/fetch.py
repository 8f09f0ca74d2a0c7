"""Fetching what a client names by URL, safely: nobody can make this server read its own network.

Only `http`, `https` and `data:`. Every address of every redirect hop is checked before a connection is made, and the connection goes to the
address that was checked. Credentials in URLs and cookies are dropped, size and time are capped while the bytes stream to disk, and with
`offline` nothing outside `fetch_allow` is reached at all.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import ipaddress
import re
import socket
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from heliograph.config import Settings
from heliograph.errors import FetchError, PayloadTooLarge

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

REDIRECTS = 5
LONGEST_URL = 8192
CHUNK = 1 << 16
RESOLVE_TIMEOUT = 10.0
CLOUD = frozenset(ipaddress.ip_address(text) for text in ("168.63.129.16", "100.100.100.200", "fd00:ec2::254"))
"""Metadata and host services of clouds, the first of which looks like any public address."""
NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
USER_AGENT = "heliograph"


class Fetched(msgspec.Struct, frozen=True):
    """What came: its size, the type that the sender claims (a hint, never believed) and its SHA-256 in hex."""

    bytes: int
    media_type_hint: str | None
    sha256: str


class Guard:
    """Which hosts and addresses may be reached, from `offline` and `fetch_allow`."""

    def __init__(self, settings: Settings) -> None:
        self._offline = settings.offline
        self._networks: list[Network] = []
        self._hosts: set[str] = set()
        for entry in settings.fetch_allow:
            try:
                self._networks.append(ipaddress.ip_network(entry.strip("[]"), strict=False))
            except ValueError:
                self._hosts.add(entry.lower().rstrip("."))

    def knows(self, host: str) -> bool:
        """Is this host named in `fetch_allow`?"""
        return host.lower().rstrip(".") in self._hosts

    def check_host(self, host: str) -> None:
        """Raises FetchError when no address of this host could be allowed, so that it need not be looked up."""
        if self._offline and not self.knows(host) and not self._networks:
            raise FetchError(f"This server is offline and may not reach {host}; HELIOGRAPH_FETCH_ALLOW names what it may.")

    def check_address(self, address: Address, host: str) -> None:
        """Raises FetchError when an address may not be reached."""
        if any(address.version == network.version and address in network for network in self._networks):
            return
        if self._offline:
            raise FetchError(f"This server is offline and may not reach {host}; HELIOGRAPH_FETCH_ALLOW names what it may.")
        if not is_public(address):
            raise FetchError(f"{host} is at {address}, an address that is not public; HELIOGRAPH_FETCH_ALLOW can allow it.")


def is_public(address: Address) -> bool:
    """Is this an address of the public internet, also when it wraps an IPv4 one (mapped, 6to4, Teredo, NAT64)?"""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if any(address in network for network in NAT64) or (int(address) >> 32 == 0 and int(address) > 1):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None and not is_public(inner):
            return False
        if address.ipv4_mapped:
            return True
    return address.is_global and not address.is_multicast and not address.is_reserved and address not in CLOUD


def check_syntax(url: str) -> URL:
    """The URL, without credentials and fragment. Raises FetchError for another scheme than http(s), no host, or nonsense."""
    if len(url) > LONGEST_URL:
        raise FetchError(f"The URL is longer than {LONGEST_URL} characters.")
    try:
        parsed = URL(url.strip())
        port, host = parsed.port, parsed.host
    except (ValueError, TypeError):
        raise FetchError("The URL is not valid.") from None
    if parsed.scheme not in ("http", "https"):
        raise FetchError(f"Only http, https and data URLs are fetched, not {parsed.scheme or 'ones without a scheme'}.")
    if not host or not port:
        raise FetchError("The URL names no host.")
    return parsed.with_user(None).with_fragment(None)


async def check_url(url: str, settings: Settings) -> None:
    """Raises FetchError when this server could not or may not reach `url`; for webhook targets, when they are given."""
    target = check_syntax(url)
    await _addresses(target.host or "", target.port or 0, Guard(settings))


def connector(settings: Settings, *, connections: int = 100) -> aiohttp.TCPConnector:
    """A connector that looks hosts up, checks every address and connects to no other; for sessions of one's own, such as the webhooks'.

    At most so many `connections` at a time.

    What it refuses meets the caller as FetchError (a host) or as `aiohttp.ClientConnectorError` (an address in the URL itself).
    """
    resolver = _CheckedResolver(Guard(settings))
    return aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False, socket_factory=resolver.open_socket, limit=connections)


def session(settings: Settings) -> aiohttp.ClientSession:
    """A session over `connector`, without cookies, proxies, `.netrc` or unpacking. Follow redirects by hand, checking each hop."""
    return aiohttp.ClientSession(
        connector=connector(settings),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        timeout=aiohttp.ClientTimeout(total=settings.fetch_timeout, sock_connect=10),
    )


async def fetch(url: str, settings: Settings, sink: Path) -> Fetched:
    """Write what `url` names to `sink`. Raises FetchError (not allowed, not reached, wrong status), PayloadTooLarge (over `max_file`)."""
    if url[:5].lower() == "data:":
        data, hint = read_data_url(url, settings.max_file)
        await asyncio.to_thread(sink.write_bytes, data)
        return Fetched(len(data), hint, hashlib.sha256(data).hexdigest())
    guard = Guard(settings)
    target = check_syntax(url)
    async with session(settings) as client:
        try:
            async with asyncio.timeout(settings.fetch_timeout):
                return await _follow(client, target, guard, settings, sink)
        except TimeoutError:
            raise FetchError(f"{target.host} did not send the file within {settings.fetch_timeout:g} seconds.") from None
        except aiohttp.ClientError as error:
            raise FetchError(f"{target.host} could not be reached or broke off: {_say(error)}") from None


def read_data_url(url: str, most: int) -> tuple[bytes, str | None]:
    """The bytes of a `data:` URL and the type it claims, RFC 2397. Raises FetchError, PayloadTooLarge."""
    head, comma, body = url[5:].partition(",")
    if not comma:
        raise FetchError("The data URL has no comma between its type and its data.")
    media_type = head.partition(";")[0].strip().lower() or None
    if len(body) > most * 3:
        raise PayloadTooLarge(f"The data URL is larger than the {most >> 20} MiB that this server accepts.")
    if head.lower().replace(" ", "").endswith(";base64"):
        raw = unquote_to_bytes(body) if "%" in body else body.encode("ascii", "replace")
        raw = re.sub(rb"\s+", b"", raw).translate(bytes.maketrans(b"-_", b"+/"))
        try:
            data = base64.b64decode(raw + b"=" * (-len(raw) % 4), validate=True)
        except (binascii.Error, ValueError):
            raise FetchError("The data URL's base64 is not valid.") from None
    else:
        data = unquote_to_bytes(body)
    if len(data) > most:
        raise PayloadTooLarge(f"The data URL is larger than the {most >> 20} MiB that this server accepts.")
    return data, media_type


async def _follow(client: aiohttp.ClientSession, target: URL, guard: Guard, settings: Settings, sink: Path) -> Fetched:
    for _ in range(REDIRECTS + 1):
        check_literal(target.host or "", guard)
        async with client.get(target, allow_redirects=False) as answer:
            if answer.status in (301, 302, 303, 307, 308) and "Location" in answer.headers:
                target = check_syntax(str(target.join(URL(answer.headers["Location"]))))
                continue
            if answer.status != 200:
                raise FetchError(f"{target.host} answered {answer.status} instead of the file.")
            declared = answer.content_length
            if declared is not None and declared > settings.max_file:
                raise PayloadTooLarge(f"The file is {declared:,} bytes; this server accepts {settings.max_file:,}.")
            hint = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower() or None
            with await asyncio.to_thread(sink.open, "wb") as file:
                size, digest = await _store(_plain(answer, settings.max_file), file, settings.max_file)
            return Fetched(size, hint, digest)
    raise FetchError(f"{target.host} redirected more than {REDIRECTS} times.")


async def _store(chunks: AsyncIterator[bytes], file: BinaryIO, most: int) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    async for chunk in chunks:
        size += len(chunk)
        if size > most:
            raise PayloadTooLarge(f"The file is larger than the {most:,} bytes that this server accepts.")
        digest.update(chunk)
        file.write(chunk)
    return size, digest.hexdigest()


async def _plain(answer: aiohttp.ClientResponse, most: int) -> AsyncIterator[bytes]:
    """The body in pieces, unpacked when the server compressed it although it was asked not to; no piece larger than `CHUNK` is made."""
    coding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if coding in ("", "identity"):
        async for chunk in answer.content.iter_chunked(CHUNK):
            yield chunk
        return
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise FetchError(f"The file came compressed as {coding}, which was not asked for.")
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 32)
    made = 0
    try:
        async for chunk in answer.content.iter_chunked(CHUNK):
            rest = chunk
            while rest and made <= most:
                piece = unpack.decompress(rest, CHUNK)
                rest = unpack.unconsumed_tail
                made += len(piece)
                yield piece
        yield unpack.flush()
    except zlib.error:
        raise FetchError("The file came damaged: its compression cannot be undone.") from None


def check_literal(host: str, guard: Guard) -> None:
    """Raise FetchError for a host that is refused by its name, or that is an address itself, which never meets the resolver."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        guard.check_host(host)
    else:
        if not guard.knows(host):
            guard.check_address(address, host)


async def _addresses(host: str, port: int, guard: Guard, family: int = socket.AF_UNSPEC) -> list[tuple[int, str]]:
    """All addresses of a host with their families, every one of them checked."""
    guard.check_host(host)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLVE_TIMEOUT):
            found = await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        raise FetchError(f"The host {host} cannot be found.") from None
    pairs = list(dict.fromkeys((int(entry[0]), str(entry[4][0])) for entry in found))
    if not guard.knows(host):
        for _, text in pairs:
            guard.check_address(ipaddress.ip_address(text.partition("%")[0]), host)
    return pairs


class _CheckedResolver(AbstractResolver):
    """Gives aiohttp only checked addresses, and opens sockets to no others."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._allowed: set[str] = set()

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        pairs = await _addresses(host, port, self._guard, family)
        if self._guard.knows(host):
            self._allowed |= {text for _, text in pairs}
        return [
            ResolveResult(hostname=host, host=text, port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST) for kind, text in pairs
        ]

    async def close(self) -> None:
        """Nothing is held."""

    def open_socket(self, info: Any) -> socket.socket:
        """The last check: of the address that is about to be connected to, literal ones in URLs included."""
        family, kind, protocol, _, (text, *_) = info
        if text not in self._allowed and not self._guard.knows(text):
            try:
                self._guard.check_address(ipaddress.ip_address(text.partition("%")[0]), text)
            except FetchError as error:
                raise PermissionError(error.message) from None
        return socket.socket(family, kind, protocol)


def _say(error: aiohttp.ClientError) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error.strerror or str(error.os_error) or "no connection"
    return str(error) or type(error).__name__
