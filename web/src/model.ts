// The JSON that the server gives, as the schemas beside src/airpocket/brief/*.schema.json describe it.

export type Provenance = "measured" | "modelled" | "mixed";

export interface Estimate {
  unit: string;
  value: number | null;
  low: number | null;
  high: number | null;
  as_of: string | null;
  age_s: number | null;
  provenance: Provenance;
  source: string;
  unknown: string | null;
  at_least: boolean;
}

export interface Tell {
  id: string;
  label: string;
  estimate: Estimate;
  condition: string;
  met: boolean | null;
}

export interface Reading {
  id: string;
  title: string;
  state: string;
  because: string[];
  tells: Tell[];
  refs: string[];
}

export interface Graded extends Reading {
  implication: string;
  odds: string;
  record: string;
}

export interface Transition {
  at: number;
  direction: "up" | "down";
  before: string;
  after: string;
  because: string[];
}

export interface Verdict extends Graded {
  direction: "up" | "down" | null;
  since: string | null;
  other: string;
  would_change: string[];
  path: Transition[];
  missing: string[];
  ahead: Tell[];
}

export interface Channel {
  venue: string;
  symbol: string;
  kind: string;
  state: "ok" | "stale" | "gap";
  rows: number;
  first: string;
  last: string;
  age_s: number;
  gaps_30d: number;
  longest_gap_h: number;
  reason: string;
}

export interface RiskBand {
  within_percent: number;
  forced_usd: Estimate;
  exact_percent: number;
}

export interface Cluster {
  side: "short" | "long";
  low: number;
  high: number;
  peak: number;
  distance_percent: number;
  forced_usd: Estimate;
  share_percent: number;
  exact_percent: number;
}

export interface PushWay {
  direction: "up" | "down";
  likely_percent: number;
  reproduction: Estimate;
  kappa_tau: Estimate;
  growth: number;
  runaway: number;
  squeeze: Estimate;
  pocket_squeeze: Estimate;
  along: { percent: number; reproduction: number }[];
  pushes: PushRow[];
  drawn_usd: number;
  fan: number[][];
}

export interface Spread {
  low: number;
  middle: number;
  high: number;
}

export interface PushRow {
  share_percent: number;
  push_usd: number;
  reach: { percent: number; chance: number; error: number }[];
  stop: Spread;
  forced_usd: Spread;
}

export interface Way {
  direction: "up" | "down";
  absorbed_by: string;
  costs: { percent: number; ignition_usd: Estimate; patient_usd: Estimate }[];
  pockets: { push_usd: number; start_percent: number; stop_percent: number; forced_usd: number; inside_grid: boolean }[];
}

export interface Zone {
  low: number;
  high: number;
  bias: "support" | "resistance";
  role: string;
  strength: number;
  distance_percent: number;
  confluence: { label: string; standing: boolean }[];
  record: string;
}

export interface Rule {
  id: string;
  text: string;
  status: string;
  because: string[];
  implication: string;
}

export interface Side {
  unknown: string | null;
  answer: string;
  zones: string[];
}

export interface Brief {
  schema: string;
  asset: string;
  as_of: string;
  answer: string;
  price: { reference: string; last: Estimate; tells: Tell[]; by_venue: Record<string, Estimate> };
  health: { simulated: boolean; channels: Channel[]; missing: string[] };
  at_risk: {
    headline: string;
    shorts: RiskBand[];
    longs: RiskBand[];
    hedged_shorts: Estimate;
    hedged_longs: Estimate;
  };
  triggers: Graded[];
  verdict: Verdict;
  regimes: Reading[];
  clusters: Graded[];
  map: { unknown: string | null; clusters: Cluster[]; notes: string[] };
  cascade: {
    unknown: string | null;
    easier: string;
    glide: Estimate;
    runaway: Estimate;
    ways: Way[];
    pushes: {
      unknown: string | null;
      push_s: number;
      within_s: number;
      paths: number;
      fan_s: number[];
      ways: PushWay[];
      notes: string[];
    };
  };
  flows: Graded[];
  roadmap: { zones: Zone[]; rules: Rule[]; missing: string[] };
  shorts: Side;
  longs: Side;
  record: { summary: string; entries: string[] };
}

export interface Bars {
  asset: string;
  as_of: string;
  simulated: boolean;
  contract: string;
  contracts: string[];
  interval_s: number;
  open_s: number[];
  open: number[];
  high: number[];
  low: number[];
  close: number[];
  volume: (number | null)[];
  /** whether the last bar is still open */
  running?: boolean;
}

export interface Line {
  unit: string;
  source: string;
  time_s: number[];
  value: (number | null)[];
  unknown: string | null;
}

export interface Carry {
  contract: string;
  kind: "spot" | "linear" | "inverse" | "option";
  funding_8h: Line;
  interest_coin: Line;
  premium: Line;
  cvd: Line;
}

export interface Funding {
  asset: string;
  as_of: string;
  simulated: boolean;
  days: number;
  contracts: Carry[];
}

export interface Fuel {
  direction: "up" | "down";
  percent: number[];
  forced_usd: number[];
  low_usd: number[];
  high_usd: number[];
  resting_usd: (number | null)[];
  absorbed_usd: number[];
  measured_to_percent: number;
  absorbed_by: string;
}

export interface ForcedSum {
  open_s: number;
  side: "short" | "long";
  price: number;
  notional_usd: number;
  count: number;
  at_least: boolean;
}

export interface FuelView {
  asset: string;
  as_of: string;
  price: number | null;
  unknown: string | null;
  ways: Fuel[];
  prints: ForcedSum[];
  prints_unknown: string | null;
}

/** The heatmap as `GET /api/v1/map/heat` and the websocket give it, decoded. */
export interface HeatFrame {
  kind: "snapshot" | "delta";
  epoch: string;
  as_of: string;
  provenance: Provenance;
  edge: number[];
  full_usd: number;
  time_s: number[];
  close: number[];
  cells: Uint8Array[];
}

export interface ProcessState {
  name: string;
  state: string;
  restarts: number;
  age_s: number | null;
  reason: string;
}

export interface ReplayState {
  first: string;
  last: string;
  at: string;
  speed: number;
  state: "playing" | "paused" | "ended";
  loop: boolean;
}

export interface DocumentState {
  sequence: number;
  as_of: string;
  made_at: string;
}

export interface Feed {
  venue: string;
  symbol: string;
  channel: string;
  state: string;
  messages: number;
  age_s: number | null;
  reason: string;
}

export interface ServerHealth {
  version: string;
  asset: string;
  mode: "live" | "replay" | "store" | "drill";
  simulated: boolean;
  label: string;
  epoch: string;
  now: string;
  as_of: string | null;
  age_s: number | null;
  stale: string | null;
  processes: ProcessState[];
  replay: ReplayState | null;
  documents: Record<string, DocumentState>;
  feeds: Feed[];
  channels: Channel[];
  missing: string[];
  alarms: string[];
  watch: { state: "watching" | "silent"; age_s: number; waiting: number; trouble: string } | null;
}

export interface RunningBar {
  contract: string;
  open_s: number;
  open: number;
  high: number;
  low: number;
  close: number;
}

export interface Tape {
  at: string;
  reference: string;
  prices: { contract: string; last: number | null; at: string | null }[];
  bar: RunningBar | null;
  closed: RunningBar[];
  forced: { time_s: number; contract: string; side: "buy" | "sell"; price: number; usd: number | null; sample: boolean }[];
}

export interface Step {
  id: string;
  title: string;
  condition: string;
  state: string;
  because: string[];
  action: string;
  size_coin: Estimate | null;
  price: Estimate | null;
  cost: Estimate | null;
  invalidation: string;
  uncovered: string;
}

export interface Gap {
  move_percent: number;
  price: Estimate;
  equity: Estimate;
  maintenance: Estimate;
  buffer: Estimate;
  survives: boolean | null;
}

export interface Facts {
  unknown: string | null;
  tells: Tell[];
  notes: string[];
}

export interface Catalyst {
  time: string;
  kind: string;
  name: string;
  confidence: string;
}

export interface Plan {
  asset: string;
  as_of: string;
  simulated: boolean;
  position: {
    venue: string;
    symbol: string;
    side: "short" | "long";
    size_coin: number;
    entry_price: number;
    margin_mode: string;
    leverage_x: number | null;
    wallet_usd: number | null;
    id: string;
  };
  answer: string;
  mark: Estimate;
  margin: Facts;
  gap_test: { unknown: string | null; gaps: Gap[]; notes: string[] };
  caps: { effective_leverage_x: Estimate; caps: { id: string; rule: string; max_leverage_x: Estimate; binding: boolean }[] };
  funding: Facts;
  fuel: Facts;
  catalysts: Catalyst[];
  plays: { id: string; title: string; steps: Step[]; notes: string[]; unknown: string | null }[];
}

export interface DrillWay {
  pnl_usd: number;
  fees_usd: number;
  funding_usd: number;
  worst_percent: number | null;
  closed_s: number | null;
  liquidated: boolean;
}

export interface Drill {
  label: string;
  began: string;
  seconds: number;
  position_side: "short" | "long";
  price_first: number;
  price_last: number;
  price_low: number;
  price_high: number;
  forced_buys_usd: number;
  forced_sells_usd: number;
  you: DrillWay;
  held: DrillWay;
  plan: DrillWay;
  best: { pnl_usd: number; at_s: number; price: number };
  share_kept: number | null;
  decisions: { at_s: number; order: string; did: string; plan: string; consequence: string; saved_usd: number | null }[];
}

/** A drill that the server holds, second by second. */
export interface DrillState {
  label: string;
  state: "starting" | "paused" | "running" | "scored";
  trouble: string;
  at_s: number;
  for_s: number;
  speed: number;
  now: {
    mark: number;
    last: number;
    bid: number;
    ask: number;
    move_percent: number;
    forced_buy_usd: number;
    forced_sell_usd: number;
    funding_percent: number | null;
    open_interest_coin: number | null;
    plan: string;
    position: {
      venue: string;
      symbol: string;
      side: "short" | "long";
      size_coin: number;
      entry_price: number;
      margin_usd: number;
      equity_usd: number;
      pnl_usd: number;
      forced_price: number | null;
      distance_percent: number | null;
      liquidated: boolean;
      stops: { price: number; coin: number }[];
      hedge_coin: number;
    };
  } | null;
  marks: [number, number][];
  said: { at_s: number; text: string }[];
  score: Drill | null;
}
