// What the page knows: every answer with its state, the connection, and the reader's choices. Panels only read it.
import { computed, effect, signal, type Signal } from "@preact/signals";
import * as api from "./api";
import type { HedgeSheet, StressTest } from "./holdings";
import type { Bars, Brief, Drill, DrillState, Funding, FuelView, HeatFrame, Plan, ServerHealth, Tape } from "./model";

/** An answer: on its way, here, or refused. One refused keeps what was there before. */
export interface Doc<T> {
  state: "loading" | "ready" | "error";
  value: T | null;
  reason: string;
  at: number;
}

const doc = <T>(): Signal<Doc<T>> => signal<Doc<T>>({ state: "loading", value: null, reason: "", at: 0 });

export const brief = doc<Brief>();
export const bars = doc<Bars>();
export const funding = doc<Funding>();
export const fuel = doc<FuelView>();
export const heatmap = doc<HeatFrame>();
export const health = doc<ServerHealth>();
export const drill = signal<{ value: Drill | null; reason: string }>({ value: null, reason: "" });
const unasked = <T>(): Signal<Doc<T>> => signal<Doc<T>>({ state: "ready", value: null, reason: "", at: 0 });
export const plans = unasked<Plan[]>();
export const stress = unasked<StressTest[]>();
export const hedges = unasked<HedgeSheet[]>();
/** The drill that the server holds; null until it has told of it. */
export const drillState = signal<DrillState | null>(null);
export const tape = signal<Tape | null>(null);

export type Link = "starting" | "live" | "lost" | "locked";
/** Forced prints of the last hour, as the server holds them, and those heard since. */
export const livePrints = signal<Tape["forced"]>([]);

export const link = signal<{ state: Link; reason: string; retryAt: number }>({ state: "starting", reason: "", retryAt: 0 });
/** Ticks each second, so that ages grow. */
export const clock = signal(Date.now());

export const minutes = doc<Bars>();
/** The closed candles and the one that runs, of the minutes since the last closed one. */
export const current = computed<Bars | null>(() => {
  const held = bars.value.value;
  return held && withRunning(held, minutes.value.value, tape.value);
});

export type Interval = "5m" | "15m" | "1h" | "4h" | "1d";
export const interval = signal<Interval>("1h");
export const layers = signal({ heat: true, levels: true, bubbles: true, fan: true });
export const theme = signal<"dark" | "light">(remembered());
export const helpShown = signal<string | null>(null);

/** Why what is shown is older than it should be; null while all is well. */
export const stale = computed<string | null>(() => {
  if (link.value.state === "lost") return link.value.reason;
  const told = health.value;
  if (told.value?.stale) return told.value.stale;
  if (told.at > 0 && link.value.state === "live" && clock.value - told.at > 6_000) return "the server has said nothing for some seconds";
  return null;
});

/** Seconds to add to the ages told: how long ago the answer came, where the market goes on meanwhile. */
export const since = computed(() => {
  const replayed = health.value.value?.mode !== "live";
  return replayed || brief.value.at === 0 ? 0 : Math.max(0, (clock.value - brief.value.at) / 1000);
});

/** Whether the server holds a drill instead of a market. */
export const drilling = computed(() => health.value.value?.mode === "drill");

export const simulated = computed(() => brief.value.value?.health.simulated ?? health.value.value?.simulated ?? false);

function remembered(): "dark" | "light" {
  const kept = localStorage.getItem("airpocket.theme");
  if (kept === "dark" || kept === "light") return kept;
  return matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
}

effect(() => {
  document.documentElement.dataset.theme = theme.value;
});

export function chooseTheme(): void {
  theme.value = theme.value === "dark" ? "light" : "dark";
  localStorage.setItem("airpocket.theme", theme.value);
}

/** By what an answer goes into: how many were asked for, and which of them is shown. */
const turns = new WeakMap<object, { asked: number; shown: number }>();

function turn(of: object): { asked: number; shown: number } {
  const held = turns.get(of) ?? { asked: 0, shown: 0 };
  turns.set(of, held);
  return held;
}

/** An answer that comes after one that was asked for later is let go. */
async function load<T>(into: Signal<Doc<T>>, ask: () => Promise<T>): Promise<void> {
  const held = turn(into);
  const mine = ++held.asked;
  let told: Doc<T>;
  try {
    told = { state: "ready", value: await ask(), reason: "", at: Date.now() };
  } catch (error) {
    if (error instanceof api.Refused && error.status === 401) lock("the server does not know this tab any more");
    const reason = error instanceof Error ? error.message : String(error);
    // 503: not there yet; it is asked for again when the server tells of it
    const early = error instanceof api.Refused && error.status === 503 && into.peek().value === null;
    told = { ...into.peek(), state: early ? "loading" : "error", reason };
  }
  if (mine < held.shown) return;
  held.shown = mine;
  into.value = told;
}

/** Nothing is shown, and no answer that is on its way will be. */
function empty<T>(into: Signal<Doc<T>>): void {
  const held = turn(into);
  held.shown = ++held.asked;
  into.value = { state: "loading", value: null, reason: "", at: 0 };
}

/** Acts of one kind reach the server in the order in which they were done: each waits for the answer to the one before. */
function inOrder<T, A extends unknown[]>(act: (...given: A) => Promise<T>): (...given: A) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (...given) => {
    const mine = last.then(() => act(...given));
    last = mine.catch(() => undefined);
    return mine;
  };
}

const LOADERS: Record<string, () => Promise<void>> = {
  brief: () => load(brief, () => api.get<Brief>("/brief")),
  fuel: () => load(fuel, () => api.get<FuelView>("/fuel")),
  funding: () => load(funding, () => api.get<Funding>("/funding")),
  bars: () => load(bars, async () => newest(await api.get<Bars>(`/bars?interval=${interval.peek()}`))),
  minutes: () => load(minutes, async () => newest(await api.get<Bars>("/bars?interval=1m&limit=300"))),
  heat: () => load(heatmap, api.heat),
};

const HELD: Record<string, Signal<Doc<unknown>>> = { brief, fuel, funding, bars, heat: heatmap, minutes };

function lock(reason: string): void {
  api.leave();
  link.value = { state: "locked", reason, retryAt: 0 };
}

export async function start(): Promise<void> {
  setInterval(() => {
    clock.value = Date.now();
  }, 1_000);
  try {
    if (!(await api.enter())) return lock("");
  } catch (error) {
    return lock(error instanceof Error ? error.message : String(error));
  }
  const all = [...Object.values(LOADERS).map((ask) => ask()), load(health, () => api.get<ServerHealth>("/health"))];
  await Promise.all([...all, connect(0)]);
}

let sequences: Record<string, number> = {};
let epoch = "";

async function connect(tries: number): Promise<void> {
  if (link.peek().state === "locked") return;
  let worked = false;
  const again = (why: string): void => {
    if (link.peek().state === "locked") return;
    const wait = Math.min(15_000, 500 * 2 ** (worked ? 0 : tries)) * (0.8 + 0.4 * Math.random());
    link.value = { state: "lost", reason: why, retryAt: Date.now() + wait };
    setTimeout(() => void connect(worked ? 1 : tries + 1), wait);
  };
  try {
    await api.listen((said) => {
      worked = true;
      if (link.peek().state !== "live") link.value = { state: "live", reason: "", retryAt: 0 };
      heard(said);
    }, again);
  } catch (error) {
    if (error instanceof api.Refused && error.status === 401) lock("the server was started anew");
    else again(error instanceof Error ? error.message : String(error));
  }
}

function heard(said: api.Envelope | HeatFrame): void {
  if ("cells" in said) return mergeHeat(said);
  const { topic, data } = said;
  if (said.epoch && epoch && said.epoch !== epoch) startOver();
  if (said.epoch) epoch = said.epoch;
  if (topic === "health") {
    const told = data as ServerHealth;
    health.value = { state: "ready", value: told, reason: "", at: Date.now() };
    refresh(told.documents);
  } else if (topic === "tape") hearTape(data as Tape, said.kind === "snapshot");
}

/** What was shown is over: a seek, or a server started anew. */
function startOver(): void {
  sequences = {};
  minutes.value = { ...minutes.peek(), value: null };
  tape.value = null;
  livePrints.value = [];
  for (const ask of Object.values(LOADERS)) void ask();
}

let waiting: Tape | null = null;
let wholly = false; // what waits begins with all that the server holds

/** Deltas are gathered and shown ten times a second. */
function hearTape(said: Tape, whole: boolean): void {
  const before = whole ? null : (waiting ?? tape.peek());
  const prices = new Map((before?.prices ?? []).map((price) => [price.contract, price]));
  for (const price of said.prices) prices.set(price.contract, price);
  const closed = [...(before?.closed ?? []), ...said.closed].slice(-300);
  const fresh = waiting === null;
  wholly = whole || (wholly && !fresh);
  waiting = { ...said, bar: said.bar ?? before?.bar ?? null, prices: [...prices.values()], closed, forced: [...(whole || fresh ? [] : before!.forced), ...said.forced] };
  if (!fresh) return;
  setTimeout(() => {
    const told = waiting!;
    waiting = null;
    tape.value = told;
    if (wholly || told.forced.length > 0) livePrints.value = [...(wholly ? [] : livePrints.peek()), ...told.forced].slice(-500);
  }, 100);
}

/** No more bars than a server of ours tells, whatever it says. */
function newest(told: Bars): Bars {
  const cut = Object.entries(told).map(([key, column]) => [key, Array.isArray(column) ? column.slice(-1500) : column]);
  return Object.fromEntries(cut) as Bars;
}

/** Ask anew for the answers whose edition has changed. */
function refresh(documents: ServerHealth["documents"]): void {
  for (const [name, { sequence, as_of }] of Object.entries(documents ?? {})) {
    const before = sequences[name];
    sequences[name] = sequence;
    if (before === sequence) continue;
    if (name === "bars/1m") void LOADERS.minutes?.();
    const asked = name.startsWith("bars") ? (name === `bars/${interval.peek()}` ? "bars" : "") : name;
    if (!Object.hasOwn(LOADERS, asked)) continue;
    // told of for the first time: it may be the very one that is here
    const here = HELD[asked]?.peek() as Doc<{ as_of?: string }> | undefined;
    if (before === undefined && here?.state === "ready" && here.value?.as_of === as_of) continue;
    void LOADERS[asked]?.();
    if (asked === "brief") void LOADERS.heat?.();
  }
}

/** Columns of the same time are replaced, later ones follow. */
function mergeHeat(frame: HeatFrame): void {
  const before = heatmap.peek().value;
  // a connection begins with the snapshot that was asked for already
  if (frame.kind === "snapshot" && before?.as_of === frame.as_of && before.time_s.length === frame.time_s.length) return;
  if (frame.kind === "snapshot" || before === null) {
    heatmap.value = { state: "ready", value: frame, reason: "", at: Date.now() };
    return;
  }
  const kept = before.time_s.filter((time) => time < frame.time_s[0]!).length;
  heatmap.value = {
    state: "ready",
    reason: "",
    at: Date.now(),
    value: {
      ...frame,
      time_s: [...before.time_s.slice(0, kept), ...frame.time_s],
      close: [...before.close.slice(0, kept), ...frame.close],
      cells: [...before.cells.slice(0, kept), ...frame.cells],
    },
  };
}

export function chooseInterval(chosen: Interval): void {
  interval.value = chosen;
  void LOADERS.bars?.();
}

export const replay = inOrder(async (action: "play" | "pause" | "seek" | "speed", more: { to?: string; speed?: number } = {}): Promise<void> => {
  const now = await api.post<ServerHealth["replay"]>("/replay", { action, ...more });
  const held = health.peek();
  if (held.value) health.value = { ...held, value: { ...held.value, replay: now } };
});

/** What is held, as it was entered last. */
let holdings: object = {};

async function asked<T>(into: Signal<Doc<T>>, ask: () => Promise<T>): Promise<void> {
  into.value = { ...into.peek(), state: "loading", reason: "" };
  await load(into, ask);
}

/** Everything about a position at once: its plan comes first, its hedges take longest. Another position ends it. */
export async function askPlan(body: object): Promise<void> {
  holdings = body;
  for (const each of [plans, stress, hedges]) empty(each as Signal<Doc<unknown>>);
  await asked(plans, async () => (await api.post<{ plans: Plan[] }>("/plan", body)).plans);
  if (holdings !== body || plans.peek().state === "error") return;
  await asked(stress, async () => (await api.post<{ accounts: StressTest[] }>("/stress", body)).accounts);
  if (holdings === body) await askHedges({});
}

export async function askHedges(wanted: { gap_percent?: number; buffer?: number }): Promise<void> {
  await asked(hedges, async () => (await api.post<{ hedges: HedgeSheet[] }>("/hedge", { ...holdings, ...wanted })).hedges);
}

/** A drill that the command scored, from a file of this machine; nothing is sent. */
export async function openDrill(file: File): Promise<void> {
  try {
    const told = JSON.parse(await file.text()) as Partial<Drill> & { schema?: string };
    if (told.schema !== "airpocket.drill/1") throw new Error(`${file.name} is no drill: its schema is ${told.schema ?? "not told"}`);
    drill.value = { value: told as Drill, reason: "" };
  } catch (error) {
    drill.value = { value: null, reason: error instanceof SyntaxError ? `${file.name} is not JSON` : error instanceof Error ? error.message : String(error) };
  }
}

const DRILL_MS = 400;
let watching = false;
let acts = 0;

/** Ask for the drill again and again, from when it is first shown. */
export async function watchDrill(): Promise<void> {
  if (watching) return;
  watching = true;
  while (link.peek().state !== "locked") {
    try {
      // out of sight, or over: nothing changes
      if (!document.hidden && (drillState.peek()?.state !== "scored")) {
        const before = acts;
        const told = await api.get<DrillState>("/drill");
        if (acts === before) drillState.value = told; // else it may be of before what was done meanwhile
      }
    } catch {
      // the banner tells of a lost server
    }
    await new Promise((done) => setTimeout(done, DRILL_MS));
  }
}

export const actInDrill = inOrder(async (body: { order: string } | { action: "play" | "pause" | "again" } | { speed: number }): Promise<void> => {
  acts += 1;
  try {
    drillState.value = await api.post<DrillState>("/drill", body);
  } finally {
    acts += 1;
  }
});

export async function whatIf<T>(body: unknown): Promise<T> {
  return api.post<T>("/whatif", body);
}

function withRunning(held: Bars, fine: Bars | null, heard: Tape | null): Bars {
  const last = held.open_s[held.open_s.length - 1];
  if (last === undefined || held.contract !== (fine?.contract ?? held.contract)) return held;
  const open = last + held.interval_s;
  const found = new Map<number, [number, number, number, number]>();
  fine?.open_s.forEach((second, at) => {
    if (second >= open && second < open + held.interval_s) found.set(second, [fine.open[at]!, fine.high[at]!, fine.low[at]!, fine.close[at]!]);
  });
  for (const bar of [...(heard?.closed ?? []), ...(heard?.bar ? [heard.bar] : [])]) {
    if (bar.contract === held.contract && bar.open_s >= open && bar.open_s < open + held.interval_s) found.set(bar.open_s, [bar.open, bar.high, bar.low, bar.close]);
  }
  const rows = [...found].sort(([a], [b]) => a - b).map(([, row]) => row);
  if (rows.length === 0) return held;
  return {
    ...held,
    running: true,
    open_s: [...held.open_s, open],
    open: [...held.open, rows[0]![0]],
    high: [...held.high, Math.max(...rows.map((row) => row[1]))],
    low: [...held.low, Math.min(...rows.map((row) => row[2]))],
    close: [...held.close, rows[rows.length - 1]![3]],
    volume: [...held.volume, null],
  };
}
