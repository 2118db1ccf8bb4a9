"""Random histories of the money house as a state machine that hypothesis drives and shrinks."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from switch.billing.credit import Credit
from tests.support.money_house import House

few = st.integers(0, 5)
amounts = st.one_of(st.sampled_from((0, 1_834, 40_000, 300_000, 900_000)), st.integers(0, 900_000))
caps = st.one_of(
    st.tuples(st.just("micros"), st.sampled_from((0, 5_500, 40_000, 400_000))),
    st.tuples(st.just("micros"), st.integers(0, 40_000)),
    st.tuples(st.just("seconds"), st.sampled_from((0, 3, 20, 200))),
)
plugs = st.sampled_from(("control", "everything", "in a beat", "in a settle", "in a settle"))


class MoneyMachine(RuleBasedStateMachine):
    """Whatever happens, the ledger proves itself."""

    house: House | None = None

    @initialize(first=amounts, second=amounts, calls=st.lists(st.tuples(few, few, few), max_size=4))
    def open(self, first: int, second: int, calls: list[tuple[int, int, int]]) -> None:
        self.house = House(first, second)
        for which, price, contact in calls:
            self.call(which, price, contact)

    @property
    def home(self) -> House:
        assert self.house is not None
        return self.house

    @invariant()
    def the_ledger_proves_itself(self) -> None:
        if self.house is not None:
            self.house.check()

    @rule(seconds=st.floats(0.01, 2.4))
    def wait(self, seconds: float) -> None:
        self.home.wait(seconds)

    @rule()
    def beat(self) -> None:
        self.home.beat()

    @rule(seconds=st.sampled_from((1, 2, 5, 13, 35)))
    def talk_on(self, seconds: int) -> None:
        """A stretch in which nothing happens but beats."""
        for _ in range(seconds):
            self.home.wait(1.0)
            self.home.beat()

    @rule(which=few, price=few, contact=few)
    def reserve(self, which: int, price: int, contact: int) -> None:
        self.home.reserve(which, price, contact)

    @rule(which=few, price=few, contact=few)
    def call(self, which: int, price: int, contact: int) -> None:
        """A call that is answered at once."""
        before = len(self.home.talks)
        self.home.reserve(which, price, contact)
        if len(self.home.talks) > before:
            self.home.bridge(-1)

    @rule(n=few)
    def bridge(self, n: int) -> None:
        self.home.bridge(n)

    @rule(n=few, credit=st.sampled_from(Credit))
    def end(self, n: int, credit: Credit) -> None:
        self.home.end(n, credit)

    @rule(n=few)
    def give_back(self, n: int) -> None:
        self.home.give_back(n)

    @rule(which=few, amount=st.integers(1, 20_000))
    def fund(self, which: int, amount: int) -> None:
        self.home.fund(which, amount)

    @rule(from_=few, to=few, amount=st.integers(1, 30_000))
    def move(self, from_: int, to: int, amount: int) -> None:
        self.home.move(from_, to, amount)

    @rule(which=few, cap=caps, period=st.sampled_from(("day", "week", "month", "ever")))
    def set_limit(self, which: int, cap: tuple[str, int], period: str) -> None:
        self.home.set_limit(which, cap[0], period, cap[1])

    @rule()
    def next_day(self) -> None:
        self.home.next_day()

    @rule(plug=plugs, n=few, steps=st.integers(1, 400))
    def pull_a_plug(self, plug: str, n: int, steps: int) -> None:
        """Something dies: control, the machine, or control at a step of the database's own."""
        match plug:
            case "control":
                self.home.control_dies()
            case "everything":
                self.home.all_dies()
            case "in a beat":
                self.home.dies_in_a_beat(steps)
            case _:
                self.home.dies_in_a_settle(n, steps)

    def teardown(self) -> None:
        if self.house is not None:
            self.house.close()
