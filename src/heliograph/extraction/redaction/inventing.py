"""Invented values of the same shape, one for each real one throughout a document.

The same person has the same invented name everywhere, in whatever order and case it is written; all dates of a document move by the same
number of days and keep their form; telephone numbers, addresses of mail, web and machines, ZIP codes and social security numbers are
from ranges that nobody has: 555-01xx, example.com, 192.0.2.0/24 (RFC 5737), 2001:db8::/32 (RFC 3849), 00-00-5E-00-53-xx (RFC 7042), ZIP
codes beginning with 000, area numbers from 900 on with groups that no taxpayer number has.

What is invented depends on the words of the document alone: a copy made again is the same copy, and nothing can be computed back without
having the original.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache, partial
from importlib.resources import files
from random import Random

import msgspec
from rapidfuzz import fuzz

from heliograph.extraction.normalise import conventions, dates
from heliograph.extraction.redaction.found import Category, Found, Part
from heliograph.extraction.redaction.people import lists
from heliograph.extraction.redaction.places import CODES, STATES
from heliograph.extraction.vocabulary import plain, vocabulary
from heliograph.media.document import Document, Page

SHIFT = (30, 700)
"""Days by which the dates of a document move, back."""
DRAWN: frozenset[Category] = frozenset({"unreadable", "photo", "biometric"})
"""Kinds that nothing can be invented for: they are painted over."""
_STATE_WORDS = frozenset(plain(word) for word in STATES.replace("|", " ").split())
_TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+|[\W_]")


class Words(msgspec.Struct, frozen=True):
    """`invented.json`: what is put in place of names and places, and the words of an address that stay (`Street`, `Apt`, `North`)."""

    given: list[str]
    family: list[str]
    streets: list[str]
    cities: list[str]
    kept: frozenset[str]


@cache
def _words() -> Words:
    read = msgspec.json.decode(files("heliograph.extraction.redaction").joinpath("invented.json").read_bytes(), type=dict[str, str])
    return msgspec.convert({name: words.split() for name, words in read.items()}, Words)


class Inventor:
    """Invents for one document."""

    def __init__(self, document: Document) -> None:
        texts = [line.text for page in document.pages for line in page.lines]
        digest = hashlib.sha256("\n".join(texts).encode("utf-8", "surrogatepass")).digest()
        self._random = Random(digest)  # noqa: S311 - it hides nothing that the document itself does not
        self._day_first = conventions(texts).day_first
        self._shift = timedelta(days=-self._random.randint(*SHIFT))
        self._there = {plain(word.text.strip(".,;:'\"()")) for page in document.pages for word in page.words}
        self._known: dict[tuple[str, str], str] = {}
        self._used: set[str] = set()
        self._misread = any(page.source != "text" for page in document.pages)

    def replaced(self, page: Page, found: Sequence[Found]) -> dict[int, str]:
        """The words of a page that change, by index, with what they become; those to be painted over left out."""
        changes: dict[int, list[tuple[Part, str]]] = {}
        for one in found:
            if one.category in DRAWN:
                continue
            written = self.invent(one.category, one.text)
            pieces = written.split(" ")
            if len(pieces) != len(one.parts):
                pieces = [written, *[""] * (len(one.parts) - 1)]
            for part, piece in zip(one.parts, pieces, strict=True):
                changes.setdefault(part.word, []).append((part, piece))
        made: dict[int, str] = {}
        for word, edits in changes.items():
            text = page.words[word].text
            for part, piece in sorted(edits, key=lambda edit: -edit[0].start):
                text = text[: part.start] + piece + text[part.end :]
            made[word] = text
        return made

    def invent(self, category: Category, text: str) -> str:
        """What stands for `text` everywhere in this document."""
        if category == "name":
            return self._name(text)
        if category == "address":
            return _TOKEN.sub(lambda m: self._place(m.group()), text)
        key = re.sub(r"\W+", "", plain(text)) or text
        made = {
            "date": self._date,
            "phone": self._phone,
            "fax": self._phone,
            "email": self._email,
            "url": self._url,
            "ip_address": self._address,
            "ssn": self._ssn,
            "device": self._device,
        }.get(category, self._shape)
        return self._remember(category, key, partial(made, text)) if category != "date" else made(text)

    def _remember(self, kind: str, key: str, make: partial[str]) -> str:
        known = self._known.get((kind, key))
        if known is None:
            known = self._known[kind, key] = make()
        return known

    # -- people

    def _name(self, text: str) -> str:
        words = lists()
        tokens = [m.group() for m in re.finditer(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|[\W\d_]", text)]
        spelled = [n for n, token in enumerate(tokens) if token[0].isalpha()]
        keep = words.titles | words.credentials | words.particles | words.organisation
        full = [n for n in spelled if plain(tokens[n]) not in keep and len(tokens[n]) > 1]
        comma = "," in tokens and full and tokens.index(",") > full[0]
        for n in spelled:
            token = tokens[n]
            key = plain(token)
            if len(token) == 1:
                tokens[n] = self._initial(key).upper() if token.isupper() else self._initial(key)
            elif n in full:
                first = key in words.given or (key not in words.family and (n != full[0 if comma else -1] or len(full) == 1))
                tokens[n] = self._cased(token, self._person(key, first=first))
        return "".join(tokens)

    def _person(self, key: str, *, first: bool) -> str:
        known = self._known.get(("name", key))
        if known is None and self._misread and len(key) >= 5:
            known = next((made for (kind, other), made in self._known.items() if kind == "name" and fuzz.ratio(key, other) >= 84), None)
        if known is None:
            pool = [name for name in (_words().given if first else _words().family) if plain(name) not in self._there]
            fresh = [name for name in pool if name not in self._used] or pool or ["Doe"]
            known = self._random.choice(fresh)
            self._used.add(known)
        self._known["name", key] = known
        return known

    def _initial(self, letter: str) -> str:
        for (kind, key), made in self._known.items():
            if kind == "name" and key.startswith(letter):
                return made[0].lower()
        return self._remember("initial", letter, partial(self._random.choice, "abcdefghjklmnprstw"))

    @staticmethod
    def _cased(like: str, text: str) -> str:
        return text.upper() if like.isupper() else text.lower() if like.islower() else text

    # -- places

    def _place(self, token: str) -> str:
        key = plain(token)
        if token.isdigit():
            if len(token) == 5:
                return self._remember("zip", token, partial(self._digits, "000##"))
            return self._remember("place", token, partial(self._digits, "#" * len(token)))
        if not token[0].isalpha() or key in _words().kept or key in _STATE_WORDS or re.fullmatch(CODES, token) or len(token) == 1:
            return token
        pool = _words().cities if self._random.random() < 0.5 else _words().streets
        fresh = [name for name in pool if plain(name) not in self._there] or pool
        return self._cased(token, self._remember("place", key, partial(self._random.choice, fresh)))

    # -- days

    def _date(self, text: str) -> str:
        numbers = re.findall(r"\d+", text)
        if len(numbers) == 1 and len(numbers[0]) <= 3 and not re.search(r"[^\W\d_]{3}", text):
            return text.replace(numbers[0], "90")  # an age over 89
        span = next(iter(dates(text)), None)
        day = span.settle(day_first=self._day_first) if span else None
        if span is not None and day is not None:
            return text[: span.start] + self._rewritten(text[span.start : span.end], day) + self._shape(text[span.end :])
        return self._part(text)

    def _rewritten(self, text: str, day: date) -> str:
        """A date in the form of `text`, which says `day`, moved."""
        moved = day + self._shift
        left = [("year", day.year), ("month", day.month), ("day", day.day)]
        ahead = not self._day_first or re.match(r"\d{4}", text) is not None
        order = ["year", "month", "day"] if ahead else ["year", "day", "month"]
        named = re.search(r"[^\W\d_]{3,}", text)

        def change(m: re.Match[str]) -> str:
            written = m.group()
            if not written.isdigit():
                if plain(written) in vocabulary().months:
                    name = moved.strftime("%B" if len(written) > 3 and written.lower() != "sept" else "%b")
                    return self._cased(written, name)
                return written
            for part in order:
                value = next((value for name, value in left if name == part), None)
                if value is None or (part == "month" and named):
                    continue
                if int(written) in (value, value % 100 if part == "year" else value) and (part == "year") == (
                    len(written) == 4 or (part == "year" and int(written) == value % 100 and (value, written) and self._last(m, text))
                ):
                    left[:] = [pair for pair in left if pair[0] != part]
                    new = getattr(moved, part)
                    if part == "year":
                        return f"{new:04}" if len(written) == 4 else f"{new % 100:02}"
                    return f"{new:02}" if written.startswith("0") or len(written) == 2 else str(new)
            return written

        if re.fullmatch(r"\d{8}", text):
            return moved.strftime("%Y%m%d")
        return re.sub(r"\d+|[^\W\d_]{3,}", change, text)

    @staticmethod
    def _last(m: re.Match[str], text: str) -> bool:
        return not re.search(r"\d", text[m.end() :])

    def _part(self, text: str) -> str:
        """A date that lacks its day or its year."""
        year = re.search(r"(?:19|20)\d{2}", text)
        name = next((m for m in re.finditer(r"[^\W\d_]{3,}", text) if plain(m.group()) in vocabulary().months), None)
        month = (
            vocabulary().months[plain(name.group())] if name else next((int(n) for n in re.findall(r"\d+", text) if 1 <= int(n) <= 12), 0)
        )
        if not month:
            return self._shape(text)
        rest = [int(n) for n in re.findall(r"\d{1,2}(?!\d)", text[name.end() :] if name else text) if 1 <= int(n) <= 31]
        number = rest[-1] if rest and (name or len(rest) > 1) else 15
        try:
            day = date(int(year.group()) if year else 2001, month, min(number, 28))
        except ValueError:
            return self._shape(text)
        moved = day + self._shift
        values = iter([moved.month, moved.day] if not name else [moved.day])

        def change(m: re.Match[str]) -> str:
            written = m.group()
            if not written.isdigit():
                return (
                    self._cased(written, moved.strftime("%B" if len(written) > 3 else "%b"))
                    if name and written == name.group()
                    else written
                )
            if len(written) == 4:
                return str(moved.year)
            new = next(values, moved.day)
            return f"{new:02}" if len(written) == 2 else str(new)

        return re.sub(r"\d+|[^\W\d_]{3,}", change, text)

    # -- numbers and addresses

    def _digits(self, pattern: str) -> str:
        return re.sub("#", lambda _: str(self._random.randint(0, 9)), pattern)

    def _fill(self, text: str, digits: str) -> str:
        """`text` with its digits, from the left, replaced by `digits`."""
        queue = iter(digits)
        return re.sub(r"\d", lambda m: next(queue, m.group()), text)

    def _shape(self, text: str) -> str:
        """Another text of the same pattern of digits and letters."""

        def change(m: re.Match[str]) -> str:
            letter = m.group()
            if letter.isdigit():
                return str(self._random.randint(1, 9))
            made = self._random.choice("ABCDEFGHJKLMNPRSTUVWXYZ")
            return made if letter.isupper() else made.lower()

        if sum(c.isdigit() for c in text) == 0:
            return text
        return re.sub(r"\d|[A-Za-z](?=[A-Za-z]?[-\d])|(?<=\d)[A-Za-z]", change, text)

    def _phone(self, text: str) -> str:
        main, extension = re.match(r"(.*?)(\s*(?:x|ext).*)?$", text, re.I | re.S).groups()  # pyright: ignore[reportOptionalMemberAccess]
        count = sum(c.isdigit() for c in main)
        area = f"{self._random.randint(2, 9)}{self._digits('##')}"
        local = f"55501{self._digits('##')}"
        if count == 7:
            made = self._fill(main, local)
        elif count == 10:
            made = self._fill(main, area + local)
        elif count == 11 and main.lstrip("+( ").startswith("1"):
            made = self._fill(main, "1" + area + local)
        else:
            made = self._fill(main, re.sub(r"\D", "", main)[:2] + "5550" + self._digits("#" * 16))
        return made + (self._shape(extension) if extension else "")

    def _email(self, text: str) -> str:
        user, _, _ = text.partition("@")
        pieces = re.split(r"([^A-Za-z]+)", user.strip())
        known = [self._known.get(("name", plain(piece))) for piece in pieces]
        made = "".join(
            (name.lower() if name else self._known_within(piece)) if piece.isalpha() else self._shape(piece)
            for piece, name in zip(pieces, known, strict=True)
        )
        return f"{made}@example.com"

    def _known_within(self, piece: str) -> str:
        """A name inside a longer word (`jsmith`) replaced; a word that holds none becomes any."""
        for (kind, key), made in sorted(self._known.items(), key=lambda item: -len(item[0][1])):
            if kind == "name" and len(key) >= 4 and key in plain(piece):
                before = plain(piece).replace(key, "")
                return (self._initial(before[0]) if before else "") + made.lower()
        return self._random.choice(_words().family).lower()

    def _url(self, text: str) -> str:
        scheme = re.match(r"https?://", text, re.I)
        return f"{scheme.group() if scheme else ''}www.example.com"

    def _address(self, text: str) -> str:
        return f"2001:db8::{self._random.randint(1, 9999)}" if ":" in text else f"192.0.2.{self._random.randint(1, 254)}"

    def _device(self, text: str) -> str:
        if re.fullmatch(r"(?:[0-9A-Fa-f]{2}[:\-]){5}[0-9A-Fa-f]{2}", text):
            mark = text[2]
            return mark.join(["00", "00", "5E", "00", "53", f"{self._random.randint(0, 255):02X}"])
        return self._shape(text)

    def _ssn(self, text: str) -> str:
        whole = f"{self._random.randint(900, 999)}{self._random.randint(1, 49):02}{self._digits('####')}"
        return self._fill(text, whole if sum(c.isdigit() for c in text) >= 9 else whole[-4:])
