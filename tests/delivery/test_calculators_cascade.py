"""Calculators of cascade and levels: shapes that follow the input, and what is refused."""

import pytest

from airpocket.delivery.calculators import cascade, levels
from airpocket.domain.errors import BadInput

LADDER = {"absorb_cumulative_usd_m": [0, 10, 20], "forced_cumulative_usd_m": [0, 2, 5]}
ALL = {**cascade.CALCULATORS, **levels.CALCULATORS}


def test_the_stop_has_the_shape_of_the_push():
    one = cascade.static_scan(**LADDER, push_usd_m=8)
    many = cascade.static_scan(**LADDER, push_usd_m=[8])
    assert (one["stop_index"], one["stopped_inside_grid"]) == (1, True)
    assert (many["stop_index"], many["stopped_inside_grid"]) == ([1], [True])
    assert cascade.static_scan(**LADDER, push_usd_m=[])["stop_index"] == []


def test_a_runaway_has_no_peak_and_no_time():
    found = cascade.overshoot_peak(reproduction_number=1.5, kappa_tau=0.04)
    assert found == {
        "runaway": True, "peak_multiplier": None, "time_to_peak_tau": None, "growth": True,
        "runaway_threshold": pytest.approx(1.44),
    }  # fmt: skip


def test_a_path_that_never_moves_has_no_correlation():
    found = levels.hayashi_yoshida(x_times=[0, 1], x_values=[1, 1], y_times=[0, 1], y_values=[0, 1])
    assert found == {"covariance": 0.0, "correlation": None}


def test_growing_by_pairs_of_rows_compares_pairs():
    rows = {"price": [1, 2, 3, 4, 5, 6], "volume": [5, 6, 10, 2, 2, 1]}
    pairs = levels.value_area(**rows, share_fraction=0.8, rule="two_row")
    assert (pairs["value_area_low"], pairs["value_area_high"]) == (1, 3)
    assert pairs["value_area_volume"] == 21


def test_pressure_is_answered_per_change_and_in_all():
    found = levels.order_flow_imbalance(
        bid_price=[100, 100, 101], bid_size=[5, 7, 2], ask_price=[102, 102, 102], ask_size=[4, 1, 1]
    )
    assert found == {"ofi": [5.0, 2.0], "sum": 7.0}


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("static_scan", {**LADDER, "push_usd_m": -1}),
        ("static_scan", {"absorb_cumulative_usd_m": [0, 2, 1], "forced_cumulative_usd_m": [0, 0, 0],
                         "push_usd_m": 1}),
        ("amplification", {"reproduction_number": 1.0}),
        ("overshoot_peak", {"reproduction_number": 0.5, "kappa_tau": -0.1}),
        ("runaway_threshold", {"kappa_tau": float("nan")}),
        ("next_generation_matrix", {"fuel_usd_bn_per_log_price": [1, 1],
                                    "impact_log_price_per_usd_bn": [1, 1],
                                    "pass_through": [[1, 0], [1]]}),
        ("sqrt_impact", {"y_coefficient": 0.8, "daily_vol_fraction": 0.03, "daily_volume_usd": 0,
                         "order_usd": 1}),
        ("r_slow", {"y_coefficient": 0.8, "daily_vol_fraction": 0.03, "daily_volume_usd": 1e9,
                    "fuel_usd_per_unit_move": 1e9, "move_fraction": 0}),
        ("value_area", {"price": [1, 2], "volume": [1]}),
        ("value_area", {"price": [2, 1], "volume": [1, 1]}),
        ("value_area", {"price": [1, 2], "volume": [0, 0]}),
        ("value_area", {"price": [1, 2], "volume": [1, 1], "rule": "three_rows"}),
        ("fibonacci_level", {"low_usd": 3, "high_usd": 2, "ratio": 0.5}),
        ("order_flow_imbalance", {"bid_price": [2, 2], "bid_size": [1, 1], "ask_price": [2, 3],
                                  "ask_size": [1, 1]}),
    ],
)  # fmt: skip
def test_an_impossible_input_is_refused_with_a_reason(name, inputs):
    with pytest.raises(BadInput, match=r"\w+"):
        ALL[name](**inputs)
