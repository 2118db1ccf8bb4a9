"""How good a leg sounds, from what it lost: the E-model for G.711.

Delay is not known at a relay and counts as none, so this is an upper bound.
Source: ITU-T G.107 (2015) sections 7.1 and 7.5 and Annex B; Bpl from ITU-T G.113 Appendix I.
"""

from typing import Final

R_BEST: Final = 93.2
"""R of a connection with all parameters at their defaults. ITU-T G.107 section 7.7."""

BPL_G711: Final = 25.1
"""Robustness of G.711 with packet loss concealment at the receiver. ITU-T G.113 App. I."""

IE_MAX: Final = 95.0
"""Impairment if every packet is lost. ITU-T G.107 equation 7-29."""


def mos(lost: int, received: int) -> float:
    """Estimate the mean opinion score of one direction, 1.0 to 4.5."""
    sent = lost + received
    if sent <= 0:
        return 1.0
    loss_percent = 100.0 * max(0, lost) / sent
    r = R_BEST - IE_MAX * loss_percent / (loss_percent + BPL_G711)
    if r <= 0:
        return 1.0
    return max(1.0, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6)
