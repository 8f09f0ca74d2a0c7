from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from heliograph.errors import InvalidRequest
from heliograph.imaging.charting import COLORS, _number, charted
from heliograph.imaging.orders import Chart, Series


def area(picture: Image.Image, color: str) -> int:
    """Pixels of this colour."""
    wanted = np.array([int(color[place : place + 2], 16) for place in (1, 3, 5)])
    return int((np.abs(np.asarray(picture).astype(int) - wanted).max(axis=2) < 6).sum())


def bars(picture: Image.Image, color: str) -> list[int]:
    """Heights of the bars of a colour, from left to right."""
    wanted = np.array([int(color[place : place + 2], 16) for place in (1, 3, 5)])
    column = (np.abs(np.asarray(picture).astype(int) - wanted).max(axis=2) < 6).sum(axis=0)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (column > 5).astype(int), [0]])))
    return [int(np.median(column[left:right])) for left, right in zip(edges[::2], edges[1::2], strict=True) if right - left > 20]


def test_bars_are_as_high_as_their_numbers() -> None:
    heights = bars(charted(Chart(kind="bar", series=[Series([10, 20, 40])], labels=["a", "b", "c"])), COLORS[0])
    assert [height / heights[0] for height in heights] == pytest.approx([1, 2, 4], rel=0.03)


def test_slices_are_as_large_as_their_shares() -> None:
    picture = charted(Chart(kind="pie", series=[Series([75, 25])], labels=["most", "rest"]))
    assert area(picture, COLORS[0]) / area(picture, COLORS[1]) == pytest.approx(3, rel=0.1)


@pytest.mark.parametrize("kind", ["bar", "line", "scatter", "histogram"])
def test_every_series_is_drawn_in_its_colour(kind: str) -> None:
    picture = charted(Chart(kind=kind, series=[Series([1, 2, 3, 9], "one"), Series([5, None, 2, 4], "two")], colors=["#ff0000", "#0000ff"]))  # type: ignore[arg-type]
    red, blue = np.asarray(picture).astype(int)[:, :, 0], np.asarray(picture).astype(int)[:, :, 2]
    assert ((red - blue) > 60).sum() > 100
    assert ((blue - red) > 60).sum() > 100


def test_prices_in_a_title_are_no_formula() -> None:
    """Between two dollar signs, matplotlib would set a formula or fail."""
    plain = charted(Chart(kind="bar", series=[Series([1])], title="From x_1 to y_2"))
    priced = charted(Chart(kind="bar", series=[Series([1])], title="From $x_1 to $y_2"))
    assert priced.size == plain.size
    charted(Chart(kind="bar", series=[Series([1, 2])], labels=["$5_{", "\\frac$"], title="$ {", x_label="$\\bad$", unit="$"))


def test_long_names_lie_along_horizontal_bars() -> None:
    long = ["Department of Internal Affairs", "Human Resources and Payroll", "Procurement and Logistics", "Research and Development"]
    picture = charted(Chart(kind="bar", series=[Series([1, 2, 3, 4])], labels=long))
    sideways = picture.transpose(Image.Transpose.ROTATE_270)
    widths = bars(sideways, COLORS[0])
    assert len(widths) == 4
    assert max(widths) / min(widths) == pytest.approx(4, rel=0.03)


def test_a_table_grows_with_its_rows() -> None:
    few = charted(Chart(kind="table", labels=["a", "b"], rows=[["1", "2"]]))
    many = charted(Chart(kind="table", labels=["a", "b"], rows=[["1", "2"]] * 20))
    assert many.height > 4 * few.height


@pytest.mark.parametrize(
    ("chart", "says"),
    [
        (Chart(kind="bar"), "needs numbers"),
        (Chart(kind="bar", series=[Series([None])]), "needs numbers"),
        (Chart(kind="bar", series=[Series([1, 2])], labels=["a"]), "1 labels and 2 values"),
        (Chart(kind="line", series=[Series([1, 2], "north", [1])]), "1 x and 2 values of 'north'"),
        (Chart(kind="pie", series=[Series([1, -2])]), "must be positive"),
        (Chart(kind="pie", series=[Series([0, 0])]), "must be positive"),
        (Chart(kind="pie", series=[Series([1]), Series([1])]), "one series"),
        (Chart(kind="pie", series=[Series([1] * 13)]), "up to 12 slices"),
        (Chart(kind="scatter", series=[Series([float("inf")])]), "finite"),
        (Chart(kind="table"), "needs rows"),
        (Chart(kind="table", rows=[["x"] * 13]), "12 columns"),
        (Chart(kind="bar", series=[Series([1.0] * 201)]), "200 bars"),
        (Chart(kind="line", series=[Series([1])], colors=["reddish"]), "no colour"),
        (Chart(kind="histogram", series=[Series([1e300, 1e300])], bins=1), "too close together"),
    ],
)
def test_what_cannot_be_drawn_is_said(chart: Chart, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        charted(chart)


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (1234567, "", "1,234,567"), (1234.5, "$", "$1,234.50"), (-80, "$", "−$80"), (0.125, "%", "0.125%"), (3, "kg", "3 kg"),
        (0, "", "0"), (0.00001, "", "0.00001"), (340.5, "€", "€340.5"), (99999.0, "", "99,999"), (1e300, "", "1e+300"), (1e-9, "", "1e−09"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_people_do(value: float, unit: str, said: str) -> None:
    assert _number(value, unit) == said


def test_words_of_any_length_leave_the_numbers_their_room() -> None:
    """Where axes collapse, matplotlib warns, and a warning fails a test."""
    long = "word " * 200
    for kind in ("bar", "line", "scatter", "histogram", "pie", "table"):
        series = [Series([1, 2, 3], long)] if kind == "pie" else [Series([1, 2, 3], long), Series([3, 2, 1], long)]
        rows = [[long, "1"]] * 3
        charted(Chart(kind=kind, series=series, labels=[long] * 3, rows=rows, title=long, x_label=long, y_label=long))  # type: ignore[arg-type]
