"""US trading days by rule: holidays that move, those that do not, and how many figures should be public."""

from datetime import date, timedelta

import pytest

from airpocket.domain.flows import missed, series_named, standing
from airpocket.domain.trading_days import is_trading_day
from airpocket.domain.units import DAY_NS, HOUR_NS, day_of, parse_time


def at(text: str) -> int:
    return parse_time(text if "T" in text else f"{text}T00:00Z")


# nyse.com, holidays and trading hours: full closures of three years, and a day of mourning
CLOSED = [
    "2024-01-01", "2024-01-15", "2024-02-19", "2024-03-29", "2024-05-27", "2024-06-19", "2024-07-04",
    "2024-09-02", "2024-11-28", "2024-12-25", "2025-01-01", "2025-01-09", "2025-01-20", "2025-02-17",
    "2025-04-18", "2025-05-26", "2025-06-19", "2025-07-04", "2025-09-01", "2025-11-27", "2025-12-25",
    "2026-01-01", "2026-01-19", "2026-02-16", "2026-04-03", "2026-05-25", "2026-06-19", "2026-07-03",
    "2026-09-07", "2026-11-26", "2026-12-25",
]  # fmt: skip


def test_three_years_are_closed_on_the_published_days_and_no_others() -> None:
    first = date(2024, 1, 1)
    days = [first + timedelta(days=k) for k in range(3 * 365 + 1)]
    closed = [
        day.isoformat()
        for day in days
        if day.weekday() < 5 and not is_trading_day(at(day.isoformat()))
    ]
    assert closed == CLOSED


def test_a_new_year_on_a_saturday_is_not_made_up_for() -> None:
    assert is_trading_day(at("2021-12-31"))  # 2022-01-01 was a Saturday
    assert not is_trading_day(at("2023-01-02"))  # 2023-01-01 was a Sunday


@pytest.mark.parametrize(
    ("now", "gone", "word"),
    [
        ("2025-05-24T12:59Z", 0, "current"),  # Friday's figure is due on Saturday at 13:00
        ("2025-05-24T13:00Z", 1, "late"),
        ("2025-05-27T12:00Z", 1, "late"),  # Monday was a holiday: nothing more was due
        ("2025-05-28T13:00Z", 2, "late"),
        ("2025-05-29T13:00Z", 3, "stale"),
    ],
)
def test_fund_figures_go_stale_by_trading_days(now: str, gone: int, word: str) -> None:
    series = series_named("etf_net_flow:IBIT")
    assert series is not None
    thursday = at("2025-05-22")
    assert missed(series, thursday, at(now)) == gone
    assert standing(series, thursday, at(now)) == word


def test_chain_figures_go_stale_by_calendar_days() -> None:
    series = series_named("usdt_supply")
    assert series is not None
    saturday = at("2025-05-24")
    assert missed(series, saturday, saturday + 2 * DAY_NS + 17 * HOUR_NS) == 0
    assert standing(series, saturday, saturday + 8 * DAY_NS) == "stale"
    assert day_of(saturday) == "2025-05-24"
    assert series_named("nobody_knows") is None
