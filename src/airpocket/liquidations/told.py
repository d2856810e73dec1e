"""What a venue told of its marks and liquidations, cut to the steps of the map."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.units import MINUTE_NS
from airpocket.market.state import Contract

_NEVER: IntArray = np.zeros(0, np.int64)
_NOTHING: FloatArray = np.zeros(0)
_DENSE_NS = 2 * MINUTE_NS  # marks at least this often stand for the path of the mark


@dataclass(frozen=True, slots=True)
class Marks:
    """Mark prices as told: at (n,) ns, price (n,) quote per coin; assumed: what stands in for them."""

    at: IntArray
    price: FloatArray
    assumed: tuple[str, ...]

    def reach(
        self, begin: IntArray, end: IntArray, high: FloatArray, low: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Highest and lowest mark of each step (begin, end]; the given prices where marks are too rare."""
        first, last = np.searchsorted(self.at, begin, side="right"), np.searchsorted(
            self.at, end, side="right"
        )  # fmt: skip
        dense = (last - first) * _DENSE_NS >= end - begin
        if not dense.any():
            return high, low
        # pairs of bounds for reduceat; a step without marks is never read
        bounds = np.stack([first[dense], last[dense]], axis=1).reshape(-1)
        padded = np.append(self.price, np.nan)
        reached_high, reached_low = high.copy(), low.copy()
        reached_high[dense] = np.maximum.reduceat(padded, bounds)[::2]
        reached_low[dense] = np.minimum.reduceat(padded, bounds)[::2]
        return reached_high, reached_low


@dataclass(frozen=True, slots=True)
class Prints:
    """Liquidations as told: heard (n,) ns when they could be known, bought: (n,) a short was closed,
    coin (n,). sampled: the feed does not claim to tell all. unheard: share of those told that are left out."""

    heard: IntArray
    bought: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
    coin: FloatArray
    sampled: bool
    assumed: tuple[str, ...]
    unheard: float = 0.0

    def within(
        self, begin: IntArray, end: IntArray, quiet_ns: int
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Coin bought and sold by force and squared sizes told in each step; NaN while the feed is down.

        It is taken to be down before its first print and once it was silent for `quiet_ns`: nobody says
        that nothing happened.
        """
        last = np.searchsorted(self.heard, end, side="right")
        first = np.searchsorted(self.heard, begin, side="right")
        recent = np.searchsorted(self.heard, end - quiet_ns, side="right")
        up = last > recent
        # each step by itself: its sum must not hang on how far back prints are stored
        bounds = np.stack([first, last], axis=1).reshape(-1)
        found: list[FloatArray] = []
        for values in (
            np.where(self.bought, self.coin, 0.0),
            np.where(self.bought, 0.0, self.coin),
            self.coin**2,
        ):
            total = np.add.reduceat(np.append(values, 0.0), bounds)[::2]
            found.append(np.where(up, np.where(last > first, total, 0.0), np.nan))
        return found[0], found[1], found[2]


def marks_of(contract: Contract) -> Marks:
    """The contract's marks; none where no ticker carries them."""
    table = contract.table("ticker")
    stand_in = (
        "last prices stand in for its mark price where marks are not stored each two minutes",
    )
    if table is None:
        return Marks(np.zeros(0, np.int64), np.zeros(0), stand_in)
    price = table.floats("mark")
    known = price > 0.0
    at = table.ints("ts")[known]
    often = len(at) > 1 and float(np.median(np.diff(at))) <= _DENSE_NS
    return Marks(at, price[known], () if often else stand_in)


def prints_of(
    contract: Contract, known_at: IntArray = _NEVER, open_coin: FloatArray = _NOTHING
) -> Prints:
    """The contract's liquidation prints in the order heard.

    Left out are those without side, those of which neither a size nor amount and price are told, and those of more
    coin than was open in any figure until then (known_at ns, open_coin). A size needs no price.
    """
    table = contract.table("liquidation")
    if table is None or len(table) == 0:
        none = np.zeros(0)
        said = ("no liquidation was told: the leverage mix is the prior's",)
        return Prints(none.astype(np.int64), none > 0, none, True, said)
    size, usd, price = (table.floats(name) for name in ("size", "notional_usd", "price"))
    coin = np.where(
        size > 0.0, size, np.divide(usd, price, out=np.zeros_like(usd), where=price > 0.0)
    )
    side = table.texts("forced_side")
    told = (coin > 0.0) & np.isfinite(coin) & np.isin(side, ("buy", "sell"))
    heard = table.ints("usable_from")
    most = np.append(np.inf, np.maximum.accumulate(open_coin))
    usable = told & (coin <= most[np.searchsorted(known_at, heard, side="right")])
    order = np.argsort(heard[usable], kind="stable")
    unheard = float(1.0 - usable.mean())
    return Prints(
        heard[usable][order],
        (side[usable] == "buy")[order],
        coin[usable][order],
        bool((table.texts("coverage") != "all").any()),
        tuple(_left_out(int((~told).sum()), int((told & ~usable).sum()), unheard)),
        unheard,
    )


def _left_out(lacking: int, too_big: int, share: float) -> list[str]:
    said: list[str] = []
    wider = f"; ranges are wider for it: {100 * share:.2g} % of what was told"
    if lacking:
        said.append(f"{lacking} liquidations without side or size were left out{wider}")
    if too_big:
        said.append(
            f"{too_big} liquidations of more than ever was open were left out (another unit?){wider}"
        )
    return said
