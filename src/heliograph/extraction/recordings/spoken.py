"""Spoken forms as one writes them: `four one five five five five` becomes `415555`, `march fourteenth twenty twenty six` `March 14, 2026`,
`forty two dollars and fifty cents` `$42.50`, `karen dot miller at gmail dot com` `karen.miller@gmail.com`.

    for token in written(["call", "four", "one", "five,", "five", "five", "five"]): token.text, token.first, token.last

Engines write some of it themselves (`$42`, `3:30 pm`, `415-555`), and mix both; figures are taken as they are. Every token keeps which
words it was made of, so that what is read from it is cited by the words as they were said. Nothing is completed: a date without a year
stays one. English; words of other languages pass through.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from heliograph.extraction.recordings.numerals import DIGITS, SCALES, TEENS, TENS, cardinal, digit, literal, ordinal, small, year

MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_ENDINGS_WORDS = """
com org net edu gov mil int info biz io ai app dev co uk us de fr it es nl eu ch at be ca au nz ie in jp se no dk fi pl tv me
"""
_ENDINGS: Final = frozenset(_ENDINGS_WORDS.split())
_JOINTS: Final = {"dot": ".", "period": ".", "point": ".", "underscore": "_", "dash": "-", "hyphen": "-", "minus": "-", "plus": "+"}
_CURRENCIES: Final = {
    "dollar": "$", "dollars": "$", "bucks": "$", "euro": "€", "euros": "€", "pound": "£", "pounds": "£", "yen": "¥", "rupees": "₹",
}  # fmt: skip
_HUNDREDTHS: Final = frozenset({"cent", "cents", "pence", "penny"})
_NATO_WORDS = """
alpha alfa bravo charlie delta echo foxtrot golf hotel india juliet juliett kilo lima mike november oscar papa quebec romeo sierra
tango uniform victor whiskey whisky yankee zulu
"""
_NATO: Final = frozenset(_NATO_WORDS.split()) | {"xray", "x-ray"}
_LIKE: Final = (("as", "in"), ("like",), ("for",), ("is", "for"), ("like", "in"))
_MAILS: Final = frozenset({"email", "e-mail", "mail", "emails", "address", "contact", "reach", "write"})
_DOINGS_WORDS = """
look looking see find found shop buy bought order ordered work works working sold sell available listed online us me him her them
you here back store site website page app check read visit download
"""
_DOINGS: Final = frozenset(_DOINGS_WORDS.split())
_HOURS_LEAD: Final = frozenset({"at", "by", "until", "till", "from", "before", "after", "around", "about"})
_LONG = 6
"""Letters from which on capitals are a word, and no beginning of a number such as `INV`."""
_PHONE_LIKE = 7
"""Digits from which on groups that a full stop parts are one number: speakers pause between them."""
_WORD = re.compile(r"^(\W*)(.*?)(\W*)$", re.DOTALL)
_DOMAIN = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}", re.IGNORECASE)
_GROUPS = re.compile(r"\d+(?:-\d+)+")


class Written(msgspec.Struct, frozen=True):
    """A token as one writes it, made of the words `first` to `last`, both included, of those that were given."""

    text: str
    first: int
    last: int


class _Part(msgspec.Struct, frozen=True):
    """A word, or a part of one with a hyphen. `after`: the punctuation that ends it."""

    low: str
    raw: str
    word: int
    before: str
    after: str


_Found = tuple[str, int] | None
"""What is written for the parts that begin somewhere, and how many they are."""


def written(words: Sequence[str]) -> list[Written]:
    """The tokens that `words`, with their punctuation, are written as, in order; each word belongs to exactly one."""
    parts = _parted(words)
    made: list[Written] = []
    at = 0
    while at < len(parts):
        found = _read(parts, at)
        if found is None:
            last = at
            while last + 1 < len(parts) and parts[last + 1].word == parts[at].word:
                last += 1
            made.append(Written(words[parts[at].word], parts[at].word, parts[at].word))
            at = last + 1
            continue
        text, count = found
        while at + count < len(parts) and parts[at + count].word == parts[at + count - 1].word:
            count += 1  # never a part of a word
        first, last = parts[at], parts[at + count - 1]
        after = last.after.removeprefix(".") if text.endswith(".") else last.after
        made.append(Written(first.before + text + after, first.word, last.word))
        at += count
    return made


def _parted(words: Sequence[str]) -> list[_Part]:
    made: list[_Part] = []
    for index, word in enumerate(words):
        before, core, after = _WORD.match(word).groups()  # pyright: ignore[reportOptionalMemberAccess]  # matches everything
        if word.startswith(("$", "€", "£")) or after.startswith("%"):
            made.append(_Part(word.casefold(), word, index, "", ""))
            continue
        pieces = core.split("-") if "-" in core and all(_numeral(piece) for piece in core.casefold().split("-")) else [core]
        if _GROUPS.fullmatch(core):
            pieces = [core]
        for place, piece in enumerate(pieces):
            made.append(
                _Part(
                    piece.casefold().replace("’", "'"),
                    piece,
                    index,
                    before if place == 0 else "",
                    after if place == len(pieces) - 1 else "",
                )
            )
    return made


def _numeral(piece: str) -> bool:
    """Whether a piece of a word with hyphens is a number or a spelled letter."""
    known = piece in DIGITS or piece in TEENS or piece in TENS or piece in SCALES or piece in ("hundred", "and", "oh", "o")
    return known or ordinal([piece], 0) is not None or (len(piece) == 1 and piece.isalnum())


def _read(parts: Sequence[_Part], at: int) -> _Found:
    for way in _WAYS:
        if (found := way(parts, at)) is not None:
            return found
    return None


def _unbroken(parts: Sequence[_Part], at: int, *, over: str = "") -> list[str]:
    """The words from `at` up to the first punctuation mark that is none of `over`, which a number cannot go on over."""
    made: list[str] = []
    for part in parts[at : at + 24]:
        made.append(part.low)
        if part.after.strip(over):
            break
    return made


# -- addresses of the net ---------------------------------------------------------------------------------------------


def _address(parts: Sequence[_Part], at: int) -> _Found:
    """An e-mail address: what comes before `at` is one word, or words and letters that `dot` and its like join, or that are spelled."""
    local, end = _local(parts, at)
    if not local or end >= len(parts) or parts[end].low not in ("at", "@"):
        return None
    host = _host(parts, end + 1)
    if host is None or (end == at + 1 and local.isalpha() and not _mailed(parts, at)):
        return None
    return f"{local}@{host[0]}", host[1] - at


def _mailed(parts: Sequence[_Part], at: int) -> bool:
    """Whether a plain word before `at` is a name on the net, and not what one does or is there: `look at acme dot com`."""
    if parts[at].low in _DOINGS:
        return False
    before = [part.low for part in parts[max(0, at - 6) : at]]
    return bool(_MAILS & set(before)) or before[-1:] in (["is"], ["it's"], ["that's"])


def _local(parts: Sequence[_Part], at: int) -> tuple[str, int]:
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


def _spelled(parts: Sequence[_Part], at: int) -> bool:
    low = parts[at].low
    return len(low) == 1 or low.isdigit() or _numeral(low)


def _piece(parts: Sequence[_Part], at: int) -> tuple[str, int] | None:
    """A piece of a name on the net: a word, letters, figures."""
    low = parts[at].low
    if low in ("double", "triple") or digit(low) is not None:
        found = _figures([part.low for part in parts[at : at + 24]], 0, one=True)
        return found if found is not None else (low, 1)
    value, count = small([part.low for part in parts[at : at + 2]], 0)
    if count:
        return str(value), count
    return (low, 1) if re.fullmatch(r"[a-z0-9]+(?:[._-][a-z0-9]+)*", low) else None


def _host(parts: Sequence[_Part], at: int) -> tuple[str, int] | None:
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


def _site(parts: Sequence[_Part], at: int) -> _Found:
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


# -- letters ----------------------------------------------------------------------------------------------------------


def _letters(parts: Sequence[_Part], at: int) -> _Found:
    """What is spelled: `B as in bravo`, `S O five five`, `alpha bravo seven`, `A-B-C`; two letters at least, or one and two figures."""
    made, index, letters, sure = "", at, 0, False
    if len(parts[at].low) == 1 and (low := digit(parts[at].low)) is not None and _plate(parts, at + 1):
        made, index = str(low), at + 1  # `7 K L M`
    while index < len(parts):
        low, raw = parts[index].low, parts[index].raw
        if len(low) == 1 and low.isalpha():
            named = _as_in(parts, index)
            sure |= named > 0 or (raw.isupper() and letters > 0)
            made, letters = made + low.upper(), letters + 1
            index += 1 + named
        elif low in _NATO and (letters == 0 or made[-1:].isalnum()) and _nato(parts, index, begun=letters > 0):
            made, letters, sure = made + low[0].upper(), letters + 1, True
            index += 1
        elif letters == 0 and 1 < len(raw) < _LONG and raw.isalpha() and raw.isupper() and _spells_on(parts, index + 1):
            made, letters = made + raw, len(raw)
            index += 1
        elif letters and low in ("dash", "hyphen") and _spells_on(parts, index + 1):
            made += "-"
            index += 1
        elif letters and (found := _figures([part.low for part in parts[index : index + 24]], 0, one=True)) is not None:
            made += found[0]
            sure |= found[1] > 1 or letters > 1 or (len(found[0]) > 1 and parts[index - 1].raw.isupper() and made not in ("A", "I"))
            index += found[1]
        else:
            break
        if parts[index - 1].after.strip(",-.") or (parts[index - 1].after and not _spells_on(parts, index)):
            break
    made = made.rstrip("-")
    figures = sum(char.isdigit() for char in made)
    if letters == 0 or len(made.replace("-", "")) < 2 or (letters < 2 and figures < 2) or not (sure or letters > 2):
        return None
    if made[0] in "AI" and letters == 1 and parts[at].raw in ("a", "I"):
        return None
    return made, index - at


def _plate(parts: Sequence[_Part], at: int) -> bool:
    """Whether two capital letters, one by one, stand at `at`."""
    return at + 1 < len(parts) and all(len(part.raw) == 1 and part.raw.isupper() and not part.before for part in parts[at : at + 2])


def _spells_on(parts: Sequence[_Part], at: int) -> bool:
    """Whether what stands at `at` is spelled too."""
    low = parts[at].low if at < len(parts) else ""
    return len(low) == 1 or low.isdigit() or _numeral(low) or low in _NATO or low in ("dash", "hyphen", "double", "triple")


def _as_in(parts: Sequence[_Part], at: int) -> int:
    """How many words after a letter only say which it is."""
    for like in _LIKE:
        end = at + 1 + len(like)
        if end < len(parts) and tuple(part.low for part in parts[at + 1 : end]) == like and parts[end].low[:1] == parts[at].low:
            return len(like) + 1
    return 0


def _nato(parts: Sequence[_Part], at: int, *, begun: bool) -> bool:
    """Whether a word of the radio alphabet is a letter here: beside another, or a figure behind two letters."""
    after = parts[at + 1].low if at + 1 < len(parts) else ""
    return begun or after in _NATO


# -- numbers ----------------------------------------------------------------------------------------------------------


def _figures(words: Sequence[str], at: int, *, one: bool = False) -> tuple[str, int] | None:
    """Digits one by one, in pairs or as figures: `four one five`, `double o seven`, `five fifty five`, and how many words they are.

    `one`: also a single word of them; never what is one number by itself, such as `forty two`.
    """
    made, start, groups, singles = "", at, 0, 0
    while at < len(words):
        word = words[at]
        if word in ("double", "triple") and at + 1 < len(words) and (low := digit(words[at + 1])) is not None:
            made += str(low) * (2 if word == "double" else 3)
            at, groups, singles = at + 2, groups + 1, singles + 2
        elif (low := digit(word)) is not None:
            if low and at + 1 < len(words) and words[at + 1] == "hundred" and made:
                made, at = made + f"{low}00", at + 2
            elif at + 1 < len(words) and words[at + 1] in ("hundred", *SCALES):
                break
            else:
                made, at, singles = made + str(low), at + 1, singles + 1
            groups += 1
        elif word.isascii() and word.isdigit():
            made, at, groups, singles = made + word, at + 1, groups + 1, singles + 1
        elif _GROUPS.fullmatch(word):
            made, at, groups, singles = made + word.replace("-", ""), at + 1, groups + 1, singles + 2
        elif word in ("dash", "hyphen") and made and at + 1 < len(words) and digit(words[at + 1]) is not None:
            made, at = made + "-", at + 1
        else:
            value, count = small(words, at)
            if value < 10 or not count or (at + count < len(words) and words[at + count] in ("hundred", *SCALES)):
                break
            made, at, groups = made + str(value), at + count, groups + 1
    if not made or (groups == 1 and singles < 2 and not one):
        return None
    return made, at - start


def _digits(parts: Sequence[_Part], at: int) -> _Found:
    """A number that is told digit by digit: three of them at least, or two groups of which one begins with a zero."""
    words = _unbroken(parts, at, over=",-.;…")
    found = _figures(words, 0)
    if found is None or not words[0] or (words[0] in ("o", "oh") and found[1] < 3):
        return None
    made, count = found
    used = [part.low for part in parts[at : at + count]]
    stops = [place for place in range(count - 1) if parts[at + place].after.strip(",-")]
    if stops and len(made) < _PHONE_LIKE:
        count = stops[0] + 1
        found = _figures(words[:count], 0)
        if found is None:
            return None
        made, count = found
        used = used[:count]
    singles = sum(digit(word) is not None for word in used)
    commas = any(parts[at + place].after for place in range(count - 1))
    if len(made) < 3 or (singles < 2 and not ("double" in used or "triple" in used) and len(made) < _PHONE_LIKE):
        return None
    if commas and len(made) < 4:
        return None  # `one, two, three` counts
    if year(used, 0) == (int(made), count) if made.isdigit() and len(made) == 4 else False:
        return None
    return made, count


def _money(parts: Sequence[_Part], at: int) -> _Found:
    """An amount with its currency: `forty two dollars and fifty cents`, `42 dollars`, `ninety nine cents`, `five fifty dollars`."""
    words = _unbroken(parts, at)
    if words[0].startswith(("$", "€", "£")) and len(words) > 1 and words[1] in SCALES:
        value = literal(words[0][1:])
        return (f"{words[0][0]}{_plain(value * SCALES[words[1]])}", 2) if value is not None else None
    found = cardinal(words)
    if found is None or found[1] >= len(words):
        return None
    value, count = found
    unit = words[count]
    if unit in _HUNDREDTHS and 0 < value < 100:
        return f"{'£' if unit in ('pence', 'penny') else '$'}{value / 100:.2f}", count + 1
    mark = _CURRENCIES.get(unit)
    if mark is None:
        return None
    count += 1
    rest = count + (count < len(words) and words[count] == "and")
    cents = cardinal(words, rest)
    if cents is not None and 0 < cents[0] < 100 and value == value.to_integral_value():
        after = rest + cents[1]
        if after < len(words) and words[after] in _HUNDREDTHS:
            return f"{mark}{value + cents[0] / 100:.2f}", after + 1
    return f"{mark}{_plain(value)}", count


def _percent(parts: Sequence[_Part], at: int) -> _Found:
    words = _unbroken(parts, at)
    found = cardinal(words)
    if found is None or found[1] >= len(words):
        return None
    value, count = found
    if words[count] == "percent":
        return f"{_plain(value)}%", count + 1
    return (f"{_plain(value)}%", count + 2) if words[count : count + 2] == ["per", "cent"] else None


def _date(parts: Sequence[_Part], at: int) -> _Found:
    """A day with its month, and its year if that is said: `march fourteenth twenty twenty six`, `the 14th of march, 2026`."""
    words = _unbroken(parts, at, over=",")
    start, day = 0, None
    month = _month(parts[at], words[1] if len(words) > 1 else "")
    if month is not None:
        start = 2 if len(words) > 2 and words[1] == "the" else 1
        day = ordinal(words, start) or _day(words, start)
        if day is None or (words[0] in ("may", "march") and parts[at].raw.islower() and ordinal(words, start) is None):
            return None
        end = start + day[1]
    else:
        skip = 1 if words[0] == "the" else 0
        day = ordinal(words, skip) or (_day(words, skip) if not skip else None)
        if day is None:
            return None
        end = skip + day[1]
        end += end < len(words) and words[end] == "of"
        month = _month(parts[at + end], "first") if end < len(words) else None
        if month is None or (words[end] in ("may", "march") and words[end - 1] != "of" and parts[at + end].raw.islower()):
            return None
        end += 1
    if not 1 <= day[0] <= 31:
        return None
    said = year(words, end)
    if said is not None:
        return f"{month} {day[0]}, {said[0]}", end + said[1]
    return f"{month} {day[0]}", end


def _month(part: _Part, after: str) -> str | None:
    if part.low not in MONTHS or (part.after and not after):
        return None
    return part.low.capitalize()


def _day(words: Sequence[str], at: int) -> tuple[int, int] | None:
    if at < len(words) and re.fullmatch(r"\d{1,2}", words[at]):
        return int(words[at]), 1
    value, count = small(words, at)
    following = words[at + count] if at + count < len(words) else ""
    return (value, count) if count and 1 <= value <= 31 and following not in ("hundred", *SCALES) else None


def _time(parts: Sequence[_Part], at: int) -> _Found:
    """A time of day: `three thirty p m`, `quarter to five`, `ten o'clock`, `at seven forty five`."""
    words = _unbroken(parts, at)
    found = _clock(words, 0)
    if found is None:
        return None
    hour, minute, count, sure = found
    half, more = _half(parts, at + count) if count <= len(words) and not parts[at + count - 1].after.strip(".") else ("", 0)
    led = at > 0 and parts[at - 1].low in _HOURS_LEAD and not parts[at - 1].after
    in_the = words[count : count + 2] == ["in", "the"]
    if not (half or sure or (minute is not None and (led or in_the))):
        return None
    text = f"{hour}:{minute or 0:02d}"
    return (f"{text} {half}" if half else text), count + more


def _clock(words: Sequence[str], at: int) -> tuple[int, int | None, int, bool] | None:
    """Hour, minutes, count of words, and whether the words alone say that it is a time."""
    if words[at] in ("half", "quarter", "five", "ten", "twenty") and at + 2 < len(words):
        minutes = {"half": 30, "quarter": 15, "five": 5, "ten": 10, "twenty": 20}[words[at]]
        hour, count = _hour(words, at + 2)
        if count and words[at + 1] in ("past", "after") and (words[at] in ("half", "quarter") or words[at + 1] == "past"):
            return hour, minutes, 2 + count, True
        if count and words[at + 1] in ("to", "till") and words[at] == "quarter":
            return (hour - 1) or 12, 60 - minutes, 2 + count, True
    if figures := re.fullmatch(r"(\d{1,2})[:.](\d\d)", words[at]):
        return int(figures[1]), int(figures[2]), 1, ":" in words[at]
    hour, count = _hour(words, at)
    if not count:
        return None
    after = at + count
    if after < len(words) and words[after] in ("o'clock", "oclock"):
        return hour, 0, count + 1, True
    if after + 1 < len(words) and words[after] in ("oh", "o") and (low := digit(words[after + 1])):
        return hour, low, count + 2, False
    minute, more = small(words, after)
    if more and 10 <= minute < 60:
        return hour, minute, count + more, False
    return hour, None, count, False


def _hour(words: Sequence[str], at: int) -> tuple[int, int]:
    if at < len(words) and re.fullmatch(r"\d{1,2}", words[at]) and 1 <= int(words[at]) <= 12:
        return int(words[at]), 1
    value, count = small(words, at)
    return (value, count) if count == 1 and 1 <= value <= 12 else (0, 0)


def _half(parts: Sequence[_Part], at: int) -> tuple[str, int]:
    """`a.m.` or `p.m.` at `at`, and of how many words."""
    low = parts[at].low if at < len(parts) else ""
    if low.replace(".", "") in ("am", "pm"):
        return f"{low[0]}.m.", 1
    if low in ("a", "p") and at + 1 < len(parts) and parts[at + 1].low in ("m", "m."):
        return f"{low}.m.", 2
    return "", 0


def _year(parts: Sequence[_Part], at: int) -> _Found:
    words = _unbroken(parts, at)
    found = year(words, 0)
    return (str(found[0]), found[1]) if found is not None and found[1] > 1 else None


def _ordinal(parts: Sequence[_Part], at: int) -> _Found:
    """An ordinal from `fourth` on: `first`, `second` and `third` are mostly no numbers."""
    words = _unbroken(parts, at)
    found = ordinal(words, 0)
    if found is None or (found[1] == 1 and found[0] <= 3):
        return None
    value, count = found
    ending = "th" if value % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{ending}", count


def _cardinal(parts: Sequence[_Part], at: int) -> _Found:
    """A number; `one` alone is mostly none (`this one`)."""
    words = _unbroken(parts, at)
    found = cardinal(words)
    if found is None or (words[:1] == ["one"] and found[1] == 1):
        return None
    value, count = found
    if count == 1 and literal(words[0]) is not None:
        return None
    if words[count : count + 3] == ["and", "a", "half"]:
        return _plain(value + Decimal("0.5")), count + 3
    return _plain(value), count


def _plain(value: Decimal) -> str:
    return str(int(value)) if value == value.to_integral_value() else f"{value.normalize():f}"


_WAYS: Final[tuple[Callable[[Sequence[_Part], int], _Found], ...]] = (
    _address, _site, _money, _percent, _date, _time, _letters, _digits, _year, _ordinal, _cardinal,
)  # fmt: skip
"""Ways to read what begins at a word, the first that can counts."""
