"""Tables and pictures among the blocks of a page, where they stand in reading order."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from heliograph.media.document import Block, Line, Table
from heliograph.media.geometry import Box, union
from heliograph.perception.layout import place_of


def with_tables(blocks: Sequence[Block], lines: Sequence[Line], tables: Sequence[Table]) -> list[Block]:
    """The blocks, with one for each table in place of the lines it holds."""
    owner: dict[int, int] = {}
    for number, table in enumerate(tables):
        members = {index for cell in table.cells for index in cell.words}
        for index, line in enumerate(lines):
            if 2 * sum(word in members for word in line.words) > len(line.words):
                owner[index] = number
    result: list[Block] = []
    placed: set[int] = set()
    for block in blocks:
        run: list[int] = []
        for index in block.lines:
            number = owner.get(index)
            if number is None:
                run.append(index)
                continue
            if run:
                result.append(_part(block, run, lines))
                run = []
            if number not in placed:
                placed.add(number)
                held = [i for i, n in sorted(owner.items()) if n == number]
                table = tables[number]
                result.append(Block("table", union([table.box, *(lines[i].box for i in held)]), held, table.score, number))
        if run:
            result.append(_part(block, run, lines))
        elif not block.lines:
            result.append(block)
    return result


def with_pictures(blocks: list[Block], pictures: Sequence[Box]) -> list[Block]:
    """The blocks, with one for each picture that they do not show already."""
    result = list(blocks)
    for picture in pictures:
        shown = sum(block.box.intersection(picture) for block in result)
        if shown < 0.4 * picture.area:
            result.insert(place_of(picture, result), Block("picture", picture))
    return result


def numbered(blocks: Sequence[Block], lines: Sequence[Line]) -> None:
    """Set each line's `block` to the block that lists it."""
    for number, block in enumerate(blocks):
        for index in block.lines:
            lines[index].block = number


def _part(block: Block, run: list[int], lines: Sequence[Line]) -> Block:
    if len(run) == len(block.lines):
        return block
    return msgspec.structs.replace(block, lines=run, box=union(lines[i].box for i in run))
