"""A minute is whole when its own connection has spoken of a later moment, whoever else says that it is over."""

import pytest

from airpocket.domain.wire import Quote, Trade
from airpocket.market.live.state import LiveState

S = 1_000_000_000
M = 60 * S
T0 = 1_800_000_000 * S - (1_800_000_000 * S) % M
SLOW, QUICK = ("bybit_linear", "ETHUSDT"), ("okx", "ETH-USDT-SWAP")


def _said(who, second, at):
    venue, symbol = who
    return {
        "venue": venue,
        "symbol": symbol,
        "ts": int(T0 + second * S),
        "usable_from": at,
        "heard": at,
    }


class Heard:
    """Two venues, one of them on a line that may be slow or dead; seconds since T0."""

    def __init__(self):
        self.state = LiveState("ETH")
        self._number = 0

    def trade(self, second, late_s=0.0, by="c#1", who=SLOW):
        self._number += 1
        at = int(T0 + (second + late_s) * S)
        self.state.apply(
            Trade(
                **_said(who, second, at), price=3_000.0, size=1.0, notional_usd=3_000.0,
                taker_side="buy", trade_id=f"{self._number}",
            ),
            by,
        )  # fmt: skip

    def quote(self, second, late_s=0.1, by="c#1"):
        at = int(T0 + (second + late_s) * S)
        self.state.apply(
            Quote(
                **_said(SLOW, second, at), bid=2_999.0, bid_size=1.0, ask=3_001.0, ask_size=1.0
            ),
            by,
        )  # fmt: skip

    def other(self, second):
        """A word of the other venue, which closes what is over."""
        self.trade(second, by="o#1", who=QUICK)

    def told(self):
        """The slow venue's minutes → prints, and when that was known (s)."""
        return {
            (int(batch.ints("ts")[0]) - T0) // M: (
                int(batch.ints("prints")[0]),
                (int(batch.ints("usable_from")[0]) - T0) / S,
            )
            for batch in self.state.facts
            if batch.kind == "tape_1m" and batch.venue == SLOW[0]
        }


@pytest.fixture
def heard():
    """A minute that runs, heard from before its start, one trade in it."""
    market = Heard()
    for second in (1.0, 61.0):
        market.other(second)
        market.trade(second)
    return market


@pytest.mark.fault("C09")
def test_a_trade_on_its_way_when_another_venue_closes_the_minute_is_in_it(heard):
    heard.other(122.8)
    heard.other(123.1)
    assert not heard.told()
    heard.trade(119.2, late_s=4.7)
    assert not heard.told()
    heard.quote(121.2, late_s=4.7)
    assert heard.told() == {1: (2, 125.9)}


@pytest.mark.fault("B17")
@pytest.mark.parametrize("overlaps", [False, True])
def test_a_line_that_died_before_the_minute_s_end_proves_nothing_and_nor_does_its_successor(
    heard, overlaps
):
    heard.other(123.1)
    if not overlaps:
        heard.state.ended(SLOW[0], "c#1")
    heard.trade(130.0, by="c#2")
    heard.quote(131.0, by="c#2")
    heard.other(183.1)
    heard.trade(184.0, by="c#2")
    assert 1 not in heard.told()


@pytest.mark.fault("C03")
def test_a_message_lost_while_the_minute_s_last_trades_are_on_their_way_may_be_one_of_them(heard):
    heard.other(123.1)
    heard.state.refused(SLOW[0], "c#1", "trades", b"{", int(T0 + 123.5 * S))
    heard.quote(124.0)
    assert not heard.told()
