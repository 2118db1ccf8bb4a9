"""Every Prometheus series of the switch, declared once, each at 0 from the start.

Base units, `_total` on what only rises, few labels, never a number, a name or a call id. A series
that appears late breaks the alert that watches it, so `create` makes every combination of labels
that the configuration can name. Source: https://prometheus.io/docs/practices/naming/.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SETUP_S: Final = (0.25, 0.5, 1, 2, 3, 4, 6, 8, 11, 16, 32)
"""Post-dial delay. Chosen: 11 s is the delay that ITU-T E.721 allows for international calls."""

TICK_S: Final = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.012, 0.016, 0.02, 0.04)
"""A tick is 20 ms; above it a frame is late. Chosen."""

MOS: Final = (1.0, 2.0, 2.6, 3.1, 3.6, 4.0, 4.3, 4.5)
"""The borders of user satisfaction in ITU-T G.107 Annex B, Table B.1, and the ends."""

METHODS: Final = (
    "ACK", "BYE", "CANCEL", "INFO", "INVITE", "MESSAGE", "NOTIFY", "OPTIONS", "PRACK", "REFER",
    "REGISTER", "SUBSCRIBE", "UPDATE", "other",
)  # fmt: skip
"""Methods that anybody sends us; the rest counts as `other`, so that a peer makes no series."""

CODES: Final = ("100", "180", "200", "401", "404", "408", "480", "486", "487", "500", "503")
"""Answers that every switch sees, there from the start; others once they are seen."""

DETECTOR_KINDS: Final = (
    "dtmf", "hookflash", "dial_tone", "ringback", "busy", "sit", "three_way", "call_waiting",
    "forwarded", "extra_digits", "noise_masking", "noise_anomaly", "device_switch",
    "inmate_to_inmate", "machine", "tty", "fax", "music", "silence_long",
)  # fmt: skip
"""The nineteen kinds of detection.md section 6.2."""

POLICY_KINDS: Final = (
    "refusal", "ending", "digits", "order", "mark", "forwarding", "acceptance", "block", "warning",
)  # fmt: skip
"""What else goes to the topic `policy`."""

DROP_REASONS: Final = ("malformed", "too_big", "rate", "unknown_source", "other")
"""Why SIP datagrams are dropped. More come from the stack as they are seen."""


RTP_DROP_REASONS: Final = (
    "too_short", "bad_version", "control", "bad_length", "not_our_source", "too_fast",
    "not_our_payload_type", "bad_sequence", "not_joined", "held_back", "key_muted", "unpaid",
    "no_events", "not_sent", "stale", "not_authentic", "replayed", "too_many_sources",
)  # fmt: skip
"""Why a packet of a leg went no further: `switch.media.legs.Drop`, a test compares them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the configuration can name."""

    trunks: Sequence[str] = ()
    causes: Sequence[str] = ()
    """Codes of every deny and end reason."""


class Series:
    """All series, by their name without the prefix `kinline_`.

    Args:
        names: what the labels can be.
    """

    def __init__(self, names: Names) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self.counters: dict[str, Counter] = {}
        self.gauges: dict[str, Gauge] = {}
        self.histograms: dict[str, Histogram] = {}
        self._counters(names)
        self._gauges(names)
        self._histograms()

    def _counter(self, name: str, text: str, labels: Mapping[str, Sequence[str]]) -> None:
        counter = Counter(f"kinline_{name}", text, tuple(labels), registry=self.registry)
        self.counters[name] = counter
        for values in product(*labels.values()) if labels else ():
            counter.labels(*values)

    def _gauge(self, name: str, text: str, labels: Mapping[str, Sequence[str]]) -> None:
        gauge = Gauge(f"kinline_{name}", text, tuple(labels), registry=self.registry)
        self.gauges[name] = gauge
        for values in product(*labels.values()) if labels else ():
            gauge.labels(*values)

    def _counters(self, names: Names) -> None:
        directions = ("in", "out")
        policy = (*DETECTOR_KINDS, *POLICY_KINDS)
        causes = {"direction": ("out", "in"), "cause": names.causes}
        say = self._counter
        say("calls_total", "Calls that ended or were refused, by reason.", causes)
        say("policy_events_total", "Detections, refusals, digits, orders.", {"kind": policy})
        by_method = {"method": METHODS, "direction": directions}
        say("alarms_total", "Things that somebody should see to.", {"code": ALARMS})
        say("sip_requests_total", "SIP requests.", by_method)
        by_code = {"direction": directions, "code": CODES}
        say("sip_responses_total", "SIP responses.", by_code)
        say("sip_retransmissions_total", "SIP messages sent again.", {})
        say("sip_dropped_total", "SIP datagrams dropped unanswered.", {"reason": DROP_REASONS})
        say("sip_shed_total", "SIP requests refused under load.", {"method": METHODS})
        say("digest_failures_total", "Digest answers that were wrong.", {})
        say("trunk_failovers_total", "Calls that went on to the next trunk.", {})
        say("rtp_packets_total", "RTP packets.", {"direction": directions})
        say("rtp_lost_total", "RTP packets that never came.", {})
        say("rtp_dropped_total", "RTP packets that were not taken.", {"reason": RTP_DROP_REASONS})
        say("frame_deadline_misses_total", "Ticks of the media workers that were late.", {})
        say("frames_shed_total", "Ticks of the media workers without a look at the sound.", {})
        say("socket_rcvbuf_errors_total", "Datagrams the kernel dropped, a buffer being full.", {})
        say("ledger_reserve_failures_total", "Money that could not be reserved.", {})
        say("orphans_reaped_total", "Calls of a dead process that were ended for it.", {})
        say("events_dropped_total", "Events a slow listener never got.", {"listener": LISTENERS})

    def _gauges(self, names: Names) -> None:
        trunk = {"trunk": names.trunks}
        say = self._gauge
        say("calls_active", "Calls that live now.", {})
        say("transactions", "SIP transactions.", {"kind": (), "state": ()})
        say("registrations_active", "Terminals with a binding.", {})
        say("trunk_up", "1 if the trunk answers.", trunk)
        say("trunk_channels", "Calls on the trunk.", trunk)
        say("register_whole", "1 if the privileged register is proved; 0: nothing is heard.", {})
        say("draining", "1 if no new calls are taken.", {})
        say("media_legs", "Legs with media.", {"worker": ()})
        say("media_workers_alive", "Media workers that answer.", {})
        say("rtp_ports_in_use", "RTP ports in use.", {})
        say("ledger_lag_seconds", "How far metering is behind.", {})
        say("control_lag_seconds", "How late the control loop wakes.", {})
        say("leases_held", "Calls this node answers for.", {})
        say("mqtt_connected", "1 if the broker is there.", {})
        say("build_info", "1; the version is the label.", {"version": ()})

    def _histograms(self) -> None:
        def say(name: str, text: str, buckets: Sequence[float]) -> None:
            self.histograms[name] = Histogram(
                f"kinline_{name}", text, buckets=buckets, registry=self.registry
            )

        say("call_setup_seconds", "From our INVITE to ringing or answer.", SETUP_S)
        say("rtp_jitter_seconds", "Interarrival jitter of a leg, each second.", (
            0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2,
        ))  # fmt: skip
        say("rtp_mos", "Mean opinion score of a leg by the E-model, each second.", MOS)
        say("frame_batch_seconds", "Slowest tick in a hundred of a worker.", TICK_S)


ALARMS: Final = (
    "recording_disk", "recording_key", "inspection_shed", "signalling_shed", "register",
)  # fmt: skip
"""Alarms that are known from the start; more come as they are raised."""

LISTENERS: Final = ("news", "mqtt", "audit")
"""Who has a bounded queue."""
