"""What chats and executions made, as clients get it."""

from __future__ import annotations

import http.client
import io
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pypdfium2
import pytest
from PIL import Image

from heliograph.agents.artifacts import Kind, new_ref
from heliograph.ids import new_id
from heliograph.store import artifacts, predictions, server, sessions
from heliograph.store.blobs import Blobs, key
from heliograph.store.signing import artifact_path
from tests.unit.filming import films

from .conftest import PDF, PNG, Api

Put = Callable[..., Awaitable[str]]


@pytest.fixture
async def session(api: Api) -> str:
    """A session of the test's tenant."""
    id = new_id()
    async with api.database.begin() as conn:
        assert await sessions.hold(conn, api.tenant, id, "c")
    return id


@pytest.fixture
async def put(api: Api, session: str) -> Put:
    """Stores an artifact as a run does; its reference."""

    async def store(content: bytes, kind: Kind, media_type: str, *, namespace: str = session, **row: Any) -> str:
        blob = key(api.tenant, "artifacts", namespace, new_id())
        await Blobs(api.settings).put(blob, content)
        values = {"filename": None, "source": "store"} | row
        async with api.database.begin() as conn:
            made, _ = await artifacts.put(
                conn, api.tenant, namespace, seed=blob, refs=[new_ref(kind, blob)], prediction="c", media_type=media_type,
                bytes=len(content), sha256="0", blob=blob, **values,
            )  # fmt: skip
        return made.ref

    return store


def _picture(format: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 10, 10)).save(out, format)
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "media_type", "content", "type"),
    [
        ("img", "image/png", PNG, "image/png"),
        ("img", "image/jpeg", b"\xff\xd8\xff", "image/jpeg"),
        ("vid", "video/mp4", b"mp4", "video/mp4"),
        ("aud", "audio/mpeg", b"mp3", "audio/mpeg"),
        ("doc", "application/pdf", PDF, "application/pdf"),
        ("recon", "model/whatever", b"splat", "application/octet-stream"),
        ("arr", "application/x-npy", b"npy", "application/octet-stream"),
        ("url", "text/plain", b"https://example.com/a.mp4", "text/plain"),
    ],
)
async def test_each_kind_has_exactly_the_type_and_the_letters_that_clients_look_for(
    api: Api, session: str, put: Put, kind: Kind, media_type: str, content: bytes, type: str
) -> None:
    ref = await put(content, kind, media_type)
    address = urlsplit(api.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port or 0)
    connection.request("GET", f"/v1/artifacts?object_id={ref}&session_id={session}", headers={"Authorization": f"Bearer {api.key}"})
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, content)
    assert ("Content-Type", type) in answer.getheaders()
    connection.close()


@pytest.mark.parametrize("format", ["WEBP", "GIF", "BMP", "TIFF"])
async def test_a_picture_of_another_type_is_served_as_png_and_by_name_as_it_was_brought(
    api: Api, session: str, put: Put, format: str
) -> None:
    content = _picture(format)
    ref = await put(content, "img", f"image/{format.lower()}", filename="a.pic", source="manifest")
    for _ in range(2):  # made, and found made
        shown = await api("GET", "/v1/artifacts", params={"object_id": ref, "session_id": session})
        assert (shown.status, shown.headers["content-type"]) == (200, "image/png")
        image = Image.open(io.BytesIO(shown.content))
        assert (image.format, image.size) == ("PNG", (40, 30))
    raw = await api("GET", "/v1/artifacts", params={"filename": "a.pic", "session_id": session})
    assert (raw.status, raw.content) == (200, content)


async def test_a_document_of_another_type_is_served_as_pdf_with_its_words(api: Api, session: str, put: Put) -> None:
    content = b"<html><body><h1>Invoice 4711</h1><p>Total 3.50</p></body></html>"
    ref = await put(content, "doc", "text/html", filename="a.html", source="manifest")
    shown = await api("GET", "/v1/artifacts", params={"object_id": ref, "session_id": session})
    assert (shown.status, shown.headers["content-type"]) == (200, "application/pdf")
    document = pypdfium2.PdfDocument(shown.content)
    assert len(document) == 1
    assert "4711" in document[0].get_textpage().get_text_range()
    raw = await api("GET", "/v1/artifacts", params={"filename": "a.html", "session_id": session})
    assert (raw.content, raw.headers["content-type"]) == (content, "application/octet-stream"), "no HTML of a stranger on our address"
    assert "attachment" in raw.headers["content-disposition"]


async def test_recordings_of_another_type_are_served_as_mp4_and_mp3(api: Api, session: str, put: Put, tmp_path: Path) -> None:
    film, sound = films.film(tmp_path / "a.mkv", frames=10), films.tone(tmp_path / "a.wav", seconds=0.5)
    ref = await put(film.read_bytes(), "vid", "video/x-matroska", filename="a.mkv", source="manifest")
    shown, again = [await api("GET", "/v1/artifacts", params={"object_id": ref, "session_id": session}) for _ in range(2)]
    assert (shown.status, shown.headers["content-type"], again.content) == (200, "video/mp4", shown.content)
    (tmp_path / "shown.mp4").write_bytes(shown.content)
    assert shown.content[4:8] == b"ftyp"
    assert [number for _, number in films.greys(tmp_path / "shown.mp4")] == list(range(10))
    raw = await api("GET", "/v1/artifacts", params={"filename": "a.mkv", "session_id": session})
    assert raw.content == film.read_bytes()
    ref = await put(sound.read_bytes(), "aud", "audio/wav", filename="a.wav", source="manifest")
    shown = await api("GET", "/v1/artifacts", params={"object_id": ref, "session_id": session})
    assert (shown.status, shown.headers["content-type"]) == (200, "audio/mpeg")
    (tmp_path / "shown.mp3").write_bytes(shown.content)
    heard, rate = films.samples(tmp_path / "shown.mp3")
    assert films.pitch(heard, rate) == pytest.approx(440, abs=10)


@pytest.mark.parametrize(
    ("content", "kind", "media_type"), [(b"RIFF", "aud", "audio/wav"), (b"junk", "doc", "text/csv"), (b"\0\1junk", "img", "image/webp")]
)
async def test_what_cannot_be_served_in_the_type_of_its_kind_says_how_to_have_it(
    api: Api, session: str, put: Put, content: bytes, kind: Kind, media_type: str
) -> None:
    if kind == "doc":
        content = b"\0\1\2" * 50
    ref = await put(content, kind, media_type, filename="a.bin", source="manifest")
    answer = await api("GET", "/v1/artifacts", params={"object_id": ref, "session_id": session})
    assert answer.status == 422
    assert ref in answer.json["error"]["message"]
    assert "filename=a.bin" in answer.json["error"]["message"]
    raw = await api("GET", "/v1/artifacts", params={"filename": "a.bin", "session_id": session})
    assert (raw.status, raw.content) == (200, content)


async def test_the_list_names_the_namespace_and_all_in_it_oldest_first(api: Api, session: str, put: Put) -> None:
    first = await put(PNG, "img", "image/png", filename="a.png", source="manifest")
    second = await put(PDF, "doc", "application/pdf")
    answer = await api("GET", "/v1/artifacts/list", params={"session_id": session})
    assert answer.json == {
        "namespace_id": session,
        "items": [
            {"object_id": first, "filename": "a.png", "source": "manifest"},
            {"object_id": second, "filename": None, "source": "store"},
        ],
    }


async def test_an_executions_artifacts_are_its_own(api: Api, put: Put) -> None:
    async with api.database.begin() as conn:
        for id, kind in (("e", "execution"), ("p", "document")):
            await predictions.create(
                conn, api.tenant, id=id, kind=kind, operation="execute", domain=None, model="m", request="{}", digest="0"
            )
    ref = await put(PNG, "img", "image/png", namespace="e")
    assert (await api("GET", "/v1/artifacts", params={"object_id": ref, "execution_id": "e"})).content == PNG
    assert (await api("GET", "/v1/artifacts/list", params={"execution_id": "e"})).json["items"][0]["object_id"] == ref
    assert (await api("GET", "/v1/artifacts/list", params={"execution_id": "p"})).status == 404
    assert (await api("GET", "/v1/artifacts/list", params={"session_id": "e"})).status == 404


async def test_what_is_not_there_is_404_naming_what_is(api: Api, session: str, put: Put) -> None:
    answer = await api("GET", "/v1/artifacts", params={"object_id": "img_ffffff", "session_id": session})
    assert (answer.status, answer.json["detail"]) == (404, "There is no artifact img_ffffff here; there are none.")
    ref = await put(PNG, "img", "image/png", filename="a.png")
    for name, value in (("object_id", "img_ffffff"), ("filename", "b.png"), ("object_id", "a.png")):
        answer = await api("GET", "/v1/artifacts", params={name: value, "session_id": session})
        assert (answer.status, answer.json["detail"]) == (404, f"There is no artifact {value} here; there are {ref} (a.png).")


async def test_another_tenants_artifacts_are_not_there(api: Api, session: str, put: Put) -> None:
    ref = await put(PNG, "img", "image/png")
    other = await api.new_key("a neighbour")
    for path in (f"/v1/artifacts?object_id={ref}&session_id={session}", f"/v1/artifacts/list?session_id={session}"):
        assert (await api("GET", path, key=other)).status == 404
        assert (await api("GET", path, key="")).status == 401
        assert (await api("GET", path)).status == 200


_TOO_MUCH = ["object_id=img_a1b2c3&filename=a&session_id=s", "object_id=img_a1b2c3&session_id=s&execution_id=e"]


@pytest.mark.parametrize("query", ["", "object_id=img_a1b2c3", "session_id=s", *_TOO_MUCH])
async def test_neither_and_both_are_422(api: Api, query: str) -> None:
    answer = await api("GET", f"/v1/artifacts?{query}")
    assert answer.status == 422
    assert "exactly one of" in answer.json["error"]["message"]


async def test_a_range_of_a_long_one_can_be_asked_for(api: Api, session: str, put: Put) -> None:
    ref = await put(b"0123456789", "vid", "video/mp4")
    params = {"object_id": ref, "session_id": session}
    answer = await api("GET", "/v1/artifacts", params=params, headers={"Range": "bytes=2-4"})
    assert (answer.status, answer.content, answer.headers["content-range"]) == (206, b"234", "bytes 2-4/10")
    assert (await api("GET", "/v1/artifacts", params=params, headers={"Range": "bytes=99-"})).status == 416


async def test_a_signed_link_needs_no_key_and_opens_one_artifact_alone(api: Api, session: str, put: Put) -> None:
    ref = await put(_picture("PNG"), "img", "image/png")
    other = await put(_picture("BMP"), "img", "image/bmp")
    async with api.database.begin() as conn:
        secret = await server.url_secret(conn)
    path = artifact_path(secret, api.tenant, session, ref, seconds=60)
    answer = await api("GET", path, key="")
    assert (answer.status, answer.headers["content-type"], answer.content) == (200, "image/png", _picture("PNG"))
    stranger = artifact_path(secret, api.tenant, session, other, seconds=60).partition("?")[0] + "?" + path.partition("?")[2]
    assert (await api("GET", stranger, key="")).status == 403
    assert (await api("GET", artifact_path(secret, api.tenant, session, ref, seconds=-1), key="")).status == 403
    assert (await api("GET", artifact_path(secret, api.tenant, session, "img_000000", seconds=60), key="")).status == 404
