"""What lies between the price and this position's liquidation: forced orders, clusters, the push needed."""

import numpy as np

from airpocket.cascade.records import Scan, Unscanned
from airpocket.domain.estimates import PERCENT, USD, Estimate, known, unknown
from airpocket.domain.tells import Tell, context
from airpocket.levels.words import price_text
from airpocket.liquidations.records import Cluster, LiquidationMap, Unmapped
from airpocket.playbook.ground import Ground
from airpocket.playbook.records import Facts


def fuel_facts(ground: Ground) -> Facts:
    """Forced flow of the same side on the way to this position's liquidation price."""
    reached, found = ground.liquidation, ground.situation.map
    if reached is not None and ground.structure.away(reached) <= 0:
        return Facts(unknown="the mark is past the liquidation price already", tells=[], notes=[])
    if reached is None:
        reason = ground.no_account or "this position has no liquidation price to reach"
        return Facts(unknown=reason, tells=[], notes=[])
    if isinstance(found, Unmapped):
        return Facts(
            unknown=None,
            tells=[context("fuel", "forced orders on the way", unknown(USD, found.reason)),
                   _ignition(ground, reached)],
            notes=[],
        )  # fmt: skip
    side = "shorts" if ground.is_short else "longs"
    flow = "buying" if ground.is_short else "selling"
    tells = [
        context("fuel", f"{side} forced out before you", _between(ground, found, reached)),
        _ignition(ground, reached),
    ]
    notes = [
        f"What is forced on the way is {flow} that carries price on towards {price_text(reached)}.",
        _nearest_cluster(ground, found, reached),
    ]
    return Facts(unknown=None, tells=tells, notes=notes)


def _inside(low_high: tuple[float, float], price: float) -> bool:
    return low_high[0] <= price <= low_high[1]


def _way(ground: Ground, reached: float) -> tuple[float, float]:
    return min(ground.price, reached), max(ground.price, reached)


def _between(ground: Ground, found: LiquidationMap, reached: float) -> Estimate:
    low, high = _way(ground, reached)
    end = float(found.edge[-1] if ground.is_short else found.edge[0])
    if (reached > end) if ground.is_short else (reached < end):
        return unknown(USD, f"the map ends at {price_text(end)}, before {price_text(reached)}")
    inside = (found.middle >= low) & (found.middle <= high)
    amount = found.ladder(ground.position.side).within(inside)
    return known(
        amount.usd, USD, as_of=found.as_of, now=ground.situation.now, provenance="modelled",
        source="liquidation map, gross of hedges", interval=(amount.low, amount.high),
    )  # fmt: skip


def _nearest_cluster(ground: Ground, found: LiquidationMap, reached: float) -> str:
    way = _way(ground, reached)
    mine = [c for c in found.clusters if c.side == ground.position.side and _inside(way, c.peak)]
    if not mine:
        return f"No cluster of the map lies between {price_text(ground.price)} and it."
    largest = max(mine, key=lambda cluster: cluster.amount.usd)
    first = min(mine, key=lambda cluster: abs(cluster.peak - ground.price))
    told = f"The largest cluster before it: {_cluster(largest)}."
    return told if first is largest else f"{told} The first: {_cluster(first)}."


def _cluster(cluster: Cluster) -> str:
    return (
        f"{price_text(cluster.low)} to {price_text(cluster.high)}, "
        f"${cluster.amount.usd / 1e6:,.1f} mn ({cluster.distance_percent:+.1f} %)"
    )


_PUSH = "push that would carry price there"


def _ignition(ground: Ground, reached: float) -> Tell:
    cascade = ground.situation.cascade
    if isinstance(cascade, Unscanned):
        return context("ignition", _PUSH, unknown(USD, cascade.reason))
    scan: Scan = cascade.up if ground.is_short else cascade.down
    booked = scan.profile.kind == "book"
    label = _PUSH if booked else f"{_PUSH} if worked over about a day; a fast one needs far less"
    distance = abs(reached / cascade.price - 1.0)
    grid = np.asarray(scan.profile.distance)
    if len(grid) == 0 or distance > float(grid[-1]):
        return context("ignition", label, unknown(USD, "the scan does not reach that far"))
    cost = float(np.interp(distance, grid, scan.ignition_usd))
    estimate = known(
        cost, USD, as_of=scan.profile.as_of, now=ground.situation.now,
        provenance="mixed" if booked else "modelled",
        source=f"fuel scan over {scan.profile.label}",
    )  # fmt: skip
    return context("ignition", label, estimate)


def distance_percent(ground: Ground, price: float) -> Estimate:
    """Signed distance from the mark to a price."""
    return ground.modelled(100.0 * (price / ground.price - 1.0), PERCENT)
