"""Hedges of made chains: never net short a tail, every row held, prices of more, and chains that can't be used."""

import itertools
import math
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playbook.accounts_made import NOW, PRICE, balance, ledger, perp

from airpocket.domain.errors import BadInput
from airpocket.domain.estimates import PRICE as PER_COIN
from airpocket.domain.estimates import known
from airpocket.domain.units import DAY_NS
from airpocket.market.options.chain import ChainSnapshot
from airpocket.market.options.greeks import greeks
from airpocket.market.options.quotes import ChainQuotes
from airpocket.market.options.revalue import value_grid
from airpocket.playbook.hedging.asked import Asked, option_maker, task_of
from airpocket.playbook.hedging.backing import valued_by
from airpocket.playbook.hedging.candidates import candidates_of, option_name
from airpocket.playbook.hedging.choose import Chosen, cheapest, slack
from airpocket.playbook.hedging.lots import tradable
from airpocket.playbook.hedging.made import Shape, hedge_of
from airpocket.playbook.hedging.rows import rows_of
from airpocket.playbook.hedging.settings import HedgeSettings
from airpocket.playbook.hedging.sheet import hedge_sheet
from airpocket.playbook.hedging.templates import templates


def chain(skew=0.0, spread=0.02, days=(3.0, 13.0, 20.0, 48.0), **changes):
    """Calls and puts of four expiries around the price, quoted `spread` around their worth."""
    strike = np.arange(1_400.0, 2_900.0, 100.0)
    rows = [(d, k, c) for d in days for k in strike for c in (True, False)]
    expiry = np.array([NOW + round(d * DAY_NS) for d, _, _ in rows])
    k, call = np.array([r[1] for r in rows]), np.array([r[2] for r in rows])
    years = np.array([r[0] for r in rows]) / 365.0
    vol = 0.7 + skew * np.log(k / PRICE)
    worth = greeks(call, PRICE, k, years, vol).price / PRICE
    quotes = {"bid": worth * (1 - spread), "ask": worth * (1 + spread)} | changes
    made = ChainQuotes(NOW, expiry, k, call, np.full(len(k), PRICE), **quotes)
    return ChainSnapshot(
        "deribit", NOW, NOW, made, np.full(len(k), 10.0), PRICE, "deribit:ETH-OPTIONS"
    )


def asked(side="short", leverage=8.0, *, settings=None, found=None, **changes):
    size = 500.0
    held = ledger(perp(side, size), balance(size * PRICE / leverage))
    found = candidates_of(chain() if found is None else found, "ETH", NOW)
    return Asked(**{
        "asset": "ETH", "now": NOW, "simulated": False, "position": perp(side, size, wallet_usd=1.0),
        "price": known(PRICE, PER_COIN, as_of=NOW, now=NOW, source="made"),
        "valued": valued_by(held, settings or HedgeSettings()),
        "candidates": found, "major": "none", "settings": settings or HedgeSettings(search_s=5.0),
        "hold_d": 14.0, "taker_fee": 0.0005,
    } | changes)  # fmt: skip


def optimum(question, name, gap=15.0):
    template = next(t for t in templates(question.short, question.settings) if t.id == name)
    maker = option_maker(question, question.candidates, template)
    rows = rows_of(question.short, gap, question.settings, days=template.days)
    task = task_of(question, maker, rows, paired=template.paired)
    return task, cheapest(task)


@lru_cache(maxsize=2)
def sheet(side):
    return hedge_sheet(asked(side))


def test_values_over_a_grid_are_those_of_the_greeks():
    rng = np.random.default_rng(0)
    n = 60
    call, forward = rng.random(n) < 0.5, np.full(n, PRICE)
    strike, years = PRICE * np.exp(rng.normal(0, 0.4, n)), rng.uniform(-0.01, 1.0, n)
    moves, vol = np.array([0.5, 1.0, 1.4, 6.0]), rng.uniform(0.0, 2.0, (n, 3))
    found = value_grid(call, forward, strike, years, moves, vol)
    want = greeks(
        call[:, None, None], (forward[:, None] * moves)[:, :, None], strike[:, None, None],
        np.maximum(years, 0.0)[:, None, None], vol[:, None, :],
    ).price  # fmt: skip
    np.testing.assert_allclose(found, want, atol=1e-9)


def payoff(task, coins, expiry, price, kind):
    """What options of one expiry pay, USD."""
    found, c = task.candidates, task.columns
    mine = (found.expiry[c.option] == expiry) & (found.call[c.option] == (kind == "call"))
    strike = found.strike[c.option]
    inside = np.maximum(price - strike if kind == "call" else strike - price, 0.0)
    return float((np.where(mine, c.sign * coins, 0.0) * inside).sum())


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from(["short", "long"]), st.floats(4.0, 9.0), st.floats(-0.6, 0.6), st.floats(0.005, 0.1),
    st.sampled_from(["spread", "collar", "free"]),
)  # fmt: skip
def test_no_hedge_is_net_short_a_tail(side, leverage, skew, spread, name):
    question = asked(side, leverage, found=chain(skew, spread))
    task, found = optimum(question, name, gap=20.0)
    if not isinstance(found, Chosen):
        return
    c, calls = task.columns, task.candidates.call[task.columns.option]
    expiry = task.candidates.expiry[c.option]
    behind = 0.0
    for each in np.unique(expiry):
        net = [
            float((c.sign * found.coins)[(expiry == each) & (calls == kind)].sum())
            for kind in (True, False)
        ]
        own, other = (net[1], net[0]) if side == "short" else net
        assert other >= -1e-6  # of the kind that protects, never more sold than bought
        behind += max(-own, 0.0)
    assert (
        behind <= 500.0 + 1e-6
    )  # of the other, the position stands behind it, once over all expiries
    for expiry in np.unique(task.candidates.expiry):
        protecting = "call" if side == "short" else "put"
        for price in np.geomspace(100.0, 20_000.0, 60):  # dominance, strike by strike
            assert payoff(task, found.coins, expiry, price, protecting) >= -1e-2


@pytest.mark.parametrize("side", ["short", "long"])
def test_whole_lots_hold_every_row_and_cost_no_less_than_the_bound(side):
    question = asked(side)
    for name in ("ladder", "spread", "free"):
        task, linear = optimum(question, name)
        whole = tradable(task, linear)
        assert isinstance(whole, Chosen), whole
        assert (slack(task, whole.coins) >= -1.0).all()
        assert (np.abs(whole.coins - np.round(whole.coins)) < 1e-9).all()
        assert int((whole.coins > 0).sum()) <= question.settings.legs
        assert linear.held - 1e-6 <= whole.held <= 1.05 * linear.held + 50.0


def test_more_protection_never_costs_less_and_wider_shapes_never_more():
    question = asked("short")
    costs = [optimum(question, "ladder", gap)[1].held for gap in (15.0, 20.0, 30.0)]
    assert all(more >= less - 1e-6 for less, more in itertools.pairwise(costs))
    assert optimum(question, "spread")[1].held <= optimum(question, "ladder")[1].held + 1e-3


def test_the_price_of_one_more_per_cent_is_what_solving_for_it_says():
    question = asked("short")
    template = templates(short=True, settings=question.settings)[0]
    made = hedge_of(
        question, Shape(template, option_maker(question, question.candidates, template), whole=True)
    )
    at, more = (optimum(question, "ladder", gap)[1].held for gap in (15.0, 15.1))
    assert made.next_percent.value == pytest.approx((more - at) / 0.1, rel=0.15)


@pytest.mark.parametrize("side", ["short", "long"])
def test_a_sheet_holds_what_it_says_up_to_the_gap(side):
    found = sheet(side)
    ladder = next(h for h in found.hedges if h.id == "ladder")
    assert abs(found.plain_protected.value) < 15.0 <= abs(ladder.protected.value)
    assert all(leg.name.endswith("-C" if side == "short" else "-P") for leg in ladder.legs)
    assert found.top_up.value > 0.0
    assert ladder.held.value >= ladder.bound.value
    sign = 1.0 if side == "short" else -1.0
    at = next(p for p in ladder.curve if p.move_percent == pytest.approx(sign * 20.0))
    assert at.hedged_usd > at.plain_usd


def test_a_margin_that_survives_is_hedged_to_halve_the_loss():
    found = hedge_sheet(asked("long", leverage=2.0))
    assert "half of what it loses unhedged" in found.answer


def test_a_budget_too_small_leaves_no_hedge():
    small = asked("short", settings=HedgeSettings(budget_usd=100.0))
    _, found = optimum(small, "ladder")
    assert found.reason == "no mix of the candidates holds every row"


def test_quotes_that_can_t_be_traded_are_left_out_and_counted():
    full = chain()
    n, before = len(full.quotes.strike), len(candidates_of(full, "ETH", NOW))
    bid, ask = full.quotes.bid.copy(), full.quotes.ask.copy()
    bid[70] = ask[70] = math.nan
    bid[72], ask[72] = 0.05, 0.04
    ask[74] = 0.999  # more than any volatility gives
    found = candidates_of(chain(bid=bid, ask=ask), "ETH", NOW)
    assert len(found) == before - 3
    assert found.left_out["no bid and no ask"] == found.left_out["crossed or locked"] == 1
    with pytest.raises(BadInput, match=r"can be traded: \d+ expired"):
        candidates_of(full, "ETH", NOW + 60 * DAY_NS)
    none = np.zeros(n)
    with pytest.raises(BadInput, match="no bid and no ask"):
        candidates_of(chain(bid=none, ask=none), "ETH", NOW)


def test_an_option_without_a_bid_is_worth_its_intrinsic_value_alone():
    found = candidates_of(chain(bid=np.zeros(len(chain().quotes.strike))), "ETH", NOW)
    assert (found.bid_vol == 0.0).all()
    assert (found.ask_vol > 0.0).all()


def test_names_are_the_venue_s():
    assert option_name("ETH", NOW + 14 * DAY_NS, 2_400.0, call=True) == "ETH-20FEB26-2400-C"
