"""What an account is worth and must keep at any price, volatility and day: one scenario or whole grids of them."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from airpocket.domain.events import FloatArray
from airpocket.domain.units import DAY_NS, YEAR_NS
from airpocket.margin.kernel import maintenance_over
from airpocket.margin.options import written_maintenance
from airpocket.margin.stressgrid import GRID, requirement, shock_factor
from airpocket.market.options.greeks import greeks
from airpocket.playbook.ledger import STABLECOINS, Ledger, PerpLeg

_PERIODS_A_DAY = 3.0  # of 8 h
_MOST_VOL = 10.0  # a year: beyond, a shock multiplied nonsense

Coins: TypeAlias = dict[str, FloatArray]  # price factor of each coin, against its mark


@dataclass(frozen=True, slots=True)
class Values:
    """An account in every scenario; arrays of one shape, USD.

    equity_usd: as the venue counts it: haircuts off, and without bought options where no portfolio margin is
    kept. worth_usd: all of it. maintenance_usd: what must be kept, with the closing fee where the venue counts one.
    """

    equity_usd: FloatArray
    worth_usd: FloatArray
    maintenance_usd: FloatArray

    @property
    def surplus_usd(self) -> FloatArray:
        """Equity over maintenance; at zero or below the venue may liquidate."""
        return self.equity_usd - self.maintenance_usd

    @property
    def buffer(self) -> FloatArray:
        """Equity in multiples of maintenance; inf where nothing must be kept."""
        needed = np.where(self.maintenance_usd > 0.0, self.maintenance_usd, 1.0)
        return np.where(self.maintenance_usd > 0.0, self.equity_usd / needed, np.inf)


@dataclass(frozen=True, slots=True)
class Scenario:
    """Scenarios of one shape. factor: price of each coin over its mark; shift: of volatility; days: ahead."""

    factor: Coins
    shift: FloatArray
    days: FloatArray


def value(
    ledger: Ledger, price: ArrayLike, vol_shift: ArrayLike = 0.0, days: ArrayLike = 0.0
) -> Values:
    """Equity and maintenance where the asset is at `price`; the arguments broadcast against one another.

    Each option keeps its own volatility as price moves (sticky strike), times 1 + vol_shift, and its forward's
    ratio to the index; past its expiry it pays what it is worth at the scenario's price. Funding at the
    present rate is taken off for `days`, at the scenario's price. Above the last published tier its rate
    goes on.

    Args:
        price: of the asset, USD.
        vol_shift: relative change of every option's volatility, −0.2 for a fifth less.
        days: from now.

    Raises:
        ValueError: a price is not positive, a shift is below −1, or days are negative.
    """
    at = scenario(ledger, price, vol_shift, days)
    paid = option_values(ledger, at)
    net, apart = _net(ledger, at, paid), _apart(ledger, at, paid)
    equity = np.zeros_like(at.shift)
    whole = np.zeros_like(at.shift)
    for currency, amount in net.items():
        price = _usd(ledger, currency, at)
        whole += amount * price
        usd = (amount - apart.get(currency, 0.0)) * price
        equity += np.where(usd > 0.0, usd * (1.0 - ledger.haircut.get(currency, 0.0)), usd)
    needed = _maintenance(ledger, at, paid)
    return Values(equity, whole, needed)


def scenario(ledger: Ledger, price: ArrayLike, vol_shift: ArrayLike, days: ArrayLike) -> Scenario:
    """The arguments of `value` as arrays of one shape, with what each coin does."""
    wide = np.broadcast_arrays(
        *(np.asarray(each, dtype=np.float64) for each in (price, vol_shift, days))
    )
    prices, shift, ahead = wide
    if not (prices > 0.0).all():
        raise ValueError("price must be positive")
    if not ((shift >= -1.0) & (ahead >= 0.0)).all():
        raise ValueError("vol_shift must not be below -1, nor days below 0")
    moved = prices / ledger.mark
    coins = (*ledger.marks.coin, *(leg.asset for leg in ledger.perps))
    return Scenario(
        {coin: _power(moved, ledger.beta.get(coin, 0.0)) for coin in coins}, shift, ahead
    )


def _power(moved: FloatArray, beta: float) -> FloatArray:
    if beta == 1.0:
        return moved
    return np.ones_like(moved) if beta == 0.0 else moved**beta


def option_values(ledger: Ledger, at: Scenario) -> FloatArray:
    """(n, …) what one coin of each option is worth, long, in units of its underlying's index."""
    shocked = 1.0 + at.shift
    legs = ledger.options
    return _option_values(ledger, at, np.broadcast_to(shocked, (len(legs.strike), *shocked.shape)))


def _option_values(ledger: Ledger, at: Scenario, shocked: FloatArray) -> FloatArray:
    legs, wide = ledger.options, (-1, *[1] * at.days.ndim)
    if not len(legs.strike):
        return np.zeros((0, *at.days.shape))
    index = np.stack([ledger.marks.coin[coin] * at.factor[coin] for coin in legs.asset])
    years = np.maximum(_days_left(ledger, at) * (DAY_NS / YEAR_NS), 0.0)
    vol = np.minimum(legs.volatility.reshape(wide) * shocked, _MOST_VOL)
    forward = index * legs.forward.reshape(wide)
    strike, call = legs.strike.reshape(wide), legs.call.reshape(wide)
    price = greeks(call, forward, strike, years, vol).price
    # in coin an inverse option is worth C/F; a linear one's C USD are C/index
    return price / np.where(legs.linear.reshape(wide), index, forward)


def _days_left(ledger: Ledger, at: Scenario) -> FloatArray:
    left = (ledger.options.expiry - ledger.marks.now) / DAY_NS
    return left.reshape(-1, *[1] * at.days.ndim) - at.days


def _net(ledger: Ledger, at: Scenario, paid: FloatArray) -> dict[str, FloatArray]:
    """What is held of each currency once everything is counted."""
    net = {name: np.full_like(at.shift, amount) for name, amount in ledger.balances.items()}

    def add(currency: str, amount: FloatArray) -> None:
        net[currency] = net[currency] + amount if currency in net else amount

    for each in ledger.perps:
        price = each.mark * at.factor[each.asset]
        notional = _notional(each, price)
        profit = each.leg.constant + each.leg.direction * notional
        if not np.isnan(each.funding_8h):
            paid_out = each.leg.sign * each.funding_8h * _PERIODS_A_DAY * at.days * notional
            profit = profit - paid_out
        add(each.currency, profit)
    legs = ledger.options
    for row, each in enumerate(legs.positions):
        signed = legs.signed[row] * paid[row]
        if each.linear:
            add(each.quote, signed * ledger.marks.coin[each.base] * at.factor[each.base])
        else:
            add(each.base, signed)
    return net


def _apart(ledger: Ledger, at: Scenario, paid: FloatArray) -> Coins:
    """What bought options are worth, by currency: under standard margin no margin for anything else.

    Deribit, "Margin types and usage": premiums paid are kept separate from other positions; portfolio margin
    counts them. What an expired one has paid is money.
    """
    apart: Coins = {}
    if ledger.modelled_margin:
        return apart
    legs = ledger.options
    for row in np.flatnonzero(legs.signed > 0.0):
        each = legs.positions[row]
        still_open = legs.expiry[row] > ledger.marks.now + at.days * DAY_NS
        worth = np.where(still_open, legs.signed[row] * paid[row], 0.0)
        if each.linear:
            worth = worth * ledger.marks.coin[each.base] * at.factor[each.base]
        name = each.quote if each.linear else each.base
        apart[name] = apart.get(name, np.zeros_like(at.shift)) + worth
    return apart


def _notional(each: PerpLeg, price: FloatArray) -> FloatArray:
    return each.leg.quantity * price if each.leg.form == "linear" else each.leg.quantity / price


def _usd(ledger: Ledger, currency: str, at: Scenario) -> FloatArray | float:
    if currency in STABLECOINS:
        return ledger.marks.usd.get(currency, 1.0)
    return ledger.marks.coin[currency] * at.factor[currency]


def _maintenance(ledger: Ledger, at: Scenario, paid: FloatArray) -> FloatArray:
    if ledger.account.mode == "portfolio":
        return _portfolio(ledger, at)[1]
    return standard_maintenance(ledger, at, paid)


def standard_maintenance(ledger: Ledger, at: Scenario, paid: FloatArray) -> FloatArray:
    """Each holding's own maintenance, summed: tiers of perpetuals, Deribit's standard rule of written options.

    Equity has what a written option is owed off already: the rule's mark is not taken twice.
    """
    needed = np.zeros_like(at.shift)
    for each in ledger.perps:
        price = each.mark * at.factor[each.asset]
        if each.on_entry:
            price = np.full_like(price, each.leg.entry)
        needed = needed + maintenance_over(each.leg, price, each.schedule) * _usd(
            ledger, each.currency, at
        )
    legs = ledger.options
    for row in np.flatnonzero(legs.signed < 0.0):
        coin = legs.positions[row].base
        index = ledger.marks.coin[coin] * at.factor[coin]
        open_still = legs.expiry[row] > ledger.marks.now + at.days * DAY_NS
        rate = written_maintenance(legs.call[row], paid[row]) - paid[row]
        needed = needed + np.where(open_still, -legs.signed[row] * rate * index, 0.0)
    return needed


def _portfolio(ledger: Ledger, at: Scenario) -> tuple[FloatArray, FloatArray]:
    """Initial and maintenance requirement: each coin's worst loss of the stress grid, by itself, summed.

    A taker fee that is not known here is left out.
    """
    lead = (-1, *[1] * at.shift.ndim)
    shape = (len(GRID.move), *at.shift.shape)
    left = _days_left(ledger, at)
    shocked = (1.0 + at.shift) * (
        1.0 + GRID.vol_shock.reshape(1, *lead) * shock_factor(left)[:, None]
    )
    shift, days = (np.broadcast_to(each, shape) for each in (at.shift, at.days))
    initial, least = np.zeros_like(at.shift), np.zeros_like(at.shift)
    for asset in ledger.account.assets:
        factor = {
            coin: np.broadcast_to(each * (1.0 + GRID.move.reshape(lead)), shape)
            if coin == asset
            else np.broadcast_to(each, shape)
            for coin, each in at.factor.items()
        }
        moved = Scenario(factor, shift, days)
        change = _derivatives(ledger, asset, moved, shocked) - _derivatives(ledger, asset, at, None)
        fee = sum(
            ((each.taker_fee or 0.0) * _usd_notional(each, at) for each in ledger.perps if each.asset == asset),
            start=np.zeros_like(at.shift),
        )  # fmt: skip
        more, needed = requirement(change, fee)
        initial, least = initial + more, least + needed
    return initial, least


def _derivatives(
    ledger: Ledger, asset: str, at: Scenario, shocked: FloatArray | None
) -> FloatArray:
    """USD value of perpetuals and options on one coin, less a constant."""
    total = np.zeros_like(at.shift)
    for each in ledger.perps:
        if each.asset == asset:
            # an inverse contract's USD, settled at the price it moved to, are straight in price too
            usd = each.leg.quantity * (each.mark if each.leg.form == "linear" else 1.0)
            total = total + each.leg.sign * usd * at.factor[asset]
    paid = option_values(ledger, at) if shocked is None else _option_values(ledger, at, shocked)
    legs = ledger.options
    for row, each in enumerate(legs.positions):
        if each.base == asset:
            index = ledger.marks.coin[asset] * at.factor[asset]
            total = total + legs.signed[row] * paid[row] * index
    return total


def _usd_notional(each: PerpLeg, at: Scenario) -> FloatArray:
    price = each.mark * at.factor[each.asset]
    if each.leg.form == "linear":
        return each.leg.quantity * price
    return np.full_like(price, each.leg.quantity)
