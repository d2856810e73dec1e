"""Who lives in a world: agents with their money and habits, drawn from the world file and the seed."""

from typing import NamedTuple

from airpocket.lab.agents.makers import SPAN
from airpocket.lab.agents.pairs import ARBITRAGE, CARRY
from airpocket.lab.agents.takers import FLOW, INFORMED, NOISE, REVERTER, TREND
from airpocket.lab.exchange.pricing import SECOND
from airpocket.lab.exchange.state import QUOTES
from airpocket.lab.runs.loop import MAKES, PAIRS, TAKES, TRADES, VENUE_CLOCK, WORLD
from airpocket.lab.runs.making import Dice, Draft
from airpocket.lab.runs.worldfile import Carry, Followers, Traders, Venue

LADDER_REACH = 0.025  # the last quote's distance, as a share of the price
RICHEST = 6.0  # a trader's wealth at most, in those of the poorest
SLIPPAGE = 0.004  # takers' orders reach so far beyond the touch
PURSE = 4.0  # what a carry fund holds beyond its capacity of spot, in capacities
FLOW_CAPITAL_USD = 5e9
MAKER_PACE = (0.7, 1.4)  # each maker's size and patience differ by a factor between these


class Populated(NamedTuple):
    """Agents whose accounts matter later, by draft number."""

    traders: dict[int, list[int]]  # by book, rows of the trader table
    makers: dict[int, list[int]]  # by book, rows of the maker table
    carriers: dict[int, list[int]]  # by perpetual book, rows of the pair table
    spread_ns: dict[int, int]  # by actor, the stretch in which it first acts


def populate(made: Draft) -> Populated:
    """Adds every agent of the world to the draft."""
    people = Populated({}, {}, {}, {})
    made.actor(WORLD, 0, 0)
    for book, venue in enumerate(made.world.venue):
        made.actor(VENUE_CLOCK, book, book)
        _makers(made, people, book, venue)
        _takers(made, people, book, venue)
        if venue.traders is not None:
            _traders(made, people, book, venue.traders)
    for pair in made.world.arbitrage:
        a, b = (made.book_of(name) for name in pair.between)
        for _ in range(pair.count):
            usd = pair.capacity_usd_m * 1e6
            values = {
                "style": ARBITRAGE, "threshold": pair.threshold_bps / 1e4, "exit": 0.0,
                "clip_coin": pair.clip_usd / made.world.price_usd,
                "capacity_coin": usd / made.world.price_usd,
                "wake": pair.wake_ms * 1e6,
            }  # fmt: skip
            _pair(made, people, (a, b), usd, values)
    for carry in made.world.carry:
        _carriers(made, people, carry)
    return people


def _makers(made: Draft, people: Populated, book: int, venue: Venue) -> None:
    world, makers = made.world, venue.makers
    dice = Dice(made.seed, 2, book)
    tick = world.price_usd / venue.tick_usd
    stretch = LADDER_REACH * tick / SPAN
    per_unit = made.lots(book, makers.depth_usd_m * 1e6) / (0.01 * tick / stretch)
    reference = made.book_of(makers.reference) if makers.reference else -1
    learn = 0.01 * makers.learn / made.lots(book, makers.depth_usd_m * 1e6)
    people.makers[book] = []
    for _ in range(makers.count):
        size = dice.between(*MAKER_PACE)
        wake = makers.wake_ms * 1e6 * dice.between(*MAKER_PACE)
        capital = makers.capital_usd_m * 1e6 / makers.count
        home = 0
        if venue.kind == "spot":
            home = round(made.lots(book, capital / 2.0))
            capital /= 2.0
        row = made.row(
            "makers",
            account=made.account(book, made.units(book, capital)),
            book=book, reference=reference, wake=round(wake), levels=QUOTES,
            density=per_unit / makers.count * size, stretch=stretch,
            half_spread=makers.half_spread_bps / 1e4 * tick * dice.between(0.8, 1.6),
            belief=tick, basis=0.0, seen=0, learn=learn, link=makers.link, refill=makers.refill,
            pull=makers.pull_back, floor=makers.pull_floor, skew=makers.skew_bps / 1e4, home=home,
            limit=max(1, round(made.lots(book, makers.limit_usd_m * 1e6 / makers.count))),
            lay_off=min(1.0, makers.wake_ms / 3.6e6 / makers.lay_off_h),
        )  # fmt: skip
        people.makers[book].append(row)
        people.spread_ns[made.actor(MAKES, book, row)] = SECOND // 2


def _takers(made: Draft, people: Populated, book: int, venue: Venue) -> None:
    noise, informed = venue.noise, venue.informed
    if noise is not None:
        wake = 60.0 * noise.count / noise.orders_per_min
        for _ in range(noise.count):
            values = {"lots": made.lots(book, noise.size_usd), "parent": noise.parent_orders}
            money = (noise.capital_usd_m, noise.limit_usd_m, noise.count)
            _taker(made, people, book, NOISE, wake, money, values)
    for style, group in ((TREND, venue.trend), (REVERTER, venue.reverters)):
        if group is not None:
            for _ in range(group.count):
                money = (group.capital_usd_m, group.limit_usd_m, group.count)
                _taker(made, people, book, style, group.wake_s, money, _habits(made, book, group))
    if informed is not None:
        values = {
            "lots": made.lots(book, informed.size_usd), "threshold": informed.threshold_bps / 1e4
        }  # fmt: skip
        for _ in range(informed.count):
            money = (informed.capital_usd_m, informed.limit_usd_m, informed.count)
            _taker(made, people, book, INFORMED, informed.wake_s, money, values)
    if any(_flows(made, venue.name)):
        usd_m = FLOW_CAPITAL_USD / 1e6
        _taker(made, people, book, FLOW, 1.0, (usd_m, usd_m, 1), {"slippage": 0.02})


def _flows(made: Draft, name: str) -> list[bool]:
    """Whether each phase sends market orders to a venue."""
    found: list[bool] = []
    for phase in made.world.phase:
        own = phase.venue[name].flow_usd_m_per_min if name in phase.venue else None
        found.append(bool(own if own is not None else phase.flow_usd_m_per_min))
    return found


def _habits(made: Draft, book: int, group: Followers) -> dict[str, float]:
    tick = made.world.price_usd / made.world.venue[book].tick_usd
    return {
        "lots": made.lots(book, group.size_usd), "gain": group.gain * 100.0,
        "fast": tick, "slow": tick,
        "fast_weight": min(1.0, group.wake_s / group.fast_s),
        "slow_weight": min(1.0, group.wake_s / group.slow_s),
    }  # fmt: skip


def _taker(
    made: Draft, people: Populated, book: int, style: int, wake_s: float,
    money: tuple[float, float, int], values: dict[str, float],
) -> None:  # fmt: skip
    """money: capital and limit of the whole group in million dollars, and how many share it."""
    capital, limit, count = money
    usd, home = capital * 1e6 / count, 0
    if made.world.venue[book].kind == "spot":
        home = round(made.lots(book, usd / 2.0))
        usd /= 2.0
    row = made.row(
        "takers",
        style=style, account=made.account(book, made.units(book, usd)), book=book,
        wake=round(wake_s * SECOND), home=home,
        limit=max(1, round(made.lots(book, limit * 1e6 / count))),
        **{"slippage": SLIPPAGE, **values},
    )  # fmt: skip
    spread = SECOND if style == FLOW else round(2.0 * wake_s * SECOND)
    people.spread_ns[made.actor(TAKES, book, row)] = spread


def _traders(made: Draft, people: Populated, book: int, traders: Traders) -> None:
    """Money by Pareto; it is scaled when the positions of the start are known (`opening`)."""
    dice = Dice(made.seed, 3, book)
    looks = 86_400.0 / traders.wake_s
    people.traders[book] = []
    for _ in range(traders.count):
        wealth = round((1.0 - dice.uniform()) ** (-1.0 / made.world.size_tail), 6)
        row = made.row(
            "traders",
            account=made.account(book, 0, pocket=round(min(wealth, RICHEST) * 1e6)),
            book=book, wake=round(traders.wake_s * SECOND * dice.between(0.5, 1.5)),
            cross=dice.uniform() < traders.cross_share,
            eager=traders.opens_per_day / looks / 2.0, long_bias=0.5, care=1e4 / traders.basis_care_bps,
            position_share=traders.position_share, leverage=1.0, close=traders.closes_per_day / looks,
            take_profit=traders.take_profit, tilt=traders.disposition,
            stop_share=traders.stop_share, panic_at=traders.panic_at, panic=traders.panic,
            top_up=traders.top_up,
        )  # fmt: skip
        people.traders[book].append(row)
        people.spread_ns[made.actor(TRADES, book, row)] = round(traders.wake_s * SECOND)


def _carriers(made: Draft, people: Populated, carry: Carry) -> None:
    a, b = made.book_of(carry.spot), made.book_of(carry.perp)
    usd = max(carry.capacity_usd_m, carry.start_usd_m) * 1e6 / carry.count
    for _ in range(carry.count):
        values = {
            "style": CARRY, "threshold": carry.enter_bps / 1e4, "exit": carry.exit_bps / 1e4,
            "clip_coin": carry.clip_usd / made.world.price_usd,
            "capacity_coin": usd / made.world.price_usd, "wake": carry.wake_s * SECOND,
        }  # fmt: skip
        row = _pair(made, people, (a, b), usd, values)
        people.carriers.setdefault(b, []).append(row)


def _pair(
    made: Draft, people: Populated, books: tuple[int, int], usd: float, values: dict[str, float]
) -> int:
    """An agent with money for its whole capacity on both books; spot accounts hold coin for half."""
    a, b = books
    accounts = [made.account(book, made.units(book, PURSE * usd)) for book in books]
    row = made.row(
        "pairs", account_a=accounts[0], book_a=a, account_b=accounts[1], book_b=b, home=0, **values
    )
    people.spread_ns[made.actor(PAIRS, a, row)] = max(1, round(2.0 * values["wake"]))
    return row
