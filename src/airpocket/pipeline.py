"""The whole middle in order: facts in, assessments out; live, replay, brief and demo all call this."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from airpocket.cascade.pushes import Pushes, pushes_of
from airpocket.cascade.records import Cascade, Unscanned
from airpocket.cascade.scan import cascade_of
from airpocket.cascade.settings import CascadeSettings
from airpocket.cascade.standing import Standing, StandingSettings, standing_of
from airpocket.domain.accounts import AccountState, Answers, LoanState
from airpocket.domain.catalysts import Catalyst
from airpocket.domain.checkpoints import Checkpoints
from airpocket.domain.events import Batch, Event
from airpocket.domain.tells import Graded
from airpocket.domain.units import TimeNs
from airpocket.levels.find import Beside, find_levels
from airpocket.levels.roadmap import Roadmap
from airpocket.levels.settings import LevelSettings
from airpocket.liquidations.accounts import AccountsState
from airpocket.liquidations.records import LiquidationMap, Unmapped
from airpocket.liquidations.settings import MapSettings
from airpocket.liquidations.state import MapState
from airpocket.market.health import Channel, channels
from airpocket.market.options.chain import newest_chain
from airpocket.market.state import Market, MarketState
from airpocket.playbook.situation import Situation
from airpocket.signals.driver_records import DriverTable
from airpocket.signals.driver_table import TableSettings, driver_table, stored_catalysts
from airpocket.signals.panel import Signals, SignalSettings, SignalState
from airpocket.verdict.effects import EffectSettings, effect_rows
from airpocket.verdict.judge import verdict
from airpocket.verdict.reach import ReachSettings, reaches
from airpocket.verdict.records import Verdict
from airpocket.verdict.settings import VerdictSettings
from airpocket.verdict.triggers import TriggerSettings, swing_break, trigger_rows


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of every stage of the middle."""

    signals: SignalSettings = field(default_factory=SignalSettings)
    map: MapSettings = field(default_factory=MapSettings)
    levels: LevelSettings = field(default_factory=LevelSettings)
    cascade: CascadeSettings = field(default_factory=CascadeSettings)
    standing: StandingSettings = field(default_factory=StandingSettings)
    reach: ReachSettings = field(default_factory=ReachSettings)
    triggers: TriggerSettings = field(default_factory=TriggerSettings)
    effects: EffectSettings = field(default_factory=EffectSettings)
    verdict: VerdictSettings = field(default_factory=VerdictSettings)


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything airpocket thinks about an asset at one moment."""

    market: Market
    health: tuple[Channel, ...]
    signals: Signals
    map: LiquidationMap | Unmapped
    roadmap: Roadmap
    cascade: Cascade | Unscanned
    standing: Standing | Unscanned
    triggers: tuple[Graded, ...]
    clusters: tuple[Graded, ...]
    verdict: Verdict

    def situation(
        self,
        catalysts: tuple[Catalyst, ...] | None = None,
        portfolio_usd: float | None = None,
        volatility: float | None = None,
    ) -> Situation:
        """What a plan looks at, of this moment; without a calendar the stored one, where there is one."""
        if catalysts is None:
            catalysts = tuple(stored_catalysts(self.market)) or None
        return Situation(
            market=self.market,
            signals=self.signals,
            roadmap=self.roadmap,
            triggers=self.triggers,
            map=self.map,
            cascade=self.cascade,
            verdict=self.verdict,
            catalysts=catalysts,
            portfolio_usd=portfolio_usd,
            volatility=volatility,
        )

    def drivers(self, settings: TableSettings | None = None) -> DriverTable:
        """The table of slow drivers with what followed them before; made when asked, as a brief alone needs it."""
        asks = self.signals.figure("asks_1"), self.signals.figure("ask_thinning")
        return driver_table(self.market, self.signals.flows, asks, settings or TableSettings())

    def pushes(
        self, shares: tuple[float, ...] = CascadeSettings().push_shares
    ) -> Pushes | Unscanned:
        """The standard pushes walked, by share of a day's volume; made when asked, as a brief alone needs them."""
        return pushes_of(self.standing, shares)


class Assessor:
    """Owner of all running state of one asset: `apply` facts, ask for an `Assessment`.

    `checkpoints`: where what takes long is kept from run to run; the answers do not depend on it.
    """

    def __init__(
        self,
        asset: str,
        settings: Settings | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self._market = MarketState(asset)
        self._signals = SignalState(self.settings.signals)
        self._map = MapState(self.settings.map, checkpoints)
        self._accounts = AccountsState()

    @property
    def latest(self) -> int:
        """Youngest usable-from of the facts applied, ns."""
        return self._market.latest

    def apply(self, fact: Batch | Event) -> None:
        """Take facts, in order within each (kind, venue, symbol)."""
        self._market.apply(fact)

    def hear(self, *told: AccountState | LoanState) -> None:
        """Take public accounts and loans; of each the newest counts."""
        self._accounts.hear(told)

    def recall(self, *past: Answers) -> None:
        """Take what public accounts said earlier, for the picture's past; instead of what was recalled before."""
        self._accounts.recall(past)

    def mapped(self, now: TimeNs) -> LiquidationMap | Unmapped:
        """The map alone at `now`.

        Raises:
            ValueError: a fact applied could not be known at `now`.
        """
        market = self._market.snapshot(now)
        return self._accounts.blend(self._map.measure(market), market, self.settings.map)

    def assess(self, now: TimeNs) -> Assessment:
        """The middle, once, at `now`.

        Raises:
            ValueError: a fact applied could not be known at `now`.
            NothingKnown: no price at all.
        """
        s = self.settings
        market = self._market.snapshot(now)
        signals = self._signals.measure(market)
        mapped = self._accounts.blend(self._map.measure(market), market, s.map)
        beside = Beside(market.spots, mapped, newest_chain(market, now))
        roadmap = find_levels(market.reference, now, s.levels, beside)
        found = cascade_of(mapped, market, signals, s.cascade)
        standing = standing_of(mapped, market, signals, found, s.cascade, s.standing)
        near = reaches(market, found, standing, s.reach)
        triggers = trigger_rows(market, signals, s.triggers, mapped, near)
        broken = swing_break(market, signals, s.triggers)
        clusters = effect_rows(market, signals, broken, s.triggers, s.effects, mapped)
        return Assessment(
            market=market,
            health=tuple(channels(market)),
            signals=signals,
            map=mapped,
            roadmap=roadmap,
            cascade=found,
            standing=standing,
            triggers=tuple(triggers),
            clusters=tuple(clusters),
            verdict=verdict(market, signals, mapped, found, s.verdict, near),
        )


def assess(
    asset: str,
    facts: Iterable[Batch | Event],
    every_ns: int,
    settings: Settings | None = None,
) -> Iterator[Assessment]:
    """Assessments every `every_ns` of data time, from facts in the order they became usable."""
    assessor = Assessor(asset, settings)
    due: int | None = None
    for fact in facts:
        usable = _first_usable(fact)
        if due is None:
            due = usable - usable % every_ns + every_ns
        while usable > due:
            yield assessor.assess(TimeNs(due))
            due += every_ns
        assessor.apply(fact)
    if due is not None:
        yield assessor.assess(TimeNs(max(due, assessor.latest)))


def _first_usable(fact: Batch | Event) -> int:
    return int(fact.ints("usable_from")[0]) if isinstance(fact, Batch) else fact.usable_from
