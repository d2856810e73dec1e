"""The one door to a GPU: numba's compiler for it where a device and the extra `gpu` are there, else nothing."""

from functools import cache
from typing import Any

import numpy as np


@cache
def gpu() -> Any | None:
    """numba's module for CUDA; None without a device that can be used, which is no error."""
    try:
        if not hasattr(np, "row_stack"):  # numba-cuda 0.30 looks for what NumPy 2.5 dropped
            setattr(np, "row_stack", np.vstack)  # noqa: B010 - unknown to NumPy's types
        from numba import cuda
    except ImportError:
        return None
    module: Any = cuda
    try:
        return module if module.is_available() else None
    except module.cudadrv.error.CudaSupportError:
        return None
