from switch.sip.success_resend import NoAck, Resend, State, SuccessResend


def test_a_2xx_is_sent_again_doubling_up_to_t2_for_32_s() -> None:
    tx, seen = SuccessResend(now=0.0), list[tuple[float, object]]()
    while (at := tx.next_deadline()) is not None:
        seen += [(at, effect) for effect in tx.handle_timers(now=at)]
    resent = [at for at, effect in seen if effect == Resend()]
    assert resent == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert seen[-1] == (32.0, NoAck())
    assert tx.state is State.GIVEN_UP


def test_the_ack_ends_it_and_counts_once() -> None:
    tx = SuccessResend(now=0.0)
    assert tx.acknowledge()
    assert not tx.acknowledge()
    assert tx.next_deadline() is None
    assert tx.handle_timers(now=99.0) == []


def test_an_early_look_at_the_clock_does_nothing() -> None:
    assert SuccessResend(now=0.0).handle_timers(now=0.4) == []
