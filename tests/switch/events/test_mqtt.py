"""The MQTT client against two real brokers: the embedded one and Mosquitto."""

import asyncio
import json
import logging
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import aiomqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from switch.call.news import StatusNews
from switch.clock import SystemClock
from switch.events.broker import SWITCH_USER, EmbeddedBroker, free_port, may
from switch.events.commands import CommandDesk
from switch.events.mqtt import Broker, MqttClient
from switch.events.settings import MqttSettings
from switch.events.topics import Place
from tests.switch.events import news_of
from tests.switch.events.test_commands import Orders, Trail

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")

PLACE = Place(node="node-1", site="north")
UP = StatusNews(state="up", version="1", at_wall=news_of.AT_WALL)


class Mosquitto:
    """A Mosquitto of this test's own, on loopback."""

    def __init__(self, path: Path) -> None:
        self.port = free_port()
        self._config = path / "mosquitto.conf"
        self._config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n")
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        assert MOSQUITTO is not None
        self._process = await asyncio.create_subprocess_exec(
            MOSQUITTO,
            "-c",
            str(self._config),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        async with asyncio.timeout(10):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    return

    async def close(self) -> None:
        if self._process is not None:
            self._process.terminate()
            await self._process.wait()
            self._process = None

    @property
    def address(self) -> Broker:
        return Broker(host="127.0.0.1", port=self.port, protocol="5")


@pytest.fixture
async def mosquitto(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    broker = Mosquitto(tmp_path)
    await broker.start()
    yield broker
    await broker.close()


@pytest.fixture
async def embedded() -> AsyncIterator[EmbeddedBroker]:
    broker = EmbeddedBroker(MqttSettings(broker="embedded", port=0), {"lee": "secret"})
    await broker.start()
    yield broker
    await broker.close()


def client_of(broker: Broker, desk: CommandDesk | None = None) -> MqttClient:
    return MqttClient(
        broker=broker,
        settings=MqttSettings(events_max=1000),
        place=PLACE,
        clock=SystemClock(),
        random=Random(1),
        desk=desk,
        version="1",
    )


@asynccontextmanager
async def running(client: MqttClient) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(client.run())
        try:
            yield
        finally:
            task.cancel()


@asynccontextmanager
async def reader(broker: Broker, user: str = "", password: str = "") -> AsyncIterator[Any]:
    is_v5 = broker.protocol == "5"
    async with aiomqtt.Client(
        broker.host,
        broker.port,
        username=user or None,
        password=password or None,
        protocol=aiomqtt.ProtocolVersion.V5 if is_v5 else aiomqtt.ProtocolVersion.V311,
        logger=logging.getLogger("test.mqtt"),
    ) as client:
        yield client


async def take(
    client: aiomqtt.Client, wanted: Callable[[aiomqtt.Message], bool]
) -> aiomqtt.Message:
    async with asyncio.timeout(10):
        async for message in client.messages:
            if wanted(message):
                return message
    raise AssertionError


def body(message: aiomqtt.Message) -> dict[str, Any]:
    out: dict[str, Any] = json.loads(bytes(message.payload))
    return out


async def announces_and_keeps_the_status(broker: Broker) -> None:
    client = client_of(broker)
    client.publish_nowait(UP)
    async with running(client):
        assert await client.drain(within_s=10)
        async with reader(broker) as late:
            await late.subscribe("kinline/v1/#", qos=1)
            status = await take(late, lambda m: str(m.topic).endswith("node-1/status"))
            assert body(status)["state"] == "up"
            assert status.retain
            for left in (3, 2, 1):
                client.publish_nowait(news_of.balance(left))
            seen = [
                body(await take(late, lambda m: str(m.topic).endswith("balance"))) for _ in range(3)
            ]
    assert [event["seconds_left"] for event in seen] == [3, 2, 1]
    assert [event["seq"] for event in seen] == [2, 3, 4]


@pytest.mark.live
async def test_the_embedded_broker_hears_events_in_order_and_keeps_the_status(
    embedded: EmbeddedBroker,
) -> None:
    broker = embedded
    await announces_and_keeps_the_status(broker.address)


@pytest.mark.live
@needs_mosquitto
async def test_mosquitto_hears_events_in_order_and_keeps_the_status(mosquitto: Mosquitto) -> None:
    broker = mosquitto
    await announces_and_keeps_the_status(broker.address)


@pytest.mark.live
@needs_mosquitto
async def test_after_a_broker_restart_nothing_that_waited_is_missing(mosquitto: Mosquitto) -> None:
    broker = mosquitto
    client = client_of(broker.address)
    client.publish_nowait(UP)
    async with running(client):
        assert await client.drain(within_s=10)
        await broker.close()
        for left in range(20):
            client.publish_nowait(news_of.balance(left))
        await broker.start()
        async with reader(broker.address) as late:
            await late.subscribe("kinline/v1/#", qos=1)
            status = await take(late, lambda m: str(m.topic).endswith("node-1/status"))
            assert body(status)["state"] == "up"
        assert await client.drain(within_s=10)
    assert client.connections == 2
    assert client.dropped == 0


@pytest.mark.live
@needs_mosquitto
async def test_the_broker_says_down_when_the_switch_vanishes(mosquitto: Mosquitto) -> None:
    broker = mosquitto
    client = client_of(broker.address)
    client.publish_nowait(UP)
    async with reader(broker.address) as watcher:
        await watcher.subscribe("kinline/v1/north/node-1/status", qos=1)
        async with running(client):
            assert await client.drain(within_s=10)
            assert body(await take(watcher, lambda _: True))["state"] == "up"
            # Another client with our name throws us out, as a dead line would.
            thief = aiomqtt.Client(
                "127.0.0.1",
                broker.port,
                identifier="kinline-node-1",
                protocol=aiomqtt.ProtocolVersion.V5,
            )
            async with thief:
                gone = body(await take(watcher, lambda _: True))
    assert (gone["state"], gone["by"]) == ("down", "last_will")


@pytest.mark.live
@needs_mosquitto
async def test_a_command_is_carried_out_and_answered_with_its_correlation(
    mosquitto: Mosquitto,
) -> None:
    broker = mosquitto
    orders, trail = Orders(), Trail()
    desk = CommandDesk(orders=orders, audit=trail, clock=SystemClock(), address="broker")
    async with running(client_of(broker.address, desk)), reader(broker.address) as officer:
        await officer.subscribe("desk/1", qos=1)
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho has no types here
        properties.ResponseTopic = "desk/1"
        properties.CorrelationData = b"abc"
        answer = None
        for _ in range(50):  # the switch may not have subscribed yet
            await officer.publish(
                "kinline/v1/north/cmd/call/7001/hangup",
                b'{"by":"lee","why":"a threat"}',
                qos=1,
                properties=properties,
            )
            try:
                async with asyncio.timeout(0.2):
                    answer = await anext(aiter(officer.messages))
                    break
            except TimeoutError:
                continue
        assert answer is not None
        assert body(answer)["ok"] is True
        assert answer.properties.CorrelationData == b"abc"
    assert orders.done[0] == ("hang_up", 7001, "mqtt:lee", "a threat")
    assert trail.entries[0].target == "kinline/v1/north/cmd/call/7001/hangup"


@pytest.mark.live
async def test_the_embedded_broker_takes_announcements_from_the_switch_only(
    embedded: EmbeddedBroker,
) -> None:
    broker = embedded
    address = broker.address
    client = client_of(address)
    async with running(client), reader(address) as anyone, reader(address, "lee", "secret") as lee:
        await anyone.subscribe("kinline/v1/#", qos=1)
        await anyone.publish("kinline/v1/north/node-1/status", b"forged", qos=0)
        await anyone.publish("kinline/v1/north/cmd/call/1/hangup", b"anyone", qos=0)
        await lee.publish("kinline/v1/north/node-1/status", b"forged", qos=0)
        await lee.publish("kinline/v1/north/cmd/call/1/hangup", b"lee", qos=0)
        message = await take(anyone, lambda _: True)
        assert bytes(message.payload) == b"lee"
        client.publish_nowait(UP)
        message = await take(anyone, lambda _: True)
        assert body(message)["state"] == "up"


@pytest.mark.live
async def test_the_embedded_broker_knows_its_users_by_their_password(
    embedded: EmbeddedBroker,
) -> None:
    broker = embedded
    for user, password in (("lee", "wrong"), ("nobody", "x"), (SWITCH_USER, "")):
        with pytest.raises(aiomqtt.MqttError):
            async with reader(broker.address, user, password):
                pass


@pytest.mark.parametrize(
    ("user", "topic", "is_publish", "allowed"),
    [
        ("", "kinline/v1/north/node-1/status", False, True),
        ("", "kinline/v1/north/node-1/status", True, False),
        ("", "kinline/v1/north/cmd/call/1/hangup", True, False),
        ("lee", "kinline/v1/north/cmd/call/1/hangup", True, True),
        ("lee", "kinline/v1/north/node-1/status", True, False),
        (SWITCH_USER, "kinline/v1/north/node-1/status", True, True),
    ],
)
def test_who_may_do_what(user: str, topic: str, *, is_publish: bool, allowed: bool) -> None:
    assert may(user, topic, is_publish=is_publish) is allowed


async def test_a_dead_broker_costs_the_switch_nothing_but_the_oldest_events() -> None:
    client = client_of(Broker(host="127.0.0.1", port=1, protocol="5"))
    for left in range(5000):
        client.publish_nowait(news_of.balance(left))
    assert client.dropped == 4000
