"""The one door to numba: a typed, cached, deterministic compile decorator for hot loops."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import llvmlite.binding as llvm
import numba
from numba.core.types import float64
from numba.extending import intrinsic, register_jitable

P = ParamSpec("P")
R = TypeVar("R")

_njit = cast(Any, numba.njit)
_llvm = cast(Any, llvm)

# C callers are none of ours: leaving their entry out makes compiling a fifth quicker
_OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` to machine code, keeping its signature for the type checker.

    Strict IEEE arithmetic (no fastmath): live, replay and every worker count give the same bits. The
    plain Python function stays reachable as `.py_func`, which tests use as the slow twin.
    """
    return cast(Callable[P, R], _njit(**_OPTIONS)(function))


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` into whatever kernel calls it: for the few steps that run for every byte or level."""
    return cast(Callable[P, R], _njit(**_OPTIONS, forceinline=True)(function))


def anywhere(function: Callable[P, R]) -> Callable[P, R]:
    """Let kernels of any processor call `function`, compiled into them; to Python it stays what it is."""
    portable = cast(Callable[..., Any], register_jitable)
    return cast(Callable[P, R], portable(forceinline=True)(function))


def spread_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` with its `prange` loops spread over the processor's cores.

    Inside such a loop no two arrays overlap for the compiler, so that loops over neighbours become vector
    code. One such kernel at a time: the threads are one pool.
    """
    return cast(Callable[P, R], _njit(**_OPTIONS, parallel=True)(function))


spans = numba.prange  # the loop of a spread kernel


def _fused(_typing: Any, a: Any, b: Any, c: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.fma(*values)

    return cast(Any, float64)(a, b, c), generate


# a × b + c of floats rounded once, as IEEE 754 has it: the same bits on every processor. For kernels only.
fused = cast(Callable[[float, float, float], float], cast(Any, intrinsic)(_fused))


def compiled_for() -> tuple[str, ...]:
    """What machine code of a kernel hangs on beside its source: compiler and processor."""
    processor = _llvm.get_host_cpu_name(), _llvm.get_host_cpu_features().flatten()
    compiler = numba.__version__, str(_llvm.llvm_version_info)
    return (*compiler, _llvm.get_process_triple(), *processor)
