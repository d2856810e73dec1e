// Forced dollars against what rests, cumulative from the price outwards: where forced passes resting, a move feeds itself.
import { useSignal } from "@preact/signals";
import { percent, price, usd } from "../format";
import type { Fuel, FuelView } from "../model";
import { Given, Panel, Unknown } from "../parts/panel";
import { fuel } from "../store";

const WIDTH = 460;
const HEIGHT = 250;
const PAD = { left: 52, right: 8, top: 10, bottom: 34 };
const REACHES = [3, 5, 10, 15];

export function FuelPanel() {
  const reach = useSignal(10);
  const tools = (
    <span class="choices" role="group" aria-label="distance shown">
      {REACHES.map((each) => (
        <button type="button" key={each} aria-pressed={reach.value === each} onClick={() => (reach.value = each)}>±{each} %</button>
      ))}
    </span>
  );
  return (
    <Panel id="fuel" title="Forced against resting" wide="beside" aside={tools}>
      <Given doc={fuel} what="depth and fuel">
        {(told) => (told.unknown ? <Unknown what="Forced against resting" why={told.unknown} /> : <Picture told={told} reach={reach.value} />)}
      </Given>
    </Panel>
  );
}

function Picture({ told, reach }: { told: FuelView; reach: number }) {
  const at = useSignal<number | null>(null);
  const most = Math.max(1e6, ...told.ways.flatMap((way) => inside(way, reach).flatMap((row) => [way.high_usd[row]!, way.absorbed_usd[row]!])));
  const least = 1e5;
  const x = (distance: number) => PAD.left + ((distance + reach) / (2 * reach)) * (WIDTH - PAD.left - PAD.right);
  const y = (amount: number) => {
    const share = Math.log(Math.max(amount, least) / least) / Math.log(most / least);
    return HEIGHT - PAD.bottom - share * (HEIGHT - PAD.top - PAD.bottom);
  };
  const decades: number[] = [];
  for (let decade = 1e6; decade <= most; decade *= 10) decades.push(decade);
  const marks = [-reach, -reach / 2, 0, reach / 2, reach];
  const move = (event: PointerEvent): void => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const inner = ((event.clientX - box.left) / box.width) * WIDTH;
    at.value = Math.max(-reach, Math.min(reach, ((inner - PAD.left) / (WIDTH - PAD.left - PAD.right)) * 2 * reach - reach));
  };
  const keys = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowLeft" ? -0.25 : event.key === "ArrowRight" ? 0.25 : 0;
    if (step === 0) return;
    at.value = Math.max(-reach, Math.min(reach, (at.value ?? 0) + step));
    event.preventDefault();
  };
  return (
    <>
      <svg class="fuel" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" tabIndex={0} aria-label={spoken(told, reach)} onPointerMove={move} onPointerLeave={() => (at.value = null)} onKeyDown={keys}>
        {decades.map((decade) => (
          <g key={decade}><line class="grid" x1={PAD.left} x2={WIDTH - PAD.right} y1={y(decade)} y2={y(decade)} /><text x={PAD.left - 5} y={y(decade) + 3.5} text-anchor="end">{usd(decade).replace(/\.0+/, "")}</text></g>
        ))}
        {told.ways.map((way) => <Curves key={way.direction} way={way} reach={reach} x={x} y={y} />)}
        <line class="now" x1={x(0)} x2={x(0)} y1={PAD.top} y2={HEIGHT - PAD.bottom} />
        {marks.map((mark, each) => (
          <g key={mark}>
            <text x={x(mark)} y={HEIGHT - PAD.bottom + 13} text-anchor={each === 0 ? "start" : each === 4 ? "end" : "middle"}>{mark === 0 ? "now" : percent(mark, Number.isInteger(mark) ? 0 : 1)}</text>
            {told.price !== null && <text class="dim" x={x(mark)} y={HEIGHT - PAD.bottom + 26} text-anchor={each === 0 ? "start" : each === 4 ? "end" : "middle"}>{price(told.price * (1 + mark / 100)).replace(/\.\d+$/, "")}</text>}
          </g>
        ))}
        {at.value !== null && <line class="cursor" x1={x(at.value)} x2={x(at.value)} y1={PAD.top} y2={HEIGHT - PAD.bottom} />}
      </svg>
      <Table told={told} reach={reach} at={at.value} />
      <p class="key"><span><i class="swatch short" />shorts forced</span><span><i class="swatch long" />longs forced</span><span>band: 10–90 %</span><span><i class="stroke" />rests (measured)</span><span><i class="stroke dashed" />with what is modelled beyond</span></p>
      {told.ways[0] && <p class="dim small">Absorbs: {told.ways[0].absorbed_by}.</p>}
    </>
  );
}

/** Rows of a way within the distance shown. */
function inside(way: Fuel, reach: number): number[] {
  return way.percent.flatMap((distance, row) => (Math.abs(distance) <= reach + 1e-9 ? [row] : []));
}

function Curves({ way, reach, x, y }: { way: Fuel; reach: number; x: (at: number) => number; y: (at: number) => number }) {
  const rows = inside(way, reach);
  const path = (values: (number | null)[]) =>
    rows
      .filter((row) => values[row] !== null)
      .map((row, at) => `${at === 0 ? "M" : "L"}${x(way.percent[row]!).toFixed(1)} ${y(values[row]!).toFixed(1)}`)
      .join("");
  const back = [...rows].reverse().map((row) => `L${x(way.percent[row]!).toFixed(1)} ${y(way.low_usd[row]!).toFixed(1)}`).join("");
  const side = way.direction === "up" ? "short" : "long";
  const end = rows[rows.length - 1]!;
  const area = `${path(way.forced_usd)}L${x(way.percent[end]!).toFixed(1)} ${y(0)}L${x(0)} ${y(0)}Z`;
  return (
    <g class={side}>
      <path class="area" d={area} />
      <path class="band" d={`${path(way.high_usd)}${back}Z`} />
      <path class="forced" d={path(way.forced_usd)} />
      <path class="absorbed" d={path(way.absorbed_usd)} />
      <path class="resting" d={path(way.resting_usd)} />
    </g>
  );
}

const nearest = (way: Fuel, distance: number): number =>
  way.percent.reduce((best, value, row) => (Math.abs(value - distance) < Math.abs(way.percent[best]! - distance) ? row : best), 0);

function Table({ told, reach, at }: { told: FuelView; reach: number; at: number | null }) {
  const distances = at === null ? [-reach, -reach / 2, reach / 2, reach] : [at];
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="forced against resting by distance">
    <table class="tight">
      <thead><tr><th>within</th><th class="n">forced</th><th class="n">10–90 %</th><th class="n">rests</th><th class="n">forced / absorbed</th></tr></thead>
      <tbody>
        {distances.map((distance) => {
          const way = told.ways.find(({ direction }) => direction === (distance < 0 ? "down" : "up"));
          if (!way) return null;
          const row = nearest(way, distance);
          const rests = way.resting_usd[row];
          const ratio = way.absorbed_usd[row]! > 0 ? way.forced_usd[row]! / way.absorbed_usd[row]! : null;
          return (
            <tr key={distance} class={distance < 0 ? "long" : "short"}>
              <th scope="row">{percent(way.percent[row]!, 1)}</th>
              <td class="n">{usd(way.forced_usd[row]!)}</td>
              <td class="n dim">{usd(way.low_usd[row]!)} – {usd(way.high_usd[row]!)}</td>
              <td class="n">{rests == null ? <span class="dim" title={`${way.absorbed_by}; with the modelled part ${usd(way.absorbed_usd[row]!)}`}>≈ {usd(way.absorbed_usd[row]!)}</span> : usd(rests)}</td>
              <td class={`n ${ratio !== null && ratio >= 1 ? "hot" : ""}`}>{ratio === null ? "unknown" : `${ratio.toFixed(2)}×`}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
    </div>
  );
}

function spoken(told: FuelView, reach: number): string {
  const parts = told.ways.map((way) => {
    const row = nearest(way, way.direction === "up" ? reach : -reach);
    return `${way.direction === "up" ? "up" : "down"} ${reach} %: ${usd(way.forced_usd[row]!)} forced against ${usd(way.absorbed_usd[row]!)}`;
  });
  return `Cumulative forced against resting dollars. ${parts.join("; ")}. Arrow keys read it out in the table below.`;
}
