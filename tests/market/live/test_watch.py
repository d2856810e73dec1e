"""What one market's own figures contradict: dead liquidation channels, jumps of open interest, repetitions."""

import pytest

from airpocket.domain.events import OpenInterest
from airpocket.domain.wire import Liquidation
from airpocket.market.live.forced import ForcedLedger
from airpocket.market.live.watch import Watch

S = 1_000_000_000
T0 = 1_800_000_000 * S


def interest(amount, at, unit="coin"):
    return OpenInterest(
        venue="v", symbol="ETHUSDT", ts=at, usable_from=at, heard=at, amount=amount, unit=unit
    )


def crash(watch, *, percent=-12.0, interest_percent=-20.0, seconds=60):
    """A minute of calm, then the fall, told by a price a second and open interest every fifteen."""
    for second in range(-60, seconds + 1):
        done = max(second, 0) / seconds
        at = T0 + second * S
        watch.price(at, 3_000.0 * (1.0 + percent / 100.0 * done))
        if second % 15 == 0:
            watch.interest(interest(1e6 * (1.0 + interest_percent / 100.0 * done), at))
    return T0 + seconds * S


@pytest.mark.fault("L03")
@pytest.mark.parametrize("percent", [-12.0, 12.0])
def test_a_crash_without_a_liquidation_makes_the_channel_suspect_within_a_minute(percent):
    watch = Watch()
    now = crash(watch, percent=percent)
    reason = watch.reasons(now)["liquidations"]
    assert "no liquidation while the price moved" in reason
    assert "open interest fell 20 %" in reason


@pytest.mark.fault("L03")
def test_the_channel_is_suspect_until_it_speaks():
    watch = Watch()
    now = crash(watch)
    assert "liquidations" in watch.reasons(now)
    assert "liquidations" in watch.reasons(now + 600 * S)
    watch.forced(now + 601 * S)
    assert not watch.reasons(now + 601 * S)


@pytest.mark.fault("L02", "L03")
@pytest.mark.parametrize(
    ("percent", "fall", "seconds"),
    [(-1.0, -1.0, 60), (-12.0, -5.0, 60), (-5.0, -20.0, 60), (-12.0, -20.0, 600)],
)
def test_silence_in_a_calm_or_slow_market_proves_nothing(percent, fall, seconds):
    watch = Watch()
    now = crash(watch, percent=percent, interest_percent=fall, seconds=seconds)
    assert not watch.reasons(now)


@pytest.mark.fault("L03")
def test_one_liquidation_in_the_crash_clears_the_channel():
    watch = Watch()
    watch.forced(T0 + 30 * S)
    assert not watch.reasons(crash(watch))


@pytest.mark.fault("L06")
@pytest.mark.parametrize("factor", [10.0, 0.1, 1_000.0, 0.0])
def test_a_tenfold_jump_waits_for_a_second_sample(factor):
    watch = Watch()
    assert watch.interest(interest(1e6, T0)) is not None
    jumped = interest(factor * 1e6, T0 + 15 * S)
    assert watch.interest(jumped) is None
    assert "awaits a second sample" in watch.reasons(T0 + 15 * S)["open_interest"]
    assert watch.interest(interest(factor * 1e6, T0 + 30 * S)).amount == factor * 1e6
    assert not watch.reasons(T0 + 30 * S)


@pytest.mark.fault("L06")
def test_a_jump_that_the_next_sample_does_not_confirm_never_was():
    watch = Watch()
    watch.interest(interest(1e6, T0))
    assert watch.interest(interest(1e7, T0 + 15 * S)) is None
    assert watch.interest(interest(1.01e6, T0 + 30 * S)).amount == 1.01e6
    assert not watch.reasons(T0 + 30 * S)


@pytest.mark.fault("L06")
def test_a_confirmed_new_level_is_no_fall_of_open_interest():
    watch = Watch()
    for second in range(61):
        watch.price(T0 + second * S, 3_000.0 * (1.0 - 0.12 * second / 60))
    for turn, amount in enumerate((1e6, 1e4, 1e4)):
        watch.interest(interest(amount, T0 + (20 + 15 * turn) * S))
    assert "liquidations" not in watch.reasons(T0 + 60 * S)


def forced(trade_id=None, side="sell", at=T0, price=3_000.0, size=1.0):
    return Liquidation(venue="v", symbol="ETHUSDT", ts=at, usable_from=at, heard=at, forced_side=side,
                       price=price, price_kind="fill", size=size, notional_usd=price * size,
                       coverage="all", trade_id=trade_id)  # fmt: skip


@pytest.mark.fault("L07")
def test_a_liquidation_told_by_two_connections_is_one():
    ledger = ForcedLedger()
    assert [ledger.is_new(forced(), connection) for connection in ("a", "b", "a", "b", "b")] == [
        True, False, True, False, True,
    ]  # fmt: skip
    assert ledger.repeated == 2


@pytest.mark.fault("L07")
def test_a_print_replayed_after_a_reconnect_is_known_by_its_id():
    ledger = ForcedLedger()
    assert ledger.is_new(forced("ETH-1"), "a")
    assert not ledger.is_new(forced("ETH-1"), "b")
    assert ledger.is_new(
        forced("ETH-1", side="buy"), "b"
    )  # both sides of one print were closed out
    assert ledger.is_new(forced("ETH-2"), "b")


def test_the_ledger_does_not_grow_without_end():
    ledger = ForcedLedger()
    for number in range(10_000):
        ledger.is_new(forced(number), "a")
        ledger.is_new(forced(at=T0 + number), "a")
    assert len(ledger._sides) <= 4_097
    assert len(ledger._told) <= 4_097
