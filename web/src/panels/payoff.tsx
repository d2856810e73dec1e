// What the position makes or loses by price, with sliders to change it and the chosen hedge drawn in.
import { useSignal } from "@preact/signals";
import { decimal, percent, price, usd } from "../format";
import { added, type Hedge } from "../holdings";
import type { Plan } from "../model";
import { Unknown } from "../parts/panel";
import { Slider } from "../parts/slider";
import { type Change, equityAt, forcedExit, type Held, heldOf, maintenanceAt, payoffAt } from "./account";

const NOTHING: Change = { closed: 0, addedUsd: 0 };

export function Payoff({ plan, hedge }: { plan: Plan; hedge: Hedge | null }) {
  const held = heldOf(plan);
  const change = useSignal<Change>(NOTHING);
  if (!held) return <Unknown what="Payoff" why={plan.gap_test.unknown ?? "the gap test tells too little"} />;
  const set = (more: Partial<Change>): void => void (change.value = { ...change.value, ...more });
  const now = change.value;
  const exit = forcedExit(held, now);
  const before = forcedExit(held, NOTHING);
  const most = Math.ceil(Math.abs(held.equity) / 1000) * 2000;
  return (
    <div>
      <h3>Payoff and what-if <small class="dim">○ arithmetic of this position; tiers as in its gap test</small></h3>
      <Picture held={held} change={now} exit={exit} hedge={hedge} />
      <p class="key">
        <span><i class="stroke" />from the mark</span>
        {hedge && <><span><i class="stroke hedge" />with {hedge.title.toLowerCase()}, sold at once</span><span><i class="stroke later" />at the end of its rows</span></>}
        <span><i class="swatch short" />forced out</span>
      </p>
      <div class="sliders">
        <Slider label="close" text={`${Math.round(now.closed * 100)} %`} max={100} step={5} value={now.closed * 100} set={(value) => set({ closed: value / 100 })} />
        <Slider label="add margin" text={usd(now.addedUsd)} max={most} step={most / 40} value={now.addedUsd} set={(value) => set({ addedUsd: value })} />
        <button type="button" onClick={() => (change.value = NOTHING)}>reset</button>
      </div>
      <p role="status" class="exit">
        Forced exit {exit === null ? <b>none on the losing side</b> : <b>{price(exit)} ({percent((exit / held.mark - 1) * 100)})</b>}
        {before !== null && exit !== before && <span class="dim"> · as it is {price(before)}</span>}
        {hedge && <span class="dim"> · a hedge held elsewhere does not move it</span>}
      </p>
      <table class="tight">
        <thead><tr><th>move</th><th class="n">equity</th><th class="n">maintenance</th><th class="n">buffer</th><th>then</th></tr></thead>
        <tbody>
          {plan.gap_test.gaps.map((gap) => {
            const at = held.mark * (1 + gap.move_percent / 100);
            const equity = equityAt(held, now, at);
            const need = maintenanceAt(held, now, at);
            return (
              <tr key={gap.move_percent}>
                <th scope="row">{percent(gap.move_percent, 0)}</th><td class="n">{usd(equity)}</td><td class="n">{usd(need)}</td>
                <td class="n">{need > 0 ? `${decimal(equity / need, 1)}×` : "no need"}</td>
                <td>{equity > need ? "survives" : <b class="bad">forced out</b>}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

const W = 420;
const H = 190;
const FLOOR = 172;
const MIDDLE = 90;

function Picture({ held, change, exit, hedge }: { held: Held; change: Change; exit: number | null; hedge: Hedge | null }) {
  const moves = Array.from({ length: 81 }, (_, at) => -20 + at / 2);
  const at = (move: number) => held.mark * (1 + move / 100);
  const bare = moves.map((move) => payoffAt(held, change, at(move)));
  const ways = hedge && hedge.curve.length > 1 ? [false, true].map((later) => moves.map((move, each) => sum(bare[each]!, added(hedge, move, later)))) : [];
  const known = [...bare, ...ways.flat()].filter((value): value is number => value !== null);
  const most = Math.max(1, ...known.map(Math.abs));
  const x = (move: number) => 50 + ((move + 20) / 40) * (W - 58);
  const y = (value: number) => MIDDLE - (value / most) * (MIDDLE - 10);
  const path = (values: (number | null)[]) => values.map((value, each) => (value === null ? "" : `${each === 0 || values[each - 1] === null ? "M" : "L"}${x(moves[each]!).toFixed(1)} ${y(value).toFixed(1)}`)).join("");
  const gone = exit === null ? null : (exit / held.mark - 1) * 100;
  return (
    <svg class="payoff" viewBox={`0 0 ${W} ${H}`} role="img" aria-label={`Profit and loss from ${percent(-20, 0)} to ${percent(20, 0)}${gone === null ? "" : `; forced exit at ${percent(gone)}`}`}>
      {gone !== null && Math.abs(gone) <= 20 && (
        <g><rect class="dead" x={Math.min(x(gone), held.sign < 0 ? x(20) : x(-20))} y="6" width={Math.abs((held.sign < 0 ? x(20) : x(-20)) - x(gone))} height={FLOOR - 6} /><line class="exit" x1={x(gone)} x2={x(gone)} y1="6" y2={FLOOR} /></g>
      )}
      {[most, 0, -most].map((value) => <g key={value}><line class="grid" x1="50" x2={W - 8} y1={y(value)} y2={y(value)} /><text x="46" y={y(value) + 3.5} text-anchor="end">{usd(value)}</text></g>)}
      {[-20, -10, 0, 10, 20].map((move) => <text key={move} x={x(move)} y={H - 4} text-anchor={move === -20 ? "start" : move === 20 ? "end" : "middle"}>{move === 0 ? price(held.mark) : percent(move, 0)}</text>)}
      <line class="now" x1={x(0)} x2={x(0)} y1="6" y2={FLOOR} />
      <path class="bare" d={path(bare)} />
      {ways.map((values, each) => <path key={each} class={each === 0 ? "hedged" : "hedged later"} d={path(values)} />)}
    </svg>
  );
}

const sum = (own: number, more: number | null): number | null => (more === null ? null : own + more);
