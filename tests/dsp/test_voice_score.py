"""The score of voice activity: talk is told from noise, and the area under the curve is one."""

import numpy as np
import pytest

from dsp.voice_score import BEHIND_FRAMES, SCORE_MIN
from tests.corpus.scenes import frames
from tests.corpus.voices import MAN, WOMAN, Talker, noise, silence, talk
from tests.detection.activity import scores
from tests.detection.activity_scenes import area, coloured


@pytest.mark.parametrize("talker", [MAN, WOMAN])
def test_talk_scores_above_the_noise_around_it(talker: Talker) -> None:
    rng = np.random.default_rng(4)
    quiet = silence(3)
    sound = np.concatenate([quiet, talk(talker, 6, rng), quiet])
    clean = np.mean(sound.reshape(-1, 160) ** 2, axis=1)
    pink = coloured(len(sound), rng).astype(np.float64)
    sound = sound + pink / np.std(pink) * np.sqrt(np.mean(clean[clean > 0])) / 10**0.25
    told, _ = scores([frames(sound)])
    truth = clean[50:-BEHIND_FRAMES] > np.quantile(clean[clean > 0], 0.3)
    silent = clean[50:-BEHIND_FRAMES] == 0
    about = told[50 + BEHIND_FRAMES :, 0]
    assert np.mean(about[truth] >= SCORE_MIN) > 0.9
    assert np.mean(about[silent] >= SCORE_MIN) < 0.3


def test_a_steady_room_is_no_talk() -> None:
    told, _ = scores([frames(noise(6, -30, np.random.default_rng(5)))])
    assert np.mean(told[100:] >= SCORE_MIN) < 0.2


def test_the_area_is_the_share_of_pairs_in_the_right_order() -> None:
    active = np.array([True, True, False, False])
    assert area([3.0, 2.0, 1.0, 0.0], active) == 1.0
    assert area([0.0, 1.0, 2.0, 3.0], active) == 0.0
    assert area([1.0, 1.0, 1.0, 1.0], active) == 0.5
    assert area([3.0, 0.0, 2.0, 1.0], active) == 0.5
