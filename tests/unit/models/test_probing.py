import asyncio
import struct
import time
import zlib

import msgspec
import pytest

from heliograph.config import ModelSettings
from heliograph.models import parts
from heliograph.models.errors import ModelRefused, ModelUnavailable
from heliograph.models.parts import PARTS, picture
from heliograph.models.probing import Prober, examine, probe
from heliograph.models.profiles import AGAIN, FRESH, TROUBLE, ProfileCache, profile_of
from heliograph.models.servers import Answer

BASE = "http://model.test/v1"
SETTINGS = ModelSettings(url=BASE, model="m")
REPLY = {"choices": [{"message": {"content": "{}"}, "logprobs": {"content": [{"token": "{", "logprob": -0.1}]}}]}


class Fake:
    """A model's server, told in a table: address to answer; `refuses`: part to status, or to what is raised."""

    def __init__(self, pages=None, *, models=("m",), owner="", headers=None, entry=None, refuses=None, plain=200):
        listed = {"data": [{"id": name, "owned_by": owner, **(entry or {})} for name in models]}
        self.pages = {f"{BASE}/models": Answer(200, headers or {}, listed), **(pages or {})}
        self.refuses = refuses or {}
        self.plain = plain
        self.asked = []

    async def send(self, method, url, body=None, *, timeout):  # noqa: ASYNC109
        await asyncio.sleep(0)
        self.asked.append((url, body))
        if url.endswith("/chat/completions"):
            return self._chat(body)
        found = self.pages.get(url, Answer(404, {}, {"detail": "Not Found"}))
        if isinstance(found, Exception):
            raise found
        return found

    def _chat(self, body):
        part = part_of(body)
        said = self.refuses.get(part, self.plain if part is None else 200)
        if isinstance(said, Exception):
            raise said
        if isinstance(said, int) and said >= 400:
            return Answer(said, {}, {"error": {"message": f"{part} is not for me"}})
        if isinstance(said, Answer):
            return said
        kind = "text/event-stream" if body.get("stream") else "application/json"
        return Answer(200, {"content-type": kind}, REPLY)

    def questions(self):
        return [part_of(body) for url, body in self.asked if url.endswith("/chat/completions")]


def part_of(body):
    if "response_format" in body:
        return body["response_format"]["type"]
    for key, part in (("tools", "tool"), ("stream", "streaming"), ("logprobs", "logprobs")):
        if key in body:
            return part
    if body["messages"][-1]["role"] == "assistant":
        return "prefill"
    if isinstance(body["messages"][0]["content"], list):
        return "images" if len(body["messages"][0]["content"]) == 2 else "many images"
    return None


def page(path, body):
    return {f"http://model.test{path}": Answer(200, {}, body)}


VLLM = page("/version", {"version": "0.11.0"})
LLAMA = page(
    "/props",
    {"default_generation_settings": {"n_ctx": 8192}, "total_slots": 2, "modalities": {"vision": False, "audio": True}},
)
OLLAMA = page("/api/version", {"version": "0.12.3"}) | page(
    "/api/show", {"capabilities": ["completion", "vision"], "parameters": 'stop  "x"\nnum_ctx  16384'}
)


async def profile(fake, **settings):
    return await probe(fake, ModelSettings(url=BASE, **settings))


async def test_vllm_is_told_by_its_version_and_its_context_by_its_list():
    found = await examine(Fake(VLLM, owner="vllm", entry={"max_model_len": 40_960}), SETTINGS)
    made = profile_of(found, SETTINGS)
    assert found.server.software == "vLLM 0.11.0"
    assert (made.dialect, made.context, made.prefill, made.vision) == ("vllm", 40_960, True, True)
    assert made.json_modes == ("json_schema", "tool", "json_object", "prompt")


async def test_llama_cpp_tells_its_context_its_slots_and_that_it_sees_nothing():
    fake = Fake(LLAMA)
    made = await profile(fake)
    assert (made.dialect, made.context, made.concurrency, made.vision, made.audio) == ("llama.cpp", 8192, 2, False, True)
    assert "images" not in fake.questions()


async def test_ollama_has_the_context_it_was_given_not_the_one_the_model_could_have():
    made = await profile(Fake(OLLAMA))
    assert (made.dialect, made.context, made.vision) == ("ollama", 16_384, True)
    bare = OLLAMA | page("/api/show", {"model_info": {"x.context_length": 131_072}})
    assert (await profile(Fake(bare))).context == 4096
    running = page("/api/ps", {"models": [{"name": "m:latest", "context_length": 32_768}]})
    assert (await profile(Fake(bare | running))).context == 32_768


async def test_sglang_is_told_by_its_own_address():
    for path in ("/model_info", "/get_model_info"):
        made = await profile(Fake(page(path, {"model_path": "m", "max_context_length": 9000, "has_image_understanding": False})))
        assert (made.dialect, made.context, made.vision) == ("sglang", 9000, False)


@pytest.mark.parametrize(
    ("headers", "owner", "dialect"),
    [
        ({"openai-processing-ms": "3"}, "system", "openai"),
        ({"anthropic-organization-id": "o"}, "", "anthropic"),
        ({}, "google", "gemini"),
        ({}, "openai", "plain"),
        ({"server": "llama.cpp"}, "", "llama.cpp"),
    ],
)
async def test_other_servers_are_told_by_headers_and_owners_and_a_gateway_is_plain(headers, owner, dialect):
    assert (await profile(Fake(headers=headers, owner=owner))).dialect == dialect


async def test_nobody_knocks_beside_the_api_of_a_provider():
    fake = Fake(headers={"openai-version": "2020-10-01"})
    await profile(fake)
    assert all(url.startswith(BASE) for url, _ in fake.asked)


async def test_a_name_says_nothing():
    assert (await profile(Fake(models=("gpt-5.5-vision-ollama",)))).dialect == "plain"


@pytest.mark.parametrize("status", [400, 403, 404, 422, 500, 501])
async def test_a_part_that_is_refused_is_not_there(status):
    made = await profile(Fake(refuses={"json_schema": status, "images": status, "logprobs": status}))
    assert (made.json_modes, made.vision, made.logprobs) == (("tool", "json_object", "prompt"), False, False)
    assert {made.known_from[field] for field in ("json_modes", "vision", "logprobs")} == {"probed"}


@pytest.mark.parametrize("status", [429, 502, 503, ModelUnavailable("no answer in 20 s")])
async def test_a_part_nobody_answered_for_is_assumed_away_and_soon_asked_about_again(status):
    found = await examine(Fake(refuses={"images": status}), SETTINGS)
    assert profile_of(found, SETTINGS).vision is False
    assert profile_of(found, SETTINGS).known_from["vision"] == "assumed"
    assert found.due == found.at + AGAIN
    assert found.parts.why["images"]


async def test_a_server_of_a_known_kind_that_is_too_busy_is_taken_by_its_documentation():
    slow = dict.fromkeys(("json_schema", "tool", "json_object", "logprobs"), ModelUnavailable("no answer in 20 s"))
    made = await profile(Fake(LLAMA, refuses=slow))
    assert (made.json_modes, made.logprobs, made.tools) == (("json_schema", "json_object", "prompt"), True, False)
    assert {made.known_from[field] for field in ("json_modes", "logprobs", "tools")} == {"assumed"}
    assert (await profile(Fake(refuses=slow))).json_modes == ("prompt",)
    assert (await profile(Fake(LLAMA, refuses=slow | {"json_schema": 400}))).json_modes == ("json_object", "prompt")


async def test_a_slow_server_is_waited_for_longer(monkeypatch):
    waits = []

    class Slow(Fake):
        async def send(self, method, url, body=None, *, timeout):  # noqa: ASYNC109
            if body is not None:
                waits.append(timeout)
                clock[0] += 8.0
            return await super().send(method, url, body, timeout=timeout)

    clock = [100.0]
    monkeypatch.setattr(parts.time, "monotonic", lambda: clock[0])
    await examine(Slow(), SETTINGS)
    assert (waits[0], set(waits[1:])) == (parts.FIRST, {parts.SLOWER * 8.0})


async def test_accepting_a_part_and_not_giving_it_counts_as_refusing():
    fake = Fake(
        refuses={
            "logprobs": Answer(200, {}, {"choices": [{"message": {"content": "x"}, "logprobs": None}]}),
            "streaming": Answer(200, {"content-type": "application/json"}, REPLY),
        }
    )
    made = await profile(fake)
    assert (made.logprobs, made.streaming) == (False, False)


async def test_a_begun_answer_counts_only_where_it_is_said_to_be_gone_on_from():
    assert (await profile(Fake())).prefill is False
    assert (await profile(Fake(VLLM, owner="vllm"))).prefill is True
    assert (await profile(Fake(VLLM, owner="vllm", refuses={"prefill": 400}))).prefill is False


async def test_what_a_provider_accepts_and_ignores_is_not_counted_on():
    made = await profile(Fake(headers={"anthropic-organization-id": "o"}))
    assert made.json_modes == ("tool", "prompt")


async def test_a_limit_of_pictures_is_found_where_servers_have_one():
    limit = Answer(400, {}, {"error": {"message": "At most 4 image(s) may be provided in one prompt."}})
    assert (await profile(Fake(VLLM, owner="vllm", refuses={"many images": limit}))).max_pictures == 4
    assert (await profile(Fake(VLLM, owner="vllm", refuses={"many images": 400}))).max_pictures == 1
    assert (await profile(Fake(VLLM, owner="vllm"))).known_from["max_pictures"] == "assumed"


async def test_a_server_that_wants_the_other_name_for_the_token_limit_gets_it():
    class Picky(Fake):
        def _chat(self, body):
            if "max_tokens" in body:
                return Answer(400, {}, {"error": {"message": "Use 'max_completion_tokens' instead."}})
            return super()._chat(body)

    assert (await profile(Picky())).json_modes[0] == "json_schema"


async def test_settings_override_every_probe():
    told = {
        "model": "other", "vision": False, "audio": True, "video": True, "context": 1000, "max_output": 500, "max_pictures": 2,
        "longest_side": 700, "json_mode": "tool", "dialect": "plain", "coordinates": "pixels", "concurrency": 3,
    }  # fmt: skip
    made = await profile(Fake(VLLM, owner="vllm", entry={"max_model_len": 9}), **told)
    assert (made.model, made.vision, made.audio, made.video, made.context) == ("other", False, True, True, 1000)
    assert (made.max_output, made.max_pictures, made.longest_side, made.coordinates) == (500, 2, 700, "pixels")
    assert (made.dialect, made.concurrency, made.json_modes) == ("plain", 3, ("tool", "json_object", "prompt"))
    fields = {"json_modes" if field == "json_mode" else field for field in told}
    assert {made.known_from[field] for field in fields} == {"set"}


async def test_every_field_says_where_it_is_known_from():
    made = await profile(Fake())
    assert set(made.known_from) == {field.name for field in msgspec.structs.fields(made)} - {"known_from"}


async def test_an_answer_is_at_most_half_of_a_small_context():
    assert (await profile(Fake(OLLAMA | page("/api/show", {})))).max_output == 2048


@pytest.mark.parametrize(
    ("fake", "trouble"),
    [
        (Fake({f"{BASE}/models": ModelUnavailable("Connection refused")}), "unreachable"),
        (Fake({f"{BASE}/models": ModelRefused("offline")}), "refused"),
        (Fake({f"{BASE}/models": Answer(401, {}, {"error": {"message": "no such key"}})}), "key"),
        (Fake(plain=401), "key"),
        (Fake(plain=404), "model"),
        (Fake(plain=503), "unreachable"),
        (Fake({f"{BASE}/models": Answer(404, {}, "nothing")}, plain=404), "url"),
    ],
)
async def test_trouble_has_a_name_and_the_careful_profile(fake, trouble):
    found = await examine(fake, SETTINGS)
    made = profile_of(found, SETTINGS)
    assert (found.server.trouble, found.due) == (trouble, found.at + TROUBLE)
    assert found.server.words
    assert (made.json_modes, made.vision, made.logprobs) == (("prompt",), False, False)


async def test_several_models_and_none_chosen_is_said_with_their_names():
    found = await examine(Fake(models=("a", "b")), ModelSettings(url=BASE))
    assert (found.server.trouble, found.server.words) == ("model", "it lists a, b")


async def test_an_address_without_its_v1_is_said():
    fake = Fake({"http://model.test/models": Answer(404, {}, "")})
    found = await examine(fake, ModelSettings(url="http://model.test", model="m"))
    assert (found.server.trouble, found.server.words) == ("url", f"the models are at {BASE}")


async def test_a_server_without_a_list_is_asked_for_the_model_that_is_set():
    made = await profile(Fake({f"{BASE}/models": Answer(404, {}, "")}), model="m")
    assert made.json_modes[0] == "json_schema"


async def test_fields_added_to_each_request_are_added_to_the_questions_too():
    fake = Fake()
    await profile(fake, options={"chat_template_kwargs": {"enable_thinking": False}})
    assert all(body["chat_template_kwargs"] == {"enable_thinking": False} for url, body in fake.asked if url.endswith("completions"))


async def test_what_was_found_is_kept_for_other_processes(tmp_path):
    first, second = Fake(VLLM, owner="vllm"), Fake()
    made = await probe(first, SETTINGS, cache=ProfileCache(tmp_path))
    assert await probe(second, SETTINGS, cache=ProfileCache(tmp_path)) == made
    assert second.asked == []
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


async def test_another_model_address_or_way_of_asking_is_another_entry(tmp_path):
    cache = ProfileCache(tmp_path)
    await probe(Fake(), SETTINGS, cache=cache)
    for other in ({"model": "n"}, {"url": "http://other.test/v1"}, {"options": {"x": 1}}):
        assert cache.find(SETTINGS.model_copy(update=other)) is None
    assert cache.find(SETTINGS.model_copy(update={"timeout": 3.0})) is not None


async def test_no_key_is_written_down(tmp_path):
    await probe(Fake(), ModelSettings(url=BASE, model="m", key="sk-secret-key", headers={"x": "hush-hush"}), cache=ProfileCache(tmp_path))
    (kept,) = tmp_path.iterdir()
    assert b"secret" not in kept.read_bytes()
    assert b"hush" not in kept.read_bytes()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"at": "x"}', b"[]"])
async def test_a_damaged_entry_is_as_good_as_none(tmp_path, content):
    cache = ProfileCache(tmp_path)
    await probe(Fake(), SETTINGS, cache=cache)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(content)
    fake = Fake()
    await probe(fake, SETTINGS, cache=cache)
    assert fake.asked
    assert cache.find(SETTINGS) is not None


async def test_a_folder_that_cannot_be_written_to_costs_no_answer(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert (await probe(Fake(), SETTINGS, cache=ProfileCache(blocked / "models"))).json_modes[0] == "json_schema"


async def test_an_old_entry_is_answered_with_at_once_and_renewed_beside(tmp_path):
    cache = ProfileCache(tmp_path)
    old = await examine(Fake(), SETTINGS)
    cache.keep(msgspec.structs.replace(old, at=time.time() - FRESH - 1), SETTINGS)
    fake = Fake(VLLM, owner="vllm")
    prober = Prober(fake, SETTINGS, cache)
    assert (await prober.profile()).dialect == "plain"
    async with asyncio.timeout(5):
        while (await prober.profile()).dialect != "vllm":
            await asyncio.sleep(0.01)
    assert cache.find(SETTINGS).server.dialect == "vllm"
    await prober.close()


async def test_a_server_that_is_away_when_its_entry_is_renewed_keeps_it(tmp_path):
    cache = ProfileCache(tmp_path)
    old = await examine(Fake(VLLM, owner="vllm"), SETTINGS)
    cache.keep(msgspec.structs.replace(old, at=time.time() - FRESH - 1), SETTINGS)
    fake = Fake({f"{BASE}/models": ModelUnavailable("away")})
    prober = Prober(fake, SETTINGS, cache)
    for _ in range(5):
        assert (await prober.profile()).dialect == "vllm"
        await asyncio.sleep(0.01)
    assert len(fake.asked) == 1
    await prober.close()


async def test_trouble_is_left_alone_for_a_while_and_not_kept(tmp_path, monkeypatch):
    fake = Fake({f"{BASE}/models": ModelUnavailable("away")})
    prober = Prober(fake, SETTINGS, ProfileCache(tmp_path))
    for _ in range(3):
        await prober.profile()
    assert len(fake.asked) == 1
    assert not list(tmp_path.iterdir())
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + TROUBLE + 1)
    fake.pages = Fake(VLLM, owner="vllm").pages
    assert (await prober.profile()).dialect == "vllm"


async def test_calls_side_by_side_share_one_round_and_leaving_does_not_end_it():
    fake = Fake()
    prober = Prober(fake, SETTINGS)
    impatient = asyncio.create_task(prober.profile())
    others = [asyncio.create_task(prober.profile()) for _ in range(8)]
    await asyncio.sleep(0)
    impatient.cancel()
    made = await asyncio.gather(*others)
    assert all(one.json_modes[0] == "json_schema" for one in made)
    assert sorted(filter(None, fake.questions())) == sorted(set(PARTS) - {"prefill"})


def test_the_drawn_picture_is_a_png_with_whole_rows():
    data = picture()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    start = data.index(b"IDAT")
    length = struct.unpack(">I", data[start - 4 : start])[0]
    assert len(zlib.decompress(data[start + 4 : start + 4 + length])) == height * (1 + 3 * width)
