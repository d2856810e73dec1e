"""Slow drivers and what they imply: ETF creations, stablecoin supply, reserves, and the hinge (M14–M20)."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.estimates import PERCENT, SD, USD, Estimate, known, unknown
from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.tells import Graded, Reading, Tell, at_least, at_most, context
from airpocket.domain.units import DAY_NS
from airpocket.market.state import Market, Observations
from airpocket.signals.windows import score, value_at


@dataclass(frozen=True, slots=True)
class DriverSettings:
    """Windows in observations (trading days for ETFs, days for the rest); `stale_days` by calendar."""

    recent: int = 5
    score_days: int = 250
    least: int = 60
    stale_days: int = 5


@dataclass(frozen=True, slots=True)
class _Series:
    """One slow series as it could be known: event times, first-usable times, values."""

    ts: IntArray
    usable_from: IntArray
    values: FloatArray
    source: str


def _series(market: Market, names: tuple[str, ...]) -> _Series | None:
    """The first of `names` that any publisher has stored."""
    tables: list[tuple[str, Observations]] = []
    for contract in market.contracts:
        table = contract.table("flow")
        if table is not None:
            tables.append((contract.key, table))
    for name in names:
        for key, table in tables:
            rows = table.texts("series") == name
            if rows.any():
                found = table.where(rows)
                source = f"{key} {name}"
                return _Series(
                    found.ints("ts"), found.ints("usable_from"), found.floats("value"), source
                )
    return None


def _stale(series: _Series, now: int, settings: DriverSettings) -> str | None:
    days = (now - int(series.usable_from[-1])) / DAY_NS
    return f"{series.source} is {days:,.0f} days old" if days > settings.stale_days else None


def _sum_recent(series: _Series | None, now: int, settings: DriverSettings, what: str) -> Estimate:
    if series is None:
        return unknown(USD, f"no {what} are stored")
    if (reason := _stale(series, now, settings)) is not None:
        return unknown(USD, reason)
    if len(series.values) < settings.recent:
        return unknown(USD, f"needs {settings.recent} observations, has {len(series.values)}")
    at = int(series.usable_from[-1])
    total = float(series.values[-settings.recent :].sum())
    return known(total, USD, as_of=at, now=now, source=series.source)


def _sum_score(series: _Series | None, now: int, settings: DriverSettings, what: str) -> Estimate:
    if series is None:
        return unknown(SD, f"no {what} are stored")
    if (reason := _stale(series, now, settings)) is not None:
        return unknown(SD, reason)
    recent = settings.recent
    sums = np.convolve(series.values, np.ones(recent), mode="valid")[-settings.score_days :]
    value = score(sums[:-1], float(sums[-1]), settings.least) if len(sums) else float("nan")
    if not np.isfinite(value):
        return unknown(SD, f"needs {settings.least} sums of {recent}, has {len(sums)}")
    return known(value, SD, as_of=int(series.usable_from[-1]), now=now, source=series.source)


def _change(
    series: _Series | None, now: int, days: int, settings: DriverSettings, what: str
) -> Estimate:
    if series is None:
        return unknown(PERCENT, f"no {what} is stored")
    if (reason := _stale(series, now, settings)) is not None:
        return unknown(PERCENT, reason)
    last = int(series.ts[-1])
    before = value_at(series.ts, series.values, last - days * DAY_NS, 3 * DAY_NS)
    if not np.isfinite(before):
        return unknown(PERCENT, f"no value {days} days earlier")
    value = 100.0 * (float(series.values[-1]) / before - 1.0)
    return known(value, PERCENT, as_of=int(series.usable_from[-1]), now=now, source=series.source)


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
    now = market.now
    etf = _series(market, ("etf_net_flow", "etf_net_flow:total"))
    supply = _series(market, ("usdt_supply",))
    reserve = _series(market, ("exchange_reserve",))
    etf_sum = _sum_recent(etf, now, settings, "ETF flows")
    rows = [
        _row(
            [
                at_least("etf_sum", f"net creations, {settings.recent} trading days", etf_sum, 1.0,
                         "creations above redemptions"),
                context("etf_sd", "against its year", _sum_score(etf, now, settings, "ETF flows")),
            ],
            ("etf_creations", "ETF creations", "rising creations are persistent spot buying"),
            ["M14", "M19"], ("funds create more than they redeem", "funds redeem more than they create"),
        ),
        _row(
            [
                at_least("supply_7d", "USDT supply, 7 d",
                         _change(supply, now, 7, settings, "stablecoin supply"), 0.0, "growing"),
                context("supply_30d", "USDT supply, 30 d",
                        _change(supply, now, 30, settings, "stablecoin supply")),
            ],
            ("stablecoin_issuance", "Stablecoin issuance", "positive issuance is dry powder"),
            ["M15", "M19"],
            ("USDT supply grew (USDT only; market value, so its price moves are in it)",
             "USDT supply did not grow (USDT only)"),
        ),
        _row(
            [
                at_most("reserve_30d", "coin on exchanges, 30 d",
                        _change(reserve, now, 30, settings, "exchange reserve"), 0.0, "declining"),
            ],
            ("exchange_reserves", "Exchange reserves", "declining reserves are a tighter float"),
            ["M16", "M19"], ("coin leaves exchanges", "coin moves to exchanges"),
        ),
    ]  # fmt: skip
    return [*rows, _carry_row(funding)]


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
    """M20: do creations persist and is issuance positive; both, or leverage is exposed."""
    creations, issuance = rows[0], rows[1]
    tells = [
        creations.tells[0],
        issuance.tells[0],
        context("return_24h", "price, 24 h", day_return),
    ]
    states = [creations.state, issuance.state]
    if "unknown" in states:
        state = "unknown"
        because = [row.because[0] for row in (creations, issuance) if row.state == "unknown"]
    elif states == ["supportive", "supportive"]:
        state, because = "holds", ["both hold: covering can become trend"]
    else:
        stalled = [row.title for row in (creations, issuance) if row.state != "supportive"]
        state, because = "stalls", [f"{' and '.join(stalled)} stalled: leverage is exposed"]
    return Reading(
        id="hinge", title="The hinge", state=state, because=because, tells=tells, refs=["M20"]
    )
