"""Volume profile: at which prices a market traded over a rolling window, its value area and its nodes."""

from typing import Literal, NamedTuple

import numpy as np

from airpocket.domain.estimates import Estimate, known, unknown
from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.kernel import kernel
from airpocket.domain.units import DAY_NS, HOUR_NS, TimeNs, format_time
from airpocket.levels.roadmap import Found, Level, LevelKind, VolumeProfile
from airpocket.levels.settings import PROMINENCE, LevelSettings
from airpocket.levels.words import price_text
from airpocket.market.bars import Bars
from airpocket.market.state import Contract


class Histogram(NamedTuple):
    """price: (bins,) centres, quote per coin, rising by a fixed ratio; volume: (bins,) coin."""

    price: FloatArray
    volume: FloatArray


class ValueArea(NamedTuple):
    """The point of control and the band around it that holds the asked share of the volume."""

    poc: float
    low: float
    high: float
    volume: float
    total: float


@kernel
def _spread(bottom: FloatArray, top: FloatArray, volume: FloatArray, out: FloatArray) -> None:
    """Share each bar's volume evenly over [bottom, top], in bins; adds to `out`."""
    for i in range(len(volume)):
        first = int(bottom[i])
        last = int(top[i])
        if first == last:
            out[first] += volume[i]
            continue
        density = volume[i] / (top[i] - bottom[i])
        out[first] += density * (first + 1 - bottom[i])
        for k in range(first + 1, last):
            out[k] += density
        out[last] += density * (top[i] - last)


def histogram(bars: Bars, bin_bps: float) -> Histogram:
    """Volume by price: each bar's volume spread evenly, in log price, between its low and its high.

    Where inside its range a bar traded is not known; even is the plainest assumption. The bins lie on
    one fixed grid, so the same trades fall into the same bins whatever the window.
    """
    width = bin_bps / 10_000
    bottom = np.log(bars.low) / width
    top = np.log(bars.high) / width
    first = float(np.floor(bottom.min()))
    bins = int(np.floor(top.max()) - first) + 1
    out = np.zeros(bins)
    _spread(bottom - first, top - first, np.array(bars.volume), out)
    return Histogram(np.exp((first + np.arange(bins) + 0.5) * width), out)


def value_area(
    price: FloatArray,
    volume: FloatArray,
    share_fraction: float = 0.7,
    rule: Literal["one_row", "two_rows"] = "one_row",
) -> ValueArea:
    """Grow a band from the point of control, a row (or two) at a time toward the larger volume.

    price: (n,) rows, rising; volume: (n,) not all zero. Steidlmayer's market profile; `two_rows` is
    the CBOT's form, which compares and adds pairs. Ties: the point of control nearest the middle row,
    then the lower; growth to the side nearer the point of control, then the lower.
    """
    rows = len(price)
    middle = (rows - 1) / 2
    poc = min(np.flatnonzero(volume == volume.max()), key=lambda k: (abs(k - middle), k))
    low = high = int(poc)
    held, total = float(volume[poc]), float(volume.sum())
    target = share_fraction * total * (1 - 1e-12)  # the sum's own rounding must not add a row
    step = 1 if rule == "one_row" else 2
    while held < target and (low > 0 or high < rows - 1):
        below = float(volume[max(low - step, 0) : low].sum()) if low > 0 else -1.0
        above = float(volume[high + 1 : high + 1 + step].sum()) if high < rows - 1 else -1.0
        if above > below or (above == below and high - poc < poc - low):
            high = min(high + step, rows - 1)
            held += above
        else:
            low = max(low - step, 0)
            held += below
    return ValueArea(float(price[poc]), float(price[low]), float(price[high]), held, total)


def smoothed(volume: FloatArray, deviation_bins: float) -> FloatArray:
    """(n,) Gaussian kernel density over the rows; nothing traded beyond the ends."""
    reach = int(np.ceil(4 * deviation_bins))
    steps = np.arange(-reach, reach + 1)
    weights: FloatArray = np.exp(-0.5 * (steps / deviation_bins) ** 2)
    spread = np.asarray(np.convolve(volume, weights / weights.sum()), dtype=np.float64)
    return spread[reach : reach + len(volume)]


def prominent_peaks(values: FloatArray, prominence: float) -> IntArray:
    """Rows of inner local maxima that stand at least `prominence` above the saddle to higher ground."""
    rises = np.diff(values) > 0
    falls = np.diff(values) < 0
    rows = np.flatnonzero(rises[:-1] & falls[1:]) + 1
    kept = [row for row in rows if _prominence(values, int(row)) >= prominence]
    return np.array(kept, dtype=np.int64)


def _prominence(values: FloatArray, row: int) -> float:
    top = values[row]
    left = _until_higher(values[:row][::-1], float(top))
    right = _until_higher(values[row + 1 :], float(top))
    return float(top - max(left.min(), right.min()))


def _until_higher(values: FloatArray, top: float) -> FloatArray:
    higher = np.flatnonzero(values > top)
    return values[: higher[0]] if len(higher) else values


def nodes(profile: Histogram, bin_bps: float, settings: LevelSettings) -> tuple[FloatArray, ...]:
    """Prices of the high- and of the low-volume nodes: prominent extrema of the smoothed profile."""
    density = smoothed(profile.volume, settings.smoothing_bps / bin_bps)
    threshold = settings.node_prominence * float(density.max())
    shore = np.concatenate([[0.0], density, [0.0]])  # beyond the range nothing traded
    high = prominent_peaks(shore, threshold) - 1
    low = prominent_peaks(-density, threshold)
    return profile.price[high], profile.price[low]


def volume_profile(contract: Contract, now: TimeNs, settings: LevelSettings) -> VolumeProfile:
    """The profile of the last `profile_days` of closed hours; unknown when too few have a volume."""
    unit = f"{contract.instrument.quote} per coin"
    hours = contract.hours.since(now - settings.profile_days * DAY_NS)
    traded = np.isfinite(hours.volume)
    used = Bars(hours.ts[traded], hours.end[traded], hours.values[:, traded])
    window = (
        f"{settings.profile_days} days of hourly bars to {format_time(now)}; "
        f"{len(used) / 24:.1f} days have a volume"
    )
    wanted = settings.profile_days * DAY_NS // HOUR_NS
    if len(used) < settings.profile_min_coverage * wanted:
        return _no_profile(window, unit, f"volume profile: only {len(used)} of {wanted} hours of "
                           f"{contract.key} have a volume")  # fmt: skip
    counts = histogram(used, settings.profile_bin_bps)
    if counts.volume.sum() <= 0:
        return _no_profile(window, unit, f"volume profile: nothing traded on {contract.key}")
    area = value_area(*counts, settings.profile_share, settings.profile_rule)
    highs, lows = nodes(counts, settings.profile_bin_bps, settings)
    half_bin = np.exp(settings.profile_bin_bps / 20_000)

    def estimate(value: float) -> Estimate:
        return known(
            value, unit, as_of=int(used.end[-1]), now=now, provenance="modelled",
            source=f"{contract.key} hourly bars, volume spread evenly over each bar's range",
        )  # fmt: skip

    return VolumeProfile(
        window=window,
        point_of_control=estimate(area.poc),
        value_area_low=estimate(area.low / half_bin),
        value_area_high=estimate(area.high * half_bin),
        high_volume_nodes=highs.tolist(),
        low_volume_nodes=lows.tolist(),
        acceptance=acceptance(contract.four_hours, highs, settings.acceptance_bars),
        prices=counts.price.tolist(),
        volume=counts.volume.tolist(),
    )


def _no_profile(window: str, unit: str, reason: str) -> VolumeProfile:
    gone = unknown(unit, reason)
    return VolumeProfile(
        window=window, point_of_control=gone, value_area_low=gone, value_area_high=gone,
        high_volume_nodes=[], low_volume_nodes=[], acceptance=f"unknown: {reason}",
        prices=[], volume=[],
    )  # fmt: skip


def acceptance(bars: Bars, highs: FloatArray, needed: int) -> str:
    """Whether price is accepted beyond the high-volume node it trades nearest to, in a sentence.

    Accepted means `needed` closes in a row on one side of the node, without a gap.
    """
    run = bars.last_run()
    if len(run) == 0 or len(highs) == 0:
        return "unknown: no high-volume node, or no closed four-hour bar to hold against one"
    last = float(run.close[-1])
    node = float(highs[np.argmin(np.abs(np.log(highs / last)))])
    above = last > node
    other_side = np.flatnonzero((run.close > node) != above)
    closes = len(run) - (int(other_side[-1]) + 1 if len(other_side) else 0)
    side = "above" if above else "below"
    if closes >= needed:
        return f"accepted {side} the node at {price_text(node)}: {closes} four-hour closes in a row"
    return (
        f"not yet accepted {side} the node at {price_text(node)}: {closes} of {needed} four-hour "
        "closes in a row"
    )


def profile_levels(profile: VolumeProfile) -> Found:
    """The profile's prices as levels; none, with the reason, when it is unknown."""
    as_of = profile.point_of_control.as_of
    if as_of is None:
        return [], [profile.point_of_control.unknown or "volume profile: unknown"]
    marks: list[tuple[float | None, LevelKind, str]] = [
        (profile.point_of_control.value, "point_of_control", "point of control"),
        (profile.value_area_low.value, "value_area", "value area low"),
        (profile.value_area_high.value, "value_area", "value area high"),
        *((price, "volume_node", "high-volume node") for price in profile.high_volume_nodes),
        *((price, "low_volume_node", "low-volume node") for price in profile.low_volume_nodes),
    ]
    levels = [
        Level(price=price, kind=kind, label=label, formed_at=as_of, confirmed_at=as_of,
              prominence=PROMINENCE[kind])
        for price, kind, label in marks if price is not None
    ]  # fmt: skip
    return levels, []
