// The JSON about what is held: stress tests and hedges, as `airpocket stress --json` and `hedge --json` print them.
import type { Estimate } from "./model";

export interface Outcome {
  id: string;
  kind: "gap" | "cascade" | "volatility" | "together" | "time" | "funding" | "venue" | "stablecoin";
  title: string;
  price: Estimate;
  equity: Estimate;
  buffer: Estimate;
  liquidated: boolean | null;
  chance: Estimate | null;
  note: string;
}

export interface Exit {
  position: string;
  after_percent: number;
  gone_percent: number;
  cost: Estimate;
  filled: Estimate;
  works: boolean | null;
  why: string;
}

export interface StressTest {
  name: string;
  answer: string;
  unknown: string | null;
  outcomes: Outcome[];
  exits: Exit[];
  notes: string[];
}

export interface CurvePoint {
  move_percent: number;
  plain_usd: number;
  hedged_usd: number;
  hedged_later_usd: number;
}

export interface Hedge {
  id: string;
  title: string;
  unknown: string | null;
  legs: { side: string; name: string; size: Estimate; price: Estimate }[];
  cost: Estimate | null;
  protected: Estimate | null;
  next_percent: Estimate | null;
  uncovered: string[];
  notes: string[];
  curve: CurvePoint[];
}

export interface HedgeSheet {
  answer: string;
  gap_percent: number;
  buffer: number;
  plain_protected: Estimate;
  no_chain: string | null;
  hedges: Hedge[];
  notes: string[];
}

/** What a hedge adds to the position's own result after a move, USD, between the points of its curve; null beyond them. */
export function added(hedge: Hedge, movePercent: number, later: boolean): number | null {
  const { curve } = hedge;
  const next = curve.findIndex((point) => point.move_percent >= movePercent - 1e-9);
  const high = curve[next];
  const low = curve[Math.max(0, next - 1)];
  if (!high || !low || low.move_percent > movePercent + 1e-9) return null;
  const gain = (point: CurvePoint): number => (later ? point.hedged_later_usd : point.hedged_usd) - point.plain_usd;
  const span = high.move_percent - low.move_percent;
  const share = span > 0 ? (movePercent - low.move_percent) / span : 0;
  return gain(low) + share * (gain(high) - gain(low));
}
