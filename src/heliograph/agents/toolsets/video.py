"""`video`: the tools' names, so that requests may ask for the toolset. This server reads no videos yet, and each says so."""

from __future__ import annotations

from typing import Annotated, NoReturn

from pydantic import Field

from heliograph.agents import providers
from heliograph.agents.context import Context
from heliograph.agents.tools import Made, tool
from heliograph.config import Settings
from heliograph.errors import NotConfigured

VideoRef = Annotated[str, Field(description="Reference of a video, such as vid_a1b2c3.")]
Seconds = Annotated[float, Field(description="Seconds from the beginning.", ge=0)]
_NEEDED = "Videos need a reader of videos, which this server does not have yet; images and documents work."


def needs(_settings: Settings) -> str | None:
    """What is missing, as a sentence."""
    return _NEEDED


def _missing() -> NoReturn:
    raise NotConfigured(_NEEDED)


@tool("video", needs=needs)
async def sample_frames(at: Context, video: VideoRef, count: Annotated[int, Field(ge=1, le=100)] = 8) -> Made:
    """Take still images out of a video, evenly spread."""
    _missing()


@tool("video", needs=needs)
async def get_editable_video(at: Context, video: VideoRef) -> Made:
    """Open a video for editing."""
    _missing()


@tool("video", needs=needs)
async def write_editable_video(at: Context, video: VideoRef) -> Made:
    """Write an edited video as a file."""
    _missing()


@tool("video", needs=needs)
async def trim_video(at: Context, video: VideoRef, start: Seconds, end: Seconds) -> Made:
    """Cut a part out of a video."""
    _missing()


@tool("video", needs=needs)
async def add_watermark(at: Context, video: VideoRef, text: str) -> Made:
    """Write a mark over a video."""
    _missing()


@tool("video", needs=needs)
async def add_video_captions(at: Context, video: VideoRef) -> Made:
    """Write what is said in a video into its picture."""
    _missing()


@tool("video", needs=needs)
async def search_video(at: Context, video: VideoRef, query: str) -> Made:
    """Find where something is seen or said in a video."""
    _missing()


@tool("video", needs=needs)
async def transcribe_video(at: Context, video: VideoRef) -> Made:
    """Write down what is said in a video."""
    _missing()


@tool("video", needs=providers.needs_film)
async def generate_video(
    at: Context, prompt: Annotated[str, Field(description="What it shall show.", min_length=1, max_length=20_000)]
) -> Made:
    """Make a new video from words."""
    media_type, content = await providers.generate(at, prompt, medium="video")
    kept = await at.artifacts.put(content, kind="vid", media_type=media_type)
    return Made(id=kept.ref)
