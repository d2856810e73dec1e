"""The measured past of the picture: each hour as it could be known then, and never more than was open."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from liquidations.accounts import KEY, NOW, PRICE, S, account, isolated, market, modelled

from airpocket.domain.accounts import Answers, answers_of, in_order, number_of
from airpocket.domain.units import HOUR_NS, MINUTE_NS
from airpocket.liquidations.accounts import AccountsState
from airpocket.liquidations.blend_past import with_past
from airpocket.liquidations.grid import bucket_of
from airpocket.liquidations.measured import Claims, layers_of, passed_since
from airpocket.liquidations.past import STALE_NS, held_through
from airpocket.liquidations.records import Heat, Part
from airpocket.market.bars import Bars

VENUE, SYMBOL = KEY.split(":")
ETH = number_of(VENUE, SYMBOL)
HOURS = NOW + HOUR_NS * np.arange(-47, 1, dtype=np.int64)


def walk(seed=0, step=10 * MINUTE_NS, hours=49):
    """Bars of ten minutes up to now, one in nine missing."""
    rng = np.random.default_rng(seed)
    n = int(hours * HOUR_NS // step)
    close = PRICE * np.exp(np.cumsum(0.004 * rng.standard_normal(n)))
    ts = NOW - step * np.arange(n, 0, -1, dtype=np.int64)
    values = np.full((7, n), np.nan)
    values[1], values[2], values[3] = close * 1.003, close * 0.997, close
    keep = rng.uniform(size=n) > 1 / 9
    return Bars(ts[keep], ts[keep] + step, values[:, keep])


ANSWERS = st.lists(
    st.tuples(
        st.integers(0, 4), st.floats(0.0, 47.0), st.sampled_from([-3.0, -1.0, 0.0, 2.0, 5.0]),
        st.floats(0.005, 0.08), st.booleans(),
    ),
    max_size=30,
)  # fmt: skip


def told(rows):
    """Answers of (account, hours ago, size, way of its price, whether in another contract)."""
    states = []
    for name, ago, size, way, elsewhere in rows:
        price = PRICE * (1.0 - np.sign(size) * way)
        symbol = "BTC" if elsewhere else SYMBOL
        held = [isolated(size, price, symbol=symbol)] if size else []
        states.append(account(f"a{name}", *held, age_h=ago))
    return in_order((answers_of(states),))


def plainly(answers, hour, bars):
    """What stood at `hour`: coin by side and bucket, and held by side, account by account."""
    then = bars.until(hour)
    coin, held = {}, [0.0, 0.0]
    for name in sorted(set(answers.account.tolist())):
        mine = (answers.account == name) & (answers.heard <= hour)
        if not mine.any():
            continue
        newest = answers.heard[mine].max()
        if hour - newest > STALE_NS:
            continue
        for at in np.flatnonzero(mine & (answers.heard == newest) & (answers.contract == ETH)):
            side = int(answers.size_coin[at] > 0)
            amount, price = abs(float(answers.size_coin[at])), float(answers.price[at])
            claim = Claims(*(np.array([each]) for each in (side, amount, price, int(newest))))
            if passed_since(claim, then)[0]:
                continue
            held[side] += amount
            place = side, bucket_of(price, S.width)
            coin[place] = coin.get(place, 0.0) + amount
    return coin, held


@given(ANSWERS, st.integers(0, 3))
def test_each_hour_holds_what_a_plain_reading_finds(rows, seed):
    # one answer of an account at a time, as venues give them
    rows = list({(row[0], row[1]): row for row in rows}.values())
    answers, bars = told(rows), walk(seed)
    found = held_through(answers, ETH, HOURS, bars, S)
    for t, hour in enumerate(HOURS):
        coin, held = plainly(answers, int(hour), bars)
        if found is None:
            assert held == [0.0, 0.0]
            continue
        assert found.held[:, t] == pytest.approx(held)
        for (side, bucket), amount in coin.items():
            assert found.coin[side, t, bucket - found.first] == pytest.approx(amount)
        assert found.coin[:, t].sum() == pytest.approx(sum(coin.values()))


@given(ANSWERS)
def test_what_was_heard_later_changes_no_earlier_hour(rows):
    answers, bars = told(rows), walk()
    cut = int(HOURS[30])
    known = answers.at(answers.heard <= cut)
    early, whole = (held_through(each, ETH, HOURS, bars, S) for each in (known, answers))
    if early is None:
        assert whole is None or not whole.held[:, :31].any()
        return
    assert np.array_equal(early.held[:, :31], whole.held[:, :31])
    assert early.coin[:, :31].sum(axis=2) == pytest.approx(whole.coin[:, :31].sum(axis=2))


def test_an_answer_heard_twice_counts_once_and_the_present_hour_is_the_exact_layer():
    states = [
        account("a", isolated(2.0, 2_800.0)),
        account("b", isolated(-3.0, 3_150.0), age_h=20.0),
    ]
    bars = market()
    (layer,) = layers_of(bars, states, [], S)
    answers = answers_of(states)
    twice = in_order((answers, answers))
    found = held_through(twice, ETH, HOURS, bars.contracts[0].base, S)
    assert found.held[:, -1].tolist() == [3.0, 2.0]
    assert found.coin[0, -1].sum() == layer.shorts.sum()
    for side, own in ((0, layer.shorts), (1, layer.longs)):
        now = found.coin[side, -1]
        assert np.array_equal(np.flatnonzero(now) + found.first, np.flatnonzero(own) + layer.first)
    assert not found.held[1, :-1].any()  # nobody knew of it before


def test_a_position_without_a_price_is_held_and_stands_nowhere():
    answers = answers_of([account("a", isolated(2.0, 100.0, told=False), age_h=3.5)])
    found = held_through(answers, ETH, HOURS, walk(), S)
    assert found.held[1].tolist() == [0.0] * 44 + [2.0] * 4
    assert found.coin.sum() == 0.0


def followed(short, long, interest):
    """A map of one contract with two days of picture in which every hour is alike."""
    found = modelled(short, long, interest=interest)
    past = Heat(HOURS, np.full(48, PRICE), np.tile(short, (48, 1)), np.tile(long, (48, 1)))
    (part,) = found.parts
    whole = Part(part.key, part.shorts, part.longs, past, np.full(48, interest))
    return replace(found, heat=past, parts=(whole,))


@given(ANSWERS, st.floats(0.5, 50.0))
def test_no_column_holds_more_than_was_open_and_hours_without_answers_are_the_model_s(
    rows, interest
):
    buckets = np.full(400, interest / 400)
    mapped = followed(buckets, buckets, interest)
    answers = told(rows)
    found = with_past(mapped, answers, market(interest=interest, closes=(PRICE,)), S).heat
    assert (found.shorts.sum(axis=1) <= interest * (1 + 1e-9)).all()
    assert (found.longs.sum(axis=1) <= interest * (1 + 1e-9)).all()
    assert ((found.exact_share >= 0.0) & (found.exact_share <= 1.0)).all()
    first = answers.heard.min() if len(answers.heard) else NOW + 1
    quiet = first > HOURS
    assert np.array_equal(found.shorts[quiet], mapped.heat.shorts[quiet])
    assert not found.exact_share[quiet].any()


def test_the_picture_s_past_has_what_accounts_held_then_and_says_which_columns():
    buckets = np.full(400, 0.25)
    mapped = followed(buckets, buckets, 100.0)
    state = AccountsState()
    state.hear([account("b", isolated(-20.0, 3_150.0), age_h=0.5)])
    state.recall([answers_of([account("b", isolated(-50.0, 3_150.0), age_h=10.0)])])
    found = state.blend(mapped, market(interest=100.0), S).heat
    first = bucket_of(PRICE, S.width) - 200
    at = bucket_of(3_150.0, S.width) - first
    assert np.array_equal(found.shorts[:37], mapped.heat.shorts[:37])
    assert found.shorts[40, at] == pytest.approx(50.0 + 0.5 * 0.25)
    assert found.shorts[47, at] == pytest.approx(20.0 + 0.8 * 0.25)
    assert found.longs[40] == pytest.approx(buckets)
    assert found.exact_share[[0, 40, 47]] == pytest.approx([0.0, 0.25, 0.1])
    assert (mapped.heat.provenance, found.provenance) == ("modelled", "mixed")


def test_recalling_again_takes_the_place_of_what_was_recalled():
    mapped = followed(np.full(400, 0.25), np.full(400, 0.25), 100.0)
    state = AccountsState()
    state.hear([account("b", isolated(-20.0, 3_150.0))])
    for size in (-50.0, -10.0):
        state.recall([answers_of([account("b", isolated(size, 3_150.0), age_h=10.0)])])
    found = state.blend(mapped, market(interest=100.0), S).heat
    assert found.exact_share[40] == pytest.approx(0.05)


def test_answers_keep_each_holding_of_each_account_and_flat_ones_too():
    flat = account("b")
    both = account("a", isolated(1.0, 2_000.0), isolated(-2.0, 90_000.0, symbol="BTC", told=False))
    found = answers_of([both, flat])
    assert isinstance(found, Answers)
    assert found.contract.tolist() == [ETH, number_of(VENUE, "BTC"), 0]
    assert found.account[0] == found.account[1] != found.account[2]
    assert found.size_coin.tolist() == [1.0, -2.0, 0.0]
    assert found.price.tolist()[0] == 2_000.0
    assert np.isnan(found.price[1:]).all()
