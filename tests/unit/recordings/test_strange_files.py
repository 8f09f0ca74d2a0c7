"""Recordings that are damaged, that lie, or that are made to do harm: each has its clear answer, and no other file is ever opened."""

from __future__ import annotations

import ctypes
import os
import random
import socket
import struct
import threading
import wave
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from heliograph.errors import CorruptMedia, EmptyMedia, EncryptedMedia, MediaError, MediaLimitExceeded, UnsupportedMedia
from heliograph.media import playing
from heliograph.media.container import Container
from heliograph.media.content import Limits, Playable
from heliograph.media.footage import Footage, pixels
from heliograph.media.recording import Recording
from heliograph.media.soundtrack import Soundtrack
from tests.unit.recordings.recorded import beeps, number_of, onsets, picture, write

AT = [1.0, 3.0, 5.0, 7.0, 9.0]


def talk(path: Path, form: str, codec: str = "aac", rate: int = 44_100) -> Path:
    """Ten seconds of sound."""
    return write(path, sound=beeps(10.0, AT, rate), rate=rate, audio=codec, form=form)


def film(path: Path, form: str, **options: Any) -> Path:
    """Three seconds of pictures, ten a second."""
    return write(path, pictures=(picture(number, 64, 48) for number in range(30)), form=form, **options)


def played(path: Path, recording: Recording) -> Playable:
    return Playable(str(path), recording.duration, recording.even, 1, Limits())


def heard(path: Path, recording: Recording) -> tuple[bytes, list[float]]:
    with closing(Soundtrack(played(path, recording))) as track:
        return track.read(0, 10_000_000), track.damage


def shown(path: Path, recording: Recording, time: float) -> int:
    with closing(Footage(played(path, recording))) as footage:
        return number_of(pixels(footage.at(time)[1], footage.shape, None).data)


def patched(path: Path, old: bytes, new: bytes) -> Path:
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new))
    return path


@pytest.mark.parametrize(
    ("form", "codec"), [("mp4", "aac"), ("matroska", "aac"), ("webm", "libopus"), ("flv", "aac"), ("ogg", "libopus"), ("mp3", "libmp3lame")]
)
def test_only_the_beginning_of_a_file_is_a_damaged_file(form: str, codec: str, tmp_path: Path) -> None:
    path = talk(tmp_path / "a", form, codec, 48_000)
    path.write_bytes(path.read_bytes()[:48] + random.Random(1).randbytes(500))
    with pytest.raises(CorruptMedia):
        playing.inspect(path, Limits())


def test_an_mp4_without_its_end_is_told_what_is_missing(tmp_path: Path) -> None:
    path = talk(tmp_path / "a", "mp4")
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(CorruptMedia, match="without its index, most likely because its end is missing"):
        playing.inspect(path, Limits())


@pytest.mark.parametrize(("form", "codec"), [("matroska", "aac"), ("webm", "libopus"), ("mp3", "libmp3lame"), ("wav", "pcm_s16le")])
def test_what_is_there_of_a_file_cut_short_is_heard_with_a_warning(form: str, codec: str, tmp_path: Path) -> None:
    path = talk(tmp_path / "a", form, codec, 48_000)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    recording = playing.inspect(path, Limits())
    assert 5 < recording.duration < 7
    assert len(recording.warnings) == 1
    assert "cut short" in recording.warnings[0] or "what is there ends after" in recording.warnings[0]
    assert onsets(heard(path, recording)[0]) == pytest.approx([1.0, 3.0, 5.0], abs=0.03)


@pytest.mark.parametrize(("form", "codec"), [("mp4", "aac"), ("mpegts", "aac"), ("ogg", "libopus"), ("flv", "aac")])
def test_sound_goes_on_at_its_time_after_damage_and_says_so(form: str, codec: str, tmp_path: Path) -> None:
    path = talk(tmp_path / "a", form, codec, 48_000)
    data = bytearray(path.read_bytes())
    begin, end = len(data) * 50 // 100, len(data) * 60 // 100
    data[begin:end] = random.Random(1).randbytes(end - begin)
    path.write_bytes(data)
    recording = playing.inspect(path, Limits())
    assert recording.duration == pytest.approx(10, abs=0.1)
    sound, damage = heard(path, recording)
    assert onsets(sound)[:2] == pytest.approx(AT[:2], abs=0.03)
    assert onsets(sound)[-1] == pytest.approx(9.0, abs=0.03)
    assert damage


def test_a_track_without_anything_in_it_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
    with pytest.raises((EmptyMedia, CorruptMedia)):
        playing.inspect(path, Limits())


def test_an_unknown_coding_is_named_and_the_other_track_is_used(tmp_path: Path) -> None:
    path = patched(film(tmp_path / "v", "mp4"), b"avc1", b"zzz1")
    with pytest.raises(UnsupportedMedia, match=r"pictures are in a coding that Heliograph does not decode .*zzz1"):
        playing.inspect(path, Limits())
    path = write(tmp_path / "w", pictures=(picture(1) for _ in range(20)), sound=beeps(2.0, [1.0]), form="mp4")
    recording = playing.inspect(patched(path, b"avc1", b"zzz1"), Limits())
    assert (recording.kind, recording.video) == ("audio", None)
    assert "does not decode" in recording.warnings[0]
    assert onsets(heard(path, recording)[0]) == pytest.approx([1.0], abs=0.01)


def test_encrypted_tracks_are_encrypted_media(tmp_path: Path) -> None:
    path = patched(film(tmp_path / "v", "mp4"), b"avc1", b"encv")
    with pytest.raises(EncryptedMedia, match="digital rights"):
        playing.inspect(path, Limits())


@pytest.mark.parametrize("seconds", [1, 36_000])
def test_a_duration_that_lies_is_not_believed(seconds: int, tmp_path: Path) -> None:
    path = talk(tmp_path / "a", "matroska")
    data = path.read_bytes()
    place = data.index(b"\x44\x89\x88") + 3  # Duration, a float of eight bytes, in milliseconds
    path.write_bytes(data[:place] + struct.pack(">d", seconds * 1000) + data[place + 8 :])
    recording = playing.inspect(path, Limits())
    assert recording.duration == pytest.approx(10, abs=0.1)
    assert any("says that it lasts 36000.0" in warning for warning in recording.warnings) == (seconds == 36_000)


def test_a_live_recording_without_a_duration_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "live.webm"
    container: Any
    with av.open(str(path), "w", format="webm", options={"live": "1"}) as container:
        stream = container.add_stream("libopus", rate=48_000, layout="mono")
        frame: Any = av.AudioFrame.from_ndarray(beeps(10.0, AT, 48_000).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 48_000
        container.mux([*stream.encode(frame), *stream.encode(None)])
    assert playing.inspect(path, Limits()).duration == pytest.approx(10, abs=0.1)


def test_a_recording_longer_than_allowed_is_refused_by_its_packets(tmp_path: Path) -> None:
    path = talk(tmp_path / "a", "adts")
    with pytest.raises(MediaLimitExceeded, match="max_duration"):
        playing.inspect(path, Limits(max_duration=9.0))
    assert playing.inspect(path, Limits(max_duration=11.0)).duration == pytest.approx(10, abs=0.1)


def test_frames_larger_than_allowed_are_refused_by_their_header(tmp_path: Path) -> None:
    path = film(tmp_path / "v", "matroska")
    with pytest.raises(MediaLimitExceeded, match="64 x 48 pixels"):
        playing.inspect(path, Limits(max_pixels=3_000))


@pytest.mark.parametrize("video", ["rawvideo", "mjpeg"])
def test_frames_that_say_they_are_gigantic_are_never_decoded(video: str, tmp_path: Path) -> None:
    path = film(tmp_path / "v", "avi", video=video, options={"strict": "unofficial"})
    data = path.read_bytes()
    for small, large in ((("<ii", 64, 48), ("<ii", 32_768, 32_768)), ((">HH", 48, 64), (">HH", 32_768, 32_768))):
        data = data.replace(struct.pack(*small), struct.pack(*large))
    path.write_bytes(data)
    with pytest.raises(MediaError):
        playing.inspect(path, Limits())


def test_more_tracks_than_anybody_needs_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "many.mkv"
    container: Any
    with av.open(str(path), "w", format="matroska") as container:
        streams = [container.add_stream("pcm_s16le", rate=8_000, layout="mono") for _ in range(100)]
        frame: Any = av.AudioFrame.from_ndarray(beeps(0.1, [], 8_000).reshape(1, -1), format="s16", layout="mono")
        for stream in streams:
            frame.sample_rate, frame.pts = 8_000, 0
            container.mux([*stream.encode(frame), *stream.encode(None)])
    with closing(Container(path, Limits())) as container:
        assert len(container.tracks) == 64
    assert playing.inspect(path, Limits()).kind == "audio"


@contextmanager
def watched(folder: Path) -> Generator[set[str]]:
    """The names of the files in the folder that anybody opens meanwhile, by inotify(7)."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.inotify_init1(os.O_NONBLOCK)
    assert libc.inotify_add_watch(descriptor, str(folder).encode(), 0x20) > 0  # IN_OPEN
    names: set[str] = set()
    yield names
    try:
        events = os.read(descriptor, 1 << 16)
    except BlockingIOError:
        events = b""
    os.close(descriptor)
    while events:
        length = struct.unpack_from("iIII", events)[3]
        names.add(events[16 : 16 + length].rstrip(b"\0").decode())
        events = events[16 + length :]


@contextmanager
def listening() -> Generator[tuple[int, list[object]]]:
    """A port of this machine, and who called it."""
    callers: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        done = threading.Event()

        def accept() -> None:
            while not done.is_set():
                try:
                    callers.append(server.accept()[0].close())
                except TimeoutError:
                    continue

        thread = threading.Thread(target=accept)
        thread.start()
        yield server.getsockname()[1], callers
        done.set()
        thread.join()


def referring(path: Path, target: str) -> Path:
    """A QuickTime film whose pictures lie in another file, named by an alias as Apple's are and as an address."""
    film(path, "mov")
    data = path.read_bytes()
    place = data.index(b"dref") - 4
    entry = struct.pack(">I4sI", 12 + len(target) + 1, b"url ", 0) + target.encode() + b"\0"
    made = struct.pack(">I4sII", 16 + len(entry), b"dref", 0, 1) + entry
    grown = len(made) - struct.unpack_from(">I", data, place)[0]
    out = bytearray(data[:place] + made + data[place + struct.unpack_from(">I", data, place)[0] :])
    for box in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
        at = out.index(box) - 4
        struct.pack_into(">I", out, at, struct.unpack_from(">I", out, at)[0] + grown)
    path.write_bytes(out)
    return path


def test_nothing_that_a_file_refers_to_is_opened(tmp_path: Path) -> None:
    talk(tmp_path / "secret.wav", "wav", "pcm_s16le")
    with listening() as (port, callers):
        address = f"http://127.0.0.1:{port}/x.ts"
        files = {
            "list.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{tmp_path}/secret.wav\n#EXTINF:10,\n{address}\n#EXT-X-ENDLIST\n",
            "concat.mp4": f"ffconcat version 1.0\nfile secret.wav\nfile {address}\n",
            "stream.mp4": f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {port} RTP/AVP 0\n",
            "dash.mp4": f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{address}</BaseURL></MPD>',
        }
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        for target in (f"file://{tmp_path}/secret.wav", "secret.wav", address):
            name = f"ref{len(files)}.mov"
            files[name] = ""
            referring(tmp_path / name, target)
        with watched(tmp_path) as opened:
            for name in files:
                with suppress(MediaError):  # what refers to another file may still hold pictures of its own
                    playing.inspect(tmp_path / name, Limits())
    assert opened == set(files)
    assert callers == []


def test_a_cover_picture_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    container: Any
    with av.open(str(path), "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=44_100, layout="mono")
        cover = container.add_stream("mjpeg", options={"strict": "unofficial"})
        cover.width, cover.height, cover.pix_fmt, cover.disposition = 64, 48, "yuv420p", av.stream.Disposition.attached_pic  # pyright: ignore
        container.mux([*cover.encode(av.VideoFrame.from_ndarray(picture(9), format="rgb24")), *cover.encode(None)])
        frame: Any = av.AudioFrame.from_ndarray(beeps(10.0, AT, 44_100).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 44_100
        container.mux([*stream.encode(frame), *stream.encode(None)])
    recording = playing.inspect(path, Limits())
    assert (recording.kind, recording.media_type, recording.video) == ("audio", "audio/mpeg", None)
    assert onsets(heard(path, recording)[0]) == pytest.approx(AT, abs=0.01)


def test_a_sound_of_many_channels_is_one(tmp_path: Path) -> None:
    path = tmp_path / "many.wav"
    sound = np.zeros((16_000, 24), "<i2")
    sound[:, 20] = beeps(1.0, [0.5])
    with wave.open(str(path), "wb") as file:
        file.setparams((24, 2, 16_000, 0, "NONE", ""))
        file.writeframes(sound.tobytes())
    assert onsets(heard(path, playing.inspect(path, Limits()))[0]) == pytest.approx([0.5], abs=0.01)


def test_a_sound_with_an_impossible_rate_is_damaged(tmp_path: Path) -> None:
    path = talk(tmp_path / "a.wav", "wav", "pcm_s16le")
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, 24, 0x7FFF_FFFF)
    path.write_bytes(data)
    with pytest.raises(MediaError):
        heard(path, playing.inspect(path, Limits()))
