from __future__ import annotations

import pytest

from heliograph.agents.task import Media, Message, Role, Text, ToolCall
from heliograph.api.threads import Continued, continued


def say(line: str) -> Message:
    """`u: hello` is a user's message, `a: ...` an assistant's, `s: ...` the system's, `t: ...` a tool's result."""
    roles: dict[str, Role] = {"u": "user", "a": "assistant", "s": "system", "t": "tool"}
    return Message(role=roles[line[0]], parts=[Text(line[3:])])


SESSION = ["u: one", "a: first", "u: two", "a: second"]


@pytest.mark.parametrize(
    ("stored", "sent", "kept", "new"),
    [
        ([], ["u: hello"], 0, 0),
        (SESSION, ["u: three"], 4, 0),
        (SESSION, ["u: one"], 4, 0),
        (SESSION, [*SESSION, "u: three"], 4, 4),
        (SESSION, ["u: two", "a: second", "u: three"], 4, 2),
        (SESSION, ["u: one", "a: first", "u: two, but better"], 2, 2),
        (SESSION, ["u: one", "a: first", "u: two"], 3, 3),
        (SESSION, ["u: elsewhere", "a: said by another model", "u: three"], 4, 0),
        (["s: be brief", *SESSION], ["s: be brief", "u: three"], 5, 1),
        (["s: be brief", *SESSION], ["s: be long", "u: three"], 5, 0),
        (["s: be brief", *SESSION], ["s: be brief", *SESSION, "u: three"], 5, 5),
        (SESSION, ["s: be brief", *SESSION, "u: three"], 4, 0),
    ],
    ids=[
        "a new session", "only what is new", "the same words said again are new", "everything and what is new",
        "the last turns and what is new", "another way from an earlier turn", "another answer to the last question",
        "a thread that nobody knows", "a system prompt each time", "another system prompt", "everything with its system prompt",
        "everything behind a new system prompt",
    ],
)  # fmt: skip
def test_what_is_sent_goes_on_where_the_session_is(stored: list[str], sent: list[str], kept: int, new: int) -> None:
    assert continued([say(line) for line in stored], [say(line) for line in sent]) == Continued(kept, new)


def test_cards_thoughts_and_white_space_do_not_make_another_answer() -> None:
    ours = [say("u: look"), say("a: It is a\ncat.")]
    card = """<preview data='{"type":"preview.image"}'/>\n"""
    sent = [say("u: look"), say(f"a: <think>cats\nhave fur</think>{card}It is a cat. "), say("u: sure?")]
    assert continued(ours, sent) == Continued(2, 2)


def test_what_was_brought_and_called_belongs_to_what_was_said() -> None:
    seen = Message(role="user", parts=[Text("look"), Media(ref="img_a1b2c3", kind="image")])
    asked = Message(role="assistant", calls=[ToolCall("call_1", "weather", "{}")])
    result = Message(role="tool", parts=[Text("sunny")], call_id="call_1")
    again = Message(role="user", parts=[Text("look"), Media(position=0, kind="image")])
    assert continued([seen, asked], [again, asked, result]) == Continued(2, 2)
    bare = Message(role="user", parts=[Text("look")])
    assert continued([seen, asked], [bare, asked, result]).new == 0
