"""Orion: runs that answer chat turns and executions with tools, with a language model or without one.

A `Task` is what was asked, a `Workspace` is where a run keeps its steps, events and artifacts, and an `Outcome` is what came of it.
Nothing here
knows of HTTP, tenants or the queue; `jobs` brings the workspace, and `api` reads the events.
"""
