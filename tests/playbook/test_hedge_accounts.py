"""Hedges of whole accounts, judged by the account's own valuation; cascades, sizes and the worst five per cent."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playbook.accounts_made import NOW, PRICE, balance, holding, ledger, option, perp
from playbook.test_hedges import asked, chain, optimum

from airpocket.domain.estimates import PERCENT_YEAR, known
from airpocket.playbook.hedging.asked import option_maker, task_of
from airpocket.playbook.hedging.backing import valued_by
from airpocket.playbook.hedging.candidates import candidates_of
from airpocket.playbook.hedging.choose import Chosen, cheapest
from airpocket.playbook.hedging.lots import tradable
from airpocket.playbook.hedging.rows import rows_of
from airpocket.playbook.hedging.settings import HedgeSettings
from airpocket.playbook.hedging.sheet import hedge_sheet
from airpocket.playbook.hedging.tail import moves_of, tail_loss
from airpocket.playbook.hedging.templates import templates
from airpocket.playbook.hedging.walked import PathPoint
from airpocket.playbook.valuation import value

S = HedgeSettings()


def with_hedge(held, task, coins):
    """The account with the hedge in it as any other options are held, premium and fees paid from the balance."""
    found, c = task.candidates, task.columns
    used = [(int(j), int(c.option[j])) for j in np.flatnonzero(coins > 1e-9)]
    legs = [
        option(
            "long" if c.sign[j] > 0 else "short", float(coins[j]), float(found.strike[k]),
            call=bool(found.call[k]), expiry=int(found.expiry[k]), symbol=f"{found.name[k]}/{j}",
            volatility=float((found.bid_vol if c.sign[j] > 0 else found.ask_vol)[k]),
        )
        for j, k in used
    ]  # fmt: skip
    forward = {
        leg.key: float(found.forward[k] / found.index)
        for leg, (_, k) in zip(legs, used, strict=True)
    }
    there = replace(held, marks=replace(held.marks, forward=forward))
    return holding(there, *legs, paid=float(c.cost @ coins))


@settings(max_examples=10, deadline=None)
@given(
    st.sampled_from(["short", "long"]), st.floats(5.0, 9.0), st.floats(-0.5, 0.5), st.floats(0.005, 0.06),
    st.sampled_from(["ladder", "spread", "free"]), st.sampled_from([1.5, 2.0, 3.0]),
)  # fmt: skip
def test_the_account_s_own_valuation_finds_the_multiple_in_every_row(
    side, leverage, skew, spread, name, buffer
):
    """Margin of what is sold is counted by both; shifts of volatility by days to expiry by the hedge alone, so the
    check takes rows without shift, and unshifted day.
    """
    plain = HedgeSettings(buffer=buffer, vol_shifts=(0.0,), standard_margin=True)
    question = asked(side, leverage, settings=plain, found=chain(skew, spread))
    task, found = optimum(question, name, gap=12.0)
    if not isinstance(found, Chosen):
        return
    held = with_hedge(
        ledger(perp(side, 500.0), balance(500.0 * PRICE / leverage)), task, found.coins
    )
    rows, kept = task.rows, task.rows.kept
    # an option that has expired pays nothing by the hedge's rule; none here has by a week
    assert (task.candidates.days[task.columns.option[found.coins > 1e-9]] > 7.0).all()
    then = value(held, held.mark * (1.0 + rows.move[kept]), rows.shift[kept], rows.days[kept])
    over = then.worth_usd - buffer * then.maintenance_usd  # bought options counted as money
    assert over.min() >= -1e-4 * 500.0 * PRICE


def test_an_account_of_two_coins_is_held_whichever_way_the_other_goes():
    """Short ETH and long BTC: were BTC to rise as much, it would pay for the ETH; nobody may count on it."""
    btc = perp("long", 10.0, symbol="BTCUSDT", entry_price=70_000.0)
    held = ledger(
        perp("short", 500.0), btc, balance(250_000.0), coin={"ETH": PRICE, "BTC": 70_000.0},
        contract={btc.key: 70_000.0},
    )  # fmt: skip
    valued = valued_by(held, S)
    rows = rows_of(short=True, gap_percent=15.0, settings=S)
    found = valued(rows)
    for share in (0.0, 1.0):
        alone = replace(held, beta={"ETH": 1.0, "BTC": share})
        then = value(alone, held.mark * (1.0 + rows.move), rows.shift, rows.days)
        spare = then.equity_usd - 2.0 * then.maintenance_usd
        assert (found.equity - 2.0 * found.maintenance <= spare + 1e-6).all()
    still = value(
        replace(held, beta={"ETH": 1.0}), held.mark * (1.0 + rows.move), rows.shift, rows.days
    )
    rises = rows.move > 0.0
    np.testing.assert_allclose(found.equity[rises], still.equity_usd[rises])
    sheet = hedge_sheet(asked("short", valued=valued, others=("BTC",)))
    assert any("other coins (BTC)" in note for note in sheet.notes)
    ladder = next(each for each in sheet.hedges if each.id == "ladder")
    assert ladder.unknown is None
    assert ladder.protected.value >= 15.0


def test_a_cascade_s_points_are_rows_at_their_own_time_and_bind():
    points = (PathPoint(0.08, 0.01), PathPoint(0.22, 0.02), PathPoint(-0.05, 0.01))
    rows = rows_of(short=True, gap_percent=15.0, settings=S, paths=points)
    for point, kept in zip(points, (True, False, True), strict=True):
        mine = (rows.move == point.move) & (rows.days == point.days)
        assert sorted(rows.shift[mine]) == sorted(S.vol_shifts)
        assert (rows.kept[mine] == kept).all()
    bare = len(rows_of(short=True, gap_percent=15.0, settings=S))
    assert len(rows) == bare + 3 * len(S.vol_shifts)


def test_no_leg_takes_more_than_the_size_behind_its_quote():
    full = chain()
    few = np.full(len(full.quotes.strike), 120.0)
    thin = candidates_of(replace(full, bid_size=few, ask_size=few), "ETH", NOW)
    question = replace(asked("short"), candidates=thin)
    task, found = optimum(question, "ladder")
    assert float(found.coins.max()) <= 120.0 + 1e-9
    free_task, free = optimum(asked("short"), "ladder")
    assert float(free.coins.max()) > 120.0
    assert found.held >= free.held
    whole = tradable(task, found)
    assert not isinstance(whole, Chosen) or float(whole.coins.max()) <= 120.0
    sheet = hedge_sheet(question)
    assert sheet.chain.sized == sheet.chain.options
    assert hedge_sheet(asked("short")).chain.sized == 0
    assert len(free_task.columns) == len(task.columns)


def test_the_worst_moves_are_those_of_student_s_t():
    moves = np.log1p(moves_of(73.0, 7.0))
    deviation = 0.73 * np.sqrt(7.0 / 365.0)
    # quantiles of t with 4 degrees, from tables: 95 % 2.131847, 99 % 3.746947
    for at, want in ((0.95, 2.131847), (0.99, 3.746947)):
        here = np.interp(at, (np.arange(len(moves)) + 0.5) / len(moves), moves)
        assert here == pytest.approx(deviation * want / np.sqrt(2.0), rel=2e-4)
    assert abs(float(moves.mean())) < 1e-12


def test_a_hedge_s_worst_five_per_cent_is_the_mean_of_its_worst_rows():
    question = asked("short", yearly=known(70.0, PERCENT_YEAR, as_of=NOW, now=NOW, source="made"))
    bare = tail_loss(question, None, np.zeros(0))
    moves = np.sort(500.0 * PRICE * moves_of(70.0, 7.0))[-100:]
    assert bare.value == pytest.approx(float(moves.mean()), rel=1e-6)
    template = next(t for t in templates(short=True, settings=S) if t.id == "ladder")
    maker = option_maker(question, question.candidates, template)
    task = task_of(question, maker, rows_of(short=True, gap_percent=15.0, settings=S))
    coins = cheapest(task).coins
    assert tail_loss(question, maker, coins).value < bare.value
    unknown = tail_loss(asked("short"), None, np.zeros(0))
    assert unknown.value is None
    assert "volatility" in unknown.unknown
