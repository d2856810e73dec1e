"""Where classes are liquidated follows the venue's own tiers; what a venue does not grant is not there."""

import numpy as np
import pytest

from airpocket.domain.instruments import instrument
from airpocket.domain.units import parse_time
from airpocket.liquidations.crossing import shifts_of
from airpocket.liquidations.settings import MapSettings
from airpocket.margin.bundled import schedules_of
from airpocket.margin.kernel import Leg, liquidation
from airpocket.market.state import Contract

NOW = parse_time("2026-03-01T00:00Z")
S = MapSettings()


def shifts(venue, symbol, at=NOW):
    return shifts_of(Contract(instrument(venue, symbol)), at, S)


def test_binance_uses_the_tier_of_the_size_that_its_leverage_admits():
    table = shifts("binance_usdm", "ETHUSDT")
    schedule = schedules_of("binance_usdm", "ETHUSDT", NOW)[-1]
    for k, size in ((3, 100_000.0), (9, 50_000.0)):  # 125x is granted up to 50,000 USD only
        price = liquidation(Leg("linear", "short", size, 1.0, size / S.leverage[k]), schedule).price
        assert table[0, k] == pytest.approx(np.log(price) / S.width)
    assert (np.diff(table, axis=1) < 0.0).all()


def test_hyperliquid_grants_no_more_than_25x():
    table = shifts("hyperliquid", "ETH")
    granted = np.array(S.leverage) <= 25.0
    assert np.isfinite(table[:, granted]).all()
    assert np.isnan(table[:, ~granted]).all()


def test_without_a_schedule_the_settings_stand_in():
    table = shifts("dydx", "ETH-USD")
    assert table[0, 3] == pytest.approx(np.log(1.1 / 1.005) / S.width)
