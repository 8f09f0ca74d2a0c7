"""`heliograph doctor` on recordings: which of the usual codecs the installed FFmpeg decodes, and which it makes."""

from __future__ import annotations

import subprocess
import sys

from heliograph.cli.finding import Finding

TIMEOUT = 60.0
READ = {
    "H.264": "h264", "HEVC": "hevc", "VP8": "vp8", "VP9": "vp9", "AV1": "libdav1d av1", "MPEG-4": "mpeg4",
    "AAC": "aac", "MP3": "mp3 mp3float", "Opus": "opus libopus", "Vorbis": "vorbis", "FLAC": "flac", "ALAC": "alac", "PCM": "pcm_s16le",
}  # fmt: skip
MADE = {"H.264": "libx264", "AAC": "aac", "MP3": "libmp3lame"}
"""What clips, films and sound are written as."""
PROGRAM = """
import sys
import av
from av.codec import Codec
def able(names, mode):
    for name in names.split():
        try:
            return bool(Codec(name, mode))
        except ValueError:
            continue
for line in sys.argv[1:]:
    mode, called, names = line.split("|")
    print(mode, called, able(names, mode) or False, sep="|")
print("v", av.__version__, av.ffmpeg_version_info, sep="|")
"""


def recordings() -> Finding:
    """Ask FFmpeg in another process."""
    asked = [f"{mode}|{called}|{names}" for mode, table in (("r", READ), ("w", MADE)) for called, names in table.items()]
    mend = "pip install --force-reinstall av"
    try:
        run = subprocess.run([sys.executable, "-c", PROGRAM, *asked], capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return Finding("bad", "recordings", f"FFmpeg did not answer in {TIMEOUT:g} s", mend)
    if run.returncode:
        last = (run.stderr.strip().splitlines() or [f"exit code {run.returncode}"])[-1]
        return Finding("bad", "recordings", f"FFmpeg cannot be used: {last}", mend)
    rows = [line.split("|") for line in run.stdout.splitlines()]
    (_, package, version) = rows.pop()
    lacking = [called for mode, called, able in rows if mode == "r" and able != "True"]
    unmade = [called for mode, called, able in rows if mode == "w" and able != "True"]
    said = f"PyAV {package} with FFmpeg {version}: {len(READ) - len(lacking)} of {len(READ)} usual codecs are decoded"
    said += f"; without {', '.join(lacking)}" if lacking else ""
    said += f"; {', '.join(unmade)} cannot be written" if unmade else ""
    return Finding("note" if lacking or unmade else "ok", "recordings", said, mend if lacking or unmade else "")
