from dataclasses import replace

from switch.call.effects import CallState, Play, ReadBalance, RequestNumber, Screen
from switch.call.signals import Side
from switch.money import Micros
from switch.screening.reasons import DenyReason
from tests.switch.call.script_rig import LINE, Rig

FREE_LINE = replace(LINE, languages=("en",), pin_required=False)


def dialling() -> Rig:
    rig = Rig(FREE_LINE)
    rig.begin()
    return rig


def test_a_whole_number_is_screened_at_its_last_digit() -> None:
    rig = dialling()
    rig.keys("5550100001")
    assert rig.only(Screen) == [Screen("5550100001")]
    assert rig.at(CallState.SCREENING)


def test_a_speed_dial_ends_with_the_pound_key_or_by_waiting() -> None:
    rig = dialling()
    rig.keys("12#")
    assert rig.only(Screen) == [Screen("12")]
    slow = dialling()
    slow.keys("12")
    slow.wait(5.1)
    assert slow.only(Screen) == [Screen("12")]


def test_no_number_is_no_input() -> None:
    rig = dialling()
    rig.heard(Side.A)
    rig.wait(10.1)
    assert rig.script.reason is DenyReason.NO_INPUT


def test_a_star_opens_the_menu_unless_a_code_begins_with_it() -> None:
    rig = Rig(replace(FREE_LINE, hotline_codes=frozenset()))
    rig.begin()
    rig.keys("*")
    assert rig.said() == ["menu"]
    coded = dialling()
    coded.keys("*")
    assert coded.said() == []
    coded.wait(5.1)
    assert coded.at(CallState.NUMBER)
    assert [phrase.key for phrase in coded.only(Play)[-1].phrases] == ["menu"]


def menu() -> Rig:
    rig = Rig(replace(FREE_LINE, hotline_codes=frozenset()))
    rig.begin()
    rig.keys("*")
    return rig


def test_the_balance_is_read_and_the_number_asked_for_again() -> None:
    rig = menu()
    assert ReadBalance() in rig.keys("1")
    rig.do(rig.script.balance_read(Micros(3_070_000), 27, now=rig.now))
    assert rig.said() == ["balance", "dial_number"]
    rig.keys("5550100001")
    assert rig.only(Screen) == [Screen("5550100001")]


def test_a_number_can_be_asked_for() -> None:
    rig = menu()
    rig.keys("2")
    assert rig.said() == ["ask_which_number"]
    assert RequestNumber("5550100002") in rig.keys("5550100002")
    rig.do(rig.script.number_requested(ok=True, now=rig.now))
    assert rig.said() == ["number_requested", "dial_number"]


def test_whatever_is_not_on_the_menu_leads_back() -> None:
    rig = menu()
    rig.keys("7")
    assert rig.said() == ["dial_number"]
    rig.keys("*")
    rig.heard(Side.A)
    rig.wait(10.1)
    assert rig.at(CallState.NUMBER)
    rig.keys("*2*")
    assert rig.said() == ["menu", "ask_which_number", "dial_number"]
