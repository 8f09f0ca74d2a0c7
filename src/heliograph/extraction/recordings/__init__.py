"""From a recording to an answer: what was said and what was seen, as a transcript or as values with the time they are from."""

from heliograph.extraction.recordings.answering import answer_recording

__all__ = ["answer_recording"]
