"""What a tool works with: the run's artifacts, the engines of this worker, and a way to tell how far it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from heliograph.agents.artifacts import Artifacts
from heliograph.agents.readings import Readings
from heliograph.agents.recordings import Recordings
from heliograph.agents.task import Card, Task
from heliograph.agents.workspace import Workspace
from heliograph.config import Settings

if TYPE_CHECKING:
    from heliograph.models.serving import Models
    from heliograph.perception.reader import Reader

Json = Any


@dataclass(frozen=True, kw_only=True)
class Context:
    """One run's tools have one. `route`: the model that tools ask when they need one to look or write; None without a model."""

    task: Task
    workspace: Workspace
    settings: Settings
    reader: Reader
    models: Models
    route: str | None
    say: Callable[[str], Awaitable[None]]
    """Tells listeners in one line what is being done."""
    show: Callable[[Card, dict[str, Json]], Awaitable[None]]
    """Shows a card, where the caller wants cards of that kind."""
    readings: Readings = field(default_factory=Readings)
    """The pages that this run's tools have read."""
    recordings: Recordings = field(default_factory=Recordings)
    """What they have heard and watched."""

    @property
    def artifacts(self) -> Artifacts:
        """The artifacts of the run's namespace."""
        return self.workspace.artifacts
