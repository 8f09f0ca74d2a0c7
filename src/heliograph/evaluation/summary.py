"""Judged documents become numbers: `{set: {field or "micro": {metric: number}}}`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from heliograph.evaluation.judging import Judged, Outcome
from heliograph.evaluation.metrics import accuracy_at_coverage, auroc, calibration_error, f1
from heliograph.evaluation.sets import IMAGES

Numbers = dict[str, dict[str, dict[str, float]]]
POOLED = ("all", "all" + IMAGES)
"""Names under which all sets stand together."""
_LOWER_IS_BETTER = ("hallucination", "omission", "ece", "errors", "false positives", "CER", "WER", "DER", "refused")


def lower_is_better(metric: str) -> bool:
    """Whether less of a metric is better."""
    return metric.startswith(_LOWER_IS_BETTER) or ", lost on photos" in metric or " off, " in metric


def summary(outcomes: Iterable[Outcome]) -> Numbers:
    """The numbers of each set, and of all sets together under `all` (PDFs run as page images under `all-images`)."""
    by_set: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_set.setdefault(outcome.set, []).append(outcome)
    made = {name: _set(group) for name, group in sorted(by_set.items())}
    for name, images in zip(POOLED, (False, True), strict=True):
        pooled = [outcome for group in by_set.values() for outcome in group if outcome.set.endswith(IMAGES) is images]
        if pooled:
            made[name] = {"micro": _micro(pooled)}
    return made


def sure(fields: Iterable[Judged]) -> list[tuple[float, bool]]:
    """Probability and whether it was right, of each field whose answer carries one."""
    return [(judged.probability, judged.exact) for judged in fields if judged.probability is not None]


def _set(group: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    table: dict[str, dict[str, float]] = {}
    fields = [judged for outcome in group for judged in outcome.fields]
    for field in dict.fromkeys(judged.field for judged in fields if not judged.asked_absent):
        table[field] = measured([judged for judged in fields if judged.field == field])
    for field in dict.fromkeys(field for outcome in group for field in outcome.rows):
        parts = [outcome.rows[field] for outcome in group if field in outcome.rows]
        right, answered, true = (sum(part[i] for part in parts) for i in range(3))
        table[field] = {"f1": f1(right, answered, true), "answered": answered, "present": true}
    return table | {"micro": _micro(group)}


def _micro(group: Sequence[Outcome]) -> dict[str, float]:
    made = measured([judged for outcome in group for judged in outcome.fields])
    made["documents"] = len(group)
    made["errors"] = sum(outcome.error is not None for outcome in group)
    alike = [0.0 if outcome.error else outcome.anls for outcome in group]
    if any(value is not None for value in alike):
        made["anls"] = sum(value or 0.0 for value in alike) / len(alike)
    counted = [outcome.words for outcome in group if outcome.words is not None]
    if counted:
        made["ocr_word_f1"] = f1(*(sum(words[i] for words in counted) for i in range(3)))
    return made


def measured(fields: Sequence[Judged]) -> dict[str, float]:
    """The metrics of some judged fields; those that need what none of them has are left out.

    Hallucination: answered of what was asked and is not in the document. Omission: unanswered of what is. Both as ExtractBench
    (arXiv 2602.12247) names them. Page accuracy and box hits are of answers whose true boxes are known.
    """
    present = [judged for judged in fields if judged.want is not None]
    absent = [judged for judged in fields if judged.want is None]
    answered = [judged for judged in fields if judged.got is not None]
    made: dict[str, float] = {
        "present": len(present),
        "answered": len(answered),
        "f1": f1(sum(judged.exact for judged in present), len(answered), len(present)),
        "f1_fuzzy": f1(sum(judged.fuzzy for judged in present), len(answered), len(present)),
        "accuracy": sum(judged.exact for judged in present) / len(present) if present else 1.0,
        "omission": sum(judged.got is None for judged in present) / len(present) if present else 0.0,
    }
    if absent:
        made["hallucination"] = sum(judged.got is not None for judged in absent) / len(absent)
    shares = {
        "grounding_hit": [judged.grounded for judged in answered if judged.grounded is not None],
        "page_accuracy": [judged.page_right for judged in answered if judged.page_right is not None],
        "text_under_box": [judged.under_box for judged in answered if judged.under_box is not None],
    }
    made |= {name: sum(values) / len(values) for name, values in shares.items() if values}
    pairs = sure(fields)
    if pairs:
        made["ece"] = calibration_error(pairs)
        made["accuracy_at_80"] = accuracy_at_coverage(pairs) or 0.0
        area = auroc(pairs)
        if area is not None:
            made["auroc"] = area
    return made
