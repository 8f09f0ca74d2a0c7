"""The Chat Completions dialect: an `Ask` as the body of a request, and the chunks of an answer as a `Reply`.

After https://platform.openai.com/docs/api-reference/chat, and what vLLM, SGLang, Ollama, llama.cpp and gateways make of it.
"""

from __future__ import annotations

import base64
import codecs
import json
import re
from typing import Final

from heliograph.models.contract import Ask, Call, Clip, Finish, JsonMode, Message, Part, Profile, Reply, Spent, Text, Token
from heliograph.models.loose import Json, count, entries, string, table, tables
from heliograph.models.servers import HOSTED

BLANKS_OF_JSON = 200
"""White space in a row after which a JSON answer is cut: models held to a grammar can repeat it for ever."""
BLANKS_OF_TEXT = 4_000
LARGEST_REPLY = 4 << 20
"""Characters of an answer, after which it is cut; 65,536 tokens are seldom more than 300,000."""
TEMPLATED: Final = frozenset({"vllm", "sglang", "llama.cpp"})
"""Whose servers hand fields to the model's chat template, which may know `enable_thinking` (Qwen's, GLM's) and else leaves it alone."""
CONTINUES: Final = frozenset({"vllm", "sglang"})
"""Whose servers go on from a last message of the assistant's when told so; the others that do, do it unasked."""

_FINISHES: Final[dict[str, Finish]] = {
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "refusal",
    "safety": "refusal",
    "recitation": "refusal",
    "blocklist": "refusal",
    "prohibited_content": "refusal",
    "spii": "refusal",
    "refusal": "refusal",
    "abort": "broken",
    "aborted": "broken",
    "cancelled": "broken",
    "error": "broken",
    "insufficient_system_resource": "broken",
}
"""Why servers say that they stopped; every other word is taken for `stop`."""


def body(ask: Ask, profile: Profile, mode: JsonMode | None, *, model: str) -> dict[str, Json]:
    """The request's body. `mode`: how it is held to JSON, None for text."""
    messages = [_message(message, profile) for message in ask.messages]
    made: dict[str, Json] = {"model": model, "messages": messages, "temperature": ask.temperature}
    limit = "max_completion_tokens" if profile.dialect == "openai" else "max_tokens"
    made[limit] = min(ask.max_tokens or profile.max_output, profile.max_output)
    if profile.streaming:
        made |= {"stream": True, "stream_options": {"include_usage": True}}
    if ask.logprobs and profile.logprobs:
        made["logprobs"] = True
        if profile.dialect == "llama.cpp":
            made["top_logprobs"] = 1  # unasked it sends twenty alternatives a token, 2 kB of them
    made |= _sampling(ask, profile)
    if ask.tools:
        made |= _tools(ask)
    if ask.schema is not None and mode is not None:
        made |= _held(ask, ask.schema, mode, profile)
        if mode in ("json_object", "prompt"):
            _append(messages, instruction(ask.schema))
    if ask.prefill is not None:
        messages.append({"role": "assistant", "content": ask.prefill})
        if profile.dialect in CONTINUES:
            made |= {"continue_final_message": True, "add_generation_prompt": False}
    return made


def instruction(schema: dict[str, Json]) -> str:
    """What tells a model to answer in JSON of this schema when nothing holds it to that."""
    text = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    return f"Answer with one JSON object that fits this JSON Schema, and nothing else:\n{text}"


def _sampling(ask: Ask, profile: Profile) -> dict[str, Json]:
    asked: dict[str, Json] = {"top_p": ask.top_p, "seed": ask.seed, "stop": ask.stop or None}
    if profile.dialect not in HOSTED:
        asked["top_k"] = ask.top_k
    if ask.effort is not None and profile.dialect == "openai":
        asked["reasoning_effort"] = "minimal" if ask.effort == "none" else ask.effort
    elif ask.effort is not None and profile.dialect in TEMPLATED:
        asked["chat_template_kwargs"] = {"enable_thinking": ask.effort != "none"}
    return {name: value for name, value in asked.items() if value is not None}


def _tools(ask: Ask) -> dict[str, Json]:
    made: dict[str, Json] = {
        "tools": [
            {"type": "function", "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters}}
            for tool in ask.tools
        ]
    }
    if ask.choice in ("none", "required"):
        made["tool_choice"] = ask.choice
    elif ask.choice != "auto":
        made["tool_choice"] = {"type": "function", "function": {"name": ask.choice}}
    if not ask.parallel:
        made["parallel_tool_calls"] = False
    return made


def _held(ask: Ask, schema: dict[str, Json], mode: JsonMode, profile: Profile) -> dict[str, Json]:
    name = re.sub(r"[^\w-]", "_", ask.name, flags=re.ASCII)[:64] or "answer"
    if mode == "json_schema":
        return {"response_format": {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": schema}}}
    if mode == "tool":
        function: dict[str, Json] = {"name": name, "description": "Give the answer.", "parameters": schema}
        if profile.dialect == "openai":
            function["strict"] = True
        return {
            "tools": [{"type": "function", "function": function}],
            "tool_choice": {"type": "function", "function": {"name": name}},
        }
    return {"response_format": {"type": "json_object"}} if mode == "json_object" else {}


def _message(message: Message, profile: Profile) -> dict[str, Json]:
    if message.call is not None:
        return {"role": "tool", "tool_call_id": message.call.id, "content": _words(message)}
    if message.calls:
        calls = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}} for call in message.calls
        ]
        return {"role": message.role, "content": _words(message) or None, "tool_calls": calls}
    if all(isinstance(part, Text) for part in message.parts):
        # plain text rather than parts: every server takes it, and some chat templates take nothing else
        return {"role": message.role, "content": _words(message)}
    return {"role": message.role, "content": [_part(part, profile) for part in message.parts]}


def _words(message: Message) -> str:
    return "\n\n".join(part.text for part in message.parts if isinstance(part, Text))


def _part(part: Part, profile: Profile) -> dict[str, Json]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if isinstance(part, Clip):
        return {"type": "video_url", "video_url": {"url": f"data:{part.media_type};base64,{base64.b64encode(part.data).decode()}"}}
    image = {"url": f"data:{part.media_type};base64,{base64.b64encode(part.data).decode()}"}
    if profile.dialect == "openai":
        image["detail"] = "high"
    return {"type": "image_url", "image_url": image}


def _append(messages: list[dict[str, Json]], text: str) -> None:
    """Put words at the end of the last message of the user's, behind what prefix caches know."""
    for message in reversed(messages):
        if message["role"] == "user":
            if isinstance(message["content"], str):
                message["content"] = f"{message['content']}\n\n{text}"
            else:
                message["content"] = [*message["content"], {"type": "text", "text": text}]
            return
    messages.append({"role": "user", "content": text})


class _Calling:
    """A call as it comes in."""

    def __init__(self, index: Json, id: str) -> None:
        self.index, self.id, self.name = index, id, ""
        self.arguments: list[str] = []

    def made(self, place: int) -> Call:
        return Call(self.id or f"call_{place}", self.name, _whole(self.arguments))


class Completion:
    """An answer as it comes in."""

    def __init__(self, mode: JsonMode | None) -> None:
        self.mode: JsonMode | None = mode
        self.ended: str | None = None
        """The server's word for why it stopped; None while it has not said so."""
        self.cut = False
        """Whether it came to enough: endless white space, or more than anyone asks for."""
        self.model = ""
        self._content: list[str] = []
        self._arguments: list[str] = []
        self._call: Json = None
        self._calls: list[_Calling] = []
        self._thoughts: list[str] = []
        self._untold = 0
        self._refusal: list[str] = []
        self._logprobs: list[Json] = []
        self._usage: dict[str, Json] = {}
        self._size = 0
        self._blanks = 0

    @property
    def begun(self) -> bool:
        """Whether anything of the answer has come."""
        return bool(self._content or self._arguments or self._calls or self._refusal)

    def take(self, chunk: dict[str, Json]) -> str:
        """Take a chunk of a stream, or a whole answer; the text that it adds."""
        if self.cut:
            return ""
        if usage := chunk.get("usage"):
            self._usage = table(usage) or self._usage
        if not self.model:
            self.model = string(chunk.get("model"))
        try:
            choice = chunk["choices"][0]
            said = choice.get("delta") or choice.get("message")
            logprobs, finish = choice.get("logprobs"), choice.get("finish_reason")
        except (LookupError, TypeError, AttributeError):
            return ""  # no choice in it
        if logprobs:
            self._logprobs += entries(table(logprobs).get("content"))
        if finish:
            self.ended = str(finish).lower()
        return self._said(table(said)) if said else ""

    def thoughts(self) -> str:
        """What the model thought since this was asked last."""
        fresh, self._untold = self._thoughts[self._untold :], len(self._thoughts)
        return "".join(fresh)

    def reply(self, finish: Finish | None = None, *, route: str, model: str) -> Reply:
        """The answer. `finish`: why it ended, when the server did not say."""
        called = bool(self._arguments)
        text = _whole(self._arguments if called else self._content)
        refusal = _whole(self._refusal).strip() or None
        if finish is None:
            finish = "length" if self.cut else _FINISHES.get(self.ended or "", "stop")
        if refusal is not None and finish == "stop":
            finish = "refusal"
        elif finish == "refusal" and refusal is None:
            refusal = f"The model's provider stopped the answer ({self.ended})."
        if self.cut:
            text = text[:LARGEST_REPLY].rstrip()
        return Reply(
            text=text,
            finish=finish,
            refusal=refusal,
            tokens=None if called else aligned(self._logprobs, text),
            spent=self._spent(),
            route=route,
            model=self.model or model,
            mode=self.mode,
            calls=[call.made(place) for place, call in enumerate(self._calls)],
            thinking=_whole(self._thoughts),
        )

    def _said(self, said: dict[str, Json]) -> str:
        if refusal := said.get("refusal"):
            self._refusal.append(string(refusal))
        if thought := said.get("reasoning_content") or said.get("reasoning"):
            self._thoughts.append(string(thought))
        content = said.get("content")
        content = content if isinstance(content, str) else _text(content)
        if content:
            self._content.append(content)
        if self.mode != "tool":
            for call in _calls(said):
                self._take_call(call)
            return self._grown(content)
        arguments = "".join(self._called(call) for call in _calls(said))
        if arguments:
            self._arguments.append(arguments)
        self._grown(content or arguments)
        return arguments

    def _take_call(self, call: dict[str, Json]) -> None:
        """A call, or a piece of one. Ollama gives every call the same index; what begins a call has its name, and an id of its own."""
        function = table(call.get("function"))
        id, name, index = string(call.get("id")), string(function.get("name")), call.get("index")
        known = next((other for other in reversed(self._calls) if other.index == index and index is not None), None)
        if known is None or (name and id and id != known.id):
            known = _Calling(index, id)
            self._calls.append(known)
        known.name = known.name or name
        arguments = _arguments(call)
        known.arguments.append(arguments)
        self._grown(arguments or name)

    def _called(self, call: dict[str, Json]) -> str:
        """The arguments of a piece of a call; of the first call alone, should there be more."""
        index = call.get("index", 0)
        if self._call is None:
            self._call = index
        if index != self._call:
            return ""
        return _arguments(call)

    def _grown(self, added: str) -> str:
        if added:
            self._size += len(added)
            bare = added.rstrip()
            self._blanks = len(added) - len(bare) if bare else self._blanks + len(added)
            most = BLANKS_OF_TEXT if self.mode is None else BLANKS_OF_JSON
            self.cut = self.cut or self._blanks > most or self._size > LARGEST_REPLY
        return added

    def _spent(self) -> Spent:
        usage = self._usage
        cached = table(usage.get("prompt_tokens_details")).get("cached_tokens") or usage.get("prompt_cache_hit_tokens")
        return Spent(count(usage.get("prompt_tokens")), count(cached), count(usage.get("completion_tokens")))


def aligned(logprobs: list[Json], text: str) -> list[Token] | None:
    """Tokens that make up `text` exactly, without those before and after it (reasoning, end marks); None when they do not.

    A character that several tokens spell belongs to the last of them.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    tokens: list[Token] = []
    for entry in map(table, logprobs):
        logprob, spelt, raw = entry.get("logprob"), entry.get("token"), entries(entry.get("bytes"))
        if not isinstance(logprob, int | float) or not isinstance(spelt, str):
            return None
        try:
            tokens.append(Token(decoder.decode(bytes(raw)) if raw else spelt, float(logprob)))
        except (TypeError, ValueError):
            return None
    if not tokens:
        return None
    start = "".join(token.text for token in tokens).rfind(text)
    if start < 0 or not text:
        return None
    kept: list[Token] = []
    at = 0
    for token in tokens:
        begin, at = at, at + len(token.text)
        within = token.text[max(start - begin, 0) : max(start + len(text) - begin, 0)]
        if within or start < begin < start + len(text):
            kept.append(Token(within, token.logprob))
    return kept


def _whole(pieces: list[str]) -> str:
    """The pieces as one, half surrogate pairs joined and lone ones replaced."""
    text = "".join(pieces)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _text(content: Json) -> str:
    """The words of a message; Mistral's models that think send them as parts."""
    return (
        content if isinstance(content, str) else "".join(string(part.get("text")) for part in tables(content) if part.get("type") == "text")
    )


def _arguments(call: dict[str, Json]) -> str:
    """The arguments of a call, or of a piece of one; Ollama's old answers have them as an object."""
    arguments = table(call.get("function")).get("arguments")
    return json.dumps(arguments, ensure_ascii=False) if isinstance(arguments, dict) else string(arguments)


def _calls(said: dict[str, Json]) -> list[dict[str, Json]]:
    return tables(said.get("tool_calls")) or ([{"function": said["function_call"]}] if said.get("function_call") else [])
