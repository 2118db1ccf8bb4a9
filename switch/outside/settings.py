"""Settings of what we ask of others."""

from typing import Annotated

import msgspec
from msgspec import Meta


class OutsideSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The table `[outside]`."""

    lines_file: Annotated[str, Meta(max_length=200)] = ""
    """Line information from a file, relative to the folder of the configuration; '' is none."""
