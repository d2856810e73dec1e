"""What all parts of one plan stand on: the position, its price, its margin, and the structure around it."""

from dataclasses import dataclass

from airpocket.domain.estimates import COIN, USD, Estimate, known, unknown
from airpocket.domain.positions import Position
from airpocket.playbook.account import Account
from airpocket.playbook.settings import PlanSettings
from airpocket.playbook.situation import Situation
from airpocket.playbook.sizes import rest_of
from airpocket.playbook.structure import Structure


@dataclass(frozen=True, slots=True)
class Ground:
    """Shared by every part of a plan; `account` None: why is in `no_account`.

    liquidation: quote per coin; None where never or not known. venue_leverage: what the venue grants at
    this size, None where not published. taker_fee: fraction of notional. spread: bp of the mid.
    """

    position: Position
    situation: Situation
    settings: PlanSettings
    mark: Estimate
    structure: Structure
    account: Account | None
    no_account: str
    liquidation: float | None
    venue_leverage: float | None
    taker_fee: Estimate
    spread: Estimate

    @property
    def price(self) -> float:
        return self.structure.price

    @property
    def asset(self) -> str:
        return self.situation.market.asset

    @property
    def is_short(self) -> bool:
        return self.position.side == "short"

    @property
    def margin_limit(self) -> float | None:
        """The furthest price a stop may rest at: `margin_share` of the way to liquidation."""
        if self.liquidation is None:
            return None
        return self.price + self.settings.margin_share * (self.liquidation - self.price)

    def modelled(self, value: float, unit: str, source: str = "") -> Estimate:
        """A figure computed from the mark, the position file and the venue's rules, as of the mark."""
        return known(
            value, unit, as_of=self.mark.as_of or self.situation.now, now=self.situation.now,
            provenance="modelled", source=source or f"{self.position.key} at {self.price:,.6g}",
        )  # fmt: skip

    def coins(self, size_coin: float) -> Estimate:
        """A size of a step, coin: a choice made of the position file, not a measurement."""
        return self.modelled(size_coin, COIN, "the plan's share of the stated position")

    def maybe(self, value: float | None, unit: str, reason: str) -> Estimate:
        """A modelled figure, or why there is none."""
        return unknown(unit, reason) if value is None else self.modelled(value, unit)

    def cost(self, size_coin: float, price: float) -> Estimate:
        """Taker fee and half the spread of trading a size at a price, USD; impact is not in it."""
        fee, spread = self.taker_fee, self.spread
        if fee.value is None:
            return unknown(USD, fee.unknown or "")
        notional = size_coin * price
        if spread.value is None:
            source = f"taker fee {100 * fee.value:g} % only, a lower bound: {spread.unknown}"
            return self.modelled(fee.value * notional, USD, source)
        source = f"taker fee {100 * fee.value:g} % and half a spread of {spread.value:.2f} bp"
        return self.modelled((fee.value + spread.value / 2e4) * notional, USD, source)

    def rest(self, size_coin: float) -> float:
        """What the position holds besides `size_coin`."""
        return rest_of(self.position.size_coin, size_coin)

    def text(self, size_coin: float) -> str:
        """A size with the coin's name: '166.6 ETH'."""
        return f"{size_coin:,.10g} {self.asset}"
