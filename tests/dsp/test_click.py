import numpy as np
import pytest

from dsp.event import Kind
from dsp.leg import Note, NoteKind
from tests.corpus.voices import MAN, WOMAN, Sound, Talker, noise, silence, talk
from tests.dsp.listening import heard

FLASH = frozenset({Kind.HOOKFLASH})


def click(rng: np.random.Generator) -> Sound:
    """A burst of 5 ms."""
    t = np.arange(40)
    return 0.6 * rng.standard_normal(40) * np.exp(-t / 8.0)


def flash(apart_s: float, rng: np.random.Generator, before: Sound) -> Sound:
    parts = [before, click(rng), silence(apart_s), click(rng), silence(1.0)]
    sound = np.concatenate(parts)
    return sound + noise(len(sound) / 8000 + 1, -60, rng)[: len(sound)]


@pytest.mark.parametrize("apart_s", [0.35, 0.6, 1.0])
@pytest.mark.parametrize("offset", [0, 55, 110])
def test_a_pair_of_clicks_with_quiet_between_is_a_hookflash(apart_s: float, offset: int) -> None:
    rng = np.random.default_rng(offset)
    before = np.concatenate([silence(0.5), np.zeros(offset)])
    found = heard(flash(apart_s, rng, before), kinds=FLASH)
    assert len(found) == 1
    assert float(found[0].value) == pytest.approx(apart_s, abs=0.05)


@pytest.mark.parametrize("apart_s", [0.15, 1.5])
def test_clicks_too_near_or_too_far_apart_are_none(apart_s: float) -> None:
    rng = np.random.default_rng(1)
    assert heard(flash(apart_s, rng, silence(0.5)), kinds=FLASH) == []


def test_a_single_click_is_none() -> None:
    rng = np.random.default_rng(2)
    sound = np.concatenate([silence(0.5), click(rng), silence(2.0)])
    assert heard(sound, kinds=FLASH) == []


@pytest.mark.parametrize("talker", [MAN, WOMAN])
def test_talk_has_no_hookflash(talker: Talker) -> None:
    assert heard(talk(talker, 60, np.random.default_rng(3)), kinds=FLASH) == []


def test_a_signalled_flash_is_a_hookflash_with_its_form() -> None:
    found = heard(silence(0.1), kinds=FLASH, notes=[Note(NoteKind.FLASH, form="event_16")])
    assert [event.value for event in found] == ["event_16"]
