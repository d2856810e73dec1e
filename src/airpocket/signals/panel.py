"""All tells of a market at one moment, by id, and the regimes they add up to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from airpocket.domain.estimates import Estimate
from airpocket.domain.events import FloatArray
from airpocket.domain.tells import Graded, Reading, Tell
from airpocket.market.bars import Bars
from airpocket.market.state import Market
from airpocket.signals import depth, drivers, funding, interest, leading, motion, spotled, tape
from airpocket.signals.bundle import Bundle, BundleSettings
from airpocket.signals.chain import ChainSettings, ChainState
from airpocket.signals.depth import DepthSettings
from airpocket.signals.drivers import DriverSettings
from airpocket.signals.funding import FundingSettings
from airpocket.signals.interest import InterestSettings
from airpocket.signals.leading import LeadingSettings
from airpocket.signals.motion import MotionSettings
from airpocket.signals.running import running_tells
from airpocket.signals.spotled import SpotLedSettings
from airpocket.signals.tape import TapeSettings


@dataclass(frozen=True, slots=True)
class SignalSettings:
    """The settings of every signal."""

    bundle: BundleSettings = field(default_factory=BundleSettings)
    motion: MotionSettings = field(default_factory=MotionSettings)
    funding: FundingSettings = field(default_factory=FundingSettings)
    interest: InterestSettings = field(default_factory=InterestSettings)
    spotled: SpotLedSettings = field(default_factory=SpotLedSettings)
    leading: LeadingSettings = field(default_factory=LeadingSettings)
    depth: DepthSettings = field(default_factory=DepthSettings)
    tape: TapeSettings = field(default_factory=TapeSettings)
    drivers: DriverSettings = field(default_factory=DriverSettings)
    chain: ChainSettings = field(default_factory=ChainSettings)


@dataclass(frozen=True, slots=True)
class Signals:
    """What was measured: the price's own figures, the regimes, the driver rows, and every tell by id."""

    last: Estimate
    price: tuple[Tell, ...]
    regimes: tuple[Reading, ...]
    flows: tuple[Graded, ...]
    tells: Mapping[str, Tell]

    def figure(self, tell_id: str) -> Estimate:
        """The figure behind a tell."""
        return self.tells[tell_id].estimate


class SignalState:
    """The running indicators; `measure` advances them to the market's newest closed hour."""

    def __init__(self, settings: SignalSettings | None = None) -> None:
        self.settings = settings or SignalSettings()
        self._chain = ChainState(self.settings.chain)
        self._reference = ""
        self._bundle = Bundle(self.settings.bundle)
        self._hours_seen = 0
        self._latest = np.full((6, 1), np.nan)

    def measure(self, market: Market) -> Signals:
        """Every tell at `market.now`; markets must come in time order."""
        indicators = self._advance(market.reference.key, market.reference.hours)
        s = self.settings
        last = motion.last_price(market, s.motion)
        day = motion.move_percent(market, 24, s.motion)
        price = [
            *_moves(market, s.motion),
            Tell(
                id="hour_move_sd", label="last hour, scored", estimate=motion.hour_move_sd(market)
            ),
            *motion.bundle_tells(market, indicators),
        ]
        venues = funding.venue_fundings(market)
        carry = funding.regime(market, venues, day, s.funding)
        flows = drivers.driver_rows(market, carry, s.drivers)
        held = interest.lead_interest(
            interest.venue_interests(market), market.now, s.interest.stale_h
        )
        first = leading.reading(market, s.leading)
        moving = motion.volatility_reading(market, s.motion)
        realised = next(tell.estimate for tell in moving.tells if tell.id == "rv_30d")
        regimes = (
            carry,
            funding.convergence(market, venues),
            interest.reading(held, market, s.interest),
            interest.turnover(market, held, s.interest),
            spotled.reading(market, s.spotled, first),
            first,
            depth.reading(market, s.depth),
            tape.reading(market, s.tape),
            moving,
            self._chain.reading(market, realised),
            motion.low_volume_hours(market, s.motion),
            drivers.hinge(flows, day),
        )
        by_venue = [tell for v in venues for tell in funding.venue_tells(v, market.now, s.funding)]
        every = [
            *by_venue,
            *running_tells(market),
            *price,
            *(tell for reading in (*flows, *regimes) for tell in reading.tells),
        ]
        return Signals(last, tuple(price), regimes, tuple(flows), {tell.id: tell for tell in every})

    def _advance(self, reference: str, hours: Bars) -> FloatArray:
        """(6, k) indicators of the newest hours; starts over when another contract takes the lead."""
        if reference != self._reference:
            self._reference, self._hours_seen = reference, 0
            self._bundle = Bundle(self.settings.bundle)
            self._latest = np.full((6, 1), np.nan)
        newer = hours.since_row(self._hours_seen)
        if len(newer):
            self._latest = self._bundle.update(newer)
            self._hours_seen = len(hours)
        return self._latest


def _moves(market: Market, settings: MotionSettings) -> list[Tell]:
    named = ((1, "1 h"), (4, "4 h"), (24, "24 h"), (168, "7 d"), (720, "30 d"))
    return [
        Tell(
            id=f"move_{h}h",
            label=f"price, {name}",
            estimate=motion.move_percent(market, h, settings),
        )
        for h, name in named
    ]
