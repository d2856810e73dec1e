"""What is new in the venues' messages: fields, types of fields and kinds of messages not met before.

One frame in 64 is looked at whole. What a channel's messages look like is learned from its first hundred and
remembered beside the log; whatever comes later for the first time is news, told once a day.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias, cast

import msgspec
from msgspec import Struct

from airpocket.domain.errors import StoreDamaged
from airpocket.domain.units import DAY_NS
from airpocket.ingest.log.records import Record
from airpocket.ingest.peek import wire_channel
from airpocket.ingest.posted import post

NAME = "fields.json"
_LEARNED_FROM = 100  # frames of a channel
_MOST_CHANNELS = 500
_MOST_FIELDS = 400  # of one channel
_DEPTH = 6
_ITEMS = 3  # of a list
_NAME_LIKE = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]{0,39}")

Key: TypeAlias = tuple[str, str]  # venue, its word for the channel


class News(Struct, frozen=True):
    """One thing that is new: `what` in `channel`, the venue's word, first heard at `since` (ns); `seen` times."""

    venue: str
    channel: str
    what: str
    since: int
    seen: int


class _Channel(Struct):
    frames: int = 0
    fields: dict[str, int] = msgspec.field(
        default_factory=dict[str, int]
    )  # 'data.p text' → first heard


class Drift:
    """Owner of what the venues' messages have looked like."""

    def __init__(self, known: Mapping[Key, _Channel] | None = None) -> None:
        self._channels: dict[Key, _Channel] = dict(known or {})
        self._new: dict[tuple[str, str, str], tuple[int, int]] = {}  # → since, seen
        self._told: dict[tuple[str, str, str], None] = {}
        self._told_at: int | None = None

    def look(self, record: Record) -> None:
        """Look at one frame whole; what is no JSON is none of our business here."""
        try:
            value = msgspec.json.decode(record.body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return
        word = wire_channel(record.body, record.about if record.kind == "rest" else "")
        key = (record.venue, word)
        channel = self._channels.get(key)
        if channel is None:
            if not word or len(self._channels) >= _MOST_CHANNELS:
                return
            channel = self._channels[key] = _Channel()
        channel.frames += 1
        for name in _fields(value, "", _DEPTH):
            if name not in channel.fields:
                if len(channel.fields) >= _MOST_FIELDS:
                    continue
                channel.fields[name] = record.heard
                if channel.frames > _LEARNED_FROM:
                    self._new[(*key, f"field {name}")] = (record.heard, 1)
            elif (*key, f"field {name}") in self._new:
                since, seen = self._new[(*key, f"field {name}")]
                self._new[(*key, f"field {name}")] = (since, seen + 1)

    def news(self, unknown: Mapping[tuple[str, str], int], now: int) -> tuple[News, ...]:
        """Everything new so far; `unknown`: kinds of messages without a reader, by venue, with their number."""
        for (venue, what), count in unknown.items():
            since, _ = self._new.get((venue, "", what), (now, 0))
            self._new[venue, "", what] = (since, count)
        return tuple(
            News(*key, since=since, seen=seen) for key, (since, seen) in sorted(self._new.items())
        )

    def untold(self, news: tuple[News, ...], now: int) -> list[str]:
        """What to tell: nothing twice, and at most once a day."""
        fresh = [n for n in news if (n.venue, n.channel, n.what) not in self._told]
        if not fresh or (self._told_at is not None and now - self._told_at < DAY_NS):
            return []
        self._told_at = now
        self._told.update(dict.fromkeys((n.venue, n.channel, n.what) for n in fresh))
        return [
            f"new in the messages of {n.venue}: {f'{n.channel} ' if n.channel else ''}{n.what}"
            for n in fresh
        ]

    def save(self, store: Path) -> None:
        """Remember beside the log.

        Raises:
            StoreError: it can't be written.
        """
        channels = sorted(self._channels.items())
        post(store / NAME, {f"{venue} {word}": channel for (venue, word), channel in channels})


def remembered(store: Path) -> Drift:
    """What earlier recordings into this store have met.

    Raises:
        StoreDamaged: the file is not one of ours.
    """
    path = store / NAME
    try:
        told = msgspec.json.decode(path.read_bytes(), type=dict[str, _Channel])
    except FileNotFoundError:
        return Drift()
    except (OSError, msgspec.MsgspecError) as error:
        raise StoreDamaged(
            f"{path}: {error}; delete it, and what is normal is learned anew"
        ) from error
    pairs = ((*name.partition(" ")[::2], channel) for name, channel in told.items())
    return Drift({(venue, word): channel for venue, word, channel in pairs})


def _fields(value: object, path: str, depth: int) -> Iterator[str]:
    """'data.p text' for every field; keys that look like data (symbols, prices) stand as one."""
    if isinstance(value, dict) and depth:
        for key, inner in cast("dict[str, object]", value).items():
            name = key if _NAME_LIKE.fullmatch(key) else "…"
            yield from _fields(inner, f"{path}.{name}" if path else name, depth - 1)
    elif isinstance(value, list) and depth:
        for inner in cast("list[object]", value)[:_ITEMS]:
            yield from _fields(inner, f"{path}[]", depth - 1)
    elif value is not None and path:
        kind = (
            "text" if isinstance(value, str) else "truth" if isinstance(value, bool) else "number"
        )
        if isinstance(value, dict | list):
            kind = "part"
        yield f"{path} {kind}"
