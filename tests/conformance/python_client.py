"""Drives the official Python SDK against a running server; run by the interpreter of the clients' own environment.

Environment and output as `driver.py` says. Every public method of every resource is listed by introspection, so a method without a
check shows up as failed. Those of recordings, skills, agents and chats are in modules of their own.
"""

from __future__ import annotations

import inspect
import os
import uuid

import agents_client  # noqa: F401 - its checks are in CHECKS from here on
import chats_client  # noqa: F401 - its checks are in CHECKS from here on
import driver
import recordings_client  # noqa: F401 - its checks are in CHECKS from here on
import skills_client  # noqa: F401 - its checks are in CHECKS from here on
from driver import CHECKS, INVOICE, RECEIPT, SCRATCH, check, completed, grounded_leaf
from PIL import Image
from vlmrun.client import VLMRun
from vlmrun.client.exceptions import APIError, AuthenticationError, ResourceNotFoundError
from vlmrun.client.types import GenerationConfig, MarkdownDocument, PresignedUrlRequest, RequestMetadata, SchemaResponse

SOME_ID = str(uuid.uuid4())
GROUNDED = GenerationConfig(grounding=True, confidence=True)
SCHEMA = {
    "type": "object",
    "properties": {
        "total": {"anyOf": [{"type": "number"}, {"type": "null"}], "description": "Total amount"},
        "moon_phase": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
}


# -- the client itself ---------------------------------------------------------------------------------------------


@check("client.constructor")
def _(client: VLMRun) -> None:
    try:
        VLMRun(api_key="hg_not-a-key", base_url=client.base_url, max_retries=1)
    except AuthenticationError:
        return
    raise AssertionError("a wrong key was accepted")


@check("client.healthcheck")
def _(client: VLMRun) -> None:
    assert client.healthcheck() is True


@check("client.get_schema", "client.get_type")
def _(client: VLMRun) -> None:
    schema = client.get_schema("document.invoice")
    assert schema.json_schema["properties"]["invoice_id"]
    assert schema.gql_stmt.startswith("{")
    narrowed = client.get_schema("document.invoice", GenerationConfig(gql_stmt="{ invoice_id total }"))
    assert set(narrowed.json_schema["properties"]) == {"invoice_id", "total"}
    assert "invoice_id" in client.get_type("document.invoice").model_fields


@check("client.list_domains")
def _(client: VLMRun) -> None:
    domains = {item.domain for item in client.list_domains()}
    assert {"document.invoice", "document.receipt", "document.markdown"} <= domains


# -- files ---------------------------------------------------------------------------------------------------------


@check("files.upload", "files.get", "files.get_cached_file", "files.list", "files.delete")
def _(client: VLMRun) -> None:
    path = SCRATCH / f"{uuid.uuid4()}.txt"
    path.write_text(f"a note {uuid.uuid4()}")
    assert client.files.get_cached_file(path) is None
    uploaded = client.files.upload(path, method="direct")
    assert uploaded.bytes == path.stat().st_size
    assert uploaded.public_url
    assert client.files.upload(path).id == uploaded.id, "the same content was stored twice"
    cached = client.files.get_cached_file(path)
    assert cached is not None
    assert cached.id == uploaded.id
    assert client.files.get(uploaded.id).filename == path.name
    assert uploaded.id in {item.id for item in client.files.list(limit=50)}
    assert client.files.delete(uploaded.id).id == uploaded.id
    try:
        client.files.get(uploaded.id)
    except ResourceNotFoundError:
        return
    raise AssertionError("a deleted file was found")


@check("files.generate_presigned_url", "files.upload (presigned)")
def _(client: VLMRun) -> None:
    path = SCRATCH / f"{uuid.uuid4()}.bin"
    path.write_bytes(os.urandom(33 * 1024 * 1024))
    uploaded = client.files.upload(path)  # over 32 MiB: the client asks for a presigned URL by itself
    assert uploaded.bytes == path.stat().st_size
    assert client.files.generate_presigned_url(PresignedUrlRequest(filename=path.name, purpose="assistants")).url


@check("files.get_content")
def _(client: VLMRun) -> None:
    client.files.get_content("any")


# -- requests ------------------------------------------------------------------------------------------------------


@check("document.generate")
def _(client: VLMRun) -> None:
    answer = completed(client.document.generate(file=INVOICE, domain="document.invoice", config=GROUNDED))
    assert answer.response["invoice_id"]
    assert isinstance(answer.response["total"], int | float)
    assert len(answer.response["items"]) >= 10
    grounded_leaf(answer.response, "invoice_id")
    grounded_leaf(answer.response, "total")
    grounded_leaf(answer.response["items"][0], "description")
    assert answer.usage.element_type == "page"
    assert answer.usage.credits_used is not None


@check("document.generate (batch)", "document.wait", "predictions.wait", "predictions.get", "document.get")
def _(client: VLMRun) -> None:
    accepted = client.document.generate(file=RECEIPT, domain="document.receipt", batch=True)
    assert accepted.status == "pending"
    assert accepted.response is None
    done = completed(client.predictions.wait(accepted.id, timeout=120, sleep=1))
    assert done.response["items"]
    assert done.completed_at is not None
    assert client.document.get(accepted.id).response == done.response


@check("document.generate (autocast)")
def _(client: VLMRun) -> None:
    answer = completed(client.document.generate(file=RECEIPT, domain="document.receipt", autocast=True))
    assert answer.response.total is not None, "the response was not cast to the domain's model"


@check("document.generate (own schema)")
def _(client: VLMRun) -> None:
    answer = completed(client.document.generate(file=INVOICE, config=GenerationConfig(json_schema=SCHEMA)))
    assert set(answer.response) == {"total", "moon_phase"}
    assert answer.response["moon_phase"] is None, "a value was invented"


@check("document.generate (gql)")
def _(client: VLMRun) -> None:
    config = GenerationConfig(gql_stmt="{ invoice_id items { description } }")
    answer = completed(client.document.generate(file=INVOICE, domain="document.invoice", config=config))
    assert list(answer.response) == ["invoice_id", "items"]


@check("document.generate (markdown)")
def _(client: VLMRun) -> None:
    accepted = client.document.generate(file=INVOICE, domain="document.markdown", batch=True)
    done = completed(client.predictions.wait(accepted.id, timeout=120, sleep=1))
    assert isinstance(done.response, MarkdownDocument)
    assert done.response.pages[0].tables, "the invoice's table was not found"


@check("document.generate (pages)")
def _(client: VLMRun) -> None:
    config = GenerationConfig(page_indices=[0], grounding=True)
    answer = completed(client.document.generate(file=INVOICE, domain="document.invoice", config=config))
    assert answer.usage.elements_processed == 1


@check("document.schema")
def _(client: VLMRun) -> None:
    proposal = client.document.schema(file=INVOICE)
    assert isinstance(proposal.response, SchemaResponse)
    assert proposal.response.json_schema["properties"]


@check("document.execute")
def _(client: VLMRun) -> None:
    completed(client.document.execute(name="document.invoice", file=INVOICE))


@check("document.list", "predictions.list", "image.list", "audio.list", "video.list")
def _(client: VLMRun) -> None:
    assert client.predictions.list(limit=5)


@check("image.generate")
def _(client: VLMRun) -> None:
    answer = completed(client.image.generate(domain="document.receipt", images=[RECEIPT], config=GROUNDED))
    assert answer.response["total"] is not None
    grounded_leaf(answer.response, "total")
    assert answer.usage.element_type == "image"
    by_picture = completed(client.image.generate(domain="document.receipt", images=[Image.open(RECEIPT).convert("RGB")]))
    assert by_picture.response["total"] == answer.response["total"]


@check("image.schema")
def _(client: VLMRun) -> None:
    assert client.image.schema(images=[RECEIPT]).response.json_schema


@check("image.execute")
def _(client: VLMRun) -> None:
    completed(client.image.execute(name="document.receipt", images=[RECEIPT]))


@check("image.get", "audio.get", "video.get", "image.wait", "audio.wait", "video.wait")
def _(client: VLMRun) -> None:
    answer = completed(client.image.generate(domain="document.receipt", images=[RECEIPT]))
    assert client.image.get(answer.id).id == answer.id
    assert client.image.wait(answer.id, timeout=5).status == "completed"


@check("metadata")
def _(client: VLMRun) -> None:
    metadata = RequestMetadata(environment="prod", session_id="a session", allow_training=False)
    completed(client.document.generate(file=RECEIPT, domain="document.receipt", metadata=metadata))


@check("failure")
def _(client: VLMRun) -> None:
    broken = SCRATCH / f"broken-{uuid.uuid4()}.pdf"
    broken.write_bytes(b"%PDF-1.7\n" + os.urandom(400))
    uploaded = client.files.upload(broken)
    try:
        answer = client.document.generate(file=uploaded.id, domain="document.invoice")
    except APIError as error:  # said at once: a right answer too
        if error.http_status != 422:
            raise
        return
    assert answer.status == "failed"
    assert answer.usage.message


# -- hub and models ------------------------------------------------------------------------------------------------


@check("hub.info", "hub.list_domains", "hub.get_schema", "hub.get_pydantic_model")
def _(client: VLMRun) -> None:
    assert client.hub.info().version
    assert "document.invoice" in {item.domain for item in client.hub.list_domains()}
    schema = client.hub.get_schema("document.invoice")
    assert schema.json_schema["properties"]
    assert "invoice_id" in client.hub.get_pydantic_model("document.invoice").model_fields


@check("models.list")
def _(client: VLMRun) -> None:
    assert ("vlm-1", "document.invoice") in {(item.model, item.domain) for item in client.models.list()}


@check("feedback.get", "feedback.submit")
def _(client: VLMRun) -> None:
    prediction = completed(client.document.generate(file=INVOICE, domain="document.invoice"))
    corrected = {"total": 1.5, "items": [{"description": "a"}], "notes": None}
    item = client.feedback.submit(prediction.id, response=corrected, notes="wrong total")
    assert item.request_id == prediction.id
    assert client.feedback.submit(prediction.id, response=corrected, notes="wrong total").id == item.id, "the same was kept twice"
    latest = client.feedback.submit(prediction.id, notes="and so on")
    said = client.feedback.get(prediction.id)
    assert [(one.id, one.response, one.notes) for one in said.items] == [
        (latest.id, None, "and so on"),
        (item.id, corrected, "wrong total"),
    ]
    assert [one.id for one in client.feedback.get(prediction.id, offset=1, limit=1).items] == [item.id]
    try:
        client.feedback.get(SOME_ID)
    except ResourceNotFoundError:
        return
    raise AssertionError("feedback of nothing was found")


# -- what comes with later parts -----------------------------------------------------------------------------------

CHECKS |= {
    "datasets.list": lambda c: c.datasets.list(),
    "datasets.get": lambda c: c.datasets.get(SOME_ID),
    "datasets.create": lambda c: c.datasets.create(
        domain="document.invoice",
        dataset_directory=RECEIPT.parent,
        dataset_name="x",
        dataset_type="images",
    ),
    "fine_tuning.list": lambda c: c.fine_tuning.list(),
    "fine_tuning.list_models": lambda c: c.fine_tuning.list_models(),
    "fine_tuning.get": lambda c: c.fine_tuning.get(SOME_ID),
    "fine_tuning.cancel": lambda c: c.fine_tuning.cancel(SOME_ID),
    "fine_tuning.create": lambda c: c.fine_tuning.create(model="vlm-1", training_file=SOME_ID),
    "fine_tuning.provision": lambda c: c.fine_tuning.provision(model="vlm-1"),
    "fine_tuning.generate": lambda c: c.fine_tuning.generate(
        images=[Image.open(RECEIPT)], model="vlm-1", config=GenerationConfig(prompt="Read the total", json_schema=SCHEMA, detail="auto")
    ),
}


# -- running -------------------------------------------------------------------------------------------------------


def public_methods(client: VLMRun) -> list[str]:
    """Every public method of the client and its resources, but for the hosted gateway, which is another product."""
    names = ["client.constructor", "client.healthcheck", "client.get_schema", "client.get_type", "client.list_domains"]
    for resource in sorted(vars(client)):
        part = getattr(client, resource)
        if type(part).__module__.startswith("vlmrun") and resource != "gateway":
            names += [f"{resource}.{name}" for name, _ in inspect.getmembers(type(part)) if not name.startswith("_")]
    return names


if __name__ == "__main__":
    connected = VLMRun(max_retries=2)
    driver.run(connected, [*public_methods(connected), *CHECKS])
