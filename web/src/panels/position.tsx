// A position of one's own: what the plan says, what it survives, what hedges it, and the same with the sliders moved.
import { useSignal } from "@preact/signals";
import type { Plan, Step } from "../model";
import { Figure, State } from "../parts/figure";
import { Panel, Unknown } from "../parts/panel";
import { askPlan, brief, hedges, plans } from "../store";
import { chosenHedge, Hedges } from "./hedges";
import { Payoff } from "./payoff";
import { Survives } from "./survives";

export function PositionPanel() {
  const { state, value, reason } = plans.value;
  return (
    <Panel id="position" title="Your position" wide="full">
      <Entry />
      {state === "error" ? <p class="notice warn"><b>No plan.</b> {reason}</p> : value?.[0] ? <Planned plan={value[0]} /> : state === "loading" ? <div class="skeleton" role="status" aria-label="the plan is loading"><i /><i /><i /></div> : (
        <p class="notice"><b>No position entered.</b> Enter one to see its plan, what it survives and what hedges it. It stays in this tab: the server answers and keeps nothing.</p>
      )}
    </Panel>
  );
}

function Entry() {
  const reference = brief.value.value?.price.reference.split(":") ?? ["binance_usdm", "ETHUSDT"];
  const side = useSignal<"short" | "long">("short");
  const entered = useSignal<string | null>(null); // the price that was typed; null: none yet, one near the market stands there
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
  const suggested = last === null ? "" : String(Math.round(last * 0.96));
  return (
    <form class="entry" onSubmit={submit}>
      <span class="choices" role="group" aria-label="side">
        {(["short", "long"] as const).map((each) => <button type="button" key={each} aria-pressed={side.value === each} onClick={() => (side.value = each)}>{each}</button>)}
      </span>
      <label>size, coin <input name="size" type="number" inputMode="decimal" min="0" step="any" required value="500" /></label>
      <label>entry <input name="entry" type="number" inputMode="decimal" min="0" step="any" required value={entered.value ?? suggested} onInput={(event) => (entered.value = event.currentTarget.value)} /></label>
      <label>leverage <input name="leverage" type="number" inputMode="decimal" min="1" max="125" step="any" required value="8" /></label>
      <label>portfolio, USD <input name="portfolio" type="number" inputMode="decimal" min="0" step="any" value="2000000" /></label>
      <button type="submit" class="do" disabled={brief.value.value === null}>Plan it</button>
      <span class="dim small">isolated on {reference.join(" ")}</span>
    </form>
  );
}

function Planned({ plan }: { plan: Plan }) {
  const sheet = hedges.value.value?.[0];
  const chosen = sheet?.hedges.find(({ id }) => id === chosenHedge.value) ?? null;
  return (
    <>
      <p class="sentence">{plan.answer}</p>
      <div class="plan">
        <Margin plan={plan} />
        <Payoff plan={plan} hedge={chosen} />
        <Steps plan={plan} />
      </div>
      <div class="plan two">
        <Survives />
        <Hedges />
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
