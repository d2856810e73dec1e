"""The simulated market as tables of facts, and the true positions behind it."""

import polars as pl

from airpocket.lab.accounts import account_table
from airpocket.lab.bars import bar_tables, premium_table, turnover_of
from airpocket.lab.carry import funding_tables, liquidation_table, open_interest_table, ticker_table
from airpocket.lab.drivers import flow_tables
from airpocket.lab.latent import DUST_COIN, LatentSide
from airpocket.lab.listings import LISTINGS, Listing, prices_of
from airpocket.lab.options import option_tables
from airpocket.lab.resting import resting_tables
from airpocket.lab.scenario import SEED
from airpocket.lab.tables import TIME, BundledTable, source_of
from airpocket.lab.world import PERPS, World, simulate


def generate(seed: int = SEED) -> list[BundledTable]:
    """Every table of the simulated market, in the order of kind, venue, symbol.

    The same seed gives the same tables, value for value.
    """
    return tables_of(simulate(seed))


def tables_of(world: World) -> list[BundledTable]:
    """The tables of a finished run."""
    source = source_of(world.seed)
    tables = [table for listing in LISTINGS for table in _listing_tables(world, listing, source)]
    tables.append(account_table(world, source))
    tables += option_tables(world, source)
    tables += flow_tables(world, source)
    return sorted(tables, key=lambda table: (table.kind, table.venue, table.symbol))


def _listing_tables(world: World, listing: Listing, source: str) -> list[BundledTable]:
    prices = prices_of(world, listing)
    turnover = turnover_of(world, listing, prices)
    tables = bar_tables(world, listing, prices, turnover, source)
    tables += resting_tables(world, listing, prices, source)
    tables.append(ticker_table(world, listing, prices, source))
    if listing.number is not None:
        tables += funding_tables(world, listing, prices, source)
        tables.append(premium_table(world, listing, prices, source))
        tables.append(open_interest_table(world, listing, source))
        tables.append(liquidation_table(world, listing, prices, source))
    return tables


def true_positions(world: World) -> pl.DataFrame:
    """Who is still in at the end: one row per cohort of leveraged positions opened together.

    Columns venue, symbol, side, size_coin (positive), entry_price and liquidation_price (quote per
    coin), leverage_x, opened_at (UTC).
    """
    frames = [
        _cohorts(venue, side)
        for venue, sides in zip(PERPS, world.latent, strict=True)
        for side in sides
    ]
    return pl.concat(frames).filter(pl.col("size_coin") >= DUST_COIN)


def _cohorts(venue: str, side: LatentSide) -> pl.DataFrame:
    cohorts = sorted(side.cohorts)
    opened = pl.Series([cohort.opened_ns // 1_000 for cohort in cohorts], dtype=pl.Int64)
    return pl.DataFrame(
        {
            "venue": [venue] * len(cohorts),
            "symbol": ["ETHUSDT"] * len(cohorts),
            "side": [side.side] * len(cohorts),
            "size_coin": [cohort.weight * side.survival for cohort in cohorts],
            "entry_price": [cohort.entry_price for cohort in cohorts],
            "liquidation_price": [abs(cohort.rank) for cohort in cohorts],
            "leverage_x": [cohort.leverage_x for cohort in cohorts],
            "opened_at": opened.cast(TIME),
        }
    )
