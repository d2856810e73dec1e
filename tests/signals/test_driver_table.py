"""The driver table: units before prices, staleness, the hinge and what turns it, transfers and the calendar."""

import math

import numpy as np
import pytest
from numpy.typing import ArrayLike

from airpocket.domain.catalysts import option_expiries
from airpocket.domain.estimates import PERCENT, USD, known, unknown
from airpocket.domain.events import Batch
from airpocket.domain.tells import Graded, context
from airpocket.domain.units import DAY_NS, HOUR_NS, TimeNs, format_time, parse_time
from airpocket.market.state import Market, MarketState
from airpocket.signals.driver_records import DriverRow, DriverTable
from airpocket.signals.driver_table import TableSettings, driver_table
from airpocket.signals.drivers import DriverSettings, driver_rows, hinge
from airpocket.signals.turning import turning

START = parse_time("2025-03-03T00:00Z")  # a Monday
DAYS = 120
NOW = TimeNs(START + DAYS * DAY_NS + 20 * HOUR_NS)
DARK = unknown(USD, "no order book is stored for this time")


def price(values: np.ndarray) -> Batch:
    ts = START + HOUR_NS * np.arange(len(values), dtype=np.int64)
    columns = {"ts": ts, "usable_from": ts + HOUR_NS}
    columns |= dict.fromkeys(("open", "high", "low", "close"), values.astype(np.float64))
    columns |= dict.fromkeys(("volume", "volume_usd", "taker_buy"), np.full(len(values), np.nan))
    return Batch("bar_1h", "binance_usdm", "ETHUSDT", columns, ("test",))


def flow(
    symbol: str,
    series: str,
    values: ArrayLike,
    unit: str,
    wait_h: int = 30,
    publisher: str = "flows",
) -> Batch:
    given = np.asarray(values, np.float64)
    told = np.isfinite(given)
    ts, kept = (START + DAY_NS * np.arange(len(given), dtype=np.int64))[told], given[told]
    columns = {
        "ts": ts, "usable_from": ts + wait_h * HOUR_NS, "series": np.full(len(ts), series), "value": kept,
        "unit": np.full(len(ts), unit), "published": np.full(len(ts), -1, np.int64),
    }  # fmt: skip
    return Batch("flow", publisher, symbol, columns, ("test",))


def market(*batches: Batch, rising: bool = False) -> Market:
    state = MarketState("ETH")
    hours = 24 * DAYS + 20
    state.apply(price(2_000.0 * (np.linspace(1.0, 3.0, hours) if rising else np.ones(hours))))
    for each in batches:
        state.apply(each)
    return state.snapshot(NOW)


def reading(title: str, state: str) -> Graded:
    return Graded(
        id="funding_basis",
        title=title,
        state=state,
        because=["x"],
        tells=[],
        refs=[],
        implication="x",
    )


def table(market: Market) -> DriverTable:
    rows = driver_rows(market, reading("Funding", "moderate"), DriverSettings())
    return driver_table(market, rows, (DARK, DARK), TableSettings())


def row(market: Market, driver: str) -> DriverRow:
    return next(each for each in table(market).rows if each.id == driver)


def test_a_price_that_triples_moves_no_coin() -> None:
    still = market(flow("ETH", "exchange_reserve", np.full(DAYS, 1e6), "coin"), rising=True)
    assert row(still, "exchange_netflow").signal.value == 0.0
    assert row(still, "exchange_reserves").signal.value == 0.0


def test_netflow_is_units_times_the_price_of_their_day() -> None:
    found = row(
        market(flow("ETH", "exchange_reserve", 1e6 + 100.0 * np.arange(DAYS), "coin")),
        "exchange_netflow",
    )
    assert found.signal.value == pytest.approx(7 * 100.0 * 2_000.0)
    assert (found.state, found.because) == ("not supportive", "coin moves to exchanges")


def test_a_sum_over_an_absent_day_is_not_given() -> None:
    values = np.full(DAYS, 1e6)
    values[-4] = np.nan  # a Friday
    found = row(market(flow("ETH", "etf_net_flow", values, "USD", 37)), "etf_creations")
    assert found.signal.value is None
    assert "figures before the newest are absent" in (found.signal.unknown or "")
    assert None in found.history


def test_a_source_down_for_a_week_is_unknown_with_the_day_it_stopped() -> None:
    found = row(
        market(flow("USDT", "usdt_supply", np.full(DAYS - 8, 1e11), "tokens")),
        "stablecoin_issuance",
    )
    assert (found.standing, found.state) == ("stale", "unknown")
    assert "nothing since 2025-06-22" in found.because
    assert found.record.startswith("no history yet")


def test_what_nobody_told_has_no_history_yet() -> None:
    for found in table(market()).rows:
        if found.id != "funding_basis":
            assert found.signal.value is None
            assert found.record.startswith("no history yet")
            assert found.standing == "none"


def test_funds_are_told_one_by_one() -> None:
    told = market(
        flow("ETH", "etf_net_flow", np.full(DAYS, 3e6), "USD", 37),
        flow("ETH", "etf_net_flow:ETHA", np.full(DAYS, 5e6), "USD", 37, "farside"),
        flow("ETH", "etf_net_flow:ETHE", np.full(DAYS, -2e6), "USD", 37, "coinglass"),
    )
    found = row(told, "etf_creations")
    assert found.signal.value == pytest.approx(15e6)
    assert {name: each.value for name, each in found.parts.items()} == {"ETHA": 25e6, "ETHE": -10e6}


def test_a_revision_is_counted_and_scores_use_the_newest_figure() -> None:
    later = flow("USDT", "usdt_supply", [*[np.nan] * (DAYS - 1), 2e11], "tokens", wait_h=35)
    found = table(market(flow("USDT", "usdt_supply", np.full(DAYS, 1e11), "tokens"), later))
    [issuance] = [each for each in found.rows if each.id == "stablecoin_issuance"]
    assert issuance.revised == 1
    assert issuance.signal.value == pytest.approx(100.0)
    assert "Stablecoin issuance: 1" in found.notes[-1]


def lead(value: float | None, unit: str) -> Graded:
    told = (
        known(value, unit, as_of=NOW, now=NOW, source="x")
        if value is not None
        else unknown(unit, "not told")
    )
    state = "unknown" if value is None else "supportive" if value > 0 else "not supportive"
    title = "ETF creations" if unit == USD else "Stablecoin issuance"
    return Graded(
        id=title, title=title, state=state, because=["not told"], tells=[context("x", "x", told)], refs=[],
        implication="x",
    )  # fmt: skip


SPREAD = (np.array([-1e8, 1e8]), np.array([-1.0, 1.0]))


@pytest.mark.parametrize(
    ("creations", "issuance", "state", "turns", "needed"),
    [
        (3e8, 0.5, "holds", "Stablecoin issuance", -0.5),  # 3 sd against 0.5 sd from stalling
        (2e7, 0.5, "holds", "ETF creations", -2e7),
        (-4e7, 0.5, "stalls", "ETF creations", 4e7),
        (4e7, -0.2, "stalls", "Stablecoin issuance", 0.2),
        (-4e7, -0.2, "stalls", None, None),
        (None, -0.2, "stalls", None, None),
        (None, 0.2, "unknown", "ETF creations", None),
        (None, None, "unknown", None, None),
    ],
)
def test_the_hinge_is_the_one_driver_whose_change_flips_the_reading(
    creations: float | None,
    issuance: float | None,
    state: str,
    turns: str | None,
    needed: float | None,
) -> None:
    rows = [lead(creations, USD), lead(issuance, PERCENT)]
    assert hinge(rows, unknown(PERCENT, "x")).state == state
    found, sentence, change = turning(rows[0], rows[1], SPREAD)
    assert found == turns
    assert change.value == needed
    assert sentence.endswith(".")
    if needed is not None:  # and it does: the change applied, the reading is another
        turned = [
            lead((value or 0.0) + (1.001 * needed if each.id == turns else 0.0), unit)
            for each, value, unit in zip(rows, (creations, issuance), (USD, PERCENT), strict=True)
        ]
        assert hinge(turned, unknown(PERCENT, "x")).state == (
            "stalls" if state == "holds" else "holds"
        )


def transfers(symbol: str, usd: list[float], target: str, hours_ago: list[int]) -> Batch:
    ts = np.array([NOW - h * HOUR_NS for h in hours_ago], np.int64)
    n = len(ts)
    columns = {
        "ts": ts, "usable_from": ts, "tx": np.array([f"{symbol}{target}{k}" for k in range(n)]),
        "size": np.ones(n), "notional_usd": np.array(usd), "origin": np.full(n, "wallet"),
        "target": np.full(n, target),
    }  # fmt: skip
    return Batch("transfer", "whale_alert", symbol, columns, ("test",))


def test_transfers_are_lower_bounds_by_who_received_them() -> None:
    found = row(
        market(
            transfers("USDT", [5e6, 7e6, 1e9], "exchange", [30, 2, 1]), transfers("USDT", [2e6], "l2", [3]),
            transfers("ETH", [4e6], "exchange", [5]), transfers("ETH", [8e8], "custody", [5]),
        ),
        "whale_transfers",
    )  # fmt: skip
    assert found.signal.value == pytest.approx(1_009e6)
    assert found.signal.at_least
    assert found.parts["coin to exchanges, 24 h"].value == pytest.approx(4e6)
    assert found.state == "supportive"
    silent = row(market(transfers("USDT", [5e6], "exchange", [100])), "whale_transfers")
    assert silent.standing == "stale"
    assert silent.signal.value is None


def test_a_day_without_a_priced_transfer_says_nothing_of_who_sent_more() -> None:
    told = [transfers("USDT", [5e6, math.nan], "exchange", [30, 2])]
    found = row(market(*told), "whale_transfers")
    assert found.state == "unknown"
    assert found.signal.at_least


def test_events_are_listed_from_when_they_were_public() -> None:
    due = NOW + 10 * DAY_NS
    columns = {
        "ts": np.array([NOW - DAY_NS], np.int64), "usable_from": np.array([NOW - DAY_NS], np.int64),
        "name": np.array(["FOMC"]), "due": np.array([due], np.int64), "event_kind": np.array(["macro"]),
        "confidence": np.array(["certain"]),
    }  # fmt: skip
    events = table(market(Batch("catalyst", "flows", "ALL", columns, ("test",)))).catalysts
    assert ("FOMC", format_time(due)) in [(each.name, each.time) for each in events]
    assert [each.time for each in events] == sorted(each.time for each in events)


def test_options_expire_on_the_last_friday_of_a_month() -> None:
    found = option_expiries(parse_time("2025-08-29T08:00Z"), 120 * DAY_NS)
    assert [(format_time(each.time), each.name.split()[1]) for each in found] == [
        ("2025-09-26T08:00:00Z", "quarterly"), ("2025-10-31T08:00:00Z", "monthly"),
        ("2025-11-28T08:00:00Z", "monthly"), ("2025-12-26T08:00:00Z", "quarterly"),
    ]  # fmt: skip
