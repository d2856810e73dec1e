"""The map as blocks of a page: what is at risk, the ladder as bars, clusters and their moves, thin stretches."""

from airpocket.brief import words
from airpocket.brief.blocks import Block, Cell, Facts, Grid, Part, Words, band, nothing
from airpocket.brief.forced_page import exact, map_blocks
from airpocket.brief.map_model import ClusterMove, MapView, RiskRow, Rung, Since, VacuumSection
from airpocket.domain.estimates import Estimate
from airpocket.domain.tells import Tell

BAR = 36  # letters of the longest bar
_KNOWN, _REST = "█", "░"
_FATES = {
    "traded": "price went through it",
    "gone": "dissolved untouched",
    "new": "new",
    "grown": "grew",
    "shrunk": "shrank",
    "moved": "moved",
    "steady": "as it was",
}


def parts(view: MapView) -> list[Part]:
    """All sections in reading order."""
    return [
        Part("at_risk", "At risk", _risk(view)),
        Part("ladder", "The ladder", _ladder(view)),
        Part("stops", "Stop orders, apart", _stops(view)),
        Part("since", f"Since {words.moment(view.since.at)}", _since(view.since)),
        Part("vacuum", "Book against map", _vacuum(view.vacuum)),
        Part("map", "Liquidation map", map_blocks(view.map)),
    ]


def price_line(view: MapView) -> str:
    """Asset, price, reference contract and as-of time, on one line."""
    return (
        f"{words.plain(view.asset)} {words.figure(view.price)} on {words.plain(view.reference)}, "
        f"as of {words.moment(view.as_of)}"
    )


def _risk(view: MapView) -> list[Block]:
    if view.map.unknown is not None:
        return [nothing(view.map.unknown)]
    measured = bool(view.map.accounts)
    tables = [
        Grid(
            f"{title} (net: less the share believed hedged)",
            ("Move", "Forced", "10 to 90 %", "Net of hedged", "From", *(("Exact",) if measured else ())),
            [_risk_row(row, sign, measured=measured) for row in view.risk],
        )
        for title, sign in (("Shorts forced to buy", 1), ("Longs forced to sell", -1))
    ]  # fmt: skip
    shares = [
        Tell(id="hedged_shorts", label="Shorts believed hedged", estimate=view.at_risk.hedged_shorts),
        Tell(id="hedged_longs", label="Longs believed hedged", estimate=view.at_risk.hedged_longs),
    ]  # fmt: skip
    return [*tables, Facts("", shares)]


def _risk_row(row: RiskRow, sign: int, *, measured: bool) -> tuple[Cell, ...]:
    gross, net = (row.shorts, row.shorts_net) if sign > 0 else (row.longs, row.longs_net)
    share = row.shorts_exact_percent if sign > 0 else row.longs_exact_percent
    found: tuple[Cell, ...] = (
        f"{'+' if sign > 0 else '−'}{row.percent:g} %",
        words.value(gross),
        words.interval(gross) or "-",
        _net(net),
        words.badge(gross),
    )
    return (*found, exact(share)) if measured else found


def _net(net: Estimate) -> str:
    if net.value is None:
        return words.UNKNOWN  # the share's own line says why
    between = words.interval(net)
    return words.value(net) + (f" ({between})" if between else "")


def _ladder(view: MapView) -> list[Block]:
    if not view.ladder:
        return [nothing(view.map.unknown)]
    most = max(rung.forced_usd for rung in view.ladder) or 1.0
    rows = [_rung(rung, most) for rung in view.ladder]
    shorts = sum(rung.side == "short" for rung in view.ladder)
    rows.insert(shorts, ("price", words.price(view.ladder[shorts].high), "─" * BAR, ""))
    legend = f"; {_KNOWN} known exactly, {_REST} modelled" if view.map.accounts else ""
    caption = f"Forced out on the way to each price, in steps of 1 %{legend}"
    return [Grid(caption, ("Away", "Price", "", "Forced"), rows)]


def _rung(rung: Rung, most: float) -> tuple[Cell, ...]:
    some = rung.forced_usd > 0.0
    letters = max(round(BAR * rung.forced_usd / most), 1) if some else 0
    sure = round(letters * rung.exact_usd / rung.forced_usd) if some else 0
    return (
        f"{rung.percent:+g} %",
        words.price(rung.high if rung.side == "short" else rung.low),
        _KNOWN * sure + _REST * (letters - sure),
        words.with_unit(rung.forced_usd, words.USD) if some else "-",
    )


def _stops(view: MapView) -> list[Block]:
    said = Words(
        "Not liquidations, and in no figure here: stops close positions before that. They tend to stand just "
        "beyond swings that price has not traded through since; how many is not known."
    )
    rows: list[tuple[Cell, ...]] = [
        (
            f"{each.side}s, beyond {words.price(each.beyond)}",
            words.signed_percent(each.distance_percent),
            each.because,
        )
        for each in view.stops
    ]
    if not rows:
        return [said, Words("No swing near the price stands.")]
    return [said, Grid("Where they are likely (a belief)", ("Whose", "Away", "Because"), rows)]


def _since(since: Since) -> list[Block]:
    if since.unknown is not None:
        return [nothing(since.unknown)]
    assert since.price_before is not None
    assert since.price_percent is not None
    assert since.low is not None
    assert since.high is not None
    interest = "; ".join(
        f"{each.contract} {words.signed_percent(each.change.value or 0.0)}"
        for each in since.interest
    )
    said = (
        f"Price {words.price(since.price_before)} → {words.signed_percent(since.price_percent)}, between "
        f"{words.price(since.low)} and {words.price(since.high)}. Open interest: {interest or 'not told'}."
    )
    blocks: list[Block] = [Words(said)]
    changes: list[tuple[Cell, ...]] = [
        (f"{each.percent:g} %", _signed(each.shorts), _signed(each.longs)) for each in since.at_risk
    ]
    blocks.append(
        Grid("Change of what is at risk, each time from the price of its own moment",
             ("Within", "Shorts", "Longs"), changes)
    )  # fmt: skip
    if since.clusters:
        blocks.append(
            Grid(
                "How the clusters moved; amounts are of the same prices then and now",
                ("Side", "Peak then", "Peak now", "Moved", "Then", "Now", "What became of it"),
                [_move(each) for each in since.clusters],
            )
        )
    return blocks


def _signed(change: Estimate) -> str:
    if change.value is None:
        return words.value(change)
    return ("+" if change.value > 0.0 else "") + words.with_unit(change.value, words.USD)


def _move(move: ClusterMove) -> tuple[Cell, ...]:
    return (
        f"{move.side}s",
        "-" if move.peak_before is None else words.price(move.peak_before),
        "-" if move.peak_now is None else words.price(move.peak_now),
        "-" if move.moved_percent is None else words.signed_percent(move.moved_percent),
        words.value(move.before_usd),
        words.value(move.now_usd),
        _FATES[move.fate],
    )


def _vacuum(section: VacuumSection) -> list[Block]:
    if section.unknown is not None:
        return [nothing(section.unknown)]
    reach = (
        f"Stored orders of {words.plain(section.source)} reach {section.up_reach_percent:.2f} % up and "
        f"{section.down_reach_percent:.2f} % down; beyond, nothing is known of what rests."
    )
    blocks: list[Block] = [Words(reach)]
    if section.thin:
        thin: list[tuple[Cell, ...]] = [
            (
                each.direction,
                band(each.low, each.high),
                words.with_unit(each.resting_usd, words.USD),
                words.with_unit(each.usual_usd, words.USD),
                words.value(each.forced_usd),
            )
            for each in section.thin
        ]
        columns = ("Way", "Quote per coin", "Rests", "Usually", "Forced in it")
        blocks.append(Grid("Vacuum: less than half of the usual density rests", columns, thin))
    else:
        blocks.append(Words("No stretch of it is thinner than half of the usual density."))
    covers: list[tuple[Cell, ...]] = [
        (
            f"{each.side}s at {words.price(each.peak)}",
            words.signed_percent(each.distance_percent),
            words.value(each.forced_usd),
            _reached(each.on_the_way_usd),
            _reached(each.inside_usd),
        )
        for each in section.covers
        if each.on_the_way_usd is not None
    ]
    if covers:
        columns = ("Cluster", "Away", "Forced", "Rests before it", "Rests inside it")
        blocks.append(Grid("What rests against the clusters in reach", columns, covers))
    else:
        blocks.append(Words("No cluster lies within reach of the stored orders."))
    return blocks


def _reached(usd: float | None) -> str:
    return "beyond the book" if usd is None else words.with_unit(usd, words.USD)
