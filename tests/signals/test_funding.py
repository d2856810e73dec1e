"""Funding in whole 8 h periods, regimes, and agreement between venues."""

import numpy as np
import pytest
import samples

from airpocket.domain.estimates import known, unknown
from airpocket.domain.events import Batch
from airpocket.domain.units import HOUR_NS, TimeNs
from airpocket.market.carry import FundingHistory
from airpocket.market.state import MarketState
from airpocket.signals import funding
from airpocket.signals.funding import FundingSettings, eight_hour_periods


def history(hours, rates, interval_h):
    at = samples.START + HOUR_NS * np.array(hours, np.int64)
    return FundingHistory(at, np.array(rates, float), np.full(len(hours), interval_h * 3600), "x")


def test_eight_hourly_rates_are_their_own_periods():
    ends, rate = eight_hour_periods(history([8, 16, 24], [1e-4, 2e-4, -1e-4], 8))
    assert list((ends - samples.START) // HOUR_NS) == [8, 16, 24]
    np.testing.assert_allclose(rate, [0.01, 0.02, -0.01])


def test_hourly_rates_add_up_to_the_period_they_close():
    ends, rate = eight_hour_periods(history(range(1, 17), [1e-5] * 16, 1))
    assert list((ends - samples.START) // HOUR_NS) == [8, 16]
    np.testing.assert_allclose(rate, [0.008, 0.008])


def test_a_period_with_a_settlement_missing_is_left_out():
    hours = [h for h in range(1, 25) if h != 12]
    ends, _ = eight_hour_periods(history(hours, [1e-5] * 23, 1))
    assert list((ends - samples.START) // HOUR_NS) == [8, 24]


def test_a_stamp_some_milliseconds_late_belongs_to_its_settlement():
    late = history([8], [1e-4], 8)
    late = FundingHistory(late.settled_at + 47_000_000, late.rate, late.interval_s, "x")
    ends, _ = eight_hour_periods(late)
    assert list((ends - samples.START) // HOUR_NS) == [8]


def at(value, unit="sd"):
    return known(value, unit, as_of=1, now=1, source="x")


@pytest.mark.parametrize(
    ("rate", "level_sd", "change_sd", "day", "state"),
    [
        (0.12, 1.0, 0.0, 0.0, "overheated"),
        (-0.02, -1.0, 0.0, 4.0, "negative into strength"),
        (-0.02, -1.0, 0.0, -4.0, "negative"),
        (0.06, 3.0, 2.5, 0.0, "sudden spike"),
        (0.01, 0.0, 0.2, 0.0, "moderate and steady"),
        (0.01, 0.0, 2.5, 0.0, "moderate"),
        (0.05, 1.0, 0.2, 0.0, "elevated"),
    ],
)
def test_regimes_are_named_by_level_and_surprise(rate, level_sd, change_sd, day, state):
    named = funding._named(at(rate), at(level_sd), at(change_sd), at(day), FundingSettings())
    assert named[0] == state


def test_an_unknown_level_names_no_regime():
    state, why = funding._named(unknown("x", "gone"), at(0), at(0), at(0), FundingSettings())
    assert (state, why) == ("unknown", ["gone"])


def market_with(*batches, hours=24 * 40):
    state = MarketState("ETH")
    for batch in (samples.bars(hours), *batches):
        state.apply(batch)
    return state.snapshot(TimeNs(samples.START + hours * HOUR_NS))


def test_two_venues_on_different_intervals_are_compared_per_eight_hours():
    base = samples.funding(120)
    steady = Batch(
        "funding", "binance_usdm", "ETHUSDT", {**base.columns, "rate": np.full(120, 1e-4)}
    )
    hourly = samples.funding(960, hours=1, venue="hyperliquid", symbol="ETH")
    twice = Batch("funding", "hyperliquid", "ETH", {**hourly.columns, "rate": np.full(960, 2.5e-5)})
    market = market_with(steady, twice)
    reading = funding.convergence(market, funding.venue_fundings(market))
    assert reading.tells[0].estimate.value == pytest.approx(0.01)
    assert reading.state == "steady"


def test_one_venue_cannot_agree_with_itself():
    market = market_with(samples.funding(120))
    reading = funding.convergence(market, funding.venue_fundings(market))
    assert reading.state == "unknown"
    assert "two venues" in reading.because[0]


def test_funding_that_stopped_settling_is_unknown_not_its_last_value():
    market = market_with(samples.funding(60))  # ends halfway
    reading = funding.regime(market, funding.venue_fundings(market), at(0.0), FundingSettings())
    assert reading.state == "unknown"
