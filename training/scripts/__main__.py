"""Draws lines of text in many scripts and trains the network that names the script of a line: `python -m training.scripts FONTS ...`.

README.md says what is drawn, what is learned, and what to install for it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
import unicodedata
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import tensorflow as tf
from babel import Locale
from fontTools.ttLib import TTCollection, TTFont
from onnx import TensorProto, helper, numpy_helper
from PIL import Image, ImageDraw, ImageFont

HEIGHT, WIDTH = 32, 256

LANGUAGES = {
    "Latin": "en de fr es it pt nl sv da nb fi pl cs sk hu ro hr sl lt lv et tr vi id ms sw af sq ca eu ga is mt cy az uz",
    "Greek": "el",
    "Han": "zh zh_Hant ja ja ja",
    "Cyrillic": "ru uk bg sr mk be kk ky mn tg tt ru uk ru",
    "Arabic": "ar fa ur ps ckb ug",
    "Hebrew": "he yi he",
    "Devanagari": "hi mr ne",
    "Bengali": "bn as",
    "Gurmukhi": "pa",
    "Gujarati": "gu",
    "Tamil": "ta",
    "Telugu": "te",
    "Kannada": "kn",
    "Malayalam": "ml",
    "Sinhala": "si",
    "Thai": "th",
    "Lao": "lo",
    "Khmer": "km",
    "Myanmar": "my",
    "Georgian": "ka",
    "Armenian": "hy",
    "Ethiopic": "am ti",
    "Hangul": "ko",
}
CLASSES = [*LANGUAGES, "Figures", "Handwriting", "None"]
WEIGHT = {
    "Latin": 5.0, "Han": 2.0, "Cyrillic": 3.0, "Greek": 1.5, "Figures": 1.5, "Handwriting": 2.5, "None": 2.0, "Arabic": 1.5, "Hangul": 1.5,
}  # fmt: skip
"""How many more lines than of an ordinary script are drawn."""
PREFIX = {"Han": ("CJK", "HIRAGANA", "KATAKANA"), "Myanmar": ("MYANMAR",)}
DIGITS = {
    "Arabic": "٠١٢٣٤٥٦٧٨٩",
    "Devanagari": "०१२३४५६७८९",
    "Thai": "๐๑๒๓๔๕๖๗๘๙",
    "Bengali": "০১২৩৪৫৬৭৮৯",
    "Khmer": "០១២៣៤៥៦៧៨៩",
    "Lao": "໐໑໒໓໔໕໖໗໘໙",
    "Myanmar": "၀၁၂၃၄၅၆၇၈၉",
}
CODE = "abcdefghijklmnoprstuvwxyzABCDEFGHKLMNPRSTVWXZ0123456789-"


def words(script: str) -> list[str]:
    """Words of the script out of CLDR's names."""
    prefixes = PREFIX.get(script, (script.upper(),))
    found: set[str] = set()
    for name in LANGUAGES[script].split():
        locale: Any = Locale.parse(name)
        tables = [locale.languages, locale.territories, locale.currencies, locale.scripts, locale.variants]
        tables += [table for form in locale.months.values() for table in form.values()]
        tables += [table for form in locale.days.values() for table in form.values()]
        for table in tables:
            for text in table.values():
                for word in str(text).replace("(", " ").replace(")", " ").split():
                    letters = [char for char in word if char.isalpha()]
                    if letters and all(unicodedata.name(char, "").startswith(prefixes) for char in letters):
                        found.add(word)
    return sorted(found)


def number(chance: random.Random) -> str:
    """A date, an amount, a percentage, a number or a telephone number."""
    kind = chance.randrange(7)
    if kind == 0:
        part = chance.choice("./-")
        return f"{chance.randrange(1, 29):02d}{part}{chance.randrange(1, 13):02d}{part}{chance.randrange(1990, 2030)}"
    if kind == 1:
        return f"{chance.randrange(0, 10000)}{chance.choice('.,')}{chance.randrange(100):02d}"
    if kind == 2:
        return f"{chance.choice('$€£')}{chance.randrange(1, 999):,}.{chance.randrange(100):02d}"
    if kind == 3:
        return f"{chance.randrange(100)}%"
    if kind == 4:
        return "".join(chance.choice("0123456789") for _ in range(chance.randrange(1, 12)))
    if kind == 5:
        return f"+{chance.randrange(1, 99)} {chance.randrange(10, 999)} {chance.randrange(1000, 9999)}"
    return f"({chance.randrange(1, 99)})"


def text(script: str, vocabulary: list[str], chance: random.Random) -> str:
    """A line's text: words, now and then a number, in lower, title or upper case."""
    if script == "Figures":
        return " ".join(number(chance) for _ in range(chance.randrange(1, 5)))
    count = chance.choice((1, 1, 2, 2, 3, 4, 5, 6, 8))
    parts = [chance.choice(vocabulary) for _ in range(count)]
    case = chance.random()
    if case < 0.25:
        parts = [part.upper() for part in parts]
    elif case < 0.4:
        parts = [part.lower() for part in parts]
    elif case < 0.5:
        parts = [part.title() for part in parts]
    if script == "Han" and chance.random() < 0.8:
        parts = ["".join(parts)]
    if chance.random() < 0.3 and count > 1:
        figures = number(chance)
        if script in DIGITS and chance.random() < 0.5:
            figures = figures.translate(str.maketrans("0123456789", DIGITS[script]))
        parts.insert(chance.randrange(len(parts) + 1), figures)
    if script == "Latin" and chance.random() < 0.12:
        code = "".join(chance.choice(CODE) for _ in range(chance.randrange(4, 14)))
        parts.append(chance.choice(("www.", "info@", "")) + code + chance.choice((".com", "", "-")))
    if chance.random() < 0.3:
        at = chance.randrange(len(parts))
        parts[at] += chance.choice((":", ",", ".", ";", "!", ")"))
    return " ".join(parts)[: chance.randrange(8, 60) if script != "Handwriting" else 40].strip()


def faces(folder: Path) -> list[tuple[str, int, frozenset[int]]]:
    """Font files below `folder`: path, index in a collection, and the code points they can draw."""
    found: list[tuple[str, int, frozenset[int]]] = []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in {".ttf", ".otf", ".ttc", ".woff"} or "Emoji" in path.name or "Symbol" in path.name:
            continue
        try:
            fonts = TTCollection(path).fonts if path.suffix == ".ttc" else [TTFont(path)]
            found += [(str(path), index, frozenset(font.getBestCmap() or {})) for index, font in enumerate(fonts[:5])]
        except Exception as error:  # a font that cannot be read is left out
            print(f"{path.name}: {error}", file=sys.stderr)
    return found


def drawn(line: str, face: tuple[str, int], chance: random.Random) -> np.ndarray[Any, Any] | None:
    """`line` drawn with `face` as a detector would cut it out of a scan or photo: grey, 32 pixels high."""
    size = chance.randrange(24, 44)
    try:
        font = ImageFont.truetype(face[0], size, index=face[1])
        left, top, right, bottom = font.getbbox(line)
    except Exception:  # some fonts have broken tables for some texts
        return None
    width, height = right - left, bottom - top
    if width < 8 or height < 5 or width > 4000:
        return None
    over, under, before, after = (int(height * chance.uniform(0.02, 0.35)) + 1 for _ in range(4))
    image = Image.new("L", (width + before + after, height + over + under), 0)
    ImageDraw.Draw(image).text((before - left, over - top), line, 255, font)
    ink = np.asarray(image, np.float32) / 255
    draw = np.random.default_rng(chance.randrange(1 << 30))
    if chance.random() < 0.15:
        ink = cv2.dilate(ink, np.ones((2, 2)))
    if chance.random() < 0.1:
        ink = cv2.erode(ink, np.ones((2, 2)))
    if chance.random() < 0.5:
        shear, lean = chance.gauss(0, 0.05), chance.gauss(0, 0.012)
        h, w = ink.shape
        ink = cv2.warpAffine(ink, np.array([[1, shear, -shear * h / 2], [lean, 1, -lean * w / 2]], np.float32), (w, h))
    if chance.random() < 0.12:
        y = chance.randrange(ink.shape[0])
        rule = ink[y : y + chance.randrange(1, 3)]
        np.maximum(rule, chance.uniform(0.3, 1), out=rule)
    if chance.random() < 0.05:
        x = chance.randrange(ink.shape[1])
        ink[:, x : x + 2] = 1
    tall = chance.choice((9, 11, 12, 14, 16, 20, 24, 32, 32, 40, 48))
    if tall < ink.shape[0]:
        ink = cv2.resize(ink, (max(2, round(ink.shape[1] * tall / ink.shape[0])), tall), interpolation=cv2.INTER_AREA)
    if chance.random() < 0.5:
        ink = cv2.GaussianBlur(ink, (0, 0), chance.uniform(0.3, 1.1))
    paper, dark = chance.uniform(0.6, 1), chance.uniform(0, 0.45)
    h, w = ink.shape
    shade = np.linspace(1, chance.uniform(0.75, 1.15), w)[None] if chance.random() < 0.4 else 1
    grey = paper * shade * (1 - ink) + dark * ink
    if chance.random() < 0.12:
        grey = 1 - grey
    grey = grey + draw.normal(0, chance.choice((0, 0.01, 0.03, 0.06)), ink.shape)
    grey = (np.clip(grey, 0, 1) * 255).astype(np.uint8)
    if chance.random() < 0.5:
        grey = cv2.imdecode(cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, chance.randrange(25, 90)])[1], 0)
    return cv2.resize(grey, (max(8, round(w * HEIGHT / h)), HEIGHT), interpolation=cv2.INTER_LINEAR)


def nothing(chance: random.Random) -> np.ndarray[Any, Any]:
    """What detectors take for text and is none: strokes, blobs, stripes, weave, shades."""
    draw = np.random.default_rng(chance.randrange(1 << 30))
    width = chance.randrange(24, 400)
    grey = np.full((HEIGHT, width), chance.uniform(100, 255), np.float32)
    kind = chance.randrange(6)
    if kind == 0:
        for _ in range(chance.randrange(2, 25)):
            p, q = ((chance.randrange(width), chance.randrange(HEIGHT)) for _ in range(2))
            cv2.line(grey, p, q, chance.uniform(0, 255), chance.randrange(1, 4))
    elif kind == 1:
        for _ in range(chance.randrange(2, 20)):
            axes = (chance.randrange(1, 24), chance.randrange(1, 16))
            centre = (chance.randrange(width), chance.randrange(HEIGHT))
            arc = chance.randrange(60, 361)
            cv2.ellipse(grey, centre, axes, chance.randrange(180), 0, arc, chance.uniform(0, 255), chance.choice((1, 2, -1)))
    elif kind == 2:
        period = chance.uniform(3, 20)
        grey += 90 * np.sign(np.sin(np.arange(width) * 6.28 / period + draw.normal(0, 0.3, width)))[None]
    elif kind == 3:
        grey = cv2.GaussianBlur(draw.uniform(0, 255, (HEIGHT, width)).astype(np.float32), (0, 0), chance.uniform(0.8, 5))
        grey = (grey - grey.mean()) * 3 + 128
    elif kind == 4:
        x = 0
        while x < width:
            step = chance.randrange(1, 7)
            grey[:, x : x + step] = chance.choice((20, 240))
            x += step
    else:
        for _ in range(chance.randrange(1, 5)):
            x0, y0 = chance.randrange(width), chance.randrange(HEIGHT)
            corner = (x0 + chance.randrange(4, 60), y0 + chance.randrange(4, 30))
            cv2.rectangle(grey, (x0, y0), corner, chance.uniform(0, 255), chance.choice((1, 2, -1)))
    grey = cv2.GaussianBlur(grey, (0, 0), chance.uniform(0.3, 1.5)) + draw.normal(0, 4, grey.shape)
    return np.clip(grey, 0, 255).astype(np.uint8)


def window(line: np.ndarray[Any, Any], at: float) -> np.ndarray[Any, Any]:
    """The network's input: `WIDTH` pixels of the line, of mean 0 and deviation 1, zero beyond its end; as in `perception/scripts.py`."""
    start = round(at * max(0, line.shape[1] - WIDTH))
    part = line[:, start : start + WIDTH].astype(np.float32)
    made = np.zeros((HEIGHT, WIDTH), np.float32)
    made[:, : part.shape[1]] = (part - part.mean()) / max(8.0, part.std())
    return made


def held_out(name: str) -> bool:
    """Is this font kept for validation?"""
    return hashlib.sha256(Path(name).name.encode()).digest()[0] % 8 == 0


def batch(task: tuple[str, list[str], list[tuple[str, int, frozenset[int]]], int, int]) -> np.ndarray[Any, Any]:
    """`count` drawn windows of one class."""
    script, vocabulary, fonts, count, seed = task
    chance = random.Random(seed)
    made: list[np.ndarray[Any, Any]] = []
    while len(made) < count:
        if script == "None":
            made.append(window(nothing(chance), chance.random()))
            continue
        line = text(script, vocabulary, chance)
        needed = {ord(char) for char in line if not char.isspace()}
        for _ in range(30):
            path, index, points = chance.choice(fonts)
            if needed and needed <= points:
                image = drawn(line, (path, index), chance)
                if image is not None:
                    made.append(window(image, chance.random()))
                break
    return np.stack(made).astype(np.float16)


def material(fonts: Path, hands: Path, count: int, *, validation: bool) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Windows and classes; `validation`: of the fonts held out."""
    printing = [face for face in faces(fonts) if held_out(face[0]) == validation]
    writing = [face for face in faces(hands) if held_out(face[0]) == validation]
    tasks = []
    for number_, name in enumerate(CLASSES):
        vocabulary = words({"Handwriting": "Latin", "Figures": "Latin", "None": "Latin"}.get(name, name))
        probe = {ord(char) for word in vocabulary[:: max(1, len(vocabulary) // 40)] for char in word if char.isalpha()}
        mine = writing if name == "Handwriting" else [face for face in printing if len(probe & face[2]) > 0.6 * len(probe)]
        print(f"{name}: {len(vocabulary)} words, {len(mine)} fonts", file=sys.stderr)
        if not mine:
            continue
        for part in range(4):
            tasks.append((name, vocabulary, mine, int(count * WEIGHT.get(name, 1)) // 4, number_ * 10 + part + 1000 * validation))
    with ProcessPoolExecutor(2) as pool:
        made = list(pool.map(batch, tasks))
    classes = [np.full(len(part), CLASSES.index(task[0])) for part, task in zip(made, tasks, strict=True)]
    return np.concatenate(made), np.concatenate(classes)


LAYERS = ((16, 2), (24, 2), (48, 2), (64, 2), (96, 1))
"""Channels and stride of each 3 x 3 convolution."""


def train(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], vx: np.ndarray[Any, Any], vy: np.ndarray[Any, Any], epochs: int) -> Any:
    """A small convolutional network: five convolutions, mean and maximum over the line, one linear layer."""
    tf.keras.utils.set_random_seed(1)
    net = entry = tf.keras.Input((HEIGHT, WIDTH, 1))
    for channels, stride in LAYERS:
        net = tf.keras.layers.Conv2D(channels, 3, stride, padding="valid", use_bias=False)(tf.keras.layers.ZeroPadding2D(1)(net))
        net = tf.keras.layers.BatchNormalization()(net)
        net = tf.keras.layers.ReLU()(net)
    net = tf.keras.layers.Concatenate()([tf.keras.layers.GlobalAveragePooling2D()(net), tf.keras.layers.GlobalMaxPooling2D()(net)])
    net = tf.keras.layers.Dropout(0.2)(net)
    model = tf.keras.Model(entry, tf.keras.layers.Dense(len(CLASSES))(net))
    steps = epochs * (len(x) // 128)
    model.compile(
        tf.keras.optimizers.AdamW(tf.keras.optimizers.schedules.CosineDecay(3e-3, steps), weight_decay=1e-3),
        tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(x[..., None], y, batch_size=128, epochs=epochs, validation_data=(vx[..., None], vy), verbose=2)
    return model


def exported(model: Any, path: Path) -> None:
    """Write `model` as ONNX with 16-bit weights; normalisation is folded into the convolutions."""
    nodes: list[Any] = []
    stored: list[Any] = []

    def store(name: str, value: np.ndarray[Any, Any]) -> str:
        stored.append(numpy_helper.from_array(value.astype(np.float16), name + "_16"))
        nodes.append(helper.make_node("Cast", [name + "_16"], [name], to=TensorProto.FLOAT))
        return name

    current, count = "lines", 0
    convolutions = [layer for layer in model.layers if isinstance(layer, tf.keras.layers.Conv2D)]
    normalisations = [layer for layer in model.layers if isinstance(layer, tf.keras.layers.BatchNormalization)]
    for convolution, normalisation, (_, stride) in zip(convolutions, normalisations, LAYERS, strict=True):
        gamma, beta, mean, variance = normalisation.get_weights()
        factor = gamma / np.sqrt(variance + normalisation.epsilon)
        kernel = convolution.get_weights()[0] * factor
        inputs = [current, store(f"w{count}", kernel.transpose(3, 2, 0, 1)), store(f"b{count}", beta - mean * factor)]
        nodes.append(helper.make_node("Conv", inputs, [f"c{count}"], strides=[stride, stride], pads=[1, 1, 1, 1]))
        nodes.append(helper.make_node("Relu", [f"c{count}"], [f"r{count}"]))
        current, count = f"r{count}", count + 1
    nodes.append(helper.make_node("GlobalAveragePool", [current], ["mean"]))
    nodes.append(helper.make_node("GlobalMaxPool", [current], ["most"]))
    nodes.append(helper.make_node("Concat", ["mean", "most"], ["both"], axis=1))
    nodes.append(helper.make_node("Flatten", ["both"], ["flat"]))
    weight, bias = model.layers[-1].get_weights()
    nodes.append(helper.make_node("Gemm", ["flat", store("w", weight), store("b", bias)], ["logits"]))
    graph = helper.make_graph(
        nodes,
        "scripts",
        [helper.make_tensor_value_info("lines", TensorProto.FLOAT, ["n", 1, HEIGHT, WIDTH])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", len(CLASSES)])],
        stored,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(made, {"classes": "\n".join(CLASSES)})
    onnx.checker.check_model(made)
    path.write_bytes(made.SerializeToString())


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m training.scripts", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("fonts", type=Path, help="folder of printing fonts")
    parser.add_argument("--hands", type=Path, required=True, help="folder of fonts that imitate handwriting")
    parser.add_argument("--out", type=Path, default=Path("src/heliograph/perception"))
    parser.add_argument("--count", type=int, default=1200, help="windows of an ordinary script")
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--keep", type=Path, help="folder in which drawn windows are kept between runs")
    given = parser.parse_args()
    kept = given.keep / "windows.npz" if given.keep else None
    if kept and kept.exists():
        x, y, vx, vy = (np.load(kept)[name] for name in ("x", "y", "vx", "vy"))
    else:
        x, y = material(given.fonts, given.hands, given.count, validation=False)
        vx, vy = material(given.fonts, given.hands, max(80, given.count // 12), validation=True)
        if kept:
            np.savez(kept, x=x, y=y, vx=vx, vy=vy)
    order = np.random.default_rng(0).permutation(len(x))
    x, y = x[order], y[order]
    model = train(x, y, vx, vy, given.epochs)
    said = model.predict(vx[..., None], verbose=0).argmax(axis=1)
    print(json.dumps({name: round(float((said[vy == n] == n).mean()), 3) for n, name in enumerate(CLASSES) if (vy == n).any()}, indent=1))
    exported(model, given.out / "scripts.onnx")


if __name__ == "__main__":
    main()
