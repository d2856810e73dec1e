"""The volatility index of recorded Deribit chains against the one that Deribit published."""

import numpy as np
import polars as pl
import pytest

from airpocket.domain.units import DAY_NS
from airpocket.market.options.quotes import ChainQuotes
from airpocket.market.options.surface import surface_of

pytestmark = pytest.mark.real
_MONTH = 30.0 / 365.0
_EVERY = 22
# a snapshot's prices are of so long after its stamp, in the median (its provenance says how that was found)
_LATE_S = {"eth": 104, "btc": 2}


def chains(folder, coin):
    """Every so manieth snapshot, as (moment, quotes)."""
    rows = pl.read_parquet(folder / "znmahbub_deribit_chain" / f"{coin}_chain.parquet")
    for stamp in rows["ts"].unique().sort().to_list()[::_EVERY]:
        one = rows.filter(pl.col("ts") == stamp)
        now = int(stamp.timestamp()) * 1_000_000_000 + _LATE_S[coin] * 1_000_000_000
        yield ChainQuotes(
            now=now, expiry=one["expiry"].dt.timestamp("ns").to_numpy(), strike=one["strike"].to_numpy(),
            call=(one["option_type"] == "call").to_numpy(), forward=one["underlying_price"].to_numpy(),
            bid=one["bid_price"].fill_null(float("nan")).to_numpy(),
            ask=one["ask_price"].fill_null(float("nan")).to_numpy(),
        )  # fmt: skip


def published(folder, coin):
    """By day (ns), the index at its end, per cent."""
    name = {
        "eth": "jaswanthobbu_dvol/eth_dvol_1d.parquet",
        "btc": "kittycapital_dvol/btc_dvol_close_1d.parquet",
    }[coin]
    rows = pl.read_parquet(folder / name)
    return dict(zip(rows["ts"].dt.timestamp("ns").to_list(), rows["close"].to_list(), strict=True))


def at(closes, now):
    """The index at a moment: straight between the ends of the day before and of its own day."""
    day = now // DAY_NS * DAY_NS
    before, after = closes[day - DAY_NS], closes[day]
    return before + (after - before) * (now - day) / DAY_NS


@pytest.mark.parametrize("coin", ["eth", "btc"])
def test_a_strip_from_five_delta_is_dvol_and_the_money_lies_below(shared, coin):
    folder = shared / "data"
    closes = published(folder, coin)
    off = []
    for chain in chains(folder, coin):
        surface = surface_of(chain)
        told = at(closes, chain.now)
        cut, whole, money = (
            100.0 * each
            for each in (
                surface.index_volatility(_MONTH), surface.index_volatility(_MONTH, 0.0),
                float(surface.volatility(0.0, _MONTH)),
            )
        )  # fmt: skip
        off.append((cut - told, whole - told, money - told))
    cut, whole, money = np.median(np.array(off), axis=0)
    assert abs(cut) < 1.0
    assert whole > 1.0
    assert money < -1.0
