"""`airpocket levels`: the table, JSON that keeps its schema, the picture, and clear refusals."""

import io
import itertools
import json
from pathlib import Path

import jsonschema
import pytest

from airpocket.brief.as_json import render_struct
from airpocket.brief.levels_model import SCHEMA, LevelsView
from airpocket.brief.roadmap_words import band, reasons, state
from airpocket.delivery import levels_picture
from airpocket.delivery.answers import levels_of
from airpocket.delivery.cli import main
from airpocket.domain.errors import NothingKnown
from airpocket.levels.roadmap import Level, Roadmap, Track, Zone

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def store(bundled) -> Path:
    return bundled


@pytest.fixture(scope="module")
def view(store) -> LevelsView:
    return levels_of("ETH", store)


def zone(low, high, role="support_1", kinds=("volume_node",), prominence=1.0):
    levels = [
        Level(price=low, kind=kind, label=kind, formed_at=0, confirmed_at=0, prominence=1.0)
        for kind in kinds
    ]
    bias = "support" if high < 100 else "resistance"
    away = 100 * ((high if high < 100 else low) / 100 - 1)
    return Zone(low=low, high=high, bias=bias, role=role, strength=0.0, confluence=levels,
                distance_percent=away, prominence=prominence)  # fmt: skip


def test_the_page_shows_zones_their_state_rules_and_records(store, capsys):
    assert main(["levels", "eth", "--store", str(store)]) == 0
    shown = capsys.readouterr().out
    for wanted in ("SIMULATED", "ZONES", "PRICE NOW", "State", "Reasons", "WHAT WOULD CONFIRM OR BREAK THEM",
                   "VOLUME PROFILE", "HOW SUCH LEVELS DID BEFORE", "other prices", "Learned from"):  # fmt: skip
        assert wanted in shown
    assert all(len(line) <= 100 for line in shown.splitlines())


def test_the_json_is_what_its_schema_says(view):
    told = json.loads(render_struct(view))
    schema = json.loads((ROOT / "src/airpocket/brief/levels.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(told)
    assert told["schema"] == SCHEMA
    assert told["simulated"] is True
    tracks = [each["track"] for each in told["roadmap"]["zones"]]
    assert all(track["state_since"].endswith("Z") for track in tracks)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate({**told, "roadmap": None})


def test_the_picture_is_drawn_and_is_refused_without_zones(view):
    from PIL import Image

    with Image.open(io.BytesIO(levels_picture.picture(view))) as drawn:
        assert drawn.size == (1600, 900)
        assert len(drawn.getcolors(1 << 20)) > 20
    none = Roadmap(zones=[], rules=[], profile=None, averages={}, missing=["no bar"])
    with pytest.raises(NothingKnown, match="no picture of ETH"):
        levels_picture.picture(
            LevelsView(asset="ETH", as_of=view.as_of, simulated=True, price=view.price, reference="x",
                       headline="nothing", roadmap=none, learned_from="", candles=view.candles, averages=[])
        )  # fmt: skip


def test_what_is_drawn_is_few_apart_and_keeps_the_named_zones():
    below = [zone(99 - k, 99.2 - k, f"support_{k}") for k in range(12)]
    named = zone(80.0, 81.0, "major_support")
    far = zone(140.0, 141.0, "discovery_trigger")
    kept = levels_picture.chosen([*below, named, far], 0.02)
    assert {"major_support", "discovery_trigger", "support_0"} <= {each.role for each in kept}
    assert len(kept) <= 6
    middles = sorted(each.low for each in kept)
    assert all(b / a > 1.015 for a, b in itertools.pairwise(middles))


def test_names_never_lie_on_top_of_each_other():
    places = levels_picture.spread([100.0, 101.0, 102.0, 500.0, 840.0, 841.0], 100.0, 842.0, 54.0)
    assert places == sorted(places)
    assert min(b - a for a, b in itertools.pairwise(places)) >= 54.0 - 1e-9
    assert places[0] >= 99.0
    assert places[-1] <= 842.0


def test_words_are_short_and_prices_have_the_digits_that_matter():
    assert band(zone(4686.75, 4729.33)) == "4,687 to 4,729"
    assert band(zone(0.1534, 0.15372)) == "0.15340 to 0.15372"
    assert (
        state(Track(state="tested", state_since=0, tests=3, changes=[]))
        == "tested 3 times, last 01-01"
    )
    assert state(None) == "unknown"
    kinds = ("swing_high", "swing_high", "ema_50d", "volume_node", "anchored_vwap")
    told = reasons(zone(100, 101, kinds=kinds).confluence, 2)
    assert told == "2 swing highs (70-01-01 and others), EMA 50 d + 2 more"


def test_an_empty_store_is_refused(tmp_path, capsys):
    assert main(["levels", "ETH", "--store", str(tmp_path / "none")]) == 4
    assert "no store at" in capsys.readouterr().err
