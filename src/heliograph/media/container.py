"""Recordings are opened here, and looked at: which tracks there are and when they begin. Runs in the child.

A file is opened as what its content says it is, by that one demuxer of FFmpeg, through a descriptor: no name is looked at, nothing is
probed, and whatever a container refers to (playlists, other files, addresses) is never opened.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn, TypeVar, cast

import av
from av import logging as ffmpeg
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.context import ThreadType
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Discard, Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from heliograph.errors import CorruptMedia, EncryptedMedia, MediaLimitExceeded, UnsupportedMedia
from heliograph.media.content import Limits
from heliograph.media.sniff import MediaType, sniff_file

DAMAGE = (FFmpegError, OSError, ValueError, IndexError, ArithmeticError)
"""What reading and decoding damaged bytes raises."""
MICROSECONDS = 1_000_000
MOST_STREAMS = 64
MOST_FAULTS = 200
"""Read errors in a row after which the rest of a file is given up."""
PICTURES = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
"""Video streams that are none: covers, previews, posters."""
ENCRYPTED = frozenset({"encv", "enca", "drms", "drmi", "aavd"})
"""Codec tags of tracks under digital rights management, ISO/IEC 23001-7 and Apple's."""


T = TypeVar("T", AudioStream, VideoStream)


class Container:
    """An open recording. `input`: as PyAV has it; `origin`: the time in seconds by the file's clock at which a player begins; `audio`,
    `video`: the tracks that are heard and watched, the file's default ones or its first that can be decoded.

    Raises UnsupportedMedia, EncryptedMedia, CorruptMedia, EmptyMedia, MediaLimitExceeded.
    """

    def __init__(self, path: Path, limits: Limits, threads: int = 1) -> None:
        self.media_type: MediaType = sniff_file(path)
        self.warnings: list[str] = []
        self._limits = limits
        self._threads = threads
        demuxer = self.media_type.require_recording()
        self.input = opened(path, limits)
        try:
            if demuxer in ("wav", "avi") and (whole := _riff_length(path)):
                self.warnings.append(f"The file was cut short: it says that it has {whole:,} bytes, and has {path.stat().st_size:,}.")
            self.audio, self.video = self._chosen()
            self.origin = self._origin()
        except BaseException:
            self.input.close()
            raise

    def close(self) -> None:
        """Release the file."""
        self.input.close()

    @property
    def demuxer(self) -> str:
        """FFmpeg's demuxer of it."""
        return self.media_type.require_recording()

    @property
    def leaps(self) -> bool:
        """Its time stamps are a broadcaster's clock, which is set anew now and then."""
        return self.demuxer in ("mpegts", "mpeg")

    @property
    def tracks(self) -> Sequence[Stream]:
        """All tracks of the file, as far as they are looked at."""
        return list(self.input.streams)

    @property
    def chosen(self) -> list[AudioStream | VideoStream]:
        """The tracks that are heard and watched."""
        return [stream for stream in (self.video, self.audio) if stream is not None]

    @property
    def claimed(self) -> float | None:
        """The duration in seconds that the header states, or that follows from size and bit rate; not to be relied on."""
        return self.input.duration / MICROSECONDS if self.input.duration and self.input.duration > 0 else None

    def sounds(self) -> Iterator[list[AudioFrame] | None]:
        """The frames of the sound from where the file stands, packet by packet; None for each place that cannot be read or decoded."""
        return self._decoded(self.audio)

    def pictures(self) -> Iterator[list[VideoFrame] | None]:
        """The frames of the pictures, in the order in which they are shown, as `sounds`."""
        return self._decoded(self.video)

    def packets(self, streams: Sequence[Stream]) -> Iterator[Any]:
        """The packets of these from where the file stands, the empty ones that flush decoders last; None for each place that cannot be
        read. Their types differ by the kind of stream."""
        for stream in self.input.streams:
            stream.discard = Discard.default if stream in streams else Discard.all
        faults = 0
        while faults <= MOST_FAULTS:
            try:
                for packet in cast("Any", self.input).demux(*streams):
                    faults = 0
                    yield packet
                return
            except DAMAGE:
                faults += 1
                yield None

    def go_to(self, time: float | None, stream: AudioStream | VideoStream | None = None) -> bool:
        """Stand at the last key frame (of `stream`) before `time`, as far as the file's index knows, or at the beginning. False for a file
        that cannot be moved about in. `time`: seconds as a player shows them."""
        ticks = (stream.time_base if stream is not None else None) or Fraction(1, MICROSECONDS)
        try:
            self.input.seek(round((time + self.origin) / ticks) if time is not None else 0, stream=stream, backward=True)
        except DAMAGE:
            return False
        return True

    def _decoded(self, stream: Any) -> Iterator[list[Any] | None]:
        for packet in self.packets([stream]):
            try:
                decoded = packet.decode() if packet is not None else None
            except DAMAGE:
                decoded = None
            yield decoded

    def _chosen(self) -> tuple[AudioStream | None, VideoStream | None]:
        audio: list[AudioStream] = list(self.input.streams.audio)
        video: list[VideoStream] = [stream for stream in self.input.streams.video if not stream.disposition & PICTURES]
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
            if context is not None and context.codec_tag not in ENCRYPTED:
                self._prepare(stream)
                return stream
        codings = self._codings()
        if any(coding in ENCRYPTED for stream in ordered for coding in codings.get(stream.index, ())):
            raise EncryptedMedia(f"The recording's {what} are encrypted (digital rights management); send it without that.")
        if ordered:
            names = sorted({coding for stream in ordered for coding in codings.get(stream.index, ()) if coding not in ("none", "")})
            named = f" ({', '.join(names)})" if names else ""
            self.warnings.append(f"The recording's {what} are in a coding that Heliograph does not decode{named}.")
        return None

    def _codings(self) -> dict[int, tuple[str, str]]:
        """The name of each track's coding and the tag that it has in the file. A track without a decoder tells neither by itself."""
        before = ffmpeg.get_level()
        ffmpeg.set_level(ffmpeg.INFO)
        try:
            lines: list[str] = cast("Any", self.input).dumps_format().splitlines()
        finally:
            ffmpeg.set_level(before)
        found = (re.match(r"\s*Stream #0:(\d+).*?: (?:Audio|Video): (\w+).*?(?:\((\w+) / 0x|,|$)", line) for line in lines)
        return {int(match[1]): (match[2], match[3] or "") for match in found if match}

    def _prepare(self, stream: AudioStream | VideoStream) -> None:
        context = stream.codec_context
        if isinstance(stream, VideoStream):
            self._check_pixels(stream.codec_context.width, stream.codec_context.height)
            context.options = {"max_pixels": str(self._limits.max_pixels)}
        context.thread_count = self._threads
        context.thread_type = ThreadType.AUTO if self._threads > 1 else ThreadType.SLICE

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


def opened(path: Path, limits: Limits) -> InputContainer:
    """The file as PyAV has it, opened by the demuxer of its type and by nothing else. Raises UnsupportedMedia, CorruptMedia, EmptyMedia."""
    media_type = sniff_file(path)
    demuxer = media_type.require_recording()
    try:
        return av.open(
            _Bytes(path),
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
        if demuxer == "mov" and not _has_index(path):
            raise CorruptMedia(f"The file is {media_type.name} without its index, most likely because its end is missing.") from None
        reason = str(getattr(error, "strerror", None) or error)
        raise CorruptMedia(f"The file is {media_type.name}, but it is damaged and cannot be opened ({reason}).") from None


class _Bytes:
    """A file by its content alone: it has no name that anything could be told by. Closed when nobody has it any more."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def read(self, size: int) -> bytes:
        return os.read(self._file, size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return os.lseek(self._file, offset, whence)

    def tell(self) -> int:
        return os.lseek(self._file, 0, os.SEEK_CUR)

    def __del__(self) -> None:
        os.close(self._file)


def _has_index(path: Path) -> bool:
    """Whether an MP4 has a `moov` box at its top level, by ISO/IEC 14496-12, 4.2."""
    place, size = 0, path.stat().st_size
    with path.open("rb") as file:
        while len(head := file.read(16)) >= 8:
            length, kind = struct.unpack_from(">I4s", head)
            if length == 1 and len(head) == 16:
                length = struct.unpack_from(">Q", head, 8)[0]
            place += length
            if kind == b"moov" or length < 8 or place > size:
                return kind == b"moov" and place <= size
            file.seek(place)
    return False


def _riff_length(path: Path) -> int | None:
    """The bytes that a RIFF file should have when it has fewer. None too for one whose header was never finished, as live ones' are not."""
    with path.open("rb") as file:
        head = file.read(8)
    length = struct.unpack_from("<I", head, 4)[0] if head[:4] == b"RIFF" else 0
    return length + 8 if 0 < length < 0xFFFF_0000 and length + 8 > path.stat().st_size else None


def _refuse(url: str, flags: int, options: dict[str, str]) -> NoReturn:
    raise PermissionError("recordings open no other files")
