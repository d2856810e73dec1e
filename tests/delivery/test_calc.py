"""The command `calc`: flags, JSON lines, help, and inputs that can't be answered."""

import io
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from airpocket.delivery.calculators.registry import answer, calculators
from airpocket.delivery.cli import main
from airpocket.domain.errors import BadInput
from conftest import shared_root

ROOT = Path(__file__).resolve().parents[2]
SHORT = {
    "venue": "binance_usdm", "margin_mode": "isolated", "side": "short", "entry_price_usd": 3_000.0,
    "quantity_coin": 10.0, "leverage_x": 20.0, "mmr_fraction": 0.004,
}  # fmt: skip
INVERSE = {
    "venue": "binance_coinm", "margin_mode": "isolated", "side": "long", "entry_price_usd": 3_000.0,
    "quantity_usd": 30_000.0, "leverage_x": 5.0, "mmr_fraction": 0.005,
}  # fmt: skip


def price(inputs, name="liquidation_price"):
    return answer(name, inputs)[f"{name.removesuffix('_tiers')}_usd"]


def run(capsys, *words):
    status = main(["calc", *words])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_flags_with_hyphens_underscores_and_equals_signs(capsys):
    status, out, _ = run(
        capsys, "liquidation_price", "--venue", "binance_usdm", "--margin_mode=isolated", "--side", "short",
        "--entry-price-usd", "3000", "--quantity_coin=10", "--leverage-x", "20", "--mmr-fraction", "0.004",
    )  # fmt: skip
    assert status == 0
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["liquidation_price_usd", "3137.450199", "USD"]
    assert lines[1] == ["assigned_margin_usd", "1500", "USD"]


def test_a_negative_number_is_a_value_and_not_a_flag(capsys):
    status, out, _ = run(
        capsys, "funding_rate_damped", "--premium-fraction", "-0.001", "--damper-fraction", "0.00025",
        "--json",
    )  # fmt: skip
    assert (status, json.loads(out)["funding_fraction"]) == (0, pytest.approx(-0.00075))


@pytest.mark.parametrize(
    "floors", [("--floor-usd", "0,50000"), ("--floor-usd", "0", "--floor-usd", "50000")]
)
def test_lists_come_with_commas_or_repeated_and_tables_as_json(capsys, floors):
    status, out, _ = run(
        capsys, "maintenance_amounts", *floors, "--mmr-fraction", "[0.004, 0.005]", "--json"
    )
    assert (status, json.loads(out)) == (0, {"maintenance_amount_usd": [0.0, 50.0]})


def test_a_price_that_does_not_exist_is_none(capsys):
    words = [f"--{k}={v}" for k, v in (SHORT | {"side": "long", "leverage_x": 1.0}).items()]
    status, out, _ = run(capsys, "liquidation_price", *words)
    assert status == 0
    assert out.splitlines()[0].split() == ["liquidation_price_usd", "none", "USD"]


@pytest.mark.parametrize("words", [("liquidation_distance",), ("liquidation_distance", "--help")])
def test_without_inputs_a_function_says_what_it_takes(capsys, words):
    status, out, _ = run(capsys, *words)
    assert status == 0
    assert "Usage: airpocket calc liquidation_distance" in out
    assert "--leverage-x" in out
    assert "number above 0" in out
    assert "long, short" in out


def test_the_list_has_every_function_with_its_inputs(capsys):
    status, out, _ = run(capsys, "--list")
    assert status == 0
    for name, entry in calculators().items():
        assert f"\n{name}\n" in f"\n{out}"
        assert entry.about
        for field in entry.fields:
            assert field.name in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nonsense",), "no calculator is called 'nonsense'"),
        (("liquidation_distance", "--side"), "--side needs a value"),
        (("liquidation_distance", "short"), "'short' is no flag"),
        (("liquidation_distance", "--json=yes"), "--json takes no value"),
        (("liquidation_distance", "--side", "short", "--size", "3"), "unknown field `size`"),
        (("liquidation_distance", "--side", "short"), "missing required field `leverage_x`"),
        (("liquidation_distance", "--jsonl", "--side", "short"), "--jsonl takes its inputs"),
        (("maintenance_amounts", "--floor-usd", "[0,"), "--floor-usd is not JSON"),
        (
            ("funding_rate_damped", "--premium-fraction", "nan", "--damper-fraction", "0"),
            "premium_fraction must be a finite number",
        ),
    ],
)
def test_a_flag_that_cannot_be_used_is_named(capsys, words, said):
    status, out, err = run(capsys, *words)
    assert (status, out) == (2, "")
    assert said in err


def lines_of(capsys, monkeypatch, name, *lines):
    stdin = io.TextIOWrapper(io.BytesIO(b"\n".join(lines) + b"\n"))
    monkeypatch.setattr(sys, "stdin", stdin)
    status, out, _ = run(capsys, name, "--jsonl")
    return status, [json.loads(line) for line in out.splitlines()]


def test_bad_lines_say_why_and_the_others_are_answered(capsys, monkeypatch):
    good = json.dumps({"side": "short", "leverage_x": 10, "mmr_fraction": 0.005}).encode()
    bad = [
        b"{", b"[1]", b"3", b"\xff", b'{"side": "short"}', good.replace(b"10", b"0"),
        good.replace(b"10", b"NaN"), good.replace(b"10", b"1e999"), good.replace(b"10", b'"10"'),
        good.replace(b"10", b"true"), good.replace(b'"side"', b'"sides"'),
    ]  # fmt: skip
    status, answers = lines_of(capsys, monkeypatch, "liquidation_distance", good, *bad, b"", good)
    assert status == 1
    assert answers[0] == answers[-1] == {"distance_fraction": pytest.approx(0.09452736318407962)}
    assert [list(one) for one in answers[1:-1]] == [["error"]] * len(bad)
    assert "leverage_x" in answers[6]["error"]


def test_good_lines_alone_end_well(capsys, monkeypatch):
    line = json.dumps(SHORT).encode()
    status, answers = lines_of(capsys, monkeypatch, "liquidation_price", line, line)
    assert status == 0
    assert answers[0]["liquidation_price_usd"] == pytest.approx(3137.4501992032)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"quantity_coin": -1.0}, "quantity_coin"),
        ({"quantity_coin": None}, "quantity_coin is missing"),
        ({"leverage_x": 0.0}, "leverage_x"),
        ({"leverage_x": None}, "leverage_x is missing"),
        ({"mmr_fraction": 1.0}, "mmr_fraction"),
        ({"mmr_fraction": -0.1}, "mmr_fraction"),
        ({"mmr_fraction": None}, "mmr_fraction is missing"),
        ({"entry_price_usd": 0.0}, "entry_price_usd"),
        ({"entry_price_usd": math.inf}, "entry_price_usd must be a finite number"),
        ({"side": "up"}, "side"),
        ({"venue": "nowhere"}, "venue 'nowhere' is not known"),
        ({"contract": "inverse"}, "contract 'inverse': binance_usdm has linear contracts"),
        ({"margin_mode": "cross"}, "wallet_balance_usd is missing"),
        ({"margin_mode": "portfolio"}, "margin_mode"),
        ({"max_leverage_x": 50.0, "mmr_fraction": None}, "on hyperliquid only"),
        ({"venue": "okx_linear"}, "taker_fee_fraction is missing"),
        (
            {"maintenance_amount_usd": 1.0, "maintenance_deduction_usd": 2.0},
            "are one thing; give one",
        ),
        (
            {"margin_mode": "cross", "wallet_balance_usd": 0.0,
             "other_positions_maintenance_usd": 40_000.0},
            "at no price does this collateral cover",
        ),
    ],
)  # fmt: skip
def test_what_a_liquidation_price_needs_is_named(change, said):
    with pytest.raises(BadInput, match=said):
        price({k: v for k, v in (SHORT | change).items() if v is not None})


def test_inverse_contracts_want_their_amounts_in_coin():
    cum = INVERSE | {"maintenance_amount_usd": 5.0}
    with pytest.raises(BadInput, match="counts its amounts in coin"):
        price(cum)
    with pytest.raises(BadInput, match="margin is coin"):
        price(INVERSE | {"extra_margin_usd": 5.0})
    with pytest.raises(BadInput, match="quantity_usd is missing"):
        price({k: v for k, v in INVERSE.items() if k != "quantity_usd"})


@pytest.mark.parametrize("venue", ["binance_coinm", "bitmex", "deribit", "kraken_futures"])
def test_coin_margined_venues_share_the_inverse_kernel(venue):
    # Binance's printed form, contract value 1: (q m + q) / (wallet + q/e)
    wallet = 30_000.0 / 3_000.0 / 5.0
    expected = 30_000.0 * 1.005 / (wallet + 30_000.0 / 3_000.0)
    assert price(INVERSE | {"venue": venue}) == pytest.approx(expected)
    fully = INVERSE | {"venue": venue, "side": "short", "leverage_x": 1.0}
    assert price(fully) is None


def test_okx_counts_the_fee_of_the_close_in_both_contracts():
    okx = INVERSE | {"venue": "okx_inverse", "taker_fee_fraction": 0.0005}
    margin = 10.0 / 5.0
    assert price(okx) == pytest.approx(1.0055 / (1 / 3_000.0 + margin / 30_000.0))
    short = okx | {"side": "short"}
    assert price(short) == pytest.approx((1 - 0.0055) / (1 / 3_000.0 - margin / 30_000.0))


def test_ticks_round_against_the_holder():
    exact = price(SHORT)
    assert price(SHORT | {"price_tick_usd": 0.5}) == math.floor(exact * 2) / 2
    long = SHORT | {"side": "long"}
    assert price(long | {"price_tick_usd": 0.5}) == math.ceil(price(long) * 2) / 2


def test_cross_counts_the_other_positions_and_isolated_does_not():
    others = {"other_positions_maintenance_usd": 200.0, "other_positions_unrealised_usd": -300.0}
    cross = SHORT | {"margin_mode": "cross", "wallet_balance_usd": 2_000.0}
    assert price(cross | others) == pytest.approx(price(cross | {"wallet_balance_usd": 1_500.0}))
    assert price(SHORT | others) == price(SHORT)


def test_a_tier_table_without_amounts_is_made_continuous():
    tiers = {"floor_usd": [0, 30_000], "mmr_fraction": [0.004, 0.01]}
    inputs = {k: v for k, v in SHORT.items() if k != "mmr_fraction"} | {"tiers": tiers}
    found = answer("liquidation_price_tiers", inputs)
    assert found["mmr_fraction_at_liquidation"] == 0.01
    assert found["mmr_fraction_at_entry"] == 0.004
    whole = tiers | {"maintenance_amount_usd": [0, 180]}
    assert answer("liquidation_price_tiers", inputs | {"tiers": whole}) == found
    with pytest.raises(BadInput, match="tier 2: deduction"):
        price(
            inputs | {"tiers": tiers | {"maintenance_amount_usd": [0, 100]}},
            "liquidation_price_tiers",
        )
    with pytest.raises(BadInput, match="maintenance_amounts"):
        price(
            inputs | {"tiers": tiers | {"maintenance_amounts": [0, 180]}}, "liquidation_price_tiers"
        )


def test_premiums_come_from_mark_and_index_where_these_are_given():
    found = answer(
        "funding_rate_damped",
        {"mark_price_usd": 101.0, "index_price_usd": 100.0, "damper_fraction": 0.00025},
    )
    assert found["premium_fraction"] == pytest.approx(0.01)
    assert found["funding_fraction"] == pytest.approx(0.00975)
    with pytest.raises(BadInput, match="belong together"):
        answer("funding_rate_damped", {"mark_price_usd": 1.0, "damper_fraction": 0.1})
    with pytest.raises(BadInput, match="premium_fraction is missing"):
        answer("funding_rate_damped", {"damper_fraction": 0.1})


@pytest.mark.parametrize("words", [["--help"], []])
def test_the_help_of_calc_loads_nothing_heavy(words):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "airpocket", "calc", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "airpocket calc FUNCTION" in done.stdout
    loaded = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert "airpocket.delivery.cli" in loaded  # the listing was read rightly
    assert loaded.isdisjoint({"numpy", "polars", "numba", "duckdb"})


def oracle_cases():
    root = shared_root()
    if root is None:
        return []
    files = ("margin", "funding_mark", "cascade", "microstructure_levels")
    found = [
        case for f in files for case in json.loads((root / "oracles" / f"{f}.json").read_text())
    ]
    return [case for case in found if case["function"] in calculators()]


@pytest.mark.real
@pytest.mark.usefixtures("shared")
def test_every_known_answer_comes_through_the_command_as_json_lines(capsys, monkeypatch):
    by_name = {}
    for case in oracle_cases():
        by_name.setdefault(case["function"], []).append(case)
    assert len(by_name) >= 20
    for name, cases in by_name.items():
        lines = [json.dumps(case["inputs"]).encode() for case in cases]
        status, answers = lines_of(capsys, monkeypatch, name, *lines)
        assert status == 0
        for case, got in zip(cases, answers, strict=True):
            for key, want in case["expected"].items():
                allowed = {k: v for k, v in case["tolerance"].items() if k in ("abs", "rel")}
                if isinstance(want, bool | str) or want is None:
                    assert got[key] == want, case["id"]
                else:
                    assert got[key] == pytest.approx(want, **({"abs": 0, "rel": 0} | allowed)), (
                        case["id"]
                    )
