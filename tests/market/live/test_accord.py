"""Do the venues agree: one that leaves all others, and quote coins that are no dollar."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.domain.instruments import instrument
from airpocket.market.live.accord import Seen, depegs, divergences, parities

S = 1_000_000_000
NOW = 1_800_000_000 * S
PERPS = {
    "binance_usdm": "ETHUSDT",
    "bybit_linear": "ETHUSDT",
    "okx": "ETH-USDT-SWAP",
    "hyperliquid": "ETH",
}
SPOTS = {
    "coinbase": "ETH-USD",
    "kraken_spot": "ETH/USD",
    "binance_spot": "ETHUSDT",
    "bybit_spot": "ETHUSDT",
}


def seen(venue, symbol, age_s=1.0, **prices):
    heard = int(NOW - age_s * S)
    return Seen(instrument(venue, symbol), {name: (heard, price) for name, price in prices.items()})


def perps(**changed):
    """Four venues at 3000, but for what is said of one."""
    return [
        seen(venue, symbol, **{"mark": 3_000.0, "index": 3_000.0, "last": 3_000.0, **changed.get(venue, {})})
        for venue, symbol in PERPS.items()
    ]  # fmt: skip


@pytest.mark.fault("M12")
@pytest.mark.parametrize("name", ["mark", "index", "last"])
@pytest.mark.parametrize("off", [-0.35, -0.05, 0.05, 0.30])
def test_one_venues_price_that_leaves_the_others_is_named_and_nobody_else(name, off):
    found = divergences(perps(okx={name: 3_000.0 * (1.0 + off)}), {}, NOW)
    assert list(found) == [("okx", "ETH-USDT-SWAP")]
    assert found["okx", "ETH-USDT-SWAP"].startswith(f"{name} is {100 * off:+.1f} %")


@pytest.mark.fault("M12")
@given(st.floats(-0.5, 1.0))
def test_venues_that_move_together_agree_whatever_they_do(move):
    at = 3_000.0 * (1.0 + move)
    same = {venue: {"mark": at, "index": at, "last": at * 1.001} for venue in PERPS}
    assert not divergences(perps(**same), {}, NOW)


@pytest.mark.fault("M12")
def test_old_prices_accuse_nobody():
    others = perps()[:3]
    assert not divergences([*others, seen("hyperliquid", "ETH", 60.0, mark=1_000.0)], {}, NOW)


@pytest.mark.fault("M12")
def test_alone_a_mark_is_held_against_its_own_index():
    [reason] = divergences(
        [seen("binance_usdm", "ETHUSDT", mark=2_700.0, index=3_000.0)], {}, NOW
    ).values()
    assert reason == "mark is -10.0 % off its own index"


def spots(dollars=3_000.0, tether=3_000.0, **changed):
    at = {"coinbase": dollars, "kraken_spot": dollars, "binance_spot": tether, "bybit_spot": tether}
    return [
        seen(venue, symbol, last=changed.get(venue, at[venue])) for venue, symbol in SPOTS.items()
    ]


@pytest.mark.fault("M13")
def test_a_quote_coin_that_loses_its_peg_is_told_by_what_the_asset_costs_in_it():
    rates = parities(spots(tether=3_000.0 / 0.95), NOW)
    assert depegs(rates) == {"USDT": pytest.approx(0.95)}
    assert not depegs(parities(spots(tether=3_003.0), NOW))


@pytest.mark.fault("M13")
def test_a_depeg_is_no_divergence_of_the_venues_quoted_in_it():
    at = 3_000.0 / 0.90
    quoted = perps(
        **{
            v: {"mark": at, "index": at, "last": at}
            for v in ("binance_usdm", "bybit_linear", "okx")
        }
    )
    every = [*quoted, *spots(tether=at)]
    rates = parities(every, NOW)
    assert rates["USDT"] == pytest.approx(0.90)
    assert not divergences(every, rates, NOW)
    assert divergences(every, {}, NOW)  # in dollars one to one they would disagree


@pytest.mark.fault("M13")
@pytest.mark.parametrize(
    "broken", [{"binance_spot": 2_000.0}, {"coinbase": 2_000.0}], ids=["the coin's", "the dollar's"]
)
def test_one_venues_glitch_is_no_depeg(broken):
    assert not parities(spots(**broken), NOW)


@pytest.mark.fault("M13")
def test_without_a_dollar_market_or_a_second_pair_the_rate_is_not_told():
    assert not parities(spots()[2:], NOW)
    assert not parities(spots()[:3], NOW)
