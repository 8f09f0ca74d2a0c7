import socket
from pathlib import Path

import pytest

from heliograph.cli.finding import Finding
from heliograph.cli.modelcheck import models
from heliograph.config import ModelSettings, Settings
from heliograph.models.profiles import ProfileCache
from heliograph.models.scripted import Scripted


def found(tmp_path: Path, **settings) -> list[Finding]:
    return list(models(Settings(data_dir=tmp_path, **settings)))


def dead_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


def test_without_models_the_embedded_engine_is_named(tmp_path):
    (finding,) = found(tmp_path)
    assert (finding.verdict, finding.what) == ("ok", "models")
    assert "embedded" in finding.detail


def test_a_server_is_described_by_what_it_said(tmp_path):
    with Scripted(dialect="vllm", context=9000, without={"logprobs"}, max_pictures=3, models=("a", "b")) as server:
        told = ModelSettings(url=server.url, model="b", context=5000)
        reached, takes, lacks, limits = found(tmp_path, models={"big": told})
    assert {reached.what, takes.what, lacks.what, limits.what} == {"model big"}
    assert reached.detail == f"{server.url}: vLLM 0.28.0, lists a, b; answers as b"
    assert "json_schema, tool, json_object, prompt, images (at most 3), streaming, prefill" in takes.detail
    assert lacks.detail.startswith("takes no logprobs (")
    assert "context 5000 (set), answers of 2500 tokens (assumed), 8 at a time (assumed), schemas for vllm (probed)" in limits.detail
    assert ProfileCache(tmp_path / "models").find(told) is not None


@pytest.mark.parametrize(
    ("abilities", "settings", "words", "mend"),
    [
        ({"key": "right"}, {"key": "wrong"}, "401", "set models.r.key, or key_env or key_file of [models.r]"),
        ({}, {"model": "other"}, "other", "set models.r.model to a model that it lists"),
        ({"models": ("a", "b")}, {}, "it lists a, b", "set models.r.model to a model that it lists"),
    ],
)
def test_each_trouble_comes_with_what_mends_it(tmp_path, abilities, settings, words, mend):
    with Scripted(dialect="vllm", **abilities) as server:
        (finding,) = found(tmp_path, models={"r": ModelSettings(url=server.url, **settings)})
    assert (finding.verdict, finding.mend) == ("bad", mend)
    assert words in finding.detail


def test_an_address_without_v1_and_a_dead_one_are_told_apart(tmp_path):
    with Scripted(dialect="vllm") as server:
        (finding,) = found(tmp_path, models={"r": ModelSettings(url=server.origin)})
    assert finding.detail == f"{server.origin}: the models are at {server.url}"
    assert finding.mend == "correct models.r.url; it mostly ends in /v1"
    (finding,) = found(tmp_path, model_url=f"http://127.0.0.1:{dead_port()}/v1")
    assert finding.verdict == "bad"
    assert finding.mend == "start its server, or correct HELIOGRAPH_MODEL_URL"


def test_what_may_not_be_asked_is_said_and_not_asked(tmp_path):
    (finding,) = found(tmp_path, offline=True, models={"r": ModelSettings(url="https://api.example.com/v1")})
    assert finding.verdict == "bad"
    assert "HELIOGRAPH_OFFLINE" in finding.detail


def test_a_key_that_is_not_where_the_settings_say_is_said(tmp_path):
    told = ModelSettings(url=f"http://127.0.0.1:{dead_port()}/v1", key_env="HELIOGRAPH_NO_SUCH_KEY")
    (finding,) = found(tmp_path, models={"r": told})
    assert (finding.verdict, "HELIOGRAPH_NO_SUCH_KEY" in finding.detail) == ("bad", True)


def test_a_fallback_that_would_leave_the_network_is_a_note(tmp_path):
    with Scripted(dialect="vllm") as server:
        cloud = ModelSettings(url=server.url, egress="cloud")
        said = found(tmp_path, models={"near": ModelSettings(url=server.url, fallback="far"), "far": cloud})
        allowed = found(tmp_path, models={"near": ModelSettings(url=server.url, fallback="far", fallback_to_cloud=True), "far": cloud})
    assert [finding.mend for finding in said if finding.verdict == "note"] == ["models.near.fallback_to_cloud = true, if it may"]
    assert [finding for finding in allowed if finding.verdict == "note"] == []


def test_a_missing_gguf_file_and_an_embedded_route(tmp_path):
    told = {"file": ModelSettings(kind="gguf", path=tmp_path / "none.gguf"), "vlm-1": ModelSettings(kind="embedded")}
    missing, embedded = found(tmp_path, models=told)
    assert (missing.verdict, "models.file.path" in missing.detail) == ("bad", True)
    assert (embedded.verdict, embedded.detail) == ("ok", "the embedded engine")
