"""What a desk asks of a plan: named instruments, exits in thin books, orders to send, no contradictions."""

from dataclasses import replace

import numpy as np
import pytest
from msgspec import json, structs
from playbook.accounts_made import option
from playbook.situations import (
    NOW,
    last_close,
    play_of,
    position,
    situation,
    steps_of,
    volatile,
    with_figures,
)

from airpocket.brief import plan_json, plan_page, stress_json
from airpocket.cascade.records import Profile
from airpocket.domain.estimates import known, unknown
from airpocket.domain.instruments import instrument
from airpocket.domain.portfolio import accounts_of
from airpocket.domain.positions import Balance, Positions
from airpocket.domain.units import DAY_NS, HOUR_NS
from airpocket.market.options.greeks import greeks
from airpocket.market.state import Contract, Observations
from airpocket.playbook import plan as planning
from airpocket.playbook.hedging.candidates import option_name
from airpocket.playbook.hedging.sketch import Flat, flat_of, sketch
from airpocket.playbook.plan import plan_for
from airpocket.playbook.stress.run import stress_of
from airpocket.verdict.records import Verdict

EXPIRY = NOW + 20 * DAY_NS


def charted(base):
    """The situation with a chain of two expiries, quoted 3 % around a flat volatility of 70 %."""
    price = last_close()
    strikes = np.round(price / 100.0) * 100.0 + np.arange(-900.0, 1_500.0, 100.0)
    rows = [
        (at, k, call)
        for at in (NOW + 5 * DAY_NS, EXPIRY)
        for k in strikes.tolist()
        for call in (True, False)
    ]
    expiry, strike = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    call = np.array([r[2] for r in rows])
    worth = greeks(call, price, strike, (expiry - NOW) / (365 * DAY_NS), 0.7).price / price
    stamp, flat = np.full(len(rows), NOW - HOUR_NS), np.full(len(rows), price)
    names = [option_name("ETH", int(e), k, call=c) for e, k, c in rows]
    columns = {
        "ts": stamp, "usable_from": stamp, "instrument": np.array(names), "expiry": expiry, "strike": strike,
        "option_type": np.where(call, "call", "put"), "underlying_price": flat, "index_price": flat,
        "bid": 0.97 * worth, "ask": 1.03 * worth, "open_interest": np.full(len(rows), 10.0),
    }  # fmt: skip
    table = Observations("option_quote", columns, ("made",))
    chain = Contract(instrument("deribit", "ETH-OPTIONS"), tables={"option_quote": table})
    return replace(base, market=replace(base.market, contracts=(*base.market.contracts, chain)))


@pytest.fixture(scope="module")
def with_chain():
    return charted(situation())


@pytest.fixture(scope="module")
def plan(with_chain):
    return plan_for(position(), with_chain)


def test_rows_name_the_options_of_the_chain_at_executable_prices(plan) -> None:
    step = steps_of(plan)["funding_spike"]
    assert step.legs
    quotes = {leg.name: leg for leg in step.legs}
    assert all(name.startswith("ETH-") and name.endswith("-C") for name in quotes)
    for leg in step.legs:
        assert (
            f"{leg.side} {leg.size.value:,.0f} × {leg.name} at {leg.price_coin:.4f} coin"
            in step.action
        )
        price, strike = last_close(), float(leg.name.split("-")[2])
        worth = greeks(True, price, strike, leg.days / 365.0, 0.7).price
        wide = 1.03 if leg.side == "buy" else 0.97
        assert leg.price.value == pytest.approx(wide * worth, rel=1e-7)
    bought = sum(leg.size.value for leg in step.legs if leg.side == "buy")
    assert bought >= sum(leg.size.value for leg in step.legs if leg.side == "sell")


def test_a_hedge_is_a_limit_order_that_lapses_with_its_quotes(plan) -> None:
    hedges = play_of(plan, "hedges").steps
    assert hedges
    for step in hedges:
        assert step.legs
        assert (step.order, step.side, step.expires_at) == ("limit", None, NOW + HOUR_NS)
    kinds = [tuple((leg.name, leg.size.value) for leg in step.legs) for step in hedges]
    assert len(set(kinds)) == len(kinds)  # the same trade is not told twice


def test_a_held_hedge_is_rolled_by_name_with_what_that_costs(with_chain) -> None:
    strike = round(last_close() / 100.0) * 100.0 + 200.0
    held = option(
        "long", 100.0, strike, expiry=EXPIRY, symbol=option_name("ETH", EXPIRY, strike, call=True)
    )
    step = steps_of(plan_for(position(), with_chain, cover=(held,)))["implied_jump"]
    assert step.legs[0].side == "sell"
    assert step.legs[0].name == held.symbol
    assert step.action.startswith(f"roll: sell 100 × {held.symbol} at ")
    assert "add nothing uncovered" in step.action


def test_funding_discipline_names_what_could_be_held_instead(with_chain, plan) -> None:
    assert "-P at " in steps_of(plan)["funding_discipline"].action
    long = plan_for(position("long", margin="isolated"), with_chain)
    assert "-C at " in steps_of(long)["funding_discipline"].action


def test_without_a_chain_hedges_are_a_sketch_and_no_order() -> None:
    sketched = plan_for(position(), volatile())
    hedges = play_of(sketched, "hedges").steps
    assert hedges
    for step in (*hedges, steps_of(sketched)["funding_spike"]):
        assert step.legs == []
        assert "sketch" in step.title or "sketch" in step.action
    assert all(step.order == "none" for step in hedges)
    assert any("nothing of this is quoted" in note for note in play_of(sketched, "hedges").notes)
    bare = play_of(plan_for(position(), situation()), "hedges").steps
    assert [step.state for step in bare] == ["unknown"]


def test_a_sketch_is_black_around_the_flat_volatility_on_fridays() -> None:
    found = sketch(Flat(0.7, "stated"), 3_000.0, NOW)
    quoted = ~np.isnan(found.bid)
    assert (found.bid <= found.ask)[quoted].all()
    assert (found.ask >= 0.3).all()  # a ten thousandth of a coin
    assert (found.days >= 1.0).all()
    middle = greeks(found.call, found.forward, found.strike, found.days / 365.0, 0.7).price
    assert ((found.bid <= middle) & (middle <= found.ask))[quoted].all()
    near = np.abs(found.strike / 3_000.0 - 1.0) < 0.1
    assert (found.bid < found.ask)[near & (found.days > 5.0)].all()
    assert {int(each) // HOUR_NS % (24 * 7) for each in found.expiry} == {
        24 + 8
    }  # the epoch was a Thursday
    said = known(60.0, "% a year", as_of=NOW, now=NOW, source="made")
    none = unknown("% a year", "not here")
    assert flat_of(0.8, said, said).volatility == 0.8
    assert flat_of(None, said, none).volatility == flat_of(None, none, said).volatility == 0.6
    assert "volatility_percent" in flat_of(None, none, none)


def booked(base, usd_per_percent):
    """The situation with a straight book of so much on either side."""
    distance = np.linspace(0.0, 0.3, 61)
    profile = Profile(
        "book",
        distance,
        distance * 100.0 * usd_per_percent,
        "a made book",
        0.0 * distance,
        0.3,
        NOW,
    )
    return replace(base, cascade=_Scan(last_close(), profile))


class _Scan:
    """As much of a cascade as a walk looks at."""

    def __init__(self, price, profile):
        self.price = price
        self.up = self.down = type(
            "Side", (), {"profile": profile, "ignition_usd": profile.absorb_usd}
        )()


def test_exits_are_walked_through_thinned_books_as_the_stress_test_walks_them() -> None:
    base, held = booked(situation(), 1e6), position()
    thin = plan_for(held, base).thin_books
    assert [row.step for row in thin.rows][-1] in ("price_invalidation", "trail")
    stop = next(row for row in thin.rows if row.step == "hard_stop")
    assert stop.size_coin.value == 500.0  # all that could be left, not the last third
    first = next(row for row in thin.rows if row.step == "first_extension")
    usd, fee = first.size_coin.value * first.price.value, 5e-4
    for each in first.exits:
        # a straight book: the mean fill lies half as far as the last
        depth = 1e8 * (1.0 - each.gone_percent / 100.0)
        if each.works:
            assert each.cost.value == pytest.approx(fee * usd + 0.5 * usd * usd / depth, rel=1e-9)
    costs = [each.cost.value for each in first.exits if each.works]
    assert costs == sorted(costs)


def test_an_exit_that_fails_in_a_thin_book_is_said_so() -> None:
    plan = plan_for(position(margin="isolated", leverage_x=20.0), booked(situation(), 1e6))
    failed = [each for row in plan.thin_books.rows for each in row.exits if each.works is False]
    assert failed
    assert "exits fail" in plan.thin_books.notes[0]
    page = next(part for part in plan_page.parts(plan) if part.id == "thin")
    assert any("FAILS" in str(cell) for row in page.blocks[0].rows for cell in row)


def test_without_any_orders_thin_books_are_unknown() -> None:
    assert plan_for(position(), situation()).thin_books.unknown == "no scan in this test"


def test_orders_say_which_way_and_that_they_only_close() -> None:
    short, long = (steps_of(plan_for(position(side), situation())) for side in ("short", "long"))
    assert (short["hard_stop"].side, short["hard_stop"].reduce_only, short["hard_stop"].rest) == (
        "buy",
        True,
        True,
    )
    assert (short["momentum"].side, short["momentum"].rest) == ("buy", False)
    assert (short["re_entry"].side, short["re_entry"].reduce_only) == ("sell", False)
    assert (long["stop"].side, long["stop"].rest) == ("sell", True)
    for step in (*short.values(), *long.values()):
        assert (step.side is None) == (step.order == "none")
    small = steps_of(plan_for(position("long", 10.0), situation()))  # leaves room for bids
    bids = [step for name, step in small.items() if name.startswith("bid_")]
    assert len(bids) == 3
    assert all(step.side == "buy" and not step.reduce_only for step in bids)


def test_a_trail_beyond_the_stop_is_no_order_yet() -> None:
    trail = steps_of(plan_for(position(), situation()))["trail"]
    stop = steps_of(plan_for(position(), situation()))["hard_stop"]
    in_force = trail.price.value < stop.price.value
    assert trail.state == ("waiting" if in_force else "quiet")
    assert any("not in force" in each for each in trail.because) is not in_force


def test_the_first_sentence_does_not_contradict_the_leverage_rules() -> None:
    against = Verdict(
        id="verdict", title="Verdict", state="squeeze on", direction="down", since=None, other="quiet",
        because=["longs sell"], would_change=[], path=[], missing=[], ahead=[], tells=[], refs=["M7"],
        implication="",
    )  # fmt: skip
    held = position("long", margin="isolated", leverage_x=5.0)
    plan = plan_for(held, replace(situation(), verdict=against))
    assert plan.caps.kept is False
    assert f"close {plan.caps.cut_coin.value:,.10g} ETH" in plan.answer
    calm = plan_for(held, situation())
    assert calm.caps.kept is True
    assert "above the cap" not in calm.answer


def test_a_short_is_not_sold_again_while_shorts_are_forced_out() -> None:
    against = Verdict(
        id="verdict", title="Verdict", state="squeeze on", direction="up", since=None, other="quiet",
        because=["shorts buy"], would_change=[], path=[], missing=[], ahead=[], tells=[], refs=["M7"],
        implication="",
    )  # fmt: skip
    step = steps_of(plan_for(position(), replace(situation(), verdict=against)))["re_entry"]
    assert step.state in ("quiet", "unknown")


def test_a_firing_row_says_by_which_figure() -> None:
    step = steps_of(plan_for(position(), with_figures(situation(), rv_rank=95.0)))[
        "volatility_exit"
    ]
    assert step.state == "firing"
    assert "95 (extreme at 90 %)" in step.because[0]


def test_plans_and_stress_tests_keep_their_schemas(with_chain, plan) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    held = Positions(positions=(position(),))
    tests = stress_of(held, {"ETH": volatile()}, {})
    long = plan_for(position("long", margin="isolated"), with_chain)
    none = plan_for(position(), situation(now=NOW + 3 * HOUR_NS))
    for schema, text in (
        (plan_json.schema(), plan_json.render([plan, long, none])),
        (stress_json.schema(), stress_json.render(tests)),
    ):
        checker = jsonschema.Draft202012Validator(json.decode(schema))
        checker.check_schema(checker.schema)
        checker.validate(json.decode(text))
        told = json.decode(text)
        next(iter(told.values()))[0]["unheard"] = 1
        with pytest.raises(jsonschema.ValidationError):
            checker.validate(told)


def test_the_committed_schemas_are_current() -> None:
    from pathlib import Path

    folder = Path(plan_page.__file__).parent
    assert (folder / "plan.schema.json").read_bytes() == plan_json.schema()
    assert (folder / "stress.schema.json").read_bytes() == stress_json.schema()


def test_spot_beside_the_position_counts_where_its_hedge_is_sized(with_chain) -> None:
    held = position("long", margin="isolated")
    coins = Balance(venue="binance_spot", currency="ETH", amount=300.0)
    file = Positions(positions=(held,), balances=(coins,))
    within = accounts_of(file)[0]
    alone, beside = (
        planning.plan_for(held, with_chain, within=within, beside=each) for each in (None, file)
    )
    sizes = [
        sum(leg.size.value for leg in steps_of(each)["hedge_ladder"].legs)
        for each in (alone, beside)
    ]
    assert sizes[1] > sizes[0]
    assert structs.replace(alone, plays=[]) == structs.replace(beside, plays=[])
