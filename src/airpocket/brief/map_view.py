"""The map of an assessment as a view of its own: table, ladder, migration, vacuum, what changed."""

import numpy as np
from msgspec import structs

from airpocket.brief.forced import at_risk, heat_rows, map_section, overlap
from airpocket.brief.map_model import (
    ClusterCover,
    ClusterMove,
    InterestChange,
    MapView,
    Profile,
    RiskChange,
    RiskRow,
    Rung,
    Since,
    StopZone,
    ThinStretch,
    VacuumSection,
)
from airpocket.cascade.vacuum import NoBook, Vacuum, vacuum_of
from airpocket.domain.estimates import PERCENT, USD, Estimate, known, unknown
from airpocket.domain.units import PositionSide, TimeNs, format_time
from airpocket.levels.roadmap import Roadmap
from airpocket.liquidations.migration import Migration, migration_of
from airpocket.liquidations.records import LiquidationMap, Unmapped
from airpocket.market.state import Market
from airpocket.pipeline import Assessment

RISK_PERCENT = (1.0, 3.0, 5.0, 10.0)
RUNG_PERCENT = 1.0
RUNGS = 10  # each way
STOPS = 3  # each way
_SIDES: tuple[PositionSide, PositionSide] = ("short", "long")


def map_view(now: Assessment, since: TimeNs, before: LiquidationMap | Unmapped) -> MapView:
    """The view of an assessment's map, against the map of `since` (ns) as it could be known then."""
    found, market = now.map, now.market
    risk = at_risk(found)
    return MapView(
        asset=market.asset,
        as_of=format_time(market.now),
        simulated=market.simulated,
        price=now.signals.last,
        reference=market.reference.key,
        headline=risk.headline,
        at_risk=risk,
        risk=[] if isinstance(found, Unmapped) else [_risk(found, p) for p in RISK_PERCENT],
        ladder=[] if isinstance(found, Unmapped) else _ladder(found),
        profile=None if isinstance(found, Unmapped) else _profile(found),
        map=map_section(found),
        stops=_stops(now.roadmap, now.signals.last),
        since=_since(found, since, before, market),
        vacuum=_vacuum(found, market),
    )


def _risk(found: LiquidationMap, percent: float) -> RiskRow:
    gross = {side: found.at_risk(side, percent) for side in _SIDES}
    exact = {side: 100.0 * found.within(side, percent).exact_share for side in _SIDES}
    return RiskRow(
        percent=percent,
        shorts=gross["short"], shorts_net=_net(gross["short"], found.hedged_shorts),
        shorts_exact_percent=exact["short"],
        longs=gross["long"], longs_net=_net(gross["long"], found.hedged_longs),
        longs_exact_percent=exact["long"],
    )  # fmt: skip


def _net(gross: Estimate, hedged: Estimate) -> Estimate:
    """The amount less the share believed hedged: a belief, whatever the amount rests on."""
    if gross.value is None or hedged.value is None:
        return unknown(USD, gross.unknown or f"the hedged share is unknown: {hedged.unknown}")
    low, high = _ends(gross.low, gross.high, gross.value)
    least, most = _ends(hedged.low, hedged.high, hedged.value)
    return structs.replace(
        gross, value=gross.value * (1.0 - hedged.value / 100.0),
        low=low * (1.0 - most / 100.0), high=high * (1.0 - least / 100.0),
        provenance="modelled" if gross.provenance == "modelled" else "mixed",
    )  # fmt: skip


def _ends(low: float | None, high: float | None, value: float) -> tuple[float, float]:
    return (value if low is None else low), (value if high is None else high)


def _ladder(found: LiquidationMap) -> list[Rung]:
    """Steps of one per cent around the price, the highest first."""
    rungs: list[Rung] = []
    for step in range(RUNGS, -RUNGS, -1):
        side: PositionSide = "short" if step > 0 else "long"
        ends = (step - 1) * RUNG_PERCENT, step * RUNG_PERCENT
        low, high = (found.price * (1.0 + end / 100.0) for end in ends)
        inside = (found.middle >= low) & (found.middle < high)
        amount = found.ladder(side).within(inside)
        rungs.append(
            Rung(side=side, low=low, high=high, percent=ends[1] if side == "short" else ends[0],
                 forced_usd=amount.usd, exact_usd=amount.exact)
        )  # fmt: skip
    return rungs


def _stops(roadmap: Roadmap, last: Estimate) -> list[StopZone]:
    """The nearest standing swings: shorts' stops beyond highs, longs' beyond lows; how many is not known."""
    if last.value is None:
        return []
    found: dict[PositionSide, list[StopZone]] = {"short": [], "long": []}
    price = last.value
    levels = [each for zone in roadmap.zones for each in zone.confluence if each.standing]
    for level in sorted(levels, key=lambda each: abs(each.price - price)):
        above = level.price > price
        side: PositionSide = "short" if above else "long"
        if level.kind != ("swing_high" if above else "swing_low") or len(found[side]) == STOPS:
            continue
        found[side].append(
            StopZone(
                side=side, beyond=level.price, because=level.label,
                distance_percent=100.0 * (level.price / price - 1.0),
                amount_usd=unknown(USD, "no venue tells its stop orders"),
            )
        )  # fmt: skip
    return [*reversed(found["short"]), *found["long"]]


def _since(
    found: LiquidationMap | Unmapped,
    since: TimeNs,
    before: LiquidationMap | Unmapped,
    market: Market,
) -> Since:
    at = format_time(since)
    for each, when in ((found, "now"), (before, "then")):
        if isinstance(each, Unmapped):
            return _nothing_since(at, f"there is no map of {when}: {each.reason}")
    assert isinstance(found, LiquidationMap)
    assert isinstance(before, LiquidationMap)
    traded = _traded(market, since, found.price)
    moves = migration_of(before, found, traded)
    return Since(
        at=at, unknown=None, price_before=before.price,
        price_percent=100.0 * (found.price / before.price - 1.0), low=traded[0], high=traded[1],
        interest=_interest(before, found),
        at_risk=[
            RiskChange(percent=p, shorts=_change(before, found, "short", p),
                       longs=_change(before, found, "long", p))
            for p in RISK_PERCENT
        ],
        clusters=[_move(each, before, found) for each in moves],
    )  # fmt: skip


def _nothing_since(at: str, reason: str) -> Since:
    return Since(
        at=at, unknown=reason, price_before=None, price_percent=None, low=None, high=None,
        interest=[], at_risk=[], clusters=[],
    )  # fmt: skip


def _traded(market: Market, since: int, price: float) -> tuple[float, float]:
    """Lowest and highest price of the bars that opened since."""
    bars = market.reference.base.since(since)
    if len(bars) == 0:
        return price, price
    return float(bars.low.min()), float(bars.high.max())


def _interest(before: LiquidationMap, now: LiquidationMap) -> list[InterestChange]:
    """Change of open interest by contract, of those in both maps."""
    then = {source.key: source.interest_coin for source in before.sources}
    return [
        InterestChange(
            contract=source.key,
            change=known(100.0 * (source.interest_coin / then[source.key] - 1.0), PERCENT,
                         as_of=source.as_of, now=now.now, source=source.key),
        )
        for source in now.sources
        if then.get(source.key, 0.0) > 0.0
    ]  # fmt: skip


def _change(
    before: LiquidationMap, now: LiquidationMap, side: PositionSide, percent: float
) -> Estimate:
    """Dollars at risk within a distance, now less then, each from its own price."""
    was, is_ = before.within(side, percent), now.within(side, percent)
    both = {was.provenance, is_.provenance}
    return known(
        round(is_.usd - was.usd, 2), USD, as_of=now.as_of, now=now.now,
        provenance=is_.provenance if len(both) == 1 else "mixed", source="liquidation maps",
    )  # fmt: skip


def _move(move: Migration, before: LiquidationMap, now: LiquidationMap) -> ClusterMove:
    return ClusterMove(
        side=move.side,
        fate=move.fate,
        peak_before=None if move.before is None else move.before.peak,
        peak_now=None if move.now is None else move.now.peak,
        moved_percent=move.moved_percent,
        before_usd=before.estimate(move.before_usd, "liquidation map"),
        now_usd=now.estimate(move.now_usd, "liquidation map"),
    )


def _vacuum(found: LiquidationMap | Unmapped, market: Market) -> VacuumSection:
    book = NoBook(found.reason) if isinstance(found, Unmapped) else vacuum_of(found, market)
    if isinstance(book, NoBook) or isinstance(found, Unmapped):
        reason = book.reason if isinstance(book, NoBook) else ""
        return VacuumSection(
            unknown=reason, source="", up_reach_percent=None, down_reach_percent=None, thin=[], covers=[]
        )  # fmt: skip
    return VacuumSection(
        unknown=None,
        source=book.source,
        up_reach_percent=100.0 * book.reach["up"],
        down_reach_percent=100.0 * book.reach["down"],
        thin=_thin(book, found),
        covers=[
            ClusterCover(
                side=each.cluster.side, peak=each.cluster.peak,
                distance_percent=each.cluster.distance_percent,
                forced_usd=found.estimate(each.cluster.amount, "liquidation map"),
                on_the_way_usd=each.on_the_way_usd, inside_usd=each.inside_usd,
            )
            for each in book.covers
        ],
    )  # fmt: skip


def _thin(book: Vacuum, found: LiquidationMap) -> list[ThinStretch]:
    return [
        ThinStretch(
            direction=each.direction, low=each.low, high=each.high, resting_usd=each.resting_usd,
            usual_usd=each.usual_usd, forced_usd=found.estimate(each.forced, "liquidation map"),
        )
        for each in book.thin
    ]  # fmt: skip


def _profile(found: LiquidationMap) -> Profile:
    """Within 15 % of the price, on the rows of the heatmap."""
    edge = heat_rows(found.price)
    share = overlap(found.edge, edge)
    ladders = [found.ladder(side) for side in _SIDES]
    usd = sum((ladder.usd @ share for ladder in ladders), np.zeros(len(edge) - 1))
    exact = sum(
        (each.exact @ share for each in ladders if each.exact is not None), np.zeros(len(edge) - 1)
    )
    return Profile(
        edge=[float(f"{v:.8g}") for v in edge],
        forced_usd=[float(f"{v:.6g}") for v in usd],
        exact_usd=[float(f"{v:.6g}") for v in exact],
    )
