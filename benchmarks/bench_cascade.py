"""The batched fuel scan against the same scan written with NumPy, answers compared in the same run."""

from collections.abc import Iterator

import numpy as np

from airpocket.cascade.fuel import Ladder, Scenarios, screen
from benchmarks.harness import Figure, against

_SCENARIOS = 262_144
_LEVELS = 2_048
_CHUNK = 2_048  # 32 MB an array: the materialised version must fit memory


def made(scenarios: int, pushes: float) -> tuple[Ladder, Scenarios]:
    """A random ladder, and scenarios that differ in push, depth, refill and fuel."""
    rng = np.random.default_rng(0)
    visible = np.cumsum(rng.gamma(1.0, 1.0, _LEVELS))
    forced = np.cumsum(rng.gamma(0.3, 3.0, _LEVELS))
    latent = 1_000.0 * np.linspace(0.0, 1.0, _LEVELS) ** 2
    ladder = Ladder(np.linspace(0.0, 0.2, _LEVELS), visible, latent, forced[None, :])
    return ladder, Scenarios(
        push=rng.uniform(0.0, pushes, scenarios),
        depth=rng.uniform(0.2, 2.0, scenarios),
        refill=rng.uniform(0.4, 2.5, scenarios),
        fuel=rng.uniform(0.3, 1.0, scenarios),
        draw=np.zeros(scenarios, np.int64),
    )


def with_numpy(ladder: Ladder, scenarios: Scenarios) -> np.ndarray:
    """(N,) stop index, level by level for a chunk of scenarios at a time."""
    stop = np.empty(len(scenarios.push), np.int64)
    for start in range(0, len(stop), _CHUNK):
        part = slice(start, start + _CHUNK)
        absorbed = scenarios.depth[part, None] * ladder.visible
        absorbed += scenarios.refill[part, None] * ladder.latent
        flow = scenarios.push[part, None] + scenarios.fuel[part, None] * ladder.forced[0]
        holds = flow <= absorbed
        first = holds.argmax(axis=1)
        stop[part] = np.where(holds[np.arange(len(first)), first], first, _LEVELS - 1)
    return stop


def hugging(scenarios: int) -> tuple[Ladder, Scenarios]:
    """The hardest ladder: forced and resting rise together, so that no shortcut rules anything out."""
    level = np.arange(_LEVELS, dtype=np.float64)
    ladder, many = made(scenarios, 1.0)
    ones = np.ones(scenarios)
    same = Scenarios(1.0 + many.push, ones, 0.0 * ones, ones, many.draw)
    return Ladder(ladder.distance, level, 0.0 * level, level[None, :]), same


def figures() -> Iterator[Figure]:
    """Nanoseconds per scenario: pushes of every size, pushes that nothing stops, the hardest ladder."""
    cases = (
        ("cascade_scan_262144x2048", made(_SCENARIOS, 200.0)),
        ("cascade_scan_none_stop", made(_SCENARIOS, 1e7)),
        ("cascade_scan_hardest", hugging(_SCENARIOS)),
    )
    for name, (ladder, scenarios) in cases:
        same = np.array_equal(screen(ladder, scenarios).stop, with_numpy(ladder, scenarios))
        assert same, "the two scans disagree"
        yield against(
            name, lambda one=ladder, many=scenarios: screen(one, many), "NumPy materialised",
            lambda one=ladder, many=scenarios: with_numpy(one, many), per=_SCENARIOS, repeats=3,
        )  # fmt: skip
