// The roadmap: zones from the highest down with the price between them, and the rules that confirm or break them.
import { decimal, percent, price, usd } from "../format";
import type { Brief } from "../model";
import { Figure, State } from "../parts/figure";
import { Given, Panel } from "../parts/panel";
import { explains } from "../parts/tip";
import { brief } from "../store";

export function LevelsPanel() {
  return (
    <Panel id="levels" title="Levels and clusters" wide="half">
      <Given doc={brief} what="levels">{(told) => <><Ladder told={told} /><Rules told={told} /></>}</Given>
    </Panel>
  );
}

/** Zones and clusters are wide: no decimals where the price is large. */
const round = (value: number): string => (value >= 1000 ? decimal(value, 0) : price(value));

function Ladder({ told }: { told: Brief }) {
  const zones = told.roadmap.zones.map((zone) => ({ kind: "zone" as const, at: (zone.low + zone.high) / 2, zone }));
  const clusters = told.map.clusters.map((cluster) => ({ kind: "cluster" as const, at: cluster.peak, cluster }));
  const now = told.price.last.value;
  const rows = [...zones, ...clusters].filter(({ at }) => now === null || Math.abs(at / now - 1) < 0.26).sort((a, b) => b.at - a.at);
  const below = rows.findIndex(({ at }) => now !== null && at < now);
  const here = now !== null && <tr key="now" class="now"><th scope="row">{price(now)}</th><td class="n">now</td><td colSpan={3} /></tr>;
  return (
    <div class="scroll tall" tabIndex={0} role="region" aria-label="zones and clusters">
      <table class="tight ladder">
        <thead><tr><th>price</th><th class="n">away</th><th>what</th><th class="n">forced there</th><th class="n">strength</th></tr></thead>
        <tbody>
          {rows.map((row, at) => (
            <>
              {at === below && here}
              {row.kind === "zone" ? (
                <tr key={`z${row.zone.role}`}>
                  <th scope="row">{round(row.zone.low)} – {round(row.zone.high)}</th>
                  <td class="n">{percent(row.zone.distance_percent)}</td>
                  <td><span class={`side ${row.zone.bias === "resistance" ? "short" : "long"}`} {...explains({ label: row.zone.role.replaceAll("_", " "), lines: [...row.zone.confluence.map(({ label }) => label), `Record: ${row.zone.record}`], term: "zone" })}>{row.zone.role.replaceAll("_", " ")}</span> <small>{row.zone.confluence[0]?.label.split(";")[0]}{row.zone.confluence.length > 1 ? ` +${row.zone.confluence.length - 1}` : ""}</small></td>
                  <td class="n" />
                  <td class="n">{row.zone.strength === 0 ? "0" : `${row.zone.strength > 0 ? "+" : ""}${decimal(row.zone.strength, 2)}`}</td>
                </tr>
              ) : (
                <tr key={`c${row.cluster.peak}`} class="cluster">
                  <th scope="row">{round(row.cluster.peak)}</th>
                  <td class="n">{percent(row.cluster.distance_percent)}</td>
                  <td><span class={`side ${row.cluster.side}`}>{row.cluster.side} cluster</span> <small>{decimal(row.cluster.share_percent, 0)} % of all {row.cluster.side}s mapped</small></td>
                  <td class="n"><Figure estimate={row.cluster.forced_usd} label={`${row.cluster.side} cluster at ${price(row.cluster.peak)}`} term="cluster" text={usd(row.cluster.forced_usd.value ?? 0)} /></td>
                  <td class="n" />
                </tr>
              )}
            </>
          ))}
          {below === -1 && here}
        </tbody>
      </table>
    </div>
  );
}

function Rules({ told }: { told: Brief }) {
  const rank: Record<string, number> = { met: 0, "not met": 1 };
  const rules = [...told.roadmap.rules].sort((a, b) => (rank[a.status] ?? 2) - (rank[b.status] ?? 2));
  return (
    <details class="rules">
      <summary>{rules.filter(({ status }) => status === "met").length} of {rules.length} confirmation rules met</summary>
      <ul>
        {rules.map((rule) => (
          <li key={rule.id}><State state={rule.status} /> <span>{rule.text}</span><small>{rule.because.join("; ")} → {rule.implication}</small></li>
        ))}
      </ul>
    </details>
  );
}
