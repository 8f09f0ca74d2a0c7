"""Documents with their right answers, as a skill brings them: `x.pdf` beside `x.json`.

Those in `resources/` are examples to learn from, those in `examples/` are what the skill is tested on. Where a skill has several
schemas, the answer stands in a folder called like its schema, or is the whole response: `{"schemaUsed": ..., "data": ...}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, zip_longest
from pathlib import PurePosixPath
from typing import Any, cast

import msgspec

from heliograph.extraction.plan import Example
from heliograph.extraction.schema import Schema
from heliograph.skills.archive import Files
from heliograph.skills.values import fault

DOCUMENTS = frozenset({".txt", ".md", ".html", ".csv", ".pdf", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".docx"})
MAX_EXAMPLES = 8
MAX_TEXT = 20_000
"""Characters of a document that stands in the example itself. Longer ones, and those that are not plain text, are read from the package."""
MAX_ANSWER = 100_000
"""Bytes of an example's answer, which goes where the plan of a request goes."""
MAX_DEPTH = 64
"""Levels of lists and objects within each other in an answer."""

_PLAIN = frozenset({".txt", ".md", ".csv"})


class _Unfit(Exception):
    """Why a file is no answer."""


class Answers:
    """The schemas that a skill answers in, compiled: `schema` is the only one, or what is taken when none of `choices` fits."""

    def __init__(self, schema: Schema | None, choices: Mapping[str, Schema]) -> None:
        self.schema = schema
        self.choices = choices

    def examples(self, files: Files, package: str) -> tuple[list[Example], list[str]]:
        """Up to MAX_EXAMPLES from `resources/`, as many of each schema as there is room for, and why others were left out."""
        found, warnings = self._pairs(files, "resources", package)
        turns: dict[str | None, list[Example]] = {}
        for example in found:
            turns.setdefault(example.choice, []).append(example)
        taken = [example for example in chain(*zip_longest(*turns.values())) if example is not None][:MAX_EXAMPLES]
        if len(taken) < len(found):
            warnings.append(f"resources: {MAX_EXAMPLES} of {len(found)} examples are used, which is the most")
        return taken, warnings

    def tests(self, files: Files, package: str) -> tuple[list[Example], list[str]]:
        """All pairs of `examples/`, without their text, and what there is no pair."""
        found, warnings = self._pairs(files, "examples", package)
        for path in _below(files, "examples"):
            if path.suffix.lower() in DOCUMENTS and str(path.with_suffix(".json")) not in files:
                warnings.append(f"{path} is not tested: there is no {path.with_suffix('.json').name} beside it")
        return [msgspec.structs.replace(test, text=None) for test in found], warnings

    def _pairs(self, files: Files, folder: str, package: str) -> tuple[list[Example], list[str]]:
        found: list[Example] = []
        warnings: list[str] = []
        for path in _below(files, folder):
            answer = path.with_suffix(".json")
            if path.suffix.lower() not in DOCUMENTS or str(answer) not in files:
                continue
            try:
                value, choice = self._answer(files[str(answer)], answer, learnt=folder == "resources")
            except _Unfit as why:
                warnings.append(f"{answer} is not used: {why}")
                continue
            text = _text(path, files[str(path)])
            found.append(Example(answer=value, text=text, package=package, path=str(path), choice=choice))
        return found, list(dict.fromkeys(warnings))

    def _answer(self, data: bytes, path: PurePosixPath, *, learnt: bool) -> tuple[Any, str | None]:
        """The answer, and which of the choices it is in. Raises `_Unfit`."""
        if learnt and len(data) > MAX_ANSWER:
            raise _Unfit(f"it is larger than {MAX_ANSWER} bytes")
        try:
            read = msgspec.json.decode(data)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise _Unfit(f"it is not JSON ({error})") from None
        if wrong := fault(read, depth=MAX_DEPTH):
            raise _Unfit(f"it holds {wrong}")
        value, choice = self._placed(read, path)
        schema = self.choices[choice] if choice is not None else self.schema
        if schema is None and self.choices:
            if value is None and not learnt:
                return None, None
            raise _Unfit(f"it does not say its schema; put it into a folder called {', '.join(self.choices)}"[:300])
        if schema is None:
            if not _keys(value) and value != {}:
                raise _Unfit("it is not an object")
            return value, None
        if wrong := schema.check(value):
            raise _Unfit(f"it does not fit the schema ({wrong[0][:200]})")
        fields, named = {field.name for field in schema.fields}, _keys(value)
        if fields and named and fields.isdisjoint(named):
            raise _Unfit("it has none of the schema's fields")
        return value, choice

    def _placed(self, value: Any, path: PurePosixPath) -> tuple[Any, str | None]:
        if not self.choices:
            return value, None
        if "schemaUsed" in _keys(value):
            choice = value["schemaUsed"]
            if choice is not None and str(choice) not in self.choices:
                raise _Unfit(f"schemaUsed {str(choice)[:50]!r} is none of {', '.join(self.choices)}"[:300])
            return value.get("data"), None if choice is None else str(choice)
        return value, next((part for part in reversed(path.parts[1:-1]) if part in self.choices), None)


def _keys(value: Any) -> set[str]:
    return set(cast("dict[str, Any]", value)) if isinstance(value, dict) else set()


def _below(files: Files, folder: str) -> Iterator[PurePosixPath]:
    return (PurePosixPath(path) for path in sorted(files) if path.startswith(f"{folder}/"))


def _text(path: PurePosixPath, content: bytes) -> str | None:
    if path.suffix.lower() not in _PLAIN or len(content) > 4 * MAX_TEXT:
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return text if len(text) <= MAX_TEXT and text.strip() and fault(text) is None else None
