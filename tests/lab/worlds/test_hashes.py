"""Our own worlds give the same journal on every machine and Python: pinned, the whole day by the slow test."""

import tomllib
from pathlib import Path

import pytest

from airpocket.lab.runs.session import Session
from airpocket.lab.runs.worldcheck import read_world

WORLDS = Path(__file__).resolve().parents[3] / "examples" / "worlds"
PINNED = tomllib.loads(Path(__file__).with_name("hashes.toml").read_text(encoding="utf-8"))
FIRST = 5 * 60 * 10**9


def begun(name):
    world = read_world(WORLDS / f"{name}.toml")
    session = Session(world, 1)
    for _ in session.until(world.start_ns + FIRST):
        pass
    return session


def test_every_world_is_pinned():
    assert set(PINNED) == {path.stem for path in WORLDS.glob("*.toml")}


@pytest.mark.parametrize("name", PINNED)
def test_a_worlds_first_minutes_are_the_same_everywhere(name):
    assert begun(name).hash == PINNED[name]["first"]


@pytest.mark.slow
@pytest.mark.parametrize("name", PINNED)
def test_a_worlds_whole_day_is_the_same_everywhere(name):
    session = begun(name)
    for _ in session.until(session.end):
        pass
    assert (session.hash, session.events) == (PINNED[name]["whole"], PINNED[name]["events"])
