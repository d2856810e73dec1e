// The server's stress test of the account: shocks with what they leave, and whether exits still work in thin books.
import { usd, percent } from "../format";
import type { Exit, Outcome, StressTest } from "../holdings";
import { Figure } from "../parts/figure";
import { Given, Unknown } from "../parts/panel";
import { explains } from "../parts/tip";
import { stress } from "../store";

export function Survives() {
  return (
    <div class="survives">
      <h3>What it survives <small class="dim">before anyone can act</small></h3>
      <Given doc={stress} what="stress test">{(accounts) => (accounts[0] ? <Test test={accounts[0]} /> : <p class="notice">No account in the answer.</p>)}</Given>
    </div>
  );
}

function Test({ test }: { test: StressTest }) {
  if (test.unknown) return <Unknown what="Stress test" why={test.unknown} />;
  return (
    <>
      <p>{test.answer}</p>
      <ul class="gaps" aria-label="price gaps">
        {test.outcomes.filter(({ kind }) => kind === "gap").map((each) => <Gap key={each.id} outcome={each} />)}
      </ul>
      <div class="wide">
        <table class="tight cards">
          <thead><tr><th>shock</th><th class="n">equity</th><th class="n">buffer</th><th class="n">reaches exit</th><th>then</th></tr></thead>
          <tbody>{test.outcomes.filter(({ kind }) => kind !== "gap").map((each) => <Row key={each.id} outcome={each} />)}</tbody>
        </table>
      </div>
      <Exits exits={test.exits} />
      {test.notes.length > 0 && <ul class="dim small">{test.notes.map((note) => <li key={note}>{note}</li>)}</ul>}
    </>
  );
}

const fate = (liquidated: boolean | null): string => (liquidated === null ? "unknown" : liquidated ? "forced out" : "survives");

function Gap({ outcome }: { outcome: Outcome }) {
  const { liquidated, title, equity } = outcome;
  const move = /[-+−]?\d[\d.]* %/.exec(title)?.[0] ?? title;
  return (
    <li class={liquidated === null ? "unknown" : liquidated ? "out" : "in"} title={`${title}: ${fate(liquidated)}${equity.value === null ? "" : `, equity ${usd(equity.value)}`}`}>
      <b>{move.replace("-", "\u2212").replace(" ", "\u202f")}</b> <i aria-hidden="true">{liquidated === null ? "?" : liquidated ? "✕" : "✓"}</i><span class="hide">{fate(liquidated)}</span>
    </li>
  );
}

function Row({ outcome }: { outcome: Outcome }) {
  const { title, note, equity, buffer, chance, liquidated } = outcome;
  return (
    <tr>
      <th scope="row">{title}{note && <small>{note}</small>}</th>
      <td class="n"><Figure estimate={equity} label={`equity after ${title}`} /></td>
      <td class="n"><Figure estimate={buffer} label={`equity over maintenance after ${title}`} /></td>
      <td class="n">{chance ? <Figure estimate={chance} label={`share of paths that reach the forced exit: ${title}`} /> : ""}</td>
      <td>{liquidated === null ? "unknown" : liquidated ? <b class="bad">forced out</b> : "survives"}</td>
    </tr>
  );
}

/** Closing all at market: after a move by row, in a book that has lost its depth by column. */
function Exits({ exits }: { exits: Exit[] }) {
  const after = [...new Set(exits.map(({ after_percent }) => after_percent))];
  const gone = [...new Set(exits.map(({ gone_percent }) => gone_percent))];
  const positions = [...new Set(exits.map(({ position }) => position))];
  if (exits.length === 0) return null;
  return (
    <>
      <h3>Closing all at market <small class="dim">cost, by how much of the book is gone</small></h3>
      {positions.map((position) => (
        <div class="wide" key={position}>
          <table class="tight">
            <thead><tr><th>{positions.length > 1 ? position : "price has gone"}</th>{gone.map((share) => <th key={share} class="n">{share === 0 ? "whole book" : `${share}\u202f% gone`}</th>)}</tr></thead>
            <tbody>
              {after.map((move) => (
                <tr key={move}>
                  <th scope="row">{move === 0 ? "now" : percent(move, 0)}</th>
                  {gone.map((share) => {
                    const found = exits.find((each) => each.position === position && each.after_percent === move && each.gone_percent === share);
                    return <td key={share} class="n">{found ? <Cell found={found} /> : ""}</td>;
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ))}
    </>
  );
}

function Cell({ found }: { found: Exit }) {
  const { cost, works, why } = found;
  const fate = works === false ? <b class="bad" {...(cost.value === null ? explains({ label: "Closing all fails", lines: [why] }) : {})}>fails</b> : works === null ? "unknown" : null;
  if (cost.value === null) return <>{fate}</>;
  return <><Figure estimate={cost} label="slippage and fee of closing all" text={usd(cost.value)} lines={why ? [why] : []} /> {fate}</>;
}
