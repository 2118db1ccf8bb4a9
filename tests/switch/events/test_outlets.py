import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from switch.call.news import AuditHeadNews, News
from switch.clock import SystemClock
from switch.errors import SettingsError, StoreError
from switch.events.outlets import Outlets
from switch.events.settings import EventsSettings, MqttSettings
from switch.sip.counts import StackCounts
from switch.store import audit_store
from switch.store.engine import Store
from tests.switch.events import news_of
from tests.switch.events.test_mqtt import reader

EMBEDDED = EventsSettings(mqtt=MqttSettings(broker="embedded", port=0, site="north"))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "kinline.sqlite3", clock=SystemClock())
    yield opened
    await opened.close()


def outlets_of(store: Store, settings: EventsSettings | None = None) -> Outlets:
    return Outlets(
        settings or EventsSettings(), store=store, clock=SystemClock(), node="node-1", version="1"
    )


@pytest.mark.live
async def test_one_piece_of_news_reaches_everybody(store: Store) -> None:
    outlets = outlets_of(store, EMBEDDED)
    await outlets.start()
    assert outlets.mqtt_url.startswith("mqtt://127.0.0.1:")
    assert outlets._mqtt is not None
    async with asyncio.TaskGroup() as group:
        running = group.create_task(outlets.run())
        async with reader(outlets._mqtt._broker) as ear:
            await ear.subscribe("kinline/v1/#", qos=1)
            outlets.serving("up")
            outlets.publish_nowait(news_of.ended())
            outlets.publish_nowait(news_of.audit())
            await outlets.say_goodbye()
            bodies = []
            async with asyncio.timeout(10):
                async for message in ear.messages:
                    bodies.append(json.loads(bytes(message.payload)))
                    if bodies[-1].get("state") == "down":
                        break
        running.cancel()
    await outlets.close()
    assert [body["schema"] for body in bodies] == [
        "kinline.node/1",
        "kinline.policy/1",
        "kinline.node/1",
    ]
    assert b'cause="funds",direction="out"} 1.0' in outlets.metrics.text()
    assert (await store.read(audit_store.verify)).entries == 1


async def test_without_mqtt_everything_else_works(store: Store) -> None:
    outlets = outlets_of(store)
    await outlets.start()
    outlets.publish_nowait(news_of.audit())
    outlets.publish_nowait(news_of.ended())
    await outlets.close()
    assert outlets.mqtt_url == ""
    assert (await store.read(audit_store.verify)).entries == 1
    assert b'cause="funds",direction="out"} 1.0' in outlets.metrics.text()


async def test_the_head_of_the_trail_is_published_and_a_cut_tail_shows(
    store: Store, tmp_path: Path
) -> None:
    outlets = outlets_of(store)
    heads: list[str] = []

    class Listener:
        def publish_nowait(self, news: News) -> None:
            heads.extend([news.head] if isinstance(news, AuditHeadNews) else [])

    outlets.add(Listener())
    for _ in range(3):
        outlets.publish_nowait(news_of.audit())
        outlets._fanout.pass_on_nowait()
    await outlets.publish_audit_head(tmp_path)
    outlets._fanout.pass_on_nowait()
    (line,) = (tmp_path / "audit-heads.jsonl").read_text().splitlines()
    assert [json.loads(line)["head"]] == heads
    n, link = heads[0].split(":")
    whole = await store.read(lambda c: audit_store.verify(c, published=(int(n), link)))
    assert whole.faults == ()
    await store.write(_cut_the_tail)
    verdict = await store.read(lambda c: audit_store.verify(c, published=(int(n), link)))
    assert "the published head 3" in verdict.faults[0]
    with pytest.raises(StoreError, match="audit-heads"):
        await outlets.publish_audit_head(tmp_path / "nowhere")


def _cut_the_tail(connection: Connection) -> None:
    of = text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'")
    for (name,) in connection.execute(of).all():
        connection.execute(text(f"DROP TRIGGER {name}"))
    connection.execute(text("DELETE FROM audit WHERE n = 3"))


async def test_a_password_file_that_is_not_there_is_said_by_its_setting(store: Store) -> None:
    settings = MqttSettings(broker="external", host="127.0.0.1", password_file="/nowhere/secret")
    with pytest.raises(SettingsError, match=r"events.mqtt.password_file: /nowhere/secret"):
        await outlets_of(store, EventsSettings(mqtt=settings)).start()


async def test_what_other_rooms_count_is_taken_up(store: Store) -> None:
    outlets = outlets_of(store)
    counts = StackCounts(
        transactions={"invite_server:PROCEEDING": 2},
        dialogs={},
        unanswered=0,
        successes=0,
        waits=0,
        retransmissions=3,
        requests={"in:INVITE": 5},
        responses={"out:200": 4},
        dropped={"malformed": 1},
        refused={},
        shed={"REGISTER": 6},
        digest_failures=7,
    )
    outlets.sample(counts)
    text = outlets.metrics.text()
    assert b'kinline_sip_requests_total{direction="in",method="INVITE"} 5.0' in text
    assert b'kinline_transactions{kind="invite_server",state="PROCEEDING"} 2.0' in text
    assert b"kinline_sip_retransmissions_total 3.0" in text
    assert b'kinline_sip_shed_total{method="REGISTER"} 6.0' in text
    assert b"kinline_digest_failures_total 7.0" in text
