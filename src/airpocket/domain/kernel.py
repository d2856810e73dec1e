"""The one door to numba: a typed, cached, deterministic compile decorator for hot loops."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")

_njit = cast(Any, numba.njit)


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` to machine code, keeping its signature for the type checker.

    Strict IEEE arithmetic (no fastmath): live, replay and every worker count give the same bits. The
    plain Python function stays reachable as `.py_func`, which tests use as the slow twin.
    """
    return cast(Callable[P, R], _njit(cache=True, nogil=True, error_model="numpy")(function))


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` into whatever kernel calls it: for the few steps that run for every byte or level."""
    return cast(
        Callable[P, R],
        _njit(cache=True, nogil=True, error_model="numpy", forceinline=True)(function),
    )
