"""Addresses of the net as they are said: `karen dot miller at gmail dot com`, `acme dot com slash help`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from heliograph.extraction.recordings.numerals import digit, small
from heliograph.extraction.recordings.parts import Found, Part, digits_said, numeral

_ENDINGS_WORDS = """
com org net edu gov mil int info biz io ai app dev co uk us de fr it es nl eu ch at be ca au nz ie in jp se no dk fi pl tv me
"""
_ENDINGS: Final = frozenset(_ENDINGS_WORDS.split())
_JOINTS: Final = {"dot": ".", "period": ".", "point": ".", "underscore": "_", "dash": "-", "hyphen": "-", "minus": "-", "plus": "+"}
_MAILS: Final = frozenset({"email", "e-mail", "mail", "emails", "address", "contact", "reach", "write"})
_DOINGS_WORDS = """
look looking see find found shop buy bought order ordered work works working sold sell available listed online us me him her them
you here back store site website page app check read visit download
"""
_DOINGS: Final = frozenset(_DOINGS_WORDS.split())
_DOMAIN = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}", re.IGNORECASE)


def address(parts: Sequence[Part], at: int) -> Found:
    """An e-mail address: what comes before `at` is one word, or words and letters that `dot` and its like join, or that are spelled."""
    local, end = _local(parts, at)
    if not local or end >= len(parts) or parts[end].low not in ("at", "@"):
        return None
    host = _host(parts, end + 1)
    if host is None or (end == at + 1 and local.isalpha() and not _mailed(parts, at)):
        return None
    return f"{local}@{host[0]}", host[1] - at


def _mailed(parts: Sequence[Part], at: int) -> bool:
    """Whether a plain word before `at` is a name on the net, and not what one does or is there: `look at acme dot com`."""
    if parts[at].low in _DOINGS:
        return False
    before = [part.low for part in parts[max(0, at - 6) : at]]
    return bool(_MAILS & set(before)) or before[-1:] in (["is"], ["it's"], ["that's"])


def _local(parts: Sequence[Part], at: int) -> tuple[str, int]:
    made, index = "", at
    joined = True
    while index < len(parts) and parts[index].low not in ("at", "@"):
        part = parts[index]
        if part.low in _JOINTS and made and not joined:
            made, joined = made + _JOINTS[part.low], True
        elif (piece := _piece(parts, index)) is not None and (joined or _spelled(parts, index)):
            made, joined = made + piece[0], False
            index += piece[1] - 1
        else:
            return "", at
        if part.after.strip(",-") and index + 1 < len(parts) and parts[index + 1].low not in ("at", "@"):
            return "", at
        index += 1
        if index - at > 24:
            return "", at
    return ("", at) if joined or not made.isascii() or made in ("me", "us", "him", "her", "you", "them") else (made, index)


def _spelled(parts: Sequence[Part], at: int) -> bool:
    low = parts[at].low
    return len(low) == 1 or low.isdigit() or numeral(low)


def _piece(parts: Sequence[Part], at: int) -> tuple[str, int] | None:
    """A piece of a name on the net: a word, letters, figures."""
    low = parts[at].low
    if low in ("double", "triple") or digit(low) is not None:
        found = digits_said([part.low for part in parts[at : at + 24]], 0, one=True)
        return found if found is not None else (low, 1)
    value, count = small([part.low for part in parts[at : at + 2]], 0)
    if count:
        return str(value), count
    return (low, 1) if re.fullmatch(r"[a-z0-9]+(?:[._-][a-z0-9]+)*", low) else None


def _host(parts: Sequence[Part], at: int) -> tuple[str, int] | None:
    """A name of a host and where it ends: `gmail dot com`, `harbour light dot co dot uk`, `gmail.com`."""
    made, index, labels = "", at, 0
    while index < len(parts) and index - at < 12:
        low = parts[index].low
        if _DOMAIN.fullmatch(made + low) and (made + low).rpartition(".")[2] in _ENDINGS:
            following = parts[index + 1].low if index + 1 < len(parts) and not parts[index].after else ""
            if following != "dot":
                return made + low, index + 1
        if low == "dot":
            if not made or made.endswith("."):
                return None
            made, labels = made + ".", labels + 1
        elif low in ("dash", "hyphen") and made:
            made += "-"
        elif (piece := _piece(parts, index)) is not None and (labels == 0 or made.endswith(".")):
            if index - at > 3 and not labels:
                return None
            made += piece[0]
            index += piece[1] - 1
        else:
            return None
        if parts[index].after:
            break
        index += 1
    return None


def site(parts: Sequence[Part], at: int) -> Found:
    """A site: `www dot acme dot com slash help`, `acme dot com`."""
    if at + 2 >= len(parts) or parts[at + 1].low != "dot" or parts[at].after or _piece(parts, at) is None:
        return None
    host = _host(parts, at)
    if host is None:
        return None
    made, end = host
    while end + 1 < len(parts) and parts[end].low == "slash" and not parts[end - 1].after and (piece := _piece(parts, end + 1)):
        made, end = f"{made}/{piece[0]}", end + 1 + piece[1]
    return made, end - at
