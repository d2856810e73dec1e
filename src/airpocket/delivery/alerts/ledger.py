"""Episodes and messages on disk: what began, what was told, and what still has to be. One file of SQLite."""

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from airpocket.domain.errors import StoreBusy, StoreDamaged

_TABLES = """
CREATE TABLE IF NOT EXISTS episode (
  key TEXT NOT NULL, began INTEGER NOT NULL, seen_since INTEGER NOT NULL, told INTEGER, ended INTEGER,
  words TEXT NOT NULL, PRIMARY KEY (key, began)
);
CREATE INDEX IF NOT EXISTS open_episode ON episode (key) WHERE ended IS NULL;
CREATE INDEX IF NOT EXISTS told_episode ON episode (key, told);
CREATE TABLE IF NOT EXISTS message (
  id TEXT PRIMARY KEY, service TEXT NOT NULL, words TEXT NOT NULL, urgent INTEGER NOT NULL, made INTEGER NOT NULL,
  due INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0, trying INTEGER, sent INTEGER
);
CREATE INDEX IF NOT EXISTS unsent ON message (service, due) WHERE sent IS NULL;
"""
_WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Episode:
    """A rule's condition from when it began to when it ended; ns. told: when its message was made, or None."""

    key: str
    began: int
    seen_since: int
    told: int | None


@dataclass(frozen=True, slots=True)
class Message:
    """What waits for a service. uncertain: it was being sent when this process, or its answer, was lost."""

    id: str
    service: str
    words: str
    urgent: bool
    made: int
    tries: int
    uncertain: bool


class Ledger:
    """Owns the file. A call, or what is done `together`, is one transaction: a crash leaves it whole or undone."""

    def __init__(self, path: Path, wait_s: float = _WAIT_S) -> None:
        """
        Raises:
            StoreDamaged: the file is no ledger.
            StoreBusy: another process watches with it.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._base = sqlite3.connect(path, timeout=wait_s, isolation_level=None)
        path.chmod(0o600)
        try:
            self._base.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._base.execute("PRAGMA synchronous = FULL")
            self._base.executescript(f"BEGIN EXCLUSIVE;{_TABLES}COMMIT;")
        except sqlite3.OperationalError as error:
            self._base.close()
            raise StoreBusy(f"{path}: another airpocket watch has it: {error}") from error
        except sqlite3.DatabaseError as error:
            self._base.close()
            raise StoreDamaged(f"{path}: {error}; move it away to begin anew") from error

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def open_episode(self, key: str) -> Episode | None:
        """The episode of a key that has not ended."""
        row = self._base.execute(
            "SELECT key, began, seen_since, told FROM episode WHERE key = ? AND ended IS NULL",
            (key,),
        ).fetchone()
        return None if row is None else Episode(*row)

    def begin(self, key: str, began: int, seen_since: int, words: str) -> Episode:
        """An episode begins; `began` by the market's time, `seen_since` by ours."""
        self._base.execute(
            "INSERT INTO episode (key, began, seen_since, words) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (key, began) DO UPDATE SET ended = NULL",
            (key, began, seen_since, words),
        )
        found = self.open_episode(key)
        assert found is not None, "it was just written"
        return found

    def end(self, key: str, at: int) -> None:
        """The episode of a key is over."""
        self._base.execute(
            "UPDATE episode SET ended = ? WHERE key = ? AND ended IS NULL", (at, key)
        )

    def last_told(self, key: str) -> int | None:
        """When a message was last made of any episode of a key."""
        return self._base.execute("SELECT max(told) FROM episode WHERE key = ?", (key,)).fetchone()[
            0
        ]

    def tell(
        self, episode: Episode, at: int, messages: Sequence[tuple[str, str, bool, int]]
    ) -> None:
        """An episode is told by these messages: (service, words, urgent, due)."""
        self._base.execute(
            "UPDATE episode SET told = ? WHERE key = ? AND began = ?",
            (at, episode.key, episode.began),
        )
        self._base.executemany(
            "INSERT OR IGNORE INTO message (id, service, words, urgent, made, due) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (f"{episode.key}|{episode.began}|{service}", service, words, urgent, at, due)
                for service, words, urgent, due in messages
            ],
        )

    @contextmanager
    def together(self) -> Generator[None]:
        """What is written within enters whole or not at all."""
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._base.execute("ROLLBACK")
            raise
        self._base.execute("COMMIT")

    def due(self, service: str, now: int) -> list[Message]:
        """What a service is to get now: what is urgent, then the rest, each oldest first."""
        rows = self._base.execute(
            "SELECT id, service, words, urgent, made, tries, trying IS NOT NULL FROM message"
            " WHERE service = ? AND sent IS NULL AND due <= ? ORDER BY urgent DESC, made, rowid",
            (service, now),
        ).fetchall()
        return [Message(r[0], r[1], r[2], bool(r[3]), r[4], r[5], bool(r[6])) for r in rows]

    def trying(self, messages: Sequence[Message], at: int) -> None:
        """These are about to be sent: should nothing more be heard, they may or may not have arrived."""
        self._each("UPDATE message SET tries = tries + 1, trying = ? WHERE id = ?", messages, at)

    def sent(self, messages: Sequence[Message], at: int) -> None:
        """The service has these."""
        self._each("UPDATE message SET sent = ?, trying = NULL WHERE id = ?", messages, at)

    def failed(self, messages: Sequence[Message], again: int, *, uncertain: bool) -> None:
        """The service refused these, or nothing was heard (`uncertain`): once more from `again` on."""
        kept = "trying" if uncertain else "NULL"
        self._each(f"UPDATE message SET due = ?, trying = {kept} WHERE id = ?", messages, again)  # noqa: S608

    def unsent(self) -> int:
        """Messages that wait."""
        return int(
            self._base.execute("SELECT count(*) FROM message WHERE sent IS NULL").fetchone()[0]
        )

    def _each(self, sql: str, messages: Sequence[Message], at: int) -> None:
        with self.together():
            self._base.executemany(sql, [(at, message.id) for message in messages])
