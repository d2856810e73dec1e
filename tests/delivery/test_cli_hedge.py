"""`airpocket hedge`: page, picture and JSON of the stored chain and of a file, and the errors people meet."""

import json
from pathlib import Path

import jsonschema
import pytest

from airpocket.delivery.cli import main
from airpocket.delivery.demonstration import history
from airpocket.ingest.lake import Lake

ROOT = Path(__file__).resolve().parents[2]
ASOF = "2026-01-15T11:00Z"
POSITION = """
[[position]]
venue = "binance_usdm"
symbol = "ETHUSDT"
side = "{side}"
size_coin = 50
entry_price = 3500
opened_at = "2026-01-10T00:00Z"
margin_mode = "cross"
wallet_usd = 25_000
"""
CHAIN = """instrument_name,bid_price,ask_price,underlying_price,bid_size,ask_size
ETH-6FEB26-3800-C,0.0180,0.0190,3620,30,30
ETH-6FEB26-3900-C,0.0140,0.0150,3620,200,200
ETH-6FEB26-4300-C,0.0030,0.0035,3620,500,500
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The simulated history under the venues' own names, without the recorded minutes that follow it."""
    folder = tmp_path_factory.mktemp("hedge") / "store"
    Lake(folder).write(history())
    return str(folder)


def written(folder, *sides):
    path = folder / "positions.toml"
    path.write_text("".join(POSITION.format(side=side) for side in sides or ("short",)))
    return str(path)


def test_the_stored_chain_is_hedged_with_and_drawn(store, tmp_path, capsys):
    picture, page = tmp_path / "hedge.png", tmp_path / "hedge.md"
    command = ["hedge", written(tmp_path), "--store", store, "--asof", ASOF]
    assert main([*command, "--png", str(picture), "--md", str(page)]) == 0
    told = capsys.readouterr().out
    lines = told.splitlines()
    assert "SIMULATED" in lines[0]
    assert max(map(len, lines)) <= 100
    flat = " ".join(told.split())
    assert "options of deribit" in flat
    assert "The sizes behind them are not told" in flat
    assert "14 calm days" in flat
    assert "days of nothing" in flat
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert page.read_text(encoding="utf-8").count("SIMULATED")


def test_json_of_both_sides_is_what_its_schema_says(store, tmp_path, capsys):
    path = written(tmp_path, "short", "long")
    assert main(["hedge", path, "--store", store, "--asof", ASOF, "--hold", "8d", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    schema = json.loads((ROOT / "src/airpocket/brief/hedge.schema.json").read_text())
    jsonschema.validate(told, schema)
    assert [each["position"]["side"] for each in told["hedges"]] == ["short", "long"]
    for sheet in told["hedges"]:
        assert sheet["hold_d"] == 8.0
        assert sheet["simulated"]
        assert (sheet["no_paths"] is None) == any(each["minutes"] > 0.0 for each in sheet["paths"])
        for hedge in sheet["hedges"]:
            if hedge["unknown"] is None and hedge["id"] in ("ladder", "spread", "collar", "free"):
                assert all(leg["days"] >= 8.0 for leg in hedge["legs"])


def test_a_chain_of_one_s_own_stands_in_and_its_sizes_bound_the_legs(store, tmp_path, capsys):
    chain = tmp_path / "chain.csv"
    chain.write_text(CHAIN)
    command = [
        "hedge",
        written(tmp_path),
        "--store",
        store,
        "--asof",
        ASOF,
        "--chain",
        str(chain),
        "--json",
    ]
    assert main(command) == 0
    (sheet,) = json.loads(capsys.readouterr().out)["hedges"]
    assert sheet["chain"]["options"] == sheet["chain"]["sized"] == 3
    legs = [leg for hedge in sheet["hedges"] for leg in hedge["legs"]]
    assert any(leg["name"] == "ETH-6FEB26-3800-C" for leg in legs)
    assert all(leg["size"]["value"] <= 30.0 for leg in legs if leg["name"] == "ETH-6FEB26-3800-C")


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--hold", "fortnight"], 2, "--hold fortnight"),
        (["--hold", "1h"], 2, "between 1 and 90 days"),
        (["--gap", "lots"], 2, "--gap lots"),
        (["--legs", "0"], 2, "--legs 0"),
        (["--chain", "/nonexistent.csv"], 2, "no such file"),
        (["--asof", "noon"], 2, "--asof"),
        (["--store", "/nonexistent"], 4, "no store"),
    ],
)
def test_errors_name_the_flag_and_set_the_exit_status(
    store, tmp_path, capsys, arguments, status, words
):
    command = ["hedge", written(tmp_path), *arguments]
    if "--store" not in arguments:
        command += ["--store", store]
    assert main(command) == status
    assert words in capsys.readouterr().err


def test_two_perpetuals_on_one_margin_need_both_coins_prices(store, tmp_path, capsys):
    both = tmp_path / "both.toml"
    shared = POSITION.format(side="short").replace("wallet_usd = 25_000\n", "")
    btc = shared.replace("ETHUSDT", "BTCUSDT").replace("3500", "90_000").replace("= 50", "= 0.5")
    both.write_text(
        shared + btc + '[[balance]]\nvenue = "binance_usdm"\ncurrency = "USDT"\namount = 60_000\n'
    )
    assert main(["hedge", str(both), "--store", store, "--asof", ASOF]) == 4
    assert "BTC" in capsys.readouterr().err
