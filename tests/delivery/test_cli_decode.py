"""`airpocket decode`: an object a line for events, a reason for what can't be read, and status 0."""

import io
import json
import sys
from types import SimpleNamespace

from airpocket.delivery.cli import main

FORCED = (
    b'{"e":"forceOrder","E":1791565603055,"o":{"s":"BTCUSDT","S":"SELL","q":"0.190","p":"82338.30",'
    b'"ap":"82651.90","z":"0.190","T":1791565602120,"st":1}}'
)


def decoded(monkeypatch, venue, body):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(body)))
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=out))
    status = main(["decode", venue])
    return status, [json.loads(line) for line in out.getvalue().splitlines()]


def test_events_come_out_one_a_line_and_the_rest_with_a_reason(monkeypatch):
    body = FORCED + b"\n\nnot json\n" + FORCED.replace(b'"q":"0.190"', b'"q":"-1"') + b"\n"
    status, lines = decoded(monkeypatch, "binance_usdm", body)
    assert status == 0
    assert len(lines) == 3
    assert lines[0]["fact"] == "liquidation"
    assert (lines[0]["forced_side"], lines[0]["price"], lines[0]["size"]) == ("sell", 82651.9, 0.19)
    assert lines[1]["undecodable"].startswith("binance_usdm: ")
    assert lines[2]["fact"] == "liquidation"  # filled size is what counts, not what was asked for


def test_a_venue_without_a_decoder_is_refused(monkeypatch, capsys):
    assert main(["decode", "mtgox"]) == 2
    assert "binance_spot" in capsys.readouterr().err
