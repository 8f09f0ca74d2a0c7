"""Checks of agents, executions and what they make, for `python_client.py`."""

from __future__ import annotations

import uuid
from typing import Any

from driver import INVOICE, RECEIPT, check, grounded_leaf
from PIL import Image
from pydantic import BaseModel
from vlmrun.client import VLMRun
from vlmrun.client.exceptions import APIError, ResourceNotFoundError, ValidationError
from vlmrun.client.types import AgentCreationConfig, AgentExecutionConfig, FileResponse, RequestMetadata

SCHEMA = {
    "type": "object",
    "properties": {"total": {"type": ["number", "null"], "description": "Total amount"}, "invoice_number": {"type": ["string", "null"]}},
}


def fresh(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:8]}"


def refused(kind: type[Exception], call: Any, *given: Any, **named: Any) -> Exception:
    try:
        call(*given, **named)
    except kind as error:
        return error
    raise AssertionError(f"{call} was not refused")


def ended(client: VLMRun, **request: Any) -> Any:
    """An execution once it is completed."""
    made = client.agent.execute(**request)
    assert made.status in ("pending", "enqueued"), made.status
    assert made.response is None
    assert made.name
    done = client.executions.wait(made.id, timeout=60, sleep=1)
    assert done.id == made.id
    assert done.completed_at
    return done


def brought(file: FileResponse) -> dict[str, str]:
    return {"type": "input_file", "file_id": file.id}


@check("agent.create", "agent.get", "agent.get_by_id", "agent.list")
def _(client: VLMRun) -> None:
    name, prompt = fresh("reader"), f"Read the total. {uuid.uuid4()}"
    made = client.agent.create(name=name, config=AgentCreationConfig(prompt=prompt, json_schema=SCHEMA))
    assert made.name == f"{name}:1"
    assert made.status == "completed"
    for found in (client.agent.get(name=name), client.agent.get(name=made.name), client.agent.get(id=made.id),
                  client.agent.get(prompt=prompt), client.agent.get_by_id(made.id)):  # fmt: skip
        assert (found.id, found.prompt, found.json_schema) == (made.id, prompt, SCHEMA)
    assert made.id in [agent.id for agent in client.agent.list()]
    assert client.agent.create(name=name, config=AgentCreationConfig(prompt=prompt, json_schema=SCHEMA)).id == made.id
    assert client.agent.create(name=name, config=AgentCreationConfig(prompt="Another.")).name == f"{name}:2"
    assert client.agent.create(config=AgentCreationConfig(prompt=prompt)).name
    refused(ResourceNotFoundError, client.agent.get, name=fresh("nobody"))
    refused(ResourceNotFoundError, client.agent.get_by_id, str(uuid.uuid4()))
    refused(ValidationError, client.agent.get, name="not:a:name")


@check("agent.execute", "executions.get", "executions.list", "executions.wait")
def _(client: VLMRun) -> None:
    class Invoice(BaseModel):
        total: float | None
        invoice_number: str | None

    inputs = {"invoice": brought(client.files.upload(INVOICE)), "note": {"type": "text", "text": "Read the invoice."}}
    config = AgentExecutionConfig(prompt="Read the invoice.", response_model=Invoice)
    metadata = RequestMetadata(environment="prod", session_id="a session", allow_training=False)
    done = ended(client, inputs=inputs, config=config, metadata=metadata)
    assert done.response["total"] is not None
    grounded_leaf(done.response, "total")
    assert done.response["total_metadata"]["bboxes"][0]["file"] == INVOICE.name
    assert Invoice.model_validate(done.response).total == done.response["total"]
    assert done.execution_mode == "agent"
    assert done.usage.steps
    assert client.executions.get(done.id).response == done.response
    assert done.id in [execution.id for execution in client.executions.list(limit=5)]
    refused(ResourceNotFoundError, client.executions.get, str(uuid.uuid4()))
    refused(APIError, client.agent.execute, inputs={})
    refused(ResourceNotFoundError, client.agent.execute, name=fresh("nobody"), inputs={})


@check("agent.execute (packet)")
def _(client: VLMRun) -> None:
    files = {"files": [brought(client.files.upload(path)) for path in (INVOICE, RECEIPT)]}
    name = fresh("packet")
    client.agent.create(name=name, config=AgentCreationConfig(prompt="Read the packet.", json_schema=SCHEMA))
    done = ended(client, name=name, inputs=files)
    assert done.name == f"{name}:1"
    assert done.usage.steps == 2
    cited = {box["file"] for field in SCHEMA["properties"] for box in (done.response[f"{field}_metadata"] or {}).get("bboxes", [])}
    assert cited <= {INVOICE.name, RECEIPT.name}
    assert cited


@check("artifacts.list", "artifacts.get")
def _(client: VLMRun) -> None:
    config = AgentExecutionConfig(prompt="Make a bar chart of apples 3, pears 5, plums 2")
    done = ended(client, inputs={}, config=config, toolsets=["core", "viz"])
    ref = done.response["image"]["id"]
    listed = client.artifacts.list(execution_id=done.id)
    assert listed.namespace_id == done.id
    assert ref in [item.object_id for item in listed.items]
    assert isinstance(client.artifacts.get(object_id=ref, execution_id=done.id), Image.Image)
    refused(ResourceNotFoundError, client.artifacts.get, object_id="img_a1b2c3", execution_id=done.id)
