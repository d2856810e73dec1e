"""A map that goes on from a checkpoint is the map gone through from the start, or the checkpoint is not used."""

from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest
import samples
from hypothesis import given, settings
from hypothesis import strategies as st

from airpocket.domain.events import Batch
from airpocket.domain.units import DAY_NS, HOUR_NS, MINUTE_NS
from airpocket.liquidations import checkpoint
from airpocket.liquidations.cells import Cohorts
from airpocket.liquidations.checkpoint import arrays_of, worlds_of
from airpocket.liquidations.cohorts import empty, rules_of
from airpocket.liquidations.records import LiquidationMap
from airpocket.liquidations.settings import MapSettings
from airpocket.liquidations.state import MapState
from airpocket.market.state import MarketState

DAYS = 9
SETTINGS = MapSettings(ways=3, heat_days=3)


class Shelf:
    """Checkpoints in memory, which counts what was taken from it."""

    def __init__(self):
        self.kept, self.taken = {}, []

    def counts(self, key):
        return [mark.rows for mark in self.kept if mark.key == key]

    def load(self, mark):
        if mark not in self.kept:
            return None
        self.taken.append(mark)
        return {name: array.copy() for name, array in self.kept[mark].items()}

    def save(self, mark, arrays):
        self.kept[mark] = {name: array.copy() for name, array in arrays.items()}


def prints(*, seed=3, venue="binance_usdm", late_ns=0):
    """Liquidations at random moments, heard a second later; `late_ns` later where asked."""
    rng = np.random.default_rng(seed)
    ts = samples.START + np.sort(rng.integers(0, DAYS * DAY_NS, 400))
    size = rng.gamma(1.0, 40.0, len(ts))
    columns = {
        "ts": ts, "usable_from": ts + 10**9 + late_ns, "size": size, "notional_usd": size * 3000.0,
        "price": np.full(len(ts), 3000.0), "forced_side": rng.choice(["buy", "sell"], len(ts)),
        "coverage": np.full(len(ts), "sampled"),
    }  # fmt: skip
    return Batch("liquidation", venue, "ETHUSDT", columns, ("made",))


def marks(venue="binance_usdm"):
    """A mark price a minute over the last two days."""
    n = 2 * 24 * 60
    ts = samples.START + (DAYS - 2) * DAY_NS + MINUTE_NS * np.arange(1, n + 1, dtype=np.int64)
    wave = 3000.0 * (1.0 + 0.02 * np.sin(np.arange(n) / 300.0))
    columns = {"ts": ts, "usable_from": ts, "mark": wave, "index": wave, "last": wave}
    return Batch("ticker", venue, "ETHUSDT", columns, ("made",))


def facts(venue="binance_usdm", seed=0):
    """Hours for the most part, minutes for the last day: steps of an hour and of five minutes."""
    hours = 24 * (DAYS - 1)
    fine = samples.bars(
        24 * 60, seed=seed + 9, start=samples.START + hours * HOUR_NS, step=MINUTE_NS, venue=venue
    )
    return [
        samples.bars(hours, seed=seed, venue=venue), fine, samples.interest(24 * DAYS, venue=venue),
        prints(venue=venue), marks(venue),
    ]  # fmt: skip


def market_at(now, batches):
    state = MarketState("ETH")
    for batch in batches:
        state.apply(samples.cut(batch, now))
    return state.snapshot(now)


def after(days):
    return samples.START + int(days * DAY_NS)


def changed(batch, row, **columns):
    """The batch with other values in one row."""
    made = {name: batch.columns[name].copy() for name in columns}
    for name, value in columns.items():
        made[name][row] = value
    return Batch(batch.kind, batch.venue, batch.symbol, {**batch.columns, **made}, batch.sources)


def assert_same(one, other, where="map"):
    """Every figure and every bit of every array."""
    assert type(one) is type(other), where
    if is_dataclass(one):
        for each in fields(one):
            name = f"{where}.{each.name}"
            assert_same(getattr(one, each.name), getattr(other, each.name), name)
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype, where
        assert one.shape == other.shape, where
        assert one.tobytes() == other.tobytes(), where
    elif isinstance(one, tuple | list):
        assert len(one) == len(other), where
        for number, pair in enumerate(zip(one, other, strict=True)):
            assert_same(*pair, f"{where}[{number}]")
    else:
        assert one == other or (one != one and other != other), where  # noqa: PLR0124 - NaN


@pytest.fixture(scope="module")
def past():
    return [*facts(), *facts("bybit_linear", seed=5)]


@pytest.fixture(scope="module")
def alone(past):
    """The maps that no checkpoint had a part in, by moment."""
    found = {}

    def at(now):
        if now not in found:
            found[now] = MapState(SETTINGS).measure(market_at(now, past))
            assert isinstance(found[now], LiquidationMap)
        return found[now]

    return at


# on and off hours and midnights, in both widths of step
MOMENTS = (3.02, 4.5, 6.0, 6.97, 7.003, 8.0, 8.01, 8.37, 8.995, 9.0)


@settings(max_examples=10)
@given(looks=st.lists(st.sampled_from(MOMENTS), min_size=2, max_size=4))
def test_runs_at_any_moments_in_any_order_give_the_bits_of_a_run_from_the_start(past, alone, looks):
    shelf = Shelf()
    for now in map(after, looks):
        found = MapState(SETTINGS, shelf).measure(market_at(now, past))
        assert_same(found, alone(now))


END = 8 * 24 + 14 * 12  # steps up to the last open interest before the middle of the ninth day


def test_a_later_run_takes_up_where_the_earlier_one_ended(past, alone):
    shelf = Shelf()
    MapState(SETTINGS, shelf).measure(market_at(after(8.6), past))
    assert not shelf.taken
    assert sorted(mark.rows for mark in shelf.kept) == [7 * 24, 7 * 24, END, END]
    assert_same(MapState(SETTINGS, shelf).measure(market_at(after(9), past)), alone(after(9)))
    assert [mark.rows for mark in shelf.taken] == [END, END]


def test_an_earlier_moment_takes_a_checkpoint_before_it_and_never_one_after_it(past, alone):
    shelf = Shelf()
    MapState(SETTINGS, shelf).measure(market_at(after(9), past))
    assert_same(MapState(SETTINGS, shelf).measure(market_at(after(8.2), past)), alone(after(8.2)))
    assert {mark.rows for mark in shelf.taken} == {8 * 24}
    shelf.taken.clear()
    MapState(SETTINGS, shelf).measure(market_at(after(7.9), past))
    assert not shelf.taken


@pytest.mark.parametrize(
    "other",
    [
        lambda bars, fine, oi, told, marks: [changed(bars, 100, high=9000.0), fine, oi, told, marks],
        lambda bars, fine, oi, told, marks: [changed(bars, 100, volume=1.0), fine, oi, told, marks],
        lambda bars, fine, oi, told, marks: [bars, fine, changed(oi, 90, amount=1.1e6), told, marks],
        lambda bars, fine, oi, told, marks: [bars, fine, oi, changed(told, 50, size=77.0), marks],
        lambda bars, fine, oi, told, marks: [bars, fine, oi, prints(late_ns=2 * HOUR_NS), marks],
        lambda bars, fine, oi, told, marks: [samples.bars(24 * 8, drop=(100,)), fine, oi, told, marks],
    ],
    ids=["price", "volume", "open interest", "print", "heard later", "a bar not there"],
)  # fmt: skip
def test_a_row_of_the_past_that_reads_otherwise_leaves_the_checkpoints_behind_it_unused(other):
    shelf, now = Shelf(), after(9)
    MapState(SETTINGS, shelf).measure(market_at(now, facts()))
    market = market_at(now, other(*facts()))
    found = MapState(SETTINGS, shelf).measure(market)
    assert not shelf.taken
    assert_same(found, MapState(SETTINGS).measure(market))


def test_a_late_row_of_the_last_day_costs_the_last_day_alone():
    shelf, now = Shelf(), after(9)
    MapState(SETTINGS, shelf).measure(market_at(now, facts()))
    bars, fine, *rest = facts()
    market = market_at(now, [bars, changed(fine, 30, volume=3.0), *rest])
    found = MapState(SETTINGS, shelf).measure(market)
    assert [mark.rows for mark in shelf.taken] == [8 * 24]
    assert_same(found, MapState(SETTINGS).measure(market))


def test_prints_from_before_the_first_step_may_fall_out_of_what_is_read(past):
    older = replace(prints(seed=8), columns={**prints(seed=8).columns})
    for name in ("ts", "usable_from"):
        older.columns[name] = older.columns[name] - 30 * DAY_NS
    bars, fine, oi, told, marked = facts()
    joined = {name: np.append(older.columns[name], told.columns[name]) for name in told.columns}
    shelf = Shelf()
    MapState(SETTINGS, shelf).measure(
        market_at(after(8.6), [bars, fine, oi, replace(told, columns=joined), marked])
    )
    found = MapState(SETTINGS, shelf).measure(market_at(after(9), facts()))
    assert [mark.rows for mark in shelf.taken] == [END]
    assert_same(found, MapState(SETTINGS).measure(market_at(after(9), facts())))


@pytest.mark.parametrize(
    "other",
    [
        replace(SETTINGS, drift_h=0.03),
        replace(SETTINGS, ways=4),
        replace(SETTINGS, rates=(("binance_usdm:ETHUSDT", 0.5),)),
        replace(SETTINGS, seed=1),
    ],
    ids=["drift_h", "ways", "rates", "seed"],
)
def test_other_settings_take_nothing(other):
    shelf, market = Shelf(), market_at(after(8), facts())
    MapState(SETTINGS, shelf).measure(market)
    found = MapState(other, shelf).measure(market)
    assert not shelf.taken
    assert_same(found, MapState(other).measure(market))


def test_an_invented_market_takes_nothing_from_one_that_is_not():
    shelf = Shelf()
    MapState(SETTINGS, shelf).measure(market_at(after(8), facts()))
    invented = [replace(batch, sources=("SIMULATED made",)) for batch in facts()]
    MapState(SETTINGS, shelf).measure(market_at(after(8), invented))
    assert not shelf.taken


def test_everything_that_is_carried_on_is_in_the_checkpoint(past):
    shelf, now = Shelf(), after(8.5)
    gone = MapState(SETTINGS, shelf)
    market = market_at(now, past)
    mapped = gone.measure(market)
    taken = MapState(SETTINGS, shelf)
    taken.measure(market)
    assert len(shelf.taken) == 2
    for source in mapped.sources:
        one, other = (vars(each.cohorts(source.key)) for each in (gone, taken))
        assert one.keys() == other.keys()
        for name in one.keys() - {"_checkpoints", "_trail", "_taken"}:
            assert_same(one[name], other[name], name)
        assert one["_trail"].mark == other["_trail"].mark
        assert_same(one["_taken"], other["_taken"])


def test_every_array_of_every_world_goes_in_and_comes_out():
    worlds = _worlds()
    arrays = arrays_of(worlds)
    assert len(arrays) == 2 * len(Cohorts._fields)
    assert_same(worlds_of(arrays, worlds), worlds)


def _worlds():
    shifts = np.full((2, len(SETTINGS.leverage)), 20.0)
    return [empty(rules_of(w, shifts, 0.5, SETTINGS), 5, 48) for w in SETTINGS.worlds[:2]]


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("0.cells", np.zeros((2, 4, 0))),
        ("1.span", np.full((2, 30, 2), 7, np.int64)),  # beyond a grid that has no rows
        ("0.counts", np.full(6, -1, np.int64)),
        ("1.mix", np.zeros((3, 11), np.int64)),
        ("1.ring", np.zeros((9, 2, 0))),
        ("0.more", np.zeros(1)),
    ],
)
def test_arrays_that_the_step_could_leave_are_refused(name, other):
    worlds = _worlds()
    assert worlds_of({**arrays_of(worlds), name: other}, worlds) is None


def test_few_steps_are_not_worth_a_checkpoint():
    shelf, batches = Shelf(), facts()
    state = MarketState("ETH")
    live = MapState(SETTINGS, shelf)
    before = 0
    for hour in range(8 * 24 - 1, 9 * 24, 3):
        now = samples.START + hour * HOUR_NS
        for batch in batches:
            usable = batch.ints("usable_from")
            new = (usable > before) & (usable <= now)
            columns = {name: array[new] for name, array in batch.columns.items()}
            state.apply(Batch(batch.kind, batch.venue, batch.symbol, columns, batch.sources))
        live.measure(state.snapshot(now))
        before = now
    steps = np.diff(sorted(mark.rows for mark in shelf.kept))
    assert len(steps) > 1
    assert (steps >= checkpoint.WORTH).all()
    found = MapState(SETTINGS, shelf).measure(state.snapshot(now))
    assert_same(found, MapState(SETTINGS).measure(state.snapshot(now)))
    assert shelf.taken
