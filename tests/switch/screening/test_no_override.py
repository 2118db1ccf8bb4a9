"""P4: no setting, flag, role, command or environment variable makes a privileged call heard.

Whatever there is to say about a call is enumerated here from the types themselves: a new field is
in this test on the day it is written.
"""

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from switch.admin.registry import commands
from switch.call.effects import HearDigits, NoteDetector, RecordName
from switch.call.script_talking import Talking
from switch.call.settings import ScriptSettings
from switch.call.signals import Side
from switch.routing.call_class import CallClass, Privileged
from switch.routing.terminal import Terminal
from switch.routing.treatment import SpeedDial, Treatment
from switch.screening.facts import Person
from switch.screening.issue import issue
from switch.screening.permit import DetectionAction
from switch.screening.settings import FacilityRules, ScreeningSettings
from switch.web.rights import Permission
from tests.support.facts_rig import CALL, GOOD, but
from tests.switch.call.script_rig import DIRECT, PRIVILEGED, Rig

SWITCH = Path(__file__).parents[3] / "switch"

PLACES: dict[type[msgspec.Struct], str] = {
    Treatment: "number__treatment",
    SpeedDial: "number__speed_dial",
    FacilityRules: "site__facility__rules",
    ScreeningSettings: "site__settings",
    Terminal: "terminal__terminal",
    Person: "person__person",
}
"""Whatever a number, a site, a telephone or a person can be told, and where screening reads it."""

NOT_A_SWITCH = {"id", "schedule", "limits", "facility", "unit", "digest_ha1", "state"}
"""Names, hours and counts: nothing that could be switched on."""


def alternatives(info: Any) -> list[Any]:
    """Return values that a field may take: every member, both ends, or something."""
    match info:
        case msgspec.inspect.BoolType():
            return [True, False]
        case msgspec.inspect.LiteralType(values=values):
            return list(values)
        case msgspec.inspect.EnumType(cls=cls):
            return list(cls)
        case msgspec.inspect.IntType(ge=low, le=high) | msgspec.inspect.FloatType(ge=low, le=high):
            return [0 if low is None else low, 1 if high is None else high]
        case msgspec.inspect.StrType():
            return ["", "1"]
        case msgspec.inspect.VarTupleType(item_type=item):
            return [(), tuple(dict.fromkeys(alternatives(item)))]
        case msgspec.inspect.UnionType(types=types):
            return [value for each in types for value in alternatives(each)]
        case _:
            return []


def choices(made: type[msgspec.Struct]) -> Iterator[tuple[str, Any]]:
    """Return every field of a struct with each of its values."""
    shape = msgspec.inspect.type_info(made)
    assert isinstance(shape, msgspec.inspect.StructType)
    for field in shape.fields:
        for value in alternatives(field.type):
            yield field.name, value


@pytest.mark.parametrize("made", PLACES, ids=lambda made: made.__name__)
def test_no_choice_of_screening_makes_a_privileged_call_heard(made: type[msgspec.Struct]) -> None:
    said = {name for name, _ in choices(made)}
    unsaid = set(made.__struct_fields__) - said - NOT_A_SWITCH
    assert unsaid <= {"call_minutes", "terminal_classes", "treatment"}, unsaid
    facts = but(GOOD, number__call_class=CallClass.PRIVILEGED, number__audibility=Privileged(CALL))
    bases: dict[type[msgspec.Struct], msgspec.Struct] = {
        SpeedDial: SpeedDial(facility="F1", code="*77", number="+15552340077")
    }
    for name, value in choices(made):
        if name == "id":
            continue
        base = bases.get(made) or _at(facts, PLACES[made])
        permit = issue(but(facts, **{PLACES[made]: msgspec.structs.replace(base, **{name: value})}))
        assert isinstance(permit.audibility, Privileged), (name, value)
        heard = (permit.inspected, permit.recorded, permit.accept_in_band, permit.monitored_notice)
        assert not any(heard), (name, value)
        assert permit.detection_action is DetectionAction.OFF, (name, value)


def _at(facts: Any, path: str) -> Any:
    found = facts
    for part in path.split("__"):
        found = getattr(found, part)
    return found


def test_no_choice_of_the_script_listens_to_a_privileged_call() -> None:
    for name, value in choices(ScriptSettings):
        try:
            settings = msgspec.convert({name: value}, ScriptSettings)
        except msgspec.ValidationError:
            continue  # not a choice that anybody can make
        rig = Rig(DIRECT, settings=settings)
        rig.talking(replace(PRIVILEGED, passive=True))
        stage = rig.script._memory.stage
        assert isinstance(stage, Talking)
        assert stage.look is None, (name, value)
        ears = [e for e in rig.all if isinstance(e, HearDigits) and e.side is Side.B]
        notes = [e for e in rig.all if isinstance(e, NoteDetector | RecordName)]
        assert not ears + notes, (name, value)


def test_one_function_alone_makes_the_permit_to_hear() -> None:
    """P1: and it takes the register's answer, nothing else."""
    makers = [
        path.relative_to(SWITCH).as_posix()
        for path in sorted(SWITCH.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Inspectable"
    ]
    assert makers == ["screening/privileged.py"]


def test_nothing_is_read_from_the_environment() -> None:
    readers = {
        path.relative_to(SWITCH).as_posix()
        for path in sorted(SWITCH.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv"}
    }
    assert readers <= {"media/worker.py"}, "it sets how many threads numpy has, and reads nothing"


HEARING = ("listen", "barge", "tap", "inspect", "monitor", "transcript", "spot", "record", "sound")


def test_no_command_and_no_right_lets_anybody_hear_a_call() -> None:
    flags = {
        f"{command.noun} {command.verb} {argument.name}"
        for command in commands()
        for argument in command.arguments
        if any(word in f"{command.verb} {argument.name}" for word in HEARING)
        and command.noun != "recordings"
    }
    assert flags == {"number allow --unrecorded"}
    assert {p.value for p in Permission if any(word in p.value for word in HEARING)} == set()
