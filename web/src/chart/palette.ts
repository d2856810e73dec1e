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
    short: [[90, 32, 8, 0], [120, 42, 6, 120], [196, 84, 8, 190], [244, 146, 40, 225], [255, 226, 140, 245]],
    long: [[6, 40, 70, 0], [8, 62, 108, 120], [22, 112, 176, 190], [72, 172, 232, 225], [190, 236, 255, 245]],
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
    short: [[255, 214, 180, 0], [255, 205, 165, 130], [250, 160, 95, 185], [224, 96, 20, 215], [130, 44, 0, 235]],
    long: [[190, 222, 245, 0], [180, 217, 243, 130], [110, 178, 226, 185], [20, 112, 180, 215], [0, 52, 104, 235]],
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
