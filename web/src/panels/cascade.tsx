// The phase diagram, what standard pushes come to, and a push of one's own.
import { useSignal } from "@preact/signals";
import { decimal, percent, usd } from "../format";
import type { Brief, PushWay } from "../model";
import { Figure } from "../parts/figure";
import { Given, Panel, Unknown } from "../parts/panel";
import { brief, whatIf } from "../store";

export function CascadePanel() {
  return (
    <Panel id="cascade" title="If someone pushes" wide="half">
      <Given doc={brief} what="cascade">
        {(told) =>
          told.cascade.pushes.unknown ? (
            <Unknown what="Cascade" why={told.cascade.pushes.unknown} />
          ) : (
            <div class="split">
              <Phase told={told} />
              <Pushes told={told} />
            </div>
          )
        }
      </Given>
      <Given doc={brief} what="costs">{(told) => (told.cascade.unknown ? null : <Costs told={told} />)}</Given>
      <WhatIf />
    </Panel>
  );
}

/** What it takes to trade beyond each distance: now, and worked over about a day. */
function Costs({ told }: { told: Brief }) {
  const [up, down] = (["up", "down"] as const).map((way) => told.cascade.ways.find(({ direction }) => direction === way));
  if (!up || !down) return null;
  const cost = (way: typeof up, at: number, kind: "ignition_usd" | "patient_usd", word: string) => {
    const row = way.costs.find(({ percent: distance }) => Math.abs(Math.abs(distance) - at) < 1e-9);
    return row ? <Figure estimate={row[kind]} label={`${word}, ${percent((way.direction === "up" ? 1 : -1) * at, 0)}`} term="ignition cost" /> : null;
  };
  const distances = up.costs.map(({ percent: at }) => Math.abs(at));
  return (
    <div class="scroll costs" tabIndex={0} role="region" aria-label="cost of pushing price">
      <table class="tight">
        <thead><tr><th>cost to trade beyond</th>{distances.map((at) => <th class="n" key={at}>{decimal(at, 0)} %</th>)}</tr></thead>
        <tbody>
          <tr class="short"><th scope="row">▲ up, at once</th>{distances.map((at) => <td class="n" key={at}>{cost(up, at, "ignition_usd", "push up at once")}</td>)}</tr>
          <tr class="long"><th scope="row">▼ down, at once</th>{distances.map((at) => <td class="n" key={at}>{cost(down, at, "ignition_usd", "push down at once")}</td>)}</tr>
          <tr><th scope="row">up, over a day</th>{distances.map((at) => <td class="n" key={at}>{cost(up, at, "patient_usd", "push up over a day")}</td>)}</tr>
          <tr><th scope="row">down, over a day</th>{distances.map((at) => <td class="n" key={at}>{cost(down, at, "patient_usd", "push down over a day")}</td>)}</tr>
        </tbody>
      </table>
    </div>
  );
}

const W = 300;
const H = 220;
const LEFT = 34;
const BOTTOM = 190;
const TOP = 12;
const RIGHT = 292;

/** R against κτ: where a burst fades, where it speeds up first, and where nothing turns it. */
function Phase({ told }: { told: Brief }) {
  const { ways } = told.cascade.pushes;
  const spots = ways.map((way) => {
    const kappa = way.kappa_tau;
    const pocket = way.pocket_squeeze;
    return { way, kappa: kappa.value, low: kappa.low, high: kappa.high, burst: pocket.value === null ? null : pocket.value * way.runaway, least: pocket.low === null ? null : pocket.low * way.runaway, most: pocket.high === null ? null : pocket.high * way.runaway };
  });
  const reach = Math.max(4, ...spots.map(({ burst }) => (burst ?? 0) * 1.25));
  const wide = Math.max(1, ...spots.map(({ high }) => high ?? 0));
  const x = (value: number) => LEFT + (Math.min(value, wide) / wide) * (RIGHT - LEFT);
  const y = (value: number) => BOTTOM - (Math.min(value, reach) / reach) * (BOTTOM - TOP);
  const steps = Array.from({ length: 33 }, (_, at) => (wide * at) / 32);
  const curve = (of: (value: number) => number) => steps.map((value, at) => `${at === 0 ? "M" : "L"}${x(value).toFixed(1)} ${y(of(value)).toFixed(1)}`).join("");
  const growth = curve((value) => 1 + value);
  const runaway = curve((value) => (1 + Math.sqrt(value)) ** 2);
  const back = (of: (value: number) => number) => [...steps].reverse().map((value) => `L${x(value).toFixed(1)} ${y(of(value)).toFixed(1)}`).join("");
  const ticks = reach > 8 ? [0, 4, 8, 12].filter((tick) => tick <= reach) : [0, 1, 2, 3, 4].filter((tick) => tick <= reach);
  return (
    <figure class="phase">
      <svg viewBox={`0 0 ${W} ${H}`} role="img" aria-label={`Phase diagram: reproduction R against κτ. ${spots.map(({ way, burst }) => `${way.direction}: R in the pocket ${burst === null ? "unknown" : burst.toFixed(1)}`).join("; ")}`}>
        <path class="calm" d={`${growth}L${RIGHT} ${BOTTOM}L${LEFT} ${BOTTOM}Z`} />
        <path class="grows" d={`${runaway}${back((value) => 1 + value)}Z`} />
        <path class="runs" d={`${runaway}L${RIGHT} ${TOP}L${LEFT} ${TOP}Z`} />
        <path class="edge" d={growth} />
        <path class="edge" d={runaway} />
        <text class="zone" x={LEFT + 8} y={TOP + 12}>nothing turns it</text>
        <text class="zone" x={RIGHT - 4} y={(y(1 + wide) + y((1 + Math.sqrt(wide)) ** 2)) / 2 + 3} text-anchor="end">speeds up first</text>
        <text class="zone" x={RIGHT - 4} y={BOTTOM - 6} text-anchor="end">fades</text>
        {ticks.map((tick) => <g key={tick}><line class="grid" x1={LEFT} x2={RIGHT} y1={y(tick)} y2={y(tick)} /><text x={LEFT - 5} y={y(tick) + 3.5} text-anchor="end">{tick}</text></g>)}
        {[0, wide / 2, wide].map((tick) => <text key={tick} x={x(tick)} y={BOTTOM + 13} text-anchor={tick === 0 ? "start" : tick === wide ? "end" : "middle"}>{decimal(tick, 1)}</text>)}
        <text class="dim" x={(LEFT + RIGHT) / 2} y={H - 4} text-anchor="middle">κτ: recovery × lateness</text>
        <text class="dim" x={4} y={TOP - 2}>R</text>
        {spots.map(({ way, kappa, low, high, burst, least, most }) => {
          if (kappa === null || burst === null) return null;
          const side = way.direction === "up" ? "short" : "long";
          return (
            <g class={`spot ${side}`} key={way.direction}>
              {low !== null && high !== null && <line x1={x(low)} x2={x(high)} y1={y(burst)} y2={y(burst)} />}
              {least !== null && most !== null && <line x1={x(kappa)} x2={x(kappa)} y1={y(least)} y2={y(most)} />}
              <circle cx={x(kappa)} cy={y(burst)} r="4.5" />
              <text x={x(kappa) + 8} y={y(burst) - 6}>{way.direction === "up" ? "▲ pocket above" : "▼ pocket below"}</text>
            </g>
          );
        })}
      </svg>
      <figcaption>Bars: 10–90 % of the priors. Modelled; nobody has fitted them to this market.</figcaption>
    </figure>
  );
}

function Pushes({ told }: { told: Brief }) {
  const shown = useSignal<"up" | "down">(told.cascade.easier === "down" ? "down" : "up");
  const { ways, push_s, within_s, paths } = told.cascade.pushes;
  const way: PushWay | undefined = ways.find(({ direction }) => direction === shown.value);
  if (!way) return null;
  const sign = shown.value === "up" ? 1 : -1;
  const levels = way.pushes[0]?.reach.map(({ percent: at }) => at) ?? [];
  return (
    <div>
      <div class="bar">
        <span class="choices" role="group" aria-label="direction">
          {(["up", "down"] as const).map((each) => <button type="button" key={each} aria-pressed={shown.value === each} onClick={() => (shown.value = each)}>{each === "up" ? "▲ buying" : "▼ selling"}</button>)}
        </span>
        <Figure estimate={way.pocket_squeeze} label={`squeeze number S in the pocket ${shown.value === "up" ? "above" : "below"}`} term="S, squeeze number" range />
      </div>
      <div class="scroll" tabIndex={0} role="region" aria-label="chances by push">
        <table class="tight odds">
          <thead><tr><th>push in {push_s} s</th>{levels.map((at) => <th class="n" key={at}>{percent(sign * at, at < 1 ? 1 : 0)}</th>)}<th class="n">forced, median</th></tr></thead>
          <tbody>
            {way.pushes.map((row) => (
              <tr key={row.share_percent}>
                <th scope="row">{row.push_usd === 0 ? "nobody" : usd(row.push_usd)} <small>{row.push_usd === 0 ? "" : `${decimal(row.share_percent, 1)} % of a day`}</small></th>
                {row.reach.map(({ percent: at, chance }) => <td class={`n chance c${Math.round(chance * 10)}`} key={at}>{chance < 0.005 ? "<1" : Math.round(chance * 100)}</td>)}
                <td class="n">{usd(row.forced_usd.middle)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="dim small">Chance in % that price gets so far within {Math.round(within_s / 60)} min, over {paths.toLocaleString("en-US")} paths. ○ Modelled on priors, no forecast.</p>
    </div>
  );
}

interface Answer {
  way: string;
  pushed: { paths: number; reach: Record<string, { of: number }>; extreme: { low: number; middle: number; high: number }; forced_usd: { low: number; middle: number; high: number } };
}

function WhatIf() {
  const push = useSignal(50);
  const gone = useSignal(0);
  const side = useSignal(1);
  const told = useSignal<{ busy: boolean; answer: Answer | null; asked: string; why: string }>({ busy: false, answer: null, asked: "", why: "" });
  const ask = async (): Promise<void> => {
    const asked = `${usd(push.value * 1e6)} ${side.value > 0 ? "bought" : "sold"}${gone.value > 0 ? `, ${gone.value} % of the book gone` : ""}`;
    told.value = { ...told.value, busy: true, why: "" };
    try {
      const answer = await whatIf<Answer>({ push_usd: side.value * push.value * 1e6, drop_depth_percent: gone.value, paths: 4096 });
      told.value = { busy: false, answer, asked, why: "" };
    } catch (error) {
      told.value = { busy: false, answer: null, asked, why: error instanceof Error ? error.message : String(error) };
    }
  };
  const { busy, answer, asked, why } = told.value;
  return (
    <form class="whatif" onSubmit={(event) => { event.preventDefault(); void ask(); }}>
      <h3>What if</h3>
      <span class="choices" role="group" aria-label="buy or sell">
        {([[1, "buy"], [-1, "sell"]] as const).map(([each, word]) => <button type="button" key={word} aria-pressed={side.value === each} onClick={() => (side.value = each)}>{word}</button>)}
      </span>
      <label>{usd(push.value * 1e6)}<input type="range" aria-label="dollars pushed, million" min="1" max="500" value={push.value} onInput={(event) => (push.value = Number(event.currentTarget.value))} /></label>
      <label>book gone {gone.value} %<input type="range" aria-label="per cent of the book gone" min="0" max="90" step="5" value={gone.value} onInput={(event) => (gone.value = Number(event.currentTarget.value))} /></label>
      <button type="submit" class="do" disabled={busy}>{busy ? "walking paths…" : "Walk it"}</button>
      {why && <p class="notice">{why}</p>}
      {answer && (
        <p class="answer" role="status">
          <b>{asked}:</b> furthest {percent((answer.way === "down" ? -1 : 1) * answer.pushed.extreme.middle, 1)} (8 in 10: {decimal(answer.pushed.extreme.low, 1)} – {decimal(answer.pushed.extreme.high, 1)} %); forces {usd(answer.pushed.forced_usd.middle)} (up to {usd(answer.pushed.forced_usd.high)}).
          {" "}Chance of {Object.entries(answer.pushed.reach).filter(([at]) => Number(at) >= 1).map(([at, { of }]) => `${Number(at)} %: ${Math.round(of * 100)} %`).join(" · ")}
        </p>
      )}
    </form>
  );
}
