import inspect
from itertools import product

import msgspec
import pytest

from switch.ids import CallId
from switch.routing.call_class import CallClass, Inspectable, Privileged
from switch.routing.number import E164
from switch.routing.treatment import PLAIN, SpeedDial, Treatment
from switch.screening import privileged
from switch.screening.order import screen
from switch.screening.permit import DetectionAction, Permit
from switch.screening.privileged import class_of, classify
from switch.screening.register import UNANSWERED, RegisterAnswer, RegisterEntry
from switch.screening.settings import FacilityRules
from tests.support.facts_rig import CALL, but

ENTRY = RegisterEntry(
    seq=1, action="add", number=E164("+15552340001"), by=("legal",), at=0.0, name="Casey Counsel"
)
FOUND = RegisterAnswer(whole=True, entry=ENTRY)
NOT_FOUND = RegisterAnswer(whole=True, entry=None)
HOTLINE = SpeedDial(facility="F1", code="*77", number="+15552340077", hotline=True)


def test_a_registered_number_is_privileged_and_another_is_not() -> None:
    assert classify(FOUND, CALL) == Privileged(CALL)
    assert classify(NOT_FOUND, CALL) == Inspectable(CALL)


def test_a_register_that_cannot_answer_makes_the_sound_privileged_and_the_rows_ordinary() -> None:
    assert classify(UNANSWERED, CALL) == Privileged(CALL)
    assert class_of(UNANSWERED, None, PLAIN) is CallClass.ORDINARY
    assert class_of(UNANSWERED, HOTLINE, PLAIN) is CallClass.HOTLINE


def test_the_class_is_decided_in_its_order() -> None:
    free = Treatment(free=True)
    assert class_of(FOUND, HOTLINE, free) is CallClass.PRIVILEGED
    assert class_of(NOT_FOUND, HOTLINE, free) is CallClass.HOTLINE
    assert class_of(NOT_FOUND, None, free) is CallClass.FREE
    assert class_of(NOT_FOUND, None, PLAIN) is CallClass.ORDINARY


def test_the_two_answers_are_two_types_without_a_way_between_them() -> None:
    assert not isinstance(Privileged(CALL), Inspectable)
    assert not isinstance(Inspectable(CALL), Privileged)
    with pytest.raises(AttributeError):
        Privileged(CALL).call = CallId(9)  # type: ignore[misc]


def test_classifying_takes_nothing_that_could_switch_it_off() -> None:
    assert list(inspect.signature(classify).parameters) == ["answer", "call"]
    assert "settings" not in inspect.getsource(privileged).replace("Decide", "")


CHOICES = {
    "inspected": (True, False),
    "recorded": (True, False),
    "detection_action": ("", "off", "flag", "prompt_once", "prompt_random", "cut"),
    "accept_in_band": (True, False),
}


def test_no_setting_makes_a_privileged_call_heard() -> None:
    """P4: every choice of a number, a site and a terminal, and none of them changes P3."""
    for values in product(*CHOICES.values()):
        chosen = dict(zip(CHOICES, values, strict=True))
        for recording in (True, False):
            verdict = screen(
                but(
                    number__call_class=CallClass.PRIVILEGED,
                    number__audibility=Privileged(CALL),
                    number__treatment=msgspec.convert(chosen, Treatment),
                    site__settings__detection_action="cut",
                    site__facility__rules=FacilityRules(recording=recording),
                )
            )
            assert isinstance(verdict, Permit)
            assert isinstance(verdict.audibility, Privileged)
            assert not verdict.inspected
            assert not verdict.recorded
            assert not verdict.accept_in_band
            assert not verdict.monitored_notice
            assert verdict.detection_action is DetectionAction.OFF
