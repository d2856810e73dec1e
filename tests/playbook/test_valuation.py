"""Whole accounts valued: known answers of exchanges, the kernel as a twin, and what must hold of any account."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playbook.accounts_made import (
    NOW,
    PRICE,
    account,
    balance,
    holding,
    ledger,
    option,
    perp,
    terms_of,
)

from airpocket.domain.errors import BadInput, MarginError
from airpocket.domain.portfolio import accounts_of
from airpocket.domain.positions import Positions
from airpocket.margin.kernel import Leg, liquidation
from airpocket.margin.stressgrid import GRID, shock_factor
from airpocket.margin.tiers import table_from
from airpocket.market.options.greeks import greeks
from airpocket.playbook.ledger import Marks, ledger_of
from airpocket.playbook.thresholds import adl_scores, funding_day, thresholds
from airpocket.playbook.valuation import scenario, standard_maintenance, value
from conftest import shared_root


def flat(rate, amount=0.0, top=np.inf):
    """One rate with a deduction, as a table that is continuous: half the rate below."""
    if not amount:
        rows = {"floor": (0.0,), "mmr": (rate,)}
    else:
        rows = {"floor": (0.0, 2.0 * amount / rate), "mmr": (0.5 * rate, rate)}
    return table_from("x", "y", 0, "the case", rows, top_cap=top)


def cases(function):
    root = shared_root()
    if root is None:
        return []
    found = json.loads((root / "oracles" / "margin.json").read_text())
    return [case for case in found if case["function"] == function]


def linear_case(inputs):
    """The ledger of an oracle's linear position under a kernel rule, and the price it is marked at."""
    side, entry = inputs["side"], inputs["entry_price_usd"]
    fields = {"side": side, "size": inputs["quantity_coin"], "entry_price": entry}
    if inputs["margin_mode"] == "isolated":
        wallet = inputs.get("wallet_balance_usd", inputs.get("collateral_usd"))
        fields |= {"margin_mode": "isolated", "wallet_usd": wallet}
        held = (perp(**fields),)
    else:
        rest = inputs.get("other_positions_unrealised_usd", 0.0)
        rest -= inputs.get("other_positions_maintenance_usd", 0.0)
        held = (perp(**fields), balance(inputs["wallet_balance_usd"] + rest))
    if "tiers" in inputs:
        tiers = inputs["tiers"]
        rows = {"floor": tiers["floor_usd"], "mmr": tiers["mmr_fraction"]}
        schedule = table_from("x", "y", 0, "the case", rows)
    elif "max_leverage_x" in inputs:
        schedule = flat(0.5 / inputs["max_leverage_x"])
    else:
        schedule = flat(inputs["mmr_fraction"], inputs.get("maintenance_amount_usd", 0.0))
    return ledger(*held, mode=inputs["margin_mode"], mark=entry, schedule=schedule)


KERNEL_VENUES = ("binance_usdm", "hyperliquid")


@pytest.mark.real
@pytest.mark.parametrize(
    "case",
    [
        case
        for case in (*cases("liquidation_price"), *cases("liquidation_price_tiers"))
        if case["inputs"]["venue"] in KERNEL_VENUES
    ],
    ids=lambda case: case["id"],
)
def test_exchanges_own_liquidation_prices_come_out_of_the_whole_account(case):
    found = thresholds(linear_case(case["inputs"]))
    want, tolerance = case["expected"]["liquidation_price_usd"], case["tolerance"]
    root = found.down if case["inputs"]["side"] == "long" else found.up
    if want is None or want <= 0.0:
        assert root is None
    else:
        allowed = tolerance.get("abs", tolerance.get("rel", 0) * abs(want))
        assert root == pytest.approx(want, abs=allowed)


@pytest.mark.real
@pytest.mark.usefixtures("shared")
def test_the_rows_of_the_exchanges_are_there():
    assert (
        len([c for c in cases("liquidation_price") if c["inputs"]["venue"] in KERNEL_VENUES]) > 20
    )


def test_two_legs_of_one_wallet_reproduce_the_exchanges_worked_example():
    """Binance's two-leg example whole: BTC held still, ETH falling to 1153.26."""
    btc = perp("long", 109.488, symbol="BTCUSDT", entry_price=32_481.98)
    eth = perp("long", 3_683.979, entry_price=1_456.84)
    made = account(btc, eth, balance(1_535_443.01))
    marks = Marks(NOW, {btc.key: 31_967.27, eth.key: 1_335.18}, {"ETH": 1_335.18, "BTC": 31_967.27})
    terms = terms_of(btc, schedule=flat(0.025, 16_300.0)) | terms_of(
        eth, schedule=flat(0.1, 135_365.0)
    )
    held = ledger_of(made, "ETH", marks, terms)
    now = value(held, 1_335.18)
    assert float(now.maintenance_usd) == pytest.approx(71_200.81144 + 356_512.508, abs=0.01)
    assert float(now.equity_usd) == pytest.approx(1_535_443.01 - 56_354.57 - 448_192.89, abs=0.02)
    assert thresholds(held).down == pytest.approx(1_153.26, abs=0.01)


@given(
    side=st.sampled_from(("long", "short")), size=st.floats(0.01, 30_000.0),
    leverage=st.floats(1.5, 45.0), moved=st.floats(-0.005, 0.005), inverse=st.booleans(),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_one_position_alone_is_the_kernels(side, size, leverage, moved, inverse):
    rows = {"floor": (0.0, 1e5, 1e7), "mmr": (0.004, 0.005, 0.01)}
    if inverse:
        rows["floor"] = tuple(each / PRICE for each in rows["floor"])
    schedule = table_from("x", "y", 0, "made", rows, currency="USDT")
    venue = (
        {"venue": "binance_coinm", "symbol": "ETHUSD_PERP"}
        if inverse
        else {"venue": "binance_usdm"}
    )
    wallet = size * PRICE / leverage
    mark = PRICE * (1.0 + moved)
    held = perp(side, size, wallet_usd=wallet, **venue)
    made = ledger(held, mark=mark, schedule=schedule)
    form = "inverse" if inverse else "linear"
    quantity = size * PRICE if inverse else size
    leg = Leg(form, side, quantity, PRICE, wallet / mark if inverse else wallet)
    found, twin = thresholds(made), liquidation(leg, schedule)
    root = found.down if side == "long" else found.up
    assert not found.already
    if twin.price is not None and twin.price < 1_000.0 * mark:
        assert root == pytest.approx(twin.price, rel=1e-9)
    else:
        assert root is None
    at = value(made, np.array([mark, PRICE]))
    assert at.maintenance_usd[0] == pytest.approx(
        leg.maintenance(mark, schedule) * (mark if inverse else 1.0)
    )
    assert at.equity_usd[0] == pytest.approx(leg.equity(mark) * (mark if inverse else 1.0))


def test_a_grid_is_every_scenario_by_itself():
    held = ledger(
        perp("long", 50.0, venue="deribit", symbol="ETH-PERPETUAL"),
        option(), option("short", 40.0, 1_700.0, call=False),
        balance(60.0, "ETH", "deribit"), balance(10_000.0, "USDC", "deribit"),
        funding_8h={"deribit:ETH-PERPETUAL": 1e-4},
    )  # fmt: skip
    price = np.array([1_200.0, 2_000.0, 2_900.0])[:, None, None]
    shift, days = np.array([-0.2, 0.0, 0.4])[:, None], np.array([0.0, 1.0, 7.0, 29.9, 45.0])
    for mode in ("cross", "portfolio"):
        made = ledger_of(
            account(*held.account.positions, *held.account.options, *held.account.balances, mode=mode),
            "ETH", held.marks, {p.position.key: _terms(p) for p in held.perps},
        )  # fmt: skip
        grid = value(made, price, shift, days)
        assert grid.equity_usd.shape == (3, 3, 5)
        for i, j, k in np.ndindex(3, 3, 5):
            one = value(made, price[i, 0, 0], shift[j, 0], days[k])
            assert float(one.equity_usd) == pytest.approx(grid.equity_usd[i, j, k], rel=1e-12)
            assert float(one.maintenance_usd) == pytest.approx(
                grid.maintenance_usd[i, j, k], rel=1e-12
            )


def _terms(leg):
    return terms_of(leg.position)[leg.position.key]


def test_options_are_worth_what_black_says_in_coin_and_pay_at_expiry():
    held = ledger(option("long", 10.0, 2_200.0), balance(1.0, "ETH", "deribit"))
    price = float(greeks(True, 2_100.0, 2_200.0, 30 / 365, 0.7).price)
    at = value(held, 2_100.0)
    assert float(at.worth_usd) == pytest.approx(2_100.0 + 10.0 * price, rel=1e-12)
    assert float(at.maintenance_usd) == 0.0
    late = value(held, 2_500.0, days=31.0)
    assert float(late.equity_usd) == pytest.approx(2_500.0 + 10.0 * 300.0, rel=1e-12)
    richer = value(held, 2_100.0, vol_shift=0.5)
    assert float(richer.worth_usd) > float(at.worth_usd)


def test_a_bought_option_counts_as_margin_only_under_portfolio_margin():
    both = (option("long", 10.0, 2_200.0), balance(1.0, "ETH", "deribit"))
    standard, whole = value(ledger(*both), 2_100.0), value(ledger(*both, mode="portfolio"), 2_100.0)
    assert float(standard.equity_usd) == pytest.approx(2_100.0, rel=1e-12)
    assert float(whole.equity_usd) == float(whole.worth_usd) == float(standard.worth_usd)
    debt = ledger(*both[:1], balance(-0.1, "ETH", "deribit"))
    owed = value(
        debt, 2_100.0
    )  # what is owed is not made good by an option, whatever that is worth
    assert float(owed.equity_usd) == pytest.approx(-210.0, rel=1e-12)
    assert float(owed.worth_usd) > 0.0


def test_borrowed_coin_rises_against_the_account_and_its_haircut_takes_nothing_off_a_debt():
    held = ledger(
        perp("long", 10.0), balance(10_000.0), balance(-3.0, "ETH", haircut=0.2)
    )  # fmt: skip
    for price in (1_800.0, 2_200.0):
        at = value(held, price)
        assert float(at.equity_usd) == pytest.approx(
            10_000.0 + 10.0 * (price - PRICE) - 3.0 * price
        )


def test_a_forward_above_the_index_moves_with_it_and_coin_counts_at_the_index():
    held = ledger(
        option("long", 1.0, 2_200.0), balance(1.0, "ETH", "deribit"),
        forward={option("long", 1.0, 2_200.0).key: 1.02},
    )  # fmt: skip
    coin = float(greeks(True, 2_142.0, 2_200.0, 30 / 365, 0.7).price) / 2_142.0
    assert float(value(held, 2_100.0).worth_usd) == pytest.approx(2_100.0 * (1.0 + coin), rel=1e-12)


def test_a_written_option_keeps_deribits_standard_margin():
    held = ledger(option("short", 10.0, 2_200.0), balance(20.0, "ETH", "deribit"))
    coin = float(greeks(True, 2_000.0, 2_200.0, 30 / 365, 0.7).price) / 2_000.0
    at = value(held, 2_000.0)
    # the rule's (0.075 + mark) is held against a balance that still has the premium: here equity has it off
    assert float(at.equity_usd) == pytest.approx((20.0 - 10.0 * coin) * 2_000.0, rel=1e-12)
    surplus = (20.0 - 10.0 * (0.075 + coin)) * 2_000.0
    assert float(at.equity_usd - at.maintenance_usd) == pytest.approx(surplus, rel=1e-12)
    assert float(value(held, 2_500.0, days=40.0).maintenance_usd) == 0.0


def test_a_call_spread_bought_for_a_short_moves_its_liquidation_up():
    calls = (option("long", 500.0, 2_100.0),)
    whole = ledger(perp("short", 500.0), balance(125_000.0), mode="portfolio")
    hedged = holding(whole, *calls)
    assert thresholds(hedged).up is None or thresholds(hedged).up > 1.5 * thresholds(whole).up
    # under standard margin it pays, but does not keep the venue away
    bare = ledger(perp("short", 500.0), balance(125_000.0))
    standard = holding(bare, *calls)
    assert thresholds(standard).up == pytest.approx(thresholds(bare).up)
    # a written call makes it worse, and the account has another threshold to fear
    naked = holding(bare, option("short", 200.0, 2_100.0))
    assert thresholds(naked).up < thresholds(bare).up


def test_an_account_can_be_liquidated_both_ways():
    held = ledger(
        option("short", 100.0, 1_900.0, call=False), option("short", 100.0, 2_100.0),
        balance(40.0, "ETH", "deribit"),
    )  # fmt: skip
    found = thresholds(held)
    assert found.down < PRICE < found.up
    for root in (found.down, found.up):
        at = value(held, root)
        assert float(at.surplus_usd) == pytest.approx(0.0, abs=1e-6 * float(at.maintenance_usd))


def test_coin_behind_a_linear_short_is_counted_at_its_haircut_and_moves_with_price():
    held = ledger(perp("short", 100.0), balance(100.0, "ETH", haircut=0.1), balance(20_000.0))
    at = value(held, np.array([2_000.0, 3_000.0]))
    assert at.worth_usd == pytest.approx([220_000.0, 220_000.0])  # fully hedged
    assert at.equity_usd == pytest.approx([200_000.0, 190_000.0])


def test_portfolio_margin_is_half_the_worst_of_the_grid():
    held = ledger(perp("long", 100.0), balance(100_000.0), mode="portfolio")
    at = value(held, 2_000.0)
    # −16 % in full, −33 % weighed 48 %, −66 % weighed 24 %: the first is the worst, and the fee comes on top
    assert float(at.maintenance_usd) == pytest.approx(0.5 * 0.16 * 200_000.0 + 5e-4 * 200_000.0)
    assert held.modelled_margin


def test_portfolio_margin_lets_a_put_count_against_a_long():
    alone = ledger(
        perp("long", 100.0, venue="deribit", symbol="ETH-PERPETUAL", margin_mode="portfolio"),
        balance(40.0, "ETH", "deribit"), mode="portfolio",
    )  # fmt: skip
    put = option("long", 100.0, 1_950.0, call=False, margin_mode="portfolio")
    both = holding(alone, put)
    assert float(value(both, PRICE).maintenance_usd) < 0.5 * float(
        value(alone, PRICE).maintenance_usd
    )


def test_shocks_of_volatility_scale_as_published():
    assert shock_factor(np.array([7.0, 30.0, 60.0])) == pytest.approx(
        [1.5474156, 1.0, 0.9138314], abs=1e-6
    )
    assert len(GRID.move) == 26


def test_standard_maintenance_of_a_pair_is_the_sum_of_its_legs():
    one, other = ledger(perp("short", 10.0), balance(1e5)), ledger(perp("long", 7.0), balance(1e5))
    both = ledger(perp("short", 10.0), perp("long", 7.0), balance(1e5))
    prices = np.linspace(500.0, 9_000.0, 7)

    def needed(held):
        at = scenario(held, prices, 0.0, 0.0)
        return standard_maintenance(held, at, np.zeros((0, 7)))

    assert needed(both) == pytest.approx(needed(one) + needed(other))


def test_funding_and_the_queue_for_deleveraging():
    held = ledger(
        perp("short", 100.0, entry_price=2_500.0), balance(50_000.0), funding_8h={"binance_usdm:ETHUSDT": 3e-4}
    )  # fmt: skip
    assert funding_day(held) == pytest.approx(3e-4 * 3 * 200_000.0)
    equity = 50_000.0 + 100.0 * 500.0
    assert adl_scores(held) == pytest.approx({"binance_usdm:ETHUSDT": 0.2 * 200_000.0 / equity})
    losing = ledger(perp("short", 100.0, entry_price=1_900.0), balance(50_000.0))
    assert adl_scores(losing) == {"binance_usdm:ETHUSDT": 0.0}
    assert np.isnan(funding_day(losing))
    later = value(held, 2_000.0, days=2.0)
    assert float(later.equity_usd) == pytest.approx(equity + 2 * 3e-4 * 3 * 200_000.0)


@pytest.mark.parametrize(
    ("held", "told"),
    [
        ((option(days=-1.0), balance(1.0, "ETH", "deribit")), "expired at"),
        ((option(volatility=None), balance(1.0, "ETH", "deribit")), "volatility_percent"),
        ((option(base="SOL"), balance(1.0, "ETH", "deribit")), "no price of SOL"),
        ((perp(), balance(1.0, "PEPE"), balance(1e6)), "no price of PEPE"),
        ((perp(size=5e6), balance(1e9)), "above the largest tier"),
        ((perp(size=50_000.0), balance(100_000.0)), "contracts given as coins"),
    ],
)
def test_what_can_not_be_valued_says_why(held, told):
    schedule = flat(0.005, top=1e9)
    if "contracts" in told:
        schedule = None
    with pytest.raises(MarginError, match=told):
        ledger(*held, schedule=schedule)


def test_accounts_are_split_by_what_they_share():
    isolated = perp("long", 1.0, margin_mode="isolated", leverage_x=5.0)
    own = perp("short", 2.0, wallet_usd=1_000.0)
    shared = perp("short", 3.0)
    held = Positions(
        positions=(isolated, own, shared), options=(option(),),
        balances=(balance(500.0), balance(3.0, "ETH", "deribit"), balance(9.0, "ETH", "coinbase")),
    )  # fmt: skip
    found = accounts_of(held)
    assert [(each.venue, each.mode, len(each.positions)) for each in found] == [
        ("binance_usdm", "isolated", 1), ("binance_usdm", "cross", 1), ("binance_usdm", "cross", 1),
        ("deribit", "cross", 0), ("coinbase", "cash", 0),
    ]  # fmt: skip
    with pytest.raises(BadInput, match="nothing behind it"):
        accounts_of(Positions(positions=(shared,)))
    with pytest.raises(BadInput, match="nothing behind it"):
        accounts_of(Positions(options=(option("short"),)))
    mixed = Positions(positions=(shared, perp(margin_mode="portfolio")), balances=(balance(500.0),))
    with pytest.raises(BadInput, match="cross, portfolio"):
        accounts_of(mixed)


@pytest.mark.parametrize(
    ("scenario_of", "told"),
    [((0.0, 0.0, 0.0), "price"), ((1.0, -1.5, 0.0), "vol_shift"), ((1.0, 0.0, -1.0), "days")],
)
def test_scenarios_that_can_not_be_are_refused(scenario_of, told):
    with pytest.raises(ValueError, match=told):
        value(ledger(perp(), balance(1e6)), *scenario_of)
