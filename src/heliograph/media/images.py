"""Images: JPEG, PNG, WebP, TIFF, GIF, BMP and HEIC, every frame a page, upright, as RGB. Runs in the child.

Cameras write any resolution into their files, so an image's own is believed only when it makes the longer side at least that of a
Letter page; otherwise it is taken to be exactly that. So `dpi` never costs a small scan or a photo more detail than a page would lose,
and pixels are never scaled up.
"""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pi_heif
from PIL import Image, ImageFile, MpoImagePlugin, UnidentifiedImageError

from heliograph.errors import CorruptMedia, MediaError, MediaLimitExceeded
from heliograph.media.content import Inspection, Limits, PageContent, PagePicture
from heliograph.media.document import Page, PageImage

# Pillow's own limit would stop the opening with a warning or an error of its own words; ours is checked on the header, before decoding.
Image.MAX_IMAGE_PIXELS = None
pi_heif.register_heif_opener(thumbnails=False)  # pyright: ignore[reportUnknownMemberType]

FORMATS = {
    "image/jpeg": ("JPEG", "MPO"),
    "image/png": ("PNG",),
    "image/gif": ("GIF",),
    "image/webp": ("WEBP",),
    "image/tiff": ("TIFF",),
    "image/bmp": ("BMP",),
    "image/heic": ("HEIF",),
}
"""Pillow's readers that may open a file of each sniffed type: no other reader ever sees it."""

ORIENTATION = 0x0112
LONG_SIDE, LARGEST_SIDE = 792.0, 3400.0
QUALITY = 85
"""Of JPEGs that others are shown; small print stays legible, and a page at 1,536 pixels takes about 250 kB."""
TURNS = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}
"""Turns clockwise; Pillow counts the other way."""
DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    OverflowError,
    struct.error,
    ZeroDivisionError,
    RuntimeError,
    AttributeError,
)


@contextmanager
def _quiet() -> Generator[None]:
    """Pillow warns of damage that we either survive or report."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class ImageFileReader:
    """An open image file. Raises CorruptMedia, MediaLimitExceeded."""

    @_quiet()
    def __init__(self, path: Path, media_type: str, limits: Limits) -> None:
        self._limits = limits
        self._path = path
        self._formats = FORMATS[media_type]
        self.warnings: list[str] = []
        self._image: Any = None
        self._reopen()
        try:
            # An MPO's further frames are previews and depth maps.
            self.page_count = (
                min(int(getattr(self._image, "n_frames", 1)), 100_000) if self._image.format != MpoImagePlugin.MpoImageFile.format else 1
            )
        except DAMAGE as error:
            self.close()
            raise CorruptMedia(f"The image is damaged and cannot be opened{_reason(error)}.") from None

    def _reopen(self) -> None:
        self.close()
        try:
            self._image = Image.open(self._path, formats=self._formats)
            self._check_pixels()
        except MediaError:
            self.close()
            raise
        except UnidentifiedImageError:
            raise CorruptMedia("The image is damaged: its header cannot be read.") from None
        except DAMAGE as error:
            raise CorruptMedia(f"The image is damaged and cannot be opened{_reason(error)}.") from None

    def close(self) -> None:
        """Release it."""
        if self._image is not None:
            self._image.close()

    @_quiet()
    def inspect(self, media_type: str) -> Inspection:
        """Frames as pages with their upright sizes in points; kind `document` when there is more than one, else `image`."""
        sizes: list[tuple[float, float]] = []
        for index in range(min(self.page_count, self._limits.max_pages)):
            try:
                self._seek(index)
            except CorruptMedia:
                break
            sizes.append(self._size())
        if not sizes:
            raise CorruptMedia("The image is damaged: it holds no frame that can be read.")
        if len(sizes) < self.page_count <= self._limits.max_pages:
            self.warnings.append(f"Only {len(sizes)} of the image's {self.page_count} frames can be read.")
            self.page_count = len(sizes)
        sizes += [sizes[-1]] * (self.page_count - len(sizes))
        several = self.page_count > 1 and media_type in ("image/tiff", "image/gif", "image/webp")
        return Inspection(media_type, "document" if several else "image", self.page_count, sizes, list(self.warnings))

    @_quiet()
    def open_page(self, index: int, dpi: float | None, want_text: bool) -> PageContent:
        """A frame: it has no text layer, so only pixels, if `dpi` asks for them."""
        del want_text
        self._seek(index)
        width, height = self._size()
        content = PageContent(Page(index, width, height), "missing")
        if dpi:
            content.image = self.render(index, dpi)
            content.page.warnings = list(self.warnings)
        return content

    @_quiet()
    def render(self, index: int, dpi: float) -> PageImage:
        """The frame's pixels, upright, on white, at `dpi` or its own resolution, whichever is lower."""
        if self.page_count == 1:
            self._reopen()  # decoding changes the object, and keeps its pixels
        self._seek(index)
        width, _ = self._size()
        stored = self._image
        own = self._upright_pixels()[0] / width * 72
        scale = min(dpi / own, 1.0)
        if stored.format == "JPEG" and scale < 0.5:  # decodes at 1/2, 1/4 or 1/8 and so saves most of the work
            stored.draft("RGB", (int(stored.width * scale), int(stored.height * scale)))
        picture = upright_rgb(self._decoded(index))
        target = max(round(width * dpi / 72), 1)
        if target < picture.width * 0.95:
            size = (target, max(round(picture.height * target / picture.width), 1))
            picture = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
        return PageImage(picture.width, picture.height, picture.tobytes(), picture.width / width * 72)

    def _seek(self, index: int) -> None:
        try:
            self._image.seek(index)
        except DAMAGE as error:
            raise CorruptMedia(f"Frame {index + 1} of the image cannot be read{_reason(error)}.") from None
        self._check_pixels()

    def _check_pixels(self) -> None:
        width, height = self._image.size
        if width * height > self._limits.max_pixels:
            raise MediaLimitExceeded(f"The image has {width} x {height} pixels; this server reads up to {self._limits.max_pixels:,}.")
        if width < 1 or height < 1:
            raise CorruptMedia("The image is damaged: it has no pixels.")

    def _upright_pixels(self) -> tuple[int, int]:
        width, height = self._image.size
        turned = self._image.format != "TIFF" and orientation_of(self._image) >= 5  # Pillow turns TIFF itself and says so in its size
        return (height, width) if turned else (width, height)

    def _size(self) -> tuple[float, float]:
        width, height = self._upright_pixels()
        dpi, longer = _own_dpi(self._image), max(width, height)
        if not dpi or not LONG_SIDE <= longer / dpi * 72 <= LARGEST_SIDE:
            dpi = longer / LONG_SIDE * 72
        return round(width / dpi * 72, 2), round(height / dpi * 72, 2)

    def _decoded(self, index: int) -> Any:
        try:
            self._image.load()
            return self._image
        except MemoryError:
            raise
        except DAMAGE:
            pass
        # Once more, taking what there is of a truncated file.
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        try:
            self._image.seek(index)
            self._image.load()
        except DAMAGE as error:
            raise CorruptMedia(f"The image is damaged and cannot be decoded{_reason(error)}.") from None
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = False
        self.warnings.append("The image is damaged or cut off; what could be decoded was read.")
        return self._image


def as_jpeg(image: PageImage, longest_side: int, rotation: int = 0) -> PagePicture:
    """The pixels as JPEG, turned clockwise by `rotation` (0, 90, 180 or 270), no side longer than `longest_side`; never scaled up."""
    picture = Image.frombytes("RGB", (image.width, image.height), image.data)
    scale = longest_side / max(picture.size)
    if scale < 1:
        width, height = (max(1, min(longest_side, round(side * scale))) for side in picture.size)
        picture = picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    if rotation:
        picture = picture.transpose(TURNS[rotation])
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=QUALITY)
    return PagePicture(picture.width, picture.height, written.getvalue())


def _reason(error: BaseException) -> str:
    """Pillow's own words where they are meant for people."""
    return f" ({error})" if isinstance(error, OSError | SyntaxError) and error.args else ""


def orientation_of(image: Any) -> int:
    """The EXIF orientation, 1-8; 1 when it has none or a broken one. Pillow turns HEIC itself and then says 1."""
    try:
        value = image.getexif().get(ORIENTATION, 1)
    except DAMAGE:
        return 1
    return value if value in range(1, 9) else 1


def upright_rgb(image: Any) -> Any:
    """Turn by EXIF, lay transparency on white, and convert any mode (16 bit, CMYK, palette, float) to 8-bit RGB."""
    turned = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_90,
    }.get(orientation_of(image))  # fmt: skip
    picture = image if turned is None else image.transpose(turned)
    if picture.mode.startswith(("I", "F")):
        picture = _stretched(picture)
    if picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        white.alpha_composite(picture)
        picture = white
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _stretched(picture: Any) -> Any:
    """16-bit, 32-bit and float greys to 8 bit. 16-bit modes keep their scale; others are stretched from their darkest to their lightest."""
    if picture.mode.startswith("I;16"):
        low, high = 0.0, 65535.0
    else:
        low, high = (float(value) for value in picture.getextrema())
        if picture.mode == "I" and low >= 0 and 255 < high <= 65535:
            low, high = 0.0, 65535.0
        elif low >= 0 and high <= 255:
            low, high = 0.0, (1.0 if picture.mode == "F" and high <= 1 else 255.0)
    span = (high - low) or 1.0
    if picture.mode.startswith("I;16"):
        picture = picture.convert("I")
    scale = 255.0 / span

    def stretch(value: Any) -> Any:  # Pillow sees only that it is linear
        return value * scale - low * scale

    return picture.convert("F").point(stretch).convert("L")


def _own_dpi(image: Any) -> float | None:
    try:
        value = float(image.info.get("dpi", (0, 0))[0])
    except DAMAGE:
        return None
    return value if 50 <= value <= 1200 else None
