"""Whole plans on a made market: figures by hand, exits inside the position, stops inside the margin."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st
from msgspec import structs
from playbook.accounts_made import option
from playbook.situations import (
    NOW,
    last_close,
    play_of,
    position,
    situation,
    steps_of,
    tell_of,
    with_figures,
)

from airpocket.cascade.records import Profile
from airpocket.domain.catalysts import Catalyst
from airpocket.domain.errors import BadInput, MarginError
from airpocket.domain.portfolio import accounts_of
from airpocket.domain.positions import Balance, Positions
from airpocket.domain.units import HOUR_NS, MINUTE_NS
from airpocket.margin.bundled import schedules_of
from airpocket.margin.kernel import Leg, liquidation
from airpocket.market.state import Observations
from airpocket.playbook.plan import plan_for
from airpocket.verdict.records import Verdict


def test_the_margin_section_of_a_short_by_hand() -> None:
    price = last_close()
    held = position(size=100.0, entry=price, wallet_usd=50_000.0)
    plan = plan_for(held, situation())
    # 100 coins around 3,000 lie between 50k and 600k: 0.5 % less 50
    reached = (50_000 + 50 + 100 * price) / (100 * 1.005)
    assert 50_000 < 100 * reached < 600_000
    assert tell_of(plan.margin, "liquidation") == pytest.approx(reached, rel=1e-12)
    assert tell_of(plan.margin, "distance") == pytest.approx(100 * (reached / price - 1))
    assert tell_of(plan.margin, "maintenance") == pytest.approx(0.005 * 100 * price - 50)
    assert tell_of(plan.margin, "buffer") == pytest.approx(50_000 / (0.5 * price - 50))
    assert tell_of(plan.margin, "bankruptcy") == pytest.approx(price + 500)
    assert tell_of(plan.margin, "leverage") == pytest.approx(100 * price / 50_000)


def test_the_funding_bleed_has_the_right_sign_for_each_side() -> None:
    rate = situation().signals.figure("funding_8h:binance_usdm:ETHUSDT").value
    notional = 500 * last_close()
    short = plan_for(position("short"), situation())
    long = plan_for(position("long", margin="isolated"), situation())
    assert tell_of(short.funding, "funding_day") == pytest.approx(3 * rate / 100 * notional)
    assert tell_of(long.funding, "funding_day") == pytest.approx(-3 * rate / 100 * notional)
    assert tell_of(short.funding, "funding_week_share") == pytest.approx(
        100 * 21 * rate / 100 * notional / (0.16 * notional)
    )


def test_the_leverage_caps_follow_the_published_formulas() -> None:
    price = last_close()
    plan = plan_for(position(size=100.0, entry=price, wallet_usd=100_000.0), situation())
    caps = {cap.id: cap for cap in plan.caps.caps}
    rate = 0.005 - 50 / (100 * price * 1.15)
    assert caps["gap"].max_leverage_x.value == pytest.approx(1 / (0.15 + 3 * rate * 1.15))
    assert caps["venue"].max_leverage_x.value == 100.0
    assert [cap.id for cap in plan.caps.caps if cap.binding] == ["gap"]
    assert plan.caps.kept is True


@pytest.mark.parametrize("side", ["short", "long"])
def test_closing_what_the_plan_says_makes_the_gap_survivable(side) -> None:
    price = last_close()
    held = position(side, entry=price, wallet_usd=0.11 * 500 * price)
    for need in plan_for(held, situation()).gap_test.survivals:
        assert need.size_coin.value + need.reduce_coin.value == pytest.approx(500.0)
        rest = need.size_coin.value
        after = plan_for(structs.replace(held, size_coin=rest), situation()).gap_test
        gap = next(g for g in after.gaps if g.move_percent == need.move_percent)
        assert gap.buffer.value >= need.buffer_multiple
        more = structs.replace(held, wallet_usd=held.wallet_usd + need.top_up_usd.value)
        gap = next(
            g
            for g in plan_for(more, situation()).gap_test.gaps
            if g.move_percent == need.move_percent
        )
        assert gap.buffer.value >= need.buffer_multiple - 1e-9


def test_equity_after_the_gap_is_against_the_side_held() -> None:
    for side, sign in (("short", 1), ("long", -1)):
        gaps = plan_for(position(side), situation()).gap_test.gaps
        assert [gap.move_percent for gap in gaps] == [sign * 5.0, sign * 10.0, sign * 15.0]
        equities = [gap.equity.value for gap in gaps]
        assert equities == sorted(equities, reverse=True)


POSITIONS = st.tuples(
    st.sampled_from(["short", "long"]), st.floats(0.05, 3_000.0), st.floats(1.0, 20.0),
    st.integers(0, 3), st.floats(0.97, 1.03),
)  # fmt: skip


@budget(max_examples=40)
@given(POSITIONS)
def test_no_stop_lies_beyond_liquidation_and_exits_add_up(drawn) -> None:
    side, size, leverage, seed, drift = drawn
    price = last_close(seed)
    held = position(
        side, size, entry=price * drift, margin="isolated", leverage_x=leverage, seed=seed
    )
    plan = plan_for(held, situation(seed))  # no volatility: no hedges to solve
    steps = steps_of(plan)
    if "close_now" in steps:
        assert list(steps) == ["close_now"]
        return
    reached = next(t.estimate.value for t in plan.margin.tells if t.id == "liquidation")
    hurts = 1 if side == "short" else -1
    for name in ("first_extension", "momentum", "hard_stop", "price_invalidation", "stop"):
        if name in steps and reached is not None:
            at = steps[name].price.value
            assert hurts * (at - price) > 0, name
            assert hurts * (reached - at) > 0, name
    if side == "short":
        thirds = [steps[name] for name in ("first_extension", "momentum", "hard_stop")]
        assert math.isclose(math.fsum(t.size_coin.value for t in thirds), size, rel_tol=1e-9)
        prices = [t.price.value for t in thirds]
        assert prices == sorted(prices)
        assert len(set(prices)) == 3
    else:
        targets = [s.size_coin.value for k, s in steps.items() if k.startswith("target_")]
        assert math.fsum(targets) <= size * (1 + 1e-9)


@budget(max_examples=30)
@given(st.floats(1_000.0, 1e8), st.floats(0.1, 200.0), st.integers(0, 3))
def test_bids_and_position_together_stay_within_the_risk_budget(portfolio, size, seed) -> None:
    held = position("long", size, margin="isolated", leverage_x=3.0, seed=seed)
    plan = plan_for(held, replace(situation(seed), portfolio_usd=portfolio))
    bids = play_of(plan, "bids")
    if bids.unknown:
        assert not bids.steps
        return
    price, own = last_close(seed), steps_of(plan)["stop"].price.value
    found = [(step.price.value, step.size_coin.value) for step in bids.steps]
    stop = float(bids.notes[0].split(" at theirs, ")[1].split(" (")[0].replace(",", ""))
    risk = sum(coin * (at - stop) for at, coin in found)
    assert size * (price - own) + risk <= 0.02 * portfolio * (1 + 1e-3) + 1
    assert [at for at, _ in found] == sorted((at for at, _ in found), reverse=True)
    assert all(at < price for at, _ in found)
    coins = [coin for _, coin in found]
    assert coins == sorted(coins)


def test_without_a_portfolio_the_bids_are_unknown_not_sized_by_guess() -> None:
    held = position("long", margin="isolated")
    bids = play_of(plan_for(held, replace(situation(), portfolio_usd=None)), "bids")
    assert "portfolio_usd" in bids.unknown
    assert bids.steps == []


def test_the_scenario_rows_fire_on_their_figures_and_stay_unknown_without() -> None:
    hot = with_figures(situation(), **{"funding_8h:binance_usdm:ETHUSDT": 0.12, "rv_rank": 95.0})
    steps = steps_of(plan_for(position(), hot))
    assert steps["funding_spike"].state in ("armed", "firing")
    assert steps["funding_spike"].tells[0].met is True
    assert steps["volatility_exit"].state == "firing"
    for name in ("spot_premium_widens", "implied_jump", "trim", "hedge", "before_event"):
        assert steps[name].state == "unknown", name
        assert steps[name].because
    assert {"trend_acceleration", "funding_spike", "spot_premium_widens", "implied_jump"} == {
        step.id for step in play_of(plan_for(position(), hot), "scenarios").steps
    }
    assert steps["trend_acceleration"].size_coin.value == 250.0
    assert steps["spot_premium_widens"].size_coin.value == 500.0


def test_a_trim_fires_on_one_sign_alone() -> None:
    thin = with_figures(situation(), spot_premium=12.0)
    assert steps_of(plan_for(position(), thin))["trim"].state == "firing"


def test_funding_discipline_speaks_only_when_this_side_pays() -> None:
    rich = with_figures(situation(), **{"funding_8h:binance_usdm:ETHUSDT": -0.05})
    assert steps_of(plan_for(position("short"), rich))["funding_discipline"].state == "firing"
    assert steps_of(plan_for(position("long"), rich))["funding_discipline"].state == "quiet"


def test_a_falling_knife_is_not_scaled_into() -> None:
    falling = with_figures(situation(), hour_move_sd=-3.0, move_24h=-8.0, funding_8h=0.0)
    step = steps_of(plan_for(position("long", margin="isolated"), falling))["funding_reset"]
    assert step.state == "armed"
    calm = with_figures(falling, hour_move_sd=-0.5)
    step = steps_of(plan_for(position("long", margin="isolated"), calm))["funding_reset"]
    assert step.state == "firing"


def event(hours, known_hours=-48.0, confidence="certain"):
    return Catalyst(
        time=NOW + int(hours * HOUR_NS), known_from=NOW + int(known_hours * HOUR_NS),
        kind="macro", name="rate decision", confidence=confidence,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("events", "state"),
    [
        (None, "unknown"), ((), "quiet"), ((event(100),), "armed"), ((event(20),), "firing"),
        ((event(200),), "quiet"), ((event(100, confidence="rumoured"),), "quiet"),
        ((event(100, known_hours=1.0),), "quiet"), ((event(-1),), "quiet"),
    ],
)  # fmt: skip
def test_the_time_exit_knows_only_events_that_were_known(events, state) -> None:
    plan = plan_for(position(), replace(situation(), catalysts=events))
    assert steps_of(plan)["before_event"].state == state


def test_an_event_not_yet_known_changes_nothing_at_all() -> None:
    hidden = replace(situation(), catalysts=(event(30, known_hours=1.0),))
    empty = replace(situation(), catalysts=())
    for side in ("short", "long"):
        assert plan_for(position(side), hidden) == plan_for(position(side), empty)


def test_a_known_event_widens_the_stop_of_a_long() -> None:
    near = replace(situation(), catalysts=(event(30),))
    far = steps_of(plan_for(position("long"), near))["trail"].price.value
    assert far < steps_of(plan_for(position("long"), situation()))["trail"].price.value


def test_an_account_under_water_gets_one_step() -> None:
    price = last_close()
    plan = plan_for(position(entry=price * 0.8, wallet_usd=6_000.0), situation())
    assert [step.id for play in plan.plays for step in play.steps] == ["close_now"]
    assert "liquidate it now" in plan.answer


def test_a_venue_without_rules_leaves_margin_unknown_and_keeps_the_plays() -> None:
    plan = plan_for(position(venue="lighter", symbol="ETH"), situation())  # priced by the reference
    assert "no margin rules" in plan.margin.unknown
    assert plan.gap_test.unknown
    assert plan.caps.unknown
    assert plan.fuel.unknown
    assert plan.mark.provenance == "mixed"
    assert any("stands in" in note for note in plan.margin.notes)
    assert steps_of(plan)["hard_stop"].price.value > last_close()


def test_an_old_price_gives_no_plan_but_says_why() -> None:
    late = situation(now=NOW + 3 * HOUR_NS)
    plan = plan_for(position(), late)
    assert plan.mark.value is None
    assert plan.plays == []
    assert "no price of binance_usdm:ETHUSDT" in plan.answer


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"margin": "isolated", "leverage_x": 400.0}, "leverage_x 400"),
        ({"wallet_usd": 0.0}, "wallet_usd"), ({"wallet_usd": None}, "nothing behind it"),
        ({"wallet_usd": 1_000.0}, "contracts given as coins"),
    ],
)  # fmt: skip
def test_a_position_that_cannot_exist_is_refused(changes, problem) -> None:
    with pytest.raises(BadInput, match=problem):
        plan_for(position(**changes), situation())


def test_portfolio_margin_is_valued_and_says_that_it_is_modelled() -> None:
    plan = plan_for(position(margin_mode="portfolio", wallet_usd=400_000.0), situation())
    notional, needed = tell_of(plan.margin, "notional"), tell_of(plan.margin, "maintenance")
    assert needed == pytest.approx(
        (0.08 + 5e-4) * notional
    )  # half of the loss of +16 %, and the fee
    assert any("modelled" in note for note in plan.margin.notes)
    assert tell_of(plan.margin, "liquidation") > last_close()


def test_an_inverse_short_is_planned_in_coin_and_usd() -> None:
    price = last_close()
    held = position(
        venue="deribit", symbol="ETH-PERPETUAL", size=500.0, wallet_usd=0.3 * 500 * price
    )  # fmt: skip
    plan = plan_for(held, situation())
    kernel = liquidation(
        Leg("inverse", "short", 500.0 * price, price, 0.3 * 500.0),
        schedules_of("deribit", "ETH-PERPETUAL", NOW)[-1],
    )
    assert tell_of(plan.margin, "liquidation") == pytest.approx(kernel.price, rel=1e-9)
    assert tell_of(plan.margin, "notional") == pytest.approx(500.0 * price)
    assert "USD of contracts" in steps_of(plan)["first_extension"].action
    assert next(cap for cap in plan.caps.caps if cap.id == "gap").max_leverage_x.known


def test_steps_say_how_they_are_sent_and_when_they_lapse() -> None:
    for side in ("short", "long"):
        plan = plan_for(position(side), situation())
        for step in steps_of(plan).values():
            assert (step.order == "none") == (step.expires_at is None and not step.id.startswith(
                ("hard_stop", "stop", "trail")))  # fmt: skip
            if step.size_coin is not None:
                assert step.order != "none"
            assert step.expires_at in (None, NOW + 24 * HOUR_NS)
    assert steps_of(plan_for(position(), situation()))["hard_stop"].order == "stop_market"


def test_everything_that_adds_to_a_long_ends_with_its_stop() -> None:
    opening = [
        step for step in steps_of(plan_for(position("long", 10.0), situation())).values()
        if step.side == "buy"
    ]  # fmt: skip
    assert {step.id for step in opening} >= {"bid_1", "confirmation", "funding_reset"}
    assert all("once the position's own stop fills" in step.invalidation for step in opening)
    assert not any(step.reduce_only for step in opening)


def test_a_short_trails_its_best_close() -> None:
    steps = steps_of(plan_for(position(opened_at=NOW - 40 * 24 * HOUR_NS), situation()))
    hours = situation().market.reference.hours.since(NOW - 40 * 24 * HOUR_NS)
    best = min(*hours.close.tolist(), last_close())
    span = situation().roadmap and steps["trail"].price.value - best
    assert span > 0.0
    assert "only falls" in steps["trail"].invalidation


def test_a_hedge_widens_stops_and_is_named() -> None:
    call = option("long", 100.0, 2_400.0, expiry=NOW + 30 * 24 * HOUR_NS)
    bare = plan_for(position(wallet_usd=1e6), situation())
    held = plan_for(position(wallet_usd=1e6), situation(), cover=(call,))
    assert steps_of(held)["trail"].price.value > steps_of(bare)["trail"].price.value
    assert call.symbol in steps_of(held)["trend_acceleration"].action
    put = option("long", 100.0, 2_400.0, call=False, expiry=NOW + 30 * 24 * HOUR_NS)
    other = plan_for(position(wallet_usd=1e6), situation(), cover=(put,))
    assert steps_of(other)["trail"].price == steps_of(bare)["trail"].price


def test_leverage_is_capped_lower_while_the_side_is_forced_out() -> None:
    verdict = SimpleNamespace(state="squeeze on", direction="up", because=[])
    plan = plan_for(position(), replace(situation(), verdict=verdict))
    caps = {cap.id: cap.max_leverage_x.value for cap in plan.caps.caps}
    assert caps["squeeze"] < caps["gap"]
    assert "squeeze" not in {cap.id for cap in plan_for(position("long"), situation()).caps.caps}


def test_two_positions_of_one_wallet_are_counted_together() -> None:
    price = last_close()
    pair = (
        position(wallet_usd=None), position("long", 300.0, wallet_usd=None, entry=price * 0.98),
    )  # fmt: skip
    held = Positions(
        positions=pair, balances=(Balance(venue="binance_usdm", currency="USDT", amount=1e5),)
    )
    within = accounts_of(held)[0]
    plan = plan_for(pair[0], situation(), within=within)
    assert tell_of(plan.margin, "equity") == pytest.approx(1e5 + 300.0 * 0.02 * price)
    alone = plan_for(position(wallet_usd=1e5), situation())
    assert tell_of(plan.margin, "liquidation") > tell_of(alone.margin, "liquidation")
    assert any("whole account (2 perpetuals)" in note for note in plan.margin.notes)


def with_top_tier(base, cap):
    """The situation with a stored table of one tier that ends at `cap`."""
    columns = {
        "ts": [NOW - HOUR_NS], "usable_from": [NOW - HOUR_NS], "tier": [1], "currency": ["USDT"],
        "notional_floor": [0.0], "notional_cap": [cap], "mmr": [0.01], "max_leverage": [50.0],
        "deduction": [0.0],
    }  # fmt: skip
    table = Observations("tier", {k: np.array(v) for k, v in columns.items()}, ("made",))
    [contract] = base.market.contracts
    contract = replace(contract, tables={**contract.tables, "tier": table})
    return replace(base, market=replace(base.market, contracts=(contract,)))


def test_a_size_above_the_top_tier_is_refused() -> None:
    with pytest.raises(MarginError, match="largest tier"):
        plan_for(position(), with_top_tier(situation(), 400 * last_close()))


def test_a_gap_that_outgrows_the_tiers_is_unknown_not_zero() -> None:
    plan = plan_for(position(), with_top_tier(situation(), 540 * last_close()))
    assert [gap.survives for gap in plan.gap_test.gaps] == [True, None, None]
    assert "outside the tiers" in plan.gap_test.gaps[2].maintenance.unknown


def test_a_position_from_the_future_or_of_another_coin_is_refused() -> None:
    with pytest.raises(BadInput, match="opened at"):
        plan_for(position(opened_at=NOW + MINUTE_NS), situation())
    with pytest.raises(BadInput, match="BTC, not ETH"):
        plan_for(position(symbol="BTCUSDT"), situation())


def test_the_push_to_liquidation_comes_from_the_scan() -> None:
    distance, absorb = np.array([0.0, 0.1, 0.3]), np.array([0.0, 1e7, 4e7])
    profile = Profile("book", distance, absorb, "a made book", 0.0 * absorb, 0.3, NOW)
    scan = SimpleNamespace(profile=profile, ignition_usd=[0.0, 1e8, 3e8])
    cascade = SimpleNamespace(price=last_close(), up=scan, down=scan)
    plan = plan_for(position(), replace(situation(), cascade=cascade))
    cost = steps_of(plan)["trim"].cost
    usd = (
        100.0 * last_close()
    )  # a straight 1e7 USD to 10 %: the mean fill lies half as far as the last
    assert cost.value == pytest.approx((5e-4 + 0.5 * 0.1 * usd / 1e7) * usd)
    assert "slippage through a made book, standing in for" in cost.source
    away = tell_of(plan.margin, "distance") / 100
    assert tell_of(plan.fuel, "ignition") == pytest.approx(1e9 * away)


def told(state, direction) -> Verdict:
    return Verdict(
        id="verdict", title="Verdict", state=state, direction=direction, since=None, other="quiet",
        because=["shorts pay"], would_change=[], path=[], missing=[], ahead=[], tells=[], refs=["M7"],
        implication="",
    )  # fmt: skip


def test_the_verdict_is_told_when_there_is_one() -> None:
    plan = plan_for(position(), replace(situation(), verdict=told("armed", "up")))
    assert "Verdict: armed, up: shorts pay." in plan.market.notes
    assert "forced out now" not in plan.answer


def test_a_squeeze_against_the_side_leads_the_answer_and_stops_adds() -> None:
    squeezed = replace(situation(), verdict=told("squeeze on", "up"))
    flushed = replace(situation(), verdict=told("squeeze on", "down"))
    assert (
        "squeeze on, up: shorts are being forced out now" in plan_for(position(), squeezed).answer
    )
    assert "forced out now" not in plan_for(position(), flushed).answer
    long = plan_for(position(side="long"), flushed)
    adds = next(play for play in long.plays if play.id == "adds")
    assert {step.state for step in adds.steps} == {"quiet"}
    assert all("squeeze on, down" in step.because[0] for step in adds.steps)


def test_staggered_exits_say_what_they_cost_when_the_stop_comes_first() -> None:
    plan = plan_for(position(), situation())
    staggered = next(play for play in plan.plays if play.id == "staggered")
    first, second, third = staggered.steps[:3]
    whole, entry = plan.position.size_coin, plan.position.entry_price
    assert sum(step.size_coin.value for step in (first, second, third)) == pytest.approx(whole)
    lost = first.size_coin.value * (first.price.value - entry)
    lost += (whole - first.size_coin.value) * (third.price.value - entry)
    assert f"{'loses' if lost > 0 else 'makes'} ${abs(lost):,.0f} (" in staggered.notes[0]


def test_the_same_inputs_give_the_same_plan() -> None:
    assert plan_for(position(), situation()) == plan_for(position(), situation())


@pytest.mark.fault("M02")
def test_a_contract_that_is_closed_to_new_positions_alerts_its_holder_and_adds_nothing() -> None:
    why = "the venue settles it: positions can only be closed"
    base = situation()
    [own] = base.market.contracts
    stamp = np.array([NOW - HOUR_NS], np.int64)
    listed = Observations(
        "listing", {"ts": stamp, "usable_from": stamp, "reason": np.array([why])}, ()
    )
    ending = replace(own, tables={**own.tables, "listing": listed})
    shut = replace(base, market=replace(base.market, contracts=(ending,)))
    held = position("long", margin="isolated")
    before, plan = plan_for(held, base), plan_for(held, shut)
    assert plan.answer.endswith(f" Alert: {why}.")
    assert "Alert" not in before.answer
    assert {play.id for play in before.plays} - {play.id for play in plan.plays} == {"bids", "adds"}
