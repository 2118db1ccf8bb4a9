"""A family in a real browser: a code by mail, a deposit on the card page, and the new balance."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from switch.clock import SystemClock
from tests.live.test_cards import CARDS, deliver
from tests.support.peers.local_mail import LocalMail, mail_server
from tests.support.peers.local_stripe import SECRET_KEY, WEBHOOK_SECRET, LocalStripe
from tests.support.peers.local_stripe_server import stripe_server
from tests.support.switch_rig import SwitchRig, free_port
from tests.switch.web.chromium import CHROMIUM, Page, chromium

pytestmark = [
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]

NUMBER, PAT = "+15551000001", "pat@example.invalid"
MAIL = """
[outside.mail]
host = "127.0.0.1"
port = {port}
security = "none"
sender = "switch@kinline.invalid"
"""


@pytest.fixture
def stripe() -> Iterator[tuple[LocalStripe, str]]:
    local = LocalStripe()
    with stripe_server(local) as base:
        local.checkout_base = base
        yield local, base


@asynccontextmanager
async def family_rig(
    folder: Path, stripe: tuple[LocalStripe, str]
) -> AsyncIterator[tuple[SwitchRig, LocalMail]]:
    """The switch with cards and mail, and Pat's address proved as staff have it done."""
    local, base = stripe
    (folder / "stripe.key").write_text(SECRET_KEY)
    (folder / "stripe.hook").write_text(WEBHOOK_SECRET)
    async with mail_server() as mail:
        more = CARDS.format(folder=folder, base=base) + MAIL.format(port=mail.port)
        web_port = f"[web]\nport = {free_port()}"  # the card page leads back to it
        async with SwitchRig(
            folder, edit=lambda text: more + text.replace("[web]\nport = 0", web_port)
        ) as rig:
            await rig.asked("contact", "ask", account=NUMBER, mail=PAT, sms="")
            code = await mail.code_for(PAT)
            await rig.asked("contact", "prove", account=NUMBER, mail=PAT, sms="", code=code)
            web = str(rig.ready["web"])

            def tell() -> None:
                """As Stripe does, before the browser goes back."""
                local.now = int(SystemClock().wall())
                for event in local.events:
                    assert deliver(web, *local.delivery(event))[0] == 200

            local.on_paid = tell
            yield rig, mail


async def signed_in(page: Page, web: str, mail: LocalMail) -> None:
    await page.open(f"{web}/")
    await shown(page, "#address")
    await page.ask(f"document.querySelector('#address').value = '{PAT}'")
    mail.mails.clear()
    await page.ask("document.querySelector('main form').requestSubmit()")
    await shown(page, "#code")
    code = await mail.code_for(PAT)
    await page.ask(f"document.querySelector('#code').value = '{code}'")
    await page.ask("document.querySelector('#code').form.requestSubmit()")
    await shown(page, ".balance")


async def shown(page: Page, what: str) -> None:
    """Wait for a page that is whole and has this in it."""
    await page.until(f"document.readyState === 'complete' && document.querySelector('{what}')")


async def text(page: Page) -> str:
    return str(await page.ask("document.body.innerText"))


async def test_a_family_signs_in_pays_in_and_sees_the_balance(
    tmp_path: Path, stripe: tuple[LocalStripe, str]
) -> None:
    local, _ = stripe
    async with family_rig(tmp_path, stripe) as (rig, mail), chromium() as page:
        web = str(rig.ready["web"])
        await signed_in(page, web, mail)
        assert "$1.00" in await text(page)
        await page.ask("document.querySelector('.balance a.button').click()")
        await shown(page, "#amount")
        await page.ask("document.querySelector('#amount').value = '25.50'")
        await page.ask("document.querySelector('main form').requestSubmit()")
        await shown(page, "#card-page")
        assert re.search(r"Fee\s+\$0\.00\s+Total\s+\$25\.50", await text(page))
        assert "$1.00" not in await text(page)  # nothing is there before it is paid
        await page.ask("document.querySelector('#card-page').click()")
        await shown(page, "#pay")
        await page.ask("document.querySelector('#pay').requestSubmit()")
        await shown(page, ".paid")
        assert "$26.50" in await text(page)
        assert not any(method == "GET" for method, *_ in local.requests)  # the webhook told
        account = await rig.asked("account", "show", account=NUMBER)
        assert account["posted"] == "26.50"
        await page.open(await page.ask("location.href"))  # loading again pays nothing again
        account = await rig.asked("account", "show", account=NUMBER)
        assert account["posted"] == "26.50"
        assert (await rig.asked("ledger", "verify")) == {"sound": True, "faults": []}
        assert page.said == []


async def test_nothing_is_wider_than_a_small_telephone_or_smaller_than_a_thumb(
    tmp_path: Path, stripe: tuple[LocalStripe, str]
) -> None:
    async with family_rig(tmp_path, stripe) as (rig, mail), chromium() as page:
        web = str(rig.ready["web"])
        size = {"width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": True}
        await page.order("Emulation.setDeviceMetricsOverride", **size)
        await page.order("Emulation.setScriptExecutionDisabled", value=False)
        await signed_in(page, web, mail)
        home = await page.ask("location.pathname")
        for path in (
            "",
            "/calls",
            "/money",
            "/deposit",
            "/reload",
            "/blocks",
            "/back",
            "/people",
            "/addresses",
        ):
            for language in ("en", "es"):
                await page.open(f"{web}{home}{path}?lang={language}")
                assert await page.ask("document.documentElement.scrollWidth") <= 320, path
                small = await page.ask(
                    "[...document.querySelectorAll('a, button, input:not([type=hidden]), select')]"
                    ".filter(e => !e.closest('.skip') && !e.matches('.skip, [type=radio],"
                    " [type=checkbox]') && e.getBoundingClientRect().height < 43.5)"
                    ".map(e => e.outerHTML.slice(0, 80)).join('\\n')"
                )
                assert small == "", path
