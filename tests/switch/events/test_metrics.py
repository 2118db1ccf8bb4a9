from switch.call.news import StatusNews
from switch.events.metrics import Metrics
from switch.events.series import RTP_DROP_REASONS, Names
from switch.media.legs import Drop
from switch.screening.reasons import DenyReason
from tests.switch.events import news_of

NAMES = Names(trunks=("east", "west"), causes=("funds", *DenyReason))


def metrics() -> Metrics:
    return Metrics(NAMES, version="1.2.3")


def value(of: Metrics, name: str, **labels: str) -> float | None:
    return of.series.registry.get_sample_value(f"kinline_{name}", labels)


def test_what_the_configuration_names_stands_at_zero_from_the_start() -> None:
    of = metrics()
    for reason in DenyReason:
        assert value(of, "calls_total", direction="out", cause=reason) == 0
    for trunk in NAMES.trunks:
        assert value(of, "trunk_up", trunk=trunk) == 0
    assert value(of, "policy_events_total", kind="three_way") == 0
    assert value(of, "sip_requests_total", method="INVITE", direction="in") == 0
    assert value(of, "call_setup_seconds_count") == 0
    assert value(of, "rtp_mos_count") == 0
    assert value(of, "ledger_reserve_failures_total") == 0


def test_every_name_of_the_design_is_there() -> None:
    wanted = [
        "calls_active", "calls_total", "call_setup_seconds", "policy_events_total",
        "sip_requests_total", "sip_responses_total", "sip_retransmissions_total",
        "sip_dropped_total", "sip_shed_total", "transactions", "registrations_active",
        "digest_failures_total", "trunk_up", "trunk_channels", "trunk_failovers_total",
        "register_whole", "draining", "rtp_packets_total", "rtp_lost_total", "rtp_dropped_total",
        "rtp_jitter_seconds", "rtp_mos", "rtp_ports_in_use", "frame_deadline_misses_total",
        "frame_batch_seconds", "socket_rcvbuf_errors_total", "ledger_reserve_failures_total",
        "ledger_lag_seconds", "control_lag_seconds", "leases_held", "orphans_reaped_total",
    ]  # fmt: skip
    text = metrics().text().decode()
    missing = [name for name in wanted if f"# TYPE kinline_{name} " not in text]
    assert missing == []


def test_every_reason_of_a_dropped_packet_stands_at_zero_and_counts_what_a_leg_grew_by() -> None:
    of = metrics()
    assert set(RTP_DROP_REASONS) == {drop.name.lower() for drop in Drop} - {"none"}
    assert all(value(of, "rtp_dropped_total", reason=reason) == 0 for reason in RTP_DROP_REASONS)
    of.publish_nowait(news_of.quality(received=50, too_fast=3))
    of.publish_nowait(news_of.quality(received=100, too_fast=5))
    assert value(of, "rtp_dropped_total", reason="too_fast") == 5


def test_the_last_word_of_a_leg_after_its_call_is_neither_counted_again_nor_remembered() -> None:
    of = metrics()
    of.publish_nowait(news_of.quality(received=50))
    of.publish_nowait(news_of.ended())
    of.publish_nowait(news_of.quality(received=60))
    assert value(of, "rtp_packets_total", direction="in") == 50
    assert of._legs == {}


def test_no_label_carries_a_number_a_name_or_a_call() -> None:
    of = metrics()
    said = (news_of.state(), news_of.quality(), news_of.registration(), news_of.ended())
    for news in said:
        of.publish_nowait(news)
    text = "\n".join(line.rsplit(" ", 1)[0] for line in of.text().decode().splitlines())
    for secret in ("7001", "B2-4", "192.0.2.9"):
        assert secret not in text


def test_a_call_is_active_from_its_first_state_to_its_end() -> None:
    of = metrics()
    of.publish_nowait(news_of.state(name="off_hook"))
    of.publish_nowait(news_of.state(name="talking"))
    assert value(of, "calls_active") == 1
    of.publish_nowait(news_of.ended())
    assert value(of, "calls_active") == 0
    assert value(of, "calls_total", direction="out", cause="funds") == 1
    assert value(of, "call_setup_seconds_sum") == 1.25


def test_packets_are_counted_by_what_a_leg_grew() -> None:
    of = metrics()
    of.publish_nowait(news_of.quality(received=50))
    of.publish_nowait(news_of.quality(received=100, lost=2))
    assert value(of, "rtp_packets_total", direction="in") == 100
    assert value(of, "rtp_lost_total") == 2
    of.publish_nowait(news_of.ended())
    assert value(of, "rtp_mos_count") == value(of, "rtp_jitter_seconds_count") == 2


def test_a_detection_counts_by_its_kind() -> None:
    of = metrics()
    of.publish_nowait(news_of.detection("three_way"))
    assert value(of, "policy_events_total", kind="three_way") == 1


def test_a_terminal_that_goes_is_no_longer_registered() -> None:
    of = metrics()
    of.publish_nowait(news_of.registration())
    of.publish_nowait(news_of.registration())
    assert value(of, "registrations_active") == 1
    of.publish_nowait(news_of.registration(expires_s=0))
    assert value(of, "registrations_active") == 0


def test_late_and_shed_ticks_of_a_worker_that_starts_anew_count_on() -> None:
    of = metrics()
    for late in (3, 5, 1):
        of.publish_nowait(news_of.worker(late, 10 * late))
    assert value(of, "frame_deadline_misses_total") == 6
    assert value(of, "frames_shed_total") == 60


def test_trunks_and_draining_show() -> None:
    of = metrics()
    of.publish_nowait(news_of.trunk(up=True))
    of.publish_nowait(StatusNews(state="draining", version="1", at_wall=0.0))
    assert value(of, "trunk_up", trunk="east") == 1
    assert value(of, "trunk_channels", trunk="east") == 2
    assert value(of, "draining") == 1


def test_totals_of_another_room_never_fall() -> None:
    of = metrics()
    for total in (5, 7, 2):
        of.sample_sip(
            requests={("in", "INVITE"): total, ("in", "HACK"): 1, ("in", "SLASH"): total - 1},
            responses={("out", "200"): total},
            dropped={"rate": total},
            retransmissions=total,
            transactions={("invite_server", "PROCEEDING"): total},
            shed={"INVITE": total},
            digest_failures=total,
        )
    assert value(of, "sip_requests_total", method="INVITE", direction="in") == 9
    assert value(of, "sip_requests_total", method="other", direction="in") == 9
    assert value(of, "sip_responses_total", direction="out", code="200") == 9
    assert value(of, "sip_dropped_total", reason="rate") == 9
    assert value(of, "sip_retransmissions_total") == 9
    assert value(of, "sip_shed_total", method="INVITE") == 9
    assert value(of, "digest_failures_total") == 9


def test_a_transaction_that_is_over_shows_as_none() -> None:
    of = metrics()
    for held in ({("invite_server", "PROCEEDING"): 4}, {}):
        of.sample_sip(
            requests={}, responses={}, dropped={}, retransmissions=0, transactions=held, shed={},
            digest_failures=0,
        )  # fmt: skip
    assert value(of, "transactions", kind="invite_server", state="PROCEEDING") == 0


def test_a_gauge_is_set_by_its_name() -> None:
    of = metrics()
    of.sample_gauge("rtp_ports_in_use", 12)
    assert value(of, "rtp_ports_in_use") == 12
