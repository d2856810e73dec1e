"""Chains of one's own: the newest look is taken, and what is wrong names file, row and column."""

import numpy as np
import pytest

from airpocket.domain.errors import BadInput, BadTable
from airpocket.domain.units import parse_time
from airpocket.ingest.chain_file import read_chain
from airpocket.market.options.chain import newest_chain
from airpocket.market.state import MarketState

NOW = parse_time("2026-02-06T22:00Z")
HEAD = "instrument_name,bid_price,ask_price,underlying_price"


def written(tmp_path, *rows, head=HEAD):
    path = tmp_path / "chain.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def test_a_file_is_a_chain_like_a_stored_one(tmp_path):
    path = written(
        tmp_path, "ETH-27FEB26-2400-C,0.01,0.012,2060", "ETH-27FEB26-1800-P,,0.02,2060",
        "BTC-27FEB26-80000-C,0.01,0.012,70000",
    )  # fmt: skip
    state = MarketState("ETH")
    state.apply(read_chain(path, "ETH", NOW))
    found = newest_chain(state.snapshot(NOW), NOW)
    assert found.quotes.strike.tolist() == [2_400.0, 1_800.0]
    assert found.quotes.call.tolist() == [True, False]
    assert np.isnan(found.quotes.bid[1])
    assert (found.ts, found.index) == (NOW, 2_060.0)


def test_of_several_looks_the_newest_by_the_moment_counts(tmp_path):
    path = written(
        tmp_path, "2026-02-06T15:00:00Z,ETH-27FEB26-2400-C,0.01,0.012,2060",
        "2026-02-06T21:30:00Z,ETH-27FEB26-2400-C,0.02,0.022,2050",
        "2026-02-07T04:00:00Z,ETH-27FEB26-2400-C,0.09,0.1,2300", head=f"ts,{HEAD}",
    )  # fmt: skip
    batch = read_chain(path, "ETH", NOW)
    assert batch.floats("bid").tolist() == [0.02]
    with pytest.raises(BadInput, match="no chain at or before"):
        read_chain(path, "ETH", parse_time("2026-02-01T00:00Z"))


@pytest.mark.parametrize(
    ("row", "column", "says"),
    [
        ("ETH-27FEB26-2400-X,0.01,0.012,2060", "instrument_name", "unknown symbol"),
        ("ETH-27FEB26-2400-C,minus,0.012,2060", "bid_price", "must be a number"),
        ("ETH-27FEB26-2400-C,0.01,-0.012,2060", "ask_price", "at least 0"),
    ],
)
def test_a_wrong_row_is_named(tmp_path, row, column, says):
    path = written(tmp_path, "ETH-27FEB26-2300-C,0.01,0.012,2060", row)
    with pytest.raises(BadTable, match=says) as caught:
        read_chain(path, "ETH", NOW)
    assert (caught.value.row, caught.value.column) == (2, column)


def test_a_missing_column_another_coin_and_no_file_are_refused(tmp_path):
    path = written(tmp_path, "ETH-27FEB26-2400-C,0.01", head="instrument_name,bid_price")
    with pytest.raises(BadTable, match="is missing"):
        read_chain(path, "ETH", NOW)
    with pytest.raises(BadInput, match="no option on SOL"):
        read_chain(written(tmp_path, "ETH-27FEB26-2400-C,0.01,0.02,2060"), "SOL", NOW)
    with pytest.raises(BadInput, match="no such file"):
        read_chain(tmp_path / "none.csv", "ETH", NOW)
