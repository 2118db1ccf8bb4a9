"""A facility as the web room sees it: invented calls, staff, and a clock that stands still."""

from functools import partial
from pathlib import Path
from typing import Any

from switch.call.news import AuditNews, News
from switch.clock import SystemClock
from switch.errors import UserError
from switch.store import staff_store, staff_totp
from switch.store.engine import Store
from switch.store.house_keys import HouseKeys
from switch.store.staff_passwords import hash_password
from switch.store.staff_store import Grant, Role
from switch.web.hooks import Webhooks
from switch.web.server import WebServer
from switch.web.settings import WebSettings
from tests.switch.web.browser import Browser

SECRET = b"an invented secret 1"

PASSWORD = "correct horse battery"  # invented

STAFF = {
    "lee": [Grant(Role.OFFICER, "north")],
    "watch": [Grant(Role.OPS, "*")],
    "page": [Grant(Role.AUDITOR, "north")],
    "south": [Grant(Role.OFFICER, "south")],
    "affairs": [Grant(Role.INTERNAL_AFFAIRS, "north")],
}


def call(number: int, **more: Any) -> dict[str, Any]:
    return {
        "call": number,
        "state": "talking",
        "facility": "north",
        "terminal": f"N-{number}",
        "class": "ordinary",
        "privileged": False,
        "payer": "called_prepaid",
        "trunk": "east",
        "elapsed_s": 83.4,
        "talked_s": 65,
        "seconds_left": 540,
        "balance_micros": 5_400_000,
        "detections": [],
    } | more


class StillClock(SystemClock):
    def __init__(self) -> None:
        self.now = 100.0
        self.today = 1_900_000_000.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.today


class View:
    def __init__(self) -> None:
        three_way = {"kind": "three_way", "tier": "warn", "at": 1.0}
        self.rows = [
            call(11, elapsed_s=754, seconds_left=1312, balance_micros=13_120_000),
            call(12, detections=[three_way, {"kind": "hookflash", "tier": "log"}, three_way]),
            call(13, **{"class": "privileged"}, privileged=True, detections=[three_way],
                 balance_micros=None, seconds_left=None),
            call(14, facility="south", terminal="S-2", seconds_left=42, balance_micros=421_234),
            call(15, state="ringing", talked_s=None, seconds_left=None, balance_micros=9_990_000),
        ]  # fmt: skip
        self.cuts: list[tuple[Any, ...]] = []
        self.draining = False
        self.fault = ""

    def live_calls(self) -> list[dict[str, Any]]:
        return self.rows

    def trunks(self) -> list[dict[str, Any]]:
        east = {"trunk": "east", "up": True, "registered": None, "channels": 4, "channels_max": 60}
        west = {"trunk": "west", "up": False, "registered": False, "channels": 0}
        return [east, west | {"channels_max": 30}]

    def workers(self) -> list[dict[str, Any]]:
        counts = {
            "calls": 2,
            "legs": 5,
            "inspected_legs": 4,
            "ticks": 90_000,
            "late_ticks": 3,
            "shed_ticks": 50,
        }
        return [{"worker": n, "tick_ms_p99": 1.25 + n} | counts for n in range(2)]

    def is_draining(self) -> bool:
        return self.draining

    def register_fault(self) -> str:
        return self.fault

    async def cut(
        self, call: int, *, by: str, why: str, disable_terminal_s: int = 0, block: bool = False
    ) -> None:
        if not any(row["call"] == call for row in self.rows):
            raise UserError("No such call.")
        self.cuts.append((call, by, why, disable_terminal_s, block))


class Trail:
    def __init__(self) -> None:
        self.entries: list[AuditNews] = []

    def publish_nowait(self, news: News) -> None:
        assert isinstance(news, AuditNews)
        self.entries.append(news)


class Site:
    """A web server with everything behind it, not yet started."""

    def __init__(
        self,
        store: Store,
        settings: WebSettings,
        *,
        clock: SystemClock,
        cards: Webhooks | None = None,
    ) -> None:
        self.store = store
        self.clock = clock
        self._shown: dict[str, int] = {}
        self.view = View()
        self.trail = Trail()
        self.server = WebServer(
            settings,
            store=store,
            clock=clock,
            view=self.view,
            metrics=lambda: (b"kinline_calls_active 5.0\n", "text/plain; version=0.0.4"),
            audit=self.trail,
            version="1.2.3",
            cards=cards,
        )

    def browser(self, *, address: str = "127.0.0.1") -> Browser:
        return Browser(self.server.app, address=address, code_of=self.code)

    def code(self, name: str) -> str:
        """What the app of this person shows; a still clock goes on to a code not used before."""
        step = int(self.clock.wall()) // staff_totp.STEP_S
        if isinstance(self.clock, StillClock) and step <= self._shown.get(name, 0):
            self.clock.today += staff_totp.STEP_S
            step += 1
        self._shown[name] = step
        return staff_totp.code_at(SECRET, step)


async def open_site(
    path: Path,
    settings: WebSettings | None = None,
    *,
    clock: SystemClock | None = None,
    cards: Webhooks | None = None,
) -> Site:
    """Open a store with the invented staff, and a site on it."""
    site_clock = clock or StillClock()
    store = await Store.open(path / "kinline.sqlite3", clock=site_clock)
    hashed = hash_password(PASSWORD)
    for name, grants in STAFF.items():
        await store.write(
            partial(
                staff_store.put,
                name=name,
                password_hash=hashed,
                language="en",
                grants=grants,
                at_micros=1,
            )
        )
        sealed = staff_totp.seal(SECRET, key=HouseKeys(path).staff_key(), name=name)
        await store.write(partial(staff_store.set_totp, name=name, sealed=sealed))
    return Site(store, settings or WebSettings(), clock=site_clock, cards=cards)
