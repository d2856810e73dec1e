// The state in five seconds: where the machine stands, the sentence, and the figures that decide.
import { decimal, moment, percent, usd } from "../format";
import type { Brief, Estimate, Reading } from "../model";
import { Figure, tellOf } from "../parts/figure";
import { Given, Panel } from "../parts/panel";
import { explains } from "../parts/tip";
import { brief } from "../store";

const COURSE = ["quiet", "armed", "ignition", "squeeze on", "exhaustion", "retrace"];

export function VerdictPanel() {
  return (
    <Panel id="verdict" title="Verdict" wide="full">
      <Given doc={brief} what="brief">{(told) => <><Machine told={told} /><Tiles told={told} /></>}</Given>
    </Panel>
  );
}

function Machine({ told }: { told: Brief }) {
  const { verdict } = told;
  const now = verdict.state === "consolidation" ? "retrace" : verdict.state;
  const way = verdict.direction === "up" ? "↑ against shorts" : verdict.direction === "down" ? "↓ against longs" : "";
  const sentence = told.answer.replace(/^SIMULATED: /, "");
  return (
    <div class="verdict">
      <div class="state-now">
        <p class={`word ${verdict.state.replaceAll(" ", "-")} ${verdict.direction ?? ""}`}>
          {verdict.state}{verdict.direction && <span class="arrow" aria-label={verdict.direction}>{verdict.direction === "up" ? "▲" : "▼"}</span>}
        </p>
        <p class="dim">{way}{verdict.since ? ` · since ${moment(verdict.since)}` : ""}{verdict.other !== "unknown" && verdict.direction ? ` · other way ${verdict.other}` : ""}</p>
        <ol class="machine" aria-label="states of the verdict">
          {COURSE.map((state) => (
            <li key={state} class={state === now ? "now" : ""} aria-current={state === now ? "step" : undefined}>
              {state === "retrace" && verdict.state === "consolidation" ? "consolidation" : state}
            </li>
          ))}
        </ol>
      </div>
      <div class="why-now">
        <p class="sentence">{sentence}</p>
        <ul class="reasons">{verdict.because.map((line) => <li key={line}>{line}</li>)}</ul>
      </div>
      <div class="next">
        <h3>What would change it</h3>
        <ul>{verdict.would_change.map((line) => <li key={line}>{line}</li>)}</ul>
        {verdict.missing.length > 0 && (
          <p class="dim" {...explains({ label: "What would sharpen the verdict", lines: verdict.missing })}>{verdict.missing.length} inputs missing</p>
        )}
      </div>
    </div>
  );
}

function unknown(unit: string, why: string): Estimate {
  return { unit, value: null, low: null, high: null, as_of: null, age_s: null, provenance: "measured", source: "", unknown: why, at_least: false };
}

function Tiles({ told }: { told: Brief }) {
  const { ahead } = told.verdict;
  const tell = (id: string, unit: string): Estimate => tellOf(ahead, id)?.estimate ?? unknown(unit, told.cascade.unknown ?? "not told");
  const band = (side: "shorts" | "longs") => told.at_risk[side].find(({ within_percent }) => within_percent === 5)?.forced_usd ?? unknown("USD", told.map.unknown ?? "no map");
  return (
    <dl class="tiles">
      <Tile title="Shorts out by +5 %" kind="short" estimate={band("shorts")} term="at risk within 5 %" range />
      <Tile title="Longs out by −5 %" kind="long" estimate={band("longs")} term="at risk within 5 %" range />
      <Push way="up" pocket={tell("pocket_up", "%")} cost={tell("ignition_up", "USD")} minutes={tell("ignition_minutes_up", "min")} />
      <Push way="down" pocket={tell("pocket_down", "%")} cost={tell("ignition_down", "USD")} minutes={tell("ignition_minutes_down", "min")} />
      <Tile title="S, pocket above" estimate={tell("squeeze_up", "ratio")} term="S, squeeze number" range limit={1} />
      <Tile title="S, pocket below" estimate={tell("squeeze_down", "ratio")} term="S, squeeze number" range limit={1} />
      <Tile title={`Easier: ${told.cascade.easier}`} estimate={told.cascade.glide} term="glide" range note="cost up / cost down" />
      <Regime told={told} id="funding" tell="funding_8h" title="Funding" />
      <Regime told={told} id="interest" tell="interest_change_24h" title="Open interest 24 h" signed />
      <Regime told={told} id="spot_led" tell="spot_premium" title="Spot over perp" signed />
    </dl>
  );
}

function Tile(props: { title: string; estimate: Estimate; kind?: string; term?: string; range?: boolean; note?: string; limit?: number }) {
  const { title, estimate, kind = "", term, range, note, limit } = props;
  const hot = limit !== undefined && estimate.value !== null && estimate.value >= limit;
  return (
    <div class={`tile ${kind} ${hot ? "hot" : ""}`}>
      <dt>{title}</dt>
      <dd><Figure estimate={estimate} label={title} {...(term ? { term } : {})} {...(range ? { range } : {})} /></dd>
      {limit !== undefined && estimate.value !== null && <dd class="note">{hot ? "a burst feeds itself" : "a burst dies out"}</dd>}
      {note && <dd class="note">{note}</dd>}
      {estimate.value === null && <dd class="note why">{estimate.unknown}</dd>}
    </div>
  );
}

/** How far the nearest pocket is, what opens it, and how long usual takers need for that. */
function Push({ way, pocket, cost, minutes }: { way: "up" | "down"; pocket: Estimate; cost: Estimate; minutes: Estimate }) {
  const title = way === "up" ? "Push that opens the pocket above" : "Push that opens the pocket below";
  return (
    <div class={`tile ${way === "up" ? "short" : "long"}`}>
      <dt>{way === "up" ? "Ignition up" : "Ignition down"}</dt>
      <dd><Figure estimate={cost} label={title} term="ignition cost" {...(cost.value === null ? {} : { text: usd(cost.value) })} /></dd>
      <dd class="note">
        {pocket.value === null ? (pocket.unknown ?? "") : `from ${percent(pocket.value, 2)}`}
        {minutes.value !== null && ` · ${minutes.value < 1 ? `${Math.round(minutes.value * 60)} s` : `${minutes.value.toFixed(1)} min`} of ${way === "up" ? "buying" : "selling"}`}
      </dd>
    </div>
  );
}

function Regime({ told, id, tell, title, signed = false }: { told: Brief; id: string; tell: string; title: string; signed?: boolean }) {
  const reading: Reading | undefined = told.regimes.find((each) => each.id === id);
  const estimate = (reading && tellOf(reading.tells, tell)?.estimate) ?? unknown("%", "not told");
  const per = estimate.unit.startsWith("% ") ? estimate.unit.slice(2) : "";
  const plain = per && estimate.value !== null ? { text: `${decimal(estimate.value, 4)}\u202f%` } : {};
  const text = signed && estimate.value !== null && estimate.value > 0 && estimate.unit === "%" ? { text: percent(estimate.value) } : {};
  return (
    <div class="tile">
      <dt>{title}</dt>
      <dd><Figure estimate={estimate} label={title} {...plain} {...text} {...(reading ? { lines: reading.because } : {})} /></dd>
      <dd class="note">{estimate.value === null ? estimate.unknown : `${per ? `${per} · ` : ""}${reading?.state ?? ""}`}</dd>
    </div>
  );
}
