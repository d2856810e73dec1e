"""Forced against resting dollars and the prints told, held against the map, the stored depth and the rows."""

import msgspec
import numpy as np
import pytest
import samples

from airpocket.brief import as_json
from airpocket.brief.fuel import fuel_view
from airpocket.brief.fuel_model import SCHEMA, FuelView
from airpocket.domain.events import Batch
from airpocket.domain.units import HOUR_NS, MINUTE_NS, TimeNs
from airpocket.pipeline import Assessor

HOURS = 24 * 60
NOW = samples.START + HOURS * HOUR_NS
PERCENT = np.array([-2.0, -1.0, 1.0, 2.0])
RESTING = np.array([9e6, 4e6, 3e6, 8e6])


def batch(kind, at, **columns):
    at = np.asarray(at, np.int64)
    return Batch(
        kind, "binance_usdm", "ETHUSDT", {"ts": at, "usable_from": at, **columns}, ("made",)
    )


DEPTH = batch(
    "depth", [NOW - MINUTE_NS] * 4, percent=PERCENT, notional_usd=RESTING, depth_coin=RESTING / 3e3
)
# two within one period of five minutes, one whose size is not known, one of three weeks ago
PRINTS = batch(
    "liquidation", [NOW - 21 * 24 * HOUR_NS, NOW - 9 * MINUTE_NS, NOW - 8 * MINUTE_NS, NOW - 7 * MINUTE_NS],
    forced_side=np.array(["buy", "buy", "buy", "sell"]), price=np.array([2900.0, 3000.0, 3030.0, 2990.0]),
    size=np.array([1.0, np.nan, 2.0, np.nan]), notional_usd=np.array([2900.0, 9000.0, np.nan, np.nan]),
    coverage=np.array(["all", "all", "sample", "all"]), seq=np.arange(4),
)  # fmt: skip


def viewed(*more):
    assessor = Assessor("ETH")
    for each in (samples.bars(HOURS), samples.funding(HOURS // 8), *more):
        assessor.apply(each)
    found = assessor.assess(TimeNs(NOW))
    return found, fuel_view(found)


@pytest.fixture(scope="module")
def both():
    return viewed(samples.interest(HOURS), DEPTH, PRINTS)


def test_forced_dollars_are_the_maps_and_only_grow(both):
    found, view = both
    for way, side in zip(view.ways, ("short", "long"), strict=True):
        assert np.all(np.diff(way.forced_usd) >= 0)
        for percent, low, usd, high in zip(
            way.percent, way.low_usd, way.forced_usd, way.high_usd, strict=True
        ):
            assert low <= usd <= high
            assert usd == pytest.approx(found.map.within(side, abs(percent)).usd, rel=1e-5)
    assert max(view.ways[0].forced_usd) > 0


def test_what_rests_is_what_was_stored_and_unknown_beyond(both):
    up, down = both[1].ways
    assert up.resting_usd[up.percent.index(1.0)] == pytest.approx(3e6)
    assert up.resting_usd[up.percent.index(2.0)] == pytest.approx(8e6)
    assert down.resting_usd[down.percent.index(-2.0)] == pytest.approx(9e6)
    for way in (up, down):
        assert way.measured_to_percent == pytest.approx(2.0)
        beyond = [r for p, r in zip(way.percent, way.resting_usd, strict=True) if abs(p) > 2.0]
        assert beyond
        assert set(beyond) == {None}
        assert np.all(np.diff(way.absorbed_usd) >= 0)


def test_prints_are_summed_by_five_minutes_and_what_has_no_size_is_left_out(both):
    (only,) = both[1].prints
    assert (only.side, only.count, only.at_least) == ("short", 2, True)
    assert only.notional_usd == pytest.approx(9000.0 + 2 * 3030.0)
    assert only.price == pytest.approx((9000 * 3000 + 6060 * 3030) / 15060, rel=1e-7)
    assert only.open_s == (NOW - 10 * MINUTE_NS) // 1_000_000_000
    assert both[1].prints_unknown is None


def test_without_a_map_or_prints_it_says_why():
    _, view = viewed()
    assert view.unknown
    assert view.ways == []
    assert view.prints == []
    assert view.prints_unknown == "no venue here tells its liquidations"


def test_the_json_tells_the_whole_struct(both):
    told = msgspec.json.decode(as_json.render_struct(both[1]))
    assert told["schema"] == SCHEMA
    assert msgspec.convert(told, FuelView) == both[1]
