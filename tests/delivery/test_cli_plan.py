"""`airpocket plan`: pages, Markdown and JSON of a position file, and the errors people meet."""

from pathlib import Path

import msgspec
import pytest

from airpocket.delivery.cli import main

ROOT = Path(__file__).resolve().parents[2]
POSITION = """
[[position]]
venue = "{venue}"
symbol = "ETHUSDT"
side = "{side}"
size_coin = 10
entry_price = 3500
opened_at = "{opened}"
margin_mode = "cross"
wallet_usd = 20_000
"""


@pytest.fixture(scope="module")
def store(demo):
    return str(demo / "store")


def written(folder, *, venue="binance_usdm", side="short", opened="2026-01-10T00:00Z", count=1):
    path = folder / "positions.toml"
    path.write_text(POSITION.format(venue=venue, side=side, opened=opened) * count)
    return str(path)


def test_the_page_of_a_simulated_position_says_so_and_answers_first(
    store, tmp_path, capsys
) -> None:
    capsys.readouterr()
    assert main(["plan", written(tmp_path), "--store", store]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "SIMULATED" in lines[0]
    assert lines[1].startswith("SHORT 10 ETH on binance_usdm, cross, mark ")
    assert max(map(len, lines)) <= 100


def test_json_and_markdown_hold_every_position_in_order(store, tmp_path, capsys) -> None:
    both = tmp_path / "both.toml"
    both.write_text("".join(
        POSITION.format(venue="binance_usdm", side=side, opened="2026-01-10T00:00Z")
        for side in ("long", "short")
    ))  # fmt: skip
    capsys.readouterr()
    pages = tmp_path / "plan.md"
    assert main(["plan", str(both), "--store", store, "--json", "--md", str(pages)]) == 0
    told = msgspec.json.decode(capsys.readouterr().out)
    assert [plan["position"]["side"] for plan in told["plans"]] == ["long", "short"]
    assert all(plan["simulated"] for plan in told["plans"])
    text = pages.read_text(encoding="utf-8")
    assert text.index("# LONG 10 ETH") < text.index("# SHORT 10 ETH")


def test_an_event_file_reaches_the_plan(store, tmp_path, capsys) -> None:
    events = tmp_path / "events.toml"
    events.write_text(
        '[[catalyst]]\ntime = "2026-01-14T00:00Z"\nknown_from = "2026-01-01T00:00Z"\n'
        'kind = "macro"\nname = "rate decision"\nconfidence = "certain"\n'
    )
    capsys.readouterr()
    command = ["plan", written(tmp_path), "--store", store, "--asof", "2026-01-12T00:00Z"]
    assert main([*command, "--catalysts", str(events), "--json"]) == 0
    [plan] = msgspec.json.decode(capsys.readouterr().out)["plans"]
    assert [event["name"] for event in plan["catalysts"]] == ["rate decision"]


@pytest.mark.parametrize(
    ("fields", "arguments", "status", "words"),
    [
        ({}, ["--asof", "2026-01-09T00:00Z"], 2, "positions.toml, position 1: binance_usdm:ETHUSDT: opened"),
        ({}, ["--asof", "noon"], 2, "--asof"),
        ({}, ["--asof", "2026-01-09T00:00"], 2, "time zone"),
        ({}, ["--catalysts", "/nonexistent.toml"], 2, "nonexistent.toml"),
        ({}, ["--store", "/nonexistent"], 4, "no store"),
        ({}, ["--md", "/nonexistent/x.md"], 2, "can't write"),
        ({"side": "sell"}, [], 2, "position 1, field 'side'"),
        ({"venue": "sim_spot"}, [], 2, "no perpetual"),
    ],
)  # fmt: skip
def test_errors_name_the_position_and_set_the_exit_status(
    store, tmp_path, capsys, fields, arguments, status, words
) -> None:
    command = ["plan", written(tmp_path, **fields), *arguments]
    if "--store" not in arguments:
        command += ["--store", store]
    assert main(command) == status
    assert words in capsys.readouterr().err


def test_a_venue_without_rules_is_said_in_the_answer(store, tmp_path, capsys) -> None:
    path = tmp_path / "other.toml"
    path.write_text(
        POSITION.format(venue="lighter", side="short", opened="2026-01-10T00:00Z").replace(
            "ETHUSDT", "ETH"
        )
    )
    capsys.readouterr()
    assert main(["plan", str(path), "--store", store]) == 0
    assert "margin is unknown (no margin rules of lighter" in " ".join(
        capsys.readouterr().out.split()
    )


def test_the_short_form_is_the_answer_and_the_steps(store, tmp_path, capsys) -> None:
    capsys.readouterr()
    assert main(["plan", written(tmp_path), "--store", store, "--short"]) == 0
    told = capsys.readouterr().out
    assert "WHAT TO DO" in told
    assert "MARGIN" not in told
    assert len(told.splitlines()) < 45


def test_stress_gives_a_page_a_picture_and_json(store, tmp_path, capsys) -> None:
    capsys.readouterr()
    picture = tmp_path / "stress.png"
    command = ["stress", written(tmp_path), "--store", store, "--png", str(picture)]
    assert main(command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "SIMULATED" in lines[0]
    assert any("GETTING OUT" in line for line in lines)
    assert max(map(len, lines)) <= 100
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert main([*command[:4], "--json"]) == 0
    (test,) = msgspec.json.decode(capsys.readouterr().out)["accounts"]
    assert test["simulated"]
    assert any(
        each["kind"] == "cascade" and each["liquidated"] is not None for each in test["outcomes"]
    )


def test_stress_of_what_can_not_be_valued_names_file_and_account(store, tmp_path, capsys) -> None:
    path = tmp_path / "odd.toml"
    path.write_text(POSITION.format(venue="binance_usdm", side="short", opened="2026-01-10T00:00Z")
                    + '[[balance]]\nvenue = "coinbase"\ncurrency = "PEPE"\namount = 5\n')  # fmt: skip
    assert main(["stress", str(path), "--store", store]) == 2
    assert "odd.toml: account coinbase: no price of PEPE" in capsys.readouterr().err


def test_a_whole_account_is_planned_on_its_balances(store, capsys) -> None:
    capsys.readouterr()
    account = ROOT / "examples" / "whole-account.toml"
    assert main(["plan", str(account), "--store", store]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "on the balances of deribit" in told
    assert "USD of contracts" in told
    assert "1 perpetual and 2 options" in told
    # upwards 60 coins and the contracts' gain cover 100 written calls at any price, with 7.5 to spare
    assert "the other way" not in told
    assert "the hedge: 100 ETH-27MAR26-3000-P pays beyond it" in told
