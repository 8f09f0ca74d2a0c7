"""`skip` and `limit`, as all lists take them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

SkipOf = Annotated[int, Query(ge=0, le=1_000_000_000, description="How many to pass over.")]
LimitOf = Annotated[int, Query(ge=1, le=1000, description="How many to answer at most.")]
