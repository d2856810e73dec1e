"""Seeded randomness, one independent stream per purpose, so that adding one draw moves no other."""

import numpy as np

from airpocket.lab.scenario import FloatArray

_STREAMS = (
    "returns", "extremes", "volatility", "premium", "depth", "leverage",
    "volume", "taker", "open_interest", "book", "options", "flows", "wicks",
)  # fmt: skip


def stream(seed: int, name: str, *parts: int) -> np.random.Generator:
    """The generator of one purpose (or a part of it): same arguments, same numbers, everywhere."""
    entropy = [seed, _STREAMS.index(name), *parts]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))


def fat_tailed(draws: np.random.Generator, count: int) -> FloatArray:
    """Student-t returns with 5 degrees of freedom, scaled to unit variance."""
    return draws.standard_t(5.0, count) / np.sqrt(5.0 / 3.0)


def wandering(
    noise: FloatArray, minutes: FloatArray, half_life_min: float, spread: float
) -> FloatArray:
    """An Ornstein–Uhlenbeck path round zero with standard deviation `spread`, from unit noise."""
    keep = np.exp2(-minutes / half_life_min)
    kicks = (noise * spread * np.sqrt(1.0 - keep * keep)).tolist()
    path: list[float] = []
    level = 0.0
    for kept, kick in zip(keep.tolist(), kicks, strict=True):
        level = level * kept + kick
        path.append(level)
    return np.array(path)
