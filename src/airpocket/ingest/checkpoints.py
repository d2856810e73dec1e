"""Checkpoints as files of one folder beside the store, which anybody may delete at any time."""

import errno
import hashlib
import math
import os
import tempfile
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct

from airpocket.domain.checkpoints import Arrays, Mark

PER_KEY = 4  # checkpoints of one key that are kept: those used last
MOST_BYTES = 512_000_000  # of the folder
_STALE_NS = 3_600 * 10**9  # an unfinished file as old as that was left by a killed process
_SUFFIX, _UNFINISHED = ".checkpoint", ".unfinished"
_FORMAT = b"airpocket-checkpoint 1 "
_WORD = 8
_NOT_FOR_US = (errno.EROFS, errno.EACCES, errno.EPERM)
# so that programs which copy folders leave this one out: bford.info/cachedir
_TAG = "CACHEDIR.TAG"
_TAGGED = (
    b"Signature: 8a477f597d28d172789f06886806bc55\n# airpocket's; may be deleted at any time\n"
)


class CheckpointFolder:
    """The checkpoints of one store, as far as `code` made them; other code's are left to age.

    Many processes may use it at once. Whatever is wrong with the folder costs time, never an answer.
    """

    def __init__(
        self, folder: Path, code: str, say: Callable[[str], None], most_bytes: int = MOST_BYTES
    ) -> None:
        self._folder, self._code, self._say = folder, code, say
        self._most_bytes = most_bytes

    def counts(self, key: str) -> Collection[int]:
        """After how many rows there are checkpoints under a key."""
        prefix = self._prefix(key)
        names = (path.name.removeprefix(prefix) for path in self._files(f"{prefix}*{_SUFFIX}"))
        found = (name.partition("-")[0] for name in names)
        return {int(rows) for rows in found if rows.isdecimal()}

    def load(self, mark: Mark) -> Arrays | None:
        """The arrays saved under a mark; None where there are none, or they were damaged."""
        path = self._path(mark)
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._say(f"{path} was not used: {error.strerror}")
            return None
        try:
            arrays = decode(raw, mark)
        except ValueError as error:
            self._say(f"{path} was damaged and not used: {error}")
            with suppress(OSError):
                path.unlink(missing_ok=True)
            return None
        with suppress(OSError):
            os.utime(path)
        return arrays

    def save(self, mark: Mark, arrays: Arrays) -> None:
        """Write a file under a temporary name, for its owner only, and give it its own; then drop the oldest."""
        try:
            self._make()
            self._put(self._path(mark), encode(mark, arrays))
            self._tidy()
        except OSError as error:
            if error.errno not in _NOT_FOR_US:  # a folder that is not ours to write needs no word
                self._say(f"nothing was kept in {self._folder}: {error.strerror}")

    def _prefix(self, key: str) -> str:
        return hashlib.sha256(f"{self._code} {key}".encode()).hexdigest()[:24] + "-"

    def _path(self, mark: Mark) -> Path:
        name = f"{self._prefix(mark.key)}{mark.rows}-{mark.digest[:24]}{_SUFFIX}"
        return self._folder / name

    def _files(self, pattern: str) -> list[Path]:
        try:
            return list(self._folder.glob(pattern))
        except OSError:
            return []

    def _make(self) -> None:
        self._folder.mkdir(exist_ok=True)
        if not (self._folder / _TAG).exists():
            self._put(self._folder / _TAG, _TAGGED)

    def _put(self, path: Path, data: bytes) -> None:
        # nothing is synced: what a power cut leaves of a file does not fit its checksum
        handle, name = tempfile.mkstemp(_UNFINISHED, ".", self._folder)
        unfinished = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            unfinished.replace(path)
        except BaseException:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise

    def _tidy(self) -> None:
        files = {path: _stamp(path) for path in self._files(f"*{_SUFFIX}")}
        newest = max((used for used, _ in files.values()), default=0)
        of_key: dict[str, int] = {}
        in_all = 0
        for path in sorted(files, key=lambda path: files[path], reverse=True):
            key = path.name.partition("-")[0]
            of_key[key] = of_key.get(key, 0) + 1
            in_all += files[path][1]
            if of_key[key] > PER_KEY or in_all > self._most_bytes:
                path.unlink(missing_ok=True)
        for path in self._files(f".*{_UNFINISHED}"):
            if _stamp(path)[0] < newest - _STALE_NS:
                path.unlink(missing_ok=True)


def _stamp(path: Path) -> tuple[int, int]:
    """When a file was used last, ns, and its size; zeros once another process has deleted it."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


class _Head(Struct, frozen=True):
    """What a file holds: of each array its name, dtype and shape; `held`: words that are not 0."""

    key: str
    rows: int
    digest: str
    arrays: tuple[tuple[str, str, tuple[int, ...]], ...]
    held: int


_HEAD = msgspec.json.Decoder(_Head)


def encode(mark: Mark, arrays: Arrays) -> bytes:
    """A line with format and SHA-256 of the rest, a line of JSON, a bit for every word, the words that are not 0.

    A word is 8 bytes; each array begins with a new one. Most of what a map carries is zeros.
    """
    words = np.zeros(sum(_length(array.nbytes) for array in arrays.values()), np.uint64)
    at = 0
    for array in arrays.values():
        words[at:].view(np.uint8)[: array.nbytes] = (
            np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        )
        at += _length(array.nbytes)
    bits = words != 0
    listed = tuple((name, array.dtype.str, array.shape) for name, array in arrays.items())
    head = _Head(mark.key, mark.rows, mark.digest, listed, int(np.count_nonzero(bits)))
    body = (msgspec.json.encode(head), b"\n", np.packbits(bits).data, words[bits].data)
    digest = hashlib.sha256()
    for part in body:
        digest.update(part)
    return b"".join((_FORMAT, digest.hexdigest().encode(), b"\n", *body))


def _length(size: int) -> int:
    """Words that so many bytes take."""
    return -(-size // _WORD)


def decode(raw: bytes, mark: Mark) -> Arrays:
    """The arrays of a file.

    Raises:
        ValueError: it is not what was written, or was written under another mark.
    """
    first, second = raw.find(b"\n"), raw.find(b"\n", raw.find(b"\n") + 1)
    body = memoryview(raw)[first + 1 :]
    if raw[:first] != _FORMAT + hashlib.sha256(body).hexdigest().encode():
        raise ValueError("the checksum does not match")
    head = _HEAD.decode(raw[first + 1 : second])  # its errors are ValueErrors
    data = memoryview(raw)[second + 1 :]
    if Mark(head.key, head.rows, head.digest) != mark:
        raise ValueError("it holds another state")
    sizes = [_size(kind, shape) for _, kind, shape in head.arrays]
    starts = np.cumsum([0, *map(_length, sizes)])
    words = _unpacked(data, int(starts[-1]), head.held)
    return {
        name: words[start:].view(np.uint8)[:size].view(kind).reshape(shape)
        for (name, kind, shape), size, start in zip(head.arrays, sizes, starts[:-1], strict=True)
    }


def _size(kind: str, shape: tuple[int, ...]) -> int:
    """Bytes of an array."""
    if kind not in ("<f8", "<i8", "|b1") or min(shape, default=0) < 0:
        raise ValueError(f"an array of {kind}, {shape}")
    return math.prod(shape) * np.dtype(kind).itemsize


def _unpacked(
    data: memoryview, count: int, held: int
) -> "np.ndarray[tuple[int], np.dtype[np.uint64]]":
    of_bits = -(-count // 8)
    if len(data) != of_bits + held * _WORD:
        raise ValueError(f"{len(data)} bytes cannot hold {count} words, {held} of them not 0")
    bits = np.unpackbits(np.frombuffer(data, np.uint8, of_bits), count=count).view(np.bool_)
    if int(np.count_nonzero(bits)) != held:
        raise ValueError("its bits and words disagree")
    words = np.zeros(count, np.uint64)
    words[bits] = np.frombuffer(data[of_bits:], np.uint64)
    return words
