"""Spot-demand clusters: the prices at which spot was bought most, net, over the profile's window."""

import numpy as np

from airpocket.domain.events import FloatArray
from airpocket.domain.units import DAY_NS, HOUR_NS, TimeNs
from airpocket.levels.profile import histogram, prominent_peaks, smoothed
from airpocket.levels.roadmap import Found, Level
from airpocket.levels.settings import PROMINENCE, LevelSettings
from airpocket.levels.words import price_text
from airpocket.market.bars import Bars
from airpocket.market.state import Contract


def net_bought(bars: Bars) -> tuple[FloatArray, bool]:
    """(n,) coin bought less coin sold by takers in each bar, and whether any side had to be guessed.

    Where the venue tells no taker's side it is guessed from where in its range the bar closed: the share
    (close − low) / (high − low) counts as bought (the close location value of Williams' accumulation line).
    """
    told = 2.0 * bars.taker_buy - bars.volume
    span = bars.high - bars.low
    share = np.divide(bars.close - bars.low, span, out=np.full(len(bars), 0.5), where=span > 0.0)
    guessed = (2.0 * share - 1.0) * bars.volume
    return np.where(np.isfinite(told), told, guessed), bool(np.isnan(told).any())


def demand_levels(spots: tuple[Contract, ...], now: TimeNs, settings: LevelSettings) -> Found:
    """The most prominent clusters of net buying on the spot market that traded most."""
    since = now - settings.profile_days * DAY_NS
    needed = settings.profile_min_coverage * settings.profile_days * DAY_NS / HOUR_NS
    best: tuple[float, Contract, Bars] | None = None
    for spot in spots:
        hours = spot.hours.until(now).since(since)
        traded = np.isfinite(hours.volume)
        used = Bars(hours.ts[traded], hours.end[traded], hours.values[:, traded])
        volume = float(used.volume.sum())
        if len(used) >= needed and volume > 0.0 and (best is None or volume > best[0]):
            best = volume, spot, used
    if best is None:
        why = "no spot market has a volume" if spots else "no spot market is stored"
        return [], [
            f"spot-demand clusters: {why} in half of the {settings.profile_days} days before"
        ]
    return _clusters(best[1].key, best[2], settings), []


def _clusters(key: str, bars: Bars, settings: LevelSettings) -> list[Level]:
    net, guessed = net_bought(bars)
    values = bars.values.copy()
    values[4] = net
    by_price = histogram(Bars(bars.ts, bars.end, values), settings.profile_bin_bps)
    deviation = settings.smoothing_bps / settings.profile_bin_bps
    density = np.concatenate([[0.0], smoothed(by_price.volume, deviation), [0.0]])
    top = float(density.max())
    if top <= 0.0:
        return []
    peaks = prominent_peaks(density, settings.demand_prominence * top)
    peaks = peaks[np.argsort(-density[peaks], kind="stable")][: settings.demand_clusters]
    end = int(bars.end[-1])
    how = "sides guessed from closes" if guessed else "takers' sides as told"
    found: list[Level] = []
    for peak in peaks.tolist():
        if density[peak] <= 0.0:
            continue
        price = float(by_price.price[peak - 1])
        near = np.abs(np.log(by_price.price / price)) <= 2.0 * settings.smoothing_bps / 10_000
        coin = float(by_price.volume[near].sum())
        label = (
            f"spot demand around {price_text(price)}: {coin:,.0f} coin bought net on {key} in "
            f"{settings.profile_days} d ({how})"
        )
        found.append(
            Level(price=price, kind="spot_demand", label=label, formed_at=end, confirmed_at=end,
                  prominence=PROMINENCE["spot_demand"])
        )  # fmt: skip
    return found
