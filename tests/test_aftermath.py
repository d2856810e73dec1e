"""What an order would have become: gaps fill at the open, closes at the close, quotes at the other side."""

import numpy as np
import polars as pl
import pytest

from airpocket.domain.estimates import known
from airpocket.domain.units import DAY_NS, HOUR_NS
from airpocket.market.bars import Bars
from airpocket.playbook.hedging.records import HedgeLeg
from scripts.aftermath import After, Chains, Terms, settled

START = 400 * DAY_NS


def bars(rows, step=HOUR_NS, start=START):
    """Bars of (open, high, low, close)."""
    ts = start + step * np.arange(len(rows), dtype=np.int64)
    none = np.full((3, len(rows)), np.nan)
    return Bars(ts, ts + step, np.vstack([np.array(rows, dtype=np.float64).T, none]))


def after(rows, *, short, fours=()):
    return After(START, bars(rows), bars(fours or [(1, 1, 1, 1)], 4 * HOUR_NS), short)


def test_a_stop_fills_at_its_price_and_past_it_where_a_bar_opens_beyond() -> None:
    rows = [(100, 101, 99, 100), (100, 104, 100, 103), (110, 111, 108, 109)]
    seen = after(rows, short=True)
    assert seen.stop(103.0, START + DAY_NS).price == 103.0
    assert seen.stop(103.0, START + DAY_NS).at == START + 2 * HOUR_NS
    assert seen.stop(105.0, START + DAY_NS).price == 110.0
    assert seen.stop(105.0, START + 2 * HOUR_NS) is None  # lapsed before that bar
    assert after(rows, short=False).stop(99.5, START + DAY_NS).price == 99.5
    assert after(rows, short=False).stop(98.0, START + DAY_NS) is None


def test_a_limit_order_needs_its_price_traded() -> None:
    seen = after([(100, 101, 99, 100)], short=False)
    assert seen.limit(99.0, START + DAY_NS, below=True).price == 99.0
    assert seen.limit(98.9, START + DAY_NS, below=True) is None
    assert seen.limit(101.0, START + DAY_NS, below=False).price == 101.0


def test_a_close_beyond_a_level_is_had_at_the_close() -> None:
    fours = [(100, 120, 99, 101), (101, 130, 100, 125)]
    seen = after([(100, 101, 99, 100)], short=True, fours=fours)
    assert seen.closed_beyond(110.0, START + DAY_NS, confirmed=False).price == 125.0
    assert seen.closed_beyond(110.0, START + 4 * HOUR_NS, confirmed=False) is None
    assert (
        seen.closed_beyond(110.0, START + DAY_NS, confirmed=True) is None
    )  # too few bars for an RSI


def leg(side, coins, name):
    one = known(coins, "coin", as_of=START, now=START, source="made")
    return HedgeLeg(side=side, name=name, size=one, price=one)


def test_hedges_are_taken_back_at_the_other_side_of_the_quote() -> None:
    quotes = pl.DataFrame(
        {
            "instrument": ["A", "B"], "bid": [0.10, 0.02], "ask": [0.12, 0.03],
            "index_price": [2_000.0, 2_000.0], "usable_ns": [START, START],
        }
    )  # fmt: skip
    chains, legs = Chains(quotes), [leg("buy", 10.0, "A"), leg("sell", 5.0, "B")]
    # fees: 0.03 % of the index is 0.6 a coin, less than an eighth of either premium
    worth = 10.0 * (200.0 - 0.6) - 5.0 * (60.0 + 0.6)
    assert chains.value(legs, START + HOUR_NS) == pytest.approx(worth)
    assert chains.value(legs, START + DAY_NS) == "no quote of A"


def test_every_leg_is_settled_at_the_price_of_its_own_expiry() -> None:
    legs = [leg("buy", 10.0, "A"), leg("sell", 5.0, "B")]
    terms = {"A": Terms(1_900.0, call=True, price=2_200.0), "B": Terms(2_100.0, True, 2_150.0)}
    assert settled(legs, terms) == pytest.approx(10.0 * 300.0 - 5.0 * 50.0)
    terms = {"A": Terms(1_900.0, call=True, price=1_800.0), "B": Terms(2_100.0, False, 2_000.0)}
    assert settled(legs, terms) == pytest.approx(-5.0 * 100.0)
