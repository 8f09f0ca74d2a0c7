"""Which files a program made come back, also where a filter did not keep it from making strange ones."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from heliograph.agents.sandbox.inside.values import made_files, snapshot


def test_new_and_changed_files_come_back_and_others_do_not(tmp_path: Path) -> None:
    (tmp_path / "given").write_text("x")
    (tmp_path / "changed").write_text("x")
    before = snapshot(str(tmp_path))
    (tmp_path / "changed").write_text("longer")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "new").write_text("y")
    assert made_files(str(tmp_path), before, 10, 1000) == ({"changed": b"longer", "sub/new": b"y"}, [])


def test_pipes_sockets_and_links_are_neither_opened_nor_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s")
    work = tmp_path / "work"
    work.mkdir()
    os.mkfifo(work / "pipe")
    (work / "link").symlink_to(secret)
    (work / "folder").symlink_to(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(work / "socket"))
        found, left = made_files(str(work), {}, 10, 1000)
    assert found == {}
    assert sorted(sentence.partition(":")[0] for sentence in left) == ["link", "pipe", "socket"]


def test_many_and_large_files_are_left_with_a_sentence(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(b"x" * 100)
    assert made_files(str(tmp_path), {}, 2, 1000)[1] == ["c: not kept, because more than 2 files were made"]
    found, left = made_files(str(tmp_path), {}, 10, 150)
    assert list(found) == ["a"]
    assert len(left) == 2
