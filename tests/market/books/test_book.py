"""Books by each venue's rule: chains that hold, chains that break, and every fault a feed has shown."""

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from market.books.bookmaker import SYMBOLS, change, snap

from airpocket.domain.wire import BookChange
from airpocket.market.books.book import Book
from airpocket.market.books.rules import RULES

USDM, SPOT, BYBIT = "binance_usdm", "binance_spot", "bybit_linear"


def book(venue, *changes, **more):
    made = Book(venue, SYMBOLS.get(venue, "ETHUSDT"), **more)
    for each in changes:
        made.apply(each)
    return made


def bid(made, at=0):
    assert made.state == "live", made.reason
    return made.levels.bids.top(9)[at]


def live(venue):
    """A live book with last id 10."""
    made = book(venue, snap(venue, 10))
    if RULES[venue].rest_snapshot:
        made.apply(step(venue, 9, 10))
    return made


def step(venue, after, to, **more):
    """A change of ids after+1 to `to`, in the words of the venue."""
    ids = {
        USDM: (after + 1, to, after), SPOT: (after + 1, to, None), BYBIT: (to, to, None),
        "okx": (None, to, after), "deribit": (None, to, after), "kraken_futures": (to, to, None),
    }[venue]  # fmt: skip
    return change(venue, ids, more.pop("bids", [(100.0, float(to))]), **more)


NUMBERED = (USDM, SPOT, BYBIT, "okx", "deribit", "kraken_futures")
REST = (USDM, SPOT)


@pytest.mark.parametrize("venue", NUMBERED)
def test_a_chain_without_a_hole_stays_live(venue):
    made = live(venue)
    for at in range(10, 20):
        made.apply(step(venue, at, at + 1, at=2_000 + at))
    assert bid(made) == (100.0, 20.0)
    assert made.gaps == 0


@pytest.mark.parametrize("venue", NUMBERED)
@pytest.mark.fault("B01")
def test_a_dropped_change_ends_trust_and_names_the_ids(venue):
    made = live(venue)
    made.apply(step(venue, 11, 12, at=2_000))
    assert made.state == "untrusted"
    assert made.levels is None
    assert "10" in made.reason
    assert "12" in made.reason
    assert made.wants_snapshot
    assert made.gaps == 1


@pytest.mark.parametrize("venue", NUMBERED)
@pytest.mark.fault("B01")
def test_a_snapshot_after_a_gap_makes_it_live_again(venue):
    made = live(venue)
    made.apply(step(venue, 11, 12, at=2_000))
    made.apply(step(venue, 12, 13, at=2_001))
    made.apply(snap(venue, 12, at=2_002))
    expected = 13.0 if venue in REST else 1.0  # by REST, the change heard before it is joined to it
    assert bid(made) == (100.0, expected)
    assert made.reason == ""


@pytest.mark.parametrize("venue", NUMBERED)
@pytest.mark.fault("B02")
def test_a_repeated_change_is_counted_and_changes_nothing(venue):
    made = live(venue)
    made.apply(step(venue, 10, 11, at=2_000))
    made.apply(step(venue, 11, 12, at=2_001, bids=[(100.0, 7.0)]))
    before = made.repeated
    made.apply(step(venue, 11, 12, at=2_001, bids=[(100.0, 7.0)]))
    made.apply(step(venue, 10, 11, at=2_000))
    assert bid(made) == (100.0, 7.0)
    assert made.repeated == before + 2


@pytest.mark.parametrize("venue", NUMBERED)
@pytest.mark.fault("B03")
def test_changes_out_of_order_are_never_applied_out_of_order(venue):
    made = live(venue)
    made.apply(step(venue, 11, 12, at=2_001))
    made.apply(step(venue, 10, 11, at=2_000))
    assert made.state == "untrusted"


@pytest.mark.parametrize(
    ("venue", "first", "joins"),
    [
        (USDM, (8, 10), True), (USDM, (10, 15), True), (USDM, (11, 15), False), (USDM, (5, 9), None),
        (SPOT, (8, 11), True), (SPOT, (11, 15), True), (SPOT, (12, 15), False), (SPOT, (8, 10), None),
    ],
)  # fmt: skip
@pytest.mark.fault("B04")
def test_the_first_change_must_span_the_snapshot(venue, first, joins):
    """joins None: it is older and dropped, the snapshot stands and waits for the next."""
    low, high = first
    made = book(venue, change(venue, (low, high, low - 1), [(100.0, 9.0)]))
    assert made.state == "syncing"
    made.apply(snap(venue, 10))
    assert made.state == ("untrusted" if joins is False else "live")
    if joins is False:
        assert made.reason.startswith("the snapshot is too old: it ends at 10")
        assert made.wants_snapshot
        made.apply(snap(venue, 14))
        assert bid(made) == (100.0, 9.0)
    else:
        assert bid(made) == (100.0, 9.0 if joins else 1.0)


@pytest.mark.parametrize("venue", REST)
@pytest.mark.fault("B05")
def test_more_changes_than_may_wait_drop_the_oldest_and_are_counted(venue):
    made = Book(venue, "ETHUSDT")
    for at in range(5_000):
        made.apply(step(venue, at, at + 1))
    assert made.dropped == 5_000 - 4_096
    made.apply(snap(venue, 500))
    assert made.state == "untrusted"
    made.apply(snap(venue, 4_990))
    assert bid(made) == (100.0, 5_000.0)


@pytest.mark.fault("B07")
def test_a_restart_of_the_service_replaces_the_book():
    made = live(BYBIT)
    made.apply(snap(BYBIT, 1, bids=[(90.0, 4.0)], asks=[(91.0, 1.0)], at=2_000))
    made.apply(step(BYBIT, 1, 2, bids=[(90.0, 5.0)], at=2_001))
    assert bid(made) == (90.0, 5.0)
    assert made.gaps == 0


@pytest.mark.fault("B08")
def test_a_delisted_book_is_cleared_and_asks_for_nothing():
    made = live(BYBIT)
    made.apply(snap(BYBIT, 1, bids=(), asks=(), at=2_000))
    assert (made.state, made.levels, made.wants_snapshot) == ("delisted", None, False)


@pytest.mark.fault("B20")
def test_after_a_delisting_nothing_resurrects_the_book():
    made = live(BYBIT)
    made.apply(snap(BYBIT, 1, bids=(), asks=(), at=2_000))
    made.apply(step(BYBIT, 1, 2, at=2_001))
    made.apply(snap(BYBIT, 50, at=2_002))
    assert made.state == "delisted"
    assert made.ignored == 2


@pytest.mark.parametrize("venue", NUMBERED)
@pytest.mark.fault("B09")
def test_an_undeclared_reset_of_the_ids_ends_trust(venue):
    made = live(venue)
    made.apply(step(venue, 10, 11, at=2_000))
    made.apply(step(venue, 4, 5, at=3_000))
    assert made.state == "untrusted"
    assert "11" in made.reason
    assert made.wants_snapshot


@pytest.mark.parametrize("venue", ["okx", BYBIT, "deribit"])
@pytest.mark.fault("B09")
def test_an_undeclared_reset_between_the_snapshot_and_its_first_change_ends_trust(venue):
    """Found by a simulated day: muted from its snapshot on, the venue counted anew meanwhile."""
    made = book(venue, snap(venue, 10))
    made.apply(step(venue, 4, 5, at=1_000))  # told before the snapshot, on another line
    assert (made.state, made.repeated) == ("live", 1)
    made.apply(step(venue, 4, 5, at=3_000))
    assert made.state == "untrusted"
    assert made.wants_snapshot


@pytest.mark.parametrize("venue", NUMBERED)
@pytest.mark.fault("B09")
def test_ids_that_are_missing_end_trust(venue):
    made = live(venue)
    made.apply(change(venue, (None, None, None), [(100.0, 3.0)], at=2_000))
    assert made.state == "untrusted"


@pytest.mark.fault("B09")
def test_a_declared_reset_follows_the_chain():
    made = live("okx")
    made.apply(step("okx", 10, 3, at=2_000))
    made.apply(step("okx", 3, 5, at=2_001))
    assert bid(made) == (100.0, 5.0)
    made.apply(step("okx", 99, 2, at=2_002))
    assert made.state == "untrusted"


def test_a_sign_of_life_changes_nothing():
    made = live("okx")
    made.apply(step("okx", 10, 10, bids=[], at=2_000))
    made.apply(step("okx", 10, 17, at=2_001))
    assert bid(made) == (100.0, 17.0)


@pytest.mark.parametrize("venue", sorted(RULES))
@pytest.mark.fault("B10")
def test_the_delete_of_an_absent_level_is_normal(venue):
    made = book(venue, snap(venue, 10, bids=[(100.0, 1.0), (98.0, 0.0)]))
    assert bid(made) == (100.0, 1.0)
    if venue in NUMBERED:
        made.apply(step(venue, 10 if venue != USDM else 9, 11, bids=[(55.5, 0.0)], at=2_000))
        assert bid(made) == (100.0, 1.0)


@pytest.mark.parametrize("asks", [[(99.0, 1.0)], [(100.0, 1.0)]], ids=["crossed", "locked"])
@pytest.mark.fault("B11")
def test_a_crossed_book_is_not_shown_and_resynced_if_it_stays(asks):
    made = live("kraken_futures")
    made.apply(change("kraken_futures", (11, 11, None), asks=asks, at=2_000))
    assert (made.state, made.levels) == ("untrusted", None)
    assert "crossed" in made.reason
    assert not made.wants_snapshot
    made.apply(change("kraken_futures", (12, 12, None), [(90.0, 1.0)], at=4_000))
    assert made.wants_snapshot


@pytest.mark.fault("B11")
def test_a_moment_of_crossing_passes():
    made = live("kraken_futures")
    made.apply(change("kraken_futures", (11, 11, None), asks=[(99.0, 1.0)], at=2_000))
    made.apply(change("kraken_futures", (12, 12, None), [(100.0, 0.0), (98.0, 1.0)], at=2_005))
    assert made.levels.touch() == (98.0, 1.0, 99.0, 1.0)


def kraken_crc(bids, asks):
    """The documentation's arithmetic, written on its own."""
    text = ""
    for rows in (asks[:10], bids[:10]):
        for price, size in rows:
            text += str(int(price.replace(".", ""))) + str(int(size.replace(".", "")))
    return zlib.crc32(text.encode())


def kraken(bids, asks, top=None, **more):
    held = top or (bids, asks)
    return change(
        "kraken_spot", bids=[(float(p), float(s)) for p, s in bids],
        asks=[(float(p), float(s)) for p, s in asks], bid_texts=tuple(bids), ask_texts=tuple(asks),
        checksum=more.pop("checksum", None) or kraken_crc(*held), **more,
    )  # fmt: skip


BIDS = [(f"{100 - n}.10", f"0.{n + 1}000") for n in range(12)]
ASKS = [(f"{101 + n}.00", f"{n}.50000000") for n in range(12)]


@pytest.mark.fault("B14")
def test_the_checksum_is_over_the_texts_with_their_zeros():
    made = book("kraken_spot", kraken(BIDS, ASKS, snapshot=True), depth=25)
    new = ("100.10", "3.0000")
    made.apply(kraken([new], [], ([new, *BIDS[1:]], ASKS), at=2_000))
    assert bid(made) == (100.1, 3.0)
    assert made.checked == 2


@pytest.mark.fault("B13")
def test_a_wrong_checksum_ends_trust():
    made = book("kraken_spot", kraken(BIDS, ASKS, snapshot=True), depth=25)
    made.apply(kraken([("100.10", "3.0000")], [], checksum=12_345, at=2_000))
    assert made.state == "untrusted"
    assert "12345" in made.reason
    assert made.wants_snapshot


@pytest.mark.fault("B13")
def test_a_book_without_checksums_is_unverified_and_not_failing():
    made = book("okx", snap("okx", 10))
    made.apply(step("okx", 10, 12, at=2_000))
    assert made.state == "live"
    assert made.checked == 0


@pytest.mark.parametrize("depth", [2, 25])
@pytest.mark.fault("B13")
def test_the_signed_checksum_alternates_and_goes_on_with_the_longer_side(depth):
    bids = [(f"{100 - n}.5", f"{n + 1}") for n in range(depth)]
    asks = [("101.0", "7")]
    parts = [f"{bids[0][0]}:{bids[0][1]}:101.0:7", *[":".join(row) for row in bids[1:]]]
    unsigned = zlib.crc32(":".join(parts).encode())
    made = book("okx", change(
        "okx", (None, 5, -1), [(float(p), float(s)) for p, s in bids], [(101.0, 7.0)], snapshot=True,
        bid_texts=tuple(bids), ask_texts=tuple(asks),
        checksum=unsigned - 2**32 if unsigned >= 2**31 else unsigned,
    ))  # fmt: skip
    assert (made.state, made.checked) == ("live", 1)


@pytest.mark.fault("B15")
def test_levels_beyond_the_subscribed_depth_are_cut_off():
    made = book("kraken_spot", kraken(BIDS[:10], ASKS[:10], snapshot=True), depth=10)
    new = ("100.55", "1.0000")
    made.apply(kraken([new], [], ([new, *BIDS[:9]], ASKS[:10]), at=2_000))
    assert len(made.levels.bids) == 10
    assert made.levels.bids.worst() == float(BIDS[8][0])
    # the level that was cut is told again when it returns
    made.apply(kraken([(new[0], "0.0000"), BIDS[9]], [], (BIDS[:10], ASKS[:10]), at=2_001))
    assert bid(made, 9 - 1) == (float(BIDS[8][0]), float(BIDS[8][1]))


@pytest.mark.parametrize("venue", REST)
@pytest.mark.parametrize("last", [11, 13, 15])
@pytest.mark.fault("B16")
def test_a_new_snapshot_while_live_loses_no_change(venue, last):
    """Older than the book, in the middle of what comes, or ahead of it."""
    made = live(venue)
    made.apply(step(venue, 10, 12, at=2_000))
    seen = [made.state]
    made.apply(snap(venue, last, bids=[(100.0, 12.0 if last < 15 else 15.0)], at=2_001))
    seen.append(made.state)
    for low, high in ((12, 14), (14, 16), (16, 17)):
        made.apply(step(venue, low, high, at=2_000 + high))
        seen.append(made.state)
    assert set(seen) == {"live"}
    assert bid(made) == (100.0, 17.0)


@pytest.mark.fault("B19")
def test_changes_of_another_contract_never_touch_the_book():
    made = live(USDM)
    before = made.levels.touch()
    made.apply(snap(USDM, 99, bids=[(5.0, 5.0)], asks=[(6.0, 6.0)], symbol="BTCUSDT"))
    made.apply(change(SPOT, (11, 12, 10), [(100.0, 0.0)]))
    assert made.levels.touch() == before
    assert made.ignored == 2


def test_a_frame_of_a_venue_without_ids_replaces_the_book():
    made = book(
        "hyperliquid", snap("hyperliquid"), snap("hyperliquid", bids=[(99.0, 3.0)], at=2_000)
    )
    assert made.levels.bids.top(5) == [(99.0, 3.0)]


@pytest.mark.fault("B12")
def test_the_price_leaving_the_snapshots_range_ends_trust():
    """Levels further out were never told: the best seen there need not be the best."""
    bids = [(100.0 - n, 1.0) for n in range(5)]
    made = book(USDM, snap(USDM, 10, bids=bids, asks=[(101.0, 1.0)]))
    made.apply(change(USDM, (10, 11, 9), [(90.0, 5.0)], at=2_000))
    assert made.levels.bids.known_to() == 96.0
    assert made.levels.asks.known_to() is None
    made.apply(change(USDM, (12, 12, 11), [(price, 0.0) for price, _ in bids], at=2_001))
    assert made.state == "untrusted"
    assert "range" in made.reason


def test_a_lost_connection_is_mended_by_the_next_change_if_it_follows():
    made = live(USDM)
    made.distrust("the connection was lost")
    assert made.state == "untrusted"
    made.apply(step(USDM, 10, 11, at=2_000))
    assert bid(made) == (100.0, 11.0)
    made.distrust("the connection was lost")
    made.apply(step(USDM, 12, 13, at=2_001))
    assert made.state == "untrusted"
    assert made.wants_snapshot


def test_a_lost_connection_after_which_the_venue_counts_anew_is_no_repetition():
    made = live(USDM)
    made.distrust("the connection was lost")
    made.apply(step(USDM, 3, 4, at=9_000))
    assert made.wants_snapshot


wild = st.one_of(st.none(), st.integers(-5, 30))
sizes = st.one_of(st.sampled_from([0.0, 1.0, -1.0]), st.floats())
wild_levels = st.lists(
    st.tuples(st.one_of(st.integers(1, 30).map(float), st.floats()), sizes), max_size=5
)
texts = st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=3).map(tuple)


@settings(max_examples=300)
@given(
    st.sampled_from([*sorted(RULES), "unheard_of"]),
    st.lists(
        st.tuples(wild, wild, wild, wild_levels, wild_levels, st.booleans(), wild, texts),
        max_size=12,
    ),
)
def test_nothing_makes_a_book_raise_and_what_it_shows_is_sound(venue, told):
    made = Book(venue, "ETHUSDT")
    for at, (first, last, previous, bids, asks, whole, checksum, written) in enumerate(told):
        made.apply(
            BookChange(
                venue=venue, symbol="ETHUSDT", ts=at, usable_from=at, heard=at, snapshot=whole,
                first=first, last=last, previous=previous, bids=tuple(bids), asks=tuple(asks),
                checksum=checksum, bid_texts=written, ask_texts=written,
            )
        )  # fmt: skip
        assert (made.levels is None) == (made.state != "live")
        assert (made.reason == "") == (made.state == "live")
        if made.levels is not None:
            touch = made.levels.touch()
            assert touch is None or touch.bid < touch.ask
            for side in (made.levels.bids, made.levels.asks):
                shown = list(side.best_first())
                assert all(0.0 < price < 1e18 and 0.0 < size < 1e18 for price, size in shown)
                prices = [price for price, _ in shown]
                assert prices == sorted(set(prices), reverse=side is made.levels.bids)
                assert len(side) == len(shown)


@pytest.mark.parametrize(
    ("venue", "state"), [("coinbase", "untrusted"), ("okx", "live"), ("deribit", "live"), (BYBIT, "live")]
)  # fmt: skip
def test_a_change_after_too_long_a_silence_is_believed_only_where_it_counts(venue, state):
    """Only ids tell that none is missing."""
    made = live(venue)
    made.unheard()
    assert made.state == "live"  # what it shows was true; that it is old, its channel says
    made.apply(change(venue, (None, None, None), [(100.0, 7.0)], at=2_000) if venue == "coinbase"
               else step(venue, 10, 11, at=2_000))  # fmt: skip
    assert made.state == state
    assert made.wants_snapshot is (state == "untrusted")
    made.apply(snap(venue, 12, at=2_001))
    if venue == "coinbase":
        made.apply(change(venue, (None, None, None), [(100.0, 8.0)], at=2_002))
        assert bid(made) == (100.0, 8.0)
    assert made.state == "live"
