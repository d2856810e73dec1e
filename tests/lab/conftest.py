"""One run of the simulated market, shared by all tests of the lab."""

from collections.abc import Callable

import polars as pl
import pytest

from airpocket.lab import SEED, BundledTable, World, simulate
from airpocket.lab.generator import tables_of


@pytest.fixture(scope="session")
def world() -> World:
    return simulate(SEED)


@pytest.fixture(scope="session")
def tables(world: World) -> list[BundledTable]:
    return tables_of(world)


@pytest.fixture(scope="session")
def table(tables: list[BundledTable]) -> Callable[..., pl.DataFrame]:
    """The frame of one kind, venue and symbol."""

    def find(kind: str, venue: str = "sim_perp", symbol: str = "ETHUSDT") -> pl.DataFrame:
        [found] = [t for t in tables if (t.kind, t.venue, t.symbol) == (kind, venue, symbol)]
        return found.frame

    return find
