"""`airpocket map` and `airpocket cascade`: one section each, with the picture, and clear refusals."""

import json
from pathlib import Path

import pytest

from airpocket.delivery.cli import main
from airpocket.delivery.demonstration import demo_store


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sections")
    demo_store(folder)
    return folder


def test_the_map_shows_risk_clusters_and_what_it_rests_on(store, capsys):
    assert main(["map", "ETH", "--store", str(store)]) == 0
    shown = capsys.readouterr().out
    assert "SIMULATED" in shown
    for wanted in (
        "AT RISK",
        "LIQUIDATION MAP",
        "Made from",
        "binance_usdm:ETHUSDT",
        "no liquidation print",
    ):
        assert wanted in shown
    assert "ROADMAP" not in shown


def test_the_heatmap_is_written_as_a_picture_of_its_own(store, tmp_path, capsys):
    picture = tmp_path / "heat.svg"
    assert main(["map", "ETH", "--store", str(store), "--svg", str(picture)]) == 0
    text = picture.read_text(encoding="utf-8")
    assert text.startswith("<svg ")
    assert "SIMULATED" in text
    assert "data:image/png;base64," in text
    assert f"wrote {picture}" in capsys.readouterr().err


def test_sections_as_json_hold_only_themselves(store, capsys):
    main(["cascade", "ETH", "--store", str(store), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"schema", "asset", "as_of", "cascade", "simulated"}
    assert found["simulated"] is True
    assert {way["direction"] for way in found["cascade"]["ways"]} == {"up", "down"}
    main(["map", "ETH", "--store", str(store), "--json"])
    assert set(json.loads(capsys.readouterr().out)) == {
        "schema",
        "asset",
        "as_of",
        "at_risk",
        "map",
        "simulated",
    }


def test_a_moment_that_cannot_be_read_is_refused(store, capsys):
    assert main(["cascade", "ETH", "--store", str(store), "--asof", "noon"]) == 2
    assert "--asof" in capsys.readouterr().err


def test_no_picture_without_a_map(store, tmp_path, capsys):
    picture = tmp_path / "none.svg"
    asked = [
        "map",
        "ETH",
        "--store",
        str(store),
        "--asof",
        "2025-06-09T12:00Z",
        "--svg",
        str(picture),
    ]
    assert main(asked) == 4
    assert "12 figures of open interest, needs 24" in capsys.readouterr().err
    assert not picture.exists()
