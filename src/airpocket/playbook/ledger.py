"""An account made ready to be valued: every holding with its rules, marks and volatility, checked once."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from msgspec import structs

from airpocket.domain.errors import MarginError
from airpocket.domain.events import BoolArray, FloatArray, IntArray
from airpocket.domain.instruments import instrument
from airpocket.domain.portfolio import Account
from airpocket.domain.positions import OptionPosition, Position
from airpocket.domain.units import format_time
from airpocket.margin.kernel import Leg
from airpocket.margin.rules import VenueRules
from airpocket.margin.standing import check_size, leg_of
from airpocket.margin.tiers import Schedule, TierTable

STABLECOINS = frozenset({"USD", "USDT", "USDC", "FDUSD", "TUSD", "USD1", "USDE", "BUSD", "DAI"})
# a position this many times what its venue's highest leverage allows was never opened: another unit was meant
_NEVER_OPENED = 3.0


@dataclass(frozen=True, slots=True)
class Marks:
    """What an account is valued at, at `now` (ns).

    contract: mark by contract, `venue:symbol`, quote per coin. coin: index in USD. usd: USD per unit of a
    stablecoin, 1 where not given. volatility: fraction a year by option, `venue:symbol`; the option's own
    statement stands where none is given. forward: of an option's expiry over the index, 1 where not given.
    funding_8h: fraction per 8 h by contract; where not given none is accrued, and `funding_day` is NaN.
    """

    now: int
    contract: Mapping[str, float]
    coin: Mapping[str, float]
    usd: Mapping[str, float] = field(default_factory=dict[str, float])
    volatility: Mapping[str, float] = field(default_factory=dict[str, float])
    forward: Mapping[str, float] = field(default_factory=dict[str, float])
    funding_8h: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class Terms:
    """A contract's margin rules and maintenance schedule in force."""

    rules: VenueRules
    schedule: Schedule


@dataclass(frozen=True, slots=True)
class PerpLeg:
    """One perpetual. leg.collateral: its own margin, 0 where balances back it. funding_8h: NaN unknown.

    taker_fee: a fraction, None where not known here.
    currency: what its profit is paid in. on_entry: maintenance stays that of the entry (Bybit's of old).
    """

    position: Position
    leg: Leg
    schedule: Schedule
    asset: str
    currency: str
    mark: float
    on_entry: bool
    funding_8h: float
    taker_fee: float | None


@dataclass(frozen=True, slots=True)
class OptionLegs:
    """(n,) options. signed: coin. expiry: ns. volatility: a year. forward: over the index. asset: per option."""

    positions: tuple[OptionPosition, ...]
    signed: FloatArray
    call: BoolArray
    strike: FloatArray
    expiry: IntArray
    linear: BoolArray
    volatility: FloatArray
    forward: FloatArray

    @property
    def asset(self) -> tuple[str, ...]:
        return tuple(each.base for each in self.positions)


@dataclass(frozen=True, slots=True)
class Ledger:
    """An account that can be valued at any price of `asset`; other coins move with it by `beta`.

    mark: the asset's index in USD now; a scenario's price p moves a coin's marks by (p/mark)^beta.
    balances: amount by currency; haircut: share of a currency's value not counted, by currency.
    """

    account: Account
    asset: str
    marks: Marks
    perps: tuple[PerpLeg, ...]
    options: OptionLegs
    balances: Mapping[str, float]
    haircut: Mapping[str, float]
    beta: Mapping[str, float]

    @property
    def mark(self) -> float:
        return self.marks.coin[self.asset]

    @property
    def modelled_margin(self) -> bool:
        """Whether its maintenance approximates a rule that the venue keeps to itself."""
        return self.account.mode == "portfolio"


def ledger_of(
    account: Account, asset: str, marks: Marks, terms: Mapping[str, Terms], *,
    beta: Mapping[str, float] | None = None,
) -> Ledger:  # fmt: skip
    """The account with everything it is valued by.

    Args:
        asset: whose price the scenarios move.
        terms: by contract, `venue:symbol`.
        beta: log move of another coin per log move of the asset; 0 (held still) where not given.

    Raises:
        MarginError: no price, rules, tiers or volatility of something held; an expired option; a size above
            the tiers or more than the venue's highest leverage could ever have opened.
    """
    own = {asset: 1.0, **{coin: value for coin, value in (beta or {}).items() if coin != asset}}
    if asset not in marks.coin:
        raise MarginError(f"no price of {asset} is known")
    perps = tuple(_perp(each, account, marks, terms) for each in account.positions)
    ledger = Ledger(
        account=account, asset=asset, marks=marks, perps=perps,
        options=option_legs(account.options, marks),
        balances=_summed(account), haircut={b.currency: b.haircut for b in account.balances}, beta=own,
    )  # fmt: skip
    for currency in (*ledger.balances, *(leg.currency for leg in perps)):
        worth(ledger.marks, currency)
    _check_backing(ledger)
    return ledger


def worth(marks: Marks, currency: str) -> float:
    """USD per unit of a currency now.

    Raises:
        MarginError: it is neither a stablecoin nor a coin with a price.
    """
    if currency in STABLECOINS:
        return marks.usd.get(currency, 1.0)
    price = marks.coin.get(currency)
    if price is None:
        raise MarginError(f"no price of {currency} is known, so its balance can't be valued")
    return price


def option_legs(options: tuple[OptionPosition, ...], marks: Marks) -> OptionLegs:
    """Options as arrays.

    Raises:
        MarginError: one is expired, or no volatility or coin price of it is known.
    """
    for each in options:
        if each.expiry <= marks.now:
            raise MarginError(
                f"{each.key} expired at {format_time(each.expiry)}: take it out, it is settled"
            )
        if each.base not in marks.coin:
            raise MarginError(f"{each.key}: no price of {each.base} is known")
        if each.key not in marks.volatility and each.volatility is None:
            raise MarginError(
                f"{each.key}: no chain gives its volatility, and none is stated (volatility_percent)"
            )
    count = len(options)
    return OptionLegs(
        positions=options,
        signed=np.fromiter((each.signed_coin for each in options), np.float64, count),
        call=np.fromiter((each.call for each in options), np.bool_, count),
        strike=np.fromiter((each.strike for each in options), np.float64, count),
        expiry=np.fromiter((each.expiry for each in options), np.int64, count),
        linear=np.fromiter((each.linear for each in options), np.bool_, count),
        volatility=np.fromiter(
            (marks.volatility.get(o.key, o.volatility or np.nan) for o in options),
            np.float64,
            count,
        ),
        forward=np.fromiter((marks.forward.get(o.key, 1.0) for o in options), np.float64, count),
    )


def _summed(account: Account) -> dict[str, float]:
    found: dict[str, float] = {}
    for each in account.balances:
        found[each.currency] = found.get(each.currency, 0.0) + each.amount
    return found


def _perp(
    position: Position, account: Account, marks: Marks, terms: Mapping[str, Terms]
) -> PerpLeg:
    known, mark = terms.get(position.key), marks.contract.get(position.key)
    if known is None:
        raise MarginError(f"no margin rules and tiers of {position.key} are known")
    if mark is None or not mark > 0.0:
        raise MarginError(f"no mark of {position.key} is known")
    contract = instrument(position.venue, position.symbol)
    own = position.margin_mode == "isolated" or position.wallet_usd is not None
    leg = leg_of(position if own else _unbacked(position), mark, known.rules)
    check_size(position, leg, known.schedule, mark)
    inverse = known.rules.form == "inverse"
    return PerpLeg(
        position=position, leg=leg if own else replace(leg, collateral=0.0), schedule=known.schedule,
        asset=contract.base, currency=contract.base if inverse else contract.quote or "USDT", mark=mark,
        on_entry=known.rules.maintenance_on == "entry" and account.mode == "isolated",
        funding_8h=marks.funding_8h.get(position.key, np.nan),
        taker_fee=known.rules.taker_fee,
    )  # fmt: skip


def _unbacked(position: Position) -> Position:
    """With a wallet that stands in until the balances are counted."""
    return structs.replace(position, wallet_usd=1.0, leverage_x=None)


def _check_backing(ledger: Ledger) -> None:
    """A position that no leverage of its venue could have opened was written in another unit."""
    most = [_most_leverage(each) for each in ledger.perps]
    if not ledger.perps or None in most or ledger.account.mode == "portfolio":
        return
    worths = {each.currency: worth(ledger.marks, each.currency) for each in ledger.perps}
    behind = sum(amount * worth(ledger.marks, name) for name, amount in ledger.balances.items())
    equity = behind + sum(e.leg.equity(e.mark) * worths[e.currency] for e in ledger.perps)
    behind += sum(each.leg.collateral * worths[each.currency] for each in ledger.perps)
    needed = sum(
        each.position.size_coin * each.position.entry_price / (leverage or 1.0)
        for each, leverage in zip(ledger.perps, most, strict=True)
    )
    if max(behind, equity) * _NEVER_OPENED >= needed:
        return
    largest = max(ledger.perps, key=lambda each: each.position.size_coin * each.mark)
    p = largest.position
    raise MarginError(
        f"{p.key}: {p.size_coin:,.10g} coins at {p.entry_price:,.10g} need at least ${needed:,.0f} of margin "
        f"to be opened, and ${behind:,.0f} stands behind them: were contracts given as coins "
        "(size_contracts), or is the wallet short of something?"
    )


def _most_leverage(leg: PerpLeg) -> float | None:
    schedule = leg.schedule
    if isinstance(schedule, TierTable):
        return schedule.max_leverage_at(min(leg.leg.notional(leg.leg.entry), schedule.top_cap))
    return 1.0 / schedule.im_base
