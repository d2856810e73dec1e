"""The live chain: parts are laid over one another, what is old or expired goes, and dollars become coin."""

import numpy as np
import pytest

from airpocket.domain.kinds import split_name
from airpocket.domain.wire import OptionTick
from airpocket.market.live import rows
from airpocket.market.live.chain import FRESH_NS, Chain
from airpocket.market.live.state import LiveState

S = 1_000_000_000
T0 = 1_800_000_000 * S
EXPIRY = T0 + 30 * 86_400 * S


def tick(at=T0, venue="okx", symbol="ETH-USD-270214-3000-C", unit="coin", says=(), **told):
    return OptionTick(venue=venue, symbol=symbol, ts=at, usable_from=at, heard=at, base="ETH", expiry=EXPIRY,
                      strike=3000.0, call=True, price_unit=unit, says=says, **told)  # fmt: skip


def test_each_message_replaces_what_it_speaks_for_and_nothing_else():
    chain = Chain()
    chain.apply(tick(says=("bid", "ask"), bid=0.04, ask=0.05))
    chain.apply(
        tick(T0 + S, says=("mark_iv", "forward", "delta"), mark_iv=0.6, forward=3010.0, delta=0.5)
    )
    chain.apply(tick(T0 + 2 * S, says=("bid", "ask"), bid=None, ask=0.06))  # the bid is gone
    ((found,),) = chain.snapshot(T0 + 3 * S).values()
    assert (found.bid, found.ask, found.mark_iv, found.forward, found.mark) == (
        None,
        0.06,
        0.6,
        3010.0,
        None,
    )
    assert found.usable_from == T0 + 2 * S


def test_a_part_that_was_not_heard_of_late_is_unknown():
    chain = Chain()
    chain.apply(tick(says=("bid", "ask"), bid=0.04, ask=0.05))
    chain.apply(tick(T0 + FRESH_NS, says=("mark_iv", "forward"), mark_iv=0.6, forward=3010.0))
    ((found,),) = chain.snapshot(T0 + FRESH_NS + S).values()
    assert (found.bid, found.mark_iv) == (None, 0.6)
    assert chain.snapshot(T0 + 3 * FRESH_NS) == {}


def test_expired_options_are_forgotten():
    chain = Chain()
    chain.apply(tick(EXPIRY - S, forward=3000.0, mark=0.01))
    assert chain.snapshot(EXPIRY) == {}
    assert len(chain) == 0


def test_a_mark_that_no_volatility_can_give_is_unknown():
    """A call worth more than the coin: dollars where coin was promised (OKX, a frame of 2021)."""
    chain = Chain()
    chain.apply(tick(forward=3000.0, mark=3.8))
    chain.apply(tick(symbol="ETH-USD-270214-3000-C2", forward=3000.0, mark=0.07))
    ((dollars, coin),) = chain.snapshot(T0 + S).values()
    assert (dollars.mark, coin.mark, chain.implausible) == (None, 0.07, 1)


@pytest.mark.parametrize(
    ("forward", "index", "coin"), [(2000.0, 1900.0, 0.05), (None, 2500.0, 0.04)]
)
def test_dollars_become_coin_by_the_forward_or_else_the_index(forward, index, coin):
    chain = [
        tick(
            venue="binance_options", unit="usd", ask=100.0, mark=None, forward=forward, index=index
        )
    ]
    (row,) = rows.chain_rows(chain, T0, T0)
    assert row["ask"] == pytest.approx(coin)
    assert row["underlying_price"] == forward
    assert row["index_price"] == index


def test_dollars_without_any_price_of_the_coin_are_left_out():
    assert rows.chain_rows([tick(unit="usd", ask=100.0)], T0, T0) == []


def test_the_chain_of_every_venue_is_kept_each_quarter_of_an_hour():
    state = LiveState("ETH")
    for minute in range(32):
        at = T0 + minute * 60 * S
        state.apply(
            tick(at, says=("forward", "mark_iv", "delta"), forward=3000.0, mark_iv=0.6, delta=0.5)
        )
        state.apply(tick(at, says=("bid", "ask"), bid=0.05, ask=0.06))
        state.apply(
            tick(
                at,
                venue="bybit_options",
                symbol="ETH-14FEB27-3000-C",
                unit="usd",
                bid=150.0,
                forward=3000.0,
            )
        )
    kept = [batch for batch in state.facts if batch.kind == "option_quote"]
    assert [(b.venue, b.symbol) for b in kept[:2]] == [
        ("bybit_options", "ETH-OPTIONS"), ("okx", "ETH-OPTIONS"),
    ]  # fmt: skip
    assert len(kept) >= 4
    assert kept[0].floats("bid")[0] == pytest.approx(0.05)
    assert np.isnan(kept[0].floats("delta")[0])  # not said: not zero
    for column in split_name("option_quote")[0].columns:
        values = kept[1].columns[column.name]
        assert column.nullable or column.dtype != "f64" or np.isfinite(values).all(), column.name
