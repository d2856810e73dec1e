"""A drill in words: what stands at the start, a line a minute, and the score at the end."""

import textwrap
from collections.abc import Iterator

from airpocket.cascade.records import Pocket
from airpocket.drill.account import Account
from airpocket.drill.desk import plan_words
from airpocket.drill.follower import clock
from airpocket.drill.orders import HELP
from airpocket.drill.play import Frame
from airpocket.drill.records import Decision, Drill, Way

_WIDTH = 108


def opening(label: str, account: Account, mark: float) -> list[str]:
    """What is held, where it ends by force, and what may be said."""
    notional = account.size_coin * account.entry_price
    away = account.distance_percent(mark)
    ends = (
        "no price forces it out"
        if away is None
        else f"forced out at {account.liquidation_price:,.1f} ({-account.sign * away:+.1f} %)"
    )
    held = (
        f"You are {account.side.upper()} {account.size_coin:,.4g} coin on {account.terms.venue} from"
        f" {account.entry_price:,.1f}: {notional:,.0f} USD on {account.margin_usd:,.0f} of margin"
        f" ({notional / max(account.margin_usd, 1e-9):.1f} x), {ends}."
    )
    return [
        f"*** {label}: an invented market. Paper only: nothing here reaches a venue. ***",
        *_wrapped(held, ""),
        f"Orders: {HELP}",
    ]


def line(frame: Frame) -> str:
    """One moment of the market and of the position."""
    account, second = frame.account, frame.second
    move = 100.0 * (second.mark / frame.price_first - 1.0)
    parts = [f"{clock(frame.at_s)}  {second.mark:,.1f} ({move:+.1f} %)"]
    if account.open:
        away = account.distance_percent(second.mark)
        ends = "no forced exit" if away is None else f"forced exit {away:.1f} % away"
        pnl = account.pnl_usd(second.mark, frame.hedge_mark)
        parts.append(f"{account.side} {account.size_coin:,.4g}, PnL {pnl:+,.0f}, {ends}")
    else:
        parts.append(f"flat, PnL {account.pnl_usd(second.mark, frame.hedge_mark):+,.0f}")
    if account.hedge_coin:
        parts.append(f"hedge {account.hedge_coin:+,.4g}")
    parts.append(
        f"forced 10 min: buys {_usd(frame.forced_buy_usd)}, sells {_usd(frame.forced_sell_usd)}"
    )
    if second.funding_estimate is not None:
        parts.append(f"funding {100.0 * second.funding_estimate:+.3f} %")
    if second.open_interest_coin is not None:
        parts.append(f"OI {second.open_interest_coin / 1e3:,.0f}k")
    return " | ".join(parts)


def fires(frame: Frame) -> tuple[str, ...]:
    """What changes when the plan asks for something else."""
    return tuple(step.id for step in frame.outlook.firing)


def outlook(frame: Frame) -> list[str]:
    """What airpocket makes of it: pockets and the plan."""
    found = frame.outlook
    pockets = "; ".join(
        _pocket(way, pocket) for way, pocket in (("up", found.up), ("down", found.down)) if pocket
    )
    lines = [f"nearest pockets, as modelled: {pockets or 'none known'}"]
    if frame.account.open:
        lines.append(f"plan: {plan_words(found)}")
    return [each for text in lines for each in _wrapped(text, " " * 9)]


def result(drill: Drill) -> Iterator[str]:
    """The score, the ways through, and each decision with what came of it."""
    yield ""
    yield f"*** {drill.label}: an invented market ***"
    yield from _wrapped(_verdict(drill), "")
    yield ""
    yield f"{'':24}{'result, USD':>13}{'fees':>9}{'funding':>9}  nearest to the forced exit, and how it ended"
    yield _row("you", drill.you)
    yield _row("held to the end", drill.held)
    yield _row("the plan, obeyed", drill.plan)
    best = drill.best
    when = f"all at {clock(best.at_s)}, {best.price:,.1f}"
    yield f"{'best exit, in hindsight':24}{best.pnl_usd:>+13,.0f}{'':>18}  {when}"
    yield ""
    yield from _wrapped(
        f"Price went from {drill.price_first:,.1f} to {drill.price_last:,.1f}, between {drill.price_low:,.1f} and"
        f" {drill.price_high:,.1f}. Venues told of {_usd(drill.forced_buys_usd)} forced buying and"
        f" {_usd(drill.forced_sells_usd)} forced selling.", "",
    )  # fmt: skip
    yield ""
    yield "What you did" if drill.decisions else "You did nothing."
    for decision in drill.decisions:
        yield from _told(decision)
    if drill.plan_did:
        yield "What the plan did"
        for text in drill.plan_did:
            yield f"  {text}"


def _verdict(drill: Drill) -> str:
    you, held = drill.you, drill.held
    lost = "made" if you.pnl_usd >= 0 else "lost"
    parts = [f"You {lost} {abs(you.pnl_usd):,.0f} USD."]
    if you.liquidated:
        parts = [
            f"You were forced out at {you.forced_price or 0.0:,.1f} and {lost} {abs(you.pnl_usd):,.0f} USD."
        ]
    end = f"forced out at {held.forced_price:,.1f}" if held.forced_price else "closed at the end"
    parts.append(f"Left alone the position was {end}: {held.pnl_usd:+,.0f}.")
    parts.append(_against("Obeying the plan", drill.plan.pnl_usd, you.pnl_usd))
    parts.append(
        f"The best moment to close it all was {clock(drill.best.at_s)}: {drill.best.pnl_usd:+,.0f}."
    )
    if drill.share_kept is not None and drill.share_kept >= 0.0:
        parts.append(f"Of what lay between the two, you kept {100.0 * drill.share_kept:.0f} %.")
    elif drill.share_kept is not None:
        parts.append("You did worse than doing nothing.")
    return " ".join(parts)


def _against(what: str, other: float, yours: float) -> str:
    better = "better" if other > yours + 0.5 else "worse" if other < yours - 0.5 else ""
    rest = f"{abs(other - yours):,.0f} {better} than yours" if better else "the same as yours"
    return f"{what} came to {other:+,.0f}, {rest}."


def _row(name: str, way: Way) -> str:
    worst = (
        "never at risk"
        if way.worst_percent is None
        else f"{way.worst_percent:.1f} % at {clock(way.worst_s)}"
    )
    if way.liquidated:
        worst = f"forced out at {clock(way.closed_s or 0)}, {way.forced_price or 0.0:,.1f}"
    elif way.closed_s is not None and way.fills[-1].cause != "end":
        worst += f"; out at {clock(way.closed_s)}"
    if way.margin_added_usd:
        worst += f"; {way.margin_added_usd:,.0f} margin added"
    return f"{name:24}{way.pnl_usd:>+13,.0f}{way.fees_usd:>9,.0f}{way.funding_usd:>9,.0f}  {worst}"


def _told(decision: Decision) -> Iterator[str]:
    away = decision.distance_percent
    where = "" if away is None else f", forced exit {away:.1f} % away"
    yield f"  {clock(decision.at_s)}  at {decision.price:,.1f}{where}: {decision.order}"
    done = f"not done: {decision.refused}" if decision.refused else decision.did
    yield from _wrapped(
        f"{done}; {decision.consequence}" if decision.consequence else done, " " * 11
    )
    if decision.plan:
        yield from _wrapped(f"the plan said: {decision.plan}", " " * 11)


def _pocket(way: str, pocket: Pocket) -> str:
    """A push that carries price over a gap at once."""
    end = (
        f"to {pocket.stop_percent:+.1f} %"
        if pocket.inside_grid
        else f"beyond {pocket.stop_percent:+.0f} %"
    )
    return f"{way}, a push of {_usd(pocket.push_usd)}: from {pocket.start_percent:+.1f} % at once {end}"


def _usd(value: float) -> str:
    if abs(value) < 1e6:
        return f"${value / 1e3:,.0f}k" if value else "$0"
    return f"${value / 1e6:,.1f} mn" if abs(value) < 1e9 else f"${value / 1e9:,.2f} bn"


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=indent)
