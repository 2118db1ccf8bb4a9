from switch.screening.reasons import DENY_STATUS, OUR_FAULT, UNSPOKEN, DenyReason


def test_there_are_36_reasons_each_with_a_status() -> None:
    assert len(DenyReason) == 36
    assert list(DENY_STATUS) == list(DenyReason)


def test_none_of_them_means_that_we_do_not_know() -> None:
    assert not {"unknown", "other"} & {reason.value for reason in DenyReason}


def test_the_statuses_are_those_of_the_table() -> None:
    by_pair: dict[tuple[int, int], set[str]] = {}
    for reason in DenyReason:
        by_pair.setdefault((reason.sip, reason.q850), set()).add(reason.value)
    assert by_pair[480, 31] == {
        "lockdown", "terminal_off", "terminal_schedule", "no_input", "schedule",
    }  # fmt: skip
    assert by_pair[503, 41] == {"maintenance", "line_unverified", "no_rate"}
    assert by_pair[503, 34] == {"capacity"}
    assert by_pair[486, 17] == {"terminal_busy"}
    assert by_pair[484, 28] == {"number_invalid"}
    assert set(by_pair) == {(480, 31), (503, 41), (503, 34), (486, 17), (484, 28), (403, 21)}


def test_our_own_faults_and_the_unspoken_ones() -> None:
    assert {reason.value for reason in OUR_FAULT} == {"no_rate", "maintenance", "capacity"}
    assert {reason.value for reason in UNSPOKEN} == {
        "terminal_unknown", "terminal_busy", "inbound_refused",
    }  # fmt: skip
