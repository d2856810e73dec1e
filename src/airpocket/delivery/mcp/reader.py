"""What the tools tell, from one store: every answer with its moment, its age and where its figures come from."""

import re
from pathlib import Path
from typing import Any

import msgspec

from airpocket.brief import as_json
from airpocket.brief.compose import compose
from airpocket.brief.flows_view import flows_view
from airpocket.brief.fuel import fuel_view
from airpocket.brief.levels_view import levels_view
from airpocket.brief.map_view import map_view
from airpocket.brief.model import Brief
from airpocket.delivery.answers import assessor_at, lake_at, map_of
from airpocket.delivery.holdings import held_in
from airpocket.delivery.mcp.fitting import as_text, fitted, provenances
from airpocket.delivery.serve import asks
from airpocket.delivery.serve.others import Others
from airpocket.domain.errors import BadInput, NothingKnown
from airpocket.domain.portfolio import accounts_of
from airpocket.domain.ports import Clock
from airpocket.domain.units import DAY_NS, SECOND_NS, TimeNs, format_time, parse_time
from airpocket.ingest.replay import newest
from airpocket.liquidations.records import Unmapped
from airpocket.pipeline import Assessment

_NAME = re.compile(r"[A-Za-z0-9]{1,20}")
_VENUE = re.compile(r"[a-z0-9_]{0,40}")
_PARTS = {
    "verdict": ("answer", "verdict", "triggers", "clusters", "regimes", "record"),
    "cascade": ("answer", "at_risk", "cascade"),
}
_MOST_SERIES = 200
_OWN = "each figure says its own"
_OF_FUEL = (
    "forced dollars: the map's, modelled, or mixed where accounts are public; resting dollars: measured as far as "
    "measured_to_percent, modelled beyond; prints: measured, at_least where a venue tells only some"
)


class Reader:
    """Owns the analysis of the assets asked about. Not for several threads at once."""

    def __init__(self, store: Path, clock: Clock) -> None:
        """
        Raises:
            NothingKnown: there is no store.
        """
        self._store, self._clock = store, clock
        self._lake = lake_at(store)
        self._others = Others(self._lake)
        self._composed: tuple[Assessment, Brief] | None = None

    def coverage(self, asset: str) -> str:
        """What the store holds, of an asset or of all."""
        wanted = _asset(asset) if asset else ""
        rows = [
            {
                "kind": one.kind, "venue": one.venue, "symbol": one.symbol, "rows": one.rows,
                "first": format_time(one.first), "last": format_time(one.last),
                "age_s": round((self._clock.now() - one.last) / SECOND_NS),
            }
            for one in self._lake.series()
            if wanted in one.symbol.upper()
        ]  # fmt: skip
        if not rows:
            raise NothingKnown(
                f"the store holds nothing of {wanted}" if wanted else "the store is empty"
            )
        shown = rows[:_MOST_SERIES]
        left = (
            f"{len(rows) - len(shown)} more series: name an asset" if len(rows) > len(shown) else ""
        )
        newest_at = max(row["last"] for row in rows)
        return as_text(
            {"as_of": newest_at, "series": len(rows), "left_off": left, "answer": shown}
        )  # fmt: skip

    def brief(self, asset: str, asof: str) -> str:
        """The whole brief, less its charts."""
        found = self._found(asset, asof)
        return self._told(found, as_json.render(self._brief(found)))

    def part(self, asset: str, asof: str, name: str) -> str:
        """A part of the brief."""
        found = self._found(asset, asof)
        whole: dict[str, Any] = msgspec.json.decode(as_json.render(self._brief(found)))
        return self._told(found, msgspec.json.encode({key: whole[key] for key in _PARTS[name]}))

    def levels(self, asset: str, asof: str) -> str:
        """The roadmap."""
        found = self._found(asset, asof)
        return self._told(found, as_json.render_struct(levels_view(found)))

    def flows(self, asset: str, asof: str) -> str:
        """The slow drivers."""
        found = self._found(asset, asof)
        return self._told(found, as_json.render_struct(flows_view(self._brief(found))))

    def fuel(self, asset: str, asof: str) -> str:
        """Forced against resting dollars by distance."""
        found = self._found(asset, asof)
        return self._told(found, msgspec.json.encode(fuel_view(found)), _OF_FUEL)

    def map(self, asset: str, asof: str, venue: str, since: str) -> str:
        """The liquidation map, of one venue where one is named."""
        if not _VENUE.fullmatch(venue):
            raise BadInput(f"venue {venue[:40]!r}: a name such as binance_usdm was expected")
        now = self._moment(asset, asof)
        found = (
            assessor_at(self._lake, _asset(asset), now, venue).assess(now)
            if venue
            else self._others.of(_asset(asset), now)
        )
        if since:
            view = map_of(_asset(asset), self._store, format_time(now), since, venue)
        else:
            nothing = Unmapped("no comparison was asked for: give since, such as 24h")
            view = map_view(found, TimeNs(now - DAY_NS), nothing)
        return self._told(found, as_json.render_struct(view))

    def asked(self, verb: str, asset: str, asof: str, body: dict[str, Any]) -> str:
        """What the server's questions answer: whatif, plan, stress, hedge."""
        found = self._found(asset, asof)
        status, told = asks.answer(
            verb, msgspec.json.encode(body), found, self._store, self._others
        )
        if status != 200:
            raise BadInput(msgspec.json.decode(told)["message"])
        return self._told(found, told, "modelled" if verb == "whatif" else _OWN)

    def held(self, verb: str, asof: str, body: dict[str, Any]) -> str:
        """The same of what somebody holds, dated by the newest price of the first coin held."""
        accounts = accounts_of(held_in(body["toml"]))
        asset = next(asset for each in accounts for asset in each.assets)
        return self.asked(verb, asset, asof, body)

    def _brief(self, found: Assessment) -> Brief:
        """Of the assessment asked about last, composed once."""
        if self._composed is None or self._composed[0] is not found:
            self._composed = (found, compose(found))
        return self._composed[1]

    def _found(self, asset: str, asof: str) -> Assessment:
        return self._others.of(_asset(asset), self._moment(asset, asof))

    def _moment(self, asset: str, asof: str) -> TimeNs:
        if not asof:
            return newest(self._lake, _asset(asset))
        try:
            return parse_time(asof)
        except ValueError as error:
            raise BadInput(f"asof: {error}") from error

    def _told(self, found: Assessment, body: bytes, provenance: str = _OWN) -> str:
        told = msgspec.json.decode(body)
        answer, left = fitted(told)
        market = found.market
        return as_text(
            {
                "asset": market.asset, "as_of": format_time(market.now),
                "age_s": round((self._clock.now() - market.now) / SECOND_NS),
                "simulated": market.simulated, "provenance": provenance, "figures": provenances(told),
                "left_off": left,
                "answer": answer,
            }
        )  # fmt: skip


def _asset(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise BadInput(f"asset {text[:20]!r}: a coin such as ETH was expected")
    return text.upper()
