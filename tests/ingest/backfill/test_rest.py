"""Tests of the edge: waiting, giving up, and never speaking to anyone but the venue."""

import builtins
import sys

import pytest
import requests
from ingest.backfill.fake_venue import NOW, PUBLIC, FakeClock, FakeVenue, Say, Torn, body, client

from airpocket.domain.errors import (
    BadInput,
    MissingExtra,
    UndecodableFrame,
    UnknownInstrument,
    VenueRefused,
)
from airpocket.domain.units import HOUR_NS, parse_time
from airpocket.ingest.backfill import rest, session
from airpocket.ingest.backfill.deribit import ASKED_DIRECTLY
from airpocket.ingest.backfill.plan import Window
from airpocket.ingest.backfill.rest import Patience, VenueClient, retry_after_s
from airpocket.ingest.backfill.session import World
from airpocket.ingest.backfill.venues import VENUES

START = parse_time("2025-05-10T08:00Z")
WINDOW = Window(START, START + 3 * HOUR_NS)
LIMITED = {"code": -1003, "msg": "Too many requests."}


def ask(*answers, clock=None, venue="binance_usdm", **patience):
    """One page of bars, the venue giving these answers in turn; returns rows and the fake."""
    fake = FakeVenue({"/exchangeInfo": body("binance_usdm_exchangeInfo"), "/klines": answers})
    with client(venue, fake, clock, **patience) as asked:
        market = asked.market("ETHUSDT")
        return asked.page(market, "bar", WINDOW, HOUR_NS), fake


def good():
    return body("binance_klines")


@pytest.mark.parametrize(
    "trouble",
    [
        Say(LIMITED, 429),
        Say(LIMITED, 429, Retry_After="7"),
        Say(LIMITED, 418, Retry_After="7"),
        Say("<html>busy</html>", 503),
        Say("", 502),
        Say("", 504),
        Say("", 408),
        requests.exceptions.ReadTimeout("slow"),
        requests.exceptions.ConnectTimeout("slow"),
        requests.exceptions.ConnectionError("reset"),
        ConnectionResetError("reset"),
        Torn(),
    ],
)
def test_passing_trouble_is_waited_out_and_the_page_comes_whole(trouble):
    clock = FakeClock()
    rows, fake = ask(trouble, good(), clock=clock)
    assert [row[0] for row in rows] == [START // 10**6 + i * 3_600_000 for i in range(3)]
    assert len(fake.asked_for("/klines")) == 2
    assert max(clock.slept) >= 0.5  # chance 0.5 of the first second


def test_the_wait_is_what_the_venue_asks_plus_jitter():
    clock = FakeClock()
    ask(Say(LIMITED, 429, Retry_After="7"), good(), clock=clock)
    assert 7.5 in clock.slept


def test_the_wait_grows_to_a_cap_and_the_attempts_end():
    clock = FakeClock()
    with pytest.raises(VenueRefused, match=r"did not answer in 9 attempts: .*503"):
        ask(Say("", 503), clock=clock, attempts=9, cap_s=20.0)
    waits = [s for s in clock.slept if s >= 0.5]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0]


def test_a_ban_without_a_date_ends_at_once():
    clock = FakeClock()
    with pytest.raises(VenueRefused, match="answers 418: it has banned this address"):
        ask(Say(LIMITED, 418), clock=clock)
    assert [s for s in clock.slept if s >= 0.5] == []


def test_a_long_ban_ends_at_once_and_says_when_to_come_back():
    with pytest.raises(VenueRefused, match=r"asks to wait until 2025-05-10T13:\d\d:\d\dZ"):
        ask(Say(LIMITED, 418, Retry_After="3600"))


def test_retry_after_is_read_as_seconds_or_as_a_date():
    assert retry_after_s({"Retry-After": "12"}, NOW) == 12.0
    assert retry_after_s({"Retry-After": "Sat, 10 May 2025 12:31:00 GMT"}, NOW) == 60.0
    assert retry_after_s({"Retry-After": "Sat, 10 May 2025 12:29:00 GMT"}, NOW) == 0.0
    for nonsense in ("", "soon", "-4", "１２", "1e9", "nan"):
        assert retry_after_s({"Retry-After": nonsense}, NOW) is None


@pytest.mark.parametrize("status", [403, 451])
def test_a_venue_that_does_not_serve_this_place_says_so_after_one_request(status):
    restricted = Say({"code": 0, "msg": "restricted location"}, status)
    clock = FakeClock()
    with pytest.raises(
        VenueRefused, match=f"binance_usdm answers {status}: it is not reachable from"
    ):
        ask(restricted, clock=clock)
    assert [s for s in clock.slept if s >= 0.5] == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(status):
    with pytest.raises(VenueRefused, match="redirects are not followed"):
        ask(Say("", status, Location="https://evil.example/"))


@pytest.mark.parametrize("status", [400, 404, 405, 410])
def test_an_error_of_ours_is_not_repeated(status):
    clock = FakeClock()
    with pytest.raises(VenueRefused, match=f"answers {status}"):
        ask(Say("nope", status), clock=clock)
    assert [s for s in clock.slept if s >= 0.5] == []


@pytest.mark.parametrize(
    "answer",
    [
        Say("<html>maintenance</html>"),
        Say(""),
        Say('[[1746864000000,"1"'),
        Say('[[1746864000000,NaN,"1","1","1","1"]]'),
        Say("[" * 100_000),
    ],
)
def test_an_answer_that_is_not_json_is_undecodable(answer):
    with pytest.raises(UndecodableFrame, match="binance_usdm: an answer that"):
        ask(answer)


@pytest.mark.parametrize("answer", [[7], [None], [[None, "1", "2", "1", "1", "1"]]])
def test_json_of_another_shape_is_refused_when_it_is_read(answer):
    from airpocket.ingest.backfill.convert import time_of

    def read():
        rows, _ = ask(answer)
        fake_market = rest.Market("binance_usdm", "ETHUSDT", "x", "linear", None)
        for row in rows:
            time_of(fake_market, row)
        return rows

    with pytest.raises(UndecodableFrame):
        read()


def test_an_error_inside_a_good_answer_is_refused_in_plain_words():
    with pytest.raises(VenueRefused, match=r"binance_usdm refuses: .*Invalid symbol") as caught:
        ask(Say('{"code": -1121, "msg": "Invalid symbol."\n\n}'))
    assert str(caught.value).isprintable()


def test_an_answer_beyond_the_size_limit_is_refused(monkeypatch):
    monkeypatch.setattr(session, "BODY_CAP", 300)
    with pytest.raises(UndecodableFrame, match="larger than 300 bytes"):
        ask(good())


def test_requests_are_spaced_as_the_venue_demands():
    clock = FakeClock()
    fake = FakeVenue({"/exchangeInfo": body("binance_usdm_exchangeInfo"), "/klines": good()})
    with client("binance_usdm", fake, clock) as asked:
        market = asked.market("ETHUSDT")
        before = clock.now()
        for _ in range(20):
            asked.page(market, "bar", WINDOW, HOUR_NS)
    # limit <= 99 weighs 1; half of 2,400 a minute is one every 50 ms
    assert clock.now() - before >= 19 * 50_000_000


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "192.168.0.9", "::1", "169.254.1.1"])
def test_a_venue_name_that_leads_into_a_private_network_is_refused(address):
    fake = FakeVenue({})
    world = World(FakeClock(), lambda: 0.5, lambda _: None, lambda _: [PUBLIC, address], fake)
    with (
        VenueClient("binance_usdm", world) as asked,
        pytest.raises(VenueRefused, match=rf"resolves to {address}"),
    ):
        asked.market("ETHUSDT")
    assert fake.asked == []


def test_a_name_that_cannot_be_resolved_is_tried_again_and_then_refused():
    tried = []

    def fail(host):
        tried.append(host)
        raise OSError("name unknown")

    world = World(FakeClock(), lambda: 0.5, lambda _: None, fail, FakeVenue({}))
    with (
        VenueClient("okx", world, Patience(attempts=3)) as asked,
        pytest.raises(VenueRefused, match="did not answer in 3 attempts: name unknown"),
    ):
        asked.market("ETH-USDT-SWAP")
    assert tried == ["www.okx.com"] * 3


@pytest.mark.parametrize(
    "url",
    ["https://evil.example", "http://fapi.binance.com", "https://fapi.binance.com.evil.example"],
)
def test_a_library_that_points_elsewhere_is_not_obeyed(url):
    fake = FakeVenue({})
    with client("binance_usdm", fake) as asked:
        for name in asked._exchange.urls["api"]:
            asked._exchange.urls["api"][name] = url
        with pytest.raises(VenueRefused, match="refused to speak to"):
            asked.market("ETHUSDT")
    assert fake.asked == []


def test_nothing_of_the_environment_leads_elsewhere_and_nothing_is_logged(
    monkeypatch, caplog, capsys
):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with caplog.at_level("INFO"):
        rows, _ = ask(good())
    assert len(rows) == 3
    with client("okx", FakeVenue({})) as asked:
        assert asked._exchange.verbose is False
        assert asked._session._session.trust_env is False
    assert caplog.records == []
    assert capsys.readouterr().out == ""


def test_without_the_extra_the_message_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ccxt", None)
    with pytest.raises(MissingExtra, match=r"pip install 'airpocket\[backfill\]'"):
        client("binance_usdm", FakeVenue({}))


def test_the_library_is_imported_only_when_a_client_is_opened(monkeypatch):
    real = builtins.__import__

    def refuse(name, *rest_of):
        assert not name.startswith("ccxt")
        return real(name, *rest_of)

    monkeypatch.setattr(builtins, "__import__", refuse)
    monkeypatch.delitem(sys.modules, "airpocket.ingest.backfill.rest")
    __import__("airpocket.ingest.backfill.rest")
    sys.modules["airpocket.ingest.backfill.rest"] = rest


def test_symbols_the_venue_does_not_list_or_write_are_unknown():
    fake = FakeVenue({"/exchangeInfo": body("binance_usdm_exchangeInfo")})
    with client("binance_usdm", fake) as asked:
        with pytest.raises(UnknownInstrument, match="does not list 'DOGEUSDT'"):
            asked.market("DOGEUSDT")
        with pytest.raises(UnknownInstrument, match="not how binance_usdm writes"):
            asked.market("ETH-USDT-SWAP")
        with pytest.raises(UnknownInstrument, match="not how binance_usdm writes"):
            asked.market("ETHUSDT_250627")


def test_a_venue_without_a_table_is_refused_by_name():
    with pytest.raises(BadInput, match="does not speak to 'lighter'"):
        client("lighter", FakeVenue({}))


@pytest.mark.parametrize("venue", list(VENUES))
def test_every_venue_opens_and_its_offers_are_methods_that_the_library_has(venue):
    has = {
        "funding": "fetchFundingRateHistory",
        "open_interest": "fetchOpenInterestHistory",
        "ratio": "fetchLongShortRatioHistory",
        "bar": "fetchOHLCV",
        "mark_bar": "fetchMarkOHLCV",
        "index_bar": "fetchIndexOHLCV",
        "premium_bar": "fetchPremiumIndexOHLCV",
        "tier": "fetchMarketLeverageTiers",
    }
    with client(venue, FakeVenue({})) as asked:
        assert asked.offers_interval(HOUR_NS)
        for family in VENUES[venue].offers.keys() - set(ASKED_DIRECTLY):
            assert asked._exchange.has[has[family]] is True
