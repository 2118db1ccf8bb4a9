"""Days and rows that hold from one day to another. Dates are ISO text and compare as text. Pure."""

from typing import Annotated, Protocol

from msgspec import Meta

Date = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
MaybeDate = Annotated[str, Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?$")]


class Dated(Protocol):
    """A row with a first day and a first day on which it no longer holds ('' is open)."""

    @property
    def valid_from(self) -> str:
        """Its first day."""
        ...

    @property
    def valid_to(self) -> str:
        """The day after its last; '' is open."""
        ...


def holds_on(row: Dated, date: str) -> bool:
    """Say whether a row is in force on a day."""
    return row.valid_from <= date and (not row.valid_to or date < row.valid_to)


def overlap(one: Dated, other: Dated) -> bool:
    """Say whether there is a day on which both are in force."""
    starts_in_time = not one.valid_to or other.valid_from < one.valid_to
    return starts_in_time and (not other.valid_to or one.valid_from < other.valid_to)
