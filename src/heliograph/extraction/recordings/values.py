"""Values of any schema from what was said and what stood on the screen, without a model.

What was said is read by `spoken_values`, what stands on frames by the extractor of documents; where both have a value, the likelier one
stands. A list whose items have a time, such as the states of a scoreboard or the slides of a lecture, has one entry for each frame that
answers something, with the frame's time.
"""

from __future__ import annotations

from typing import Any, Final, cast

from heliograph.extraction import embedded
from heliograph.extraction.instructions import Hints
from heliograph.extraction.recordings import spoken_values
from heliograph.extraction.recordings.sources import Sources, seconds
from heliograph.extraction.result import Evidence, Extraction, Leaf, Path
from heliograph.extraction.schema import Field, Schema, compile_schema
from heliograph.extraction.shaping import conform
from heliograph.extraction.vocabulary import split_name
from heliograph.media.document import Document

Json = Any

CAP: Final = spoken_values.CAP
_STARTS: Final = frozenset({"time", "timestamp", "start", "start_time", "at", "second", "seconds", "from", "time_seconds", "start_seconds"})
_ENDS: Final = frozenset({"end", "end_time", "until", "to", "end_seconds"})


def extract(sources: Sources, schema: Schema, *, instructions: str | None = None, learned: Hints | None = None) -> Extraction:
    """Answer `schema` from all that was heard and read."""
    said = spoken_values.extract(sources.speech, schema, instructions=instructions, learned=learned)
    if not sources.frames:
        return said
    read = embedded.extract(sources.read, schema, instructions=instructions, learned=learned)
    made = _Joining(sources, said, read)
    values = made.value(schema.root, said.values, read.values, ())
    conform(schema, values, made.leaves)
    return Extraction(values, made.leaves, list(schema.warnings))


class _Joining:
    def __init__(self, sources: Sources, said: Extraction, read: Extraction) -> None:
        self._sources, self._said, self._read = sources, said, read
        self.leaves: dict[Path, Leaf] = {}

    def value(self, field: Field, said: Json, read: Json, path: Path) -> Json:
        if field.is_leaf:
            return self._leaf(path)
        if field.kind == "array" or field.places:
            if not said and (states := self._states(field, path)):
                return states
            extraction, chosen = (self._said, said) if said else (self._read, read)
            self.leaves.update({where: leaf for where, leaf in extraction.leaves.items() if where[: len(path)] == path})
            return chosen
        if said is None and read is None:
            return None
        heard = cast("dict[str, Json]", said or {})
        seen = cast("dict[str, Json]", read or {})
        made = {child.name: self.value(child, heard.get(child.name), seen.get(child.name), (*path, child.name)) for child in field.fields}
        made.update({name: value for name, value in seen.items() if name not in made})
        return made

    def _leaf(self, path: Path) -> Json:
        said, read = self._said.leaves.get(path), self._read.leaves.get(path)
        leaf = max(
            (one for one in (said, read) if one is not None and one.value is not None),
            key=lambda one: one.probability,
            default=read if read is not None and read.state == "unreadable" else said or read,
        )
        self.leaves[path] = leaf or Leaf(None, "absent")
        return self.leaves[path].value

    def _states(self, field: Field, path: Path) -> list[Json]:
        """An entry for each frame that answers something, where items have a time; what stays the same goes on in one."""
        item = field.item
        if item is None or item.kind != "object":
            return []
        timed = {child.name: _when(child) for child in item.fields}
        if "start" not in timed.values():
            return []
        asked = compile_schema(_without_times(item))
        made: list[Json] = []
        for number, frame in enumerate(self._sources.frames):
            page = self._sources.read.pages[number]
            alone = embedded.extract(Document("image/x-frame", 1, [page], "image"), asked)
            found = {where: leaf for where, leaf in alone.leaves.items() if leaf.value is not None}
            if not found:
                continue
            evidence = [part for leaf in found.values() for part in leaf.evidence]
            newest = max((self._sources.standing(frame, part.box)[0] for part in evidence), default=frame.time)
            times = {"start": seconds(newest), "end": seconds(frame.until)}
            entry = {
                child.name: times[when] if (when := timed[child.name]) else cast("dict[str, Json]", alone.values).get(child.name)
                for child in item.fields
            }
            if made and all(timed[name] or made[-1][name] == value for name, value in entry.items()):
                self._goes_on(made[-1], timed, times["end"])
                continue
            at = (*path, len(made))
            self.leaves.update({(*at, *where): leaf for where, leaf in alone.leaves.items()})
            for name, when in timed.items():
                if when:
                    self.leaves[*at, name] = _computed(times[when], evidence[:1])
            made.append(entry)
        return made[: field.max_items] if field.max_items is not None else made

    def _goes_on(self, entry: dict[str, Json], timed: dict[str, str], end: float) -> None:
        for name, when in timed.items():
            if when == "end":
                entry[name] = end


def _computed(value: float, evidence: list[Evidence]) -> Leaf:
    return Leaf(value, "found", "computed", CAP, evidence)


def _when(field: Field) -> str:
    """Whether a field of an item asks when it begins (`start`) or ends (`end`), in seconds; empty where it asks something else."""
    if field.kind not in ("number", "integer"):
        return ""
    name = "_".join(split_name(field.name).casefold().split())
    return "start" if name in _STARTS else "end" if name in _ENDS else ""


def _without_times(item: Field) -> dict[str, Json]:
    """The schema of an item, as far as it is looked for on a frame."""
    return {
        "type": "object",
        "properties": {
            child.name: _schema(child)
            for child in item.fields
            if not _when(child) and (child.is_leaf or (child.kind == "array" and child.item is not None and child.item.is_leaf))
        },
    }


def _schema(field: Field) -> dict[str, Json]:
    if field.kind == "array":
        return {"type": "array", "items": _schema(field.item) if field.item is not None else {}, "description": field.description}
    made: dict[str, Json] = {"type": [field.kind, "null"]} if field.kind != "any" else {}
    return made | {
        key: value
        for key, value in (
            ("description", field.description),
            ("title", field.title),
            ("format", field.format),
            ("enum", [*field.enum, None] if field.enum else None),
        )
        if value
    }
