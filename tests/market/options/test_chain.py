"""The newest chain of a market, its pull, and surfaces of the recorded Deribit chains."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpocket.domain.events import Batch
from airpocket.domain.units import DAY_NS, HOUR_NS, MINUTE_NS, format_time
from airpocket.levels.pulls import gravity_levels
from airpocket.levels.settings import DEFAULTS
from airpocket.market.options.chain import ChainSnapshot, newest_chain
from airpocket.market.options.gravity import gamma_exposure, interest_by_strike, least_pain
from airpocket.market.options.greeks import greeks
from airpocket.market.options.quotes import ChainQuotes
from airpocket.market.options.ssvi import ssvi
from airpocket.market.options.surface import surface_of
from airpocket.market.options.svi import crosses
from airpocket.market.state import MarketState
from conftest import shared_root

NOW = 1_790_000_000_000_000_000


def rows(ts, strikes, bid=0.01, ask=0.02, expiry=NOW + 30 * DAY_NS, forward=3_000.0, kind="call"):
    n = len(strikes)
    full = {
        "ts": np.full(n, ts), "usable_from": np.full(n, ts + MINUTE_NS),
        "instrument": np.array([f"ETH-{kind}-{strike:g}" for strike in strikes]),
        "expiry": np.full(n, expiry), "strike": np.array(strikes, dtype=float),
        "option_type": np.array([kind] * n), "underlying_index": np.array(["x"] * n),
    }  # fmt: skip
    for name, value in {
        "underlying_price": forward, "bid": bid, "ask": ask, "mark": 0.015, "mark_iv": 0.6, "delta": 0.5,
        "vega": 1.0, "open_interest": 10.0, "volume": 1.0, "index_price": 2_990.0,
    }.items():  # fmt: skip
        full[name] = np.full(n, value)
    return full


def market_of(*tables, venue="deribit"):
    state = MarketState("ETH")
    for table in tables:
        state.apply(Batch("option_quote", venue, "ETH-OPTIONS", table, "made"))
    return state.snapshot(NOW)


def test_the_newest_look_is_taken_and_an_option_told_twice_counts_once():
    old = rows(NOW - 6 * HOUR_NS, [2_000.0])
    before = rows(NOW - 5 * MINUTE_NS, [3_000.0, 3_500.0])
    after = rows(NOW - 2 * MINUTE_NS, [3_500.0], bid=0.03, ask=0.04)
    found = newest_chain(market_of(old, before, after), NOW)
    assert isinstance(found, ChainSnapshot)
    assert found.quotes.strike.tolist() == [3_000.0, 3_500.0]
    assert found.quotes.bid.tolist() == [0.01, 0.03]
    assert (found.ts, found.usable_from) == (NOW - 2 * MINUTE_NS, NOW - MINUTE_NS)
    assert found.index == 2_990.0


@settings(max_examples=30)
@given(
    st.lists(st.integers(1, 47 * 60), min_size=1, max_size=6, unique=True), st.integers(0, 47 * 60)
)
def test_the_pull_of_a_past_moment_is_that_of_the_looks_told_by_then(minutes, back):
    looks = [
        rows(NOW - minute * MINUTE_NS, [2_500.0 + minute, 3_000.0])
        for minute in sorted(minutes)[::-1]
    ]
    then = NOW - back * MINUTE_NS
    told = [look for look in looks if int(look["usable_from"][0]) <= then]
    whole, prefix = (newest_chain(market_of(*each), then) for each in (looks, told))
    if told:
        assert gravity_levels(whole, DEFAULTS) == gravity_levels(prefix, DEFAULTS)
        assert all(level.confirmed_at <= then for level in gravity_levels(whole, DEFAULTS)[0])
    else:
        assert whole == f"no chain of deribit was told by {format_time(then)}"


def test_no_chain_an_old_one_and_a_one_sided_one_are_none_and_say_why():
    assert newest_chain(MarketState("ETH").snapshot(NOW), NOW) == "no option chain stored"
    old = newest_chain(market_of(rows(NOW - 3 * DAY_NS, [3_000.0])), NOW)
    assert "the chain of deribit is of" in str(old)
    one_sided = newest_chain(market_of(rows(NOW - HOUR_NS, [3_000.0], bid=math.nan)), NOW)
    assert one_sided == "the chain of deribit has no two-sided quote"


def snapshot_of(strikes, calls, held, days=30.0, forward=3_000.0):
    n = len(strikes)
    expiry = np.full(n, NOW + round(days * DAY_NS))
    quotes = ChainQuotes(NOW, expiry, np.array(strikes), np.array(calls), np.full(n, forward),
                         np.full(n, 0.01), np.full(n, 0.02))  # fmt: skip
    return ChainSnapshot("v", NOW, NOW, quotes, np.array(held), forward, "v:ETH-OPTIONS")


def test_interest_by_strike_and_the_least_painful_settlement_by_hand():
    chain = snapshot_of(
        [2_800.0, 2_800.0, 3_000.0, 3_200.0, 3_400.0], [False, True, True, True, True],
        [40.0, 5.0, 30.0, math.nan, 10.0],
    )  # fmt: skip
    interest = interest_by_strike(chain, 31 * DAY_NS)
    assert interest.strike.tolist() == [
        2_800.0,
        3_000.0,
        3_400.0,
    ]  # unknown interest is none to add up
    assert interest.unknown == 1
    assert interest.calls.tolist() == [5.0, 30.0, 10.0]
    assert interest.puts.tolist() == [40.0, 0.0, 0.0]
    assert least_pain(interest) == 2_800.0  # pays nobody: at 3,000 the 2,800 calls would be paid
    assert least_pain(interest_by_strike(chain, 29 * DAY_NS)) is None


def test_gamma_exposure_is_that_of_the_options_and_turns_with_the_assumption():
    truth = ssvi(0.04, -0.1, 2.0)
    strikes = 3_000.0 * np.exp(np.linspace(-0.5, 0.5, 21))
    years = 30.0 / 365.0
    vols = truth.volatility(np.log(strikes / 3_000.0), years)
    made = [(strike, call, float(greeks(call, 3_000.0, strike, years, vol).price) / 3_000.0)
            for strike, vol in zip(strikes, vols, strict=True) for call in (True, False)]  # fmt: skip
    chain = snapshot_of(
        [m[0] for m in made], [m[1] for m in made], [2.0 if m[1] else 0.0 for m in made]
    )
    price = np.array([m[2] for m in made])
    chain.quotes.bid[:], chain.quotes.ask[:] = price * 0.99, price * 1.01
    surface = surface_of(chain.quotes)
    found = gamma_exposure(chain, surface, np.array([3_000.0]), "dealers short all")
    want = float(2.0 * greeks(True, 3_000.0, strikes, years, vols).gamma.sum())
    assert found[0] == pytest.approx(want * 3_000.0**2 * 0.01, rel=0.02)
    assert gamma_exposure(chain, surface, np.array([3_000.0]), "dealers long all")[0] == -found[0]


def recorded(coin, every):
    root = shared_root()
    if root is None:
        return
    path = root / "data" / "znmahbub_deribit_chain" / f"{coin}_chain.parquet"
    for frame in pl.read_parquet(path).partition_by("ts", maintain_order=True)[::every]:
        yield ChainQuotes(
            now=frame["ts"].dt.epoch("ns")[0], expiry=frame["expiry"].dt.epoch("ns").to_numpy(),
            strike=frame["strike"].to_numpy(), call=(frame["option_type"] == "call").to_numpy(),
            forward=frame["underlying_price"].to_numpy(), bid=frame["bid_price"].to_numpy(),
            ask=frame["ask_price"].to_numpy(),
        )  # fmt: skip


@pytest.mark.real
@pytest.mark.parametrize(("coin", "every", "least"), [("eth", 30, 0.96), ("btc", 30, 0.90)])
def test_recorded_chains_are_repriced_within_their_quotes_without_arbitrage(coin, every, least):
    quotes = inside = looks = 0
    for chain in recorded(coin, every):
        surface = surface_of(chain)
        looks += 1
        assert surface.unfitted == ()
        quotes += sum(smile.quotes for smile in surface.smiles)
        inside += sum(smile.inside for smile in surface.smiles)
        for smile in surface.smiles:
            assert smile.svi.butterflies().free
        for earlier, later in zip(surface.smiles, surface.smiles[1:], strict=False):
            assert crosses(earlier.svi, later.svi) == 0.0
    assert looks > 3
    assert inside >= least * quotes
