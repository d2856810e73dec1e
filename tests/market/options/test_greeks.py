"""Black-76: against closed forms by a second route, parity, differences, and both sorts of contract."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.market.options.elementary import exponential, logarithm
from airpocket.market.options.greeks import greeks, spot_greeks
from airpocket.market.options.normal import mills

FORWARD = st.floats(10.0, 1e5)
MONEYNESS = st.floats(-1.5, 1.5)
YEARS = st.floats(1e-3, 3.0)
VOL = st.floats(0.05, 3.0)


def normal(x):
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


@given(st.floats(0.0, 26.0))
def test_the_tail_over_the_density_is_that_of_the_c_library(x):
    density = math.exp(-x * x / 2.0) / math.sqrt(2.0 * math.pi)
    assert mills(x) * density == pytest.approx(normal(-x), rel=2e-13)


def test_the_tail_over_the_density_far_out_is_its_asymptotic_series():
    for x in (1e2, 1e4, 1e8):
        assert mills(x) == pytest.approx((1.0 - 1.0 / x**2 + 3.0 / x**4) / x, rel=1e-10)


@given(FORWARD, MONEYNESS, YEARS, VOL, st.booleans())
def test_a_price_is_that_of_the_textbook(forward, k, years, vol, call):
    strike, root = forward * math.exp(k), vol * math.sqrt(years)
    d1 = -k / root + root / 2.0
    sign = 1.0 if call else -1.0
    want = sign * (forward * normal(sign * d1) - strike * normal(sign * (d1 - root)))
    assert float(greeks(call, forward, strike, years, vol).price) == pytest.approx(
        want, abs=1e-11 * max(forward, strike)
    )


@given(FORWARD, MONEYNESS, YEARS, VOL, st.floats(-0.05, 0.2))
def test_call_less_put_is_the_forward_less_the_strike(forward, k, years, vol, rate):
    strike, discount = forward * math.exp(k), math.exp(-rate * years)
    call, put = (greeks(each, forward, strike, years, vol, rate) for each in (True, False))
    assert float(call.price - put.price) == pytest.approx(
        discount * (forward - strike), abs=1e-10 * max(forward, strike)
    )
    assert float(call.delta - put.delta) == pytest.approx(discount, rel=1e-12)
    assert float(call.gamma) == float(put.gamma)
    assert float(call.vega) == float(put.vega)


@given(FORWARD, st.floats(-0.8, 0.8), st.floats(0.05, 2.0), st.floats(0.3, 1.5), st.booleans())
def test_greeks_are_the_differences_of_prices(forward, k, years, vol, call):
    strike, rate = forward * math.exp(k), 0.03

    def price(f=forward, t=years, v=vol, r=rate):
        return float(greeks(call, f, strike, t, v, r).price)

    found = greeks(call, forward, strike, years, vol, rate)
    h = 1e-4 * forward
    near = 1e-5 * forward
    assert float(found.delta) == pytest.approx(
        (price(f=forward + h) - price(f=forward - h)) / (2 * h), abs=1e-5
    )
    second = (price(f=forward + 10 * h) - 2 * price() + price(f=forward - 10 * h)) / (100 * h * h)
    assert float(found.gamma) * forward == pytest.approx(second * forward, abs=1e-3, rel=1e-3)
    assert float(found.vega) == pytest.approx(
        (price(v=vol + 1e-5) - price(v=vol - 1e-5)) / 2e-5, abs=near
    )
    assert float(found.theta) == pytest.approx(
        -(price(t=years + 1e-6) - price(t=years - 1e-6)) / 2e-6, abs=10 * near
    )
    assert float(found.rho) == pytest.approx(
        (price(r=rate + 1e-5) - price(r=rate - 1e-5)) / 2e-5, abs=near
    )


@given(FORWARD, MONEYNESS, YEARS, VOL, st.booleans())
def test_who_counts_in_coin_hedges_the_change_of_the_price_in_coin(forward, k, years, vol, call):
    """P&L in coin of an option and −Δ forwards, each settled in coin: d(V/F)/dF × F² = F Δ − V."""
    strike = forward * math.exp(k)
    found = greeks(call, forward, strike, years, vol)
    assert float(found.delta_coin) == pytest.approx(
        float(found.delta - found.price / forward), abs=1e-12
    )


def test_at_expiry_and_without_volatility_the_intrinsic_value_is_left():
    for years, vol in ((0.0, 0.8), (0.5, 0.0), (0.5, 1e-300)):
        found = greeks([True, True, False, False], 100.0, [90.0, 110.0, 90.0, 110.0], years, vol)
        assert found.price.tolist() == pytest.approx([10.0, 0.0, 0.0, 10.0], abs=1e-12)
        assert found.delta.tolist() == [1.0, 0.0, 0.0, -1.0]
        assert found.gamma.tolist() == [0.0] * 4
        assert float(greeks(True, 100.0, 100.0, years, vol).price) == 0.0


def test_arguments_broadcast():
    strikes = np.array([2_500.0, 3_000.0, 3_500.0])
    found = greeks(True, 3_000.0, strikes, np.array([[0.1], [0.5]]), 0.7)
    assert found.price.shape == (2, 3)
    assert float(found.price[1, 2]) == float(greeks(True, 3_000.0, 3_500.0, 0.5, 0.7).price)


@pytest.mark.parametrize(
    ("given_", "named"),
    [((True, -1.0, 1.0, 1.0, 1.0), "forward"), ((True, 1.0, 0.0, 1.0, 1.0), "strike"),
     ((True, 1.0, 1.0, -1e-9, 1.0), "years"), ((True, 1.0, 1.0, 1.0, float("nan")), "volatility"),
     ((True, 1.0, 1.0, 1.0, 1.0, float("inf")), "rate")],
)  # fmt: skip
def test_what_can_not_be_is_refused_by_name(given_, named):
    with pytest.raises(ValueError, match=named):
        greeks(*given_)


@given(
    st.floats(50.0, 150.0),
    st.floats(0.1, 2.0),
    st.floats(0.1, 1.0),
    st.floats(0, 0.1),
    st.booleans(),
)
def test_seen_from_the_spot_the_black_scholes_equation_holds(spot, years, vol, yields, call):
    """θ + ½σ²S²Γ + (r − q) S Δ = r V (Black and Scholes 1973)."""
    rate = 0.06
    found = spot_greeks(call, spot, 100.0, years, vol, rate, yields)
    left = found.theta + 0.5 * vol**2 * spot**2 * found.gamma + (rate - yields) * spot * found.delta
    assert left == pytest.approx(rate * found.price, abs=1e-9)


@given(st.floats(-708.0, 709.0))
def test_the_exponential_is_that_of_the_c_library_to_the_last_place(x):
    assert abs(exponential(x) - math.exp(x)) <= 1.01 * math.ulp(math.exp(x))


@given(st.floats(1e-300, 1e300), st.floats(0.5, 2.0))
def test_the_logarithm_is_that_of_the_c_library_to_the_last_place(wide, near):
    for x in (wide, near):
        assert abs(logarithm(x) - math.log(x)) <= 1.01 * math.ulp(math.log(x))
    assert logarithm(1.0) == 0.0


@given(st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_an_option_is_worth_the_same_wherever_it_stands(count, seed):
    """Blocks are filled up, and a short last one is not another computation."""
    rng = np.random.default_rng(seed)
    strikes, vols = 3_000.0 * np.exp(rng.normal(0.0, 0.5, count)), rng.uniform(0.0, 2.0, count)
    together = greeks(True, 3_000.0, strikes, 0.2, vols, 0.05)
    row = int(rng.integers(count))
    alone = greeks(True, 3_000.0, strikes[row], 0.2, vols[row], 0.05)
    assert [float(each[row]) for each in together] == [float(each) for each in alone]


def test_without_options_there_are_no_figures():
    assert greeks(True, 3_000.0, np.empty((0, 3)), 0.1, 0.7).gamma.shape == (0, 3)
