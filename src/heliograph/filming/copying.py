"""Films whose pictures are the source's own packets: nothing is lost, and an hour takes seconds. Runs in the child.

Only where that is exact: the part begins with a frame that needs none before it, ends where no kept frame needs one that is not, and
nothing is drawn or changed. The sound is encoded anew in any case, since its packets do not end where frames do.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import av

from heliograph.filming.footage import SLACK, Footage, reading
from heliograph.filming.orders import Bounds, Filmed, Timeline
from heliograph.filming.rendering import AHEAD, Progress, Sounding, Track, opened

LOOKED = 20_000
"""Packets of pictures that are looked at before a part is taken to be inexact; 10 minutes and more."""


def copied(timeline: Timeline, target: Path, bounds: Bounds) -> Filmed | None:
    """Write the film to `target`, an MP4, with the source's own pictures; None where that would not be exact. Raises as `rendered`."""
    changed = timeline.width or timeline.height or timeline.fps or timeline.turn or timeline.captions or timeline.marks
    if changed or len(timeline.cuts) != 1 or timeline.cuts[0].speed != 1.0:
        return None
    with ExitStack() as closing:
        parts = opened(timeline.cuts, closing)
        footage, start, end = parts[0].footage, parts[0].start, parts[0].end
        video: Any = footage.video
        if video is None or video.codec_context.name != "h264" or video.codec_context.pix_fmt not in ("yuv420p", "yuvj420p"):
            return None
        whole = start <= SLACK and end >= footage.duration - SLACK
        if not whole and not _exact(footage, start, end):
            return None
        progress = Progress(target, bounds)
        container: Any = closing.enter_context(av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}))
        turned = _rotation(footage, start)
        with Footage(footage.path) as source, reading():
            pictures: Any = container.add_stream_from_template(source.video)
            if turned:
                pictures.set_display_rotation(turned)
            sound = Sounding(timeline, parts, container)
            track = Track(timeline, container)
            frames = 0
            shift = round((start + source.zero) / source.video.time_base)
            for packet in source.packets(start):
                time = float(packet.pts * packet.time_base) - source.zero if packet.pts is not None else None
                if time is None or time >= end - SLACK:
                    if time is not None and packet.is_keyframe:
                        break
                    continue
                if time < start - SLACK:
                    continue
                track.upto(time - start)
                sound.upto(time - start + AHEAD)
                packet.pts -= shift
                packet.dts = packet.dts - shift if packet.dts is not None else None
                packet.stream = pictures
                container.mux(packet)
                frames += 1
                progress.reached(time - start)
            track.upto(end - start)
            sound.upto(end - start, last=True)
        container.close()
        wide, high = video.codec_context.width, video.codec_context.height
        if turned % 180:
            wide, high = high, wide
        return Filmed(
            seconds=end - start, bytes=progress.check(), width=wide, height=high, frames=frames, copied=True, sound=sound.there
        )  # fmt: skip


def _rotation(footage: Footage, start: float) -> int:
    return next((round(frame.rotation) for _, frame in footage.pictures(start, start + 2 * SLACK)), 0)


def _exact(footage: Footage, start: float, end: float) -> bool:
    """Whether the packets from `start` to `end` need no others, and no others stand between them."""
    began = left_out = False
    with Footage(footage.path) as source, reading():
        for number, packet in enumerate(source.packets(start)):
            if packet.pts is None or packet.dts is None or number > LOOKED:
                return False
            time = float(packet.pts * packet.time_base) - source.zero
            if not began and abs(time - start) <= SLACK:
                if not packet.is_keyframe:
                    return False
                began = True
            elif began and time < start - SLACK:
                return False  # shown before the frame that it follows, and needs one that is left out
            if not began:
                if time > start:
                    return False
                continue
            if time >= end - SLACK:
                if packet.is_keyframe:
                    return True
                left_out = True
            elif left_out:
                return False
    return began
