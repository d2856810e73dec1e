"""Slow drivers as tells and graded rows: creations, issuance, reserves, carry, and the hinge (M14–M20)."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.estimates import PERCENT, SD, USD, Estimate, known, unknown
from airpocket.domain.events import FloatArray
from airpocket.domain.tells import Graded, Reading, Tell, at_least, at_most, context
from airpocket.domain.units import DAY_NS, HOUR_NS
from airpocket.market.bars import Bars
from airpocket.market.state import Market
from airpocket.market.vintages import Vintages, best, total
from airpocket.signals.windows import score, value_at, values_at

ETF_NAMES = ("etf_net_flow", "etf_net_flow:total")
SUPPLY_NAMES = ("stablecoin_supply", "usdt_supply", "usdc_supply")


@dataclass(frozen=True, slots=True)
class DriverSettings:
    """Windows in observations (trading days for ETFs, days for the rest); staleness is each series' own."""

    recent: int = 5
    score_days: int = 250
    least: int = 60
    pullback_days: int = 20


def supply_of(market: Market) -> Vintages | None:
    """Stablecoins outstanding: of all where that is told, else of the largest that is."""
    told = (best(market, (name,)) for name in SUPPLY_NAMES)
    return next((each for each in told if each is not None), None)


def reserves(market: Market) -> Vintages | None:
    """Coin on exchanges: one figure for all, else the sum of the exchanges told."""
    return best(market, ("exchange_reserve",)) or total(market, "exchange_reserve")


def recent_sums(series: Vintages, values: FloatArray, recent: int) -> FloatArray:
    """(n,) sums of `recent` figures in a row; NaN where a figure between them is absent."""
    sums = np.full(len(values), np.nan)
    if len(values) >= recent:
        sums[recent - 1 :] = np.convolve(values, np.ones(recent), mode="valid")
        holes = np.cumsum(series.gap_before())
        sums[recent - 1 :][holes[recent - 1 :] > holes[: len(values) - recent + 1]] = np.nan
    return sums


def changes(series: Vintages, values: FloatArray, days: int) -> FloatArray:
    """(n,) per cent over `days` before each figure's day; NaN without a figure within three days of then."""
    before = values_at(series.event, values, series.event - days * DAY_NS, 3 * DAY_NS)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = 100.0 * (values / before - 1.0)
    return np.where(np.isfinite(found), found, np.nan)


def newest(series: Vintages | None, readings: FloatArray, unit: str, what: str) -> Estimate:
    """The reading of the newest day, or why there is none."""
    if series is None:
        return unknown(unit, f"no {what} stored")
    if series.trouble:
        return unknown(unit, series.trouble)
    if not np.isfinite(readings[-1]):
        return unknown(unit, f"{series.source}: figures before the newest are absent")
    return known(
        float(readings[-1]), unit, as_of=int(series.seen[-1]), now=series.now, source=series.source
    )


def scored(series: Vintages | None, readings: FloatArray, s: DriverSettings, what: str) -> Estimate:
    """The newest reading in standard deviations of up to a year before it."""
    if series is None:
        return unknown(SD, f"no {what} stored")
    if series.trouble:
        return unknown(SD, series.trouble)
    past = readings[:-1][-s.score_days :]
    value = score(past, float(readings[-1]), s.least)
    if not np.isfinite(value):
        have = int(np.isfinite(past).sum())
        return unknown(SD, f"{series.source}: {have} earlier readings, {s.least} are needed")
    return known(value, SD, as_of=int(series.seen[-1]), now=series.now, source=series.source)


def etf_sums(series: Vintages | None, s: DriverSettings) -> FloatArray:
    """(n,) USD created, net, in `recent` trading days up to each."""
    return np.empty(0) if series is None else recent_sums(series, series.values, s.recent)


def level_changes(series: Vintages | None, days: int) -> FloatArray:
    """(n,) per cent that a level changed in `days`."""
    return np.empty(0) if series is None else changes(series, series.values, days)


def on_falls(series: Vintages | None, days: Bars, s: DriverSettings) -> Estimate:
    """M20: USD created, net, on those of the last trading days on which price fell."""
    if series is None:
        return unknown(USD, "no ETF flows stored")
    if series.trouble:
        return unknown(USD, series.trouble)
    falling = days.ts[days.close < days.open]
    event, values = series.event[-s.pullback_days :], series.values[-s.pullback_days :]
    mine = np.isin(event, falling)
    if not mine.any():
        return unknown(USD, f"no falling day among the last {len(event)} trading days")
    return known(
        float(values[mine].sum()), USD, as_of=int(series.seen[-1]), now=series.now,
        source=f"{series.source}, {int(mine.sum())} of {len(event)} days",
    )  # fmt: skip


def _row(
    tells: list[Tell], driver: tuple[str, str, str], refs: list[str], words: tuple[str, str]
) -> Graded:
    """A driver row: supportive when its first tell is met, not supportive when it is not."""
    driver_id, title, implication = driver
    lead = tells[0]
    if lead.met is None:
        state, because = "unknown", [lead.estimate.unknown or ""]
    else:
        state = "supportive" if lead.met else "not supportive"
        because = [words[0] if lead.met else words[1]]
    return Graded(
        id=driver_id, title=title, state=state, because=because, tells=tells, refs=refs,
        implication=implication,
    )  # fmt: skip


def driver_rows(market: Market, funding: Reading, settings: DriverSettings) -> list[Graded]:
    """The four rows of M19, in order: creations, issuance, reserves, carry."""
    s = settings
    etf, supply, reserve = best(market, ETF_NAMES), supply_of(market), reserves(market)
    sums, weeks = etf_sums(etf, s), level_changes(supply, 7)
    flows = "ETF flows"
    name, note = _supply_words(supply)
    rows = [
        _row(
            [
                at_least("etf_sum", f"net creations, {s.recent} trading days", newest(etf, sums, USD, flows),
                         1.0, "creations above redemptions"),
                context("etf_sd", "against its year", scored(etf, sums, s, flows)),
                context("etf_on_falls", f"on falling days of the last {s.pullback_days}",
                        on_falls(etf, market.reference.days, s)),
            ],
            ("etf_creations", "ETF creations", "rising creations are persistent spot buying"),
            ["M14", "M19"], ("funds create more than they redeem", "funds redeem more than they create"),
        ),
        _row(
            [
                at_least("supply_7d", f"{name} supply, 7 d", newest(supply, weeks, PERCENT, "stablecoin supply"),
                         0.0, "growing"),
                context("supply_30d", f"{name} supply, 30 d",
                        newest(supply, level_changes(supply, 30), PERCENT, "stablecoin supply")),
                context("supply_sd", "7 d against its year", scored(supply, weeks, s, "stablecoin supply")),
            ],
            ("stablecoin_issuance", "Stablecoin issuance", "positive issuance is dry powder"),
            ["M15", "M19"], (f"{name} supply grew{note}", f"{name} supply did not grow{note}"),
        ),
        _row(
            [
                at_most("reserve_30d", "coin on exchanges, 30 d",
                        newest(reserve, level_changes(reserve, 30), PERCENT, "exchange reserve"), 0.0,
                        "declining"),
            ],
            ("exchange_reserves", "Exchange reserves", "declining reserves are a tighter float"),
            ["M16", "M19"], ("coin leaves exchanges", "coin moves to exchanges"),
        ),
    ]  # fmt: skip
    return [*rows, _carry_row(funding)]


def _supply_words(supply: Vintages | None) -> tuple[str, str]:
    """Whose supply it is, and what to bear in mind of it."""
    if supply is None:
        return "stablecoin", ""
    name = {"stablecoin_supply": "stablecoin", "usdt_supply": "USDT"}.get(supply.name, "USDC")
    only = "" if name == "stablecoin" else f"{name} only"
    value = "market value, so its price moves are in it" if supply.units == ("USD",) else ""
    noted = "; ".join(each for each in (only, value) if each)
    return name, f" ({noted})" if noted else ""


def _carry_row(funding: Reading) -> Graded:
    calm = {"moderate and steady", "moderate"}
    if funding.state == "unknown":
        state, because = "unknown", funding.because
    elif funding.state in calm:
        state, because = "supportive", ["funding is stable to mildly positive"]
    else:
        state, because = "not supportive", [f"funding is {funding.state}"]
    return Graded(
        id="funding_basis", title="Funding and basis", state=state, because=because,
        tells=funding.tells[:3], refs=["M19"],
        implication="stable to mildly positive carry is a spot-led, healthier advance",
    )  # fmt: skip


def hinge(rows: list[Graded], day_return: Estimate) -> Reading:
    """M20: do creations persist and is issuance positive; both, or leverage is exposed; one decides."""
    creations, issuance = rows[0], rows[1]
    tells = [
        creations.tells[0],
        issuance.tells[0],
        context("return_24h", "price, 24 h", day_return),
    ]
    stalled = [row.title for row in (creations, issuance) if row.state == "not supportive"]
    dark = [row.because[0] for row in (creations, issuance) if row.state == "unknown"]
    if stalled:
        state, because = "stalls", [f"{' and '.join(stalled)} stalled: leverage is exposed", *dark]
    elif dark:
        state, because = "unknown", dark
    else:
        state, because = "holds", ["both hold: covering can become trend"]
    return Reading(
        id="hinge", title="The hinge", state=state, because=because, tells=tells, refs=["M20"]
    )


def coin_moved_usd(series: Vintages, values: FloatArray, hours: Bars, days: int) -> FloatArray:
    """(n,) USD of coin that a level in coin gained in `days`: each day's change of units at that day's close.

    A price that moves changes the dollar value of a reserve and moves no coin; so units are differenced first.
    NaN where a day or its price is absent.
    """
    ends = series.event + DAY_NS
    price = (
        values_at(hours.end, hours.close, ends, 3 * HOUR_NS)
        if len(hours)
        else np.full(len(ends), np.nan)
    )
    step = np.diff(values, prepend=np.nan) * price
    step[np.diff(series.event, prepend=series.event[0]) != DAY_NS] = np.nan
    sums = np.full(len(values), np.nan)
    if len(values) >= days:
        sums[days - 1 :] = np.lib.stride_tricks.sliding_window_view(step, days).sum(axis=1)
    return sums


def day_before(series: Vintages) -> float:
    """The figure of a day before the newest one; NaN where there is none."""
    return value_at(series.event, series.values, int(series.event[-1]) - DAY_NS, 0)
