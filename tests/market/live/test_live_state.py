"""Minutes closed from events: the same rows whatever the clocks do, and no row for what was not heard."""

import numpy as np
import pytest

from airpocket.domain.events import Bar, OpenInterest
from airpocket.domain.wire import BookChange, Liquidation, Quote, Trade
from airpocket.market.live.state import LiveState

S = 1_000_000_000
M = 60 * S
T0 = 1_800_000_000 * S - (1_800_000_000 * S) % M


def said(venue="coinbase", symbol="ETH-USD", at=T0, lag=0.0):
    return {
        "venue": venue,
        "symbol": symbol,
        "ts": int(at - lag * S),
        "usable_from": at,
        "heard": at,
    }


def trade(number, at, price=3000.0, side="buy", size=1.0, **more):
    return Trade(**said(at=at, **more), price=price, size=size, notional_usd=price * size,
                 taker_side=side, trade_id=number)  # fmt: skip


def facts(state, kind):
    return [batch for batch in state.facts if batch.kind == kind]


def test_a_minute_heard_throughout_becomes_a_bar_and_a_tape_row():
    state = LiveState("ETH")
    state.apply(trade(1, T0 + S), "c#1")  # the first minute was not heard from its start
    for n, (second, price, side) in enumerate(
        [(61, 3000.0, "buy"), (90, 3010.0, "sell"), (119, 2990.0, "buy")], 2
    ):
        state.apply(trade(n, T0 + second * S, price, side), "c#1")
    state.apply(
        Quote(**said(at=T0 + 100 * S), bid=2999.0, bid_size=1.0, ask=3001.0, ask_size=1.0), "c#1"
    )
    state.apply(trade(5, T0 + 185 * S), "c#1")
    (bar,) = facts(state, "bar_1m")
    assert [bar.floats(name)[0] for name in ("open", "high", "low", "close", "volume", "taker_buy")] == [
        3000.0, 3010.0, 2990.0, 2990.0, 3.0, 2.0,
    ]  # fmt: skip
    assert bar.ints("ts")[0] == T0 + M
    assert bar.ints("usable_from")[0] >= T0 + 2 * M
    tape, quiet = facts(state, "tape_1m")
    assert tape.ints("prints")[0] == 3
    assert quiet.ints("prints")[0] == 0  # heard throughout, and nothing traded
    assert tape.floats("buy_usd")[0] == 5990.0
    assert tape.floats("spread_bps")[0] == pytest.approx(2 / 3000 * 1e4)
    assert tape.ints("reloads")[0] == -1  # no book: not known, not zero


def two_venues(until, last, other):
    """Trades of one venue each 10 s, the last at `last` s; another venue speaks on until `until`."""
    state = LiveState("ETH")
    for n, second in enumerate(range(1, last + 1, 10), 1):
        state.apply(trade(n, T0 + second * S), "c#1")
    for n in range(last + 1, until):
        state.apply(trade(n, T0 + n * S, venue="okx", symbol="ETH-USDT-SWAP"), "o#1")
        state.apply(other(T0 + n * S), "c#1")
    return state


def minutes(state):
    return [
        (b.ints("ts")[0] - T0) // M for b in facts(state, "tape_1m") if b.venue == "coinbase"
    ]  # fmt: skip


def silence(at):
    """What the venue alone would not have told: an answer to a question, heard now and not stamped."""
    return OpenInterest(**said(at=at), amount=1.0, unit="coin")


@pytest.mark.fault("T03")
def test_a_line_that_is_silent_when_its_minute_ends_leaves_it_open_until_it_speaks():
    """Another venue's word says that time passed, and not that nothing was traded here."""
    state = two_venues(until=130, last=91, other=silence)
    assert minutes(state) == []
    state.apply(
        Quote(
            **said(at=T0 + 131 * S, lag=40.0), bid=2999.0, bid_size=1.0, ask=3001.0, ask_size=1.0
        ),
        "c#1",
    )
    assert minutes(state) == []  # it comes late, and trades of the minute may be behind it
    state.apply(trade(11, T0 + 132 * S, lag=13.0), "c#1")
    state.apply(
        Quote(**said(at=T0 + 133 * S, lag=0.1), bid=2999.0, bid_size=1.0, ask=3001.0, ask_size=1.0),
        "c#1",
    )
    assert minutes(state) == [1]
    (told,) = [b for b in facts(state, "tape_1m") if b.venue == "coinbase"]
    assert told.ints("prints")[0] == 5


@pytest.mark.fault("T03", "B17")
@pytest.mark.parametrize("number", [11, 12])
def test_a_minute_left_open_is_told_only_if_no_trade_is_missing_then(number):
    state = two_venues(until=130, last=91, other=silence)
    state.apply(trade(number, T0 + 131 * S), "c#1")
    assert minutes(state) == ([1] if number == 11 else [])


@pytest.mark.fault("T03")
def test_a_minute_left_open_by_a_line_that_ends_is_never_told():
    state = two_venues(until=130, last=91, other=silence)
    state.ended("coinbase", "c#1")
    state.apply(trade(11, T0 + 135 * S), "c#2")
    state.apply(trade(12, T0 + 170 * S), "c#2")
    state.apply(trade(13, T0 + 190 * S), "c#2")
    assert minutes(state) == []


@pytest.mark.fault("B17", "B18")
@pytest.mark.parametrize(("last", "whole"), [(111, True), (61, False)])
def test_a_successor_goes_on_without_a_seam_only_where_the_old_line_still_spoke(last, whole):
    state = two_venues(until=last + 1, last=last, other=silence)
    state.apply(trade(90, T0 + 112 * S, size=0.0), "c#2")
    state.ended("coinbase", "c#1")
    assert state.markets["coinbase", "ETH-USD"].tape.running.whole is whole


@pytest.mark.fault("B17")
def test_a_minute_with_a_lost_connection_gives_no_bar():
    state = LiveState("ETH")
    state.apply(trade(1, T0 + S), "c#1")
    state.apply(trade(2, T0 + 66 * S), "c#1")
    state.ended("coinbase", "c#1")
    state.apply(trade(3, T0 + 70 * S), "c#2")
    state.apply(trade(4, T0 + 125 * S), "c#2")
    state.apply(trade(5, T0 + 185 * S), "c#2")
    assert [int(bar.ints("ts")[0]) for bar in facts(state, "bar_1m")] == [T0 + 2 * M]


@pytest.mark.fault("B17", "B18")
def test_a_successor_leaves_no_hole_and_no_trade_counts_twice():
    """B17: both connections bring the same trades for a while."""
    state = LiveState("ETH")
    state.apply(trade(1, T0 + S), "c#1")
    state.apply(trade(2, T0 + 61 * S), "c#1")
    state.apply(trade(2, T0 + 61 * S), "c#2")
    state.ended("coinbase", "c#1")
    state.apply(trade(3, T0 + 100 * S), "c#2")
    state.apply(trade(4, T0 + 185 * S), "c#2")
    (bar,) = facts(state, "bar_1m")
    assert bar.floats("volume")[0] == 2.0
    assert state.markets["coinbase", "ETH-USD"].tape.repeated == 1


@pytest.mark.fault("C09")
def test_trades_that_come_a_little_late_belong_to_their_own_minute():
    state = LiveState("ETH")
    state.apply(trade(1, T0 + S), "c#1")
    state.apply(trade(2, T0 + 61 * S), "c#1")
    state.apply(trade(3, T0 + 121 * S), "c#1")
    state.apply(trade(4, T0 + 122 * S, lag=3.0), "c#1")  # of the minute before
    state.apply(trade(5, T0 + 170 * S, lag=160.0), "c#1")  # too late: counted, added nowhere
    state.apply(trade(6, T0 + 185 * S), "c#1")
    volumes = {int(b.ints("ts")[0]): b.floats("volume")[0] for b in facts(state, "bar_1m")}
    assert volumes[T0 + M] == 2.0
    assert state.markets["coinbase", "ETH-USD"].tape.late == 1


@pytest.mark.fault("C03")
@pytest.mark.parametrize(
    ("behind_s", "what"), [(0.0, "refused"), (0.0, "unheard"), (45.0, "refused")]
)
def test_what_is_lost_after_a_minute_s_end_is_missing_from_the_next_one_too(behind_s, what):
    """A minute is closed seconds after its end: what is lost in between is of the next, by the venue's clock."""
    state = LiveState("ETH")
    clock = {"lag": -behind_s}
    for number, second in enumerate(range(51, 120, 4)):
        state.apply(trade(number, int(T0 + (second - behind_s) * S), **clock), "c#1")
    at = int(T0 + (120.02 - behind_s) * S)
    if what == "refused":
        state.refused("coinbase", "c#1", "trades", b"{", at)
    else:
        state.unheard("coinbase", "ETH-USD", "trades", at)
    for number, second in enumerate(range(123, int(255 + behind_s), 4), 18):
        state.apply(trade(number, int(T0 + (second - behind_s) * S), **clock), "c#1")
    assert [int(each.ints("ts")[0]) for each in facts(state, "tape_1m")] == [T0 + 3 * M]


@pytest.mark.fault("C03")
def test_with_our_clock_behind_a_minute_that_began_before_its_first_trade_is_not_whole():
    state = LiveState("ETH")
    for number, second in enumerate((75, 125, 185, 245)):
        state.apply(trade(number, T0 + (second - 45) * S, lag=-45.0), "c#1")
    state.apply(trade(9, T0 + 245 * S, lag=-45.0), "c#1")
    assert next(int(each.ints("ts")[0]) for each in facts(state, "tape_1m")) == T0 + 2 * M


@pytest.mark.fault("C03")
def test_a_minute_is_not_told_before_the_venue_s_own_clock_has_passed_it():
    """Our clock is set 45 s ahead in mid-minute: by it the minute is over, and its last trade is still to come."""
    state = LiveState("ETH")
    for number, second in enumerate((1, 61, 70)):
        state.apply(trade(number, T0 + second * S), "c#1")
    quote = Quote(
        **said(at=T0 + 125 * S, lag=45.0), bid=2999.0, bid_size=1.0, ask=3001.0, ask_size=1.0
    )
    state.apply(quote, "c#1")
    state.apply(trade(3, T0 + 155 * S, lag=45.0), "c#1")
    state.apply(trade(4, T0 + 215 * S, lag=45.0), "c#1")
    assert facts(state, "tape_1m") == facts(state, "bar_1m") == []


@pytest.mark.fault("C03")
@pytest.mark.parametrize("behind_s", [70.0, 1_500.0])
def test_with_our_clock_far_behind_no_minute_reads_as_empty(behind_s):
    """What trades in a minute came before it was open by our clock: it is not known, and not nothing."""
    state = LiveState("ETH")
    for second in range(1, 900 + int(behind_s), 5):
        clock = {"at": int(T0 + (second - behind_s) * S), "lag": -behind_s}
        if second % 150 == 1:
            state.apply(trade(second, **clock), "c#1")
        state.apply(
            Quote(**said(**clock), bid=2999.0, bid_size=1.0, ask=3001.0, ask_size=1.0), "c#1"
        )
    assert all(batch.ints("prints")[0] for batch in facts(state, "tape_1m"))


@pytest.mark.fault("C09")
def test_a_trade_on_the_edge_of_a_minute_belongs_to_the_one_it_begins():
    state = LiveState("ETH")
    for n, at in enumerate((1, 61, 119.999, 120, 121, 185, 250)):
        state.apply(trade(n, T0 + int(at * S)), "c#1")
    prints = {
        int(batch.ints("ts")[0]) - T0: int(batch.ints("prints")[0])
        for batch in facts(state, "tape_1m")
    }
    assert prints == {M: 2, 2 * M: 2, 3 * M: 1}


@pytest.mark.fault("C02")
def test_a_stamp_far_ahead_is_no_event():
    state = LiveState("ETH")
    state.apply(trade(1, T0, lag=-7_200.0), "c#1")
    assert state.misdated == 1
    assert not state.markets


def test_a_venue_whose_clock_runs_ahead_is_not_usable_before_its_own_time():
    state = LiveState("ETH")
    at = T0 + 10 * S
    state.apply(
        OpenInterest(**said("binance_usdm", "ETHUSDT", at, lag=-2.0), amount=5.0, unit="coin"),
        "c#1",
    )
    state.apply(trade(1, T0 + 70 * S), "c#1")
    (interest,) = facts(state, "open_interest")
    assert interest.ints("usable_from")[0] == interest.ints("ts")[0] == at + 2 * S


def test_only_bands_that_the_book_reaches_beyond_are_told():
    state = LiveState("ETH")
    book = {"first": None, "last": 7, "previous": None, "snapshot": True}
    bids = tuple((3000.0 - 0.1 * n, 1.0) for n in range(1, 501))  # to 1.67 % below, cut off there
    asks = tuple((3000.0 + 0.02 * n, 1.0) for n in range(1, 501))  # to 0.33 % above, cut off there
    venue = ("binance_usdm", "ETHUSDT")
    state.apply(trade(1, T0 + S), "c#1")
    state.apply(BookChange(**said(*venue, T0 + 50 * S), **book, bids=bids, asks=asks), "rest x#1")
    state.apply(trade(2, T0 + 65 * S), "c#1")
    (depth,) = facts(state, "depth")
    assert sorted(depth.floats("percent")) == [-1.0, -0.5, -0.25, -0.1, 0.1, 0.25]
    tenth = depth.floats("notional_usd")[np.isclose(depth.floats("percent"), 0.1)][0]
    assert tenth == pytest.approx(
        sum(price for price, _ in asks if price <= 2999.96 * np.exp(0.001))
    )


def test_forced_closes_of_one_moment_stay_apart():
    state = LiveState("ETH")
    state.apply(trade(1, T0 + S), "c#1")
    for _ in range(3):
        state.apply(
            Liquidation(**said("bybit_linear", "ETHUSDT", T0 + 5 * S), forced_side="buy", price=3000.0,
                        price_kind="bankruptcy", size=1.0, notional_usd=3000.0, coverage="all"), "c#1",
        )  # fmt: skip
    state.apply(trade(2, T0 + 70 * S), "c#1")
    (forced,) = facts(state, "liquidation")
    assert list(forced.ints("seq")) == [0, 1, 2]


def test_the_venues_own_bars_are_used_where_it_tells_them():
    state = LiveState("ETH")
    at = T0 + 61 * S
    bar = Bar(venue="binance_usdm", symbol="ETHUSDT", ts=T0, usable_from=at, heard=at, interval_ns=M,
              open=1.0, high=2.0, low=0.5, close=1.5, volume=9.0)  # fmt: skip
    state.apply(trade(1, T0 + S, venue="binance_usdm", symbol="ETHUSDT"), "c#1")
    state.apply(bar, "c#1")
    state.apply(bar, "c#1")  # told twice
    state.apply(trade(2, T0 + 130 * S, venue="binance_usdm", symbol="ETHUSDT"), "c#1")
    (found,) = facts(state, "bar_1m")
    assert found.floats("close")[0] == 1.5


def test_a_bar_told_twice_is_kept_once_as_it_was_told_last():
    """Hyperliquid's candle a moment before the minute ends may be heard a moment after it, then once more whole."""
    state = LiveState("ETH")
    for volume, late in ((4.0, 5), (5.0, 60)):
        at = T0 + M + late * 1_000_000
        state.apply(
            Bar(venue="hyperliquid", symbol="ETH", ts=T0, usable_from=at, heard=at, interval_ns=M, open=1.0,
                high=3.0, low=1.0, close=2.0, volume=volume)
        )  # fmt: skip
    state.apply(trade(9, T0 + 3 * M))
    [bars] = facts(state, "bar_1m")
    assert (bars.ints("ts").tolist(), bars.floats("volume").tolist()) == ([T0], [5.0])


@pytest.mark.fault("B19")
def test_other_assets_leave_no_trace():
    state = LiveState("ETH")
    state.apply(trade(1, T0, venue="binance_usdm", symbol="BTCUSDT"), "c#1")
    state.apply(trade(2, T0, venue="binance_usdm", symbol="<img>"), "c#1")
    assert not state.markets
    assert state.strangers == 2
