"""Which venue ignites which: forced flow of each per dollar forced, or pushed, on each; spot forces nobody."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from airpocket.cascade.deals import PathPriors, even_points, log_quantile
from airpocket.cascade.dynamics import next_generation_matrix
from airpocket.cascade.forced import beliefs, forced_of, quantile, side_of
from airpocket.cascade.procedures import manner_of, only
from airpocket.cascade.profile import Resting, resting_in
from airpocket.cascade.records import Direction, Unscanned
from airpocket.cascade.settings import CascadeSettings, Prior
from airpocket.domain.events import FloatArray
from airpocket.domain.units import TimeNs
from airpocket.liquidations.records import LiquidationMap, Unmapped
from airpocket.market.state import Contract, Market

_SETS = 512
_DIMENSIONS = 7


@dataclass(frozen=True, slots=True)
class Node:
    """One contract. fuel_usd: (M,) forced by each draw of the map, depth_usd what rests, both a unit of log-price
    over the distance the ways are compared at.

    wait_s: mean latency, None: not known. lag_s: age of the basis in its mark, None: not known. alone: its mark
    is its own price and nobody trades it against the others.
    """

    key: str
    spot: bool
    fuel_usd: FloatArray
    depth_usd: float
    wait_s: float | None = None
    lag_s: float | None = None
    alone: bool = False


class Range(NamedTuple):
    """10, 50 and 90 % over the sets of priors."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True)
class Venue:
    """One contract. ignites: USD forced everywhere next per dollar forced, or pushed, on it; caught: USD forced on
    it per dollar forced on each of the others and itself; own: on itself alone; lead: its share of the flow of a
    cascade that has run for long (dominant eigenvector), 0 to 1. depth_usd, fuel_usd: a unit of log-price.
    """

    key: str
    spot: bool
    depth_usd: float
    fuel_usd: float
    ignites: Range
    caught: Range
    own: Range
    lead: float


@dataclass(frozen=True, slots=True)
class Network:
    """One way. matrix: (n, n) the middle of K_ij = W_ij ρ_i λ_j / (1 + κ_j τ_j), venues in order; radius: its
    spectral radius, above 1 they feed each other while fuel lasts; feeds_itself: share of the sets of priors in
    which it is. missing: contracts left out, and why.
    """

    direction: Direction
    venues: tuple[Venue, ...]
    matrix: FloatArray
    radius: Range
    feeds_itself: float
    missing: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def pass_through(
    depth: FloatArray, spot: "np.ndarray[tuple[int], np.dtype[np.bool_]]", own: FloatArray,
    alone: "np.ndarray[tuple[int], np.dtype[np.bool_]]", arbitrage: float,
) -> FloatArray:  # fmt: skip
    """(n, n) W_ij: how much of venue j's lone move, λ_j a dollar, comes into venue i's mark.

    What arbitrage evens out moves all by j's share of the whole depth (one market: λ_j depth_j / Σ depth). The
    rest stays on j: its own mark sees `own` (n,) of it, others only what is in their index, and an index is made
    of spot, by depth. A venue that is alone sees itself whole and nothing else, and nobody sees it.

    A prior until shares of price discovery are measured.
    """
    tied = ~alone
    shared = np.where(tied, depth, 0.0)
    market = shared / shared.sum() if shared.sum() > 0.0 else shared
    spots = np.where(tied & spot, depth, 0.0)
    index = spots / spots.sum() if spots.sum() > 0.0 else spots
    stays = np.where(
        spot[:, None], np.eye(len(depth)), index[None, :] + np.diag(np.where(spot, 0.0, own))
    )
    within = arbitrage * market[None, :] + (1.0 - arbitrage) * stays
    return np.where(tied[:, None] & tied[None, :], within, np.diag(alone.astype(np.float64)))


def network_of(
    found: LiquidationMap | Unmapped, market: Market, direction: Direction,
    settings: CascadeSettings | None = None, priors: PathPriors | None = None,
) -> Network | Unscanned:  # fmt: skip
    """The network of one way out of the map's parts and each contract's own book; or why there is none."""
    settings, priors = settings or CascadeSettings(), priors or PathPriors()
    if isinstance(found, Unmapped):
        return Unscanned(f"no liquidation map: {found.reason}")
    if not found.parts:
        return Unscanned("the map is not told apart by venue")
    nodes, missing = nodes_of(found, market, direction, settings)
    if not any(not node.spot for node in nodes):
        why = "; ".join(f"{key}: {reason}" for key, reason in missing)
        return Unscanned(f"no contract has both positions and a book that can be used: {why}")
    hedged = found.hedged_shorts if side_of(direction) == "short" else found.hedged_longs
    return linked(nodes, direction, beliefs(hedged, 1, settings).hedged, priors, missing)


def nodes_of(
    found: LiquidationMap, market: Market, direction: Direction, settings: CascadeSettings
) -> tuple[list[Node], tuple[tuple[str, str], ...]]:
    """Contracts with positions in the map, and spot, that have a book; and those without, with the reason."""
    nodes: list[Node] = []
    missing: list[tuple[str, str]] = []
    stretch, parts = settings.compare_percent / 100.0, {part.key for part in found.parts}
    for contract in market.contracts:
        spot = contract.instrument.kind == "spot"
        if not spot and contract.key not in parts:
            if contract.instrument.is_perp:
                missing.append((contract.key, "no positions of it are in the map"))
            continue
        depth = _depth(contract, market.now, found.price, direction, settings)
        if isinstance(depth, str):
            missing.append((contract.key, depth))
            continue
        if spot:
            nodes.append(Node(contract.key, True, np.zeros(1), depth))
            continue
        part = only(found, (contract.key,))
        forced = forced_of(part, found.price, direction, np.array([0.0, stretch]))
        if len(forced.distance) < 2:
            missing.append((contract.key, f"the map ends within {100 * stretch:g} % of the price"))
            continue
        manner = manner_of(contract.instrument.venue, contract.instrument.symbol, found.now)
        nodes.append(
            Node(
                contract.key, False, forced.draws[:, -1] / math.log1p(stretch), depth,
                None if manner is None else manner.latency_s,
                None if manner is None else manner.basis_lag_s,
            )
        )  # fmt: skip
    return nodes, tuple(missing)


def _depth(
    contract: Contract, now: TimeNs, price: float, direction: Direction, settings: CascadeSettings
) -> float | str:
    """USD a unit of log-price over the compared distance, or as far as orders are stored."""
    resting = resting_in(contract, now, price, direction, settings)
    if not isinstance(resting, Resting):
        return resting or "no book of it is stored"
    stretch = min(settings.compare_percent / 100.0, float(resting.distance[-1]))
    rests = float(resting.within(np.array([stretch]))[0])
    if stretch < 2.0 * settings.step or rests <= 0.0:
        return f"its stored book reaches only {100 * stretch:.2f} %"
    return rests / math.log1p(stretch)


def linked(
    nodes: list[Node], direction: Direction, hedged: Prior, priors: PathPriors,
    missing: tuple[tuple[str, str], ...] = (),
) -> Network:  # fmt: skip
    """K over even points of the priors; its middle is the matrix of the medians, element by element.

    Raises:
        ValueError: no node, or a depth that is not positive.
    """
    if not nodes or any(not 0.0 < node.depth_usd < math.inf for node in nodes):
        raise ValueError("a network needs venues, each with depth")
    even = even_points(_SETS, _DIMENSIONS)
    p = priors
    refill = log_quantile(p.refill, even[:, 0]) * quantile(p.depth, even[:, 1])
    kappa = math.log(2.0) / quantile(p.half_s, even[:, 2])
    waits = quantile(p.latency_s, even[:, 3])
    arbitrage = quantile(p.passed, even[:, 4])
    fuels = (1.0 - quantile(hedged, even[:, 5])) * (1.0 + quantile(p.stops, even[:, 6]))
    lags = quantile(p.mark_lag_s, even[:, 4])
    depth = np.array([node.depth_usd for node in nodes])
    spot = np.array([node.spot for node in nodes])
    alone = np.array([node.alone for node in nodes])
    every = np.empty((_SETS, len(nodes), len(nodes)))
    for n in range(_SETS):
        wait = np.array([waits[n] if node.wait_s is None else node.wait_s for node in nodes])
        lag = np.array([lags[n] if node.lag_s is None else node.lag_s for node in nodes])
        rho = fuels[n] * np.array([node.fuel_usd[n % len(node.fuel_usd)] for node in nodes])
        through = pass_through(depth, spot, -np.expm1(-wait / lag), alone, float(arbitrage[n]))
        impact = 1.0 / (depth * refill[n] * (1.0 + kappa[n] * wait))
        every[n] = next_generation_matrix(rho, impact, through).matrix
    return _told(nodes, direction, every, missing, priors)


def _told(
    nodes: list[Node], direction: Direction, every: FloatArray, missing: tuple[tuple[str, str], ...],
    priors: PathPriors,
) -> Network:  # fmt: skip
    radius = np.abs(np.linalg.eigvals(every)).max(axis=1)
    middle = np.median(every, axis=0)
    values, vectors = np.linalg.eig(middle)
    lead = np.abs(vectors[:, int(np.argmax(np.abs(values)))])
    lead = lead / lead.sum() if middle.any() else np.zeros(len(nodes))
    venues = tuple(
        Venue(
            key=node.key, spot=node.spot, depth_usd=node.depth_usd, fuel_usd=float(np.median(node.fuel_usd)),
            ignites=_range(every[:, :, k].sum(axis=1)), caught=_range(every[:, k, :].sum(axis=1)),
            own=_range(every[:, k, k]), lead=float(lead[k]),
        )
        for k, node in enumerate(nodes)
    )  # fmt: skip
    return Network(
        direction, venues, middle, _range(radius), float((radius > 1.0).mean()), missing,
        tuple(_notes(priors)),
    )  # fmt: skip


def _range(values: FloatArray) -> Range:
    low, middle, high = np.quantile(values, (0.1, 0.5, 0.9))
    return Range(float(low), float(middle), float(high))


def _notes(p: PathPriors) -> Iterator[str]:
    yield (
        f"Within the time forced orders wait, {100 * p.passed.low:.0f} to {100 * p.passed.high:.0f} % of a venue's "
        "move is taken to be evened out over all, each by its depth; the rest stays there, an index is spot by "
        "depth: priors, until shares of price discovery are measured."
    )
    yield (
        "Positions are the map's estimate by contract, before public accounts are blended in; flow through the "
        "collateral of accounts that hold several coins is not in it. κτ enters as λ/(1 + κτ), which is exact "
        "for one venue."
    )
