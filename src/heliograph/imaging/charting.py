"""Charts of given numbers, drawn by matplotlib in one plain style. Runs in the child.

Nothing is worked out from the numbers but the bins of a histogram and the shares of a pie. Numbers stand on bars and slices where they can
be read there; names that are too long for their place lie along horizontal bars.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from datetime import date
from functools import cache
from typing import Any, cast

from msgspec.structs import replace
from PIL import Image

from heliograph.errors import InvalidRequest
from heliograph.imaging.marking import color_of
from heliograph.imaging.orders import Chart

SIZE = 8.0, 5.0
DPI = 200
"""Together 1,600 x 1,000 pixels."""
INK, PALE, LINES = "#22262b", "#5b6570", "#dfe3e8"
LONGEST_LABEL, LONGEST_NAME = 60, 34
"""Letters of a label or cell, and of a series' name, that are drawn."""
MOST_POINTS = 20_000
MOST_BARS = 200
MOST_SLICES = 12
MOST_ROWS, MOST_COLUMNS = 60, 12
NAMED_BARS = 24
"""Bars of a chart that carry their numbers; with more, the numbers would touch."""
CURRENCIES = "$€£¥₹₩₽₺₫₪฿"
COLORS = (
    "#2f6fde",
    "#e4572e",
    "#2a9d5c",
    "#f2a20c",
    "#7b4fc9",
    "#0f9fa8",
    "#d6338a",
    "#80664a",
    "#6b7a12",
    "#5a6577",
    "#9fbdf2",
    "#f4a992",
)


def charted(chart: Chart) -> Any:
    """The chart as an RGB picture. Raises InvalidRequest, which says what is missing or does not fit."""
    import matplotlib  # noqa: PLC0415 - half a second that only charts need
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    _check(chart)
    chart = _shortened(chart)
    with cast("Any", matplotlib).rc_context({**_STYLE, "font.family": _families()}):
        figure: Any = Figure(figsize=_size(chart), dpi=DPI, layout="constrained")
        canvas: Any = FigureCanvasAgg(figure)
        axes: Any = figure.add_subplot()
        _DRAWN[chart.kind](axes, chart)
        if chart.title:
            axes.set_title("\n".join(textwrap.wrap(chart.title, 70)[:3]), loc="center" if chart.kind == "pie" else "left", pad=14)
        if chart.kind not in ("pie", "table"):
            _finish(axes, chart)
        canvas.draw()
        size = canvas.get_width_height()
        return Image.frombuffer("RGBA", size, canvas.buffer_rgba(), "raw", "RGBA", 0, 1).convert("RGB")


def _check(chart: Chart) -> None:
    if chart.kind == "table":
        if not chart.rows:
            raise InvalidRequest("A table needs rows.", param="rows")
        if len(chart.rows) > MOST_ROWS or max(len(row) for row in [chart.labels, *chart.rows]) > MOST_COLUMNS:
            raise InvalidRequest(f"A table is drawn with up to {MOST_ROWS} rows and {MOST_COLUMNS} columns.", param="rows")
        return
    if not chart.series or not any(value is not None for series in chart.series for value in series.values):
        raise InvalidRequest(f"A {chart.kind} chart needs numbers: give values, or series with values.", param="values")
    for series in chart.series:
        which = f" of {series.name!r}" if series.name else ""
        if any(value is not None and not math.isfinite(value) for value in [*series.values, *(series.x or [])]):
            raise InvalidRequest(f"The values{which} must be finite numbers.", param="values")
        if chart.labels and len(series.values) != len(chart.labels) and chart.kind != "histogram":
            raise InvalidRequest(f"There are {len(chart.labels)} labels and {len(series.values)} values{which}.", param="labels")
        if series.x is not None and len(series.x) != len(series.values):
            raise InvalidRequest(f"There are {len(series.x)} x and {len(series.values)} values{which}.", param="series")
        if len(series.values) > MOST_POINTS:
            raise InvalidRequest(f"Up to {MOST_POINTS:,} values are drawn.", param="values")
    if chart.kind == "bar" and sum(len(series.values) for series in chart.series) > MOST_BARS:
        raise InvalidRequest(f"Up to {MOST_BARS} bars are drawn; a line or a histogram shows more.", param="values")


def _shortened(chart: Chart) -> Chart:
    """With words that leave the numbers their room; line feeds become spaces."""
    name = LONGEST_NAME if len(chart.series) <= 10 else LONGEST_NAME // 2
    return replace(
        chart,
        title=_cut(chart.title, 210),
        x_label=_cut(chart.x_label, 80),
        y_label=_cut(chart.y_label, 50),
        labels=[_cut(label, LONGEST_LABEL) for label in chart.labels],
        series=[replace(series, name=_cut(series.name, name)) for series in chart.series],
        rows=[[_cut(cell, LONGEST_LABEL) for cell in row] for row in chart.rows],
    )


@cache
def _families() -> list[str]:
    """DejaVu Sans, and of the fonts installed here those that have letters which it lacks."""
    from matplotlib.font_manager import fontManager  # noqa: PLC0415

    installed = {str(font.name) for font in fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in _FURTHER if name in installed)]


def _size(chart: Chart) -> tuple[float, float]:
    width, height = SIZE
    if chart.kind == "table":
        return max(4.0, min(12.0, sum(_widths(chart)) * 0.095 + 0.6)), 0.34 * (len(chart.rows) + bool(chart.labels)) + (
            1.0 if chart.title else 0.4
        )
    if chart.kind == "bar" and _lies(chart):
        return width, max(height, 0.28 * len(chart.labels) * (1 if chart.stacked else len(chart.series)) + 1.2)
    return width, height


def _bar(axes: Any, chart: Chart) -> None:
    labels = chart.labels or [str(number + 1) for number in range(max(len(series.values) for series in chart.series))]
    lies, many = _lies(chart), len(chart.series)
    stacked = chart.stacked and many > 1
    thick = 0.72 if stacked or many == 1 else 0.82 / many
    few = sum(len(series.values) for series in chart.series) <= NAMED_BARS
    above, below = [0.0] * len(labels), [0.0] * len(labels)
    for number, (series, color) in enumerate(zip(chart.series, _colors(chart), strict=True)):
        values = [value or 0.0 for value in series.values]
        places = [index + (0 if stacked or many == 1 else (number - (many - 1) / 2) * thick) for index in range(len(values))]
        base = [(above if value >= 0 else below)[index] if stacked else 0.0 for index, value in enumerate(values)]
        if lies:
            bars = axes.barh(places, values, height=thick * 0.94, left=base, color=color, label=series.name or None, zorder=3)
        else:
            bars = axes.bar(places, values, width=thick * 0.94, bottom=base, color=color, label=series.name or None, zorder=3)
        for index, value in enumerate(values):
            (above if value >= 0 else below)[index] += value
        if few:
            said = ["" if value is None else _number(value, chart.unit) for value in series.values]
            inside = {"label_type": "center", "color": "white"} if stacked else {"padding": 3, "color": INK}
            axes.bar_label(bars, said, fontsize=9 if many == 1 else 8, **inside)
    named = ["\n".join(textwrap.wrap(label, 34 if lies else 14)) or " " for label in labels]
    if lies:
        axes.set_yticks(range(len(labels)), named)
        axes.invert_yaxis()
    else:
        step = math.ceil(len(labels) / 60)
        axes.set_xticks(range(0, len(labels), step), named[::step])
    (axes.axvline if lies else axes.axhline)(0, color=PALE, linewidth=0.8, zorder=4)
    if len(labels) < 4:  # or one bar fills the chart
        (axes.set_ylim if lies else axes.set_xlim)(*sorted((-1.2 + 0.2 * len(labels), len(labels) + 0.2 - 0.2 * len(labels)), reverse=lies))
    if few:
        axes.margins(**({"x": 0.12} if lies else {"y": 0.12}))


def _line(axes: Any, chart: Chart) -> None:
    days = _days(chart.labels)
    positions = _numbers(chart.labels)
    few = max(len(series.values) for series in chart.series) <= 40
    for series, color in zip(chart.series, _colors(chart), strict=True):
        x: Sequence[Any] = series.x or days or positions or list(range(len(series.values)))
        y = [math.nan if value is None else value for value in series.values]
        axes.plot(x, y, color=color, linewidth=2.2, marker="o" if few else None, markersize=5, label=series.name or None, zorder=3)
    if days:
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415

        locator: Any = AutoDateLocator(maxticks=10)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    elif chart.labels and not positions and all(series.x is None for series in chart.series):
        step = math.ceil(len(chart.labels) / 12)
        shown = range(0, len(chart.labels), step)
        axes.set_xticks(list(shown), ["\n".join(textwrap.wrap(chart.labels[place], 14)) for place in shown])


def _scatter(axes: Any, chart: Chart) -> None:
    positions = _numbers(chart.labels)
    for series, color in zip(chart.series, _colors(chart), strict=True):
        x = series.x or positions or list(range(1, len(series.values) + 1))
        pairs = [(at, value) for at, value in zip(x, series.values, strict=True) if value is not None]
        size = 44 if len(pairs) <= 200 else 14
        axes.scatter([at for at, _ in pairs], [value for _, value in pairs], s=size, color=color, alpha=0.8, edgecolors="white",
                     linewidths=0.6, label=series.name or None, zorder=3)  # fmt: skip
        if chart.labels and not positions and len(pairs) <= 20:
            for (at, value), label in zip(pairs, chart.labels, strict=False):
                axes.annotate(label[:24], (at, value), xytext=(5, 5), textcoords="offset points", fontsize=8, color=PALE)


def _histogram(axes: Any, chart: Chart) -> None:
    values = [[value for value in series.values if value is not None] for series in chart.series]
    flat = [value for some in values for value in some]
    import numpy as np  # noqa: PLC0415

    try:
        edges = np.histogram_bin_edges(flat, bins=chart.bins or ("auto" if len(flat) > 3 else max(1, len(set(flat)))))
        if len(edges) > 101:
            edges = np.histogram_bin_edges(flat, bins=100)
    except (ValueError, OverflowError, MemoryError):
        raise InvalidRequest("These values lie too far apart, or too close together, for a histogram.", param="values") from None
    for series, some, color in zip(chart.series, values, _colors(chart), strict=True):
        axes.hist(some, bins=edges, color=color, alpha=0.9 if len(values) == 1 else 0.6, edgecolor="white", linewidth=0.8,
                  label=series.name or None, zorder=3)  # fmt: skip
    if not chart.y_label:
        axes.set_ylabel("Count")
    if len(edges) <= 12:
        axes.set_xticks(edges)


def _pie(axes: Any, chart: Chart) -> None:
    if len(chart.series) > 1:
        raise InvalidRequest("A pie shows one series; draw bars for several.", param="series")
    values = [value or 0.0 for value in chart.series[0].values]
    if min(values) < 0 or sum(values) <= 0:
        raise InvalidRequest("A pie shows shares, so its values must be positive.", param="values")
    if len(values) > MOST_SLICES:
        raise InvalidRequest(f"A pie is drawn with up to {MOST_SLICES} slices; draw bars for more.", param="values")
    names = chart.labels or [str(number + 1) for number in range(len(values))]
    total = sum(values)
    slices = [(value, name) for value, name in zip(values, names, strict=True) if value > 0]
    colors = [
        color_hex(chart.colors[number]) if number < len(chart.colors) else COLORS[number % len(COLORS)] for number in range(len(slices))
    ]
    wedges, _ = axes.pie(
        [value for value, _ in slices], colors=colors, startangle=90, counterclock=False, wedgeprops={"edgecolor": "white", "linewidth": 2}
    )
    for wedge, (value, _) in zip(wedges, slices, strict=True):
        if value / total >= 0.04:
            middle = math.radians((wedge.theta1 + wedge.theta2) / 2)
            axes.text(
                0.68 * math.cos(middle),
                0.68 * math.sin(middle),
                f"{value / total:.0%}",
                ha="center",
                va="center",
                color="white",
                weight="bold",
            )
    said = [f"{_cut(name, 34)}   {_number(value, chart.unit)}  ({value / total:.1%})" for value, name in slices]
    axes.figure.legend(wedges, said, loc="outside right center", fontsize=10)
    axes.set_aspect("equal")


def _table(axes: Any, chart: Chart) -> None:
    axes.axis("off")
    widths = _widths(chart)
    count = len(widths)
    rows = [row + [""] * (count - len(row)) for row in chart.rows]
    head = chart.labels + [""] * (count - len(chart.labels))
    table: Any = axes.table(
        rows,
        colLabels=head if chart.labels else None,
        colWidths=[width / sum(widths) for width in widths],
        bbox=(0, 0, 1, 1),
        cellLoc="left",
    )
    table.auto_set_font_size(False)
    table.set_fontsize(10)
    right = [all(_is_number(row[column]) or not row[column] for row in rows) for column in range(count)]
    for (row, column), cell in table.get_celld().items():
        heading = bool(chart.labels) and row == 0
        cell.set_edgecolor(LINES)
        cell.set_linewidth(0.8)
        cell.set_facecolor("#eef2f7" if heading else "white" if row % 2 else "#fafbfc")
        cell.get_text().set_horizontalalignment("right" if right[column] else "left")
        cell.get_text().set_color(INK)
        cell.PAD = 0.06
        if heading:
            cell.get_text().set_weight("bold")


_DRAWN = {"bar": _bar, "line": _line, "scatter": _scatter, "histogram": _histogram, "pie": _pie, "table": _table}


def _finish(axes: Any, chart: Chart) -> None:
    """Axes, grid, names of the axes, and a legend where there is more than one thing to tell apart."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator  # noqa: PLC0415

    lies = chart.kind == "bar" and _lies(chart)
    values = axes.xaxis if lies else axes.yaxis
    if chart.kind == "histogram" or all(value is None or float(value).is_integer() for series in chart.series for value in series.values):
        values.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True))
    unit = "" if chart.kind == "histogram" else chart.unit
    values.set_major_formatter(FuncFormatter(_formatter(unit)))
    if chart.kind in ("scatter", "histogram") or (
        chart.kind == "line" and (any(series.x for series in chart.series) or _numbers(chart.labels))
    ):
        years = chart.kind == "line" and all(
            float(value).is_integer() and 1000 <= value <= 2999 for value in _numbers(chart.labels) or [0.0]
        )
        across = chart.unit if chart.kind == "histogram" else ""
        axes.xaxis.set_major_formatter(FuncFormatter(_plain if years else _formatter(across)))
        if years:
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(visible=False)
    values.grid(visible=True, color=LINES, linewidth=0.8, zorder=0)
    if chart.kind == "scatter":
        axes.xaxis.grid(visible=True, color=LINES, linewidth=0.8, zorder=0)
    if chart.x_label:
        axes.set_xlabel(chart.x_label)
    if chart.y_label:
        axes.set_ylabel(chart.y_label)
    if len(chart.series) > 1 and any(series.name for series in chart.series):
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=10)
    ticks = axes.get_xticklabels()
    if not lies and chart.kind in ("bar", "line") and sum(len(tick.get_text().split("\n")[0]) + 2 for tick in ticks) > 95:
        steep = len(ticks) > 20
        for tick in ticks:
            tick.set_rotation(90 if steep else 45)
            tick.set_fontsize(8 if steep else 10)
            tick.set_horizontalalignment("center" if steep else "right")
            tick.set_rotation_mode("default" if steep else "anchor")


def _formatter(unit: str) -> Callable[[float, Any], str]:
    return lambda value, _place: _number(value, unit)


def _plain(value: float, _place: Any) -> str:
    return f"{value:g}"


def color_hex(text: str) -> str:
    """A colour as `#rrggbb`. Raises InvalidRequest."""
    return "#{:02x}{:02x}{:02x}".format(*color_of(text))


def _colors(chart: Chart) -> list[str]:
    given = [color_hex(color) for color in chart.colors]
    return [given[number] if number < len(given) else COLORS[number % len(COLORS)] for number in range(len(chart.series))]


def _lies(chart: Chart) -> bool:
    """Whether bars lie: their labels have no room side by side."""
    if chart.horizontal is not None:
        return chart.horizontal
    return len(chart.labels) > 2 and max(map(len, chart.labels)) > 14 and sum(min(len(label), 28) for label in chart.labels) > 80


def _number(value: float, unit: str) -> str:
    """A number as people write it: thousands apart, no more digits than it has, up to four behind a small one."""
    size = abs(value)
    if size >= 1e15 or 0 < size < 1e-6:
        said = f"{value:.4g}"
    elif size >= 1000:
        said = f"{value:,.2f}" if abs(value - round(value)) >= 0.005 else f"{value:,.0f}"
    else:
        said = f"{value:.4g}"
        said = f"{value:.8f}".rstrip("0").rstrip(".") if "e" in said else said
    said = said.replace("-", "−")
    if not unit:
        return said
    if unit in CURRENCIES:
        return f"−{unit}{said[1:]}" if said.startswith("−") else f"{unit}{said}"
    return f"{said}{unit}" if unit in ("%", "°") else f"{said} {unit}"


def _days(labels: Sequence[str]) -> list[date] | None:
    """The labels as days, when all are ISO dates (2024-03-01, 2024-03)."""
    days: list[date] = []
    for label in labels:
        text = label.strip()
        try:
            days.append(date.fromisoformat(f"{text}-01" if len(text) == 7 and text[4] == "-" else text))
        except ValueError:
            return None
    return days if len(days) > 1 and all("-" in label for label in labels) else None


def _numbers(labels: Sequence[str]) -> list[float] | None:
    """The labels as numbers, when all are."""
    try:
        numbers = [float(label) for label in labels]
    except ValueError:
        return None
    return numbers if numbers and all(map(math.isfinite, numbers)) else None


def _is_number(text: str) -> bool:
    bare = text.strip().strip(CURRENCIES + "%()−-+ ").replace(",", "").replace(" ", "")
    return bool(bare) and bare.replace(".", "", 1).isdigit()


def _cut(text: str, longest: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _widths(chart: Chart) -> list[int]:
    """Characters of each column's longest cell."""
    rows = [chart.labels, *chart.rows]
    count = max(len(row) for row in rows)
    return [max(4, *(len(row[column]) if column < len(row) else 0 for row in rows)) + 2 for column in range(count)]


_FURTHER = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback",
    "Noto Sans Devanagari", "Noto Sans Thai", "Lohit Devanagari", "Unifont",
)  # fmt: skip
_STYLE: dict[str, Any] = {
    "font.size": 10.5,
    "text.parse_math": False,  # two prices in a title are no formula
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": 15,
    "axes.titleweight": "bold",
    "axes.labelsize": 11.5,
    "axes.edgecolor": PALE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.constrained_layout.w_pad": 0.15,
    "figure.constrained_layout.h_pad": 0.15,
}
