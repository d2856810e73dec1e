"""Accounts for the tests of their valuation: positions, options and balances with their terms and marks."""

from dataclasses import replace

from airpocket.domain.portfolio import Account
from airpocket.domain.positions import Balance, OptionPosition, Position
from airpocket.domain.units import DAY_NS, parse_time
from airpocket.margin.bundled import schedules_of
from airpocket.margin.rules import rules_in_force
from airpocket.playbook.ledger import Marks, Terms, ledger_of, option_legs

NOW = parse_time("2026-02-06T22:00Z")
PRICE = 2_000.0


def perp(side="short", size=500.0, **change):
    fields = {
        "venue": "binance_usdm", "symbol": "ETHUSDT", "side": side, "size_coin": size,
        "entry_price": PRICE, "opened_at": NOW, "margin_mode": "cross",
    }  # fmt: skip
    return Position(**(fields | change))


def option(side="long", size=100.0, strike=2_200.0, *, call=True, days=30.0, **change):
    fields = {
        "venue": "deribit", "symbol": f"ETH-{strike:g}-{'C' if call else 'P'}-{days:g}-{side}",
        "base": "ETH", "side": side, "size_coin": size, "expiry": NOW + int(days * DAY_NS),
        "strike": strike, "call": call, "linear": False, "volatility": 0.7,
    }  # fmt: skip
    return OptionPosition(**(fields | change))


def balance(amount, currency="USDT", venue="binance_usdm", haircut=0.0):
    return Balance(venue=venue, currency=currency, amount=amount, haircut=haircut)


def account(*held, mode="cross"):
    kinds = {kind: [] for kind in (Position, OptionPosition, Balance)}
    for each in held:
        kinds[type(each)].append(each)
    venue = held[0].venue
    return Account(
        venue=venue, mode=mode, name=venue, positions=tuple(kinds[Position]),
        options=tuple(kinds[OptionPosition]), balances=tuple(kinds[Balance]),
    )  # fmt: skip


def terms_of(*positions, schedule=None):
    return {
        each.key: Terms(
            rules_in_force(each.venue, each.symbol, NOW),
            schedule or schedules_of(each.venue, each.symbol, NOW)[-1],
        )
        for each in positions
    }


def ledger(*held, mode="cross", mark=PRICE, schedule=None, asset="ETH", beta=None, **marks):
    made = account(*held, mode=mode)
    contract = {each.key: mark for each in made.positions}
    told = {"now": NOW, "contract": contract, "coin": {"ETH": mark}} | marks
    told["contract"] = contract | told["contract"]
    return ledger_of(
        made, asset, Marks(**told), terms_of(*made.positions, schedule=schedule), beta=beta
    )


def holding(made, *options, paid=0.0):
    """The same account holding these options, for which `paid` USDT were paid."""
    balances = dict(made.balances)
    if paid:
        balances["USDT"] -= paid
    return replace(made, options=option_legs(options, made.marks), balances=balances)
