"""Reference data on its way through the intake: sizes, standings, shut venues, and the same again in replay."""

import json

import pytest

from airpocket.domain.wire import Listing, Trade
from airpocket.ingest.log.records import Record
from airpocket.live.feeds import decoders, feeds_of, sized_decoders
from airpocket.live.intake import Intake
from airpocket.live.recorder import pulse_of
from airpocket.live.roster import Roster
from airpocket.live.session import States
from airpocket.market.live.reference import Change, Version

S = 1_000_000_000
T0 = 1_800_000_000 * S
SWAPS = "https://www.okx.com/api/v5/public/instruments?instType=SWAP"
SYMBOL = "XYZ-USDT-SWAP"


def ms(at):
    return at // 1_000_000


class Wire:
    """Records of one recording, as they would be heard, into a fresh intake."""

    def __init__(self, assets=("XYZ",), venues=("okx",)):
        self.states = States(assets)
        self.feeds = feeds_of(assets, venues)
        self.pulse = pulse_of(self.feeds.values())
        self.intake = Intake(
            decoders(), self.states, self.pulse, sized=sized_decoders(), journal=True
        )
        self.records = []

    def say(self, kind, body=b"", *, at, venue="okx", connection="public#1", about=""):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        record = Record(
            heard=at, venue=venue, connection=connection, kind=kind, body=body, about=about
        )
        self.records.append(record)
        return self.intake.take(record)

    def swaps(self, at, ct_val="10", **changed):
        row = {"instId": SYMBOL, "instType": "SWAP", "ctType": "linear", "ctVal": ct_val, "ctMult": "1",
               "ctValCcy": "XYZ", "tickSz": "0.01", "lotSz": "1", "listTime": "1700000000000", "expTime": "",
               "state": "live", **changed}  # fmt: skip
        others = [{**row, "instId": f"A{n}-USDT-SWAP"} for n in range(6)]
        return self.rest({"code": "0", "msg": "", "data": [row, *others]}, at)

    def rest(self, body, at):
        route = "rest /api/v5/public/instruments?instType=SWAP#1"
        return self.say("rest", body, at=at, connection=route, about=SWAPS)

    def trade(self, at, number, size="3"):
        data = [{"instId": SYMBOL, "tradeId": f"{number}", "px": "2", "sz": size, "side": "buy",
                 "ts": f"{ms(at)}"}]  # fmt: skip
        arg = {"channel": "trades", "instId": SYMBOL}
        [trade] = self.say("text", {"arg": arg, "data": data}, at=at)
        return trade

    def book(self, at, action, last, previous):
        data = [{"bids": [["1.9", "5", "0", "1"]], "asks": [["2.1", "5", "0", "1"]], "ts": f"{ms(at)}",
                 "seqId": last, "prevSeqId": previous, "checksum": 0}]  # fmt: skip
        arg = {"channel": "books", "instId": SYMBOL}
        self.say("text", {"arg": arg, "action": action, "data": data}, at=at)

    @property
    def market(self):
        return self.states.by_asset["XYZ"].markets["okx", SYMBOL]

    def state(self, channel, now, symbol=SYMBOL):
        return self.pulse.state_of("okx", symbol, channel, now)

    def again(self):
        """The same records through a fresh intake."""
        other = Wire()
        other.intake.take_all(self.records)
        return other


@pytest.mark.fault("M06", "L05")
def test_a_listing_makes_sizes_known_from_then_on_and_a_replay_agrees():
    wire = Wire()
    wire.say("connect", at=T0, about="wss://ws.okx.com")
    before = wire.trade(T0 + S, 1)
    assert (before.size, before.notional_usd) == (None, None)  # contracts of unknown worth
    wire.swaps(T0 + 2 * S)
    after = wire.trade(T0 + 3 * S, 2)
    assert (after.size, after.notional_usd) == (30.0, 60.0)  # 3 contracts of 10 coins at 2
    wire.swaps(T0 + 4 * S, ct_val="0.001")
    assert wire.trade(T0 + 5 * S, 3).size == pytest.approx(0.003)
    assert wire.again().intake.journal == wire.intake.journal


@pytest.mark.fault("M05", "M06")
@pytest.mark.parametrize("changed", [{"ct_val": "1"}, {"tickSz": "0.05"}, {"lotSz": "10"}])
def test_a_book_begins_anew_when_size_tick_or_lot_change(changed):
    wire = Wire()
    wire.say("connect", at=T0, about="wss://ws.okx.com")
    wire.swaps(T0)
    wire.book(T0 + S, "snapshot", 10, -1)
    assert wire.market.book.state == "live"
    wire.swaps(T0 + 2 * S)  # said again: nothing happens
    assert wire.market.book.state == "live"
    wire.swaps(T0 + 3 * S, **changed)
    assert wire.market.book.state == "untrusted"
    assert wire.states.wanting() == [("okx", SYMBOL)]
    wire.book(T0 + 4 * S, "update", 11, 10)  # follows in number, but not in meaning
    assert wire.market.book.state == "untrusted"
    wire.book(T0 + 5 * S, "snapshot", 12, -1)
    assert wire.market.book.state == "live"
    assert wire.market.book.levels.touch().bid == 1.9


@pytest.mark.fault("M07")
def test_a_symbol_used_again_begins_without_the_past_of_the_other():
    wire = Wire()
    wire.say("connect", at=T0, about="wss://ws.okx.com")
    wire.swaps(T0)
    wire.trade(T0 + S, 1)
    wire.book(T0 + S, "snapshot", 10, -1)
    old = wire.market
    wire.swaps(T0 + 2 * S, listTime="1790000000000")
    assert wire.market is not old
    assert not wire.market.tick
    assert wire.states.wanting() == [("okx", SYMBOL)]


@pytest.mark.fault("M02")
def test_a_halted_contract_is_halted_and_not_silent_and_its_route_is_left_alone():
    wire = Wire()
    wire.say("connect", at=T0, about="wss://ws.okx.com")
    wire.swaps(T0 + S)
    wire.trade(T0 + S, 1)
    wire.swaps(T0 + 2 * S, state="suspend")
    now = T0 + 600 * S
    assert wire.state("trades", now) == ("halted", "the venue has halted it")
    ill = wire.pulse.ill_routes(now)
    assert all(SYMBOL not in why for why in ill.values())
    wire.swaps(now)
    wire.trade(now, 2)
    assert wire.state("trades", now)[0] == "live"


@pytest.mark.fault("M03")
@pytest.mark.parametrize("speaks", [False, True])
def test_a_contract_missing_from_two_lists_is_delisted_unless_it_still_speaks(speaks):
    wire = Wire()
    wire.say("connect", at=T0, about="wss://ws.okx.com")
    wire.swaps(T0)
    wire.trade(T0 + S, 1)
    rows = json.loads(wire.records[1].body)
    gone = {**rows, "data": rows["data"][1:]}
    wire.rest(gone, T0 + 240 * S)
    assert wire.state("trades", T0 + 241 * S)[0] != "delisted"
    if speaks:
        wire.trade(T0 + 300 * S, 2)
    wire.rest(gone, T0 + 480 * S)
    assert (wire.state("trades", T0 + 481 * S)[0] == "delisted") is not speaks
    if speaks:  # it is looked for again, and goes when it is quiet
        wire.rest(gone, T0 + 720 * S)
        wire.rest(gone, T0 + 960 * S)
        assert wire.state("trades", T0 + 961 * S)[0] != "delisted"
    wire.swaps(T0 + 1_200 * S)
    wire.trade(T0 + 1_200 * S, 3)


@pytest.mark.fault("M04")
@pytest.mark.parametrize(
    "body",
    [b"<html><body>502 Bad Gateway</body></html>", b"", b"{}", b'{"code":"0","msg":"","data":[]}',
     b'{"code":"50001","msg":"Service temporarily unavailable","data":[]}'],
    ids=["html", "nothing", "an empty object", "an empty list", "an error"],
)  # fmt: skip
def test_a_broken_list_ends_no_market_and_sounds_an_alarm(body):
    wire = Wire()
    wire.say("connect", at=T0, about="wss://ws.okx.com")
    route = "rest /api/v5/public/instruments?instType=SWAP#1"
    wire.say("connect", at=T0, connection=route)
    wire.swaps(T0)
    for turn in range(1, 6):
        at = T0 + turn * 240 * S
        wire.rest(body, at)
        wire.trade(at, turn)
        assert wire.state("trades", at)[0] == "live"
        assert wire.trade(at, 100 + turn).size == 30.0  # the last good list stands
    state, _ = wire.state("listings", T0 + 1_201 * S, "XYZ")
    assert state in ("degraded", "stale")
    wire.swaps(T0 + 1_300 * S)
    assert wire.state("listings", T0 + 1_300 * S, "XYZ")[0] == "live"


@pytest.mark.fault("M14")
def test_maintenance_is_one_incident_that_halts_every_channel_and_ends():
    wire = Wire()
    wire.say("connect", at=T0, about="wss://ws.okx.com")
    wire.trade(T0 + S, 1)

    def status(state, at):
        told = {
            "arg": {"channel": "status"},
            "data": [{"title": "Trading system upgrade", "state": state}],
        }
        wire.say("text", told, at=at)

    status("scheduled", T0 + 2 * S)
    assert not wire.pulse.incidents
    status("ongoing", T0 + 3 * S)
    status("ongoing", T0 + 9 * S)  # said again: the same incident
    [(venue, why)] = wire.pulse.incidents
    assert venue == "okx"
    assert "shut since 2027-01-15T08:00:03Z: maintenance ongoing: Trading system upgrade" in why
    now = T0 + 600 * S
    halted = {c.state for c in wire.pulse.status(now) if c.symbol == SYMBOL}
    assert halted == {"halted"}
    assert {c.reason for c in wire.pulse.status(now) if c.symbol == SYMBOL} == {why}
    assert not any(
        venue == "okx" and "trades" in w for (venue, _), w in wire.pulse.ill_routes(now).items()
    )
    status("completed", now)
    assert not wire.pulse.incidents


@pytest.mark.fault("M08")
def test_a_contract_that_is_not_what_it_is_read_as_gives_no_trusted_figure():
    wire = Wire()
    wire.say("connect", at=T0, about="wss://ws.okx.com")
    wire.swaps(T0, ctType="inverse", ctValCcy="USD")
    wire.trade(T0 + S, 1)
    state, why = wire.state("trades", T0 + S)
    assert (state, why) == ("degraded", "the venue lists it as inverse, it is read as linear")


@pytest.mark.fault("M09")
def test_a_rate_without_a_known_interval_is_not_kept_and_its_channel_says_why():
    wire = Wire(("ETH",), ("binance_usdm",))
    wire.say("connect", at=T0, venue="binance_usdm", connection="market#1")

    def mark(at):
        data = {"e": "markPriceUpdate", "E": ms(at), "s": "ETHUSDT", "p": "3000", "i": "3000", "r": "0.0001",
                "T": ms(at) + 3_600_000}  # fmt: skip
        wire.say("text", {"stream": "ethusdt@markPrice@1s", "data": data}, at=at, venue="binance_usdm",
                 connection="market#1")  # fmt: skip

    def kept():
        facts = wire.states.by_asset["ETH"].facts
        rows = [b for b in facts if b.kind == "funding_estimate"]
        return {int(b.ints("ts")[0] - T0) // S: int(b.ints("interval_s")[0]) for b in rows}

    for minute in range(3):
        mark(T0 + minute * 60 * S)
    assert not kept()
    why = wire.pulse.state_of("binance_usdm", "ETHUSDT", "funding", T0 + 120 * S)
    assert why == ("degraded", "how often it settles is not known")
    terms = [{"symbol": f"A{n}USDT", "fundingIntervalHours": 4} for n in range(5)]
    url = "https://fapi.binance.com/fapi/v1/fundingInfo"
    for minute, body in (
        (3, terms),
        (5, [*terms, {"symbol": "ETHUSDT", "fundingIntervalHours": 1}]),
    ):
        at = T0 + minute * 60 * S
        wire.say(
            "rest",
            body,
            at=at,
            venue="binance_usdm",
            connection="rest /fapi/v1/fundingInfo#1",
            about=url,
        )
        mark(at + S)
        mark(at + 70 * S)
    mark(T0 + 480 * S)
    assert kept() == {
        181: 28_800,
        301: 3_600,
        370: 3_600,
    }  # each minute's last rate, with its own interval


def change_of(wire, symbol, at, ours=SYMBOL):
    [change] = [c for c in wire.intake.listed.changes if (c.what, c.symbol) == ("listed", symbol)]
    return change


@pytest.mark.fault("M01")
def test_a_newly_listed_contract_of_ours_gets_routes_of_its_own():
    wire = Wire()
    wire.swaps(T0)
    rows = json.loads(wire.records[0].body)
    new = {**rows["data"][0], "instId": "XYZ-USDC-SWAP"}
    stranger = {**rows["data"][0], "instId": "QQQ-USDC-SWAP"}
    wire.rest({**rows, "data": [*rows["data"], new, stranger]}, T0 + 240 * S)
    roster = Roster(("XYZ",), wire.feeds)
    assert roster.joining(change_of(wire, "QQQ-USDC-SWAP", T0)) is None
    found = roster.joining(change_of(wire, "XYZ-USDC-SWAP", T0))
    assert {socket.route for socket in found.feed.sockets} == {
        "public+XYZ-USDC-SWAP",
        "business+XYZ-USDC-SWAP",
    }
    assert {c.symbol for c in found.feed.channels} == {"XYZ-USDC-SWAP"}
    assert found.feed.again["XYZ-USDC-SWAP"][0] == "public+XYZ-USDC-SWAP"
    repeated = roster.joining(change_of(wire, "XYZ-USDC-SWAP", T0))
    assert (repeated.feed, set(repeated.routes)) == (None, {s.route for s in found.feed.sockets})


@pytest.mark.fault("M01")
def test_what_was_asked_for_before_it_was_listed_is_called_anew():
    wire = Wire()
    wire.swaps(T0)
    rows = json.loads(wire.records[0].body)
    others = {**rows, "data": rows["data"][1:]}
    fresh = Wire()
    fresh.rest(others, T0)
    fresh.rest(rows, T0 + 240 * S)
    found = Roster(("XYZ",), fresh.feeds).joining(change_of(fresh, SYMBOL, T0))
    assert (found.feed, set(found.routes)) == (None, {"public", "business"})


class Binance(Wire):
    """ETHUSDT on both routes and its poll, second by second."""

    def __init__(self):
        super().__init__(("ETH",), ("binance_usdm",))
        self.poll = "rest /fapi/v1/openInterest?symbol=ETHUSDT#1"
        for connection in ("public#1", "market#1", self.poll):
            self.say("connect", at=T0, venue="binance_usdm", connection=connection)

    def mark(self, at, price):
        data = {"e": "markPriceUpdate", "E": ms(at), "s": "ETHUSDT", "p": f"{price}", "i": f"{price}",
                "r": "0.0001", "T": ms(at) + 3_600_000}  # fmt: skip
        self.say("text", data, at=at, venue="binance_usdm", connection="market#1")

    def interest(self, at, amount):
        body = {"openInterest": f"{amount}", "symbol": "ETHUSDT", "time": ms(at)}
        self.say("rest", body, at=at, venue="binance_usdm", connection=self.poll)

    def forced(self, at):
        order = {
            "s": "ETHUSDT",
            "S": "SELL",
            "q": "1",
            "p": "2500",
            "ap": "2500",
            "z": "1",
            "T": ms(at),
        }
        body = {"e": "forceOrder", "E": ms(at), "o": order}
        self.say("text", body, at=at, venue="binance_usdm", connection="market#1")

    def minute(self, *, fall, reports=False):
        """A minute in which price and open interest fall by `fall` and 1.5 times as much; its end."""
        for second in range(61):
            at = T0 + second * S
            self.mark(at, 3_000.0 * (1.0 - fall * second / 60))
            if second % 15 == 0:
                self.interest(at, 1e6 * (1.0 - 1.5 * fall * second / 60))
            if reports and second == 40:
                self.forced(at)
        return T0 + 60 * S

    def health(self, channel, now):
        return self.pulse.state_of("binance_usdm", "ETHUSDT", channel, now)


@pytest.mark.fault("L03")
def test_a_liquidation_channel_silent_in_a_crash_is_degraded_within_a_minute_and_until_it_speaks():
    wire = Binance()
    end = wire.minute(fall=0.12)
    wire.mark(end + S, 2_640.0)
    state, why = wire.health("liquidations", end + S)
    assert (state, why.split(" while ")[0]) == ("degraded", "no liquidation")
    assert wire.health("price", end + S)[0] == "live"
    wire.forced(end + 2 * S)
    wire.mark(end + 4 * S, 2_640.0)
    assert wire.health("liquidations", end + 4 * S) == ("live", "")


@pytest.mark.fault("L02", "L03")
@pytest.mark.parametrize(("fall", "reports"), [(0.001, False), (0.12, True)])
def test_a_calm_market_or_one_that_reports_leaves_the_channel_live(fall, reports):
    wire = Binance()
    end = wire.minute(fall=fall, reports=reports)
    wire.mark(end + S, 3_000.0 * (1.0 - fall))
    state, why = wire.health("liquidations", end + S)
    assert (state, why) == ("live", "" if reports else "none so far; its route delivers")


@pytest.mark.fault("L04")
def test_open_interest_that_is_not_answered_any_more_is_stale_after_two_polls_while_the_price_runs_on():
    wire = Binance()
    end = wire.minute(fall=0.001)
    wire.say("disconnect", at=end + S, venue="binance_usdm", connection="rest other#1", about="429")
    for second in range(1, 40):
        wire.mark(end + second * S, 2_900.0)
    state, why = wire.health("open_interest", end + 31 * S)
    assert (state, why) == ("stale", "nothing for 31 s, at most 30 s is normal")
    assert wire.health("open_interest", end + 29 * S)[0] == "live"
    status = {s.channel: s for s in wire.pulse.status(end + 31 * S) if s.symbol == "ETHUSDT"}
    assert status["open_interest"].age_s == 31.0
    assert status["price"].state == "live"


def test_a_new_recording_knows_only_what_it_hears_itself():
    wire = Wire()
    wire.swaps(T0)
    wire.say("marker", b'{"event":"begun"}', at=T0 + S, venue="", connection="log")
    assert wire.trade(T0 + 2 * S, 1).size is None


def test_listings_are_events_like_all_others():
    wire = Wire()
    found = wire.swaps(T0)
    assert isinstance(found[0], Listing)
    assert found[-1].symbols[0] == SYMBOL


@pytest.mark.fault("M06")
@pytest.mark.parametrize(
    ("venue", "symbol", "base"),
    [("binance_usdm", "1000PEPEUSDT", "1000PEPE"), ("hyperliquid", "kPEPE", "kPEPE")],
)
def test_a_contract_of_a_thousand_coins_is_never_taken_for_the_coin(venue, symbol, base):
    listing = Listing(venue=venue, symbol=symbol, ts=T0, usable_from=T0, heard=T0, base=base, kind="linear",
                      contract_size=1.0, size_unit="coin", tick_size=None, status="live")  # fmt: skip
    change = Change(venue, symbol, "listed", T0, Version(1, T0, listing), "newly listed")
    assert Roster(("PEPE",), {}).joining(change) is None
    assert Roster((base,), {}).joining(change).symbol == symbol
    states = States(("PEPE",))
    states.changed(change)
    trade = Trade(venue=venue, symbol=symbol, ts=T0, usable_from=T0, heard=T0, price=0.01, size=5.0,
                  notional_usd=0.05, taker_side="buy", trade_id=1)  # fmt: skip
    states.apply(trade, "c#1")
    assert not states.by_asset["PEPE"].markets
