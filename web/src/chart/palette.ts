// Colours of the chart, told apart without red against green (Okabe–Ito): vermilion shorts above, blue longs below.
export interface Palette {
  ink: string;
  dim: string;
  line: string;
  paper: string;
  short: string;
  long: string;
  rise: string;
  fall: string;
  venues: string[];
  heat: { short: Ramp; long: Ramp };
}

/** Colour stops from nothing to the most: red, green, blue, opacity, each 0 to 255. */
export type Ramp = [number, number, number, number][];

export const DARK: Palette = {
  ink: "#e3e7ec",
  dim: "#8b96a3",
  line: "#232a32",
  paper: "#0e1216",
  short: "#ff8a3d",
  long: "#56b4e9",
  rise: "#dfe5ec",
  fall: "#66717e",
  venues: ["#e6c84f", "#4cc9a4", "#d58fc0", "#a9b8ff", "#e3e7ec", "#c9a27a", "#8b96a3"],
  heat: {
    short: [[70, 26, 8, 0], [92, 34, 8, 70], [150, 60, 8, 150], [226, 118, 22, 205], [255, 222, 130, 240]],
    long: [[6, 34, 60, 0], [8, 50, 88, 70], [14, 84, 138, 150], [48, 148, 210, 205], [180, 232, 255, 240]],
  },
};

export const LIGHT: Palette = {
  ink: "#1a1f25",
  dim: "#5d6772",
  line: "#e3e7ec",
  paper: "#ffffff",
  short: "#c24e00",
  long: "#0069a8",
  rise: "#ffffff",
  fall: "#3c4650",
  venues: ["#8a6d00", "#00795a", "#a2447f", "#4353b8", "#1a1f25", "#7a5230", "#5d6772"],
  heat: {
    short: [[255, 220, 190, 0], [255, 214, 180, 90], [252, 176, 116, 160], [226, 102, 24, 205], [130, 44, 0, 235]],
    long: [[200, 228, 247, 0], [190, 222, 245, 90], [128, 188, 230, 160], [26, 116, 184, 205], [0, 52, 104, 235]],
  },
};

/** 256 colours along a ramp, as bytes of red, green, blue, opacity. */
export function table(ramp: Ramp): Uint8ClampedArray {
  const made = new Uint8ClampedArray(1024);
  for (let level = 0; level < 256; level++) {
    const at = (level / 255) * (ramp.length - 1);
    const step = Math.min(Math.floor(at), ramp.length - 2);
    const low = ramp[step]!;
    const high = ramp[step + 1]!;
    for (let channel = 0; channel < 4; channel++) {
      made[4 * level + channel] = low[channel]! + (at - step) * (high[channel]! - low[channel]!);
    }
  }
  return made;
}
