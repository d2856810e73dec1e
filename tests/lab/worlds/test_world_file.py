"""World files are read strictly: what is wrong is named with file and key."""

from pathlib import Path

import pytest

from airpocket.domain.errors import BadInput
from airpocket.lab.runs.worldcheck import read_world

WORLDS = Path(__file__).resolve().parents[3] / "examples" / "worlds"
BASE = (WORLDS / "four_venues.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(WORLDS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_world_of_the_examples_can_be_read(path: Path) -> None:
    world = read_world(path)

    assert len(world.venue) >= 2
    assert world.about


def test_a_scenario_changes_only_what_it_names() -> None:
    base, squeeze = read_world(WORLDS / "four_venues.toml"), read_world(WORLDS / "squeeze.toml")

    assert [venue.name for venue in squeeze.venue] == [venue.name for venue in base.venue]
    assert squeeze.venue[1].makers == base.venue[1].makers
    assert squeeze.venue[1].traders != base.venue[1].traders
    assert len(squeeze.phase) > 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("hours = 24.0", "hours = -1.0", "hours"),
        ("hours = 24.0", 'hours = "24"', "hours"),
        ("hours = 24.0", "hours = 24.0\nminutes = 5", "unknown key 'minutes'"),
        ("depth_usd_m = 15.0", "depth_usd = 15e6", "venue[0].makers: unknown key 'depth_usd'"),
        ("pull_floor = 0.15", "pull_floor = 1.5", "pull_floor"),
        ('start = "2026-03-02T00:00Z"', 'start = "2026-03-02T00:00"', "start"),
        ('start = "2026-03-02T00:00Z"', 'start = "2025-03-02T00:00Z"', "rules"),
        ('rules = "hyperliquid"', 'rules = "hyperloquid"', "venue[3] (sim_hyperliquid): rules"),
        ('tiers = "hyperliquid:ETH"', 'tiers = "hyperliquid:NOPE"', "tiers"),
        ("[[3.0, 0.2]", "[[3.0, 0.3]", "shares add up to 1.1"),
        ('reference = "sim_binance"', 'reference = "elsewhere"', "makers.reference"),
        ('between = ["sim_spot", "sim_binance"]', 'between = ["sim_spot", "x"]', "arbitrage[0].between"),
        ('spot = "sim_spot"', 'spot = "sim_bybit"', "carry[0].spot"),
        ("[[phase]]\nfrom_h = 0.0", "[[phase]]\nfrom_h = 1.0", "phase[0].from_h"),
        ("long_entry_percent = [-4.0, 4.0]", "long_entry_percent = [4.0, -4.0]", "long_entry_percent"),
        ("tick_usd = 0.1", "tick_usd = 0.0001", "tick_usd"),
        ("price_usd = 3000.0", "", "key 'price_usd' is missing"),
        ("[[venue]]", "[[venue", "not TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_file_and_key(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in BASE
    path = tmp_path / "mine.toml"
    path.write_text(BASE.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(BadInput) as caught:
        read_world(path)

    assert str(caught.value).startswith("mine.toml: ")
    assert said in str(caught.value)


def test_a_missing_file_and_a_base_that_is_missing_are_named(tmp_path: Path) -> None:
    orphan = tmp_path / "orphan.toml"
    orphan.write_text('base = "gone.toml"\n', encoding="utf-8")

    for path, name in ((tmp_path / "none.toml", "none.toml"), (orphan, "gone.toml")):
        with pytest.raises(BadInput, match=name):
            read_world(path)


def test_a_venue_of_a_scenario_needs_a_name(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(BASE, encoding="utf-8")
    path = tmp_path / "mine.toml"
    path.write_text('base = "base.toml"\n[[venue]]\nlot = 1.0\n', encoding="utf-8")

    with pytest.raises(BadInput, match=r"mine\.toml: venue: every"):
        read_world(path)
