"""Invented people, firms, places and numbers of several countries, and how these countries write dates and amounts.

Domains end in `.example`; telephone numbers are from ranges kept free for fiction where a country has one. A name that somebody
bears is chance.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from training.drawing.content import Line, Piece, piece

HERE = Path(__file__).parent


@cache
def _table(name: str) -> dict[str, Any]:
    return json.loads((HERE / f"{name}.json").read_text("utf-8"))


@dataclass
class Place:
    """An address in its parts, as printed."""

    street: str
    city: str
    state: str
    postal_code: str
    pattern: str
    country: str

    def last(self) -> str:
        """The line with city and postal code."""
        return self.pattern.format(city=self.city, state=self.state, zip=self.postal_code)


@dataclass
class World:
    """A country to invent things of. Everything drawn from one `Random` is the same in every run."""

    random: Random
    code: str
    day_format: str = ""
    places: dict[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    def of(cls, random: Random, *codes: str) -> World:
        """One of the countries `codes`, or of all; it writes its dates in one way throughout."""
        code = random.choice(codes or sorted(_table("countries")))
        places = _table("countries")[code]
        return cls(random, code, random.choice(places["dates"]), places)

    @property
    def language(self) -> str:
        """ISO 639-1."""
        return self.places["language"]

    @property
    def currency(self) -> str:
        """ISO 4217."""
        return self.places["currency"]

    def pick(self, *options: str) -> str:
        """One of them."""
        return self.random.choice(options)

    def chance(self, share: float) -> bool:
        """True in `share` of the cases."""
        return self.random.random() < share

    def label(self, name: str) -> str:
        """One of the words that documents of this language print for `name`."""
        return self.random.choice(_table("labels")[name][self.language])

    def code_like(self, pattern: str) -> str:
        """`#` becomes a digit, `@` a letter that is not easily misread."""
        made = re.sub("#", lambda _: str(self.random.randint(0, 9)), pattern)
        return re.sub("@", lambda _: self.random.choice("ABCDEFHKLMNPRTUWXY"), made)

    def reference(self, *patterns: str) -> str:
        """A document's number."""
        usual = ("@@-#####", "####-####", "######", "20##/###", "@#####", "#####", "@@@####", "########", "####-@@-##", "R-##-####")
        made = self.code_like(self.random.choice(patterns or usual))
        return made if not made.startswith("0") else "4" + made[1:]

    def person(self, *, last_first: bool = False) -> str:
        """A full name."""
        first, last = self.names()
        return f"{last}, {first}" if last_first else f"{first} {last}"

    def names(self) -> tuple[str, str]:
        """First and last name."""
        return self.random.choice(_table("names")["first"][self.language]), self.random.choice(_table("names")["last"][self.language])

    def firm(self, *, bare: bool = False) -> str:
        """A firm, with its legal form unless `bare`; sometimes named after a person and a place."""
        base: str = self.random.choice(_table("names")["firm"][self.language])
        if self.chance(0.35):
            base = f"{self.random.choice(_table('names')['last'][self.language])} {base.rsplit(maxsplit=1)[-1]}"
        return base if bare else f"{base} {self.random.choice(self.places['suffixes'])}"

    def domain(self, firm: str) -> str:
        """A firm's domain under `.example`."""
        words = re.findall(r"[a-z]+", firm.casefold().encode("ascii", "ignore").decode())
        return "-".join(words[:2]) + ".example"

    def goods(self) -> str:
        """What is sold."""
        return self.random.choice(_table("names")["goods"][self.language])

    def note(self) -> str:
        """A sentence of small print."""
        return self.random.choice(_table("names")["notes"][self.language])

    def place(self) -> Place:
        """An address."""
        city, state = self.random.choice(self.places["cities"])
        street = self.random.choice(self.places["streets"]).format(n=self.random.randint(1, 240), m=self.random.randint(2, 40))
        code = self.code_like(self.places["zip"])
        code = "7" + code[1:] if code.startswith("0") else code
        return Place(street, city, state, code, self.places["postal"], self.places["name"])

    def phone(self) -> str:
        """A telephone number."""
        made = self.code_like(self.random.choice(self.places["phone"]))
        return re.sub(r"\(0", "(6", made)

    def tax_number(self) -> str:
        """A VAT or tax number of the country's form; its check digits are not right."""
        return self.code_like(self.places["vat"])

    def tax_rate(self) -> Decimal:
        """Percent."""
        return Decimal(str(self.random.choice(self.places["rates"])))

    def day(self, first: date = date(2015, 1, 5), last: date = date(2026, 6, 30)) -> date:
        """A day between the two."""
        return first + timedelta(days=self.random.randint(0, (last - first).days))

    def shown_day(self, day: date, *, form: str | None = None) -> str:
        """A day as the country writes it."""
        months: list[str] = _table("names")["months"][self.language]
        name = months[day.month - 1]
        weekday = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")[day.weekday()]
        made = form or self.day_format
        for mark, text in (
            ("%-d", str(day.day)), ("%-m", str(day.month)), ("%d", f"{day.day:02}"), ("%m", f"{day.month:02}"), ("%Y", str(day.year)),
            ("%y", f"{day.year % 100:02}"), ("%B", name), ("%b", name[:3]), ("%A", weekday),
        ):  # fmt: skip
            made = made.replace(mark, text)
        return made

    def amount(self, least: float = 1.0, most: float = 900.0) -> Decimal:
        """An amount with two decimals; small ones are more frequent."""
        share = self.random.random() ** 2
        return Decimal(str(round(least + share * (most - least), 2))).quantize(Decimal("0.01"))

    def shown_amount(self, value: Decimal, *, sign: bool | None = None, decimals: int = 2) -> str:
        """An amount as the country writes it, with its currency sign or not (None: now and then)."""
        grouped = f"{abs(value):,.{decimals}f}"
        thousand, point = self.places["numbers"][1], self.places["numbers"][5]
        text = grouped.replace(",", "\0").replace(".", point).replace("\0", thousand)
        text = ("-" if value < 0 else "") + text
        mark: str = self.places["sign"]
        if sign or (sign is None and self.chance(0.25)):
            before = self.code in {"US", "GB", "CA", "MY", "CH", "NL"}
            text = (f"{mark} {text}" if len(mark) > 1 or self.code == "NL" else f"{mark}{text}") if before else f"{text} {mark}"
        return text

    def iban(self) -> str:
        """An IBAN with right check digits (ISO 13616), of a bank that is not."""
        digits = self.code_like("##################")
        code = self.code if self.code not in {"US", "CA", "MY"} else "GB"
        rest = digits + "".join(str(ord(letter) - 55) for letter in code) + "00"
        made = f"{code}{98 - int(rest) % 97:02}{digits}"
        return " ".join(made[i : i + 4] for i in range(0, len(made), 4))


def address_lines(
    place: Place, prefix: str = "", *, whole: str = "", country: bool = False, joined: bool = False, names: tuple[str, ...] = ()
) -> list[Line]:
    """The lines of an address, or one line when `joined`. With `prefix` its parts answer `<prefix>.street`, `.city`, ...; with `whole`
    all of it, as it is printed, answers that path.

    `names`: what the fields of the parts are called, in the order street, city, state, postal code, country.
    """
    called = names or ("street", "city", "state", "postal_code", "country")
    comma = ", " if joined else " "
    text = comma.join((place.street, place.last(), *((place.country,) if country else ())))

    def part(shown: str, name: str) -> Piece:
        answers = {f"{prefix}.{name}": shown} if prefix and name else {}
        return Piece(shown, answers | ({whole: text} if whole else {}))

    pattern = re.split(r"(\{\w+\})", place.pattern)
    known = {"{city}": (place.city, called[1]), "{state}": (place.state, called[2]), "{zip}": (place.postal_code, called[3])}
    last = tuple(part(*known[mark]) if mark in known else piece(mark) for mark in pattern if mark and known.get(mark, ("x",))[0])
    lines: list[Line] = [(part(place.street, called[0]),), last]
    if country:
        lines.append((part(place.country, called[4]),))
    return (
        [tuple(piece for number, row in enumerate(lines) for piece in ((*((Piece(", "),) if number else ()), *row)))] if joined else lines
    )
