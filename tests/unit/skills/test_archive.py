from __future__ import annotations

import contextlib
import io
import os
import random
import socket
import stat
import struct
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heliograph.errors import InvalidRequest
from heliograph.skills import archive
from heliograph.skills.archive import MAX_FILES, MAX_NAME, MAX_PATH, MAX_UNPACKED, Files, content_hash, from_folder, pack, unpack
from tests.unit.skills.zips import SKILL_MD, zipped

NOISE = random.Random(1).randbytes(1 << 20)


def written(folder: Path, files: Files) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def entry(name: str, kind: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (kind | 0o644) << 16
    return info


@pytest.mark.parametrize("folder", ["", "orders/", "a/b/orders/", "./"])
def test_paths_are_relative_to_the_folder_of_skill_md(folder: str) -> None:
    data = zipped({f"{folder}resources/terms.md": "net 30", f"{folder}SKILL.md": SKILL_MD})
    assert unpack(data) == {"SKILL.md": SKILL_MD.encode(), "resources/terms.md": b"net 30"}
    assert list(unpack(data)) == ["SKILL.md", "resources/terms.md"]


@pytest.mark.parametrize("name", ["skill.md", "Skill.MD", "orders/skill.md"])
def test_skill_md_is_spelt_in_one_way_whatever_way_it_came(name: str) -> None:
    assert list(unpack(zipped({name: SKILL_MD}))) == ["SKILL.md"]


def test_folders_in_a_zip_are_no_files() -> None:
    assert unpack(zipped([("orders/", ""), ("orders/SKILL.md", SKILL_MD), ("orders/empty/", "")])) == {"SKILL.md": SKILL_MD.encode()}


def test_what_systems_and_tools_leave_behind_is_no_part_of_a_skill(tmp_path: Path) -> None:
    litter: Files = {"__MACOSX/._SKILL.md": b"x", ".DS_Store": b"x", ".git/HEAD": b"x", "a/__pycache__/b.pyc": b"x", "a/.DS_Store": b"x"}
    files: Files = {"SKILL.md": SKILL_MD.encode(), "a/b.py": b"pass", ".gitignore": b"*.pyc"}
    assert unpack(zipped({**litter, **files})) == from_folder(written(tmp_path, {**litter, **files})) == files


def test_names_in_utf8_are_read_as_such_even_where_the_zip_does_not_say_so() -> None:
    said = zipped({"SKILL.md": SKILL_MD, "resources/März.md": "x"})
    central, local = said.rindex(b"resources/M") - 46, said.index(b"resources/M") - 30
    unsaid = bytearray(said)
    unsaid[central + 8 : central + 10] = unsaid[local + 6 : local + 8] = b"\0\0"
    assert unpack(bytes(unsaid)) == unpack(said)
    assert "resources/März.md" in unpack(said)


def test_names_in_the_code_page_of_old_are_read_as_such() -> None:
    data = zipped({"SKILL.md": SKILL_MD, "resources/Mxrz.md": "x"}).replace(b"Mxrz", b"M\x84rz")
    assert "resources/März.md" in unpack(data)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds 0 files called"),
        ({"readme.md": "x"}, "holds 0 files called"),
        ({"SKILL.md": "x", "b/SKILL.md": "y"}, "holds 2 files called"),
        ({"SKILL.md": "x", "b/skill.md": "y"}, "holds 2 files called"),
        ({"a/SKILL.md": "x", "b/schema.json": "{}"}, r"'b/schema\.json' outside the folder of SKILL\.md, 'a/'"),
        ({"a/SKILL.md": "x", "schema.json": "{}"}, r"'schema\.json' outside"),
        ({"a/SKILL.md": "x", "ab/schema.json": "{}"}, r"'ab/schema\.json' outside"),
        ({"SKILL.md": "x", "../evil": "y"}, "leads outside"),
        ({"SKILL.md": "x", "a/../../evil": "y"}, "leads outside"),
        ({"SKILL.md": "x", "a/../evil": "y"}, "leads outside"),
        ({"SKILL.md": "x", "..": "y"}, "leads outside"),
        ({"SKILL.md": "x", "/etc/passwd": "y"}, "leads outside"),
        ({"SKILL.md": "x", "../evil/": ""}, "leads outside"),
        ({"SKILL.md": "x", "a\\..\\b": "y"}, "leads outside"),
        ({"SKILL.md": "x", "\\\\host\\share": "y"}, "leads outside"),
        ({"SKILL.md": "x", "c:evil": "y"}, "leads outside"),
        ({"SKILL.md": "x", "C:/evil": "y"}, "leads outside"),
        ({"SKILL.md": "x", "a:stream": "y"}, "leads outside"),
        ({"SKILL.md": "x", "a\nb": "y"}, "control character"),
        ({"SKILL.md": "x", "a\x85b": "y"}, "control character"),
        ({"SKILL.md": "x", "é" * 126: "y"}, "longer than"),
        ({"SKILL.md": "x", "/".join(["a" * 100] * 5): "y"}, "longer than"),
        ({"SKILL.md": "x", "a": "1", "A": "2"}, "one file on some systems"),
        ({"SKILL.md": "x", "r/ß": "1", "R/SS": "2"}, "one file on some systems"),
        ({"SKILL.md": "x", "caf\u00e9": "1", "cafe\u0301": "2"}, "one file on some systems"),
        ({"SKILL.md": "x", "a": "1", "a/b": "2"}, "both as a file and as a folder"),
        ({"SKILL.md": "x", "a": "1", "A/b": "2"}, "both as a file and as a folder"),
        ({"SKILL.md": "x", "a/b/c/d": "1", "a/b": "2"}, "both as a file and as a folder"),
        ({"SKILL.md": b"\xff\xfe"}, "UTF-8"),
        ({"SKILL.md": "x", **{f"f{n}": "" for n in range(MAX_FILES)}}, "501 files; at most 500"),
        ({"SKILL.md": "x", **{f"f{n}/": "" for n in range(20_001)}}, "more than 20000 entries"),
        ({"SKILL.md": "x", "big": b"\0" * (1 << 20), "noise": NOISE[:5_000]}, "more than 100 times its size"),
    ],
)
def test_a_zip_that_is_no_skill_is_refused_with_a_sentence(files: dict[str, str | bytes], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        unpack(zipped(files))


def test_exactly_as_many_files_and_as_long_paths_are_taken_as_is_said() -> None:
    names = ["a" * MAX_NAME, "a" * 249 + "/" + "b" * (MAX_PATH - 250)]
    files: Files = {"SKILL.md": b"x", **dict.fromkeys(names, b""), **{f"f{n}": b"" for n in range(MAX_FILES - 3)}}
    assert len(unpack(zipped(files))) == MAX_FILES


def test_a_name_that_comes_twice_is_refused() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = zipped([("SKILL.md", "x"), ("a", "1"), ("a", "2")])
    for candidate in (
        data,
        zipped([("SKILL.md", "x"), ("a", "1"), ("./a", "2")]),
        zipped([("SKILL.md", "x"), ("r/a", "1"), ("r//a", "2")]),
    ):
        with pytest.raises(InvalidRequest, match="twice"):
            unpack(candidate)


def test_more_bytes_than_a_skill_may_have_are_refused_before_any_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_UNPACKED", 1 << 20)
    monkeypatch.delattr(zipfile.ZipFile, "read")
    with pytest.raises(InvalidRequest, match="unpack to more than 1048576 bytes"):
        unpack(zipped({"SKILL.md": SKILL_MD, "noise": NOISE}))


def test_a_zip_of_more_bytes_than_a_skill_may_have_is_not_even_opened() -> None:
    with pytest.raises(InvalidRequest, match="larger than 53477376 bytes"):
        unpack(bytes(archive.MAX_PACKED + 1))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
@pytest.mark.parametrize("name", ["resources/x", "resources/x/"])
def test_links_and_devices_in_a_zip_are_refused(kind: int, name: str) -> None:
    with pytest.raises(InvalidRequest, match="holds a link" if kind == stat.S_IFLNK else "device or a pipe"):
        unpack(zipped([("SKILL.md", SKILL_MD), (entry(name, kind), "/etc/passwd")]))


def test_a_name_with_nul_is_refused_and_not_cut_there() -> None:
    data = zipped({"SKILL.md": SKILL_MD, "x.txtZ.py": "1"}).replace(b"x.txtZ.py", b"x.txt\0.py")
    with pytest.raises(InvalidRequest, match="control character"):
        unpack(data)


def test_an_encrypted_zip_is_refused() -> None:
    data = bytearray(zipped({"SKILL.md": SKILL_MD}))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(InvalidRequest, match="encrypted"):
        unpack(bytes(data))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compression_whose_memory_nobody_bounds_is_refused(method: int) -> None:
    info = entry("SKILL.md", stat.S_IFREG)
    info.compress_type = method
    with pytest.raises(InvalidRequest, match="other than DEFLATE"):
        unpack(zipped([(info, SKILL_MD)]))


def test_entries_that_overlap_do_not_multiply() -> None:
    """A thousand names for the same bytes, after David Fifield's "A better zip bomb" (2019)."""
    data = zipped({"SKILL.md": b"x" * 100_000})
    start = data.rindex(b"PK\x01\x02")
    one, end = data[start : data.rindex(b"PK\x05\x06")], bytearray(data[data.rindex(b"PK\x05\x06") :])
    directory = one + b"".join(one.replace(b"SKILL.md", f"f{n:07}".encode()) for n in range(400))
    struct.pack_into("<HHI", end, 8, 401, 401, len(directory))
    with pytest.raises(InvalidRequest, match="100 times its size"):
        unpack(data[:start] + directory + bytes(end))


def test_a_zip_that_lies_about_its_size_is_not_unpacked_beyond_it() -> None:
    data = bytearray(zipped({"SKILL.md": b"x" * (8 << 20)}))
    real = (8 << 20).to_bytes(4, "little")
    while (at := data.find(real)) >= 0:
        data[at : at + 4] = (10).to_bytes(4, "little")
    with pytest.raises(InvalidRequest, match="not a zip that can be read"):
        unpack(bytes(data))


def test_a_zip_that_ends_before_its_files_do_is_refused() -> None:
    data = bytearray(zipped([(entry("SKILL.md", stat.S_IFREG), SKILL_MD)]))
    struct.pack_into("<II", data, data.rindex(b"PK\x01\x02") + 20, 5_000, 5_000)
    with pytest.raises(InvalidRequest, match=r"it ends too early|Overlapped entries"):  # as later Pythons say
        unpack(bytes(data))


@given(st.binary(max_size=300))
@settings(max_examples=200)
def test_any_bytes_are_a_skill_or_refused(data: bytes) -> None:
    for candidate in (data, zipped({"SKILL.md": data}), zipped({"SKILL.md": SKILL_MD})[:-1] + data):
        with contextlib.suppress(InvalidRequest):
            assert "SKILL.md" in unpack(candidate)


@given(st.data())
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_a_damaged_zip_is_a_skill_within_the_limits_or_refused(data: st.DataObject) -> None:
    whole = bytearray(zipped({"a/SKILL.md": SKILL_MD, "a/schema.json": "{}" * 50, "a/r/b": NOISE[:200]}))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(InvalidRequest):
        files = unpack(bytes(whole))
        assert sum(map(len, files.values())) <= MAX_UNPACKED
        assert not any(name.startswith("/") or ".." in name.split("/") or "\\" in name or "\0" in name for name in files)


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\\:\0"), min_size=1, max_size=20)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)


@given(st.dictionaries(PATHS, st.binary(max_size=200), max_size=8), st.text(max_size=100))
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_files_come_out_of_a_zip_as_they_went_in_or_not_at_all(files: Files, text: str) -> None:
    try:
        once = unpack(zipped({**files, "SKILL.md": text.encode()}))
    except InvalidRequest:
        return
    assert unpack(pack(once)) == once
    assert set(once.values()) >= {content for name, content in files.items() if not archive.LITTER.intersection(name.split("/"))} - {b""}


PARTS = [
    "a",
    "A",
    "b",
    "c.txt",
    "é",
    "e\u0301",
    "ß",
    " ",
    "con",
    ".git",
    "SKILL.md",
    "skill.md",
    "..",
    ".",
    "",
    "\0",
    "\n",
    "\\",
    "c:",
    "x" * 251,
]
KINDS = [stat.S_IFREG, stat.S_IFREG, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK, stat.S_IFCHR]


def hostile(parts: list[str], kind: int, end: str) -> tuple[zipfile.ZipInfo, str]:
    return entry("/".join(parts) + end or "a", kind), "x"


HOSTILE = st.builds(
    hostile, st.lists(st.sampled_from(PARTS), min_size=1, max_size=3), st.sampled_from(KINDS), st.sampled_from(["", "", "/"])
)


@given(st.lists(HOSTILE, max_size=4))
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_what_comes_out_of_a_hostile_zip_lies_in_any_folder_as_it_is(entries: list[tuple[zipfile.ZipInfo, str]]) -> None:
    try:
        files = unpack(zipped([("SKILL.md", SKILL_MD), *entries]))
    except InvalidRequest:
        return
    with tempfile.TemporaryDirectory() as folder:
        assert from_folder(written(Path(folder), files)) == files


def test_what_compresses_too_well_is_packed_so_that_it_can_be_unpacked() -> None:
    files: Files = {"SKILL.md": SKILL_MD.encode(), "resources/white.bmp": b"\xff" * (1 << 20)}
    assert unpack(pack(files)) == files


def test_a_zip_is_the_same_whatever_the_order_of_its_files() -> None:
    files: Files = {"SKILL.md": b"x", "a": b"1", "b/c": b"2"}
    assert pack(files) == pack(dict(reversed(files.items())))
    with zipfile.ZipFile(io.BytesIO(pack(files))) as opened:
        assert [info.filename for info in opened.infolist()] == ["SKILL.md", "a", "b/c"]
        assert {info.external_attr >> 16 for info in opened.infolist()} == {0o100644}


def test_the_hash_is_of_paths_and_contents_and_of_nothing_else() -> None:
    files: Files = {"SKILL.md": b"x", "ab": b"c"}
    assert content_hash(files) == content_hash(dict(reversed(files.items()))) == content_hash(unpack(zipped(files)))
    others: list[Files] = [{"SKILL.md": b"x", "a": b"bc"}, {"SKILL.md": b"x"}, {"SKILL.md": b"xabc"}, {"SKILL.md": b"y", "ab": b"c"}]
    assert len({content_hash(files), *map(content_hash, others)}) == 5


def test_the_hash_is_the_one_that_is_written_down() -> None:
    """So that it stays: versions are named by it."""
    assert content_hash({"SKILL.md": b"x", "b/ü": b""}) == "b3032c72f0bb7fc1b1c5a1c83ac592fd525b792922d782c5219efd781cefd001"


def test_a_folder_reads_as_its_zip_does(tmp_path: Path) -> None:
    files: Files = {"SKILL.md": SKILL_MD.encode(), "resources/a/b.txt": b"x", "März.md": b"y"}
    assert from_folder(written(tmp_path, files)) == unpack(zipped(files))
    assert list(from_folder(tmp_path)) == sorted(files)


def test_a_folder_without_skill_md_is_refused(tmp_path: Path) -> None:
    written(tmp_path, {"deeper/SKILL.md": b"x"})
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InvalidRequest, match=r"no SKILL\.md"):
            from_folder(folder)


def test_a_folder_with_two_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="holds 2 files called"):
        from_folder(written(tmp_path, {"SKILL.md": b"x", "deeper/skill.md": b"x"}))


@pytest.mark.parametrize("target", ["SKILL.md", "a"])
def test_a_link_in_a_folder_is_refused_be_it_to_a_file_or_to_a_folder(tmp_path: Path, target: str) -> None:
    written(tmp_path, {"SKILL.md": b"x", "a/b": b"y"})
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(InvalidRequest, match="link is a link"):
        from_folder(tmp_path)


def test_a_pipe_or_socket_in_a_folder_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    (written(tmp_path, {"SKILL.md": b"x"}) / "r").mkdir()
    os.mkfifo(tmp_path / "r" / "pipe")
    with pytest.raises(InvalidRequest, match="device or a pipe"):
        from_folder(tmp_path)
    (tmp_path / "r" / "pipe").unlink()
    with socket.socket(socket.AF_UNIX) as listening, contextlib.chdir(tmp_path):
        listening.bind("socket")
        with pytest.raises(InvalidRequest, match="device or a pipe"):
            from_folder(tmp_path)


def test_a_folder_of_more_than_a_skill_may_have_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, {"SKILL.md": b"x", "a": bytes(1000)})
    monkeypatch.setattr(archive, "MAX_UNPACKED", 1000)
    with pytest.raises(InvalidRequest, match="more than 1000 bytes"):
        from_folder(tmp_path)
    monkeypatch.setattr(archive, "MAX_FILES", 1)
    with pytest.raises(InvalidRequest, match="more than 1 files"):
        from_folder(tmp_path)


@pytest.mark.parametrize("name", [b"a\\b", b"c:x", b"\xff", b"a\nb"])
def test_a_file_that_other_systems_could_not_hold_is_refused(tmp_path: Path, name: bytes) -> None:
    written(tmp_path, {"SKILL.md": b"x"})
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))).write_bytes(b"")
    with pytest.raises(InvalidRequest, match="path"):
        from_folder(tmp_path)
