"""Pushes into a running market: what is asked is spent, a copy is pushed and not the market, money stays whole."""

import numpy as np
import pytest

from airpocket.lab.exchange.journal import TRADE
from airpocket.lab.runs.pushing import push
from airpocket.lab.runs.session import Session
from airpocket.lab.runs.worldfile import World

MINUTE = 60 * 10**9


@pytest.fixture(scope="module")
def calm(violent: World) -> Session:
    """Two quiet minutes of it."""
    session = Session(violent, 7)
    for _ in session.until(session.now + 2 * MINUTE):
        pass
    return session


def money(session: Session) -> int:
    m = session.market
    count = int(m.account_count)
    return int(m.accounts["cash"][:count].sum() + m.accounts["pocket"][:count].sum())


@pytest.mark.parametrize("usd", [3e6, -3e6])
def test_the_amount_asked_is_traded_in_the_pushed_book_and_moves_price_its_way(calm, usd):
    twin, idle = calm.fork(), calm.fork()
    book = 1
    treasury = int(twin.market.venues[book].treasury)
    rows = np.concatenate(list(push(twin, book, usd, 5)))
    for _ in idle.until(twin.now):
        pass
    mine = rows[(rows[:, 0] == TRADE) & (rows[:, 2] == book) & (rows[:, 5] == treasury)]
    terms = twin.market.books[book]
    spent = mine[:, 3] * mine[:, 4] * float(terms.tick_usd) / float(terms.lots_per_coin)
    assert spent.sum() == pytest.approx(usd, rel=0.01)
    assert len(np.unique(mine[:, 1])) == 5
    middle = [
        float(s.market.books[book].bid + s.market.books[book].ask) / 2.0 for s in (twin, idle)
    ]
    assert np.sign(middle[0] - middle[1]) == np.sign(usd)


def test_a_fork_goes_on_like_the_market_and_leaves_it_alone(calm):
    before, twin = calm.hash, calm.fork()
    for _ in push(twin, 1, 1e6, 3):
        pass
    assert calm.hash == before != twin.hash
    whole, same = calm.fork(), calm.fork()
    for one in (whole, same):
        for _ in one.until(calm.now + MINUTE):
            pass
    assert whole.hash == same.hash


def test_a_fork_with_other_chance_begins_alike_and_goes_another_way(calm):
    same, first, second, again = calm.fork(), calm.fork(1), calm.fork(2), calm.fork(1)
    assert money(first) == money(same)
    assert first.market.books[1].bid == same.market.books[1].bid
    for one in (same, first, second, again):
        for _ in one.until(calm.now + MINUTE):
            pass
    assert first.hash == again.hash
    assert len({same.hash, first.hash, second.hash}) == 3
    assert money(first) == money(same)


def test_what_a_book_does_not_hold_is_left_undone_and_money_stays_whole(calm):
    twin = calm.fork()
    before = money(twin)
    rows = np.concatenate(list(push(twin, 1, 1e12, 2)))
    assert money(twin) == before
    treasury = int(twin.market.venues[1].treasury)
    taken = rows[(rows[:, 0] == TRADE) & (rows[:, 5] == treasury)]
    assert (
        0 < np.abs(taken[:, 4]).sum() * 3_000.0 / float(twin.market.books[1].lots_per_coin) < 1e11
    )


def test_nothing_asked_trades_nothing(calm):
    twin = calm.fork()
    treasury = int(twin.market.venues[1].treasury)
    rows = np.concatenate(list(push(twin, 1, 0.0, 2)))
    assert not ((rows[:, 0] == TRADE) & (rows[:, 5] == treasury)).any()
