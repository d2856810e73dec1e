"""Alerts: an episode is told once, whatever flaps, hangs, restarts or fires a thousand times."""

import asyncio

import pytest
from brief.examples import rich
from msgspec.structs import replace

from airpocket.delivery.alerts.courier import Courier
from airpocket.delivery.alerts.findings import Look, findings
from airpocket.delivery.alerts.judge import Judge, plain, quiet_until
from airpocket.delivery.alerts.ledger import Ledger
from airpocket.delivery.alerts.rules import Rule, Rules, Service, read_rules
from airpocket.delivery.alerts.watching import Watch
from airpocket.delivery.cli import main
from airpocket.delivery.virtual import VirtualClock, in_virtual_time
from airpocket.domain.errors import BadInput, StoreBusy
from airpocket.domain.estimates import known, unknown
from airpocket.domain.units import HOUR_NS, MINUTE_NS, SECOND_NS, parse_time

START = int(parse_time("2026-01-15T12:00Z"))
PHONE = Service("phone", "json://localhost")
BRIEF = rich()


def with_trigger(state: str, row: int = 0):
    rows = [replace(each, state="quiet") for each in BRIEF.triggers]
    rows[row] = replace(rows[row], state=state)
    return replace(BRIEF, triggers=rows)


def look(brief=BRIEF, at: int = START, **more) -> Look:
    return Look(at, brief, **{"age_s": 1.0, **more})


FIRING = Rule("squeeze", "trigger", BRIEF.triggers[0].id, ("firing",), cooldown_s=0.0)


class Fake:
    """A notifier of a test: `works` says how it is now."""

    def __init__(self, works="yes") -> None:
        self.works, self.got, self.tried = works, [], 0

    async def send(self, service, title, body):
        self.tried += 1
        if self.works == "hangs":
            await asyncio.sleep(3_600.0)
        if self.works == "down":
            raise OSError("connection refused")
        if self.works == "refuses":
            return False
        self.got.append((title, body))
        return True


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path / "alerts.db") as found:
        yield found


def rules(*each: Rule, **more) -> Rules:
    return Rules(each or (FIRING,), (PHONE,), **more)


def test_an_episode_is_told_once_and_the_next_one_again(ledger):
    judge = Judge(rules(), ledger)
    made = []
    for minute, state in enumerate(["quiet", "firing", "firing", "quiet", "firing"]):
        at = START + minute * MINUTE_NS
        made.append(judge.judge(look(with_trigger(state), at), at))
    assert made == [0, 1, 0, 0, 1]


@pytest.mark.fault("A06")
def test_unknown_neither_begins_nor_ends_anything(ledger):
    judge = Judge(rules(), ledger)
    made = []
    for minute, state in enumerate(["unknown", "firing", "unknown", "firing"]):
        at = START + minute * MINUTE_NS
        made.append(judge.judge(look(with_trigger(state), at), at))
    assert made == [0, 1, 0, 0]


@pytest.mark.fault("A02")
def test_flapping_is_held_by_cool_down(ledger):
    judge = Judge(rules(replace_rule(FIRING, cooldown_s=1_800.0)), ledger)
    made = 0
    for minute in range(60):
        at = START + minute * MINUTE_NS
        made += judge.judge(look(with_trigger("firing" if minute % 2 else "quiet"), at), at)
    assert made == 2


def replace_rule(rule: Rule, **changes) -> Rule:
    from dataclasses import replace as changed

    return changed(rule, **changes)


def test_a_condition_must_last_before_it_is_told(ledger):
    judge = Judge(rules(replace_rule(FIRING, for_s=120.0)), ledger)
    states = ["firing", "quiet", "firing", "firing", "firing", "firing"]
    made = []
    for minute, state in enumerate(states):
        at = START + minute * MINUTE_NS
        made.append(judge.judge(look(with_trigger(state), at), at))
    assert made == [0, 0, 0, 0, 1, 0]


def distance(percent: float):
    zones = [replace(BRIEF.roadmap.zones[0], distance_percent=percent)]
    return replace(BRIEF, roadmap=replace(BRIEF.roadmap, zones=zones))


def test_hysteresis_keeps_one_episode_around_its_threshold(ledger):
    rule = Rule("near", "level", below=0.3, clear=0.6, cooldown_s=0.0)
    judge = Judge(rules(rule), ledger)
    made = []
    for minute, away in enumerate([1.0, 0.29, 0.31, 0.29, 0.59, 0.2, 0.61, 0.2]):
        at = START + minute * MINUTE_NS
        made.append(judge.judge(look(distance(away), at), at))
    assert made == [0, 1, 0, 0, 0, 0, 0, 1]


def squeezed(estimate):
    pushes = BRIEF.cascade.pushes
    ways = [replace(way, pocket_squeeze=estimate) for way in pushes.ways]
    return replace(BRIEF, cascade=replace(BRIEF.cascade, pushes=replace(pushes, ways=ways)))


def test_a_squeeze_number_speaks_only_when_it_is_known():
    rule = Rule("s", "squeeze", "pocket", direction="up", above=1.0, clear=0.8)
    high = known(1.2, "ratio", as_of=START, now=START, source="t", provenance="modelled")
    [found] = findings(rule, look(squeezed(high)))
    assert (found.begins, found.holds) == (True, True)
    assert "1.2 (modelled)" in found.words
    [blind] = findings(rule, look(squeezed(unknown("ratio", "no book"))))
    assert (blind.begins, blind.holds) == (None, None)


def test_each_state_of_the_verdict_is_an_episode_of_its_own(ledger):
    rule = Rule("v", "verdict", states=("ignition", "squeeze on"), direction="up", cooldown_s=0.0)
    judge = Judge(rules(rule), ledger)
    said = BRIEF.verdict
    made = []
    for minute, (state, way) in enumerate(
        [
            ("ignition", "up"),
            ("ignition", "up"),
            ("squeeze on", "up"),
            ("ignition", "down"),
            ("unknown", None),
        ]
    ):
        at = START + minute * MINUTE_NS
        brief = replace(BRIEF, verdict=replace(said, state=state, direction=way))
        made.append(judge.judge(look(brief, at), at))
    assert made == [1, 0, 1, 0, 0]


def test_old_data_and_a_dead_store_are_told(ledger):
    rule = Rule("data", "health", above=300.0, cooldown_s=0.0)
    judge = Judge(rules(rule), ledger)
    assert judge.judge(look(age_s=10.0), START) == 0
    assert judge.judge(look(age_s=400.0), START + 1) == 1
    assert judge.judge(Look(START + 2, None, failure="the disk is gone"), START + 2) == 1
    [first, second] = ledger.due("phone", START + 3)
    assert "400 s old" in first.words
    assert "the disk is gone" in second.words


@pytest.mark.fault("A07")
def test_a_restart_neither_repeats_nor_forgets(tmp_path):
    path = tmp_path / "alerts.db"
    with Ledger(path) as before:
        assert Judge(rules(), before).judge(look(with_trigger("firing")), START) == 1
    with Ledger(path) as after:
        judge = Judge(rules(), after)
        assert judge.judge(look(with_trigger("firing"), START + MINUTE_NS), START + MINUTE_NS) == 0
        assert len(after.due("phone", START + MINUTE_NS)) == 1


def test_two_watchers_never_share_a_ledger(tmp_path):
    with Ledger(tmp_path / "alerts.db"), pytest.raises(StoreBusy):
        Ledger(tmp_path / "alerts.db", wait_s=0.05)


def deliver_for(
    ledger, notifier, hours: float, change=None, per_hour: int = 20, begin: int = START
):
    """Let a courier work in virtual time; returns when each send was tried, s from the start."""
    tries: list[float] = []

    async def main(loop):
        clock = VirtualClock(loop, begin)
        courier = Courier(PHONE, rules(per_hour=per_hour), ledger, notifier, clock)
        seen = 0
        while loop.time() < hours * 3_600.0:
            if change is not None:
                change(loop.time())
            await courier.deliver()
            if notifier.tried > seen:
                seen = notifier.tried
                tries.append(loop.time())
            await asyncio.sleep(1.0)

    in_virtual_time(main)
    return tries


@pytest.mark.fault("A01")
def test_a_thousand_triggers_in_a_second_are_few_messages_and_none_is_lost(ledger):
    many = [replace_rule(FIRING, name=f"rule {n}") for n in range(1_000)]
    judge = Judge(rules(*many), ledger)
    assert judge.judge(look(with_trigger("firing")), START) == 1_000
    fake = Fake()
    deliver_for(ledger, fake, 0.02)
    assert len(fake.got) == 1
    title, body = fake.got[0]
    assert title == "airpocket 1,000 alerts"
    assert body.count("\n") == 10
    assert body.endswith("… and 990 more")
    assert ledger.unsent() == 0


@pytest.mark.fault("A01")
def test_what_is_urgent_stands_first_and_is_not_held_back_by_the_rest(ledger):
    many = [replace_rule(FIRING, name=f"rule {n}") for n in range(20)]
    urgent = replace_rule(FIRING, name="margin", urgent=True)
    fake = Fake()

    def judged(at_s: float) -> None:
        now = START + round(at_s * SECOND_NS)
        if at_s == 0.0:
            Judge(rules(*many, urgent), ledger).judge(look(with_trigger("firing"), now), now)
        if at_s == 60.0:
            Judge(rules(FIRING), ledger).judge(look(with_trigger("firing"), now), now)
        if at_s == 120.0:
            late = replace_rule(urgent, name="late margin")
            Judge(rules(late), ledger).judge(look(with_trigger("firing"), now), now)

    deliver_for(ledger, fake, 0.1, judged, per_hour=1)
    first, second = (body for _, body in fake.got)
    assert "margin" in first.split("\n")[0]
    assert "late margin" in second
    assert ledger.unsent() == 1, "the one that is not urgent waits for its hour"


@pytest.mark.fault("A01")
def test_a_storm_that_goes_on_stays_within_its_bounds(ledger):
    fake = Fake()
    judge = Judge(rules(), ledger)
    count = 0

    def storm(at_s: float) -> None:
        nonlocal count
        if at_s % 20.0:
            return
        now = START + round(at_s * SECOND_NS)
        judge.judge(look(with_trigger("quiet"), now), now)
        count += judge.judge(look(with_trigger("firing"), now + 1), now + 1)

    tries = deliver_for(ledger, fake, 1.0, storm)
    assert count == 180
    assert sum(at < 60.0 for at in tries) <= 5
    assert len(tries) <= 20


@pytest.mark.fault("A03")
@pytest.mark.parametrize("how", ["down", "refuses", "hangs"])
def test_a_service_down_for_an_hour_gets_everything_once_it_is_back(ledger, how):
    fake = Fake(how)
    Judge(rules(), ledger).judge(look(with_trigger("firing")), START)

    def mend(at_s: float) -> None:
        if at_s >= 3_600.0:
            fake.works = "yes"

    tries = deliver_for(ledger, fake, 1.5, mend)
    assert len(fake.got) == 1
    assert len(tries) <= 12  # waits grow
    assert ("may have reached you" in fake.got[0][0]) == (how == "hangs")
    assert ledger.unsent() == 0


def test_a_crash_while_sending_is_said_when_it_is_sent_again(tmp_path):
    path = tmp_path / "alerts.db"
    with Ledger(path) as before:
        Judge(rules(), before).judge(look(with_trigger("firing")), START)
        before.trying(before.due("phone", START), START)
    with Ledger(path) as after:
        fake = Fake()
        deliver_for(after, fake, 0.01)
    assert [title for title, _ in fake.got] == [
        "airpocket alert (this may have reached you before)"
    ]


def test_quiet_hours_wait_unless_it_is_urgent(ledger):
    quiet = (22 * 60, 7 * 60)
    night = int(parse_time("2026-01-15T23:30Z"))
    urgent = replace_rule(FIRING, name="urgent", urgent=True)
    Judge(rules(FIRING, urgent, quiet=quiet), ledger).judge(
        look(with_trigger("firing"), night), night
    )
    assert [each.urgent for each in ledger.due("phone", night)] == [True]
    morning = int(parse_time("2026-01-16T07:00Z"))
    assert len(ledger.due("phone", morning - 1)) == 1
    assert len(ledger.due("phone", morning)) == 2
    assert quiet_until(rules(quiet=quiet), morning) == morning


def test_a_service_that_hangs_delays_no_look(ledger):
    looks: list[int] = []

    async def main(loop):
        clock = VirtualClock(loop, START)

        def seen(now: int) -> Look:
            looks.append(now)
            return look(with_trigger("firing"), now)

        task = asyncio.ensure_future(
            Watch(rules(), ledger, Fake("hangs"), seen, clock).run(60.0, lambda _: None)
        )
        await asyncio.sleep(0)
        while len(looks) < 10:  # noqa: ASYNC110
            await asyncio.sleep(1.0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    in_virtual_time(main)
    assert looks[-1] - looks[0] < HOUR_NS


@pytest.mark.fault("A05")
def test_words_are_one_plain_line_of_bounded_length():
    nasty = "<b>@everyone</b>\n`rm`\x1b[31m" + "x" * 10_000
    line = plain(nasty)
    assert len(line) == 600
    assert not set("<>@`\n\x1b") & set(line)


GOOD = """
positions = "held.toml"
quiet_hours = "22:00-07:00"
timezone = "Europe/Berlin"
[[service]]
name = "phone"
url_env = "ALERT_URL"
[[rule]]
name = "firing"
on = "trigger"
[[rule]]
name = "margin"
on = "margin"
below = 10
clear = 12
urgent = true
"""


def test_a_file_of_rules_is_read(tmp_path, monkeypatch):
    monkeypatch.setenv("ALERT_URL", "json://localhost")
    path = tmp_path / "rules.toml"
    path.write_text(GOOD)
    found = read_rules(path)
    assert [rule.on for rule in found.rules] == ["trigger", "margin"]
    assert found.rules[0].states == ("firing",)
    assert found.rules[1].cooldown_s == 1_800.0
    assert found.quiet == (1_320, 420)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('on = "trigger"', 'on = "moon"', "'on'"),
        ('on = "trigger"', 'on = "trigger"\nabove = 3', "'above'"),
        ('on = "trigger"', 'on = "trigger"\nstates = ["quiet"]', "'states'"),
        ("below = 10", "", "'above'"),
        ("below = 10", "above = 10", "'below'"),
        ("below = 10", "below = nan", "'below'"),
        ("clear = 12", "clear = 8", "'clear'"),
        ("clear = 12", "colour = 1", "colour"),
        ("22:00-07:00", "22-7", "quiet_hours"),
        ("Europe/Berlin", "Mars/Olympus", "timezone"),
        ('name = "margin"', 'name = "firing"', "rule"),
        ('positions = "held.toml"', "", "positions"),
        ('url_env = "ALERT_URL"', 'url_env = "NOT_SET_HERE"', "NOT_SET_HERE"),
        ("urgent = true", 'urgent = "yes"', "'urgent'"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_is_named(tmp_path, monkeypatch, old, new, named):
    monkeypatch.setenv("ALERT_URL", "json://localhost")
    path = tmp_path / "rules.toml"
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(BadInput, match=r"rules\.toml") as found:
        read_rules(path)
    assert named in str(found.value)


def test_the_secret_address_is_never_printed(tmp_path, monkeypatch, capsys):
    pytest.importorskip("apprise")
    monkeypatch.setenv("ALERT_URL", "nonsense-secret-4711")
    path = tmp_path / "rules.toml"
    path.write_text(GOOD)
    assert main(["watch", str(path), "--test"]) == 2
    said = capsys.readouterr()
    assert "phone" in said.err
    assert "4711" not in said.out + said.err


def test_the_test_message_goes_out(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ALERT_URL", "json://localhost")
    path = tmp_path / "rules.toml"
    path.write_text(GOOD)
    assert main(["watch", str(path), "--test", "--dry"]) == 0
    assert "phone: taken" in capsys.readouterr().out
