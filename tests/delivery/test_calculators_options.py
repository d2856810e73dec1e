"""Calculators of options: the published answers, one inside the other, and inputs that have none."""

import json
import math

import pytest

from airpocket.delivery.calculators.registry import answer, calculators
from airpocket.domain.errors import BadInput
from conftest import shared_root

SMILE = {"svi_a": 0.1, "svi_b": 0.1, "svi_m": 0.0, "svi_rho": 0.0, "svi_sigma": 0.1, "expiry_years": 1.0,
         "scan_log_moneyness": [-1.0, 1.0], "scan_step": 0.01}  # fmt: skip
CASE = {"option_type": "call", "strike": 60.0, "spot": 55.0, "dividend_yield_per_year": 0.02,
        "rate_per_year": 0.1, "expiry_years": 0.75, "vol_per_sqrt_year": 0.3}  # fmt: skip


def cases():
    root = shared_root()
    if root is None:
        return []
    return json.loads((root / "oracles" / "options.json").read_text())


@pytest.mark.real
@pytest.mark.parametrize(
    "case", [c for c in cases() if c["function"] in calculators()], ids=lambda case: case["id"]
)
def test_the_answer_is_the_published_one(case):
    said = answer(case["function"], case["inputs"])
    for name, want in case["expected"].items():
        if want is None or isinstance(want, bool):
            assert said[name] == want
        else:
            limits = case["tolerance"]
            assert said[name] == pytest.approx(
                want, abs=limits.get("abs", 0.0), rel=limits.get("rel", 0.0)
            )


@pytest.mark.real
def test_every_function_of_the_list_is_there():
    root = shared_root()
    if root is None:
        pytest.skip("no recorded data beside the checkout")
    told = {c["function"] for c in cases()} & set(
        (root / "oracles" / "CALCULATORS.md").read_text().split("`")
    )
    tests_only = {
        "fx_delta", "implied_vol_round_trip", "option_premium", "otm_amount", "sabr_lognormal_vol",
        "svi_jump_wings", "svi_repair", "svi_total_variance", "vol_shock_range", "vol_shocked",
    }  # fmt: skip
    assert told - tests_only <= set(calculators())


def test_a_spot_without_yield_and_rate_is_its_own_forward():
    plain = CASE | {"dividend_yield_per_year": 0.0, "rate_per_year": 0.0}
    forward = {"option_type": "call", "forward": 55.0, "strike": 60.0, "rate_per_year": 0.0,
               "vol_per_sqrt_year": 0.3, "expiry_years": 0.75}  # fmt: skip
    price = answer("generalised_black_scholes", plain)["price"]
    assert price == answer("black76", forward)["price"]
    back = {k: v for k, v in forward.items() if k != "vol_per_sqrt_year"} | {"price": price}
    assert answer("implied_vol", back)["vol_per_sqrt_year"] == pytest.approx(0.3, rel=1e-12)


def test_theta_a_day_is_a_year_s_over_its_days():
    said = answer("option_theta", CASE | {"days_per_year": 252.0})
    assert said["theta_per_day"] == pytest.approx(said["theta_per_year"] / 252.0)
    assert answer("option_theta", CASE)["theta_per_day"] == pytest.approx(
        said["theta_per_year"] / 365.0
    )


def test_an_option_settled_in_coin_pays_the_coin_that_its_intrinsic_value_buys():
    paid = answer("inverse_option_payoff", {"option_type": "put", "position_contracts": 2.0,
                  "strike_usd": 3_000.0, "settlement_price_usd": 2_400.0, "premium_coin": 0.01})  # fmt: skip
    worth = answer("inverse_option_intrinsic", {"option_type": "put", "strike_usd": 3_000.0,
                   "underlying_price_usd": 2_400.0})  # fmt: skip
    assert paid["payoff_coin_per_contract"] == worth["mark_coin"] == 0.25
    assert paid["pnl_coin"] == pytest.approx(2.0 * 0.24)


@pytest.mark.parametrize(
    ("name", "inputs", "words"),
    [
        ("implied_vol", {"option_type": "call", "forward": 100.0, "strike": 90.0, "expiry_years": 0.5,
                         "rate_per_year": 0.0, "price": 9.0}, "above the discounted intrinsic value 10"),
        ("implied_vol", {"option_type": "call", "forward": 100.0, "strike": 90.0, "expiry_years": 0.0,
                         "rate_per_year": 0.0, "price": 11.0}, "expiry_years"),
        ("option_delta", CASE | {"option_type": "straddle"}, "option_type"),
        ("option_delta", CASE | {"expiry_years": -0.1}, "expiry_years"),
        ("option_delta", CASE | {"vol_per_sqrt_year": math.nan}, "vol_per_sqrt_year"),
        ("svi_butterfly", SMILE | {"svi_a": -1.0}, "below zero"),
        ("svi_butterfly", SMILE | {"scan_log_moneyness": [1.0, -1.0]}, "the lower first"),
        ("svi_butterfly", SMILE | {"scan_step": 1e-9}, "scan_step"),
    ],
)  # fmt: skip
def test_what_has_no_answer_says_which_input(name, inputs, words):
    with pytest.raises(BadInput, match=words):
        answer(name, inputs)
