"""What the market is made of: records of books, orders, accounts and agents, in one piece of memory.

Prices are whole ticks, sizes whole lots, money whole units of the venue's collateral: everything that
is paid is exact. Marks and indices are ticks too, but as fractions.
"""

from typing import Any, TypeAlias

import numpy as np

SLOTS = 2  # contracts of one venue that share its accounts
QUOTES = 16  # of a maker, a side
MIXES = 10  # leverages of a contract's openings
PENDING = 256  # liquidations that wait for the venue's feed
BASIS = 60  # samples of the basis that a mark may average
RATE = 10_000_000  # fees and rates that move money are whole parts of this

LINEAR, INVERSE, SPOT = 1, -1, 2  # contract forms; spot is held like a linear contract

# fmt: off
ORDER = np.dtype([
    ("owner", "i8"), ("book", "i8"), ("side", "i8"),  # side: +1 bid, −1 offer
    ("tick", "i8"), ("lots", "i8"), ("tag", "i8"),  # tag: its owner's own name for it
    ("next", "i8"), ("prev", "i8"),  # its level, first come first
    ("mine_next", "i8"), ("mine_prev", "i8"),  # its owner's orders
])
LEVEL = np.dtype([("head", "i8"), ("tail", "i8"), ("lots", "i8")])
BOOK = np.dtype([
    ("venue", "i8"), ("slot", "i8"), ("form", "i8"), ("window", "i8"),
    ("scale", "i8"),  # linear: units per lot and tick; inverse: units × ticks per lot
    ("tick_usd", "f8"), ("lots_per_coin", "f8"),  # inverse: lots per dollar
    ("unit", "f8"),  # quote (inverse: coin) per unit of money
    ("taker_fee", "i8"), ("maker_fee", "i8"),
    ("max_leverage", "f8"), ("slope", "f8"), ("tiers", "i8"), ("counted_fee", "f8"),
    ("bid", "i8"), ("ask", "i8"), ("last", "i8"), ("changes", "i8"),
    ("flow", "i8"),  # lots that takers bought, less those they sold, so far
    ("open_interest", "i8"),
    ("mark", "f8"), ("mark_before", "f8"), ("index", "f8"), ("basis_count", "i8"),
    ("ema", "f8"), ("ema_weight", "f8"),
    ("premium", "f8"), ("premium_sum", "f8"), ("premium_count", "i8"), ("impact_lots", "i8"),
    ("funding", "f8"), ("funding_from", "i8"),
    ("slow", "f8"), ("move", "f8"), ("sigma", "f8"),  # 5 min average of the mid, distance, usual distance
    ("oracle_weight", "f8"), ("pending", "i8"), ("pending_from", "i8"), ("halted", "i8"),
])
VENUE = np.dtype([
    ("first_book", "i8"), ("books", "i8"), ("first_account", "i8"), ("accounts", "i8"),
    ("treasury", "i8"), ("fund", "i8"), ("vault", "i8"),
    ("mark_rule", "i8"), ("mark_every", "i8"), ("mark_next", "i8"),
    ("funding_every", "i8"), ("funding_next", "i8"), ("funding_continuous", "i8"),
    ("interest", "f8"), ("clamp", "f8"), ("damper", "f8"), ("cap", "f8"),
    ("procedure", "i8"), ("delay", "i8"), ("clip", "f8"), ("clip_above", "f8"), ("cooldown", "i8"),
    ("backstop", "f8"), ("limited", "i8"), ("liquidation_fee", "i8"), ("fund_share", "f8"),
    ("unload_lots", "i8"), ("feed", "i8"), ("feed_window", "i8"), ("hourly_depth", "i8"), ("step", "i8"),
])
TIER = np.dtype([("floor", "f8"), ("mmr", "f8"), ("deduction", "f8")])  # units of collateral
ACCOUNT = np.dtype([
    ("actor", "i8"), ("venue", "i8"), ("system", "i8"),
    ("cash", "i8"),  # what backs its positions, with their entry value taken off
    ("pocket", "i8"),  # money outside the venue's reach
    ("orders", "i8"), ("stage", "i8"), ("due", "i8"), ("cool_until", "i8"),
])
POSITION = np.dtype([("lots", "i8"), ("cost", "f8"), ("stop", "i8"), ("opened", "i8")])
PENDING_PRINT = np.dtype([("time", "i8"), ("side", "i8"), ("lots", "i8"), ("tick", "i8")])
ACTOR = np.dtype([
    ("kind", "i8"), ("row", "i8"), ("account", "i8"), ("book", "i8"), ("key", "u8"), ("count", "i8"),
])
STORY = np.dtype([  # one phase of the scenario for one book
    ("start", "i8"), ("drift", "f8"), ("volatility", "f8"), ("bids", "f8"), ("offers", "f8"),
    ("flow", "f8"), ("activity", "f8"), ("longs", "f8"), ("shorts", "f8"), ("closing", "f8"),
    ("halted", "i8"),
])
WAKE = np.dtype([("time", "i8"), ("actor", "i8")])
MIX = np.dtype([("leverage", "f8"), ("below", "f8")])  # a leverage and the share of openings up to it
MAKER = np.dtype([
    ("account", "i8"), ("book", "i8"), ("reference", "i8"), ("wake", "i8"), ("levels", "i8"),
    ("density", "f8"),  # lots per unit of distance, a side
    ("stretch", "f8"), ("half_spread", "f8"),  # ticks
    ("belief", "f8"), ("basis", "f8"),  # ticks
    ("learn", "f8"), ("seen", "i8"),  # belief per signed lot, share of itself; taker flow seen so far
    ("link", "f8"), ("refill", "f8"), ("pull", "f8"), ("floor", "f8"), ("skew", "f8"),
    ("home", "f8"), ("limit", "f8"),  # lots that no longer weigh, hedged elsewhere; a full stock
    ("lay_off", "f8"),  # share of the stock that is hedged elsewhere, a look
])
TAKER = np.dtype([
    ("style", "i8"), ("account", "i8"), ("book", "i8"), ("wake", "i8"),
    ("lots", "f8"), ("home", "i8"), ("limit", "i8"), ("slippage", "f8"),
    ("left", "i8"), ("side", "i8"), ("parent", "f8"), ("gain", "f8"), ("threshold", "f8"),
    ("fast", "f8"), ("slow", "f8"), ("fast_weight", "f8"), ("slow_weight", "f8"), ("owed", "f8"),
])
TRADER = np.dtype([
    ("account", "i8"), ("book", "i8"), ("wake", "i8"), ("cross", "i8"),
    ("eager", "f8"), ("long_bias", "f8"), ("care", "f8"), ("position_share", "f8"), ("leverage", "f8"),
    ("close", "f8"), ("take_profit", "f8"), ("tilt", "f8"), ("stop_share", "f8"),
    ("panic_at", "f8"), ("panic", "f8"), ("top_up", "f8"),
])
PAIR = np.dtype([
    ("style", "i8"), ("wake", "i8"), ("account_a", "i8"), ("book_a", "i8"), ("account_b", "i8"),
    ("book_b", "i8"), ("home", "i8"), ("threshold", "f8"), ("exit", "f8"), ("clip_coin", "f8"),
    ("capacity_coin", "f8"),
])
# fmt: on

COLUMNS = 8  # of a log row: kind, time, book, five values
TABLES, CELLS = 4, 4_096  # distributions of draws.py, and the cells of each
HOURS = 168  # of a week

# What a market has room for.
BOOKS, WINDOW, ORDERS, ACCOUNTS, TIERS = 8, 131_072, 32_768, 12_288, 24
ACTORS, MAKERS, TAKERS, TRADERS, PAIRS, PHASES = 12_288, 128, 1_024, 10_240, 512, 128
LOG_ROWS = 262_144


def _rows(kind: "np.dtype[Any]", *shape: int) -> tuple[Any, tuple[int, ...]]:
    """Nested records whose fields are attributes, in Python as in kernels."""
    return np.dtype((np.record, kind)), shape


# fmt: off
MARKET = np.dtype((np.record, [
    # virtual time and its start (ns), free orders' chain, rows in the log, and what has happened so far
    ("now", "i8"), ("start", "i8"), ("free", "i8"), ("logged", "i8"), ("events", "i8"), ("trades", "i8"),
    ("fair", "f8"), ("fair_volatility", "f8"), ("phase", "i8"),  # fair value, USD; the news' pace; 1: usual
    ("book_count", "i8"), ("account_count", "i8"), ("actor_count", "i8"), ("phase_count", "i8"),
    ("trader_count", "i8"),
    ("orders", *_rows(ORDER, ORDERS)),  # unused ones are chained by `next`
    ("levels", *_rows(LEVEL, BOOKS, WINDOW)),  # by tick: below the spread bids, above it offers
    ("books", *_rows(BOOK, BOOKS)), ("venues", *_rows(VENUE, BOOKS)), ("tiers", *_rows(TIER, BOOKS, TIERS)),
    ("accounts", *_rows(ACCOUNT, ACCOUNTS)),  # each venue's together
    ("positions", *_rows(POSITION, ACCOUNTS, SLOTS)),
    ("basis", "f8", (BOOKS, BASIS)),  # ring of mid − index, ticks
    ("pending", *_rows(PENDING_PRINT, BOOKS, PENDING)),
    ("actors", *_rows(ACTOR, ACTORS)), ("queue", *_rows(WAKE, ACTORS)),  # the queue is a heap
    ("makers", *_rows(MAKER, MAKERS)), ("takers", *_rows(TAKER, TAKERS)),
    ("traders", *_rows(TRADER, TRADERS)), ("pairs", *_rows(PAIR, PAIRS)),
    ("quotes", "i8", (MAKERS, 2, QUOTES)),  # order numbers, −1 none
    ("mixes", *_rows(MIX, BOOKS, MIXES)),  # leverages of new positions
    ("story", *_rows(STORY, PHASES, BOOKS)),
    ("tables", "f8", (TABLES, CELLS + 1)),  # draws.quantile_tables
    ("hours", "f8", (HOURS,)),  # depth by hour of week, mean 1
    ("log", "i8", (LOG_ROWS, COLUMNS)),
]))
# fmt: on

Market: TypeAlias = Any  # the one record of MARKET: all that a market is, in one piece of memory


def empty_market() -> Market:
    """A market without books, orders or agents; every order is free."""
    market = np.zeros(1, dtype=MARKET).view(np.recarray)[0]
    market.levels["head"], market.levels["tail"] = -1, -1
    market.orders["owner"] = -1
    market.orders["next"] = np.arange(1, ORDERS + 1)
    market.orders["next"][-1] = -1
    market.accounts["orders"] = market.accounts["actor"] = -1
    market.quotes[:] = -1
    return market


def copy_of(market: Market) -> Market:
    """The same market in memory of its own."""
    copied = np.empty(1, dtype=MARKET)
    copied[0] = market
    return copied.view(np.recarray)[0]
