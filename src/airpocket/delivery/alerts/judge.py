"""From findings to episodes: begun once, held through flapping, told once, over when they are."""

from datetime import UTC, datetime, timedelta

from airpocket.delivery.alerts.findings import Finding, Look, findings
from airpocket.delivery.alerts.ledger import Ledger
from airpocket.delivery.alerts.rules import Rules
from airpocket.domain.units import SECOND_NS, format_time

_MOST_WORDS = 600


class Judge:
    """Turns each look into episodes and messages of the ledger. `now` is the wall clock (ns)."""

    def __init__(self, rules: Rules, ledger: Ledger) -> None:
        self._rules, self._ledger = rules, ledger

    def judge(self, look: Look, now: int) -> int:
        """Take one look; returns how many messages it made."""
        found = [f for rule in self._rules.rules for f in findings(rule, look)]
        with self._ledger.together():
            return sum(self._weigh(each, look, now) for each in found)

    def _weigh(self, found: Finding, look: Look, now: int) -> int:
        ledger, rule = self._ledger, found.rule
        episode = ledger.open_episode(found.key)
        if episode is None:
            if not found.begins:
                return 0
            episode = ledger.begin(found.key, look.at, now, found.words)
        elif found.holds is False:
            ledger.end(found.key, now)
            return 0
        if episode.told is not None or not found.holds:
            return 0  # told already; or unknown now, which is no reason to speak
        if now - episode.seen_since < rule.for_s * SECOND_NS:
            return 0
        last = ledger.last_told(found.key)
        if last is not None and now - last < rule.cooldown_s * SECOND_NS:
            return 0
        words = plain(self._words(found, look))
        due = now if rule.urgent else quiet_until(self._rules, now)
        made = [(service.name, words, rule.urgent, due) for service in self._rules.services]
        ledger.tell(episode, now, made)
        return len(made)

    def _words(self, found: Finding, look: Look) -> str:
        brief = look.brief
        label = "SIMULATED " if brief is not None and brief.health.simulated else ""
        asset = "" if brief is None else f"{brief.asset} "
        return f"{label}{asset}{found.rule.name}: {found.words} [{format_time(look.at)}]"


def plain(text: str) -> str:
    """One line that mentions nobody and marks nothing up, of bounded length."""
    line = "".join(c if c.isprintable() else " " for c in text)
    line = line.replace("@", "(at)").replace("<", "‹").replace(">", "›").replace("`", "'")
    return line if len(line) <= _MOST_WORDS else line[: _MOST_WORDS - 1] + "…"


def quiet_until(rules: Rules, now: int) -> int:
    """`now`, or the end of the quiet hours that it falls into, ns."""
    if rules.quiet is None:
        return now
    here = datetime.fromtimestamp(now // SECOND_NS, rules.zone or UTC)
    begin, end = rules.quiet
    minute = 60 * here.hour + here.minute
    if not (begin <= minute < end if begin < end else minute >= begin or minute < end):
        return now
    day = here.date() + timedelta(days=int(minute >= end))
    ends = datetime(day.year, day.month, day.day, end // 60, end % 60, tzinfo=here.tzinfo)
    return max(now, round(ends.timestamp()) * SECOND_NS)
