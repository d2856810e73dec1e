"""`airpocket evaluate cascade`: pushed markets and their truth, scores that know good from bad, clear refusals."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from airpocket.cascade.deals import PathSettings
from airpocket.cascade.settings import CascadeSettings
from airpocket.delivery.cli import main
from airpocket.evaluation import cascades
from airpocket.evaluation.cascade_page import markdown
from airpocket.evaluation.forecasts import ALONE, FORECASTS, MODEL, SHIPPED, STATIC, forecasts_of
from airpocket.evaluation.judged import (
    AT_PERCENT,
    LEVELS,
    Judged,
    Said,
    chance_alone,
    judged,
    method_of,
    permuted,
    reliability,
    skill_of,
)
from airpocket.evaluation.pushed import AGAIN, Pushed
from airpocket.evaluation.truemap import true_map
from airpocket.lab.runs.worldcheck import read_world

pytestmark = pytest.mark.slow  # whole simulated worlds

BASE = Path(__file__).resolve().parents[2] / "src/airpocket/evaluation/worlds/cascade/base.toml"
CROWDED = f"""
base = "{BASE}"
name = "crowded"

[[venue]]
name = "sim_binance"
[venue.traders]
count = 500
open_interest_usd_m = 1_800.0
leverage = [[10.0, 0.2], [20.0, 0.3], [50.0, 0.35], [100.0, 0.15]]
"""
HOW = PathSettings(paths=512)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("worlds") / "crowded.toml"
    path.write_text(CROWDED, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def run(world):
    return Pushed(read_world(world), 3, 4, "spot")


@pytest.fixture(scope="module")
def cases(run):
    return list(run.cases())


@pytest.fixture(scope="module")
def rows(cases):
    return [judged(case, forecasts_of(case, CascadeSettings(), HOW)) for case in cases]


def test_pushes_move_price_their_way_and_force_out_the_side_they_hurt(cases):
    assert len(cases) == 4
    assert all(case.went.extreme > 0.0 for case in cases)
    assert sum(case.went.forced_usd for case in cases) > 0.0
    for case in cases:
        went = case.went
        assert 0.0 <= went.booked_usd + went.deleveraged_usd <= went.forced_usd * (1.0 + 1e-9)
        assert went.end <= went.extreme
        assert 0.0 <= went.extreme_s <= 900.0
        assert len({went.extreme, *(one.extreme for one in case.again)}) == 1 + AGAIN


def test_the_run_itself_is_not_pushed(run, cases, world):
    quiet = Pushed(read_world(world), 3, 1, "perp").session
    for _ in quiet.until(run.session.now):
        pass
    assert quiet.hash == run.hash


def test_what_is_measured_before_a_push_is_of_the_time_before_it_and_of_that_run(run, cases, world):
    early, late = cases[0].before, cases[-1].before
    for before in (early, late):
        fitted = before.measured
        assert fitted.contract == "sim_binance:ETHUSDT"
        assert fitted.now == before.at
        for figure in (fitted.absorption.impact.root, fitted.absorption.impact.both):
            assert figure.value > 0.0
            assert figure.estimate.as_of <= before.at
    assert (
        early.measured.absorption.impact.root.events < late.measured.absorption.impact.root.events
    )
    # a run that goes on no further has told the same by then
    again = next(Pushed(read_world(world), 3, 1, "spot").cases()).before.measured
    assert again.absorption.impact.root == early.measured.absorption.impact.root
    assert again.absorption.usd_per_log == early.measured.absorption.usd_per_log


def test_pushes_are_foreseen_on_the_blend_and_on_the_priors_alone(cases, rows):
    for case, row in zip(cases, rows, strict=True):
        assert "refill" in row.measured
        unmeasured = replace(case, before=replace(case.before, measured=None))
        plain = judged(unmeasured, forecasts_of(unmeasured, CascadeSettings(), HOW))
        assert plain.measured == ()
        assert (plain.said[MODEL].extreme == plain.said[SHIPPED].extreme).all()
        assert (plain.said[SHIPPED].extreme == row.said[SHIPPED].extreme).all()
        assert not np.array_equal(row.said[MODEL].extreme, row.said[SHIPPED].extreme)


def test_who_is_forced_out_is_who_the_marks_went_past(cases, rows):
    worth = [row for row in rows if row.forced_usd > 0.1 * abs(row.usd)]
    assert worth
    assert np.median([abs(row.marked_usd / row.forced_usd - 1.0) for row in worth]) < 0.3
    for case in cases:
        assert all(0.0 <= far <= 2.0 * case.went.extreme + 0.002 for far in case.went.marked)


def test_the_true_map_holds_every_position_within_its_reach_once(cases):
    before = cases[0].before
    found = true_map(before)
    near = np.abs(before.away) < 0.2
    held = found.within("short", 20.0).usd, found.within("long", 20.0).usd
    assert held[0] == pytest.approx(before.usd[near & before.short].sum(), rel=0.01)
    assert held[1] == pytest.approx(before.usd[near & ~before.short].sum(), rel=0.01)
    assert [part.key for part in found.parts] == ["binance_usdm:ETHUSDT"]


def test_without_feedback_nobody_is_forced_out_and_with_it_price_goes_no_less_far(rows):
    for row in rows:
        assert not row.said[ALONE].forced_usd.any()
        further = row.said[MODEL].extreme.mean() - row.said[ALONE].extreme.mean()
        assert further > -0.02
    assert max(row.said[MODEL].forced_usd[89] for row in rows) > 0.0
    assert method_of(rows, MODEL).forced_error < method_of(rows, ALONE).forced_error == 1.0


def test_the_same_run_gives_the_same_figures(world, monkeypatch, rows):
    monkeypatch.setattr(cascades, "PATHS", 512)
    again = cascades.run_of(cascades.PushJob(world, 3, 2, "spot"))
    for one, other in zip(again.rows, rows, strict=False):
        assert one.extreme == other.extreme
        assert one.forced_usd == other.forced_usd
        assert (one.said[MODEL].extreme == other.said[MODEL].extreme).all()


def _made(count: int = 400, spread: float = 1.0) -> list[Judged]:
    """Truths from a normal about levels of their own; forecasts know the level, and the spread but for a factor."""
    rng = np.random.default_rng(5)
    normal = np.quantile(rng.standard_normal(20_000), LEVELS)
    found: list[Judged] = []
    for k in range(count):
        level = 2.0 + rng.uniform(-1.0, 1.0)
        said = _said(level + 0.3 * spread * normal)
        blind = _said(2.0 + 0.7 * normal)
        found.append(
            Judged(
                "made", k // 8, 1e6, 5, level + 0.3 * float(rng.standard_normal()), 0.5, 10.0, 1e6, 5e5, 0.0, 0.0,
                1e6, 1e6, (), {MODEL: said, SHIPPED: blind, ALONE: blind, STATIC: blind},
                tuple(level + 0.3 * rng.standard_normal(4)), (1e6,) * 4,
            )
        )  # fmt: skip
    return found


def _said(extreme: np.ndarray) -> Said:
    nothing = np.full(len(LEVELS), np.nan)
    reach = np.array([float((extreme >= at).mean()) for at in AT_PERCENT])
    return Said(extreme, np.full(len(LEVELS), 1e6), nothing, nothing, reach, 0.0, 1.0, 1e6)


def test_an_honest_forecast_scores_as_one_and_a_boastful_one_is_found_out():
    honest, boast, vague = (method_of(_made(spread=s), MODEL) for s in (1.0, 0.4, 3.0))
    assert honest.inside == pytest.approx(0.8, abs=0.05)
    assert boast.inside < 0.5
    assert vague.inside > 0.95
    assert honest.crps < min(boast.crps, vague.crps)
    # of a normal with deviation s the score is s (1/√π) on average (Gneiting and Raftery 2007)
    assert honest.crps == pytest.approx(0.3 / np.sqrt(np.pi), rel=0.1)
    assert honest.forced_error == 0.0
    # the mean of |x - the median of four| for normals is 0.3 √(1 + var(median of 4)) √(2/π)
    assert chance_alone(_made(spread=1.0)) == pytest.approx(
        0.3 * np.sqrt(1.298 * 2 / np.pi), rel=0.1
    )
    for one in reliability(_made(2_000), MODEL):
        assert one.said == pytest.approx(one.came, abs=0.06)


def test_skill_is_found_and_permuting_truths_destroys_it():
    made = _made()
    skill = skill_of(made, MODEL, ALONE, 1)
    mixed = skill_of(permuted(made, 1), MODEL, ALONE, 1)
    assert skill.low > 0.3
    assert mixed.high < 0.0
    assert skill.low < skill.value < skill.high


def test_a_book_that_broke_leaves_a_moment_out_and_the_page_counts_it(rows):
    run = cascades.Run("made.toml", 3, 6, "ab" * 16, tuple(rows), ("would not stand still",))
    page = markdown(cascades.summed([run]))
    assert "2 moments are missing: 1 at which the book had broken by itself and 1 for which" in page
    assert page.count("| airpocket |") == 3
    assert "| orders that come meanwhile, with the book | 100 % |" in page


def test_every_method_is_on_the_page_and_no_figure_is_hidden(rows):
    found = cascades.summed([cascades.Run("made.toml", 3, 4, "ab" * 16, tuple(rows), ())])
    assert set(found.methods) == set(FORECASTS)
    page = markdown(found)
    for name in FORECASTS:
        assert f"| {name} |" in page
    assert "missed" in page  # four pushes are not four hundred


def test_another_truth_scores_worse(rows):
    """The same forecasts against truths thrice as far."""
    wrong = [replace(row, extreme=row.extreme * 3.0 + 1.0) for row in rows]
    assert method_of(wrong, MODEL).crps > 2.0 * method_of(rows, MODEL).crps


def test_the_command_prints_what_it_found(world, capsys, monkeypatch):
    monkeypatch.setattr(cascades, "PATHS", 512)
    told = main(["evaluate", "cascade", str(world), "--runs", "1", "--moments", "1", "--workers", "1",
                 "--on", "spot", "--json"])  # fmt: skip
    found = json.loads(capsys.readouterr().out)
    assert told == 0
    assert found["pushes"] == 1
    assert found["runs"][0]["judged"] == 1


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--runs", "0"], "--runs"),
        (["--moments", "99"], "--moments"),
        (["--workers", "0"], "--workers"),
    ],
)
def test_what_makes_no_sense_is_refused(words, named, capsys):
    assert main(["evaluate", "cascade", *words]) != 0
    assert named in capsys.readouterr().err


def test_the_bundled_worlds_are_read_and_share_no_seed():
    score = cascades.bundled_jobs("score")
    every = [*score, *cascades.bundled_jobs("train"), *cascades.bundled_jobs("drawn")]
    for world in {job.world for job in every}:
        read_world(world)
    seeds = [job.seed for job in every]
    assert len(seeds) == len(set(seeds))
    assert {job.on for job in score} == {"perp", "spot", "alone"}
    assert sum(job.moments for job in score) >= 400
