"""The brief from an assessment: the answer first, then why, then what is missing."""

import numpy as np

from airpocket.brief.drivers_page import with_records
from airpocket.brief.forced import at_risk, cascade_section, map_section, short_headline
from airpocket.brief.fuel import forced_sums
from airpocket.brief.model import (
    Brief,
    ChannelHealth,
    Chart,
    Health,
    PriceSection,
    Record,
)
from airpocket.brief.sides import side_section
from airpocket.domain.estimates import Estimate, known, unknown
from airpocket.domain.events import FloatArray
from airpocket.domain.tells import NOT_EVALUATED
from airpocket.domain.units import DAY_NS, HOUR_NS, SECOND_NS, format_time
from airpocket.market.bars import Bars
from airpocket.market.health import Channel, standing_of, unwell
from airpocket.market.state import Market
from airpocket.pipeline import Assessment
from airpocket.signals.funding import venue_fundings
from airpocket.signals.interest import lead_interest, venue_interests
from airpocket.signals.windows import values_at

_CHART_DAYS = 14
_WANTED = {
    "open_interest": "open interest",
    "depth": "order-book depth",
    "liquidation": "liquidation prints",
    "flow": "ETF, stablecoin or reserve flows",
    "option_quote": "an option chain",
    "tape_1m": "the trade tape",
}


def compose(assessment: Assessment) -> Brief:
    """The brief of one asset at one moment."""
    market, drivers = assessment.market, assessment.drivers()
    return Brief(
        asset=market.asset,
        as_of=format_time(market.now),
        answer=_answer(assessment),
        price=_price(assessment),
        health=_health(assessment),
        at_risk=at_risk(assessment.map),
        triggers=list(assessment.triggers),
        verdict=assessment.verdict,
        regimes=list(assessment.signals.regimes),
        clusters=list(assessment.clusters),
        map=map_section(assessment.map),
        cascade=cascade_section(assessment.cascade, assessment.pushes()),
        flows=with_records(assessment.signals.flows, drivers),
        drivers=drivers,
        roadmap=assessment.roadmap,
        shorts=side_section(assessment, "short"),
        longs=side_section(assessment, "long"),
        record=Record(summary=NOT_EVALUATED, entries=[]),
    )


def _answer(assessment: Assessment) -> str:
    """One sentence: asset, price, triggers, carry and who is opening, and what can't be said."""
    signals, market = assessment.signals, assessment.market
    if signals.last.value is None:
        return f"{market.asset}: no fresh price ({signals.last.unknown}), so nothing can be said."
    where = f"{market.asset} at {signals.last.value:,.2f}"
    day = signals.figure("move_24h")
    if day.value is not None:
        where += f" ({day.value:+.1f} % in 24 h)"
    firing = [row.title.lower() for row in assessment.triggers if row.state == "firing"]
    armed = [row.title.lower() for row in assessment.triggers if row.state == "armed"]
    blind = [row for row in assessment.triggers if row.state == "unknown"]
    if firing:
        what = "firing: " + ", ".join(firing)
    elif armed:
        what = "armed: " + ", ".join(armed)
    elif len(blind) == len(assessment.triggers):
        what = "no trigger can be judged with the data here"
    else:
        what = "no trigger speaks"
    if blind and len(blind) < len(assessment.triggers):
        what += f" ({len(blind)} of {len(assessment.triggers)} can't be judged)"
    state = assessment.verdict
    way = f" {state.direction}" if state.direction else ""
    what = f"verdict {state.state}{way}; {what}"
    label = "SIMULATED: " if market.simulated else ""
    return f"{label}{where}; {what}; {_mood(assessment)}; {short_headline(assessment.map)}."


def _mood(assessment: Assessment) -> str:
    regimes = {reading.id: reading for reading in assessment.signals.regimes}
    funding, interest = regimes["funding"].state, regimes["interest"].state
    source = next((t.estimate.source for t in regimes["interest"].tells if t.estimate.known), "")
    named = f" ({source.split(' ')[0]})" if source else ""
    return f"funding {funding}, open interest says {interest}{named}"


def _price(assessment: Assessment) -> PriceSection:
    market = assessment.market
    bars, held, rate = _chart(market)
    forced, untold = forced_sums(market, HOUR_NS)
    return PriceSection(
        reference=market.reference.key,
        last=assessment.signals.last,
        tells=list(assessment.signals.price),
        by_venue=_by_venue(market),
        chart_ts=[int(t) for t in bars.end],
        chart_close=_plotted(bars.close),
        chart_interest=_plotted(held),
        chart_funding=_plotted(rate / 100.0),
        chart_open=_plotted(bars.open),
        chart_high=_plotted(bars.high),
        chart_low=_plotted(bars.low),
        chart_forced=forced,
        chart_forced_unknown=untold,
    )


def _by_venue(market: Market) -> dict[str, Estimate]:
    """Newest close of every contract that has bars; older than two hours is unknown."""
    found: dict[str, Estimate] = {}
    for contract in market.contracts:
        if len(contract.base) == 0 or contract.instrument.kind not in ("linear", "inverse", "spot"):
            continue
        at = int(contract.base.end[-1])
        if market.now - at > 2 * HOUR_NS:
            found[contract.key] = unknown("quote per coin", f"last bar ended {format_time(at)}")
        else:
            found[contract.key] = known(
                float(contract.base.close[-1]), "quote per coin", as_of=at, now=market.now,
                source=contract.key,
            )  # fmt: skip
    return found


def _chart(market: Market) -> tuple[Bars, FloatArray, FloatArray]:
    """The hours of the last two weeks, and (n,) each with OI (coin) and funding (% per 8 h) in force then."""
    hours = market.reference.hours.since(market.now - _CHART_DAYS * DAY_NS)
    held = np.full(len(hours), np.nan)
    history = lead_interest(venue_interests(market), market.now, 3)
    if history is not None:
        held = values_at(history.known_at, history.coin, hours.end, 2 * HOUR_NS)
    rate = np.full(len(hours), np.nan)
    venues = venue_fundings(market)
    own = [v for v in venues if v.key == market.reference.key] or venues[:1]
    if own:
        rate = values_at(own[0].ends, own[0].rate_8h, hours.end, 9 * HOUR_NS)
    return hours, held, rate


def _plotted(values: FloatArray) -> Chart:
    return [float(v) if np.isfinite(v) else None for v in values]


def _health(assessment: Assessment) -> Health:
    market = assessment.market
    recently = market.now - 5 * DAY_NS  # flows rest over a long weekend
    have = {c.kind for c in assessment.health if c.state != "stale" and c.last >= recently}
    missing = [
        f"{what}: none usable at this time" for kind, what in _WANTED.items() if kind not in have
    ]
    if not any(len(spot.base) for spot in market.spots):
        missing.append("a spot market: none usable at this time")
    missing += [
        f"live {channel} of {contract.key}: {state}"
        for contract in market.contracts
        for channel, state in unwell(contract).items()
    ]
    missing += [
        f"{contract.key}: {why}" for contract in market.contracts if (why := standing_of(contract))
    ]
    return Health(
        simulated=market.simulated,
        channels=[_channel(channel, market.now) for channel in assessment.health],
        missing=missing,
    )


def _channel(channel: Channel, now: int) -> ChannelHealth:
    return ChannelHealth(
        venue=channel.venue,
        symbol=channel.symbol,
        kind=channel.kind,
        state=channel.state,
        rows=channel.rows,
        first=format_time(channel.first),
        last=format_time(channel.last),
        age_s=(now - channel.last) / SECOND_NS,
        gaps_30d=channel.gaps_30d,
        longest_gap_h=channel.longest_gap_h,
        reason=channel.reason,
        sources=list(channel.sources),
    )
