// Numbers as a trader reads them: few digits, aligned, the unit last; what is unknown stays a dash with its reason.
import type { Estimate } from "./model";

const MINUS = "\u2212";
const THIN = "\u202f";

// made once each: making one takes longer than a hundred uses
const FORMATS: Intl.NumberFormat[] = [];
const formatOf = (digits: number): Intl.NumberFormat => new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });

/** A number with so many decimals, thousands apart, a real minus. */
export function decimal(value: number, digits: number): string {
  const text = (FORMATS[digits] ??= formatOf(digits)).format(Math.abs(value));
  return value < 0 && Number(text.replace(/,/g, "")) !== 0 ? MINUS + text : text;
}

/** Three significant digits. */
function short(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 100) return decimal(value, 0);
  if (size >= 10) return decimal(value, 1);
  if (size >= 0.1) return decimal(value, 2);
  return decimal(value, Math.min(6, 2 - Math.floor(Math.log10(size))));
}

export function usd(value: number, signed = false): string {
  const size = Math.abs(value);
  const sign = value < 0 ? MINUS : signed && value > 0 ? "+" : "";
  if (size >= 1e9) return `${sign}$${short(size / 1e9)}${THIN}bn`;
  if (size >= 1e6) return `${sign}$${short(size / 1e6)}${THIN}mn`;
  if (size >= 1e3) return `${sign}$${short(size / 1e3)}${THIN}k`;
  return `${sign}$${size === 0 ? "0" : decimal(size, size < 10 ? 2 : 0)}`;
}

export function coins(value: number): string {
  const size = Math.abs(value);
  const sign = value < 0 ? MINUS : "";
  if (size >= 1e6) return `${sign}${decimal(size / 1e6, 2)}${THIN}M`;
  if (size >= 1e4) return `${sign}${short(size / 1e3)}${THIN}k`;
  return sign + short(size);
}

export const price = (value: number): string => decimal(value, Math.abs(value) >= 100 ? 2 : 4);
export const percent = (value: number, digits = 1): string => `${value > 0 ? "+" : ""}${decimal(value, digits)}${THIN}%`;

const SUFFIX: Record<string, string> = {
  "quote per coin": "",
  "USDT per coin": "",
  coin: "",
  ratio: "×",
  x: "×",
  count: "",
  points: "",
  "0 to 100": "",
  bp: "bp",
  sd: "sd",
};

function bare(value: number, unit: string): string {
  if (unit === "USD") return usd(value);
  if (unit === "quote per coin" || unit.endsWith("per coin")) return price(value);
  if (unit === "coin") return coins(value);
  if (unit === "% per 8 h") return decimal(value, 4);
  return short(value);
}

/** Value and unit, without the interval. */
export function figure(estimate: Estimate): string {
  if (estimate.value === null) return "unknown";
  const unit = SUFFIX[estimate.unit] ?? (estimate.unit === "USD" || estimate.unit.endsWith("per coin") ? "" : estimate.unit);
  const text = bare(estimate.value, estimate.unit);
  const joined = unit === "" || unit === "×" ? text + unit : `${text}${THIN}${unit}`;
  return estimate.at_least ? `≥${THIN}${joined}` : joined;
}

/** The interval, or nothing where the figure has none or it is a point. */
export function interval(estimate: Estimate): string {
  const { low, high, unit } = estimate;
  if (low === null || high === null || low === high) return "";
  return `${bare(low, unit)} – ${bare(high, unit)}`;
}

export function age(seconds: number): string {
  if (seconds < 1) return "now";
  if (seconds < 90) return `${Math.round(seconds)}${THIN}s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)}${THIN}min`;
  if (seconds < 172800) return `${decimal(seconds / 3600, 1)}${THIN}h`;
  return `${Math.round(seconds / 86400)}${THIN}d`;
}

/** 2026-01-15T12:05:00Z as 15 Jan 12:05 UTC. */
export function moment(iso: string | number, long = false): string {
  const at = new Date(typeof iso === "number" ? iso / 1e6 : iso);
  if (Number.isNaN(at.getTime())) return "unknown time";
  const day = (long ? DATE : DAY).format(at);
  return `${day} ${at.toISOString().slice(11, 16)}${long ? " UTC" : ""}`;
}

const VENUES: Record<string, string> = {
  binance_usdm: "Binance",
  binance_coinm: "Binance coin-M",
  binance_spot: "Binance spot",
  bybit_linear: "Bybit",
  bybit_inverse: "Bybit inverse",
  okx: "OKX",
  deribit: "Deribit",
  hyperliquid: "Hyperliquid",
  coinbase: "Coinbase",
  kraken_spot: "Kraken spot",
  kraken_futures: "Kraken futures",
  sim_flows: "flows",
};

/** binance_usdm as Binance; one that is not known as it is. */
export const venue = (id: string): string => VENUES[id] ?? id;
/** binance_usdm:ETHUSDT as Binance ETHUSDT. */
export function contract(key: string): string {
  const [name = "", symbol = ""] = key.split(":");
  return symbol ? `${venue(name)} ${symbol}` : venue(name);
}
