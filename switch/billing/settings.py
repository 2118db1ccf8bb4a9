"""What an operator says about money."""

from typing import Annotated

import msgspec
from msgspec import Meta

FileName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_./-]+\.toml$", max_length=200)]


class BillingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the law and the prices stand, relative to the folder of the configuration."""

    law: Annotated[tuple[FileName, ...], Meta(max_length=50)] = (
        "law/fcc_25_75.toml",
        "law/fcc_2021.toml",
        "law/states.toml",
        "law/levies.toml",
        "law/fees.toml",
        "law/duties.toml",
    )
    tariffs: Annotated[tuple[FileName, ...], Meta(max_length=500)] = ("tariffs/lab.toml",)
