// The trigger table: four ways a squeeze begins, each with its state, its tells and its record.
import { useSignal } from "@preact/signals";
import type { Graded } from "../model";
import { Figure, Met, State } from "../parts/figure";
import { Given, Panel } from "../parts/panel";
import { brief } from "../store";

export function TriggerPanel() {
  return (
    <Panel id="triggers" title="Triggers" wide="beside">
      <Given doc={brief} what="triggers">{(told) => <Rows rows={[...told.triggers, ...told.clusters]} parted={told.triggers.length} />}</Given>
    </Panel>
  );
}

export function Rows({ rows, parted = 0 }: { rows: Graded[]; parted?: number }) {
  return (
    <ul class="graded">
      {rows.map((row, at) => (
        <>
          {parted > 0 && at === parted && <li class="part" key="part">Trigger → cluster → effect</li>}
          <Row key={row.id} row={row} />
        </>
      ))}
    </ul>
  );
}

const order = (row: Graded) => row.tells.filter(({ condition }) => condition !== "");

function Row({ row }: { row: Graded }) {
  const open = useSignal(false);
  const tells = order(row);
  const met = tells.filter((tell) => tell.met === true).length;
  return (
    <li class={open.value ? "open" : ""}>
      <button type="button" class="row" aria-expanded={open.value} onClick={() => (open.value = !open.value)}>
        <State state={row.state} />
        <span class="title">{row.title}</span>
        <span class="dots" aria-label={`${met} of ${tells.length} tells met`} role="img">
          {tells.map((tell) => <i key={tell.id} class={tell.met === null ? "unknown" : tell.met ? "met" : ""} />)}
        </span>
        <span class="count">{met}/{tells.length}</span>
      </button>
      {row.because.length > 0 && <p class="because">{row.because.join("; ")}</p>}
      {open.value && (
        <div class="more">
          <table>
            <thead><tr><th>tell</th><th class="n">value</th><th>speaks when</th><th><span class="hide">met</span></th></tr></thead>
            <tbody>
              {row.tells.map((tell) => (
                <tr key={tell.id}>
                  <th scope="row">{tell.label}</th>
                  <td class="n"><Figure estimate={tell.estimate} label={tell.label} aged /></td>
                  <td class="dim">{tell.condition}</td>
                  <td>{tell.condition ? <Met met={tell.met} /> : null}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <p class="dim">Implies: {row.implication}. Odds: {row.odds}. Record: {row.record}.</p>
        </div>
      )}
    </li>
  );
}
