"""The cascade's estimators on worlds whose answers are written in their files: how near, and how honest."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from airpocket.cascade.calibrate.depth import Depths, displacement, pull_back_of, refill_of
from airpocket.cascade.calibrate.figures import Figure
from airpocket.cascade.calibrate.hours import hours_of
from airpocket.cascade.calibrate.impact import impact_of
from airpocket.cascade.calibrate.latency import latency_of
from airpocket.cascade.calibrate.recovery import recovery_of
from airpocket.cascade.calibrate.settings import CalibrationSettings
from airpocket.cascade.calibrate.tape import Tape
from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.units import MINUTE_NS, SECOND_NS, TimeNs
from airpocket.lab.exchange import journal
from airpocket.lab.exchange.state import Market
from airpocket.lab.runs.published import depth_now
from airpocket.lab.runs.session import Session
from airpocket.lab.runs.worldcheck import read_world
from airpocket.lab.runs.worldfile import World

_HERE = Path(__file__).parent / "worlds" / "impact"
_PERP = 1  # the book that is measured
SETTINGS = replace(CalibrationSettings(), draws=300)


@dataclass(frozen=True, slots=True)
class Found:
    """One figure of one run beside its truth; low, high: 10 to 90 %, None where the estimator gave none."""

    figure: str
    truth: float
    value: float | None
    low: float | None
    high: float | None

    @property
    def inside(self) -> bool | None:
        if self.low is None or self.high is None:
            return None
        return self.low <= self.truth <= self.high


@dataclass(frozen=True, slots=True)
class Recovered:
    """One figure over many seeds. told: runs that gave a figure; ratio: median of value over truth; spread: the
    10 to 90 % of that ratio; inside: how often the truth lay in the 10 to 90 % interval."""

    figure: str
    world: str
    truth: str
    runs: int
    told: int
    ratio: float
    spread: tuple[float, float]
    inside: float


@dataclass(frozen=True, slots=True)
class _Run:
    """What the public saw of the perpetual, second by second, and the market at the end.

    second: (n,) ns; mid, mark: log-prices. flow, taken: (n,), (2, n) USD. depth: rows at looks.
    """

    world: World
    market: Market
    second: IntArray
    mid: FloatArray
    mark: FloatArray
    trades: tuple[IntArray, FloatArray]  # ns, signed USD
    prints: tuple[IntArray, FloatArray]
    looks: IntArray
    bands: list[dict[float, float]]  # percent → USD


def tape_of(run: _Run) -> Tape:
    """Seconds of mid and takers' flow."""
    first = int(run.second[0]) // SECOND_NS
    slot = -(-run.trades[0] // SECOND_NS) - first
    inside = (slot >= 0) & (slot < len(run.second))
    flow, traded = np.zeros(len(run.second)), np.zeros(len(run.second))
    np.add.at(flow, slot[inside], run.trades[1][inside])
    np.add.at(traded, slot[inside], np.abs(run.trades[1][inside]))
    joined = np.concatenate([[False], np.diff(run.second) == SECOND_NS])
    return Tape(1.0, run.second, run.mid, flow, traded, joined)


def watched(world: World, seed: int, look_s: float) -> _Run:
    """Runs a world and looks at its depth every so often."""
    session = Session(world, seed)
    m = session.market
    kinds = (journal.TRADE, journal.MARK, journal.PRINT)
    kept: list[IntArray] = []
    looks: list[int] = []
    bands: list[dict[float, float]] = []
    step = round(look_s * SECOND_NS)
    while session.now < session.end:
        until = min(session.now + step, session.end)
        for rows in session.until(until):
            kept.append(rows[(rows[:, 2] == _PERP) & np.isin(rows[:, 0], kinds)])
        seen = depth_now(m, _PERP)
        if seen:
            looks.append(session.now)
            bands.append({percent: usd for percent, _, usd in seen})
    rows = np.concatenate(kept)
    terms = m.books[_PERP]
    tick, per_coin = float(terms.tick_usd), float(terms.lots_per_coin)
    mark = rows[rows[:, 0] == journal.MARK]
    mark = mark[np.concatenate([[True], np.diff(mark[:, 1] // SECOND_NS) > 0])]
    trade, told = rows[rows[:, 0] == journal.TRADE], rows[rows[:, 0] == journal.PRINT]
    return _Run(
        world, m, mark[:, 1] // SECOND_NS * SECOND_NS, np.log((mark[:, 5] + mark[:, 6]) / 2.0 * tick),
        np.log(mark[:, 3] / 1_000.0 * tick),
        (trade[:, 1], trade[:, 4] / per_coin * trade[:, 3] * tick),
        (told[:, 5], told[:, 4] / per_coin * told[:, 3] * tick),
        np.array(looks, dtype=np.int64), bands,
    )  # fmt: skip


def _found(figure: str, truth: float, seen: Figure) -> Found:
    e = seen.estimate
    return Found(figure, truth, e.value, e.low, e.high)


def _now(run: _Run) -> TimeNs:
    return TimeNs(int(run.second[-1]) + SECOND_NS)


def flow_found(run: _Run) -> list[Found]:
    """λ on bars of a minute: what makers learn of the move that an order makes in a full book."""
    makers = run.world.venue[_PERP].makers
    truth = 1e10 * 0.01 * makers.learn / (makers.depth_usd_m * 1e6)  # bp per million
    # what they learn they learn of coin: a dollar weighs less where price stands higher
    truth *= float(np.mean(run.world.price_usd / np.exp(run.mid)))
    minutes = tape_of(run).coarser(60.0)
    found = impact_of(minutes, _now(run), run.world.name, SETTINGS)
    each = (("λ, all", found.both), ("λ, buying", found.buying), ("λ, selling", found.selling))
    return [_found(name, truth, one) for name, one in each]


def price_found(run: _Run) -> list[Found]:
    """Half-life of displacement: the one maker restores the touch at its next look, exponential waits."""
    half = float(run.market.makers[_PERP].wake) / SECOND_NS * float(np.log(2.0))
    found = recovery_of(tape_of(run), _now(run), run.world.name, SETTINGS)
    return [_found("half-life of displacement", half, found.half_s)]


def depth_found(run: _Run) -> list[Found]:
    """Half-time of depth: makers restore their quotes whole at their next look, exponential waits."""
    truth = _restored(run.market)
    step = int(run.looks[1] - run.looks[0])
    at, usd = run.trades
    slot = -(-(at - int(run.looks[0])) // step)
    inside = (slot >= 0) & (slot < len(run.looks))
    found: list[Found] = []
    for side, sign in (("asks", 1.0), ("bids", -1.0)):
        mine = inside & (np.sign(usd) == sign)
        taken = np.zeros(len(run.looks))
        np.add.at(taken, slot[mine], np.abs(usd[mine]))
        depth = np.array([band[sign * 0.1] for band in run.bands])
        one = refill_of(run.looks, depth, taken, _now(run), run.world.name, SETTINGS)
        found.append(_found(f"half-time of depth, {side}", truth, one))
    return found


def _restored(m: Market) -> float:
    """When half of the makers, by what they show, have looked, s."""
    mine = [m.makers[k] for k in range(len(m.makers)) if int(m.makers[k].book) == _PERP]
    size = np.array([float(one.density) for one in mine])
    wake = np.array([float(one.wake) / SECOND_NS for one in mine])
    after = np.geomspace(0.01, 100.0, 4_000) * float(wake.mean())
    left = (size * np.exp(-after[:, None] / wake)).sum(axis=1) / size.sum()
    return float(np.interp(0.5, left[::-1], after[::-1]))


def pull_found(run: _Run) -> list[Found]:
    """η: the slope that `pull_back` gives the logarithm of both sides' size over how far price had run."""
    minute = run.second % MINUTE_NS == 0
    end, price = run.second[minute], run.mid[minute]
    depths = Depths(run.looks, np.array([band[-1.0] + band[1.0] for band in run.bands]))
    ran, _ = displacement(end, price, SETTINGS)
    x = np.abs(ran[np.isfinite(ran)]) * run.world.venue[_PERP].makers.pull_back
    both = np.log(sum(1.0 / (1.0 + k * x + (k * x) ** 2 / 2.0) for k in (1.5, 0.75)))
    away = np.abs(ran[np.isfinite(ran)])
    truth = -float(np.polyfit(away, both, 1)[0])
    found = pull_back_of(depths, end, price, _now(run), run.world.name, SETTINGS)
    return [_found("pull-back η", truth, found.eta)]


def hours_found(run: _Run) -> list[Found]:
    """Depth by hour of the week: all 168 hours."""
    depths = Depths(run.looks, np.array([band[-1.0] + band[1.0] for band in run.bands]))
    found = hours_of(depths, TimeNs(int(run.looks[-1])), run.world.name, SETTINGS)
    true = np.log(np.asarray(run.market.hours, dtype=np.float64))
    true = np.exp(true - true.mean())
    return [
        Found("depth by hour of the week", float(true[h]), float(found.multiple[h]), float(found.low[h]),
              float(found.high[h]))
        for h in range(len(true))
    ]  # fmt: skip


def late_found(run: _Run) -> list[Found]:
    """Wait of forced orders: the engine's delay."""
    found = latency_of((run.second, run.mark), run.prints, _now(run), run.world.name, SETTINGS)
    return [_found("wait of forced orders", run.world.venue[_PERP].engine_delay_s, found)]


@dataclass(frozen=True, slots=True)
class Case:
    """A world, what is measured in it, how often its depth is looked at, and where the truth comes from."""

    world: str
    measure: Callable[[_Run], list[Found]]
    look_s: float
    truth: str
    seeds: int


CASES = (
    Case("flow", flow_found, 3_600.0, "learn over depth_usd_m", 16),
    Case("quick", price_found, 3_600.0, "wake_ms of the maker drawn, × ln 2", 20),
    Case("slow", price_found, 3_600.0, "wake_ms of the maker drawn, × ln 2", 12),
    Case("mending", depth_found, 0.5, "wake_ms of the makers drawn", 4),
    Case("pulled", pull_found, 60.0, "slope that pull_back gives", 4),
    Case("hours", hours_found, 1_800.0, "depth_by_hour, weekend_depth", 2),
    Case("late", late_found, 3_600.0, "engine_delay_s", 5),
)


def run_case(case: Case, seed: int) -> list[Found]:
    """One world with one seed."""
    return case.measure(watched(read_world(_HERE / f"{case.world}.toml"), seed, case.look_s))


def recoveries(
    workers: int, told: Callable[[str], None], cases: Sequence[Case] = CASES
) -> tuple[Recovered, ...]:
    """Every case with its seeds; `told` hears each when it is done."""
    if workers <= 1:
        return _summed_all(
            cases, told, lambda case: [run_case(case, seed) for seed in _seeds(case)]
        )
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        runs = {
            case.world: [pool.submit(run_case, case, seed) for seed in _seeds(case)]
            for case in cases
        }
        return _summed_all(cases, told, lambda case: [one.result() for one in runs[case.world]])


def _seeds(case: Case) -> range:
    return range(1, case.seeds + 1)


def _summed_all(
    cases: Sequence[Case], told: Callable[[str], None], runs: Callable[[Case], list[list[Found]]]
) -> tuple[Recovered, ...]:
    found: list[Recovered] = []
    for case in cases:
        found += summed(case, [one for run in runs(case) for one in run])
        told(case.world)
    return tuple(found)


def summed(case: Case, found: Sequence[Found]) -> list[Recovered]:
    """By figure: how near and how honest."""
    rows: list[Recovered] = []
    for name in dict.fromkeys(one.figure for one in found):
        mine = [one for one in found if one.figure == name]
        ratio = np.array([one.value / one.truth for one in mine if one.value is not None])
        inside = [one.inside for one in mine if one.inside is not None]
        low, high = np.quantile(ratio, (0.1, 0.9)) if len(ratio) else (np.nan, np.nan)
        rows.append(
            Recovered(
                name, case.world, case.truth, len(mine), len(ratio),
                float(np.median(ratio)) if len(ratio) else float("nan"), (float(low), float(high)),
                float(np.mean(inside)) if inside else float("nan"),
            )
        )  # fmt: skip
    return rows
