"""The skill that `--skill` names: a folder, packed as a request carries it, or one by its name, perhaps with a version after a colon."""

from __future__ import annotations

import base64
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from heliograph.errors import InvalidRequest, NotFound

if TYPE_CHECKING:
    from heliograph.extraction.plan import Example, Skill
    from heliograph.media.document import Document
    from heliograph.perception.reader import Reader
    from heliograph.skills.archive import Files

_NAME = re.compile(r"(?P<name>[\w][\w .-]*)(:(?P<version>[\w.-]+))?")


def item(given: Path | str) -> dict[str, Any]:
    """The item of `config.skills` that `--skill` means; the same folder gives the same. Raises `typer.BadParameter`."""
    folder = Path(given)
    named = _NAME.fullmatch(str(given))
    if not folder.is_dir():
        if named is None or named["name"].endswith((".md", ".zip")):
            raise typer.BadParameter(f"--skill {given} is no folder, and no name of a skill")
        return {"type": "skill_reference", "skill_id": named["name"], "skill_version": named["version"] or "latest"}
    from heliograph.skills import archive

    try:
        packed = archive.pack(archive.from_folder(folder))
    except InvalidRequest as error:
        raise typer.BadParameter(f"--skill: {error.message}") from None
    source = {"type": "base64", "media_type": "application/zip", "data": base64.b64encode(packed).decode()}
    return {"type": "inline", "name": folder.resolve().name, "source": source}


class Attached:
    """The skills of a question that is answered here: those that it carries, and by name the preinstalled ones.

    Reads their examples too (`extraction.examples.Examples`).
    """

    def __init__(self) -> None:
        self._packages: dict[str, Files] = {}
        self._documents: dict[tuple[str, str], Document] = {}
        self.reader: Reader | None = None
        """Who reads examples; to be set before any is asked for."""

    def read(self, asked: dict[str, Any]) -> Skill:
        """As `extraction.plan.SkillReader`."""
        from heliograph.extraction.plan import SkillUse
        from heliograph.skills import archive, attach, package, preinstalled

        reference = attach.reference(asked)
        if reference is None:
            made = attach.inline(asked, keeps_files=True)
            if any(example.text is None for example in made.examples) and made.use is not None:
                self._packages[made.use.hash] = archive.unpack(attach.bundle(asked))
            return made
        name, version = reference
        if name not in preinstalled.FIRST_MADE:
            there = ", ".join(preinstalled.FIRST_MADE)
            raise NotFound(f"There is no folder {name!r}, and no preinstalled skill of that name; there are {there}.")
        files = preinstalled.files(name)
        found = package.read(files)
        use = SkillUse(name=name, version=f"{preinstalled.first_made(name):%Y%m%d}-{found.hash[:8]}", hash=found.hash)
        if version not in ("latest", "1", use.version):
            raise NotFound(f"Skill {name!r} has no version {version!r} here; there is {use.version}.")
        self._packages[found.hash] = files
        return attach.skill(found, use)

    async def document(self, example: Example) -> Document:
        """The file of an example, read. Raises NotFound, and what reading raises."""
        from heliograph.extraction.examples import first_pages

        content = self._packages.get(example.package or "", {}).get(example.path or "")
        if content is None or self.reader is None or example.path is None:
            raise NotFound("The skill has no such file.")
        place = (str(example.package), example.path)
        if place not in self._documents:
            with tempfile.TemporaryDirectory(prefix="heliograph-example-") as folder:
                path = Path(folder) / Path(example.path).name
                path.write_bytes(content)
                self._documents[place] = await first_pages(self.reader, path)
        return self._documents[place]
