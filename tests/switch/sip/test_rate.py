from switch.sip import rate
from switch.sip.rate import Buckets, DigestFailures, Verdict


def test_a_burst_passes_then_one_refusal_then_silence_then_tokens_return() -> None:
    buckets = Buckets(per_second=1.0, burst_max=2)
    seen = [buckets.take("a", now=at) for at in (0.0, 0.0, 0.1, 0.2, 1.2)]
    assert seen == [Verdict.PASS, Verdict.PASS, Verdict.REFUSE, Verdict.IGNORE, Verdict.PASS]
    assert buckets.take("b", now=0.2) is Verdict.PASS


def test_buckets_are_bounded() -> None:
    buckets = Buckets(per_second=1.0, burst_max=2)
    for number in range(rate.LINES_MAX + 50):
        buckets.take(str(number), now=0.0)
    assert len(buckets._lines) == rate.LINES_MAX


def test_failures_far_apart_do_not_add_up() -> None:
    failures = DigestFailures(failures_max=3)
    assert not any(failures.failed("a", now=40.0 * n) for n in range(10))


def test_silence_doubles_up_to_an_hour_and_success_wipes_the_slate() -> None:
    failures, now, lengths = DigestFailures(failures_max=1), 0.0, []
    for _ in range(8):
        assert failures.failed("a", now=now)
        until = next(
            s
            for s in (60, 120, 240, 480, 960, 1920, 3600)
            if not failures.is_silent("a", now=now + s)
        )
        lengths.append(until)
        now += until
    assert lengths == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    failures.succeeded("a")
    failures.failed("a", now=now)
    assert not failures.is_silent("a", now=now + 60)
