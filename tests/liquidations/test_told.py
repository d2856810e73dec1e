"""What a venue told of marks and liquidations: odd rows are left out and said, silence is not zero."""

import numpy as np
import samples

from airpocket.domain.events import Batch
from airpocket.domain.units import DAY_NS, HOUR_NS, MINUTE_NS
from airpocket.liquidations.told import marks_of, prints_of
from airpocket.market.state import MarketState

START = samples.START


def contract(*batches):
    state = MarketState("ETH")
    for batch in (samples.bars(4), *batches):
        state.apply(batch)
    (found,) = state.snapshot(START + 100 * DAY_NS).perps
    return found


def liquidations(**changes):
    columns = {
        "ts": START + HOUR_NS * np.arange(4), "usable_from": START + HOUR_NS * np.arange(4) + 1_000,
        "forced_side": np.array(["buy", "sell", "unknown", "buy"]), "price": np.full(4, 3_000.0),
        "size": np.array([1.0, 2.0, 4.0, np.nan]), "notional_usd": np.array([3e3, 6e3, 12e3, 24e3]),
        "coverage": np.array(["all"] * 4), "seq": np.arange(4),
    }  # fmt: skip
    return Batch("liquidation", "binance_usdm", "ETHUSDT", {**columns, **changes}, ("made",))


def test_size_comes_from_notional_where_it_must_and_a_print_without_side_is_left_out():
    found = prints_of(contract(liquidations()))
    assert found.coin.tolist() == [1.0, 2.0, 8.0]
    assert found.bought.tolist() == [True, False, True]
    assert found.assumed[0].startswith("1 liquidations without side or size were left out")
    assert found.unheard == 0.25
    assert not found.sampled


def test_prints_without_price_or_size_are_left_out_and_a_sample_is_one():
    odd = liquidations(price=np.full(4, np.nan), coverage=np.array(["all", "sample", "all", "all"]))
    found = prints_of(contract(odd))
    assert found.coin.tolist() == [1.0, 2.0]
    assert found.sampled


def test_a_print_of_more_than_was_open_until_then_is_left_out_and_said():
    known_at = START + HOUR_NS * np.array([0, 2, 30])
    found = prints_of(contract(liquidations()), known_at, np.array([1.5, 3.0, 900.0]))
    assert found.coin.tolist() == [1.0]  # 2 of 1.5 open, and 8 of 3
    assert "2 liquidations of more than ever was open" in found.assumed[1]
    assert found.unheard == 0.75


def test_a_feed_is_down_before_its_first_print_and_after_long_silence():
    found = prints_of(contract(liquidations()))
    end = START + HOUR_NS * np.array([-1, 0, 1, 2, 30, 90], dtype=np.int64) + MINUTE_NS
    bought, sold, squares = found.within(end - HOUR_NS, end, 72 * HOUR_NS)
    assert np.isnan(bought).tolist() == [True, False, False, False, False, True]
    assert bought[1:5].tolist() == [1.0, 0.0, 0.0, 0.0]
    assert sold[1:5].tolist() == [0.0, 2.0, 0.0, 0.0]
    assert squares[1:3].tolist() == [1.0, 4.0]


def test_no_prints_and_no_marks_say_what_stands_in():
    one = contract()
    assert "the leverage mix is the prior's" in prints_of(one).assumed[0]
    assert "last prices stand in for its mark" in marks_of(one).assumed[0]


def test_dense_marks_are_the_path_and_rare_ones_are_not():
    at = START + MINUTE_NS * np.concatenate([np.arange(60), [600]])
    ticker = Batch(
        "ticker", "binance_usdm", "ETHUSDT",
        {"ts": at, "usable_from": at, "last": np.full(61, np.nan), "index": np.full(61, np.nan),
         "mark": 3_000.0 + np.arange(61.0)}, ("made",),
    )  # fmt: skip
    marks = marks_of(contract(ticker))
    begin = START + np.array([0, 9]) * HOUR_NS
    high, low = marks.reach(begin, begin + HOUR_NS, np.array([9e3, 9e3]), np.array([1.0, 1.0]))
    assert high.tolist() == [3_059.0, 9e3]
    assert low.tolist() == [3_001.0, 1.0]
