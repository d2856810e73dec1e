"""Which faults come when, drawn from a seed; each is a coroutine that begins it, waits and takes it back."""

import asyncio
from random import Random

from live.sim import S

CALM_S = (1_500.0, 4_200.0)  # between two storms: long enough that everything must be well again
_LONGEST = 4  # faults of one storm


class Trouble:
    """Draws the faults of one run. `running`: those that last now; `ended`: when the last was over (loop's s)."""

    def __init__(self, bench, rng: Random) -> None:
        self._bench, self._rng = bench, rng
        self.running: list[str] = []
        self.ended = 0.0
        self.told: list[tuple[float, str]] = []
        self.counts: dict[str, int] = {}

    async def run(self, until: float) -> None:
        """Storms and calms until the loop's time is `until`."""
        rng, loop = self._rng, asyncio.get_running_loop()
        await asyncio.sleep(rng.uniform(60.0, 600.0))
        while loop.time() < until:
            storm = [
                asyncio.create_task(self._later(rng.uniform(0.0, 300.0), rng.choice(FAULTS)))
                for _ in range(rng.choice((1, 1, 2, 3, _LONGEST)))
            ]
            await asyncio.gather(*storm)
            await asyncio.sleep(rng.uniform(*CALM_S))

    async def _later(self, wait_s: float, fault) -> None:
        await asyncio.sleep(wait_s)
        name, loop = fault.__name__.strip("_"), asyncio.get_running_loop()
        self.running.append(name)
        self.counts[name] = self.counts.get(name, 0) + 1
        self.told.append((loop.time(), name))
        del self.told[:-40]
        try:
            await fault(self._bench, self._rng)
        finally:
            self.running.remove(name)
            self.ended = loop.time()


def _lasts(rng: Random, *, most: float = 600.0) -> float:
    """Seconds: short ones often, long ones sometimes."""
    return min(rng.choice((2.0, 20.0, 120.0, 900.0)) * rng.uniform(0.5, 1.5), most)


def _door(bench, rng):
    return rng.choice(list(bench.doors.values()))


async def _delay(bench, rng):
    net = _door(bench, rng).net
    net.delay_s, net.jitter_s = rng.uniform(0.05, 6.0), rng.uniform(0.0, 2.0)
    await asyncio.sleep(_lasts(rng))
    net.delay_s = net.jitter_s = 0.0


async def _stall(bench, rng):
    net, lasts_s = _door(bench, rng).net, _lasts(rng, most=90.0)
    net.stalled_until = asyncio.get_running_loop().time() + lasts_s
    await asyncio.sleep(lasts_s)


async def _cut(bench, rng):
    _door(bench, rng).cut(rng.choice(("1006", "1001 going away", "1011", "1012 service restart")))


async def _one_line_cut(bench, rng):
    door = _door(bench, rng)
    if door.lines:
        rng.choice(door.lines).hang_up("1006")


async def _half_open(bench, rng):
    """Nobody is at the other end any more; new calls go through."""
    for line in list(_door(bench, rng).lines):
        line.dead = True
    await asyncio.sleep(30.0)


async def _black_hole(bench, rng):
    door = _door(bench, rng)
    door.net.swallowing = True
    for line in list(door.lines):
        line.dead = True
    await asyncio.sleep(_lasts(rng))
    door.net.swallowing = False


async def _unreachable(bench, rng):
    door = _door(bench, rng)
    door.net.unreachable = True
    door.cut("1006")
    await asyncio.sleep(_lasts(rng))
    door.net.unreachable = False


async def _truncated(bench, rng):
    net = _door(bench, rng).net
    net.truncate = rng.choice((0.001, 0.02, 0.3))
    await asyncio.sleep(_lasts(rng, most=300.0))
    net.truncate = 0.0


async def _twice(bench, rng):
    net = _door(bench, rng).net
    net.duplicate = rng.choice((0.01, 0.3, 1.0))
    await asyncio.sleep(_lasts(rng))
    net.duplicate = 0.0


async def _gap(bench, rng):
    _door(bench, rng).net.drop += rng.choice((1, 1, 2, 30))
    await asyncio.sleep(60.0)


async def _reordered(bench, rng):
    _door(bench, rng).net.late += rng.choice((1, 1, 3))
    await asyncio.sleep(60.0)


async def _counts_anew(bench, rng):
    _door(bench, rng).restart()
    await asyncio.sleep(10.0)


async def _flapping(bench, rng):
    door = _door(bench, rng)
    door.net.flapping = True
    door.cut("1006")
    await asyncio.sleep(_lasts(rng))
    door.net.flapping = False


async def _dead_route(bench, rng):
    door = _door(bench, rng)
    routes = sorted({line.client.route for line in door.lines}) or [""]
    door.net.dead_routes = {rng.choice(routes)}
    await asyncio.sleep(_lasts(rng, most=1_500.0))
    door.net.dead_routes = set()


async def _dead_to_newcomers(bench, rng):
    net = _door(bench, rng).net
    net.dead_from = asyncio.get_running_loop().time()
    await asyncio.sleep(_lasts(rng, most=1_500.0))
    net.dead_from = float("inf")


async def _mute(bench, rng):
    net = _door(bench, rng).net
    net.mute = rng.choice(("depth", "book", "trade", "mark", "ticker", "kline", "eth"))
    await asyncio.sleep(_lasts(rng))
    net.mute = ""


async def _banned(bench, rng):
    net, lasts_s = _door(bench, rng).net, rng.choice((120.0, 600.0))
    net.banned_until = asyncio.get_running_loop().time() + lasts_s
    await asyncio.sleep(lasts_s)


async def _rest_ill(bench, rng):
    net = _door(bench, rng).net
    net.status = rng.choice((500, 502, 503, 429))
    await asyncio.sleep(_lasts(rng))
    net.status = 0


async def _maintenance(bench, rng):
    door = _door(bench, rng)
    notice = door.market.dialect.farewell(door.now())
    for line in list(door.lines):
        if notice:
            line.say(notice)
    await asyncio.sleep(1.0)
    door.net.out = True
    door.cut("1001 going away")
    await asyncio.sleep(_lasts(rng))
    door.net.out = False
    door.restart()


async def _clock_steps(bench, rng):
    step_s = rng.choice((0.3, 2.0, 45.0, 1_500.0)) * rng.choice((-1, 1))
    bench.clock.wall_off += round(step_s * S)
    await asyncio.sleep(_lasts(rng))
    if rng.random() < 0.7:
        bench.clock.wall_off -= round(step_s * S)
    await asyncio.sleep(120.0)


async def _clock_drifts(bench, rng):
    per_s = rng.choice((50e-6, 200e-6, 500e-6)) * rng.choice((-1, 1))
    for _ in range(rng.randrange(60, 360)):
        await asyncio.sleep(10.0)
        bench.clock.wall_off += round(10.0 * per_s * S)


async def _machine_sleeps(bench, rng):
    """Everyone else goes on; lines that nobody answered are gone when it wakes."""
    bench.clock.slept += round(rng.choice((30.0, 1_200.0, 10_800.0)) * S)
    for door in bench.doors.values():
        for line in list(door.lines):
            line.dead = True
    await asyncio.sleep(60.0)


async def _held_up(bench, rng):
    asyncio.get_running_loop().passed += rng.uniform(3.0, 60.0)
    await asyncio.sleep(30.0)


async def _disk_full(bench, rng):
    bench.machine.disk.full = True
    await asyncio.sleep(_lasts(rng))
    bench.machine.disk.full = False


async def _sync_fails(bench, rng):
    del rng
    bench.machine.disk.fail_next = True
    await asyncio.sleep(10.0)


async def _slow_disk(bench, rng):
    bench.machine.slow_s = rng.uniform(0.1, 4.0)
    await asyncio.sleep(_lasts(rng))
    bench.machine.slow_s = 0.0


async def _killed(bench, rng):
    await bench.kill(power=False, back_s=rng.choice((0.5, 5.0, 60.0)))


async def _power_cut(bench, rng):
    await bench.kill(power=True, back_s=rng.choice((5.0, 120.0)))


async def _stopped(bench, rng):
    await bench.stop(back_s=rng.choice((0.5, 30.0)))


FAULTS = (
    _delay, _stall, _cut, _one_line_cut, _half_open, _black_hole, _unreachable, _truncated, _twice, _gap,
    _reordered, _counts_anew, _flapping, _dead_route, _dead_to_newcomers, _mute, _banned, _rest_ill, _maintenance,
    _clock_steps, _clock_drifts, _machine_sleeps, _held_up, _disk_full, _sync_fails, _slow_disk, _killed,
    _power_cut, _stopped,
)  # fmt: skip
