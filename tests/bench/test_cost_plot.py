"""The picture of a packet's cost."""

import json
from xml.etree import ElementTree

from tests.bench.cost_plot import draw, read


def line(calls: int, **more: object) -> str:
    row = {"bench": "media", "calls": calls, "inspected": True, "delivered": 1.0}
    costs = {"us_per_packet": 13.0, "bare_us_per_packet": 6.5, "floor_us": 1.8}
    return json.dumps(row | costs | more)


def test_each_size_is_a_point_and_a_full_core_a_hollow_one() -> None:
    lines = [
        json.dumps({"bench": "machine", "processor": "Some <fast> one", "kernel": "6.1"}),
        line(1000, delivered=0.9),
        line(100),
        line(300, inspected=False),
    ]
    rows, machine = read(lines)
    assert [row["calls"] for row in rows] == [100, 1000]
    picture = ElementTree.fromstring(draw(rows, machine))
    dots = picture.findall("{*}circle")
    assert len(dots) == 6
    assert [dot.get("fill") == "white" for dot in dots] == [False, True, *[False] * 4]
    assert "Some <fast> one, 6.1" in [text.text for text in picture.findall("{*}text")]


def test_one_size_alone_can_be_drawn() -> None:
    rows, machine = read([line(100)])
    assert len(ElementTree.fromstring(draw(rows, machine)).findall("{*}circle")) == 3
