"""From what each venue says of its options on the wire, through the store, to a hedge."""

import numpy as np
import pytest
from playbook.accounts_made import NOW, PRICE
from playbook.test_hedges import asked, optimum

from airpocket.domain.units import DAY_NS, TimeNs
from airpocket.domain.wire import OptionTick
from airpocket.ingest.lake import Lake
from airpocket.ingest.replay import facts_of
from airpocket.live.keeper import table_of
from airpocket.market.live import rows
from airpocket.market.live.chain import Chain
from airpocket.market.options.chain import newest_chain
from airpocket.market.options.forwards import parity_forwards
from airpocket.market.options.greeks import greeks
from airpocket.market.state import MarketState
from airpocket.playbook.hedging.candidates import candidates_of

FORWARD = 1.004 * PRICE
EXPIRY = NOW + 30 * DAY_NS


def ticks(venue, *, unit, forward, sizes):
    """A chain of thirty days as this venue tells it."""
    for strike in np.arange(1_600.0, 2_801.0, 100.0):
        for call in (True, False):
            worth = float(greeks(call, FORWARD, strike, 30.0 / 365.0, 0.7).price)
            per = FORWARD if unit == "coin" else 1.0
            told = {"bid_size": 180.0, "ask_size": 160.0} if sizes else {}
            yield OptionTick(
                venue=venue, symbol=f"ETH-{strike:g}-{'C' if call else 'P'}", ts=NOW, usable_from=NOW, heard=NOW,
                base="ETH", expiry=EXPIRY, strike=strike, call=call, price_unit=unit, bid=0.99 * worth / per,
                ask=1.01 * worth / per, forward=FORWARD if forward else None, index=PRICE, **told,
            )  # fmt: skip


@pytest.mark.parametrize(
    ("venue", "unit", "forward", "sizes"),
    [
        ("deribit", "coin", True, False),
        ("okx", "coin", True, True),
        ("bybit_options", "usd", True, True),
        ("binance_options", "usd", False, True),  # tells no forward: parity does
    ],
)
def test_the_chain_that_was_heard_is_what_a_hedge_is_made_of(venue, unit, forward, sizes, tmp_path):
    chain = Chain()
    for tick in ticks(venue, unit=unit, forward=forward, sizes=sizes):
        chain.apply(tick)
    ((told, heard),) = chain.snapshot(NOW + 1).items()
    batch = rows.batch("option_quote", told, "ETH-OPTIONS", rows.chain_rows(heard, NOW, NOW))
    lake = Lake(tmp_path / "store")
    lake.write([table_of([batch])])
    state = MarketState("ETH")
    for fact in facts_of(lake, "ETH", TimeNs(NOW)):
        state.apply(fact)
    found = candidates_of(newest_chain(state.snapshot(TimeNs(NOW)), NOW), "ETH", NOW)
    assert found.venue == venue
    np.testing.assert_allclose(found.forward, FORWARD, rtol=1e-9)
    near = np.abs(np.abs(found.delta) - 0.5) < 0.35
    np.testing.assert_allclose((0.5 * (found.bid_vol + found.ask_vol))[near], 0.7, atol=2e-3)
    assert found.sized == (len(found) if sizes else 0)
    question = asked("short", candidates=found)
    task, chosen = optimum(question, "ladder", gap=13.0)
    if sizes:
        assert float(task.columns.upper.max()) == 160.0
        assert float(chosen.coins.max()) <= 160.0 + 1e-9
    assert chosen.held > 0.0


def test_forwards_come_from_the_strikes_that_have_both_sides():
    strike = np.array([1_900.0, 1_900.0, 2_000.0, 2_000.0, 2_100.0, 1_900.0])
    call = np.array([True, False, True, False, True, True])
    expiry = np.array([1, 1, 1, 1, 1, 2])
    middle = np.array([180.0, 70.0, 120.0, 110.0, np.nan, 50.0])
    found = parity_forwards(expiry, strike, call, middle, 2_000.0)
    assert found[:5] == pytest.approx([2_010.0] * 5)
    assert np.isnan(found[5])  # a call alone says nothing
