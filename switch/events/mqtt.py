"""The switch's voice on MQTT: announces what happens, takes commands, survives a lost broker.

`publish_nowait` only appends to a bounded queue, so a slow or dead broker never delays a call.
Everything goes with QoS 1. The node's status is retained, and the broker itself says `down` for
us (last will) when we vanish.

Source: OASIS MQTT 5.0 (and 3.1.1 for the embedded broker).
"""

import asyncio
import logging
import ssl
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from switch.call.news import News, StatusNews
from switch.clock import Clock
from switch.events.commands import Answer, CommandDesk, CommandReceived
from switch.events.outbox import Outbox
from switch.events.settings import MqttSettings
from switch.events.topics import ROOT, Place, encode

IN_FLIGHT_MAX: Final = 16
"""Events sent and not yet confirmed. Chosen: below paho's own 20, so that it never queues."""

PUBLISH_S_MAX: Final = 10.0
"""A broker that does not confirm in this time is taken for lost. Chosen."""

RECONNECT_S_MIN: Final = 0.5
RECONNECT_S_MAX: Final = 30.0
"""Waits double between these, times a random half to whole. Chosen: a broker that restarts is
back within seconds, one that is gone is not hammered."""

KEEPALIVE_S: Final = 15
"""The last will speaks after one and a half of these (MQTT 5.0 section 3.1.2.10). Chosen."""

log = logging.getLogger("kinline.mqtt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where the broker is and who we are there."""

    host: str
    port: int
    protocol: str
    user: str = ""
    password: str = ""
    ca_file: str = ""


class MqttClient:
    """Announces news and takes commands. `run` it in the TaskGroup of the application.

    Args:
        broker: where to connect.
        settings: limits.
        place: which node speaks.
        clock: stamps the last will.
        random: spreads the reconnects of many nodes.
        desk: carries out commands; None takes none.
        version: of the switch, for the last will.
    """

    def __init__(
        self,
        *,
        broker: Broker,
        settings: MqttSettings,
        place: Place,
        clock: Clock,
        random: Random,
        desk: CommandDesk | None,
        version: str,
    ) -> None:
        self._broker = broker
        self._place = place
        self._clock = clock
        self._random = random
        self._desk = desk
        self._version = version
        self._outbox = Outbox(
            place, events_max=settings.events_max, quality_every_s=settings.quality_every_s
        )
        self._work = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.connected = False
        self.connections = 0
        """How often a connection was made."""

    @property
    def dropped(self) -> int:
        """Events that the broker will never get."""
        return self._outbox.dropped

    def publish_nowait(self, news: News) -> None:
        """See Publisher."""
        self._outbox.put(news)
        if len(self._outbox):
            self._idle.clear()
            self._work.set()

    async def run(self) -> None:
        """Stay connected until cancelled."""
        wait_s = RECONNECT_S_MIN
        while True:
            before = self.connections
            try:
                await self._serve_one_connection()
            except* (aiomqtt.MqttError, OSError, ssl.SSLError) as group:
                if self.connected or wait_s == RECONNECT_S_MIN:
                    log.warning("No broker at %s: %s", self._broker.host, group.exceptions[0])
            self.connected = False
            wait_s = RECONNECT_S_MIN if self.connections > before else wait_s * 2
            wait_s = min(wait_s, RECONNECT_S_MAX)
            await asyncio.sleep(wait_s * self._random.uniform(0.5, 1.0))

    async def drain(self, *, within_s: float) -> bool:
        """Wait until the broker has everything; False if it did not take it in time."""
        try:
            async with asyncio.timeout(within_s):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    async def _serve_one_connection(self) -> None:
        async with self._client() as client, asyncio.TaskGroup() as group:
            if not self.connected:
                log.info("Connected to the broker at %s", self._broker.host)
            self.connected = True
            self.connections += 1
            self._outbox.connected()
            self._work.set()
            for _ in range(IN_FLIGHT_MAX):
                group.create_task(self._send(client))
            group.create_task(self._listen(client))

    async def _send(self, client: aiomqtt.Client) -> None:
        while True:
            sending = self._outbox.take()
            if sending is None:
                if not len(self._outbox):
                    self._idle.set()
                self._work.clear()
                await self._work.wait()
                continue
            said = sending.announcement
            await client.publish(
                said.topic, said.payload, qos=1, retain=said.retained, timeout=PUBLISH_S_MAX
            )
            self._outbox.arrived(sending)

    async def _listen(self, client: aiomqtt.Client) -> None:
        """Take commands; without a desk, only notice that the connection is gone."""
        if self._desk is not None:
            await client.subscribe(f"{ROOT}/+/cmd/#", qos=1)
        async for message in client.messages:
            if self._desk is None:
                continue
            answer = await self._desk.carry_out(_received(message))
            if answer is not None:
                await self._answer(client, answer)

    async def _answer(self, client: aiomqtt.Client, answer: Answer) -> None:
        body: dict[str, Any] = {"ok": answer.ok, "error": answer.error}
        properties: Properties | None = None
        if answer.correlation is not None and self._broker.protocol == "5":
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho has no types here
            properties.CorrelationData = answer.correlation
        elif answer.correlation is not None:
            body["correlation"] = answer.correlation.decode(errors="replace")
        payload = encode("answer", body, seq=self._outbox.next_seq(), wall=self._clock.wall())
        await client.publish(
            answer.response_topic, payload, qos=1, properties=properties, timeout=PUBLISH_S_MAX
        )

    def _client(self) -> aiomqtt.Client:
        broker = self._broker
        is_v5 = broker.protocol == "5"
        client = aiomqtt.Client(
            broker.host,
            broker.port,
            username=broker.user or None,
            password=broker.password or None,
            identifier=f"kinline-{self._place.node}",
            protocol=aiomqtt.ProtocolVersion.V5 if is_v5 else aiomqtt.ProtocolVersion.V311,
            clean_start=True if is_v5 else 3,  # 3: paho's "not said", the only one 3.1.1 takes
            clean_session=None if is_v5 else True,
            will=self._will(),
            keepalive=KEEPALIVE_S,
            timeout=PUBLISH_S_MAX,
            tls_context=ssl.create_default_context(cafile=broker.ca_file)
            if broker.ca_file
            else None,
            logger=logging.getLogger("kinline.mqtt.wire"),
        )
        client.pending_calls_threshold = 2 * IN_FLIGHT_MAX
        return client

    def _will(self) -> aiomqtt.Will:
        """What the broker says for us when we vanish. Numbered 0: it was said before all."""
        wall = self._clock.wall()
        news = StatusNews(state="down", version=self._version, at_wall=wall)
        body = {"state": news.state, "version": news.version, "by": "last_will"}
        return aiomqtt.Will(
            self._place.node_topic("", "status"),
            encode("node", body, seq=0, wall=wall),
            qos=1,
            retain=True,
        )


def read_password(path: str) -> str:
    """Read a secret from its file; '' without one."""
    return Path(path).read_text(encoding="utf-8").strip() if path else ""


def _received(message: aiomqtt.Message) -> CommandReceived:
    properties = message.properties
    return CommandReceived(
        topic=str(message.topic),
        payload=bytes(message.payload),
        retained=bool(message.retain),
        response_topic=str(getattr(properties, "ResponseTopic", "") or ""),
        correlation=getattr(properties, "CorrelationData", None),
    )
