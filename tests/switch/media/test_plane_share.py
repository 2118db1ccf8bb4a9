from switch.media.plane_share import (
    BUSY_FULL,
    BUSY_PACKED,
    LEG_BUSY,
    WorkerLoad,
    choose,
    places,
)


def chosen(*loads: WorkerLoad, packed: int = 0, legs_max: int = 100) -> int | None:
    return choose(dict(enumerate(loads)), legs_packed=packed, legs_max=legs_max)


def test_a_worker_is_filled_before_the_next_one() -> None:
    assert chosen(WorkerLoad(8, 8, 0.01), WorkerLoad(0), packed=10) == 0
    assert chosen(WorkerLoad(10, 10, 0.01), WorkerLoad(0), packed=10) == 1


def test_a_worker_that_is_busy_is_not_filled_further() -> None:
    assert chosen(WorkerLoad(8, 8, BUSY_PACKED), WorkerLoad(0), packed=10) == 1


def test_the_one_with_less_to_do_gets_the_call_though_it_has_more_legs() -> None:
    assert chosen(WorkerLoad(20, 20, 0.6), WorkerLoad(40, 40, 0.3)) == 1


def test_what_came_since_the_report_counts() -> None:
    fresh = WorkerLoad(40, 0, 0.1)
    assert fresh.estimate == 0.1 + 40 * LEG_BUSY
    assert chosen(fresh, WorkerLoad(40, 40, 0.11)) == 1


def test_equal_workers_take_turns() -> None:
    legs = [0, 0]
    for _ in range(10):
        number = chosen(*(WorkerLoad(count) for count in legs))
        assert number is not None
        legs[number] += 2
    assert legs == [10, 10]


def test_a_full_house_has_no_room() -> None:
    assert chosen(WorkerLoad(100), WorkerLoad(99)) is None
    assert choose({}, legs_packed=0, legs_max=4) is None


def test_a_worker_without_time_has_no_place_though_it_has_legs() -> None:
    full, half = WorkerLoad(600, 600, BUSY_FULL), WorkerLoad(300, 300, BUSY_FULL / 2)
    assert places({0: full}, legs_max=4096) == (0, "media.workers")
    left, limit = places({0: full, 1: half}, legs_max=4096)
    assert (left, limit) == (int(BUSY_FULL / 2 / LEG_BUSY), "media.workers")
    assert chosen(full, packed=10, legs_max=4096) == 0


def test_a_worker_with_time_has_as_many_places_as_legs() -> None:
    assert places({0: WorkerLoad(90, 90, 0.1)}, legs_max=100) == (10, "media.legs_max")
    assert places({}, legs_max=100) == (0, "media.legs_max")
