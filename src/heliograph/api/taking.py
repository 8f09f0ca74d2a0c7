"""What a run brings along, taken in: files and URLs as its inputs, and the content of its skills."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from heliograph.agents.task import SkillRef, Task
from heliograph.api.intake import Intake
from heliograph.api.parts import Brought
from heliograph.api.planning import Attached
from heliograph.api.receiving import clean_name
from heliograph.store.predictions import Input


async def take(intake: Intake, task: Task, brought: Sequence[Brought], attached: Sequence[Attached]) -> tuple[Task, list[Input]]:
    """The task with its skills and the names of its inputs; and the inputs: what was brought, then the files of inline skills.

    Raises as `Intake.read`."""
    reads = [await intake.read(position, each.source) for position, each in enumerate(brought)]
    refs: list[SkillRef] = []
    for skill in attached:
        blob = skill.blob
        if skill.data is not None:
            kept = await intake.keep(len(reads), skill.data)
            reads.append(kept)
            blob = kept.blob
        refs.append(
            SkillRef(
                name=skill.name, hash=skill.package.hash, blob=blob or "", description=skill.description or "", id=skill.id,
                version=skill.version,
            )
        )  # fmt: skip
    said = {position: clean_name(each.name) for position, each in enumerate(brought) if each.name}
    return msgspec.structs.replace(task, skills=refs, names=intake.names | said), reads
