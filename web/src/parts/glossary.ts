// The glossary of the documentation, read into the bundle when it is built, so that help needs no network.
import text from "../../../docs/glossary.md?raw";

export interface Entry {
  word: string;
  meaning: string;
}

export const GLOSSARY: Entry[] = text
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| word"))
  .map((line) => {
    const [, word = "", meaning = ""] = line.split("|").map((cell) => cell.trim());
    return { word, meaning };
  });

/** Words that a label may hold, and the entry that explains them, the most telling first. */
const HINTS: [RegExp, string][] = [
  [/squeeze number|\bS\b/, "S, squeeze number"],
  [/ignition|push that opens/i, "ignition cost"],
  [/minutes of/i, "minutes of buying, of selling"],
  [/pocket/i, "pocket"],
  [/glide|easier/i, "glide"],
  [/κτ/, "κτ"],
  [/reproduction|\bR\b/, "R, reproduction"],
  [/at risk|forced out within/i, "at risk within 5 %"],
  [/hedged/i, "hedged share"],
  [/cluster/i, "cluster"],
  [/fan/i, "fan"],
  [/thin|vacuum/i, "vacuum"],
  [/funding|% per 8 h|annualised/i, "funding"],
  [/interest/i, "open interest (OI)"],
  [/buffer/i, "buffer"],
  [/maintenance/i, "maintenance margin"],
  [/bankrupt/i, "bankruptcy price"],
  [/zone|level|support|resistance/i, "zone"],
  [/trigger/i, "trigger"],
  [/\bsd\b|scored/i, "sd"],
];

export function explain(term: string, label: string): Entry | null {
  const exact = GLOSSARY.find(({ word }) => word === term);
  if (exact) return exact;
  const hint = HINTS.find(([pattern]) => pattern.test(label)) ?? HINTS.find(([pattern]) => pattern.test(term));
  return GLOSSARY.find(({ word }) => word === hint?.[1]) ?? null;
}
