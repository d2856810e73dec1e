"""What venues list: versions, standings, absences, terms of funding, and lists that are not to be believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.domain.events import OpenInterest
from airpocket.domain.units import DAY_NS, parse_time
from airpocket.domain.wire import FundingEstimate, FundingTerms, Listing, Roll
from airpocket.market.live.reference import Reference, standing

S = 1_000_000_000
T0 = parse_time("2026-11-01T00:00Z")
FIRST = parse_time("2021-03-01T00:00Z")


def listing(symbol="ETH-USDT-SWAP", at=T0, venue="okx", **changes):
    said = {
        "base": "ETH", "kind": "linear", "contract_size": 0.1, "size_unit": "coin", "tick_size": 0.01,
        "lot_size": 0.01, "status": "live", "listed_at": FIRST,
    }  # fmt: skip
    return Listing(
        venue=venue, symbol=symbol, ts=at, usable_from=at, heard=at, **{**said, **changes}
    )


def roll(symbols, at=T0, venue="okx", scope="instruments?instType=SWAP"):
    symbols = tuple(symbols)
    return Roll(
        venue=venue, symbol="", ts=at, usable_from=at, heard=at, scope=scope, symbols=symbols
    )


def told(reference, *symbols, at=T0):
    """One whole list → what it changed."""
    changes = [c for symbol in symbols for c in reference.hear(listing(symbol, at))]
    return changes + reference.hear(roll(symbols, at))


def whats(changes, what):
    return [change for change in changes if change.what == what]


ALL = tuple(f"COIN{n}-USDT-SWAP" for n in range(10))


@pytest.mark.fault("M01")
def test_a_contract_is_new_when_a_whole_list_stood_without_it():
    reference = Reference()
    assert not whats(told(reference, *ALL), "listed")  # the first list is the beginning, not news
    found = whats(told(reference, *ALL, "NEW-USDT-SWAP", at=T0 + 240 * S), "listed")
    assert [(c.symbol, c.version.number) for c in found] == [("NEW-USDT-SWAP", 1)]
    assert not told(reference, *ALL, "NEW-USDT-SWAP", at=T0 + 480 * S)


@pytest.mark.fault("M01")
@pytest.mark.parametrize(
    "venue",
    ["binance_usdm", "bybit_linear", "okx", "hyperliquid", "kraken_futures", "deribit"],
)
def test_every_derivatives_venue_is_asked_for_its_list_within_five_minutes(venue):
    from airpocket.live.feeds import feeds_of

    lists = [
        poll for poll in feeds_of(["ETH"], [venue])[venue].polls
        if any(channel.name == "listings" for channel in poll.channels)
    ]  # fmt: skip
    assert lists
    assert all(1.05 * poll.every_s < 300.0 for poll in lists)


@pytest.mark.fault("M02")
@pytest.mark.parametrize(
    ("said", "why"),
    [({"status": "settling"}, "positions can only be closed"), ({"status": "halted"}, "halted"),
     ({"status": "delisted"}, "delisted"),
     ({"ends_at": parse_time("2026-12-01T08:00Z")}, "ends it on 2026-12-01")],
)  # fmt: skip
def test_a_contract_that_ends_or_rests_takes_no_new_positions(said, why):
    reference = Reference()
    told(reference, "ETH-USDT-SWAP")
    [change] = reference.hear(listing(at=T0 + S, **said))
    assert change.what == "status"
    assert why in change.text
    assert standing(change.version.listing) == change.text
    [back] = reference.hear(listing(at=T0 + 2 * S))
    assert (back.what, back.text) == ("status", "")


@pytest.mark.fault("M03")
def test_only_a_second_absence_in_a_row_is_a_disappearance():
    reference = Reference()
    told(reference, *ALL)
    assert not told(reference, *ALL[1:], at=T0 + 240 * S)
    [gone] = told(reference, *ALL[1:], at=T0 + 480 * S)
    assert (gone.what, gone.symbol, gone.at) == ("vanished", ALL[0], T0 + 240 * S)


@pytest.mark.fault("M03")
def test_an_absence_between_two_appearances_is_forgotten():
    reference = Reference()
    told(reference, *ALL)
    for minute, symbols in enumerate((ALL[1:], ALL, ALL[1:], ALL), 1):
        assert not whats(told(reference, *symbols, at=T0 + minute * 240 * S), "vanished")


@pytest.mark.fault("M04")
@pytest.mark.parametrize("kept", [0, 1, 4])
def test_an_empty_or_shortened_list_changes_nothing_and_is_named(kept):
    reference = Reference()
    told(reference, *ALL)
    for turn in range(1, 6):
        assert not told(reference, *ALL[:kept], at=T0 + turn * 240 * S)
        [why] = reference.doubts.values()
        assert "the last good one stands" in why
    assert all(reference.version("okx", symbol) for symbol in ALL)
    told(reference, *ALL, at=T0 + 6 * 240 * S)
    assert not reference.doubts


@pytest.mark.fault("M04")
def test_newcomers_do_not_make_up_for_those_a_list_lacks():
    reference = Reference()
    old, new = ALL[:5], ALL[5:]
    told(reference, *old)
    for turn in (1, 2, 3):
        assert not whats(told(reference, *old[:2], *new, at=T0 + turn * 240 * S), "vanished")
    assert reference.doubts


@pytest.mark.fault("M04")
@given(st.lists(st.sets(st.sampled_from(ALL)), max_size=12))
def test_no_run_of_lists_ends_more_than_a_half_of_the_markets_at_once(lists):
    reference = Reference()
    told(reference, *ALL)
    standing_now = len(ALL)
    for turn, symbols in enumerate(lists, 1):
        gone = whats(told(reference, *sorted(symbols), at=T0 + turn * 240 * S), "vanished")
        assert len(gone) <= standing_now / 2
        standing_now = max(standing_now - len(gone), len(symbols))


@pytest.mark.fault("M05")
@pytest.mark.parametrize("said", [{"tick_size": 0.05}, {"lot_size": 0.1}])
def test_another_tick_or_lot_is_another_version(said):
    reference = Reference()
    told(reference, "ETH-USDT-SWAP")
    [change] = reference.hear(listing(at=T0 + S, **said))
    assert (change.what, change.version.number, change.version.since) == ("rules", 2, T0 + S)
    assert not reference.hear(listing(at=T0 + 2 * S, **said))  # said again: nothing new


@pytest.mark.fault("M06")
def test_contract_sizes_are_versions_and_an_older_snapshot_of_them_never_changes():
    reference = Reference()
    told(reference, "ETH-USDT-SWAP")
    before = reference.sizes("okx")
    [change] = reference.hear(listing(at=T0 + S, contract_size=0.001))
    assert change.what == "size"
    assert (before["ETH-USDT-SWAP"], reference.sizes("okx")["ETH-USDT-SWAP"]) == (0.1, 0.001)
    contracts = OpenInterest(venue="okx", symbol="ETH-USDT-SWAP", ts=T0, usable_from=T0, heard=T0,
                             amount=5_000.0, unit="contracts")  # fmt: skip
    whole = reference.completed(contracts)
    assert (whole.amount, whole.unit) == (5.0, "coin")


@pytest.mark.fault("M06")
def test_open_interest_in_contracts_of_unknown_size_stays_in_contracts():
    contracts = OpenInterest(venue="okx", symbol="XYZ-USDT-SWAP", ts=T0, usable_from=T0, heard=T0,
                             amount=5_000.0, unit="contracts")  # fmt: skip
    assert Reference().completed(contracts) is contracts


@pytest.mark.fault("M07")
@pytest.mark.parametrize("said", [{"listed_at": FIRST + 900 * DAY_NS}, {"base": "ETHW"}])
def test_a_symbol_used_again_names_another_contract(said):
    reference = Reference()
    told(reference, "ETH-USDT-SWAP")
    before = reference.version("okx", "ETH-USDT-SWAP")
    changes = reference.hear(listing(at=T0 + S, **said))
    assert changes[0].what == "relisted"
    if "listed_at" in said:
        assert before.identity == "okx:ETH-USDT-SWAP@2021-03-01"
        assert changes[0].version.identity == "okx:ETH-USDT-SWAP@2023-08-18"


@pytest.mark.fault("M08")
def test_a_kind_that_contradicts_the_name_is_named():
    reference = Reference()
    told(reference, "ETH-USDT-SWAP")
    assert reference.conflict("okx", "ETH-USDT-SWAP", sized=True) == ""
    reference.hear(listing(at=T0 + S, kind="inverse", size_unit="usd"))
    assert "lists it as inverse" in reference.conflict("okx", "ETH-USDT-SWAP", sized=True)


@pytest.mark.fault("M06")
def test_a_size_that_the_decoder_does_not_follow_is_a_conflict():
    reference = Reference()
    coinm = {"venue": "binance_coinm", "kind": "inverse", "size_unit": "usd"}
    reference.hear(listing("ETHUSD_PERP", **coinm, contract_size=10.0))
    assert reference.conflict("binance_coinm", "ETHUSD_PERP", sized=False) == ""
    reference.hear(listing("ETHUSD_PERP", T0 + S, **coinm, contract_size=100.0))
    why = reference.conflict("binance_coinm", "ETHUSD_PERP", sized=False)
    assert why == "a contract is 100 usd, it is read as 10"


def estimate(symbol="ETHUSDT", at=T0, interval_s=None):
    return FundingEstimate(venue="binance_usdm", symbol=symbol, ts=at, usable_from=at, heard=at, rate=0.0004,
                           next_settlement=None, interval_s=interval_s)  # fmt: skip


def terms(symbol, hours, at=T0, **more):
    return FundingTerms(venue="binance_usdm", symbol=symbol, ts=at, usable_from=at, heard=at,
                        interval_s=hours * 3_600, **more)  # fmt: skip


def adjusted(reference, hours_of, at=T0):
    for symbol, hours in hours_of.items():
        reference.hear(terms(symbol, hours, at))
    reference.hear(roll(hours_of, at, "binance_usdm", "fundingInfo"))


@pytest.mark.fault("M09")
def test_an_interval_is_unknown_until_the_list_of_adjusted_ones_was_heard():
    reference = Reference()
    assert reference.completed(estimate()).interval_s is None
    adjusted(reference, {"SOLUSDT": 4})
    assert reference.completed(estimate()).interval_s == 8 * 3_600  # not on the list: as all others
    assert reference.completed(estimate("SOLUSDT")).interval_s == 4 * 3_600


@pytest.mark.fault("M09")
def test_each_rate_has_the_interval_in_force_when_it_was_heard():
    reference = Reference()
    others = dict.fromkeys(("AUSDT", "BUSDT", "CUSDT"), 4)
    found = []
    for turn, hours in enumerate((8, 4, 1)):
        adjusted(reference, {**others, "ETHUSDT": hours}, T0 + turn * S)
        found.append(reference.completed(estimate(at=T0 + turn * S)).interval_s)
    adjusted(reference, others, T0 + 9 * S)  # no longer adjusted
    found.append(reference.completed(estimate(at=T0 + 9 * S)).interval_s)
    assert found == [28_800, 14_400, 3_600, 28_800]


@pytest.mark.fault("M09")
def test_what_the_rate_itself_says_wins():
    reference = Reference()
    adjusted(reference, {"ETHUSDT": 4})
    assert reference.completed(estimate(interval_s=3_600)).interval_s == 3_600


@pytest.mark.fault("M10")
@pytest.mark.parametrize(("rate", "capped"), [(0.0004, False), (0.02, True), (-0.02, True)])
def test_a_rate_at_the_venues_bound_is_capped(rate, capped):
    reference = Reference()
    assert reference.completed(estimate()).capped is None  # no bound was said
    reference.hear(terms("ETHUSDT", 8, cap=0.02, floor=-0.02))
    whole = reference.completed(
        FundingEstimate(venue="binance_usdm", symbol="ETHUSDT", ts=T0, usable_from=T0, heard=T0, rate=rate,
                        next_settlement=T0 - S)
    )  # fmt: skip
    assert whole.capped is capped
    assert whole.until_settlement_s(T0) is None  # past: the countdown is unknown


def test_what_a_shorter_message_leaves_out_stays_as_it_was():
    reference = Reference()
    told(reference, "ETH-USDT-SWAP")
    assert not reference.hear(listing(at=T0 + S, tick_size=None, lot_size=None, contract_size=None))
    assert reference.version("okx", "ETH-USDT-SWAP").listing.tick_size == 0.01
