from __future__ import annotations

import re
from pathlib import Path

import pytest

from heliograph.skills import archive, frontmatter, manifest, package, pairs

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "skills.md").read_text()


def rows(heading: str) -> dict[str, str]:
    """The first two cells of each row of the table below a heading."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| (.+?) \| (.+?) \|$", section, re.MULTILINE)[1:])


def test_the_limits_on_the_page_are_those_of_the_code() -> None:
    assert rows("Limits") == {
        "files": f"{archive.MAX_FILES}",
        "bytes of all files": f"{archive.MAX_UNPACKED} (50 MB)",
        "bytes of the zip": f"{archive.MAX_PACKED}",
        "unpacked to packed": f"{archive.MAX_RATIO}",
        "bytes of a path, and of one part of it": f"{archive.MAX_PATH}, {archive.MAX_NAME}",
        "bytes of `SKILL.md`": f"{package.MAX_SKILL_MD}",
        "characters of its frontmatter, and of `vlmrun.yaml`": f"{frontmatter.MAX_YAML}",
        "bytes of all schemas": f"{package.MAX_SCHEMA}",
        "schemas in `schemas/`": f"{package.MAX_CHOICES}",
        "characters of a name": f"{package.MAX_SKILL_NAME}",
    }
    for said in (f"Up to {pairs.MAX_EXAMPLES} examples", f"up to {pairs.MAX_TEXT} characters", f"at most {pairs.MAX_ANSWER} bytes"):
        assert said in PAGE


def test_every_key_of_vlmrun_yaml_is_on_the_page_and_no_other_is() -> None:
    keys = {name.strip("`") for name in rows("vlmrun.yaml")}
    assert keys == {name.replace("api_version", "apiVersion") for name in manifest.Manifest.__struct_fields__} - {"warnings"}
    assert not [name for name in manifest.TOOLSETS if f"`{name}`" not in rows("vlmrun.yaml")["`toolsets`"]]


@pytest.mark.parametrize("names", [archive.LITTER, pairs.DOCUMENTS])
def test_names_of_files_that_matter_are_on_the_page(names: frozenset[str]) -> None:
    assert not [name for name in names if f"`{name}`" not in PAGE]
