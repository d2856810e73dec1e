"""Making a market from a world and a seed: venues, books, system accounts, and room for the agents."""

import math
from dataclasses import dataclass, field

import numpy as np

from airpocket.lab.exchange import state
from airpocket.lab.exchange.draws import hashed, quantile_tables, stream_key
from airpocket.lab.exchange.pricing import EMA_BASIS, SECOND
from airpocket.lab.exchange.state import INVERSE, LINEAR, RATE, SPOT, Market, Records, records
from airpocket.lab.exchange.steps import STEP
from airpocket.lab.runs.rulebook import RULEBOOK, rules_of, schedule_of, tier_rows
from airpocket.lab.runs.worldfile import Venue, VenuePhase, World

WINDOW = 3.0  # books reach from the first tick to so many times the price at the start
ORDERS = 1 << 15
LOG_ROWS = 400_000
COIN_UNIT = 1e-9  # money of an inverse venue, coin
FORMS = {"linear": LINEAR, "inverse": INVERSE, "spot": SPOT}
LOTS_PER_IMPACT_USD = 200_000.0  # order size of impact prices, as margins times leverage at the big venues


class Dice:
    """Seeded draws for making a world: one stream, in the order asked."""

    def __init__(self, seed: int, *parts: int) -> None:
        self._key, self._count = np.uint64(stream_key(seed, *parts)), 0

    def uniform(self) -> float:
        """The next draw on [0, 1)."""
        self._count += 1
        return float(hashed(self._key, self._count))

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.uniform()


@dataclass
class Draft:
    """A market in the making: rows by kind, in the order added."""

    world: World
    seed: int
    books: Records
    venues: Records
    tiers: Records
    mixes: Records
    accounts: list[dict[str, int]] = field(default_factory=list[dict[str, int]])
    actors: list[dict[str, int]] = field(default_factory=list[dict[str, int]])
    rows: dict[str, list[dict[str, float]]] = field(default_factory=dict[str, list[dict[str, float]]])

    def book_of(self, name: str) -> int:
        """Number of the venue's book, which is the venue's number too: one contract a venue."""
        return [venue.name for venue in self.world.venue].index(name)

    def units(self, book: int, usd: float) -> int:
        """Dollars as whole units of the venue's money, at the price of the start."""
        terms = self.books[book]
        price = self.world.price_usd if terms.form == INVERSE else 1.0
        return round(usd / price / float(terms.unit))

    def lots(self, book: int, usd: float) -> float:
        """Lots that are worth so many dollars at the start."""
        terms = self.books[book]
        if terms.form == INVERSE:
            return usd * float(terms.lots_per_coin)
        return usd / self.world.price_usd * float(terms.lots_per_coin)

    def account(self, book: int, cash: int, pocket: int = 0, system: int = 0) -> int:
        """A new account; its number within the draft."""
        self.accounts.append({"venue": book, "cash": cash, "pocket": pocket, "system": system})
        return len(self.accounts) - 1

    def actor(self, kind: int, book: int, row: int) -> int:
        """A new actor; its number, which is its stream of chance too."""
        self.actors.append({"kind": kind, "book": book, "row": row})
        return len(self.actors) - 1

    def row(self, kind: str, **values: float) -> int:
        """A new row of an agent table; its number there."""
        rows = self.rows.setdefault(kind, [])
        rows.append(values)
        return len(rows) - 1


def draft(world: World, seed: int) -> Draft:
    """Venues and books with their rules, and each venue's treasury, fund and vault."""
    count = len(world.venue)
    made = Draft(
        world, seed, records(count, state.BOOK), records(count, state.VENUE),
        records((count, 24), state.TIER), records((count, state.MIXES), state.MIX),
    )  # fmt: skip
    for book, venue in enumerate(world.venue):
        _book(made, book, venue)
        _venue(made, book, venue)
        _mix(made, book, venue)
    return made


def _book(made: Draft, book: int, venue: Venue) -> None:
    terms, price = made.books[book], made.world.price_usd
    tick = round(price / venue.tick_usd)
    terms.venue, terms.form, terms.window = book, FORMS[venue.kind], int(WINDOW * tick)
    terms.tick_usd, terms.lots_per_coin = venue.tick_usd, 1.0 / venue.lot
    if venue.kind == "inverse":
        terms.unit = COIN_UNIT
        terms.scale = round(venue.lot / (venue.tick_usd * COIN_UNIT))
    else:
        terms.unit, terms.scale = venue.tick_usd * venue.lot, 1
    terms.taker_fee = round(venue.taker_fee_bps * RATE / 10_000.0)
    terms.maker_fee = round(venue.maker_fee_bps * RATE / 10_000.0)
    terms.max_leverage = venue.max_leverage_x
    terms.bid, terms.ask, terms.last = 0, terms.window, tick
    terms.mark = terms.mark_before = terms.index = terms.slow = float(tick)
    per_second = made.world.volatility_percent_per_day / 100.0 / math.sqrt(86_400.0)
    terms.sigma = round(per_second * math.sqrt(150.0), 12)
    terms.oracle_weight = RULEBOOK[venue.rules].oracle_weight
    terms.impact_lots = max(1, round(made.lots(book, LOTS_PER_IMPACT_USD)))
    _tiers(made, book, venue)


def _tiers(made: Draft, book: int, venue: Venue) -> None:
    terms = made.books[book]
    if venue.kind == "spot":
        return
    start = made.world.start_ns
    per_unit = float(terms.unit) * (made.world.price_usd if venue.kind == "inverse" else 1.0)
    found, slope = tier_rows(schedule_of(venue, start), per_unit)
    terms.tiers, terms.slope = len(found), slope
    terms.counted_fee = rules_of(venue, start).liquidation_fee
    for k, (floor, mmr, deduction) in enumerate(found):
        made.tiers[book, k] = (floor, mmr, deduction)


def _venue(made: Draft, book: int, venue: Venue) -> None:
    it, conduct, start = made.venues[book], RULEBOOK[venue.rules], made.world.start_ns
    it.first_book, it.books = book, 1
    it.procedure, it.mark_rule = conduct.procedure, conduct.mark_rule
    it.feed, it.feed_window, it.mark_every = conduct.feed, conduct.feed_window, conduct.mark_every
    it.mark_next, it.fund_share = start, conduct.fund_share
    it.delay = round(venue.engine_delay_s * SECOND)
    it.liquidation_fee = round(venue.liquidation_fee_bps * RATE / 10_000.0)
    it.treasury = made.account(book, 0, system=1)
    it.fund = made.account(book, made.units(book, venue.fund_usd_m * 1e6), system=1)
    it.vault = it.fund
    it.unload_lots = max(1, round(made.lots(book, 50_000.0)))
    if venue.kind == "spot":
        return
    rules = rules_of(venue, start)
    funding, close = rules.funding, rules.procedure
    assert funding is not None, "every rule of the rulebook has funding"
    assert close is not None, "every rule of the rulebook has a procedure"
    continuous = funding.interval_h == 0.0
    it.funding_continuous = continuous
    it.funding_every = 60 * SECOND if continuous else round(funding.interval_h * 3_600) * SECOND
    it.funding_next = (start // int(it.funding_every) + 1) * int(it.funding_every)
    it.interest, it.clamp = funding.interest, funding.clamp or 0.0
    it.damper, it.cap = funding.damper or 0.0, funding.cap or 0.0
    it.clip, it.cooldown = close.first_clip or 1.0, round(close.cooldown_s * SECOND)
    it.clip_above = made.units(book, close.clip_above_usd)
    it.backstop, it.limited = close.backstop or 0.0, close.limit_at_bankruptcy
    assert it.mark_rule != EMA_BASIS or venue.rules == "deribit"
    if venue.rules == "hyperliquid":
        it.vault = made.account(book, made.units(book, venue.fund_usd_m * 1e6), system=1)


def _mix(made: Draft, book: int, venue: Venue) -> None:
    mix = venue.traders.leverage if venue.traders is not None else [(1.0, 1.0)]
    below = 0.0
    for k, (leverage, share) in enumerate(mix):
        below += share
        made.mixes[book, k] = (leverage, 1.0 if k == len(mix) - 1 else below)


def market_of(made: Draft) -> Market:
    """The draft as arrays, every actor awake within its first stretch, no order resting yet."""
    world, books = made.world, len(made.world.venue)
    window = max(int(terms.window) for terms in made.books)
    levels = records((books, window + 1), state.LEVEL)
    levels.head, levels.tail = -1, -1
    orders = records(ORDERS, state.ORDER)
    orders.owner, orders.next = -1, np.arange(1, ORDERS + 1)
    orders.next[-1] = -1
    clock = records(1, state.CLOCK)
    clock.now = clock.start = world.start_ns
    clock.fair, clock.fair_volatility = world.price_usd, 1.0
    order = _accounts_in_order(made)
    makers = _table(made, "makers", state.MAKER, order)
    return Market(
        clock=clock, orders=orders, levels=levels, books=made.books, venues=made.venues,
        tiers=made.tiers, accounts=_accounts(made, order),
        positions=records((len(made.accounts), state.SLOTS), state.POSITION),
        basis=np.zeros((books, state.BASIS)), pending=records((books, state.PENDING), state.PENDING_PRINT),
        actors=_actors(made), queue=records(len(made.actors), state.WAKE), makers=makers,
        takers=_table(made, "takers", state.TAKER, order),
        traders=_table(made, "traders", state.TRADER, order),
        pairs=_table(made, "pairs", state.PAIR, order),
        quotes=np.full((len(makers), 2, state.QUOTES), -1, dtype=np.int64), mixes=made.mixes,
        story=_story(world), tables=quantile_tables(world.size_tail), hours=_hours(world),
        log=np.zeros((LOG_ROWS, state.COLUMNS), dtype=np.int64),
    )  # fmt: skip


def _accounts_in_order(made: Draft) -> list[int]:
    """New number of each account: those of a venue stand together."""
    sequence = sorted(range(len(made.accounts)), key=lambda k: (made.accounts[k]["venue"], k))
    order = [0] * len(sequence)
    for new, old in enumerate(sequence):
        order[old] = new
    return order


def _accounts(made: Draft, order: list[int]) -> Records:
    accounts = records(len(order), state.ACCOUNT)
    for old, values in enumerate(made.accounts):
        one = accounts[order[old]]
        one.venue, one.cash, one.pocket = values["venue"], values["cash"], values["pocket"]
        one.system, one.orders, one.actor = values["system"], -1, -1
    for venue in range(len(made.venues)):
        it = made.venues[venue]
        mine = np.flatnonzero(accounts.venue == venue)
        it.first_account, it.accounts = int(mine[0]), len(mine)
        it.treasury, it.fund, it.vault = (order[int(k)] for k in (it.treasury, it.fund, it.vault))
    return accounts


def _table(made: Draft, kind: str, dtype: "np.dtype[np.void]", order: list[int]) -> Records:
    rows = made.rows.get(kind, [])
    table = records(len(rows), dtype)
    for k, values in enumerate(rows):
        for name, value in values.items():
            table[name][k] = order[int(value)] if name.startswith("account") else value
    return table


def _actors(made: Draft) -> Records:
    actors = records(len(made.actors), state.ACTOR)
    for k, values in enumerate(made.actors):
        one = actors[k]
        one.kind, one.book, one.row = values["kind"], values["book"], values["row"]
        one.key = np.uint64(stream_key(made.seed, 1, k))
    return actors


def first_wakes(m: Market, spread_ns: dict[int, int], kinds_on_the_second: tuple[int, ...]) -> None:
    """When each actor first acts: venue clocks and the world at once, the others spread by chance.

    spread_ns: by actor, the stretch in which it first acts.
    """
    start = int(m.clock[0].start)
    for k in range(len(m.actors)):
        wake = m.queue[k]
        wake.actor = k
        if int(m.actors[k].kind) in kinds_on_the_second:
            wake.time = start + STEP
        else:
            share = float(hashed(m.actors[k].key, 1_000_000_007))
            wake.time = start + 1 + int(share * spread_ns[k])


def _story(world: World) -> Records:
    names = [venue.name for venue in world.venue]
    story = records((len(world.phase), len(names)), state.STORY)
    now = [dict(_CALM) for _ in names]
    drift, volatility = 0.0, 1.0
    per_second = world.volatility_percent_per_day / 100.0 / math.sqrt(86_400.0)
    for k, phase in enumerate(world.phase):
        drift = drift if phase.drift_percent_per_h is None else phase.drift_percent_per_h
        volatility = volatility if phase.volatility is None else phase.volatility
        for book, name in enumerate(names):
            now[book].update(_changes(phase))
            if name in phase.venue:
                now[book].update(_changes(phase.venue[name]))
            one = story[k, book]
            one.start = round(phase.from_h * 3_600) * SECOND
            one.drift = round(drift / 100.0 / 3_600.0, 15)
            one.volatility = round(volatility * per_second, 15)
            for key, value in now[book].items():
                setattr(one, key, value)
    return story


_CALM: dict[str, float] = {
    "bids": 1.0, "offers": 1.0, "flow": 0.0, "activity": 1.0, "longs": 1.0, "shorts": 1.0,
    "closing": 1.0, "halted": 0.0,
}  # fmt: skip


def _changes(phase: VenuePhase) -> dict[str, float]:
    found = {
        key: float(getattr(phase, key))
        for key in ("bids", "offers", "activity", "longs", "shorts", "closing", "halted")
        if getattr(phase, key) is not None
    }
    if phase.flow_usd_m_per_min is not None:
        found["flow"] = phase.flow_usd_m_per_min * 1e6 / 60.0
    return found


def _hours(world: World) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """(168,) from Monday 00:00 UTC, mean 1."""
    days = [world.weekend_depth if day >= 5 else 1.0 for day in range(7)]
    profile = [day * hour for day in days for hour in world.depth_by_hour]
    mean = math.fsum(profile) / 168.0
    return np.array([round(value / mean, 9) for value in profile])
