"""What the extractor that asks a model is told and given, besides the document."""

from __future__ import annotations

from typing import Protocol, Self

import msgspec

from heliograph.extraction.plan import Detail, Plan
from heliograph.models.contract import Picture


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """The options of a request that steer a model. `max_tokens`: of one answer, clamped to what the model can. `examples`: what it is shown
    of other documents (`prompts.exemplified`)."""

    instructions: str | None = None
    examples: str = ""
    detail: Detail = "auto"
    temperature: float = 0.0
    max_tokens: int = 65_535
    max_retries: int = 1

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """What `plan` says of them."""
        return cls(
            instructions=plan.instructions,
            detail=plan.detail,
            temperature=plan.temperature,
            max_tokens=plan.max_tokens,
            max_retries=plan.max_retries,
        )


class Pictures(Protocol):
    """Page images for a model, made once per page and kept."""

    async def picture(self, page: int, longest_side: int) -> Picture:
        """The upright image of the page with this index in the answer, scaled down to `longest_side` pixels, as JPEG."""
        ...
