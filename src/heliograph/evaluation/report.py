"""A run as one HTML page that needs nothing but a browser: numbers, calibration, and documents with true and found boxes, worst first."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import NamedTuple

from heliograph.evaluation.judging import Judged, Outcome
from heliograph.evaluation.metrics import calibration_error, risk_coverage
from heliograph.evaluation.runner import Said, picture
from heliograph.evaluation.sets import Item
from heliograph.evaluation.summary import Numbers, sure
from heliograph.media.geometry import Box
from heliograph.perception.reader import Reader

PICTURED = 60
"""Documents that are shown with pictures; of the others the page says how they went."""
PAGES = 3
"""Pages shown of one document at most: those with boxes, else the first."""
DPI, WIDTH, QUALITY = 100, 900, 62
COLUMNS = (
    ("present", "present"), ("answered", "answered"), ("f1", "F1"), ("f1_fuzzy", "F1 fuzzy"), ("hallucination", "hallucinated"),
    ("omission", "omitted"), ("grounding_hit", "box hit"), ("page_accuracy", "page right"), ("text_under_box", "text under box"),
    ("ece", "ECE"), ("auroc", "AUROC"), ("accuracy_at_80", "right at 80 %"), ("anls", "ANLS*"), ("ocr_word_f1", "word F1"),
)  # fmt: skip


class Shown(NamedTuple):
    """A document of the run."""

    item: Item
    outcome: Outcome
    said: Said | None


async def report(reader: Reader, shown: Sequence[Shown], numbers: Numbers, heading: str, read: Mapping[str, dict[str, float]]) -> str:
    """The page. `heading`: what was measured, with version and date; `read`: figures of reading by set."""
    worst = sorted(shown, key=lambda one: -one.outcome.failures)
    documents = [await _document(reader, one, number < PICTURED) for number, one in enumerate(worst)]
    given = [one for one in shown if not one.item.as_images] or shown
    fields = [judged for one in given for judged in one.outcome.fields]
    template = files("heliograph.evaluation").joinpath("report.html").read_text("utf-8")
    parts = {
        "heading": escape(heading),
        "tiles": _tiles(numbers, shown),
        "numbers": _sets(numbers) + _reading(read),
        "calibration": _calibration(sure(fields)),
        "risk": _risk(sure(fields)),
        "documents": "".join(documents),
        "note": f"Pictures of the {PICTURED} worst of {len(shown)}." if len(shown) > PICTURED else "",
    }
    for name, text in parts.items():
        template = template.replace(f"<!--{name}-->", text)
    return template


def _tiles(numbers: Numbers, shown: Sequence[Shown]) -> str:
    micro = numbers.get("all", {}).get("micro", {})
    seconds = sorted(one.said.seconds for one in shown if one.said)
    tiles = [("documents", str(len(shown)))]
    tiles += [(title, _number(micro[key])) for key, title in COLUMNS if key in micro and key not in {"present", "answered"}]
    if seconds:
        tiles.append(("median seconds", f"{seconds[len(seconds) // 2]:.1f}"))
    return "".join(f"<div><b>{value}</b><span>{escape(title)}</span></div>" for title, value in tiles)


def _sets(numbers: Numbers) -> str:
    """All sets in one table, then the fields of each."""
    whole = {name: table["micro"] for name, table in numbers.items()}
    fields = "".join(
        f"<details><summary><b>{escape(name)}</b> <small>fields: {len(table) - 1}, documents: {table['micro']['documents']:g}</small>"
        f"</summary>{_table('field', table)}</details>"
        for name, table in numbers.items()
        if len(table) > 1
    )
    return _table("set", whole) + fields


def _reading(read: Mapping[str, dict[str, float]]) -> str:
    """What sets without a schema say of the reading."""
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(figure)}</td><td>{value:.3f}</td></tr>"
        for name, figures in read.items()
        for figure, value in figures.items()
        if figure != "documents"
    )
    head = "<thead><tr><th>set</th><th>reading</th><th>value</th></tr></thead>"
    return f"<div class=scroll><table class=numbers>{head}<tbody>{rows}</tbody></table></div>" if rows else ""


def _table(what: str, table: dict[str, dict[str, float]]) -> str:
    columns = [(key, title) for key, title in COLUMNS if any(key in metrics for name, metrics in table.items() if name != "micro")]
    head = "".join(f"<th>{escape(title)}</th>" for _, title in columns)
    rows = "".join(
        f"<tr{' class=micro' if name in {'micro', 'all', 'all-images'} else ''}>"
        f"<th>{'all fields' if name == 'micro' else escape(name)}</th>"
        + "".join(_cell(key, metrics.get(key)) for key, _ in columns)
        + "</tr>"
        for name, metrics in table.items()
    )
    return f"<div class=scroll><table class=numbers><thead><tr><th>{what}</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>"


def _cell(key: str, value: float | None) -> str:
    if value is None:
        return "<td></td>"
    if key in {"f1", "f1_fuzzy", "grounding_hit"}:
        return f"<td class=share style='--v:{value:.3f}'>{_number(value)}</td>"
    return f"<td>{value:g}</td>" if key in {"present", "answered"} else f"<td>{_number(value)}</td>"


def _number(value: float) -> str:
    return f"{value:.2f}"


# --- plots: fractions on a square of 240 units, with 48 and 34 for the axes -------------------------------------------

SIDE, LEFT, BOTTOM = 240, 48, 34


def _plot(inner: str, x: str, y: str, *, top: float = 1.0) -> str:
    ticks = ""
    for part in (0, 0.25, 0.5, 0.75, 1):
        at = LEFT + part * SIDE
        up = 8 + (1 - part) * SIDE
        ticks += (
            f"<line class=grid x1={LEFT} x2={LEFT + SIDE} y1={up:g} y2={up:g} /><line class=grid x1={at:g} x2={at:g} y1=8 y2={8 + SIDE} />"
        )
        ticks += f"<text x={at:g} y={SIDE + 22} text-anchor=middle>{part:g}</text>"
        ticks += f"<text x={LEFT - 6} y={up + 4:g} text-anchor=end>{part * top:.3g}</text>"
    return (
        f"<svg viewBox='0 0 {LEFT + SIDE + 12} {SIDE + 8 + BOTTOM}' role=img aria-label='{escape(y)} by {escape(x)}'>{ticks}{inner}"
        f"<text x={LEFT + SIDE / 2:g} y={SIDE + 38} text-anchor=middle class=axis>{escape(x)}</text>"
        f"<text transform='translate(10 {8 + SIDE / 2:g}) rotate(-90)' text-anchor=middle class=axis>{escape(y)}</text></svg>"
    )


def _calibration(pairs: Sequence[tuple[float, bool]]) -> str:
    if not pairs:
        return "<p>No answer carries a probability.</p>"
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(10)]
    for probability, right in pairs:
        bins[min(9, int(probability * 10))].append((probability, right))
    most = max(map(len, bins))
    inner = f"<line class=ideal x1={LEFT} y1={8 + SIDE} x2={LEFT + SIDE} y2=8 />"
    points: list[str] = []
    for number, cell in enumerate(bins):
        if not cell:
            continue
        height = SIDE * 0.22 * len(cell) / most
        left, upper = LEFT + number * SIDE / 10 + 2, 8 + SIDE - height
        inner += f"<rect class=count x={left:g} y={upper:.1f} width={SIDE / 10 - 4:g} height={height:.1f} />"
        said = sum(probability for probability, _ in cell) / len(cell)
        right = sum(ok for _, ok in cell) / len(cell)
        x, y = LEFT + said * SIDE, 8 + (1 - right) * SIDE
        points.append(f"{x:.1f},{y:.1f}")
        title = f"{len(cell)} answers: said {said:.2f}, right {right:.2f}"
        inner += f"<circle class=dot cx={x:.1f} cy={y:.1f} r={3 + 4 * (len(cell) / most) ** 0.5:.1f}><title>{title}</title></circle>"
    inner = f"<polyline class=line points='{' '.join(points)}' />" + inner
    caption = f"ECE {calibration_error(pairs):.3f} over {len(pairs)} answers. Bars: how many answers each bin holds."
    return f"<figure>{_plot(inner, 'probability said', 'share right')}<figcaption>{caption}</figcaption></figure>"


def _risk(pairs: Sequence[tuple[float, bool]]) -> str:
    if not pairs:
        return ""
    curve = risk_coverage(pairs)
    top = next((step for step in (0.1, 0.2, 0.5, 1.0) if max(risk for _, risk in curve) <= step), 1.0)
    points = [f"{LEFT + coverage * SIDE:.1f},{8 + (1 - risk / top) * SIDE:.1f}" for coverage, risk in curve]
    start = f"{LEFT},{points[0].split(',')[1]}"
    mark = LEFT + 0.8 * SIDE
    inner = f"<line class=ideal x1={mark:g} x2={mark:g} y1=8 y2={8 + SIDE} /><polyline class=line points='{' '.join([start, *points])}' />"
    at = min(curve, key=lambda point: (point[0] < 0.8, abs(point[0] - 0.8)))
    caption = f"At {at[0]:.0%} of the answers, the surest first, {at[1]:.1%} are wrong; of all answers {curve[-1][1]:.1%}."
    return f"<figure>{_plot(inner, 'coverage', 'share wrong', top=top)}<figcaption>{caption}</figcaption></figure>"


# --- documents --------------------------------------------------------------------------------------------------------


async def _document(reader: Reader, shown: Shown, pictured: bool) -> str:
    outcome = shown.outcome
    wrong = sum(not judged.exact for judged in outcome.fields)
    images = "<small>as page images</small> " if shown.item.as_images else ""
    lists = "".join(f" &middot; {escape(name)} {r:g} right of {t:g}, {a:g} answered" for name, (r, a, t) in outcome.rows.items())
    state = (
        f"<span class=bad>{escape(outcome.error)}</span>"
        if outcome.error
        else f"<span class={'bad' if wrong else 'good'}>{len(outcome.fields) - wrong} of {len(outcome.fields)} fields right</span>{lists}"
    )
    fields = sorted((judged for judged in outcome.fields if not judged.asked_absent or judged.got is not None), key=lambda j: j.exact)
    rows = "".join(_row(judged) for judged in fields)
    pages = await _pages(reader, shown) if pictured else ""
    return (
        f"<details{' open' if pictured and outcome.failures else ''}><summary><b>{escape(outcome.item)}</b> {images}{state}</summary>"
        f"<div class=document><div class=scroll><table class=fields><thead><tr>"
        f"<th>field</th><th>answered</th><th>true</th><th>sure</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div><div class=pages>{pages}</div></div></details>"
    )


def _row(judged: Judged) -> str:
    sure_of = "" if judged.probability is None else f"{judged.probability:.2f}"
    box = ""
    if judged.grounded is not None:
        box = " <i class=good title='box hits'>&#9635;</i>" if judged.grounded else " <i class=bad title='box misses'>&#9633;</i>"
    return (
        f"<tr data-field='{escape(judged.field)}' class={judged.verdict}><th>{escape(judged.field)}</th>"
        f"<td>{_value(judged.got)}{box}</td><td>{'' if judged.exact else _value(judged.want)}</td><td class=number>{sure_of}</td></tr>"
    )


def _value(value: object) -> str:
    return "<span class=none>none</span>" if value is None else escape(str(value)[:300])


async def _pages(reader: Reader, shown: Shown) -> str:
    boxes = [(judged, box, kind) for judged in shown.outcome.fields for kind in ("true", "found") for box in getattr(judged, kind)]
    indices = sorted({box.page for _, box, _ in boxes}) or [0]
    made = ""
    for index in indices[:PAGES]:
        rotation = shown.said.rotations.get(index, 0) if shown.said else 0
        try:
            image = picture(await reader.image(shown.item.path, index, DPI, rotation=rotation))
        except Exception as error:  # a page that cannot be drawn is no reason to have no report
            made += f"<p class=none>page {index + 1}: {escape(str(error))}</p>"
            continue
        if image.width > WIDTH:
            image = image.resize((WIDTH, round(image.height * WIDTH / image.width)))
        data = io.BytesIO()
        image.save(data, "JPEG", quality=QUALITY, optimize=True)
        drawn = "".join(_box(judged, box, kind) for judged, box, kind in boxes if box.page == index)
        made += (
            f"<figure class=page><img alt='page {index + 1}' width={image.width} height={image.height} "
            f"src='data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode()}'>"
            f"<svg viewBox='0 0 1 1' preserveAspectRatio=none>{drawn}</svg></figure>"
        )
    left = len(indices) - PAGES
    return made + (f"<p class=none>{left} more pages</p>" if left > 0 else "")


def _box(judged: Judged, box: Box, kind: str) -> str:
    title = f"{judged.field}: {judged.got}" if kind == "found" else f"{judged.field}, true: {judged.want}"
    return (
        f"<rect class='{kind} {judged.verdict}' data-field='{escape(judged.field)}' x={box.x:.4f} y={box.y:.4f} "
        f"width={box.w:.4f} height={box.h:.4f}><title>{escape(title)}</title></rect>"
    )
