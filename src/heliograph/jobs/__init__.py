"""Durable work: the queue, the worker, the steps of a prediction, webhooks and what is forgotten when.

The only room that imports procrastinate. `queue` is light and is what `api` uses; the rest runs in workers.
"""
