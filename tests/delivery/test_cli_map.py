"""`airpocket map`: the page at a glance, JSON that keeps its schema, pictures, what changed, and clear refusals."""

import io
import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from airpocket.brief.as_json import render_struct
from airpocket.brief.map_model import SCHEMA, MapView
from airpocket.delivery import map_picture
from airpocket.delivery.answers import map_of
from airpocket.delivery.cli import main
from airpocket.domain.errors import MissingExtra, NothingKnown
from airpocket.domain.units import DAY_NS
from airpocket.ingest.lake import Lake, Table

ROOT = Path(__file__).resolve().parents[2]
END = "2026-01-15T12:00:00Z"


@pytest.fixture(scope="module")
def store(bundled) -> Path:
    return bundled


@pytest.fixture(scope="module")
def view(store) -> MapView:
    return map_of("ETH", store)


@pytest.fixture(scope="module")
def told(view) -> dict:
    return json.loads(render_struct(view))


def test_the_page_shows_risk_ladder_changes_book_and_clusters(store, capsys):
    assert main(["map", "eth", "--store", str(store)]) == 0
    shown = capsys.readouterr().out
    for wanted in ("SIMULATED", "AT RISK", "Net of hedged", "THE LADDER", "█", "░", "SINCE 2026-01-14 12:00 UTC",
                   "What became of it", "BOOK AGAINST MAP", "LIQUIDATION MAP", "Made from", "sim_perp:ETHUSDT",
                   "Known exactly, from public accounts", "sim_perp2:ETHUSDT", "which leverage was taken",
                   "STOP ORDERS, APART", "swing low of"):  # fmt: skip
        assert wanted in shown
    assert "ROADMAP" not in shown
    assert all(len(line) <= 100 for line in shown.splitlines())


def test_the_demo_is_the_bundled_market_and_needs_no_store(told, capsys):
    assert main(["map", "ETH", "--demo", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == told
    assert told["simulated"] is True


def test_the_json_is_what_its_schema_says(told):
    schema = json.loads((ROOT / "src/airpocket/brief/map.schema.json").read_text())
    jsonschema.validate(told, schema)
    assert (told["schema"], told["asset"], told["as_of"]) == (SCHEMA, "ETH", END)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**told, "more": 1}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({k: v for k, v in told.items() if k != "ladder"}, schema)


def test_the_picture_says_of_each_column_what_accounts_held_of_it(view):
    heat = view.map.heat
    assert len(heat.exact_percent) == len(heat.ts) == len(heat.forced)
    known = [share > 0.0 for share in heat.exact_percent]
    first = known.index(True)
    # the bundled accounts are first heard in the last day
    assert heat.ts[first] > heat.ts[-1] - 2 * DAY_NS
    assert known == [False] * first + [True] * (len(known) - first)
    assert 0.0 < max(heat.exact_percent) < 100.0


def test_every_figure_is_labelled_and_the_exact_share_fits_the_label(view):
    shares = [(row.shorts, row.shorts_exact_percent) for row in view.risk]
    shares += [(row.longs, row.longs_exact_percent) for row in view.risk]
    shares += [(row.forced_usd, row.exact_percent) for row in view.map.clusters]
    assert {estimate.provenance for estimate, _ in shares} >= {"mixed"}
    for estimate, percent in shares:
        assert 0.0 <= percent <= 100.0
        assert estimate.low <= estimate.value <= estimate.high
        assert (estimate.provenance == "modelled") == (percent == 0.0)
    for row in view.risk:
        assert row.shorts_net.value <= row.shorts.value
        assert row.shorts_net.low <= row.shorts_net.value <= row.shorts_net.high


def test_the_ladder_adds_up_to_what_is_at_risk(view):
    for side, sign in (("short", 1), ("long", -1)):
        rungs = [
            rung for rung in view.ladder if rung.side == side and 0 < sign * rung.percent <= 5.0
        ]
        assert len(rungs) == 5
        five = next(row for row in view.risk if row.percent == 5.0)
        at_risk = (five.shorts if side == "short" else five.longs).value
        assert sum(rung.forced_usd for rung in rungs) == pytest.approx(at_risk, rel=0.05, abs=5e5)
        assert all(rung.exact_usd <= rung.forced_usd * (1 + 1e-9) for rung in rungs)


def test_stops_are_told_apart_and_without_an_amount_that_nobody_knows(view):
    price = view.price.value
    assert view.stops
    for stop in view.stops:
        assert (stop.side == "short") == (stop.beyond > price)
        assert stop.amount_usd.value is None
        assert stop.because.startswith("swing ")
        assert stop.distance_percent == pytest.approx(100 * (stop.beyond / price - 1))


def test_half_of_the_second_venue_is_not_covered_and_said_so(view):
    (accounts,) = view.map.accounts
    assert (accounts.contract, accounts.kind) == ("sim_perp2:ETHUSDT", "perpetual")
    assert 30.0 < accounts.longs_covered.value < 45.0
    assert accounts.median_age_s == pytest.approx(600.0, abs=60.0)
    assert accounts.as_told == 0


def test_what_changed_is_told_against_the_map_as_it_could_be_known_then(store, view):
    since = view.since
    assert (since.at, since.unknown) == ("2026-01-14T12:00:00Z", None)
    then = map_of("ETH", store, asof="2026-01-14T12:00Z")
    assert since.price_before == then.price.value
    fates = {move.fate for move in since.clusters}
    assert "traded" in fates  # the squeeze went through the shorts above yesterday's price
    for move in since.clusters:
        assert (move.peak_now is None) == (move.fate in ("traded", "gone") or move.peak_now is None)
    at = {row.percent: row.shorts for row in then.risk}
    for change, row in zip(since.at_risk, view.risk, strict=True):
        assert change.shorts.value == pytest.approx(
            row.shorts.value - at[row.percent].value, abs=0.01
        )


def test_a_length_of_time_and_a_moment_say_the_same(store, view):
    assert map_of("ETH", store, since="2026-01-14T12:00Z").since == view.since


def test_one_venue_alone(store):
    found = map_of("ETH", store, venue="sim_perp2")
    assert [source.contract for source in found.map.sources] == ["sim_perp2:ETHUSDT"]
    assert found.reference == "sim_perp2:ETHUSDT"
    five = next(row for row in found.risk if row.percent == 5.0)
    assert five.shorts_exact_percent > 20.0


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        (["map", "XYZ"], 4, "no price bars of XYZ; it holds facts on: ETH, USDT"),
        (["map", "ETH", "--asof", "noon"], 2, "--asof"),
        (["map", "ETH", "--since", "yesterday"], 2, "--since"),
        (["map", "ETH", "--since", "2027-01-01T00:00Z"], 2, "not before"),
        (["map", "ETH", "--venue", "okx"], 4, "nothing of ETH on 'okx'; it holds: sim_"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused_in_words(store, capsys, asked, status, said):
    assert main([*asked, "--store", str(store)]) == status
    assert said in capsys.readouterr().err


def test_an_empty_store_and_none_at_all(tmp_path, capsys):
    assert main(["map", "ETH", "--store", str(tmp_path)]) == 4
    assert "holds no price bars of ETH" in capsys.readouterr().err
    assert main(["map", "ETH", "--store", str(tmp_path / "none")]) == 4
    assert "no store at" in capsys.readouterr().err


def test_no_map_is_a_page_with_the_reason_and_no_picture(store, tmp_path, capsys):
    early = ["map", "ETH", "--store", str(store), "--asof", "2025-06-09T12:00Z"]
    assert main(early) == 0
    assert "12 figures of open interest, needs 24" in capsys.readouterr().out
    for flag, name in (("--svg", "none.svg"), ("--png", "none.png")):
        assert main([*early, flag, str(tmp_path / name)]) == 4
        assert "needs 24" in capsys.readouterr().err
        assert not (tmp_path / name).exists()


def test_the_heatmap_is_written_as_a_picture_of_its_own(store, tmp_path, capsys):
    svg, png = tmp_path / "heat.svg", tmp_path / "map.png"
    asked = ["map", "ETH", "--store", str(store), "--venue", "sim_perp"]
    assert main([*asked, "--svg", str(svg), "--png", str(png)]) == 0
    assert "public accounts" not in capsys.readouterr().out
    assert main([*asked, "--png", str(tmp_path / "no" / "x.png")]) == 2
    assert "can't write" in capsys.readouterr().err
    text = svg.read_text(encoding="utf-8")
    assert text.startswith("<svg ")
    assert "SIMULATED" in text
    assert "data:image/png;base64," in text
    assert png.read_bytes().startswith(b"\x89PNG")


def test_the_picture_shows_heat_ladder_and_both_colours(view):
    from PIL import Image

    data = map_picture.picture(view)
    image = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    assert image.shape == (900, 1600, 3)
    heat, ladder = image[130:830, 120:1120], image[130:830, 1152:1478]
    for part in (heat, ladder):
        orange = (part[..., 0] > part[..., 2] + 60).mean()
        blue = (part[..., 2] > part[..., 0] + 60).mean()
        assert orange > 0.01
        assert blue > 0.005
    assert data == map_picture.picture(view)


def test_a_picture_without_history_has_the_ladder_alone(view):
    from msgspec import structs

    bare = structs.replace(view, map=structs.replace(view.map, heat=None), simulated=False)
    assert map_picture.picture(bare).startswith(b"\x89PNG")
    with pytest.raises(NothingKnown, match="no picture of ETH"):
        map_picture.picture(structs.replace(view, profile=None))


def test_without_the_extra_the_command_names_it(view, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingExtra, match=r"airpocket\[pictures\]"):
        map_picture.picture(view)


def test_accounts_heard_later_change_no_earlier_map(store, tmp_path):
    """The same map at noon, whether or not a census of the afternoon is stored."""
    noon = "2026-01-14T18:00Z"
    before = map_of("ETH", store, asof=noon)
    copy = tmp_path / "store"
    lake, source = Lake(copy), Lake(store)
    for series in source.series():
        frame = source.read(series.kind, series.venue, series.symbol)
        if series.kind == "account":
            frame = frame.filter(frame["usable_from"].dt.epoch("us") <= 1_768_413_600_000_000)
        lake.write([Table(series.kind, series.venue, series.symbol, frame)])
    assert map_of("ETH", copy, asof=noon) == before
