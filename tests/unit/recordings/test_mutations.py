"""Recordings with bytes changed at random: each plays, or is refused by an error of the tree, and the child that opens them lives on."""

import random
from collections import Counter
from pathlib import Path

from heliograph.children import ChildPool
from heliograph.errors import MediaError
from heliograph.media.content import Limits, Playable
from heliograph.media.document import PageImage
from heliograph.media.recording import Piece, Recording
from tests.unit.recordings.recorded import beeps, picture, write

FORMS: list[tuple[str, str | None]] = [
    ("mp4", "aac"),
    ("matroska", "aac"),
    ("mpegts", "aac"),
    ("avi", "libmp3lame"),
    ("flv", "aac"),
    ("ogg", None),
    ("wav", None),
    ("mp3", None),
]
ALONE = {"ogg": "libopus", "wav": "pcm_s16le", "mp3": "libmp3lame"}


def mutated(data: bytes, chance: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(chance.choice((1, 2, 5, 20))):
        place = chance.randrange(min(len(out), 600) if chance.random() < 0.5 else len(out))
        kind = chance.random()
        if kind < 0.5:
            out[place] = chance.randrange(256)
        elif kind < 0.75:
            out[place : place + 4] = chance.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"))
        else:
            del out[place : place + chance.randrange(1, 200)]
    return bytes(out) or b"\0"


async def test_changed_bytes_never_break_more_than_their_own_file(tmp_path: Path) -> None:
    chance = random.Random(7)
    sources: list[bytes] = []
    for form, codec in FORMS:
        path, sound = tmp_path / form, beeps(2.0, [0.5, 1.5], 48_000)
        drawn = (picture(number) for number in range(20)) if codec else ()
        write(path, sound=sound, rate=48_000, pictures=drawn, audio=codec or ALONE[form], form=form)
        sources.append(path.read_bytes())
    outcomes: Counter[str] = Counter()
    limits = Limits(max_duration=600.0)
    path = tmp_path / "changed"
    async with ChildPool("heliograph.media.playing", recycle_after=1_000) as pool:
        await pool.start()
        pids = pool.pids
        for _ in range(80):
            path.write_bytes(mutated(chance.choice(sources), chance))
            try:
                recording = await pool.call("inspect", path, limits, timeout=20, returns=Recording)
                played = Playable(str(path), recording.duration, recording.even, 1, limits)
                if recording.audio:
                    await pool.call("sound", played, 0, 160_000, timeout=20, returns=Piece)
                if recording.video:
                    await pool.call("frame", played, recording.duration * 0.7, 64, timeout=20, returns=PageImage)
                outcomes["played"] += 1
            except MediaError as error:
                outcomes[type(error).__name__] += 1
        assert pool.pids == pids
    assert outcomes["played"] > 20, outcomes
    assert outcomes["CorruptMedia"] > 3, outcomes
