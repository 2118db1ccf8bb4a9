"""How good a leg sounds: the E-model for G.711, from delay, loss and how the loss comes together.

    Id     = 0.024 d + 0.11 (d - 177.3) H(d - 177.3)        d: one way, ms
    Ie,eff = Ie + (95 - Ie) Ppl / (Ppl / BurstR + Bpl)      Ppl: %, late packets are lost ones
    R      = 93.2 - Id - Ie,eff
    MOS    = 1 + 0.035 R + 7e-6 R (R - 60) (100 - R)

Silence is no loss: a sender that says nothing, or sends comfort noise, leaves no hole in its
sequence numbers.
Source: ITU-T G.107 in the simple form of the signalling rules, section 7; Bpl after ITU-T G.113
Appendix I, by secondary sources.
"""

from dataclasses import dataclass
from typing import Final

R_BEST: Final = 93.2
"""R with every parameter at its default. ITU-T G.107 §7.7."""

IE_G711: Final = 0.0
IE_MAX: Final = 95.0
"""Impairment of the codec; if every packet is lost. ITU-T G.107 §7.5."""

BPL_CONCEALED: Final = 25.1
BPL_PLAIN: Final = 4.3
"""Robustness of G.711 against random loss, with and without concealment at the receiver."""

DELAY_KNEE_MS: Final = 177.3
"""From here on delay disturbs the conversation itself. ITU-T G.107 §7.4, simplified."""

PACKET_MS: Final = 20.0
BUFFER_MS: Final = 60.0
"""Of the delay one way, beside half the round trip: a packet's time, and a jitter buffer at the far
end that we do not see (assumed)."""

MOS_BEST: Final = 4.5
MOS_WORST: Final = 1.0


@dataclass(frozen=True, slots=True)
class Counts:
    """What one direction of a leg has counted since its beginning, or within a stretch of it."""

    received: int = 0
    lost: int = 0
    late: int = 0
    loss_runs: int = 0
    """How often packets were missing, however many at a time."""

    def since(self, before: "Counts") -> "Counts":
        """Return what came after `before`; never below zero, for a lost packet may come late."""
        return Counts(
            max(0, self.received - before.received),
            max(0, self.lost - before.lost),
            max(0, self.late - before.late),
            max(0, self.loss_runs - before.loss_runs),
        )

    @property
    def loss_percent(self) -> float:
        """Share of packets that were of no use: missing, or too late."""
        expected = self.received + self.lost
        useless = min(self.lost + self.late, expected)
        return 100.0 * useless / expected if expected else 0.0

    @property
    def burst_ratio(self) -> float:
        """Return BurstR: mean length of a loss, over that of random loss (1 / (1 - p)). G.107 §3.5.

        1: losses come alone; more: they come together.
        """
        expected = self.received + self.lost
        if not self.loss_runs or not self.lost or not expected:
            return 1.0
        return max(1.0, self.lost / self.loss_runs * (1 - self.lost / expected))


def one_way_ms(round_trip_ms: float | None) -> float:
    """Return the delay from mouth to ear of one leg; a round trip that is not known counts as 0."""
    return (round_trip_ms or 0.0) / 2 + PACKET_MS + BUFFER_MS


def rating(
    *, delay_ms: float, loss_percent: float, bpl: float = BPL_CONCEALED, burst_ratio: float = 1.0
) -> float:
    """Return R of G.711, 93.2 at best; it may fall below zero.

    Args:
        delay_ms: one way.
        loss_percent: 0 to 100.
        bpl: BPL_CONCEALED or BPL_PLAIN.
        burst_ratio: 1 for random loss.
    """
    impaired = 0.024 * delay_ms + 0.11 * max(0.0, delay_ms - DELAY_KNEE_MS)
    lossy = IE_G711
    if loss_percent > 0:
        lossy += (IE_MAX - IE_G711) * loss_percent / (loss_percent / burst_ratio + bpl)
    return R_BEST - impaired - lossy


def mos(r: float) -> float:
    """Return the mean opinion score of a rating: 1.0 to 4.5. ITU-T G.107 Annex B."""
    if r >= 100:
        return MOS_BEST
    if r <= 0:
        return MOS_WORST
    return max(MOS_WORST, 1 + 0.035 * r + 7e-6 * r * (r - 60) * (100 - r))


def score(counts: Counts, round_trip_ms: float | None) -> float | None:
    """Return the score of what was counted; None: nothing was sent, so there is nothing to say."""
    if counts.received + counts.lost == 0:
        return None
    delay_ms = one_way_ms(round_trip_ms)
    r = rating(delay_ms=delay_ms, loss_percent=counts.loss_percent, burst_ratio=counts.burst_ratio)
    return round(mos(r), 3)
