"""A model server without a model, for tests of Heliograph and of what is built on it: it answers by a script, in the wire dialect, with
the rules and the errors of the server it stands for.

    async with Scripted([{"total": 12.5}], dialect="vllm") as server:
        settings = ModelSettings(url=server.url, model="scripted")

From a shell: `python -m heliograph.models.scripted script.toml --dialect ollama --port 9000`.
"""

from heliograph.models.scripted.checking import Abilities
from heliograph.models.scripted.faults import Fault
from heliograph.models.scripted.heard import Heard
from heliograph.models.scripted.script import Call, Script, Turn, When, read
from heliograph.models.scripted.server import Recorded, Scripted

__all__ = ["Abilities", "Call", "Fault", "Heard", "Recorded", "Script", "Scripted", "Turn", "When", "read"]
