"""A live book is held against the venue's snapshot: only what no later change touched, as deep as both know."""

import json
import random

import pytest

from airpocket.ingest.venues.registry import VENUES
from airpocket.market.live.state import LiveState

HEARD = 1_800_000_000_000_000_000
ADDRESS = "https://fapi.binance.com/fapi/v1/depth?symbol=ETHUSDT&limit=1000"
DECODE = VENUES["binance_usdm"].decode
KEY = ("binance_usdm", "ETHUSDT")


class Venue:
    """The true book, and the words in which the venue tells of it."""

    def __init__(self, seed=1):
        self.random = random.Random(seed)
        self.bids = {3000.0 - n / 10: 5.0 + n for n in range(1, 1_001)}
        self.asks = {3000.0 + n / 10: 5.0 + n for n in range(1, 1_001)}
        self.last, self.heard = 100, HEARD

    def snapshot(self, last=None, bids=None):
        self.heard += 10_000_000
        rows = {"bids": self.bids if bids is None else bids, "asks": self.asks}
        body = {"lastUpdateId": self.last if last is None else last}
        for name, side in rows.items():
            body[name] = [
                [str(p), str(s)] for p, s in sorted(side.items(), reverse=name == "bids")
            ][:1_000]
        return json.dumps(body).encode()

    def change(self, near=50):
        """Some levels near the touch change; the book and the frame that says so."""
        bid = round(3000.0 - self.random.randint(1, near) / 10, 1)
        ask = round(3000.0 + self.random.randint(1, near) / 10, 1)
        self.bids[bid] = self.asks[ask] = float(self.random.randint(1, 99))
        first, self.last = self.last + 1, self.last + 3
        self.heard += 100_000_000
        return json.dumps(
            {"e": "depthUpdate", "E": self.heard // 1_000_000, "s": "ETHUSDT", "U": first, "u": self.last,
             "pu": first - 1, "b": [[str(bid), str(self.bids[bid])]], "a": [[str(ask), str(self.asks[ask])]]}
        ).encode()  # fmt: skip


def heard(state, venue, frame, *, rest=False):
    for event in DECODE(frame, venue.heard, ADDRESS if rest else ""):
        state.apply(event, "rest /fapi/v1/depth#1" if rest else "public#1")


def synced(venue):
    state = LiveState("ETH")
    heard(state, venue, venue.change())
    heard(state, venue, venue.snapshot(), rest=True)
    for _ in range(5):
        heard(state, venue, venue.change())
    book = state.markets[KEY].book
    assert book.state == "live", book.reason
    return state, state.markets[KEY]


@pytest.mark.fault("B12", "B16")
@pytest.mark.parametrize(
    "late", [0, 1, 20], ids=["at once", "one change late", "twenty changes late"]
)
def test_a_sound_book_is_the_snapshot_wherever_the_snapshot_falls(late):
    venue = Venue()
    state, market = synced(venue)
    body = venue.snapshot()
    for _ in range(late):
        heard(state, venue, venue.change())
    applied = market.book.applied
    heard(state, venue, body, rest=True)
    assert (market.audit.compared, market.audit.drifted) == (1, 0)
    assert market.audit.last.levels > 1_900
    assert market.audit.last.share == 0.0
    assert (market.book.state, market.book.applied) == ("live", applied)


@pytest.mark.fault("B12", "B16")
def test_a_snapshot_ahead_of_the_book_waits_for_the_book():
    venue = Venue()
    state, market = synced(venue)
    changes = [venue.change() for _ in range(3)]
    heard(state, venue, venue.snapshot(), rest=True)
    states = []
    for change in changes:
        assert market.audit.compared == 0
        heard(state, venue, change)
        states.append(market.book.state)
    assert states == ["live"] * 3
    assert (market.audit.compared, market.audit.drifted) == (1, 0)


@pytest.mark.fault("B12", "T06")
def test_a_book_that_fell_silent_and_is_behind_is_brought_up_to_date_by_the_snapshot():
    venue = Venue()
    state, market = synced(venue)
    missed = [venue.change() for _ in range(3)]
    venue.heard += 30_000_000_000
    heard(state, venue, venue.snapshot(), rest=True)
    assert len(missed) == 3
    assert (market.book.state, market.audit.compared) == ("live", 0)
    assert market.book.levels.touch().bid == max(venue.bids)
    assert dict(market.book.levels.bids.best_first()) == venue.bids


@pytest.mark.fault("T06")
def test_a_book_that_rests_is_only_held_against_the_snapshot():
    venue = Venue()
    state, market = synced(venue)
    moment = market.book.ts
    venue.heard += 30_000_000_000
    heard(state, venue, venue.snapshot(), rest=True)
    assert (market.audit.compared, market.audit.drifted, market.book.ts) == (1, 0, moment)


@pytest.mark.fault("B12", "T13")
def test_a_lost_connection_degrades_a_numbered_book_only_when_no_change_proves_it_whole_in_time():
    venue = Venue()
    state, market = synced(venue)
    state.ended("binance_usdm", "public#1")
    assert market.book.levels is None
    assert state.faults(venue.heard + 10_000_000_000) == {}
    assert state.faults(venue.heard + 61_000_000_000) == {(*KEY, "book"): "the connection was lost"}
    heard(state, venue, venue.change())
    assert (market.book.state, state.faults(venue.heard)) == ("live", {})


@pytest.mark.fault("B12")
def test_a_level_that_drifted_away_ends_trust_until_a_snapshot_mends_it():
    venue = Venue()
    state, market = synced(venue)
    venue.bids[2_950.0] = 4_000.0  # the venue's book changed and no change said so
    for _ in range(3):
        heard(state, venue, venue.change())
    assert market.book.state == "live"
    heard(state, venue, venue.snapshot(), rest=True)
    assert market.book.state == "untrusted"
    assert "differs from the venue's snapshot, most at 2950" in market.book.reason
    assert (market.book.levels, state.wanting()) == (None, [KEY])
    assert state.faults(venue.heard)[(*KEY, "book")] == market.book.reason
    heard(state, venue, venue.change())
    assert market.book.state == "untrusted"  # no change can mend it
    heard(state, venue, venue.snapshot(), rest=True)
    heard(state, venue, venue.change())
    assert market.book.state == "live"
    assert market.book.levels.bids.size_at(2_950.0) == 4_000.0


@pytest.mark.fault("B12")
def test_a_difference_within_the_tolerance_is_kept_in_mind_and_ends_nothing():
    venue = Venue()
    state, market = synced(venue)
    venue.bids[2_950.0] += 0.5  # of about a million
    heard(state, venue, venue.snapshot(), rest=True)
    assert market.book.state == "live"
    assert 0.0 < market.audit.last.share < 0.001
    assert market.audit.last.price == 2_950.0


@pytest.mark.fault("B12")
def test_beyond_what_the_snapshot_or_the_book_knows_nothing_is_claimed():
    venue = Venue()
    state, market = synced(venue)
    venue.bids = {price: size for price, size in venue.bids.items() if price > 2_990.0}
    venue.bids.update({2_800.0 - n: 1e6 for n in range(1_000)})  # the book never heard of these
    near = {price: size for price, size in venue.bids.items() if price > 2_990.0}
    heard(state, venue, venue.snapshot(bids=near), rest=True)
    assert market.book.state == "live"
    assert market.audit.last.share == 0.0


@pytest.mark.fault("B12")
def test_a_snapshot_too_old_to_tell_what_was_touched_since_proves_nothing():
    venue = Venue()
    state, market = synced(venue)
    body = venue.snapshot()
    venue.bids[2_950.0] = 4_000.0
    for _ in range(100):
        heard(state, venue, venue.change())
    heard(state, venue, body, rest=True)
    assert (market.audit.compared, market.audit.skipped) == (0, 1)
    assert market.book.state == "live"
