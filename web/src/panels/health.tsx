// Data health: each venue's channels at a glance, the processes behind, and what is missing.
import { age, contract, venue } from "../format";
import type { Channel } from "../model";
import { Given, Panel } from "../parts/panel";
import { explains } from "../parts/tip";
import { brief, health } from "../store";

const SHAPES = { ok: "●", stale: "△", gap: "◇" } as const;

export function HealthPanel() {
  return (
    <Panel id="health" title="Data health" wide="half">
      <Given doc={brief} what="channels">
        {(told) => (
          <>
            <Channels channels={told.health.channels} />
            {told.health.missing.length > 0 && <ul class="missing" aria-label="missing inputs">{told.health.missing.map((line) => <li key={line}>{line}</li>)}</ul>}
          </>
        )}
      </Given>
      <Processes />
    </Panel>
  );
}

function Channels({ channels }: { channels: Channel[] }) {
  const venues = [...Map.groupBy(channels, (each) => `${each.venue}:${each.symbol}`)];
  const bad = channels.filter(({ state }) => state !== "ok").length;
  return (
    <>
      <p class="dim small">{channels.length - bad} of {channels.length} channels fresh and whole. <span aria-hidden="true">● ok △ stale ◇ gap</span></p>
      <ul class="strip">
        {venues.map(([key, own]) => (
          <li key={key}>
            <span class="who">{contract(key)}</span>
            <span class="cells">
              {own.map((each) => (
                <span key={each.kind} class={`cell ${each.state}`} role="img" aria-label={`${venue(each.venue)} ${each.kind}: ${each.state}, age ${age(each.age_s)}`}
                  {...explains({ label: `${contract(key)} ${each.kind.replaceAll("_", " ")}`, lines: [`${each.state}${each.reason ? `: ${each.reason}` : ""}`, `newest ${age(each.age_s)} before the as-of time; ${each.rows.toLocaleString("en-US")} rows`, `${each.gaps_30d} gaps in 30 days${each.gaps_30d ? `, the longest ${each.longest_gap_h.toFixed(1)} h` : ""}`] })}>
                  {SHAPES[each.state]}
                </span>
              ))}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

function Processes() {
  const { value } = health.value;
  if (!value) return null;
  return (
    <p class="processes">
      {value.processes.map((each) => (
        <span key={each.name} class={each.state === "running" ? "" : "bad"} {...explains({ label: each.name, lines: [`${each.state}${each.reason ? `: ${each.reason}` : ""}`, `started anew ${each.restarts} times`, each.age_s === null ? "has said nothing yet" : `last word ${age(each.age_s)} ago`] })}>
          {each.state === "running" ? "●" : "△"} {each.name} {each.state === "running" ? "" : each.state}
        </span>
      ))}
      {value.alarms.map((alarm) => <b key={alarm} class="bad">{alarm}</b>)}
      <span class="dim">airpocket {value.version}{value.label ? `, ${value.label}` : ""}</span>
    </p>
  );
}
