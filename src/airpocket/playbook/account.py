"""One position's margin at any price and any size: equity, maintenance, what survives a move and what it takes."""

from dataclasses import dataclass

from airpocket.domain.errors import MarginError
from airpocket.margin.kernel import Leg
from airpocket.margin.tiers import Schedule

_HALVINGS = 80  # of the whole size: far below any lot


@dataclass(frozen=True, slots=True)
class Account:
    """A linear position with what backs it; `price` is the mark it is valued at.

    valued_at: where a venue takes maintenance on another price than the mark (Bybit's isolated margin
    on the entry), that price. Closing a part is taken at the mark, without fees, and the margin it frees
    stays behind the rest.
    """

    leg: Leg
    schedule: Schedule
    price: float
    valued_at: float | None = None

    @property
    def size_coin(self) -> float:
        return self.leg.quantity

    @property
    def equity(self) -> float:
        """Equity at the mark, quote."""
        return self.leg.equity(self.price)

    def gap_price(self, percent: float) -> float:
        """The price after a move of `percent` against the position."""
        return self.price * (1.0 - self.leg.sign * percent / 100.0)

    def of_size(self, size_coin: float) -> Leg:
        """What is left after closing down to `size_coin` at the mark; same equity, same margin."""
        return Leg(
            form="linear", side=self.leg.side, quantity=size_coin, entry=self.price,
            collateral=self.equity, fee=self.leg.fee,
        )  # fmt: skip

    def spare(self, size_coin: float, percent: float, multiple: float) -> float:
        """Equity less `multiple` × maintenance with `size_coin` after an adverse move, quote.

        Raises:
            MarginError: the notional there is outside the venue's tiers.
        """
        rest, price = self.of_size(size_coin), self.gap_price(percent)
        return rest.equity(price) - multiple * self.maintenance(price, size_coin)

    def maintenance(self, price: float, size_coin: float) -> float:
        """Maintenance of a size at a price, quote.

        Raises:
            MarginError: the notional there is outside the venue's tiers.
        """
        at = price if self.valued_at is None else self.valued_at
        return self.of_size(size_coin).maintenance(at, self.schedule)

    def size_surviving(self, percent: float, multiple: float) -> float:
        """The largest size, at most the present one, that keeps `multiple` × maintenance after the move.

        0 where none does: the equity is gone already. `spare` falls as size grows, so halving finds it.
        """
        if self._survives(self.size_coin, percent, multiple):
            return self.size_coin
        low, high = 0.0, self.size_coin
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            if middle > 0.0 and self._survives(middle, percent, multiple):
                low = middle
            else:
                high = middle
        return low

    def top_up(self, percent: float, multiple: float) -> float:
        """Margin to add so that the present size keeps `multiple` × maintenance after the move, quote.

        Raises:
            MarginError: the notional there is outside the venue's tiers.
        """
        return max(0.0, -self.spare(self.size_coin, percent, multiple))

    def _survives(self, size_coin: float, percent: float, multiple: float) -> bool:
        try:
            return self.spare(size_coin, percent, multiple) >= 0.0
        except MarginError:
            return False
