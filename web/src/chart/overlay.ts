// What stands over the heatmap: level zones, liquidation bubbles and, to the right of now, the cascade fan.
import type {
  IChartApiBase,
  IPrimitivePaneRenderer,
  IPrimitivePaneView,
  ISeriesApi,
  ISeriesPrimitive,
  Logical,
  SeriesAttachedParameter,
  SeriesType,
  Time,
} from "lightweight-charts";
import type { Palette } from "./palette";
import { leftOf } from "./raster";

export interface Band {
  low: number;
  high: number;
  side: "short" | "long";
  name: string;
}

export interface Bubble {
  bar: number;
  price: number;
  side: "short" | "long";
  usd: number;
}

/** Quantiles 10, 25, 50, 75 and 90 % of the displacement in per cent, by moment. */
export interface Fan {
  side: "short" | "long";
  rows: number[][];
  /** what is pushed */
  words: string;
}

export interface Over {
  bands: Band[];
  bubbles: Bubble[];
  fans: Fan[];
  price: number;
  lastBar: number;
  minutes: number;
}

export interface Shown {
  levels: boolean;
  bubbles: boolean;
  fan: boolean;
}

type Target = Parameters<IPrimitivePaneRenderer["draw"]>[0];
const FAN_MOST_PX = 150;
const GAP_PX = 10;

export class Overlay implements ISeriesPrimitive<Time> {
  shown: Shown = { levels: true, bubbles: true, fan: true };
  private data?: Over;
  private palette?: Palette;
  private chart?: IChartApiBase<Time>;
  private series?: ISeriesApi<SeriesType, Time>;
  private redraw?: () => void;
  private readonly below: IPrimitivePaneView = {
    zOrder: () => "bottom",
    renderer: () => ({ draw: (target: Target) => this.drawn(target, (pen) => this.shown.levels && this.bands(pen)) }),
  };
  private readonly above: IPrimitivePaneView = {
    zOrder: () => "top",
    renderer: () => ({
      draw: (target: Target) =>
        this.drawn(target, (pen) => {
          if (this.shown.bubbles) this.bubbles(pen);
          if (this.shown.fan) this.fans(pen);
          if (this.shown.levels) this.names(pen);
        }),
    }),
  };

  attached(given: SeriesAttachedParameter<Time>): void {
    this.chart = given.chart;
    this.series = given.series as ISeriesApi<SeriesType, Time>;
    this.redraw = given.requestUpdate;
  }

  detached(): void {
    this.chart = this.series = this.redraw = undefined;
  }

  paneViews(): readonly IPrimitivePaneView[] {
    return [this.below, this.above];
  }

  set(data: Over, palette: Palette): void {
    this.data = data;
    this.palette = palette;
    this.redraw?.();
  }

  /** The price went elsewhere: the fan begins there. */
  move(price: number): void {
    if (this.data) this.data.price = price;
    this.redraw?.();
  }

  show(shown: Shown): void {
    this.shown = shown;
    this.redraw?.();
  }

  private drawn(target: Target, draw: (pen: Pen) => void): void {
    const { data, palette, chart, series } = this;
    if (!data || !palette || !chart || !series) return;
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      draw({ context, width: mediaSize.width, height: mediaSize.height, data, palette, chart, series });
    });
  }

  private bands({ context, width, data, palette, series }: Pen): void {
    for (const band of data.bands) {
      const top = series.priceToCoordinate(band.high);
      const bottom = series.priceToCoordinate(band.low);
      if (top === null || bottom === null) continue;
      context.globalAlpha = 0.13;
      context.fillStyle = palette.ink;
      context.fillRect(0, top, width, Math.max(bottom - top, 1));
      context.globalAlpha = 0.55;
      context.strokeStyle = palette.dim;
      context.setLineDash([2, 4]);
      context.lineWidth = 1;
      for (const y of [top, bottom]) line(context, 0, Math.round(y) + 0.5, width, Math.round(y) + 0.5);
    }
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  /** Names of the zones at the left, each moved clear of the one before. */
  private names({ context, height, data, palette, series }: Pen): void {
    context.font = "10px system-ui, sans-serif";
    context.textBaseline = "middle";
    let last = -Infinity;
    for (const band of [...data.bands].sort((a, b) => b.high - a.high)) {
      const y = series.priceToCoordinate((band.high + band.low) / 2);
      // the line of figures stands above
      if (y === null || y < 26 || y > height - 8 || y - last < 12) continue;
      last = y;
      const width = context.measureText(band.name).width;
      context.globalAlpha = 0.78;
      context.fillStyle = palette.paper;
      context.fillRect(3, y - 7, width + 8, 14);
      context.globalAlpha = 1;
      context.fillStyle = band.side === "short" ? palette.short : palette.long;
      context.fillRect(3, y - 7, 2, 14);
      context.fillStyle = palette.ink;
      context.fillText(band.name, 8, y + 0.5);
    }
  }

  private bubbles({ context, data, palette, chart, series }: Pen): void {
    const most = Math.max(...data.bubbles.map((bubble) => bubble.usd), 1);
    for (const bubble of data.bubbles) {
      const x = chart.timeScale().logicalToCoordinate(bubble.bar as Logical);
      const y = series.priceToCoordinate(bubble.price);
      const radius = 13 * Math.sqrt(bubble.usd / most);
      if (x === null || y === null || radius < 1.6) continue;
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fillStyle = bubble.side === "short" ? palette.short : palette.long;
      context.globalAlpha = 0.3;
      context.fill();
      context.globalAlpha = 0.95;
      context.lineWidth = 1;
      context.strokeStyle = context.fillStyle;
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  /** The fan has a clock of its own: minutes from now over the free space at the right. */
  private fans({ context, width, height, data, palette, chart, series }: Pen): void {
    if (data.fans.length === 0) return;
    const left = leftOf(chart.timeScale(), data.lastBar + 1) + GAP_PX;
    const span = Math.min(FAN_MOST_PX, width - left - 6);
    if (span < 40) return;
    context.fillStyle = palette.paper;
    context.globalAlpha = 0.62;
    context.fillRect(left - 4, 0, width - left + 4, height);
    context.globalAlpha = 1;
    for (const fan of data.fans) {
      const colour = fan.side === "short" ? palette.short : palette.long;
      const at = (row: number, quantile: number): [number, number] | null => {
        const y = series.priceToCoordinate(data.price * (1 + fan.rows[row]![quantile]! / 100));
        return y === null ? null : [left + (span * (row + 1)) / fan.rows.length, y];
      };
      const start = series.priceToCoordinate(data.price);
      if (start === null) continue;
      for (const [low, high, alpha] of [[0, 4, 0.18], [1, 3, 0.32]] as const) {
        context.beginPath();
        context.moveTo(left, start);
        for (let row = 0; row < fan.rows.length; row++) lineTo(context, at(row, high));
        for (let row = fan.rows.length - 1; row >= 0; row--) lineTo(context, at(row, low));
        context.closePath();
        context.globalAlpha = alpha;
        context.fillStyle = colour;
        context.fill();
      }
      context.globalAlpha = 1;
      context.beginPath();
      context.moveTo(left, start);
      for (let row = 0; row < fan.rows.length; row++) lineTo(context, at(row, 2));
      context.strokeStyle = colour;
      context.lineWidth = 1.5;
      context.stroke();
    }
    context.strokeStyle = palette.dim;
    context.lineWidth = 1;
    line(context, left - 4.5, 0, left - 4.5, height);
    context.font = "10px system-ui, sans-serif";
    context.textBaseline = "bottom";
    const words = span < 100 ? [`${data.minutes} min`] : [`next ${data.minutes} min after`, ...data.fans.map(({ words: told }) => told)];
    context.globalAlpha = 0.8;
    context.fillStyle = palette.paper;
    context.fillRect(left - 3, height - 14 * words.length - 6, span + 6, 14 * words.length + 6);
    context.globalAlpha = 1;
    for (const [row, text] of words.entries()) {
      context.fillStyle = row === 0 ? palette.dim : palette.ink;
      context.fillText(text, left, height - 14 * (words.length - 1 - row) - 4, span);
    }
  }
}

interface Pen {
  context: CanvasRenderingContext2D;
  width: number;
  height: number;
  data: Over;
  palette: Palette;
  chart: IChartApiBase<Time>;
  series: ISeriesApi<SeriesType, Time>;
}

function line(context: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}

function lineTo(context: CanvasRenderingContext2D, point: [number, number] | null): void {
  if (point) context.lineTo(point[0], point[1]);
}
