"""`heliograph eval` over the drawn set, here and by a server. The bar is a floor: what stood once shall stand."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from heliograph.cli.app import app
from heliograph.config import settings
from heliograph.models.scripted import Scripted, Turn
from tests.live import running_server
from tests.unit.perception.drawing import write_pdf

DRAWN = Path(__file__).parents[2] / "data" / "eval"
SIMPLE = [word for name in ("drawn_invoices", "drawn_forms", "drawn_receipts") for word in ("--set", name)]
"""The other sets are measured with the domains."""
runner = CliRunner()


@pytest.fixture(autouse=True)
def kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_the_drawn_documents_stay_over_the_bar_and_the_report_shows_them(tmp_path: Path) -> None:
    numbers, folder = tmp_path / "new.json", tmp_path / "report"
    result = runner.invoke(
        app,
        ["eval", str(DRAWN), *SIMPLE, "--as-images", "--bar", str(DRAWN / "bar.json"), "--json", str(numbers), "--report", str(folder)],
    )
    assert result.exit_code == 0, result.output
    measured = json.loads(numbers.read_text())
    assert measured["drawn_invoices-images"]["micro"]["documents"] == 2
    page = (folder / "index.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 7
    assert "class='true right'" in page
    assert "class='found right'" in page
    assert not re.search(r"""(?:src|href)=(?!["']?data:)""", page)
    assert "<!--" not in page

    again = runner.invoke(app, ["eval", str(DRAWN), "--set", "drawn_forms", "--compare", str(numbers)])
    assert again.exit_code == 0, again.output
    assert "0 numbers better, 0 worse" in again.output
    assert "answers were kept" in again.output

    high = tmp_path / "high.json"
    high.write_text('{"drawn_forms": {"micro": {"f1": 1.01}}}')
    low = runner.invoke(app, ["eval", str(DRAWN), "--set", "drawn_forms", "--bar", str(high)])
    assert low.exit_code == 1
    assert "under the bar: drawn_forms micro f1 is" in low.output
    assert re.search(r"drawn_forms +│ micro +│ f1 +│ 1.01 +│ [01]\.\d{3} +│ under", low.output)


def test_recordings_stay_over_the_bar_and_a_folder_of_ones_own_is_measured_alike(tmp_path: Path) -> None:
    sets = ["--set", "drawn_shots", "--set", "read_aloud"]
    result = runner.invoke(app, ["eval", str(DRAWN), *sets, "--bar", str(DRAWN / "bar.json"), "--report", str(tmp_path / "report")])
    assert result.exit_code == 0, result.output
    assert re.search(r"drawn_shots +│ micro +│ cuts F1 +│ 1 +│ 1\.000 +│ met", result.output)
    assert "WER" in (tmp_path / "report" / "index.html").read_text()

    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "talk.ogg").write_bytes((DRAWN / "items" / "LJ001-0005.ogg").read_bytes())
    (mine / "talk.txt").write_text("The invention of movable metal letters in the middle of the fifteenth century")
    numbers = tmp_path / "mine.json"
    asked = ["eval", str(mine), "--schema", "audio.transcription"]
    result = runner.invoke(app, [*asked, "--json", str(numbers)])
    assert result.exit_code == 0, result.output
    # of the thirteen words none is missing, and the twelve that follow are not in the truth
    assert json.loads(numbers.read_text())["mine"]["micro"]["WER"] == pytest.approx(12 / 13)

    away = runner.invoke(app, [*asked, "--via", "http://127.0.0.1:9"])
    assert away.exit_code == 2
    assert "leave out --via" in " ".join(away.output.replace("│", " ").split())


def test_a_server_is_measured_by_the_same_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_server(tmp_path / "server") as server:
        monkeypatch.setenv("VLMRUN_API_KEY", server.key)
        numbers = tmp_path / "served.json"
        result = runner.invoke(app, ["eval", str(DRAWN), "--set", "drawn_forms", "--via", server.url, "--json", str(numbers)])
        assert result.exit_code == 0, result.output
    micro = json.loads(numbers.read_text())["drawn_forms"]["micro"]
    assert (micro["documents"], micro["errors"]) == (1, 0)
    assert micro["f1"] >= 0.9
    assert micro["grounding_hit"] >= 0.9


def test_a_model_route_is_measured_as_its_clients_get_it_and_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELIOGRAPH_DATA_DIR", str(tmp_path / "data"))
    with Scripted([Turn(times=0, extract={"total": r"(?i)\btotal\D*([\d.]+)"})], dialect="vllm", vision=False) as server:
        monkeypatch.setenv("HELIOGRAPH_MODEL_URL", server.url)
        settings.cache_clear()
        try:
            measured = {via: evaluated(tmp_path, via) for via in ("embedded", "default", "alone:default", "default")}
        finally:
            settings.cache_clear()
        asked = len(server.requests)
    assert asked == measured["alone:default"]["documents"]  # both ways ask about a window once
    assert 0 < measured["alone:default"]["f1"] < measured["embedded"]["f1"]  # it knows one field
    assert measured["default"]["f1"] >= measured["alone:default"]["f1"]
    assert measured["default"]["ece"] != measured["alone:default"]["ece"]  # agreement makes it surer


def evaluated(tmp_path: Path, via: str) -> dict[str, float]:
    numbers = tmp_path / "numbers.json"
    result = runner.invoke(app, ["eval", str(DRAWN), "--set", "drawn_receipts", "--via", via, "--json", str(numbers)])
    assert result.exit_code == 0, result.output
    return json.loads(numbers.read_text())["drawn_receipts"]["micro"]


def test_a_route_learns_from_its_answers_how_sure_it_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for at in range(16):
        truth = {"order": f"A-{4000 + 37 * at}", "total": 20.5 + at, "paid": 11.25 + at, "clerk": f"Nora Field{at}", "till": f"T{70 + at}"}
        (folder / f"{at}.json").write_text(json.dumps(truth))
        lines = [
            f"{name.title()}: {value:.2f}" if isinstance(value, float) else f"{name.title()}: {value}" for name, value in truth.items()
        ]
        (folder / f"{at}.txt").write_text("\n".join(lines))
    kinds = {name: {"type": "number" if name in ("total", "paid") else "string"} for name in ("order", "total", "paid", "clerk", "till")}
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps({"type": "object", "properties": kinds}))
    monkeypatch.setenv("HELIOGRAPH_DATA_DIR", str(tmp_path / "data"))
    money, text = r"Total: ([\d.]+)", r"{}: ([^\n]+)"
    says: dict[str, str | list[str]] = {
        "order": text.format("Order"),
        "total": money,
        "paid": money,
        "clerk": text.format("Clerk"),
        "till": text.format("Order"),
    }
    asked = ["eval", str(folder), "--schema", str(schema), "--via", "default", "--calibrate"]
    with Scripted([Turn(times=0, extract=says)], dialect="vllm", vision=False) as server:
        monkeypatch.setenv("HELIOGRAPH_MODEL_URL", server.url)
        settings.cache_clear()
        try:
            few = runner.invoke(app, [*asked, "--limit", "3"])
            assert few.exit_code == 1
            assert "not calibrated: 15 answers" in few.output
            learned = runner.invoke(app, asked)
            assert learned.exit_code == 0, learned.output
            assert "calibration of default: 80 answers on 16 documents, 48 of them right" in learned.output
            kept = tmp_path / "data" / "models" / "default.calibration.json"
            assert json.loads(kept.read_text())["answers"] == 80
            after = tmp_path / "after.json"
            runner.invoke(app, [*asked[:-1], "--json", str(after)])
        finally:
            settings.cache_clear()
    sure = re.search(r"ECE ([\d.]+) \(([\d.]+)\)", learned.output)
    assert sure is not None
    assert float(sure[1]) < float(sure[2])  # on documents left out, the shipped confidence in brackets
    micro = json.loads(after.read_text())["mine"]["micro"]
    assert micro["f1"] == 1.0  # what the route is known to get wrong gives way to what the page has
    assert micro["ece"] < 0.05


def test_a_route_that_is_not_configured_is_a_usage_error_that_names_those_that_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELIOGRAPH_MODEL_URL", "http://127.0.0.1:9/v1")
    settings.cache_clear()
    try:
        for via in ("nonesuch", "alone:nonesuch"):
            result = runner.invoke(app, ["eval", str(DRAWN), "--via", via])
            assert result.exit_code == 2
            assert "configured model route (default)" in " ".join(result.output.replace("│", " ").split())
    finally:
        settings.cache_clear()


def test_a_folder_of_ones_own_needs_only_a_schema(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "x.pdf").write_bytes((DRAWN / "items" / "c.pdf").read_bytes())
    (folder / "x.json").write_text('{"email": "ottilie.marsh@post.example", "date_of_birth": "1988-11-20"}')
    result = runner.invoke(app, ["eval", str(folder), "--schema", str(DRAWN / "schemas" / "drawn_forms.json"), "--verbose"])
    assert result.exit_code == 0, result.output
    assert "x.pdf: date_of_birth: '1988-11-19' is not '1988-11-20'" in result.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "no manifest.jsonl"),
        (["--schema", "document.nothing-like-it"], "no domain"),
        (["--schema", "document.invoice"], "does not hold"),
        (["--schema", "document.invoice", "--set", "a"], "one set"),
    ],
)
def test_what_cannot_be_measured_is_a_clear_usage_error(tmp_path: Path, options: list[str], said: str) -> None:
    result = runner.invoke(app, ["eval", str(tmp_path), *options])
    assert result.exit_code == 2
    assert said in re.sub(r"[\s│]+", " ", result.output)


def test_sets_without_a_schema_are_measured_by_how_they_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "pages_zerox"
    folder.mkdir()
    write_pdf(folder / "a.pdf", [[(72, 72, 12, "The harbour of Leith")]])
    (folder / "a.json").write_text('{"expected_keywords_per_page": [["harbour", "castle"]]}')
    row = json.dumps({"id": "a", "set": "pages_zerox", "path": "pages_zerox/a.pdf", "truth_path": "pages_zerox/a.json"})
    for where in (tmp_path, folder):
        (where / "manifest.jsonl").write_text(row)
    numbers, report, bar = tmp_path / "numbers.json", tmp_path / "report", tmp_path / "bar.json"
    bar.write_text('{"pages_zerox": {"micro": {"keyword recall": 0.6}}}')
    result = runner.invoke(app, ["eval", str(tmp_path), "--json", str(numbers), "--report", str(report), "--bar", str(bar)])
    assert result.exit_code == 1, result.output
    assert "under the bar: pages_zerox micro keyword recall is 0.500; the bar is at least 0.6" in result.output
    assert json.loads(numbers.read_text())["pages_zerox"]["micro"] == {"keyword recall": 0.5, "documents": 1}
    assert "<td>keyword recall</td><td>0.500</td>" in (report / "index.html").read_text()
    assert runner.invoke(app, ["eval", str(tmp_path), "--via", "http://127.0.0.1:9"]).exit_code == 2
