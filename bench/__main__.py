"""Runs the benches and prints their rows; `--write` keeps them in docs/benchmarks.md with date and machine."""

from __future__ import annotations

import argparse
import os
import platform
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from bench import Row

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def names() -> list[str]:
    """The benches there are."""
    return [module.name for module in iter_modules([str(HERE)]) if not module.name.startswith("_")]


def machine() -> str:
    """Cores, processor and memory of this machine, in words."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")),
        platform.processor(),
    )
    return f"{os.cpu_count()} shared cores of {model}, {memory:.0f} GiB, Python {platform.python_version()}"


HEAD = "| bench | what | measured | goal | how | day |\n|---|---|---|---|---|---|"


def lines(bench: str, rows: list[Row]) -> list[str]:
    """The rows of a bench as lines of the table, with today's date."""
    made: list[str] = []
    for row in rows:
        value = f"{row.value:,.0f}" if abs(row.value) >= 100 else f"{row.value:.3g}"
        made.append(f"| {bench} | {row.what} | {value} {row.unit} | {row.goal} | {row.note} | {datetime.now(UTC):%Y-%m-%d} |")
    return made


def kept(page: str) -> dict[str, list[str]]:
    """The lines that the page has of each bench."""
    made: dict[str, list[str]] = {}
    for line in page.split(BEGIN)[1].split(END, maxsplit=1)[0].splitlines():
        if line.startswith("| ") and not line.startswith("| bench "):
            made.setdefault(line.split("|")[1].strip(), []).append(line)
    return made


def main() -> None:
    """Parses the command line and runs."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", nargs="*", choices=[[], *names()], help="which benches; all when none is named")
    parser.add_argument("--write", action="store_true", help=f"write what was measured into the table of {PAGE.relative_to(HERE.parent)}")
    arguments = parser.parse_args()
    measured: dict[str, list[str]] = {}
    for name in arguments.name or names():
        rows: list[Row] = []
        for row in import_module(f"bench.{name}").measure():
            rows.append(row)
            print(f"{name}: {row.what}: {row.value:.4g} {row.unit} {f'(goal {row.goal})' if row.goal else ''} {row.note}", flush=True)
        measured[name] = lines(name, rows)
    print("\n".join(["", HEAD, *(line for group in measured.values() for line in group)]))
    if arguments.write:
        text = PAGE.read_text()
        head, tail = text.split(BEGIN)[0], text.split(END)[1]
        every = kept(text) | measured
        known = [line for name in names() for line in every.get(name, [])]
        PAGE.write_text("\n".join([f"{head}{BEGIN}", f"Measured on {machine()}.", "", HEAD, *known, f"{END}{tail}"]))


if __name__ == "__main__":
    main()
