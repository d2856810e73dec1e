// A drill held in the page: a simulated market at one's own pace, a paper position in it, orders by button, key or word.
import { signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { coins, decimal, percent, price, usd } from "../format";
import type { DrillState } from "../model";
import { Panel } from "../parts/panel";
import { actInDrill, drillState, watchDrill } from "../store";
import { clockOf, Scored } from "./drill";

const SPEEDS = [1, 10, 30, 60, 300];
const refused = signal("");

function act(body: Parameters<typeof actInDrill>[0]): void {
  refused.value = "";
  actInDrill(body).catch((error: unknown) => (refused.value = error instanceof Error ? error.message : String(error)));
}

const order = (text: string): void => act({ order: text });
const toggle = (): void => act({ action: drillState.peek()?.state === "running" ? "pause" : "play" });

const KEYS: Record<string, () => void> = { r: () => order("reduce 25%"), e: () => order("reduce 50%"), c: () => order("close"), " ": toggle };

/** Whether a key was one of the drill's. */
export function drillKey(key: string, event: KeyboardEvent): boolean {
  const told = KEYS[key];
  const free = key !== " " || event.target === document.body || (event.target as Element).matches(".panel");
  if (!told || !free || drillState.peek()?.score) return false;
  event.preventDefault();
  told();
  return true;
}

export function DrillingPanel() {
  useEffect(() => void watchDrill(), []);
  const told = drillState.value;
  return (
    <Panel id="drilling" title="Drill" wide="drilling" aside={<><span class="badge simulated">SIMULATED</span><span class="dim">paper only: nothing here reaches a venue</span></>}>
      {refused.value && <p class="notice warn" role="alert">{refused.value}</p>}
      {told?.trouble && <p class="notice warn"><b>The drill could not begin.</b> {told.trouble}</p>}
      {!told || (!told.now && !told.trouble) ? <p class="notice" role="status">The market is being made; on a cold machine that takes a minute or two.</p> : null}
      {told?.score ? <Over told={told} /> : told?.now && <Running told={told} now={told.now} />}
    </Panel>
  );
}

function Over({ told }: { told: DrillState }) {
  return (
    <>
      <Scored told={told.score!} />
      <p><button type="button" class="do" onClick={() => { drillState.value = { ...told, score: null, now: null, state: "starting" }; act({ action: "again" }); }}>Again</button> <span class="dim">the same market from its beginning</span></p>
    </>
  );
}

function Running({ told, now }: { told: DrillState; now: NonNullable<DrillState["now"]> }) {
  const held = now.position;
  const running = told.state === "running";
  return (
    <div class="grid3">
      <div>
        <p class="orders">
          <button type="button" class="do" onClick={toggle}>{running ? "❚❚ pause" : told.at_s <= 1 ? "▶ begin" : "▶ go on"}</button>
          <span class="choices" role="group" aria-label="pace">
            {SPEEDS.map((speed) => <button type="button" key={speed} aria-pressed={told.speed === speed} onClick={() => act({ speed })}>{speed}×</button>)}
          </span>
          <b>{clockOf(told.at_s)}</b> <span class="dim">of {clockOf(told.for_s)}</span>
        </p>
        <Run told={told} now={now} />
        <p class="key"><span><i class="stroke" />mark</span><span><i class="stroke dashed" />entry</span>{held.forced_price !== null && <span><i class="swatch short" />forced exit</span>}</p>
      </div>
      <div>
        <table class="tight">
          <tbody>
            <tr><th scope="row">mark</th><td class="n">{price(now.mark)} <span class="dim">{percent(now.move_percent)}</span></td></tr>
            <tr><th scope="row">bid / ask</th><td class="n">{price(now.bid)} / {price(now.ask)}</td></tr>
            <tr><th scope="row">held</th><td class="n">{held.size_coin > 0 ? `${held.side} ${coins(held.size_coin)} from ${price(held.entry_price)}` : "nothing"}</td></tr>
            <tr class="mine"><th scope="row">result</th><td class={held.pnl_usd < 0 ? "n bad" : "n"}>{usd(held.pnl_usd, true)}</td></tr>
            <tr><th scope="row">equity behind it</th><td class="n">{usd(held.equity_usd)}</td></tr>
            <tr><th scope="row">forced exit</th><td class="n">{held.liquidated ? <b class="bad">forced out</b> : held.forced_price === null ? "none" : `${price(held.forced_price)}, ${decimal(held.distance_percent ?? 0, 1)}\u202f% away`}</td></tr>
            {held.hedge_coin !== 0 && <tr><th scope="row">hedge</th><td class="n">{coins(held.hedge_coin)}</td></tr>}
            {held.stops.map((stop) => <tr key={`${stop.price}${stop.coin}`}><th scope="row">stop</th><td class="n">{coins(stop.coin)} at {price(stop.price)}</td></tr>)}
            <tr><th scope="row">forced, 10 min</th><td class="n">buys {usd(now.forced_buy_usd)}, sells {usd(now.forced_sell_usd)}</td></tr>
            <tr><th scope="row">funding next</th><td class="n">{now.funding_percent === null ? "unknown" : `${decimal(now.funding_percent, 4)}\u202f%`}</td></tr>
            <tr><th scope="row">open interest</th><td class="n">{now.open_interest_coin === null ? "unknown" : coins(now.open_interest_coin)}</td></tr>
          </tbody>
        </table>
      </div>
      <div>
        <p><b>The plan says</b> {now.plan}</p>
        <Orders now={now} />
        <ul class="log" aria-label="what was done">
          {[...told.said].reverse().map((said) => <li key={`${said.at_s}${said.text}`}><b>{clockOf(said.at_s)}</b> {said.text}</li>)}
        </ul>
      </div>
    </div>
  );
}

function Orders({ now }: { now: NonNullable<DrillState["now"]> }) {
  const typed = useSignal("");
  const none = now.position.size_coin <= 0;
  const against = now.position.side === "short" ? "long" : "short";
  return (
    <p class="orders" role="group" aria-label="paper orders">
      <button type="button" disabled={none} onClick={() => order("reduce 25%")}>reduce 25 % <kbd>R</kbd></button>
      <button type="button" disabled={none} onClick={() => order("reduce 50%")}>reduce 50 % <kbd>E</kbd></button>
      <button type="button" disabled={none} onClick={() => order("close")}>close all <kbd>C</kbd></button>
      <button type="button" disabled={none} onClick={() => order(`hedge ${against} 50%`)}>hedge half</button>
      <button type="button" disabled={now.position.hedge_coin === 0} onClick={() => order("unhedge")}>unhedge</button>
      <form onSubmit={(event) => { event.preventDefault(); if (typed.value.trim()) order(typed.value.trim()); typed.value = ""; }}>
        <input class="order" aria-label="an order in words" placeholder="stop 3150 50% · margin 5000" value={typed.value} onInput={(event) => (typed.value = event.currentTarget.value)} />
        <button type="submit">order</button>
      </form>
      <button type="button" onClick={() => order("quit")}>end and score</button>
    </p>
  );
}

const W = 560;
const H = 180;

/** The mark since the beginning; entry and forced exit where they lie near, else at the edge that they lie beyond. */
function Run({ told, now }: { told: DrillState; now: NonNullable<DrillState["now"]> }) {
  const rows: [number, number][] = [...told.marks, [told.at_s, now.mark]];
  const { entry_price, forced_price, size_coin } = now.position;
  const seen = [...rows.map(([, mark]) => mark), now.mark * 1.005, now.mark * 0.995];
  const low = Math.min(...seen);
  const high = Math.max(...seen);
  const x = (at: number): number => 4 + (at / Math.max(told.at_s, 60)) * (W - 74);
  const y = (value: number): number => 10 + ((high - value) / (high - low)) * (H - 20);
  return (
    <svg class="run" viewBox={`0 0 ${W} ${H}`} role="img" aria-label={`Mark from ${price(rows[0]![1])} to ${price(now.mark)}`}>
      {size_coin > 0 && <Level at={y(entry_price)} kind="entry" words={price(entry_price)} near={y(now.mark)} />}
      {size_coin > 0 && forced_price !== null && <Level at={y(forced_price)} kind="gone" words={price(forced_price)} near={y(now.mark)} />}
      <path class="price" d={rows.map(([at, value], each) => `${each === 0 ? "M" : "L"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("")} />
      <text class="now" x={W - 66} y={y(now.mark) + 3.5}>{price(now.mark)}</text>
    </svg>
  );
}

function Level({ at, kind, words, near }: { at: number; kind: string; words: string; near: number }) {
  const beyond = at < 4 || at > H - 4;
  const shown = Math.min(H - 6, Math.max(10, at));
  const free = Math.abs(shown - near) > 12;
  return (
    <g>
      {!beyond && <line class={kind} x1="4" x2={W - 70} y1={at} y2={at} />}
      {(beyond || free) && <text class={kind} x={beyond ? W - 82 : W - 66} y={shown + 3.5}>{beyond ? (at < 4 ? "▲ " : "▼ ") : ""}{words}</text>}
    </g>
  );
}
