"""A little of every long fault bench; --full runs more of it."""

import json
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import pytest
from live.sim import START, S

from airpocket.ingest.skew import TIMES, server_time
from airpocket.lab.dialects.speech import Question
from tests.faults import brings, simulate
from tests.faults.bench import Outcome, run_seed
from tests.faults.machine import Loop, Machine
from tests.faults.market import VENUES, Market
from tests.faults.shards import cut
from tests.faults.soak import work
from tests.faults.venue import Door


@pytest.mark.fault("D09")
def test_simulated_hours_of_faults_break_no_promise_and_are_the_same_twice(told):
    """A binance_usdm recorder through some faults; the log's bytes follow from the seed alone."""
    first, second = run_seed(10, 1.5), run_seed(10, 1.5)
    assert first.violations == second.violations == []
    assert first.digest == second.digest
    assert first.faults
    assert first.acknowledged > 5_000
    told(
        f"{first.acknowledged:,} records, {first.faults}, well again within {first.recovered_s:,.0f} s"
    )


@pytest.mark.parametrize("seed", [6, 8])  # OKX and Hyperliquid: candles that a figure alone closes
def test_texts_alike_but_for_their_figures_bring_the_same_channels(seed, monkeypatch):
    monkeypatch.setattr(brings, "_AGAIN", 1)  # each is decoded and held against its like
    assert run_seed(seed, 0.1).violations == []


def test_a_simulation_that_broke_off_goes_on_where_it_was(tmp_path, monkeypatch, capsys):
    ran = []

    def work(seed, hours):
        ran.append(seed)
        return Outcome(seed, ("okx",), hours, frames=seed)

    monkeypatch.setattr(simulate, "work", work)
    log = tmp_path / "seeds.jsonl"
    told = ["--processes", "1", "--hours", "2", "--log", str(log)]
    assert simulate.main([*told, "--seeds", "2"]) == 0
    log.write_bytes(log.read_bytes() + b'{"seed":2,"ven')
    assert simulate.main([*told, "--seeds", "4"]) == 0
    assert simulate.main([*told, "--seeds", "4"]) == 0
    assert ran == [0, 1, 2, 3]
    assert "6 records logged" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.slow
def test_sixty_simulated_hours_of_every_dialect_break_no_promise(told):
    outcomes = [run_seed(seed, 6.0) for seed in range(1_000, 1_010)]
    assert [v for outcome in outcomes for v in outcome.violations] == []
    venues = {venue for outcome in outcomes for venue in outcome.venues}
    assert len(venues) == 10
    faults = sum(sum(outcome.faults.values()) for outcome in outcomes)
    told(f"60 seed-hours, {faults} faults, 0 violations")


@pytest.mark.fault("R01")
@pytest.mark.parametrize(
    ("messages", "reconnects"), [(6_000, 5), pytest.param(300_000, 20, marks=pytest.mark.slow)]
)
def test_no_number_is_missing_after_many_reconnects(told, messages, reconnects):
    done = work((0, messages, reconnects))
    told(f"{done.messages:,} messages, {done.first_mb:,.0f} to {done.last_mb:,.0f} MB")
    assert done.broken == ()
    assert done.messages == messages
    assert done.reconnects == reconnects


@pytest.mark.parametrize(("count", "pieces"), [(10, 3), (3, 10), (1, 1), (1_000, 7)])
def test_work_is_cut_without_leaving_anything_out(count, pieces):
    found = cut(count, pieces)
    assert [number for piece in found for number in piece] == list(range(count))
    assert all(found)


def test_a_simulated_book_that_rested_is_held_against_the_truth_only_when_what_came_is_applied():
    """The frame that ends a rest is on its way, while the book still shows what was true before."""
    market = Market("bybit_spot", "ETH", Random(1))
    loop = Loop()
    clock = Machine(loop, Path("."), Random(1)).clock  # noqa: PTH201 - no file is touched

    async def main():
        door, key = Door(market, clock, Random(2)), ("ETHUSDT", "book")
        line = await door.dial("wss://stream.bybit.com/v5/public/spot")
        data = {"s": "ETHUSDT", "b": [], "a": [], "u": 5, "seq": 5}
        topic = {"topic": "orderbook.1000.ETHUSDT", "type": "delta", "ts": 1_800_000_000_000}
        text = json.dumps({**topic, "data": data})
        for arrives in (10.0, 12.0, 50.0, 52.0):
            door.told(line, text, arrives)
        return door.reached[key], door.resumed[key]

    assert loop.run_until_complete(main()) == (52.0, 50.0)
    loop.close()


def test_what_a_dead_route_of_a_simulated_coinbase_withholds_of_a_book_is_numbered():
    """Its books have no ids: without the line's own count nothing could tell that a change is missing."""
    market = Market("coinbase", "ETH", Random(1))
    loop = Loop()
    clock = Machine(loop, Path("."), Random(1)).clock  # noqa: PTH201 - no file is touched

    async def main():
        door = Door(market, clock, Random(2))
        line = await door.dial("wss://advanced-trade-ws.coinbase.com")
        market.dialect.join(line.client, "level2/ETH-USD")
        door.net.dead_routes = {line.client.route}
        before = line.client.count
        door.speak()
        return line.client.count - before, line._frames

    counted, told = loop.run_until_complete(main())
    assert counted == 1
    assert not told
    loop.close()


@pytest.mark.parametrize("venue", VENUES)
def test_every_simulated_venue_tells_its_time_to_a_recorder_that_asks(venue):
    """Without it a clock that is off makes all messages old, once the recorder is begun anew."""
    market, poll = Market(venue, "ETH", Random(1)), TIMES[venue]
    parts, body = urlsplit(poll.url), poll.body.encode()
    asked = Question("POST" if body else "GET", parts.path, parts.query, body)
    answer = market.dialect.answer(asked, START)
    assert answer.status == 200
    assert abs(server_time(answer.body) - START) < S
