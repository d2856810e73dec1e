"""Someone who obeys the plan: every step that fires once, and the orders that it rests. To compare with."""

from airpocket.drill.account import Account, Walk
from airpocket.drill.outlook import Outlook
from airpocket.playbook.records import Step

# Resting orders that trade at a price alone; steps that wait for a closed bar are not these.
_RESTING = ("first_extension", "hard_stop", "stop", "target_1", "target_2", "target_3")
_LAST = ("hard_stop", "stop")  # out of all that is left; never moved away from the price
_TRADES = (
    "close_now", "volatility_exit", "trend_acceleration", "funding_spike", "spot_premium_widens", "trim",
    "funding_discipline", "trail",
)  # fmt: skip


class Follower:
    """Drives one account by its plan; `did` says in words what it did."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.did: list[str] = []
        self._done: set[str] = set()
        self._resting: dict[str, tuple[float, float]] = {}  # step → price, coin

    def obey(self, at_s: int, outlook: Outlook, mark: float, walk: Walk) -> None:
        """What the plan of this moment asks for."""
        for step in outlook.firing:
            self._act(at_s, step, walk)
        for step in outlook.steps:
            self._take(step)
        self.account.stops.clear()
        for name, (price, coin) in self._resting.items():
            if self.account.open:
                self.account.add_stop(price, coin, mark, name)

    def tick(self, at_s: int, mark: float, walk: Walk) -> None:
        """A second passes."""
        before = list(self.account.stops)
        for fill in self.account.tick(at_s, mark, walk):
            what = "forced out" if fill.cause == "forced" else "an order that the plan rested"
            self._tell(at_s, what, fill.coin, fill.price)
        left = {stop.name: stop.coin for stop in self.account.stops}
        for stop in before:
            if stop.name in left:  # whole, or what the book did not give
                self._resting[stop.name] = (stop.price, left[stop.name])
            else:
                self._done.add(stop.name)
                self._resting.pop(stop.name, None)

    def _act(self, at_s: int, step: Step, walk: Walk) -> None:
        size = None if step.size_coin is None else step.size_coin.value
        if step.id not in _TRADES or step.id in self._done or not self.account.open:
            return
        fill = self.account.reduce(at_s, self.account.size_coin if size is None else size, walk)
        if fill is not None:
            self._done.add(step.id)
            self._tell(at_s, step.title, fill.coin, fill.price)

    def _take(self, step: Step) -> None:
        """A resting order as the plan first gave it; the last stop may only come nearer."""
        price = None if step.price is None else step.price.value
        size = None if step.size_coin is None else step.size_coin.value
        if (
            step.state != "waiting"
            or step.id not in _RESTING
            or step.id in self._done
            or price is None
        ):
            return
        last = step.id in _LAST
        coin = self.account.start_coin if last or size is None else size
        before = self._resting.get(step.id)
        if before is None:
            self._resting[step.id] = (price, coin)
        elif last:
            nearer = max if self.account.side == "long" else min
            self._resting[step.id] = (nearer(price, before[0]), coin)

    def _tell(self, at_s: int, what: str, coin: float, price: float) -> None:
        self.did.append(f"{clock(at_s)}  {what}: closed {coin:,.4g} at {price:,.1f}")


def clock(at_s: int) -> str:
    """Seconds since the beginning as H:MM:SS."""
    return f"{at_s // 3_600}:{at_s // 60 % 60:02d}:{at_s % 60:02d}"
