"""`record`, `replay`, `venues` and `doctor` as their user meets them, against a venue on loopback."""

import asyncio
import json
import sys

import pytest
from live.fake_venue import FakeVenue
from live.test_recording import REST, steady

from airpocket.delivery.cli import main


def run_against(*words, rest=REST):
    """Run the command line in a process of its own while a fake venue speaks → status, stdout, stderr."""

    async def go():
        async with FakeVenue(steady, rest) as venue:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "airpocket", *words, "--through", venue.gate,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            out, err = await asyncio.wait_for(process.communicate(), 60)
            return process.returncode, out.decode(), err.decode()

    return asyncio.run(go())


def test_a_recording_says_what_it_heard_and_replays(tmp_path, capsys):
    store = str(tmp_path / "store")
    status, out, _ = run_against(
        "record", "ETH", "--venue", "binance_usdm", "--store", store, "--for", "3s"
    )
    assert status == 0
    assert "records" in out
    assert "channels that never brought a message" in out  # no kline, no liquidation was sent
    assert main(["replay", "ETH", "--store", store, "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert main(["replay", "ETH", "--store", store, "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert first["journal"] == again["journal"]
    assert first["frames"] > 100
    assert [book["venue"] for book in first["books"]] == ["binance_usdm"]
    assert main(["replay", "ETH", "--store", store]) == 0
    assert "books at the end" in capsys.readouterr().out
    assert main(["venues", "ETH", "--store", store]) == 0
    assert "binance_usdm" in capsys.readouterr().out


def test_venues_lists_every_channel_and_says_that_no_recorder_runs(tmp_path, capsys):
    assert main(["venues", "BTC", "--store", str(tmp_path)]) == 0
    page = capsys.readouterr().out
    assert "no recorder runs on this store" in page
    assert main(["venues", "BTC", "--store", str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    venues = {channel["venue"] for channel in found["channels"]}
    assert {
        "binance_usdm",
        "bybit_linear",
        "okx",
        "deribit",
        "hyperliquid",
        "coinbase",
        "kraken_spot",
    } <= venues
    samples = {
        c["venue"]
        for c in found["channels"]
        if c["channel"] == "liquidations" and c["coverage"] == "sample"
    }
    assert samples == {"binance_usdm", "binance_coinm", "okx"}
    assert {"venue": "hyperliquid", "channel": "liquidations",
            "reason": "the venue has no public liquidation channel"} in found["absent"]  # fmt: skip


def test_doctor_checks_the_machine_and_the_store(tmp_path, capsys):
    assert main(["doctor", "--offline", "--store", str(tmp_path / "none")]) == 0
    assert "nothing is at fault" in capsys.readouterr().out
    assert main(["doctor", "--offline", "--store", str(tmp_path / "a" / "b")]) == 1
    assert "does not exist" in capsys.readouterr().out


def test_doctor_tells_a_clock_that_is_off():
    late = {"/fapi.binance.com/fapi/v1/time": (200, b'{"serverTime":1700000000000}')}
    status, out, _ = run_against("doctor", "--json", "--store", "store", rest=late)
    checks = {check["what"]: check for check in json.loads(out)}
    assert status == 1
    assert checks["binance_usdm"]["state"] == "fault"
    assert "from ours" in checks["binance_usdm"]["detail"]
    assert checks["okx"]["state"] == "note"


@pytest.mark.parametrize(
    ("words", "says"),
    [(["record"], "name an asset"), (["record", "ETH", "--venue", "mtgox"], "no feed of 'mtgox'"),
     (["record", "ETH", "--for", "soon"], "--for soon"), (["replay"], "name an asset"),
     (["replay", "ETH", "--speed", "-1"], "can't be negative"),
     (["replay", "ETH", "--store", "/nowhere"], "no recorded log")],
)  # fmt: skip
def test_wrong_words_are_told(words, says, capsys):
    assert main(words) != 0
    assert says in capsys.readouterr().err
