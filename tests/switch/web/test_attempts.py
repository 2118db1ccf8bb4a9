from switch.web.attempts import ADDRESS_MAX, NAME_MAX, PAIR_MAX, WINDOW_S, Attempts

HERE = "192.0.2.1"


def test_five_wrong_tries_make_a_name_wait_at_its_address() -> None:
    attempts = Attempts()
    for second in range(PAIR_MAX):
        assert attempts.wait_s("lee", HERE, now=second) == 0
        attempts.failed("lee", HERE, now=second)
    assert attempts.wait_s("lee", HERE, now=10.0) == WINDOW_S - 10
    assert attempts.wait_s("lee", "192.0.2.2", now=10.0) == 0
    assert attempts.wait_s("ann", HERE, now=10.0) == 0
    assert attempts.wait_s("lee", HERE, now=WINDOW_S) == 0


def test_an_address_that_tries_many_names_waits() -> None:
    attempts = Attempts()
    for n in range(ADDRESS_MAX):
        attempts.failed(f"name{n}", HERE, now=0.0)
    assert attempts.wait_s("fresh", HERE, now=1.0) > 0


def test_a_name_that_is_tried_from_everywhere_waits() -> None:
    attempts = Attempts()
    for n in range(NAME_MAX):
        attempts.failed("lee", f"192.0.2.{n}", now=0.0)
    assert attempts.wait_s("lee", "198.51.100.1", now=1.0) > 0


def test_a_success_forgives_the_pair_only() -> None:
    attempts = Attempts()
    for _ in range(PAIR_MAX):
        attempts.failed("lee", HERE, now=0.0)
    attempts.succeeded("lee", HERE)
    assert attempts.wait_s("lee", HERE, now=1.0) == 0
