"""Does an engine that knows one language know what it hears? What it does not, it writes as unlikely words of its own.

Mean chance of the tokens that Moonshine writes, without repeats: English read aloud and spoken .74 to .99, and .68 to .94 where noise is
half as loud as the voice; German .47, Spanish .42, English played backwards .28 to .58 (2026-11; docs/design/recordings.md).
"""

from __future__ import annotations

import msgspec

from heliograph.errors import NotConfigured
from heliograph.perception.speech.hearing import Engine, Heard
from heliograph.perception.speech.languages import name

KNOWN = 0.6
"""Mean chance from which a language is one that the engine knows."""
NOISE = 0.35
"""Below this, a part holds no words."""
JUDGED = 2.0
"""Seconds of speech that a judgement needs."""
EARLY = 120.0
"""Seconds of speech after which a recording is given up that has not been understood so far."""


class Understanding:
    """What has been understood of one recording. `stated`: the request says that the engine's language is spoken."""

    def __init__(self, engine: Engine, *, stated: bool) -> None:
        self._engine, self._stated = engine, stated
        self._seconds = self._sure = 0.0
        self._lost: list[_Lost] = []

    def add(self, heard: Heard, start: float, end: float, speech: float) -> bool:
        """Are the words of this part, from `start` to `end` with `speech` seconds of speech, to be kept? Raises NotConfigured when
        so much is not understood that the rest will not be either."""
        if self._engine.languages is None:
            return True
        self._seconds += speech
        self._sure += heard.sureness * speech
        if self._seconds >= EARLY:
            self.verdict()
        if heard.sureness < NOISE or (heard.sureness < KNOWN and speech >= JUDGED and not self._stated):
            if speech >= JUDGED:
                self._lost.append(_Lost(start, end))
            return False
        return True

    def verdict(self) -> None:
        """Raises NotConfigured when the recording as a whole is not in a language of the engine."""
        if not self._stated and self._seconds >= JUDGED and self._sure / self._seconds < KNOWN:
            raise NotConfigured(
                f"Nobody seems to speak {self._known()} in this recording, and the embedded engine knows nothing else. {ANOTHER} "
                f"If it is {self._known()} after all, say so with `language`.",
                param="config.language",
            )

    @property
    def warnings(self) -> list[str]:
        """What was said and not understood."""
        if not self._lost:
            return []
        spans = ", ".join(f"{lost.start:.1f}-{lost.end:.1f} s" for lost in self._lost[:5])
        more = f" and {len(self._lost) - 5} more" if len(self._lost) > 5 else ""
        return [f"not_understood: what is said at {spans}{more} is unclear or not {self._known()}, and left out"]

    def _known(self) -> str:
        return " or ".join(name(language) for language in sorted(self._engine.languages or ()))


class _Lost(msgspec.Struct):
    start: float
    end: float


ANOTHER = "Other languages need a Whisper model (HELIOGRAPH_WHISPER_MODEL) or an endpoint (HELIOGRAPH_SPEECH_URL)."


def refuse(known: frozenset[str] | None, language: str | None) -> None:
    """Raises NotConfigured for a `language` that is not among those `known`; None knows all."""
    if language is not None and known is not None and language not in known:
        named = " and ".join(name(one) for one in sorted(known))
        raise NotConfigured(f"The embedded speech engine knows {named} only, not {name(language)}. {ANOTHER}", param="config.language")
