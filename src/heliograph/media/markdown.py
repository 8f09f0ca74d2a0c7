"""Markdown as a flow: headings, lists, tables and bold words become what they stand for; lines stay the lines that they are.

Only text that cannot be anything else is taken for Markdown. What is not known of it stays as it is written.
"""

from __future__ import annotations

import re
from itertools import pairwise

from heliograph.media.flow import Element, Grid, GridCell, Paragraph, Run

LONGEST = 1 << 20
"""Characters from which on a text is not looked into, and stays as it is written."""

_HEADING = re.compile(r"(#{1,6})[ \t]+(\S.*)")
_ITEM = re.compile(r"([ \t]*)([-*+•]|\d{1,3}[.)])[ \t]+(\S.*)")
_RULE = re.compile(r"[ ]{0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})")
_FENCE = re.compile(r"[ ]{0,3}(?:```|~~~)")
_DASHES = re.compile(r"\|?(?:[ \t]*:?-+:?[ \t]*\|)+(?:[ \t]*:?-+:?)?")
_BAR = re.compile(r"(?<!\\)\|")
_BOLD = re.compile(r"\*\*(?=\S)(.{1,300}?)(?<=\S)\*\*|__(?=\S)(.{1,300}?)(?<=\S)__(?!\w)")
_LINK = re.compile(r"!?\[([^\]\n]{0,300})\]\([^)\s]{0,2000}\)")
_CODE = re.compile(r"`([^`\n]+)`")
_INDENT = 14.0
"""Points by which a list within a list stands further right."""


def is_markdown(text: str) -> bool:
    """Whether `text` has a table as only Markdown has them, begins with a heading, or has two headings below the first level."""
    if len(text) > LONGEST:
        return False
    lines = text.split("\n")
    first = next((line for line in lines if line.strip()), "")
    if _HEADING.fullmatch(first) or sum(line.startswith("##") and _HEADING.fullmatch(line) is not None for line in lines) >= 2:
        return True
    return any(_is_table(head, dashes) for head, dashes in pairwise(lines))


def flow_markdown(text: str) -> list[Element]:
    """The elements of a Markdown text."""
    elements: list[Element] = []
    lines = text.split("\n")
    plain: list[str] = []
    at = 0

    def end() -> None:
        if any(line.strip() for line in plain):
            elements.append(Paragraph(_runs("\n".join(line.strip() for line in plain))))
        plain.clear()

    while at < len(lines):
        line = lines[at]
        if _FENCE.match(line):
            end()
            close = next((n for n in range(at + 1, len(lines)) if _FENCE.match(lines[n])), len(lines))
            elements.append(Paragraph([Run("\n".join(lines[at + 1 : close]))], columns=True))
            at = close
        elif at + 1 < len(lines) and _is_table(line, lines[at + 1]):
            end()
            close = next((n for n in range(at + 2, len(lines)) if not _BAR.search(lines[n])), len(lines))
            elements.append(_grid([line, *lines[at + 2 : close]]))
            at = close - 1
        elif heading := _HEADING.fullmatch(line):
            end()
            level = len(heading[1])
            elements.append(Paragraph(_runs(_unclosed(heading[2])), "title" if level == 1 else "section-header", level))
        elif item := _ITEM.fullmatch(line):
            end()
            marker = item[2] if item[2][0].isdigit() else "•"
            depth = 1 + len(item[1].expandtabs(4)) // 2
            elements.append(Paragraph(_runs(item[3]), "list-item", indent=_INDENT * min(depth, 8), marker=marker))
        elif not line.strip() or _RULE.fullmatch(line):
            end()
        else:
            plain.append(line)
        at += 1
    end()
    return elements


def _unclosed(heading: str) -> str:
    """A heading without the number signs that may close it."""
    heading = heading.rstrip()
    bare = heading.rstrip("#")
    return bare.rstrip() if bare != heading and bare.endswith((" ", "\t")) else heading


def _is_table(head: str, dashes: str) -> bool:
    return bool(_BAR.search(head) and _DASHES.fullmatch(dashes.strip())) and len(_cells(head)) == len(_cells(dashes))


def _cells(line: str) -> list[str]:
    line = line.strip()
    parts = _BAR.split(line)
    return [
        part.strip().replace("\\|", "|") for part in parts[line.startswith("|") : len(parts) - (len(parts) > 1 and not parts[-1].strip())]
    ]


def _grid(lines: list[str]) -> Grid:
    """A table; rows are as long as the head."""
    rows = [_cells(line) for line in lines]
    width = len(rows[0])
    full = [[*row, *[""] * width][:width] for row in rows]
    return Grid([[GridCell([Paragraph(_runs(cell, bold=number == 0))]) for cell in row] for number, row in enumerate(full)], 1)


def _runs(text: str, *, bold: bool = False) -> list[Run]:
    """Text without its marks; what they make bold is bold."""
    text = _CODE.sub(r"\1", _LINK.sub(r"\1", text))
    runs: list[Run] = []
    at = 0
    for mark in _BOLD.finditer(text):
        runs += [Run(text[at : mark.start()], bold), Run(mark[1] or mark[2], bold=True)]
        at = mark.end()
    return [run for run in (*runs, Run(text[at:], bold)) if run.text]
