"""Chats that go straight on to a configured model, without a run: the model's own stream, with our ids and the session's history.

`passes` says which, `prepare` reads what one needs, and the `Exchange` that it makes is the response.
"""
