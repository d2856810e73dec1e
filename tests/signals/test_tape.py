"""The live tape's tells: against its own usual, unknown where nobody listened, in triggers and verdict."""

import numpy as np
import pytest
import samples

from airpocket.domain.events import Batch
from airpocket.domain.units import HOUR_NS, MINUTE_NS
from airpocket.pipeline import Assessor

HOURS = 24 * 40


def tape(
    minutes, *, prints=60, last=60, spread=1.0, last_spread=None, reloads=5, retreats=5, end=None
):
    end = samples.START + HOURS * HOUR_NS if end is None else end
    ts = end - MINUTE_NS * np.arange(minutes, 0, -1, dtype=np.int64)
    told = np.where(np.arange(minutes) >= minutes - 5, last, prints).astype(np.int64)
    columns = {
        "ts": ts, "usable_from": ts + MINUTE_NS, "prints": told, "buy_usd": told * 1.0, "sell_usd": told * 1.0,
        "spread_bps": np.where(told == prints, spread, last_spread or spread),
        "reloads": np.full(minutes, reloads, np.int64),
        "retreats": np.full(minutes, retreats, np.int64), "refill_s": np.full(minutes, 2.0),
    }  # fmt: skip
    return Batch("tape_1m", "binance_usdm", "ETHUSDT", columns, ("made",))


def assessed(*batches):
    assessor = Assessor("ETH")
    for batch in (
        samples.bars(HOURS),
        samples.funding(HOURS // 8),
        samples.interest(HOURS),
        *batches,
    ):
        assessor.apply(batch)
    return assessor.assess(samples.START + HOURS * HOUR_NS)


def test_without_a_tape_nothing_is_known_and_the_reason_is_said():
    found = assessed()
    for tell_id in ("fast_prints", "tape_spread", "reload_share", "refill"):
        assert found.signals.tells[tell_id].estimate.value is None
        assert "no trade tape" in (found.signals.tells[tell_id].estimate.unknown or "")
    assert any("speed of prints" in missing for missing in found.verdict.missing)


def test_speed_is_told_against_the_tapes_own_usual():
    found = assessed(tape(60 * 30, prints=50, last=200))
    speed = found.signals.tells["fast_prints"]
    assert speed.estimate.value == pytest.approx(
        4.0, rel=0.25
    )  # a sixth minute of the usual may be among them
    assert speed.met
    assert assessed(tape(60 * 3, last=200)).signals.tells["fast_prints"].met is None


def touched(reloads, retreats):
    """Two days in which a fifth of the prices taken came back, give or take, and fifteen minutes of their own."""
    rng = np.random.default_rng(4)
    found = tape(60 * 48)
    found.columns["reloads"][:] = rng.binomial(10, 0.2, len(found))
    found.columns["retreats"][:] = 10 - found.columns["reloads"]
    found.columns["reloads"][-16:], found.columns["retreats"][-16:] = reloads, retreats
    return assessed(found)


@pytest.mark.parametrize(("reloads", "state"), [(5, "reloading"), (2, "usual"), (0, "retreating")])
def test_the_touch_reloads_or_retreats_against_its_own_usual(reloads, state):
    found = touched(reloads, 10 - reloads)
    reading = next(reading for reading in found.signals.regimes if reading.id == "tape")
    assert found.signals.tells["reload_share"].estimate.value == pytest.approx(10.0 * reloads)
    assert reading.state == state
    assert found.signals.tells["reload_score"].met == (state == "reloading")


def test_without_a_usual_no_state_is_said():
    found = assessed(tape(60, reloads=9, retreats=1)).signals
    assert found.tells["reload_share"].estimate.value == pytest.approx(90.0)
    assert "needs 48 quarter hours" in (found.tells["reload_score"].estimate.unknown or "")


def test_a_touch_nobody_took_or_saw_has_no_share():
    quiet = assessed(tape(60, reloads=0, retreats=0)).signals.tells["reload_share"].estimate
    blind = assessed(tape(60, reloads=-1, retreats=-1)).signals.tells["reload_share"].estimate
    assert "0 best prices were taken" in (quiet.unknown or "")
    assert "no live book" in (blind.unknown or "")


def test_a_tape_that_stopped_says_nothing():
    old = tape(60 * 30, end=samples.START + (HOURS - 1) * HOUR_NS)
    assert assessed(old).signals.tells["fast_prints"].estimate.value is None


def thin_hour(*batches):
    row = next(row for row in assessed(*batches).triggers if row.id == "thin_hour_impulse")
    return {tell.id: tell for tell in row.tells}


def test_the_thin_hour_trigger_reads_speed_and_spread_of_the_tape():
    tells = thin_hour(tape(60 * 30, last=400, spread=0.1, last_spread=0.3))
    assert tells["fast_prints"].met
    assert tells["spread_usual"].met  # three times its usual is wide, though 0.3 bp
    assert not thin_hour(tape(60 * 30, last=400, spread=9.0))["spread_usual"].met


def test_without_a_usual_the_spread_is_held_against_basis_points():
    tells = thin_hour(tape(60 * 2, last=400, spread=9.0))
    assert tells["wide_spread"].estimate.value == pytest.approx(9.0)
    assert tells["wide_spread"].met


def test_the_usual_is_that_of_the_same_hour_of_the_week_once_two_weeks_hold_it():
    """An hour that is busy every week is not fast by being busy again."""
    weeks = 60 * 24 * 15
    found = tape(weeks, prints=50, last=200)
    hour = (found.ints("ts") // HOUR_NS) % 168 == ((found.ints("ts")[-1]) // HOUR_NS) % 168
    found.columns["prints"][hour] = 200
    busy = assessed(found).signals.tells["fast_prints"].estimate
    assert busy.value == pytest.approx(1.0)
    assert "this hour of the week" in busy.source
