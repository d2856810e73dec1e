"""Every published and closed-form answer on margin, funding and mark prices, through small adapters."""

import json

import numpy as np
import pytest

from airpocket.delivery.calculators.registry import answer
from airpocket.margin.bundled import hyperliquid_mmr
from airpocket.margin.funding import PerpetualTerms, fair_price, oracle_of_payment
from airpocket.margin.tiers import TierTable, deductions, table_from
from conftest import shared_root

pytestmark = pytest.mark.real


def cases():
    root = shared_root()
    if root is None:
        return []
    files = ("margin.json", "funding_mark.json")
    return [case for f in files for case in json.loads((root / "oracles" / f).read_text())]


def close(got, want, tolerance):
    if isinstance(want, list):
        return len(got) == len(want) and all(
            close(g, w, tolerance) for g, w in zip(got, want, strict=True)
        )
    if want is None or isinstance(want, bool | str):
        return got == want
    allowed = tolerance.get("abs", tolerance.get("rel", 0) * abs(want))
    return got is not None and abs(got - want) <= allowed


def calculator(name):
    return lambda inputs: answer(name, inputs)


def maintenance_amount_step(inputs):
    rates = [inputs["previous_mmr_fraction"], inputs["mmr_fraction"]]
    step = deductions([0.0, inputs["tier_floor"]], rates)[1]
    return {"maintenance_amount": inputs["previous_maintenance_amount"] + step}


def tier_lookup(inputs):
    tiers = inputs["tiers"]
    rows = {
        "floor": tiers["floor_usd"],
        "mmr": tiers["mmr_fraction"],
        "deduction": tiers["maintenance_amount_usd"],
    }
    mmr, deduction = table_from("x", "y", 0, "case", rows).rate_at(inputs["notional_usd"])
    return {"mmr_fraction": mmr, "maintenance_amount_usd": deduction}


def maintenance_rate(inputs):
    return {"mmr_fraction": hyperliquid_mmr(inputs["max_leverage_x"])}


def funding_payment_oracle(inputs):
    rate = inputs["hourly_funding_fraction"]
    price = oracle_of_payment(inputs["payment_usd"], inputs["size_coin"], rate)
    return {"oracle_price_usd": price}


def perpetual_fair_price(inputs):
    continuous = inputs["funding_spot"] == "continuous"
    per = "year" if continuous else "interval"
    terms = PerpetualTerms(
        inputs["rate_per_year"],
        inputs["carry_yield_per_year"],
        inputs[f"funding_weight_per_{per}"],
        inputs[f"interest_factor_per_{per}"],
        inputs.get("funding_interval_years"),
        inputs["payoff"],
        "current" if inputs["funding_spot"] == "current" else "previous",
    )
    return {"price_usd": fair_price(inputs["spot_usd"], terms)}


def tier_table_continuity(inputs):
    import polars as pl

    frame = pl.read_parquet(shared_root() / inputs["file"])
    names = ("floor", "cap", "mmr", "maintenance_amount")
    columns = [inputs[f"{name}_column"] for name in names]
    found = dict.fromkeys(("symbols", "rows", "boundaries"), 0)
    found |= dict.fromkeys(("amount_breaks", "floor_gaps", "rates_not_increasing"), 0)
    for (symbol,), part in frame.sort(columns[0]).partition_by("symbol", as_dict=True).items():
        floor, cap, mmr, amount = (part[name].to_numpy().astype(float) for name in columns)
        unknown = np.full(len(part), np.nan)
        TierTable("binance_usdm", symbol, 0, "file", "USDT", floor, cap, mmr, amount, unknown)
        found["symbols"] += 1
        found["rows"] += len(part)
        found["boundaries"] += len(part) - 1
        gap = np.abs(amount - deductions(floor, mmr))
        allowed = inputs["relative_gap_allowed"] * np.maximum(np.abs(amount), 1.0)
        found["amount_breaks"] += int((gap > allowed).sum())
        found["floor_gaps"] += int((floor[1:] != cap[:-1]).sum())
        found["rates_not_increasing"] += int((np.diff(mmr) <= 0).sum())
    return found


ADAPTERS = {
    name: calculator(name)
    for name in (
        "liquidation_price", "liquidation_price_tiers", "bankruptcy_price", "maintenance_and_pnl",
        "maintenance_amounts", "margin_requirement", "initial_margin", "tier_deduction",
        "leverage_cap_distance", "leverage_cap_gap", "liquidation_distance", "funding_rate_clamped",
        "funding_rate_damped", "mark_price_from_funding", "mark_ema",
    )
} | {
    "maintenance_amount_step": maintenance_amount_step,
    "tier_lookup": tier_lookup,
    "maintenance_rate": maintenance_rate,
    "funding_payment_oracle": funding_payment_oracle,
    "perpetual_fair_price": perpetual_fair_price,
    "tier_table_continuity": tier_table_continuity,
}  # fmt: skip


@pytest.mark.usefixtures("shared")
def test_the_files_are_whole():
    assert len(cases()) == 94


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["id"])
def test_the_known_answer_comes_out(case):
    got = ADAPTERS[case["function"]](case["inputs"])
    for name, want in case["expected"].items():
        assert close(got[name], want, case["tolerance"]), (name, got[name], want)
