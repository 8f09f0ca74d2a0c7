"""What can go wrong with a model.

ModelError                  the model gave no answer
├── ModelUnavailable        not now: unreachable, overloaded, broken off; may go better later (retryable)
│   ├── ModelBusy           it is there, and takes no more for now (rate limit, overload)
│   └── CircuitOpen         it failed so often that it is not asked for a while
├── ModelRefused            its server says the request is wrong, or may not be made (key, quota, unknown model): no retry helps
│   └── ModelDeclined       it minds what the document says, not how it was asked; backends make it a reply that is a refusal
└── ModelLimit              the request is larger than it takes
ModelNotFound  404          no such model name here
"""

from __future__ import annotations

from heliograph.errors import HeliographError, NotFound


class ModelError(HeliographError):
    """The model gave no answer."""

    status = 422
    type = "model_error"
    answered: int | None = None
    """The status that the model's server answered with, where it answered."""


class ModelUnavailable(ModelError):
    """The model cannot be reached or is overloaded."""

    type = "model_unavailable"


class ModelBusy(ModelUnavailable):
    """The model takes no more requests for now."""


class CircuitOpen(ModelUnavailable):
    """The model failed too often in a row, and is left alone for a while."""


class ModelRefused(ModelError):
    """The model's server refused the request."""

    type = "model_refused"


class ModelDeclined(ModelRefused):
    """The model's provider will not have this content."""


class ModelLimit(ModelError):
    """The request is larger than the model takes."""

    type = "model_limit"


class ModelNotFound(NotFound):
    """There is no such model here."""

    type = "model_not_found"
