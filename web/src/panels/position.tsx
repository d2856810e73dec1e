// A position of one's own: what the plan says, what it survives, and the same with the sliders moved.
import { useComputed, useSignal } from "@preact/signals";
import { coins, decimal, percent, price, usd } from "../format";
import type { Plan, Step } from "../model";
import { Figure, State } from "../parts/figure";
import { Panel, Unknown } from "../parts/panel";
import { askPlan, brief, plans } from "../store";
import { type Change, equityAt, forcedExit, type Held, heldOf, maintenanceAt, payoffAt } from "./account";

export function PositionPanel() {
  const { state, value, reason } = plans.value;
  return (
    <Panel id="position" title="Your position" wide="full">
      <Entry />
      {state === "error" && <p class="notice warn"><b>No plan.</b> {reason}</p>}
      {value ? <Plans plans={value} /> : state === "loading" ? <div class="skeleton" role="status" aria-label="the plan is loading"><i /><i /><i /></div> : (
        <p class="notice"><b>No position entered.</b> Enter one to see its plan, stress and payoff. It stays in this tab: the server answers and keeps nothing.</p>
      )}
    </Panel>
  );
}

function Entry() {
  const reference = brief.value.value?.price.reference.split(":") ?? ["binance_usdm", "ETHUSDT"];
  const side = useSignal<"short" | "long">("short");
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const now = brief.peek().value?.as_of ?? new Date().toISOString();
    const leverage = Number(form.get("leverage"));
    void askPlan({
      portfolio_usd: Number(form.get("portfolio")) || null,
      positions: [
        {
          venue: reference[0], symbol: reference[1], side: side.value, size_coin: Number(form.get("size")), entry_price: Number(form.get("entry")),
          opened_at: new Date(Date.parse(now) - 86_400_000).toISOString(), margin_mode: "isolated", leverage_x: leverage,
        },
      ],
    });
  };
  const last = brief.value.value?.price.last.value ?? null;
  return (
    <form class="entry" onSubmit={submit}>
      <span class="choices" role="group" aria-label="side">
        {(["short", "long"] as const).map((each) => <button type="button" key={each} aria-pressed={side.value === each} onClick={() => (side.value = each)}>{each}</button>)}
      </span>
      <label>size, coin <input name="size" type="number" inputMode="decimal" min="0" step="any" required value="500" /></label>
      <label>entry <input name="entry" type="number" inputMode="decimal" min="0" step="any" required key={last} value={last === null ? "" : String(Math.round(last * 0.96))} /></label>
      <label>leverage <input name="leverage" type="number" inputMode="decimal" min="1" max="125" step="any" required value="8" /></label>
      <label>portfolio, USD <input name="portfolio" type="number" inputMode="decimal" min="0" step="any" value="2000000" /></label>
      <button type="submit" class="do">Plan it</button>
      <span class="dim small">isolated on {reference.join(" ")}</span>
    </form>
  );
}

function Plans({ plans: told }: { plans: Plan[] }) {
  const at = useSignal(0);
  const plan = told[Math.min(at.value, told.length - 1)];
  if (!plan) return <p class="notice"><b>No position in the answer.</b></p>;
  return (
    <>
      {told.length > 1 && (
        <span class="choices" role="group" aria-label="position shown">
          {told.map((each, number) => <button type="button" key={number} aria-pressed={at.value === number} onClick={() => (at.value = number)}>{each.position.id || `${each.position.side} ${coins(each.position.size_coin)}`}</button>)}
        </span>
      )}
      <p class="sentence">{plan.answer}</p>
      <div class="plan" key={at.value}>
        <Margin plan={plan} />
        <Stress plan={plan} />
        <Steps plan={plan} />
      </div>
    </>
  );
}

function Margin({ plan }: { plan: Plan }) {
  if (plan.margin.unknown) return <Unknown what="Margin" why={plan.margin.unknown} />;
  const binding = plan.caps.caps.find((cap) => cap.binding);
  return (
    <div>
      <h3>Margin</h3>
      <table class="tight">
        <tbody>
          {[...plan.margin.tells, ...plan.fuel.tells, ...plan.funding.tells].map((tell) => (
            <tr key={tell.id}><th scope="row">{tell.label}</th><td class="n"><Figure estimate={tell.estimate} label={tell.label} /></td></tr>
          ))}
          <tr><th scope="row">leverage in use</th><td class="n"><Figure estimate={plan.caps.effective_leverage_x} label="leverage in use" /></td></tr>
          {binding && <tr><th scope="row">most leverage: {binding.rule}</th><td class="n"><Figure estimate={binding.max_leverage_x} label={binding.rule} /></td></tr>}
        </tbody>
      </table>
    </div>
  );
}

const NOTHING: Change = { closed: 0, addedUsd: 0, strikePercent: 5, premiumPercent: 2, covered: 0 };

function Stress({ plan }: { plan: Plan }) {
  const held = heldOf(plan);
  const change = useSignal<Change>(NOTHING);
  const exit = useComputed(() => (held ? forcedExit(held, change.value) : null));
  if (!held) return <Unknown what="Stress" why={plan.gap_test.unknown ?? "the gap test tells too little"} />;
  const set = (more: Partial<Change>): void => void (change.value = { ...change.value, ...more });
  const now = change.value;
  const before = forcedExit(held, NOTHING);
  const most = Math.ceil(Math.abs(held.equity) / 1000) * 2000;
  return (
    <div>
      <h3>Stress and payoff <small class="dim">○ arithmetic of this position; tiers as in its gap test</small></h3>
      <Payoff held={held} change={now} exit={exit.value} />
      <p class="key"><span><i class="stroke" />from the mark</span>{now.covered > 0 && <span><i class="stroke hedge" />with the {held.sign < 0 ? "call" : "put"}, at its expiry</span>}<span><i class="swatch short" />forced out</span></p>
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
      <div class="sliders">
        <Slider label="close" text={`${Math.round(now.closed * 100)} %`} max={100} step={5} value={now.closed * 100} set={(value) => set({ closed: value / 100 })} />
        <Slider label="add margin" text={usd(now.addedUsd)} max={most} step={most / 40} value={now.addedUsd} set={(value) => set({ addedUsd: value })} />
        <Slider label={`${held.sign < 0 ? "call" : "put"} covers`} text={`${Math.round(now.covered * 100)} %`} max={100} step={10} value={now.covered * 100} set={(value) => set({ covered: value / 100 })} />
        <Slider label="strike away" text={`${now.strikePercent} %`} max={20} step={0.5} value={now.strikePercent} set={(value) => set({ strikePercent: value })} />
        <Slider label="premium paid" text={`${decimal(now.premiumPercent, 1)} %`} max={10} step={0.1} value={now.premiumPercent} set={(value) => set({ premiumPercent: value })} />
        <button type="button" onClick={() => (change.value = NOTHING)}>reset</button>
      </div>
      <p role="status" class="exit">
        Forced exit {exit.value === null ? <b>none on the losing side</b> : <b>{price(exit.value)} ({percent((exit.value / held.mark - 1) * 100)})</b>}
        {before !== null && exit.value !== before && <span class="dim"> · as it is {price(before)}</span>}
      </p>
    </div>
  );
}

function Slider(props: { label: string; text: string; max: number; step: number; value: number; set: (value: number) => void }) {
  return (
    <label><span>{props.label} <b>{props.text}</b></span>
      <input type="range" min="0" max={props.max} step={props.step} value={props.value} onInput={(event) => props.set(Number(event.currentTarget.value))} />
    </label>
  );
}

const W = 420;
const H = 170;

function Payoff({ held, change, exit }: { held: Held; change: Change; exit: number | null }) {
  const moves = Array.from({ length: 81 }, (_, at) => -20 + at / 2);
  const at = (move: number) => held.mark * (1 + move / 100);
  const bare = moves.map((move) => payoffAt(held, change, at(move), false));
  const hedged = moves.map((move) => payoffAt(held, change, at(move), true));
  const most = Math.max(1, ...bare.map(Math.abs), ...hedged.map(Math.abs));
  const x = (move: number) => 50 + ((move + 20) / 40) * (W - 58);
  const y = (value: number) => 80 - (value / most) * 70;
  const path = (values: number[]) => values.map((value, each) => `${each === 0 ? "M" : "L"}${x(moves[each]!).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  const gone = exit === null ? null : (exit / held.mark - 1) * 100;
  return (
    <svg class="payoff" viewBox={`0 0 ${W} ${H}`} role="img" aria-label={`Profit and loss from ${percent(-20, 0)} to ${percent(20, 0)}${gone === null ? "" : `; forced exit at ${percent(gone)}`}`}>
      {gone !== null && Math.abs(gone) <= 20 && (
        <g><rect class="dead" x={Math.min(x(gone), held.sign < 0 ? x(20) : x(-20))} y="6" width={Math.abs((held.sign < 0 ? x(20) : x(-20)) - x(gone))} height="148" /><line class="exit" x1={x(gone)} x2={x(gone)} y1="6" y2="154" /></g>
      )}
      {[most, 0, -most].map((value) => <g key={value}><line class="grid" x1="50" x2={W - 8} y1={y(value)} y2={y(value)} /><text x="46" y={y(value) + 3.5} text-anchor="end">{usd(value)}</text></g>)}
      {[-20, -10, 0, 10, 20].map((move) => <text key={move} x={x(move)} y={H - 4} text-anchor={move === -20 ? "start" : move === 20 ? "end" : "middle"}>{move === 0 ? price(held.mark) : percent(move, 0)}</text>)}
      <line class="now" x1={x(0)} x2={x(0)} y1="6" y2="154" />
      <path class="bare" d={path(bare)} />
      {change.covered > 0 && <path class="hedged" d={path(hedged)} />}
    </svg>
  );
}

function Steps({ plan }: { plan: Plan }) {
  return (
    <div class="steps">
      <h3>Plan</h3>
      {plan.plays.map((play) => (
        <details key={play.id} open={play.steps.some(({ state }) => state === "firing" || state === "armed") || play === plan.plays[0]}>
          <summary>{play.title} <small class="dim">{play.unknown ?? `${play.steps.length} steps`}</small></summary>
          {play.unknown && <p class="why">{play.unknown}</p>}
          <ol>{play.steps.map((step) => <One key={step.id} step={step} />)}</ol>
        </details>
      ))}
    </div>
  );
}

function One({ step }: { step: Step }) {
  return (
    <li>
      <State state={step.state} /> <b>{step.title}</b>
      <p>When {step.condition}: {step.action}.{step.cost && step.cost.value !== null ? <> Costs <Figure estimate={step.cost} label="cost of the step" />.</> : null}</p>
      <small>{[...step.because, step.invalidation && `Undone by ${step.invalidation}`, step.uncovered].filter(Boolean).join(" · ")}</small>
    </li>
  );
}
