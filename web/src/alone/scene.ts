// A scene as src/airpocket/brief/scene.py writes it, and its heatmap's cells unpacked.
import type { Scene as Drawn } from "../chart/market";
import type { PaneData } from "../chart/panes";
import type { Grid } from "../chart/raster";

export interface Scene {
  schema: string;
  asset: string;
  as_of: string;
  simulated: boolean;
  stamp: string;
  price: number | null;
  bars: Drawn["bars"];
  panes: Omit<PaneData, "unknown">[];
  prints: Drawn["prints"];
  zones: Drawn["zones"];
  fans: Drawn["fans"];
  fan_s: number;
  /** cells: base64 of zlib of one byte a cell, column after column */
  heat: { time_s: number[]; close: number[]; edge: number[]; cells: string } | null;
  missing: [string, string][];
}

export async function unpacked(told: Scene): Promise<Drawn> {
  if (told.schema !== "airpocket.scene/2") throw new Error(`no scene that this chart knows: ${told.schema}`);
  return {
    bars: told.bars,
    price: told.price,
    panes: told.panes.map((pane) => ({ ...pane, unknown: null })),
    prints: told.prints,
    heat: told.heat && { ...told.heat, cells: await cells(told.heat) },
    zones: told.zones,
    fans: told.fans,
    fanSeconds: told.fan_s,
  };
}

async function cells({ time_s, edge, cells: packed }: NonNullable<Scene["heat"]>): Promise<Grid["cells"]> {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const whole = await new Response(plain).arrayBuffer();
  const rows = edge.length - 1;
  return time_s.map((_, column) => new Uint8Array(whole, column * rows, rows));
}
