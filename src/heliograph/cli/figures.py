"""The numbers of an evaluation as tables: fields, figures, gains and losses, and a bar beside what was reached."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heliograph.evaluation.bar import Height
    from heliograph.evaluation.summary import Numbers

COLUMNS = (
    ("present", "present"), ("answered", "answered"), ("f1", "F1"), ("f1_fuzzy", "F1 fuzzy"),
    ("hallucination", "halluc."), ("omission", "omitted"),
    ("grounding_hit", "box hit"), ("text_under_box", "text under"), ("ece", "ECE"), ("auroc", "AUROC"), ("accuracy_at_80", "at 80 %"),
    ("anls", "ANLS*"), ("ocr_word_f1", "word F1"),
)  # fmt: skip
TURNS_SHOWN = 40


def compare_with(before: Numbers, after: Numbers, old: Path, now: dict[str, dict[str, dict[str, str]]]) -> None:
    """Say which numbers and which fields of documents differ from those in the file `old`."""
    from heliograph.evaluation.comparison import changes, read_verdicts, turns

    found = changes(before, after)
    print(f"against {old}: {sum(change.gained for change in found)} numbers better, {sum(not change.gained for change in found)} worse")
    for change in found:
        sign = "+" if change.gained else "-"
        print(f"  {sign} {change.set} {change.field} {change.metric}: {change.before:.3f} -> {change.after:.3f}")
    kept = read_verdicts(old)
    turned = turns(kept, now) if kept is not None else []
    for turn in sorted(turned, key=lambda turn: turn.gained)[:TURNS_SHOWN]:
        shown = " as images" if turn.set.endswith("-images") else ""
        print(f"  {'+' if turn.gained else '-'} {turn.document}{shown} {turn.field}: {turn.before} -> {turn.after}")
    if len(turned) > TURNS_SHOWN:
        print(f"  and {len(turned) - TURNS_SHOWN} more fields of documents")


def print_numbers(measured: Numbers) -> None:
    """The table of an evaluation: a row for each field of each set."""
    from rich.console import Console
    from rich.table import Table

    used = [(key, title) for key, title in COLUMNS if any(key in metrics for fields in measured.values() for metrics in fields.values())]
    table = Table("set", "field", *(title for _, title in used))
    for name, fields in measured.items():
        for field, metrics in fields.items():
            cells = [_cell(key, metrics.get(key)) for key, _ in used]
            table.add_row(name, field, *cells, style="bold" if field == "micro" else None, end_section=field == "micro")
    Console(width=190).print(table)


def print_figures(read: dict[str, dict[str, float]]) -> None:
    """The table of what is measured of sets without fields: a row for each figure."""
    from rich.console import Console
    from rich.table import Table

    if not read:
        return
    table = Table("set", "documents", "figure", "value")
    for name, figures in read.items():
        for figure, value in figures.items():
            if figure != "documents":
                table.add_row(name, f"{figures['documents']:g}", figure, f"{value:.3f}", end_section=figure == list(figures)[-2])
    Console(width=120).print(table)


def print_bar(reached: list[Height]) -> None:
    """Each number of a bar beside the one that was reached."""
    from rich.console import Console
    from rich.table import Table

    table = Table("set", "field", "number", "bar", "reached", "")
    for height in reached:
        got = "" if height.got is None else f"{height.got:.3f}"
        table.add_row(height.set, height.field, height.metric, f"{height.wanted:g}", got, "under" if height.under else "met")
    Console(width=140).print(table)


def _cell(key: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:g}" if key in {"present", "answered"} else f"{value:.2f}"
