"""Two briefs made by hand for tests and for looking at: one rich, one in which all is unknown."""

import math

from brief.pushed_examples import unwalked, walked

from airpocket.brief import words
from airpocket.brief.fuel_model import ForcedSum
from airpocket.brief.model import (
    AtRisk,
    Brief,
    CascadeSection,
    ChannelHealth,
    ClusterRow,
    Cost,
    Health,
    HeatGrid,
    MapSection,
    MapSource,
    PocketRow,
    PriceSection,
    Record,
    Redraw,
    RiskBand,
    Side,
    SideStep,
    StopRow,
    Way,
)
from airpocket.domain.estimates import Estimate, Provenance, known, unknown
from airpocket.domain.tells import Graded, Reading, Tell, at_least, at_most, context
from airpocket.domain.units import DAY_NS, HOUR_NS, MINUTE_NS, format_time
from airpocket.levels.roadmap import Level, Roadmap, Rule, VolumeProfile, Zone
from airpocket.playbook.records import Cap
from airpocket.verdict.records import Transition, Verdict

NOW = 1_760_126_400_000_000_000  # 2025-10-10T20:00Z
LAST = 4312.5


def fact(
    value: float,
    unit: str,
    *,
    minutes: float = 6,
    source: str = "binance:ETHUSDT 1m bars",
    provenance: Provenance = "measured",
    interval: tuple[float, float] | None = None,
) -> Estimate:
    as_of = NOW - round(minutes * MINUTE_NS)
    return known(
        value, unit, as_of=as_of, now=NOW, source=source, provenance=provenance, interval=interval
    )


def _chart() -> tuple[list[int], list[float | None], list[float | None], list[float | None]]:
    hours = range(7 * 24)
    times = [NOW - (len(hours) - 1 - hour) * HOUR_NS for hour in hours]
    close: list[float | None] = []
    interest: list[float | None] = []
    funding: list[float | None] = []
    for hour in hours:
        wave = 70 * math.sin(hour / 9) + 28 * math.sin(hour / 3.1) + 12 * math.sin(hour * 1.7)
        rally = 1.9 * max(0, hour - 110)
        close.append(None if 60 <= hour < 66 else 4205 + wave + rally)
        interest.append(
            None if hour < 10 else 2.31e6 - 900 * max(0, hour - 120) + 21_000 * math.sin(hour / 14)
        )
        funding.append(0.00009 * math.sin(hour // 8 / 3) + 0.00006)
    close[-1] = LAST
    return times, close, interest, funding


def _level(price: float, kind: str, label: str, weight: float = 1.0) -> Level:
    formed = NOW - 12 * DAY_NS
    return Level(
        price=price,
        kind=kind,
        label=label,
        formed_at=formed,
        confirmed_at=formed + DAY_NS,
        prominence=weight,
        weight=weight,
    )


def _zone(low: float, high: float, role: str, levels: list[Level]) -> Zone:
    inside = low <= LAST <= high
    away = 0.0 if inside else ((low if low > LAST else high) / LAST - 1) * 100
    return Zone(
        low=low,
        high=high,
        bias="pivot" if inside else "resistance" if low > LAST else "support",
        role=role,
        strength=sum(level.weight for level in levels),
        distance_percent=away,
        confluence=levels,
        record="held 41 of 63, against 38 of 63 for placebo levels",
    )


def _roadmap() -> Roadmap:
    zones = [
        _zone(
            4168,
            4186,
            "immediate_support",
            [
                _level(4172, "ema_20d", "daily EMA 20"),
                _level(4180, "swing_low", "swing low of 6 Oct"),
            ],
        ),
        _zone(
            4020,
            4050,
            "major_support",
            [
                _level(4044, "volume_node", "high-volume node"),
                _level(4032, "fibonacci", "0.618 of the last leg"),
                _level(4025, "ema_50d", "daily EMA 50"),
            ],
        ),
        _zone(4306, 4318, "pivot", [_level(4312, "point_of_control", "point of control")]),
        _zone(
            4391,
            4410,
            "resistance_1",
            [
                _level(4392, "swing_high", "swing high of 7 Oct"),
                _level(4400, "round_number", "round 4,400"),
            ],
        ),
        _zone(
            4478,
            4500,
            "squeeze_zone",
            [
                _level(4480, "range_high", "range high, 30 days"),
                _level(4500, "round_number", "round 4,500"),
            ],
        ),
        _zone(
            4946,
            4957,
            "discovery_trigger",
            [_level(4953, "all_time_high", "all-time high of 24 Aug")],
        ),
    ]
    centres = [4010 + 10 * step for step in range(50)]
    volume = [
        9_000 * math.exp(-(((price - 4312) / 60) ** 2))
        + 6_000 * math.exp(-(((price - 4080) / 45) ** 2))
        + 400
        for price in centres
    ]
    return Roadmap(
        zones=zones,
        rules=[
            Rule(
                id="continuation",
                text="4 h close above the zone with spot-led volume and RSI above 60",
                zone_low=4391,
                zone_high=4410,
                status="waiting",
                because=["the last 4 h close was 4,301.20"],
                implication="continuation to the squeeze zone",
            ),
            Rule(
                id="reversion",
                text="daily close below support",
                zone_low=4168,
                zone_high=4186,
                status="unknown",
                because=["spot volume of the last day is missing"],
                implication="deeper reversion to 4,020 to 4,050",
            ),
        ],
        profile=VolumeProfile(
            window="7 days",
            point_of_control=fact(4312, words.PRICE),
            value_area_low=fact(4228, words.PRICE),
            value_area_high=fact(4372, words.PRICE),
            high_volume_nodes=[4312.0, 4080.0],
            low_volume_nodes=[4195.0],
            acceptance="price has closed inside the value area for 9 hours",
            prices=centres,
            volume=volume,
        ),
        averages={
            "ema_20d": fact(4172.31, words.PRICE, minutes=1200),
            "ema_50d": unknown(words.PRICE, "needs 50 daily closes, 31 are in the store"),
        },
        missing=["options open-interest gravity: no option chain in the store"],
    )


def _triggers() -> list[Graded]:
    funding = at_least(
        "funding_z", "Funding, 30-day z-score", fact(2.31, words.Z), 2, "at or above 2 sd"
    )
    interest = at_most(
        "oi_1h", "OI change, 1 h", fact(-1.84, words.PERCENT), -1.5, "at or below -1.5 %"
    )
    depth = at_most(
        "ask_depth",
        "Ask depth within 1 %, against its hour of the week",
        unknown(words.RATIO, "no order book was recorded"),
        0.7,
        "at or below 0.7",
    )
    swing = at_least(
        "break", "Close above the swing high", fact(-1.84, words.PERCENT), 0, "above 0 %"
    )
    spread = at_least("spread", "Spread, z-score", fact(0.42, words.Z), 2, "at or above 2 sd")
    lead = at_least(
        "spot_lead",
        "Spot CVD less perp CVD, 1 h",
        fact(31.4e6, words.USD, provenance="mixed", interval=(22e6, 40.2e6)),
        50e6,
        "at or above $50 mn",
    )
    return [
        Graded(
            id="swing_break",
            title="Clean break of a recent swing high",
            state="quiet",
            because=["price is 1.8 % below the swing high at 4,392.00"],
            tells=[swing, depth],
            refs=["M6a"],
            implication="stops above the high cascade while offers are pulled",
        ),
        Graded(
            id="thin_hour",
            title="Impulse in a low-liquidity hour",
            state="unknown",
            because=["book depth is missing"],
            tells=[spread, depth],
            refs=["M6b"],
            implication="wide spreads carry the move further",
        ),
        Graded(
            id="funding_oi",
            title="Funding spike with OI drop",
            state="firing",
            because=["funding stands 2.31 sd above its 30-day mean", "OI fell 1.84 % in an hour"],
            tells=[funding, interest],
            refs=["M6c"],
            implication="forced covers dominate",
            odds="34 % within 4 h (25 to 44 %), base rate 12 %",
            record="lift 2.8 (1.9 to 3.9), 57 cases",
        ),
        Graded(
            id="spot_burst",
            title="Spot-led inflow burst",
            state="armed",
            because=["spot leads, but below the threshold"],
            tells=[lead],
            refs=["M6d"],
            implication="perps chase and the basis widens",
        ),
    ]


def _channel(
    venue: str, symbol: str, kind: str, state: str = "ok", reason: str = ""
) -> ChannelHealth:
    return ChannelHealth(
        venue=venue,
        symbol=symbol,
        kind=kind,
        state=state,
        rows=129_600,
        first=format_time(NOW - 90 * DAY_NS),
        last=format_time(NOW - 6 * MINUTE_NS),
        age_s=360 if state == "ok" else 21_600,
        gaps_30d=0 if state == "ok" else 2,
        longest_gap_h=0 if state == "ok" else 6.0,
        reason=reason,
        sources=["binance archive"] if venue == "binance" else ["bybit rest", "bybit websocket"],
    )


def modelled(value, unit, low, high, minutes=60):
    return fact(value, unit, minutes=minutes, provenance="modelled", interval=(low, high))


def _map() -> MapSection:
    edge = [LAST * 1.005**step for step in range(-24, 25)]
    ts = [NOW - (41 - column) * 8 * HOUR_NS for column in range(42)]
    close = [LAST * (1 + 0.02 * math.sin(column / 6)) for column in range(42)]
    close[-1] = LAST
    forced = [
        [
            0.0 if abs(edge[row] / price - 1) < 0.01 else 900.0 * math.sin(row / 2.7) ** 2 + column
            for row in range(48)
        ]
        for column, price in enumerate(close)
    ]
    return MapSection(
        unknown=None,
        clusters=[
            ClusterRow(
                side="short", low=4390, high=4420, peak=4402.5, distance_percent=2.1,
                forced_usd=modelled(3.1e8, words.USD, 1.9e8, 5.5e8), share_percent=12.4,
            ),
            ClusterRow(
                side="long", low=4180, high=4215, peak=4201, distance_percent=-2.6,
                forced_usd=modelled(1.7e8, words.USD, 0.9e8, 3.1e8), share_percent=7.9,
            ),
        ],
        sources=[
            MapSource(
                contract="hyperliquid:ETH", interest_coin=fact(612_000, words.COIN, minutes=61),
                bars=4320, assumed=["volume: 3 turnovers of open interest a day"],
            )
        ],
        notes=["open interest of one venue is seen; the others are not in these amounts"],
        heat=HeatGrid(ts=ts, close=close, edge=edge, forced=forced, exact_percent=[0.0] * len(ts)),
    )  # fmt: skip


def _cascade() -> CascadeSection:
    return CascadeSection(
        unknown=None,
        easier="up",
        glide=modelled(0.71, words.RATIO, 0.52, 0.96),
        runaway=unknown(words.RATIO, "how fast orders come back is not known"),
        redrawn=[
            Redraw(
                direction="up", price=3325.0, spent_usd=modelled(2.1e8, words.USD, 1e8, 4e8),
                easier="down", glide=modelled(1.3, words.RATIO, 0.9, 1.8),
            )
        ],
        ways=[
            Way(
                direction=direction,
                absorbed_by="square-root law: $18.2 bn a day, 3.1 % a day",
                costs=[
                    Cost(percent=sign * 3, ignition_usd=modelled(cost, words.USD, 0.6 * cost, 2 * cost),
                         patient_usd=modelled(9 * cost, words.USD, 5 * cost, 15 * cost)),
                    Cost(percent=sign * 5, ignition_usd=unknown(words.USD, "beyond the map"),
                         patient_usd=unknown(words.USD, "beyond the map")),
                ],
                pockets=[
                    PocketRow(push_usd=9.4e7, start_percent=sign * 1.8, stop_percent=sign * 2.6, forced_usd=3e8,
                              inside_grid=direction == "up")
                ],
                stops=[
                    StopRow(
                        push_usd=1.8e8,
                        reached_percent=fact(sign * 2.7, words.PERCENT, provenance="modelled"),
                        amplification=modelled(1.9, words.RATIO, 1.2, 3.3), inside_grid=direction == "up",
                    )
                ],
                fast=unknown(words.RATIO, "no order book is stored for this time"),
                slow=modelled(0.22, words.RATIO, 0.14, 0.35),
                overshoot=unknown(words.RATIO, "how fast orders come back is not known"),
            )
            for direction, sign, cost in (("up", 1, 1.3e8), ("down", -1, 1.9e8))
        ],
        notes=["stop orders are not in the fuel"],
        pushes=walked(lambda value, low, high: modelled(value, words.RATIO, low, high)),
    )  # fmt: skip


def rich(*, simulated: bool = False) -> Brief:
    """Many figures known, some unknown, every section filled."""
    times, close, interest, funding = _chart()
    no_book = "no order book was recorded"
    forced = "no liquidation map yet: position cohorts are not modelled"
    rate = context("funding", "Funding in force", fact(0.0123, words.FUNDING_8H, minutes=142))
    basis = context(
        "basis", "Annualised basis, December future", fact(7.84, words.PERCENT_YEAR, minutes=12)
    )
    share = fact(30, words.PERCENT, provenance="modelled", interval=(15, 50), minutes=1500)
    return Brief(
        asset="ETH",
        as_of=format_time(NOW),
        answer=(
            "Forced covering has started: funding is 2.3 sd above its mean while open interest falls; "
            "how many dollars are at risk above is unknown, for want of a position map."
        ),
        price=PriceSection(
            reference="binance:ETHUSDT",
            last=fact(LAST, words.PRICE, minutes=1),
            tells=[
                context("change_1d", "Change, 24 h", fact(2.84, words.PERCENT)),
                context("interest", "Open interest", fact(2.274e6, words.COIN, minutes=5)),
                context("interest_usd", "Open interest", fact(9.806e9, words.USD, minutes=5)),
                context("premium", "Perp premium to index", fact(3.2, words.BPS)),
                context("rsi", "RSI 14, 4 h", fact(58.3, words.RSI, minutes=214)),
                rate,
                basis,
                context("spread", "Top-of-book spread", unknown(words.BPS, no_book)),
            ],
            by_venue={
                "binance": fact(LAST, words.PRICE, minutes=1),
                "bybit": fact(4313.1, words.PRICE, minutes=2),
                "kraken": unknown(words.PRICE, "its channel has been silent for 6 h"),
            },
            chart_ts=times,
            chart_close=close,
            chart_interest=interest,
            chart_funding=funding,
            chart_open=close,
            chart_high=[None if each is None else 1.01 * each for each in close],
            chart_low=[None if each is None else 0.99 * each for each in close],
            chart_forced=[
                ForcedSum(
                    open_s=(times[at] - HOUR_NS) // 10**9,
                    side=side,
                    price=close[at],
                    notional_usd=usd,
                    count=count,
                    at_least=some,
                )
                for at, side, usd, count, some in (
                    (len(times) - 20, "short", 4.2e6, 31, True),
                    (len(times) - 9, "long", 1.1e6, 8, False),
                )
            ],
            chart_forced_unknown=None,
        ),
        health=Health(
            simulated=simulated,
            channels=[
                _channel("binance", "ETHUSDT", "bars"),
                _channel("binance", "ETHUSDT", "funding"),
                _channel("bybit", "ETHUSDT", "interest"),
                _channel("kraken", "ETH/USD", "trades", "stale", "silent for 6 h; reconnecting"),
            ],
            missing=["order book of any venue", "ETF creations: no table was imported"],
        ),
        at_risk=AtRisk(
            headline="$1.23 bn of shorts may be forced out up to +5 %",
            shorts=[
                RiskBand(
                    within_percent=2,
                    forced_usd=fact(
                        4.1e8, words.USD, provenance="modelled", interval=(2.2e8, 7.9e8)
                    ),
                ),
                RiskBand(
                    within_percent=5,
                    forced_usd=fact(
                        1.23e9, words.USD, provenance="modelled", interval=(0.9e9, 1.6e9)
                    ),
                ),
            ],
            longs=[RiskBand(within_percent=2, forced_usd=unknown(words.USD, forced))],
            hedged_shorts=share,
            hedged_longs=fact(10, words.PERCENT, provenance="modelled", interval=(5, 20)),
        ),
        triggers=_triggers(),
        verdict=_verdict(),
        regimes=[
            Reading(
                id="funding_regime",
                title="Funding",
                state="crowded longs",
                because=["a sudden spike, not a steady premium"],
                tells=[rate, basis],
                refs=["M8"],
            ),
            Reading(
                id="turnover",
                title="OI against spot turnover",
                state="unknown",
                because=["spot volume of one venue is missing"],
                tells=[
                    context(
                        "oi_spot",
                        "OI / spot volume, 24 h",
                        unknown(words.RATIO, "kraken trades stale"),
                    )
                ],
                refs=["M9"],
            ),
        ],
        clusters=[
            Graded(
                id="wick",
                title="Wick into the base of a breakout",
                state="quiet",
                because=["price is above it"],
                tells=[],
                refs=["M10"],
                implication="brief flush, then absorption",
            )
        ],
        map=_map(),
        cascade=_cascade(),
        flows=[
            Graded(
                id="issuance",
                title="Stablecoin net issuance",
                state="positive",
                because=["supply grew five days running"],
                tells=[
                    at_least(
                        "usdt",
                        "USDT net issuance, 7 d",
                        fact(1.9e9, words.USD, minutes=2000, source="table:stablecoins.csv"),
                        0,
                        "above 0",
                    ),
                    Tell(
                        id="persist",
                        label="Creations into pullbacks",
                        estimate=unknown(words.COUNT, "no table"),
                        condition="3 or more",
                    ),
                ],
                refs=["M19", "M20"],
                implication="dry powder",
            )
        ],
        roadmap=_roadmap(),
        shorts=_side(
            [
                "Cap leverage at 3 while a trigger fires.",
                "Keep liquidation 12 % away or further.",
            ]
        ),
        longs=_side(["No adds on vertical candles; bid the retest."]),
        record=Record(
            summary="2 of 4 triggers have been evaluated",
            entries=["funding spike: lift 2.8, 57 cases"],
        ),
    )


def _verdict() -> Verdict:
    return Verdict(
        id="verdict", title="Verdict", state="ignition", direction="up", since=NOW - 2 * HOUR_NS,
        because=["one trigger fires (funding spike with OI drop)", "spot does not lead yet"],
        would_change=["squeeze on: a 4 h close above 4,410.00", "quiet: funding back within 1 sd"],
        other="quiet", missing=["no trade tape"], refs=["M7"], implication="forced flow may follow",
        path=[
            Transition(at=NOW - 2 * HOUR_NS, direction="up", before="armed", after="ignition",
                       because=["closed 0.7 hourly ATRs beyond the extreme"])
        ],
        tells=[
            at_most("green", "open interest over green hours", fact(-2.2, words.PERCENT), -1.0,
                    "covering at -1 %")
        ],
        ahead=[
            at_most("minutes", "minutes of taker buying to the pocket above",
                    modelled(3.2, "min", 2.4, 5.1), 5.0, "within reach at 5 min")
        ],
    )  # fmt: skip


def _no_verdict(why) -> Verdict:
    return Verdict(
        id="verdict", title="Verdict", state="unknown", direction=None, since=None, because=[why],
        other="unknown", would_change=[], path=[], missing=[why], ahead=[], tells=[], refs=["M7"],
        implication="nothing can be said",
    )  # fmt: skip


def _side(zones) -> Side:
    step = SideStep(
        title="Trend acceleration", state="firing", when="a higher high on growing volume",
        do="buy back 10 ETH at once", because=["both tells speak"], refs=["M32"],
    )  # fmt: skip
    cap = Cap(
        id="gap",
        rule="2 × maintenance left after 15 %",
        max_leverage_x=modelled(5.9, "x", 5.9, 5.9),
        binding=True,
    )
    return Side(
        unknown=None, model="Worked for a model short of 20 ETH.", answer="SHORT 20 ETH: nothing must be cut.",
        readings=[], steps=[step], caps=[cap], zones=zones, notes=["see airpocket plan"],
    )  # fmt: skip


def _no_side(why) -> Side:
    return Side(
        unknown=why, model="", answer="", readings=[], steps=[], caps=[], zones=[], notes=[]
    )


def empty() -> Brief:
    """Nothing known: what a brief says when the store has no data."""
    none = "no data in the store"
    return Brief(
        asset="BTC",
        as_of=format_time(NOW),
        answer="Unknown: the store holds no data for BTC.",
        price=PriceSection(
            reference="binance:BTCUSDT",
            last=unknown(words.PRICE, none),
            tells=[],
            by_venue={},
            chart_ts=[],
            chart_close=[],
            chart_interest=[],
            chart_funding=[],
        ),
        health=Health(simulated=False, channels=[], missing=["everything"]),
        at_risk=AtRisk(
            headline="unknown: no data in the store",
            shorts=[],
            longs=[],
            hedged_shorts=unknown(words.PERCENT, none),
            hedged_longs=unknown(words.PERCENT, none),
        ),
        triggers=[],
        verdict=_no_verdict(none),
        regimes=[],
        clusters=[],
        map=MapSection(unknown=none, clusters=[], sources=[], notes=[], heat=None),
        cascade=CascadeSection(
            unknown=none,
            easier="unknown",
            glide=unknown(words.RATIO, none),
            runaway=unknown(words.RATIO, none),
            ways=[],
            redrawn=[],
            notes=[],
            pushes=unwalked(none),
        ),
        flows=[],
        roadmap=Roadmap(zones=[], rules=[], profile=None, averages={}, missing=[]),
        shorts=_no_side(none),
        longs=_no_side(none),
        record=Record(summary="not yet evaluated", entries=[]),
    )
