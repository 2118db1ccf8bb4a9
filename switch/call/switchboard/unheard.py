"""A live call that nothing may hear any more: the register changed under it, or is not whole.

Whether a call may be heard is decided once (P1) and never turns into "yes". It may turn into "no":
its number became privileged (P10), or the register cannot be proved whole (P8). Then its rings,
rows and recorder are closed at once, it is privileged for its sound for the rest of its life, and
it goes on. calls.md section 6.
"""

from dataclasses import replace

from switch.call.signals import Side
from switch.call.switchboard.driver import CallDriver
from switch.call.switchboard.rooms import Rooms
from switch.ids import leg_id
from switch.routing.call_class import Inspectable, Privileged
from switch.screening.permit import DetectionAction, Permit

REGISTER = "register"
"""Why a call is not recorded, where the register cannot say."""


async def stop_hearing(driver: CallDriver, rooms: Rooms) -> None:
    """Let nothing hear a call any more, if the register as it stands wants that.

    Args:
        driver: the call; what is privileged already, or has no number yet, is left as it is.
        rooms: the neighbours.
    """
    permit = driver.permit
    if permit is None or not isinstance(permit.audibility, Inspectable):
        return
    answer = rooms.houses.register.answer(
        permit.number, facility=driver.keeper.facility, person=permit.person
    )
    if answer.whole and answer.entry is None:
        return
    private = unheard(permit)
    driver.people.permit = private
    driver.post(lambda _now: driver.script.unheard(private))
    driver.dialling.stop_watching()
    for side in Side:
        rooms.plane.deafen(leg_id(driver.call, is_b=side is Side.B))
    await driver.recording.seal_if_privileged(permit)


def unheard(permit: Permit) -> Permit:
    """Return the same permit for a call of which nothing may be heard."""
    return replace(
        permit,
        audibility=Privileged(permit.audibility.call),
        inspected=False,
        detection_action=DetectionAction.OFF,
        accept_in_band=False,
        recorded=False,
        not_recorded_because=permit.not_recorded_because or REGISTER,
    )
