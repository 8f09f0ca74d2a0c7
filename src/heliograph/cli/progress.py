"""What a person sees while a file is read: a bar on a terminal, a line a page elsewhere; always on standard error."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self


class Progress:
    """Use as a context; pass `page` as the callback of an `Answerer`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.live = sys.stderr.isatty()
        self.started = time.monotonic()

    def __enter__(self) -> Self:
        if self.live:
            self._write(f"{self.name}: opening")
        return self

    async def page(self, done: int, total: int, source: str) -> None:
        """One more page of `total` was read."""
        how = {"text": "text layer", "ocr": "OCR", "mixed": "text layer and OCR", "none": "no text"}.get(source, source)
        self._write(f"{self.name}: page {done} of {total} ({how}, {time.monotonic() - self.started:.1f} s)")

    def _write(self, text: str) -> None:
        print(f"\r\x1b[2K{text}" if self.live else text, end="" if self.live else "\n", file=sys.stderr, flush=True)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.live:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)
