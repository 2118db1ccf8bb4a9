"""The pages of payers put together: `/family` and everything beneath it."""

from dataclasses import dataclass

from starlette.routing import Route

from switch.call.news import Publisher
from switch.clock import Clock
from switch.outside.cashier import Cashier
from switch.store.engine import Store
from switch.store.house_store import HouseStore
from switch.store.vault import Vault
from switch.web.family_addresses import FamilyAddresses
from switch.web.family_blocks import FamilyBlocks
from switch.web.family_claims import FamilyClaims
from switch.web.family_deposit import FamilyDeposit
from switch.web.family_desk import FamilyDesk
from switch.web.family_door import FamilyDoor
from switch.web.family_home import FamilyHome
from switch.web.family_people import FamilyPeople
from switch.web.family_reload import FamilyReload
from switch.web.family_statement import FamilyStatement
from switch.web.pages import Paper
from switch.web.payers import Codes, Payers


@dataclass(frozen=True, slots=True, kw_only=True)
class Families:
    """What the pages of payers need of the other rooms.

    Args:
        vault: where the ledger is.
        store: records of calls, people and blocks.
        houses: the facilities.
        codes: proves addresses.
        cashier: takes money by card; None takes none.
    """

    vault: Vault
    store: Store
    houses: HouseStore
    codes: Codes
    cashier: Cashier | None


def family_routes(
    families: Families, paper: Paper, *, clock: Clock, audit: Publisher
) -> list[Route]:
    """Return every address of payers."""
    payers = Payers(
        vault=families.vault,
        codes=families.codes,
        clock=clock,
        settings=paper.settings,
        audit=audit,
    )
    desk = FamilyDesk(
        paper=paper,
        payers=payers,
        vault=families.vault,
        store=families.store,
        houses=families.houses,
        cashier=families.cashier,
        clock=clock,
    )
    rooms = (
        FamilyDoor(desk),
        FamilyHome(desk),
        FamilyClaims(desk),
        FamilyDeposit(desk),
        FamilyStatement(desk),
        FamilyReload(desk),
        FamilyBlocks(desk),
        FamilyPeople(desk),
        FamilyAddresses(desk),
    )
    return [route for room in rooms for route in room.routes()]
