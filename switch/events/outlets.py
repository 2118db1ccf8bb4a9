"""Everything that leaves the switch as news, built and run as one: metrics, MQTT, audit trail.

`publish_nowait` is the switchboard's side. `start` opens the embedded broker if there is one,
`run` belongs into the TaskGroup of the application, `close` says goodbye before the store closes.
"""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, Final

from switch.call.news import AuditHeadNews, News, Publisher, StatusNews
from switch.clock import Clock
from switch.errors import LocalError, SettingsError, StoreError
from switch.events.audit import AuditTrail
from switch.events.commands import CommandDesk, Orders
from switch.events.kernel import KernelDrops
from switch.events.metrics import Metrics
from switch.events.mqtt import Broker, MqttClient, read_password
from switch.events.publisher import Fanout
from switch.events.series import Names
from switch.events.settings import EventsSettings, MqttSettings
from switch.events.topics import Place, stamp
from switch.sip.counts import StackCounts
from switch.store.engine import Store

if TYPE_CHECKING:
    from switch.events.broker import EmbeddedBroker

HEADS_FILE: Final = "audit-heads.jsonl"

GOODBYE_S_MAX: Final = 2.0
"""How long the last events may take to reach the broker. Chosen: a restart waits for it."""


class Outlets:
    """A Publisher that reaches everybody.

    Args:
        settings: table `[events]`.
        store: where the audit trail is.
        clock: stamps what is said here.
        node: the name of this node.
        version: of the switch.
        names: trunks and reasons that metrics shall show at 0 from the start.
    """

    def __init__(
        self,
        settings: EventsSettings,
        *,
        store: Store,
        clock: Clock,
        node: str,
        version: str = "",
        names: Names | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._version = version
        self._place = Place(node=node, site=settings.mqtt.site or node)
        self.metrics = Metrics(names or Names(), version=version)
        self.audit = AuditTrail(store=store, clock=clock, audit_max=settings.audit_max)
        self._listeners: list[Publisher] = [self.metrics, self.audit]
        self._fanout = Fanout(self._listeners, news_max=settings.news_max)
        self._kernel = KernelDrops()
        self._broker: EmbeddedBroker | None = None
        self._mqtt: MqttClient | None = None
        self.mqtt_url = ""
        """Where consumers connect, once started; '' without MQTT."""

    def add(self, listener: Publisher) -> None:
        """Let somebody else hear everything, too (the control socket, the lab)."""
        self._listeners.append(listener)
        self._fanout.listen(self._listeners)

    def publish_nowait(self, news: News) -> None:
        """See Publisher."""
        self._fanout.publish_nowait(news)

    async def start(self, orders: Orders | None = None) -> None:
        """Open the broker if it is ours, and get ready to connect.

        Args:
            orders: what commands by MQTT may do; None takes no commands.

        Raises:
            SettingsError: a password file cannot be read, or the broker cannot listen.
        """
        settings = self._settings.mqtt
        if settings.broker == "none":
            return
        address = await self._address(settings)
        self.mqtt_url = f"mqtt{'s' if settings.ca_file else ''}://{address.host}:{address.port}"
        desk = None
        if settings.commands and orders is not None:
            desk = CommandDesk(orders=orders, audit=self, clock=self._clock, address=self.mqtt_url)
        self._mqtt = MqttClient(
            broker=address,
            settings=settings,
            place=self._place,
            clock=self._clock,
            random=SystemRandom(),
            desk=desk,
            version=self._version,
        )
        self.add(self._mqtt)

    async def run(self) -> None:
        """Pass on, connect and write until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._fanout.run())
            group.create_task(self.audit.run())
            if self._mqtt is not None:
                group.create_task(self._mqtt.run())

    def serving(self, state: str) -> None:
        """Tell the node's state: `up`, `draining`, `down`."""
        news = StatusNews(state=state, version=self._version, at_wall=self._clock.wall())
        self.publish_nowait(news)

    async def publish_audit_head(self, data: Path) -> None:
        """Publish the head of the audit trail, as every night: by MQTT, and in a file of its own.

        Args:
            data: the data folder; the file is `audit-heads.jsonl`, to be copied elsewhere.

        Raises:
            StoreError: the trail or the file cannot be written.
        """
        news = AuditHeadNews(head=await self.audit.head(), at_wall=self._clock.wall())
        self.publish_nowait(news)
        line = json.dumps({"at": stamp(news.at_wall), "head": news.head}) + "\n"
        try:
            await asyncio.to_thread(_append, data / HEADS_FILE, line)
        except OSError as error:
            raise StoreError(f"{data / HEADS_FILE} cannot be written: {error.strerror}") from error

    async def say_goodbye(self) -> None:
        """Announce `down` and let the last events out; while `run` still runs."""
        self.serving("down")
        self._fanout.pass_on_nowait()
        if self._mqtt is not None and self._mqtt.connected:
            await self._mqtt.drain(within_s=GOODBYE_S_MAX)

    async def close(self) -> None:
        """Write the rest of the trail and stop the broker; after `run`, before the store."""
        self._fanout.pass_on_nowait()
        with suppress(StoreError):
            await self.audit.flush()
        if self._broker is not None:
            await self._broker.close()
            self._broker = None

    def sample(self, stack: StackCounts | None = None) -> None:
        """Take up what other rooms and our own queues count; before metrics are shown."""
        metrics = self.metrics
        metrics.sample_total("events_dropped_total", self._fanout.dropped, "news")
        metrics.sample_total("socket_rcvbuf_errors_total", self._kernel.total())
        metrics.sample_total("events_dropped_total", self.audit.dropped, "audit")
        if self._mqtt is not None:
            metrics.sample_total("events_dropped_total", self._mqtt.dropped, "mqtt")
            metrics.sample_gauge("mqtt_connected", self._mqtt.connected)
        if stack is not None:
            metrics.sample_sip(
                requests=_pairs(stack.requests),
                responses=_pairs(stack.responses),
                dropped=stack.dropped,
                retransmissions=stack.retransmissions,
                transactions=_pairs(stack.transactions),
                shed=stack.shed,
                digest_failures=stack.digest_failures,
            )

    async def _address(self, settings: MqttSettings) -> Broker:
        if settings.broker == "external":
            return Broker(
                host=settings.host,
                port=settings.port,
                protocol=settings.protocol,
                user=settings.user,
                password=_secret(settings.password_file, "events.mqtt.password_file"),
                ca_file=settings.ca_file,
            )
        try:
            from switch.events.broker import EmbeddedBroker  # noqa: PLC0415 - an extra of the lab
        except ModuleNotFoundError as error:
            raise SettingsError(
                "events.mqtt.broker: `embedded` needs the library amqtt (the extra `lab`)"
            ) from error
        passwords = {
            user: _secret(path, f"events.mqtt.command_users.{user}")
            for user, path in settings.command_users.items()
        }
        broker = EmbeddedBroker(settings, passwords)
        await broker.start()
        self._broker = broker
        return broker.address


def _append(path: Path, line: str) -> None:
    with path.open("a", encoding="ascii") as file:
        file.write(line)


def _secret(path: str, setting: str) -> str:
    try:
        return read_password(path)
    except OSError as error:
        raise SettingsError(f"{setting}: {path} cannot be read: {error.strerror}") from error


def _pairs(counts: Mapping[str, int]) -> dict[tuple[str, str], int]:
    """Split `in:INVITE` and its like."""
    out: dict[tuple[str, str], int] = {}
    for key, count in counts.items():
        first, colon, second = key.partition(":")
        if not colon:
            raise LocalError(f"a count is called {key!r}, not `first:second`")
        out[first, second] = count
    return out
