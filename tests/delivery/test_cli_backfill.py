"""Tests of `airpocket backfill` as a person or a program meets it."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from cyclopts import App
from ingest.backfill.fake_venue import PUBLIC, FakeClock, FakeVenue, Say, body

import airpocket
from airpocket.delivery.cli import backfill as command
from airpocket.domain.errors import BadInput, MissingExtra, VenueRefused
from airpocket.ingest.backfill.session import World
from airpocket.ingest.lake import Lake

WHEN = ["--from", "2025-05-10T08:00Z", "--to", "2025-05-10T11:00Z"]


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Calls the command line against a fake Binance; returns the exit status."""
    routes: dict[str, object] = {
        "/exchangeInfo": body("binance_usdm_exchangeInfo"),
        "/klines": body("binance_klines"),
        "/fundingRate": body("binance_fundingRate"),
        "openInterestHist": body("binance_openInterestHist"),
        "globalLongShortAccountRatio": body("binance_ratio"),
    }
    clock = FakeClock()

    def world(_clock):
        return World(clock, lambda: 0.5, clock.sleep, lambda _host: [PUBLIC], FakeVenue(routes))

    monkeypatch.setattr(command, "open_world", world)
    # the command's own clock too: what the venue keeps is counted back from now
    monkeypatch.setattr("airpocket.ingest.world.SystemClock", lambda: clock)
    app = App(name="airpocket", result_action="return_value")
    app.command(command.backfill)

    def call(*words: str, **other: object) -> int:
        routes.update({f"/{name}": answer for name, answer in other.items()})
        store = ["--store", str(tmp_path / "store")]
        return app(["backfill", *words, *store], exit_on_error=False, print_error=False)

    return call


def test_the_first_line_is_the_answer_and_the_store_holds_every_default_kind(run, tmp_path, capsys):
    assert run("binance_usdm", "ETHUSDT", *WHEN) == 0

    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "10 new rows of binance_usdm ETHUSDT, 2025-05-10T08:00:00Z to 2025-05-10T11:00:00Z",
        "  bar_1h: 3 new, 1 requests",
        "  funding: 1 new, 1 requests",
        "  open_interest: 3 new, 1 requests",
        "  ratio: 3 new, 1 requests",
    ]
    assert err == ""
    held = {series.kind: series.rows for series in Lake(tmp_path / "store").series()}
    assert held == {"bar_1h": 3, "funding": 1, "open_interest": 3, "ratio": 3}


def test_a_second_run_says_that_nothing_was_missing(run, capsys):
    run("binance_usdm", "ETHUSDT", *WHEN)
    capsys.readouterr()
    assert run("binance_usdm", "ETHUSDT", *WHEN) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        f"  {kind}: 0 new, nothing was missing"
        for kind in ("bar_1h", "funding", "open_interest", "ratio")
    ]


def test_programs_get_json(run, capsys):
    run("binance_usdm", "ETHUSDT", *WHEN, "--kinds", "bar_1h, funding", "--json")
    said = msgspec.json.decode(capsys.readouterr().out)
    assert said["from"] == "2025-05-10T08:00:00Z"
    assert [kind["kind"] for kind in said["kinds"]] == ["bar_1h", "funding"]
    assert said["kinds"][0]["rows_new"] == 3
    assert said["kinds"][0]["offered"] is True


def test_without_an_end_it_asks_until_now(run, capsys):
    assert run("binance_usdm", "ETHUSDT", "--from", "2025-05-10T08:00Z", "--kinds", "bar_1h") == 0
    assert "to 2025-05-10T12:30:00" in capsys.readouterr().out


def test_what_a_venue_lacks_is_said_and_nothing_at_all_is_a_status_of_its_own(run, capsys):
    assert run("coinbase", "ETH-USD", *WHEN, "--kinds", "funding") == 4
    assert "funding: not offered by coinbase" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--from", "2025-05-10"], "--from: '2025-05-10' has no time zone"),
        (["--from", "2025-05-10T08:00"], "has no time zone"),
        (["--from", "2025-05-10T08:00Z", "--to", "yesterday"], "--to: 'yesterday' is not a time"),
        (["--from", "2025-05-10T08:00Z", "--to", "2025-05-09T08:00Z"], "nothing lies between"),
        ([*WHEN, "--kinds", "depth"], "does not ask for 'depth'"),
        ([*WHEN, "--kinds", ","], "at least one kind"),
    ],
)
def test_bad_words_are_refused_by_name(run, words, says):
    with pytest.raises(BadInput, match=says):
        run("binance_usdm", "ETHUSDT", *words)


def test_a_start_is_required(run):
    with pytest.raises(Exception, match="--from"):
        run("binance_usdm", "ETHUSDT")


def test_a_venue_that_does_not_serve_this_place_says_so(run):
    with pytest.raises(VenueRefused, match="not reachable from this place"):
        run("binance_usdm", "ETHUSDT", *WHEN, exchangeInfo=Say({"code": 0}, 451))


def test_without_the_extra_the_message_says_what_to_install(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "ccxt", None)
    with pytest.raises(MissingExtra, match=r"'airpocket backfill' needs the extra \[backfill\]"):
        run("binance_usdm", "ETHUSDT", *WHEN)


def test_the_command_loads_nothing_heavy_before_it_runs():
    code = (
        "import sys, airpocket.delivery.cli.backfill;"
        "heavy = {'numpy', 'polars', 'numba', 'duckdb', 'scipy', 'ccxt', 'requests', 'rich.progress'};"
        "sys.stdout.write(' '.join(sorted(heavy & set(sys.modules))))"
    )
    source = str(Path(airpocket.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": source},
    )
    assert done.stdout == ""
