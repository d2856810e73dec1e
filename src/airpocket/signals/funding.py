"""What longs pay shorts: level, persistence, surprise and agreement between venues (M1, M8, M13)."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.estimates import (
    FUNDING_8H,
    PERCENT,
    PERCENT_YEAR,
    SD,
    Estimate,
    known,
    unknown,
)
from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.tells import Reading, Tell, at_least, context
from airpocket.domain.units import DAY_NS, HOUR_NS, SECOND_NS
from airpocket.market.carry import FundingHistory, funding_of
from airpocket.market.state import Contract, Market
from airpocket.signals.windows import score

_EIGHT_HOURS_NS = 8 * HOUR_NS


@dataclass(frozen=True, slots=True)
class FundingSettings:
    """Thresholds of the funding regimes; conventions of the field, not fitted.

    moderate_8h, overheated_8h: per cent per 8 h (0.10 % is the rule of M32). spike_sd: standard
    deviations that make a level or a change a surprise.
    """

    moderate_8h: float = 0.03
    overheated_8h: float = 0.10
    spike_sd: float = 2.0
    score_days: int = 90
    least_days: int = 30
    persistence_days: int = 7


@dataclass(frozen=True, slots=True)
class VenueFunding:
    """Funding of one contract in whole 8 h periods up to the newest, without a gap.

    ends: (n,) ns, 00:00, 08:00 and 16:00 UTC. rate_8h: (n,) per cent paid over each period.
    """

    contract: Contract
    history: FundingHistory
    ends: IntArray
    rate_8h: FloatArray

    @property
    def key(self) -> str:
        return self.contract.key


def eight_hour_periods(history: FundingHistory) -> tuple[IntArray, FloatArray]:
    """Whole 8 h periods ending at 00, 08, 16 UTC: (n,) ends and (n,) per cent paid in each.

    Shorter intervals are summed; a period with a settlement missing is left out.
    """
    settled = history.settled_at
    # venues stamp a settlement up to a second late, never early: the stamp belongs to the nearest minute
    minute = 60 * SECOND_NS
    stamp = (settled + minute // 2) // minute * minute
    period = -(-stamp // _EIGHT_HOURS_NS)  # the period a settlement closes or lies in
    ends, first = np.unique(period, return_index=True)
    paid = np.add.reduceat(history.rate, first)
    covered = np.add.reduceat(history.interval_s, first)
    whole = covered == 8 * 3_600
    return (ends * _EIGHT_HOURS_NS)[whole], 100.0 * paid[whole]


def venue_fundings(market: Market) -> list[VenueFunding]:
    """Every perpetual with settled funding, cut to its newest unbroken run of 8 h periods."""
    found: list[VenueFunding] = []
    for contract in market.perps:
        history = funding_of(contract)
        if history is None:
            continue
        ends, rate = eight_hour_periods(history)
        breaks = np.flatnonzero(np.diff(ends) != _EIGHT_HOURS_NS)
        start = int(breaks[-1]) + 1 if len(breaks) else 0
        found.append(VenueFunding(contract, history, ends[start:], rate[start:]))
    return found


def _is_fresh(venue: VenueFunding, now: int) -> bool:
    return len(venue.ends) > 0 and now - int(venue.ends[-1]) <= 2 * _EIGHT_HOURS_NS


def venue_tells(venue: VenueFunding, now: int, settings: FundingSettings) -> list[Tell]:
    """Level, annualised level, persistence and two scores of one contract."""
    return [
        context(f"funding_8h:{venue.key}", f"{venue.key} funding", _level(venue, now)),
        context(f"funding_annual:{venue.key}", f"{venue.key} annualised", _annual(venue, now)),
        context(
            f"funding_positive:{venue.key}",
            f"{venue.key} settlements above zero, {settings.persistence_days} d",
            _persistence(venue, now, settings.persistence_days),
        ),
        context(
            f"funding_level_sd:{venue.key}",
            f"{venue.key} level against its {settings.score_days} d",
            _level_score(venue, now, settings),
        ),
        context(
            f"funding_change_sd:{venue.key}",
            f"{venue.key} last change against its {settings.score_days} d",
            _change_score(venue, now, settings),
        ),
    ]


def _stale(venue: VenueFunding, now: int, unit: str) -> Estimate:
    hours = (now - int(venue.history.settled_at[-1])) / HOUR_NS
    return unknown(
        unit, f"last settlement of {venue.key} is {hours:,.0f} h old, or its period has a hole"
    )


def _level(venue: VenueFunding, now: int) -> Estimate:
    if not _is_fresh(venue, now):
        return _stale(venue, now, FUNDING_8H)
    at, rate = int(venue.ends[-1]), float(venue.rate_8h[-1])
    return known(rate, FUNDING_8H, as_of=at, now=now, source=venue.key)


def _annual(venue: VenueFunding, now: int) -> Estimate:
    last_at = int(venue.history.settled_at[-1])
    if now - last_at > 2 * int(venue.history.interval_s[-1]) * SECOND_NS:
        return _stale(venue, now, PERCENT_YEAR)
    rate = 100.0 * float(venue.history.annual[-1])
    return known(rate, PERCENT_YEAR, as_of=last_at, now=now, source=venue.key)


def _persistence(venue: VenueFunding, now: int, days: int) -> Estimate:
    if not _is_fresh(venue, now):
        return _stale(venue, now, PERCENT)
    wanted = days * 3
    if len(venue.ends) < wanted:
        return unknown(PERCENT, f"needs {wanted} periods without a gap, has {len(venue.ends)}")
    share = 100.0 * float((venue.rate_8h[-wanted:] > 0).mean())
    return known(share, PERCENT, as_of=int(venue.ends[-1]), now=now, source=venue.key)


def _scored(
    venue: VenueFunding, now: int, settings: FundingSettings, series: FloatArray
) -> Estimate:
    if not _is_fresh(venue, now):
        return _stale(venue, now, SD)
    sample, least = series[:-1][-settings.score_days * 3 :], settings.least_days * 3
    if len(sample) < least:
        return unknown(SD, f"needs {least} periods without a gap, has {len(sample)}")
    value = score(sample, float(series[-1]), least)
    if not np.isfinite(value):
        return unknown(SD, f"{venue.key} did not vary: there is no scale to score by")
    return known(value, SD, as_of=int(venue.ends[-1]), now=now, source=venue.key)


def _level_score(venue: VenueFunding, now: int, settings: FundingSettings) -> Estimate:
    return _scored(venue, now, settings, venue.rate_8h)


def _change_score(venue: VenueFunding, now: int, settings: FundingSettings) -> Estimate:
    return _scored(venue, now, settings, np.diff(venue.rate_8h))


def lead_venue(market: Market, venues: list[VenueFunding]) -> VenueFunding | None:
    """The contract whose funding stands for the asset: the reference's if fresh, else the longest fresh."""
    fresh = [v for v in venues if _is_fresh(v, market.now)]
    if not fresh:
        return None
    reference = market.reference.key
    own = [v for v in fresh if v.key == reference]
    return own[0] if own else max(fresh, key=lambda v: (len(v.ends), v.key))


def regime(
    market: Market, venues: list[VenueFunding], day_return: Estimate, settings: FundingSettings
) -> Reading:
    """M8: what the level and its surprise say, and whether dips bring it back to normal."""
    lead = lead_venue(market, venues)
    if lead is None:
        reason = "no venue with a fresh settled funding rate"
        return Reading(
            id="funding", title="Funding regime", state="unknown", because=[reason],
            tells=_unknown_tells(reason), refs=["M1", "M8"],
        )  # fmt: skip
    now = market.now
    level = _level(lead, now)
    level_sd = _level_score(lead, now, settings)
    change_sd = _change_score(lead, now, settings)
    state, why = _named(level, level_sd, change_sd, day_return, settings)
    dips = normalises_on_dips(lead, market, settings)
    tells = [
        at_least("funding_8h", f"funding ({lead.key})", level, settings.overheated_8h,
                 f"overheated at {settings.overheated_8h:.2f} %/8 h"),
        context("funding_annual", "annualised by its own interval", _annual(lead, now)),
        context("funding_positive", f"periods above zero, {settings.persistence_days} d",
                _persistence(lead, now, settings.persistence_days)),
        at_least("funding_level_sd", f"level against {settings.score_days} d", level_sd,
                 settings.spike_sd, f"extreme at {settings.spike_sd:g} sd"),
        at_least("funding_change_sd", "last change", change_sd, settings.spike_sd,
                 f"spike at {settings.spike_sd:g} sd"),
        at_least("funding_dips", "8 h falls of 1 sd after which funding fell, 60 d", dips, 60.0,
                 "organic demand at 60 %"),
    ]  # fmt: skip
    return Reading(
        id="funding", title="Funding regime", state=state, because=why, tells=tells,
        refs=["M1", "M8"],
    )  # fmt: skip


def _unknown_tells(reason: str) -> list[Tell]:
    """The regime's tells when there is no funding to read: later stages still find each by its id."""
    named = (
        ("funding_8h", "funding", FUNDING_8H),
        ("funding_annual", "annualised by its own interval", PERCENT_YEAR),
        ("funding_positive", "periods above zero", PERCENT),
        ("funding_level_sd", "level", SD),
        ("funding_change_sd", "last change", SD),
        ("funding_dips", "falls after which funding fell", PERCENT),
    )
    return [context(tell_id, label, unknown(unit, reason)) for tell_id, label, unit in named]


def _named(
    level: Estimate,
    level_sd: Estimate,
    change_sd: Estimate,
    day_return: Estimate,
    s: FundingSettings,
) -> tuple[str, list[str]]:
    rate = level.value
    if rate is None:
        return "unknown", [level.unknown or ""]
    if rate >= s.overheated_8h:
        return "overheated", ["longs pay an extreme rate: crowded, prone to a shake-out"]
    if rate < 0 and (day_return.value or 0.0) >= 2.0:
        return "negative into strength", ["shorts pay while price rises: fuel for a squeeze"]
    surprises = [sd.value for sd in (level_sd, change_sd) if sd.value is not None]
    if len(surprises) == 2 and min(surprises) >= s.spike_sd:
        return "sudden spike", ["longs crowded in at once: shake-out risk"]
    if rate < 0:
        return "negative", ["shorts pay longs: positioning leans short"]
    if rate <= s.moderate_8h:
        steady = change_sd.value is not None and abs(change_sd.value) < s.spike_sd
        what = "moderate and steady" if steady else "moderate"
        return what, ["longs pay a normal rate: supports continuation"]
    return "elevated", ["longs pay more than usual, short of the overheated threshold"]


def normalises_on_dips(venue: VenueFunding, market: Market, settings: FundingSettings) -> Estimate:
    """Share of 8 h price falls of one standard deviation or more after which funding fell; 60 days.

    Funding that comes down when price dips is demand that does not insist on leverage.
    """
    hours = market.reference.hours
    start = market.now - 60 * DAY_NS
    ends = venue.ends[venue.ends >= start]
    rate = venue.rate_8h[venue.ends >= start]
    closes = np.full(len(ends), np.nan)
    if len(hours) and len(ends):
        row = np.searchsorted(hours.end, ends)
        inside = row < len(hours)
        exact = inside & (hours.end[np.minimum(row, len(hours) - 1)] == ends)
        closes = np.where(exact, hours.close[np.minimum(row, len(hours) - 1)], np.nan)
    if len(ends) < settings.least_days * 3 or np.isnan(closes).mean() > 0.1:
        return unknown(PERCENT, f"needs {settings.least_days} days of price and funding together")
    moves = np.diff(np.log(closes))
    fell = moves <= -np.nanstd(moves)
    if int(fell.sum()) < 5:
        return unknown(PERCENT, f"only {int(fell.sum())} falls of one deviation in 60 d")
    share = 100.0 * float((np.diff(rate)[fell] < 0).mean())
    source = f"{venue.key}, price of {market.reference.key}; {int(fell.sum())} falls"
    return known(share, PERCENT, as_of=int(ends[-1]), now=market.now, source=source)


def convergence(market: Market, venues: list[VenueFunding]) -> Reading:
    """M13: do venues agree on funding, and more or less so than three days ago."""
    now = market.now
    fresh = [v for v in venues if _is_fresh(v, now)]
    spread, before = _spread(fresh, now, 0), _spread(fresh, now, 9)
    tells = [
        context("funding_spread", "highest minus lowest venue", spread),
        context("funding_spread_3d", "the same three days earlier", before),
    ]
    tells += [context(f"funding_8h:{v.key}", v.key, _level(v, now)) for v in fresh]
    if spread.value is None or before.value is None:
        state, why = "unknown", [spread.unknown or before.unknown or ""]
    elif spread.value < 0.8 * before.value:
        state, why = "converging", [f"{len(fresh)} venues move towards one rate"]
    elif spread.value > 1.25 * before.value:
        state, why = "diverging", [f"{len(fresh)} venues move apart: positioning differs by venue"]
    else:
        state, why = "steady", [f"{len(fresh)} venues keep their distance"]
    return Reading(
        id="funding_convergence", title="Funding across venues", state=state, because=why,
        tells=tells, refs=["M13"],
    )  # fmt: skip


def _spread(venues: list[VenueFunding], now: int, periods_ago: int) -> Estimate:
    """Range over venues of the 8 h rate in the newest period all have, `periods_ago` back."""
    if len(venues) < 2:
        have = ", ".join(v.key for v in venues) or "none"
        return unknown(FUNDING_8H, f"needs two venues with fresh funding, has: {have}")
    end = min(int(v.ends[-1]) for v in venues) - periods_ago * _EIGHT_HOURS_NS
    rates: list[float] = []
    for venue in venues:
        row = int(np.searchsorted(venue.ends, end))
        if row == len(venue.ends) or int(venue.ends[row]) != end:
            return unknown(FUNDING_8H, f"{venue.key} has no rate for that period")
        rates.append(float(venue.rate_8h[row]))
    names = ", ".join(v.key for v in venues)
    return known(max(rates) - min(rates), FUNDING_8H, as_of=end, now=now, source=names)
