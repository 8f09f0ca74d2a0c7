"""The documentation says what the code does: settings, commands, routes, links and the commands in examples."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import shlex
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from heliograph import __version__
from heliograph.cli.app import COMMANDS, load
from heliograph.config import Settings
from heliograph.extraction.confidence import HI, MED
from heliograph.extraction.domains import Domain
from heliograph.extraction.schema import compile_schema
from heliograph.wire.requests import GenerationConfig, RequestMetadata

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md"), *(ROOT / "deploy").glob("*.md")])
FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    """tools/reference.py, which writes three of the pages."""
    spec = importlib.util.spec_from_file_location("reference", ROOT / "tools" / "reference.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_settings_page_is_what_the_settings_are(reference: ModuleType) -> None:
    assert (DOCS / "reference" / "settings.md").read_text("utf-8") == reference.settings_page(), "run `make reference`"


def test_every_setting_has_its_row_and_no_other_has() -> None:
    text = (DOCS / "reference" / "settings.md").read_text("utf-8")
    documented = set(re.findall(r"^\| `HELIOGRAPH_(\w+)`", text, re.MULTILINE))
    assert documented == {name.upper() for name in Settings.model_fields}


def test_every_option_and_every_metadata_field_of_a_request_has_its_row_and_no_other_has() -> None:
    page = (DOCS / "reference" / "options.md").read_text("utf-8").partition("## Skills")[0]
    config, metadata = page.split("## Metadata of a request")
    assert set(re.findall(r"^\| `(\w+)` \|", config, re.MULTILINE)) == set(GenerationConfig.model_fields)
    assert set(re.findall(r"^\| `(\w+)` \|", metadata, re.MULTILINE)) == set(RequestMetadata.model_fields)


def test_the_thresholds_of_confidence_are_those_of_the_code() -> None:
    page = (DOCS / "reference" / "answers.md").read_text("utf-8")
    assert f"`hi` from a `probability` of {HI:.2f}, `med` from {MED:.2f}".replace(" 0.", " .") in page


def test_every_setting_says_what_it_is() -> None:
    assert not [name for name, field in Settings.model_fields.items() if not (field.description or "").endswith(".")]


def test_the_command_page_is_what_the_commands_are(reference: ModuleType) -> None:
    assert (DOCS / "reference" / "cli.md").read_text("utf-8") == reference.cli_page(), "run `make reference`"


def test_the_page_of_tools_is_what_the_tools_are(reference: ModuleType) -> None:
    assert (DOCS / "reference" / "tools.md").read_text("utf-8") == reference.tools_page(), "run `make reference`"


def test_every_route_is_documented_and_no_other_is(tmp_path: Path) -> None:
    from heliograph.api.app import create_app
    from heliograph.api.openapi import document

    app = create_app(Settings(data_dir=tmp_path), "postgresql://nobody@127.0.0.1:1/none")
    served = {
        (method.upper(), path)
        for path, operations in document(app)["paths"].items()
        for method in operations
        if method in {"get", "post", "put", "patch", "delete", "head"}
    }
    text = (DOCS / "reference" / "routes.md").read_text("utf-8")
    documented = set(re.findall(r"`(GET|POST|PUT|PATCH|DELETE|HEAD) (/[^\s`?]*)", text))
    assert served <= documented, f"not in docs/reference/routes.md: {sorted(served - documented)}"
    extra = {(method, path) for method, path in documented - served if path.startswith("/v1")}
    assert not extra, f"documented but not served: {sorted(extra)}"


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text("utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{target} is not there"
        if anchor and found.suffix == ".md":
            assert anchor in anchors(found), f"{target} has no such heading"


def test_every_page_is_reached_from_the_index_or_the_readme() -> None:
    linked = {
        (page.parent / target.partition("#")[0]).resolve()
        for page in PAGES
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8"))
        if "://" not in target
    }
    lost = [str(page.relative_to(ROOT)) for page in DOCS.rglob("*.md") if page.resolve() not in linked]
    assert not lost


def commands() -> list[tuple[str, str]]:
    """Every `heliograph ...` line of a shell example, with the page it is on."""
    found: list[tuple[str, str]] = []
    for page in PAGES:
        for fence in FENCE.finditer(page.read_text("utf-8")):
            if fence["language"] in {"sh", "bash"}:
                for line in fence["code"].replace("\\\n", " ").splitlines():
                    if match := re.match(r"(?:\S*/)?heliograph (.+)", line.partition(" #")[0].strip()):
                        found.append((str(page.relative_to(ROOT)), match[1]))
    return found


@pytest.mark.parametrize(("page", "line"), commands())
def test_every_command_in_an_example_is_one(page: str, line: str) -> None:
    words = shlex.split(line)
    assert words[0] in COMMANDS, f"{page}: there is no `heliograph {words[0]}`"
    command: Any = load(words[0])
    rest = words[1:]
    if subcommands := getattr(command, "commands", None):
        assert rest[0] in subcommands, f"{page}: there is no `heliograph {words[0]} {rest[0]}`"
        command, rest = subcommands[rest[0]], rest[1:]
    known = {option for param in command.params for option in (*param.opts, *param.secondary_opts)} | {"--help", "-h"}
    for word in rest:
        if word.startswith("-") and word != "-":
            assert word.split("=")[0] in known, f"{page}: `heliograph {words[0]}` has no option {word}"


def test_every_setting_that_a_page_names_exists() -> None:
    known = {f"HELIOGRAPH_{name.upper()}" for name in Settings.model_fields} | {"HELIOGRAPH_TEST_DATA", "HELIOGRAPH_ALL_RINGS"}
    for page in PAGES:
        for name in re.findall(r"HELIOGRAPH_[A-Z_]+[A-Z]", page.read_text("utf-8")):
            assert name in known, f"{page.relative_to(ROOT)} names {name}"


def test_make_help_lists_what_the_readme_and_contributing_use() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    for page in PAGES:
        for fence in FENCE.finditer(page.read_text("utf-8")):
            if fence["language"] in {"sh", "bash"}:
                for target in re.findall(r"^(?:\w+=\S+ )*make ([a-z-]+)", fence["code"], re.MULTILINE):
                    assert target in targets, f"{page.relative_to(ROOT)} uses make {target}"


def test_the_version_is_the_same_everywhere() -> None:
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text("utf-8")
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def examples(language: str) -> list[tuple[str, str]]:
    """The code of every example in `language`, with the page it is on."""
    return [
        (str(page.relative_to(ROOT)), fence["code"])
        for page in PAGES
        for fence in FENCE.finditer(page.read_text("utf-8"))
        if fence["language"] == language
    ]


@pytest.mark.parametrize(("page", "code"), examples("json"))
def test_every_json_example_is_json(page: str, code: str) -> None:
    json.loads(code)


@pytest.mark.parametrize(("page", "code"), examples("python"))
def test_every_python_example_compiles(page: str, code: str) -> None:
    compile(code, page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize(("page", "code"), [example for example in examples("toml") if "heliograph.toml" in example[1]])
def test_every_settings_file_is_one(page: str, code: str) -> None:
    assert not tomllib.loads(code).keys() - Settings.model_fields.keys(), page


def test_the_domain_in_contributing_is_a_domain() -> None:
    (code,) = [code for page, code in examples("json") if page == "CONTRIBUTING.md" and "json_schema" in code]
    domain = msgspec.json.decode(code, type=Domain, strict=True)
    assert compile_schema(domain.json_schema).check({"delivery_number": "7", "delivery_date": "2026-03-09"}) == []
    assert set(json.loads(code)) <= set(Domain.__struct_fields__)
