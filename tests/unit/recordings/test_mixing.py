import numpy as np
import pytest

from heliograph.media.mixing import Mixer, Sound

VOICE = (np.sin(np.arange(32_000) * 2 * np.pi * 1528 / 32_000) * 0.4).astype(np.float32)
NOTHING = np.zeros_like(VOICE)


def mixed(*channels: Sound, block: int = 3_200) -> Sound:
    mixer, sound = Mixer(len(channels)), np.stack(channels)
    return np.concatenate([mixer.mixed(sound[:, at : at + block]) for at in range(0, sound.shape[1], block)])


@pytest.mark.parametrize(
    "channels",
    [(VOICE,), (VOICE, VOICE), (VOICE, NOTHING), (NOTHING, VOICE), (VOICE, -VOICE), (NOTHING, NOTHING, VOICE, NOTHING, NOTHING, NOTHING)],
    ids=["one", "twice", "left", "right", "wired the wrong way round", "the middle of six"],
)
def test_one_voice_is_as_loud_as_it_was_whichever_channels_it_is_on(channels: tuple[Sound, ...]) -> None:
    assert np.abs(mixed(*channels)).max() == pytest.approx(0.4, rel=0.03)


def test_who_speaks_in_turn_on_a_channel_each_is_heard_as_loud_without_clicks() -> None:
    left, right = np.concatenate([VOICE, NOTHING]), np.concatenate([NOTHING, VOICE])
    sound = mixed(left, right)
    assert np.abs(sound[24_000:32_000]).max() == pytest.approx(0.4, rel=0.05)
    assert np.abs(sound[-8_000:]).max() == pytest.approx(0.4, rel=0.05)
    assert np.abs(np.diff(sound)).max() < 0.4 * 0.3 * 1.2


def test_silence_stays_silent() -> None:
    assert not mixed(NOTHING, NOTHING).any()
