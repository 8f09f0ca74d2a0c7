"""Lists: rows of tables, item lines of receipts, and lists of scalars.

A table is found by its headings: a row in which several fields of the item are named. Its columns are the headings' places, its
rows those under it in which the amounts stand, until totals begin; lines between rows continue a text. Receipts often
have no headings: there an item is a line of text that ends in an amount, above the totals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from heliograph.extraction.candidates import Found, Part, read_as
from heliograph.extraction.careers import Told, entries, listed, named
from heliograph.extraction.chapters import Chapter, chapters, lines
from heliograph.extraction.columns import Column, cells_of, columns_of, is_carried, is_extra, totals_begin
from heliograph.extraction.confidence import probability
from heliograph.extraction.fields import Ask, understand
from heliograph.extraction.instructions import TOLD, Hints
from heliograph.extraction.itemlines import item_lines
from heliograph.extraction.labels import Finder, Occurrence
from heliograph.extraction.normalise import Conventions, amounts, dates
from heliograph.extraction.pairs import pairs
from heliograph.extraction.result import Leaf, Path
from heliograph.extraction.schema import Field
from heliograph.extraction.segments import Segment, Sheet
from heliograph.extraction.vocabulary import Tokens, split_name, tokens_of

_NUMERIC = frozenset({"money", "number", "integer", "percent"})
_PROSE = 6
"""Words of a row over the first item from which on it is a sentence, and no part of the item."""
_BULLET = re.compile(r"^\s*(?:[•●▪■◦*·–—-]|\(?\d{1,2}[.)])\s+")
_STATED = 1.0
"""Score of a table that the file states."""
_MARK = re.compile(r"[•●▪■◦*·–—-]|\(?\d{1,2}[.)]")
"""A bullet that stands further from its text than words stand apart."""


class Row(msgspec.Struct):
    """One item of a list: its leaves by path within the item (`()` for a scalar)."""

    leaves: dict[Path, Leaf]
    reasons: dict[Path, dict[str, float]] = {}
    lists: dict[str, list[Row]] = {}
    """The rows of lists in the item, by their field."""


class _Item(msgspec.Struct):
    """Cells of an item being read: parts by column."""

    cells: dict[int, list[Part]]


class Rows:
    """Finds the rows that answer a list field. Rows answer one list only."""

    def __init__(self, sheets: list[Sheet], writing: Conventions, used: set[Part], hinted: Hints | None = None) -> None:
        self.sheets, self.writing, self.used = sheets, writing, used
        self.hinted: Hints = hinted or {}
        self.claimed: set[tuple[int, int]] = set()
        self.reasons: dict[Path, dict[str, float]] = {}
        self.ready: dict[str, list[Row]] = {}
        self._why: dict[int, dict[str, float]] = {}
        self._chapters: list[Chapter] | None = None

    def inside(self, row: Row | None = None) -> Rows:
        """For lists inside items: those that were read with the item, and nothing more to find."""
        made = Rows([], self.writing, self.used)
        made.ready, made.reasons = row.lists if row is not None else {}, self.reasons
        return made

    def find(self, field: Field) -> list[Row]:
        """The rows that answer `field`, in document order."""
        if field.name in self.ready:
            return self.ready[field.name]
        if field.item is None or not self.sheets:
            return []
        if field.item.is_leaf:
            return self._scalars(field)
        asked = list(_asked(field.item, (), (field.name,), self.hinted))
        if not asked:
            return []
        rows = self._tables(asked)
        if max((len(row.leaves) for row in rows), default=0) >= 3:
            rows = [row for row in rows if len(row.leaves) > 1]  # a lone cell among full rows is no item
        return rows or self._item_lines(asked) or self._chaptered(field) or self._names(field)

    def others(self, field: Field) -> Iterator[tuple[str, Leaf]]:
        """For an open map: labels of the document with their values, those that no field of the schema answers."""
        if field.others is None:
            return
        answered = {(segment.page, segment.index) for segment, _, _ in self.used}
        for sheet in self.sheets:
            for label, segment, start, end in pairs(sheet):
                if (segment.page, segment.index) in answered:
                    continue
                ask = understand(msgspec.structs.replace(field.others, name=label))
                if field.others.kind in ("string", "any") and not field.others.format and not field.others.enum:
                    ask = msgspec.structs.replace(ask, kind="text", concept=None)
                for found in read_as(ask, segment.text, self.writing, start=start, end=end)[:1]:
                    if found.start > start + 1:
                        continue  # a number inside a code
                    leaf = self._answer(ask, found.value, [(segment, found.start, found.end)], 0.7, found.quality)
                    self._why.pop(id(leaf), None)
                    yield label, leaf

    # tables with headings

    def _tables(self, asked: list[tuple[Path, Ask]]) -> list[Row]:
        asks = [ask for _, ask in asked]
        finder = Finder(asks)
        best: list[tuple[float, list[Column], Sheet, int, int]] = []
        for sheet in self.sheets:
            occurrences = [o for o in finder.find(sheet) if o.fit >= 0.6]
            by_row: dict[int, list[Occurrence]] = {}
            for occurrence in occurrences:
                by_row.setdefault(occurrence.segment.row, []).append(occurrence)
            for first in sorted(by_row):
                made = self._heading(sheet, by_row, first, asks)
                if made is not None and (sheet.page.index, first) not in self.claimed:
                    best.append(made)
        if not best:
            return []
        top = max(best, key=lambda entry: entry[0])
        chosen: list[tuple[float, list[Column], Sheet, int, int]] = []
        for entry in best:
            same = entry[0] >= 0.75 * top[0] and {c.ask for c in entry[1]} >= {c.ask for c in top[1]} - {-1}
            if (entry is top or same) and not any(e[2] is entry[2] and e[3] <= entry[3] <= e[4] for e in chosen):
                chosen.append(entry)
        found: list[Row] = []
        for _, columns, sheet, first, last in chosen:
            self.claimed.update((sheet.page.index, row) for row in range(first, last + 1))
            items = self._body(sheet, last, columns, asks)
            found += [row for item in items if (row := self._row(item, columns, asked)) is not None]
        return found

    def _heading(
        self, sheet: Sheet, by_row: dict[int, list[Occurrence]], first: int, asks: list[Ask]
    ) -> tuple[float, list[Column], Sheet, int, int] | None:
        last = first
        while last + 1 < len(sheet.rows) and last - first < 2:
            upper, lower = sheet.rows[last], sheet.rows[last + 1]
            gap = min(s.y0 for s in lower) - max(s.y1 for s in upper)
            numbers = any(a.decimals == 2 for s in lower for a in amounts(s.text, self.writing.decimal))
            if (
                gap > 0.9 * sheet.height
                or numbers
                or any(dates(s.text) for s in lower)
                or not (by_row.get(last + 1) or len(lower) <= len(upper))
            ):
                break
            if not by_row.get(last + 1):
                break
            last += 1
        first, last = self._beside(sheet, first, last)
        columns = columns_of([segment for row in sheet.rows[first : last + 1] for segment in row])
        pairs: list[tuple[float, int, int]] = []
        for row in range(first, last + 1):
            for occurrence in by_row.get(row, ()):
                segment = occurrence.segment
                if len(segment.text) > 45 or occurrence.colon:
                    continue
                share = (segment.x1 - segment.x0) / max(1, len(segment.text))
                x = segment.x0 + share * (occurrence.start + occurrence.end) / 2
                for index, column in enumerate(columns):
                    if column.x0 - 1 <= x <= column.x1 + 1 and not column.is_of_another(asks[occurrence.ask]):
                        pairs.append((occurrence.fit, index, occurrence.ask))
        taken: set[int] = set()
        for fit, index, ask in sorted(pairs, key=lambda pair: (-round(pair[0], 2), -pair[1] if asks[pair[2]].kind == "money" else pair[1])):
            if columns[index].ask < 0 and ask not in taken:
                columns[index].ask, columns[index].fit = ask, fit
                taken.add(ask)
        if len(taken) < 2:
            return None
        numeric = any(asks[ask].kind in _NUMERIC or asks[ask].kind in ("date", "id") for ask in taken)
        if not numeric and len(taken) < 3 and len(asks) > 2:
            return None
        return sum(column.fit for column in columns if column.ask >= 0), columns, sheet, first, last

    def _beside(self, sheet: Sheet, first: int, last: int) -> tuple[int, int]:
        """Rows of headings with those that stand beside them: a heading of two lines begins over and ends under one of a single line."""
        top, bottom = min(s.y0 for s in sheet.rows[first]), max(s.y1 for s in sheet.rows[last])

        def heads(row: int) -> bool:
            return len(sheet.rows[row]) <= len(sheet.rows[last]) and not any(
                dates(s.text) or any(a.decimals == 2 for a in amounts(s.text, self.writing.decimal)) for s in sheet.rows[row]
            )

        while first and top - max(s.y1 for s in sheet.rows[first - 1]) < 0.25 * sheet.height and heads(first - 1):
            first -= 1
        while last + 1 < len(sheet.rows) and min(s.y0 for s in sheet.rows[last + 1]) - bottom < 0.25 * sheet.height and heads(last + 1):
            last += 1
        return first, last

    def _body(self, sheet: Sheet, last: int, columns: list[Column], asks: list[Ask]) -> list[_Item]:
        anchors = [i for i, column in enumerate(columns) if column.ask >= 0 and asks[column.ask].kind == "money"]
        anchors = anchors or [
            i for i, column in enumerate(columns) if column.ask >= 0 and asks[column.ask].kind in (*_NUMERIC, "date", "id")
        ]
        anchor = anchors[-1] if anchors else next((i for i, column in enumerate(columns) if column.ask >= 0), 0)
        texts = [i for i, column in enumerate(columns) if column.ask >= 0 and asks[column.ask].kind not in _NUMERIC]
        numbers = [i for i, column in enumerate(columns) if column.ask >= 0 and asks[column.ask].kind in _NUMERIC]
        items: list[_Item] = []
        pending: list[dict[int, list[Part]]] = []
        above = False
        bottom = max((s.y1 for s in sheet.rows[last]), default=0.0)
        table = _table_of(sheet, last)
        for number in range(last + 1, len(sheet.rows)):
            row = sheet.rows[number]
            gap = (min(s.y0 for s in row) - bottom) / sheet.height
            cells = cells_of(row, columns)
            if is_carried(row):
                bottom = max(s.y1 for s in row)
                continue
            extra = is_extra(row) and sum(self._has(cells.get(i), asks[columns[i].ask]) for i in numbers) > 1
            within = not (items and table) or any(word in table for segment in row for word in segment.words)
            if (totals_begin(row) and not extra) or (gap > 5 and items and len(cells) < 3) or gap > 9 or not (within or anchors):
                break
            filled = self._has(cells.get(anchor), asks[columns[anchor].ask]) if columns[anchor].ask >= 0 else bool(cells.get(anchor))
            if filled:
                item = _Item(cells)
                if pending and len(pending[-1]) >= 3 and gap < 1.2:  # the amount stands half a line under its row
                    for i, parts in pending.pop().items():
                        item.cells[i] = [*parts, *item.cells.get(i, [])]
                own = any(cells.get(i) for i in texts)
                if pending and (not own or above or not items):
                    if not own or not items or above:
                        above = not own or above
                        for extra in pending:
                            for i, parts in extra.items():
                                item.cells[i] = [*parts, *item.cells.get(i, [])] if i in texts else item.cells.get(i, parts)
                        pending = []
                elif pending and items:
                    self._continue(items[-1], pending, texts)
                pending = []
                items.append(item)
                self.claimed.add((sheet.page.index, number))
            elif any(cells.get(i) for i in texts) or not anchors:
                if gap > 4.5 and items and not above and len(cells) < 3:
                    break
                counted = any(self._has(cells.get(i), asks[columns[i].ask]) for i in numbers)
                if within and (items or counted or sum(len(segment.words) for segment in row) < _PROSE):
                    pending.append(cells)
            bottom = max(s.y1 for s in row)
        if pending and items and not above:
            self._continue(items[-1], pending, texts)
        return items

    def _continue(self, item: _Item, pending: list[dict[int, list[Part]]], texts: list[int]) -> None:
        for extra in pending[:4]:
            if set(extra) - set(texts) and len(extra) > 2:
                break
            for i, parts in extra.items():
                if i in texts and item.cells.get(i):
                    item.cells[i] = [*item.cells[i], *parts]
                elif i in texts:
                    item.cells[i] = parts

    def _has(self, parts: list[Part] | None, ask: Ask) -> bool:
        return bool(parts) and any(read_as(ask, segment.text, self.writing, start=start, end=end) for segment, start, end in parts or ())

    def _row(self, item: _Item, columns: list[Column], asked: list[tuple[Path, Ask]]) -> Row | None:
        leaves: dict[Path, Leaf] = {}
        for index, column in enumerate(columns):
            parts = item.cells.get(index)
            if column.ask < 0 or not parts:
                continue
            path, ask = asked[column.ask]
            leaf = self._leaf(ask, parts, column.fit)
            if leaf is not None:
                leaves[path] = leaf
        if not any(leaf.value is not None for leaf in leaves.values()):
            return None
        row = self._made(leaves)
        self._agree(leaves, asked)
        return row

    def _leaf(self, ask: Ask, parts: list[Part], fit: float) -> Leaf | None:
        if ask.kind in ("text", "org", "person", "name", "address", "title"):
            pieces = [(s, a, b) for s, a, b in parts if s.text[a:b].strip()]
            lettered = [(s, a, b) for s, a, b in pieces if any(c.isalpha() for c in s.text[a:b])]
            pieces = lettered or pieces
            if "name" in tokens_of(split_name(ask.field.name)):
                pieces = _first_sentence(_uncoded(pieces))
            text = " ".join(s.text[a:b].strip() for s, a, b in pieces).strip()
            text = text.rstrip(":,; ")
            if not text or not any(c.isalnum() for c in text):
                return None
            return self._answer(ask, text, pieces, fit, 0.9)
        read: list[tuple[Segment, Found]] = []
        for segment, start, end in parts:
            found: list[Found] = read_as(ask, segment.text, self.writing, start=start, end=end)
            if found:
                best = found[-1] if ask.kind == "money" else found[0]
                read.append((segment, best))
        if not read:
            return None
        segment, best = max(read, key=lambda entry: entry[1].quality)
        return self._answer(ask, best.value, [(segment, best.start, best.end)], fit, best.quality)

    def _answer(self, ask: Ask, value: Any, parts: list[Part], fit: float, quality: float) -> Leaf:
        evidence = [segment.evidence(start, end) for segment, start, end in parts]
        kind = ask.concept.kind if ask.concept is not None else ask.kind
        why = {
            "row": 1.0,
            "score": 1.0 + 2 * (fit - 0.6),
            "fit": fit,
            "quality": quality,
            "unread": max(0.0, 0.95 - min(part.score for part in evidence)),
            "lines": float(len(parts) > 1),
            f"row:{kind}": 1.0,
        }
        leaf = Leaf(value, "found", "exact", probability(why), evidence)
        self._why[id(leaf)] = why
        return leaf

    def _made(self, leaves: dict[Path, Leaf]) -> Row:
        reasons = {path: self._why.pop(id(leaf), {}) for path, leaf in leaves.items()}
        for path, why in reasons.items():
            why["row:full"] = min(1.0, len(leaves) / 4)
            leaves[path].probability = probability(why)
        return Row(leaves, reasons)

    def _agree(self, leaves: dict[Path, Leaf], asked: list[tuple[Path, Ask]]) -> None:
        """Where quantity x price = total, all three are surer, and so is that this is an item."""
        by_concept = {ask.concept.id: path for path, ask in asked if ask.concept is not None and path in leaves}
        names = ("item.quantity", "item.unit_price", "item.total")
        if not all(name in by_concept for name in names):
            return
        quantity, price, total = (leaves[by_concept[name]] for name in names)
        if (
            all(isinstance(leaf.value, (int, float)) for leaf in (quantity, price, total))
            and abs(quantity.value * price.value - total.value) < 0.011
        ):
            for leaf in (quantity, price, total):
                leaf.probability = min(0.99, leaf.probability + 0.5 * (1 - leaf.probability))
            described = by_concept.get("item.description")
            if described is not None:
                leaf = leaves[described]
                leaf.probability += 0.4 * (1 - leaf.probability)

    def _item_lines(self, asked: list[tuple[Path, Ask]]) -> list[Row]:
        told = item_lines(self.sheets[0], self.writing, asked)
        return [self._made({one.path: self._answer(one.ask, one.value, one.parts, 0.7, one.quality) for one in line}) for line in told]

    # chapters

    def _chaptered(self, field: Field) -> list[Row]:
        """The entries of the chapter that a list asks for."""
        if self._chapters is None:
            self._chapters = chapters(self.sheets)
        return [self._entry(told) for told in entries(field, self._chapters, self.writing)]

    def _entry(self, told: list[Told]) -> Row:
        leaves: dict[Path, Leaf] = {}
        lists: dict[str, list[Row]] = {}
        for one in told:
            ask = understand(one.field.item if one.field.item is not None else one.field, in_row=True)
            leaf = self._answer(ask, one.value, one.parts, 0.9, 0.9)
            if one.place is None:
                leaves[(one.field.name,)] = leaf
            else:
                lists.setdefault(one.field.name, []).append(self._made({(): leaf}))
        row = self._made(leaves)
        row.lists = lists
        return row

    def _names(self, field: Field) -> list[Row]:
        """A list of things with names and little more, given as one: `Databases: PostgreSQL, Redis (expert)`."""
        item = field.item
        name = named(item) if item is not None else None
        if item is None or name is None:
            return []
        halves = dict.fromkeys(map(tuple, _halves(field)), TOLD)
        ask = understand(msgspec.structs.replace(name, name=field.name, title=field.title, description=""), hints=halves)
        for sheet in self.sheets:
            for at in Finder([ask]).find(sheet):
                if at.fit < 0.85 or at.segment.text[: at.start].strip():
                    continue
                rows = [line for line in lines(sheet, at.segment.row) if any(segment is at.segment for _, segment in line.places)]
                place = next((begin for line in rows for begin, segment in line.places if segment is at.segment), 0)
                told = [one for line in rows for one in listed(item, name, [(line, place + at.end, len(line.text))])]
                if told:
                    return [self._entry(one) for one in told]
        return []

    # lists of scalars

    def _scalars(self, field: Field) -> list[Row]:
        item = field.item
        if item is None:
            return []
        named = msgspec.structs.replace(item, name=field.name, title=field.title, description=field.description or item.description)
        ask = understand(named, hints={**self.hinted.get(field.path, {}), **self.hinted.get(item.path, {})})
        finder = Finder([ask])
        for sheet in self.sheets:
            for occurrence in finder.find(sheet):
                if occurrence.fit < 0.85:
                    break
                rows = list(self._listed(ask, occurrence, sheet))
                if rows:
                    return rows
        return []

    def _listed(self, ask: Ask, occurrence: Occurrence, sheet: Sheet) -> Iterator[Row]:
        segment = occurrence.segment
        rest = segment.text[occurrence.end :].lstrip(" :")
        if rest:
            yield from self._split(ask, segment, len(segment.text) - len(rest))
            return
        right = next(iter(sheet.right_of(segment)), None)
        if right is not None and occurrence.heading and (right.x0 - segment.x1) < 12 * segment.height:
            yield from self._split(ask, right, 0)
            return
        bottom = segment.y1
        bulleted: bool | None = None
        for row in sheet.rows[segment.row + 1 :]:
            line = next((s for s in row if abs(s.x0 - segment.x0) < 4 * segment.height), None)
            if (
                line is None
                or line.y0 - bottom > 1.8 * segment.height
                or line.text.rstrip().endswith(":")
                or line.height > 1.25 * segment.height
            ):
                return
            mark = _BULLET.match(line.text)
            after = next((s for s in row if s.x0 >= line.x1), None) if _MARK.fullmatch(line.text) else None
            marked = mark is not None or after is not None
            if bulleted is None:
                bulleted = marked
                if not bulleted and "," in line.text:
                    yield from self._split(ask, line, 0)
                    return
            if bulleted and not marked:
                return
            line, start = (after, 0) if after is not None else (line, mark.end() if mark else 0)
            for found in read_as(ask, line.text, self.writing, start=start)[:1]:
                yield self._made({(): self._answer(ask, found.value, [(line, found.start, found.end)], occurrence.fit, found.quality)})
            bottom = line.y1

    def _split(self, ask: Ask, segment: Segment, start: int) -> Iterator[Row]:
        for piece in re.finditer(r"[^,;|•●·]+", segment.text[start:]):
            text = piece.group()
            if not text.strip():
                continue
            for found in read_as(ask, segment.text, self.writing, start=start + piece.start(), end=start + piece.end())[:1]:
                yield self._made({(): self._answer(ask, found.value, [(segment, found.start, found.end)], 0.9, found.quality)})


def _table_of(sheet: Sheet, row: int) -> set[int]:
    """The words of the table that the whole of a row stands in, where the file itself says what is a table; else none.

    Tables that were found on a picture often end too early: held to them too, drawn documents lost as many values as they gained.
    """
    heads = {word for segment in sheet.rows[row] for word in segment.words}
    tables = ({word for cell in table.cells for word in cell.words} for table in sheet.page.tables if table.score >= _STATED)
    return next((words for words in tables if heads <= words), set[int]())


def _halves(field: Field) -> Iterator[Tokens]:
    """The names of a list that says it is of two things: `frameworks_libraries`, `Frameworks and libraries`."""
    words = tokens_of(split_name(field.name))
    if len(words) == 2 and f"{words[0]} and {words[1]}" in " ".join(tokens_of(field.description)):
        yield words[:1]
        yield words[1:]


def _asked(field: Field, path: Path, parents: tuple[str, ...], hinted: Hints) -> Iterator[tuple[Path, Ask]]:
    if field.is_leaf:
        yield path, understand(field, parents[-1:], in_row=True, hints=hinted.get(field.path, {}))
    elif field.kind == "object":
        for child in field.fields:
            yield from _asked(child, (*path, child.name), (*parents, field.name) if field.name else parents, hinted)


def _uncoded(pieces: list[Part]) -> list[Part]:
    """The lines of a name without the number of the article on the line over it."""
    first, start, end = pieces[0]
    code = first.text[start:end].strip()
    named = any(piece.row != first.row and any(c.isalpha() for c in piece.text[a:b]) for piece, a, b in pieces[1:])
    return pieces[1:] if named and " " not in code and any(c.isdigit() for c in code) else pieces


def _first_sentence(pieces: list[Part]) -> list[Part]:
    """The lines of a name: what follows belongs to it only where a line broke off, at a comma or at the column's edge."""
    widest = max(segment.x1 - segment.x0 for segment, _, _ in pieces)
    kept = pieces[:1]
    for piece in pieces[1:]:
        last, start, end = kept[-1]
        text = last.text[start:end].rstrip()
        full = len(pieces) > 2 and last.x1 - last.x0 > 0.92 * widest
        if piece[0].row != last.row and not text.endswith((",", "-", "/", "&", "(")) and not full:
            break
        kept.append(piece)
    return kept
