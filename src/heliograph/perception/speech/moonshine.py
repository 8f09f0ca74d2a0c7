"""The embedded engine: Moonshine tiny (N. Jeffries and others, Moonshine: Speech Recognition for Live Transcription and Voice Commands,
2024; MIT), English. Its weights are those in the package moonshine-voice, of which no code is run.

The sound is encoded once, 24 ms a frame, and words are written token by token, the likeliest each time. When each was said comes from the
attention of the decoder: the weights hold a graph for the first token, which also takes a whole text; as a graph of its own, with the
attention as its answer, it is asked once more about the text that was written.
"""

from __future__ import annotations

import itertools
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from heliograph.errors import NotConfigured
from heliograph.media.recording import SAMPLE_RATE, Said
from heliograph.perception.speech.alignment import token_starts
from heliograph.perception.speech.hearing import Heard
from heliograph.perception.weights import SPEECH_DECODER, SPEECH_ENCODER, SPEECH_TOKENS, weights

ort: Any = onnxruntime  # its types know nothing of its module's members
Array = NDArray[np.float32]

FRAME = 384
"""Samples of a frame: 64 x 3 x 2, the strides of the encoder's convolutions."""
SHORTEST = 1600
"""Samples below which there is nothing to hear; the convolutions need 895."""
BEGIN, END, FIRST_TEXT = 1, 2, 3
"""Tokens: of begin and end, and the first that is text."""
PER_SECOND = 6.5
"""Most tokens of a second, as its authors have it; what writes more goes round in circles."""
LAYERS, HEADS, WIDTH = 6, 8, 36
TIMING = ((2, 0), (3, 0), (3, 5), (3, 6), (4, 6), (4, 7), (5, 7))
"""Layer and number of the heads that follow the sound: chosen one by one by how near the beginnings of 248 words, most of them LJSpeech's,
come to those of Whisper base. Median difference 20 ms, mean 38 ms; with all heads 48 ms (2026-11)."""
UNLIKELY, HURRIED = 0.35, 0.12
"""Score, and seconds a word, below which the last words are made up: the sound had ended, and the text went on."""
SHORT, QUIET = 2 * SAMPLE_RATE, SAMPLE_RATE // 2
"""What is shorter is heard with as many samples of silence before and after: single words come out right twice as often."""
PART_OF_LOOP, TIMES = 24, 4
"""Tokens of the longest part, and how often it comes in a row, that makes a loop."""


class Moonshine:
    """The engine, loaded: 45 MB of weights, and as much again with the graph for times, which is made at first use."""

    def __init__(self, threads: int) -> None:
        """Raises NotConfigured when the weights' package is not installed."""
        self._threads = threads
        self._encoder = _session(weights(*SPEECH_ENCODER), threads)
        self._decoder = _session(weights(*SPEECH_DECODER), threads)
        self._tokens = read_tokens(weights(*SPEECH_TOKENS).read_bytes())
        self._names = [output.name for output in self._decoder.get_outputs()]
        self._times: Any = None

    def hear(self, sound: Array) -> Heard:
        """`sound`: 16 kHz, -1 to 1, up to half a minute."""
        if len(sound) < SHORTEST:
            return Heard(sureness=0.0)
        if len(sound) < SHORT:
            return _moved(self._hear(np.pad(sound, QUIET)), -QUIET / SAMPLE_RATE, len(sound) / SAMPLE_RATE)
        return self._hear(sound)

    def _hear(self, sound: Array) -> Heard:
        encoded = self._encode(sound)
        tokens, chances, whole = self._write(encoded, int(len(sound) / SAMPLE_RATE * PER_SECOND) + 4)
        if not whole and len(sound) > 8 * SAMPLE_RATE:
            return self._in_halves(sound)
        words = self._words(tokens, chances, self._starts(encoded, tokens)) if tokens else []
        return Heard(words, "en", sureness(tokens, chances))

    def _in_halves(self, sound: Array) -> Heard:
        """What went round in circles is heard again in two parts, cut at the quietest place around the middle."""
        loud = np.convolve(sound**2, np.ones(SAMPLE_RATE // 10, np.float32), "same")
        third = len(sound) // 3
        at = third + int(loud[third : 2 * third].argmin())
        first, second = self.hear(sound[:at]), self.hear(sound[at:])
        sure = (first.sureness * at + second.sureness * (len(sound) - at)) / len(sound)
        later = _moved(second, at / SAMPLE_RATE, len(sound) / SAMPLE_RATE).words
        return Heard(first.words + later, "en", round(sure, 4))

    def _encode(self, sound: Array) -> Array:
        mask = np.ones((1, len(sound)), np.int64)
        return self._encoder.run(None, {"input_values": sound[None], "attention_mask": mask})[0]

    def _write(self, encoded: Array, most: int) -> tuple[list[int], list[float], bool]:
        """The tokens of the text, the chance of each, and whether it came to an end by itself."""
        state: dict[str, Array] = {
            f"past_key_values.{layer}.{side}.{kind}": np.zeros((1, HEADS, 0, WIDTH), np.float32)
            for layer, side, kind in itertools.product(range(LAYERS), ("decoder", "encoder"), ("key", "value"))
        }
        given = {"encoder_hidden_states": encoded, "encoder_attention_mask": _mask(encoded)}
        tokens, chances = [BEGIN], list[float]()
        for step in range(most):
            asked = {"input_ids": np.array([tokens[-1:]], np.int64), "use_cache_branch": np.array([step > 0])}
            logits, *present = self._decoder.run(None, given | state | asked)
            token, chance = _likeliest(logits[0, -1])
            if token == END:
                return tokens[1:], chances, True
            for name, value in zip(self._names[1:], present, strict=True):
                if step == 0 or ".decoder." in name:  # what the encoder gave stays as it was
                    state[name.replace("present", "past_key_values")] = value
            tokens.append(token)
            chances.append(chance)
            if (length := loop(tokens)) is not None:
                keep = len(tokens) - length * (TIMES - 1)
                return tokens[1:keep], chances[: keep - 1], False
        return tokens[1:], chances, False

    def _starts(self, encoded: Array, tokens: list[int]) -> NDArray[np.float64]:
        """Seconds at which each token begins, and at last the end."""
        if self._times is None:
            self._times = _session(attention_graph(weights(*SPEECH_DECODER)), self._threads)
        ids = np.array([[BEGIN, *tokens]], np.int64)  # each place looks for the token that follows it
        asked = {"input_ids": ids, "encoder_hidden_states": encoded, "encoder_attention_mask": _mask(encoded)}
        layers = dict(zip(sorted({layer for layer, _ in TIMING}), self._times.run(None, asked), strict=True))
        attention = np.stack([layers[layer][0, head] for layer, head in TIMING])
        return token_starts(attention).astype(np.float64) * (FRAME / SAMPLE_RATE)

    def _words(self, tokens: list[int], chances: list[float], starts: NDArray[np.float64]) -> list[Said]:
        """Tokens become words where one begins with a space."""
        groups: list[list[int]] = []
        for place, token in enumerate(tokens):
            if token < FIRST_TEXT:
                continue
            if not groups or self._tokens[token].startswith(b" "):
                groups.append([])
            groups[-1].append(place)
        words: list[Said] = []
        for places in groups:
            text = b"".join(self._tokens[tokens[place]] for place in places).decode("utf-8", "replace")
            if not text.strip():
                continue
            start, end = float(starts[places[0]]), float(starts[places[-1] + 1])
            score = float(np.exp(np.mean(np.log(np.maximum([chances[place] for place in places], 1e-6)))))
            words.append(Said(text, round(start, 3), round(max(start, end), 3), round(score, 4)))
        return without_tail(words)


def without_tail(words: list[Said]) -> list[Said]:
    """`words` without those at the end that are unlikely and crowd where the sound ends."""
    kept = len(words)
    while kept and words[kept - 1].score < UNLIKELY:
        kept -= 1
    tail = words[kept:]
    return words[:kept] if tail and tail[-1].end - tail[0].start < HURRIED * len(tail) else words


def sureness(tokens: list[int], chances: list[float]) -> float:
    """The mean chance of the tokens, without those that only repeat: who says a thing again is sure of it, whatever the sound."""
    said = set[tuple[int, ...]]()
    counted: list[float] = []
    for place, chance in enumerate(chances):
        three = tuple(tokens[max(0, place - 2) : place + 1])
        if three not in said:
            counted.append(chance)
        said.add(three)
    return round(sum(counted) / len(counted), 4) if counted else 0.0


def _moved(heard: Heard, by: float, end: float) -> Heard:
    """What was heard, `by` seconds later, from 0 to `end`."""

    def moved(at: float) -> float:
        return round(min(max(at + by, 0.0), end), 3)

    words = [Said(word.text, moved(word.start), moved(word.end), word.score) for word in heard.words]
    return Heard(words, heard.language, heard.sureness)


def loop(tokens: list[int]) -> int | None:
    """The length of the part that the text ends with several times in a row; None when it goes on."""
    for length in range(1, PART_OF_LOOP + 1):
        tail = tokens[-length * TIMES :]
        if len(tail) == length * TIMES and tail == tail[:length] * TIMES:
            return length
    return None


def read_tokens(table: bytes) -> list[bytes]:
    """The text of each token: a length in one byte, or in two when the first is 128 or more, then as many bytes."""
    tokens: list[bytes] = []
    at = 0
    while at < len(table):
        length = table[at]
        at += 1
        if length >= 128:
            length += 128 * table[at] - 128
            at += 1
        tokens.append(table[at : at + length].replace("▁".encode(), b" "))
        at += length
    return tokens


def attention_graph(decoder: Path) -> bytes:
    """An ONNX graph that answers what the decoder looks at, layer by layer, while it writes the tokens it is given.

    It is the branch without a cache of the merged decoder, less all that the attention does not need.
    """
    onnx: Any = import_module("onnx")  # here: a child that only finds voices does without
    helper: Any = import_module("onnx.helper")
    with TemporaryDirectory(prefix="heliograph-") as folder:
        path = Path(folder, "decoder.onnx")
        options = _options(1)
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.optimized_model_filepath = str(path)
        options.add_session_config_entry("session.save_model_format", "ONNX")
        ort.InferenceSession(str(decoder), options, providers=["CPUExecutionProvider"])
        model = onnx.load(str(path))
    outside = model.graph
    fork = next(node for node in outside.node if node.op_type == "If")
    branch = next(attribute.g for attribute in fork.attribute if attribute.name == "else_branch")
    looks = [node.output[0] for node in branch.node if node.op_type == "Softmax" and "encoder_attn" in node.name]
    looks = [look for layer, look in enumerate(looks) if any(layer == timing for timing, _ in TIMING)]
    if not looks:
        raise NotConfigured(
            "The weights in moonshine-voice are not those of version 0.0.73; run `pip install --force-reinstall heliograph`."
        )
    needed, nodes = set(looks), list[Any]()
    for node in reversed([*(node for node in outside.node if node is not fork), *branch.node]):
        if needed.intersection(node.output):
            nodes.append(node)
            needed.update(node.input)
    graph = helper.make_graph(
        nodes[::-1],
        "attention",
        [given for given in outside.input if given.name in needed],
        [helper.make_tensor_value_info(look, onnx.TensorProto.FLOAT, None) for look in looks],
        [value for value in [*outside.initializer, *branch.initializer] if value.name in needed],
    )
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version).SerializeToString()


def _likeliest(logits: Array) -> tuple[int, float]:
    token = int(logits.argmax())
    return token, float(1 / np.exp(logits - logits[token]).sum())


def _mask(encoded: Array) -> NDArray[np.int64]:
    """Of the sound's samples; the decoder takes every 384th."""
    return np.ones((1, encoded.shape[1] * FRAME), np.int64)


def _options(threads: int) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return options


def _session(model: Path | bytes, threads: int) -> Any:
    source = model if isinstance(model, bytes) else str(model)
    return ort.InferenceSession(source, _options(threads), providers=["CPUExecutionProvider"])
