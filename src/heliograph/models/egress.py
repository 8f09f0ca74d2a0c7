"""Which models leave the network, and which may be asked at all.

A model is `local` when it is served in process, at a loopback or private address, or when its settings say so; else it is `cloud`. A
name is what it resolves to; one that cannot be resolved is taken for `local` when requests would come from it and for `cloud` when they
would go to it.

With `HELIOGRAPH_OFFLINE` a model on this machine may be asked, since nothing goes out, and one elsewhere only when `HELIOGRAPH_FETCH_ALLOW`
holds its host or network, private addresses included. Every address is checked as it is connected to, so a name cannot change its mind.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Literal

import aiohttp
from yarl import URL

from heliograph.config import ModelSettings, Settings
from heliograph.media.fetch import Address, Guard, connector, is_public

Egress = Literal["local", "cloud"]
IN_PROCESS = ("embedded", "gguf")
LOOPBACK = ("127.0.0.0/8", "::1/128")
RESOLVE_TIMEOUT = 5.0


def stated(model: ModelSettings) -> Egress | None:
    """Where requests to a model go, as far as its settings tell; None for a name that has to be resolved."""
    if model.egress is not None:
        return model.egress
    if model.kind in IN_PROCESS:
        return "local"
    host = host_of(model)
    if host is None:
        return "cloud"  # a provider's own address
    if host == "localhost" or host.endswith(".localhost"):
        return "local"
    address = _literal(host)
    return None if address is None else _of(address)


async def resolved(model: ModelSettings) -> Egress | None:
    """As `stated`, names resolved; None when that fails. A name with any public address is `cloud`."""
    known = stated(model)
    if known is not None:
        return known
    try:
        async with asyncio.timeout(RESOLVE_TIMEOUT):
            found = await asyncio.get_running_loop().getaddrinfo(host_of(model), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        return None
    kinds = {_of(ipaddress.ip_address(str(entry[4][0]).partition("%")[0])) for entry in found}
    return "cloud" if "cloud" in kinds or not kinds else "local"


async def crosses(origin: ModelSettings, target: ModelSettings) -> bool:
    """Would a fallback from `origin` to `target` carry documents out of the network? In doubt, yes."""
    return await resolved(origin) != "cloud" and await resolved(target) != "local"


def host_of(model: ModelSettings) -> str | None:
    """The host of a model's URL, lower case; None without one."""
    try:
        host = URL(model.url).host if model.url else None
    except ValueError:
        return None
    return host.lower().rstrip(".") if host else None


def refusal(model: ModelSettings, settings: Settings) -> str | None:
    """Why an offline server may not ask this model, as far as it is known without resolving names; None when it may try."""
    if not settings.offline or model.kind in IN_PROCESS:
        return None
    host = host_of(model)
    if host is None:
        return "this server is offline (HELIOGRAPH_OFFLINE), and a provider without a URL is reached over the internet"
    address = _literal(host)
    guard = Guard(settings)
    if guard.knows(host) or host == "localhost" or host.endswith(".localhost") or (address is not None and address.is_loopback):
        return None
    networks = [entry for entry in settings.fetch_allow if _network(entry) is not None]
    allowed = any(address in network for entry in networks if (network := _network(entry)) is not None) if address else bool(networks)
    return None if allowed else f"this server is offline (HELIOGRAPH_OFFLINE); HELIOGRAPH_FETCH_ALLOW can name {host}"


def way_out(settings: Settings | None, connections: int) -> aiohttp.TCPConnector:
    """A connector that, offline, opens connections to this machine and to what `fetch_allow` names, and to nothing else."""
    if settings is None or not settings.offline:
        return aiohttp.TCPConnector(limit=connections, keepalive_timeout=60, ttl_dns_cache=30)
    allowed = settings.model_copy(update={"fetch_allow": [*settings.fetch_allow, *LOOPBACK]})
    return connector(allowed, connections=connections)


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return None


def _of(address: Address) -> Egress:
    return "cloud" if is_public(address) else "local"
