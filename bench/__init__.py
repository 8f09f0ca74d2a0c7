"""Speed and memory, measured. `python -m bench [NAME...]` runs the benches named, or all, and prints one table.

A bench is a module of this package with `def measure() -> Iterator[Row]`. It makes or ships its own data. The machine is
shared and noisy, so a row gives a median and, where a peer exists, the ratio to it within the same run.
"""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One measured figure: what, how much, in which unit, what was aimed at, and how it was measured."""

    what: str
    value: float
    unit: str
    goal: str = ""
    note: str = ""
