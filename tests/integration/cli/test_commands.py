"""Commands as a person runs them: in a process of their own, on the shipped samples."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from heliograph.samples import INVOICE, RECEIPT
from tests.live import running_server
from tests.unit.media.paper import Pdf, say

EVAL = Path(__file__).parents[2] / "data" / "eval" / "items"
SPOKEN, FILMED = EVAL / "LJ001-0005.ogg", EVAL / "shots.mp4"


def heliograph(*arguments: str | Path, cwd: Path, stdin: bytes | None = None, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command with nothing of the developer's settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HELIOGRAPH_", "VLMRUN_"))}
    command = [sys.executable, "-m", "heliograph.cli.app", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, input=stdin, env=clean | environment, capture_output=True, timeout=180, check=False)


def test_the_demo_prints_citations_and_draws_every_page(tmp_path: Path) -> None:
    done = heliograph("demo", "--out", "pictures", cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    said = done.stdout.decode()
    assert '"total": 76.1' in said
    assert '"invoice_id": "BW-2026-0318"' in said
    assert '"content": "9 March 2026"' in said
    receipt = json.loads((tmp_path / "pictures" / "receipt.json").read_text())
    assert len(receipt["items"]) == 12
    for name in ("receipt-0.png", "invoice-0.png", "invoice-1.png"):
        with Image.open(tmp_path / "pictures" / name) as picture:
            assert picture.width > 1000


def test_extract_reads_standard_input_and_prints_the_bare_answer(tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text('{"type": "object", "properties": {"invoice_number": {"type": "string"}}}')
    done = heliograph(
        "extract", "-", "--schema", schema, "--json", "--no-grounding", "--pages", "0", cwd=tmp_path, stdin=INVOICE.read_bytes()
    )
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout) == {"invoice_number": "BW-2026-0318"}
    assert b"page 1 of 1" in done.stderr


def test_extract_says_which_file_failed_and_goes_on(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7\nnothing more")
    done = heliograph("extract", broken, INVOICE, "--domain", "document.invoice", "--json", cwd=tmp_path)
    assert done.returncode == 1
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert first["error"]["type"] == "corrupt_media"
    assert second["response"]["invoice_id"] == "BW-2026-0318"
    assert f"heliograph: {broken}: ".encode() in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["missing.pdf", "--domain", "document.invoice"], 2, b"missing.pdf"),
        ([str(INVOICE)], 2, b"--domain"),
        ([str(INVOICE), "--domain", "document.invoise"], 2, b"document.invoice"),
        ([str(INVOICE), "--domain", "document.invoice", "--pages", "7"], 1, b"page"),
        ([str(INVOICE), "--domain", "document.invoice", "--detail", "huge"], 2, b"huge"),
    ],
)
def test_a_wrong_call_is_one_clear_sentence(tmp_path: Path, arguments: list[str], code: int, said: bytes) -> None:
    done = heliograph("extract", *arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr.decode()
    assert said in done.stderr
    assert b"Traceback" not in done.stderr
    assert not done.stdout


def test_the_doctor_finds_this_machine_fit(tmp_path: Path) -> None:
    done = heliograph("doctor", "--json", cwd=tmp_path)
    findings = {finding["what"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 0, findings
    assert {"Python", "database", "text layer", "OCR", "LibreOffice", "data folder", "sandbox"} <= findings.keys()


def test_the_doctor_names_a_wrong_setting(tmp_path: Path) -> None:
    done = heliograph("doctor", cwd=tmp_path, HELIOGRAPH_PORT="ninety")
    assert done.returncode == 1
    assert b"port" in done.stdout


def test_recordings_become_transcripts_subtitles_and_a_sheet_of_what_was_seen(tmp_path: Path) -> None:
    text = tmp_path / "a.txt"
    text.write_text("nothing to hear")
    done = heliograph("extract", SPOKEN, text, FILMED, "--json", "--keyframes", "--annotate", "out", cwd=tmp_path)
    assert done.returncode == 1
    spoken, unasked, filmed = [json.loads(line) for line in done.stdout.splitlines()]
    assert spoken["domain"] == "audio.transcription"
    assert "movable metal letters" in spoken["response"]["segments"][0]["content"]
    assert "--domain" in unasked["error"]["message"]
    assert [frame["shot"] for frame in filmed["response"]["keyframes"]] == [0, 1, 2, 3, 4]
    assert Path(tmp_path / filmed["response"]["keyframes"][0]["url"]).read_bytes().startswith(b"\xff\xd8")
    assert b"listening" in done.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == {f"{SPOKEN.stem}.srt", f"{SPOKEN.stem}.vtt", f"{FILMED.stem}-sheet.png"}
    assert "00:00:00" in (tmp_path / "out" / f"{SPOKEN.stem}.srt").read_text()
    with Image.open(tmp_path / "out" / f"{FILMED.stem}-sheet.png") as sheet:
        assert sheet.width > 4 * 300

    piped = heliograph("extract", "-", cwd=tmp_path, stdin=SPOKEN.read_bytes())
    assert piped.returncode == 0, piped.stderr.decode()
    assert b"-, 00:08, en\n00:00 - 00:08  The invention of movable" in piped.stdout


def test_a_folder_is_done_by_a_server_once(tmp_path: Path) -> None:
    papers = tmp_path / "in"
    papers.mkdir()
    (papers / "a.pdf").write_bytes(INVOICE.read_bytes())
    (papers / "b.png").write_bytes(RECEIPT.read_bytes())
    (papers / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing more")
    with running_server(tmp_path / "data") as server:
        call = ["extract", papers, "--domain", "document.invoice", "-o", "out", "--server", server.url]
        first = heliograph(*call, cwd=tmp_path, VLMRUN_API_KEY=server.key)
        assert first.returncode == 1, first.stderr.decode()
        answer = json.loads((tmp_path / "out" / "a.pdf.json").read_text())
        assert answer["response"]["invoice_id"] == "BW-2026-0318"
        (error,) = [json.loads(line) for line in (tmp_path / "out" / "errors.jsonl").read_text().splitlines()]
        assert (error["type"], Path(error["file"]).name) == ("corrupt_media", "broken.pdf")
        before = {prediction["id"] for prediction in server.call("GET", "/v1/predictions?limit=50")[1]}

        (tmp_path / "out" / "a.pdf.json").unlink()
        again = heliograph(*call, cwd=tmp_path, VLMRUN_API_KEY=server.key)
        assert b"1 done before" in again.stderr
        assert json.loads((tmp_path / "out" / "a.pdf.json").read_text())["id"] == answer["id"]
        assert {prediction["id"] for prediction in server.call("GET", "/v1/predictions?limit=50")[1]} == before

        (tmp_path / "talks").mkdir()
        (tmp_path / "talks" / "a.ogg").write_bytes(SPOKEN.read_bytes())
        heard = heliograph("extract", "talks", "-o", "heard", "--server", server.url, cwd=tmp_path, VLMRUN_API_KEY=server.key)
        assert heard.returncode == 0, heard.stderr.decode()
        told = json.loads((tmp_path / "heard" / "a.ogg.json").read_text())
        assert (told["domain"], told["usage"]["element_type"]) == ("audio.transcription", "audio")
        assert "movable metal letters" in told["response"]["segments"][0]["content"]

        refused = heliograph(*call, cwd=tmp_path, VLMRUN_API_KEY="hg_wrong")
        assert refused.returncode == 1
        assert b"key" in refused.stderr
        assert b"Traceback" not in refused.stderr


def test_a_server_that_is_not_there_is_said(tmp_path: Path) -> None:
    call = ["extract", INVOICE, "--domain", "document.invoice", "-o", "out", "--server", "http://127.0.0.1:9"]
    done = heliograph(*call, cwd=tmp_path)
    assert done.returncode == 1
    (sentence,) = done.stderr.decode().splitlines()
    assert sentence.startswith("heliograph: http://127.0.0.1:9/v1 cannot be reached")


def _paper(path: Path) -> Path:
    pdf = Pdf()
    pdf.page(say("Patient: Zelmira Quoth", 72, 700) + say("The knee is better", 72, 680))
    path.write_bytes(pdf.bytes())
    return path


def test_a_redacted_copy_stands_in_the_current_folder_and_its_report_says_where(tmp_path: Path) -> None:
    done = heliograph("extract", _paper(tmp_path / "a.pdf"), "--domain", "healthcare.phi-redaction", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    report = json.loads(done.stdout)
    assert report["redacted_uri"] == "a.pdf.redacted.pdf"
    assert report["counts"] == {"name": 1}
    copy = (tmp_path / "a.pdf.redacted.pdf").read_bytes()
    assert copy.startswith(b"%PDF")
    assert b"Quoth" not in copy + done.stdout


def test_the_copies_of_a_folder_stand_beside_their_reports(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    _paper(tmp_path / "in" / "a.pdf")
    Image.new("RGB", (200, 300), "white").save(tmp_path / "in" / "b.png")
    done = heliograph("extract", "in", "-o", "out", "--domain", "healthcare.phi-edit-replace", cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if not path.name.startswith(".")) == [
        "a.pdf.json", "a.pdf.redacted.pdf", "b.png.json", "b.png.redacted.png",
    ]  # fmt: skip
    record = json.loads((tmp_path / "out" / "a.pdf.json").read_text())
    assert record["response"]["redacted_uri"] == "out/a.pdf.redacted.pdf"
    assert "made" not in record
