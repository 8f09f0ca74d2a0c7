import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from heliograph.errors import CorruptMedia, MediaLimitExceeded
from heliograph.media.content import Limits
from heliograph.media.geometry import Box, to_exif
from heliograph.media.images import ImageFileReader
from heliograph.media.sniff import sniff
from tests.unit.media.paper import encoded, pixels


@pytest.fixture
def opened(tmp_path: Path):
    files: list[ImageFileReader] = []

    def open_(data: bytes, limits: Limits | None = None) -> ImageFileReader:
        path = tmp_path / f"{len(files)}.bin"
        path.write_bytes(data)
        files.append(ImageFileReader(path, sniff(data).media_type, limits or Limits()))
        return files[-1]

    yield open_
    for file in files:
        file.close()


def marked() -> Image.Image:
    """White, with a black patch near the upper left corner."""
    image = Image.new("RGB", (120, 80), "white")
    image.paste("black", (10, 8, 40, 24))
    return image


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_comes_upright(opened, orientation: int, format: str) -> None:
    upright = Box(10 / 120, 8 / 80, 30 / 120, 16 / 80)
    stored = to_exif(upright, orientation)
    width, height = (80, 120) if orientation >= 5 else (120, 80)
    image = Image.new("RGB", (width, height), "white")
    image.paste("black", tuple(round(edge) for edge in stored.to_xyxy(width, height)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = opened(encoded(image, format, exif=exif, **({"quality": 95} if format in ("JPEG", "WEBP") else {})))
    assert file.inspect("image/x").sizes[0][0] > file.inspect("image/x").sizes[0][1]
    drawn = pixels(file.render(0, 200)).min(axis=2) < 100
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    assert (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1) == pytest.approx((10, 8, 40, 24), abs=1)


@pytest.mark.parametrize(
    ("data", "grey"),
    [
        (encoded(Image.new("CMYK", (30, 20), (0, 0, 0, 255)), "JPEG"), 0),
        (encoded(Image.new("CMYK", (30, 20), (0, 0, 0, 0)), "TIFF"), 255),
        (encoded(Image.new("RGBA", (30, 20), (0, 0, 0, 0)), "PNG"), 255),
        (encoded(Image.new("LA", (30, 20), (0, 255)), "PNG"), 0),
        (encoded(Image.new("1", (30, 20), 1), "TIFF"), 255),
        (encoded(Image.fromarray(np.full((20, 30), 65535, np.uint16)), "PNG"), 255),
        (encoded(Image.fromarray(np.full((20, 30), 32768, np.uint16)), "TIFF"), 128),
        (encoded(Image.new("P", (30, 20), 0), "PNG", transparency=0), 255),
        (encoded(Image.new("P", (30, 20), 0), "GIF"), 0),
        (encoded(Image.new("L", (30, 20), 200), "BMP"), 200),
    ],
    ids=[
        "cmyk-jpeg",
        "cmyk-tiff",
        "alpha",
        "grey-alpha",
        "bilevel",
        "16-bit-png",
        "16-bit-tiff",
        "palette-transparent",
        "palette",
        "grey-bmp",
    ],
)
def test_any_mode_becomes_rgb_on_white(opened, data: bytes, grey: int) -> None:
    file = opened(data)
    image = pixels(file.render(0, 200))
    assert image.shape == (20, 30, 3)
    assert np.abs(image.astype(int) - grey).max() <= 2


@pytest.mark.parametrize("format", ["TIFF", "GIF", "WEBP"])
def test_all_frames_are_pages(opened, format: str) -> None:
    frames = [Image.new("L", (40, 30), level).convert("RGB") for level in (0, 120, 250)]
    extra = {"lossless": True, "duration": 100} if format == "WEBP" else {}
    file = opened(encoded(frames[0], format, save_all=True, append_images=frames[1:], **extra))
    inspection = file.inspect(f"image/{format.lower()}")
    assert (inspection.kind, inspection.page_count) == ("document", 3)
    assert [int(pixels(file.render(index, 200))[15, 20, 0]) for index in (2, 0, 1)] == pytest.approx([250, 0, 120], abs=3)


def test_a_single_picture_is_an_image(opened) -> None:
    assert opened(encoded(marked(), "PNG")).inspect("image/png").kind == "image"


def bomb(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


def test_too_many_pixels_are_refused_by_the_header(opened) -> None:
    with pytest.raises(MediaLimitExceeded, match="60000 x 60000"):
        opened(bomb(60_000, 60_000))


def test_a_later_frame_with_too_many_pixels_is_refused(opened) -> None:
    small, large = Image.new("1", (10, 10)), Image.new("1", (3000, 3000))
    file = opened(encoded(small, "TIFF", save_all=True, append_images=[large]), Limits(max_pixels=1_000_000))
    with pytest.raises(MediaLimitExceeded):
        file.render(1, 200)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF"])
def test_of_a_file_cut_short_what_there_is_is_read_with_a_warning(opened, format: str) -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (200, 200, 3), np.uint8))
    noise.paste("black", (0, 0, 200, 60))
    data = encoded(noise, format)
    content = opened(data[: int(len(data) * 0.6)]).open_page(0, 200, True)
    assert content.image is not None
    assert pixels(content.image)[20, 100].max() < 60
    assert "cut off" in content.page.warnings[0]


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n" + bytes(40),
        b"\xff\xd8\xff" + bytes(40),
        b"II*\0" + b"\xff" * 40,
        b"GIF89a",
        b"RIFF\x24\0\0\0WEBPVP8 " + bytes(40),
    ],
)
def test_a_file_that_only_begins_like_an_image_is_corrupt(opened, data: bytes) -> None:
    with pytest.raises(CorruptMedia):
        opened(data).render(0, 200)


def test_dpi_bounds_a_large_scan_and_never_enlarges_a_small_one(opened) -> None:
    letter = opened(encoded(Image.new("L", (5100, 6600), 255), "PNG", dpi=(600, 600)))
    assert letter.inspect("image/png").sizes == [(612, 792)]
    assert letter.render(0, 150).width == 1275
    receipt = opened(encoded(Image.new("L", (600, 1200), 255), "PNG", dpi=(300, 300)))
    assert receipt.render(0, 150).width == 600
    again = letter.render(0, 150)
    assert (again.width, round(again.dpi)) == (1275, 150)


def test_a_large_jpeg_scaled_down_keeps_its_size_for_the_next_page_call(opened) -> None:
    file = opened(encoded(Image.new("RGB", (4000, 3000), "white"), "JPEG"))
    first = file.inspect("image/jpeg").sizes
    assert file.render(0, 72).width == 792
    assert file.inspect("image/jpeg").sizes == first
    assert file.render(0, 144).width == 1584


def test_broken_exif_does_not_matter(opened) -> None:
    data = encoded(marked(), "JPEG")
    broken = data[:2] + b"\xff\xe1\x00\x10Exif\0\0II*\0\xff\xff\xff\xff" + data[2:]
    assert opened(broken).render(0, 200).width == 120


def test_decoding_needs_no_name_and_no_other_reader(opened, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    marked().save(buffer, "PPM")
    path = tmp_path / "x.png"
    path.write_bytes(buffer.getvalue())
    with pytest.raises(CorruptMedia):
        ImageFileReader(path, "image/png", Limits())


def test_heic_is_read_upright(opened) -> None:
    """`turned.heic`: the marked picture, on its side with EXIF orientation 6; written with pillow-heif, for nothing here encodes HEIC."""
    file = opened((Path(__file__).parent / "turned.heic").read_bytes())
    assert file.inspect("image/heic").kind == "image"
    drawn = pixels(file.render(0, 200)).min(axis=2) < 100
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    assert (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1) == pytest.approx((10, 8, 40, 24), abs=1)
