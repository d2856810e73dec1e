"""Each venue's liquidation procedure, step by step as science §1 tells it."""

from typing import Any

import pytest
from lab.hand import (
    FIRST,
    FUND,
    RICH,
    VAULT,
    held,
    market,
    money,
    net,
    open_position,
    quote,
    rows,
    set_mark,
)

from airpocket.lab.exchange.journal import DELEVERAGED, ENDED, FORCED, PRINT, TAKEN
from airpocket.lab.exchange.procedures import CLIPS, REDUCE, TAKEOVER, TIERED, supervise
from airpocket.lab.exchange.procedures import VAULT as TO_VAULT
from airpocket.lab.exchange.solvency import bankruptcy_price, equity, maintenance, short_of_margin
from airpocket.lab.exchange.state import RATE

SECOND = 10**9
LOSER, OTHER, MAKER, WINNER = FIRST, FIRST + 1, FIRST + 2, FIRST + 3
BIG_TIERS = (
    (0.0, 0.005, 0.0),
    (100_000.0, 0.01, 500.0),
    (500_000.0, 0.02, 5_500.0),
    (2e6, 0.05, 65_500.0),
)


def after(m: Any, seconds: float) -> None:
    """The venue's engine, `seconds` later."""
    m.now += int(seconds * SECOND)
    supervise(m, 0)


def levered(sign: int = 1, lots: int = 1_000, leverage: int = 10, **terms: Any) -> Any:
    """A market in which LOSER holds `lots` from 1,000 and MAKER is rich."""
    m = market(**terms)
    open_position(m, LOSER, sign * lots, 1_000, lots * 1_000 // leverage, other=OTHER)
    m.accounts[OTHER].cash += RICH
    m.accounts[MAKER].cash += RICH
    return m


def test_nothing_happens_to_an_account_that_covers_its_maintenance() -> None:
    m = levered(procedure=REDUCE)
    set_mark(m, 906.0)

    after(m, 1)

    assert rows(m, FORCED) == []
    assert int(m.accounts[LOSER].stage) == 0


def test_the_engine_acts_its_delay_after_margin_ran_short_and_lets_a_recovered_account_go() -> None:
    m = levered(procedure=REDUCE, delay=6 * SECOND, liquidation_fee=RATE // 100)
    quote(m, MAKER, {905: 5_000})
    set_mark(m, 903.0)

    after(m, 1)
    assert (int(m.accounts[LOSER].stage), rows(m, FORCED)) == (1, [])
    set_mark(m, 950.0)
    after(m, 7)
    assert (int(m.accounts[LOSER].stage), rows(m, FORCED)) == (0, [])

    set_mark(m, 903.0)
    after(m, 1)
    after(m, 6)
    assert held(m, LOSER) == 0


def test_binance_sends_one_order_for_just_enough_where_the_size_allows_it() -> None:
    m = levered(lots=5_000, leverage=25, procedure=REDUCE, tiers=BIG_TIERS)
    quote(m, MAKER, {1_009: 20_000})
    set_mark(m, 1_010.0)
    m.accounts[LOSER].cash -= 65_000  # 5 coin, equity 185,000 against 187,000 to be kept

    assert float(equity(m, LOSER)) == 185_000.0
    assert float(maintenance(m, LOSER)) == pytest.approx(187_000.0)
    after(m, 1)

    # a lot frees 50.5 of maintenance and loses 1 against the mark: 2,000 / 49.5, upwards
    assert rows(m, FORCED)[0][2:5] == [LOSER, -41, 41]
    assert rows(m, TAKEN) == []
    assert not short_of_margin(m, LOSER)


def test_binance_never_sells_below_bankruptcy_and_gives_the_rest_to_the_fund() -> None:
    m = levered(procedure=REDUCE)
    quote(m, MAKER, {902: 300, 890: 5_000})
    set_mark(m, 903.0)
    broke = float(bankruptcy_price(m, LOSER, 0))

    after(m, 1)

    assert broke == 900.0
    # equity 3,000 less 1 a lot against 4.515 a lot kept: 1,515 / 3.515 lots, upwards, are asked; the 300
    # inside bankruptcy fill
    assert rows(m, FORCED)[0][2:5] == [LOSER, -432, 300]
    assert rows(m, TAKEN)[0][2:6] == [LOSER, 700, 900, FUND]
    assert (held(m, LOSER), held(m, FUND), held(m, MAKER)) == (0, 700, 300)


def test_the_liquidation_fee_is_taken_of_what_filled_and_goes_to_the_fund() -> None:
    m = levered(procedure=REDUCE, liquidation_fee=RATE // 200)  # 0.5 %
    quote(m, MAKER, {904: 5_000})
    set_mark(m, 904.0)

    after(m, 1)

    assert int(m.accounts[FUND].cash) - RICH == 4_000  # 4,520 asked, equity left was 4,000
    assert int(m.accounts[LOSER].cash) == 0


def test_without_fund_the_rest_is_closed_against_the_best_ranked_winner_at_the_bankruptcy_price() -> (
    None
):
    m = levered(procedure=REDUCE)
    m.accounts[FUND].cash = 0
    open_position(m, WINNER, -400, 1_100, 20_000, other=MAKER)  # levered and far in profit
    before = money(m)
    set_mark(m, 903.0)

    after(m, 1)

    first, second = rows(m, DELEVERAGED)
    assert first[2:6] == [WINNER, -400, 900, LOSER]
    assert second[2:6] == [OTHER, -600, 900, LOSER]
    assert (held(m, LOSER), held(m, WINNER), held(m, OTHER)) == (0, 0, -400)
    assert (money(m), net(m)) == (before, 0)


def test_bybit_takes_over_at_bankruptcy_so_the_fund_keeps_a_better_fill_and_pays_a_worse_one() -> (
    None
):
    better, worse = (
        levered(procedure=TAKEOVER, fund_share=1e9),
        levered(procedure=TAKEOVER, fund_share=1e9),
    )
    quote(better, MAKER, {903: 5_000})
    quote(worse, MAKER, {895: 5_000})

    for m in (better, worse):
        set_mark(m, 903.0)
        after(m, 1)
        assert rows(m, TAKEN)[0][2:6] == [LOSER, 1_000, 900, FUND]
        assert (held(m, LOSER), held(m, FUND), int(m.accounts[LOSER].cash)) == (0, 0, 0)

    assert int(better.accounts[FUND].cash) == RICH + 3_000
    assert int(worse.accounts[FUND].cash) == RICH - 5_000


def test_okx_comes_down_two_tiers_at_a_time_and_closes_small_positions_whole() -> None:
    m = levered(
        lots=3_000, leverage=20, procedure=TIERED, tiers=BIG_TIERS
    )  # 3,000,000: fourth tier
    quote(m, MAKER, {960: 50_000})
    set_mark(m, 960.0)

    after(m, 1)
    kept = held(m, LOSER)
    size = kept * 960
    assert 495_000 <= size <= 500_000  # the cap of the second tier

    m.accounts[LOSER].cash -= int(equity(m, LOSER))  # nothing left
    after(m, 1)
    assert held(m, LOSER) == 0


def test_deribit_sells_clips_at_any_price_until_maintenance_is_covered() -> None:
    m = levered(lots=1_600, leverage=20, procedure=CLIPS, clip=0.125, delay=SECOND)
    quote(m, MAKER, {953: 10_000})
    set_mark(m, 953.5)  # equity 5,600 of 7,628; a clip loses half a unit a lot and frees 4.77

    seen = [held(m, LOSER)]
    for _ in range(40):
        after(m, 1)
        seen.append(held(m, LOSER))
        if not short_of_margin(m, LOSER):
            break

    assert seen == [1_600, 1_600, 1_400, 1_225, 1_071]  # the first second is the engine's delay
    assert int(m.accounts[LOSER].stage) == 0
    assert held(m, LOSER) > 0


def test_deribits_fund_pays_when_the_last_clip_leaves_a_debt() -> None:
    m = levered(lots=3, leverage=20, procedure=CLIPS, clip=1.0)
    quote(m, MAKER, {940: 10_000})
    set_mark(m, 953.0)

    after(m, 1)

    debt = 3 * (950 - 940)
    assert rows(m, ENDED)[0][2:5] == [LOSER, 0, debt]
    assert int(m.accounts[FUND].cash) == RICH - debt


HYPERLIQUID = {
    "procedure": TO_VAULT, "clip": 0.2, "clip_above": 100_000, "cooldown": 30 * SECOND,
    "backstop": 2.0 / 3.0, "vault": VAULT, "mark_rule": 2,
}  # fmt: skip


def test_hyperliquid_sells_a_fifth_of_a_large_position_first_and_all_within_the_cooldown() -> None:
    m = levered(tiers=((0.0, 0.02, 0.0),), **HYPERLIQUID)
    quote(m, MAKER, {917: 10_000})
    set_mark(m, 917.0)  # equity 17,000, maintenance 18,340

    after(m, 1)
    assert held(m, LOSER) == 800
    assert not short_of_margin(m, LOSER)
    set_mark(m, 914.0)  # 14,600 kept, 14,624 needed: 10 s later, still cooling
    after(m, 10)

    assert held(m, LOSER) == 0


def test_after_the_cooldown_the_next_order_is_a_fifth_again_and_small_positions_go_whole() -> None:
    m = levered(tiers=((0.0, 0.02, 0.0),), **HYPERLIQUID)
    small = levered(lots=100, tiers=((0.0, 0.02, 0.0),), **HYPERLIQUID)
    for one in (m, small):
        quote(one, MAKER, {917: 10_000})
        set_mark(one, 917.0)
        after(one, 1)
    set_mark(m, 914.0)
    after(m, 31)

    assert held(m, LOSER) == 640
    assert held(small, LOSER) == 0


def test_below_two_thirds_of_maintenance_the_vault_takes_position_and_margin() -> None:
    m = levered(tiers=((0.0, 0.02, 0.0),), **HYPERLIQUID)
    set_mark(m, 911.0)  # equity 11,000 of 18,220: under two thirds

    after(m, 1)

    assert rows(m, TAKEN)[0][2:6] == [LOSER, 1_000, 911, VAULT]
    assert (held(m, LOSER), held(m, VAULT)) == (0, 1_000)
    assert int(m.accounts[LOSER].cash) == 0
    assert float(equity(m, VAULT)) == pytest.approx(11_000.0)


def test_an_account_worth_less_than_nothing_is_deleveraged_at_the_mark_before() -> None:
    m = levered(tiers=((0.0, 0.02, 0.0),), **HYPERLIQUID)
    set_mark(m, 905.0)
    set_mark(m, 890.0)

    after(m, 1)

    assert rows(m, DELEVERAGED)[0][2:6] == [OTHER, -1_000, 905, LOSER]
    assert (held(m, LOSER), held(m, OTHER), int(m.accounts[LOSER].cash)) == (0, 0, 0)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("procedure", [REDUCE, TAKEOVER, TIERED, CLIPS, TO_VAULT])
def test_no_procedure_makes_money_or_contracts_whatever_the_book_gives(
    sign: int, procedure: int
) -> None:
    terms = HYPERLIQUID | {"procedure": procedure, "liquidation_fee": 50_000, "tiers": BIG_TIERS}
    m = levered(sign, lots=3_001, leverage=20, **terms)
    m.accounts[FUND].cash = 50_000
    quote(m, MAKER, {1_000 - sign * 60: sign * 700, 1_000 - sign * 90: sign * 500})
    before = money(m)

    for step in range(12):
        set_mark(m, 1_000.0 - sign * (40.0 + 5.0 * step))
        after(m, 5)

    assert (money(m), net(m)) == (before, 0)
    assert held(m, LOSER) == 0
    assert int(m.accounts[LOSER].cash) >= 0


def test_the_trace_of_a_liquidation_carries_the_orders_sign() -> None:
    m = levered(-1, procedure=REDUCE, feed=3)  # told at once
    quote(m, MAKER, {1_095: -5_000})
    set_mark(m, 1_096.0)

    after(m, 1)

    # 4,000 of equity keep 729 lots at 5.48 each: the rest of the short is bought back
    assert rows(m, PRINT)[0][2:4] == [1_095, 271]
