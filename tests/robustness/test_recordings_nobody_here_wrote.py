"""Every file of the data folder, recording or not, is opened, heard and watched: it plays to its end, or says clearly why not."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from heliograph.config import Settings
from heliograph.errors import MediaError
from heliograph.perception.player import Player

PLAYED = ("av_formats_", "video_", "audio_", "speech_")
TRIED = ("robust_", "image_formats_")


async def test_recordings_play_to_their_end_and_other_files_are_refused(shared_data: Path, tmp_path: Path) -> None:
    items = [json.loads(line) for line in (shared_data / "manifest.jsonl").read_text().splitlines()]
    outcomes: Counter[str] = Counter()
    refused: dict[str, str] = {}
    player = Player(Settings(data_dir=tmp_path), threads=1)
    for item in items:
        if not item["set"].startswith(PLAYED + TRIED):
            continue
        path = shared_data / item["path"]
        try:
            recording = await player.inspect(path)
            if recording.audio is not None:
                heard = len(await player.sound(path, recording, 0.0, recording.duration + 1)) / 32_000
                assert heard == pytest.approx(recording.duration, abs=0.1), path
            if recording.video is not None:
                for time in (0.0, recording.duration / 2, recording.duration):
                    image = await player.frame(path, recording, time, 160)
                    assert max(image.width, image.height) <= 160, path
        except MediaError as error:
            refused[str(path)] = str(error)
        else:
            outcomes["played"] += 1
        outcomes["refused"] = len(refused)
    await player.close()
    assert not [(path, error) for path, error in refused.items() if path.removeprefix(f"{shared_data}/").startswith(PLAYED)]
    assert outcomes["played"] >= 40, outcomes
    assert outcomes["refused"] >= 200, outcomes
