from __future__ import annotations

import pytest

from heliograph.errors import InvalidRequest
from heliograph.skills.diagram import Transition
from heliograph.skills.manifest import Manifest, read

WHOLE = b"""\
apiVersion: vlm.run/v1alpha
metadata:
  owner: accounts
model: vlmrun-orion-1:auto
toolsets: [core, document]
models: [meta-sam3]
graph: |
  stateDiagram-v2
    Read: Read every page
    [*] --> Read
    Read --> Extract
    Extract --> [*]
plan: |
  Read every page.
  Then extract.
"""


def test_everything_that_the_format_knows_is_read() -> None:
    manifest = read(WHOLE)
    assert manifest.graph is not None
    assert manifest.graph.transitions == [Transition("Read", "Extract")]
    assert (manifest.api_version, manifest.model, manifest.toolsets) == ("vlm.run/v1alpha", "vlmrun-orion-1:auto", ["core", "document"])
    assert (manifest.models, manifest.plan) == (["meta-sam3"], "Read every page.\nThen extract.")
    assert (manifest.metadata, manifest.warnings) == ({"owner": "accounts"}, [])


@pytest.mark.parametrize("data", [b"", b"# nothing yet\n", b"model:\ntoolsets: null\ngraph: ''\n", b"\xef\xbb\xbf"])
def test_nothing_is_required(data: bytes) -> None:
    assert read(data) == Manifest()


@pytest.mark.parametrize(
    "data", [b"model: [", b"- a list", b"\xff", b"a: &x 1\nmodel: *x", b"model: " + b"x" * 70_000, b"a: !!python/object:os.x"]
)
def test_what_is_no_yaml_of_keys_and_values_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"vlmrun\.yaml"):
        read(data)


@pytest.mark.parametrize(
    ("data", "warning"),
    [
        (b"modle: x", "modle is not a key and has no effect"),
        (b"3: x", "3 is not a key and has no effect"),
        (b"model: [a]", "model has no effect: it must be text"),
        (b"model: true", "model has no effect: it must be text"),
        (b"toolsets: core", "toolsets has no effect: it must be a list of names"),
        (b"toolsets: [core, 3]", "toolsets has no effect: it must be a list of names"),
        (b"models: {a: b}", "models has no effect: it must be a list of names"),
        (b"metadata: mine", "metadata has no effect: it must be a list of `key: value`"),
        (b"plan: [a]", "plan has no effect: it must be text"),
        (b"apiVersion: vlm.run/v2", "apiVersion 'vlm.run/v2' is read as vlm.run/v1alpha"),
        (b"graph: [a]", "graph has no effect: it must be text"),
        (b"graph: A --> B", "The graph cannot be read, line 1: a state diagram begins with `stateDiagram-v2`, not with 'A --> B'"),
        (b"graph: |\n  stateDiagram-v2\n  [*] --> A", "graph: no state is an end (`Last --> [*]`)"),
    ],
)
def test_what_has_no_effect_is_warned_about(data: bytes, warning: str) -> None:
    assert read(b"model: m\n" + data if not data.startswith(b"model") else data).warnings == [f"vlmrun.yaml: {warning}"]


def test_an_unknown_toolset_is_warned_about_beside_those_that_there_are() -> None:
    assert read(b"toolsets: [core, world_gen, cor]").warnings[0].startswith("vlmrun.yaml: toolset 'cor' is unknown; there are core, ")
    assert len(read(b"toolsets: [core, world_gen, image-gen]").warnings) == 0
