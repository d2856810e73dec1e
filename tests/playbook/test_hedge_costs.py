"""What a hedge costs over its horizon: by hand, bought again where it is short, its margin free when it is sold."""

import numpy as np
import pytest
from playbook.accounts_made import NOW, PRICE
from playbook.test_hedges import asked, chain, optimum

from airpocket.market.options.greeks import greeks
from airpocket.playbook.hedging.candidates import candidates_of
from airpocket.playbook.hedging.columns import option_columns
from airpocket.playbook.hedging.rows import rows_of
from airpocket.playbook.hedging.settings import HedgeSettings

S = HedgeSettings()


def column(days, strike, *, sell=False, hold_d=14.0):
    """One call of the made chain, bought or sold, at a horizon."""
    found = candidates_of(chain(), "ETH", NOW)
    one = (found.strike == strike) & found.call & (np.abs(found.days - days) < 1e-6)
    none = np.zeros(len(found), dtype=np.bool_)
    made = option_columns(
        found, rows_of(short=True, gap_percent=15.0, settings=S), *((none, one) if sell else (one, none)), 100.0, S,
        hold_d,
    )  # fmt: skip
    return found, int(np.flatnonzero(one)[0]), made


def test_what_is_bought_costs_what_fourteen_calm_days_take_from_it():
    found, row, made = column(48.0, 2_200.0)
    vol = found.bid_vol[row] * (1.0 - 0.22 * (30.0 / 34.0) ** 0.13)
    sold_for = float(greeks(np.array([True]), PRICE, 2_200.0, 34.0 / 365.0, vol).price[0])
    fees = min(0.0003 * PRICE, 0.125 * found.ask[row]) + min(0.0003 * PRICE, 0.125 * sold_for)
    interest = found.ask[row] * 0.10 * 14.0 / 365.0
    assert made.held[0] == pytest.approx(found.ask[row] - sold_for + fees + interest, rel=1e-9)
    assert 0.0 < made.held[0] < made.cost[0]


def test_what_is_sold_is_bought_back_at_the_ask_of_unchanged_volatility():
    found, row, made = column(20.0, 2_200.0, sell=True)
    owed = float(greeks(np.array([True]), PRICE, 2_200.0, 6.0 / 365.0, found.ask_vol[row]).price[0])
    fees = min(0.0003 * PRICE, 0.125 * found.bid[row]) + min(0.0003 * PRICE, 0.125 * owed)
    interest = found.bid[row] * 0.10 * 14.0 / 365.0
    assert made.held[0] == pytest.approx(owed - found.bid[row] + fees - interest, rel=1e-9)


def test_what_expires_before_the_end_is_bought_again_for_the_rest():
    _, _, once = column(3.0, 2_200.0, hold_d=3.0)
    _, _, twice = column(3.0, 2_200.0, hold_d=6.0)
    assert twice.held[0] == pytest.approx(2.0 * once.held[0], rel=1e-9)


@pytest.mark.parametrize("name", ["ladder", "spread", "free"])
def test_a_lasting_hedge_outlasts_what_it_is_wanted_for(name):
    for hold_d in (14.0, 30.0):
        question = asked("short", hold_d=hold_d)
        task, found = optimum(question, name)
        used = task.columns.option[found.coins > 1e-6]
        assert len(used)
        assert (task.candidates.days[used] >= hold_d).all()


def test_the_longer_a_hedge_is_wanted_the_more_it_costs():
    week, month = (optimum(asked("short", hold_d=each), "ladder")[1].held for each in (8.0, 30.0))
    assert month > 1.2 * week


def test_a_written_option_needs_its_initial_margin_free_at_once():
    """With a multiple under two the initial margin asks for more than maintenance does in any row."""
    thin = HedgeSettings(buffer=1.0, standard_margin=True)
    question = asked("long", 2.0, settings=thin, floor_usd=370_000.0)
    task, found = optimum(question, "collar")
    sold = task.columns.sign < 0
    assert (found.coins[sold] > 0.0).any()
    now = int(
        np.flatnonzero((task.rows.move == 0) & (task.rows.shift == 0) & (task.rows.days == 0))[0]
    )
    free = task.base.equity[now] - task.base.maintenance[now]
    free += (task.columns.worth[now] - task.columns.cost) @ found.coins
    assert free >= task.columns.initial @ found.coins - 1e-6
    # Deribit's rule by hand: 0.15 less what it is out of the money, at least 0.10, of the index
    j = int(np.flatnonzero(sold & (found.coins > 0.0))[0])
    strike = task.candidates.strike[task.columns.option[j]]
    want = max(0.15 - max(strike / PRICE - 1.0, 0.0), 0.10) * PRICE
    assert task.columns.initial[j] == pytest.approx(want)


def test_one_option_is_bought_as_often_as_its_worst_row_asks():
    """With one column the optimum can be had by hand: the most that any row asks, over what a coin brings there."""
    full = chain()
    one = np.flatnonzero((full.quotes.strike == 2_200.0) & full.quotes.call)[2]
    ask = np.where(np.arange(len(full.quotes.ask)) == one, full.quotes.ask, np.nan)
    bid = np.where(np.arange(len(full.quotes.ask)) == one, full.quotes.bid, np.nan)
    question = asked("short", found=chain(bid=bid, ask=ask))
    task, found = optimum(question, "ladder")
    c, b, kept = task.columns, task.settings.buffer, task.rows.kept
    assert len(c) == 1
    asks = b * task.base.maintenance[kept] - task.base.equity[kept]
    brings = c.worth[kept, 0] - c.cost[0]
    assert found.coins[0] == pytest.approx(
        float((asks[asks > 0] / brings[asks > 0]).max()), rel=1e-9
    )
    assert found.held == pytest.approx(float(found.coins[0] * c.held[0]), rel=1e-9)
