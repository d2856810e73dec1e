"""One position within its account, at any price and any size: what survives a move and what it takes."""

from dataclasses import dataclass, replace

import numpy as np

from airpocket.domain.errors import MarginError
from airpocket.margin.tiers import TierTable
from airpocket.playbook.ledger import Ledger, PerpLeg
from airpocket.playbook.thresholds import Thresholds, thresholds
from airpocket.playbook.valuation import Values, value

_HALVINGS = 80  # of the whole size: far below any lot


@dataclass(frozen=True, slots=True)
class Account:
    """The account, and which of its perpetuals (`at`) is the one a plan is about.

    Prices are those of that contract; the coin's index and its other contracts move along. Closing a part is
    taken at the mark, without fees, and the margin it frees stays behind the rest.
    """

    ledger: Ledger
    at: int = 0

    @property
    def leg(self) -> PerpLeg:
        return self.ledger.perps[self.at]

    @property
    def price(self) -> float:
        return self.leg.mark

    @property
    def sign(self) -> int:
        return self.leg.leg.sign

    @property
    def alone(self) -> bool:
        """Whether the position and its margin are all there is."""
        return len(self.ledger.perps) == 1 and not len(self.ledger.options.positions)

    @property
    def size_coin(self) -> float:
        return self.leg.position.size_coin

    @property
    def equity(self) -> float:
        """Of the whole account at the mark, USD."""
        return self.equity_at(self.price)

    def equity_at(self, price: float) -> float:
        """Of the whole account, USD."""
        return float(self._value(self.ledger, price).equity_usd)

    def gap_price(self, percent: float) -> float:
        """The price after a move of `percent` against the position."""
        return self.price * (1.0 - self.sign * percent / 100.0)

    def notional(self, price: float) -> float:
        """Of the position, USD."""
        leg = self.leg.leg
        return leg.notional(price) if leg.form == "linear" else leg.quantity

    def of_size(self, size_coin: float) -> Ledger:
        """What is left after closing down to `size_coin` at the mark; same equity, same margin."""
        old = self.leg.leg
        new = replace(old, quantity=old.quantity * size_coin / self.size_coin)
        kept = old.collateral + old.equity(self.price) - new.equity(self.price)
        leg = replace(self.leg, leg=replace(new, collateral=kept))
        perps = (*self.ledger.perps[: self.at], leg, *self.ledger.perps[self.at + 1 :])
        return replace(self.ledger, perps=perps)

    def spare(self, size_coin: float, percent: float, multiple: float) -> float:
        """Equity less `multiple` × maintenance with `size_coin` after an adverse move, USD.

        Raises:
            MarginError: the notional there is outside the venue's tiers.
        """
        price = self.gap_price(percent)
        self._check_tier(price, size_coin)
        left = self._value(self.of_size(size_coin), price)
        return float(left.equity_usd) - multiple * float(left.maintenance_usd)

    def maintenance(self, price: float, size_coin: float) -> float:
        """Maintenance of the account with a size of the position at a price, USD.

        Raises:
            MarginError: the notional there is outside the venue's tiers.
        """
        self._check_tier(price, size_coin)
        return float(self._value(self.of_size(size_coin), price).maintenance_usd)

    def size_surviving(self, percent: float, multiple: float) -> float:
        """The largest size, at most the present one, that keeps `multiple` × maintenance after the move.

        0 where none does: the equity is gone already. `spare` falls as size grows where nothing else is held,
        so halving finds it; in an account with other holdings it is the first size found to hold.
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
        """Margin to add so that the present size keeps `multiple` × maintenance after the move, USD.

        Raises:
            MarginError: the notional there is outside the venue's tiers.
        """
        return max(0.0, -self.spare(self.size_coin, percent, multiple))

    def thresholds(self, multiple: float = 1.0) -> Thresholds:
        """The account's, as prices of this contract."""
        found = thresholds(self.ledger, multiple=multiple)
        scale = self.price / self.ledger.mark
        ends = [None if each is None else each * scale for each in (found.down, found.up)]
        return Thresholds(ends[0], ends[1], found.already)

    def _value(self, ledger: Ledger, price: float) -> Values:
        return value(ledger, np.array(self.ledger.mark * price / self.price))

    def _check_tier(self, price: float, size_coin: float) -> None:
        """Only the position's own: in a grid the last tier's rate goes on."""
        leg, schedule = self.leg.leg, self.leg.schedule
        if isinstance(schedule, TierTable) and not self.ledger.modelled_margin:
            at = leg.entry if self.leg.on_entry else price
            schedule.tier_of(leg.notional(at) * size_coin / self.size_coin)

    def _survives(self, size_coin: float, percent: float, multiple: float) -> bool:
        try:
            return self.spare(size_coin, percent, multiple) >= 0.0
        except MarginError:
            return False
