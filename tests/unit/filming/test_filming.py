from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from heliograph.config import Settings
from heliograph.errors import CorruptMedia, HeliographError, InvalidRequest, MediaLimitExceeded, UnsupportedMedia
from heliograph.filming.cutter import Cutter
from heliograph.filming.lettering import caption
from heliograph.filming.orders import Bounds, Cut, Filmed, Mark, Still, Timeline
from heliograph.filming.working import contact_sheet, film, frames, gif, sound
from heliograph.media.subtitles import Cue
from heliograph.media.timecode import clock
from tests.unit.filming import films

BOUNDS = Bounds(1 << 26, 1 << 24)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("films")
    films.film(made / "a.mp4")
    films.film(made / "upright.mp4", frames=10, size=(64, 96), sound=False, fps=10)
    films.tone(made / "tone.wav", hertz=880)
    return made


def made(folder: Path, name: str, timeline: Timeline) -> tuple[Path, Filmed]:
    target = folder / name
    return target, film(timeline, target, BOUNDS)


def lengths(path: Path) -> dict[str, float]:
    with av.open(str(path)) as source:
        return {stream.type: round(float((stream.duration or 0) * (stream.time_base or 0)), 2) for stream in source.streams}


def test_a_trim_has_exactly_the_frames_of_its_span_and_as_much_sound(folder: Path) -> None:
    target, told = made(folder, "trim.mp4", Timeline(cuts=[Cut(str(folder / "a.mp4"), 0.32, 1.2)]))
    assert films.greys(target) == [(round(n * 0.04, 3), n + 8) for n in range(22)]
    assert lengths(target) == {"video": 0.88, "audio": 0.88}
    assert (told.seconds, told.frames, told.copied) == (pytest.approx(0.88), 22, False)


def test_a_trim_between_keyframes_copies_the_pictures_and_is_as_exact(folder: Path) -> None:
    target, told = made(folder, "copied.mp4", Timeline(cuts=[Cut(str(folder / "a.mp4"), 1.0, None)]))
    assert told.copied
    assert films.greys(target) == [(round(n * 0.04, 3), n + 25) for n in range(25)]
    assert lengths(target) == {"video": 1.0, "audio": 1.0}


def test_a_start_between_two_frames_shows_the_one_that_a_player_showed_there(folder: Path) -> None:
    target, _ = made(folder, "between.mp4", Timeline(cuts=[Cut(str(folder / "a.mp4"), 0.41, 0.6)]))
    assert [number for _, number in films.greys(target)] == [10, 11, 12, 13, 14]


def test_parts_are_joined_in_order_the_second_with_bars_and_silence(folder: Path) -> None:
    cuts = [Cut(str(folder / "a.mp4"), 0.0, 0.4), Cut(str(folder / "upright.mp4")), Cut(str(folder / "a.mp4"), 1.0, 1.4)]
    target, told = made(folder, "joined.mp4", Timeline(cuts=cuts))
    assert (told.width, told.height, told.seconds) == (96, 64, pytest.approx(1.8))
    with av.open(str(target)) as source:
        shown = [frame.to_ndarray(format="rgb24") for frame in source.decode(video=0)]
    assert len(shown) == 10 + 25 + 10
    joined = shown[30]
    assert joined[:, :20].max() <= 4
    assert joined[40:, 45:52].mean() > 20, "bars at the sides, the upright film in the middle"
    heard, rate = films.samples(target)
    middle = heard[round(0.6 * rate) : round(1.2 * rate)]
    assert np.abs(middle).max() < 0.01 < np.abs(heard[: round(0.3 * rate)]).max()
    assert told.warnings == ["1 of 3 parts have no sound and are silent."]


def test_a_film_that_lies_on_its_side_is_cut_upright(folder: Path) -> None:
    source = films.film(folder / "lying.mp4", frames=20, rotation=90, sound=False)
    target, told = made(folder, "upright-cut.mp4", Timeline(cuts=[Cut(str(source), 0.48, 0.6)]))
    assert (told.width, told.height) == (64, 96)
    with av.open(str(target)) as opened:
        picture = next(opened.decode(video=0)).to_ndarray(format="gray")
    assert picture.shape == (96, 64)
    assert picture[60:, :28].mean() + 3 < picture[:40, :28].mean(), "turned counter-clockwise, the upper left corner is the lower left"


def test_speed_keeps_the_pitch(folder: Path) -> None:
    target, told = made(folder, "fast.mp4", Timeline(cuts=[Cut(str(folder / "a.mp4"), speed=2.0)]))
    heard, rate = films.samples(target)
    assert told.seconds == pytest.approx(1.0)
    assert films.pitch(heard, rate) == pytest.approx(440, abs=5)
    assert [number for _, number in films.greys(target)][::5] == [0, 10, 20, 30, 40]


def test_sound_is_put_in_place_of_another_and_ends_with_the_film(folder: Path) -> None:
    target, _ = made(folder, "other.mp4", Timeline(cuts=[Cut(str(folder / "a.mp4"), 0.0, 1.2)], sound=Cut(str(folder / "tone.wav"))))
    heard, rate = films.samples(target)
    assert films.pitch(heard, rate) == pytest.approx(880, abs=5)
    assert lengths(target)["audio"] == 1.2
    target, told = made(folder, "mute.mp4", Timeline(cuts=[Cut(str(folder / "a.mp4"))], muted=True))
    assert (set(lengths(target)), told.copied, told.sound) == ({"video"}, True, False)


def test_captions_are_drawn_only_while_they_are_shown_and_inside_the_safe_area(folder: Path) -> None:
    plain = films.film(folder / "wide.mp4", frames=20, size=(320, 180), sound=False)
    target, _ = made(folder, "burnt.mp4", Timeline(cuts=[Cut(str(plain))], captions=[Cue(0.2, 0.4, ["What is said", "in two lines"])]))
    with av.open(str(target)) as source:
        shown = [frame.to_ndarray(format="gray").astype(int) for frame in source.decode(video=0)]
    written = [number for number, picture in enumerate(shown) if picture[130:].max() > 200]
    assert written == [5, 6, 7, 8, 9]
    rows, columns = np.nonzero(shown[6] > 150)
    assert rows.max() <= 180 * 0.95
    assert 320 * 0.05 <= columns.min() < columns.max() <= 320 * 0.95


def test_captions_that_are_too_wide_are_laid_out_anew() -> None:
    left, top, pixels = caption(Cue(0, 1, ["A line that is much too long for a film", "which a phone took upright"]), 180, 320)
    assert left >= 180 * 0.05 - 1
    assert left + pixels.shape[1] <= 180 * 0.95 + 1
    assert top + pixels.shape[0] <= 320 * 0.95 + 1


def test_letters_that_no_font_has_are_refused_and_not_drawn_as_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heliograph.filming.lettering._installed", list)
    with pytest.raises(InvalidRequest, match="No font on this server"):
        caption(Cue(0, 1, ["\U0001e900 預算"]), 320, 180)


def test_captions_as_a_track_are_there_at_their_times_and_leave_the_pictures_as_they_are(folder: Path) -> None:
    track = [Cue(0.2, 0.9, ["One, two"]), Cue(1.0, 1.5, ["three"])]
    target, told = made(folder, "track.mp4", Timeline(cuts=[Cut(str(folder / "a.mp4"))], track=track, language="eng"))
    assert told.copied
    opened: Any = av.open(str(target))
    with opened as source:
        stream = source.streams.subtitles[0]
        texts = [
            (round(float(packet.pts * packet.time_base), 2), bytes(packet)[2:].decode())
            for packet in source.demux(stream)
            if packet.size > 2
        ]
        assert stream.language == "eng"
    assert texts == [(0.2, "One, two"), (1.0, "three")]


@pytest.mark.parametrize(
    ("position", "rows", "columns"), [("top-left", slice(0, 40), slice(0, 100)), ("bottom-right", slice(140, 180), slice(220, 320))]
)
def test_a_watermark_stands_in_its_corner_alone(folder: Path, position: str, rows: slice, columns: slice) -> None:
    plain = films.film(folder / "wide.mp4", frames=5, size=(320, 180), sound=False)
    mark = Mark(text="DRAFT", position=position, opacity=1.0)  # pyright: ignore[reportArgumentType]
    target, _ = made(folder, "marked.mp4", Timeline(cuts=[Cut(str(plain))], marks=[mark]))
    with av.open(str(target)) as source:
        picture = next(source.decode(video=0)).to_ndarray(format="gray").astype(int)
    assert picture[rows, columns].max() > 200
    picture[rows, columns] = 0
    assert picture.max() < 60


def test_a_picture_as_watermark_keeps_its_colours(folder: Path) -> None:
    Image.new("RGB", (40, 40), (200, 30, 30)).save(folder / "red.png")
    plain = films.film(folder / "wide.mp4", frames=5, size=(320, 180), sound=False)
    mark = Mark(picture=str(folder / "red.png"), position="center", size=0.5, opacity=1.0)
    target, _ = made(folder, "logo.mp4", Timeline(cuts=[Cut(str(plain))], marks=[mark]))
    with av.open(str(target)) as source:
        picture = next(source.decode(video=0)).to_ndarray(format="rgb24")
    assert picture[90, 160] == pytest.approx([200, 30, 30], abs=12)


def test_sound_is_taken_out_as_mp3_of_the_same_length(folder: Path) -> None:
    told = sound([Cut(str(folder / "a.mp4"), 0.5, 1.5), Cut(str(folder / "tone.wav"), 0.0, 0.5)], folder / "s.mp3", BOUNDS)
    heard, rate = films.samples(folder / "s.mp3")
    assert told.seconds == 1.5
    assert len(heard) / rate == pytest.approx(1.5, abs=0.06)
    assert [films.pitch(part, rate) for part in (heard[: rate // 2], heard[-rate // 3 :])] == pytest.approx([440, 880], abs=8)
    assert (folder / "s.mp3").read_bytes()[:3] in (b"ID3", b"\xff\xfb\x90")


def test_a_gif_has_the_frames_of_its_part_at_the_rate_asked_for(folder: Path) -> None:
    told = gif(Cut(str(folder / "a.mp4"), 0.4, 1.4), folder / "g.gif", 48, 10.0, BOUNDS)
    with Image.open(folder / "g.gif") as made:
        assert (getattr(made, "n_frames", 1), made.size, made.info["duration"], made.info["loop"]) == (10, (48, 32), 100, 0)
        made.seek(5)
        assert made.convert("L").getpixel((40, 26)) == pytest.approx(22 * films.STEP, abs=8)
    assert told.frames == 10
    with pytest.raises(MediaLimitExceeded, match="GIF of 20 frames"):
        gif(Cut(str(folder / "a.mp4")), folder / "g.gif", 48, 10.0, Bounds(1 << 26, 1 << 24, frames=12))


def test_frames_are_those_shown_at_their_times_in_the_order_asked_for(folder: Path) -> None:
    drawn = frames(folder / "a.mp4", [1.2, 0.05, 1.99], 48, "png")
    assert [(one.width, one.height, one.media_type) for one in drawn] == [(48, 32, "image/png")] * 3
    (folder / "f.png").write_bytes(drawn[0].data)
    with Image.open(folder / "f.png") as picture:
        assert picture.convert("L").getpixel((40, 26)) == pytest.approx(30 * films.STEP, abs=4)


def test_a_contact_sheet_has_a_place_for_each_frame(folder: Path) -> None:
    drawn = contact_sheet(folder / "a.mp4", [Still(0.0), Still(0.5), Still(1.0, "the end")], 3, 96)
    assert drawn.media_type == "image/jpeg"
    assert (drawn.width, drawn.height) == (96 * 3 + 12 * 4, 64 + 24 + round(13 * 1.5) - 1 + 1)


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00.0"), (59.96, "1:00.0"), (61.24, "1:01.2"), (3723.4, "1:02:03.4")])
def test_times_are_written_as_players_show_them(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [(5.0, None, "lasts 2.00 seconds"), (1.0, 9.0, "no part up to 9"), (1.0, 1.0, "earlier time"), (float("nan"), None, "earlier time")],
)
def test_parts_that_a_recording_has_not_are_refused_in_words(folder: Path, start: float, end: float | None, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        film(Timeline(cuts=[Cut(str(folder / "a.mp4"), start, end)]), folder / "x.mp4", BOUNDS)


def test_what_lacks_sound_or_pictures_is_refused_in_words(folder: Path) -> None:
    with pytest.raises(InvalidRequest, match="no sound"):
        sound([Cut(str(folder / "upright.mp4"))], folder / "x.mp3", BOUNDS)
    with pytest.raises(InvalidRequest, match="no pictures"):
        film(Timeline(cuts=[Cut(str(folder / "tone.wav"))]), folder / "x.mp4", BOUNDS)
    with pytest.raises(InvalidRequest, match="no pictures"):
        frames(folder / "tone.wav", [0.5], None, "jpeg")


def test_no_recording_and_a_damaged_one_end_as_errors_of_media(folder: Path) -> None:
    (folder / "text.mp4").write_text("no film at all")
    with pytest.raises(UnsupportedMedia):
        film(Timeline(cuts=[Cut(str(folder / "text.mp4"))]), folder / "x.mp4", BOUNDS)
    data = (folder / "a.mp4").read_bytes()
    (folder / "half.mp4").write_bytes(data[: len(data) // 2])
    with pytest.raises((UnsupportedMedia, CorruptMedia)):
        film(Timeline(cuts=[Cut(str(folder / "half.mp4"))]), folder / "x.mp4", BOUNDS)


async def test_the_door_tells_how_far_it_is_and_leaves_no_file_of_what_failed(folder: Path, tmp_path: Path) -> None:
    told: list[float] = []

    async def done(seconds: float) -> None:
        told.append(seconds)

    async with Cutter(Settings(data_dir=tmp_path)) as cutter:
        films.film(tmp_path / "long.mp4", frames=250, size=(640, 480), sound=False)
        target = tmp_path / "out.mp4"
        made = await cutter.film(Timeline(cuts=[Cut(str(tmp_path / "long.mp4"), 0.1)], turn=180), target, lasts=10, done=done)
        assert made.bytes == target.stat().st_size
        assert all(0 <= seconds <= 10 for seconds in told)
        with pytest.raises(MediaLimitExceeded, match="2,000 bytes"):
            await cutter.film(Timeline(cuts=[Cut(str(tmp_path / "long.mp4"), 0.1)]), target, lasts=10, most=2000)
        with pytest.raises(HeliographError, match="lasts"):
            await cutter.sound([Cut(str(folder / "tone.wav"), 60)], tmp_path / "none.mp3", lasts=1)
        sheet = await cutter.sheet(folder / "a.mp4", [0.0, 1.0])
        assert sheet.data[:2] == b"\xff\xd8"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["long.mp4"]
