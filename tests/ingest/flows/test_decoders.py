"""Answers in the shapes sources document: read strictly, half days left out, price moves never taken for flows."""

import json

import pytest

from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.units import DAY_NS, HOUR_NS, SECOND_NS, parse_time
from airpocket.ingest.flows.chain import exchange_flows, exchange_reserves, stablecoin_supply
from airpocket.ingest.flows.others import large_transfers, volatility_index

NOON = parse_time("2025-06-04T12:00Z")
DAYS = [parse_time(f"2025-06-0{day}T00:00Z") for day in (1, 2, 3, 4)]


def body(value: object) -> bytes:
    return json.dumps(value).encode()


def supply(*units: float) -> bytes:
    return body([
        {"date": str(day // SECOND_NS), "totalCirculating": {"peggedUSD": each},
         "totalCirculatingUSD": {"peggedUSD": 0.97 * each}}
        for day, each in zip(DAYS, units, strict=False)
    ])  # fmt: skip


def test_supply_is_counted_in_tokens_so_that_a_lost_peg_is_no_redemption() -> None:
    told = stablecoin_supply(supply(1.50e11, 1.51e11), "USDT", "usdt_supply", NOON)
    assert [(o.value, o.unit) for o in told.observations] == [
        (1.50e11, "tokens"),
        (1.51e11, "tokens"),
    ]
    assert told.observations[0].event == DAYS[0]


def test_a_day_that_is_not_over_is_left_out_and_named() -> None:
    told = stablecoin_supply(supply(1e11, 1e11, 1e11, 2e10), "USDT", "usdt_supply", NOON)
    assert [o.event for o in told.observations] == DAYS[:3]
    assert told.notes == ("2025-06-04: the day is not over, left out",)


def test_a_negative_supply_is_left_out_and_named() -> None:
    told = stablecoin_supply(supply(1e11, -5.0, 1e11), "USDT", "usdt_supply", NOON)
    assert [o.event for o in told.observations] == [DAYS[0], DAYS[2]]
    assert told.notes == ("USDT usdt_supply on 2025-06-02: -5 is below zero, left out",)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"<!doctype html><html>Just a moment...</html>", "an HTML page instead of data"),
        (b"", "not the documented shape"),
        (b'{"error": "rate limited"}', "not the documented shape"),
        (b'[{"date": "1748736000", "totalCirculating": {"peggedUSD": "lots"}}]', "not the documented shape"),
        (supply(1.5e17), "has the source changed its unit"),
        (body([{"date": "1748736000000", "totalCirculating": {"peggedUSD": 1e11}}]), "comes in ms, not in s"),
    ],
)  # fmt: skip
def test_an_answer_that_is_something_else_is_refused_by_name(answer: bytes, says: str) -> None:
    with pytest.raises(UndecodableFrame, match=says) as raised:
        stablecoin_supply(answer, "USDT", "usdt_supply", NOON)
    assert "usdt_supply" in str(raised.value)


def test_reserves_are_read_in_units_and_their_dollars_are_not() -> None:
    answer = body({
        "name": "Binance CEX",
        "tokens": [
            {"date": DAYS[0] // SECOND_NS, "tokens": {"ETH": 100.0, "USDT": 5e9, "PEPE": 1.0}},
            {"date": DAYS[1] // SECOND_NS, "tokens": {"ETH": 100.0}},
        ],
        "tokensInUsd": [
            {"date": DAYS[0] // SECOND_NS, "tokens": {"ETH": 250_000.0}},
            {"date": DAYS[1] // SECOND_NS, "tokens": {"ETH": 500_000.0}},
        ],
    })  # fmt: skip
    told = exchange_reserves(answer, "binance", ("ETH",), NOON)
    coin = [o for o in told.observations if o.symbol == "ETH"]
    assert [(o.series, o.value, o.unit) for o in coin] == [
        ("exchange_reserve:binance", 100.0, "coin")
    ] * 2
    dollars = [
        o for o in told.observations if o.symbol == "USDT"
    ]  # a day not listed is no day of zero
    assert [(o.series, o.value, o.unit) for o in dollars] == [
        ("stablecoin_reserve:binance", 5e9, "tokens")
    ]


def test_exchange_flows_are_read_as_coin_with_what_is_not_given_counted() -> None:
    answer = body({"data": [
        {"asset": "eth", "time": "2025-06-01T00:00:00.000000000Z", "FlowInExNtv": "120.5",
         "FlowOutExNtv": "100", "SplyExNtv": None},
    ]})  # fmt: skip
    told = exchange_flows(answer, NOON)
    assert [(o.symbol, o.series, o.value) for o in told.observations] == [
        ("ETH", "exchange_inflow", 120.5), ("ETH", "exchange_outflow", 100.0),
    ]  # fmt: skip
    assert told.notes == ("1 figures not given",)


@pytest.mark.parametrize("text", ["1_000", "nan", "0x10", "", "1e400"])
def test_a_figure_only_python_would_read_is_refused(text: str) -> None:
    answer = body({"data": [{"asset": "eth", "time": "2025-06-01T00:00:00Z", "FlowInExNtv": text}]})
    with pytest.raises(UndecodableFrame, match="coinmetrics"):
        exchange_flows(answer, NOON)


def test_the_volatility_bar_of_today_is_left_out() -> None:
    rows = [[day // 1_000_000, 60.0, 66.0, 58.0, 61.5] for day in DAYS]
    told = volatility_index(body({"result": {"data": rows, "continuation": None}}), "ETH", NOON)
    assert [(bar.symbol, bar.time, bar.close) for bar in told.levels] == [
        ("ETH-DVOL", day, 61.5) for day in DAYS[:3]
    ]
    assert told.notes == ("2025-06-04: the day is not over, left out",)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ([DAYS[0] // 1_000_000, 60.0, 59.0, 58.0, 58.5], "outside low and high"),
        ([DAYS[0] // 1_000_000, 0.0, 59.0, 0.0, 58.5], "must be above zero"),
        ([(DAYS[0] + HOUR_NS) // 1_000_000, 58.0, 59.0, 57.0, 58.5], "not the start of a UTC day"),
        ([DAYS[0] // SECOND_NS, 58.0, 59.0, 57.0, 58.5], "comes in s, not in ms"),
    ],
)
def test_a_bar_that_cannot_be_is_refused(row: list[float], says: str) -> None:
    with pytest.raises(UndecodableFrame, match=says):
        volatility_index(body({"result": {"data": [row]}}), "ETH", NOON + DAY_NS)


def test_transfers_keep_who_sent_to_whom_and_missing_dollars_are_unknown() -> None:
    answer = body({"result": "success", "cursor": "x", "count": 2, "transactions": [
        {"blockchain": "ethereum", "symbol": "usdt", "hash": "aa", "timestamp": DAYS[0] // SECOND_NS,
         "amount": 5_000_000, "amount_usd": 4_999_000.0, "from": {"owner_type": "unknown"},
         "to": {"owner": "binance", "owner_type": "exchange"}},
        {"blockchain": "bitcoin", "symbol": "btc", "hash": "bb", "timestamp": DAYS[0] // SECOND_NS,
         "amount": 300, "from": {"owner_type": "martian"}, "to": {"owner_type": "custodian"}},
    ]})  # fmt: skip
    first, second = large_transfers(answer).transfers
    assert (first.symbol, first.tx, first.notional_usd) == ("USDT", "ethereum:aa", 4_999_000.0)
    assert (first.origin, first.target) == ("unknown", "exchange")
    assert (second.notional_usd, second.origin, second.target) == (None, "unknown", "custody")


def test_a_refusal_in_an_answer_is_told_in_its_words() -> None:
    with pytest.raises(UndecodableFrame, match="invalid api_key"):
        large_transfers(body({"result": "error", "message": "invalid api_key"}))
