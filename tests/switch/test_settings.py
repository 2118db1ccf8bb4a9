from pathlib import Path

import pytest

from switch.errors import SettingsError
from switch.settings import find_line, load

TEXT = """\
# a comment
[node]
id = "lab"

[media]
port_min = 80

[[house.terminals]]
id = "T1"

[[house.terminals]]
id = "T2"
colour = "blue"
"""


def test_a_line_is_found_in_a_table_and_in_an_array_of_tables() -> None:
    assert find_line(TEXT, ["media", "port_min"]) == 6
    assert find_line(TEXT, ["house", "terminals", 1, "colour"]) == 13
    assert find_line(TEXT, ["house", "terminals", 0, "id"]) == 9
    assert find_line(TEXT, ["media", "absent"]) == 5
    assert find_line(TEXT, []) == 1


def complaint(tmp_path: Path, text: str) -> str:
    file = tmp_path / "switch.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load(file)
    return str(caught.value).removeprefix(f"{file}")


LISTEN = '[transport]\nlisten = ["udp:127.0.0.1:5060"]\n'


def test_a_wrong_value_names_line_path_and_range(tmp_path: Path) -> None:
    said = complaint(tmp_path, LISTEN + "[media]\nport_min = 80\n")
    assert said == (":4: media.port_min: expected `int` >= 1024 (allowed: 1024 to 65535)")


def test_an_unknown_key_names_its_own_line(tmp_path: Path) -> None:
    said = complaint(tmp_path, LISTEN + '[node]\nid = "a"\nprot = 1\n')
    assert said.startswith(":5: node: object contains unknown field `prot` (allowed: the keys id, ")


def test_a_wrong_choice_names_every_right_one(tmp_path: Path) -> None:
    media = '[media]\naddress = "127.0.0.1"\nport_min = 20000\nport_max = 21000\n'
    said = complaint(tmp_path, media + '[node]\nlog = "loud"\n')
    assert "one of debug, error, info, warning" in said


def test_text_that_is_no_toml_names_the_line(tmp_path: Path) -> None:
    assert "line 2" in complaint(tmp_path, "[node]\nid = \n")


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        load(tmp_path / "absent.toml")
