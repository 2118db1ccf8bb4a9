"""The real switch and our own Stripe on ports of this machine: money by card, in and back out."""

import asyncio
import http.client
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from switch.clock import SystemClock
from tests.live.test_postgres import STORE, prepared
from tests.support.peers.local_stripe import SECRET_KEY, WEBHOOK_SECRET, LocalStripe
from tests.support.peers.local_stripe_server import stripe_server
from tests.support.peers.postgres import binaries, postgres_server
from tests.support.switch_rig import SwitchRig

pytestmark = [pytest.mark.live, pytest.mark.slow]

NUMBER = "+15551000001"
CARDS = """
[outside.stripe]
secret_key_file = "{folder}/stripe.key"
webhook_secret_file = "{folder}/stripe.hook"
api_base = "{base}"
"""


@pytest.fixture
def stripe() -> Iterator[tuple[LocalStripe, str]]:
    """Our own Stripe, and where it serves."""
    local = LocalStripe()
    with stripe_server(local) as base:
        yield local, base


def deliver(web: str, body: bytes, signature: str) -> tuple[int, str]:
    """Tell the switch, as Stripe does."""
    at = urlsplit(web)
    link = http.client.HTTPConnection(at.hostname or "", at.port, timeout=10)
    try:
        link.request("POST", "/hooks/stripe", body=body, headers={"stripe-signature": signature})
        answer = link.getresponse()
        return answer.status, answer.read().decode()
    finally:
        link.close()


@pytest.fixture(params=["file", "postgres"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """What the configuration says of where the ledger is."""
    if request.param == "file":
        yield ""
        return
    if binaries() is None:
        pytest.skip("no PostgreSQL; deploy/install-peers installs one")
    with postgres_server() as server:
        await prepared(server, tmp_path)
        yield STORE


async def test_money_comes_by_card_and_goes_back_to_it(
    tmp_path: Path, stripe: tuple[LocalStripe, str], ledger: str
) -> None:
    local, base = stripe
    (tmp_path / "stripe.key").write_text(SECRET_KEY)
    (tmp_path / "stripe.hook").write_text(WEBHOOK_SECRET)
    cards = ledger + CARDS.format(folder=tmp_path, base=base)
    async with SwitchRig(tmp_path, edit=lambda text: cards + text) as rig:

        async def tell(event: dict[str, object]) -> tuple[int, str]:
            local.now = int(SystemClock().wall())
            return await asyncio.to_thread(deliver, str(rig.ready["web"]), *local.delivery(event))

        page = await rig.asked("account", "deposit", account=NUMBER, amount="20", save_card=True)
        assert page["page"].startswith("https://checkout.stripe.invalid/")
        session = next(name for name in local.objects if name.startswith("cs_"))
        assert local.pay(session)
        assert (await asyncio.to_thread(deliver, str(rig.ready["web"]), b"{}", "t=1,v1=00"))[
            0
        ] == 400
        for event in (*reversed(local.events), *local.events):
            assert (await tell(event))[0] == 200
        shown = await rig.asked("account", "show", account=NUMBER)
        assert shown["posted"] == "21.00"
        given = {"below": "50", "amount": "30", "zone": "UTC", "consent": True}
        agreed = await rig.asked("account", "reload", account=NUMBER, **given)
        assert agreed["state"] == "on"

        async with asyncio.timeout(15):
            while (await rig.asked("account", "show", account=NUMBER))["posted"] != "51.00":
                await asyncio.sleep(0.2)

        closed = await rig.asked("account", "close", account=NUMBER)
        assert closed["paid_back"] == "51.00"

        async with asyncio.timeout(15):
            while any(
                row["state"] != "done"
                for row in await rig.asked("payout", "list", way="stripe", state="", rows=10)
            ):
                await asyncio.sleep(0.2)

        refunded = [
            thing["_refunded"] for name, thing in local.objects.items() if name.startswith("pi_")
        ]
        assert sorted(refunded) == [2000, 3000]
        assert (await rig.asked("ledger", "verify")) == {"sound": True, "faults": []}
