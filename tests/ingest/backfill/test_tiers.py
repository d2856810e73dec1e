"""Bybit's risk limits into tier tables: units told apart, nothing stored twice, contradictions refused."""

import polars as pl
import pytest
from ingest.backfill.fake_venue import NOW, FakeClock, FakeVenue, body, client

from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.units import DAY_NS, HOUR_NS
from airpocket.ingest.backfill.run import backfill
from airpocket.ingest.lake import Lake


def limits(symbol="ETHUSDT", percent=False, **change):
    """Three tiers in the documented shape; deductions are left out, as on the lowest tier."""
    whole = 100 if percent else 1
    rows = [
        {
            "id": k, "symbol": symbol, "riskLimitValue": cap, "maintenanceMargin": str(mmr * whole),
            "initialMargin": str(1 / lev * whole), "maxLeverage": f"{lev:.2f}", "mmDeduction": "",
        }
        for k, (cap, mmr, lev) in enumerate(
            [("900000", 0.005, 100.0), ("9000000", 0.01, 50.0), ("18000000", 0.015, 33.33)], 1
        )
    ]  # fmt: skip
    rows[1] |= change
    return {"retCode": 0, "retMsg": "OK", "result": {"category": "linear", "list": rows}, "time": 1}


def asked(lake, answer, clock=None, span=None, venue="bybit_linear", symbol="ETHUSDT"):
    kind = venue.removeprefix("bybit_")
    routes = {
        "risk-limit": answer, "instruments-info": body(f"bybit_{kind}_instruments"),
    }  # fmt: skip
    clock = clock or FakeClock()
    with client(venue, FakeVenue(routes), clock) as speaker:
        found = backfill(
            speaker, symbol, ["tier"], span or (NOW - HOUR_NS, NOW + HOUR_NS), lake=lake, clock=clock
        )  # fmt: skip
    return found.kinds[0]


@pytest.mark.parametrize("percent", [False, True])
def test_tiers_are_fractions_whichever_way_the_venue_writes_them(tmp_path, percent):
    lake = Lake(tmp_path)
    report = asked(lake, limits(percent=percent))
    frame = lake.read("tier", "bybit_linear", "ETHUSDT")
    assert report.rows_new == frame.height == 3
    assert frame["mmr"].to_list() == pytest.approx([0.005, 0.01, 0.015])
    assert frame["notional_floor"].to_list() == [0.0, 900_000.0, 9_000_000.0]
    assert frame["deduction"].to_list() == pytest.approx([0.0, 4_500.0, 49_500.0])
    assert frame["currency"].unique().to_list() == ["USDT"]
    assert frame["usable_from"].equals(frame["ts"].alias("usable_from"))
    assert frame["ts"].cast(pl.Int64)[0] * 1_000 >= NOW


def test_an_inverse_contract_has_its_edges_in_coin(tmp_path):
    lake = Lake(tmp_path)
    asked(lake, limits("ETHUSD"), venue="bybit_inverse", symbol="ETHUSD")
    assert lake.read("tier", "bybit_inverse", "ETHUSD")["currency"][0] == "ETH"


def test_unchanged_tiers_are_not_stored_again_and_changed_ones_are(tmp_path):
    lake = Lake(tmp_path)
    asked(lake, limits())
    later = FakeClock(NOW + 2 * DAY_NS)
    span = (NOW, NOW + 3 * DAY_NS)
    same = asked(lake, limits(), later, span)
    assert (same.rows_new, same.rows_known, same.notes) == (0, 3, ["unchanged since 2025-05-10"])
    changed = asked(lake, limits(riskLimitValue="8000000"), later, span)
    assert changed.rows_new == 3
    assert lake.read("tier", "bybit_linear", "ETHUSDT")["ts"].n_unique() == 2


def test_the_tiers_of_a_past_span_are_not_offered(tmp_path):
    report = asked(Lake(tmp_path), limits(), span=(NOW - 9 * DAY_NS, NOW - 2 * DAY_NS))
    assert not report.offered
    assert report.notes == ["tier: bybit_linear gives only those of now, not of the span"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (limits(maintenanceMargin="0.001"), "tier 2: mmr must rise"),
        (limits(maintenanceMargin=""), "no usable maintenanceMargin"),
        (limits(riskLimitValue="nan"), "no usable riskLimitValue"),
        ({"retCode": 0, "result": {"list": []}}, "no tiers in the answer"),
    ],
)
def test_an_answer_that_makes_no_table_is_refused_and_nothing_is_stored(tmp_path, answer, said):
    lake = Lake(tmp_path)
    with pytest.raises(UndecodableFrame, match=said):
        asked(lake, answer)
    assert lake.read("tier", "bybit_linear", "ETHUSDT").height == 0


def test_rates_that_are_neither_fractions_nor_per_cent_are_refused(tmp_path):
    odd = limits()
    for row in odd["result"]["list"]:
        row["initialMargin"] = "7"
    with pytest.raises(UndecodableFrame, match="not 1 or 100"):
        asked(Lake(tmp_path), odd)


def test_a_venue_without_open_tiers_says_so(tmp_path):
    clock = FakeClock()
    with client("hyperliquid", FakeVenue({}), clock) as speaker:
        span = (NOW - HOUR_NS, NOW + HOUR_NS)
        found = backfill(speaker, "ETH", ["tier"], span, lake=Lake(tmp_path), clock=clock)
    assert found.kinds[0].notes == ["tier: not offered by hyperliquid"]
