// The chart without the page: for the brief as a file and for notebooks. Plain elements; nothing is fetched.
import { KEYS, type Layers, MarketChart, type Readout } from "../chart/market";
import { DARK, LIGHT } from "../chart/palette";
import { reading } from "../chart/panes";
import { contract, moment, price } from "../format";
import { type Scene, unpacked } from "./scene";
import css from "./stage.css?inline";

export type Theme = "auto" | "dark" | "light";

const NARROW = 500; // px
const LAYERS: [keyof Layers, string][] = [["heat", "heatmap"], ["levels", "levels"], ["bubbles", "forced"], ["fan", "fan"]];

/** Draw a scene into an element; what comes back takes it out again. */
export async function mount(host: HTMLElement, told: Scene, theme: Theme = "auto", height = 0): Promise<() => void> {
  const scene = await unpacked(told);
  const root = element("div", "ap-chart");
  const style = element("style", "", css);
  const stage = element("div", "ap-stage");
  const canvas = element("div", "ap-canvas");
  const ohlc = element("p", "ap-ohlc");
  const legends = element("div", "ap-legends");
  if (height > 0) stage.style.height = `${height}px`;
  stage.tabIndex = 0;
  stage.setAttribute("role", "application");
  stage.setAttribute("aria-label", `Chart of ${contract(told.bars.contract)}: arrows move, plus and minus zoom, Home returns`);
  stage.append(canvas, ohlc, legends);
  if (told.stamp) stage.append(element("p", "ap-stamp", told.stamp));
  const tools = element("p", "ap-tools");
  root.append(style, tools, stage, ...notes(told));
  // the styles around, of tables above all, are not to reach it
  (host.shadowRoot ?? host.attachShadow({ mode: "open" })).replaceChildren(root);
  const wanted = watched(theme, () => {
    root.dataset.theme = wanted.dark() ? "dark" : "light";
    chart.paint(wanted.dark() ? DARK : LIGHT);
  });
  root.dataset.theme = wanted.dark() ? "dark" : "light";
  const chart = new MarketChart(canvas, wanted.dark() ? DARK : LIGHT, (readout) => read(readout));
  const read = (readout: Readout): void => {
    const { bars } = scene;
    const at = Math.max(0, readout.bar ?? bars.open_s.length - 1);
    const when = moment(new Date(bars.open_s[at]! * 1000).toISOString());
    const inside = canvas.clientWidth < NARROW ? "" : `  O ${price(bars.open[at]!)}  H ${price(bars.high[at]!)}  L ${price(bars.low[at]!)}`;
    ohlc.textContent = `${contract(bars.contract)} ${when}${inside}  C ${price(bars.close[at]!)}`;
    legends.replaceChildren(...readout.panes.map((shown) => legend(shown, at)));
  };
  Object.assign(canvas, { marketChart: chart });
  const layers: Layers = { heat: true, levels: true, bubbles: true, fan: true };
  for (const [layer, name] of LAYERS) {
    if (absent(told, layer)) continue;
    const button = element("button", "", name);
    button.type = "button";
    button.setAttribute("aria-pressed", "true");
    button.onclick = () => {
      layers[layer] = !layers[layer];
      button.setAttribute("aria-pressed", String(layers[layer]));
      chart.layers({ ...layers });
    };
    tools.append(button);
  }
  stage.onkeydown = (event) => {
    const act = KEYS[event.key];
    if (!act) return;
    act(chart);
    event.preventDefault();
  };
  chart.set(scene);
  return () => {
    wanted.stop();
    chart.remove();
    root.remove();
  };
}

function absent(told: Scene, layer: keyof Layers): boolean {
  return { heat: told.heat === null, levels: told.zones.length === 0, bubbles: told.prints.length === 0, fan: told.fans.length === 0 }[layer];
}

function legend({ pane, top, colours }: Readout["panes"][number], at: number): HTMLElement {
  const line = element("p", "ap-legend");
  line.style.top = `${top + 2}px`;
  line.append(element("b", "", pane.title), ` ${pane.unit}  `);
  for (const [each, { contract: key, values }] of pane.lines.entries()) {
    const dot = element("i", "");
    dot.style.borderColor = colours[each] ?? "";
    line.append(dot, `${contract(key)} ${reading(pane, values[at])}`);
  }
  return line;
}

/** What the picture shows and what it lacks. */
function notes(told: Scene): HTMLElement[] {
  const shown = ["orange: shorts forced out above the price, blue: longs below; stronger colour: more (modelled)"];
  if (told.prints.length > 0) {
    const some = told.prints.some((sum) => sum.at_least) ? ", of some only a sample" : "";
    shown.push(`circles: liquidations that venues told${some}; larger: more dollars`);
  }
  if (told.fans.length > 0) shown.push(`fan: where price goes in ${Math.round(told.fan_s / 60)} min after a push each way, half and eight in ten of all paths`);
  shown.push("drawn with TradingView Lightweight Charts™, tradingview.com, Apache-2.0");
  return [element("p", "ap-note", shown.join(" · ")), ...told.missing.map(([what, why]) => element("p", "ap-note", `${what}: unknown. ${why}`))];
}

/** Whether dark is wanted: as told, else as the notebook is, else as the system is. */
function watched(theme: Theme, changed: () => void): { dark: () => boolean; stop: () => void } {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = (): boolean => {
    const notebook = document.body.dataset.jpThemeLight;
    return theme === "auto" ? (notebook === undefined ? system.matches : notebook === "false") : theme === "dark";
  };
  const watch = new MutationObserver(changed);
  watch.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
  system.addEventListener("change", changed);
  return { dark, stop: () => (watch.disconnect(), system.removeEventListener("change", changed)) };
}

function element<K extends keyof HTMLElementTagNameMap>(kind: K, name: string, text = ""): HTMLElementTagNameMap[K] {
  const made = document.createElement(kind);
  if (name) made.className = name;
  if (text) made.textContent = text;
  return made;
}
