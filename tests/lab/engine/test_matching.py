"""Order books against a slow twin: price before time, nothing lost, nothing crossed."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from lab.hand import FIRST, TREASURY, depth_of, held, market, money, net, open_position, quote, rows

from airpocket.lab.exchange.journal import DEPTH, ORDINARY, TRADE
from airpocket.lab.exchange.matching import cancel, cancel_all, rest, take

OWNERS = range(FIRST, FIRST + 3)
orders = st.tuples(
    st.sampled_from(["rest", "take", "cancel"]), st.sampled_from(list(OWNERS)),
    st.sampled_from([1, -1]), st.integers(990, 1_010), st.integers(1, 30),
)  # fmt: skip


@dataclass
class Twin:
    """A book as a list of resting orders in the order they came, searched in full each time."""

    resting: list[list[int]] = field(
        default_factory=list[list[int]]
    )  # number, owner, side, tick, lots
    trades: list[tuple[int, int, int, int]] = field(default_factory=list[tuple[int, int, int, int]])

    def best(self, side: int) -> int | None:
        ticks = [order[3] for order in self.resting if order[2] == side]
        return None if not ticks else max(ticks) if side > 0 else min(ticks)

    def rest(self, number: int, owner: int, side: int, tick: int, lots: int) -> None:
        other = self.best(-side)
        if other is not None:
            tick = min(tick, other - 1) if side > 0 else max(tick, other + 1)
        self.resting.append([number, owner, side, tick, lots])

    def take(self, owner: int, side: int, limit: int, lots: int) -> None:
        while lots > 0:
            best = self.best(-side)
            if best is None or side * (best - limit) > 0:
                return
            order = next(o for o in self.resting if o[2] == -side and o[3] == best)
            if order[1] == owner:
                self.resting.remove(order)
                continue
            filled = min(lots, order[4])
            self.trades.append((best, side * filled, owner, order[1]))
            lots, order[4] = lots - filled, order[4] - filled
            if order[4] == 0:
                self.resting.remove(order)

    def depth(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for _, _, _, tick, lots in self.resting:
            found[tick] = found.get(tick, 0) + lots
        return found


def play(m: Any, twin: Twin, moves: list[tuple[str, int, int, int, int]]) -> None:
    for what, owner, side, tick, lots in moves:
        if what == "rest":
            number = rest(m, 0, owner, side, tick, lots)
            twin.rest(int(number), owner, side, tick, lots)
        elif what == "take":
            take(m, 0, owner, side * lots, tick, ORDINARY)
            twin.take(owner, side, tick, lots)
        elif twin.resting:
            number = twin.resting.pop(tick % len(twin.resting))[0]
            cancel(m, number)
        assert m.books[0].bid < m.books[0].ask


@settings(max_examples=60, deadline=None)
@given(st.lists(orders, max_size=60))
def test_a_book_trades_as_its_slow_twin_price_before_time(
    moves: list[tuple[str, int, int, int, int]],
) -> None:
    m, twin = market(), Twin()

    play(m, twin, moves)

    assert [tuple(row[2:6]) for row in rows(m, TRADE)] == twin.trades
    assert depth_of(m) == twin.depth()
    assert int(m.books[0].bid) == (twin.best(1) or 0)
    assert int(m.books[0].ask) == (twin.best(-1) or int(m.books[0].window))


@settings(max_examples=40, deadline=None)
@given(st.lists(orders, max_size=60), st.integers(0, 10_000), st.integers(-2_000, 5_000))
def test_trading_makes_neither_money_nor_contracts(
    moves: list[tuple[str, int, int, int, int]], taker_fee: int, maker_fee: int
) -> None:
    m = market()
    m.books[0].taker_fee, m.books[0].maker_fee = taker_fee, maker_fee
    before = money(m)

    play(m, Twin(), moves)

    longs = sum(max(0, held(m, account)) for account in range(int(m.account_count)))
    assert money(m) == before
    assert net(m) == 0
    assert int(m.books[0].open_interest) == longs


@settings(max_examples=30, deadline=None)
@given(st.lists(orders, max_size=50))
def test_the_book_can_be_built_again_from_the_changes_it_told(
    moves: list[tuple[str, int, int, int, int]],
) -> None:
    m, built = market(), dict[int, int]()

    play(m, Twin(), moves)
    for _, _, tick, lots, _, _, _ in rows(m, DEPTH):
        built[tick] = lots

    assert {tick: lots for tick, lots in built.items() if lots} == depth_of(m)
    assert [row[5] for row in rows(m, DEPTH)] == list(range(1, len(rows(m, DEPTH)) + 1))


def test_fees_go_to_the_treasury_rounded_down() -> None:
    m = market()
    m.books[0].taker_fee, m.books[0].maker_fee = 5_000, -1_000  # 5 bp paid, 1 bp received
    quote(m, FIRST, {1_001: -7})

    take(m, 0, FIRST + 1, 7, 1_001, ORDINARY)

    assert int(m.accounts[TREASURY].cash) == 3 - 0  # 7,007 units: 3.5 paid, 0.7 received
    assert int(m.accounts[FIRST + 1].cash) == -7 * 1_001 - 3
    assert int(m.accounts[FIRST].cash) == 7 * 1_001


def test_a_halted_book_takes_no_order_and_all_of_an_accounts_orders_can_be_cancelled() -> None:
    m = market()
    quote(m, FIRST, {999: 5, 998: 5, 1_001: -5})
    quote(m, FIRST + 1, {998: 3})

    m.books[0].halted = 1
    refused = rest(m, 0, FIRST, 1, 997, 1)
    filled, _ = take(m, 0, FIRST + 2, 5, 1_001, ORDINARY)
    cancel_all(m, FIRST)

    assert (refused, filled) == (-1, 0)
    assert depth_of(m) == {998: 3}


def test_entry_is_kept_when_a_position_is_reduced_and_starts_anew_when_it_turns() -> None:
    m = market()
    open_position(m, FIRST, 10, 1_000, 0, other=FIRST + 1)
    open_position(m, FIRST, 10, 1_100, 0, other=FIRST + 1)
    assert m.positions[FIRST, 0].cost / held(m, FIRST) == 1_050.0

    open_position(m, FIRST, -5, 1_200, 0, other=FIRST + 1)
    assert m.positions[FIRST, 0].cost / held(m, FIRST) == 1_050.0

    open_position(m, FIRST, -20, 1_300, 0, other=FIRST + 1)
    assert (held(m, FIRST), m.positions[FIRST, 0].cost / held(m, FIRST)) == (-5, 1_300.0)
