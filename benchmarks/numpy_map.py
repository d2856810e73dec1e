"""The liquidation map's step once more, bar by bar with NumPy: an exact peer that shares no code with it."""

from math import floor, log

import numpy as np

HOUR_NS = 3_600_000_000_000


def numpy_map(end, points, facts, rules, first, count):
    """(2, count, K) coin by side, bucket and class, and (n, 2) forced flow.

    Both sides lie on buckets first … first + count − 1 of log-price; longs are turned round for the
    step only. Arguments as for the step itself.
    """
    sides = [_Side(rules, first, count, side) for side in range(2)]
    flow = np.zeros((len(end), 2))
    hour = 0
    for i in range(len(end)):
        high, low, typical, least, most, volume, interest = facts[:, i]
        if points[i] == 1:
            prices = np.array([log(typical)]) / rules.width
        else:
            start, step = log(least) / rules.width, log(most / least) / rules.width / points[i]
            prices = start + step * (np.arange(points[i]) + 0.5)
        for side, one in enumerate(sides):
            edge = floor(log(high if side == 0 else low) / rules.width)
            flow[i, side] = one.bar(edge, prices, rules.sticky * volume, interest)
        for _ in range(end[i] // HOUR_NS - hour if hour else 0):
            for one in sides:
                one.age()
        hour = end[i] // HOUR_NS
    return np.stack([sides[0].cells, sides[1].cells[::-1]]), flow


class _Side:
    """Cells (count, K) counted outward."""

    def __init__(self, rules, first, count, side):
        self.prior, self.shift = rules.prior[side], rules.shift[side]
        self.ageing = rules.ageing
        self.sign = 1 if side == 0 else -1
        self.first = first if side == 0 else -first - count
        self.cells = np.zeros((count, len(self.prior)))
        self.outermost = -1

    def bar(self, edge, prices, gross, interest):
        reach = (edge if self.sign == 1 else -1 - edge) - self.first
        forced = (self.cells[: reach + 1] @ self.prior).sum()
        self.cells[: reach + 1] = 0.0
        rest = (self.cells @ self.prior).sum()
        at = self.sign * prices[:, None] - 0.5 - self.first + self.shift[None, :]
        row = np.floor(at).astype(int)
        upper = at - row
        share = self.prior[None, :] / len(prices)
        lost = (share * ((row <= reach) * (1 - upper) + (row + 1 <= reach) * upper)).sum()
        stays = 1.0 - lost
        if stays > 0.0:
            gross = min(gross, interest / stays)
            if rest + gross * stays < interest:
                gross = (interest - rest) / stays
            elif rest > 0.0:
                self.cells *= 1.0 - min((rest + gross * stays - interest) / rest, 0.5)
        each = gross / len(prices)
        classes = np.broadcast_to(np.arange(len(self.prior)), row.shape)
        for rows, weight in ((row, 1.0 - upper), (row + 1, upper)):
            stay = rows > reach
            np.add.at(self.cells, (rows[stay], classes[stay]), each * weight[stay])
            if stay.any():
                self.outermost = max(self.outermost, rows[stay].max())
        return forced + gross * lost

    def age(self):
        stay, one, two = self.ageing
        last = self.outermost
        old = self.cells[: last + 1].copy()
        new = stay * old
        new[1:] += one * old[:-1]
        new[2:] += two * old[:-2]
        new[last] += (one + two) * old[last] + two * old[last - 1]
        self.cells[: last + 1] = new
