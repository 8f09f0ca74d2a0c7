"""How long a recording really lasts: by the packets that are there, whatever its header says. Runs in the child.

Reading every packet of a file takes a while, so what a header claims is checked where it must show: the packets of the last seconds are
read, and the whole file only when they are not where they should be, or when nothing was claimed.
"""

from __future__ import annotations

from typing import Any

import msgspec

from heliograph.errors import CorruptMedia, EmptyMedia, MediaLimitExceeded
from heliograph.media.clock import Clock
from heliograph.media.container import Container

TAIL = 10.0
"""Seconds before the claimed end from which on packets are read."""
SLACK = 1.0
"""Seconds by which a claim may differ from what is there, and 2 % of it: tracks of one file rarely end together."""
PADDING = 0.15
"""Seconds by which packets may reach beyond the claimed end without being heard or seen: the padding of the last one."""
UNCLAIMED = frozenset({"aac", "amr", "ac3", "mpegts", "mpeg", "mpegvideo"})
"""Demuxers of formats without a header that says a duration: what FFmpeg says is guessed from the bit rate."""
BY_DECODING = frozenset({"avi", "mpegvideo"})
"""Demuxers of formats that have no times, only an order in which frames are decoded; times made of that are late by the reordering."""


class Extent(msgspec.Struct):
    """`seconds` from the beginning to the end; `fps`: of the pictures, where they were counted; `even`: time stamps begin only once."""

    seconds: float
    fps: float | None = None
    even: bool = True


def extent(container: Container, longest: float) -> Extent:
    """How long it lasts. Moves through the file, and adds to the container's warnings.

    Raises MediaLimitExceeded when that is more than `longest` seconds, EmptyMedia for no time at all, CorruptMedia when nothing is there.
    """
    claimed = container.claimed if container.demuxer not in UNCLAIMED else None
    allowed = max(SLACK, 0.02 * (claimed or 0.0))
    found = _read(container, claimed - TAIL, longest) if claimed is not None and claimed > 2 * TAIL else None
    if claimed is None or found is None or abs(found.seconds - claimed) > allowed:
        found = _read(container, None, longest)
    if found is None:
        raise CorruptMedia("The recording holds nothing that can be played.")
    if claimed is not None and claimed - found.seconds > allowed:
        container.warnings.append(
            f"The recording says that it lasts {claimed:.1f} seconds, but what is there ends after {found.seconds:.1f}."
        )
    elif claimed is not None and abs(found.seconds - claimed) <= PADDING:
        found.seconds = min(claimed, found.seconds)
    if found.seconds > longest:
        raise _too_long(found.seconds, longest)
    if found.seconds <= 0:
        raise EmptyMedia("The recording lasts no time at all.")
    return found


def _read(container: Container, begin: float | None, longest: float) -> Extent | None:
    """The extent by the packets from `begin` on, or from the beginning."""
    streams = container.chosen
    if not container.go_to(begin) and begin is not None:
        return None
    tracks = {stream.index: _Track(container, stream, longest) for stream in streams}
    for packet in container.packets(streams):
        if packet is not None and packet.size:
            track = tracks[packet.stream_index]
            track.take(packet)
            if track.end > longest + TAIL:
                raise _too_long(track.end, longest)
    seen = [track for track in tracks.values() if track.count]
    if not seen:
        return None
    pictures = tracks.get(container.video.index) if container.video is not None else None
    return Extent(max(track.end for track in seen), pictures.rate if pictures else None, all(track.clock.even for track in seen))


class _Track:
    """What the packets of a track say."""

    def __init__(self, container: Container, stream: Any, longest: float) -> None:
        self.clock = Clock(container.origin, longest + 2 * TAIL, leaps=container.leaps)
        self._base = stream.time_base
        self._decoding = container.demuxer in BY_DECODING
        self._first: float | None = None
        self._last = 0.0
        self.end = 0.0
        self.count = 0

    def take(self, packet: Any) -> None:
        base, length = self._base, float((packet.duration or 0) * self._base)
        stamp = packet.pts if packet.dts is None else packet.dts  # in the order of decoding, which alone never goes back
        time = self.clock.time(float(stamp * base) if stamp is not None else None, length)
        if not self._decoding and packet.pts is not None:
            time += float((packet.pts - stamp) * base)
        self.end = max(self.end, time + length)
        self._first = time if self._first is None else min(self._first, time)
        self._last = max(self._last, time)
        self.count += 1

    @property
    def rate(self) -> float | None:
        length = self._last - (self._first or 0.0)
        return (self.count - 1) / length if self.count > 1 and length > 0 else None


def _too_long(seconds: float, longest: float) -> MediaLimitExceeded:
    return MediaLimitExceeded(
        f"The recording lasts {seconds / 60:.0f} minutes or more; this server takes up to {longest / 60:.0f} (setting `max_duration`)."
    )
