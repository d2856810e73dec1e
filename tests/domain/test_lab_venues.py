"""Venues of the lab's runs write symbols and margin like the venues that they stand for."""

import pytest

from airpocket.domain.errors import UnknownInstrument
from airpocket.domain.instruments import instrument, stands_for
from airpocket.domain.units import parse_time
from airpocket.margin.bundled import schedules_of
from airpocket.margin.rules import rules_in_force

AT = parse_time("2026-03-02T00:00Z")


@pytest.mark.parametrize(
    ("venue", "symbol", "real", "kind"),
    [
        ("sim_binance", "ETHUSDT", "binance_usdm", "linear"),
        ("sim_binance", "ETHUSD_PERP", "binance_coinm", "inverse"),
        ("sim_bybit", "ETHUSDT", "bybit_linear", "linear"),
        ("sim_okx", "ETH-USDT-SWAP", "okx", "linear"),
        ("sim_deribit", "ETH-PERPETUAL", "deribit", "inverse"),
        ("sim_hyperliquid", "ETH", "hyperliquid", "linear"),
    ],
)
def test_a_venue_of_the_lab_has_the_symbols_and_rules_of_the_real_one(venue, symbol, real, kind):
    own, other = rules_in_force(venue, symbol, AT), rules_in_force(real, symbol, AT)

    assert stands_for(venue, symbol) == real
    assert (instrument(venue, symbol).base, instrument(venue, symbol).kind) == ("ETH", kind)
    assert instrument(venue, symbol).simulated
    assert instrument(venue, symbol).contract_size == 1.0
    assert own.venue == venue
    assert (own.procedure, own.funding, own.mark) == (other.procedure, other.funding, other.mark)
    assert len(schedules_of(venue, symbol, AT)) == len(schedules_of(real, symbol, AT))
    assert all(table.venue == venue for table in schedules_of(venue, symbol, AT))


def test_a_real_venue_stands_for_itself_and_foreign_symbols_are_refused():
    assert stands_for("binance_usdm", "ETHUSDT") == "binance_usdm"
    with pytest.raises(UnknownInstrument, match="sim_hyperliquid"):
        instrument("sim_hyperliquid", "ETH-PERPETUAL!")
