"""The domains that sum a recording up: what is computed for them whoever answers, and what is taken from the words where no model does.

Without a model a summary is sentences as they were said, `extractive`; with one, it writes them. What a domain asks of the pictures and
nobody here can see stays null, and `needs_model` says which fields that are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from heliograph.extraction.plan import Plan
from heliograph.extraction.recordings.gist import chapters, summary, topics
from heliograph.extraction.recordings.sights import described, texts_in
from heliograph.extraction.recordings.sources import Sources, seconds
from heliograph.extraction.recordings.speech import Span
from heliograph.extraction.recordings.spoken_values import CAP
from heliograph.extraction.recordings.transcription import Stretch, spoken_segments, video_segments
from heliograph.extraction.result import Evidence, Extraction, Leaf, Path
from heliograph.extraction.schema import Field, Schema
from heliograph.media.recording import Recording, Viewing

Json = Any

COMPUTED: Final = ("metadata", "segments", "texts")
"""Fields of these domains that are never asked for: they are known."""
_EXTRACTED: Final = ("summary", "topics", "key_points", "quotes", "chapters")
_SEEN: Final = frozenset(
    {"weather", "time_of_day", "road_type", "events", "features", "license_plates", "location", "speed", "recorded_at"}
)
"""What only who sees, or reads a screen, can answer."""


def sums_up(plan: Plan) -> bool:
    """Whether a plan is answered in the schema of one of these domains, or a selection of it."""
    return plan.mode == "extract" and (plan.domain or "").startswith(("audio.", "video.")) and plan.schema_from in ("domain", "gql_stmt")


def asked_of_others(schema: dict[str, Json]) -> dict[str, Json]:
    """`schema` without what is computed."""
    properties = {name: field for name, field in schema.get("properties", {}).items() if name not in COMPUTED}
    required = [name for name in schema.get("required", []) if name in properties]
    return {**{key: value for key, value in schema.items() if key != "required"}, "properties": properties} | (
        {"required": required} if required else {}
    )


def computed(
    schema: dict[str, Json],
    recording: Recording,
    sources: Sources,
    viewing: Viewing | None,
    stretches: Sequence[Stretch],
    shown: Sequence[str | None] = (),
) -> dict[str, Json]:
    """The computed fields that `schema` has. `stretches`: the segments of a video, of which a model says that they show `shown`."""
    transcript = sources.speech.transcript
    names = schema.get("properties", {})
    made: dict[str, Json] = {}
    if "metadata" in names:
        said = [segment.text for segment in transcript.segments]
        made["metadata"] = {
            "duration": seconds(recording.duration),
            "language": transcript.language,
            "description": described(recording, viewing, language=transcript.language, speech=transcript.speech),
            "topics": topics([*said, *(texts_in(viewing, 0.0, recording.duration + 1) if viewing is not None else [])]),
        }
    if "segments" in names:
        made["segments"] = spoken_segments(transcript, words=False) if viewing is None else video_segments(viewing, stretches, shown)
    if "texts" in names:
        made["texts"] = [
            {"start_time": seconds(one.start), "end_time": seconds(one.end), "content": one.text}
            for one in (viewing.texts if viewing is not None else [])
        ]
    return made


def joined(schema: dict[str, Json], known: dict[str, Json], response: dict[str, Json]) -> dict[str, Json]:
    """`response` with what is computed at its place in the schema's order; citations stay behind all fields."""
    names = list(schema.get("properties", {}))
    own = {name: known.get(name, response.get(name)) for name in names}
    return own | {name: value for name, value in response.items() if name not in own}


def in_its_own_words(
    sources: Sources, schema: Schema, extraction: Extraction, recording: Recording, viewing: Viewing | None, *, written: bool
) -> list[str]:
    """Fill what `extraction` has no words for with words that were said, in place. The warnings that tell of it.

    `written`: by a model, whose words stay; what else was found for such a field is a label's chance likeness, and makes way.
    """
    values = extraction.values
    if not isinstance(values, dict):
        return []
    table = cast("dict[str, Json]", values)
    writer = _Writer(sources, recording, viewing, extraction)
    open_ = [field for field in schema.root.fields if field.name in _EXTRACTED and not (written and table.get(field.name))]
    done = [field.name for field in open_ if writer.write(table, field)]
    blind = [field.name for field in schema.root.fields if field.name in _SEEN and not table.get(field.name)]
    warnings: list[str] = []
    if done:
        warnings.append(f"extractive: {', '.join(done)} are words of the recording; a model would write them anew")
    if blind and viewing is not None:
        warnings.append(f"needs_model: {', '.join(blind)} would need a model that sees")
    return warnings


class _Writer:
    """Writes values and their leaves from sentences."""

    def __init__(self, sources: Sources, recording: Recording, viewing: Viewing | None, extraction: Extraction) -> None:
        self._speech, self._recording, self._viewing, self._extraction = sources.speech, recording, viewing, extraction
        self._numbers = {self._speech.whole(one): number for number, one in enumerate(self._speech.sentences)}

    def write(self, table: dict[str, Json], field: Field) -> bool:
        """Fill a field; whether there was something to fill it with."""
        ways: dict[str, Callable[[Field], Json]] = {
            "summary": self._summary,
            "topics": self._topics,
            "key_points": self._sentences,
            "quotes": self._sentences,
            "chapters": self._chapters,
        }
        made = ways[field.name](field)
        if not made:
            return False
        for path in [path for path in self._extraction.leaves if path[:1] == (field.name,)]:
            del self._extraction.leaves[path]
        table[field.name] = self._put((field.name,), made)
        return True

    def _put(self, path: Path, made: Json) -> Json:
        """Values out of pairs of a value and its evidence, recorded by path."""
        if isinstance(made, list):
            return [self._put((*path, at), one) for at, one in enumerate(cast("list[Json]", made))]
        if isinstance(made, dict):
            return {name: self._put((*path, name), one) for name, one in cast("dict[str, Json]", made).items()}
        value, evidence = cast("tuple[Json, list[Evidence]]", made)
        match = "exact" if isinstance(value, str) and evidence else "computed"
        known = value is not None
        leaf = Leaf(value, "found", match, CAP, evidence) if known else Leaf(None, "absent")
        self._extraction.leaves[path] = leaf
        return value

    def _evidence(self, span: Span) -> list[Evidence]:
        number = self._numbers.get(span)
        return [self._speech.evidence(number)] if number is not None else []

    def _summary(self, field: Field) -> Json:
        said = summary(self._speech)
        return (" ".join(one.content for one in said), [part for one in said for part in self._evidence(one)]) if said else None

    def _topics(self, field: Field) -> Json:
        texts = [segment.text for segment in self._speech.transcript.segments]
        if self._viewing is not None:
            texts += texts_in(self._viewing, 0.0, self._recording.duration + 1)
        return [(topic, list[Evidence]()) for topic in topics(texts)]

    def _sentences(self, field: Field) -> Json:
        return [
            self._row(field, {"start_time": one.start, "end_time": one.end, "content": one.content}, self._evidence(one))
            for one in summary(self._speech, most=min(8, max(1, len(self._speech.sentences) // 4)))
        ]

    def _chapters(self, field: Field) -> Json:
        cuts = [shot.start for shot in self._viewing.shots] if self._viewing is not None else []
        return [
            self._row(
                field,
                {"start_time": one.start, "end_time": one.end, "title": one.title, "summary": one.said.content if one.said else None},
                self._evidence(one.said) if one.said else [],
            )
            for one in chapters(self._speech, self._recording.duration, cuts)
        ]

    def _row(self, field: Field, known: dict[str, Json], evidence: list[Evidence]) -> dict[str, Json]:
        """An entry of a list with the fields that its schema has."""
        item = next((one.item for one in (field, *field.variants) if one.item is not None), None)
        names = [child.name for child in item.fields] if item is not None else []
        return {
            name: (seconds(value) if isinstance(value, float) else value, evidence if name != "title" else [])
            for name in names
            for value in [known.get(name)]
        }
