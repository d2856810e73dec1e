"""Times, intervals, sides and symbols."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.domain import units
from airpocket.domain.errors import UnknownInstrument
from airpocket.domain.instruments import instrument, instruments_of
from airpocket.domain.kinds import KINDS, split_name, stored_name


@given(st.integers(units.EARLIEST // 1000, units.LATEST // 1000 - 1))
def test_times_survive_the_round_trip_to_the_microsecond(micros):
    assert units.parse_time(units.format_time(micros * 1000)) == micros * 1000


@pytest.mark.parametrize(
    "text", ["2025-10-10T20:00", "2025-10-10", "10/10/2025", "", "1969-01-01T00:00Z", "now"]
)
def test_a_time_without_zone_or_sense_is_refused(text):
    with pytest.raises(ValueError, match=r"is not a time|has no time zone|is outside"):
        units.parse_time(text)


def test_zones_are_converted():
    assert units.parse_time("2025-10-10T22:00+02:00") == units.parse_time("2025-10-10T20:00Z")


@pytest.mark.parametrize("name", ["1m", "15m", "1h", "8h", "1d", "90s"])
def test_intervals_round_trip(name):
    assert units.format_interval(units.parse_interval(name)) == name


def test_a_liquidated_short_is_bought_back():
    assert units.forced_side_of("short") == "buy"
    assert units.forced_side_of("long") == "sell"


@pytest.mark.parametrize(
    ("venue", "symbol", "base", "kind"),
    [("binance_usdm", "ETHUSDT", "ETH", "linear"), ("binance_coinm", "BTCUSD_PERP", "BTC", "inverse"),
     ("okx", "ETH-USDT-SWAP", "ETH", "linear"), ("kraken_futures", "PF_XBTUSD", "BTC", "linear"),
     ("binance_usdm", "币安人生USDT", "币安人生", "linear"), ("deribit", "ETH-27MAR26-3000-C", "ETH", "option"),
     ("coinbase", "ETH-USD", "ETH", "spot")],
)  # fmt: skip
def test_symbols_name_their_asset_and_contract(venue, symbol, base, kind):
    found = instrument(venue, symbol)
    assert (found.base, found.kind) == (base, kind)


def test_an_unknown_contract_size_is_unknown_not_one():
    assert instrument("okx", "PEPE-USDT-SWAP").contract_size is None
    assert instrument("okx", "ETH-USDT-SWAP").contract_size == 0.1


@pytest.mark.parametrize(
    ("venue", "symbol"), [("nowhere", "ETH"), ("binance_usdm", "ETH"), ("okx", "../x")]
)
def test_other_symbols_are_refused(venue, symbol):
    with pytest.raises(UnknownInstrument):
        instrument(venue, symbol)


def test_every_instrument_of_an_asset_reads_back_as_that_asset():
    assert {one.base for one in instruments_of("BTC")} == {"BTC"}


def test_stored_names_round_trip():
    for kind in KINDS.values():
        name = stored_name(kind.name, "1h" if kind.has_interval else None)
        assert split_name(name)[0] is kind
