"""Files in a bucket: presigned uploads go past this server, and what was verified stays as it was."""

from __future__ import annotations

import hashlib

import pytest

from heliograph.config import Settings
from heliograph.store.blobs import Blobs
from tests.integration.store.test_blobs import in_bucket, s3_endpoint

from .conftest import PDF, serving
from .publishing import publish

__all__ = ["s3_endpoint"]


async def test_an_upload_to_the_bucket_is_verified_by_content_and_cannot_be_changed_afterwards(
    settings: Settings,
    database_url: str,
    s3_endpoint: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    in_bucket(settings, s3_endpoint, monkeypatch)
    settings = settings.model_copy(update={"store_url": "s3://pages/api"})
    async with serving(settings, database_url) as api:
        target = (await api("POST", "/v1/files/presigned-url", json={"filename": "a.pdf", "purpose": "assistants"})).json
        assert target["url"].startswith(s3_endpoint), "the bytes do not come through this server"
        assert (await api("GET", f"/v1/files/verify-upload/{target['id']}")).status == 409
        put = await api("PUT", target["url"], key="", data=PDF, headers={"Content-Type": target["content_type"]})
        assert put.status == 200
        verified = await api("GET", f"/v1/files/verify-upload/{target['id']}")
        assert verified.json["bytes"] == len(PDF)
        assert (await api("GET", f"/v1/files/hash/{hashlib.md5(PDF).hexdigest()}")).json["id"] == target["id"]

        assert (await api("PUT", target["url"], key="", data=b"something else")).status == 200, "the bucket's link still works"
        content = await api("GET", verified.json["public_url"], key="", headers={"Range": "bytes=0-7"})
        assert content.content == PDF[:8]
        assert (await api("GET", f"/v1/files/verify-upload/{target['id']}")).json["bytes"] == len(PDF)

        direct = await api.upload(PDF, "b.pdf")
        assert (await api("GET", direct["public_url"], key="")).content == PDF
        await api("DELETE", f"/v1/files/{target['id']}")
        assert (await api("GET", direct["public_url"], key="")).content == PDF, "the content is shared"
        await api("DELETE", f"/v1/files/{direct['id']}")
        left = [key async for key in Blobs(settings).walk(api.tenant)]
        assert [key for key in left if not key.endswith("/upload")] == []


async def test_skills_are_kept_in_the_bucket_and_read_from_it(
    settings: Settings, database_url: str, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_bucket(settings, s3_endpoint, monkeypatch)
    settings = settings.model_copy(update={"store_url": "s3://pages/skills"})
    async with serving(settings, database_url) as api:
        made = await publish(api, name="totals")
        assert (await api("GET", f"/v1/skills/{made['id']}/files/SKILL.md")).content.startswith(b"---")
        link = (await api("GET", f"/v1/skills/{made['id']}/download")).json["download_url"]
        got = await api("GET", link, key="")
        assert (got.status, got.content[:2]) == (200, b"PK")
        assert (await api("GET", "/v1/skills/invoice-extraction/files/SKILL.md")).status == 200
        assert (await api("DELETE", f"/v1/skills/{made['id']}")).status == 200
        assert [key async for key in Blobs(settings).walk(f"{api.tenant}/skills")] == []
