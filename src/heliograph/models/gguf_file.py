"""What a GGUF file says of itself, read without loading it: enough to refuse a wrong one with a sentence instead of a crash.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import msgspec

MAGIC: Final = b"GGUF"
STRING, ARRAY = 8, 9
NUMBERS: Final = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""Value types by number, as `struct` writes them."""
LONGEST: Final = 1 << 24
"""Bytes of a string, and elements of a list, beyond which the file is taken for damaged."""


class BadFile(ValueError):
    """Not a GGUF file, or a damaged one. The message continues the sentence `the file ...`."""


class Header(msgspec.Struct, frozen=True):
    """The facts before a file's vocabulary and weights. `size` in bytes."""

    size: int
    facts: dict[str, Any]

    @property
    def architecture(self) -> str:
        """Such as `qwen2`; of a vision projector `clip`."""
        return str(self.facts.get("general.architecture", ""))

    @property
    def projector(self) -> bool:
        """Whether it is a vision or audio projector (mmproj), not a language model."""
        return self.architecture == "clip" or self.facts.get("general.type") == "mmproj"

    @property
    def context(self) -> int | None:
        """Tokens that the model was trained for."""
        return self.whole("context_length")

    @property
    def width(self) -> int | None:
        """Numbers in the embedding of a token; of a projector, of what it makes of a picture."""
        if not self.projector:
            return self.whole("embedding_length")
        return next((value for key in ("clip.vision.projection_dim", "clip.projection_dim") if (value := self._whole(key))), None)

    @property
    def bytes_per_token(self) -> int | None:
        """What keeping a token in the context takes, in 16-bit floats; None where layers keep only a window of it."""
        layers, heads, width = self.whole("block_count"), self.whole("attention.head_count"), self.whole("embedding_length")
        if not (layers and heads and width) or self.whole("attention.sliding_window"):
            return None
        shared = self.whole("attention.head_count_kv") or heads
        key = self.whole("attention.key_length") or width // heads
        return 2 * layers * shared * (key + (self.whole("attention.value_length") or key))

    def whole(self, key: str) -> int | None:
        """A positive number of the architecture's own."""
        return self._whole(f"{self.architecture}.{key}")

    def _whole(self, key: str) -> int | None:
        value = self.facts.get(key)
        return value if isinstance(value, int) and value > 0 else None


def read_header(path: Path) -> Header:
    """The facts of the file at `path`, up to its vocabulary. Raises BadFile, or OSError when it cannot be read."""
    facts: dict[str, Any] = {}
    with path.open("rb") as file:
        magic = file.read(4)
        if magic != MAGIC:
            raise BadFile(f"is no GGUF file: it begins with {magic!r}" if magic else "is empty")
        try:
            version, _, count = cast("tuple[int, int, int]", _take(file, "IQQ"))
            if version not in {2, 3}:
                raise BadFile(f"is GGUF of version {version}; 2 and 3 are known")
            for _ in range(count):
                key = _string(file)
                if key.startswith("tokenizer."):
                    break
                facts[key] = _value(file, cast("tuple[int]", _take(file, "I"))[0])
        except (struct.error, UnicodeDecodeError, KeyError, OverflowError):
            raise BadFile("is a damaged GGUF file: its header cannot be read") from None
    if not facts.get("general.architecture"):
        raise BadFile("does not say which architecture it holds")
    return Header(path.stat().st_size, facts)


def _take(file: BinaryIO, layout: str) -> tuple[Any, ...]:
    return struct.unpack(f"<{layout}", file.read(struct.calcsize(f"<{layout}")))


def _string(file: BinaryIO) -> str:
    (length,) = cast("tuple[int]", _take(file, "Q"))
    if length > LONGEST:
        raise BadFile("is a damaged GGUF file: its header cannot be read")
    content = file.read(length)
    if len(content) < length:
        raise BadFile("is a damaged GGUF file: it ends within its header")
    return content.decode("utf-8")


def _value(file: BinaryIO, kind: int) -> Any:
    if kind == STRING:
        return _string(file)
    if kind != ARRAY:
        return _take(file, NUMBERS[kind])[0]
    of, count = cast("tuple[int, int]", _take(file, "IQ"))
    if count > LONGEST:
        raise BadFile("is a damaged GGUF file: its header cannot be read")
    if of in NUMBERS:
        return list(_take(file, f"{count}{NUMBERS[of]}"))
    return [_value(file, of) for _ in range(count)]
