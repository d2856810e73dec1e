"""Checkpoints as a Protocol: running state from one run for the next, which the middle is handed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np

Array: TypeAlias = "np.ndarray[tuple[int, ...], np.dtype[np.float64 | np.int64 | np.bool_]]"
Arrays: TypeAlias = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Mark:
    """Which running state: `key` of what made it beside its rows, how many rows it took, digest of those."""

    key: str
    rows: int
    digest: str


class Checkpoints(Protocol):
    """Running state kept from one run for the next. Whatever is not there is computed again, so none of these
    raises; what `load` gives is what was saved under that very mark, bit for bit, by this very code."""

    def counts(self, key: str) -> Collection[int]:
        """After how many rows there are checkpoints under a key."""
        ...

    def load(self, mark: Mark) -> Arrays | None:
        """The arrays saved under a mark, to be changed at will; None where there are none."""
        ...

    def save(self, mark: Mark, arrays: Arrays) -> None:
        """Keep arrays under a mark."""
        ...


class NothingKept:
    """No checkpoints: everything is computed from the start."""

    def counts(self, key: str) -> Collection[int]:
        return ()

    def load(self, mark: Mark) -> Arrays | None:
        return None

    def save(self, mark: Mark, arrays: Arrays) -> None:
        pass
