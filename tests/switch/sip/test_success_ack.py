from switch.sip.message import Response
from switch.sip.success_ack import Adopt, Release, SendAck, SuccessAck

OK = Response(200)


def test_the_first_2xx_makes_the_dialog_and_its_repeats_get_the_same_ack() -> None:
    acks = SuccessAck()
    assert acks.receive(OK, "one") == Adopt(OK)
    acks.acknowledged("one", b"ACK")
    assert acks.receive(OK, "one") == SendAck(b"ACK")


def test_another_tag_is_released_and_then_only_acknowledged() -> None:
    acks = SuccessAck()
    acks.acknowledged("one", b"ACK")
    assert acks.receive(OK, "two") == Release(OK)
    acks.acknowledged("two", b"ACK2")
    assert acks.receive(OK, "two") == SendAck(b"ACK2")
