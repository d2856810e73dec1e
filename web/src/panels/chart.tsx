// The chart's panel: the module that draws, its layers, the interval, and what stands under the crosshair.
import { computed, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { KEYS, MarketChart, type Readout } from "../chart/market";
import { DARK, LIGHT } from "../chart/palette";
import { panesOf, reading } from "../chart/panes";
import { coins, contract, moment, price } from "../format";
import { Given, Panel, Unknown } from "../parts/panel";
import { bars, brief, chooseInterval, current, fuel, funding, heatmap, interval, type Interval, layers, livePrints, theme } from "../store";

const INTERVALS: Interval[] = ["5m", "15m", "1h", "4h", "1d"];
const LAYERS = [
  ["heat", "heatmap"],
  ["levels", "levels"],
  ["bubbles", "forced"],
  ["fan", "fan"],
] as const;

const panes = computed(() => (bars.value.value ? panesOf(funding.value.value, bars.value.value) : []));

export function ChartPanel() {
  const tools = (
    <>
      <span class="choices" role="group" aria-label="candle interval">
        {INTERVALS.map((each) => (
          <button type="button" key={each} aria-pressed={interval.value === each} onClick={() => chooseInterval(each)}>{each}</button>
        ))}
      </span>
      <span class="choices" role="group" aria-label="layers">
        {LAYERS.map(([id, name]) => (
          <button type="button" key={id} aria-pressed={layers.value[id]} onClick={() => (layers.value = { ...layers.value, [id]: !layers.value[id] })}>{name}</button>
        ))}
      </span>
    </>
  );
  return (
    <Panel id="chart" title="Price and forced flow" wide="chart" aside={tools}>
      <Given doc={bars} what="candles">{() => <Drawn />}</Given>
    </Panel>
  );
}

function Drawn() {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<MarketChart | null>(null);
  const readout = useSignal<Readout>({ bar: null, panes: [] });
  const palette = theme.value === "dark" ? DARK : LIGHT;
  useEffect(() => {
    const made = new MarketChart(host.current!, palette, (told) => (readout.value = told));
    chart.current = made;
    Object.assign(host.current!, { marketChart: made });
    return () => made.remove();
  }, []);
  const held = current.value!;
  const base = bars.value.value!;
  const told = brief.value.value;
  const pushes = told?.cascade.pushes;
  useEffect(() => {
    chart.current?.set({
      bars: base,
      panes: panes.value,
      prints: fuel.value.value?.prints ?? [],
      told_s: Date.parse(fuel.value.value?.as_of ?? "") / 1000 || 0,
      heat: heatmap.value.value,
      zones: told?.roadmap.zones ?? [],
      fans: pushes?.ways ?? [],
      fanSeconds: pushes?.fan_s[pushes.fan_s.length - 1] ?? 0,
    });
  }, [base, panes.value, heatmap.value.value, fuel.value.value, told]);
  useEffect(() => chart.current?.running(held), [held]);
  useEffect(() => chart.current?.heard(livePrints.value), [livePrints.value]);
  useEffect(() => chart.current?.paint(palette), [palette]);
  useEffect(() => chart.current?.layers(layers.value), [layers.value]);
  const keys = (event: KeyboardEvent): void => {
    const act = KEYS[event.key];
    if (!act || !chart.current) return;
    act(chart.current);
    event.preventDefault();
  };
  const last = held.open_s.length - 1;
  const at = Math.min(readout.value.bar ?? last, last);
  return (
    <>
      <div class="stage" tabIndex={0} role="application" aria-label={`Chart of ${contract(held.contract)}: arrows move, plus and minus zoom, Home returns`} onKeyDown={keys}>
        <div class="canvas" ref={host} />
        <p class="ohlc">
          <b>{contract(held.contract)}</b> {moment(new Date(held.open_s[at]! * 1000).toISOString())}{held.running && at === last ? <small> still open</small> : ""}{" "}
          <span>O {price(held.open[at]!)}</span> <span>H {price(held.high[at]!)}</span> <span>L {price(held.low[at]!)}</span> <span>C {price(held.close[at]!)}</span>{" "}
          <span>vol {held.volume[at] == null ? (held.running && at === last ? "not closed yet" : "unknown") : coins(held.volume[at]!)}</span>
        </p>
        {readout.value.panes.map((pane) => <Legend key={pane.pane.id} shown={pane} at={at} />)}
      </div>
      <Missing />
      <p class="key">
        <span><i class="swatch short" />shorts forced out above</span><span><i class="swatch long" />longs below</span>
        <span>brighter: more dollars ({heatmap.value.value?.provenance ?? "modelled"}{heatmap.value.value?.time_s[0] ? `, from ${moment(new Date(heatmap.value.value.time_s[0] * 1000).toISOString())}` : ""})</span><span>circles: liquidations told by venues</span>
        {pushes && !pushes.unknown && <span>fan: where price goes in {Math.round((pushes.fan_s[pushes.fan_s.length - 1] ?? 0) / 60)} min after a push each way, half and eight in ten of {pushes.paths.toLocaleString("en-US")} paths</span>}
      </p>
    </>
  );
}

function Legend({ shown, at }: { shown: Readout["panes"][number]; at: number }) {
  const { pane, top, colours } = shown;
  const line = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    if (line.current) line.current.style.top = `${top + 2}px`;
    line.current?.querySelectorAll<HTMLElement>("i").forEach((dot, each) => (dot.style.borderColor = colours[each] ?? ""));
  });
  return (
    <p class="legend" ref={line} title={pane.note}>
      <b>{pane.title}</b> <small>{pane.unit}</small>
      {pane.lines.map(({ contract: key, spot, values }, each) => {
        const value = values[Math.min(at, values.length - 1)];
        return (
          <span key={key}><i class={`dash${each % 4}`} />{contract(key).split(" ")[0]}{spot ? " spot" : ""} {reading(pane, value)}</span>
        );
      })}
    </p>
  );
}

/** What the picture lacks, said instead of left out. */
function Missing() {
  const told = brief.value.value;
  const lacking: [string, string][] = [];
  if (heatmap.value.state === "error") lacking.push(["Heatmap", heatmap.value.reason]);
  if (told?.map.unknown) lacking.push(["Map", told.map.unknown]);
  if (told?.cascade.pushes.unknown) lacking.push(["Fan", told.cascade.pushes.unknown]);
  if (fuel.value.value?.prints_unknown) lacking.push(["Liquidations", fuel.value.value.prints_unknown]);
  for (const pane of panes.value) if (pane.unknown) lacking.push([pane.title, pane.unknown]);
  return <>{lacking.map(([what, why]) => <Unknown key={what} what={what} why={why} />)}</>;
}
