from __future__ import annotations

import pytest

from heliograph.cli import recordingcheck


def test_the_installed_ffmpeg_decodes_the_usual_codecs_and_writes_ours() -> None:
    found = recordingcheck.recordings()
    assert found.verdict == "ok"
    assert "13 of 13 usual codecs" in found.detail


def test_a_codec_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(recordingcheck.READ, "Theora", "no_such_codec")
    monkeypatch.setitem(recordingcheck.MADE, "MP3", "nor_this")
    found = recordingcheck.recordings()
    assert found.verdict == "note"
    assert "without Theora; MP3 cannot be written" in found.detail


def test_an_ffmpeg_that_cannot_be_loaded_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordingcheck, "PROGRAM", "import no_such_module")
    found = recordingcheck.recordings()
    assert (found.verdict, found.what) == ("bad", "recordings")
    assert "no_such_module" in found.detail
