"""Watching: moving pictures become shots, keyframes and what can be read on them, without a model."""
