"""The brief's forced-flow sections: dollars at risk, the liquidation map with its picture, the cascade."""

import numpy as np

from airpocket.brief import words
from airpocket.brief.model import (
    AccountsRow,
    AtRisk,
    CascadeSection,
    ClusterRow,
    Cost,
    HeatGrid,
    MapSection,
    MapSource,
    PocketRow,
    Redraw,
    RiskBand,
    StopRow,
    Way,
)
from airpocket.brief.pushed import push_section, runaway_of
from airpocket.cascade.pushes import Pushes
from airpocket.cascade.records import Cascade, Direction, Redrawn, Scan, Unscanned
from airpocket.domain.estimates import COIN, PERCENT, RATIO, USD, Estimate, known, unknown
from airpocket.domain.events import FloatArray
from airpocket.domain.units import PositionSide, format_time
from airpocket.liquidations.records import Cluster, Heat, LiquidationMap, Measured, Source, Unmapped

RISK_BANDS_PERCENT = (1.0, 2.0, 3.0, 5.0, 10.0, 15.0)
_HEADLINE_PERCENT = 5.0
_HEAT_REACH = 0.15  # of the price, each way
_HEAT_ROWS = 120
_HEAT_COLUMNS = 84


def at_risk(mapped: LiquidationMap | Unmapped) -> AtRisk:
    """Dollars forced out within each distance, both sides, and the share believed hedged."""
    if isinstance(mapped, Unmapped):
        bands = [
            RiskBand(within_percent=p, forced_usd=unknown(USD, mapped.reason))
            for p in RISK_BANDS_PERCENT
        ]
        missing = unknown(PERCENT, mapped.reason)
        return AtRisk(
            headline=f"Dollars at risk are unknown: {mapped.reason}.",
            shorts=bands, longs=bands, hedged_shorts=missing, hedged_longs=missing,
        )  # fmt: skip
    return AtRisk(
        headline=_headline(mapped),
        shorts=_bands(mapped, "short"),
        longs=_bands(mapped, "long"),
        hedged_shorts=mapped.hedged_shorts,
        hedged_longs=mapped.hedged_longs,
    )


def _bands(mapped: LiquidationMap, side: PositionSide) -> list[RiskBand]:
    return [
        RiskBand(
            within_percent=p, forced_usd=mapped.at_risk(side, p),
            exact_percent=100.0 * mapped.within(side, p).exact_share,
        )
        for p in RISK_BANDS_PERCENT
    ]  # fmt: skip


def _headline(mapped: LiquidationMap) -> str:
    shorts = mapped.at_risk("short", _HEADLINE_PERCENT)
    longs = mapped.at_risk("long", _HEADLINE_PERCENT)
    venues = ", ".join(sorted({source.key.split(":")[0] for source in mapped.sources}))
    hedged = mapped.hedged_shorts
    share = (
        ""
        if hedged.value is None
        else f", of which {hedged.value:.0f} % ({words.interval(hedged)}) may be hedged"
    )
    return (
        f"{_amount(shorts)} of shorts at risk up to +{_HEADLINE_PERCENT:g} %{share}; "
        f"{_amount(longs)} of longs down to −{_HEADLINE_PERCENT:g} % "
        f"({_origin(mapped)}, open interest of {venues} only)"
    )


def _origin(mapped: LiquidationMap) -> str:
    """In a word or two, what the headline rests on."""
    if mapped.at_least:
        return "public accounts alone, so at least"
    exact = [mapped.within(side, _HEADLINE_PERCENT).exact for side in ("short", "long")]
    total = [mapped.within(side, _HEADLINE_PERCENT).usd for side in ("short", "long")]
    if not sum(exact):
        return "modelled"
    return f"{100.0 * sum(exact) / sum(total):.0f} % of it known exactly, the rest modelled"


def _amount(estimate: Estimate) -> str:
    between = words.interval(estimate)
    return words.value(estimate) + (f" ({between})" if between else "")


def short_headline(mapped: LiquidationMap | Unmapped) -> str:
    """The answer line's clause about dollars at risk."""
    if isinstance(mapped, Unmapped):
        return "dollars at risk are unknown"
    shorts = words.value(mapped.at_risk("short", _HEADLINE_PERCENT))
    longs = words.value(mapped.at_risk("long", _HEADLINE_PERCENT))
    reach = f"{_HEADLINE_PERCENT:g} %"
    sides = f"about {shorts} of shorts are forced out by +{reach} and {longs} of longs by −{reach}"
    return f"{sides}, {_origin_word(mapped)}"


def _origin_word(mapped: LiquidationMap) -> str:
    if mapped.at_least:
        return "by public accounts alone"
    return "partly measured" if mapped.measured else "as modelled"


def map_section(mapped: LiquidationMap | Unmapped) -> MapSection:
    """Clusters, sources, assumptions and the picture's grid."""
    if isinstance(mapped, Unmapped):
        return MapSection(unknown=mapped.reason, clusters=[], sources=[], notes=[], heat=None)
    return MapSection(
        unknown=None,
        clusters=[_cluster(mapped, cluster) for cluster in mapped.clusters],
        sources=[_source(mapped, source) for source in mapped.sources],
        notes=list(mapped.notes),
        heat=_heat(mapped.heat, mapped.edge, mapped.price),
        accounts=[_accounts(mapped, told) for told in mapped.measured],
    )


def _accounts(mapped: LiquidationMap, told: Measured) -> AccountsRow:
    def percent(share: float | None, why: str) -> Estimate:
        if share is None:
            return unknown(PERCENT, why)
        return known(100.0 * share, PERCENT, as_of=told.heard_last, now=mapped.now, source=told.key)

    sides: tuple[PositionSide, PositionSide] = ("short", "long")
    why = "loans have no open interest" if told.kind == "loans" else "open interest is not known"
    covered = [percent(told.coverage(side), why) for side in sides]
    endless = [
        percent(none / held if held > 0.0 else None, "nothing is held")
        for none, held in zip(told.endless, told.held, strict=True)
    ]
    return AccountsRow(
        contract=told.key, kind=told.kind, accounts=told.accounts,
        shorts_covered=covered[0], longs_covered=covered[1],
        shorts_endless=endless[0], longs_endless=endless[1],
        median_age_s=told.median_age_s, oldest=format_time(told.heard_first),
        stale=told.stale, as_told=told.as_told,
    )  # fmt: skip


def _cluster(mapped: LiquidationMap, cluster: Cluster) -> ClusterRow:
    return ClusterRow(
        side=cluster.side, low=cluster.low, high=cluster.high, peak=cluster.peak,
        distance_percent=cluster.distance_percent,
        forced_usd=mapped.estimate(cluster.amount, "liquidation map"),
        share_percent=100.0 * cluster.share, exact_percent=100.0 * cluster.amount.exact_share,
    )  # fmt: skip


def _source(mapped: LiquidationMap, source: Source) -> MapSource:
    held = known(
        source.interest_coin, COIN, as_of=source.as_of, now=mapped.now, source=source.key,
    )  # fmt: skip
    return MapSource(
        contract=source.key, interest_coin=held, bars=source.bars, assumed=list(source.assumed)
    )


def heat_rows(price: float) -> FloatArray:
    """(121,) edges of the picture's rows, quote per coin: evenly in log-price, 15 % each way."""
    low, high = price * (1.0 - _HEAT_REACH), price * (1.0 + _HEAT_REACH)
    return np.geomspace(low, high, _HEAT_ROWS + 1)


def overlap(edge: FloatArray, rows: FloatArray) -> FloatArray:
    """(B, R) share of each bucket that lies in each row, by log-price."""
    low, high = np.log(edge[:-1])[:, None], np.log(edge[1:])[:, None]
    under, over = np.log(rows[:-1])[None, :], np.log(rows[1:])[None, :]
    inside = np.minimum(high, over) - np.maximum(low, under)
    return np.maximum(inside, 0.0) / (high - low)


def _heat(heat: Heat, edge: FloatArray, price: float) -> HeatGrid | None:
    """The map's heat within 15 % of the price, in rows and columns a picture can show."""
    if len(heat.ts) < 2:
        return None
    rows = heat_rows(price)
    every = max(1, len(heat.ts) // _HEAT_COLUMNS)
    columns = np.arange(len(heat.ts) - 1, -1, -every)[::-1]
    forced = (heat.shorts[columns] + heat.longs[columns]) @ overlap(edge, rows)
    return HeatGrid(
        ts=[int(t) for t in heat.ts[columns]],
        close=[float(f"{v:.8g}") for v in heat.close[columns]],
        edge=[float(f"{v:.8g}") for v in rows],
        forced=[[float(f"{v:.4g}") for v in column] for column in forced],
        exact_percent=[float(f"{v:.3g}") for v in 100.0 * heat.exact_share[columns]],
    )


def cascade_section(found: Cascade | Unscanned, pushes: Pushes | Unscanned) -> CascadeSection:
    """Both directions of the fuel scan, the easier one, the same after the nearest cluster, and the pushes."""
    walked = push_section(pushes)
    if isinstance(found, Unscanned):
        missing = unknown(RATIO, found.reason)
        return CascadeSection(
            unknown=found.reason, easier="unknown", glide=missing, runaway=missing, ways=[],
            redrawn=[], notes=[], pushes=walked,
        )  # fmt: skip
    return CascadeSection(
        unknown=None,
        easier=found.easier,
        glide=found.glide,
        runaway=runaway_of(pushes, found.runaway),
        ways=[_way(found.up), _way(found.down)],
        redrawn=[_redraw(each) for each in found.redrawn],
        notes=list(found.notes),
        pushes=walked,
    )


def _way(scan: Scan) -> Way:
    return Way(
        direction=scan.direction,
        absorbed_by=scan.profile.label,
        costs=_costs(scan.direction, scan.cost, scan.cost_slow),
        pockets=[
            PocketRow(
                push_usd=each.push_usd, start_percent=each.start_percent,
                stop_percent=each.stop_percent, forced_usd=each.forced_usd,
                inside_grid=each.inside_grid,
            )
            for each in scan.pockets
        ],
        stops=[
            StopRow(
                push_usd=each.push_usd, reached_percent=each.reached,
                amplification=each.amplification, inside_grid=each.inside_grid,
            )
            for each in scan.stops
        ],
        fast=scan.fast,
        slow=scan.slow,
        overshoot=scan.overshoot,
    )  # fmt: skip


def _costs(
    direction: Direction, costs: dict[float, Estimate], patient: dict[float, Estimate]
) -> list[Cost]:
    sign = 1.0 if direction == "up" else -1.0
    return [
        Cost(percent=sign * abs(percent), ignition_usd=cost, patient_usd=patient[percent])
        for percent, cost in costs.items()
    ]


def _redraw(redrawn: Redrawn) -> Redraw:
    return Redraw(
        direction=redrawn.direction,
        price=redrawn.price,
        spent_usd=redrawn.spent,
        easier=redrawn.easier,
        glide=redrawn.glide,
    )
