"""A line of the doctor's report."""

from __future__ import annotations

from typing import Literal, NamedTuple

Verdict = Literal["ok", "note", "bad"]
"""`note`: works without it, with less. `bad`: does not work."""


class Finding(NamedTuple):
    """One line of the report. `mend`: a command, or a setting, that would change the verdict."""

    verdict: Verdict
    what: str
    detail: str
    mend: str = ""
