"""Functions that the tests of the pool run in children."""

import os
import time

import msgspec

from heliograph.errors import EncryptedMedia
from heliograph.media.geometry import Box


class Pair(msgspec.Struct):
    box: Box
    data: bytes


def echo(pair: Pair, factor: int) -> Pair:
    assert isinstance(pair.box, Box)
    return Pair(pair.box, pair.data * factor)


def pid() -> int:
    return os.getpid()


def sleep(seconds: float) -> str:
    time.sleep(seconds)
    return "slept"


def spin() -> None:
    while True:
        pass


def die(signal: int) -> None:
    os.kill(os.getpid(), signal)


def eat(size: int) -> int:
    return len(bytearray(size))


def refuse() -> None:
    raise EncryptedMedia("Needs a password.", param="file")


def stumble() -> None:
    raise ValueError("oops")


def environment() -> dict[str, str]:
    return dict(os.environ)


held: list[bytearray] = []


def hold(size: int) -> None:
    block = bytearray(size)
    block[::4096] = b"x" * len(block[::4096])
    held.append(block)


def start_grandchild() -> int:
    import subprocess

    return subprocess.Popen(["sleep", "600"]).pid
