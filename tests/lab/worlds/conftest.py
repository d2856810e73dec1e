"""A short violent world, run once for all tests of runs."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from airpocket.lab.runs.worldcheck import read_world
from airpocket.lab.runs.worldfile import Phase, VenuePhase, World

WORLDS = Path(__file__).resolve().parents[3] / "examples" / "worlds"


@pytest.fixture(scope="session")
def violent() -> World:
    """Twenty minutes: after four, selling meets makers who are mostly gone; funds are nearly empty, and one
    venue is down for two minutes."""
    calm = read_world(WORLDS / "four_venues.toml")
    selling = {"sim_binance": VenuePhase(flow_usd_m_per_min=-60.0)}
    phases = [
        Phase(from_h=0.0),
        Phase(from_h=4 / 60, bids=0.1, venue=selling),
        Phase(from_h=8 / 60, venue={"sim_bybit": VenuePhase(halted=True)}),
        Phase(from_h=10 / 60, bids=1.0, flow_usd_m_per_min=0.0, halted=False,
              venue={"sim_binance": VenuePhase(flow_usd_m_per_min=0.0)}),
    ]  # fmt: skip
    poor = [msgspec.structs.replace(venue, fund_usd_m=0.02) for venue in calm.venue]
    return msgspec.structs.replace(calm, name="violent", hours=20 / 60, phase=phases, venue=poor)


@pytest.fixture
def short(violent: World) -> Callable[[float], World]:
    """The same world cut to so many minutes."""
    return lambda minutes: msgspec.structs.replace(violent, hours=minutes / 60)
