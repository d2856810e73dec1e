"""What each venue does with margin, as dated data: contract form, fee, funding, mark, liquidation procedure."""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from airpocket.domain.instruments import instrument, stands_for
from airpocket.domain.units import EARLIEST, LATEST, TimeNs, parse_time
from airpocket.margin.kernel import ContractForm

# _5m: with a basis averaged over five minutes; index_mean_basis: over a window that is not published.
MarkRule: TypeAlias = Literal[
    "median_of_three", "median_of_three_5m", "index_funding_basis", "index_ema_basis", "index_mean_basis",
    "oracle_median", "unknown",
]  # fmt: skip
# How much of a position goes at once: all; as much as restores its margin; a clip of a large one; two tiers down.
Portion: TypeAlias = Literal["whole", "enough", "clip", "tiers"]


@dataclass(frozen=True, slots=True)
class FundingRule:
    """How a venue makes its funding rate; all fractions per eight hours, unless said.

    clamp: the interest is added but for what lies within ±clamp of the premium. damper: premiums within
    ±damper cost nothing. interval_h: hours between payments, 0 where it runs continuously; a contract's
    own interval wins over it. cap: the largest rate per interval, None where it differs by contract.
    """

    interval_h: float
    interest: float = 0.0
    clamp: float | None = None
    damper: float | None = None
    cap: float | None = None


@dataclass(frozen=True, slots=True)
class Procedure:
    """How a venue closes a position in want of margin.

    portion: how much of it goes at once. first_clip: share of the position in the first order, where clips are
    cut; they apply above clip_above_usd. cooldown_s: how long after a clip the next order is for all the rest.
    backstop: share of maintenance below which the position is taken over whole. limit_at_bankruptcy: orders
    reach no further than the bankruptcy price, so that what does not fill inside it never meets the book.
    latency_s: mean wait from margin call to order, None where nobody inferred it. clearance_fee: taken of what is
    closed, a fraction; 0 where none is known here.
    """

    about: str
    portion: Portion = "whole"
    first_clip: float | None = None
    clip_above_usd: float = 0.0
    cooldown_s: float = 0.0
    backstop: float | None = None
    limit_at_bankruptcy: bool = False
    latency_s: float | None = None
    clearance_fee: float = 0.0


@dataclass(frozen=True, slots=True)
class VenueRules:
    """One venue's margin rules for contracts of one form, in force in [valid_from, valid_to), ns.

    maintenance_on: `mark` value (the kernel) or `entry` value (Bybit's isolated estimate of old).
    liquidation_fee: taker fee rate that the venue counts on top of maintenance; 0 where it counts none.
    taker_fee: what the regular tier pays, None where not known here.
    """

    venue: str
    form: ContractForm
    source: str
    maintenance_on: Literal["mark", "entry"] = "mark"
    liquidation_fee: float = 0.0
    taker_fee: float | None = None
    mark: MarkRule = "unknown"
    funding: FundingRule | None = None
    procedure: Procedure | None = None
    valid_from: TimeNs = EARLIEST
    valid_to: TimeNs = LATEST


_BINANCE_FUNDING = FundingRule(8.0, interest=1e-4, clamp=5e-4)
_BINANCE_CLOSE = Procedure(
    "cancel orders; one immediate-or-cancel order for just enough; rest at the bankruptcy price to the "
    "insurance fund; then auto-deleveraging",
    portion="enough", limit_at_bankruptcy=True,
    clearance_fee=0.0125,  # `liquidationFee` of BTCUSDT and ETHUSDT in exchangeInfo, as stored in public answers
)  # fmt: skip
_TAKEOVER = Procedure(
    "take over at the bankruptcy price; insurance fund; then auto-deleveraging",
    limit_at_bankruptcy=True,
)
_BYBIT = VenueRules(
    "bybit_linear", "linear", "Bybit help, liquidation price (USDT contract): maintenance on entry value",
    maintenance_on="entry", taker_fee=5.5e-4, mark="median_of_three_5m", funding=_BINANCE_FUNDING,
    procedure=_TAKEOVER,
    valid_to=parse_time("2026-01-01T00:00Z"),
)  # fmt: skip
_UTA = (
    "Bybit help page read in 2026, unified account: maintenance on mark value, closing fee counted"
)
_OKX = VenueRules(
    "okx", "linear", "OKX help, liquidation price: (e - s M/q)/(1 - s (m + fee)); regular taker fee",
    liquidation_fee=5e-4, taker_fee=5e-4, mark="index_mean_basis",
    funding=FundingRule(8.0, interest=1e-4, clamp=5e-4),
    procedure=Procedure(
        "tier 3 and above: reduced two tiers at a time until margin suffices; else closed whole; rest at "
        "the bankruptcy price to the insurance fund; then auto-deleveraging",
        portion="tiers", limit_at_bankruptcy=True,
    ),
)  # fmt: skip
_DERIBIT = VenueRules(
    "deribit", "inverse", "Deribit support, perpetual margin and continuous funding",
    mark="index_ema_basis",
    funding=FundingRule(0.0, damper=2.5e-4),
    procedure=Procedure(
        "small clips until maintenance is covered again", portion="enough", first_clip=0.125
    ),
)  # fmt: skip
_HYPERLIQUID = VenueRules(
    "hyperliquid", "linear", "Hyperliquid documentation: margining, liquidations, mark price, funding",
    taker_fee=4.5e-4, mark="oracle_median",
    funding=FundingRule(1.0, interest=1e-4, clamp=5e-4, cap=0.04),
    procedure=Procedure(
        "market order for all; above 100k USDC a fifth first, then 30 s in which any further order is "
        "for all; backstop vault below two thirds of maintenance; then auto-deleveraging",
        portion="clip", first_clip=0.2, clip_above_usd=100_000.0, cooldown_s=30.0, backstop=2.0 / 3.0,
        latency_s=6.3,  # from public fills of 10 October 2025: a batch each 6 s before any deleveraging
    ),
)  # fmt: skip
_SIMULATED = VenueRules(
    "sim_perp", "linear", "the bundled simulated market's own rule", taker_fee=None,
    procedure=Procedure("market order for all"),
)  # fmt: skip

RULES: tuple[VenueRules, ...] = (
    VenueRules(
        "binance_usdm", "linear", "Binance FAQ, liquidation price of USDⓈ-M futures",
        taker_fee=5e-4, mark="median_of_three", funding=_BINANCE_FUNDING, procedure=_BINANCE_CLOSE,
    ),
    VenueRules(
        "binance_coinm", "inverse", "Binance FAQ, liquidation price of COIN-M futures",
        taker_fee=5e-4, mark="median_of_three", funding=_BINANCE_FUNDING, procedure=_BINANCE_CLOSE,
    ),
    _BYBIT,
    replace(
        _BYBIT, source=_UTA, maintenance_on="mark", liquidation_fee=5.5e-4,
        valid_from=_BYBIT.valid_to, valid_to=LATEST,
    ),
    VenueRules(
        "bybit_inverse", "inverse", _UTA, liquidation_fee=5.5e-4, taker_fee=5.5e-4, mark="median_of_three_5m",
        funding=_BINANCE_FUNDING, procedure=_TAKEOVER,
    ),
    _OKX,
    replace(_OKX, form="inverse"),
    _DERIBIT,
    replace(_DERIBIT, form="linear"),
    _HYPERLIQUID,
    VenueRules(
        "kraken_futures", "linear", "kernel form; Kraken publishes levels per contract",
        taker_fee=5e-4, funding=FundingRule(1.0, cap=0.0025),
    ),
    VenueRules(
        "kraken_futures", "inverse", "kernel form; Kraken publishes levels per contract",
        taker_fee=5e-4, funding=FundingRule(1.0, cap=0.0025),
    ),
    VenueRules(
        "bitmex", "inverse", "BitMEX help: fair price, bankruptcy price, risk limits (venue closed)",
        mark="index_funding_basis", funding=FundingRule(8.0, interest=1e-4, clamp=5e-4),
        procedure=Procedure(
            "cancel orders; reduce the risk-limit tier; partial; take over at the bankruptcy price",
            portion="tiers", limit_at_bankruptcy=True,
        ),
        valid_to=parse_time("2026-09-23T00:00Z"),
    ),
    _SIMULATED,
    replace(_SIMULATED, venue="sim_perp2"),
)  # fmt: skip


def rules_in_force(venue: str, symbol: str, at: TimeNs) -> VenueRules | None:
    """The margin rules of a contract at a time; None where none are known here.

    A venue of the lab has those of the venue that it stands for.

    Raises:
        UnknownInstrument: the venue is known and does not write symbols like this.
    """
    form = "inverse" if venue == "bitmex" else instrument(venue, symbol).kind
    real = stands_for(venue, symbol)
    for rules in RULES:
        if rules.venue == real and rules.form == form and rules.valid_from <= at < rules.valid_to:
            return rules if real == venue else replace(rules, venue=venue)
    return None


def venues_with_rules() -> list[str]:
    """Venues that some rule is known for."""
    return list(dict.fromkeys(rules.venue for rules in RULES))
