from __future__ import annotations

from typing import Any

import pytest

from heliograph.extraction.plan import Plan
from heliograph.jobs.usage import credits_for


def plan(**fields: Any) -> Plan:
    return Plan(operation="generate", schema_from="domain", **{"kind": "document", "mode": "extract"} | fields)


@pytest.mark.parametrize(
    ("asked", "each"),
    [
        ({"kind": "audio", "detail": "lo"}, 1),
        ({"kind": "audio", "mode": "transcribe"}, 1),
        ({"kind": "audio", "detail": "hi"}, 2),
        ({"kind": "audio", "grounding": True}, 1),
        ({"kind": "video", "detail": "lo"}, 10),
        ({"kind": "video", "mode": "transcribe", "grounding": True}, 10),
        ({"kind": "video", "detail": "hi"}, 20),
        ({"kind": "document", "grounding": True}, 4),
    ],
)
def test_five_minutes_cost_what_the_price_list_says_and_grounding_adds_to_pages_alone(asked: dict[str, Any], each: int) -> None:
    assert credits_for(plan(**asked), 3) == 3 * each
    assert credits_for(plan(**asked, service_tier="flex"), 3) == -(-3 * each // 2)
    assert credits_for(plan(**asked), 0) == 0, "what came from the cache"
