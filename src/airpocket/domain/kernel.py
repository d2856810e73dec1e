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
    # C callers are none of ours: leaving their entry out makes compiling a fifth quicker
    options = {"cache": True, "nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
    return cast(Callable[P, R], _njit(**options)(function))
