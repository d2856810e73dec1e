"""Leverage caps against the kernel, funding rules and mark prices against their own definitions."""

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.domain.errors import MarginError
from airpocket.domain.units import parse_time
from airpocket.margin import caps, funding, mark
from airpocket.margin.bundled import schedules_of
from airpocket.margin.kernel import Leg, liquidation, liquidation_at_rate
from airpocket.margin.rules import FundingRule, rules_in_force

ETH = schedules_of("binance_usdm", "ETHUSDT", parse_time("2025-01-01T00:00Z"))[-1]
sides = st.sampled_from(["long", "short"])


@given(sides, st.floats(0.001, 0.9), st.floats(0.0, 0.2))
def test_the_distance_cap_is_the_leverage_the_kernel_agrees_with(side, distance, mmr):
    leverage = caps.leverage_cap_distance(side, distance, mmr)
    found = liquidation_at_rate(Leg("linear", side, 1.0, 100.0, 100.0 / leverage), mmr)
    assert abs(found.price / 100.0 - 1.0) == pytest.approx(distance, rel=1e-9)
    assert caps.liquidation_distance(side, leverage, mmr) == pytest.approx(distance, rel=1e-9)


@given(sides, st.floats(0.001, 0.9), st.floats(0.0, 5.0), st.floats(0.0, 0.05))
def test_after_the_gap_exactly_the_buffer_is_left(side, gap, buffer, mmr):
    leverage = caps.leverage_cap_gap(side, gap, buffer, mmr)
    price = 100.0 * (1 + gap if side == "short" else 1 - gap)
    leg = Leg("linear", side, 1.0, 100.0, 100.0 / leverage)
    assert leg.equity(price) == pytest.approx(buffer * mmr * price, abs=1e-9)


@given(sides, st.floats(1e3, 9e8))
def test_with_tiers_both_rules_hold_exactly_at_their_own_prices(side, notional):
    cap = caps.caps_with_tiers(side, notional, ETH, distance=0.1, gap=0.15, buffer=3.0)
    size = notional / 3_000.0
    kept = liquidation(Leg("linear", side, size, 3_000.0, notional / cap.distance_x), ETH)
    away = 1.1 if side == "short" else 0.9
    assert kept.price == pytest.approx(3_000.0 * away, rel=1e-9)
    after = 3_000.0 * (1.15 if side == "short" else 0.85)
    leg = Leg("linear", side, size, 3_000.0, notional / cap.gap_x)
    need = 3.0 * ETH.maintenance(size * after)
    assert leg.equity(after) == pytest.approx(need, rel=1e-9)
    assert cap.leverage_x == min(cap.distance_x, cap.gap_x, cap.venue_x)


def test_the_binding_rule_is_named():
    small = caps.caps_with_tiers("short", 3e4, ETH, distance=0.1, gap=0.15, buffer=3.0)
    assert small.binding == "gap and buffer"
    large = caps.caps_with_tiers("short", 3.5e8, ETH, distance=0.01, gap=0.01, buffer=0.0)
    assert (large.binding, large.leverage_x) == ("venue limit", 4.0)
    near = caps.caps_with_tiers("long", 3e4, ETH, distance=0.2, gap=0.01, buffer=1.0)
    assert near.binding == "liquidation distance"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: caps.liquidation_distance("short", 0.0, 0.01), "leverage must be positive, not 0"),
        (lambda: caps.leverage_cap_distance("short", 0.1, 1.0), "rate must lie between 0 and 1"),
        (lambda: caps.leverage_cap_distance("long", 1.0, 0.1), "distance of a long .* not 1"),
        (lambda: caps.leverage_cap_gap("short", -0.1, 2.0, 0.01), "gap of a short .* not -0.1"),
        (lambda: caps.leverage_cap_gap("short", 0.1, -2.0, 0.01), "buffer must not be negative"),
        (lambda: caps.leverage_cap_gap("short", 0.0, 0.0, 0.01), "caps nothing"),
        (lambda: caps.leverage_cap_gap("flat", 0.1, 2.0, 0.01), "side must be long or short"),
        (
            lambda: caps.caps_with_tiers("long", 0.0, ETH, distance=0.1, gap=0.1, buffer=2.0),
            "notional must be positive, not 0",
        ),
    ],
)
def test_impossible_rules_are_refused(call, said):
    with pytest.raises(MarginError, match=said):
        call()


@given(st.floats(-0.1, 0.1), st.sampled_from([1.0, 4.0, 8.0]))
def test_the_clamp_holds_the_rate_between_premium_and_interest(premium, hours):
    rate = funding.clamped_rate(premium, 1e-4, 5e-4, hours) * 8.0 / hours
    if abs(premium - 1e-4) <= 5e-4:
        assert rate == pytest.approx(1e-4, abs=1e-15)
    else:
        assert abs(rate - premium) == pytest.approx(5e-4)
        assert abs(rate - 1e-4) < abs(premium - 1e-4)


@given(st.floats(-0.1, 0.1))
def test_the_damper_takes_its_width_off_and_no_more(premium):
    expected = math.copysign(max(abs(premium) - 2.5e-4, 0.0), premium)
    assert funding.damped_rate(premium, 2.5e-4) == pytest.approx(expected, abs=1e-15)


def test_a_venues_rule_makes_its_rate_with_its_cap():
    at = parse_time("2026-01-01T00:00Z")
    hyperliquid = rules_in_force("hyperliquid", "ETH", at).funding
    assert funding.funding_rate(hyperliquid, 0.0) == pytest.approx(1e-4 / 8)
    assert funding.funding_rate(hyperliquid, 0.5) == 0.04
    assert funding.funding_rate(hyperliquid, -0.5) == -0.04
    assert funding.funding_rate(rules_in_force("deribit", "ETH-PERPETUAL", at).funding, 1e-3) == (
        pytest.approx(7.5e-4)
    )
    binance = rules_in_force("binance_usdm", "ETHUSDT", at).funding
    assert funding.funding_rate(binance, 0.01, interval_h=4.0) == pytest.approx(0.00475)
    assert funding.funding_rate(FundingRule(1.0), 0.01) is None


@pytest.mark.parametrize(
    ("bid", "ask", "expected"), [(102.0, 103.0, 0.02), (97.0, 98.0, -0.02), (99.0, 101.0, 0.0)]
)
def test_hyperliquids_premium_is_what_the_impact_prices_leave_the_oracle_by(bid, ask, expected):
    assert funding.impact_premium(bid, ask, 100.0) == pytest.approx(expected)


@pytest.mark.parametrize("payoff", ["linear", "inverse"])
@pytest.mark.parametrize("on", ["previous", "current"])
def test_a_fair_perpetual_earns_nothing(payoff, on):
    terms = funding.PerpetualTerms(0.04, 0.02, 0.01, 0.005, 0.25, payoff, on)
    spot, price = 10_000.0, funding.fair_price(10_000.0, terms)
    if payoff == "linear":
        drift, s, f = math.exp((0.04 - 0.02) * 0.25), spot, price
    else:
        drift, s, f = math.exp((0.02 - 0.04) * 0.25), 1 / spot, 1 / price
    paid_on = drift if on == "current" else 1.0
    assert f * drift - f == pytest.approx((0.01 * (f - s) + 0.005 * s) * paid_on, rel=1e-9)


def test_short_intervals_of_funding_approach_the_continuous_price():
    step = 1e-6
    fine = funding.PerpetualTerms(0.04, 0.02, 0.2 * step, 0.005 * step, step)
    whole = funding.PerpetualTerms(0.04, 0.02, 0.2, 0.005)
    assert funding.fair_price(1e4, fine) == pytest.approx(funding.fair_price(1e4, whole), rel=1e-5)


def test_binances_mark_is_the_middle_of_three_with_the_window_of_its_date():
    one = mark.price_one(3_000.0, 1e-4, 8.0, 8.0)
    two = mark.price_two(3_000.0, [2.0, 4.0])
    assert (one, two) == (pytest.approx(3_000.3), 3_003.0)
    assert mark.median_mark(one, two, 2_990.0) == one
    assert mark.median_mark(one, two, 3_100.0) == two
    windows = [
        mark.basis_window("median_of_three", parse_time(day))
        for day in ("2025-09-17T00:00Z", "2025-09-18T00:00Z")
    ]
    assert [w.samples * w.spacing_s for w in windows] == [60.0, 30.0]


def test_bybits_mark_follows_its_contract_over_five_minutes():
    """A contract jumps 1 % over a still index: only after half of the window does price 2 see half of it."""
    rules = rules_in_force("bybit_linear", "ETHUSDT", parse_time("2025-01-01T00:00Z"))
    window = mark.basis_window(rules.mark, parse_time("2025-01-01T00:00Z"))
    samples = [0.0] * window.samples
    one = mark.price_one(3_000.0, 1e-4, 4.0, 8.0)
    seen = []
    for _ in range(window.samples):
        samples = [*samples[1:], 30.0]
        seen.append(mark.median_mark(one, mark.price_two(3_000.0, samples), 3_030.0))
    assert seen[149] == pytest.approx(3_015.0)
    assert seen[-1] == pytest.approx(3_030.0)
    assert mark.basis_lag_s(rules.mark, parse_time("2025-01-01T00:00Z")) == 150.0
    assert mark.basis_window(rules.mark, parse_time("2024-01-01T00:00Z")) is None
    inverse = rules_in_force("bybit_inverse", "ETHUSD", parse_time("2026-02-01T00:00Z"))
    assert inverse.mark == rules.mark


def test_okxs_mark_is_the_index_and_a_mean_basis_over_an_unknown_window():
    for symbol in ("ETH-USDT-SWAP", "ETH-USD-SWAP"):
        rules = rules_in_force("okx", symbol, parse_time("2026-02-01T00:00Z"))
        assert rules.mark == "index_mean_basis"
    assert mark.basis_lag_s(rules.mark, parse_time("2026-02-01T00:00Z")) is None


@given(st.lists(st.floats(1.0, 1e5), min_size=1, max_size=50), st.floats(0.1, 100.0))
def test_the_ema_is_the_weighted_mean_with_weights_fading_by_age(samples, spacing):
    ages = [spacing * (len(samples) - 1 - k) for k in range(len(samples))]
    weights = [math.exp(-age / 150.0) for age in ages]
    expected = sum(w * x for w, x in zip(weights, samples, strict=True)) / sum(weights)
    assert mark.ema_of(samples, spacing, 150.0) == pytest.approx(expected, rel=1e-9)


def test_an_ema_without_samples_is_unknown():
    assert mark.ema_of([], 3.0, 150.0) is None


@given(st.dictionaries(st.sampled_from(sorted(mark.HYPERLIQUID_WEIGHTS)), st.floats(90.0, 110.0)))
def test_hyperliquids_mark_is_the_median_of_its_parts(outside):
    got = mark.hyperliquid_mark(100.0, 0.5, (99.0, 101.0, 100.0), outside)
    repeated = [p for name, p in outside.items() for _ in range(mark.HYPERLIQUID_WEIGHTS[name])]
    parts = [100.5, 100.0, *([statistics.median(repeated)] if repeated else [])]
    assert got == pytest.approx(statistics.median(parts))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: mark.price_one(0.0, 0.0, 1.0, 8.0), "index must be positive, not 0"),
        (lambda: mark.price_one(1.0, 0.0, 9.0, 8.0), "between 0 and 8, not 9"),
        (lambda: mark.funding_basis(0.0, 0.0, 0.0), "interval must be positive, not 0 hours"),
        (lambda: mark.price_two(1.0, []), "at least one sample"),
        (lambda: mark.Ema(0.0), "time constant must be positive"),
        (lambda: mark.Ema(1.0).add(1.0, 0.0), "spacing must be positive"),
        (lambda: funding.clamped_rate(0.0, 0.0, -1.0, 8.0), "clamp must not be negative"),
        (
            lambda: funding.clamped_rate(0.0, 0.0, 1.0, 0.0),
            "funding interval must be positive, not 0 h",
        ),
        (lambda: funding.damped_rate(0.0, -1.0), "damper must not be negative"),
        (lambda: funding.impact_premium(1.0, 1.0, 0.0), "oracle price must be positive"),
        (lambda: funding.oracle_of_payment(1.0, 0.0, 1.0), "must not be zero"),
        (
            lambda: funding.fair_price(1.0, funding.PerpetualTerms(0.0, 0.0, 1.0, 0.0, 0.0)),
            "interval must be positive",
        ),
        (
            lambda: funding.fair_price(1.0, funding.PerpetualTerms(0.5, 0.0, 0.1, 0.0)),
            "no positive price",
        ),
    ],
)
def test_impossible_marks_and_rates_are_refused(call, said):
    with pytest.raises(MarginError, match=said):
        call()
