import json
from typing import Any

import pytest

from switch.call.news import AuditHeadNews, News, StatusNews
from switch.events.topics import Place, announce, level
from tests.switch.events import news_of

PLACE = Place(node="node-1", site="north")


def body_of(news: News) -> dict[str, Any]:
    announcement = announce(news, PLACE, 9)
    assert announcement is not None
    body: dict[str, Any] = json.loads(announcement.payload)
    return body


@pytest.mark.parametrize(
    ("news", "topic", "retained"),
    [
        (news_of.state(), "kinline/v1/north/node-1/call/7001/state", False),
        (news_of.detection(), "kinline/v1/north/node-1/call/7001/policy", False),
        (news_of.ended(), "kinline/v1/north/node-1/call/7001/policy", False),
        (news_of.quality(), "kinline/v1/north/node-1/call/7001/quality", False),
        (news_of.balance(), "kinline/v1/north/node-1/call/7001/balance", False),
        (news_of.registration(), "kinline/v1/north/node-1/terminal/B2-4/registration", True),
        (news_of.trunk(), "kinline/v1/north/node-1/trunk/east/status", True),
        (
            AuditHeadNews(head="12:ab", at_wall=1.0),
            "kinline/v1/north/node-1/audit/head",
            True,
        ),
        (
            StatusNews(state="up", version="1", at_wall=1.0),
            "kinline/v1/north/node-1/status",
            True,
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_kind_of_news_has_its_topic(news: News, topic: str, *, retained: bool) -> None:
    announcement = announce(news, PLACE, 1)
    assert announcement is not None
    assert (announcement.topic, announcement.retained) == (topic, retained)


def test_every_body_says_when_which_and_what() -> None:
    body = body_of(news_of.state())
    assert body["ts"] == "2030-03-17T17:46:40.250000Z"
    assert body["seq"] == 9
    assert body["schema"] == "kinline.state/1"
    assert body["state"] == "talking"


def test_an_ending_says_what_was_talked_and_charged() -> None:
    detail = body_of(news_of.ended())["detail"]
    assert detail == {
        "talked_s": 7,
        "charge_micros": 7_000,
        "setup_s": 1.25,
        "trunk": "east",
    }


def test_audit_entries_and_workers_stay_off_the_broker() -> None:
    assert announce(news_of.audit(), PLACE, 1) is None
    assert announce(news_of.worker(), PLACE, 1) is None


def test_no_id_can_escape_its_level() -> None:
    assert level("a/b+c#d") == "a_b_c_d"
    assert level("") == "_"
