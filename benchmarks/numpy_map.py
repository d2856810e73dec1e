"""The liquidation map's step once more, bar by bar with NumPy: an exact peer that shares no code with it."""

from math import floor, log

import numpy as np

HOUR_NS = 3_600_000_000_000
SPELL_H = 1
DUST = 1e-9


def numpy_map(end, points, facts, rules, first, count):
    """(2, count, K·L) coin by side, trigger bucket and column, and (n, 2) forced flow under the prior's mix.

    Both sides lie on buckets first … first + count − 1 of log-price; longs are turned round for the
    step only. Arguments as for the step itself; prints are not listened to.
    """
    sides = [_Side(rules, first, count, side) for side in range(2)]
    flow = np.zeros((len(end), 2))
    hour, before = 0, 0.0
    for i in range(len(end)):
        high, low, typical, least, most, volume, interest = facts[:7, i]
        if points[i] == 1:
            prices = np.array([log(typical)]) / rules.width
        else:
            start, step = log(least) / rules.width, log(most / least) / rules.width / points[i]
            prices = start + step * (np.arange(points[i]) + 0.5)
        gross = rules.sticky * volume
        if before:
            gross = min(gross, 0.5 * max(volume + interest - before, 0.0))
        before = interest
        for side, one in enumerate(sides):
            edge = (
                floor(log(high) / rules.width - 0.5)
                if side == 0
                else -floor(0.5 - log(low) / rules.width)
            )
            flow[i, side] = one.bar(edge, prices, gross, interest)
        now = end[i] // HOUR_NS
        if hour and now // SPELL_H > hour // SPELL_H:
            for one in sides:
                one.spell(prices[0], now // SPELL_H - hour // SPELL_H)
        hour = now
    return np.stack([sides[0].cells, sides[1].cells[::-1]]), flow


class _Side:
    """Cells (count, K·L) counted outward."""

    def __init__(self, rules, first, count, side):
        layers = rules.trigger.shape[2]
        self.rules = rules
        self.mix = rules.prior[side]
        stops = rules.stops[0] + rules.stops_at * (rules.stops[1] - rules.stops[0])
        stopped = stops * rules.before[side][:, None]
        share = np.concatenate(
            [1.0 - stopped, np.repeat(stopped / (layers - 1), layers - 1, axis=1)], axis=1
        )
        self.weight = (self.mix[1:, None] * share).reshape(-1)
        self.pace = np.repeat(rules.pace[1:], layers)
        self.margin = np.repeat(rules.margin[side], layers)
        self.trigger = rules.trigger[side].reshape(-1)
        self.unstopped = np.tile(np.arange(layers) == 0, len(rules.shift[side]))
        self.sign = 1 if side == 0 else -1
        self.first = first if side == 0 else -first - count
        self.cells = np.zeros((count, len(self.weight)))
        self.never, self.hazard, self.outermost = 0.0, 0.0, -1

    def total(self):
        return self.mix[0] * self.never + (self.cells @ self.weight).sum()

    def bar(self, edge, prices, gross, interest):
        reach = (edge if self.sign == 1 else -1 - edge) - self.first
        forced = (self.cells[: reach + 1] @ (self.weight * self.unstopped)).sum()
        self.cells[: reach + 1] = 0.0
        rest = self.total()
        weighed = self.mix[0] * self.never * self.rules.pace[0]
        weighed += (self.cells @ (self.weight * self.pace)).sum()
        at = self.sign * prices[:, None] - 0.5 - self.first + self.trigger[None, :]
        row = np.floor(at).astype(int)
        upper = at - row
        share = self.weight[None, :] / len(prices)
        inside = (row <= reach) * (1 - upper) + (row + 1 <= reach) * upper
        lost = (share * inside).sum()
        stays, hazard = 1.0 - lost, 0.0
        if stays > 0.0:
            gross = min(gross, interest / stays)
            if rest + gross * stays < interest:
                gross = (interest - rest) / stays
            elif weighed > 0.0:
                hazard = (rest + gross * stays - interest) / weighed
        self.hazard += hazard
        self.cells *= 1.0 - np.minimum(hazard * self.pace, 0.5)
        self.never = self.never * (1.0 - min(hazard * self.rules.pace[0], 0.5)) + gross
        columns = np.broadcast_to(np.arange(len(self.weight)), row.shape)
        mass = gross / len(prices)
        for rows, weight in ((row, 1.0 - upper), (row + 1, upper)):
            stay = rows > reach
            np.add.at(self.cells, (rows[stay], columns[stay]), mass * weight[stay])
            if stay.any():
                self.outermost = max(self.outermost, rows[stay].max())
        return forced + (gross * share * inside * self.unstopped).sum()

    def spell(self, price, count):
        """Habits, added margin and age; `price` in buckets."""
        rules, before = self.rules, self.total()
        near = self.sign * price - self.first
        rows = np.arange(len(self.cells))[:, None]
        losing = rows < near + self.trigger - rules.lost * self.margin
        winning = rows > near + self.trigger + rules.taken * self.margin
        own = self.hazard * self.pace
        self.cells *= np.where(losing, np.exp(-own * (rules.loss - 1.0)),
                               np.where(winning, np.exp(-own * (rules.gain - 1.0)), 1.0))  # fmt: skip
        for j in range(self.outermost, -1, -1):
            out = int(j - near)
            if out > 0:
                moved = np.where(losing[j], rules.top_up * self.cells[j], 0.0)
                if moved.any():
                    self.cells[j] -= moved
                    self.cells[j + out] += moved
                    self.outermost = max(self.outermost, j + out)
        ratio = before / self.total()
        self.cells *= ratio
        self.never *= ratio
        self.hazard = 0.0
        for _ in range(count):
            self.age()

    def age(self):
        stay, one, two = self.rules.ageing
        last = self.outermost
        old = self.cells[: last + 1].copy()
        new = stay * old
        new[1:] += one * old[:-1]
        new[2:] += two * old[:-2]
        new[new <= DUST] = 0.0
        new[last] += (one + two) * old[last] + two * old[last - 1]
        self.cells[: last + 1] = new
