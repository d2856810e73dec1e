"""A running market keeps its promises: nothing made or lost, nothing crossed, the same bits every time."""

from collections.abc import Callable

import numpy as np
import pytest

from airpocket.lab.exchange.journal import DELEVERAGED, DEPTH, FORCED, STATUS, TAKEN, TRADE
from airpocket.lab.exchange.state import SPOT
from airpocket.lab.runs.session import Session
from airpocket.lab.runs.worldfile import World

MINUTE = 60 * 10**9
# the violent world, seed 7; changes whenever the model does
HASH = "fbb5e8d002d3edb2e6065000db3a23f0"


@pytest.fixture(scope="module")
def ran(violent: World):
    """The session at its end, its journal, and the money of each venue before and after."""
    session = Session(violent, 7)
    before = money(session)
    rows = [
        part
        for minute in range(1, 21)
        for part in session.until(session.world.start_ns + minute * MINUTE)
    ]
    return session, np.concatenate(rows), before


def money(session: Session) -> list[int]:
    m = session.market
    count = int(m.account_count)
    whole = m.accounts["cash"][:count] + m.accounts["pocket"][:count]
    return [int(whole[m.accounts["venue"][:count] == k].sum()) for k in range(int(m.book_count))]


def coin(session: Session, book: int) -> int:
    m = session.market
    return int(m.positions["lots"][: int(m.account_count), int(m.books[book].slot)][
        m.accounts["venue"][: int(m.account_count)] == book
    ].sum())  # fmt: skip


def test_the_violent_world_really_is_violent(ran):
    _, rows, _ = ran
    kinds = set(rows[:, 0].tolist())

    assert {TRADE, DEPTH, FORCED, TAKEN, DELEVERAGED, STATUS} <= kinds


def test_no_venue_gains_or_loses_money_through_a_cascade(ran):
    session, _, before = ran
    assert money(session) == before


def test_longs_equal_shorts_and_open_interest_on_every_perpetual_and_spot_coin_stays(ran, violent):
    session, _, _ = ran
    m = session.market
    fresh = Session(violent, 7)

    for book in range(int(m.book_count)):
        if m.books[book].form == SPOT:
            assert coin(session, book) == coin(fresh, book) > 0
        else:
            mine = m.accounts["venue"][: int(m.account_count)] == book
            lots = m.positions["lots"][: int(m.account_count), 0][mine]
            assert lots.sum() == 0
            assert int(m.books[book].open_interest) == lots[lots > 0].sum() > 0


def test_books_rebuilt_from_the_journal_are_the_books(ran):
    session, rows, _ = ran
    m = session.market
    for book in range(int(m.book_count)):
        depth = rows[(rows[:, 0] == DEPTH) & (rows[:, 2] == book)]
        built = np.zeros(m.levels.shape[1], dtype=np.int64)
        built[depth[:, 3]] = depth[:, 4]  # the last change of a tick wins
        assert np.array_equal(built, m.levels[book]["lots"])
        assert depth[:, 6].tolist() == list(range(1, len(depth) + 1))
        assert int(m.books[book].bid) < int(m.books[book].ask)


def test_a_halted_venue_neither_trades_nor_changes_its_book(ran):
    session, rows, _ = ran
    book = [venue.name for venue in session.world.venue].index("sim_bybit")
    [down, up] = rows[(rows[:, 0] == STATUS) & (rows[:, 2] == book)][:, 1].tolist()

    during = rows[(rows[:, 2] == book) & (rows[:, 1] > down) & (rows[:, 1] < up)]
    others = rows[(rows[:, 2] == book - 1) & (rows[:, 1] > down) & (rows[:, 1] < up)]

    assert (up - down) == 2 * MINUTE
    assert len(during) == 0
    assert (others[:, 0] == TRADE).sum() > 100


def test_time_never_runs_backwards_in_the_journal(ran):
    _, rows, _ = ran
    assert (np.diff(rows[:, 1]) >= 0).all()


def test_the_same_world_and_seed_give_the_same_bits_however_time_is_cut(
    short: Callable[[float], World],
):
    world = short(3)
    one, other, third = Session(world, 7), Session(world, 7), Session(world, 8)

    for _ in one.until(one.end):
        pass
    for second in range(0, 181, 7):
        for _ in other.until(world.start_ns + second * 10**9):
            pass
    for session in (other, third):
        for _ in session.until(session.end):
            pass

    assert one.hash == other.hash
    assert one.hash != third.hash


def test_a_run_has_the_same_hash_on_every_machine_and_python(ran):
    session, _, _ = ran
    assert session.hash == HASH


def test_a_seed_out_of_range_is_refused(violent: World):
    with pytest.raises(ValueError, match="seed"):
        Session(violent, -1)
