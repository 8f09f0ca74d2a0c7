"""Every error a caller can meet, as one tree.

    HeliographError
    ├── InvalidRequest          422  the request itself is wrong
    │   ├── NotConfigured       422  right request, but this server lacks what it needs; names the setting
    │   └── RequiredMissing     422  a strict schema requires values that the document does not hold
    ├── Unauthorized            401
    ├── BudgetExceeded          402
    ├── Forbidden               403
    ├── NotFound                404
    ├── Conflict                409
    │   └── StillRunning        409  a call that waits for a result waited long enough; asked again, it waits on
    ├── PayloadTooLarge         413
    ├── RateLimited             429
    ├── Unavailable             503  try again later; says when
    ├── MediaError              422  the file cannot be read
    │   ├── UnsupportedMedia         a type Heliograph does not open
    │   ├── EncryptedMedia           needs a password
    │   ├── CorruptMedia             broken beyond reading
    │   ├── EmptyMedia               no bytes, or no pages
    │   └── MediaLimitExceeded       too many pages, pixels, seconds or bytes of memory
    └── FetchError              422  a URL that could not, or may not, be fetched

The class says the HTTP status and the machine-readable `type`; the message is a sentence for a person. The
docstring of a class is its default message. Rooms below `api` raise these and know nothing of HTTP beyond the number.
"""

from __future__ import annotations

from inspect import cleandoc
from typing import ClassVar


class HeliographError(Exception):
    """Something went wrong inside Heliograph."""

    status: ClassVar[int] = 500
    type: ClassVar[str] = "internal_error"

    def __init__(self, message: str | None = None, *, param: str | None = None, retry_after: int | None = None) -> None:
        """`param`: the field of the request that is at fault, dotted. `retry_after`: seconds."""
        self.message = message or cleandoc(type(self).__doc__ or "").split("\n\n")[0]
        self.param = param
        self.retry_after = retry_after
        super().__init__(self.message)


class InvalidRequest(HeliographError):
    """The request is not valid."""

    status = 422
    type = "invalid_request"


class NotConfigured(InvalidRequest):
    """This server is not configured for that."""

    type = "not_configured"


class RequiredMissing(InvalidRequest):
    """The document does not hold every value that the strict schema requires."""

    type = "required_missing"


class Unauthorized(HeliographError):
    """The API key is missing or not valid."""

    status = 401
    type = "authentication_error"


class BudgetExceeded(HeliographError):
    """This month's credits are used up."""

    status = 402
    type = "insufficient_credits"


class Forbidden(HeliographError):
    """This link is not valid, or no longer."""

    status = 403
    type = "permission_denied"


class NotFound(HeliographError):
    """There is no such thing here."""

    status = 404
    type = "not_found"


class Conflict(HeliographError):
    """The request conflicts with what is already there."""

    status = 409
    type = "conflict"


class StillRunning(Conflict):
    """The result takes longer than this call waits."""

    type = "still_running"


class PayloadTooLarge(HeliographError):
    """The request body is larger than this server accepts."""

    status = 413
    type = "payload_too_large"


class RateLimited(HeliographError):
    """Too many requests; wait and try again."""

    status = 429
    type = "rate_limit_exceeded"


class Unavailable(HeliographError):
    """The server cannot take this request right now; try again later."""

    status = 503
    type = "unavailable"


class MediaError(HeliographError):
    """The file cannot be read."""

    status = 422
    type = "invalid_media"


class UnsupportedMedia(MediaError):
    """This type of file is not supported."""

    type = "unsupported_media"


class EncryptedMedia(MediaError):
    """The file is encrypted; remove its password and send it again."""

    type = "encrypted_media"


class CorruptMedia(MediaError):
    """The file is damaged and cannot be opened."""

    type = "corrupt_media"


class EmptyMedia(MediaError):
    """The file is empty."""

    type = "empty_media"


class MediaLimitExceeded(MediaError):
    """The file needs more pages, pixels, time or memory than this server allows."""

    type = "media_limit_exceeded"


class FetchError(HeliographError):
    """The URL could not be fetched."""

    status = 422
    type = "fetch_failed"
