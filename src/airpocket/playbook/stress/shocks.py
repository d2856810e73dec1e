"""The shocks: gaps, walked cascades, volatility, time and funding, outages, and a stablecoin that slips."""

import math
from dataclasses import replace

import numpy as np
from msgspec import structs

from airpocket.cascade.pushes import Pushed, Pushes
from airpocket.cascade.records import Unscanned
from airpocket.domain.estimates import Estimate, unknown
from airpocket.playbook.ledger import STABLECOINS, Ledger
from airpocket.playbook.stress.bench import Bench
from airpocket.playbook.stress.records import Outcome
from airpocket.playbook.valuation import value

_YEAR_H = 365.0 * 24.0
_AT_THE_END = 0.999  # of how far paths are followed
_WORTH_SAYING = 0.005  # share of paths


def gaps(bench: Bench) -> list[Outcome]:
    """Every coin jumps by the same per cent; options keep their volatility."""
    return [
        bench.outcome(f"gap{percent:+g}", "gap", f"gap of {percent:+g} %", move=percent / 100.0)
        for percent in bench.settings.gaps_percent
    ]


def together(bench: Bench) -> list[Outcome]:
    """Price and volatility at once; with nothing but perpetuals the gap says it all."""
    if not bench.ledger.options.positions:
        return []
    return [
        bench.outcome(f"together{move:+g}", "together", f"{move:+g} % with volatility {vol:+g} %",
                      move=move / 100.0, vol=vol / 100.0)
        for move, vol in bench.settings.together_percent
    ]  # fmt: skip


def volatility(bench: Bench) -> list[Outcome]:
    """Volatility alone, and a week in which nothing happens."""
    if not bench.ledger.options.positions:
        return []
    days = bench.settings.funding_d
    shifts = [
        bench.outcome(f"vol{percent:+g}", "volatility", f"volatility {percent:+g} % (relative)",
                      vol=percent / 100.0)
        for percent in bench.settings.vol_percent
    ]  # fmt: skip
    return [
        *shifts,
        bench.outcome("time", "time", f"{days:g} days pass, nothing else", days=days),
    ]


def funding(bench: Bench) -> list[Outcome]:
    """Every position pays the rate for days on end; options age meanwhile."""
    ledger, s = bench.ledger, bench.settings
    if not ledger.perps:
        return []
    perps = tuple(
        replace(each, funding_8h=each.leg.sign * s.funding_8h / 100.0) for each in ledger.perps
    )
    return [
        bench.outcome(
            "funding", "funding", f"you pay {s.funding_8h:g} % per 8 h for {s.funding_d:g} days",
            days=s.funding_d, ledger=replace(ledger, perps=perps),
        )
    ]  # fmt: skip


def outage(bench: Bench) -> list[Outcome]:
    """The venue answers nobody while price moves against the account by so many deviations."""
    s, signals = bench.settings, bench.situation.signals
    title = f"venue down {s.outage_h:g} h, {s.outage_sd:g} deviations against you"
    implied, realised = signals.figure("implied_index"), signals.figure("rv_30d")
    yearly = implied if implied.known else realised
    if yearly.value is None:
        return [bench.missing("outage", "venue", title, yearly.unknown or "no volatility")]
    name = "implied volatility" if implied.known else "30-day realised volatility"
    move = s.outage_sd * yearly.value / 100.0 * math.sqrt(s.outage_h / _YEAR_H)
    worse = _worse_way(bench, move)
    return [
        bench.outcome(
            "outage", "venue", title, move=worse,
            note=f"{100 * worse:+.1f} % by {name} of {yearly.value:.0f} %; no stop, no exit and no top-up works "
            "meanwhile, hedges on other venues do",
        )
    ]  # fmt: skip


def stablecoin(bench: Bench) -> list[Outcome]:
    """The quote currency slips: what is held of it loses, and coins rise in what contracts are quoted in."""
    ledger = bench.ledger
    quotes = sorted({
        name for name in (*ledger.balances, *(each.currency for each in ledger.perps),
                          *(each.quote for each in ledger.options.positions if each.linear))
        if name in STABLECOINS and name != "USD"
    })  # fmt: skip
    return [
        bench.outcome(
            f"{name}-{percent:g}", "stablecoin", f"{name} at {1 - percent / 100:g} USD",
            ledger=_slipped(ledger, name, 1.0 - percent / 100.0),
            note=f"contracts quoted in {name} trade {100 * (1 / (1 - percent / 100) - 1):.1f} % higher, "
            "the coin's price in USD unchanged",
        )
        for name in quotes
        for percent in bench.settings.stablecoin_percent
    ]  # fmt: skip


def _slipped(ledger: Ledger, name: str, usd: float) -> Ledger:
    marks = replace(ledger.marks, usd={**ledger.marks.usd, name: usd})
    perps = tuple(
        replace(each, mark=each.mark / usd) if each.currency == name else each
        for each in ledger.perps
    )
    return replace(ledger, marks=marks, perps=perps)


def _worse_way(bench: Bench, move: float) -> float:
    both = value(bench.ledger, bench.mark * np.array([1.0 - move, 1.0 + move])).surplus_usd
    return -move if both[0] < both[1] else move


def cascades(bench: Bench, pushes: Pushes | Unscanned) -> list[Outcome]:
    """The standard pushes both ways, at the far end (90 %) of their simulated paths, forced orders and all.

    Liquidation is judged at the furthest point; `chance` is the share of paths that get to it.
    """
    if isinstance(pushes, Unscanned):
        return [
            bench.missing("cascade", "cascade", "pushes with what they force out", pushes.reason)
        ]
    found: list[Outcome] = []
    for direction, way in pushes.ways.items():
        sign = 1.0 if direction == "up" else -1.0
        for push in way.pushes:
            found.append(_walked(bench, push, sign))
    return found


def _walked(bench: Bench, push: Pushed, sign: float) -> Outcome:
    """Where the far paths leave what map and book tell of, how far they go is not known, only at least how far."""
    extreme, left = push.outcomes.extreme, push.outcomes.left
    cut = extreme.high >= float(push.outcomes.stops[0][-1]) * _AT_THE_END
    what = "buying" if sign > 0 else "selling"
    told = (
        f"furthest point {sign * extreme.middle:+.1f} % in the middle, {sign * extreme.high:+.1f} % "
        f"{'or more ' if cut else ''}at the 90 % shown"
    )
    if left.of > _WORTH_SAYING:
        told += f"; {100 * left.of:.0f} % of paths leave what map and book tell of"
    found = bench.outcome(
        f"cascade-{what}-{100 * push.share:g}", "cascade",
        f"{what} of ${push.usd / 1e6:,.0f} mn ({100 * push.share:g} % of a day)",
        move=sign * extreme.high / 100.0, chance=_chance(bench, push, sign), note=told,
    )  # fmt: skip
    end = bench.ends.up if sign > 0 else bench.ends.down
    if cut and not found.liquidated and end is not None:
        return structs.replace(found, liquidated=None)
    return found


def _chance(bench: Bench, push: Pushed, sign: float) -> Estimate:
    """Share of paths whose furthest point meets the account's threshold this way, %."""
    end = bench.ends.up if sign > 0 else bench.ends.down
    if end is None:
        return unknown("%", "no price this way liquidates the account")
    need = 100.0 * abs(end / bench.mark - 1.0)
    edges, share = push.outcomes.stops
    if need > edges[-1]:
        return unknown(
            "%", f"liquidation is {need:.1f} % away, the paths are followed to {edges[-1]:.1f} %"
        )
    beyond = np.concatenate([[0.0], np.cumsum(share)])
    total = float(beyond[-1]) or 1.0
    return bench.percent(
        100.0 * (1.0 - float(np.interp(need, edges, beyond)) / total),
        f"share of {push.outcomes.paths:,} simulated paths",
    )
