"""The SRTP suites that we speak: names, sizes of keys and tags.

Source: RFC 4568 §6.2 (AES counter mode with HMAC-SHA1), RFC 7714 §14.2 (AES-GCM). Best first is
the order in which we offer them.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Suite(StrEnum):
    """A suite, by its name in SDP."""

    AES_CM_128_HMAC_SHA1_80 = "AES_CM_128_HMAC_SHA1_80"
    AES_CM_128_HMAC_SHA1_32 = "AES_CM_128_HMAC_SHA1_32"
    AEAD_AES_128_GCM = "AEAD_AES_128_GCM"
    AEAD_AES_256_GCM = "AEAD_AES_256_GCM"


@dataclass(frozen=True, slots=True)
class Sizes:
    """In bytes."""

    key: int
    """Master key."""
    salt: int
    """Master salt."""
    tag: int
    """What a protected RTP packet is longer."""


SIZES: Final = {
    Suite.AES_CM_128_HMAC_SHA1_80: Sizes(key=16, salt=14, tag=10),
    Suite.AES_CM_128_HMAC_SHA1_32: Sizes(key=16, salt=14, tag=4),
    Suite.AEAD_AES_128_GCM: Sizes(key=16, salt=12, tag=16),
    Suite.AEAD_AES_256_GCM: Sizes(key=32, salt=12, tag=16),
}
"""RFC 4568 §6.2.1, §6.2.2; RFC 7714 §12."""

TAG_BYTES_MAX: Final = max(sizes.tag for sizes in SIZES.values())

OFFERED: Final = (
    Suite.AES_CM_128_HMAC_SHA1_80,
    Suite.AEAD_AES_256_GCM,
    Suite.AEAD_AES_128_GCM,
    Suite.AES_CM_128_HMAC_SHA1_32,
)
"""What we offer and take, the preferred first. Chosen: what every telephone knows leads, so that
an answerer that looks at the first line only still understands us; the short tag comes last."""


@dataclass(frozen=True, slots=True)
class MasterKey:
    """Master key and salt of one direction; no text of it shows them."""

    suite: Suite
    secret: bytes = field(repr=False)
    """Key, then salt."""

    def __post_init__(self) -> None:
        """Refuse a key of another length than the suite's."""
        if len(self.secret) != secret_bytes(self.suite):
            raise ValueError(f"a key of {self.suite} has {secret_bytes(self.suite)} bytes")


def secret_bytes(suite: Suite) -> int:
    """Return the length of master key and salt together."""
    return SIZES[suite].key + SIZES[suite].salt
