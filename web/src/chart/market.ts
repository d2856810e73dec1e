// Candles with the heatmap behind and the venues' lines below, on one time axis; knows nothing of the page around it.
import {
  type AutoscaleInfo,
  CandlestickSeries,
  ColorType,
  createChart,
  CrosshairMode,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  LineSeries,
  LineStyle,
  type LogicalRange,
  type MouseEventParams,
  type Time,
  type UTCTimestamp,
} from "lightweight-charts";
import type { Bars, ForcedSum, PushWay, Tape, Zone } from "../model";
import type { PaneData } from "./panes";
import { moment, usd } from "../format";
import { type Bubble, Overlay, type Over, type Shown } from "./overlay";
import type { Palette } from "./palette";
import { type Grid, Heat } from "./raster";

/** What is drawn of bars; `running` says that the last is still open. */
export type Candles = Pick<Bars, "contract" | "interval_s" | "open_s" | "open" | "high" | "low" | "close" | "running">;

export interface Scene {
  bars: Candles;
  panes: PaneData[];
  prints: ForcedSum[];
  /** up to when `prints` tell (s); later ones are heard */
  told_s?: number;
  heat: Grid | null;
  zones: Pick<Zone, "low" | "high" | "bias" | "role">[];
  fans: Pick<PushWay, "direction" | "fan" | "drawn_usd">[];
  /** the price now, where no running bar tells it */
  price?: number | null;
  fanSeconds: number;
}

export interface Layers extends Shown {
  heat: boolean;
}

export interface Readout {
  bar: number | null;
  panes: { pane: PaneData; top: number; colours: string[]; dashed: boolean[] }[];
}

/** What a key does while the chart has the focus. */
export const KEYS: Record<string, (chart: MarketChart) => void> = {
  ArrowLeft: (chart) => chart.pan(-10),
  ArrowRight: (chart) => chart.pan(10),
  "+": (chart) => chart.zoom(0.8),
  "=": (chart) => chart.zoom(0.8),
  "-": (chart) => chart.zoom(1.25),
  Home: (chart) => chart.home(),
};

const DASHES = [LineStyle.Solid, LineStyle.Dashed, LineStyle.Dotted, LineStyle.LargeDashed];
const ROOM_BARS = 34;
const SEEN = 0.05; // of the price, each way

export class MarketChart {
  readonly chart: IChartApi;
  private readonly candles: ISeriesApi<"Candlestick">;
  private readonly heat = new Heat();
  private readonly over = new Overlay();
  private lines: { pane: PaneData; series: ISeriesApi<"Line">[] }[] = [];
  private readonly watch: ResizeObserver;
  private wanted?: LogicalRange | undefined;
  private scene?: Scene;
  private now?: IPriceLine | undefined;
  private open?: Candles | undefined;
  private late: Tape["forced"] = [];

  constructor(
    private readonly host: HTMLElement,
    private palette: Palette,
    private readonly tell: (readout: Readout) => void,
  ) {
    this.chart = createChart(host, {
      autoSize: true,
      layout: { attributionLogo: false, fontFamily: "system-ui, sans-serif", fontSize: 11 },
      crosshair: { mode: CrosshairMode.Normal },
      handleScale: { axisPressedMouseMove: true },
      timeScale: { timeVisible: true, secondsVisible: false, rightOffset: ROOM_BARS, minBarSpacing: 0.4 },
      localization: { locale: "en-GB", timeFormatter: (at: Time) => `${clock(at)} UTC` },
    });
    this.candles = this.chart.addSeries(CandlestickSeries, {
      priceLineStyle: LineStyle.Dotted,
      priceLineWidth: 1,
      autoscaleInfoProvider: (own: () => AutoscaleInfo | null) => this.scaled(own()),
    });
    this.candles.attachPrimitive(this.heat);
    this.candles.attachPrimitive(this.over);
    this.chart.subscribeCrosshairMove((event) => this.moved(event));
    this.chart.timeScale().subscribeVisibleLogicalRangeChange(() => (this.wanted = undefined));
    this.watch = new ResizeObserver(() => requestAnimationFrame(() => this.moved()));
    this.watch.observe(host);
    this.paint(palette);
  }

  /** Show a scene; only what differs from the one before is done anew, and the view is kept unless the candles are others. */
  set(scene: Scene): void {
    const before = this.scene;
    const { bars: candles, panes } = scene;
    this.scene = scene;
    if (before?.bars !== candles) this.setCandles(candles);
    const reshaped = !before || shape(before) !== shape(scene);
    if (reshaped) this.rebuild(panes);
    if (reshaped || before.bars !== candles || before.panes !== panes) this.fill();
    this.mark(scene.price ?? null);
    this.draw();
    if (before?.bars.contract !== candles.contract || before.bars.interval_s !== candles.interval_s) this.home();
    requestAnimationFrame(() => this.moved());
  }

  /** Bars of which the last is still open: only that one is drawn anew, unless it is another. */
  running(bars: Candles): void {
    if (!bars.running || !this.scene) return;
    const at = bars.open_s.length - 1;
    const fresh = this.open?.open_s[at] !== bars.open_s[at];
    this.open = bars;
    this.candles.update(candle(bars, at));
    if (fresh) this.draw();
    else this.over.move(bars.close[at]!);
  }

  /** Prints as they come; those that a scene tells already are drawn once. */
  heard(prints: Tape["forced"]): void {
    this.late = prints;
    if (this.scene) this.draw();
  }

  /** The last days with room for the fan. */
  home(): void {
    const count = this.scene?.bars.open_s.length ?? 0;
    const shown = this.host.clientWidth < 600 ? 72 : 200;
    const room = this.host.clientWidth < 600 ? 18 : ROOM_BARS;
    this.candles.priceScale().applyOptions({ autoScale: true });
    this.chart.timeScale().setVisibleLogicalRange({ from: Math.max(-2, count - shown), to: count + room });
  }

  pan(bars: number): void {
    const range = this.seen();
    if (range) this.look({ from: range.from + bars, to: range.to + bars } as LogicalRange);
  }

  zoom(factor: number): void {
    const range = this.seen();
    if (!range) return;
    const span = (range.to - range.from) * factor;
    this.look({ from: range.to - span, to: range.to } as LogicalRange);
  }

  layers(layers: Layers): void {
    this.heat.show(layers.heat);
    this.over.show(layers);
  }

  paint(palette: Palette): void {
    this.palette = palette;
    const grid = { color: palette.line, style: LineStyle.SparseDotted };
    this.chart.applyOptions({
      layout: {
        background: { type: ColorType.Solid, color: palette.paper },
        textColor: palette.dim,
        panes: { separatorColor: palette.line, separatorHoverColor: palette.line, enableResize: true },
      },
      grid: { vertLines: grid, horzLines: grid },
      rightPriceScale: { borderColor: palette.line },
      timeScale: { borderColor: palette.line },
    });
    this.candles.applyOptions({
      upColor: palette.rise,
      downColor: palette.fall,
      borderUpColor: palette.ink,
      borderDownColor: palette.dim,
      wickUpColor: palette.ink,
      wickDownColor: palette.dim,
      priceLineColor: palette.ink,
    });
    this.now?.applyOptions({ color: palette.ink });
    for (const { series } of this.lines) {
      for (const [at, line] of series.entries()) line.applyOptions({ color: this.colour(at) });
    }
    this.draw();
  }

  remove(): void {
    this.watch.disconnect();
    this.chart.remove();
  }

  private setCandles(candles: Candles): void {
    const open = this.open;
    const lasts = open && open.contract === candles.contract && open.interval_s === candles.interval_s;
    const next = (candles.open_s[candles.open_s.length - 1] ?? 0) + candles.interval_s;
    this.open = lasts && open.open_s[open.open_s.length - 1] === next ? open : undefined;
    this.candles.setData(candles.open_s.map((_, at) => candle(candles, at)));
    if (this.open) this.candles.update(candle(this.open, this.open.open_s.length - 1));
  }

  /** A line at the price now instead of at the last close. */
  private mark(price: number | null): void {
    if (this.now) this.candles.removePriceLine(this.now);
    this.now = price === null ? undefined : this.candles.createPriceLine({ price, color: this.palette.ink, lineWidth: 1, lineStyle: LineStyle.Dotted });
    this.candles.applyOptions({ lastValueVisible: price === null, priceLineVisible: price === null });
  }

  /** At least so far from the price as the headline speaks of. */
  private scaled(own: AutoscaleInfo | null): AutoscaleInfo | null {
    const close = (this.open ?? this.scene?.bars)?.close ?? [];
    const last = close[close.length - 1];
    if (!own?.priceRange || last === undefined) return own;
    const { minValue, maxValue } = own.priceRange;
    const range = { minValue: Math.min(minValue, last * (1 - SEEN)), maxValue: Math.max(maxValue, last * (1 + SEEN)) };
    return { ...own, priceRange: range };
  }

  /** What is shown, or will be with the next frame. */
  private seen(): LogicalRange | null {
    return this.wanted ?? this.chart.timeScale().getVisibleLogicalRange();
  }

  private look(range: LogicalRange): void {
    this.wanted = range;
    this.chart.timeScale().setVisibleLogicalRange(range);
  }

  private colour(line: number): string {
    return this.palette.venues[line % this.palette.venues.length]!;
  }

  /** One pane below the candles for each figure. */
  private rebuild(panes: PaneData[]): void {
    for (const { series } of this.lines) for (const line of series) this.chart.removeSeries(line);
    this.lines = panes
      .filter((pane) => pane.lines.length > 0)
      .map((pane, at) => ({
        pane,
        series: pane.lines.map((_, line) =>
          this.chart.addSeries(
            LineSeries,
            {
              lineWidth: 1,
              color: this.colour(line),
              lineStyle: DASHES[line % DASHES.length]!,
              priceLineVisible: false,
              lastValueVisible: false,
              crosshairMarkerVisible: false,
              priceFormat: { type: "custom", minMove: 1e-6, formatter: (value: number) => axis(pane, value) },
            },
            at + 1,
          ),
        ),
      }));
    for (const [at, pane] of this.chart.panes().entries()) pane.setStretchFactor(at === 0 ? 5.5 : 1);
  }

  private fill(): void {
    const scene = this.scene!;
    const { open_s } = scene.bars;
    this.lines = this.lines.map((entry, at) => ({ ...entry, pane: scene.panes.filter((p) => p.lines.length > 0)[at]! }));
    for (const { pane, series } of this.lines) {
      for (const [at, line] of series.entries()) {
        // candles hold the time axis: a line needs only the moments that it knows
        const values = pane.lines[at]!.values;
        line.setData(open_s.flatMap((time, bar) => (values[bar] == null ? [] : [{ time: time as UTCTimestamp, value: values[bar]! }])));
      }
    }
  }

  private draw(): void {
    const scene = this.scene;
    if (!scene) return;
    const shown = this.open ?? scene.bars;
    const { open_s, close } = shown;
    this.heat.set(scene.heat, open_s, this.palette);
    const over: Over = {
      bands: scene.zones.map((zone) => ({
        low: zone.low,
        high: zone.high,
        side: zone.bias === "resistance" ? "short" : "long",
        name: zone.role.replaceAll("_", " "),
      })),
      bubbles: bubblesOf([...scene.prints, ...sums(this.late, scene.told_s ?? 0)], shown),
      fans: scene.fans.map((way) => ({ side: way.direction === "up" ? "short" : "long", rows: way.fan, words: `${way.direction === "up" ? "▲" : "▼"} ${usd(way.drawn_usd)} ${way.direction === "up" ? "bought" : "sold"}` })),
      price: scene.price ?? close[close.length - 1] ?? 0,
      lastBar: open_s.length - 1,
      minutes: Math.round(scene.fanSeconds / 60),
    };
    this.over.set(over, this.palette);
  }

  private moved(event?: MouseEventParams): void {
    const bar = event?.logical === undefined ? null : Math.round(event.logical);
    const origin = this.host.getBoundingClientRect().top;
    const held = this.chart.panes();
    this.tell({
      bar: bar !== null && bar >= 0 && bar < ((this.open ?? this.scene?.bars)?.open_s.length ?? 0) ? bar : null,
      panes: this.lines.map(({ pane }, at) => ({
        pane,
        top: (held[at + 1]?.getHTMLElement()?.getBoundingClientRect().top ?? origin) - origin,
        colours: pane.lines.map((_, line) => this.colour(line)),
        dashed: pane.lines.map((_, line) => line % DASHES.length !== 0),
      })),
    });
  }
}

function candle(bars: Candles, at: number) {
  return { time: bars.open_s[at]! as UTCTimestamp, open: bars.open[at]!, high: bars.high[at]!, low: bars.low[at]!, close: bars.close[at]! };
}

const shape = (scene: Scene): string => scene.panes.map((pane) => `${pane.id}${pane.lines.length}`).join();

/** Prints after a moment whose size is known, each by itself. */
function sums(prints: Tape["forced"], after_s: number): ForcedSum[] {
  return prints.flatMap(({ time_s, side, price, usd: dollars }) =>
    dollars === null || time_s <= after_s ? [] : [{ open_s: Math.floor(time_s), side: side === "buy" ? ("short" as const) : ("long" as const), price, notional_usd: dollars, count: 1, at_least: false }],
  );
}

/** Prints joined by candle and side. */
function bubblesOf(prints: ForcedSum[], { open_s, interval_s }: Candles): Bubble[] {
  const bar = new Map(open_s.map((second, at) => [second, at]));
  const found = new Map<string, Bubble>();
  for (const print of prints) {
    const at = bar.get(print.open_s - (print.open_s % interval_s));
    if (at === undefined) continue;
    const key = `${at}${print.side}`;
    const sum = found.get(key) ?? { bar: at, price: print.price, side: print.side, usd: 0 };
    sum.price = (sum.price * sum.usd + print.price * print.notional_usd) / (sum.usd + print.notional_usd);
    sum.usd += print.notional_usd;
    found.set(key, sum);
  }
  return [...found.values()];
}

function clock(at: Time): string {
  return moment(Number(at) * 1e9);
}

function axis(pane: PaneData, value: number): string {
  if (pane.unit === "coin") return Math.abs(value) >= 1e6 ? `${(value / 1e6).toFixed(2)}M` : `${(value / 1e3).toFixed(0)}k`;
  return pane.id === "funding" ? value.toFixed(3) : value.toFixed(0);
}
