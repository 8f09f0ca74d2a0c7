"""Drives the official Python SDK against a server that has a model; run by the interpreter of the clients' own environment.

Environment and output as `python_client.py`. The model's server answers by `test_with_a_model.py`'s script: what is to go wrong
stands in the request's prompt.
"""

from __future__ import annotations

from typing import Any, Literal

import python_client
from pydantic import BaseModel, Field
from python_client import INVOICE, RECEIPT, check, completed, grounded_leaf, main
from vlmrun.client import VLMRun
from vlmrun.client.exceptions import ResourceNotFoundError
from vlmrun.client.types import GenerationConfig


class Item(BaseModel):
    description: str | None = None
    total_price: float | None = None


class Receipt(BaseModel):
    merchant_name: str | None = Field(None, description="Who sold it")
    transaction_date: str | None = Field(None, json_schema_extra={"format": "date"})
    total: float | None = None
    moon_phase: str | None = None
    mood: Literal["glad", "sad"] | None = None
    items: list[Item] | None = None


def asked(client: VLMRun, case: str, **options: Any) -> Any:
    config = GenerationConfig(
        response_model=Receipt, prompt=f"CASE: {case}.", grounding=True, confidence=True, service_tier="flex", **options
    )
    return completed(client.image.generate(images=[RECEIPT], domain="document.receipt", config=config))


@check("values are the model's, boxes are where the page has them")
def _(client: VLMRun) -> None:
    response = asked(client, "well").response
    assert response["merchant_name"] == "Marlow & Finch Market"
    assert response["transaction_date"] == "2026-03-14"
    for field in ("merchant_name", "transaction_date", "total"):
        grounded_leaf(response, field)
    assert response["transaction_date_metadata"]["bboxes"][0]["content"] != response["transaction_date"]


@check("a value that the page does not support is kept, and said to be")
def _(client: VLMRun) -> None:
    response = asked(client, "well").response
    assert response["mood"] == "glad"
    assert response["mood_metadata"]["confidence"] == "lo"
    assert response["mood_metadata"]["bboxes"] == []
    assert response["moon_phase"] is None
    assert response["moon_phase_metadata"] is None


@check("a cut answer is continued and keeps its rows")
def _(client: VLMRun) -> None:
    answer = asked(client, "cut")
    assert [item["description"] for item in answer.response["items"]] == ["OAT MILK 1L", "RYE BREAD SLICED"], answer.response


@check("a wrong answer goes back to the model with what is wrong")
def _(client: VLMRun) -> None:
    assert asked(client, "wrong", max_retries=2).response["total"] == 76.1


@check("a refusal is told as one")
def _(client: VLMRun) -> None:
    answer = asked(client, "refuse")
    assert "refus" in answer.usage.message
    assert answer.response["moon_phase"] is None
    assert answer.response["moon_phase_metadata"]["state"] == "refused"


@check("an overloaded model is asked again")
def _(client: VLMRun) -> None:
    assert asked(client, "busy").response["merchant_name"] == "Marlow & Finch Market"


@check("a stream that breaks off loses nothing that came")
def _(client: VLMRun) -> None:
    assert asked(client, "break").response["merchant_name"] == "Marlow & Finch Market"


@check("pages of a PDF, in the background")
def _(client: VLMRun) -> None:
    config = GenerationConfig(response_model=Receipt, prompt="CASE: well.")
    started = client.document.generate(file=INVOICE, domain="document.invoice", config=config, batch=True)
    assert client.predictions.wait(started.id, timeout=120, sleep=1).response["merchant_name"] == "Marlow & Finch Market"


@check("published model names lead to the model, others are not found")
def _(client: VLMRun) -> None:
    config = GenerationConfig(response_model=Receipt, prompt="CASE: well.")
    answer = client.image.generate(images=[RECEIPT], model="vlmrun-orion-1:auto", domain="document.receipt", config=config)
    assert completed(answer).response["merchant_name"] == "Marlow & Finch Market"
    try:
        client.image.generate(images=[RECEIPT], model="gpt-4", domain="document.receipt", config=config)
    except ResourceNotFoundError as error:
        assert "vlm-1" in str(error)  # noqa: PT017 - this driver runs without pytest
        return
    raise AssertionError("a model that nobody configured was found")


@check("what a picture shows")
def _(client: VLMRun) -> None:
    answer = completed(client.image.generate(images=[RECEIPT], domain="image.caption"))
    assert answer.response["caption"] == "A receipt on a table."


@check("feedback on a model's answer")
def _(client: VLMRun) -> None:
    answer = asked(client, "well")
    client.feedback.submit(request_id=answer.id, response={"total": 76.1}, notes="the total is wrong")
    assert client.feedback.get(answer.id).items[0].notes == "the total is wrong"


if __name__ == "__main__":
    python_client.public_methods = lambda client: []  # only what is here; the methods themselves are python_client.py's
    for name in [name for name, function in python_client.CHECKS.items() if function.__module__ != "__main__"]:
        del python_client.CHECKS[name]
    main()
