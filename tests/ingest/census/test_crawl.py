"""The crawl: everyone met is asked once, restarts go on, refusals and broken answers lose nothing."""

import asyncio
import json

import polars as pl
import pytest
from ingest.census.made import (
    NOW,
    Hands,
    Told,
    address,
    crawled,
    flat,
    holding,
    listening,
    owning,
    rows_of,
)

from airpocket.domain.errors import BadInput, StoreBusy, VenueRefused
from airpocket.domain.units import HOUR_NS, MINUTE_NS, SECOND_NS
from airpocket.ingest.census.roster import Roster, RosterSettings
from airpocket.ingest.census.sources import read_addresses
from airpocket.ingest.census.stored import accounts_of, asked_before
from airpocket.ingest.dial import LineClosed, Refused
from airpocket.ingest.lake import Lake
from airpocket.ingest.log.records import Record
from airpocket.ingest.log.settings import LogSettings
from airpocket.ingest.log.writer import LogWriter
from airpocket.ingest.venues.hyperliquid.accounts import HOUSE

A, B, C = (address(n) for n in (1, 2, 3))
HOUSES = dict.fromkeys(HOUSE, flat())


def venue(**accounts):
    return Told({**HOUSES, A: owning(holding("2.0", "6000.0")), B: owning(holding("-1.5", "4500.0")),
                 C: flat(), **accounts})  # fmt: skip


def test_everyone_on_the_leaderboard_is_asked_once_and_kept(tmp_path):
    told = venue()
    census = crawled(tmp_path, told)
    assert census.tally.asked == 8
    assert all(told.about(each) == 1 for each in (A, B, C, *HOUSE))
    assert (census.tally.holding, census.tally.coverage("ETH")) == (2, (0.02, 0.015))
    rows = rows_of(tmp_path).filter(pl.col("contract") == "ETH").sort("size_coin")
    assert rows["size_coin"].to_list() == [-1.5, 2.0]
    assert rows["liquidation_price"].to_list() == [2755.1, 2755.1]
    assert len(rows_of(tmp_path)) == 8
    interest = Lake(tmp_path).read("open_interest", "hyperliquid", "ETH")
    assert interest["amount"].unique().to_list() == [100.0]
    assert all(rows["usable_from"] >= rows["ts"])


def test_the_next_run_goes_on_where_the_last_ended(tmp_path):
    crawled(tmp_path, venue())
    again = venue(**{address(9): owning(holding("1.0"))})
    later = crawled(tmp_path, again, Hands(NOW + MINUTE_NS))
    assert again.asked.count(A) == 0  # its answer still lasts
    assert again.about(address(9)) == 1
    assert later.tally.asked == 1
    assert later.tally.coverage("ETH") == (0.03, 0.015)  # those of before count on
    hour = venue()
    crawled(tmp_path, hour, Hands(NOW + HOUR_NS))
    assert (hour.about(A), hour.about(C)) == (1, 0)  # the flat may wait longer


def test_an_account_that_empties_is_told_flat_from_then_on(tmp_path):
    crawled(tmp_path, venue())
    gone = flat((NOW + HOUR_NS) // 1_000_000)
    crawled(tmp_path, venue(**{A: gone}), Hands(NOW + HOUR_NS))
    lake = Lake(tmp_path)
    now = {each.account: each for each in accounts_of(lake, NOW + 2 * HOUR_NS)}
    then = {each.account: each for each in accounts_of(lake, NOW + MINUTE_NS)}
    assert now[A].holdings == ()
    assert then[A].holdings[0].size_coin == 2.0
    assert asked_before(lake, "hyperliquid", NOW + 2 * HOUR_NS)[A][1] is False


def test_a_run_killed_between_flushes_loses_only_what_came_since(tmp_path):
    """The store has whole commits or nothing; addresses met are known to the next run."""

    class Dies(Told):
        async def __call__(self, poll):
            if self.about(B):
                raise KeyboardInterrupt
            return await super().__call__(poll)

    with pytest.raises(KeyboardInterrupt):
        crawled(tmp_path, Dies(venue().accounts), workers=1)
    assert Lake(tmp_path).verify() == []
    rest = venue()
    crawled(tmp_path, rest)
    assert len(rows_of(tmp_path)["account"].unique()) == 8


def test_a_ban_is_sat_out_and_nobody_is_dropped(tmp_path):
    told = venue(**{A: [Refused("HTTP 429: too many requests", wait_s=60.0), flat(), flat()]})
    census = crawled(tmp_path, told)
    assert census.tally.asked == 8
    assert census.tally.troubles == {"HTTP 429: too many requests": 1}
    assert told.about(A) == 2


def test_a_broken_answer_is_asked_again_and_then_left(tmp_path):
    once = venue(**{A: [b"<html>", owning(holding())], B: [b"{", b"{", b"{", b"{"]})
    census = crawled(tmp_path, once)
    assert (once.about(A), once.about(B)) == (2, 3)
    assert census.tally.asked == 7
    assert all(trouble.startswith("unreadable: hyperliquid:") for trouble in census.tally.troubles)
    assert B not in rows_of(tmp_path)["account"].to_list()


@pytest.mark.parametrize(
    ("every", "said"),
    [(Refused("HTTP 403: refused from here", for_good=True), "HTTP 403: refused from here"),
     (Refused("no answer: timed out"), "20 answers in a row were none"), (b"[]", "20 answers in a row were none")],
)  # fmt: skip
def test_a_venue_that_will_not_or_cannot_answer_is_left_alone(tmp_path, every, said):
    told = Told({**dict.fromkeys(HOUSE, every), **{address(n): every for n in range(40, 80)}})
    with pytest.raises(VenueRefused, match=said):
        crawled(tmp_path, told)
    assert len(told.asked) < 60
    assert len(rows_of(tmp_path, "account_seen")) >= 5


def test_lists_that_do_not_answer_are_named_and_the_file_is_enough(tmp_path):
    class Silent(Told):
        async def __call__(self, poll):
            if "stats-data" in poll.url:
                raise Refused("HTTP 404: refused from here", for_good=True)
            return await super().__call__(poll)

    census = crawled(tmp_path, Silent(venue().accounts), addresses=(A,))
    assert census.tally.asked == 1 + len(HOUSE)
    assert set(census.tally.troubles) == {
        "vaults not listed: HTTP 404: refused from here", "leaderboards not listed: HTTP 404: refused from here",
    }  # fmt: skip
    assert crawled(tmp_path / "quiet", venue(), lists=False).tally.asked == len(HOUSE)


def test_users_of_recorded_trades_are_asked(tmp_path):
    clock = Hands()
    frame = trades(A, B).encode()
    heard = [("hyperliquid", frame), ("okx", frame), ("hyperliquid", b'"users"')]
    with LogWriter(tmp_path / "raw", clock, LogSettings()) as log:
        for name, body in heard:
            log.append(Record(NOW - 1, name, "c#1", "text", body))
    told = venue()
    census = crawled(tmp_path, told, clock, lists=False)
    assert (told.about(A), told.about(B), told.about(C)) == (1, 1, 0)
    assert census.tally.met["trade"] == 2


def trades(*users):
    return json.dumps({"channel": "trades", "data": [{"coin": "ETH", "users": users}]})


class OneFrame:
    """A line that brings one frame of trades and then nothing."""

    def __init__(self, frame):
        self._frames = [frame]

    async def receive(self):
        if self._frames:
            return self._frames.pop()
        await asyncio.sleep(60)
        raise LineClosed("over")

    async def send(self, text):
        assert '"trades"' in text or '"ping"' in text

    async def ping(self):
        return asyncio.get_running_loop().create_future()

    async def close(self):
        pass


def test_users_of_live_trades_are_asked_while_it_listens_and_holders_again(tmp_path):
    frame = trades(A, C)

    async def dial(url):
        return OneFrame(frame)

    told = venue()
    quick = RosterSettings(again_s=0.2, flat_again_s=1e6)
    census = listening(
        tmp_path,
        told,
        dial,
        lambda _: told.about(A) > 1 and told.about(C),
        lists=False,
        roster=quick,
    )
    assert (told.about(B), told.about(C)) == (0, 1)
    assert census.tally.met["trade"] == 2


def test_a_store_that_another_process_writes_is_waited_for(tmp_path, monkeypatch):
    tries = []
    write = Lake.write

    def busy_twice(self, tables, **more):
        tries.append(len(list(tables)))
        if len(tries) <= 2:
            raise StoreBusy("another process writes this store")
        return write(self, tables, **more)

    monkeypatch.setattr(Lake, "write", busy_twice)
    crawled(tmp_path, venue())
    assert len(rows_of(tmp_path)) == 8
    tries.clear()
    monkeypatch.setattr(
        Lake, "write", lambda *_, **__: (_ for _ in ()).throw(StoreBusy("still writing"))
    )
    with pytest.raises(StoreBusy, match="still writing"):
        crawled(tmp_path, venue(), Hands(NOW + HOUR_NS))


def test_whom_to_ask_next():
    roster = Roster(RosterSettings(again_s=10.0, flat_again_s=100.0, tries=2, later_s=50.0))
    assert roster.meet("a")
    assert not roster.meet("a")
    roster.meet("b", NOW - 5 * SECOND_NS, holds=True)
    assert (roster.next(NOW), roster.next(NOW)) == ("a", None)
    assert roster.wait_s(NOW) == 5.0
    assert not roster.failed("a", NOW)
    assert roster.next(NOW) == "a"
    assert roster.failed("a", NOW)  # given up for a while
    assert roster.next(NOW + 10 * SECOND_NS) == "b"
    roster.told("b", NOW + 10 * SECOND_NS, holds=False)
    assert roster.next(NOW + 50 * SECOND_NS) == "a"
    roster.put_back("a", NOW + 50 * SECOND_NS)
    assert roster.next(NOW + 50 * SECOND_NS) == "a"
    roster.told("a", NOW + 50 * SECOND_NS, holds=True)
    assert roster.wait_s(NOW + 50 * SECOND_NS) == 10.0
    assert (len(roster), "b" in roster, roster.asked) == (2, True, {"a", "b"})


def test_a_file_of_addresses(tmp_path):
    file = tmp_path / "mine.txt"
    file.write_text(f"# mine\n{A.upper().replace('0X', '0x')}  # the first\n\n{B}\n{A}\n")
    assert read_addresses(file) == [A, B]
    file.write_text(f"{A}\n0x12\n")
    with pytest.raises(BadInput, match="line 2: '0x12' is no address"):
        read_addresses(file)
    file.write_text("# nothing\n")
    with pytest.raises(BadInput, match="holds no address"):
        read_addresses(file)
    with pytest.raises(BadInput, match="can't be read"):
        read_addresses(tmp_path / "none.txt")
