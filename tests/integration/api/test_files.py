from __future__ import annotations

import asyncio
import hashlib
import io
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiohttp
import pytest

from heliograph.config import Settings

from .conftest import PDF, PNG, Api, serving


async def test_an_uploaded_file_is_listed_found_by_id_and_by_hash_and_deleted(api: Api) -> None:
    made = await api.upload(PDF, "in voice.pdf")
    assert made["filename"] == "in voice.pdf"
    assert made["bytes"] == len(PDF)
    assert made["purpose"] == "assistants"
    assert made["object"] == "file"
    assert made["created_at"].endswith("Z")

    listed = await api("GET", "/v1/files", params={"skip": 0, "limit": 10})
    assert [file["id"] for file in listed.json] == [made["id"]]
    by_id = await api("GET", f"/v1/files/{made['id']}")
    by_hash = await api("GET", f"/v1/files/hash/{hashlib.md5(PDF).hexdigest()}")
    assert by_id.json["id"] == by_hash.json["id"] == made["id"]

    gone = await api("DELETE", f"/v1/files/{made['id']}")
    assert gone.status == 200
    assert gone.json["id"] == made["id"]
    for path in (f"/v1/files/{made['id']}", f"/v1/files/hash/{hashlib.md5(PDF).hexdigest()}"):
        assert (await api("GET", path)).status == 404
    assert (await api("DELETE", f"/v1/files/{made['id']}")).status == 404


async def test_the_same_content_is_stored_once_and_lives_as_long_as_its_last_file(api: Api) -> None:
    first, second = await api.upload(PDF, "a.pdf"), await api.upload(PDF, "b.pdf")
    assert first["id"] != second["id"]
    assert len(await api.stored()) == 1
    await api("DELETE", f"/v1/files/{first['id']}")
    assert (await api("GET", (await api("GET", f"/v1/files/{second['id']}")).json["public_url"], key="")).content == PDF
    await api("DELETE", f"/v1/files/{second['id']}")
    assert await api.stored() == []


@pytest.mark.parametrize("asked", ["true", "false"])
async def test_a_public_link_is_given_only_when_asked_for(api: Api, asked: str) -> None:
    made = await api.upload(generate_public_url=asked)
    assert (made["public_url"] is not None) == (asked == "true")
    assert ((await api("GET", f"/v1/files/{made['id']}")).json["public_url"] is not None) == (asked == "true")
    shown = await api("GET", f"/v1/files/{made['id']}", params={"generate_public_url": "true"})
    assert shown.json["public_url"] is not None


async def test_a_link_serves_the_content_without_a_key_and_ranges_of_it(api: Api) -> None:
    url = (await api.upload(PDF))["public_url"]
    whole = await api("GET", url, key="")
    assert whole.content == PDF
    assert whole.headers["content-type"] == "application/pdf"
    assert "sandbox" in whole.headers["content-security-policy"]
    for header, expected in {"bytes=0-3": PDF[:4], "bytes=5-": PDF[5:], "bytes=-6": PDF[-6:], f"bytes=2-{10**9}": PDF[2:]}.items():
        part = await api("GET", url, key="", headers={"Range": header})
        assert part.status == 206
        assert part.content == expected
        assert part.headers["content-range"].endswith(f"/{len(PDF)}")
    beyond = await api("GET", url, key="", headers={"Range": f"bytes={len(PDF)}-"})
    assert beyond.status == 416
    assert (await api("GET", url, key="", headers={"Range": "pages=1-2"})).status == 200
    head = await api("HEAD", url, key="")
    assert head.headers["content-length"] == str(len(PDF))
    assert head.content == b""


async def test_html_is_never_shown_on_our_address(api: Api) -> None:
    url = (await api.upload(b"<!doctype html><html><script>alert(1)</script></html>", "x.pdf"))["public_url"]
    answer = await api("GET", url, key="")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_link_that_is_forged_expired_or_to_another_file_is_403(api: Api) -> None:
    first, second = await api.upload(PDF), await api.upload(PNG, "b.png")
    url = first["public_url"]
    forged = url[:-4] + ("0000" if not url.endswith("0000") else "1111")
    other = url.replace(first["id"], second["id"])
    path, _, query = url.partition("?")
    _, _, signature = query.partition("&signature=")
    late = f"{path}?expires={int(time.time()) - 5}&signature={signature}"
    for bad in (forged, other, late):
        answer = await api("GET", bad, key="")
        assert answer.status == 403, bad
        assert answer.json["error"]["type"] == "permission_denied"
    assert (await api("PUT", url, key="", data=b"x")).status == 403, "a link to read must not write"
    await api("DELETE", f"/v1/files/{first['id']}")
    assert (await api("GET", url, key="")).status == 404


async def test_presigned_upload_works_on_the_local_store(api: Api) -> None:
    asked = await api("POST", "/v1/files/presigned-url", json={"filename": "big.pdf", "purpose": "assistants", "expiration": 86400})
    assert asked.status == 201
    target = asked.json
    assert target["upload_method"] == target["method"] == "PUT"
    assert (await api("GET", f"/v1/files/{target['id']}")).status == 404, "not there before it is verified"
    early = await api("GET", f"/v1/files/verify-upload/{target['id']}")
    assert early.status == 409

    put = await api("PUT", target["url"], key="", data=PDF, headers={"Content-Type": target["content_type"]})
    assert put.status == 200
    for _ in range(2):
        verified = await api("GET", f"/v1/files/verify-upload/{target['id']}")
        assert verified.status == 200
        assert verified.json["bytes"] == len(PDF)
        assert verified.json["filename"] == "big.pdf"
    assert (await api("GET", f"/v1/files/hash/{hashlib.md5(PDF).hexdigest()}")).json["id"] == target["id"]
    assert (await api("GET", verified.json["public_url"], key="")).content == PDF
    again = await api("PUT", target["url"], key="", data=b"other")
    assert again.status == 409, "what was verified cannot be replaced"


async def test_a_slow_upload_that_ends_after_the_file_was_verified_changes_nothing(api: Api) -> None:
    target = (await api("POST", "/v1/files/presigned-url", json={"filename": "a.pdf"})).json
    verified = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"%PDF-1.4 something else"
        await verified.wait()
        yield b" entirely"

    late = asyncio.create_task(api("PUT", target["url"], key="", data=slow()))
    await asyncio.sleep(0.1)
    assert (await api("PUT", target["url"], key="", data=PNG)).status == 200
    assert (await api("PUT", target["url"], key="", data=PDF)).status == 200, "until it is verified the last one counts"
    file = (await api("GET", f"/v1/files/verify-upload/{target['id']}")).json
    verified.set()
    assert (await late).status == 409
    assert (await api("GET", file["public_url"], key="")).content == PDF
    assert len(await api.stored()) == 1


async def test_a_presigned_request_without_purpose_or_expiration_is_fine(api: Api) -> None:
    answer = await api("POST", "/v1/files/presigned-url", json={"filename": "a.pdf", "purpose": None, "expiration": None})
    assert answer.status == 201
    assert answer.json["expiration"] == 86400


async def test_an_upload_over_the_limit_is_413_while_it_streams(settings: Settings, database_url: str) -> None:
    settings.max_file = 100_000
    async with serving(settings, database_url) as api:
        form = aiohttp.FormData()
        form.add_field("file", io.BytesIO(b"%PDF-1.4" + b"x" * 3_000_000), filename="a.pdf")
        answer = await api("POST", "/v1/files", data=form)
        assert answer.status == 413
        assert answer.json["error"]["type"] == "payload_too_large"

        async def endless():
            for _ in range(300):
                yield b"x" * 10_000

        target = (await api("POST", "/v1/files/presigned-url", json={"filename": "a.pdf"})).json
        assert (await api("PUT", target["url"], key="", data=endless())).status == 413
        assert await api.stored() == []


async def test_empty_and_malformed_uploads_are_422(api: Api) -> None:
    form = aiohttp.FormData()
    form.add_field("file", b"", filename="a.pdf")
    empty = await api("POST", "/v1/files", data=form)
    assert empty.status == 422
    assert empty.json["error"]["type"] == "empty_media"
    form = aiohttp.FormData()
    form.add_field("purpose", "assistants", content_type="text/plain")
    form.add_field("other", "x", content_type="text/plain")
    missing = await api("POST", "/v1/files", data=form)
    assert missing.status == 422
    assert "no field `file`" in missing.json["error"]["message"]
    multipart = {"Content-Type": "multipart/form-data; boundary=b"}
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    for headers, body in (
        ({"Content-Type": "application/json"}, b"{}"),
        ({"Content-Type": "multipart/form-data"}, b"x"),
        (multipart, b"nonsense"),
        (multipart, head + b"cut off"),
        (multipart, head + b"one\r\n" + head + b"two\r\n--b--"),
        (multipart, b"--b\r\nContent-Disposition: " + b"x" * 100_000),
    ):
        answer = await api("POST", "/v1/files", data=body, headers=headers)
        assert answer.status == 422, body[:80]
    assert await api.stored() == []


async def test_purpose_is_taken_from_the_query_or_the_form(api: Api) -> None:
    assert (await api.upload(purpose="vision"))["purpose"] == "vision"
    form = aiohttp.FormData()
    form.add_field("file", PNG, filename="a.png")
    form.add_field("purpose", "batch")
    assert (await api("POST", "/v1/files", data=form)).json["purpose"] == "batch"
    assert (await api("POST", "/v1/files", params={"purpose": "theft"}, data=form)).status == 422


async def test_a_file_name_loses_folders_and_control_characters_and_keeps_its_script(api: Api) -> None:
    for given, kept in {
        "../../etc/pass wd": "pass wd",
        "C:\\x\\Täst 発票.pdf": "Täst 発票.pdf",
        "..": "..",
        "a\x01b.pdf": "ab.pdf",
    }.items():
        body = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{given}"\r\n\r\n'.encode() + PDF + b"\r\n--b--\r\n"
        answer = await api("POST", "/v1/files", data=body, headers={"Content-Type": "multipart/form-data; boundary=b"})
        assert answer.json["filename"] == kept
        content = await api("GET", answer.json["public_url"], key="")
        assert content.content == PDF


async def test_lists_take_skip_and_limit_and_refuse_nonsense(api: Api) -> None:
    ids = [(await api.upload(PDF + bytes([index]), f"{index}.pdf"))["id"] for index in range(3)]
    page = await api("GET", "/v1/files", params={"skip": 1, "limit": 1})
    assert [file["id"] for file in page.json] == [ids[1]]
    for params in ({"skip": -1}, {"limit": 0}, {"limit": "x"}, {"skip": 10**30}):
        assert (await api("GET", "/v1/files", params=params)).status == 422


async def test_links_use_the_public_url_that_is_set(settings: Settings, database_url: str) -> None:
    settings.public_url = "https://vision.example/"
    async with serving(settings, database_url) as api:
        url = urlsplit((await api.upload())["public_url"])
        assert (url.scheme, url.netloc) == ("https", "vision.example")
        assert (await api("GET", f"{url.path}?{url.query}", key="")).content == PDF


@pytest.mark.parametrize(("proxies", "expected"), [([], "http"), (["127.0.0.0/8"], "https")])
async def test_forwarded_headers_count_only_from_trusted_proxies(
    settings: Settings, database_url: str, proxies: list[str], expected: str
) -> None:
    settings.trusted_proxies = proxies
    async with serving(settings, database_url) as api:
        made = await api.upload()
        headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "outside.example"}
        url = (await api("GET", f"/v1/files/{made['id']}", headers=headers)).json["public_url"]
        assert urlsplit(url).scheme == expected
        assert (urlsplit(url).hostname == "outside.example") == (expected == "https")


async def test_no_new_work_is_taken_when_the_disk_is_nearly_full(settings: Settings, database_url: str) -> None:
    settings.min_free_disk = 1 << 60
    async with serving(settings, database_url) as api:
        form = aiohttp.FormData()
        form.add_field("file", PDF, filename="a.pdf")
        for answer in (
            await api("POST", "/v1/files", data=form),
            await api("POST", "/v1/document/generate", json={"url": "https://example.com/a.pdf", "domain": "document.invoice"}),
            await api("POST", "/v1/files/presigned-url", json={"filename": "a"}),
            await api("GET", "/readyz", key=""),
        ):
            assert answer.status == 503
            assert int(answer.headers["retry-after"]) > 0
        assert (await api("GET", "/v1/health")).status == 200


async def test_a_file_name_in_the_extended_notation_is_read(api: Api) -> None:
    body = b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename*=utf-8''%E7%99%BA.pdf\r\n\r\n" + PDF + b"\r\n--b--\r\n"
    answer = await api("POST", "/v1/files", data=body, headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert answer.json["filename"] == "発.pdf"
