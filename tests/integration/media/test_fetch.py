import asyncio
import gzip
import hashlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from heliograph.config import Settings
from heliograph.errors import FetchError, PayloadTooLarge
from heliograph.media import fetch as fetching
from heliograph.media.fetch import Guard, check_url, connector, fetch, is_public

Serve = Callable[[dict[str, Any]], Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start a server on loopback with these handlers by path; gives its address, `http://127.0.0.1:port`."""
    runners: list[web.AppRunner] = []

    async def start(handlers: dict[str, Any]) -> str:
        app = web.Application()
        for path, handler in handlers.items():
            app.router.add_get(path, handler)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    yield start
    for runner in runners:
        await runner.cleanup()


def allowing(*entries: str, **changes: Any) -> Settings:
    return Settings(fetch_allow=list(entries), **changes)


async def hello(request: web.Request) -> web.Response:
    return web.Response(body=b"hello", content_type="application/pdf")


def redirect(target: str) -> Any:
    async def handler(request: web.Request) -> web.Response:
        raise web.HTTPFound(target)

    return handler


async def test_a_file_is_streamed_to_disk_with_its_hash(serve: Serve, tmp_path: Path) -> None:
    body = bytes(range(256)) * 4000

    async def big(request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/pdf")

    got = await fetch(await serve({"/x": big}) + "/x", allowing("127.0.0.0/8"), tmp_path / "f")
    assert (got.bytes, got.media_type_hint, got.sha256) == (len(body), "application/pdf", hashlib.sha256(body).hexdigest())
    assert (tmp_path / "f").read_bytes() == body


async def test_loopback_is_refused_unless_allowed(serve: Serve, tmp_path: Path) -> None:
    base = await serve({"/x": hello})
    with pytest.raises(FetchError, match="not public"):
        await fetch(base + "/x", Settings(), tmp_path / "f")
    with pytest.raises(FetchError, match="not public"):
        await fetch(base.replace("127.0.0.1", "localhost") + "/x", Settings(), tmp_path / "f")
    assert (await fetch(base.replace("127.0.0.1", "localhost") + "/x", allowing("localhost"), tmp_path / "f")).bytes == 5


REFUSED = [
    "http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://localhost/",
    "http://0.0.0.0/", "http://10.0.0.1/", "http://172.16.3.4/", "http://192.168.1.1/", "http://169.254.169.254/latest/meta-data/",
    "http://100.64.0.1/", "http://100.100.100.200/", "http://168.63.129.16/", "http://192.0.2.1/", "http://198.18.0.1/", "http://224.0.0.1/",
    "http://240.0.0.1/", "http://255.255.255.255/", "http://[::1]/", "http://[::]/", "http://[fe80::1]/", "http://[fc00::1]/",
    "http://[fd00:ec2::254]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:10.0.0.1]/", "http://[::ffff:a9fe:a9fe]/", "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/", "http://[64:ff9b::a9fe:a9fe]/", "http://[2002:7f00:1::]/", "http://[2002:a00:1::1]/", "http://[ff02::1]/",
    "http://user:pw@127.0.0.1/", "https://127.0.0.1/", "http://127.0.0.1:5432/",
]  # fmt: skip


@pytest.mark.parametrize("url", REFUSED)
async def test_addresses_that_are_not_public_are_refused_at_once_and_on_a_redirect(
    url: str, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FetchError):
        await check_url(url, Settings())
    with pytest.raises(FetchError):
        await fetch(url, Settings(fetch_timeout=5), tmp_path / "f")
    base = await serve({"/go": redirect(url)})
    real = asyncio.base_events.BaseEventLoop.getaddrinfo

    async def getaddrinfo(self: Any, host: str, port: int, **options: Any) -> Any:
        return await real(self, "127.0.0.1" if host == "outer.test" else host, port, **options)

    monkeypatch.setattr("asyncio.base_events.BaseEventLoop.getaddrinfo", getaddrinfo)
    with pytest.raises(FetchError, match=r"not public|cannot be found|canonical"):
        await fetch(base.replace("127.0.0.1", "outer.test") + "/go", allowing("outer.test"), tmp_path / "f")
    assert not (tmp_path / "f").exists()


@pytest.mark.parametrize("text", ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "2002:808:808::1", "64:ff9b::808:808"])
def test_public_addresses_are_public(text: str) -> None:
    import ipaddress

    assert is_public(ipaddress.ip_address(text)) or text.startswith("64:")


@pytest.mark.parametrize(
    "url",
    ["ftp://example.org/x", "file:///etc/passwd", "//example.org", "http://", "http:///x", "javascript:1", "", "http://[::1", "x" * 9000],
)
async def test_other_schemes_and_nonsense_are_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(FetchError):
        await fetch(url, allowing("0.0.0.0/0"), tmp_path / "f")


async def test_every_hop_is_checked(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = await serve({"/x": hello})
    port = base.rpartition(":")[2]
    outer = await serve({"/1": redirect("/2"), "/2": redirect(f"http://inner.test:{port}/x"), "/3": redirect("file:///etc/passwd")})
    monkeypatch.setattr("asyncio.base_events.BaseEventLoop.getaddrinfo", lookup({"outer.test": "127.0.0.1", "inner.test": "127.0.0.1"}))
    start = outer.replace("127.0.0.1", "outer.test")
    with pytest.raises(FetchError, match=r"inner\.test is at 127\.0\.0\.1"):
        await fetch(start + "/1", allowing("outer.test"), tmp_path / "f")
    with pytest.raises(FetchError, match="not file"):
        await fetch(start + "/3", allowing("outer.test"), tmp_path / "f")
    assert (await fetch(start + "/1", allowing("outer.test", "inner.test"), tmp_path / "f")).bytes == 5


def lookup(hosts: dict[str, str], later: dict[str, str] | None = None) -> Any:
    """A `getaddrinfo` that knows these hosts, and says `later` from the second time on."""
    asked: dict[str, int] = {}

    async def getaddrinfo(self: Any, host: str, port: int, **options: Any) -> list[Any]:
        asked[host] = asked.get(host, 0) + 1
        known = later if later and asked[host] > 1 else hosts
        if host not in known:
            raise socket.gaierror("unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in known[host].split()]

    return getaddrinfo


async def test_one_private_address_among_public_ones_refuses_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asyncio.base_events.BaseEventLoop.getaddrinfo", lookup({"two.test": "93.184.215.14 10.0.0.7"}))
    with pytest.raises(FetchError, match=r"two\.test is at 10\.0\.0\.7"):
        await fetch("http://two.test/x", Settings(), tmp_path / "f")


async def test_a_host_that_moves_after_the_check_is_not_followed(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = await serve({"/x": hello})
    url = base.replace("127.0.0.1", "moving.test") + "/x"
    moving = lookup({"moving.test": "93.184.215.14"}, {"moving.test": "127.0.0.1"})
    monkeypatch.setattr("asyncio.base_events.BaseEventLoop.getaddrinfo", moving)
    await check_url(url, Settings())
    with pytest.raises(FetchError, match="not public"):
        await fetch(url, Settings(), tmp_path / "f")


async def test_a_session_over_the_connector_reaches_no_literal_address(serve: Serve) -> None:
    base = await serve({"/x": hello})
    async with aiohttp.ClientSession(connector=connector(Settings())) as client:
        with pytest.raises(aiohttp.ClientConnectorError):
            await client.get(base + "/x")
    async with aiohttp.ClientSession(connector=connector(allowing("127.0.0.1"))) as client, client.get(base + "/x") as answer:
        assert await answer.read() == b"hello"


async def test_offline_reaches_only_what_is_allowed_and_opens_no_other_socket(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = await serve({"/x": hello})
    connected: list[Any] = []
    real = socket.socket.connect
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: (connected.append(address), real(self, address))[1])
    looked: list[str] = []

    async def getaddrinfo(self: Any, host: str, *_: Any, **__: Any) -> Any:
        looked.append(host)
        raise socket.gaierror

    monkeypatch.setattr("asyncio.base_events.BaseEventLoop.getaddrinfo", getaddrinfo)
    for url in ("http://example.org/x", "http://93.184.215.14/x"):
        with pytest.raises(FetchError, match="offline"):
            await fetch(url, Settings(offline=True), tmp_path / "f")
    assert (connected, looked) == ([], [])
    assert (await fetch(base + "/x", allowing("127.0.0.1", offline=True), tmp_path / "f")).bytes == 5
    assert (await fetch("data:,hi", Settings(offline=True), tmp_path / "f")).bytes == 2


async def test_credentials_and_cookies_are_dropped(serve: Serve, tmp_path: Path) -> None:
    seen: list[dict[str, str]] = []

    async def first(request: web.Request) -> web.Response:
        seen.append(dict(request.headers))
        raise web.HTTPFound("/second", headers={"Set-Cookie": "a=b"})

    async def second(request: web.Request) -> web.Response:
        seen.append(dict(request.headers))
        return web.Response(body=b"x")

    base = await serve({"/first": first, "/second": second})
    await fetch(base.replace("//", "//user:secret@") + "/first", allowing("127.0.0.1"), tmp_path / "f")
    assert len(seen) == 2
    assert not any({"Authorization", "Cookie"} & set(headers) for headers in seen)


@pytest.mark.parametrize("declared", [True, False])
async def test_a_file_over_the_size_is_refused_while_it_comes(serve: Serve, tmp_path: Path, declared: bool) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        answer = web.StreamResponse()
        if declared:
            answer.content_length = 1 << 40
        await answer.prepare(request)
        try:
            for _ in range(2000):
                await answer.write(bytes(1 << 16))
                sent += 1 << 16
        except (ConnectionError, aiohttp.ClientError):
            pass
        return answer

    with pytest.raises(PayloadTooLarge):
        await fetch(await serve({"/x": endless}) + "/x", allowing("127.0.0.1", max_file=1 << 20), tmp_path / "f")
    assert sent < 64 << 20


async def test_a_server_that_never_ends_is_cut_off(serve: Serve, tmp_path: Path) -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        try:
            while True:
                await answer.write(b"x")
                await asyncio.sleep(0.05)
        except (ConnectionError, aiohttp.ClientError, asyncio.CancelledError):
            return answer

    with pytest.raises(FetchError, match=r"within 0\.4 seconds"):
        await fetch(await serve({"/x": slow}) + "/x", allowing("127.0.0.1", fetch_timeout=0.4), tmp_path / "f")


async def test_a_compressed_answer_is_unpacked_but_not_beyond_the_size(serve: Serve, tmp_path: Path) -> None:
    def packed(data: bytes) -> Any:
        async def handler(request: web.Request) -> web.Response:
            assert request.headers["Accept-Encoding"] == "identity"
            return web.Response(body=gzip.compress(data), headers={"Content-Encoding": "gzip"})

        return handler

    base = await serve({"/small": packed(b"hello" * 100), "/bomb": packed(bytes(200 << 20))})
    settings = allowing("127.0.0.1", max_file=1 << 20)
    assert (await fetch(base + "/small", settings, tmp_path / "f")).bytes == 500
    with pytest.raises(PayloadTooLarge):
        await fetch(base + "/bomb", settings, tmp_path / "f")


async def test_five_redirects_are_followed_and_no_more(serve: Serve, tmp_path: Path) -> None:
    base = await serve({f"/{n}": redirect(f"/{n + 1}") for n in range(6)} | {"/6": hello})
    assert (await fetch(base + "/1", allowing("127.0.0.1"), tmp_path / "f")).bytes == 5
    with pytest.raises(FetchError, match="more than 5"):
        await fetch(base + "/0", allowing("127.0.0.1"), tmp_path / "f")


async def test_errors_name_what_happened(serve: Serve, tmp_path: Path) -> None:
    base = await serve({"/x": hello})
    with pytest.raises(FetchError, match="answered 404"):
        await fetch(base + "/nothing", allowing("127.0.0.1"), tmp_path / "f")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(FetchError, match="could not be reached"):
        await fetch(f"http://127.0.0.1:{port}/", allowing("127.0.0.1"), tmp_path / "f")
    with pytest.raises(FetchError, match="cannot be found"):
        await fetch("http://no-such-host.invalid/", Settings(), tmp_path / "f")


@pytest.mark.parametrize(
    ("url", "data", "hint"),
    [
        ("data:,hello%20there", b"hello there", None),
        ("data:text/plain;charset=utf-8,a,b", b"a,b", "text/plain"),
        ("data:image/png;base64,aGVsbG8=", b"hello", "image/png"),
        ("data:application/pdf;name=x.pdf;base64,aGVs\nbG8", b"hello", "application/pdf"),
        ("DATA:;base64,__-_", b"\xff\xff\xbf", None),
    ],
)
async def test_data_urls(url: str, data: bytes, hint: str | None, tmp_path: Path) -> None:
    got = await fetch(url, Settings(), tmp_path / "f")
    assert ((tmp_path / "f").read_bytes(), got.media_type_hint) == (data, hint)
    assert got.sha256 == hashlib.sha256(data).hexdigest()


async def test_bad_and_oversized_data_urls_are_refused(tmp_path: Path) -> None:
    for url in ("data:image/png;base64,%%%", "data:nothing", "data:;base64,a"):
        with pytest.raises(FetchError):
            await fetch(url, Settings(), tmp_path / "f")
    with pytest.raises(PayloadTooLarge):
        await fetch("data:," + "x" * 2000, Settings(max_file=1000), tmp_path / "f")


def test_the_guard_reads_hosts_addresses_and_networks() -> None:
    import ipaddress

    guard = Guard(allowing("Files.Example.org", "10.1.0.0/16", "[::1]"))
    assert guard.knows("files.example.ORG.")
    guard.check_address(ipaddress.ip_address("10.1.2.3"), "x")
    guard.check_address(ipaddress.ip_address("::1"), "x")
    with pytest.raises(FetchError):
        guard.check_address(ipaddress.ip_address("10.2.0.1"), "x")
    assert fetching.REDIRECTS == 5
