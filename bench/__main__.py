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


def table(rows: dict[str, list[Row]]) -> str:
    """The rows as Markdown."""
    lines = ["| bench | what | measured | goal | how |", "|---|---|---|---|---|"]
    for bench, group in rows.items():
        for row in group:
            value = f"{row.value:,.0f}" if abs(row.value) >= 100 else f"{row.value:.3g}"
            lines.append(f"| {bench} | {row.what} | {value} {row.unit} | {row.goal} | {row.note} |")
    return "\n".join(lines)


def main() -> None:
    """Parses the command line and runs."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", nargs="*", choices=[[], *names()], help="which benches; all when none is named")
    parser.add_argument("--write", action="store_true", help=f"write the table into {PAGE.relative_to(HERE.parent)}")
    arguments = parser.parse_args()
    rows: dict[str, list[Row]] = {}
    for name in arguments.name or names():
        rows[name] = []
        for row in import_module(f"bench.{name}").measure():
            rows[name].append(row)
            print(f"{name}: {row.what}: {row.value:.4g} {row.unit} {f'(goal {row.goal})' if row.goal else ''} {row.note}", flush=True)
    report = f"Measured {datetime.now(UTC):%Y-%m-%d} on {machine()}.\n\n{table(rows)}"
    print(f"\n{report}")
    if arguments.write:
        text = PAGE.read_text()
        head, tail = text.split(BEGIN)[0], text.split(END)[1]
        PAGE.write_text(f"{head}{BEGIN}\n{report}\n{END}{tail}")


if __name__ == "__main__":
    main()
