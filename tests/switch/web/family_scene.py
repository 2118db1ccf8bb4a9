"""A family before its pages: a real store and house, our own Stripe, and a post that is kept."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from switch.billing.cdr import CallRecord
from switch.billing.credit import Credit
from switch.billing.ledger import Reserved
from switch.ids import AccountId, CallId
from switch.money import Micros
from switch.outside.cashier import Cashier
from switch.outside.codes import CodeDesk
from switch.outside.settings import StripeSettings
from switch.outside.sms import SmsResult
from switch.outside.stripe import Stripe
from switch.store import payer_notice
from switch.store.account_statements import NewAccount
from switch.store.account_store import AccountStore
from switch.store.engine import Store
from switch.store.house_store import HouseStore
from switch.store.meter_file import file_meters
from switch.store.record_store import RecordStore
from switch.store.vault import FileVault, Raw
from switch.web.family import Families
from switch.web.server import WebServer
from switch.web.settings import WebSettings
from tests.support.house_rig import open_house
from tests.support.money_rig import ELEVEN_CENTS
from tests.support.peers.local_stripe import SECRET_KEY, WEBHOOK_SECRET, LocalStripe
from tests.switch.web.browser import Answer, Browser
from tests.switch.web.scene import StillClock, Trail, View

PAT, SAM = "pat@example.invalid", "sam@example.invalid"
PAT_NUMBER, SAM_NUMBER = "+15552010123", "+15552010199"
DOLLAR = 1_000_000


class Post:
    """Keeps what goes out by mail, by message and by voice."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str]] = []
        """Way, address, text."""

    def compose(self, recipient: str, *, subject: str, text: str) -> EmailMessage:
        mail = EmailMessage()
        mail["To"], mail["Subject"] = recipient, subject
        mail.set_content(text)
        return mail

    async def send_now(self, mail: EmailMessage) -> bool:
        self.sent.append(("mail", str(mail["To"]), str(mail.get_content())))
        return True

    async def send(self, number: str, text: str) -> SmsResult:
        self.sent.append(("sms", number, text))
        return SmsResult.TAKEN

    async def speak(self, number: str, code: str, *, language: str) -> bool:
        self.sent.append(("voice", number, f"{language}: {code}"))
        return True

    @property
    def code(self) -> str:
        found = re.search(r"\b\d{6}\b", self.sent[-1][2])
        assert found is not None
        return found[0]


class FamilyBrowser(Browser):
    """A browser that knows how to sign in as a payer."""

    post_room: Post

    async def ask_code(self, address: str, by: str = "sms") -> Answer:
        page = await self.get("/family/sign-in")
        form = {"address": address, "by": by, "csrf": page.csrf}
        answer = await self.post("/family/sign-in", form)
        for _ in range(5):  # what sends the codes has its turn
            await asyncio.sleep(0)
        return answer

    async def enter(self, address: str, by: str = "sms") -> Answer:
        """Sign in with the code that came."""
        page = await self.ask_code(address, by)
        assert page.status == 200, page.text
        form = {"address": address, "way": "mail" if "@" in address else by, "csrf": page.csrf}
        return await self.post("/family/code", form | {"code": self.post_room.code})

    async def get_bytes(self, path: str) -> bytes:
        """A file that is no text."""
        kept: list[bytes] = []
        whole = self._app

        async def keeping(scope: Any, receive: Any, send: Any) -> None:
            async def keep(message: Any) -> None:
                kept.append(message.pop("body", b""))
                await send(message)

            await whole(scope, receive, keep)

        self._app = keeping
        try:
            await self.get(path)
        finally:
            self._app = whole
        return b"".join(kept)

    async def submit(self, path: str, form: dict[str, str], *, at: str = "/family") -> Answer:
        """Send a form with the token of a page that is open."""
        page = await self.get(at)
        if page.status == 303:
            page = await self.get(page.headers["location"])
        return await self.post(path, {"csrf": page.csrf} | form)


class FamilySite:
    def __init__(
        self,
        store: Store,
        houses: HouseStore,
        clock: StillClock,
        folder: Path,
        settings: WebSettings,
    ) -> None:
        self.store, self.clock = store, clock
        self.vault = FileVault(store)
        self.houses = houses
        self.post = Post()
        self.trail = Trail()
        self.stripe = LocalStripe(now=int(clock.wall()))
        self.accounts = AccountStore(self.vault)
        self.records = RecordStore(store)
        for name, secret in (("key", SECRET_KEY), ("hook", WEBHOOK_SECRET)):
            (folder / name).write_text(secret)
        card_settings = StripeSettings(
            secret_key_file=str(folder / "key"), webhook_secret_file=str(folder / "hook")
        )
        self.cashier = Cashier(
            Stripe(card_settings, self.stripe),
            webhook_secret=WEBHOOK_SECRET,
            vault=self.vault,
            clock=clock,
            origin="http://127.0.0.1:8080",
        )
        self.codes = CodeDesk(
            self.vault, key=b"k" * 32, mails=self.post, messages=self.post, speaker=self.post
        )
        self.server = WebServer(
            settings,
            store=store,
            clock=clock,
            view=View(),
            metrics=lambda: (b"", "text/plain"),
            audit=self.trail,
            version="1.2.3",
            cards=self.cashier,
            families=Families(
                vault=self.vault,
                store=store,
                houses=houses,
                codes=self.codes,
                cashier=self.cashier,
            ),
        )

    def browser(self, *, address: str = "192.0.2.7") -> FamilyBrowser:
        browser = FamilyBrowser(self.server.app, address=address)
        browser.post_room = self.post
        return browser

    async def open(self, *contacts: str, number: str, kind: str = "called_prepaid") -> AccountId:
        account = await self.accounts.open(
            NewAccount(
                kind=kind,
                numbers=(number,),
                approves="all",
                owner="" if kind == "called_prepaid" else "Casey Counsel",
                floor=Micros(-30 * DOLLAR if kind == "called_direct" else 0),
            )
        )

        def deed(raw: Raw) -> None:
            for one in contacts:
                way = "mail" if "@" in one else "sms"
                payer_notice.add_contact(raw, account, way, one, at=self.clock.wall())

        await self.vault.write(deed)
        return account

    async def fund(self, account: AccountId, dollars: int) -> None:
        await self.accounts.fund(account, Micros(dollars * DOLLAR), ref=f"cash{account}-{dollars}")

    async def record(self, call: int, number: str, reason: str, **more: Any) -> None:
        at = self.clock.wall()
        fields: dict[str, Any] = {
            "facility": "F1",
            "person": "123456",
            "phase": "talking",
            "released_by": "b",
        }
        fields |= {"off_hook_at": at - 100, "ended_at": at} | more
        await self.records.save(
            CallRecord(call_id=CallId(call), number=number, reason=reason, **fields)
        )

    async def talk(
        self, call: int, account: AccountId, number: str, *, seconds: int = 20, **more: Any
    ) -> int:
        """A call that was talked, charged and written down; return its charge."""
        meters = file_meters(self.store)
        credit = more.pop("credit", Credit.NONE)
        await meters.begin_epoch("n1", "boot")
        held = await meters.reserve(CallId(call), account, ELEVEN_CENTS, facility="F1", scopes=())
        assert isinstance(held, Reserved)
        settled = await meters.settle(CallId(call), seconds=seconds, credit=credit)
        fields: dict[str, Any] = {
            "reason": "called_hangup",
            "talked_s": float(seconds),
            "account": account,
        }
        await self.record(call, number, **(fields | more))
        return settled.charged

    async def told(self) -> list[str]:
        """Deliver everything that Stripe has to tell."""
        self.stripe.now = int(self.clock.wall())
        events, self.stripe.events = self.stripe.events, []
        return [await self.cashier.webhook(*self.stripe.delivery(event)) for event in events]


@asynccontextmanager
async def family_site(
    folder: Path, settings: WebSettings | None = None, *, clock: StillClock | None = None
) -> AsyncIterator[FamilySite]:
    """Open the scene, with what sends codes at work."""
    at = clock or StillClock()
    async with open_house(folder, at) as (store, houses):
        site = FamilySite(store, houses, at, folder, settings or WebSettings())
        async with asyncio.TaskGroup() as group:
            work = group.create_task(site.codes.run())
            yield site
            work.cancel()
