"""A payer with a landline: the switch calls them over a trunk, speaks a code, and they sign in."""

import asyncio
from pathlib import Path

import pytest

from switch.call.speech import phrase
from switch.lab.phone import PhoneCall
from switch.media.phrase import Digits
from switch.media.prompt_book import PhraseBook
from tests.support.switch_rig import ROOT, SwitchRig, next_call, within
from tests.support.web_client import WebClient

pytestmark = [pytest.mark.live, pytest.mark.slow]

LANDLINE = "15552010188"
LEAST_BYTES = 800
"""A tenth of a second of a spoken digit: none of them has so much in common with another."""


def speaking(text: str) -> str:
    return f"[outside]\nspoken_codes = true\n{text}"


def digit_sounds(rig: SwitchRig, language: str) -> dict[str, bytes]:
    """The loudest stretch of each digit's sound."""
    book = PhraseBook(rig.data, ROOT / "config" / "prompts")
    sounds = {}
    for digit in "0123456789":
        (file, *_) = book.render([phrase("code_digit", d=Digits(digit))], language)
        sound = file.read_bytes()
        middle = len(sound) // 2
        sounds[digit] = sound[middle - LEAST_BYTES // 2 : middle + LEAST_BYTES // 2]
    return sounds


def heard_digits(call: PhoneCall, sounds: dict[str, bytes]) -> str:
    """Read the digits out of what a telephone heard, in the order in which they came."""
    heard = b"".join(one.payload for one in call.media.heard)
    found = []
    for digit, sound in sounds.items():
        at = heard.find(sound)
        while at >= 0:
            found.append((at, digit))
            at = heard.find(sound, at + 1)
    return "".join(digit for _, digit in sorted(found))


async def asked_for(web: WebClient, language: str = "en") -> str:
    page = await asyncio.to_thread(web.get, f"/family/sign-in?lang={language}")
    form = {"address": LANDLINE, "by": "voice", "csrf": page.csrf}
    answer = await asyncio.to_thread(web.post, "/family/sign-in", form)
    assert answer.status == 200, answer.text
    return answer.csrf


async def ready(rig: SwitchRig, language: str) -> None:
    """Wait until the sentences of codes are made: a first start makes them beside its calls."""
    book = PhraseBook(rig.data, ROOT / "config" / "prompts")
    said = [phrase("code_greeting"), phrase("code_again"), phrase("code_end")]
    async with asyncio.timeout(120):
        while book.missing([*said, phrase("code_digit", d=Digits("0"))], language):
            book.forget()
            await asyncio.sleep(0.5)


@pytest.mark.parametrize("language", ["en", "es"])
async def test_a_code_is_spoken_twice_and_lets_its_owner_in(tmp_path: Path, language: str) -> None:
    async with SwitchRig(tmp_path, edit=speaking) as rig:
        await ready(rig, language)
        outside = await rig.outside()
        web = WebClient(str(rig.ready["web"]))
        csrf = await asked_for(web, language)
        there = await next_call(outside)
        there.answer()
        await within(60, there.ended)
        digits = heard_digits(there, digit_sounds(rig, language))
        assert len(digits) == 12
        code = digits[:6]
        assert digits[6:] == code

        form = {"address": LANDLINE, "way": "voice", "csrf": csrf, "code": code}
        answer = await asyncio.to_thread(web.post, "/family/code", form)
        assert (answer.status, answer.location) == (303, "/family")
        assert "No account yet" in (await asyncio.to_thread(web.get, "/family?lang=en")).text
        again = await asyncio.to_thread(web.post, "/family/code", form)
        assert again.status in {403, 429}

        held = await rig.quiet()
        assert held["recorders"] == held["rings"] == held["tapes"] == held["code_calls"] == 0
        assert await rig.records() == []  # it is no call of anybody's
        assert code not in Path(rig.log.name).read_text()


async def test_who_does_not_answer_is_rung_once_and_let_go(tmp_path: Path) -> None:
    async with SwitchRig(tmp_path, edit=speaking) as rig:
        outside = await rig.outside()
        web = WebClient(str(rig.ready["web"]))
        await asked_for(web)
        there = await next_call(outside)
        there.refuse(486)
        held = await rig.quiet()
        assert held["code_calls"] == 0
        assert all(trunk["channels"] == 0 for trunk in held["trunks"])
        with pytest.raises(TimeoutError):
            await next_call(outside, seconds=3)


async def test_who_hangs_up_early_leaves_nothing_behind(tmp_path: Path) -> None:
    async with SwitchRig(tmp_path, edit=speaking) as rig:
        await ready(rig, "en")
        outside = await rig.outside()
        await asked_for(WebClient(str(rig.ready["web"])))
        there = await next_call(outside)
        there.answer()
        await asyncio.sleep(2.0)
        there.hang_up()
        held = await rig.quiet()
        assert held["code_calls"] == 0
        assert await rig.records() == []
