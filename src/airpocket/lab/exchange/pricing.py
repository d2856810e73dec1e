"""Index, mark, premium and funding of every perpetual, by its venue's rule (science of `airpocket.margin`).

One step a venue and half second. Prices in ticks of the book they belong to.
"""

import numpy as np

from airpocket.domain.events import FloatArray
from airpocket.domain.kernel import kernel
from airpocket.lab.exchange.clearing import charged, notional
from airpocket.lab.exchange.journal import ESTIMATE, FUNDING, INTEREST, MARK, note
from airpocket.lab.exchange.state import BASIS, SPOT, Market

MEDIAN, EMA_BASIS, ORACLE, MEAN_BASIS = 0, 1, 2, 3  # mark rules
SECOND = 1_000_000_000
PREMIUM_EVERY = 5 * SECOND
INTEREST_EVERY = 5 * SECOND
FUNDING_SCALE = 1_000_000_000

# e^(−1/30) and e^(−1/150): a second's fading of the venues' averages of the basis, to 12 digits
FADE_30S = 0.967216100482
FADE_150S = 0.993355506255


@kernel
def mid(m: Market, book: int) -> float:
    """Middle of the touch in ticks; NaN where a side is empty."""
    terms = m.books[book]
    if terms.bid < 1 or terms.ask >= terms.window:
        return np.nan
    return (terms.bid + terms.ask) / 2.0


@kernel
def middle(values: FloatArray, count: int) -> float:
    """Median of the first `count` values, which are sorted in place."""
    for i in range(1, count):
        one, k = values[i], i
        while k > 0 and values[k - 1] > one:
            values[k] = values[k - 1]
            k -= 1
        values[k] = one
    half = count // 2
    return values[half] if count % 2 else (values[half - 1] + values[half]) / 2.0


@kernel
def index_usd(m: Market) -> float:
    """Median of the spot books that trade, USD; NaN where none has two sides."""
    found = np.empty(16)
    count = 0
    for book in range(m.book_count):
        terms = m.books[book]
        if terms.form == SPOT and not terms.halted and count < 16:
            one = mid(m, book)
            if not np.isnan(one):
                found[count] = one * terms.tick_usd
                count += 1
    return middle(found, count) if count else np.nan


@kernel
def update_index(m: Market, book: int) -> None:
    """The index in this book's ticks, to thousandths; it stands still where no spot book has a price."""
    terms = m.books[book]
    usd = index_usd(m)
    if not np.isnan(usd):
        terms.index = np.floor(usd / terms.tick_usd * 1_000.0 + 0.5) / 1_000.0


@kernel
def sample_basis(m: Market, book: int) -> None:
    """One second's basis: into the ring and into the fading average of the venue."""
    terms = m.books[book]
    one = mid(m, book)
    if np.isnan(one):
        return
    basis = one - terms.index
    m.basis[book, terms.basis_count % BASIS] = basis
    terms.basis_count += 1
    fade = FADE_30S if m.venues[terms.venue].mark_rule == EMA_BASIS else FADE_150S
    terms.ema = terms.ema * fade + basis
    terms.ema_weight = terms.ema_weight * fade + 1.0


@kernel
def mean_basis(m: Market, book: int, samples: int) -> float:
    """Mean of the last samples of the basis, ticks; 0 before the first."""
    count = min(samples, m.books[book].basis_count, BASIS)
    total = 0.0
    for k in range(count):
        total += m.basis[book, (m.books[book].basis_count - 1 - k) % BASIS]
    return total / count if count else 0.0


@kernel
def update_mark(m: Market, book: int) -> None:
    """The venue's mark, to thousandths of a tick."""
    terms = m.books[book]
    venue = m.venues[terms.venue]
    terms.mark_before = terms.mark
    if terms.form == SPOT:
        one = mid(m, book)
        mark = one if not np.isnan(one) else terms.mark
    elif venue.mark_rule == MEDIAN:
        mark = _median_mark(m, book)
    elif venue.mark_rule == ORACLE:
        mark = _oracle_mark(m, book)
    elif venue.mark_rule == EMA_BASIS:
        faded = terms.ema / terms.ema_weight if terms.ema_weight > 0.0 else 0.0
        mark = terms.index + min(max(faded, -0.005 * terms.index), 0.005 * terms.index)
    else:
        mark = terms.index + mean_basis(m, book, BASIS)
    terms.mark = np.floor(max(1.0, mark) * 1_000.0 + 0.5) / 1_000.0


@kernel
def _median_mark(m: Market, book: int) -> float:
    """Binance: median of index with funding still due, index with the mean basis, and the last price."""
    terms = m.books[book]
    venue = m.venues[terms.venue]
    left = max(0, venue.funding_next - m.now) / venue.funding_every
    three = np.empty(3)
    three[0] = terms.index * (1.0 + terms.funding * left)
    three[1] = terms.index + mean_basis(m, book, 30)
    three[2] = float(terms.last)
    return middle(three, 3)


@kernel
def _oracle_mark(m: Market, book: int) -> float:
    """Hyperliquid: median of oracle + faded basis, median(bid, ask, last), and the other venues' perps."""
    terms = m.books[book]
    three, count = np.empty(3), 1
    faded = terms.ema / terms.ema_weight if terms.ema_weight > 0.0 else 0.0
    three[0] = terms.index + faded
    if terms.bid >= 1 and terms.ask < terms.window:
        inner = np.array([float(terms.bid), float(terms.ask), float(terms.last)])
        three[count] = middle(inner, 3)
        count += 1
    outside = _weighted_outside(m, book)
    if not np.isnan(outside):
        three[count] = outside
        count += 1
    return middle(three, count)


@kernel
def _weighted_outside(m: Market, book: int) -> float:
    """Weighted median of the other perpetuals' mids, in this book's ticks; NaN without any."""
    prices, weights, count, total = np.empty(16), np.empty(16), 0, 0.0
    for other in range(m.book_count):
        terms = m.books[other]
        one = mid(m, other)
        if (
            other == book
            or terms.oracle_weight <= 0.0
            or np.isnan(one)
            or terms.halted
            or count == 16
        ):
            continue
        price, k = one * terms.tick_usd / m.books[book].tick_usd, count
        while k > 0 and prices[k - 1] > price:
            prices[k], weights[k] = prices[k - 1], weights[k - 1]
            k -= 1
        prices[k], weights[k] = price, terms.oracle_weight
        total += terms.oracle_weight
        count += 1
    passed = 0.0
    for k in range(count):
        passed += weights[k]
        if passed > total / 2.0:
            return prices[k]
        if passed == total / 2.0:
            return (prices[k] + prices[k + 1]) / 2.0
    return np.nan


@kernel
def impact_price(m: Market, book: int, side: int, lots: int) -> float:
    """Mean tick that an order of `lots` would pay on one side (+1: lift offers); NaN if too thin."""
    terms = m.books[book]
    tick, left, paid = (terms.ask if side > 0 else terms.bid), lots, 0.0
    while left > 0 and 0 < tick < terms.window:
        here = min(left, m.levels[book, tick].lots)
        paid += here * float(tick)
        left -= here
        tick += side
    return paid / lots if left == 0 else np.nan


@kernel
def sample_premium(m: Market, book: int) -> None:
    """One five-second premium from impact prices: (max(bid − i, 0) − max(i − ask, 0)) / i."""
    terms = m.books[book]
    bid = impact_price(m, book, -1, terms.impact_lots)
    ask = impact_price(m, book, 1, terms.impact_lots)
    if np.isnan(bid) or np.isnan(ask):
        return
    terms.premium = (max(bid - terms.index, 0.0) - max(terms.index - ask, 0.0)) / terms.index
    terms.premium_sum += terms.premium
    terms.premium_count += 1


@kernel
def funding_estimate(m: Market, book: int) -> float:
    """The rate that the interval's premiums so far would give: fraction per interval."""
    terms = m.books[book]
    venue = m.venues[terms.venue]
    average = terms.premium_sum / terms.premium_count if terms.premium_count else 0.0
    hours = venue.funding_every / (3_600.0 * SECOND)
    if venue.damper > 0.0:
        rate = max(venue.damper, average) + min(-venue.damper, average)
    else:
        rate = average + min(max(venue.interest - average, -venue.clamp), venue.clamp)
    rate *= hours / 8.0
    if venue.cap > 0.0:
        rate = min(max(rate, -venue.cap), venue.cap)
    return np.floor(rate * FUNDING_SCALE + 0.5) / FUNDING_SCALE


@kernel
def pay_funding(m: Market, book: int) -> None:
    """Longs pay shorts the rate on their notional at the mark; the treasury keeps the rounding."""
    terms = m.books[book]
    venue = m.venues[terms.venue]
    terms.funding = funding_estimate(m, book)
    price = terms.index if venue.mark_rule == ORACLE else terms.mark
    for account in range(venue.first_account, venue.first_account + venue.accounts):
        lots = m.positions[account, terms.slot].lots
        if lots != 0 and account != venue.treasury:
            due = notional(m, book, lots, price) * terms.funding
            owed = int(np.floor(due + 0.5))
            charged(m, account, venue.treasury, owed if lots > 0 else -owed)
    rate = int(np.floor(terms.funding * FUNDING_SCALE + 0.5))
    note(m, FUNDING, book, (rate, venue.funding_next, venue.funding_every, 0, 0))
    terms.premium_sum, terms.premium_count = 0.0, 0
    terms.funding_from = venue.funding_next


@kernel
def note_mark(m: Market, book: int) -> None:
    """Mark, index and touch as the venue tells them; every five seconds open interest and estimate."""
    terms = m.books[book]
    values = (int(terms.mark * 1_000.0 + 0.5), int(terms.index * 1_000.0 + 0.5))
    note(m, MARK, book, (values[0], values[1], terms.bid, terms.ask, terms.last))
    if terms.form == SPOT or m.now % INTEREST_EVERY:
        return
    note(m, INTEREST, book, (terms.open_interest, 0, 0, 0, 0))
    rate = int(np.floor(funding_estimate(m, book) * FUNDING_SCALE + 0.5))
    premium = int(np.floor(terms.premium * FUNDING_SCALE + 0.5))
    due = m.venues[terms.venue].funding_next
    note(m, ESTIMATE, book, (rate, premium, due, 0, 0))
