"""What all parts of one plan stand on: the position, its price, its margin, and the structure around it."""

from dataclasses import dataclass

from airpocket.cascade.records import Profile
from airpocket.domain.estimates import COIN, USD, Estimate, known, lower_bound, unknown
from airpocket.domain.instruments import instrument
from airpocket.domain.positions import OptionPosition, Position, Positions
from airpocket.playbook.account import Account
from airpocket.playbook.exits import exit_profile, walk
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
    cover: tuple[OptionPosition, ...] = ()  # options that pay when it loses
    beside: Positions | None = None  # the whole file; None: the position alone

    @property
    def hedged(self) -> str:
        """What stands behind the position, in words."""
        if not self.cover:
            return "no hedge is stated in the position file, so none is counted"
        held = ", ".join(f"{each.size_coin:,.10g} {each.symbol}" for each in self.cover)
        return f"the hedge: {held}"

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

    @property
    def is_inverse(self) -> bool:
        return self.contract_kind == "inverse"

    @property
    def contract_kind(self) -> str:
        """`linear` or `inverse`."""
        return instrument(self.position.venue, self.position.symbol).kind

    def notional(self, size_coin: float, price: float) -> float:
        """USD of a size: an inverse contract's are fixed at its entry."""
        return size_coin * (self.position.entry_price if self.is_inverse else price)

    def cost(self, size_coin: float, price: float) -> Estimate:
        """Taker fee and slippage of closing a size at market at a price, USD.

        Slippage: the order walked through what rests now on the side it takes, as if it rested so around
        `price` too; without orders known, half the spread, else the fee alone (`at_least`).
        """
        fee, usd = self.taker_fee, self.notional(size_coin, price)
        if fee.value is None:
            return unknown(USD, fee.unknown or "")
        told = f"taker fee {100 * fee.value:g} %"
        profile = exit_profile(self.situation, self.position, self.price)
        if isinstance(profile, str):
            return lower_bound(self._without_book(usd, fee.value, told, profile))
        walked = walk(profile, usd)
        half, spread = self._half_spread(profile)
        source = f"{told}{spread} and slippage through {profile.label}"
        total = fee.value * usd + half * usd + walked.cost_usd
        if walked.filled < 1.0:
            source += "; the rest is beyond the orders known"
            return lower_bound(self.modelled(total, USD, source))
        return self.modelled(total, USD, source)

    def _half_spread(self, profile: Profile) -> tuple[float, str]:
        """What a walk from the middle of a law leaves out; a book's own levels hold it already."""
        if profile.kind == "book" or self.spread.value is None:
            return 0.0, ""
        return self.spread.value / 2e4, f", half a spread of {self.spread.value:.2f} bp"

    def _without_book(self, usd: float, fee: float, told: str, why: str) -> Estimate:
        if self.spread.value is None:
            return self.modelled(fee * usd, USD, f"{told} only, a lower bound: {why}")
        source = f"{told} and half a spread of {self.spread.value:.2f} bp only: {why}"
        return self.modelled((fee + self.spread.value / 2e4) * usd, USD, source)

    def rest(self, size_coin: float) -> float:
        """What the position holds besides `size_coin`."""
        return rest_of(self.position.size_coin, size_coin)

    def text(self, size_coin: float) -> str:
        """A size with the coin's name: '166.6 ETH'; of an inverse contract also the USD it counts in."""
        told = f"{size_coin:,.10g} {self.asset}"
        return (
            f"{told} ({self.notional(size_coin, self.price):,.0f} USD of contracts)"
            if self.is_inverse
            else told
        )
