"""How near the next pocket is: dollars over taker flow, with hysteresis, and unknown where it must be."""

from dataclasses import replace

import numpy as np
import pytest
import samples
from cascade import made
from msgspec import structs

from airpocket.cascade.deals import PathSettings
from airpocket.cascade.paths import Course
from airpocket.cascade.records import Unscanned
from airpocket.cascade.scan import cascade_of
from airpocket.cascade.standing import StandingSettings, standing_of
from airpocket.domain.estimates import RATIO, known, unknown
from airpocket.domain.events import Batch
from airpocket.domain.units import MINUTE_NS
from airpocket.verdict import triggers
from airpocket.verdict.judge import verdict
from airpocket.verdict.reach import ReachSettings, reaches
from airpocket.verdict.triggers import SwingBreak, TriggerSettings, trigger_rows

AHEAD = {"shorts": [(0.01, 0.02, 900e6)], "longs": [(0.03, 0.05, 900e6)]}
FEW = StandingSettings(how=PathSettings(paths=1_024, course=Course(steps=120, marks=4)))


def tape(bought, sold):
    """One row a minute up to now, USD."""
    n = len(bought)
    ts = made.NOW - MINUTE_NS * np.arange(n, 0, -1, dtype=np.int64)
    counts = {name: np.full(n, -1, np.int64) for name in ("prints", "reloads", "retreats")}
    columns = {
        "ts": ts, "usable_from": ts + MINUTE_NS, **counts, "buy_usd": np.array(bought, float),
        "sell_usd": np.array(sold, float), "spread_bps": np.full(n, np.nan),
        "refill_s": np.full(n, np.nan),
    }  # fmt: skip
    return Batch("tape_1m", "binance_usdm", "ETHUSDT", columns, ("made",))


def market(*batches):
    base = made.market()
    return made.market(made.even_book(made.price_of(base), reach=0.05), *batches)


def near(seen, amounts=AHEAD, s=None):
    found, signals = made.ladder_map(made.price_of(seen), **amounts), made.measured(seen)
    scan = cascade_of(found, seen, signals)
    return reaches(seen, scan, standing_of(found, seen, signals, scan, s=FEW), s)


def told(reach):
    return {tell.id: tell for tell in reach.tells}


def test_minutes_are_what_opens_the_pocket_over_taker_flow():
    seen = market(tape(np.full(30, 4e6), np.full(30, 2e6)))
    up, down = near(seen).values()
    assert up.minutes.value == pytest.approx(up.cost.value / 4e6)
    assert down.minutes.value == pytest.approx(down.cost.value / 2e6)
    assert up.minutes.low == pytest.approx(up.cost.low / 4e6)
    assert up.pocket.start_percent > 0.0 > down.pocket.start_percent
    assert up.minutes.provenance == "mixed"
    assert told(up)["ignition_minutes_up"].estimate.unit == "min"


def test_a_pocket_comes_within_reach_and_leaves_it_at_another_flow():
    cost = near(market(tape(np.full(30, 1e6), np.full(30, 1e6))))["up"].cost.value
    wide = ReachSettings()
    enters, stays = cost / (0.9 * wide.enter_min), cost / (0.9 * wide.leave_min)
    slow = np.full(30, 0.3 * stays)
    cases = {
        "never": (np.full(30, stays), False),  # between the two, and was never nearer
        "stays": (np.concatenate([np.full(22, enters), np.full(8, stays)]), True),
        "enters": (np.concatenate([slow[:20], np.full(10, enters)]), True),
        "leaves": (np.concatenate([np.full(22, enters), np.full(8, 0.3 * stays)]), False),
    }
    for name, (flow, within) in cases.items():
        assert near(market(tape(flow, flow)))["up"].within is within, name


def test_without_taker_flow_a_book_or_a_map_it_is_unknown_and_arms_nothing():
    bars = samples.bars(made.HOURS)
    bars.columns["taker_buy"][:] = np.nan
    price = float(bars.floats("close")[-1])
    silent = made.market(made.even_book(price, reach=0.05), bars=bars)
    reach = near(silent)["up"]
    assert (reach.within, reach.minutes.value, reach.open) == (None, None, False)
    assert "taker volume" in reach.minutes.unknown
    assert reach.cost.value > 0.0
    bookless = near(made.market())["up"]
    assert "no book" in bookless.cost.unknown
    assert bookless.within is None
    nothing = reaches(silent, Unscanned("no map"), Unscanned("no map"))
    assert [each.minutes.unknown for each in nothing.values()] == ["no map", "no map"]
    assert all(tell.met is None for each in nothing.values() for tell in each.tells)


def test_no_pocket_is_no_reach_though_all_is_known():
    reach = near(market(tape(np.full(30, 9e9), np.full(30, 9e9))), {"shorts": [], "longs": []})[
        "up"
    ]
    assert reach.within is False
    assert "no pocket" in reach.cost.unknown


def _reach(direction, minutes, squeeze, *, within=True):
    found = near(market(tape(np.full(30, 9e6), np.full(30, 9e6))))[direction]
    figure = known(squeeze, RATIO, as_of=made.NOW, now=made.NOW, source="made")
    return replace(found, squeeze=figure, within=within)


def judged(reach=None):
    seen = market()
    signals = made.measured(seen)
    given = None if reach is None else {reach.direction: reach}
    return verdict(seen, signals, made.NO_MAP, Unscanned("no map"), near=given)


@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_quiet_market_is_armed_by_a_pocket_that_is_near_and_would_run(direction):
    assert judged().state == "quiet"
    found = judged(_reach(direction, 1.0, 1.4))
    assert (found.state, found.direction, found.since) == ("armed", direction, made.NOW)
    assert found.path[-1].at == made.NOW
    assert "a pocket from" in found.because[0]
    assert any("out of reach again" in each for each in found.would_change)
    assert {tell.id for tell in found.ahead} >= {
        f"ignition_minutes_{direction}",
        f"squeeze_{direction}",
    }


@pytest.mark.parametrize(("squeeze", "within"), [(0.9, True), (1.4, False), (1.4, None)])
def test_it_is_not_armed_where_the_burst_would_end_or_the_pocket_is_far_or_unknown(squeeze, within):
    assert judged(_reach("up", 1.0, squeeze, within=within)).state == "quiet"


def test_an_unknown_squeeze_number_arms_nothing():
    reach = replace(_reach("up", 1.0, 1.4), squeeze=unknown(RATIO, "no volatility"))
    assert not reach.open
    assert judged(reach).state == "quiet"


def test_breaks_and_impulses_show_it():
    seen = market()
    given = {d: _reach(d, 1.0, 1.4) for d in ("up", "down")}
    rows = trigger_rows(seen, made.measured(seen), TriggerSettings(), None, given)
    shown = [{tell.id for tell in row.tells} for row in rows]
    assert {"ignition_minutes_up", "squeeze_up"} <= shown[0]
    assert {"squeeze_up", "squeeze_down"} <= shown[1]
    assert not any("squeeze_up" in ids for ids in shown[2:])


def test_a_pocket_above_arms_the_clean_break_before_price_is_near_it(monkeypatch):
    figure = known(10.0, RATIO, as_of=made.NOW, now=made.NOW, source="made")
    monkeypatch.setattr(triggers, "forced_last_hour", lambda market, side: (figure, figure))
    far = SwingBreak(1e6, known(-9.0, RATIO, as_of=made.NOW, now=made.NOW, source="made"), figure)
    monkeypatch.setattr(
        triggers, "swing_break", lambda *given: replace(far, held_h=replaced(figure, 0.0))
    )
    seen = market()
    signals = made.measured(seen)
    thin = structs.replace(signals.tells["ask_thinning"], estimate=figure, met=False)
    signals = replace(signals, tells={**signals.tells, "ask_thinning": thin})
    for reach, state in ((None, "quiet"), (_reach("up", 1.0, 1.4), "armed"), (_reach("up", 1.0, 0.4), "quiet"),
                         (_reach("down", 1.0, 1.4), "quiet")):  # fmt: skip
        given = {} if reach is None else {reach.direction: reach}
        assert trigger_rows(seen, signals, TriggerSettings(), None, given)[0].state == state


def replaced(figure, value):
    return structs.replace(figure, value=value)
