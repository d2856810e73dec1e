"""`airpocket cascade` with a question: text, JSON and picture of the same answer, and clear refusals."""

import dataclasses
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from airpocket.brief.whatif_picture import trail_of
from airpocket.cascade.deals import PathSettings, Push
from airpocket.cascade.paths import Course
from airpocket.delivery import answers, whatif
from airpocket.delivery.cli import main
from airpocket.delivery.cli.asked import amount_usd, percent
from airpocket.domain.errors import BadInput, NothingKnown
from airpocket.domain.units import HOUR_NS, parse_time


@pytest.fixture(scope="module")
def store(demo) -> Path:
    return demo / "store"


def asked(store, *words):
    few = ["--paths", "5120", "--minutes", "5"]
    return main(["cascade", "ETH", "--store", str(store), *few, *words])


def test_the_answer_says_what_was_asked_and_what_it_rests_on(store, capsys):
    assert asked(store, "--push", "20M") == 0
    shown = capsys.readouterr().out
    for wanted in ("SIMULATED", "Buying $20.0 mn within 60 s", "the rest priors: what they imply", "HOW FAR",
                   "squeeze number S", "WHAT THIS RESTS ON", "5,120 paths of 5 minutes"):  # fmt: skip
        assert wanted in " ".join(shown.split())
    assert asked(store, "--push", "-20M", "--drop-depth", "30%") == 0
    assert "Selling $20.0 mn within 60 s on 70 % of the book" in " ".join(
        capsys.readouterr().out.split()
    )


def test_json_says_the_same_and_again(store, capsys):
    asked(store, "--shock", "+1%", "--json")
    one = capsys.readouterr().out
    asked(store, "--shock", "+1%", "--json")
    assert one == capsys.readouterr().out
    found = json.loads(one)
    assert found["schema"] == "airpocket.whatif/1"
    assert found["simulated"] is True
    assert found["provenance"] == "modelled"
    assert found["way"] == "up"
    assert 0.0 < found["likely"] <= 1.0
    assert found["pushed"]["reach"]["0.5"]["of"] == 1.0
    assert len(found["fan"]) == len(found["fan_s"])
    asked(store, "--shock", "+1%", "--json", "--seed", "9")
    assert json.loads(capsys.readouterr().out)["fan"] != found["fan"]


def test_a_price_to_break_is_a_jump_there(store, capsys):
    asked(store, "--break", "3500", "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["way"] == "down"
    assert found["price"] * 2.718281828459045 ** found["push"]["jump"] == pytest.approx(3_500.0)


def test_a_push_is_placed_where_it_is_asked_for(store, capsys):
    asked(store, "--push", "5M", "--venue", "bybit", "--venue", "binance_usdm", "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["push"]["on"] == ["bybit_linear:ETHUSDT", "binance_usdm:ETHUSDT"]
    keys = [venue["key"] for venue in found["network"]["venues"]]
    assert "bybit_linear:ETHUSDT" in keys
    assert len(found["network"]["matrix"]) == len(keys)
    assert asked(store, "--push", "5M", "--spot") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "Buying $5.00 mn within 60 s on spot" in shown
    assert "WHO IGNITES WHOM" in shown
    assert "spectral radius" in shown


def test_the_picture_is_one_document_and_says_simulated(store, tmp_path, capsys):
    picture = tmp_path / "fan.svg"
    assert asked(store, "--push", "20M", "--svg", str(picture)) == 0
    root = ET.fromstring(picture.read_text(encoding="utf-8"))  # noqa: S314 - our own
    text = "".join(root.itertext())
    assert "SIMULATED" in text
    assert "runs until the fuel ends" in text
    assert f"wrote {picture}" in capsys.readouterr().err


def test_the_png_is_one_picture(store, tmp_path, capsys):
    image = pytest.importorskip("PIL.Image")
    picture = tmp_path / "fan.png"
    assert asked(store, "--push", "20M", "--png", str(picture)) == 0
    with image.open(picture) as drawn:
        assert drawn.size == (1_600, 900)
    assert f"wrote {picture}" in capsys.readouterr().err


def test_the_trail_is_of_its_moments_and_says_what_was_not_known(store, monkeypatch):
    found, moments = answers.assessed("ETH", store), []

    def then(asset, folder, asof):
        moments.append(asof)
        if len(moments) == 1:
            raise NothingKnown("no price bars of ETH are usable at this time")
        return found

    how = PathSettings(paths=2_048, course=Course(steps=120, marks=4))
    answer, _ = whatif.what_if_of("ETH", store, Push(usd=2e7), how=how)
    monkeypatch.setattr(whatif, "assessed", then)
    trail = whatif.with_trail(answer, "ETH", store, 6 * HOUR_NS, how).trail
    assert [at.at for at in trail] == [answer.now - k * HOUR_NS for k in range(6, 0, -1)]
    assert [parse_time(moment) for moment in moments] == [at.at for at in trail]
    assert trail[0].phase is None
    assert "no price bars" in trail[0].unknown
    assert trail[1].phase.hottest == pytest.approx(answer.phase.hottest, rel=0.2)
    assert len(trail_of(dataclasses.replace(answer, trail=trail))) == 5


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--push", "1M", "--spot", "--venue", "bybit"], "give one"), (["--push", "1M", "--venue", "mtgox"], "mtgox"),
     (["--push", "1M", "--trail", "long"], "--trail"),
     (["--push", "a lot"], "50M"), (["--push", "1,000"], "50M"), (["--shock", "x"], "percentage"),
     (["--shock", "2%", "--break", "3000"], "give one"), (["--drop-depth", "100%"], "between"),
     (["--break", "-1"], "above zero"), (["--push", "1M", "--seed", "-1"], "--seed"),
     (["--break", "90000"], "nothing is known beyond")],
)  # fmt: skip
def test_a_question_that_cannot_be_is_refused(store, words, said, capsys):
    assert asked(store, *words) in (2, 3, 4)
    assert said in capsys.readouterr().err


def test_the_bounds_of_paths_and_minutes_are_said(store, capsys):
    for words, said in ((["--paths", "10"], "--paths 10"), (["--minutes", "0"], "--minutes 0")):
        assert main(["cascade", "ETH", "--store", str(store), "--push", "1M", *words]) == 2
        assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "usd"),
    [("50M", 5e7), ("-1.5B", -1.5e9), ("$20mn", 2e7), ("+300k", 3e5), ("12", 12.0), (".5M", 5e5)],
)
def test_amounts_are_read_as_people_write_them(text, usd):
    assert amount_usd("--push", text) == usd


@pytest.mark.parametrize("text", ["", "M", "5 X", "1e6", "nan", "--5M", "5M5"])
def test_other_amounts_are_refused(text):
    with pytest.raises(BadInput, match="--push"):
        amount_usd("--push", text)


def test_shares_are_read_within_their_bounds():
    assert percent("--shock", "+3 %", low=-90, high=900) == 3.0
    assert percent("--shock", "-2.5%", low=-90, high=900) == -2.5
    with pytest.raises(BadInput, match="between"):
        percent("--shock", "-90%", low=-90, high=900)
