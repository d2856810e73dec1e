"""What written options need as margin: Deribit's standard rule, by option, for many marks at once."""

import numpy as np

from airpocket.domain.events import BoolArray, FloatArray

# Deribit support, options margin (standard): shares of the underlying
INITIAL, INITIAL_LEAST, MAINTENANCE = 0.15, 0.10, 0.075


def written_maintenance(call: BoolArray, mark: FloatArray) -> FloatArray:
    """Maintenance of one written option, in underlyings: 0.075 + mark; a put's max(0.075, 0.075 mark) + mark.

    call, mark: broadcast; mark in underlyings (an inverse option's price in coin, a linear one's over F).
    """
    return np.where(call, MAINTENANCE, MAINTENANCE * np.maximum(1.0, mark)) + mark


def written_initial(
    call: BoolArray, mark: FloatArray, strike: FloatArray, forward: FloatArray
) -> FloatArray:
    """Initial margin of one written option, in underlyings: max(0.15 − OTM/F, 0.10) + mark.

    A put's is at least its maintenance. All broadcast; mark in underlyings.
    """
    out = np.where(call, strike - forward, forward - strike) / forward
    base = np.maximum(INITIAL - np.maximum(out, 0.0), INITIAL_LEAST) + mark
    return np.where(call, base, np.maximum(base, written_maintenance(call, mark)))
