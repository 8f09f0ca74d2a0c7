from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.perception.drawing import receipt, write_pdf

from heliograph.media import opening
from heliograph.media.content import Limits
from heliograph.perception.looking import look
from heliograph.perception.options import Options

LINES = [(72.0, 72.0 + 20 * n, 12.0, f"Line number {n} of a page of text") for n in range(12)]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The resolutions at which pages are drawn."""
    dpis: list[float] = []
    render = opening.render

    def drawing(path: Path, index: int, dpi: float, limits: Limits | None = None) -> object:
        dpis.append(dpi)
        return render(path, index, dpi, limits)

    monkeypatch.setattr(opening, "render", drawing)
    return dpis


def test_a_page_of_nothing_but_text_is_read_where_it_was_opened_and_never_drawn(tmp_path: Path, drawn: list[float]) -> None:
    content = look(write_pdf(tmp_path / "text.pdf", [LINES]), 0, Options(), Limits())
    assert content.read
    assert content.image is None
    assert content.page.text.splitlines() == [text for *_, text in LINES]
    assert drawn == []


def test_a_scan_comes_unread_with_pixels_drawn_once(tmp_path: Path, drawn: list[float]) -> None:
    receipt().image.save(tmp_path / "scan.pdf", resolution=100)
    content = look(tmp_path / "scan.pdf", 0, Options(), Limits())
    assert not content.read
    assert content.image is not None
    assert drawn == [200.0]


def test_the_full_structure_needs_the_engine_and_its_pixels(tmp_path: Path, drawn: list[float]) -> None:
    content = look(write_pdf(tmp_path / "text.pdf", [LINES]), 0, Options(structure="full"), Limits())
    assert not content.read
    assert content.image is not None
    assert drawn == [100.0]
