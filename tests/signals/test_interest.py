"""Price and open interest: quadrants, conversions, and what a hole does."""

import numpy as np
import pytest
import samples

from airpocket.domain.estimates import known, unknown
from airpocket.domain.events import Batch
from airpocket.domain.units import HOUR_NS, TimeNs
from airpocket.market.state import MarketState
from airpocket.signals.interest import (
    InterestSettings,
    Quadrant,
    lead_interest,
    named,
    quadrant,
    venue_interests,
)

HOURS = 24 * 40
NOW = TimeNs(samples.START + HOURS * HOUR_NS)


def market_with(*batches):
    state = MarketState("ETH")
    for batch in (samples.bars(HOURS), *batches):
        state.apply(batch)
    return state.snapshot(NOW)


def sd(value):
    return known(value, "sd", as_of=1, now=1, source="x")


@pytest.mark.parametrize(
    ("price", "interest", "name"),
    [(2, -2, "covering"), (2, 2, "new longs"), (-2, 2, "new shorts"), (-2, -2, "long unwinding"),
     (0.2, -0.3, "no clear move")],
)  # fmt: skip
def test_the_four_quadrants(price, interest, name):
    q = Quadrant(4, sd(0), sd(0), sd(price), sd(interest))
    assert named(q, InterestSettings())[0] == name


def test_an_unknown_side_leaves_the_quadrant_unknown():
    q = Quadrant(4, sd(0), sd(0), sd(2), unknown("sd", "no OI"))
    assert named(q, InterestSettings()) == ("unknown", "no OI")


def test_dollars_become_coin_at_the_mean_price_of_the_same_hour():
    coin = samples.interest(HOURS)
    bars = samples.bars(HOURS)
    mean = (
        bars.floats("open") + bars.floats("high") + bars.floats("low") + bars.floats("close")
    ) / 4
    columns = {**coin.columns, "ts": coin.ints("ts") - HOUR_NS, "averaged_s": np.full(HOURS, 3600),
               "amount": coin.floats("amount") * mean, "unit": np.full(HOURS, "usd")}  # fmt: skip
    market = market_with(Batch("open_interest", "hyperliquid", "ETH", columns))
    [history] = venue_interests(market)
    np.testing.assert_allclose(history.coin, coin.floats("amount"))
    assert history.provenance == "mixed"
    assert list(history.known_at) == list(coin.ints("ts"))


def test_contracts_of_unknown_size_give_no_figure():
    contracts = samples.interest(HOURS, unit="contracts", venue="okx", symbol="PEPE-USDT-SWAP")
    assert venue_interests(market_with(contracts)) == []
    sized = samples.interest(HOURS, unit="contracts", venue="okx", symbol="ETH-USDT-SWAP")
    [history] = venue_interests(market_with(sized))
    np.testing.assert_allclose(history.coin, sized.floats("amount") * 0.1)


def test_changes_are_of_coin_over_exactly_the_window():
    held = samples.interest(HOURS)
    market = market_with(held)
    q = quadrant(lead_interest(venue_interests(market), NOW, 3), market, 4, InterestSettings())
    amount = held.floats("amount")
    assert q.interest_percent.value == pytest.approx(100 * (amount[-1] / amount[-5] - 1))


@pytest.mark.fault("D12")
def test_a_hole_where_the_window_begins_makes_the_change_unknown():
    held = samples.interest(HOURS)
    keep = np.ones(HOURS, bool)
    keep[-6:-3] = False
    columns = {k: v[keep] for k, v in held.columns.items()}
    market = market_with(Batch("open_interest", "binance_usdm", "ETHUSDT", columns))
    q = quadrant(lead_interest(venue_interests(market), NOW, 3), market, 4, InterestSettings())
    assert q.interest_percent.value is None
    assert "missing" in (q.interest_percent.unknown or "")


def test_stale_interest_is_not_led_by():
    market = market_with(samples.interest(HOURS - 10))
    assert lead_interest(venue_interests(market), NOW, 3) is None
