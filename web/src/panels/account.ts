// The arithmetic behind the sliders: one linear perpetual's equity and maintenance, from the rows of its own plan.
import type { Plan } from "../model";

export interface Held {
  mark: number;
  sign: 1 | -1;
  coin: number;
  /** USD of equity at the mark */
  equity: number;
  /** maintenance over notional, by notional, rising */
  rates: [number, number][];
}

export interface Change {
  /** share closed at the mark, 0 to 1 */
  closed: number;
  addedUsd: number;
}

/** What the gap test tells, or null where it tells too little. */
export function heldOf(plan: Plan): Held | null {
  const mark = plan.mark.value;
  const rows = plan.gap_test.gaps.flatMap((gap) => {
    const { price, equity, maintenance } = gap;
    return price.value === null || equity.value === null || maintenance.value === null ? [] : [{ price: price.value, equity: equity.value, maintenance: maintenance.value }];
  });
  const first = rows[0];
  const coin = plan.position.size_coin;
  if (mark === null || !first) return null;
  const sign = plan.position.side === "long" ? 1 : -1;
  const rates = rows.map(({ price, maintenance }): [number, number] => [coin * price, maintenance / (coin * price)]);
  return { mark, sign, coin, equity: first.equity - sign * coin * (first.price - mark), rates: rates.sort((a, b) => a[0] - b[0]) };
}

const left = (held: Held, change: Change): number => held.coin * (1 - change.closed);

export function equityAt(held: Held, change: Change, price: number): number {
  return held.equity + change.addedUsd + held.sign * left(held, change) * (price - held.mark);
}

/** By the rate at the nearest notional told: a smaller position may need less. */
export function maintenanceAt(held: Held, change: Change, price: number): number {
  const notional = left(held, change) * price;
  let rate = held.rates[0]![1];
  for (const [size, told] of held.rates) if (notional >= size) rate = told;
  return rate * notional;
}

/** The price at which equity falls to maintenance, on the losing side; null within 95 % of it there is none. */
export function forcedExit(held: Held, change: Change): number | null {
  const spare = (price: number): number => equityAt(held, change, price) - maintenanceAt(held, change, price);
  if (left(held, change) <= 0) return null;
  if (spare(held.mark) <= 0) return held.mark;
  let safe = held.mark;
  for (let step = 1; step <= 380; step++) {
    const price = held.mark * (1 - held.sign * step * 0.0025);
    if (price <= 0) return null;
    if (spare(price) > 0) {
      safe = price;
      continue;
    }
    let gone = price;
    for (let halving = 0; halving < 40; halving++) {
      const middle = (safe + gone) / 2;
      if (spare(middle) > 0) safe = middle;
      else gone = middle;
    }
    return gone;
  }
  return null;
}

/** Profit or loss from the mark. */
export function payoffAt(held: Held, change: Change, price: number): number {
  return held.sign * left(held, change) * (price - held.mark);
}
