"""Recorded frames, broken at random: every decoder gives what a second, slow reader reads too, or the one error."""

from decimal import Decimal

import msgspec
import pytest
from ingest.venues import slow_reader, wires

from airpocket.ingest.venues.registry import VENUES
from tests.faults.fuzz import LONGEST_MS, agrees, fuzz


@pytest.mark.real
@pytest.mark.fault("V01", "V02", "V06", "V07", "V08", "V12", "V13", "V14")
@pytest.mark.parametrize("venue", sorted(VENUES))
@pytest.mark.parametrize("count", [4_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_broken_frames_give_what_a_slow_reader_reads_or_the_one_error(shared, venue, count):
    done = fuzz(venue, range(count), shared)
    assert done.wrong == ()
    assert done.understood > count // 200  # some frames stay whole: the test tests something
    if venue in wires.FRAMES:  # option chains hold neither trades nor books
        assert done.compared > count // 200
    assert done.unread <= done.compared // 20
    assert done.longest_ms < LONGEST_MS


@pytest.mark.parametrize("venue", sorted(wires.FRAMES))
def test_the_slow_reader_catches_a_decoder_that_is_wrong(venue):
    """The oracle can fail: a price a cent off, a size doubled, a level left out."""
    body = wires.frame(venue, "trade")
    (trade,) = wires.decode(venue, body)
    trades, _ = slow_reader.read(venue, body)
    assert agrees(trade, trades, [])
    assert not agrees(msgspec.structs.replace(trade, price=trade.price + 0.01), trades, [])
    (change,) = wires.decode(venue, wires.frame(venue, "book"))
    _, books = slow_reader.read(venue, wires.frame(venue, "book"))
    assert agrees(change, [], books)
    assert not agrees(msgspec.structs.replace(change, bids=()), [], books)
    ((price, size),) = change.bids
    if venue not in ("binance_coinm", "okx"):
        assert not agrees(msgspec.structs.replace(change, bids=((price, size * 2),)), [], books)
    assert not agrees(msgspec.structs.replace(change, bids=((price, 0.0),)), [], books)
    assert books[0][0] == [(Decimal("3000.5"), Decimal("2.25"))]
