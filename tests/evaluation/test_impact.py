"""Evidence on impact: known answers are recovered, recorded data give figures or reasons, pages are whole."""

import math

import pytest

from airpocket.cascade.calibrate.settings import CalibrationSettings
from airpocket.delivery.cli import main
from airpocket.domain.errors import BadInput
from airpocket.evaluation.impact_lab import CASES, Found, run_case, summed
from airpocket.evaluation.impact_page import ImpactEvidence, as_data, markdown, tables
from airpocket.evaluation.impact_real import RECORDINGS, heard, real_impact
from airpocket.lab.runs.worldcheck import read_world


def case(name):
    return next(one for one in CASES if one.world == name)


@pytest.mark.parametrize(("name", "within"), [("flow", 0.03), ("quick", 0.3)])
def test_known_impact_and_half_life_are_recovered(name, within):
    found = [one for seed in (1, 2) for one in run_case(case(name), seed)]
    for one in found:
        assert one.value == pytest.approx(one.truth, rel=within)
        assert one.low < one.value < one.high


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "within"),
    [("slow", 0.35), ("mending", 0.2), ("pulled", 0.08), ("hours", 0.4), ("late", 0.15)],
)
def test_the_other_worlds_are_recovered_too(name, within):
    for one in run_case(case(name), 3):
        assert one.value == pytest.approx(one.truth, rel=within)


def test_every_world_of_a_case_reads_and_differs_in_what_it_is_for():
    from airpocket.evaluation import impact_lab

    worlds = {one.world: read_world(impact_lab._HERE / f"{one.world}.toml") for one in CASES}
    makers = {name: world.venue[1].makers for name, world in worlds.items()}
    assert makers["slow"].wake_ms > makers["quick"].wake_ms > makers["flow"].wake_ms
    assert makers["pulled"].pull_back > 0.0 == makers["quick"].pull_back
    assert worlds["late"].venue[1].engine_delay_s == 8.0
    assert len(set(worlds["hours"].depth_by_hour)) > 12


def test_runs_are_summed_by_figure_and_the_unknown_is_not_counted_as_a_miss():
    found = [
        Found("κ", 10.0, 11.0, 9.0, 12.0), Found("κ", 10.0, 20.0, 15.0, 25.0), Found("κ", 10.0, None, None, None),
        Found("η", 1.0, 1.0, 0.9, 1.1),
    ]  # fmt: skip
    kappa, eta = summed(case("quick"), found)
    assert (kappa.runs, kappa.told, kappa.inside) == (3, 2, 0.5)
    assert kappa.ratio == pytest.approx(1.55)
    assert (eta.told, eta.inside) == (1, 1.0)
    [none] = summed(case("quick"), [Found("κ", 10.0, None, None, None)])
    assert none.told == 0
    assert math.isnan(none.ratio)


@pytest.fixture(scope="module")
def recorded(shared):
    return real_impact(shared / "data", CalibrationSettings(draws=100))


@pytest.mark.real
def test_recorded_minutes_and_years_give_figures_or_reasons(recorded):
    found = recorded
    assert [one.venue for one in found.recordings] == [venue for venue, _ in RECORDINGS]
    for one in found.recordings:
        y = one.fitted.impact[0].y
        assert 0.4 < y.estimate.low < y.value < y.estimate.high < 1.5  # of order one, as published
        assert one.fitted.recovery.half_s.value is None  # six minutes are too few, and it says so
        assert "needed" in one.fitted.recovery.half_s.estimate.unknown
        assert one.trades == {"binance_usdm": 14_076, "binance_spot": 6_106}[one.venue]
        assert one.first < one.fitted.now <= one.last + 10**9
    forced = [one for one in found.histories if one.interest]
    assert [one.coin for one in forced] == ["BTC", "BTC", "ETH"]
    for history in forced:
        for one in history.retraces:
            assert one.from_extreme.value is None or one.from_extreme.events >= 20
    page = markdown(ImpactEvidence((), found))
    assert page.startswith("# Evidence")
    assert "As a trader would read it" in page
    assert all(
        len(row) == len(table.columns)
        for table in tables(ImpactEvidence((), found))
        for row in table.rows
    )
    assert as_data(ImpactEvidence((), found))["real"]["gauge"]["volatility"] > 0.0


@pytest.mark.real
def test_the_first_second_of_lambda_is_that_of_a_plain_regression(shared, recorded):
    """A second calculation from the frames: last mids of whole seconds, flow summed by hand."""
    import numpy as np

    from airpocket.domain.wire import Quote, Trade

    path = shared / "wire/hftbacktest" / RECORDINGS[0][1]
    mids, flow = {}, {}
    for event in heard(path, RECORDINGS[0][0]):
        second = event.ts // 10**9
        if isinstance(event, Quote):
            mids[second] = (event.bid + event.ask) / 2
        elif isinstance(event, Trade):
            signed = event.notional_usd * (1 if event.taker_side == "buy" else -1)
            flow[second] = flow.get(second, 0.0) + signed
    seconds = sorted(set(mids) & {one + 1 for one in mids})
    move = np.array([np.log(mids[one] / mids[one - 1]) for one in seconds])
    usd = np.array([flow.get(one, 0.0) for one in seconds])
    plain = 1e10 * float(move @ usd / (usd @ usd))
    found = recorded.recordings[0].fitted.impact[0].both
    assert found.estimate.low * 0.8 < plain < found.estimate.high * 1.2


def test_without_the_data_the_command_says_what_is_missing(tmp_path, capsys):
    with pytest.raises(BadInput, match="recorded data are missing"):
        real_impact(tmp_path / "data")
    assert main(["evaluate", "impact", "--only-real"]) != 0
    assert "--only-real needs --real" in capsys.readouterr().err
