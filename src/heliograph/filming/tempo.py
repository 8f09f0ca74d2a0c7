"""Sound made faster or slower at the same pitch. Runs in the child."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import av.error
import av.filter
import numpy as np


class Tempo:
    """Changes the speed of float32 blocks of shape (channels, n) at `rate` Hz; each filter in the chain does 0.5 to 2 times."""

    def __init__(self, speed: float, rate: int, layout: str) -> None:
        self._rate, self._layout = rate, layout
        self._graph: Any = av.filter.Graph()
        nodes: list[Any] = [self._graph.add_abuffer(format="fltp", sample_rate=rate, layout=layout, time_base=Fraction(1, rate))]
        while speed != 1.0:
            factor = min(2.0, max(0.5, speed))
            nodes.append(self._graph.add("atempo", f"{factor:.6f}"))
            speed = speed / factor if abs(speed / factor - 1) > 1e-6 else 1.0
        nodes += [self._graph.add("aformat", f"sample_fmts=fltp:channel_layouts={layout}"), self._graph.add("abuffersink")]
        self._graph.link_nodes(*nodes).configure()

    def changed(self, blocks: Iterator[Any]) -> Iterator[Any]:
        """The blocks at the other speed."""
        at = 0
        for block in blocks:
            frame: Any = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout=self._layout)
            frame.sample_rate, frame.pts, frame.time_base = self._rate, at, Fraction(1, self._rate)
            at += block.shape[1]
            self._graph.push(frame)
            yield from self._ready()
        self._graph.push(None)
        yield from self._ready()

    def _ready(self) -> Iterator[Any]:
        while True:
            try:
                frame = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            yield frame.to_ndarray()
