"""`airpocket evaluate map` on a small world: every map scored, the same figures twice, clear refusals."""

import json
from pathlib import Path

import numpy as np
import pytest

from airpocket.delivery.cli import main
from airpocket.evaluation.limits import limits_of
from airpocket.evaluation.maps import (
    CARRIED,
    KNOWN,
    MAPS,
    PERMUTED,
    SOLD,
    UNKNOWN,
    score_world,
)
from airpocket.evaluation.observed import market_until, observe
from airpocket.evaluation.scores import BANDS
from airpocket.evaluation.suite import bundled_worlds, jobs_of
from airpocket.lab.runs.worldcheck import read_world
from airpocket.liquidations.settings import MapSettings
from airpocket.market.state import MarketState

pytestmark = pytest.mark.slow  # whole simulated worlds

COARSE = Path(__file__).resolve().parents[2] / "src/airpocket/evaluation/worlds/coarse.toml"
SMALL = """
base = "{base}"
name = "small"
hours = 84.0
volatility_percent_per_day = 6.0

[[venue]]
name = "sim_binance"
[venue.traders]
count = 500
leverage = [[5.0, 0.3], [20.0, 0.4], [50.0, 0.3]]
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("worlds") / "small.toml"
    path.write_text(SMALL.format(base=COARSE), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def seen(world: Path):
    return observe(read_world(world), 2, 6.0, 60.0)


@pytest.fixture(scope="module")
def score(seen):
    return score_world(seen, 0, MapSettings(ways=6))


def test_truth_is_looked_at_when_asked_and_rates_are_shares(seen):
    hours = [(truth.at - seen.world.start_ns) / 3.6e12 for truth in seen.truths]
    assert hours == [60.0, 66.0, 72.0, 78.0, 84.0]
    (rate,) = seen.rates.values()
    assert 0.0 < rate <= 1.0
    for truth in seen.truths:
        amounts = [truth.within(percent) for percent in (1.0, 3.0, 10.0)]
        assert amounts == sorted(amounts)
        assert (truth.price[truth.short] > 0.99 * truth.mark).all()


def test_the_market_hears_only_what_was_told_by_then(seen):
    state = MarketState("ETH")
    half = seen.truths[1].at
    market_until(state, seen.batches, -1, half)
    market = state.snapshot(half)  # would refuse a fact from later
    assert int(market.reference.base.end[-1]) <= half


def test_every_map_is_scored_and_ours_errs_less_than_the_one_that_is_sold(score):
    assert set(score.points) == set(MAPS)
    at = BANDS.index(3.0)
    error = {
        name: np.abs(each.said - each.truth)[:, at].sum() for name, each in score.points.items()
    }
    assert error[UNKNOWN] < error[SOLD]
    for name in (UNKNOWN, KNOWN, PERMUTED):
        each = score.points[name]
        assert (each.low <= each.high).all()
    assert np.isnan(score.points[CARRIED].low).all()
    truths = [each.truth for each in score.points.values()]
    assert all(np.array_equal(truths[0], other) for other in truths[1:])


def test_what_was_not_told_is_there_for_a_map_that_hears_all(seen):
    (batch,) = seen.untold
    told = sum(each.floats("size").sum() for each in seen.batches if each.kind == "liquidation")
    (rate,) = seen.rates.values()
    assert told == pytest.approx(rate * batch.floats("size").sum())
    assert set(batch.texts("coverage")) == {"all"}
    assert (np.diff(batch.ints("usable_from")) >= 0).all()


def test_secrets_are_told_one_by_one(world):
    found = limits_of([world], [2], 1, MapSettings(ways=2), every_h=12.0, from_h=72.0)
    assert found.rows[0].told == "nothing"
    errors = {row.told: row.score.error for row in found.rows}
    assert len(errors) == len(set(errors.values())) == 8  # each secret moves the map
    assert all(row.score.points == 2 for row in found.rows)
    assert 0.0 < found.whole < 1.0


def test_permuted_prints_foresee_nothing(score):
    told = score.foresight
    assert told.correlation > 0.5
    assert abs(told.permuted_correlation) < 0.3
    assert told.gain > 0.0 > told.permuted_gain


def test_the_command_prints_the_same_json_twice(world, capsys):
    found = []
    for _ in range(2):
        assert (
            main(["evaluate", "map", str(world), "--seeds", "2", "--workers", "1", "--json"]) == 0
        )
        found.append(capsys.readouterr().out)
    assert found[0] == found[1]
    data = json.loads(found[0])["simulated"]
    assert [one["file"] for one in data["worlds"]] == ["small.toml"]
    assert set(data["scores"]) == set(MAPS)


def test_worlds_come_along_half_of_them_otherwise_than_the_model_assumes():
    names = [path.stem for path in bundled_worlds("score")]
    assert len(names) == 14
    assert sum(name.startswith("x") for name in names) == 7
    for path in [*bundled_worlds("score"), *bundled_worlds("train")]:
        read_world(path)
    assert [job.seed for job in jobs_of(bundled_worlds("score"), [])] == list(range(1, 15))
    assert len(jobs_of(bundled_worlds("train"), [5, 6])) == 12


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.toml"], "nowhere.toml"),
        (["--workers", "0"], "--workers"),
        (["--only-real"], "--only-real needs --real"),
        (["--only-real", "--real", "nowhere"], "holds no finm33150"),
    ],
)
def test_clear_refusals(arguments, said, capsys):
    assert main(["evaluate", "map", *arguments]) != 0
    assert said in capsys.readouterr().err


def test_a_venue_that_nobody_knows_is_refused_by_name(world):
    odd = read_world(world)
    from msgspec.structs import replace

    venues = [odd.venue[0], replace(odd.venue[1], name="my_venue")]
    with pytest.raises(Exception, match="venue my_venue"):
        observe(replace(odd, venue=venues, arbitrage=[], carry=[]), 1, 6.0, 60.0)


def test_a_world_that_ends_before_the_first_look_is_refused(world):
    with pytest.raises(Exception, match="hours: 84, but maps are scored from hour 100 on"):
        observe(read_world(world), 1, 6.0, 100.0)
