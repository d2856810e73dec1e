// Slow drivers outside the book, the hinge, and the dated events ahead.
import { moment } from "../format";
import type { Brief } from "../model";
import { Figure } from "../parts/figure";
import { Given, Panel } from "../parts/panel";
import { brief, plans } from "../store";

export function FlowsPanel() {
  return (
    <Panel id="flows" title="Flows and catalysts" wide="half">
      <Given doc={brief} what="flows">{(told) => <><Drivers told={told} /><Catalysts told={told} /></>}</Given>
    </Panel>
  );
}

function Drivers({ told }: { told: Brief }) {
  const hinge = told.regimes.find(({ id }) => id === "hinge");
  const rows = hinge ? [...told.flows, { ...hinge, implication: "creations and issuance both hold: covering can become trend" }] : told.flows;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="drivers">
      <table class="tight">
        <thead><tr><th>driver</th><th>says</th><th class="n">figure</th><th>implies</th></tr></thead>
        <tbody>
          {rows.map((row) => {
            const tell = row.tells[0];
            return (
              <tr key={row.id}>
                <th scope="row">{row.title}</th>
                <td class={row.state === "unknown" ? "unknown" : ""}><b>{row.state}</b></td>
                <td class="n">{tell ? <Figure estimate={tell.estimate} label={tell.label} aged /> : null}</td>
                <td class="dim">{row.state === "unknown" ? row.because.join("; ") : row.implication}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Catalysts({ told }: { told: Brief }) {
  const known = plans.value.value?.flatMap(({ catalysts }) => catalysts) ?? [];
  const events = [...new Map(known.map((each) => [each.time + each.name, each])).values()].sort((a, b) => (a.time < b.time ? -1 : 1));
  const now = Date.parse(told.as_of);
  if (events.length === 0) return <p class="dim small">Catalysts: unknown, no calendar of events was given.</p>;
  return (
    <ul class="catalysts">
      {events.map((event) => (
        <li key={event.time + event.name}><b>{moment(event.time, true)}</b> <span>{event.name}</span> <small>{event.kind}, {event.confidence}, in {Math.round((Date.parse(event.time) - now) / 86_400_000)} d</small></li>
      ))}
    </ul>
  );
}
