"""`heliograph doctor` on speech: which engine hears, tried on a recording that one of the packages holds."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from heliograph.cli.finding import Finding

if TYPE_CHECKING:
    from heliograph.config import Settings

TRIAL_TIMEOUT = 180.0
PROGRAM = """
import asyncio, sys, time
from heliograph.config import Settings
from heliograph.errors import HeliographError
from heliograph.perception.reader import Reader
from heliograph.perception.speech.hearing import Hearing
from heliograph.perception.weights import SPEECH_SAMPLE, weights
async def main():
    async with Reader(Settings()) as reader:
        path = weights(*SPEECH_SAMPLE)
        recording = await reader.player.inspect(path)
        started = time.monotonic()
        transcript = await reader.listener.transcript(path, recording, Hearing(language="en"))
        if "again" not in transcript.text.lower():
            sys.exit("it hears " + repr(transcript.text[:80]))
        print(f"{recording.duration:.0f} s heard in {time.monotonic() - started:.1f} s, engine loaded from cold")
try:
    asyncio.run(main())
except HeliographError as error:
    sys.exit(error.message)
"""


def speech(settings: Settings) -> Finding:
    """Hear ten seconds in another process. An endpoint is sent them, as it is sent what clients bring."""
    who, mend = "embedded, English only", "pip install --force-reinstall heliograph"
    if settings.speech_url:
        who, mend = f"endpoint {settings.speech_url}", "check HELIOGRAPH_SPEECH_URL, HELIOGRAPH_SPEECH_MODEL and HELIOGRAPH_SPEECH_KEY"
    elif settings.whisper_model is not None:
        who, mend = f"Whisper in {settings.whisper_model}", "check HELIOGRAPH_WHISPER_MODEL; see docs/how-to/speech.md"
    try:
        run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=TRIAL_TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return Finding("bad", "speech", f"{who}: hearing ten seconds took longer than {TRIAL_TIMEOUT:g} s", mend)
    if run.returncode:
        last = (run.stderr.strip().splitlines() or [f"exit code {run.returncode}"])[-1]
        return Finding("bad", "speech", f"{who}: {last}", mend)
    return Finding("ok", "speech", f"{who}: {run.stdout.strip().splitlines()[-1]}")
