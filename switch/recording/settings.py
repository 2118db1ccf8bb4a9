"""What an operator may set about recordings: where they lie, which key seals them."""

from typing import Annotated

import msgspec


class RecordingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Table `[recording]` of the configuration. Whether and how long, each facility says."""

    folder: str = ""
    """Where the files lie; empty: `DATA/recordings`."""
    key_file: str = ""
    """The master key, 32 bytes; empty: `DATA/keys/recording.key`, made at the first start."""
    free_mb_min: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 512
    """With less room on the disk no new recording begins. Chosen: the database and the logs live
    there too, and half a gigabyte is eight hours of sound for those that have begun."""
    purge_hour: Annotated[int, msgspec.Meta(ge=0, le=23)] = 3
    """At this hour (UTC) recordings whose time is over are removed. Chosen: few talk then."""
