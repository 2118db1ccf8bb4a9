from hypothesis import given
from hypothesis import strategies as st

from switch.rtp import rtcp
from switch.rtp.rtcp import Bye, Report, ReportBlock, SenderInfo

WORD = st.integers(0, 0xFFFF_FFFF)
BLOCKS = st.builds(
    ReportBlock,
    ssrc=WORD,
    fraction_lost=st.integers(0, 255),
    lost=st.integers(-(1 << 23), (1 << 23) - 1),
    max_sequence=WORD,
    jitter=WORD,
    last_sr=WORD,
    delay_since_sr=WORD,
)
REPORTS = st.builds(
    Report, ssrc=WORD, sender=st.none(), blocks=st.lists(BLOCKS, max_size=3).map(tuple)
)


@given(REPORTS)
def test_a_report_that_is_built_is_read_again(report: Report) -> None:
    assert rtcp.parse(rtcp.build_report(report, cname="a@b")) == [report]


def test_a_sender_report_says_when_and_how_much() -> None:
    info = SenderInfo(wall=1_700_000_000.25, timestamp=160, packets=9, octets=1440)
    found = rtcp.parse(rtcp.build_report(Report(5, info, ()), cname="node"))
    assert found == [Report(5, info, ())]


def test_every_compound_is_whole_words_and_begins_with_a_report() -> None:
    for length in range(12):
        data = rtcp.build_report(Report(1, None, ()), cname="x" * length)
        assert len(data) % 4 == 0
        assert data[1] == rtcp.TYPE_RR


def test_goodbye_follows_a_report() -> None:
    assert rtcp.parse(rtcp.build_bye(9, cname="n")) == [Report(9, None, ()), Bye((9,))]


@given(st.binary(max_size=200))
def test_no_bytes_are_too_strange_to_be_read(data: bytes) -> None:
    rtcp.parse(data)


def test_what_follows_an_unknown_packet_is_read() -> None:
    unknown = b"\x80\xcc\x00\x01abcd"
    assert rtcp.parse(unknown + rtcp.build_bye(9, cname="n"))[-1] == Bye((9,))


def test_the_round_trip_is_the_way_there_and_back_without_the_stay() -> None:
    left, stay = 1_700_000_000.0, 0.5
    block = ReportBlock(
        ssrc=1,
        fraction_lost=0,
        lost=0,
        max_sequence=0,
        jitter=0,
        last_sr=rtcp.middle_ntp(left),
        delay_since_sr=round(stay * 65536),
    )
    found = rtcp.round_trip_s(block, wall=left + stay + 0.080)
    assert found is not None
    assert abs(found - 0.080) < 0.001


def test_a_far_end_that_had_no_report_shows_no_round_trip() -> None:
    assert rtcp.round_trip_s(ReportBlock(1, 0, 0, 0, 0), wall=1_700_000_000.0) is None
