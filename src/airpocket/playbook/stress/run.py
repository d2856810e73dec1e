"""Every account of a file put to the test, and the whole in one sentence each."""

from collections.abc import Mapping

import numpy as np

from airpocket.cascade.pushes import Pushes
from airpocket.cascade.records import Unscanned
from airpocket.domain.errors import MarginError
from airpocket.domain.estimates import PRICE, USD, Estimate, unknown
from airpocket.domain.portfolio import Account, accounts_of
from airpocket.domain.positions import Positions
from airpocket.domain.units import format_time
from airpocket.levels.words import price_text
from airpocket.margin.stressgrid import SOURCE
from airpocket.playbook.ledger import Ledger, ledger_of
from airpocket.playbook.marking import marked
from airpocket.playbook.situation import Situation
from airpocket.playbook.stress.bench import Bench
from airpocket.playbook.stress.exits import exits_of
from airpocket.playbook.stress.records import Curve, Exit, Outcome, StressTest
from airpocket.playbook.stress.settings import StressSettings
from airpocket.playbook.stress.shocks import (
    cascades,
    funding,
    gaps,
    outage,
    stablecoin,
    together,
    volatility,
)
from airpocket.playbook.thresholds import funding_day, thresholds
from airpocket.playbook.valuation import value


def stress_of(
    held: Positions,
    situations: Mapping[str, Situation],
    pushes: Mapping[str, Pushes | Unscanned],
    settings: StressSettings | None = None,
) -> list[StressTest]:
    """A test of every account of a file, in its order.

    Args:
        situations: by asset, of every coin held.
        pushes: the standard pushes by asset.

    Raises:
        BadInput: nothing stands behind something held, or margin modes are mixed.
        MarginError: something held can't be valued; names account and what is missing.
    """
    s = settings or StressSettings()
    tests: list[StressTest] = []
    for account in accounts_of(held):
        try:
            tests.append(_tested(account, situations, pushes, s))
        except MarginError as error:
            raise MarginError(f"account {account.name}: {error}") from error
    return tests


def _tested(
    account: Account,
    situations: Mapping[str, Situation],
    pushes: Mapping[str, Pushes | Unscanned],
    s: StressSettings,
) -> StressTest:
    coins = [each.currency for each in account.balances if each.currency in situations]
    asset = next(iter((*account.assets, *coins)), "")
    situation = situations.get(asset) or next(iter(situations.values()))
    asset = asset or situation.market.asset
    found = marked(account, situations, s.fresh_h)
    together_all = dict.fromkeys(found.marks.coin, 1.0)
    ledger = ledger_of(account, asset, found.marks, found.terms, beta=together_all)
    as_of = situation.signals.last.as_of or situation.now
    bench = Bench(ledger, situation, s, thresholds(ledger), thresholds(ledger, multiple=0.0), as_of)
    outcomes = [
        *gaps(bench), *cascades(bench, pushes.get(asset, Unscanned("no pushes were walked"))),
        *together(bench), *volatility(bench), *funding(bench), *outage(bench), *stablecoin(bench),
    ]  # fmt: skip
    if account.mode == "cash":
        outcomes = [each for each in outcomes if each.kind in ("gap", "stablecoin")]
    exits = exits_of(bench)
    now = value(ledger, np.array(ledger.mark))
    why = "already liquidatable" if bench.ends.already else "no price this way liquidates the account"  # fmt: skip
    return StressTest(
        name=account.name, venue=account.venue, margin_mode=account.mode, asset=asset,
        as_of=format_time(situation.now), simulated=situation.market.simulated,
        answer=_answer(bench, outcomes, exits), price=bench.figure(ledger.mark, PRICE),
        equity=bench.figure(float(now.equity_usd), USD),
        maintenance=bench.figure(float(now.maintenance_usd), USD),
        down=bench.price(bench.ends.down, why), up=bench.price(bench.ends.up, why),
        funding_day=_bleed(bench), outcomes=outcomes, exits=exits, curve=_curve(bench),
        notes=_notes(ledger, found.notes),
    )  # fmt: skip


def _bleed(bench: Bench) -> Estimate:
    if not bench.ledger.perps:
        return unknown(USD, "nothing held pays funding")
    day = funding_day(bench.ledger)
    if not np.isfinite(day):
        return unknown(USD, "a contract's settled funding is not stored")
    return bench.figure(day, USD, "settled rates kept up")


def _curve(bench: Bench) -> Curve:
    s = bench.settings
    price = bench.mark * np.exp(np.linspace(-s.curve_reach, s.curve_reach, s.curve_points))
    found = value(bench.ledger, price)
    return Curve(
        price=price.tolist(), equity=found.equity_usd.tolist(), maintenance=found.maintenance_usd.tolist()
    )  # fmt: skip


def _answer(bench: Bench, outcomes: list[Outcome], exits: list[Exit]) -> str:
    name, ends = bench.ledger.account.name, bench.ends
    if ends.already:
        return (
            f"{name}: equity does not cover maintenance now: the venue may liquidate at any moment."
        )
    reached = [
        f"{price_text(end)} ({100 * (end / bench.mark - 1):+.1f} %)"
        for end in (ends.down, ends.up)
        if end is not None
    ]
    where = f"liquidated at {' and at '.join(reached)}" if reached else "liquidated at no price"
    fatal = [each.title for each in outcomes if each.liquidated]
    tested = sum(each.liquidated is not None for each in outcomes)
    told = f"{name}: {where}; {len(fatal)} of {tested} shocks liquidate it"
    if fatal:
        told += f", first: {fatal[0] if len(fatal) == 1 else _mildest(bench, outcomes)}"
    failed = [each for each in exits if each.works is False]
    known = [each for each in exits if each.works is not None]
    if known:
        told += f"; {len(failed)} of {len(known)} exits fail"
    return f"{told}."


def _mildest(bench: Bench, outcomes: list[Outcome]) -> str:
    """The fatal shock that moves price least."""
    fatal = [each for each in outcomes if each.liquidated and each.price.value is not None]
    moved = [each for each in fatal if each.kind in ("gap", "cascade", "together", "venue")]
    return min(
        moved or fatal, key=lambda each: abs((each.price.value or 0.0) / bench.mark - 1.0)
    ).title


def _notes(ledger: Ledger, marking: tuple[str, ...]) -> list[str]:
    notes = [f"{each}." for each in marking]
    others = sorted({each.asset for each in ledger.perps} - {ledger.asset})
    if others:
        notes.append(f"{', '.join(others)} move by the same per cent as {ledger.asset}.")
    if ledger.options.positions:
        notes.append(
            "Options keep their volatility as price moves, but for the shocks that say otherwise."
        )
        written = any(each.side == "short" for each in ledger.options.positions)
        bought = any(each.side == "long" for each in ledger.options.positions)
        if bought and not ledger.modelled_margin:
            notes.append(
                "Bought options are no margin under standard margin, and not in the equity shown: they pay, but do "
                "not keep the venue away."
            )
        if written and not ledger.modelled_margin:
            notes.append("Written options keep Deribit's standard margin, whatever the venue.")
    if ledger.modelled_margin:
        notes.append(f"Portfolio margin is modelled, by a {SOURCE}.")
    return notes
