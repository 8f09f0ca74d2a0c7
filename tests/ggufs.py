"""GGUF files drawn by the tests: a language model of a few thousand random weights, and the header of a vision projector.

The model speaks no sense, but llama.cpp loads it, and holds it to a JSON schema like any other.
"""

import random
import struct
from array import array
from pathlib import Path

ALIGNMENT = 32
WIDTH, HEADS, LAYERS, INNER = 32, 2, 1, 48
TEMPLATE = (
    "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


def write_model(path: Path, *, context: int = 4096, seed: int = 7) -> Path:
    """A llama of one layer over the 256 bytes and an end mark."""
    tokens = [*letters_of_bytes(), "<|end|>"]
    facts = {
        "general.architecture": "llama",
        "general.name": "tiny",
        "llama.context_length": context,
        "llama.embedding_length": WIDTH,
        "llama.block_count": LAYERS,
        "llama.feed_forward_length": INNER,
        "llama.attention.head_count": HEADS,
        "llama.attention.head_count_kv": HEADS,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.dimension_count": WIDTH // HEADS,
        "llama.vocab_size": len(tokens),
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [1] * 256 + [3],
        "tokenizer.ggml.merges": ["t h"],
        "tokenizer.ggml.bos_token_id": 256,
        "tokenizer.ggml.eos_token_id": 256,
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.chat_template": TEMPLATE,
    }
    rng = random.Random(seed)
    shapes = {"token_embd": (WIDTH, len(tokens)), "output": (WIDTH, len(tokens)), "output_norm": (WIDTH,)}
    for layer in range(LAYERS):
        square, wide, narrow = (WIDTH, WIDTH), (WIDTH, INNER), (INNER, WIDTH)
        named = {"attn_q": square, "attn_k": square, "attn_v": square, "attn_output": square}
        named |= {"ffn_gate": wide, "ffn_up": wide, "ffn_down": narrow, "attn_norm": (WIDTH,), "ffn_norm": (WIDTH,)}
        shapes |= {f"blk.{layer}.{name}": shape for name, shape in named.items()}
    tensors = {}
    for name, shape in shapes.items():
        count = shape[0] * (shape[1] if len(shape) == 2 else 1)
        values = [1.0] * count if name.endswith("norm") else [rng.gauss(0, 0.3) for _ in range(count)]
        if name == "output":
            # neither the end mark nor bytes beyond ASCII are ever the likeliest: it ends only where a grammar does, or at a limit
            values[128 * WIDTH :] = [0.0] * (129 * WIDTH)
        tensors[f"{name}.weight"] = (shape, array("f", values))
    return write(path, facts, tensors)


def write_projector(path: Path, *, width: int = WIDTH) -> Path:
    """The header of a vision projector, without weights."""
    facts = {"general.architecture": "clip", "general.type": "mmproj", "clip.has_vision_encoder": True, "clip.vision.projection_dim": width}
    return write(path, facts, {})


def write(path: Path, facts: dict, tensors: dict) -> Path:
    """A GGUF file of version 3."""
    content = bytearray(struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(facts)))
    for key, value in facts.items():
        content += _string(key) + _typed(value)
    offset = 0
    for name, (shape, values) in tensors.items():
        content += _string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, offset)
        offset += _padded(len(values) * 4)
    content += b"\0" * (-len(content) % ALIGNMENT)
    for _, values in tensors.values():
        raw = values.tobytes()
        content += raw + b"\0" * (_padded(len(raw)) - len(raw))
    path.write_bytes(content)
    return path


def letters_of_bytes() -> list[str]:
    """The printable letter by which byte-level vocabularies write each byte (Radford et al. 2019, GPT-2)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) if byte in printable else chr(256 + others.index(byte)) for byte in range(256)]


def _padded(size: int) -> int:
    return size + -size % ALIGNMENT


def _string(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _typed(value) -> bytes:
    if isinstance(value, list):
        inner = [struct.pack("<Ii", 5, item) if isinstance(item, int) else _typed(item) for item in value]
        return struct.pack("<I", 9) + inner[0][:4] + struct.pack("<Q", len(inner)) + b"".join(item[4:] for item in inner)
    if isinstance(value, str):
        return struct.pack("<I", 8) + _string(value)
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    return struct.pack("<If", 6, value) if isinstance(value, float) else struct.pack("<II", 4, value)
