// A figure as it stands everywhere: value, interval, a mark for its origin, its age; the whole story on hover or focus.
import { age, figure, interval } from "../format";
import type { Estimate, Tell } from "../model";
import { since } from "../store";
import { explains } from "./tip";

/** Shapes, so that no colour has to be told apart. */
const MARKS = { measured: "●", mixed: "◐", modelled: "○" } as const;

export function Mark({ estimate }: { estimate: Estimate }) {
  if (estimate.value === null) return null;
  return <span class={`mark ${estimate.provenance}`} aria-hidden="true">{MARKS[estimate.provenance]}</span>;
}

export function Age({ estimate }: { estimate: Estimate }) {
  if (estimate.value === null || estimate.age_s === null) return null;
  const seconds = estimate.age_s + since.value;
  return <span class={seconds > 86_400 ? "age old" : "age"}>{age(seconds)}</span>;
}

export function Figure(props: { estimate: Estimate; label: string; range?: boolean; aged?: boolean; term?: string; text?: string; lines?: string[] }) {
  const { estimate, label, range = false, aged = false, term, text, lines } = props;
  const known = estimate.value !== null;
  const between = known && range ? interval(estimate) : "";
  const shown = known ? (text ?? figure(estimate)) : "unknown";
  const said = known ? `${label}: ${shown}, ${estimate.provenance}` : `${label}: unknown: ${estimate.unknown}`;
  return (
    <span class={known ? "fig" : "fig unknown"} role="note" aria-label={said} {...explains({ label, estimate, ...(term ? { term } : {}), ...(lines ? { lines } : {}) })}>
      <span class="val">{shown}</span>
      <Mark estimate={estimate} />
      {aged && <Age estimate={estimate} />}
      {between && <span class="range">{between}</span>}
    </span>
  );
}

/** The unknown figure with its reason written out. */
export function Reason({ why }: { why: string }) {
  return <p class="why">{why}</p>;
}

export const tellOf = (tells: Tell[], id: string): Tell | undefined => tells.find((tell) => tell.id === id || tell.id.startsWith(`${id}:`));

export function Met({ met }: { met: boolean | null }) {
  const [mark, word] = met === null ? ["?", "unknown"] : met ? ["✓", "met"] : ["–", "not met"];
  return <span class={`met ${word.replace(" ", "-")}`} title={word} aria-label={word} role="img">{mark}</span>;
}

const STATES: Record<string, string> = { firing: "▲", armed: "◆", quiet: "○", unknown: "?", waiting: "…", met: "✓", "not met": "–" };

export function State({ state }: { state: string }) {
  return <span class={`state ${state.replaceAll(" ", "-")}`}><i aria-hidden="true">{STATES[state] ?? "•"}</i>{state}</span>;
}
