"""Links to our own routes: the address a client knows us by, and signed, expiring URLs for the content of files."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request

from heliograph.config import Settings
from heliograph.errors import Forbidden
from heliograph.store.signing import content_path, signed, verify


@dataclass(frozen=True)
class Links:
    """Makes and checks links. `secret` is the database's, so any replica can check what another has signed."""

    settings: Settings
    secret: bytes

    def base(self, request: Request) -> str:
        """`https://host` as the client sees it: the setting, else the request's host; forwarded headers only from trusted proxies."""
        if self.settings.public_url:
            return self.settings.public_url.rstrip("/")
        scheme, host = request.url.scheme, request.url.netloc
        if trusted(request.client.host if request.client else "", self.settings.trusted_proxies):
            scheme = request.headers.get("x-forwarded-proto", scheme).split(",")[0].strip()
            host = request.headers.get("x-forwarded-host", host).split(",")[0].strip()
        return f"{scheme}://{host}"

    def content(self, request: Request, file_id: str, *, seconds: float, method: Literal["GET", "PUT"] = "GET") -> str:
        """A URL that may read (or write) the content of a file for so long, without a key."""
        return self.base(request) + content_path(self.secret, file_id, seconds=seconds, method=method)

    def skill(self, request: Request, skill_id: str, *, seconds: float) -> str:
        """A URL that may read the zip of a skill for so long, without a key."""
        return self.base(request) + signed(self.secret, f"/v1/skills/{skill_id}/content", seconds=seconds)

    def check(self, path: str, expires: int, signature: str, *, method: Literal["GET", "PUT"]) -> None:
        """Raise Forbidden unless the link is ours, for this and still good."""
        if not verify(self.secret, path, expires, signature, method=method):
            raise Forbidden

    def file_of(self, url: str) -> str | None:
        """The file that `url` leads to, if it is a link of ours that is still good. No host is compared: the signature proves it."""
        try:
            parts = urlsplit(url)
            query = parse_qs(parts.query)
        except ValueError:
            return None
        folders = parts.path.split("/")
        expires, signature = query.get("expires", [""])[0], query.get("signature", [""])[0]
        if (
            len(folders) != 5
            or folders[:3] != ["", "v1", "files"]
            or folders[4] != "content"
            or not expires.isdecimal()
            or len(expires) > 15
        ):
            return None
        return folders[3] if verify(self.secret, parts.path, int(expires), signature) else None


def trusted(host: str, proxies: list[str]) -> bool:
    """Whether `host`, an address, is one of `proxies` (addresses or CIDRs)."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(proxy, strict=False) for proxy in proxies)
