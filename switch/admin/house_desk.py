"""What the commands about the house share: the house itself, arguments, numbers."""

from typing import Any, Final

from switch.admin.command import Argument, Desk
from switch.billing.price_book import PriceBook
from switch.errors import UserError
from switch.routing.number import E164, normalise
from switch.store.house_store import HouseStore

ROWS: Final = Argument(name="--rows", help="at most so many", kind=int, required=False, default=200)
FACILITY: Final = Argument(name="--facility", help="of this facility", required=False, default="")
NOTE: Final = Argument(name="--note", help="why; kept for good", required=False, default="")
PERSON: Final = Argument(name="person", help="the person's id")
NUMBER: Final = Argument(name="number", help="a number, like +15552345678")


def option(name: str, text: str, **more: Any) -> Argument:  # noqa: ANN401 - passed on
    """Make an argument that may be left out."""
    return Argument(name=name, help=text, required=False, **({"default": ""} | more))


async def open_house(desk: Desk, prices: PriceBook | None = None) -> HouseStore:
    """Read the house as it stands in the store."""
    return await HouseStore.open(
        desk.store, data=desk.store.path.parent, prices=prices, vault=desk.vault
    )


async def changed(desk: Desk) -> None:
    """Tell the running switch, if there is one, that the rules are others now."""
    if desk.board is not None:
        await desk.board.house_changed()


def whole_number(text: str, *, home_area_code: str = "") -> E164:
    """Read a number as staff write it.

    Raises:
        UserError: it is not a whole number.
    """
    number = normalise(text, home_area_code=home_area_code).e164
    if number is None:
        raise UserError(f"{text!r} is not a whole number. Write it like +15552345678.")
    return number
