"""Recordings are opened here, and looked at: which tracks there are, when they begin and how long they last. Runs in the child.

A file is opened as what its content says it is, by that one demuxer of FFmpeg, through a descriptor: no name is looked at, nothing is
probed, and whatever a container refers to (playlists, other files, addresses) is never opened. What headers say of the duration is
checked against the last packets that are really there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar, cast

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.context import ThreadType
from av.container import InputContainer
from av.error import FFmpegError
from av.frame import Frame
from av.stream import Discard, Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from heliograph.errors import CorruptMedia, EmptyMedia, EncryptedMedia, MediaLimitExceeded, UnsupportedMedia
from heliograph.media.content import Limits
from heliograph.media.sniff import MediaType, sniff_file

DAMAGE = (FFmpegError, OSError, ValueError)
"""What reading and decoding damaged bytes raises."""
MICROSECONDS = 1_000_000
MOST_STREAMS = 64
MOST_FAULTS = 200
"""Read errors in a row after which the rest of a file is given up."""
TAIL = 10.0
"""Seconds before the end that a header claims from which on packets are counted, to see whether the claim is true."""
SLACK = 1.0
"""Seconds by which a header's duration may differ from what is there: tracks of one file rarely end together."""
PICTURES = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
"""Video streams that are none: covers, previews, posters."""
ENCRYPTED = frozenset({"encv", "enca", "drms", "drmi", "aavd"})
"""Codec tags of tracks under digital rights management, ISO/IEC 23001-7 and Apple's."""


T = TypeVar("T", AudioStream, VideoStream)


class Container:
    """An open recording. `origin`: the time in seconds by the file's clock at which a player begins; `audio`, `video`: the tracks that are
    heard and watched, the file's default ones or its first that can be decoded.

    Raises UnsupportedMedia, EncryptedMedia, CorruptMedia, EmptyMedia, MediaLimitExceeded.
    """

    def __init__(self, path: Path, limits: Limits, threads: int = 1) -> None:
        self.media_type: MediaType = sniff_file(path)
        self.warnings: list[str] = []
        self._limits = limits
        self._threads = threads
        self._av = _opened(path, self.media_type, limits)
        try:
            self.audio, self.video = self._chosen()
            self.origin = self._origin()
        except BaseException:
            self._av.close()
            raise

    def close(self) -> None:
        """Release the file."""
        self._av.close()

    @property
    def format(self) -> str:
        """FFmpeg's names of the format."""
        return self._av.format.name

    @property
    def claimed(self) -> float | None:
        """The duration in seconds that the header states, or that follows from size and bit rate; not to be relied on."""
        return self._av.duration / MICROSECONDS if self._av.duration and self._av.duration > 0 else None

    def sounds(self) -> Iterator[list[AudioFrame] | None]:
        """The frames of the sound from where the file stands, packet by packet; None for each place that cannot be read or decoded."""
        return self._decoded(self.audio)

    def pictures(self) -> Iterator[list[VideoFrame] | None]:
        """The frames of the pictures, in the order in which they are shown, as `sounds`."""
        return self._decoded(self.video)

    def shown(self, frame: Frame) -> float | None:
        """When a player comes to the frame, in seconds; None for one without a time."""
        if frame.pts is None or frame.time_base is None:
            return None
        return float(frame.pts * frame.time_base) - self.origin

    def _decoded(self, stream: Any) -> Iterator[list[Any] | None]:
        self._leave_all_but([stream])
        faults = 0
        while True:
            try:
                for packet in self._demuxed(stream):
                    faults = 0
                    try:
                        yield packet.decode()
                    except DAMAGE:
                        yield None
                return
            except DAMAGE:
                faults += 1
                if faults > MOST_FAULTS:
                    return
                yield None

    def _demuxed(self, *streams: Stream) -> Iterator[Any]:
        """Their packets, which are of as many types as there are kinds of streams."""
        return cast("Any", self._av).demux(*streams)

    def _leave_all_but(self, chosen: Sequence[Stream]) -> None:
        for stream in self._av.streams:
            stream.discard = Discard.default if stream in chosen else Discard.all

    def seek(self, stream: Stream, time: float) -> None:
        """Stand at the last key frame of `stream` before `time` (seconds as a player shows them), as far as the file's index knows.

        Raises CorruptMedia where the file cannot be moved about in.
        """
        assert stream.time_base is not None
        try:
            self._av.seek(round((time + self.origin) / stream.time_base), stream=stream, backward=True)
        except DAMAGE as error:
            raise CorruptMedia("The recording cannot be moved about in.") from error

    def duration(self) -> float:
        """Seconds from the beginning to the end of the last packet that is there. Moves through the file."""
        claimed = self.claimed
        if claimed is not None and claimed > 2 * TAIL and self._seekable():
            end = self._end(claimed - TAIL)
            if end is not None and abs(end - claimed) <= max(SLACK, 0.02 * claimed):
                return end
        end = self._end(None)
        if end is None:
            raise CorruptMedia("The recording holds nothing that can be played.")
        if claimed is not None and claimed - end > max(SLACK, 0.02 * claimed):
            self.warnings.append(f"The recording says that it lasts {claimed:.1f} seconds, but what is there ends after {end:.1f}.")
        return end

    def _seekable(self) -> bool:
        return self.media_type.demuxer not in ("aac", "amr", "mpegts", "mpegvideo")

    def _end(self, begin: float | None) -> float | None:
        """The end of the last packet of the chosen tracks, looked for from `begin` on, or from the beginning."""
        chosen = [stream for stream in (self.video, self.audio) if stream is not None]
        try:
            self._av.seek(round(((begin or 0.0) + self.origin) * MICROSECONDS) if begin is not None else 0, backward=True)
        except DAMAGE:
            if begin is not None:
                return None
        self._leave_all_but(chosen)
        ends: dict[int, float] = {}
        faults = 0
        while faults < MOST_FAULTS:
            try:
                for packet in self._demuxed(*chosen):
                    faults = 0
                    index, base = packet.stream_index, packet.time_base
                    shown = packet.pts if packet.pts is not None else packet.dts
                    if base and shown is not None:
                        end = float((shown + (packet.duration or 0)) * base) - self.origin
                        ends[index] = max(ends.get(index, 0.0), end)
                        if end > self._limits.max_duration + TAIL:
                            self._too_long(end)
                break
            except DAMAGE:
                faults += 1
        return max(ends.values(), default=None)

    def _too_long(self, seconds: float) -> NoReturn:
        most = self._limits.max_duration
        raise MediaLimitExceeded(f"The recording lasts {seconds / 60:.0f} minutes or more; this server takes up to {most / 60:.0f}.")

    def check(self, duration: float) -> None:
        """Raise MediaLimitExceeded for a recording that is longer than this server takes, and EmptyMedia for one without length."""
        if duration > self._limits.max_duration:
            self._too_long(duration)
        if duration <= 0:
            raise EmptyMedia("The recording lasts no time at all.")

    def _chosen(self) -> tuple[AudioStream | None, VideoStream | None]:
        audio: list[AudioStream] = list(self._av.streams.audio)
        video: list[VideoStream] = [stream for stream in self._av.streams.video if not stream.disposition & PICTURES]
        if not audio and not video:
            raise CorruptMedia("The file holds neither sound nor moving pictures.")
        sound, pictures = self._decodable(audio, "sound"), self._decodable(video, "pictures")
        if sound is None and pictures is None:
            raise UnsupportedMedia(" ".join(self.warnings))
        return sound, pictures

    def _decodable(self, streams: list[T], what: str) -> T | None:
        """The default one, or the first, that can be decoded."""
        ordered = sorted(streams, key=lambda stream: not stream.disposition & Disposition.default)
        for stream in ordered:
            context: Any = stream.codec_context  # None, whatever its type says, for a codec without a decoder
            if context is not None and stream.codec_tag not in ENCRYPTED:
                self._prepare(stream)
                return stream
        if any(stream.codec_tag in ENCRYPTED for stream in ordered):
            raise EncryptedMedia(f"The recording's {what} are encrypted (digital rights management); send it without that.")
        if ordered:
            tags = " or ".join(sorted({repr(stream.codec_tag.strip("\0 ")) for stream in ordered}))
            self.warnings.append(f"The recording's {what} are in a coding that Heliograph does not decode ({tags}).")
        return None

    def _prepare(self, stream: AudioStream | VideoStream) -> None:
        context = stream.codec_context
        if isinstance(stream, VideoStream):
            self._check_pixels(stream.codec_context.width, stream.codec_context.height)
            context.options = {"max_pixels": str(self._limits.max_pixels)}
        context.thread_count = self._threads
        context.thread_type = ThreadType.SLICE

    def _check_pixels(self, width: int, height: int) -> None:
        if width * height > self._limits.max_pixels:
            most = self._limits.max_pixels
            raise MediaLimitExceeded(f"The video's frames have {width} x {height} pixels; this server looks at up to {most:,}.")

    def _origin(self) -> float:
        """Where the first of the chosen tracks begins. Encoders' lead-in before 0 is cut off by players and decoders alike."""
        begins = [
            float(stream.start_time * stream.time_base)
            for stream in (self.audio, self.video)
            if stream is not None and stream.start_time is not None and stream.time_base
        ]
        return max(0.0, min(begins, default=0.0))


def _opened(path: Path, media_type: MediaType, limits: Limits) -> InputContainer:
    demuxer = media_type.require_recording()
    try:
        # A descriptor has no name that anything could be told by.
        file = open(os.open(path, os.O_RDONLY | os.O_CLOEXEC), "rb", buffering=0)  # noqa: SIM115
        return av.open(
            file,
            "r",
            format=demuxer,
            options={"max_pixels": str(limits.max_pixels), "threads": "1"},
            container_options={"max_streams": str(MOST_STREAMS), "protocol_whitelist": "none", "enable_drefs": "0"},
            metadata_errors="replace",
            buffer_size=1 << 18,
            io_open=_refuse,
        )
    except MemoryError:
        raise
    except DAMAGE as error:
        reason = str(getattr(error, "strerror", None) or error)
        raise CorruptMedia(f"The file is {media_type.name}, but it is damaged and cannot be opened ({reason}).") from None


def _refuse(url: str, flags: int, options: dict[str, str]) -> NoReturn:
    raise PermissionError("recordings open no other files")
