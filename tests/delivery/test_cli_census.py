"""`airpocket census` as its user meets it, against the lab's Hyperliquid on loopback, and its refusals."""

import asyncio
import json
import sys

import pytest
from lab.served.test_gate import Served
from lab.served.worlds import world

from airpocket.delivery.cli import main
from airpocket.ingest.census.stored import accounts_of
from airpocket.ingest.lake import Lake
from airpocket.lab.addresses import address_of


def run_against(*words):
    """Run the command line in a process of its own while the lab serves → status, stdout, stderr."""

    async def go():
        made = world((), without=("sim_bybit",), flow=-12.0, leverage=20.0)
        async with Served(made, speed=8.0) as served:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "airpocket", "census", *words, "--through", served.gate.address,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            out, err = await asyncio.wait_for(process.communicate(), 60)
            return process.returncode, out.decode(), err.decode()

    return asyncio.run(go())


def test_a_census_of_a_few_accounts_is_told_and_kept(tmp_path):
    addresses = tmp_path / "addresses.txt"
    addresses.write_text(
        "\n".join(address_of(n) for n in range(243, 253)) + "  # the makers and more\n"
    )
    store = tmp_path / "store"
    asked = ["ETH", "--store", str(store), "--no-lists", "--addresses", str(addresses)]
    status, out, err = run_against(*asked, "--json")
    assert status == 0, err
    told = json.loads(out)
    assert told["asked"] >= 15
    assert told["met"]["file"] == 10
    assert told["contracts"]["ETH"]["long_coin"] > 0.0
    states = accounts_of(Lake(store), told["last"])
    assert sum(bool(state.holdings) for state in states) == told["holding"] > 0
    status, out, err = run_against(*asked)
    assert status == 0, err
    for wanted in (
        "accounts known",
        "Held by the accounts asked",
        "open interest",
        "airpocket map shows",
    ):
        assert wanted in out


def test_a_venue_that_cannot_be_reached_is_named(tmp_path, capsys):
    status = main(
        ["census", "ETH", "--store", str(tmp_path), "--no-lists", "--through", "127.0.0.1:9"]
    )
    assert status == 6
    assert "hyperliquid: no account answered, the last: no answer" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ([], "name an asset"),
        (["ETH", "--for", "soon"], "--for soon"),
        (["ETH", "--through", "http://127.0.0.1:1"], "without a scheme"),
        (["ETH", "--addresses", "none.txt"], "none.txt: can't be read"),
        (["not a coin"], "is not the name of a coin"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_before_anything_is_written(tmp_path, capsys, asked, said):
    store = tmp_path / "store"
    assert main(["census", *asked, "--store", str(store)]) == 2
    assert said in capsys.readouterr().err
    assert not store.exists()
