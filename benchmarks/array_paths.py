"""The paths of `airpocket.cascade.paths` with whole arrays a step: in NumPy, and in JAX where that is installed."""

from types import ModuleType
from typing import Any

import numpy as np

from airpocket.cascade.paths import Course, Deal, Ground, pushing_steps, tables_of, terms_of


def numpy_paths(ground: Ground, deal: Deal, course: Course) -> tuple[np.ndarray, np.ndarray]:
    """(N,) highs and ends, 32 bits; noise by NumPy's fastest generator."""
    rng = np.random.default_rng(course.seed)
    terms, tables = terms_of(deal, course), tables_of(ground)
    state = [np.zeros(len(deal.draw), np.float32) for _ in range(13)]
    state[1] = deal.jump.astype(np.float32)
    for step in range(course.steps):
        dice = rng.standard_normal(len(deal.draw), np.float32)
        state = _stepped(
            np, state, terms, tables, dice, float(step < pushing_steps(course)), course
        )
    return state[2], state[0] + state[1]


def jax_paths(ground: Ground, deal: Deal, course: Course) -> Any:
    """A compiled function of no arguments that gives the same; None without JAX."""
    try:
        import jax
    except ImportError:
        return None
    jnp, terms, tables = jax.numpy, terms_of(deal, course), tables_of(ground)
    n, pushing = len(deal.draw), pushing_steps(course)
    terms = tuple(jnp.asarray(term) for term in terms)
    tables = type(tables)(*map(jnp.asarray, tables[:3]), *tables[3:])

    def step(carried: Any, count: Any) -> Any:
        key, state = carried
        key, now = jax.random.split(key)
        dice = jax.random.normal(now, (n,), jnp.float32)
        on = jnp.where(count < pushing, 1.0, 0.0).astype(jnp.float32)
        return (key, _stepped(jnp, state, terms, tables, dice, on, course)), None

    @jax.jit
    def whole() -> Any:
        state = [jnp.zeros(n, jnp.float32) for _ in range(13)]
        state[1] = jnp.asarray(deal.jump.astype(np.float32))
        begin = (jax.random.PRNGKey(course.seed), state)
        (_, last), _ = jax.lax.scan(step, begin, jnp.arange(course.steps))
        return last[2], last[0] + last[1]

    return lambda: [np.asarray(part) for part in whole()]


def _stepped(
    xp: ModuleType | Any, state: Any, terms: Any, tables: Any, dice: Any, on: Any, course: Course
) -> list[Any]:
    rough, fuel, booked, sent, thin, lasts, kept, push, reach, passed, averaged = terms
    (lasting, fading, high, low, basis, mark_high, mark_low, behind_high, behind_low, buys, sells, buys_from,
     sells_from) = state  # fmt: skip
    here = lasting + fading
    index = passed * here
    slow = index + basis
    mark = xp.maximum(xp.minimum(index, slow), xp.minimum(xp.maximum(index, slow), here))
    along = xp.clip((mark - tables.first) * tables.per_width, 0.0, tables.top)
    bucket = along.astype(xp.int32)
    held = tables.ladder[bucket] + tables.rise[bucket] * (along - bucket)
    at = xp.clip((here - tables.first) * tables.per_width, 0.0, tables.top).astype(xp.int32)
    up, down = mark > mark_high, mark < mark_low
    bought = booked * xp.where(up, (held - behind_high) * fuel, 0.0)
    sold = booked * xp.where(down, (held - behind_low) * fuel, 0.0)
    buys, sells = buys + bought, sells + sold
    buys_from = buys_from + bought * 0.5 * (mark + mark_high)
    sells_from = sells_from + sold * 0.5 * (mark + mark_low)
    buying, selling = buys * sent, sells * sent
    moves = (
        tables.impact[at] * thin * xp.minimum(1.0 + course.pull * xp.abs(fading), course.most_pull)
    )
    lifted = sent * (buys_from + (reach - here) * buys) / (reach + buying * moves)
    hit = sent * ((reach + here) * sells - sells_from) / (reach + selling * moves)
    lifted = xp.maximum(xp.minimum(buying, lifted), 0.0)
    hit = xp.maximum(xp.minimum(selling, hit), 0.0)
    move = (push * on + lifted - hit) * moves
    found = [
        lasting + lasts * move + rough * dice, (fading + (1.0 - lasts) * move) * kept,
        xp.where(here > high, here, high), xp.where(here < low, here, low),
        basis + averaged * (here - index - basis), xp.where(up, mark, mark_high),
        xp.where(down, mark, mark_low), xp.where(up, held, behind_high), xp.where(down, held, behind_low),
        buys - buying, sells - selling, buys_from * (1.0 - sent), sells_from * (1.0 - sent),
    ]  # fmt: skip
    return [part.astype(xp.float32) for part in found]
