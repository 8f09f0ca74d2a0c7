"""A part of a prompt as a field: `the total amount (USD)`, `whether it is signed`, `seller (name and address)`."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from heliograph.skills import grammar, naming
from heliograph.skills.naming import identifier, is_identifier, is_plural, singular

Json = dict[str, Any]

_ASIDE = 80
"""Characters in brackets above which they are prose."""


class Asked(msgspec.Struct):
    """A field that is asked for, with the type of one value. `note`: what is said of it. `several`: it is a list.

    `full`: a name of all its words, for where `name` is another field's. `complete`: its columns are all that are asked for.
    """

    name: str
    kind: Json
    note: str = ""
    several: bool = False
    columns: list[Asked] | None = None
    full: str = ""
    complete: bool = False


def field_of(phrase: str, *, inside: str = "", stated: str = "", several: bool = False, column: bool = False) -> Asked | None:
    """The field of a phrase; `inside`: what its brackets say, `stated`: what stands behind its colon. None for what is no field.

    `several`: there are, whatever the phrase sounds like. `column`: it is one of a list.
    """
    if bracketed := grammar.BRACKETS.search(phrase):
        inside, phrase = inside or bracketed[1], grammar.BRACKETS.sub("", phrase)
    phrase, _, after = phrase.partition(":")
    phrase, stated = phrase.strip(" .*").replace("\x01", " "), (stated or after).strip()
    if (whether := grammar.WHETHER.fullmatch(phrase)) is not None:
        name = identifier(undetermined(whether["what"]))
        return Asked(name, naming.BOOLEAN, note=phrase) if name else None
    whole = undetermined(phrase)
    short, tail = _cut(whole)
    named = _owned(short)
    if _says_nothing(named, column=column) or (name := identifier(named)) is None:
        return None
    usual = naming.usual(name, named, column=column)
    several = several or ("," in inside and named.casefold().split()[-1] in grammar.SERIES)
    plural = several or is_plural(named)
    rows = plural and "," in inside  # `transactions (date, amount)`: the first is no type
    kind, many = (None, False) if rows else naming.stated(f"{inside} {stated}")
    columns = _columns(named, inside, stated, plural=plural) if kind is None else []
    listed = inside or stated or (tail[3:] if re.match(r"as\b.*/", tail) else "")
    options = naming.choices(listed) if kind is None and not columns and usual is naming.STRING else []
    said = [whole if tail and not _about_document(tail) else ""]
    said += [] if columns or options else [text for text in (inside.strip(), stated) if not naming.is_type(text)]
    note = "; ".join(text for text in said if text)
    if options:
        return Asked(name, {"type": "string", "enum": options}, note=note)
    if kind is None and (said_as := naming.stated(tail)[0] if re.match(r"(?:as|in)\b", tail) else None) is not naming.STRING:
        kind = said_as
    single = not several and (kind is not None or usual is naming.INTEGER or usual is naming.NUMBER)
    return Asked(name, kind or usual, note=note, several=many or (plural and (bool(columns) or not single)), columns=columns or None)


def _columns(named: str, inside: str, stated: str, *, plural: bool) -> list[Asked]:
    """What `line items (description, price)` are made of; and one thing that is all of these: `seller (name and address)`."""
    within = inside or (stated if re.search(r",|\band\b", stated) else "")
    if not within:
        return []
    parts = shared(grammar.BETWEEN.split(within))[::2]
    if not plural:
        chosen = re.search(r"\bor\b|/", within) or set(named.casefold().split()[-1:]) <= grammar.CHOSEN or len(within) > _ASIDE
        fields = any(set(part.casefold().split()) <= grammar.EVERYBODYS | grammar.GENERAL for part in parts)
        if chosen or not (fields or re.search(r"\band\b|&", within)):
            return []
    columns = [made for part in parts if (made := field_of(part, column=True)) is not None]
    return columns if len(columns) > 1 or plural else []


def _says_nothing(named: str, *, column: bool) -> bool:
    """Whether a phrase is no field: `what matters`, `all invoice data`. As a column `result` says enough."""
    words = set(re.findall(r"[\w-]+", named.casefold()))
    vague = named.casefold().partition(" ")[0] in grammar.VAGUE and not named.casefold().startswith("how many")
    about = words & grammar.ABOUT and words <= grammar.ABOUT | grammar.DOCUMENTS
    return not words or vague or (bool(about) and not column)


def undetermined(phrase: str) -> str:
    """`the total` as `total`."""
    found = grammar.DETERMINER.match(phrase)
    return phrase[found.end() :] if found else phrase


def _cut(phrase: str) -> tuple[str, str]:
    """A phrase without what only says more of it (`in euros`, `from the header`), and that."""
    found = grammar.TAIL.search(phrase)
    if found is None or is_identifier(phrase):
        return phrase, ""
    before, after = phrase[: found.start()], phrase[found.end() :]
    if found[0].strip().casefold() == "for" and before.casefold() in ("reason", "purpose") and len(after.split()) <= 2:
        return phrase, ""  # `reason for referral`
    return (before, phrase[found.start() :].strip()) if before.strip() else (phrase, "")


def _about_document(tail: str) -> bool:
    """Whether a tail says only where everything is taken from: `from the invoice as JSON`."""
    words = re.findall(r"[\w-]+", tail.casefold())
    known = grammar.DOCUMENTS | grammar.ABOUT | grammar.OUT
    return words[:1] != [] and words[0] in grammar.OUT and all(word in known or singular(word) in known for word in words)


def _owned(phrase: str) -> str:
    """`name of the seller` as `seller name`, `total of the invoice` as `total`."""
    found = grammar.OF.fullmatch(phrase)
    if found is None:
        return phrase
    what = found["what"]
    if not is_document(found["owner"]):
        *before, last = found["owner"].split()
        return " ".join([*before, singular(last), what]) if len(what.split()) <= 3 else what
    return f"{found['owner']} {what}" if set(what.casefold().split()) <= grammar.EVERYBODYS | grammar.GENERAL else what


def is_document(phrase: str) -> bool:
    """Whether a phrase names nothing but what is read."""
    if grammar.PHRASE_OF.search(phrase):
        return False
    words: list[str] = re.findall(r"[\w-]+", grammar.DETERMINER.sub("", phrase.casefold() + " ", count=1))
    return bool(words) and len(words) <= 3 and (singular(words[-1]) in grammar.DOCUMENTS or words[-1] in grammar.DOCUMENTS)


def shared(parts: list[str]) -> list[str]:
    """`name and address of the seller` is the seller's name, and the seller's address; `start and end dates` are two dates."""
    _whose(parts)
    for place in range(len(parts) - 1, 1, -2):
        if "," in parts[place - 1]:
            continue
        found = grammar.OF.fullmatch(parts[place].strip(" ."))
        before = grammar.DETERMINER.sub("", parts[place - 2].strip())
        words, first = parts[place].strip(" .").split(), before.split()
        if found and not is_document(found["owner"]) and set(before.casefold().split()) <= grammar.EVERYBODYS | grammar.GENERAL:
            parts[place - 2] += f" of the {found['owner']}"
        elif len(words) == 2 and 1 <= len(first) <= 2 and not is_identifier(before):
            one = singular(words[1])
            sides = first[-1].casefold() in grammar.SIDES and (one + "s" in grammar.SHARED or one == "address")
            if sides or (len(first) == 1 and words[1].casefold() in grammar.SHARED):
                parts[place - 2], parts[place] = f"{parts[place - 2].strip()} {one}", " ".join([*first[:-1], words[0], one])
    return parts


def _whose(parts: list[str]) -> None:
    """Say of the second part of `seller name & address` too whose it is."""
    for place in range(2, len(parts), 2):
        *before, last = parts[place - 2].split() or [""]
        bare = {last.casefold(), *parts[place].casefold().split()} <= grammar.EVERYBODYS and "," not in parts[place - 1]
        if bare and before and not grammar.DETERMINER.fullmatch(f"{before[-1]} ") and "'" not in before[-1]:
            parts[place] = f"{before[-1]} {parts[place].strip()}"
