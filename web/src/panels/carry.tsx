// Every venue side by side: price, funding, open interest, basis; and what the regimes say.
import { age, coins, contract, decimal, percent, price } from "../format";
import type { Brief, Carry, Funding, Line, Reading } from "../model";
import { Figure } from "../parts/figure";
import { Given, Panel } from "../parts/panel";
import { explains } from "../parts/tip";
import { brief, funding } from "../store";

export function CarryPanel() {
  return (
    <Panel id="carry" title="Funding, interest and basis by venue" wide="half">
      <Given doc={funding} what="funding">{(told) => <Venues told={told} />}</Given>
      <Given doc={brief} what="regimes">{(told) => <Regimes told={told} />}</Given>
    </Panel>
  );
}

const newest = (line: Line): { value: number; at: number } | null => {
  for (let at = line.value.length - 1; at >= 0; at--) {
    const value = line.value[at];
    if (value !== null && value !== undefined) return { value, at: line.time_s[at]! };
  }
  return null;
};

function Venues({ told }: { told: Funding }) {
  const now = Date.parse(told.as_of) / 1000;
  const prices = brief.value.value?.price.by_venue ?? {};
  const cell = (line: Line, label: string, show: (value: number) => string) => {
    const last = newest(line);
    if (last === null) return <span class="unknown" {...explains({ label, lines: [`unknown: ${line.unknown ?? "nothing told"}`] })}>unknown</span>;
    const old = now - last.at;
    return <span {...explains({ label, lines: [`source: ${line.source}`, `age ${age(old)}`] })}>{show(last.value)}</span>;
  };
  const change = (carry: Carry) => {
    const line = carry.interest_coin;
    const last = newest(line);
    if (!last) return null;
    let before: number | null = null;
    for (let at = 0; at < line.time_s.length && line.time_s[at]! <= last.at - 86_400; at++) before = line.value[at] ?? before;
    return before ? percent((last.value / before - 1) * 100) : <span class="unknown" {...explains({ label: `${contract(carry.contract)} open interest, 24 h`, lines: ["unknown: none is stored of a day before"] })}>unknown</span>;
  };
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="venues">
      <table class="tight">
        <thead><tr><th>contract</th><th class="n">last</th><th class="n">funding, %/8 h</th><th class="n">a year</th><th class="n">open interest</th><th class="n">24 h</th><th class="n">basis, bp</th></tr></thead>
        <tbody>
          {told.contracts.filter((carry) => prices[carry.contract] || newest(carry.interest_coin) || newest(carry.funding_8h)).map((carry) => {
            const last = prices[carry.contract];
            const spot = carry.kind === "spot";
            return (
              <tr key={carry.contract}>
                <th scope="row">{contract(carry.contract)}</th>
                <td class="n">{last ? <Figure estimate={last} label={`${contract(carry.contract)} last`} text={last.value === null ? "unknown" : price(last.value)} /> : <span class="dim">not told</span>}</td>
                {spot ? <td class="dim none" colSpan={5}>spot: pays no funding</td> : (
                  <>
                    <td class="n">{cell(carry.funding_8h, `${contract(carry.contract)} funding`, (value) => decimal(value, 4))}</td>
                    <td class="n">{cell(carry.funding_8h, `${contract(carry.contract)} funding a year`, (value) => percent(value * 3 * 365, 0))}</td>
                    <td class="n">{cell(carry.interest_coin, `${contract(carry.contract)} open interest`, coins)}</td>
                    <td class="n">{change(carry)}</td>
                    <td class="n">{cell(carry.premium, `${contract(carry.contract)} basis`, (value) => decimal(value * 100, 1))}</td>
                  </>
                )}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Regimes({ told }: { told: Brief }) {
  return (
    <ul class="regimes">
      {told.regimes.map((reading: Reading) => (
        <li key={reading.id} {...explains({ label: reading.title, lines: [...reading.because, ...reading.tells.filter(({ estimate }) => estimate.value !== null).slice(0, 6).map((tell) => `${tell.label}: ${decimal(tell.estimate.value!, 2)} ${tell.estimate.unit}`)] })}>
          <span class="dim">{reading.title}</span> <b class={reading.state === "unknown" ? "unknown" : ""}>{reading.state}</b>
        </li>
      ))}
    </ul>
  );
}
