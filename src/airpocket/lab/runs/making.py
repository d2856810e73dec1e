"""Making a market from a world and a seed: venues, books, system accounts, and room for the agents."""

import math
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from airpocket.domain.errors import BadInput
from airpocket.domain.events import FloatArray
from airpocket.lab.exchange import state
from airpocket.lab.exchange.draws import hashed, quantile_tables, stream_key
from airpocket.lab.exchange.pricing import EMA_BASIS, SECOND
from airpocket.lab.exchange.state import INVERSE, LINEAR, RATE, SPOT, Market, empty_market
from airpocket.lab.runs.rulebook import RULEBOOK, rules_of, schedule_of, tier_rows
from airpocket.lab.runs.worldfile import Venue, VenuePhase, World

Records: TypeAlias = Any  # an array of records of the market

COIN_UNIT = 1e-9  # money of an inverse venue, coin
FORMS = {"linear": LINEAR, "inverse": INVERSE, "spot": SPOT}
LOTS_PER_IMPACT_USD = (
    200_000.0  # order size of impact prices, as margins times leverage at the big venues
)


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
    market: Market
    accounts: list[dict[str, int]] = field(default_factory=list[dict[str, int]])
    actors: list[dict[str, int]] = field(default_factory=list[dict[str, int]])
    rows: dict[str, list[dict[str, float]]] = field(
        default_factory=dict[str, list[dict[str, float]]]
    )

    def book_of(self, name: str) -> int:
        """Number of the venue's book, which is the venue's number too: one contract a venue."""
        return [venue.name for venue in self.world.venue].index(name)

    def units(self, book: int, usd: float) -> int:
        """Dollars as whole units of the venue's money, at the price of the start."""
        terms = self.market.books[book]
        price = self.world.price_usd if terms.form == INVERSE else 1.0
        return round(usd / price / float(terms.unit))

    def lots(self, book: int, usd: float) -> float:
        """Lots that are worth so many dollars at the start."""
        terms = self.market.books[book]
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
    made = Draft(world, seed, empty_market())
    m = made.market
    m.now = m.start = world.start_ns
    m.fair, m.fair_volatility, m.book_count = world.price_usd, 1.0, len(world.venue)
    for book, venue in enumerate(world.venue):
        _book(made, book, venue)
        _venue(made, book, venue)
        _mix(made, book, venue)
    return made


def _book(made: Draft, book: int, venue: Venue) -> None:
    terms, price = made.market.books[book], made.world.price_usd
    tick = round(price / venue.tick_usd)
    terms.venue, terms.form, terms.window = book, FORMS[venue.kind], min(state.WINDOW - 1, 4 * tick)
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
    terms = made.market.books[book]
    if venue.kind == "spot":
        return
    start = made.world.start_ns
    per_unit = float(terms.unit) * (made.world.price_usd if venue.kind == "inverse" else 1.0)
    found, slope = tier_rows(schedule_of(venue, start), per_unit)
    terms.tiers, terms.slope = len(found), slope
    terms.counted_fee = rules_of(venue, start).liquidation_fee
    for k, (floor, mmr, deduction) in enumerate(found):
        made.market.tiers[book, k] = (floor, mmr, deduction)


def _venue(made: Draft, book: int, venue: Venue) -> None:
    it, conduct, start = made.market.venues[book], RULEBOOK[venue.rules], made.world.start_ns
    it.first_book, it.books = book, 1
    it.procedure, it.mark_rule = conduct.procedure, conduct.mark_rule
    it.feed, it.feed_window, it.mark_every = conduct.feed, conduct.feed_window, conduct.mark_every
    it.mark_next, it.fund_share = start, conduct.fund_share
    it.step = round(2.0 * made.world.step_s) * SECOND // 2
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
        made.market.mixes[book, k] = (leverage, 1.0 if k == len(mix) - 1 else below)


def market_of(made: Draft) -> Market:
    """The draft as a market: every account and agent in place, no order resting yet.

    Raises:
        BadInput: more agents of a kind than a market has room for.
    """
    m, world = made.market, made.world
    _check_room(made)
    order = _accounts_in_order(made)
    _accounts(made, order)
    for kind in ("makers", "takers", "traders", "pairs"):
        _fill(m[kind], made.rows.get(kind, []), order)
    for k, values in enumerate(made.actors):
        one = m.actors[k]
        one.kind, one.book, one.row = values["kind"], values["book"], values["row"]
        one.key = np.uint64(stream_key(made.seed, 1, k))
    m.account_count, m.actor_count = len(made.accounts), len(made.actors)
    m.trader_count, m.phase_count = len(made.rows.get("traders", [])), len(world.phase)
    _story(world, m)
    m.tables[:] = quantile_tables(world.size_tail)
    m.hours[:] = _hours(world)
    return m


def _check_room(made: Draft) -> None:
    wanted = {kind: len(rows) for kind, rows in made.rows.items()}
    wanted |= {"accounts": len(made.accounts), "actors": len(made.actors)}
    for kind, count in wanted.items():
        room = len(made.market[kind])
        if count > room:
            raise BadInput(f"{made.world.name}: {count} {kind}; a market has room for {room}")


def _accounts_in_order(made: Draft) -> list[int]:
    """New number of each account: those of a venue stand together."""
    sequence = sorted(range(len(made.accounts)), key=lambda k: (made.accounts[k]["venue"], k))
    order = [0] * len(sequence)
    for new, old in enumerate(sequence):
        order[old] = new
    return order


def _accounts(made: Draft, order: list[int]) -> None:
    m = made.market
    for old, values in enumerate(made.accounts):
        one = m.accounts[order[old]]
        one.venue, one.cash, one.pocket = values["venue"], values["cash"], values["pocket"]
        one.system = values["system"]
    for venue in range(len(made.world.venue)):
        it = m.venues[venue]
        mine = [order[k] for k, one in enumerate(made.accounts) if one["venue"] == venue]
        it.first_account, it.accounts = min(mine), len(mine)
        it.treasury, it.fund, it.vault = (order[int(k)] for k in (it.treasury, it.fund, it.vault))


def _fill(table: Records, rows: list[dict[str, float]], order: list[int]) -> None:
    for k, values in enumerate(rows):
        for name, value in values.items():
            table[name][k] = order[int(value)] if name.startswith("account") else value


def first_wakes(m: Market, spread_ns: dict[int, int], kinds_on_the_second: tuple[int, ...]) -> None:
    """When each actor first acts: venue clocks and the world at once, the others spread by chance.

    spread_ns: by actor, the stretch in which it first acts.
    """
    start = int(m.start)
    for k in range(int(m.actor_count)):
        wake = m.queue[k]
        wake.actor = k
        if int(m.actors[k].kind) in kinds_on_the_second:
            wake.time = start + int(m.venues[0].step)
        else:
            share = float(hashed(m.actors[k].key, 1_000_000_007))
            wake.time = start + 1 + int(share * spread_ns[k])


def _story(world: World, m: Market) -> None:
    names = [venue.name for venue in world.venue]
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
            one = m.story[k, book]
            one.start = round(phase.from_h * 3_600) * SECOND
            one.drift = round(drift / 100.0 / 3_600.0, 15)
            one.volatility = round(volatility * per_second, 15)
            for key, value in now[book].items():
                setattr(one, key, value)


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


def _hours(world: World) -> FloatArray:
    """(168,) from Monday 00:00 UTC, mean 1."""
    days = [world.weekend_depth if day >= 5 else 1.0 for day in range(7)]
    profile = [day * hour for day in days for hour in world.depth_by_hour]
    mean = math.fsum(profile) / 168.0
    return np.array([round(value / mean, 9) for value in profile])
