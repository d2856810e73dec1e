"""Who wants to be left alone is left alone, by the next process too."""

import asyncio
import errno
import os

import pytest

from airpocket.domain.errors import StoreDamaged
from airpocket.ingest import disk
from airpocket.ingest.ask import Asker
from airpocket.ingest.bans import NAME, BanFile, Bans
from airpocket.ingest.dial import Refused, refusal
from airpocket.ingest.feed import Poll

S = 1_000_000_000
VENUE = "binance_usdm"


class Time:
    """Both clocks set by hand; to sleep moves them."""

    def __init__(self, wall=1_800_000_000 * S, steady=50 * S):
        self.wall, self.steady = wall, steady

    def now(self):
        return self.wall

    def monotonic(self):
        return self.steady

    async def sleep(self, seconds):
        self.wall += int(seconds * S)
        self.steady += int(seconds * S)


def kept(folder, time):
    return Bans(time, BanFile(folder / NAME))


@pytest.mark.parametrize("step_s", [-1_500, 0, 1_500])
def test_the_next_process_of_the_same_boot_waits_as_long_whatever_the_clock_was_set_to(
    tmp_path, step_s
):
    time = Time()
    kept(tmp_path, time).bar(VENUE, 600.0)
    time.steady += 100 * S
    time.wall += (100 + step_s) * S
    assert kept(tmp_path, time).wait_s(VENUE) == pytest.approx(500.0)
    assert kept(tmp_path, time).wait_s("okx") <= 0.0


def test_after_another_boot_the_wall_clock_tells_and_never_more_than_a_day(tmp_path, monkeypatch):
    time = Time()
    kept(tmp_path, time).bar(VENUE, 600.0)
    monkeypatch.setattr(disk, "boot_id", lambda: "another")
    again = Time(time.wall + 100 * S, steady=3 * S)
    assert kept(tmp_path, again).wait_s(VENUE) == pytest.approx(500.0)
    once = Time(time.wall - 30 * 86_400 * S, steady=3 * S)  # our clock was a month ahead then
    assert kept(tmp_path, once).wait_s(VENUE) == pytest.approx(86_400.0)


def test_a_ban_that_is_over_is_forgotten_and_a_shorter_one_ends_none(tmp_path):
    time = Time()
    bans = kept(tmp_path, time)
    bans.bar(VENUE, 600.0)
    bans.bar(VENUE, 60.0)
    assert bans.wait_s(VENUE) == pytest.approx(600.0)
    time.steady += 601 * S
    bans.bar("okx", 60.0)
    assert list(BanFile(tmp_path / NAME).read()) == ["okx"]


def test_a_disk_that_takes_nothing_is_said_and_the_ban_is_obeyed_all_the_same(
    tmp_path, monkeypatch
):
    def full(handle, view):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    bans = kept(tmp_path, Time())
    with monkeypatch.context() as patched:
        patched.setattr(disk, "write_some", full)
        bans.bar(VENUE, 600.0)
    assert "No space left" in bans.trouble
    assert bans.wait_s(VENUE) == pytest.approx(600.0)
    bans.bar(VENUE, 600.0)
    assert bans.trouble == ""
    assert kept(tmp_path, Time()).wait_s(VENUE) == pytest.approx(600.0)


def test_a_file_that_is_not_ours_is_named(tmp_path):
    (tmp_path / NAME).write_text('{"okx": 5}')
    with pytest.raises(StoreDamaged, match=NAME):
        kept(tmp_path, Time())


def test_a_recorder_started_anew_asks_nothing_before_the_ban_is_over(tmp_path):
    time, asked = Time(), []
    begun = time.steady

    class Barred(Asker):
        async def _body(self, poll):
            asked.append((time.steady - begun) / S)
            if len(asked) == 1:
                raise refusal(418, {"Retry-After": "300"})
            return b"{}"

    async def life(seconds_later):
        await time.sleep(seconds_later)
        asker = Barred({}, time, time.sleep, bans=kept(tmp_path, time))
        try:
            return await asker(Poll(VENUE, "https://venue.example/x", (), 1.0))
        finally:
            await asker.close()

    with pytest.raises(Refused):
        asyncio.run(life(0.0))
    assert asyncio.run(life(20.0)) == b"{}"
    assert asked == [0.0, pytest.approx(300.0)]
