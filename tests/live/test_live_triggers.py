"""A made session through live state and assessor: triggers go quiet, armed, firing; silence makes them unknown."""

from dataclasses import dataclass

import numpy as np
import pytest
import samples

from airpocket.domain.channels import Channel
from airpocket.domain.events import Bar, Batch, Ticker
from airpocket.domain.units import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, TimeNs
from airpocket.domain.wire import BookChange, Quote, Trade
from airpocket.market.live import rows
from airpocket.market.live.state import LiveState
from airpocket.market.pulse import Pulse
from airpocket.pipeline import Assessor

WEEKS = 6
START = samples.START
OPENS = START + WEEKS * 7 * DAY_NS  # the session: from midnight on a Monday
PERP, SPOT = ("binance_usdm", "ETHUSDT"), ("binance_spot", "ETHUSDT")
THIN_HOUR = 5  # of the day, by the depth of the weeks before


@dataclass(frozen=True)
class Minute:
    """How one minute goes."""

    price: float = 3000.0
    spot_over_bps: float = 0.0
    spot_bought: float = 0.5  # share of the volume
    index_below_bps: float = 0.0
    spread_bps: float = 0.2
    prints: int = 4


def history():
    """Six weeks of hours of both markets, of a book whose depth has its hours, and a day of tape."""
    batches = []
    for venue, symbol in (PERP, SPOT):
        rng = np.random.default_rng(7)
        n = WEEKS * 168
        close = 3000.0 * np.exp(0.003 * rng.standard_normal(n))
        close[-1] = 3000.0
        ts = START + HOUR_NS * np.arange(n, dtype=np.int64)
        columns = {"ts": ts, "usable_from": ts + HOUR_NS, "open": close, "high": close * 1.003,
                   "low": close * 0.997, "close": close, "volume": np.full(n, 100.0),
                   "volume_usd": 100.0 * close, "taker_buy": np.full(n, 50.0)}  # fmt: skip
        batches.append(Batch("bar_1h", venue, symbol, columns, ("made",)))
    hours = START + HOUR_NS * np.arange(WEEKS * 168, dtype=np.int64)
    ts, percent = np.repeat(hours, 2), np.tile([-1.0, 1.0], len(hours))
    thin = (ts // HOUR_NS) % 24 == THIN_HOUR
    usd = np.where(thin, 2e6, 9e6)
    batches.append(
        Batch("depth", *PERP, {"ts": ts, "usable_from": ts, "percent": percent, "notional_usd": usd,
                               "depth_coin": usd / 3000.0}, ("made",))
    )  # fmt: skip
    minutes = OPENS - MINUTE_NS * np.arange(24 * 60, 0, -1, dtype=np.int64)
    n = len(minutes)
    batches.append(
        Batch("tape_1m", *PERP, {
            "ts": minutes, "usable_from": minutes + MINUTE_NS, "prints": np.full(n, 4), "buy_usd": np.full(n, 1e4),
            "sell_usd": np.full(n, 1e4), "spread_bps": np.full(n, 0.2), "reloads": np.full(n, 3),
            "retreats": np.full(n, 3), "refill_s": np.full(n, 1.0)}, ("made",))
    )  # fmt: skip
    return batches


class Session:
    """Plays minutes as a venue would tell them, with the recorder's own health beside."""

    def __init__(self):
        self.state, self.assessor, self.minute = LiveState("ETH"), Assessor("ETH"), 0
        self.pulse = Pulse()
        self.numbers, self.silent = 0, ()
        for venue, symbol in (PERP, SPOT):
            for name in ("trades", "bars"):
                self.pulse.declare(venue, "all", Channel(name, symbol, 90.0))
            self.pulse.opened(venue, "all", OPENS)
        for batch in history():
            self.assessor.apply(batch)

    def play(self, minutes, how=None, silent=()):
        how, self.silent = how or Minute(), silent
        for _ in range(minutes):
            start = OPENS + self.minute * MINUTE_NS
            for market in (PERP, SPOT):
                if market not in silent:
                    for event in self._told(market, start, how):
                        self.pulse.heard(event)
                        self.state.apply(event, f"{market[0]}#1")
            self.minute += 1
        return self

    def _told(self, market, start, how):
        perp = market == PERP
        price = how.price if perp else how.price * (1 + how.spot_over_bps / 1e4)
        half = price * how.spread_bps / 2e4

        def said(second):
            at = int(start + second * SECOND_NS)
            return {
                "venue": market[0],
                "symbol": market[1],
                "ts": at,
                "usable_from": at,
                "heard": at,
            }

        bought = 0.5 if perp else how.spot_bought
        yield BookChange(
            **said(1), snapshot=True, first=None, last=self.minute + 1, previous=None,
            bids=tuple((price - half - price * 3e-4 * n, 10.0) for n in range(100)),
            asks=tuple((price + half + price * 3e-4 * n, 10.0) for n in range(100)),
        )  # fmt: skip
        for n in range(how.prints):
            self.numbers += 1
            yield Quote(
                **said(2 + n / 2), bid=price - half, bid_size=1.0, ask=price + half, ask_size=1.0
            )
            yield Trade(**said(2 + n / 2), price=price, size=1.0, notional_usd=price, trade_id=self.numbers,
                        taker_side="buy" if n % 2 else "sell")  # fmt: skip
        if perp:
            yield Ticker(
                **said(40), last=price, mark=price, index=price * (1 - how.index_below_bps / 1e4)
            )
        bar = said(59.9) | {
            "ts": start,
            "usable_from": start + MINUTE_NS,
            "heard": start + MINUTE_NS,
        }
        yield Bar(**bar, interval_ns=MINUTE_NS, open=price, high=price, low=price, close=price, volume=100.0,
                  taker_buy=100.0 * bought)  # fmt: skip

    def row(self, name, after_s=5):
        """One trigger as it stands a few seconds into the running minute."""
        now = int(OPENS + self.minute * MINUTE_NS + after_s * SECOND_NS)
        for market in (PERP, SPOT):
            if market not in self.silent:  # what was before has come
                said = {"venue": market[0], "symbol": market[1], "usable_from": now - SECOND_NS}
                quote = Quote(**said, ts=now - 2 * SECOND_NS, heard=now - SECOND_NS, bid=1.0, ask=None,
                              bid_size=1.0, ask_size=None)  # fmt: skip
                self.state.apply(quote, f"{market[0]}#1")
        self.state._roll(now)
        facts, self.state.facts = list(self.state.facts), type(self.state.facts)()
        for batch in facts:
            self.assessor.apply(batch)
        for batch in self._health(now):
            self.assessor.apply(batch)
        found = self.assessor.assess(TimeNs(now))
        return next(row for row in found.triggers if row.id == name)

    def _health(self, now):
        for status in self.pulse.status(now):
            told = {"ts": now, "usable_from": now, "channel": status.channel, "state": status.state,
                    "reason": status.reason}  # fmt: skip
            yield rows.batch("channel_state", status.venue, status.symbol, [told])


def test_an_impulse_in_a_thin_hour_goes_quiet_armed_firing():
    session = Session().play(4 * 60)
    usual = session.row("thin_hour_impulse")
    session.play(90)
    thin = session.row("thin_hour_impulse")
    rush = Minute(price=3120.0, spread_bps=1.5, prints=40)
    session.play(10, rush)
    firing = session.row("thin_hour_impulse")
    assert usual.state == "quiet", usual.because
    assert thin.state == "armed", thin.because  # the hour is thin, nothing moves
    assert firing.state == "firing", firing.because
    assert {tell.id for tell in firing.tells if tell.condition} == {
        "impulse",
        "hour_depth_rank",
        "spread_usual",
        "fast_prints",
    }


def test_a_silent_tape_makes_the_thin_hour_trigger_unknown():
    session = Session().play(5 * 60 + 30)
    assert session.row("thin_hour_impulse").state == "armed"
    session.play(10, silent=(PERP,))
    row = session.row("thin_hour_impulse")
    assert row.state == "unknown"
    assert any("tape" in why for why in row.because), row.because


BID = Minute(spot_over_bps=6.0, spot_bought=0.5, index_below_bps=0.0)
BURST = Minute(spot_over_bps=6.0, spot_bought=0.9, index_below_bps=4.0)


def test_a_spot_led_burst_goes_quiet_armed_firing_and_says_what_is_not_shown():
    session = Session().play(5 * 60)
    quiet = session.row("spot_led_burst")
    session.play(5, BID)
    armed = session.row("spot_led_burst")
    session.play(55 + 3 * 60, BURST)
    firing = session.row("spot_led_burst")
    assert quiet.state == "quiet", quiet.because
    assert armed.state == "armed", armed.because
    assert firing.state == "firing", firing.because
    assert any("not shown" in why for why in firing.because)  # four prints a minute show no lead


@pytest.mark.fault("L02")
@pytest.mark.parametrize("silent", [SPOT, PERP])
def test_a_silent_market_makes_the_burst_unknown_within_minutes_not_hours(silent):
    session = Session().play(5 * 60).play(60, BURST)
    assert session.row("spot_led_burst").state in ("armed", "firing")
    session.play(3, BURST, silent=(silent,))
    row = session.row("spot_led_burst")
    assert row.state == "unknown", row.because
    assert any("stale" in why or "silent" in why for why in row.because)
