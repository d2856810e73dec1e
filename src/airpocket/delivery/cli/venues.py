"""`airpocket venues`: which venues can be heard, what each brings, how its channels are now, and its clock."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airpocket.ingest.feed import Feed
    from airpocket.ingest.skew import Skew
    from airpocket.live.health_file import Health
    from airpocket.market.pulse import PulseStatus


def venues(
    asset: str = "ETH",
    *,
    store: Path = Path("store"),
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Which venues can be heard without keys, and how every channel is, if a recorder runs.

    sample: the venue reports only some of what happens, so sums are lower bounds. A channel that speaks
    only when something happens is live while its connection brings other data. Lag is how old the last
    message was when it arrived, by the venue's own clock as far as that is known.

    Args:
        asset: The coin whose contracts are listed.
        store: Folder of the store a recorder writes to.
        as_json: Print JSON.
    """
    from airpocket.ingest.world import SystemClock
    from airpocket.live import health_file
    from airpocket.live.feeds import feeds_of

    feeds = feeds_of([asset.upper()])
    health = health_file.read(store)
    now = SystemClock().now()
    if as_json:
        _print_json(feeds, health, now)
    else:
        _print(feeds, health, now)
    return 0


def _states(health: "Health | None", now: int) -> "dict[tuple[str, str, str], PulseStatus]":
    """(venue, symbol, channel) → how it is; empty when no recorder runs."""
    from airpocket.live.health_file import OLD_S

    if health is None or (now - health.asof) / 1e9 > OLD_S:
        return {}
    return {(c.venue, c.symbol, c.channel): c for c in health.channels}


def _print(feeds: "dict[str, Feed]", health: "Health | None", now: int) -> None:
    from airpocket.delivery.cli.printing import print_table, say
    from airpocket.domain.units import format_time

    states = _states(health, now)
    if not states:
        last = "" if health is None else f"; the last one stopped at {format_time(health.asof)}"
        say(f"no recorder runs on this store{last}: states are not known")
    if health is not None and health.simulated:
        say(f"recorded here: {health.simulated}, an invented market")
    for note in () if health is None or not states else health.notes:
        say(note)
    rows: list[list[str]] = []
    for feed in feeds.values():
        for channel in feed.channels:
            at = states.get((feed.venue, channel.symbol, channel.name))
            due = "when it happens" if channel.silence_s is None else f"{channel.silence_s:g} s"
            rows.append(
                [
                    feed.venue,
                    channel.symbol,
                    channel.name,
                    due,
                    channel.coverage,
                    "–" if at is None else at.state,
                    "–" if at is None or at.age_s is None else f"{at.age_s:,.0f} s",
                    "–" if at is None or at.lag_s is None else f"{1_000 * at.lag_s:,.0f} ms",
                    "" if at is None else at.reason,
                ]
            )
        rows += [
            [feed.venue, "", name, "", "none", "–", "–", "–", why]
            for name, why in feed.absent.items()
        ]
    print_table(
        f"{len(feeds)} venues, {len(rows)} channels; no keys needed",
        [
            "venue",
            "symbol",
            "channel",
            "silent at most",
            "coverage",
            "state",
            "age",
            "lag",
            "reason",
        ],
        rows,
        right={"silent at most", "age", "lag"},
    )
    if health is not None:
        _print_odd(health)
    if health is not None and states:
        _print_clocks(health.clocks)
        for line in health.alarms:
            say(f"! {line}")


def _print_odd(health: "Health") -> None:
    """What was not understood, and what is new in the venues' messages; nothing where there is neither."""
    from airpocket.delivery.cli.printing import print_table
    from airpocket.domain.units import format_time

    if health.refused:
        counted = sorted(health.refused.items(), key=lambda each: -each[1])[:20]
        rows = [[*what.partition(": ")[::2], f"{count:,}"] for what, count in counted]
        print_table("frames not understood", ["venue", "reason", "times"], rows, right={"times"})
    if health.news:
        rows = [
            [n.venue, n.channel, n.what, format_time(n.since), f"{n.seen:,}"] for n in health.news
        ]
        columns = ["venue", "channel", "what", "since", "seen"]
        print_table("new in the venues' messages", columns, rows, right={"seen"})


def _print_clocks(clocks: "Sequence[Skew]") -> None:
    """How far each venue's clock is from ours."""
    from airpocket.delivery.cli.printing import print_table

    if clocks:
        print_table(
            "the venues' clocks, less ours",
            ["venue", "offset", "known to within", "answers"],
            [
                [c.venue, f"{c.offset_ms:+,.0f} ms", f"{c.error_ms:,.0f} ms", str(c.samples)]
                for c in clocks
            ],
            right={"offset", "known to within", "answers"},
        )


def _print_json(feeds: "dict[str, Feed]", health: "Health | None", now: int) -> None:
    from airpocket.delivery.cli.printing import print_json
    from airpocket.domain.units import format_time

    states = _states(health, now)
    channels: list[dict[str, object]] = []
    for feed in feeds.values():
        for channel in feed.channels:
            at = states.get((feed.venue, channel.symbol, channel.name))
            channels.append(
                {
                    "venue": feed.venue, "symbol": channel.symbol, "channel": channel.name,
                    "silent_at_most_s": channel.silence_s, "coverage": channel.coverage,
                    "state": at.state if at else None, "reason": (at.reason if at else "") or None,
                    "lag_s": at.lag_s if at else None,
                }
            )  # fmt: skip
    absent = [
        {"venue": feed.venue, "channel": name, "reason": why}
        for feed in feeds.values()
        for name, why in feed.absent.items()
    ]
    asof = format_time(health.asof) if health is not None and states else None
    news = [
        {"venue": n.venue, "channel": n.channel or None, "what": n.what, "since": format_time(n.since),
         "seen": n.seen}
        for n in (health.news if health is not None else ())
    ]  # fmt: skip
    refused = dict(health.refused) if health is not None else {}
    found: dict[str, object] = {
        "asof": asof, "channels": channels, "absent": absent, "refused": refused, "news": news,
    }  # fmt: skip
    if health is not None and states:
        found["clocks"] = [
            {"venue": c.venue, "offset_ms": c.offset_ms, "error_ms": c.error_ms}
            for c in health.clocks
        ]
        found["alarms"] = list(health.alarms)
        found["worst_held_up_s"] = health.worst_held_up_s
        found["notes"] = list(health.notes)
    if health is not None and health.simulated:
        found["simulated"] = health.simulated
    print_json(found)
