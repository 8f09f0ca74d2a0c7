"""The toolset `video`: recordings cut, joined, marked, shown as pictures and written anew. What is said and shown in them: `video_words`.

Where a tool says video, an audio recording does as well wherever its sound is all that is needed. Everything is made in children that
stream, and comes out as MP4 (H.264, AAC), MP3, JPEG or GIF.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from heliograph.agents import cards, providers, recordings
from heliograph.agents.context import Context
from heliograph.agents.recordings import MadeFilm, Opened, RecordingRef, Time, VideoRef, opened
from heliograph.agents.tools import ImageRef, Made, tool
from heliograph.errors import InvalidRequest
from heliograph.filming.orders import Cut, Mark, Position, Timeline
from heliograph.imaging.orders import Drawn
from heliograph.media.timecode import clock

MOST_FRAMES = 100
SIDE = 1280
"""Pixels of the longer side of a frame that is taken out, unless more are asked for."""
GIF_SECONDS = 60.0
Speed = Annotated[float, Field(ge=0.25, le=8, description="How many times as fast; 1 is as it is.")]
Title = Annotated[str | None, Field(description="A line to stand above it when it is shown.", max_length=200)]


class Info(msgspec.Struct, frozen=True, kw_only=True):
    """What a recording is. `kind`: `audio` or `video`; `duration` in seconds; `width`, `height` in pixels, upright; `fps` on average."""

    id: str
    kind: Literal["audio", "video"]
    media_type: str
    duration: float
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    sample_rate: int | None = None
    channels: int | None = None
    warnings: list[str] = []


class FrameAt(msgspec.Struct, frozen=True, kw_only=True):
    """A frame as an image, and its time in seconds."""

    id: str
    time: float
    width: int
    height: int


class Frames(msgspec.Struct, frozen=True, kw_only=True):
    """Frames, the earliest first. `sheet`: all of them in one image with their times, where that was asked for."""

    frames: list[FrameAt]
    sheet: str | None = None


class Keyframe(msgspec.Struct, frozen=True, kw_only=True):
    """The sharpest frame of a shot, and the shot's times in seconds."""

    id: str
    time: float
    start: float
    end: float


class Keyframes(msgspec.Struct, frozen=True, kw_only=True):
    """One frame for each shot. `shots`: how many there are in all."""

    frames: list[Keyframe]
    shots: int
    sheet: str | None = None


class Span(BaseModel):
    """A part of a recording."""

    model_config = ConfigDict(extra="ignore")

    start: Time
    end: Time


class Clip(BaseModel):
    """A part of a recording in an editable video. `end` null is its end."""

    model_config = ConfigDict(extra="forbid")

    video: VideoRef
    start: Time = 0.0
    end: Time | None = None
    speed: Speed = 1.0
    muted: bool = False


class Watermark(BaseModel):
    """Text over a video, or an image."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(default="", max_length=200)
    image: str | None = Field(default=None, description="Reference of an image in place of text.")
    position: Position = "bottom-right"
    opacity: float = Field(default=0.6, gt=0, le=1)
    size: float = Field(default=0.08, gt=0, le=1, description="Height, of the video's.")
    color: str = Field(default="white", max_length=40)
    start: Time = 0.0
    end: Time | None = None


class Editable(BaseModel):
    """An editable video: what is shown one after the other, and what stands over it."""

    model_config = ConfigDict(extra="forbid")

    clips: list[Clip] = Field(min_length=1, max_length=200)
    width: int | None = Field(default=None, ge=16, le=3840)
    height: int | None = Field(default=None, ge=16, le=3840)
    fps: float | None = Field(default=None, ge=1, le=120)
    rotate: Literal[0, 90, 180, 270] = Field(default=0, description="Degrees clockwise.")
    muted: bool = False
    sound: str | None = Field(default=None, description="Reference of a recording whose sound is heard instead.")
    watermarks: list[Watermark] = Field(default=[], max_length=20)


class Timelined(msgspec.Struct, frozen=True, kw_only=True):
    """A video as a description that can be edited, and what it is now."""

    video: dict[str, object]
    info: Info


@tool("video")
async def video_info(at: Context, video: RecordingRef) -> Info:
    """Say how long a video or audio recording lasts, how large its pictures are, and what is in it."""
    async with opened(at, video) as source:
        return _info(source)


@tool("video")
async def sample_frames(
    at: Context,
    video: VideoRef,
    count: Annotated[int, Field(ge=1, le=MOST_FRAMES, description="How many, evenly spread.")] = 8,
    times: Annotated[list[Time] | None, Field(max_length=MOST_FRAMES, description="The frames at these times instead.")] = None,
    start: Time = 0.0,
    end: Time | None = None,
    longest_side: Annotated[int, Field(ge=32, le=3840, description="Pixels.")] = SIDE,
    sheet: Annotated[bool, Field(description="Also all of them in one image, with their times.")] = False,
) -> Frames:
    """Take still images out of a video: evenly spread over it or a part of it, or those at given times."""
    async with opened(at, video) as source:
        source.watched()
        first, last = source.span(start, end)
        wanted = sorted(set(times)) if times else [first + (last - first) * (place + 0.5) / count for place in range(count)]
        for time in wanted:
            source.span(time, None)
        drawn = await at.reader.cutter.frames(source.path, wanted, longest=longest_side)
        together = (await _image(at, await at.reader.cutter.sheet(source.path, wanted))).id if sheet else None
    frames = [_frame(await _image(at, one), time) for one, time in zip(drawn, wanted, strict=True)]
    await _show_frames(at, [(frame.id, frame.time) for frame in frames], together)
    return Frames(frames=frames, sheet=together)


@tool("video")
async def get_keyframes(
    at: Context,
    video: VideoRef,
    most: Annotated[int, Field(ge=1, le=MOST_FRAMES, description="Most frames; of more shots the longest.")] = 24,
    longest_side: Annotated[int, Field(ge=32, le=3840, description="Pixels.")] = SIDE,
    sheet: Annotated[bool, Field(description="Also all of them in one image, with their times.")] = False,
) -> Keyframes:
    """Find the shots of a video (from one cut to the next) and take the sharpest frame of each."""
    async with opened(at, video) as source:
        viewing = await at.recordings.viewing(at, source.watched(), recordings.SHOTS)
        longest = sorted(viewing.shots, key=lambda shot: shot.start - shot.end)[:most]
        shots = sorted(longest, key=lambda shot: shot.start)
        times = [shot.best for shot in shots]
        drawn = await at.reader.cutter.frames(source.path, times, longest=longest_side)
        together = (await _image(at, await at.reader.cutter.sheet(source.path, times))).id if sheet and times else None
    made = [await _image(at, one) for one in drawn]
    await _show_frames(at, [(one.id, shot.best) for one, shot in zip(made, shots, strict=True)], together)
    frames = [
        Keyframe(id=one.id, time=round(shot.best, 3), start=round(shot.start, 3), end=round(shot.end, 3))
        for one, shot in zip(made, shots, strict=True)
    ]
    return Keyframes(frames=frames, shots=len(viewing.shots), sheet=together)


@tool("video")
async def trim_video(at: Context, video: RecordingRef, start: Time = 0.0, end: Time | None = None) -> MadeFilm:
    """Keep one part of a video or audio recording, exact to the frame. Without `end` it goes on to the end."""
    async with opened(at, video) as source:
        return await _cuts(at, source, [source.span(start, end)], "part")


@tool("video")
async def cut_highlights(
    at: Context,
    video: RecordingRef,
    spans: Annotated[list[Span], Field(min_length=1, max_length=200, description="Parts to keep, {start, end}, in the order wanted.")],
) -> MadeFilm:
    """Keep several parts of a video or audio recording and put them one after the other."""
    async with opened(at, video) as source:
        return await _cuts(at, source, [source.span(span.start, span.end) for span in spans], "highlights")


@tool("video")
async def concatenate_videos(
    at: Context,
    videos: Annotated[list[RecordingRef], Field(min_length=2, max_length=50, description="References, in the order wanted.")],
) -> MadeFilm:
    """Put videos one after the other, at the size and rate of the first; other shapes get bars. Audio recordings alone make an MP3."""
    async with recordings.all_opened(at, videos) as sources:
        silent = [source.artifact.name for source in sources if source.recording.video is None]
        cuts = [Cut(str(source.path)) for source in sources]
        lasts = sum(source.recording.duration for source in sources)
        if len(silent) == len(sources):
            return await recordings.sound(at, cuts, lasts)
        if silent:
            raise InvalidRequest(
                f"{', '.join(silent)}: only sound. Videos join videos, audio recordings join audio recordings.", param="videos"
            )
        return await recordings.film(at, Timeline(cuts=cuts), lasts)


@tool("video")
async def change_video(
    at: Context,
    video: VideoRef,
    width: Annotated[int, Field(ge=16, le=3840, description="Pixels; alone it keeps the proportions.")] | None = None,
    height: Annotated[int, Field(ge=16, le=3840, description="Pixels; alone it keeps the proportions.")] | None = None,
    rotate: Annotated[Literal[0, 90, 180, 270], Field(description="Degrees clockwise.")] = 0,
    speed: Speed = 1.0,
    fps: Annotated[float, Field(ge=1, le=120)] | None = None,
    mute: Annotated[bool, Field(description="Take the sound out.")] = False,
    sound: Annotated[str | None, Field(description="Reference of a recording whose sound is heard instead.")] = None,
) -> MadeFilm:
    """Change a video as a whole: its size, the way it stands, its speed and rate; mute it, or put other sound under it."""
    given = Editable(clips=[Clip(video=video, speed=speed)], width=width, height=height, fps=fps, rotate=rotate, muted=mute, sound=sound)
    return await _written(at, given)


@tool("video")
async def add_watermark(
    at: Context,
    video: VideoRef,
    text: Annotated[str, Field(description="What shall stand there.", max_length=200)] = "",
    image: Annotated[ImageRef | None, Field(description="An image in place of text.")] = None,
    position: Position = "bottom-right",
    opacity: Annotated[float, Field(gt=0, le=1, description="1 hides what is behind.")] = 0.6,
    size: Annotated[float, Field(gt=0, le=1, description="Height, of the video's.")] = 0.08,
    color: Annotated[str, Field(max_length=40, description="CSS name or #rrggbb.")] = "white",
    start: Time = 0.0,
    end: Time | None = None,
) -> MadeFilm:
    """Write text, or put an image such as a logo, over a video."""
    given = Watermark(text=text, image=image, position=position, opacity=opacity, size=size, color=color, start=start, end=end)
    return await _written(at, Editable(clips=[Clip(video=video)], watermarks=[given]))


@tool("video")
async def get_editable_video(at: Context, video: VideoRef) -> Timelined:
    """Describe a video as a timeline that can be edited: clips with their times, size, rate, sound and watermarks.

    Change the description and hand it to write_editable_video.
    """
    async with opened(at, video) as source:
        info = _info(source.watched())
    made = Editable(
        clips=[Clip(video=info.id, end=info.duration)], width=info.width, height=info.height, fps=info.fps and round(info.fps, 3)
    )
    return Timelined(video=made.model_dump(), info=info)


@tool("video")
async def write_editable_video(
    at: Context, video: Annotated[Editable, Field(description="As get_editable_video gives it, with your changes.")]
) -> MadeFilm:
    """Write an edited timeline as a new video."""
    return await _written(at, video)


@tool("video")
async def video_to_gif(
    at: Context,
    video: VideoRef,
    start: Time = 0.0,
    end: Time | None = None,
    width: Annotated[int, Field(ge=16, le=1280, description="Pixels, at most the video's own.")] = 480,
    fps: Annotated[float, Field(ge=1, le=25, description="Frames a second.")] = 10.0,
    filename: Annotated[
        str, Field(pattern=r"^[\w. -]{1,80}\.gif$", description="Its name; by it the moving picture can be downloaded.")
    ] = "clip.gif",
) -> MadeFilm:
    """Make a GIF of a part of a video, a minute at most."""
    async with opened(at, video) as source, recordings.target("clip.gif") as path:
        first, last = source.watched().span(start, end)
        if last - first > GIF_SECONDS:
            raise InvalidRequest(f"A GIF lasts {GIF_SECONDS:.0f} seconds at most; say from where to where.", param="end")
        most = at.settings.agent_artifacts
        made = await at.reader.cutter.gif(Cut(str(source.path), first, last), path, lasts=last - first, width=width, fps=fps, most=most)
        facts: dict[str, int | float | str] = {"width": made.width, "height": made.height, "seconds": made.seconds}
        kept = await at.artifacts.put(path, kind="img", media_type="image/gif", filename=filename, facts=facts)
    await at.show("preview.image", cards.image(kept.ref, width=made.width, height=made.height))
    return MadeFilm(id=kept.ref, width=made.width, height=made.height, filename=filename, seconds=made.seconds)


@tool("video")
async def extract_audio(at: Context, video: RecordingRef, start: Time = 0.0, end: Time | None = None) -> MadeFilm:
    """Take the sound out of a video, or out of a part of it, as MP3."""
    async with opened(at, video) as source:
        first, last = source.heard().span(start, end)
        return await recordings.sound(at, [Cut(str(source.path), first, last)], last - first)


@tool("video", needs=providers.needs_film)
async def generate_video(
    at: Context, prompt: Annotated[str, Field(description="What it shall show.", min_length=1, max_length=20_000)]
) -> Made:
    """Make a new video from words."""
    media_type, content = await providers.generate(at, prompt, medium="video")
    kept = await at.artifacts.put(content, kind="vid", media_type=media_type)
    await at.show("preview.video", cards.video(kept.ref))
    return Made(id=kept.ref)


async def _cuts(at: Context, source: Opened, spans: list[tuple[float, float]], what: str) -> MadeFilm:
    cuts = [Cut(str(source.path), start, end) for start, end in spans]
    lasts, title = sum(end - start for start, end in spans), f"{source.artifact.name}, {what}"
    if source.recording.video is None:
        return await recordings.sound(at, cuts, lasts, title=title)
    return await recordings.film(at, Timeline(cuts=cuts), lasts, title=title)


async def _written(at: Context, given: Editable) -> MadeFilm:
    """An editable video, rendered. Raises InvalidRequest."""
    pictures = [mark.image for mark in given.watermarks if mark.image]
    if any(not mark.image and not mark.text.strip() for mark in given.watermarks):
        raise InvalidRequest("A watermark is a text or an image.", param="text")
    refs = [clip.video for clip in given.clips] + ([given.sound] if given.sound else [])
    async with recordings.all_opened(at, list(dict.fromkeys(refs))) as sources, recordings.pictures(at, pictures) as paths:
        by_ref = dict(zip(dict.fromkeys(refs), sources, strict=True))
        cuts: list[Cut] = []
        for clip in given.clips:
            start, end = by_ref[clip.video].watched().span(clip.start, clip.end)
            cuts.append(Cut(str(by_ref[clip.video].path), start, end, clip.speed, clip.muted))
        marks = [
            Mark(
                text=mark.text, picture=str(paths[mark.image]) if mark.image else None, position=mark.position, opacity=mark.opacity,
                size=mark.size, color=mark.color, start=mark.start, end=mark.end,
            )
            for mark in given.watermarks
        ]  # fmt: skip
        sound = Cut(str(by_ref[given.sound].heard().path)) if given.sound else None
        timeline = Timeline(
            cuts=cuts, width=given.width, height=given.height, fps=given.fps, turn=given.rotate, marks=marks, sound=sound, muted=given.muted
        )
        lasts = sum(((cut.end or 0.0) - cut.start) / cut.speed for cut in cuts)
        return await recordings.film(at, recordings.unchanged(timeline, sources[0].recording), lasts)


def _info(source: Opened) -> Info:
    recording = source.recording
    audio, video = recording.audio, recording.video
    return Info(
        id=source.artifact.ref, kind=recording.kind, media_type=recording.media_type, duration=round(recording.duration, 3),
        width=video.width if video else None, height=video.height if video else None, fps=round(video.fps, 3) if video else None,
        video_codec=video.codec if video else None, audio_codec=audio.codec if audio else None,
        sample_rate=audio.sample_rate if audio else None, channels=audio.channels if audio else None, warnings=recording.warnings,
    )  # fmt: skip


async def _image(at: Context, drawn: Drawn) -> Made:
    facts: dict[str, int | float | str] = {"width": drawn.width, "height": drawn.height}
    kept = await at.artifacts.put(drawn.data, kind="img", media_type=drawn.media_type, facts=facts)
    return Made(id=kept.ref, width=drawn.width, height=drawn.height)


def _frame(made: Made, time: float) -> FrameAt:
    return FrameAt(id=made.id, time=round(time, 3), width=made.width or 0, height=made.height or 0)


async def _show_frames(at: Context, frames: list[tuple[str, float]], sheet: str | None) -> None:
    if sheet is not None:
        await at.show("preview.image", cards.image(sheet))
    elif frames:
        await at.show("preview.grid", cards.grid([ref for ref, _ in frames], titles=[clock(time) for _, time in frames]))
