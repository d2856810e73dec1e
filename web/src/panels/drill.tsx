// A scored drill: what was done in a simulated squeeze, against holding, the plan and the best exit.
import { percent, price, usd } from "../format";
import type { Drill, DrillWay } from "../model";
import { Panel } from "../parts/panel";
import { drill, openDrill } from "../store";

export const clockOf = (seconds: number): string => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

export function DrillPanel() {
  const { value, reason } = drill.value;
  return (
    <Panel id="drill" title="Drill" wide="half" aside={value && <><span class="badge simulated">SIMULATED</span><Open /></>}>
      {reason && <p class="notice warn"><b>No drill.</b> {reason}</p>}
      {value ? <Scored told={value} /> : (
        <div class="notice">
          <p><b>No drill opened.</b> Hold a paper position through a simulated squeeze: in this page with <code>airpocket serve --drill squeeze</code>, or in the terminal, and open its score here.</p>
          <pre><code>airpocket drill squeeze --side short --leverage 10 --json &gt; drill.json</code></pre>
          <Open />
        </div>
      )}
    </Panel>
  );
}

function Open() {
  return (
    <label class="file">Open a score… <input type="file" accept=".json,application/json" onChange={(event) => {
      const file = event.currentTarget.files?.[0];
      if (file) void openDrill(file);
    }} /></label>
  );
}

/** Loss to the left, gain to the right of the middle. */
function Bar({ share }: { share: number }) {
  const wide = 60 * Math.abs(share);
  return (
    <svg class="pnl" viewBox="0 0 120 10" aria-hidden="true">
      <rect class={share < 0 ? "loss" : "gain"} x={share < 0 ? 60 - wide : 60} y="1" width={wide} height="8" />
      <line class="grid" x1="60" x2="60" y1="0" y2="10" />
    </svg>
  );
}

export function Scored({ told }: { told: Drill }) {
  const ways: [string, DrillWay][] = [["you", told.you], ["held on", told.held], ["the plan", told.plan]];
  const most = Math.max(1, Math.abs(told.best.pnl_usd), ...ways.map(([, way]) => Math.abs(way.pnl_usd)));
  return (
    <>
      <p class="dim">{told.label}: {told.position_side}, {Math.round(told.seconds / 60)} min, price {price(told.price_first)} → {price(told.price_last)} (up to {price(told.price_high)}); {usd(told.forced_buys_usd)} of forced buying, {usd(told.forced_sells_usd)} of forced selling.</p>
      <table class="tight">
        <thead><tr><th>way</th><th class="n">result</th><th><span class="hide">bar</span></th><th class="n">nearest to exit</th><th>end</th></tr></thead>
        <tbody>
          {ways.map(([name, way]) => (
            <tr key={name} class={name === "you" ? "mine" : ""}>
              <th scope="row">{name}</th>
              <td class="n">{usd(way.pnl_usd, true)}</td>
              <td><Bar share={way.pnl_usd / most} /></td>
              <td class="n">{way.worst_percent === null ? "nothing held" : percent(way.worst_percent)}</td>
              <td>{way.liquidated ? <b class="bad">liquidated</b> : way.closed_s === null ? "held to the end" : `closed at ${clockOf(way.closed_s)}`}</td>
            </tr>
          ))}
          <tr><th scope="row">best exit</th><td class="n">{usd(told.best.pnl_usd, true)}</td><td><Bar share={told.best.pnl_usd / most} /></td><td class="n dim">known only after</td><td>at {clockOf(told.best.at_s)}, {price(told.best.price)}</td></tr>
        </tbody>
      </table>
      {told.share_kept !== null && (told.share_kept < 0 ? <p>You did <b>worse than doing nothing</b>.</p> : <p>Of what lay between holding and the best exit you kept <b>{Math.round(told.share_kept * 100)} %</b>.</p>)}
      <ol class="decisions">
        {told.decisions.map((each) => <li key={`${each.at_s}${each.order}`}><b>{clockOf(each.at_s)} {each.order}</b> <span>{each.did}</span> <small>{each.consequence}{each.saved_usd === null ? "" : `; worth ${usd(each.saved_usd, true)}`}</small></li>)}
      </ol>
    </>
  );
}
