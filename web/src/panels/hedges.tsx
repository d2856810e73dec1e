// The hedges that the server finds for the position: what each costs, how far it holds; one is drawn into the payoff.
import { signal, useSignal } from "@preact/signals";
import { decimal, percent, usd } from "../format";
import type { Hedge, HedgeSheet } from "../holdings";
import { Figure } from "../parts/figure";
import { Given } from "../parts/panel";
import { Slider } from "../parts/slider";
import { askHedges, hedges, plans } from "../store";

/** Which hedge the payoff shows. */
export const chosenHedge = signal("");

export function Hedges() {
  return (
    <div class="hedges">
      <h3>Hedges <small class="dim">at executable prices, held on other venues</small></h3>
      <Given doc={hedges} what="hedges">{(sheets) => (sheets[0] ? <Sheet sheet={sheets[0]} /> : <p class="notice">No position that can be hedged.</p>)}</Given>
    </div>
  );
}

function Sheet({ sheet }: { sheet: HedgeSheet }) {
  const gap = useSignal(sheet.gap_percent);
  const buffer = useSignal(sheet.buffer);
  const busy = hedges.value.state === "loading";
  const again = (): void => void askHedges({ gap_percent: gap.value, buffer: buffer.value });
  const against = plans.value.value?.[0]?.position.side === "long" ? -1 : 1;
  return (
    <>
      <p>{sheet.answer}</p>
      <div class="sliders">
        <Slider label="hold up to" text={percent(against * gap.value, 0)} min={5} max={50} step={1} value={gap.value} set={(value) => (gap.value = value)} settle={again} />
        <Slider label="keep" text={`${decimal(buffer.value, 1)} × maintenance`} min={1} max={5} step={0.5} value={buffer.value} set={(value) => (buffer.value = value)} settle={again} />
        <span class="dim small" role="status">{busy ? "the server looks again…" : `without any: up to ${sheet.plain_protected.value === null ? "unknown" : percent(against * sheet.plain_protected.value)}`}</span>
      </div>
      <div class="wide">
        <table class="tight cards">
          <thead><tr><th>hedge</th><th class="n">cost</th><th class="n">holds to</th><th class="n">1 % more</th><th><span class="hide">drawn</span></th></tr></thead>
          <tbody>{sheet.hedges.map((hedge) => <Row key={hedge.id} hedge={hedge} against={against} />)}</tbody>
        </table>
      </div>
      {sheet.no_chain && <p class="why">Options: {sheet.no_chain}</p>}
      <details><summary>How far to trust them</summary><ul>{sheet.notes.map((note) => <li key={note}>{note}</li>)}</ul></details>
    </>
  );
}

function Row({ hedge, against }: { hedge: Hedge; against: 1 | -1 }) {
  const { id, title, unknown, legs, cost } = hedge;
  if (unknown || !cost || !hedge.protected) {
    return <tr><th scope="row">{title}</th><td colSpan={4} class="why">{unknown ?? "not told"}</td></tr>;
  }
  const on = chosenHedge.value === id;
  const holds = hedge.protected;
  return (
    <tr class={on ? "mine" : ""}>
      <th scope="row">{title}<small>{legs.map((leg) => `${leg.side} ${leg.size.value === null ? "?" : decimal(leg.size.value, leg.size.value >= 100 ? 0 : 1)} ${leg.name}`).join(", ")}</small></th>
      <td class="n"><Figure estimate={cost} label={`cost of ${title.toLowerCase()}`} {...(cost.value === null ? {} : { text: usd(cost.value) })} /></td>
      <td class="n"><Figure estimate={holds} label={`${title}: keeps the multiple up to`} {...(holds.value === null ? {} : { text: holds.at_least ? "any move" : percent(against * holds.value) })} /></td>
      <td class="n">{hedge.next_percent ? <Figure estimate={hedge.next_percent} label="USD for one more per cent of gap" /> : "not told"}</td>
      <td class="n"><button type="button" aria-pressed={on} aria-label={`draw ${title.toLowerCase()}`} onClick={() => (chosenHedge.value = on ? "" : id)}>{on ? "drawn" : "draw"}</button></td>
    </tr>
  );
}
