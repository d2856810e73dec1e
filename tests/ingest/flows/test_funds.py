"""Fund tables as published: brackets, dashes, holidays, half-published days, and pages that are no table."""

import json

import pytest

from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.units import day_of, parse_time
from airpocket.ingest.flows.funds import coinglass_funds, fund_page, fund_table

NOW = parse_time("2025-07-09T12:00Z")
HEAD = ["Date", "IBIT", "FBTC", "GBTC", "Total"]


def nets(told) -> dict[str, float]:
    return {day_of(o.event): o.value for o in told.observations if o.series == "etf_net_flow"}


def funds(told, day: str) -> dict[str, float]:
    mine = [o for o in told.observations if day_of(o.event) == day and ":" in o.series]
    return {o.series.partition(":")[2]: o.value for o in mine}


def test_brackets_are_redemptions_and_figures_are_millions() -> None:
    told = fund_table(
        [HEAD, ["02 Jul 2025", "1,012.5", "(12.3)", "0.0", "1,000.2"]], "BTC", "x", NOW
    )
    assert nets(told) == {"2025-07-02": 1_000.2e6}
    assert funds(told, "2025-07-02") == {"IBIT": 1_012.5e6, "FBTC": -12.3e6, "GBTC": 0.0}
    assert told.notes == ()


def test_a_half_published_day_has_its_funds_and_no_net_flow() -> None:
    rows = [
        HEAD,
        ["02 Jul 2025", "10.0", "5.0", "1.0", "16.0"],
        ["03 Jul 2025", "7.0", "-", "2.0", "9.0"],
    ]
    told = fund_table(rows, "BTC", "x", NOW)
    assert nets(told) == {"2025-07-02": 16e6}
    assert funds(told, "2025-07-03") == {"IBIT": 7e6, "GBTC": 2e6}
    assert told.notes == ("2025-07-03: half published, no figure of FBTC; no net flow",)


def test_a_fund_that_is_closed_for_good_is_not_late() -> None:
    days = [2, 3, 7, 8, 9, 10, 11, 14, 15, 16, 17, 18, 21]
    rows = [
        [f"{d:02d} Jul 2025", "1.0", "2.0" if d == 2 else "-", "0.0", "3.0" if d == 2 else "1.0"]
        for d in days
    ]
    told = fund_table([HEAD, *rows], "BTC", "x", parse_time("2025-07-25T00:00Z"))
    assert list(nets(told)) == ["2025-07-02", "2025-07-18", "2025-07-21"]


def test_holidays_and_weekends_are_no_flows_of_zero() -> None:
    rows = [
        HEAD, ["03 Jul 2025", "1.0", "1.0", "1.0", "3.0"], ["04 Jul 2025", "0.0", "0.0", "0.0", "0.0"],
        ["05 Jul 2025", "-", "-", "-", "0.0"], ["06 Jul 2025", "4.0", "-", "-", "4.0"],
        ["07 Jul 2025", "2.0", "0.0", "0.0", "2.0"],
    ]  # fmt: skip
    told = fund_table(rows, "BTC", "x", NOW)
    assert nets(told) == {"2025-07-03": 3e6, "2025-07-07": 2e6}
    assert told.notes == ("2025-07-06: figures for a day on which funds don't trade, left out",)


def test_a_total_that_is_not_the_sum_is_not_taken() -> None:
    told = fund_table([HEAD, ["02 Jul 2025", "10.0", "5.0", "1.0", "61.0"]], "BTC", "x", NOW)
    assert nets(told) == {}
    assert "total 61.0 is not the funds' sum 16.0" in told.notes[0]


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("12.3M", "is no amount"),
        ("(1.0", "is no amount"),
        ("nan", "is no amount"),
        ("655300000", "another unit"),
    ],
)
def test_a_cell_that_is_no_figure_of_millions_refuses_the_table(cell: str, says: str) -> None:
    with pytest.raises(UndecodableFrame, match=says) as raised:
        fund_table([HEAD, ["02 Jul 2025", cell, "0.0", "0.0", "0.0"]], "BTC", "funds.csv", NOW)
    assert "funds.csv" in str(raised.value)
    assert "2025-07-02" in str(raised.value)


PAGE = """<html><body><table class="menu"><tr><td>Total</td></tr></table>
<table class="etf"><tr><th></th><th>IBIT</th><th>FBTC</th><th>Total</th></tr>
<tr><td>Fee</td><td>0.25%</td><td>0.25%</td><td></td></tr>
<tr><td><span>02 Jul 2025</span></td><td>{}</td><td><span class="redFont">(3.0)</span></td><td>7.0</td></tr>
<tr><td>Total</td><td>9,999.0</td><td>1.0</td><td>10,000.0</td></tr></table></body></html>"""


def test_the_page_is_read_without_its_fees_and_sums() -> None:
    told = fund_page(PAGE.format("10.0").encode(), "BTC", NOW)
    assert nets(told) == {"2025-07-02": 7e6}
    assert funds(told, "2025-07-02") == {"IBIT": 10e6, "FBTC": -3e6}


def test_a_browser_check_is_no_table_and_the_way_out_is_named() -> None:
    with pytest.raises(UndecodableFrame, match="airpocket flows add"):
        fund_page(b"<html><title>Just a moment...</title></html>", "BTC", NOW)
    with pytest.raises(UndecodableFrame, match="no table with a column 'Total'"):
        fund_page(b'<table class="etf"><tr><td>x</td></tr></table>', "BTC", NOW)


def test_coinglass_is_read_in_dollars_and_a_fund_without_a_figure_is_not_zero() -> None:
    stamp = parse_time("2025-07-02T00:00Z") // 1_000_000
    day = {"timestamp": stamp, "flow_usd": 106_600_000, "price_usd": 3438.09,
           "etf_flows": [{"etf_ticker": "ETHA", "flow_usd": 106_600_000}, {"etf_ticker": "ETHE"}]}  # fmt: skip
    told = coinglass_funds(json.dumps({"code": "0", "data": [day]}).encode(), "ETH", NOW)
    assert nets(told) == {"2025-07-02": 106.6e6}
    assert funds(told, "2025-07-02") == {"ETHA": 106.6e6}
    with pytest.raises(UndecodableFrame, match="API key missing"):
        coinglass_funds(b'{"code":"30001","msg":"API key missing."}', "ETH", NOW)
