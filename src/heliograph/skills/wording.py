"""The fields that a prompt asks for in words, as a schema: `Extract invoice_id, date and a list of items with description and price`.

Read in this order: a JSON block, a table or a list of names (`derive`); the lines of a list; the sentences. Of a sentence, what
stands behind a word such as `extract` is parted at commas and `and`s; each part is a field (`phrases`, `naming`). A part in the
plural, or behind `a list of`, is a list; what stands behind its `with`, or in its brackets, are the columns. What is no field (`from
invoices`, `as JSON`, `do not guess`) is passed over; a prompt that names no field gives no schema.

English mostly; the commonest words of German, French, Spanish and Italian are known (`grammar`).
"""

from __future__ import annotations

import re
from typing import Any, cast

import msgspec

from heliograph.extraction.vocabulary import split_name
from heliograph.skills import grammar, naming
from heliograph.skills.derive import derive
from heliograph.skills.naming import identifier, is_plural, singular
from heliograph.skills.phrases import Asked, field_of, is_document, shared, undetermined

Json = dict[str, Any]

MOST_FIELDS = 100
LONGEST = 20_000
"""Characters of a prompt that are read."""


def schema_from(prompt: str) -> Json | None:
    """A schema of the fields that `prompt` asks for, every one nullable, or None."""
    prompt = re.sub(r"(?<=\w)\(s\)", "s", re.sub("[\x00-\x08]", " ", prompt[:LONGEST]))
    bullets = [line for line in prompt.splitlines() if grammar.BULLET.match(line)]
    derived = derive(prompt) or (derive(f"```json\n{found[0]}\n```") if (found := re.search(r"\{.*\}", prompt, re.S)) else None)
    if derived is not None and len(cast("Json", derived.get("properties", {}))) >= len(bullets):
        return derived
    fields = _unique(_of_lines(prompt) or _of_sentences(prompt))
    return _object(fields) if fields else derived


# -- what a prompt is made of ------------------------------------------------------------------------------------------


def _of_lines(prompt: str) -> list[Asked]:
    """The fields of a list: its lines are bullets, or short lines behind one that ends with a colon."""
    fields: list[Asked] = []
    above: list[tuple[int, Asked]] = []
    opened = False
    for line in prompt.splitlines():
        bullet = grammar.BULLET.match(line)
        text = bullet["text"] if bullet else line.strip()
        short = opened and text and len(text.split()) <= naming.MOST_WORDS and not text.endswith((".", ":"))
        if not bullet and not short:
            opened = text.endswith(":") if text else opened
            continue
        if grammar.RULE.match(text):
            continue
        indent = len(bullet["indent"].expandtabs(4)) if bullet else 0
        while above and above[-1][0] >= indent:
            above.pop()
        made = _of_line(text)
        if above:
            parent = above[-1][1]
            parent.columns = [*(parent.columns or []), *made]
        else:
            fields += made
        if len(made) == 1:
            above.append((indent, made[0]))
    return fields if len(fields) > 1 or any(field.columns for field in fields) else []


def _of_line(text: str) -> list[Asked]:
    verb = grammar.LEADING_VERB.match(text)
    text = text[verb.end() :] if verb else text
    head, colon, note = _parted(text)
    if colon and len(head.split()) <= naming.MOST_WORDS and "," not in head and (field := field_of(head, stated=note)) is not None:
        return [field]
    return _listed(text.rstrip(".:;"))


def _parted(text: str) -> tuple[str, str, str]:
    """A line's name and what it says of it, where a colon or dash parts them."""
    found = re.search(r"\*{0,2}\s*:\*{0,2}\s+|\s+[-–—]\s+", text)
    return (text[: found.start()], found[0], text[found.end() :]) if found else (text, "", "")


def _of_sentences(prompt: str) -> list[Asked]:
    sentences = [" ".join(part.split()) for part in grammar.SENTENCE.split(prompt) if part.strip()]
    sentences = [grammar.PREAMBLE.sub("", sentence, count=1) for sentence in sentences if not grammar.RULE.match(sentence)]
    for asking in grammar.ASKING:
        fields = [
            field for sentence in sentences if (verb := _begun(sentence) or asking.search(sentence)) for field in _asked(sentence, verb)
        ]
        if fields:
            return fields
    if len(sentences) == 1 and not any(asking.search(sentences[0]) for asking in grammar.ASKING):
        only = sentences[0]
        if headed := grammar.HEADED.match(only):
            return _listed(only[headed.end() :])
        if re.search(r",|:|\w_\w", only):
            return _listed(only)
    return []


def _begun(sentence: str) -> re.Match[str] | None:
    """The verb that a sentence begins with, where what stands behind it is asked for: not `read the document and extract ...`."""
    verb = grammar.LEADING_VERB.match(sentence)
    if verb is None:
        return None
    words = re.findall(r"[\w-]+", grammar.BETWEEN.split(grammar.BRACKETS.sub("", sentence[verb.end() :]), 1)[0].casefold())
    about = any(singular(word) in grammar.DOCUMENTS for word in words)
    return verb if words and (words[-1] in grammar.GENERAL | grammar.EVERYBODYS or not about) else None


def _asked(sentence: str, verb: re.Match[str]) -> list[Asked]:
    """The fields that a sentence asks for behind its verb."""
    before, text = sentence[: verb.start()], grammar.DROPPED.sub("", sentence[verb.end() :]).strip(" .:")
    if found := grammar.FIELDS.match(text):
        text = text[found.end() :]
    for opening in (grammar.HEADED, grammar.OUT_OF, grammar.INTO):
        if found := opening.match(text):
            text = text[found.end() :]
            if opening is grammar.HEADED:
                break
    head, colon, rest = text.partition(":")
    if colon and is_document(head):
        text = rest
    if re.search(r",|\band\b", text):
        text = grammar.VALUES.sub("", text)
    each = grammar.FOR_EACH.search(before.strip(" ,"))
    if each and not is_document(each["what"]) and not each["rest"]:
        columns = _listed(text)
        name = identifier(naming.plural(each["what"]))
        return [Asked(name, naming.STRING, several=True, columns=columns, complete=True)] if name and columns else columns
    return _listed(text)


# -- a list in a sentence ----------------------------------------------------------------------------------------------


def _listed(text: str) -> list[Asked]:
    """The fields of `a, b (c) and d with e and f`."""
    text = grammar.BINOMIALS.sub(lambda found: f"{found[1]}\x01{found[2]}\x01{found[3]}", grammar.ONE_OF.sub(r" (one of: \1)", text))
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found[1])
        return f" \x02{len(kept) - 1}\x03"

    parts = shared(grammar.BETWEEN.split(grammar.BRACKETS.sub(keep, text)))
    listing = _Listing()
    for separator, part in zip(["", *parts[1::2]], parts[::2], strict=True):
        listing.add(separator.strip().casefold(), part.strip(" .:"), kept)
    return listing.fields


class _Listing:
    """Takes the parts of a list one by one: each is a field, or a column of the field before it."""

    def __init__(self) -> None:
        self.fields: list[Asked] = []
        self._rows: Asked | None = None
        """The field whose columns are being said."""
        self._determined = False
        """Whether its first column came with an article, so that the next one may too."""
        self._closed = False
        """Whether an `and` said that its last column was the last."""
        self._placed = False
        """Whether the field before was said to be `from` something, of which there may be more."""
        self._owner = ""
        """Whose the fields are, after `the seller's name`."""

    def add(self, separator: str, part: str, kept: list[str]) -> None:
        """The next part; `kept`: what stood in brackets."""
        if self._rows is not None and self._ends(separator, part):
            self._rows = None
        verb = grammar.LEADING_VERB.match(part)
        bare, inside = _inside((part[verb.end() :] if verb else part).replace("\x01", " "), kept)
        if not bare or ((self._placed or not self.fields) and is_document(bare)):
            return
        joined = separator not in ("", ",", ";", "、", "，")
        each = grammar.FOR_EACH.match(bare)
        if self._rows is not None:
            self._column(bare, inside)
            self._closed = joined
        elif each:
            self._each(each, inside)
        elif self.fields and self.fields[-1].several and bare.casefold().partition(" ")[0] in grammar.PARTS:
            self._rows, self._determined, self._closed = self.fields[-1], False, joined
            self._column(_singular(bare), inside)
        else:
            self._field(bare, inside)

    def _ends(self, separator: str, part: str) -> bool:
        """Whether a part is no column any more."""
        if self._closed or separator == ";" or any(word in separator for word in ("as well", "along", "together", "plus")):
            return True
        if any(turn.match(part) for turn in (grammar.OWNED, grammar.LISTED, grammar.FOR_EACH, grammar.LEADING_VERB)):
            return True
        return not self._determined and grammar.DETERMINER.match(part) is not None

    def _field(self, bare: str, inside: str) -> None:
        field, columns, self._owner = _item(bare, inside, self._owner)
        if field is None:
            return
        self.fields.append(field)
        self._placed = grammar.PLACED.search(bare) is not None
        if columns is not None:
            self._open(field, columns, "")

    def _each(self, each: re.Match[str], inside: str) -> None:
        """`for each item the price`; for each document is for all."""
        name = identifier(naming.plural(each["what"]))
        if name and not is_document(each["what"]):
            self.fields.append(Asked(name, naming.STRING, several=True, complete=True))
            self._open(self.fields[-1], (each["rest"] or "").strip(" :"), inside)

    def _open(self, field: Asked, first: str, inside: str) -> None:
        """What follows are columns of `field`, of which `first` is the first."""
        self._rows, self._determined, self._closed = field, grammar.DETERMINER.match(first) is not None, False
        if first:
            self._column(first, inside)

    def _column(self, phrase: str, inside: str) -> None:
        column = field_of(phrase, inside=inside, column=True)
        if self._rows is not None and column is not None:
            self._rows.columns = [*(self._rows.columns or []), column]


def _singular(phrase: str) -> str:
    """`their roles` as `role`."""
    *before, last = phrase.split()[1:] or [""]
    return " ".join([*before, singular(last)])


def _inside(part: str, kept: list[str]) -> tuple[str, str]:
    """A part without its brackets, and what they held."""
    inside = [kept[int(number)] for number in re.findall("\x02(\\d+)\x03", part)]
    return re.sub("\\s*\x02\\d+\x03", "", part).strip(), "; ".join(inside)


def _item(part: str, inside: str, owner: str) -> tuple[Asked | None, str | None, str]:
    """The field of a part; where it opens a list of columns the first of them, else None; and whose the next fields are."""
    part = grammar.DETAILS.sub(lambda found: naming.plural(found["what"]), part)
    listed = grammar.LISTED.match(part)
    each = listed is not None and listed[0].casefold().startswith(("each", "every"))
    rest = part[listed.end() :] if listed else part
    mine = "" if listed or grammar.DETERMINER.match(rest) else owner
    rest = undetermined(rest)
    if (found := grammar.OWNED.match(rest)) is not None and not grammar.COMPOUND.match(rest):
        mine, rest = ("" if is_document(found["owner"]) else found["owner"]), found["rest"]
        if is_document(found["owner"]) and set(rest.casefold().split()) <= grammar.EVERYBODYS | grammar.GENERAL:
            rest = f"{found['owner']} {rest}"
        if each and not is_document(mine):
            field = field_of(naming.plural(mine), several=True)
            if field is not None:
                field.complete = True
            return field, rest, ""
    opening = grammar.WITH.search(rest)
    head = rest[: opening.start()] if opening else rest
    if each and opening:
        head = naming.plural(head)
    of = listed is not None and not re.match(r"all\b", listed[0], re.I)
    many = of or is_plural(head.partition(":")[0])
    if opening and many:
        field = field_of(f"{mine} {head}" if mine else head, inside=inside, several=True)
        return field, rest[opening.end() :], mine
    name, colon, after = rest.partition(":")
    if colon and many and after.strip() and naming.stated(after)[0] is None:
        return field_of(name, inside=inside, several=True), after.strip(), mine
    full = f"{mine} {rest}" if mine else rest
    if mine and set(grammar.TAIL.split(rest)[0].casefold().split()) <= grammar.EVERYBODYS:
        rest = full
    field = (
        field_of(rest, inside=inside, several=True)
        if (of and not each) or (listed and is_plural(grammar.TAIL.split(rest)[0]))
        else field_of(rest, inside=inside)
    )
    if field is not None:
        field.full = full
    return field, None, mine


def _completed(field: Asked) -> Asked:
    """A list with the columns that go without saying: those that everybody knows, and what the things of a list are."""
    if not field.several:
        return field
    words = split_name(field.name).casefold().split()
    if field.columns is None:
        usual = grammar.ROWS.get(words[-1], []) if len(words) == 1 or words[0] in grammar.ROWS_OF else []
        field.columns = [Asked(name, naming.usual(name, name.replace("_", " "), column=True)) for name in usual] or None
        return field
    told = {word for column in field.columns for word in split_name(column.name).casefold().split()}
    if not field.complete and words[-1] not in grammar.ROW_WORDS | grammar.SERIES and not told & (grammar.TELLING | {singular(words[-1])}):
        field.columns = [Asked("name", naming.STRING), *field.columns]
    return field


# -- the schema --------------------------------------------------------------------------------------------------------


def _unique(fields: list[Asked]) -> list[Asked]:
    """Each name once; fields that differ only in whose they are, or in what is said of them, by all their words."""
    fulls: dict[str, set[str]] = {}
    for field in fields:
        fulls.setdefault(field.name, set()).add(field.full.casefold())
    found: dict[str, Asked] = {}
    for field in fields:
        name = (identifier(field.full) if len(fulls[field.name]) > 1 else None) or field.name
        if name not in found and len(found) < MOST_FIELDS:
            columns = _unique(field.columns) if field.columns else None
            found[name] = _completed(msgspec.structs.replace(field, name=name, columns=columns))
    return list(found.values())


def _object(fields: list[Asked]) -> Json:
    return {"type": "object", "properties": {field.name: _shape(field) for field in fields}}


def _shape(field: Asked) -> Json:
    note = {"description": field.note[:300]} if field.note else {}
    if field.columns:
        items = _object(field.columns)
        return {**({"type": "array", "items": items} if field.several or is_plural(field.name) else items), **note}
    if field.several:
        return {"type": "array", "items": dict(field.kind), **note}
    return {"anyOf": [dict(field.kind), {"type": "null"}], **note}
