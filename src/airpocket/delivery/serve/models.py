"""What the API answers beyond the commands' own JSON, and the envelopes of the websocket.

Answers that a command gives too (brief, map, plan, what-if) keep the command's structs. Columns of a chart carry
`time_s`: seconds since 1970, the end of what a row describes unless the field says otherwise.
"""

from typing import Any, Literal, TypeAlias

from msgspec import Struct

from airpocket.brief.model import CascadeSection, ChannelHealth, Record
from airpocket.domain.estimates import Estimate
from airpocket.domain.instruments import ContractKind
from airpocket.domain.tells import Graded, Reading
from airpocket.playbook.hedging.records import HedgeSheet
from airpocket.playbook.records import Plan
from airpocket.playbook.stress.records import StressTest
from airpocket.verdict.records import Verdict

Column: TypeAlias = list[float | None]  # None is unknown, never zero
Mode: TypeAlias = Literal["live", "replay", "store", "drill"]
Topic: TypeAlias = Literal["state", "heat", "tape", "health"]
TOPICS: tuple[Topic, ...] = ("state", "heat", "tape", "health")
Interval: TypeAlias = Literal["1m", "5m", "15m", "1h", "4h", "1d"]


class Problem(Struct, frozen=True, kw_only=True):
    """Why there is no answer. code: a word for programs; message: a sentence for people."""

    code: str
    message: str


class Token(Struct, frozen=True, kw_only=True):
    """The bearer token that a launch code was exchanged for."""

    token: str
    role: Literal["read"] = "read"


class Ticket(Struct, frozen=True, kw_only=True):
    """Opens one websocket, once, within `expires_s`."""

    ticket: str
    expires_s: float


class LaunchCode(Struct, frozen=True, kw_only=True):
    """Exchanges for the token once, within `expires_s`; belongs into the fragment of the page's address."""

    code: str
    expires_s: float


class CascadeView(Struct, frozen=True, kw_only=True):
    """What `airpocket cascade ASSET --json` says."""

    schema: str
    asset: str
    as_of: str
    cascade: CascadeSection
    simulated: bool


class Triggers(Struct, frozen=True, kw_only=True):
    """The verdict with its triggers, cluster effects and regimes."""

    schema: str = "airpocket.triggers/1"
    asset: str
    as_of: str
    simulated: bool
    verdict: Verdict
    triggers: list[Graded]
    clusters: list[Graded]
    regimes: list[Reading]
    record: Record


class BarColumns(Struct, frozen=True, kw_only=True):
    """Closed bars, oldest first, strictly rising `open_s`; prices quote per coin, volume and taker_buy coin.

    contracts: the others that can be asked for.
    """

    schema: str = "airpocket.bars/1"
    asset: str
    as_of: str
    simulated: bool
    contract: str
    contracts: list[str]
    interval_s: int
    open_s: list[int]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: Column
    volume_usd: Column
    taker_buy: Column


class Line(Struct, frozen=True, kw_only=True):
    """One series of a pane, oldest first; `unknown` says why it is empty."""

    unit: str
    source: str
    time_s: list[int]
    value: Column
    unknown: str | None = None


class ContractCarry(Struct, frozen=True, kw_only=True):
    """The panes of one contract. funding_8h: % per 8 h, paid over the period that ends then. premium: % of index.

    cvd: taker buys less taker sells summed from the first hour shown, coin.
    """

    contract: str
    kind: ContractKind
    funding_8h: Line
    interest_coin: Line
    premium: Line
    cvd: Line


class Funding(Struct, frozen=True, kw_only=True):
    """Funding, open interest, premium and taker flow of every contract through the last days."""

    schema: str = "airpocket.funding/1"
    asset: str
    as_of: str
    simulated: bool
    days: int
    contracts: list[ContractCarry]


class Plans(Struct, frozen=True, kw_only=True):
    """What `airpocket plan --json` says."""

    plans: list[Plan]


class StressTests(Struct, frozen=True, kw_only=True):
    """What `airpocket stress --json` says."""

    accounts: list[StressTest]


class Hedges(Struct, frozen=True, kw_only=True):
    """What `airpocket hedge --json` says."""

    hedges: list[HedgeSheet]


class ProcessState(Struct, frozen=True, kw_only=True):
    """One of the server's processes. age_s: since its last word; restarts: how often it had to be started anew."""

    name: Literal["recorder", "player", "engine", "web"]
    state: Literal["running", "starting", "silent", "down", "ended"]
    pid: int | None
    restarts: int
    age_s: float | None
    reason: str


class ReplayState(Struct, frozen=True, kw_only=True):
    """Where a replay stands. speed: seconds of the market in one of ours; 0 is as fast as it can."""

    first: str
    last: str
    at: str
    speed: float
    state: Literal["playing", "paused", "ended"]
    loop: bool


class DocumentState(Struct, frozen=True, kw_only=True):
    """Which edition of an answer is served: ask for it again when `sequence` has changed."""

    sequence: int
    as_of: str
    made_at: str


class FeedState(Struct, frozen=True, kw_only=True):
    """One channel as the recorder or the replay hears it."""

    venue: str
    symbol: str
    channel: str
    state: str
    messages: int
    age_s: float | None
    reason: str


class WatchState(Struct, frozen=True, kw_only=True):
    """The `airpocket watch` of this store. silent: it has not looked for three of its rounds and a minute.

    waiting: messages not delivered yet; trouble: why they do not go out, or ''.
    """

    state: Literal["watching", "silent"]
    age_s: float
    waiting: int
    trouble: str


class ServerHealth(Struct, frozen=True, kw_only=True):
    """Whether what is served can be trusted. as_of: the moment the analysis is of; now: the wall clock.

    stale: why the figures shown are older than they should be. label: of a market that is invented, '' else.
    epoch: changes when the history shown is no longer the one before (a restart, a seek). watch: None where no
    alerts are watched for.
    """

    schema: str = "airpocket.health/1"
    version: str
    asset: str
    mode: Mode
    simulated: bool
    label: str
    epoch: str
    now: str
    as_of: str | None
    age_s: float | None
    stale: str | None
    processes: list[ProcessState]
    replay: ReplayState | None
    documents: dict[str, DocumentState]
    feeds: list[FeedState]
    channels: list[ChannelHealth]
    missing: list[str]
    alarms: list[str]
    watch: WatchState | None
    clients: int


class Squeeze(Struct, frozen=True, kw_only=True):
    """S one way: over the next per cent, and over the first per cent of the nearest pocket (≥ 1 feeds itself)."""

    direction: Literal["up", "down"]
    next: Estimate
    pocket: Estimate


class State(Struct, frozen=True, kw_only=True):
    """The page's first five seconds: the sentence, the verdict, the triggers, S, dollars at risk.

    documents: as in health; a changed sequence means that GET gives something new.
    """

    asset: str
    as_of: str
    simulated: bool
    label: str
    answer: str
    headline: str
    price: Estimate
    verdict: Verdict
    triggers: list[Graded]
    squeeze: list[Squeeze]
    documents: dict[str, DocumentState]


class TapePrice(Struct, frozen=True, kw_only=True):
    """One contract now, quote per coin; None is unknown. at: when the last price was true."""

    contract: str
    last: float | None
    mark: float | None
    index: float | None
    bid: float | None
    ask: float | None
    at: str | None


class ForcedPrint(Struct, frozen=True, kw_only=True):
    """A liquidation as its venue told it. side buy: a short was closed. usd None: its size is not known.

    sample: the venue tells only some, so sums are lower bounds.
    """

    time_s: float
    contract: str
    side: Literal["buy", "sell"]
    price: float
    usd: float | None
    sample: bool


class RunningBar(Struct, frozen=True, kw_only=True):
    """The reference's minute as heard so far; coin volumes; it may still change."""

    contract: str
    open_s: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    taker_buy: float


class Tape(Struct, frozen=True, kw_only=True):
    """What has been heard. A snapshot tells the last hour of forced prints, a delta those since the message before.

    cvd: coin, taker buys less taker sells by contract since the epoch began.
    """

    at: str
    reference: str
    prices: list[TapePrice]
    bar: RunningBar | None
    closed: list[RunningBar]
    forced: list[ForcedPrint]
    cvd: dict[str, float]
    speed: float


class Envelope(Struct, frozen=True, kw_only=True):
    """Every text message of the websocket. sequence rises by one a message and topic; a jump means that this client
    was too slow, and the message is then a snapshot.

    as_of: the moment of the market that it tells of; sent_at: the wall clock.
    """

    topic: Literal["state", "tape", "health", "pong", "error", "welcome"]
    kind: Literal["snapshot", "delta", "notice"]
    epoch: str
    sequence: int
    as_of: str | None
    sent_at: str
    data: Any


class HeatHead(Struct, frozen=True, kw_only=True):
    """The JSON head of a binary heat message or answer; docs/api.md has the layout.

    full_usd: what a cell of 255 stands for. A cell c is full_usd · (c / 255)²; 0 is nothing mapped there.
    edge: rows + 1 prices, quote per coin, rising. kind snapshot: the whole grid; delta: these columns replace or
    follow those of the same time.
    """

    topic: Literal["heat"] = "heat"
    kind: Literal["snapshot", "delta"]
    epoch: str
    sequence: int
    asset: str
    as_of: str
    simulated: bool
    provenance: Literal["measured", "modelled", "mixed"]
    columns: int
    rows: int
    column_s: int
    edge: list[float]
    full_usd: float
