// The liquidation heatmap: one pixel a cell in an off-screen picture, one drawImage a frame behind the candles.
import type {
  IChartApiBase,
  IPrimitivePaneRenderer,
  IPrimitivePaneView,
  ISeriesApi,
  ISeriesPrimitive,
  ITimeScaleApi,
  Logical,
  SeriesAttachedParameter,
  SeriesType,
  Time,
} from "lightweight-charts";
import { type Palette, type Ramp, table } from "./palette";

export interface Grid {
  /** seconds since 1970 from which each column holds */
  time_s: number[];
  /** price that parts longs below from shorts above, by column */
  close: number[];
  /** edges of the rows, rising, one more than there are rows */
  edge: number[];
  /** brightness by column and row, 0 to 255: the root of the amount */
  cells: Uint8Array[];
}

const ROWS_MOST = 1024;
type Target = Parameters<IPrimitivePaneRenderer["draw"]>[0];

/** A stretch of columns that are equally many bars wide. */
interface Run {
  column: number;
  columns: number;
  bar: number;
  bars: number;
}

export class Heat implements ISeriesPrimitive<Time> {
  shown = true;
  private chart?: IChartApiBase<Time>;
  private series?: ISeriesApi<SeriesType, Time>;
  private picture?: OffscreenCanvas | undefined;
  private painted?: { grid: Grid; palette: Palette } | undefined;
  private runs: Run[] = [];
  private low = 0;
  private high = 0;
  private redraw?: () => void;
  private readonly view: IPrimitivePaneView = {
    zOrder: () => "bottom",
    renderer: () => ({ draw: () => undefined, drawBackground: (target: Target) => this.draw(target) }),
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
    return [this.view];
  }

  show(shown: boolean): void {
    this.shown = shown;
    this.redraw?.();
  }

  /** Show a grid over candles that open at the seconds `bars`; painted anew only if the grid or the colours are others. */
  set(grid: Grid | null, bars: number[], palette: Palette): void {
    if (!grid || grid.time_s.length === 0 || bars.length === 0) {
      this.picture = this.painted = undefined;
      this.runs = [];
    } else {
      if (this.painted?.grid !== grid || this.painted.palette !== palette) {
        this.low = grid.edge[0]!;
        this.high = grid.edge[grid.edge.length - 1]!;
        this.picture = paint(grid, palette);
        this.painted = { grid, palette };
      }
      this.runs = runsOf(grid.time_s, bars);
    }
    this.redraw?.();
  }

  private draw(target: Target): void {
    const { chart, series, picture } = this;
    if (!this.shown || !chart || !series || !picture) return;
    const top = series.priceToCoordinate(this.high);
    const bottom = series.priceToCoordinate(this.low);
    if (top === null || bottom === null) return;
    target.useBitmapCoordinateSpace(({ context, bitmapSize, horizontalPixelRatio: rx, verticalPixelRatio: ry }) => {
      context.imageSmoothingEnabled = false;
      const y = Math.round(top * ry);
      const height = Math.round(bottom * ry) - y;
      const time = chart.timeScale();
      for (const [at, run] of this.runs.entries()) {
        const from = leftOf(time, run.bar);
        const to = leftOf(time, run.bar + run.bars);
        // the newest column holds on over what has not happened yet
        const x = Math.round(from * rx);
        const end = at === this.runs.length - 1 ? Math.max(bitmapSize.width, x + 1) : Math.round(to * rx);
        if (end <= 0 || x >= bitmapSize.width) continue;
        context.drawImage(picture, run.column, 0, run.columns, picture.height, x, y, end - x, height);
      }
    });
  }
}

/** Where a bar begins, px; the library places whole bars only, by their middle. */
export function leftOf(time: ITimeScaleApi<Time>, bar: number): number {
  return (time.logicalToCoordinate(bar as Logical) ?? 0) - time.options().barSpacing / 2;
}

/** Columns joined where each is as many bars wide as the one before; the newest stands alone. */
export function runsOf(start: number[], bars: number[]): Run[] {
  const first = start.map((second) => lowerBound(bars, second));
  const runs: Run[] = [];
  for (let column = 0; column < start.length; column++) {
    const bar = first[column]!;
    const last = column === start.length - 1;
    const bars_ = last ? 1 : first[column + 1]! - bar;
    if (bars_ <= 0) continue;
    const before = runs[runs.length - 1];
    const joins =
      !last &&
      before !== undefined &&
      before.column + before.columns === column &&
      before.bars / before.columns === bars_;
    if (joins) {
      before.columns += 1;
      before.bars += bars_;
    } else runs.push({ column, columns: 1, bar, bars: bars_ });
  }
  return runs;
}

function lowerBound(sorted: number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** One pixel a cell, rows equally high in price from the top down, colour by brightness. */
function paint(grid: Grid, palette: Palette): OffscreenCanvas {
  const { edge, cells, close } = grid;
  const low = edge[0]!;
  const high = edge[edge.length - 1]!;
  const rows = Math.min(ROWS_MOST, 3 * (edge.length - 1));
  const bins = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const price = high - ((row + 0.5) / rows) * (high - low);
    bins[row] = Math.max(0, lowerBound(edge, price) - 1);
  }
  const most = loud(cells);
  const short = colours(palette.heat.short, most);
  const long = colours(palette.heat.long, most);
  const width = cells.length;
  const pixels = new Uint32Array(width * rows);
  for (let column = 0; column < width; column++) {
    const amounts = cells[column]!;
    // bins from this one on lie above the price
    const parted = lowerBound(edge, close[column]!);
    for (let row = 0, at = column; row < rows; row++, at += width) {
      const bin = bins[row]!;
      const above = bin >= parted || (bin === parted - 1 && (edge[bin]! + edge[bin + 1]!) / 2 > close[column]!);
      pixels[at] = (above ? short : long)[amounts[bin]!]!;
    }
  }
  const canvas = new OffscreenCanvas(width, rows);
  canvas.getContext("2d")!.putImageData(new ImageData(new Uint8ClampedArray(pixels.buffer), width, rows), 0, 0);
  return canvas;
}

/** The pixel of each brightness, in the byte order of this machine, as pictures are. */
function colours(ramp: Ramp, most: number): Uint32Array {
  const steps = new Uint32Array(table(ramp).buffer);
  return Uint32Array.from({ length: 256 }, (_, brightness) => steps[Math.round(255 * Math.min(1, brightness / most))]!);
}

/** The brightness that is painted as the most: 99.5 % of the cells with any are below it. */
function loud(cells: Uint8Array[]): number {
  const counts = new Uint32Array(256);
  for (const column of cells) for (const cell of column) counts[cell]! += 1;
  let left = 0.005 * counts.subarray(1).reduce((sum, count) => sum + count, 0);
  let level = 255;
  while (level > 1 && left >= counts[level]!) left -= counts[level--]!;
  return level;
}
