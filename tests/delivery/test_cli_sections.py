"""`airpocket cascade`: one section of the brief, and clear refusals."""

import json
from pathlib import Path

import pytest

from airpocket.delivery.cli import main


@pytest.fixture(scope="module")
def store(demo) -> Path:
    return demo / "store"


def test_sections_as_json_hold_only_themselves(store, capsys):
    main(["cascade", "ETH", "--store", str(store), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"schema", "asset", "as_of", "cascade", "simulated"}
    assert found["simulated"] is True
    assert {way["direction"] for way in found["cascade"]["ways"]} == {"up", "down"}


def test_a_moment_that_cannot_be_read_is_refused(store, capsys):
    assert main(["cascade", "ETH", "--store", str(store), "--asof", "noon"]) == 2
    assert "--asof" in capsys.readouterr().err
