"""What happens to a page on its way into a computer: scanned, photographed or copied badly. Boxes go the same way as the pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Literal, cast

import numpy as np
import pypdfium2
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from training.drawing.truth import Corners, Truth

Wear = Literal["scan", "fax", "photo"]
Picture = NDArray[np.floating[Any]]
"""Grey, 0 black to 255 white."""


@dataclass(frozen=True)
class View:
    """Where the corners of the page come to lie in the picture, as fractions of the picture."""

    matrix: NDArray[np.float64]

    def corners(self, corners: Corners) -> Corners:
        """Four points of the page as they lie in the picture."""
        points = np.array([[corners[i], corners[i + 1], 1.0] for i in range(0, 8, 2)]) @ self.matrix.T
        flat = (points[:, :2] / points[:, 2:]).clip(0, 1).ravel()
        return tuple(float(value) for value in flat)  # pyright: ignore[reportReturnType]


def worn(source: Path, target: Path, truth: Truth, wear: Wear, random: Random, *, dpi: int = 150, small: bool = False) -> None:
    """Write the first page of a PDF as a picture that has been through `wear`, and move the boxes of its truth along.

    `dpi`: of the page before wear; `small`: with little grain, which is what makes files large. What stands on
    later pages is lost to the picture, so its marks go.
    """
    with pypdfium2.PdfDocument(source) as pdf:
        rendered = pdf[0].render(scale=dpi / 72)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType, reportArgumentType]
        page = cast("Image.Image", rendered.to_pil()).convert("L")  # pyright: ignore[reportUnknownMemberType]
    noise = np.random.default_rng(random.getrandbits(32))
    view, image = _seen(page, wear, random)
    image = _lit(image, wear, random, noise, 1.5 if small else 6.0 if wear != "photo" else 9.0)
    made = Image.fromarray(image.clip(0, 255).astype(np.uint8))
    if wear == "fax":
        made = made.point([255 * (value > 165) for value in range(256)])
    made.save(target, quality=28 if small else random.randint(45, 85), optimize=True)
    for path in list(truth.marks):
        mark = truth.marks[path]
        if mark.boxes and mark.boxes[0][0] > 0:
            del truth.marks[path]
            continue
        mark.boxes = [(0, view.corners(corners)) for page, corners in mark.boxes if page == 0]
    truth.elements = [element for element in truth.elements if element.mark.boxes[0][0] == 0]
    for element in truth.elements:
        element.mark.boxes = [(0, view.corners(element.mark.boxes[0][1]))]


def _seen(page: Image.Image, wear: Wear, random: Random) -> tuple[View, Picture]:
    """Turned a little on the glass, or from an angle on a table."""
    if wear == "photo":
        pad, bend, turn = random.uniform(0.04, 0.1), 0.035, random.uniform(-4, 4)
    else:
        pad, bend, turn = random.uniform(0.0, 0.012), 0.0, random.uniform(-1.6, 1.6)
    width, height = round(page.width * (1 + 2 * pad)), round(page.height * (1 + 2 * pad))
    angle, middle = math.radians(turn), (width / 2, height / 2)
    goals: list[tuple[float, float]] = []
    for x, y in ((0, 0), (1, 0), (1, 1), (0, 1)):
        at_x = (x - 0.5) * page.width * (1 + random.uniform(-bend, bend))
        at_y = (y - 0.5) * page.height * (1 + random.uniform(-bend, bend))
        goals.append(
            (middle[0] + at_x * math.cos(angle) - at_y * math.sin(angle), middle[1] + at_x * math.sin(angle) + at_y * math.cos(angle))
        )
    corners = [(0.0, 0.0), (page.width, 0.0), (page.width, page.height), (0.0, page.height)]
    back = _homography(goals, corners)
    ground = random.randint(60, 150) if wear == "photo" else random.randint(225, 255)
    turned = page.transform(
        (width, height), Image.Transform.PERSPECTIVE, [float(value) for value in (back / back[2, 2]).ravel()[:8]],
        Image.Resampling.BICUBIC, fillcolor=ground,
    )  # fmt: skip
    forth = _homography(corners, goals)
    scale_in, scale_out = np.diag([page.width, page.height, 1.0]), np.diag([1 / width, 1 / height, 1.0])
    return View(scale_out @ forth @ scale_in), np.asarray(turned, np.float32)


def _homography(source: list[tuple[float, float]], target: list[tuple[float, float]]) -> NDArray[np.float64]:
    """The projective map that takes four points to four others (Hartley and Zisserman, Multiple View Geometry, 4.1)."""
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    goals = np.array([part for point in target for part in point], np.float64)
    return np.append(np.linalg.solve(np.array(rows, np.float64), goals), 1.0).reshape(3, 3)


def _lit(image: Picture, wear: Wear, random: Random, noise: np.random.Generator, most: float) -> Picture:
    """Ink, light and the sensor: contrast lost, shadows, blur, grain of `most` grey levels at most."""
    height, width = image.shape
    ink, paper = random.uniform(10, 70 if wear != "photo" else 85), random.uniform(225, 255)
    image = ink + (paper - ink) * image / 255
    if wear == "photo":
        across, down = np.meshgrid(np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32))
        angle, depth = random.uniform(0, 2 * math.pi), random.uniform(0.1, 0.35)
        image = image * (1 - depth * (0.5 + 0.5 * (across * math.cos(angle) + down * math.sin(angle))))
        if random.random() < 0.5:
            edge = 1 / (1 + np.exp(-(across * math.cos(angle + 1) + down * math.sin(angle + 1) - random.uniform(-0.5, 0.7)) * 14))
            image = image * (1 - random.uniform(0.1, 0.3) * edge)
    blur = random.uniform(0.2, 0.9 if wear != "photo" else 1.2)
    blurred = Image.fromarray(image.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(blur))
    grain = random.uniform(min(1.0, most), most)
    made = np.asarray(blurred, np.float32) + noise.normal(0, grain, (height, width)).astype(np.float32)
    if wear == "fax":
        made[noise.random((height, width)) < 0.0006] = 0
    return made
