"""Health of live channels: proven by data alone, per channel; silence is never read as calm."""

from random import Random

import pytest

from airpocket.domain.channels import Channel
from airpocket.domain.events import Ticker
from airpocket.domain.wire import BookChange, Liquidation, Quote, Trade, VolTick
from airpocket.market.pulse import Pulse

S = 1_000_000_000
T0 = 1_800_000_000 * S


def trade(at, lag_s=0.0, symbol="ETHUSDT"):
    return Trade(venue="v", symbol=symbol, ts=int(at - lag_s * S), usable_from=at, heard=at, price=1.0,
                 size=1.0, notional_usd=1.0, taker_side="buy", trade_id=at)  # fmt: skip


def ticker(at):
    return Ticker(venue="v", symbol="ETHUSDT", ts=at, usable_from=at, heard=at, mark=1.0)


def book(at):
    return BookChange(venue="v", symbol="ETHUSDT", ts=at, usable_from=at, heard=at, snapshot=False, first=1,
                      last=1, previous=0, bids=(), asks=())  # fmt: skip


def forced(at):
    return Liquidation(venue="v", symbol="ETHUSDT", ts=at, usable_from=at, heard=at, forced_side="buy",
                       price=1.0, price_kind="fill", size=1.0, notional_usd=1.0, coverage="all")  # fmt: skip


@pytest.fixture
def pulse():
    found = Pulse()
    for name, silence in (("trades", 20.0), ("liquidations", None)):
        found.declare("v", "market", Channel(name, "ETHUSDT", silence))
    found.declare("v", "public", Channel("quote", "ETHUSDT", 5.0))
    return found


def state(pulse, channel, now):
    return pulse.state_of("v", "ETHUSDT", channel, now)[0]


def test_a_connection_proves_nothing(pulse):
    assert state(pulse, "trades", T0) == "down"
    pulse.opened("v", "market", T0)
    assert state(pulse, "trades", T0 + 15 * S) == "waiting"
    assert state(pulse, "trades", T0 + 21 * S) == "silent"


def test_a_volatility_index_is_declared_by_its_coin():
    pulse = Pulse([("deribit", "public", Channel("vol_index", "ETH", 60.0))])
    pulse.opened("deribit", "public", T0)
    pulse.heard(
        VolTick(venue="deribit", symbol="ETH-DVOL", ts=T0, usable_from=T0, heard=T0, value=60.0)
    )
    assert pulse.state_of("deribit", "ETH", "vol_index", T0)[0] == "live"


@pytest.mark.fault("T01")
def test_one_route_flows_while_the_other_is_dead(pulse):
    """T01: acknowledged, then no data on one route."""
    pulse.opened("v", "market", T0)
    pulse.opened("v", "public", T0)
    for second in range(60):
        at = T0 + second * S
        pulse.heard(Quote(venue="v", symbol="ETHUSDT", ts=at, usable_from=at, heard=at, bid=1.0,
                          bid_size=1.0, ask=2.0, ask_size=1.0))  # fmt: skip
    now = T0 + 60 * S
    assert state(pulse, "quote", now) == "live"
    assert state(pulse, "trades", now) == "silent"
    assert state(pulse, "liquidations", now) == "silent"
    assert set(pulse.ill_routes(now)) == {("v", "market")}


@pytest.mark.fault("L02")
def test_no_liquidation_is_calm_only_while_its_route_delivers(pulse):
    """L02: zero with proof."""
    pulse.opened("v", "market", T0)
    pulse.heard(trade(T0 + S))
    assert state(pulse, "liquidations", T0 + 2 * S) == "live"
    assert state(pulse, "liquidations", T0 + 40 * S) == "silent"
    pulse.heard(forced(T0 + 41 * S))
    assert state(pulse, "liquidations", T0 + 42 * S) == "stale"  # it spoke, its siblings are gone


def test_a_channel_that_stops_is_stale_and_the_interval_is_kept(pulse):
    pulse.opened("v", "market", T0)
    pulse.heard(trade(T0 + S))
    pulse.status(T0 + 2 * S)
    assert state(pulse, "trades", T0 + 22 * S) == "stale"
    pulse.status(T0 + 22 * S)
    pulse.heard(trade(T0 + 50 * S))
    pulse.status(T0 + 50 * S)
    outage = next(o for o in pulse.outages if o.channel == "trades")
    assert (outage.start, outage.end, outage.state) == (T0 + S, T0 + 50 * S, "stale")


def test_a_recording_is_judged_without_what_the_one_before_it_knew(pulse):
    """Its clock was set in between, and its first trades are old: a replay must find what was found live."""

    def begin_and_hear(at, wall_off_s):
        pulse.restarted()
        pulse.opened("v", "public", at)
        pulse.opened("v", "market", at)
        heard = at + int(wall_off_s * S)
        pulse.heard(Quote(venue="v", symbol="ETHUSDT", ts=heard, usable_from=heard, heard=heard, bid=1.0,
                          bid_size=1.0, ask=2.0, ask_size=1.0), at)  # fmt: skip
        pulse.heard(trade(heard, lag_s=9.0), at)
        return pulse.stopped("trades", at + S), pulse.status(at + S)

    for second in range(60):
        begin_and_hear(T0 + second * S, 5.0)
    pulse.halt("v", "", "shut")
    again = begin_and_hear(T0 + 100 * S, 3.0)
    pulse.restarted()
    assert {each.reason for each in pulse.status(T0 + 101 * S)} == {"the recorder was restarted"}
    assert again[0] == []
    assert {each.channel: each.messages for each in again[1]}["trades"] == 1
    assert pulse.incidents == ()


@pytest.mark.fault("C12")
def test_messages_that_come_old_make_a_channel_stale(pulse):
    """C12: a backlog is fresh by receipt and old by the venue's clock."""
    pulse.opened("v", "market", T0)
    pulse.heard(trade(T0 + S, lag_s=11.0))
    found, reason = pulse.state_of("v", "ETHUSDT", "trades", T0 + 2 * S)
    assert found == "stale"
    assert "11 s old" in reason


def test_a_successor_keeps_the_route_open(pulse):
    pulse.opened("v", "market", T0)
    pulse.heard(trade(T0 + S))
    pulse.opened("v", "market", T0 + 2 * S)
    pulse.closed("v", "market", "relieved")
    assert state(pulse, "trades", T0 + 3 * S) == "live"
    pulse.closed("v", "market", "1006")
    assert pulse.state_of("v", "ETHUSDT", "trades", T0 + 3 * S) == ("down", "1006")


def test_faults_and_delistings_are_named(pulse):
    pulse.opened("v", "market", T0)
    pulse.heard(trade(T0))
    pulse.fault("v", "ETHUSDT", "trades", "1 in 3 frames is not understood")
    assert pulse.state_of("v", "ETHUSDT", "trades", T0)[0] == "degraded"
    pulse.fault("v", "ETHUSDT", "trades", "")
    pulse.delisted("v", "ETHUSDT")
    assert state(pulse, "trades", T0) == "delisted"


def test_events_nobody_declared_change_nothing(pulse):
    pulse.heard(trade(T0, symbol="OTHER"))
    assert all(status.messages == 0 for status in pulse.status(T0))


@pytest.mark.fault("T04")
def test_a_thousand_channels_that_stop_are_all_noticed_in_time():
    """Looked at once a second: a cadence of a second within 5 s, a book within 10 s."""
    random = Random(11)
    for _ in range(500):
        pulse = Pulse(
            [
                ("v", "market", Channel("price", "ETHUSDT", 3.0)),
                ("v", "public", Channel("book", "ETHUSDT", 5.0)),
            ]
        )
        for route in ("market", "public"):
            pulse.opened("v", route, T0)
        stop = T0 + int(random.uniform(30.0, 300.0) * S)
        for at in range(T0 + S, stop, S):
            pulse.heard(ticker(at))
        for at in range(T0 + S // 10, stop, S // 5):
            pulse.heard(book(at))
        look = T0 + random.randrange(S)
        seconds = range((stop - look) // S, (stop - look) // S + 15)
        for channel, limit_s in (("price", 5.0), ("book", 10.0)):
            found = [state(pulse, channel, look + second * S) for second in seconds]
            first = next(
                look + second * S
                for second, one in zip(seconds, found, strict=True)
                if one == "stale"
            )
            assert 0 < (first - stop) / S <= limit_s


def test_trades_have_stopped_when_nothing_at_all_comes_by_their_route():
    """Trades may rest, a mark told each second may not: with both gone it is the line that is dead."""
    pulse = Pulse(
        ("v", "market", Channel(name, "ETHUSDT", silence))
        for name, silence in (("trades", 60.0), ("price", 10.0))
    )
    pulse.opened("v", "market", T0)
    for second in range(0, 6_000, 100):  # a slow market: 100 s between trades are nothing unusual
        pulse.heard(trade(T0 + second * S))
        for tick in range(0, 100, 5):
            pulse.heard(ticker(T0 + (second + tick) * S))
    last = T0 + 5_995 * S
    for second in range(0, 60, 5):
        pulse.heard(ticker(last + second * S))
        assert pulse.stopped("trades", last + second * S) == []
    assert pulse.stopped("trades", last + 64 * S) == []
    assert pulse.stopped("trades", last + 66 * S) == [("v", "ETHUSDT")]


def test_trades_whose_last_word_was_old_when_it_came_have_stopped_until_the_next(pulse):
    """A venue hands over its last trades on a new connection: that proves nothing of those after them."""
    pulse.opened("v", "market", T0)
    pulse.opened("v", "public", T0)
    pulse.heard(trade(T0))
    assert pulse.stopped("trades", T0 + S) == []
    pulse.heard(trade(T0 + 5 * S, lag_s=18.0))
    assert pulse.stopped("trades", T0 + 6 * S) == [("v", "ETHUSDT")]
    pulse.heard(trade(T0 + 9 * S))
    assert pulse.stopped("trades", T0 + 10 * S) == []


def test_a_recording_learns_anew_how_long_its_trades_may_rest(pulse):
    """A replay goes through all recordings of a log: of each it may know no more than that one did."""
    pulse.opened("v", "market", T0)
    for second in range(0, 3_000, 100):
        pulse.heard(trade(T0 + second * S))
    assert pulse.stopped("trades", T0 + 2_950 * S) == []
    pulse.restarted()
    pulse.opened("v", "market", T0 + 3_000 * S)
    pulse.heard(trade(T0 + 3_001 * S))
    assert pulse.stopped("trades", T0 + 3_020 * S) == []
    assert pulse.stopped("trades", T0 + 3_022 * S) == [("v", "ETHUSDT")]
