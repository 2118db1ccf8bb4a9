"""Reads the files of law and contracts from the disk; the billing room says what they mean."""

from pathlib import Path

from switch.billing.law import Law, parse_law
from switch.billing.price_book import PriceBook
from switch.billing.settings import BillingSettings
from switch.billing.tariff import parse_tariff
from switch.errors import SettingsError


def load_price_book(folder: Path, settings: BillingSettings) -> PriceBook:
    """Read and check all prices.

    Args:
        folder: where the configuration stands; the names in the settings are relative to it.
        settings: which files.

    Raises:
        SettingsError: a file is missing or wrong, two contracts have one id, or a contract is
            above a verified cap.
    """
    law = Law([parse_law(name, _bytes(folder / name)) for name in settings.law])
    tariffs = [parse_tariff(name, _bytes(folder / name)) for name in settings.tariffs]
    ids = [tariff.id for tariff in tariffs]
    for double in sorted({id_ for id_ in ids if ids.count(id_) > 1}):
        raise SettingsError(f"two files have a tariff of the id {double}")
    return PriceBook(law, tariffs)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
