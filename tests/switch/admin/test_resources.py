"""What `kinline check` says of ports and files."""

from pathlib import Path

import pytest

from switch.admin.programs import check_program
from switch.admin.resources import Machine, shortages, this_machine
from switch.media.settings import MediaSettings
from switch.settings import load

ROOMY = Machine(processors=2, files_max=65_536, lent=(32_768, 60_999))


def media(**changes: int) -> MediaSettings:
    given = {"port_min": 20_000, "port_max": 29_998, "legs_max": 2_000, "workers": 2} | changes
    return MediaSettings(address="127.0.0.1", **given)  # type: ignore[arg-type]


def test_a_house_that_fits_is_told_nothing() -> None:
    assert shortages(media(), ROOMY) == []


def test_ports_that_end_before_the_legs_do() -> None:
    (said,) = shortages(media(port_max=20_100), ROOMY)
    assert "50 even ports are 25 calls, legs_max is good for 2000" in said


def test_as_many_workers_as_processors_if_none_are_said() -> None:
    assert shortages(media(workers=0), ROOMY) == []
    assert len(shortages(media(workers=0, legs_max=4_000), ROOMY)) == 1


def test_files_that_end_before_the_legs_do() -> None:
    (said,) = shortages(media(), Machine(processors=2, files_max=1_024, lent=(32_768, 60_999)))
    assert "1024 (ulimit -Hn) are 192 calls" in said
    assert "raise LimitNOFILE to 8256" in said


@pytest.mark.parametrize(
    ("reserved", "fits"), [((), False), (((39_000, 39_999),), False), (((40_000, 45_000),), True)]
)
def test_ports_that_the_kernel_lends_to_others(
    reserved: tuple[tuple[int, int], ...], fits: bool
) -> None:
    machine = Machine(2, 65_536, (32_768, 60_999), reserved)
    said = shortages(media(port_min=40_000, port_max=44_998, legs_max=1_000), machine)
    assert bool(said) is not fits
    if not fits:
        assert "ip_local_reserved_ports = 40000-44998" in said[0]


def test_this_machine_can_be_looked_at() -> None:
    found = this_machine()
    assert found.processors >= 1
    assert found.files_max != 0
    assert found.lent[0] < found.lent[1]


def test_check_says_it_and_is_content_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "small.toml"
    file.write_text('[media]\naddress = "127.0.0.1"\nport_min = 20000\nport_max = 20010\n')
    assert check_program([str(file)], load=load) == 0
    assert "5 even ports are 2 calls" in capsys.readouterr().out
