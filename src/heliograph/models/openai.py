"""A model behind an OpenAI-compatible address: vLLM, SGLang, Ollama, llama.cpp, OpenAI itself, and what speaks like them.

An answer is streamed also when it is wanted whole: then silence is noticed, leaving stops the model, and what came before a break is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from heliograph.config import ModelSettings, Settings
from heliograph.models.completions import Completion, body
from heliograph.models.contract import Ask, JsonMode, Profile, Reply, Thinking
from heliograph.models.endpoint import Endpoint
from heliograph.models.errors import ModelDeclined, ModelError, ModelUnavailable
from heliograph.models.failures import Complaint
from heliograph.models.habits import Habits
from heliograph.models.listing import only_model
from heliograph.models.loose import Json
from heliograph.models.probing import Prober
from heliograph.models.profiles import ProfileCache
from heliograph.models.servers import Trouble
from heliograph.models.speaking import Speaking

AFTERWORD = 2.0
"""Seconds that are waited for the count of tokens after the answer has ended."""
LESSONS = 4
"""Refusals of one request that are learnt from."""


class OpenAIBackend(Speaking):
    """The `Backend` of one OpenAI-compatible endpoint."""

    def __init__(
        self,
        name: str,
        model: ModelSettings,
        *,
        settings: Settings | None = None,
        cache: ProfileCache | None = None,
        profile: Profile | None = None,
    ) -> None:
        """`settings`: those of the server, for what it may reach. `profile`: what the model can do, when it is not to be asked for.

        Raises NotConfigured without a usable URL, or with one that an offline server may not reach.
        """
        self.name = name
        self._model = model
        self._endpoint = Endpoint(name, model, settings)
        self.who = self._endpoint.who
        self._prober = Prober(self._endpoint, model, cache)
        self._profile = profile
        self._habits = Habits()
        self._id: str | None = model.model

    async def profile(self) -> Profile:
        """As set, else as probed. Raises `ModelError`s and NotConfigured while the server has never told anything and cannot be asked:
        what would be assumed of it then is no answer to whether it sees pictures."""
        if self._profile is not None:
            return self._profile
        profile = await self._prober.profile()
        found = self._prober.found
        if found is not None and found.server.trouble is not None:
            await self._complain(found.server.trouble, found.server.words)
        return profile

    async def close(self) -> None:
        """Close its connections."""
        await self._prober.close()
        await self._endpoint.close()

    async def _answer(self, ask: Ask) -> AsyncGenerator[str | Thinking | Reply]:
        """Pieces of text and thinking, and the reply at last."""
        deadline = asyncio.get_running_loop().time() + self._model.timeout
        profile = await self.profile()
        mode = _mode(ask, profile)
        id = await self._model_id(profile)
        asked = self._habits.suit(body(ask, profile, mode, model=id) | self._model.options)
        said, lessons = Completion(mode), 0
        while True:
            try:
                async with aclosing(self._listen(asked, said, deadline)) as pieces:
                    async for piece in pieces:
                        yield piece
                break
            except ModelError as error:
                if said.begun:
                    yield said.reply("broken", route=self.name, model=id)
                    return
                if isinstance(error, ModelDeclined):
                    yield Reply(text="", finish="refusal", refusal=error.message, route=self.name, model=id, mode=mode)
                    return
                better = self._habits.learn(error, asked) if lessons < LESSONS else None
                if better is None:
                    raise
                asked, lessons = better, lessons + 1
        reply = said.reply(route=self.name, model=id)
        if reply.finish == "broken" and not said.begun:
            raise ModelUnavailable(f"{self._endpoint.who} gave up before it said anything ({said.ended}).")
        yield reply

    async def _listen(self, asked: dict[str, Json], said: Completion, deadline: float) -> AsyncGenerator[str | Thinking]:
        """Ask, and give the pieces of the answer until it has ended. Raises when it breaks off."""
        async with self._endpoint.post("chat/completions", asked, deadline=deadline) as incoming:
            silence, heard = None, 0  # the first word may take as long as a whole answer: a queue, a long prompt
            try:
                while (chunks := await incoming.chunks(silence)) is not None:
                    if piece := "".join([said.take(chunk) for chunk in chunks]):
                        yield piece
                    if thought := said.thoughts():
                        yield Thinking(thought)
                    if said.cut:
                        return
                    heard += len(chunks)
                    if said.ended is not None:
                        silence = AFTERWORD
                    elif said.begun or heard > 1:  # some servers greet with an empty first chunk
                        silence = self._model.idle_timeout
            except ModelError:
                if said.ended is None:
                    raise
            if said.ended is None and not incoming.done:
                raise ModelUnavailable(f"{self._endpoint.who} broke off its answer.")

    async def _complain(self, trouble: Trouble, words: str) -> None:
        """Raise what the server's trouble is, in the words of a request that meets it; unless a request may yet be taken."""
        match trouble:
            case "unreachable":
                said = words if words.startswith(self._endpoint.who) else f"{self._endpoint.who} cannot be asked: {words}"
                raise ModelUnavailable(said)
            case "key" | "url":
                raise self._endpoint.failure(401 if trouble == "key" else 404, Complaint(words))
            case "model" if self._model.model is None:
                self._id = await only_model(self._endpoint)
            case "model":
                raise self._endpoint.failure(404, Complaint(words))
            case "refused":
                pass

    async def _model_id(self, profile: Profile) -> str:
        """The model's id: as set, as probed, or the only one that the server lists."""
        if self._id is None:
            self._id = profile.model or await only_model(self._endpoint)
        return self._id


def _mode(ask: Ask, profile: Profile) -> JsonMode | None:
    """How the answer is held to JSON. One that goes on from its beginning cannot be: a grammar begins with what is generated."""
    if ask.schema is None:
        return None
    if ask.prefill is not None:
        return "prompt"
    return ask.mode or profile.json_modes[0]
