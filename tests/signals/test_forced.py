"""Forced flow in the brief's signals: lower bounds, zeros with proof, and unknown where a channel is ill."""

import numpy as np
import pytest
import samples

from airpocket.brief import words
from airpocket.domain.events import Batch
from airpocket.domain.units import HOUR_NS, MINUTE_NS, SECOND_NS, TimeNs
from airpocket.market.state import MarketState
from airpocket.signals.forced import closed_last_hour, forced_last_hour
from airpocket.signals.interest import InterestSettings, reading, venue_interests
from airpocket.signals.running import running

HOURS = 24 * 40
NOW = TimeNs(samples.START + HOURS * HOUR_NS)
VENUE = ("binance_usdm", "ETHUSDT")


def market_with(*batches):
    state = MarketState("ETH")
    for batch in (samples.bars(HOURS), *batches):
        state.apply(batch)
    return state.snapshot(NOW)


def prints(*rows, coverage="sample", hours=24 * 5):
    """One print of 1 USD an hour of the past days, and the rows (seconds ago, side, USD) of the last hour."""
    ts = [NOW - h * HOUR_NS - MINUTE_NS for h in range(hours, 0, -1)]
    found = [(t, "buy", 1.0) for t in ts] + [
        (NOW - s * SECOND_NS, side, usd) for s, side, usd in rows
    ]
    stamps = np.array([t for t, _, _ in found], np.int64)
    n = len(found)
    return Batch("liquidation", *VENUE, {
        "ts": stamps, "usable_from": stamps, "forced_side": np.array([s for _, s, _ in found]),
        "price": np.full(n, 3_000.0), "size": np.full(n, 1.0), "notional_usd": np.array([u for _, _, u in found]),
        "coverage": np.full(n, coverage), "seq": np.arange(n),
    })  # fmt: skip


def states(*rows):
    """(hours ago, channel, state, reason) as the recorder keeps them: changes only."""
    stamps = np.array([NOW - int(h * HOUR_NS) for h, _, _, _ in rows], np.int64)
    texts = {
        name: np.array([row[at] for row in rows])
        for at, name in ((1, "channel"), (2, "state"), (3, "reason"))
    }
    return Batch("channel_state", *VENUE, {"ts": stamps, "usable_from": stamps, **texts})


def live(since_h, *more):
    return states(*sorted([(since_h, "liquidations", "live", ""), *more], key=lambda row: -row[0]))


@pytest.mark.fault("L01")
def test_a_sum_of_a_sampled_feed_is_printed_as_at_least():
    flow, _ = forced_last_hour(market_with(prints((60, "buy", 2e6), (30, "buy", 1e6))), "buy")
    assert flow.value == 3e6
    assert words.value(flow) == "≥ $3.00 mn"
    assert "sampled: a lower bound" in flow.source
    assert flow.above(2e6) is True
    assert flow.above(5e6) is None  # 100 in a second, of which one was told, may be more


@pytest.mark.fault("L01")
def test_a_sum_of_a_complete_feed_is_printed_as_it_is():
    flow, _ = forced_last_hour(market_with(prints((60, "buy", 2e6), coverage="all")), "buy")
    assert words.value(flow) == "$2.00 mn"
    assert flow.above(5e6) is False


@pytest.mark.fault("L01")
def test_positions_closed_by_open_interest_stand_apart_and_are_modelled():
    at = np.array([NOW - HOUR_NS, NOW], np.int64)
    held = Batch("open_interest", *VENUE, {
        "ts": at, "usable_from": at, "amount": np.array([1e6, 9e5]), "unit": np.full(2, "coin"),
        "averaged_s": np.zeros(2, np.int64),
    })  # fmt: skip
    market = market_with(prints((60, "buy", 2e6)), held)
    closed = closed_last_hour(market)
    assert closed.value == pytest.approx(1e5 * float(market.reference.base.close[-1]))
    assert (closed.provenance, closed.at_least) == ("modelled", True)
    assert forced_last_hour(market, "buy")[0].value == 2e6  # not added to


@pytest.mark.fault("L02")
def test_no_liquidation_is_zero_when_its_channel_was_live_all_hour():
    flow, _ = forced_last_hour(market_with(live(5.0)), "buy")
    assert (flow.value, flow.at_least) == (0.0, False)
    long_ago = prints(coverage="all")
    assert forced_last_hour(market_with(long_ago, live(5.0)), "sell")[0].value == 0.0


@pytest.mark.fault("L02")
@pytest.mark.parametrize(
    "heard",
    [live(0.5), live(5.0, (0.4, "liquidations", "silent", "x"), (0.2, "liquidations", "live", ""))],
    ids=["since half an hour", "with a hole"],
)
def test_no_liquidation_is_unknown_when_its_channel_was_not_live_all_hour(heard):
    flow, rank = forced_last_hour(market_with(heard), "buy")
    assert flow.value is None
    assert "not heard all through the last hour" in flow.unknown
    assert rank.value is None


@pytest.mark.fault("L02")
def test_a_recorder_that_stopped_proves_nothing():
    state = MarketState("ETH")
    state.apply(samples.bars(HOURS - 3))
    state.apply(live(5.0))
    flow, _ = forced_last_hour(state.snapshot(NOW), "buy")
    assert flow.value is None


@pytest.mark.fault("L02")
def test_an_hour_heard_in_part_is_a_lower_bound():
    market = market_with(prints((60, "buy", 2e6), coverage="all"), live(0.5))
    flow, _ = forced_last_hour(market, "buy")
    assert words.value(flow) == "≥ $2.00 mn"


@pytest.mark.fault("L03")
@pytest.mark.parametrize("state", ["silent", "degraded", "down", "halted"])
def test_a_suspect_channel_makes_forced_flow_unknown(state):
    market = market_with(
        prints((60, "buy", 2e6)), live(5.0, (0.1, "liquidations", state, "no liquidation while"))
    )
    flow, rank = forced_last_hour(market, "buy")
    assert f"is {state}: no liquidation while" in flow.unknown
    assert rank.value is None


def covering():
    """Open interest that falls fast while the price rises, at the end of forty calm days."""
    at = samples.START + HOUR_NS * np.arange(1, HOURS + 1, dtype=np.int64)
    amount = 1e6 * np.exp(np.cumsum(1e-3 * np.random.default_rng(0).standard_normal(HOURS)))
    amount[-4:] *= np.array([0.97, 0.94, 0.91, 0.88])
    held = Batch("open_interest", *VENUE, {
        "ts": at, "usable_from": at, "amount": amount, "unit": np.full(HOURS, "coin"),
        "averaged_s": np.zeros(HOURS, np.int64),
    })  # fmt: skip
    bars = samples.bars(HOURS)
    columns = dict(bars.columns)
    for name in ("open", "high", "low", "close"):
        columns[name] = bars.floats(name).copy()
        columns[name][-4:] *= np.array([1.03, 1.06, 1.09, 1.12])
    return Batch("bar_1h", *VENUE, columns), held


def interest_reading(*batches):
    state = MarketState("ETH")
    for batch in (*covering(), *batches):
        state.apply(batch)
    market = state.snapshot(NOW)
    return reading(venue_interests(market)[0], market, InterestSettings())


@pytest.mark.fault("L03")
def test_covering_is_not_named_while_the_liquidation_channel_is_silent_or_suspect():
    assert interest_reading().state == "covering"
    assert interest_reading(live(5.0)).state == "covering"
    ill = interest_reading(live(5.0, (0.1, "liquidations", "degraded", "no liquidation while")))
    assert ill.state == "unknown"
    assert (
        "covering can't be told: the liquidation channel of binance_usdm:ETHUSDT is degraded"
        in ill.because[0]
    )


@pytest.mark.fault("L04")
def test_a_stale_poll_of_open_interest_makes_its_changes_unknown_and_says_its_age():
    ill = interest_reading(
        states((0.1, "open_interest", "stale", "nothing for 31 s, at most 30 s is normal"))
    )
    assert ill.state == "unknown"
    figures = {tell.id: tell.estimate for tell in ill.tells}
    assert figures["interest_change_4h"].value is None
    assert "0 s old, is stale: nothing for 31 s" in figures["interest"].unknown


@pytest.mark.fault("L04")
def test_binances_poll_is_stale_after_twice_its_interval():
    from airpocket.live.feeds import feeds_of

    for venue in ("binance_usdm", "binance_coinm"):
        polls = [
            poll for poll in feeds_of(["ETH"], [venue])[venue].polls
            if any(channel.name == "open_interest" for channel in poll.channels)
        ]  # fmt: skip
        assert [channel.silence_s for poll in polls for channel in poll.channels] == [
            2 * poll.every_s for poll in polls
        ]


def estimates(rate, cap=0.02, interval_s=28_800):
    at = np.array([NOW - MINUTE_NS], np.int64)
    said = {"rate": np.array([rate]), "interval_s": np.array([interval_s])}
    bounds = {"cap": np.array([cap]), "floor": np.array([-cap])}
    return [
        Batch(kind, *VENUE, {"ts": at, "usable_from": at, **columns})
        for kind, columns in (("funding_estimate", said), ("funding_bound", bounds))
    ]


@pytest.mark.fault("M10")
@pytest.mark.parametrize(
    ("rate", "bound", "text"), [(0.02, "cap", "≥ +2.0000 %/8h"), (-0.02, "floor", "-2.0000 %/8h"),
                                (0.0001, "", "+0.0100 %/8h")],
)  # fmt: skip
def test_funding_at_its_bound_is_shown_as_capped(rate, bound, text):
    market = market_with(*estimates(rate))
    found, figure = running(market.perps[0], NOW)
    assert found == bound
    assert words.value(figure).replace("\N{MINUS SIGN}", "-") == text


@pytest.mark.fault("M09")
@pytest.mark.parametrize(("interval_s", "per_8h"), [(28_800, 0.01), (14_400, 0.02), (3_600, 0.08)])
def test_a_rate_is_compared_by_its_own_interval(interval_s, per_8h):
    _, figure = running(market_with(*estimates(0.0001, interval_s=interval_s)).perps[0], NOW)
    assert figure.value == pytest.approx(per_8h)


@pytest.mark.fault("M12")
def test_one_venues_price_stands_for_nobody_while_it_leaves_all_others():
    other = samples.bars(HOURS, venue="bybit_linear", price=4_000.0)
    alone = market_with(other, states((0.1, "price", "degraded", "mark is -35.0 % off")))
    assert alone.reference.key == "bybit_linear:ETHUSDT"
    well = market_with(other, states((0.1, "price", "live", "")))
    assert well.reference.key == "binance_usdm:ETHUSDT"
    lonely = market_with(states((0.1, "price", "degraded", "mark is -35.0 % off")))
    assert lonely.reference.key == "binance_usdm:ETHUSDT"  # there is no other
