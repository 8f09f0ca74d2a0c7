import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.store.blobs import check, key

PARTS = st.lists(st.text(), min_size=1, max_size=4)


@given(PARTS)
def test_a_key_of_any_parts_is_a_key_and_stays_inside(parts: list[str]):
    made = key(*parts)
    assert check(made) == made
    segments = made.split("/")
    assert len(segments) == len(parts)
    assert not {"", ".", ".."} & set(segments)
    assert made.isascii()
    assert all(len(segment) <= 255 for segment in segments)


@given(PARTS, PARTS)
def test_different_parts_make_different_keys(one: list[str], other: list[str]):
    assert (key(*one) == key(*other)) == (one == other)


def test_what_is_harmless_is_kept_readable():
    assert key("default", "files", "0b7e7f3e-8f5c-4c0e", 3) == "default/files/0b7e7f3e-8f5c-4c0e/3"


@pytest.mark.parametrize(
    "bad",
    ["", "/", "/a", "a/", "a//b", "..", "../a", "a/../b", "a/..", "./a", "a/.b", "a\\b", "a\0b", "a b", "a%2e%2e/b", "C:/x", "ä", "a\n"],
)
def test_what_is_no_key_is_refused(bad: str):
    with pytest.raises(ValueError, match="not a blob key"):
        check(bad)
