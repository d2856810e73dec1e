// The venues' hourly figures brought onto the candles' times.
import { coins, decimal } from "../format";
import type { Bars, Carry, Funding, Line } from "../model";

export interface PaneData {
  id: "funding" | "interest" | "premium" | "flow";
  title: string;
  unit: string;
  note: string;
  unknown: string | null;
  lines: { contract: string; spot: boolean; values: (number | null)[] }[];
}

interface Kind {
  id: PaneData["id"];
  title: string;
  unit: string;
  note: string;
  of: (carry: Carry) => Line;
  scale: number;
  /** seconds for which a figure holds */
  holds: number;
}

const HOUR = 3_600;

const KINDS: Kind[] = [
  {
    id: "funding", title: "Funding", unit: "% per 8 h", scale: 1, holds: 9 * HOUR, of: (carry) => carry.funding_8h,
    note: "settled rate in force, brought to 8 h by each contract's own interval; above zero longs pay shorts",
  },
  {
    id: "interest", title: "Open interest", unit: "coin", scale: 1, holds: 2 * HOUR, of: (carry) => carry.interest_coin,
    note: "open positions in coin, counted once",
  },
  {
    id: "premium", title: "Basis", unit: "bp", scale: 100, holds: 2 * HOUR, of: (carry) => carry.premium,
    note: "perpetual over its venue's index; above zero the perpetual is dearer",
  },
  {
    id: "flow", title: "CVD", unit: "coin", scale: 1, holds: 2 * HOUR, of: (carry) => carry.cvd,
    note: "bought less sold by takers, summed from the first hour shown; spot is marked",
  },
];

export function panesOf(funding: Funding | null, bars: Bars): PaneData[] {
  if (!funding) return [];
  const closes = bars.open_s.map((open) => open + bars.interval_s);
  return KINDS.map(({ id, title, unit, note, of, scale, holds }) => {
    const lines = funding.contracts
      .map((carry) => ({ contract: carry.contract, spot: carry.kind === "spot", values: held(of(carry), closes, scale, holds) }))
      .filter(({ values }) => values.some((value) => value !== null));
    const reason = funding.contracts.map((carry) => of(carry).unknown).find((why) => why !== null);
    return { id, title, unit, note, lines, unknown: lines.length > 0 ? null : (reason ?? "nothing within the time shown") };
  });
}

/** A figure of a pane as its legend says it. */
export function reading({ id, unit }: Pick<PaneData, "id" | "unit">, value: number | null | undefined): string {
  if (value == null) return "unknown";
  return unit === "coin" ? coins(value) : decimal(value, id === "funding" ? 4 : 1);
}

/** The newest value at each moment, no older than it holds; null where there is none. */
function held(line: Line, moments: number[], scale: number, holds: number): (number | null)[] {
  let at = -1;
  return moments.map((moment) => {
    while (at + 1 < line.time_s.length && line.time_s[at + 1]! <= moment) at += 1;
    if (at < 0 || moment - line.time_s[at]! > holds) return null;
    const value = line.value[at];
    return value === null || value === undefined ? null : value * scale;
  });
}
