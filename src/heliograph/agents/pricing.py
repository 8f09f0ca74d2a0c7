"""What a run costs, in credits, before the service tier and rounding."""

from __future__ import annotations

from heliograph.config import ModelSettings

PAGE = 2
"""Credits for a page or an image that was really read, at the detail `auto`, after the platform's price list."""
UNIT = 100
"""Credits to the unit that models' prices are in: the platform's credit is a cent."""


def credits(input_tokens: int, output_tokens: int, read: int, model: ModelSettings | None) -> float:
    """Credits for the tokens of `model` at its prices, and for `read` pages and images. A run without either costs nothing."""
    tokens = 0.0 if model is None else (input_tokens * model.price_input + output_tokens * model.price_output) / 1e6
    return read * PAGE + UNIT * tokens
