"""The simulated market's parts agree with each other: bars, funding, depth, book and hidden positions."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.lab import World, true_positions
from airpocket.lab.latent import MAINTENANCE, LatentSide, liquidation_price

Find = Callable[..., pl.DataFrame]
VENUES = ("sim_perp", "sim_perp2", "sim_spot")


@pytest.mark.parametrize("venue", VENUES)
def test_minutes_add_up_to_the_hours_exactly(table: Find, venue: str) -> None:
    summed = table("bar_1m", venue).group_by_dynamic("ts", every="1h").agg(
        pl.col("open").first(), pl.col("high").max(), pl.col("low").min(), pl.col("close").last(),
        pl.col("volume", "volume_usd", "taker_buy").sum(),
    )  # fmt: skip
    hours = table("bar_1h", venue).select(summed.columns).tail(summed.height)
    assert summed.height == 72
    assert summed.equals(hours)


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("kind", ["bar_1h", "bar_1m"])
def test_a_bar_holds_its_own_trades(table: Find, kind: str, venue: str) -> None:
    bars = table(kind, venue)
    mean = pl.col("volume_usd") / pl.col("volume")
    holds = bars.select(
        body=(pl.max_horizontal("open", "close") <= pl.col("high"))
        & (pl.min_horizontal("open", "close") >= pl.col("low")),
        mean=mean.is_between(pl.col("low"), pl.col("high")),
        taker=pl.col("taker_buy") <= pl.col("volume"),
        follows=(pl.col("open") == pl.col("close").shift(1)).fill_null(value=True),
    )
    assert holds.select(pl.all().all()).row(0) == (True, True, True, True)


@pytest.mark.parametrize("venue", ["sim_perp", "sim_perp2"])
def test_funding_follows_from_the_premium(table: Find, venue: str) -> None:
    premium = table("premium_bar_1h", venue)["close"].to_numpy()
    settled = table("funding", venue)
    assert (settled["ts"].dt.hour() % 8 == 0).all()
    mean = premium[: settled.height * 8].reshape(-1, 8).mean(axis=1)
    rate = mean + np.minimum(0.0005, np.maximum(-0.0005, 0.0001 - mean))
    np.testing.assert_allclose(settled["rate"].to_numpy(), rate, atol=1e-8)


def test_the_ticker_agrees_with_bars_and_premium(table: Find) -> None:
    ticker = table("ticker").filter(pl.col("ts").dt.truncate("1h") == pl.col("ts"))
    hours = table("bar_1h").with_columns(ts=pl.col("usable_from")).select("ts", "close")
    premium = table("premium_bar_1h").select(ts=pl.col("usable_from"), premium=pl.col("close"))
    joined = ticker.join(hours, on="ts").join(premium, on="ts")
    assert joined.height > 700
    assert (joined["last"] == joined["close"]).all()
    assert ((joined["last"] / joined["index"] - 1 - joined["premium"]).abs() < 1e-8).all()


@pytest.mark.parametrize("venue", VENUES)
def test_depth_grows_with_distance_on_both_sides(table: Find, venue: str) -> None:
    rows = table("depth", venue).with_columns(
        side=pl.col("percent").sign(), away=pl.col("percent").abs()
    )
    rising = rows.sort("ts", "side", "away").select(
        pl.col("notional_usd").diff().over("ts", "side").drop_nulls() > 0
    )
    assert rising.to_series().all()


@pytest.mark.parametrize("venue", VENUES)
def test_the_book_holds_what_the_depth_rows_say(table: Find, venue: str) -> None:
    book = table("book", venue)
    best_bid = book.filter(book_side="bid")["price"].max()
    best_ask = book.filter(book_side="ask")["price"].min()
    assert best_bid < best_ask
    mid = (best_bid + best_ask) / 2
    away = (pl.col("price") / mid - 1) * 100
    depth = table("depth", venue).filter(pl.col("ts") == book["ts"][0])
    for percent, notional in depth.select("percent", "notional_usd").iter_rows():
        inside = away.is_between(min(percent, 0), max(percent, 0))
        resting = book.filter(inside).select(pl.col("price") * pl.col("size")).sum().item()
        assert resting == pytest.approx(notional, rel=2e-3)


@given(
    side=st.sampled_from(["short", "long"]),
    entry=st.floats(1.0, 1e5),
    leverage=st.floats(1.5, 100.0),
)
def test_at_its_liquidation_price_equity_is_the_maintenance_margin(
    side: str, entry: float, leverage: float
) -> None:
    price = liquidation_price(side, entry, leverage)
    gain = entry - price if side == "short" else price - entry
    equity = entry / leverage + gain
    assert equity == pytest.approx(MAINTENANCE * price, abs=1e-9 * entry)


def test_the_nearest_positions_are_forced_out_first_and_only_once() -> None:
    shorts = LatentSide("short")
    shorts.open(10.0, 100.0, 10.0, opened_ns=1)
    shorts.open(20.0, 100.0, 50.0, opened_ns=2)
    shorts.close_share(0.5)
    nearest = liquidation_price("short", 100.0, 50.0)
    assert shorts.force(nearest - 0.01, 90.0) == []
    [forced] = shorts.force(nearest, 90.0)
    assert forced.size_coin == pytest.approx(10.0)
    assert shorts.force(nearest, 90.0) == []
    assert shorts.size_coin == pytest.approx(5.0)


def test_nobody_is_left_whom_the_mark_has_passed(world: World) -> None:
    last = float(world.close[-1])
    left = true_positions(world)
    shorts, longs = left.filter(side="short"), left.filter(side="long")
    worst = 1 - 0.003  # the premium moves the mark by less than this
    assert (shorts["liquidation_price"] > last * worst).all()
    assert (longs["liquidation_price"] < last / worst).all()


def test_leveraged_positions_fit_into_open_interest(world: World, table: Find) -> None:
    left = true_positions(world).group_by("venue", "side").agg(pl.col("size_coin").sum())
    for venue, _, size in left.iter_rows():
        assert size < table("open_interest", venue)["amount"][-1]


@pytest.mark.parametrize("venue", ["sim_perp", "sim_perp2"])
def test_every_liquidation_prints_where_the_market_traded(table: Find, venue: str) -> None:
    printed = table("liquidation", venue).sort("ts")
    bars = table("bar_1h", venue).select("ts", "low", "high")
    within = printed.join_asof(bars, on="ts").select(
        pl.col("price").is_between(pl.col("low"), pl.col("high"))
    )
    assert within.to_series().all()
