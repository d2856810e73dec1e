"""The answer to a what-if as a page of plain blocks: how far, what is forced, what comes back, what it rests on."""

from airpocket.brief import words
from airpocket.brief.blocks import Block, Cell, Grid, Part, Points, Words
from airpocket.cascade.coupling import Coupling, Uncoupled
from airpocket.cascade.network import Network, Range
from airpocket.cascade.outcomes import Chance, Spread, Taken
from airpocket.cascade.phase import Moment, Phase
from airpocket.cascade.records import Unscanned
from airpocket.cascade.whatif import WhatIf
from airpocket.domain.units import format_time

_BARS = 24  # characters of the longest bar
_RUNAWAY = 1.0
_PER_CENT = 0.01
_COINS = 6  # that are shown


def answer(asset: str, found: WhatIf) -> str:
    """The one sentence."""
    here, none = found.pushed.extreme, found.without.extreme
    verb = "lifts" if found.way == "up" else "lowers"
    return (
        f"{_question(found)} {verb} {words.plain(asset)} by {here.middle:.1f} % in the middle of all paths "
        f"({here.low:.1f} to {here.high:.1f} % in eight of ten); without it {none.middle:.1f} %."
    )


def head_line(found: WhatIf) -> str:
    """Price, horizon and paths on one line."""
    minutes = found.course.steps * found.course.step_s / 60.0
    return (
        f"as of {words.moment(format_time(found.now))}, from {words.price(found.price)}, within {minutes:g} min, "
        f"{found.pushed.paths:,} paths, seed {found.course.seed}; modelled on priors that nobody has fitted: "
        "what they imply, no forecast"
    )


def parts(asset: str, found: WhatIf) -> list[Part]:
    """All sections in reading order."""
    return [
        Part("reach", "How far", [_reach(found), _stops(found)]),
        Part("course", "What comes of it", [_course(found)]),
        Part(
            "phase", "Does it feed itself", [*map(Words, _phase(found.phase)), *_trail(found.trail)]
        ),
        Part("network", "Who ignites whom", [*_network(found.network), *_coupling(asset, found)]),
        Part("about", "What this rests on", [Points("", list(found.notes))]),
    ]


def _question(found: WhatIf) -> str:
    push, told = found.push, list[str]()
    if push.usd:
        verb = "buying" if push.usd > 0.0 else "selling"
        amount = words.with_unit(abs(push.usd), words.USD)
        told.append(f"{verb} {amount} within {found.course.push_s:g} s")
    if push.jump:
        told.append(f"a jump to {words.price(found.price * 2.718281828459045**push.jump)}")
    text = " and ".join(told) or "nothing done"
    if push.on or push.spot:
        text += f" on {', '.join(words.plain(key) for key in push.on) or 'spot'}"
    if push.depth != 1.0:
        text += f" on {100.0 * push.depth:g} % of the book"
    return text[0].upper() + text[1:]


def _reach(found: WhatIf) -> Grid:
    sign = "+" if found.way == "up" else "−"
    rows: list[tuple[Cell, ...]] = [
        (f"{sign}{at:g} %", _chance(chance), _chance(found.without.reach[at]))
        for at, chance in found.pushed.reach.items()
    ]
    if found.pushed.left.of > 0.0:
        rows.append(
            ("beyond map and book", _chance(found.pushed.left), _chance(found.without.left))
        )
    caption = "Chance that price is there at some time; ± is the error of simulating it, no more"
    return Grid(caption, ("Reaches", "With it", "Without"), rows)


def _stops(found: WhatIf) -> Grid:
    edges, share = found.pushed.stops
    most = float(share.max())
    rows: list[tuple[Cell, ...]] = [
        (
            f"{low:.1f} to {high:.1f} %",
            f"{100 * part:.1f} %",
            "█" * max(round(_BARS * part / most), 1),
        )
        for low, high, part in zip(edges[:-1], edges[1:], share, strict=True)
        if part >= 0.005
    ]
    return Grid("Where the furthest point lies", ("Distance", "Of paths", ""), rows)


def _course(found: WhatIf) -> Grid:
    one, none = found.pushed, found.without
    side = "bought" if found.way == "up" else "sold"
    other = "sold" if found.way == "up" else "bought"
    rows: list[tuple[Cell, ...]] = [
        ("furthest point", _percent(one.extreme), _percent(none.extreme)),
        ("at the end", _percent(one.kept), _percent(none.kept)),
        ("came back by the end, of the furthest", _share(one.retrace), _share(none.retrace)),
        (f"forced: {side}", _usd(one.forced_usd), _usd(none.forced_usd)),
        ("of it the book never took", _part(one.off_book), _part(none.off_book)),
        ("... insurance funds did", _part(one.insured), _part(none.insured)),
        ("... winners did, deleveraged", _part(one.deleveraged), _part(none.deleveraged)),
        (f"forced on the other side: {other}", _usd(found.other_side.forced_usd), "-"),
        ("time to the furthest point", _seconds(one.extreme_s), _seconds(none.extreme_s)),
    ]
    return Grid("Middle of all paths (10 to 90 %)", ("", "With it", "Without"), rows)


def _phase(phase: Phase) -> list[str]:
    runaway = (1.0 + phase.kappa_tau**0.5) ** 2
    bounds = (
        f"With κτ {phase.kappa_tau:.2f} (how fast price recovers times how late forced orders come) a burst speeds "
        f"up from R {phase.growth:.2f} and has no turning point from R {runaway:.2f} while its fuel lasts."
    )
    state = (
        "nothing turns a burst round while its fuel lasts"
        if phase.squeeze >= _RUNAWAY
        else "a burst speeds up first, then ends by itself"
        if phase.reproduction > phase.growth
        else "a burst ends by itself"
    )
    here = (
        f"R {phase.reproduction:.2f} in the first per cent, in the middle of what is likely, squeeze number "
        f"S {phase.squeeze:.2f}"
    )
    hot = (
        f"The hottest per cent begins {phase.hottest_percent:+.1f} % away: R {phase.hottest:.2f}."
        if phase.hottest > phase.reproduction
        else "Nowhere within ten per cent is it hotter."
    )
    return [f"{here}: {state}.", hot, bounds]


def _trail(trail: tuple[Moment, ...]) -> list[Block]:
    if not trail:
        return []
    rows: list[tuple[Cell, ...]] = [
        (words.moment(format_time(at.at)), "-", "-", "-", words.plain(at.unknown))
        if at.phase is None
        else (
            words.moment(format_time(at.at)), f"{at.phase.reproduction:.2f}", f"{at.phase.kappa_tau:.2f}",
            f"{at.phase.squeeze:.2f}",
            f"R {at.phase.hottest:.2f} from {at.phase.hottest_percent:+.1f} %",
        )
        for at in trail
    ]  # fmt: skip
    head = ("", "R", "κτ", "S", "Hottest per cent, or why unknown")
    return [Grid("The way here, each with the map and book of its moment", head, rows)]


def _network(found: Network | Unscanned) -> list[Block]:
    if isinstance(found, Unscanned):
        return [Words(f"Unknown: {found.reason}.")]
    rows: list[tuple[Cell, ...]] = [
        (
            words.plain(venue.key), words.with_unit(_PER_CENT * venue.depth_usd, words.USD),
            "-" if venue.spot else words.with_unit(_PER_CENT * venue.fuel_usd, words.USD),
            _cents(venue.ignites), "-" if venue.spot else _cents(venue.own),
            "-" if venue.spot else _cents(venue.caught), "-" if venue.spot else f"{100 * venue.lead:.0f} %",
        )
        for venue in found.venues
    ]  # fmt: skip
    head = ("", "Rests a %", "Forced a %", "Ignites", "Of it itself", "Is ignited", "Leads")
    caption = (
        "What a dollar forced on each forces next (middle, 10 to 90 % over the priors): on all, on itself; "
        "what one on each forces on it; its share of a cascade that has run for long. Spot forces nobody, a push "
        "on it does"
    )
    radius = found.radius
    state = "feed each other while fuel lasts" if radius.middle > 1.0 else "do not feed each other"
    blocks: list[Block] = [
        Words(
            f"Together the venues {state}: spectral radius {radius.middle:.2f} ({radius.low:.2f} to "
            f"{radius.high:.2f}), above 1 in {100 * found.feeds_itself:.0f} % of the priors."
        ),
        Grid(caption, head, rows),
    ]
    left = [
        f"{words.plain(key)} is left out: {words.plain(reason)}." for key, reason in found.missing
    ]
    return [*blocks, Points("", [*left, *found.notes])]


def _coupling(asset: str, found: WhatIf) -> list[Block]:
    """What wallets that hold several coins do, by venue with public accounts."""
    blocks: list[Block] = []
    for one in found.coupling:
        if isinstance(one, Uncoupled):
            blocks.append(Words(f"Flow between coins unknown: {words.plain(one.reason)}."))
            continue
        mine = [k for k, coin in enumerate(one.coins) if coin == asset]
        if mine:
            blocks += [Words(_wallets(one)), _coins(one, mine[0])]
    if not found.coupling:
        blocks.append(
            Words(
                "Flow between coins through shared collateral unknown: no public accounts are stored."
            )
        )
    return blocks


def _wallets(one: Coupling) -> str:
    return (
        f"{one.accounts:,} public cross accounts on {one.venue}; moving one coin alone liquidates {one.forced:,} "
        "of them. Whether coins feed each other needs the book of each, which a question about one does not read."
    )


def _coins(one: Coupling, mine: int) -> Grid:
    out, back = one.with_move[:, mine] * _PER_CENT, one.with_move[mine] * _PER_CENT
    against = one.against_move[:, mine] * _PER_CENT
    order = sorted(range(len(one.coins)), key=lambda k: -max(out[k], back[k], against[k]))[:_COINS]
    rows: list[tuple[Cell, ...]] = [
        (words.plain(one.coins[k]), *(words.with_unit(float(a[k]), words.USD) for a in (out, against, back)))
        for k in order
    ]  # fmt: skip
    coin, way = words.plain(one.coins[mine]), "rise" if one.direction == "up" else "fall"
    caption = f"A {way} of a per cent, USD a per cent: measured on accounts, moved by three"
    return Grid(
        caption,
        ("", f"{coin}'s forces along", f"{coin}'s forces against", f"its own forces {coin}"),
        rows,
    )


def _cents(range_: Range) -> str:
    return f"{range_.middle:.2f} ({range_.low:.2f} to {range_.high:.2f})"


def _chance(chance: Chance) -> str:
    return f"{100 * chance.of:.1f} % ± {100 * chance.error:.1f}"


def _percent(spread: Spread) -> str:
    return f"{spread.middle:.2f} % ({spread.low:.2f} to {spread.high:.2f})"


def _share(spread: Spread | None) -> str:
    if spread is None:
        return "-"
    return f"{100 * spread.middle:.0f} % ({100 * spread.low:.0f} to {100 * spread.high:.0f})"


def _usd(spread: Spread) -> str:
    low, high = (words.with_unit(value, words.USD) for value in (spread.low, spread.high))
    return f"{words.with_unit(spread.middle, words.USD)} ({low} to {high})"


def _seconds(spread: Spread) -> str:
    return f"{spread.middle:.0f} s ({spread.low:.0f} to {spread.high:.0f})"


def _part(part: Taken | None) -> str:
    if part is None:
        return "-"
    low, high = 100 * part.low, 100 * part.high
    return f"{100 * part.of:.1f} % ± {100 * part.error:.1f} ({low:.0f} to {high:.0f})"
