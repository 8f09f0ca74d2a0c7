import time

import pytest

from heliograph.store.signing import sign, verify

SECRET, PATH, EXPIRES = b"s" * 32, "/v1/files/f/content", 1_000
GOOD = sign(SECRET, PATH, EXPIRES)


def test_a_signature_holds_until_it_expires():
    assert verify(SECRET, PATH, EXPIRES, GOOD, now=999.9)
    assert not verify(SECRET, PATH, EXPIRES, GOOD, now=1_000)


def test_by_default_now_is_now():
    expires = int(time.time()) + 60
    assert verify(SECRET, PATH, expires, sign(SECRET, PATH, expires))
    assert not verify(SECRET, PATH, EXPIRES, GOOD)


@pytest.mark.parametrize(
    ("secret", "path", "expires", "signature", "method"),
    [
        (b"t" * 32, PATH, EXPIRES, GOOD, "GET"),
        (SECRET, "/v1/files/g/content", EXPIRES, GOOD, "GET"),
        (SECRET, PATH, EXPIRES + 1, GOOD, "GET"),
        (SECRET, PATH, EXPIRES, GOOD[:-1] + ("0" if GOOD[-1] != "0" else "1"), "GET"),
        (SECRET, PATH, EXPIRES, GOOD.upper(), "GET"),
        (SECRET, PATH, EXPIRES, GOOD, "PUT"),
        (SECRET, PATH, EXPIRES, "", "GET"),
        (SECRET, PATH, EXPIRES, "ü", "GET"),
    ],
)
def test_nothing_that_was_changed_holds(secret: bytes, path: str, expires: int, signature: str, method: str):
    assert not verify(secret, path, expires, signature, method=method, now=0)


def test_what_is_signed_cannot_be_shifted_from_one_part_to_another():
    assert sign(SECRET, "/a\n1", 0) != sign(SECRET, "/a", 10)
    assert sign(SECRET, "/a", 0, method="GET\n/a") != sign(SECRET, "/a\n/a", 0)
