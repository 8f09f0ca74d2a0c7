"""What a person sees while a file is read, on standard error: one line that changes on a terminal, elsewhere a line a page, and of a
recording one a minute of work."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from heliograph.media.timecode import to_the_second

WIDTH = 24
"""Columns of the bar."""
PATIENCE = 60.0
"""Seconds between two lines about one step of a recording, where lines stay."""


class Progress:
    """Use as a context; pass it to an `Answerer`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.live = sys.stderr.isatty()
        self.started = time.monotonic()
        self._told, self._ended = self.started, set[str]()

    def __enter__(self) -> Self:
        if self.live:
            self._write(f"{self.name}: opening")
        return self

    async def page(self, done: int, total: int, source: str) -> None:
        """One more page of `total` was read."""
        how = {"text": "text layer", "ocr": "OCR", "mixed": "text layer and OCR", "none": "no text"}.get(source, source)
        self._write(f"{self.name}: page {done} of {total} ({how}, {time.monotonic() - self.started:.1f} s)")

    async def recorded(self, step: str, done: float, total: float) -> None:
        """`done` of `total` seconds of a recording are through `step`, such as `listening`."""
        now, ended = time.monotonic(), done >= total
        passed = f"{clock(done)} of {clock(total)}, {step} ({now - self.started:.1f} s)"
        if self.live:
            filled = WIDTH if ended else int(WIDTH * done / total)
            self._write(f"{self.name}: [{'=' * filled}{' ' * (WIDTH - filled)}] {passed}")
        elif (ended and step not in self._ended) or now - self._told > PATIENCE:
            self._write(f"{self.name}: {passed}")
            self._told = now
        if ended:
            self._ended.add(step)

    def _write(self, text: str) -> None:
        print(f"\r\x1b[2K{text}" if self.live else text, end="" if self.live else "\n", file=sys.stderr, flush=True)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.live:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)


def clock(seconds: float) -> str:
    """A time as a player shows it, with two digits at least for the minutes: `02:40`, `1:02:40`."""
    return to_the_second(seconds).zfill(5)
