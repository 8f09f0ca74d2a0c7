"""Writes settings.md, cli.md and tools.md of docs/reference from the code. `make reference` runs this; a test holds them."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

from heliograph import config
from heliograph.agents.task import TOOLSETS
from heliograph.cli.app import COMMANDS, load

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"
MiB = 1 << 20

SETTINGS = """# Settings

Each setting is an environment variable `HELIOGRAPH_<NAME>`, or a key of the same name in lower case in `heliograph.toml` in the folder
where `heliograph` is started. The environment wins over the file, and an option of the command line over both. Sizes are bytes, times are
seconds. Lists are separated by commas in the environment and are arrays in the file.

```toml
# heliograph.toml
data_dir = "/var/lib/heliograph"
host = "0.0.0.0"
workers = 2
fetch_allow = ["files.internal", "10.1.0.0/16"]
```
"""

MODEL = """Each table `[models.<route>]` of `heliograph.toml` is a model under the name that requests send; names with a dot or colon want
quotes (`[models."vlmrun-orion-1:pro"]`). `[models.default]` answers every published name that has no table of its own.
"""

PROVIDER = """Each table `[providers.<name>]` of `heliograph.toml` is a provider of tools, under one of the names that requests send in
`models` or under one of your own. [Toolsets](../how-to/toolsets.md) says what each can be asked and how a service answers.
"""

TOOLS = """# Tools

What a model, a program or the embedded planner can call in a chat or an execution, by toolset. An argument with a question mark may be
left out. Files are named by reference (`doc_a1b2c3`) or file name, pages and letters count from 0, and boxes are `[x, y, width, height]`
as fractions of the page. [Toolsets](../how-to/toolsets.md) says how to choose them and what some of them need.
"""

CLI = """# Command line

`heliograph COMMAND --help` says the same. Exit codes: 0 done; 1 something went wrong, and one sentence on standard error says what; 2 the
command was called wrongly. What is meant for another program goes to standard output, everything else to standard error.
"""


def settings_page() -> str:
    """The page about every field of `Settings`, under the headings that config.py's comments give."""
    source = inspect.getsource(config.Settings)
    lines = [SETTINGS.rstrip()]
    for match in re.finditer(r"^    # (?P<heading>.+)$|^    (?P<name>\w+): .*Field\(", source, re.MULTILINE):
        if heading := match["heading"]:
            lines += [f"\n## {heading[0].upper()}{heading[1:]}\n", "| setting | default | meaning |", "|---|---|---|"]
        else:
            field = config.Settings.model_fields[match["name"]]
            lines.append(
                f"| `HELIOGRAPH_{match['name'].upper()}` | {_default(match['name'], field.default)} | {_cell(field.description or '')} |"
            )
    lines += ["\n## A model\n", MODEL, "| key | default | meaning |", "|---|---|---|"]
    for name, field in config.ModelSettings.model_fields.items():
        lines.append(f"| `{name}` | {_default(name, field.default)} | {_cell(field.description or '')} |")
    lines += ["\n## A provider\n", PROVIDER, "| key | default | meaning |", "|---|---|---|"]
    for name, field in config.ProviderSettings.model_fields.items():
        lines.append(f"| `{name}` | {_default(name, field.default)} | {_cell(field.description or '')} |")
    return "\n".join(lines).rstrip() + "\n"


def _default(name: str, value: Any) -> str:
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, dict):
        return "none"
    if isinstance(value, list):
        return "none" if not value else f"`{','.join(map(str, value))}`"
    if isinstance(value, int) and value >= MiB and value % MiB == 0:
        return f"`{value}` ({value // MiB} MiB)"
    if isinstance(value, float) and value >= 3600:
        return f"`{value:g}` ({value / 86400:g} d)" if value >= 86400 else f"`{value:g}` ({value / 3600:g} h)"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def cli_page() -> str:
    """The page about every command, its arguments and options."""
    lines = [CLI]
    for name in COMMANDS:
        command = load(name)
        lines += _command(f"heliograph {name}", command)
        for sub, inner in getattr(command, "commands", {}).items():
            lines += _command(f"heliograph {name} {sub}", inner)
    return "\n".join(lines).rstrip() + "\n"


def _command(title: str, command: Any) -> list[str]:
    shown = [
        param
        for param in command.params
        if not getattr(param, "hidden", False) and param.name not in {"help", "install_completion", "show_completion"}
    ]
    arguments = [param for param in shown if param.param_type_name == "argument"]
    named = [param.metavar or str(param.name).upper() for param in arguments]
    usage = " ".join([title, *(["[OPTIONS]"] if len(arguments) < len(shown) else []), *named])
    lines = [f"## `{title}`\n", f"{inspect.cleandoc(command.help or '')}\n"]
    if hasattr(command, "commands"):
        return lines
    lines += ["```", usage, "```\n"]
    if shown:
        lines += ["| option | default | meaning |", "|---|---|---|"]
        for param in shown:
            names = (
                ", ".join(f"`{option}`" for option in (*param.opts, *param.secondary_opts))
                if param.param_type_name == "option"
                else f"`{param.metavar or param.name.upper()}`"
            )
            lines.append(f"| {names} | {_option_default(param)} | {_cell(getattr(param, 'help', None) or '')} |")
        lines.append("")
    return lines


def tools_page() -> str:
    """The page about every tool by toolset: what it does, and its arguments."""
    from heliograph.agents import tools, toolsets  # noqa: PLC0415 - imaging and charts take seconds to import

    toolsets.load()
    lines = [TOOLS.rstrip()]
    for name in (name for name in TOOLSETS if tools.of([name])):
        lines += [f"\n## `{name}`\n", "| tool | arguments | what it does |", "|---|---|---|"]
        for tool in tools.of([name]):
            required = tool.parameters.get("required", [])
            arguments = [f"`{each}`" if each in required else f"`{each}`?" for each in tool.parameters.get("properties", {})]
            said = " ".join(inspect.cleandoc(tool.doc).split("\n\n")[0].split())
            lines.append(f"| `{tool.name}` (`vlmrun.{tool.group}`) | {', '.join(arguments)} | {_cell(said)} |")
    return "\n".join(lines).rstrip() + "\n"


def _option_default(param: Any) -> str:
    value = param.default() if callable(param.default) else param.default
    if param.required:
        return "required"
    if value is None or value == () or "UNSET" in repr(value).upper():
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


def main() -> None:
    """Write the pages."""
    (REFERENCE / "settings.md").write_text(settings_page(), "utf-8")
    (REFERENCE / "cli.md").write_text(cli_page(), "utf-8")
    (REFERENCE / "tools.md").write_text(tools_page(), "utf-8")


if __name__ == "__main__":
    main()
