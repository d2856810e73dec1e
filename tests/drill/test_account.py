"""A paper position against figures computed by hand: fees, funding, stops, margin, and the forced exit."""

from dataclasses import replace

import pytest

from airpocket.domain.units import TimeNs
from airpocket.drill.account import Account, Terms
from airpocket.margin.rules import rules_in_force
from airpocket.margin.tiers import table_from

AT = TimeNs(1_772_400_000_000_000_000)
TIERS = table_from("sim_binance", "ETHUSDT", AT, "test", {"floor": [0.0], "mmr": [0.005]})
RULES = rules_in_force("binance_usdm", "ETHUSDT", AT)
TERMS = Terms("sim_binance", "ETHUSDT", replace(RULES, liquidation_fee=0.0), TIERS, 0.0004, 0.005)


def short(margin=3_000.0):
    """10 coin from 3,000, ten times."""
    return Account(TERMS, "short", 10.0, 3_000.0, margin)


def long(margin=3_000.0):
    return Account(TERMS, "long", 10.0, 3_000.0, margin)


def at(price):
    """A book of any depth at one price; nothing beyond the worst price asked for."""

    def walk(coin, worst=None):
        beyond = worst is not None and (price > worst if coin > 0 else price < worst)
        return (0.0, 0.0) if beyond else (abs(coin), price)

    return walk


def test_the_forced_exit_is_where_equity_meets_maintenance():
    # 3,000 + 10 (3,000 - p) = 0.005 · 10 p  →  p = 33,000 / 10.05
    assert short().liquidation_price == pytest.approx(33_000.0 / 10.05)
    # 3,000 + 10 (p - 3,000) = 0.005 · 10 p  →  p = 27,000 / 9.95
    assert long().liquidation_price == pytest.approx(27_000.0 / 9.95)
    assert short().distance_percent(3_000.0) == pytest.approx(100.0 * (3_300.0 / 3_015.0 - 1.0))


def test_entering_and_closing_cost_the_takers_fee_and_the_move():
    account = short()
    account.enter(0, 3_000.0)
    fill = account.reduce(60, 4.0, at(2_900.0))
    assert fill.realised_usd == pytest.approx(400.0)
    assert account.fees_usd == pytest.approx(12.0 + 4.64)
    account.reduce(90, 99.0, at(3_100.0))
    assert not account.open
    assert account.closed_s == 90
    # 400 gained, 600 lost; fees 12, 4.64, 7.44
    assert account.pnl_usd(3_100.0) == pytest.approx(-200.0 - 24.08)


def test_funding_is_paid_by_the_side_that_owes_it():
    pays, gets = long(), short()
    assert pays.fund(0.0001, 3_100.0) == pytest.approx(3.1)
    assert gets.fund(0.0001, 3_100.0) == pytest.approx(-3.1)
    assert (pays.funding_usd, gets.funding_usd) == (pytest.approx(3.1), pytest.approx(-3.1))
    assert pays.liquidation_price > long().liquidation_price


def test_a_stop_closes_its_part_at_what_the_book_gives():
    account = short()
    account.add_stop(3_050.0, 5.0, 3_000.0)
    assert account.tick(1, 3_049.9, at(3_049.9)) == []
    [fill] = account.tick(2, 3_060.0, at(3_061.0))
    assert (fill.cause, fill.side, fill.coin, fill.price) == ("stop", "buy", 5.0, 3_061.0)
    assert account.size_coin == 5.0
    assert account.stops == []
    assert account.tick(3, 3_070.0, at(3_070.0)) == []


def test_two_stops_of_one_second_close_no_more_than_is_held():
    account = short()
    account.add_stop(3_050.0, 10.0, 3_000.0)
    account.add_stop(3_055.0, 10.0, 3_000.0)
    [fill] = account.tick(1, 3_060.0, at(3_061.0))
    assert fill.coin == 10.0
    assert (account.open, account.stops) == (False, [])


def test_a_stop_stays_for_what_the_book_did_not_give():
    account = short()
    account.add_stop(3_050.0, 5.0, 3_000.0, "mine")
    account.add_stop(3_050.0, 1.0, 3_000.0)
    halted = lambda coin, worst=None: (0.0, 0.0)  # noqa: E731
    assert account.tick(1, 3_060.0, halted) == []
    assert [stop.coin for stop in account.stops] == [5.0, 1.0]
    thin = lambda coin, worst=None: (min(abs(coin), 3.0), 3_061.0)  # noqa: E731
    assert [fill.coin for fill in account.tick(2, 3_060.0, thin)] == [3.0, 1.0]
    assert [(stop.name, stop.coin) for stop in account.stops] == [("mine", 2.0)]
    assert [fill.coin for fill in account.tick(3, 3_062.0, thin)] == [2.0]
    assert (account.stops, account.size_coin) == ([], 4.0)


def test_a_stop_on_the_other_side_is_a_target():
    account = long()
    account.add_stop(3_050.0, 10.0, 3_000.0)
    assert account.tick(1, 2_990.0, at(2_990.0)) == []
    [fill] = account.tick(2, 3_050.0, at(3_049.0))
    assert (fill.side, fill.realised_usd) == ("sell", pytest.approx(490.0))


def test_the_forced_exit_takes_all_at_the_book_and_the_fee_from_what_is_left():
    account = short()
    [fill] = account.tick(5, 3_284.0, at(3_290.0))
    assert (fill.cause, fill.coin, fill.price) == ("forced", 10.0, 3_290.0)
    # margin 3,000 − 2,900 = 100 left; the fee of 0.5 % of 32,900 takes all of it
    assert account.liquidated
    assert account.margin_usd == 0.0
    assert account.fees_usd == pytest.approx(100.0)
    assert account.pnl_usd(3_290.0) == pytest.approx(-3_000.0)
    assert (account.worst_percent, account.closed_s) == (0.0, 5)


def test_past_bankruptcy_the_fund_takes_over_and_no_more_than_the_margin_is_lost():
    account = long()
    account.tick(5, 2_600.0, at(2_600.0))  # bankrupt at 2,700: the book's 2,600 is worse
    assert account.forced_price == pytest.approx(2_700.0)
    assert account.pnl_usd(2_600.0) == pytest.approx(-3_000.0)


def test_the_venue_comes_before_a_stop_beyond_its_price():
    account = short()
    account.add_stop(3_284.0, 10.0, 3_000.0)
    [fill] = account.tick(1, 3_285.0, at(3_285.0))
    assert fill.cause == "forced"


def test_margin_moves_the_forced_exit_and_is_no_profit():
    account = short()
    account.add_margin(1_005.0)
    assert account.liquidation_price == pytest.approx(34_005.0 / 10.05)
    assert account.pnl_usd(3_000.0) == pytest.approx(0.0)
    assert account.tick(1, 3_300.0, at(3_300.0)) == []
    assert account.open


def test_a_hedge_earns_elsewhere_and_saves_no_margin():
    account = short()
    before = account.liquidation_price
    account.trade_hedge(1, 10.0, at(3_000.0))
    assert account.pnl_usd(3_200.0, 3_200.0) == pytest.approx(-12.0)  # all but the fee
    assert account.liquidation_price == before
    account.fund_hedge(0.0001, 3_200.0)
    account.trade_hedge(2, -10.0, at(3_200.0))
    assert account.hedge_coin == 0.0
    # 2,000 made; fees 12 and 12.8; funding 3.2 paid
    assert account.hedge_usd == pytest.approx(2_000.0 - 24.8 - 3.2)
    account.tick(3, 3_290.0, at(3_290.0))
    assert account.liquidated


def test_a_hedge_that_turns_round_is_priced_anew():
    account = short()
    account.trade_hedge(1, 10.0, at(3_000.0))
    account.trade_hedge(2, 10.0, at(3_100.0))
    assert account.hedge_price == pytest.approx(3_050.0)
    account.trade_hedge(3, -30.0, at(3_200.0))
    assert (account.hedge_coin, account.hedge_price) == (-10.0, 3_200.0)


def test_nothing_is_filled_where_the_book_is_empty():
    account = short()
    assert account.reduce(1, 5.0, lambda coin, worst: (0.0, 0.0)) is None
    assert account.size_coin == 10.0


def test_the_nearest_moment_to_the_forced_exit_is_kept():
    account = short()
    for second, mark in enumerate((3_000.0, 3_200.0, 3_100.0), 1):
        account.tick(second, mark, at(mark))
    assert account.worst_s == 2
    assert account.worst_percent == pytest.approx(100.0 * (33_000.0 / 10.05 / 3_200.0 - 1.0))
