"""Six indicators of one market in one causal pass: EMA, RSI, ATR, z-score, VWAP and CVD."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.kernel import kernel
from airpocket.market.bars import Bars

EMA, RSI, ATR, Z_SCORE, VWAP, CVD = range(6)
_WIDTH = 6

# Slots of the running state; the run begins anew after every gap.
_BARS, _LAST_END, _CLOSE, _EMA, _GAIN, _LOSS, _RANGE = range(7)
_SUM, _SQUARES, _PRICE_VOLUME, _VOLUME, _CVD, _ANCHOR = range(7, 13)
_SLOTS = 13


@dataclass(frozen=True, slots=True)
class BundleSettings:
    """Spans in bars. Wilder averages (RSI, ATR) show after five spans, the EMA after three.

    An average remembers its seed: after that long the seed weighs under 1 % (Wilder) or 0.3 % (EMA).
    """

    ema_span: int = 20
    rsi_span: int = 14
    atr_span: int = 14
    window: int = 100  # z-score and VWAP


@kernel
def update_bundle(  # noqa: C901, PLR0912, PLR0915 - one fused pass
    state: FloatArray,
    ring: FloatArray,
    spans: IntArray,
    ts: IntArray,
    end: IntArray,
    values: FloatArray,
    out: FloatArray,
) -> None:
    """Advance the six indicators over n closed bars.

    state: (13,) and ring: (3, window) carry everything from call to call, so bars may come one at a time
    or a million at once with the same bits. spans: EMA, RSI, ATR. values: (7, n) as in `Bars`.
    out: (n, 6), one row per bar, NaN while an indicator warms up. EMA seeded with the mean of its
    first span; RSI and ATR by Wilder (1978); z-score by population deviation; VWAP of
    (high + low + close)/3 over the window;
    CVD = Σ(2·taker_buy − volume) in coin since the run began. A bar that does not start where the last
    ended begins a new run: nothing bridges a gap. Window sums are rebuilt from the ring at each lap, so
    rounding can't build up.
    """
    window = ring.shape[1]
    ema_span, rsi_span, atr_span = spans[0], spans[1], spans[2]
    alpha = 2.0 / (ema_span + 1.0)
    # products with these in the loop: a division costs as much as the rest of an indicator
    one_ema, one_rsi, one_atr, one_window = (
        1.0 / ema_span,
        1.0 / rsi_span,
        1.0 / atr_span,
        1.0 / window,
    )
    bars, last_end, close = int(state[0]), int(state[1]), state[2]
    ema, gain, loss, true_range = state[3], state[4], state[5], state[6]
    total, squares, price_volume, volume = state[7], state[8], state[9], state[10]
    cvd, anchor = state[11], state[12]
    slot = bars % window
    for i in range(ts.shape[0]):
        high, low, now, bought = values[1, i], values[2, i], values[3, i], values[4, i]
        if ts[i] != last_end or bars == 0:
            bars, ema, gain, loss, true_range, cvd = 0, 0.0, 0.0, 0.0, 0.0, 0.0
            total, squares, price_volume, volume = 0.0, 0.0, 0.0, 0.0
            close, anchor, slot = now, now, 0
        bars += 1
        last_end = end[i]

        if bars <= ema_span:
            ema += now * one_ema
        else:
            ema += alpha * (now - ema)
        out[i, 0] = ema if bars >= 3 * ema_span else np.nan

        change = now - close
        up = max(change, 0.0)
        down = up - change
        moves = bars - 1  # the first bar of a run has no change and no previous close
        if moves <= rsi_span:
            gain += up * one_rsi
            loss += down * one_rsi
        else:
            gain += (up - gain) * one_rsi
            loss += (down - loss) * one_rsi
        both = gain + loss
        out[i, 1] = 100.0 * gain / both if moves >= 5 * rsi_span and both > 0.0 else np.nan

        if moves > 0:
            span = max(high, close) - min(low, close)
            if moves <= atr_span:
                true_range += span * one_atr
            else:
                true_range += (span - true_range) * one_atr
        out[i, 2] = true_range if moves >= 5 * atr_span else np.nan
        close = now

        if slot == 0 and bars > 1:
            anchor = now
            total, squares, price_volume, volume = 0.0, 0.0, 0.0, 0.0
            for j in range(1, window):
                shifted = ring[0, j] - anchor
                total += shifted
                squares += shifted * shifted
                price_volume += ring[1, j]
                volume += ring[2, j]
        elif bars > window:
            shifted = ring[0, slot] - anchor
            total -= shifted
            squares -= shifted * shifted
            price_volume -= ring[1, slot]
            volume -= ring[2, slot]
        shifted = now - anchor
        ring[0, slot] = now
        ring[1, slot] = (high + low + now) * bought * (1.0 / 3.0)
        ring[2, slot] = bought
        total += shifted
        squares += shifted * shifted
        price_volume += ring[1, slot]
        volume += bought
        if bars >= window:
            mean = total * one_window
            variance = squares * one_window - mean * mean
            # below this the window is flat to within rounding: there is no score
            flat = 1e-14 * now * now
            out[i, 3] = (shifted - mean) / np.sqrt(variance) if variance > flat else np.nan
            out[i, 4] = price_volume / volume if volume > 0.0 else np.nan
        else:
            out[i, 3] = np.nan
            out[i, 4] = np.nan
        slot = slot + 1 if slot + 1 < window else 0

        cvd += 2.0 * values[6, i] - bought
        out[i, 5] = cvd
    state[0], state[1], state[2] = bars, last_end, close
    state[3], state[4], state[5], state[6] = ema, gain, loss, true_range
    state[7], state[8], state[9], state[10] = total, squares, price_volume, volume
    state[11], state[12] = cvd, anchor


class Bundle:
    """The running indicators of one market: give it the newest bars, read a column per bar back."""

    def __init__(self, settings: BundleSettings | None = None) -> None:
        self.settings = settings or BundleSettings()
        self._state = np.zeros(_SLOTS)
        self._ring = np.zeros((3, self.settings.window))
        self._spans = np.array(
            [self.settings.ema_span, self.settings.rsi_span, self.settings.atr_span], np.int64
        )

    def update(self, bars: Bars) -> FloatArray:
        """(6, n) indicators after each of n newer closed bars: rows EMA, RSI, ATR, Z_SCORE, VWAP, CVD."""
        out = np.empty((len(bars), _WIDTH))  # one write stream instead of six
        update_bundle(self._state, self._ring, self._spans, bars.ts, bars.end, bars.values, out)
        return out.T
