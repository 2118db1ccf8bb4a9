import json

from switch.admin.render import render


def test_rows_become_a_table_with_the_names_on_top() -> None:
    rows = [{"id": "T1", "enabled": True, "note": None}, {"id": "T20", "enabled": False}]
    assert render(rows, as_json=False) == "id   enabled  note\nT1   yes      -\nT20  no       -\n"


def test_nothing_is_said_in_a_word() -> None:
    assert render([], as_json=False) == "(none)\n"


def test_one_thing_becomes_lines_and_its_rows_a_table() -> None:
    text = render({"sound": True, "legs": [{"side": "a"}], "more": {"x": 1}}, as_json=False)
    assert text == "sound: yes\nlegs:\nside\na\nmore:\n  x: 1\n"


def test_json_is_one_line_for_programs() -> None:
    text = render({"a": [1, 2]}, as_json=True)
    assert text.count("\n") == 1
    assert json.loads(text) == {"a": [1, 2]}
