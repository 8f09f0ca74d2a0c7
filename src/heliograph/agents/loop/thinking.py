"""Thoughts that a model writes between `<think>` tags before its answer, where its server does not tell them apart."""

from __future__ import annotations

_OPEN, _CLOSE = "<think>", "</think>"


class Thinker:
    """Splits what comes in into thoughts and words. Only tags at the very beginning count."""

    def __init__(self) -> None:
        self._state = "start"
        self._held = ""

    def feed(self, piece: str) -> tuple[str, str]:
        """The thoughts and the words that are certain by now."""
        self._held += piece
        if self._state == "start":
            begun = self._held.lstrip()
            if len(begun) < len(_OPEN) and _OPEN.startswith(begun):
                return "", ""
            self._state = "thinking" if begun.startswith(_OPEN) else "speaking"
            self._held = begun.removeprefix(_OPEN) if self._state == "thinking" else self._held
        if self._state == "between":
            self._held = self._held.lstrip()
            self._state = "speaking" if self._held else "between"
        if self._state in ("speaking", "between"):
            return "", self._taken(len(self._held))
        if (end := self._held.find(_CLOSE)) < 0:
            # a tag may have begun
            return self._taken(max(0, len(self._held) - len(_CLOSE) + 1)), ""
        thought = self._taken(end)
        self._held = self._held.removeprefix(_CLOSE)
        self._state = "between"
        return thought, self.feed("")[1]

    def rest(self) -> tuple[str, str]:
        """What was held back when nothing more comes."""
        held = self._taken(len(self._held))
        return (held.removesuffix(_CLOSE), "") if self._state == "thinking" else ("", held)

    def _taken(self, count: int) -> str:
        taken, self._held = self._held[:count], self._held[count:]
        return taken
