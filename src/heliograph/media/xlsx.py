"""XLSX: every visible sheet a table, its values written as Excel shows them (dates, decimals, percent, currency)."""

from __future__ import annotations

import datetime
import re
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import openpyxl
from openpyxl.styles.numbers import is_date_format
from openpyxl.utils.exceptions import InvalidFileException

from heliograph.errors import CorruptMedia, MediaLimitExceeded
from heliograph.media.content import Limits
from heliograph.media.flow import Element, Flow, Grid, GridCell, PageBreak, Paragraph, Run
from heliograph.media.ooxml import A, Package, check_package
from heliograph.media.plaintext import MAX_CELLS

LANDSCAPE = (842.0, 595.0)
MAX_EMPTY_ROWS = 3
"""Rows without values that separate two tables of a sheet."""


def read_xlsx(path: Path, limits: Limits) -> Flow:
    """A workbook, by the values that were last calculated. Hidden sheets are left out with a warning."""
    check_package(path, limits)
    loader: Any = openpyxl.load_workbook
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of extensions that it does not know
            with path.open("rb") as file:  # by name it would ask for an extension
                book = loader(file, data_only=True)
    except (InvalidFileException, BadZipFile, KeyError, ValueError, TypeError, IndexError, AttributeError, SyntaxError):
        raise CorruptMedia("The workbook is damaged and cannot be read.") from None
    elements: list[Element] = []
    cells = hidden = 0
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            hidden += 1
            continue
        values = _values(sheet)
        cells += len(values)
        if cells > MAX_CELLS:
            raise MediaLimitExceeded(f"The workbook has more than {MAX_CELLS:,} cells with values.")
        if not values:
            continue
        if elements:
            elements.append(PageBreak())
        elements.append(Paragraph([Run(sheet.title)], "section-header", 2))
        spans = {
            (area.min_row, area.min_col): (area.max_row - area.min_row + 1, area.max_col - area.min_col + 1)
            for area in sheet.merged_cells.ranges
        }
        for top, bottom in _bands(sorted({row for row, _ in values})):
            elements.append(_grid(values, spans, top, bottom))
    elements += _drawings(path, limits)
    return Flow(elements, size=LANDSCAPE, warnings=[f"{hidden} hidden sheets were left out."] if hidden else [])


def _drawings(path: Path, limits: Limits) -> list[Element]:
    """The text of shapes and text boxes, which openpyxl does not read; after the sheets, for it is not said cheaply which is theirs."""
    package = Package(path, limits)
    found: list[Element] = []
    try:
        for name in package.names():
            if re.fullmatch(r"xl/drawings/drawing\d+\.xml", name):
                for paragraph in package.xml(name).iter(A + "p"):
                    text = "".join(part.text or "" for part in paragraph.iter(A + "t"))
                    if text.strip():
                        found.append(Paragraph([Run(text)]))
    finally:
        package.close()
    return found


def _values(sheet: Any) -> dict[tuple[int, int], tuple[str, bool, bool]]:
    """Row and column of each cell with a value: its text, bold, and whether it is a number; hidden rows and columns left out."""
    columns = {
        number
        for dimension in sheet.column_dimensions.values()
        if dimension.hidden and dimension.min
        for number in range(dimension.min, min(dimension.max or dimension.min, dimension.min + 2000) + 1)
    }
    rows = {number for number, dimension in sheet.row_dimensions.items() if dimension.hidden}
    found: dict[tuple[int, int], tuple[str, bool, bool]] = {}
    for (row, column), cell in sheet._cells.items():
        value = cell.value
        if value is None or row in rows or column in columns:
            continue
        text = shown(value, cell.number_format or "General").strip()
        if text:
            found[row, column] = text, bool(cell.font and cell.font.bold), isinstance(value, int | float)
    return found


def _bands(rows: list[int]) -> list[tuple[int, int]]:
    bands: list[tuple[int, int]] = []
    for row in rows:
        if bands and row - bands[-1][1] <= MAX_EMPTY_ROWS:
            bands[-1] = bands[-1][0], row
        else:
            bands.append((row, row))
    return bands


def _grid(
    values: dict[tuple[int, int], tuple[str, bool, bool]], spans: dict[tuple[int, int], tuple[int, int]], top: int, bottom: int
) -> Grid:
    inside = {place: value for place, value in values.items() if top <= place[0] <= bottom}
    left, right = min(column for _, column in inside), max(column for _, column in inside)
    if (right - left + 1) * (bottom - top + 1) > MAX_CELLS:
        raise MediaLimitExceeded(f"A sheet spreads its values over more than {MAX_CELLS:,} cells.")
    covered: set[tuple[int, int]] = set()
    rows: list[list[GridCell]] = []
    heads = 0
    for row in range(top, bottom + 1):
        cells: list[GridCell] = []
        bold = numbers = 0
        for column in range(left, right + 1):
            if (row, column) in covered:
                continue
            text, strong, numeric = inside.get((row, column), ("", False, False))
            high, wide = spans.get((row, column), (1, 1))
            high, wide = min(high, bottom - row + 1), min(wide, right - column + 1)
            if (high > 1 or wide > 1) and text:
                covered |= {(row + i, column + j) for i in range(high) for j in range(wide)}
            else:
                high = wide = 1
            bold += strong
            numbers += numeric
            cells.append(GridCell([Paragraph([Run(text, strong)], align="right" if numeric else "left")], high, wide))
        filled = sum(bool(cell.content[0].text) for cell in cells)
        if heads == len(rows) and filled and not numbers and (bold == filled or (not rows and filled > 1)):
            heads += 1
        rows.append(cells)
    return Grid(rows, heads if heads < len(rows) else 0)


def shown(value: Any, code: str) -> str:
    """A value as Excel shows it with a number format (ECMA-376 18.8.30): the parts of it that change what is read."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return _date(value, code)
    if isinstance(value, datetime.timedelta):
        minutes, seconds = divmod(int(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
    if isinstance(value, int | float):
        return _decimal(float(value), code) if value == value and abs(value) != float("inf") else str(value)  # noqa: PLR0124
    return str(value)


@lru_cache(maxsize=2000)
def _sections(code: str) -> tuple[str, ...]:
    return tuple(re.split(r";(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", code))


def _decimal(value: float, code: str) -> str:
    if code in ("General", "@", ""):
        return _general(value)
    sections = _sections(code)
    section = sections[0]
    if value < 0 and len(sections) > 1 and sections[1]:
        section, value = sections[1], -value
    elif value == 0 and len(sections) > 2:
        section = sections[2]
    section = re.sub(r"\[\$([^\]-]*)(?:-[^\]]*)?\]", lambda match: f'"{match.group(1)}"' if match.group(1) else "", section)
    section = re.sub(r"\[[^\]]*\]", "", section)
    section = re.sub(r"_.|\*.", "", section)
    literals: list[str] = []

    def keep(match: re.Match[str]) -> str:
        literals.append(match.group(1) if match.group(1) is not None else match.group(2))
        return chr(0xE000 + len(literals) - 1)

    section = re.sub(r"\"([^\"]*)\"|\\(.)", keep, section)
    digits = re.search(r"[#0?][#0?,]*(?:\.[#0?]+)?,*(?:E[+-]0+)?(?:\s*/\s*[#0?\d]+)?", section)
    if digits is None:
        text = section.replace("General", _general(value))
    else:
        pattern = digits.group()
        if "%" in section:
            value *= 100
        text = section[: digits.start()] + _digits(value, pattern) + section[digits.end() :]
    for number, literal in enumerate(literals):
        text = text.replace(chr(0xE000 + number), literal)
    return text if text.strip() or not value else _general(value)


def _digits(value: float, pattern: str) -> str:
    if "/" in pattern:
        return _general(value)
    if "E" in pattern:
        places = len(pattern.partition(".")[2].partition("E")[0])
        return f"{value:.{places}E}"
    scale = len(pattern) - len(pattern.rstrip(","))
    whole, _, fraction = pattern.rstrip(",").partition(".")
    value /= 1000**scale
    text = f"{value:,.{len(fraction)}f}" if "," in whole else f"{value:.{len(fraction)}f}"
    optional = len(fraction) - len(fraction.rstrip("#"))
    if optional and "." in text:
        kept = text[:-optional] + text[-optional:].rstrip("0")
        text = kept.rstrip(".") if kept.endswith(".") else kept
    least = whole.count("0")
    sign, body = ("-", text[1:]) if text.startswith("-") else ("", text)
    units, point, rest = body.partition(".")
    if units == "0" and least == 0 and rest:
        units = ""
    return sign + units.rjust(least, "0") + point + rest


def _general(value: float) -> str:
    if value == int(value) and abs(value) < 1e11:
        return str(int(value))
    return f"{value:.10g}"


DATE_PARTS = re.compile(r"yyyy|yy|mmmmm|mmmm|mmm|mm|m|dddd|ddd|dd|d|hh|h|ss|s|AM/PM|A/P|\.0+|\"[^\"]*\"|\\.|.", re.IGNORECASE)


def _date(value: datetime.datetime | datetime.date | datetime.time, code: str) -> str:
    """By the format code; the locale's own formats (14 to 22) as ISO, which is nobody's misreading."""
    section = re.sub(r"\[[^\]]*\]", "", _sections(code)[0])
    if not is_date_format(code) or section.lower() in ("mm-dd-yy", "m/d/yy", "m/d/yy h:mm", "general"):
        if isinstance(value, datetime.datetime):
            return (
                value.date().isoformat()
                if value.time() == datetime.time()
                else value.isoformat(" ", "minutes" if not value.second else "seconds")
            )
        return value.isoformat()
    moment = value
    if isinstance(value, datetime.time):
        moment = datetime.datetime.combine(datetime.date(1900, 1, 1), value)
    elif not isinstance(value, datetime.datetime):
        moment = datetime.datetime.combine(value, datetime.time())
    assert isinstance(moment, datetime.datetime)
    half = re.search(r"AM/PM|A/P", section, re.IGNORECASE) is not None
    parts = DATE_PARTS.findall(section)
    text = ""
    after_hours = False
    for number, part in enumerate(parts):
        low = part.lower()
        minutes = low in ("m", "mm") and (after_hours or any(other.lower() in ("s", "ss") for other in parts[number + 1 : number + 3]))
        if low in ("h", "hh", "s", "ss"):
            after_hours = low[0] == "h"
        elif low.strip(" :.-/") and low[0] != '"':
            after_hours = False
        text += _date_part(moment, low, part, half=half, minutes=minutes)
    return text.strip() or moment.isoformat(" ")


def _date_part(moment: datetime.datetime, low: str, part: str, *, half: bool, minutes: bool) -> str:
    hour = (moment.hour % 12 or 12) if half else moment.hour
    if minutes:
        return f"{moment.minute:02d}" if low == "mm" else str(moment.minute)
    values = {
        "yyyy": f"{moment.year:04d}", "yy": f"{moment.year % 100:02d}", "m": str(moment.month), "mm": f"{moment.month:02d}",
        "mmm": f"{moment:%b}", "mmmm": f"{moment:%B}", "mmmmm": f"{moment:%b}"[0], "d": str(moment.day), "dd": f"{moment.day:02d}",
        "ddd": f"{moment:%a}", "dddd": f"{moment:%A}", "h": str(hour), "hh": f"{hour:02d}", "s": str(moment.second),
        "ss": f"{moment.second:02d}", "am/pm": "AM" if moment.hour < 12 else "PM", "a/p": "A" if moment.hour < 12 else "P",
    }  # fmt: skip
    if low in values:
        return values[low]
    if low[0] == '"':
        return part[1:-1]
    if low[0] == "\\":
        return part[1:]
    return "" if low in ("@", "_", "*") or re.fullmatch(r"\.0+", low) else part
