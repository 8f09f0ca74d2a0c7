"""What a finished request counts for: elements, credits, seconds, and one line of warnings."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import msgspec

from heliograph.agents.pricing import credits
from heliograph.extraction.plan import Plan

if TYPE_CHECKING:
    from heliograph.agents.outcome import Spent
    from heliograph.config import ModelSettings
    from heliograph.jobs.queue import Tier

ElementType = Literal["page", "image", "audio", "video"]

_PER_ELEMENT: dict[str, tuple[int, int, int]] = {"markdown": (1, 4, 6)}
_OTHERWISE = (1, 2, 4)
_RECORDED: dict[str, tuple[int, int, int]] = {"audio": (1, 1, 2), "video": (10, 10, 20)}
_DETAIL = {"lo": 0, "auto": 1, "hi": 2}
_GROUNDING = 2
_TIER = {"flex": 0.5, "standard": 1.0, "priority": 1.8}


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """As the contract's `usage`. `duration_seconds` is rounded to whole ones."""

    elements_processed: int | None = None
    element_type: ElementType | None = None
    credits_used: int | None = None
    steps: int | None = None
    message: str | None = None
    duration_seconds: int = 0

    def text(self) -> str:
        """JSON text for the prediction's row."""
        return msgspec.json.encode(self).decode()


def credits_for(plan: Plan, elements: int) -> int:
    """Credits for `elements` pages, images or pieces of a recording that were really read: what came from the cache is not among them.

    The platform's price list: 1, 2 or 4 by detail and 2 more with grounding; Markdown 1, 4 or 6, grounding included; five minutes of sound
    1, 1 or 2 and of video 10, 10 or 20, whatever is grounded. Flex is half, priority 1.8 times; the sum is rounded up.
    """
    recorded = _RECORDED.get(plan.kind)
    each = (recorded or _PER_ELEMENT.get(plan.mode, _OTHERWISE))[_DETAIL[plan.detail]]
    if plan.grounding and plan.mode != "markdown" and recorded is None:
        each += _GROUNDING
    return math.ceil(round(elements * each * _TIER[plan.service_tier], 6))


def credits_for_run(spent: Spent, read: int, model: ModelSettings | None, tier: Tier) -> int:
    """Credits for what an agent did (`agents.pricing`), by service tier and rounded up."""
    return math.ceil(round(credits(spent.input_tokens, spent.output_tokens, read, model) * _TIER[tier], 6))
