import pytest

from heliograph.config import ModelSettings, Settings
from heliograph.models.errors import ModelNotFound
from heliograph.models.routes import PUBLISHED, Routes


def routes(**settings) -> Routes:
    return Routes(Settings(**settings))


def test_without_a_model_every_published_name_is_the_embedded_engine():
    assert {routes().find(name).name for name in (*PUBLISHED, None, "")} == {None}


def test_one_configured_model_answers_every_published_name():
    found = routes(model_url="http://127.0.0.1:1/v1")
    assert {found.find(name).name for name in PUBLISHED} == {"default"}
    assert found.find("vlmrun-orion-2:gpt-5.5").asked == "vlmrun-orion-2:gpt-5.5"


def test_a_route_of_its_own_wins_and_serves_its_tiers():
    found = routes(models={"default": ModelSettings(url="http://a/v1"), "vlmrun-orion-1": ModelSettings(url="http://b/v1")})
    assert found.find("vlmrun-orion-1:pro").name == "vlmrun-orion-1"
    assert found.find("vlmrun-orion-2").name == "default"


def test_vlm_1_stays_embedded_where_a_table_says_so():
    found = routes(model_url="http://a/v1", models={"vlm-1": ModelSettings(kind="embedded")})
    assert found.find("vlm-1").name is None
    assert found.find("vlmrun-orion-1").name == "default"


def test_a_name_that_nobody_published_is_not_found_and_the_sentence_lists_what_there_is():
    with pytest.raises(ModelNotFound, match=r"'gpt-4'.*vlm-1.*mine") as error:
        routes(models={"mine": ModelSettings(url="http://a/v1")}).find("gpt-4")
    assert (error.value.status, error.value.type) == (404, "model_not_found")


def test_a_fallback_that_is_not_configured_is_refused_when_settings_are_read():
    with pytest.raises(ValueError, match="nowhere"):
        routes(models={"a": ModelSettings(url="http://a/v1", fallback="nowhere")})


def test_a_route_says_whether_its_settings_let_it_see():
    found = routes(
        models={
            "default": ModelSettings(url="http://a/v1"),
            "vlmrun-orion-1": ModelSettings(url="http://b/v1", vision=False),
            "eyes": ModelSettings(url="http://c/v1", vision=True),
            "vlm-1": ModelSettings(kind="embedded", vision=True),
        }
    )
    assert [found.find(name).vision for name in ("vlmrun-orion-2", "vlmrun-orion-1:pro", "eyes", "vlm-1")] == [None, False, True, None]
