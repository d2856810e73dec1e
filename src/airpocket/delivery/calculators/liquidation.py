"""Calculators of liquidation and bankruptcy prices under one venue's rules."""

import msgspec

from airpocket.delivery.calculators.numbers import (
    ContractName,
    ModeName,
    NotNegative,
    Positive,
    Rate,
    SideName,
)
from airpocket.domain.errors import BadInput
from airpocket.domain.units import TimeNs
from airpocket.margin.bundled import hyperliquid_mmr
from airpocket.margin.kernel import (
    Leg,
    Liquidation,
    bankruptcy,
    liquidation,
    liquidation_at_rate,
    round_to_tick,
)
from airpocket.margin.legacy import entry_value_liquidation, inverse_cross_liquidation
from airpocket.margin.tiers import TierTable, table_from

# Venue names taken here: (contract, whether its closing fee counts). None: the inputs tell which contract.
_VENUES: dict[str, tuple[ContractName | None, bool]] = {
    "binance_usdm": ("linear", False),
    "binance_coinm": ("inverse", False),
    "bybit_linear": ("linear", False),
    "bybit_inverse": ("inverse", False),
    "okx": (None, True),
    "okx_linear": ("linear", True),
    "okx_inverse": ("inverse", True),
    "gate_linear": ("linear", True),
    "deribit": (None, False),
    "deribit_linear": ("linear", False),
    "deribit_inverse": ("inverse", False),
    "hyperliquid": ("linear", False),
    "kraken_futures": (None, False),
    "dydx": ("linear", False),
    "lighter": ("linear", False),
    "bitmex": ("inverse", False),
}

_ANY_DAY = TimeNs(0)  # the inputs bear no date


class LiquidationInputs(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Inputs of `liquidation_price`; which are needed depends on venue, contract and mode."""

    venue: str
    margin_mode: ModeName
    side: SideName
    entry_price_usd: Positive
    contract: ContractName | None = None
    quantity_coin: Positive | None = None
    quantity_usd: Positive | None = None
    leverage_x: Positive | None = None
    wallet_balance_usd: NotNegative | None = None
    wallet_balance_coin: NotNegative | None = None
    collateral_usd: NotNegative | None = None
    extra_margin_usd: float = 0.0
    other_positions_maintenance_usd: NotNegative = 0.0
    other_positions_unrealised_usd: float = 0.0
    mmr_fraction: Rate | None = None
    maintenance_amount_usd: NotNegative | None = None
    maintenance_deduction_usd: NotNegative | None = None
    max_leverage_x: Positive | None = None
    taker_fee_fraction: Rate | None = None
    price_tick_usd: Positive | None = None
    coin: str | None = None


class Tiers(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A tier table: floors in USD, rates, and amounts that are made continuous where left out."""

    floor_usd: list[float]
    mmr_fraction: list[float]
    maintenance_amount_usd: list[float] | None = None


class TieredInputs(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Inputs of `liquidation_price_tiers`."""

    venue: str
    margin_mode: ModeName
    side: SideName
    entry_price_usd: Positive
    quantity_coin: Positive
    tiers: Tiers
    leverage_x: Positive | None = None
    wallet_balance_usd: NotNegative | None = None
    liquidation_fee_fraction: Rate = 0.0


class BankruptcyInputs(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Inputs of `bankruptcy_price`."""

    venue: str
    margin_mode: ModeName
    side: SideName
    entry_price_usd: Positive
    contract: ContractName | None = None
    quantity_usd: Positive | None = None
    quantity_coin: Positive | None = None
    wallet_balance_coin: NotNegative | None = None
    wallet_balance_usd: NotNegative | None = None
    leverage_x: Positive | None = None
    mmr_fraction: Rate | None = None
    taker_fee_fraction: Rate = 0.0
    price_tick_usd: Positive | None = None


def liquidation_price(asked: LiquidationInputs) -> dict[str, object]:
    """Price at which equity equals maintenance under the venue's rules; null where it never does."""
    contract, counts_fee = _contract(asked.venue, asked.contract, asked.quantity_usd is not None)
    leg = (
        _linear_leg(asked, counts_fee) if contract == "linear" else _inverse_leg(asked, counts_fee)
    )
    found = _by_venue(asked, leg)
    assigned = leg.collateral if asked.margin_mode == "isolated" and contract == "linear" else None
    price = _told(found, asked.price_tick_usd, asked.side)
    return {"liquidation_price_usd": price, "assigned_margin_usd": assigned}


def liquidation_price_tiers(asked: TieredInputs) -> dict[str, object]:
    """Liquidation price with a whole tier table: the tier that contains the root is used."""
    contract, _ = _contract(asked.venue, None, coin_margined=False)
    if contract != "linear":
        raise BadInput(f"venue '{asked.venue}': tiers in USD belong to linear contracts")
    rows = {"floor": asked.tiers.floor_usd, "mmr": asked.tiers.mmr_fraction}
    if asked.tiers.maintenance_amount_usd is not None:
        rows["deduction"] = asked.tiers.maintenance_amount_usd
    table: TierTable = table_from(asked.venue, "these tiers", _ANY_DAY, "the inputs", rows)
    notional = asked.quantity_coin * asked.entry_price_usd
    wallet = asked.wallet_balance_usd
    if wallet is None and asked.margin_mode == "isolated" and asked.leverage_x is not None:
        wallet = notional / asked.leverage_x
    leg = Leg(
        "linear", asked.side, asked.quantity_coin, asked.entry_price_usd,
        _given("wallet_balance_usd", wallet), asked.liquidation_fee_fraction,
    )  # fmt: skip
    found = liquidation(leg, table)
    return {
        "liquidation_price_usd": _told(found, None, asked.side),
        "mmr_fraction_at_liquidation": found.mmr,
        "mmr_fraction_at_entry": table.rate_at(notional)[0],
    }


def bankruptcy_price(asked: BankruptcyInputs) -> dict[str, object]:
    """Price at which the margin is gone, to the venue's tick where that is given (long up, short down)."""
    coin_margined = asked.quantity_usd is not None
    contract, _ = _contract(asked.venue, asked.contract, coin_margined)
    inverse = contract == "inverse"
    quantity = asked.quantity_usd if inverse else asked.quantity_coin
    wallet = asked.wallet_balance_coin if inverse else asked.wallet_balance_usd
    if asked.margin_mode == "isolated" and wallet is None:
        quantity = 1.0 if quantity is None else quantity  # per unit: it cancels out
        notional = quantity / asked.entry_price_usd if inverse else quantity * asked.entry_price_usd
        wallet = notional / _given("leverage_x", asked.leverage_x)
    leg = Leg(
        contract, asked.side,
        _given("quantity_usd" if inverse else "quantity_coin", quantity),
        asked.entry_price_usd,
        _given("wallet_balance_coin" if inverse else "wallet_balance_usd", wallet),
        asked.taker_fee_fraction,
    )  # fmt: skip
    found = bankruptcy(leg)
    return {
        "bankruptcy_price_usd": _told(found, asked.price_tick_usd, asked.side),
        "bankruptcy_price_unrounded_usd": _told(found, None, asked.side),
    }


def _by_venue(asked: LiquidationInputs, leg: Leg) -> Liquidation:
    mmr, deduction = _rate(asked), _deduction(asked)
    if asked.venue == "bybit_linear" and asked.margin_mode == "isolated":
        return entry_value_liquidation(leg, mmr, deduction)
    if leg.form == "inverse" and deduction:
        raise BadInput("maintenance_amount_usd: an inverse contract counts its amounts in coin")
    if asked.venue == "bybit_inverse" and asked.margin_mode == "cross":
        return inverse_cross_liquidation(leg, mmr)
    return liquidation_at_rate(leg, mmr, deduction)


def _linear_leg(asked: LiquidationInputs, counts_fee: bool) -> Leg:
    quantity = _given("quantity_coin", asked.quantity_coin)
    balance = asked.collateral_usd if asked.collateral_usd is not None else asked.wallet_balance_usd
    by_leverage = (
        None if asked.leverage_x is None else quantity * asked.entry_price_usd / asked.leverage_x
    )
    if asked.margin_mode == "cross":
        margin = _given("wallet_balance_usd", balance)
        margin += asked.other_positions_unrealised_usd - asked.other_positions_maintenance_usd
    elif asked.venue in ("binance_usdm", "hyperliquid"):  # their isolated wallet is what counts
        margin = _given("leverage_x", by_leverage if balance is None else balance)
    else:
        margin = _given("leverage_x", balance if by_leverage is None else by_leverage)
    fee = _given("taker_fee_fraction", asked.taker_fee_fraction) if counts_fee else 0.0
    entry, extra = asked.entry_price_usd, asked.extra_margin_usd
    return Leg("linear", asked.side, quantity, entry, margin + extra, fee)


def _inverse_leg(asked: LiquidationInputs, counts_fee: bool) -> Leg:
    quantity = _given("quantity_usd", asked.quantity_usd)
    margin = asked.wallet_balance_coin
    if margin is None and asked.margin_mode == "isolated":
        margin = quantity / (asked.entry_price_usd * _given("leverage_x", asked.leverage_x))
    if asked.extra_margin_usd:
        raise BadInput("extra_margin_usd: an inverse contract's margin is coin")
    legacy = asked.venue == "bybit_inverse" and asked.margin_mode == "cross"
    fee = _given("taker_fee_fraction", asked.taker_fee_fraction) if counts_fee or legacy else 0.0
    entry = asked.entry_price_usd
    return Leg("inverse", asked.side, quantity, entry, _given("wallet_balance_coin", margin), fee)


def _rate(asked: LiquidationInputs) -> float:
    if asked.mmr_fraction is None and asked.max_leverage_x is not None:
        if asked.venue != "hyperliquid":
            raise BadInput("max_leverage_x gives the maintenance rate on hyperliquid only")
        return hyperliquid_mmr(asked.max_leverage_x)
    return _given("mmr_fraction", asked.mmr_fraction)


def _deduction(asked: LiquidationInputs) -> float:
    amount, deduction = asked.maintenance_amount_usd, asked.maintenance_deduction_usd
    if amount is not None and deduction is not None and amount != deduction:
        raise BadInput(
            f"maintenance_amount_usd {amount:g} and maintenance_deduction_usd {deduction:g} are one "
            "thing; give one"
        )
    return (amount if deduction is None else deduction) or 0.0


def _contract(
    venue: str, named: ContractName | None, coin_margined: bool
) -> tuple[ContractName, bool]:
    if venue not in _VENUES:
        raise BadInput(f"venue '{venue}' is not known; known: {', '.join(_VENUES)}")
    usual, counts_fee = _VENUES[venue]
    if usual is not None and named not in (None, usual):
        raise BadInput(f"contract '{named}': {venue} has {usual} contracts")
    guess: ContractName = "inverse" if coin_margined else "linear"
    return named or usual or guess, counts_fee


def _told(found: Liquidation, tick: float | None, side: SideName) -> float | None:
    if found.end == "always":
        raise BadInput("at no price does this collateral cover the maintenance margin")
    if found.price is None or tick is None:
        return found.price
    return round_to_tick(found.price, tick, side)


def _given(name: str, value: float | None) -> float:
    if value is None:
        raise BadInput(f"{name} is missing, and this venue and mode need it")
    return value
