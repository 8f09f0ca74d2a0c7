"""The same sounds at the same times, and the same frames, out of every container and coding that can be made here."""

from contextlib import closing
from pathlib import Path

import pytest

from heliograph.media import playing
from heliograph.media.content import Limits, Playable
from heliograph.media.footage import Footage, pixels
from heliograph.media.recording import Recording
from heliograph.media.sniff import sniff_file
from heliograph.media.soundtrack import Soundtrack
from tests.unit.recordings.recorded import beeps, number_of, onsets, picture, write

AT = [0.5, 1.25, 2.9]
LEAD = 0.026
"""Seconds of lead-in that encoders of AAC, MP3 and their like write, where the container has no place to say so; players play it."""
SOUND = [
    ("wav", "pcm_s16le", 16_000, "audio/wav", 0.0),
    ("wav", "pcm_mulaw", 8_000, "audio/wav", 0.0),
    ("wav", "pcm_f32le", 48_000, "audio/wav", 0.0),
    ("mp3", "libmp3lame", 44_100, "audio/mpeg", 0.0),
    ("ipod", "aac", 44_100, "audio/mp4", 0.0),
    ("adts", "aac", 44_100, "audio/aac", LEAD),
    ("flac", "flac", 48_000, "audio/flac", 0.0),
    ("ogg", "libopus", 48_000, "audio/ogg", 0.0),
    ("webm", "libopus", 48_000, "audio/webm", 0.0),
    ("matroska", "aac", 48_000, "audio/x-matroska", 0.0),
    ("mov", "pcm_s16le", 44_100, "audio/quicktime", 0.0),
    ("avi", "libmp3lame", 44_100, "audio/x-msvideo", LEAD),
    ("3gp", "aac", 16_000, "audio/3gpp", 0.0),
    ("mpegts", "aac", 44_100, "audio/mp2t", LEAD),
    ("flv", "aac", 44_100, "audio/x-flv", LEAD),
    ("amr", "libopencore_amrnb", 8_000, "audio/amr", LEAD),
    ("aiff", "pcm_s16be", 44_100, "audio/aiff", 0.0),
    ("au", "pcm_mulaw", 8_000, "audio/basic", 0.0),
    ("caf", "pcm_s16le", 16_000, "audio/x-caf", 0.0),
    ("w64", "pcm_s16le", 16_000, "audio/x-w64", 0.0),
    ("mpeg", "mp2", 48_000, "audio/mpeg", LEAD),
]
PICTURES: list[tuple[str, str, str, dict[str, str]]] = [
    ("mp4", "libx264", "h264", {}),
    ("mp4", "mpeg4", "mpeg4", {"bf": "2"}),
    ("matroska", "libx264", "h264", {}),
    ("matroska", "libx265", "hevc", {"x265-params": "log-level=none"}),
    ("webm", "libvpx-vp9", "vp9", {"deadline": "realtime"}),
    ("webm", "libvpx", "vp8", {"deadline": "realtime"}),
    ("avi", "mpeg4", "mpeg4", {"bf": "2"}),
    ("avi", "libx264", "h264", {}),
    ("avi", "mjpeg", "mjpeg", {"strict": "unofficial"}),
    ("mpegts", "libx264", "h264", {}),
    ("mpegts", "mpeg2video", "mpeg2video", {}),
    ("mpeg", "mpeg2video", "mpeg2video", {"bf": "2"}),
    ("mpeg2video", "mpeg2video", "mpeg2video", {}),
    ("flv", "libx264", "h264", {}),
    ("asf", "wmv2", "wmv2", {}),
    ("ogg", "libvpx", "vp8", {"deadline": "realtime"}),
]


def played(path: Path, recording: Recording) -> Playable:
    return Playable(str(path), recording.duration, recording.even, 1, Limits())


@pytest.mark.parametrize(("form", "codec", "rate", "media_type", "lead"), SOUND)
def test_sound_is_at_its_times(form: str, codec: str, rate: int, media_type: str, lead: float, tmp_path: Path) -> None:
    path = write(tmp_path / "a.bin", sound=beeps(3.2, AT, rate), rate=rate, audio=codec, form=form)
    recording = playing.inspect(path, Limits())
    assert (recording.media_type, recording.kind, recording.warnings) == (media_type, "audio", [])
    assert recording.duration == pytest.approx(3.2, abs=0.01 + 1.5 * lead)
    with closing(Soundtrack(played(path, recording))) as track:
        heard = track.read(0, 160_000)
    assert track.damage == []
    assert onsets(heard) == pytest.approx([time + lead / 2 for time in AT], abs=0.002 + lead / 2)
    assert len(heard) / 32_000 == pytest.approx(recording.duration, abs=0.01)


@pytest.mark.parametrize(("form", "encoder", "codec", "options"), PICTURES)
def test_frames_are_at_their_times(form: str, encoder: str, codec: str, options: dict[str, str], tmp_path: Path) -> None:
    options = {"b": "4000000", "g": "10"} | options
    path = write(tmp_path / "v.bin", pictures=(picture(n, 160, 128) for n in range(30)), video=encoder, options=options, form=form, fps=25)
    recording = playing.inspect(path, Limits())
    assert (recording.kind, recording.warnings) == ("video", [])
    assert recording.media_type.partition("/")[2] == sniff_file(path).media_type.partition("/")[2]
    assert recording.video is not None
    assert (recording.video.codec, recording.video.width, recording.video.height) == (codec, 160, 128)
    assert recording.video.fps == pytest.approx(25, abs=0.1)
    assert recording.duration == pytest.approx(1.2, abs=0.1)
    order = (29, 0, 7, 8, 21, 20, 3, 15, 14, 28)
    with closing(Footage(played(path, recording))) as footage:
        shown = [footage.at(number / 25 + 0.01) for number in order]
        assert [number_of(pixels(frame, footage.shape, None).data) for _, frame in shown] == list(order)
        assert [time for time, _ in shown] == pytest.approx([number / 25 for number in order], abs=0.002)
