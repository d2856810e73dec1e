"""Files of a public archive into a folder: resumed where they broke off, checked, whole under their names."""

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from airpocket.domain.errors import BadInput, MissingExtra, UndecodableFrame, VenueRefused
from airpocket.ingest.backfill.archives import HOSTS, ArchiveFile
from airpocket.ingest.backfill.rest import Patience, retry_after_s
from airpocket.ingest.backfill.session import GuardedSession, World, one_line
from airpocket.ingest.history.files import MAX_BYTES

_SUM = re.compile(rb"([0-9a-fA-F]{64})\b")
_SUM_BYTES = 4_096
_WORTH_A_RETRY = (408, 425, 429)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What is in the folder now (paths below it), what was there before, and what the venue does not have."""

    files: tuple[str, ...]
    kept: int
    absent: tuple[str, ...]  # addresses
    bytes_loaded: int


class Downloader:
    """Speaks to the hosts of the archives alone. Use as a context manager."""

    def __init__(
        self, venue: str, world: World, patience: Patience | None = None, *, most: int = MAX_BYTES
    ) -> None:
        """Raises MissingExtra without the extra [backfill]. `most`: bytes of one file."""
        self._venue, self._world, self._most = venue, world, most
        self._patience = patience or Patience()
        try:
            self._session = GuardedSession(venue, HOSTS, world)
        except ImportError as error:
            raise MissingExtra("archive", "backfill") from error
        self.loaded = 0

    def __enter__(self) -> "Downloader":
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def fetch(
        self, files: Sequence[ArchiveFile], folder: Path,
        progress: Callable[[int, int, str], None] | None = None,
    ) -> Fetched:  # fmt: skip
        """Load what is missing. A file whose name is in the folder is whole and stays as it is.

        Raises:
            VenueRefused: no answer after all retries, another SHA-256 than published, or a file too large.
            BadInput: the folder can't be written to.
        """
        here: list[str] = []
        absent: list[str] = []
        kept = 0
        for done, file in enumerate(files):
            if progress is not None:
                progress(done, len(files), file.paths[0].rsplit("/", 1)[-1])
            found = next((path for path in file.paths if (folder / path).is_file()), None)
            kept += found is not None
            found = found or next(
                (path for path in file.paths if self._load(file, path, folder)), None
            )
            if found is None:
                absent.append(file.url(file.paths[0]))
            else:
                here.append(found)
        return Fetched(tuple(here), kept, tuple(absent), self.loaded)

    def _load(self, file: ArchiveFile, path: str, folder: Path) -> bool:
        """One file under its name, or False where the venue has none."""
        target, url = folder / path, file.url(path)
        part = target.with_name(target.name + ".part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            published = self._published(url) if file.summed else b""
            if published is None or not self._with_patience(url, lambda: self._attempt(url, part)):
                part.unlink(missing_ok=True)
                return False
            if published:
                self._check_sum(part, published, url)
                target.with_name(target.name + ".CHECKSUM").write_bytes(published)
            os.replace(part, target)  # noqa: PTH105 - one step: the name means a whole file
        except PermissionError as error:
            raise BadInput(f"{error.filename or folder}: {error.strerror}") from error
        return True

    def _published(self, url: str) -> bytes | None:
        """The venue's own SHA-256 of a file; None where it has no such file."""
        body = bytearray()

        def take(first: int, whole: int | None, pieces: Iterator[bytes]) -> None:
            del first, whole
            body.clear()
            for piece in pieces:
                body.extend(piece)
                if len(body) > _SUM_BYTES:
                    break

        if not self._with_patience(url, lambda: self._session.fetch(url + ".CHECKSUM", 0, take)):
            return None
        if len(body) > _SUM_BYTES or not _SUM.match(bytes(body)):
            raise UndecodableFrame(f"{self._venue}: {url}.CHECKSUM does not start with a SHA-256")
        return bytes(body)

    def _check_sum(self, part: Path, published: bytes, url: str) -> None:
        with part.open("rb") as loaded:
            found = hashlib.file_digest(loaded, "sha256").hexdigest()
        if found.encode() != published[:64].lower():
            part.unlink()
            raise VenueRefused(
                f"{self._venue}: {url} has SHA-256 {found[:12]}…, published is {published[:12].decode()}…; "
                "it was thrown away, run again"
            )

    def _attempt(self, url: str, part: Path) -> int:
        """One request for what of the file is not yet in `part`; returns the status."""
        have = part.stat().st_size if part.exists() else 0

        def take(first: int, whole: int | None, pieces: Iterator[bytes]) -> None:
            if first not in (0, have):
                raise VenueRefused(f"{self._venue}: {url}: another part of the file than asked for")
            if (whole or 0) > self._most:
                raise VenueRefused(f"{self._venue}: {url} is larger than {self._most:,} bytes")
            self._append(part, first, pieces, url)
            size = part.stat().st_size
            if whole is not None and size != whole:
                raise ConnectionError(f"{url} broke off after {size:,} of {whole:,} bytes")

        status = self._session.fetch(url, have, take)
        if status == 416:  # nothing of it lies beyond what is here: not the same file any more
            part.unlink(missing_ok=True)
            raise ConnectionError(f"{url} can't be continued")
        return status

    def _append(self, part: Path, first: int, pieces: Iterator[bytes], url: str) -> None:
        with part.open("ab" if first else "wb") as out:
            size = first
            for piece in pieces:
                size += len(piece)
                if size > self._most:
                    raise VenueRefused(f"{self._venue}: {url} is larger than {self._most:,} bytes")
                out.write(piece)
                self.loaded += len(piece)
            out.flush()
            os.fsync(out.fileno())

    def _with_patience(self, url: str, attempt: Callable[[], int]) -> bool:
        """Whether the venue has the file; passing trouble is waited out, as over REST."""
        trouble = ""
        for number in range(self._patience.attempts):
            asked: float | None = None
            try:
                status = attempt()
            except PermissionError:
                raise
            except OSError as error:
                trouble = one_line(error)
            else:
                if status in (200, 206, 404):
                    return status != 404
                if status < 500 and status not in _WORTH_A_RETRY:
                    raise VenueRefused(f"{self._venue} answers {status} for {url}")
                trouble = f"status {status}"
                asked = retry_after_s(self._session.answer_headers, self._world.clock.now())
            if asked is not None and asked > self._patience.longest_asked_s:
                trouble += f", and it asks to wait {asked:,.0f} s"
                break
            if number + 1 < self._patience.attempts:
                wait_s = self._patience.backoff_s(number, self._world.chance())
                self._world.sleep(wait_s + (asked or 0.0))
        raise VenueRefused(
            f"{self._venue} did not give {url}: {trouble}; what came before is kept, run again"
        )
