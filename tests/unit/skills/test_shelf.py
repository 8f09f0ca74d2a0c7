from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from heliograph.errors import NotFound
from heliograph.skills import archive
from heliograph.skills.archive import Files
from heliograph.skills.package import Package
from heliograph.skills.shelf import SPARED, UNUSED, DamagedSkill, Shelf
from heliograph.store.blobs import Blobs

FILES: Files = {
    "SKILL.md": b"---\nname: orders\n---\nRead it.",
    "resources/terms/a.txt": b"x",
    "schema.json": b'{"properties": {"po": {}}}',
}


class Shop:
    """A blob store that counts what is fetched from it."""

    def __init__(self, blobs: Blobs) -> None:
        self.blobs = blobs
        self.fetched = 0

    async def keep(self, files: Files = FILES, blob: str = "t/skills/a") -> str:
        await self.blobs.put(blob, archive.pack(files))
        return archive.content_hash(files)

    async def get(self, key: str) -> bytes:
        self.fetched += 1
        return await self.blobs.get(key)


@pytest.fixture
def shop(blobs: Blobs) -> Shop:
    return Shop(blobs)


@pytest.fixture
def shelf(shop: Shop, tmp_path: Path) -> Shelf:
    return another(shop, tmp_path)


def another(shop: Shop, tmp_path: Path, **limits: int) -> Shelf:
    """A shelf as another process would open it."""
    return Shelf(shop, tmp_path / "shelf", **limits)  # pyright: ignore[reportArgumentType]


def content(folder: Path) -> Files:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


async def test_a_package_is_fetched_once_however_many_ask_at_a_time(shop: Shop, shelf: Shelf) -> None:
    hash = await shop.keep()
    found = await asyncio.gather(*(shelf.package(hash, "t/skills/a") for _ in range(20)))
    assert (found[0].name, found[0].hash, shop.fetched) == ("orders", hash, 1)
    assert all(package is found[0] for package in found)


async def test_packages_used_longest_ago_are_forgotten_when_there_are_too_many(shop: Shop, tmp_path: Path) -> None:
    shelf = another(shop, tmp_path, memory=100_000)
    hashes = [await shop.keep({"SKILL.md": bytes([65 + n]) * 40_000}, f"t/skills/{n}") for n in range(3)]
    for number in (0, 1, 0, 2):
        await shelf.package(hashes[number], f"t/skills/{number}")
    assert shop.fetched == 3
    await shelf.package(hashes[0], "t/skills/0")
    assert shop.fetched == 3, "it was used again before the third came"
    await shelf.package(hashes[1], "t/skills/1")
    assert shop.fetched == 4


async def test_the_package_of_one_tenant_is_not_another_tenants(shop: Shop, shelf: Shelf) -> None:
    hash = await shop.keep()
    await shelf.package(hash, "t/skills/a")
    with pytest.raises(NotFound):
        await shelf.package(hash, "other/skills/a")


@pytest.mark.parametrize("stored", [b"no zip", archive.pack({"SKILL.md": b"another"})])
async def test_what_is_not_the_content_asked_for_is_not_used(shop: Shop, shelf: Shelf, tmp_path: Path, stored: bytes) -> None:
    hash = archive.content_hash(FILES)
    await shop.blobs.put("t/skills/a", stored)
    with pytest.raises(DamagedSkill):
        await shelf.package(hash, "t/skills/a")
    with pytest.raises(DamagedSkill):
        await shelf.folder(hash, "t/skills/a")
    assert not (tmp_path / "shelf" / hash).exists()
    await shop.keep()
    assert (await shelf.package(hash, "t/skills/a")).name == "orders", "a failure is not remembered"


async def test_a_folder_holds_the_files_and_nobody_may_write_there(shop: Shop, shelf: Shelf) -> None:
    hash = await shop.keep()
    folder = await shelf.folder(hash, "t/skills/a")
    assert content(folder) == FILES
    for path in (folder, *folder.rglob("*")):
        assert not path.stat().st_mode & 0o222, path
    assert await shelf.folder(hash, "t/skills/a") == folder
    assert shop.fetched == 1


async def test_a_folder_that_is_there_is_used_by_other_processes_too(shop: Shop, shelf: Shelf, tmp_path: Path) -> None:
    hash = await shop.keep()
    await shelf.folder(hash, "t/skills/a")
    await another(shop, tmp_path).folder(hash, "t/skills/a")
    assert shop.fetched == 1


@pytest.mark.parametrize("spoil", ["changed", "missing", "more", "a link", "no folder", "empty", "same size and time"])
async def test_a_folder_that_was_spoilt_is_written_again(shop: Shop, shelf: Shelf, tmp_path: Path, spoil: str) -> None:
    hash = await shop.keep()
    folder = await shelf.folder(hash, "t/skills/a")
    folder.chmod(0o755)
    text = folder / "SKILL.md"
    text.chmod(0o644)
    match spoil:
        case "changed":
            text.write_text("something else")
        case "same size and time":
            before = text.stat()
            text.write_bytes(b"x" * before.st_size)
            os.utime(text, ns=(before.st_atime_ns, before.st_mtime_ns))
        case "missing":
            text.unlink()
        case "more":
            (folder / "more.txt").write_text("x")
        case "a link":
            text.unlink()
            text.symlink_to("/etc/hostname")
        case _:
            (folder / "resources" / "terms").chmod(0o755)
            (folder / "resources").chmod(0o755)
            shutil.rmtree(folder)
            if spoil == "empty":
                folder.mkdir()
            else:
                folder.write_text("a file")
    # only who has not seen the folder before hashes a file that looks as it did
    reopened = another(shop, tmp_path) if spoil == "same size and time" else shelf
    assert content(await reopened.folder(hash, "t/skills/a")) == FILES
    assert shop.fetched == 2
    assert [path.name for path in (tmp_path / "shelf").iterdir()] == [hash], "nothing is left beside it"


def test_many_processes_may_fill_one_place_at_once(shop: Shop, tmp_path: Path, blobs: Blobs) -> None:
    hash = asyncio.run(shop.keep({**FILES, **{f"resources/{n}.txt": b"%d" % n for n in range(200)}}))
    code = (
        "import asyncio, sys; from pathlib import Path; from heliograph.config import Settings; from heliograph.skills.shelf import Shelf\n"
        "from heliograph.store.blobs import Blobs\n"
        "async def main():\n"
        "    shelf = Shelf(Blobs(Settings(data_dir=Path(sys.argv[1]))), Path(sys.argv[2]))\n"
        "    print(sys.stdin.readline() and len(list((await shelf.folder(sys.argv[3], 't/skills/a')).rglob('*.txt'))))\n"
        "asyncio.run(main())"
    )
    assert blobs.folder is not None
    command = [sys.executable, "-c", code, str(blobs.folder.parent), str(tmp_path / "shelf"), hash]
    running = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60)[0].strip() for process in running] == ["201"] * 4
    assert [path.name for path in (tmp_path / "shelf").iterdir()] == [hash]


async def test_folders_used_longest_ago_go_when_there_is_too_much_but_none_that_a_job_may_read(shop: Shop, tmp_path: Path) -> None:
    shelf = another(shop, tmp_path, disk=250_000)
    hashes = [await shop.keep({"SKILL.md": bytes([65 + n]) * 100_000}, f"t/skills/{n}") for n in range(4)]
    places = [await shelf.folder(hash, f"t/skills/{number}") for number, hash in enumerate(hashes[:3])]
    assert all(place.exists() for place in places), "all were used just now"
    for number, place in enumerate(places):
        used = time.time() - SPARED - 100 * (3 - number)
        os.utime(place, (used, used))
    await shelf.folder(hashes[0], "t/skills/0")
    await shelf.folder(hashes[3], "t/skills/3")
    assert [place.exists() for place in places] == [True, False, False]


async def test_what_nobody_used_for_long_and_what_a_crash_left_goes(shop: Shop, shelf: Shelf, tmp_path: Path) -> None:
    first, second = await shop.keep(blob="t/skills/1"), await shop.keep({"SKILL.md": b"x"}, "t/skills/2")
    place = await shelf.folder(first, "t/skills/1")
    half = tmp_path / "shelf" / ".half"
    half.mkdir()
    recent = tmp_path / "shelf" / ".recent"
    recent.mkdir()
    os.utime(place, (1, time.time() - UNUSED - 1))
    os.utime(half, (1, time.time() - SPARED - 1))
    await shelf.folder(second, "t/skills/2")
    assert {path.name for path in (tmp_path / "shelf").iterdir()} == {second, ".recent"}


async def test_a_hash_that_leads_elsewhere_is_refused(shelf: Shelf) -> None:
    for hash in ("../evil", "", "A" * 64):
        with pytest.raises(ValueError, match="not a hash"):
            await shelf.folder(hash, "t/skills/a")


async def test_a_package_may_be_read_elsewhere(shop: Shop, tmp_path: Path) -> None:
    async def read(data: bytes, hash: str) -> Package:
        return Package(text=f"{len(archive.unpack(data))} files", hash=hash)

    shelf = Shelf(shop, tmp_path / "shelf", read=read)  # pyright: ignore[reportArgumentType]
    assert (await shelf.package(await shop.keep(), "t/skills/a")).text == "3 files"
