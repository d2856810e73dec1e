// The way to the server: a token by launch code, answers by GET, one websocket; docs/api.md has the contract.
import type { HeatFrame } from "./model";

const KEY = "airpocket.token";
const BASE = "/api/v1";

/** An answer that is none, with the server's reason. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

let token = sessionStorage.getItem(KEY);

/** Exchange the code of the page's address for a token; whether there is a token now. */
export async function enter(): Promise<boolean> {
  const code = /^#t=(.+)$/.exec(location.hash)?.[1];
  if (code) {
    history.replaceState(null, "", location.pathname);
    const found = await call<{ token: string }>("POST", "/session", { code });
    token = found.token;
    sessionStorage.setItem(KEY, token);
  }
  return token !== null;
}

/** Forget a token that the server no longer takes. */
export function leave(): void {
  token = null;
  sessionStorage.removeItem(KEY);
}

export const get = <T>(path: string): Promise<T> => call<T>("GET", path);
export const post = <T>(path: string, body?: unknown): Promise<T> => call<T>("POST", path, body);

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await ask(method, path, body);
  return (await response.json()) as T;
}

async function ask(method: string, path: string, body?: unknown): Promise<Response> {
  const headers: Record<string, string> = {};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(BASE + path, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
  } catch {
    throw new Refused(0, "unreachable", "the server does not answer");
  }
  if (response.ok) return response;
  let problem: { code?: string; message?: string } = {};
  try {
    problem = (await response.json()) as { code?: string; message?: string };
  } catch {
    // what is no JSON says nothing more than its status
  }
  throw new Refused(response.status, problem.code ?? "", problem.message ?? `the server answers ${response.status}`);
}

export async function heat(): Promise<HeatFrame> {
  return unpack(await (await ask("GET", "/map/heat")).arrayBuffer());
}

/** Bytes of a heatmap as numbers; docs/api.md has the layout. */
export function unpack(bytes: ArrayBuffer): HeatFrame {
  const view = new DataView(bytes);
  const text = new TextDecoder();
  if (text.decode(new Uint8Array(bytes, 0, 4)) !== "APH1") throw new Refused(0, "format", "the heatmap is not in the format known");
  const length = view.getUint32(4, true);
  const head = JSON.parse(text.decode(new Uint8Array(bytes, 8, length))) as HeatFrame & { columns: number; rows: number };
  const at = 8 + length;
  const { columns, rows } = head;
  const cells = at + 12 * columns;
  return {
    ...head,
    time_s: [...new Float64Array(bytes, at, columns)],
    close: [...new Float32Array(bytes, at + 8 * columns, columns)],
    cells: Array.from({ length: columns }, (_, column) => new Uint8Array(bytes, cells + column * rows, rows)),
  };
}

export interface Envelope {
  topic: string;
  kind: "snapshot" | "delta" | "notice";
  epoch: string;
  sequence: number;
  data: unknown;
}

/** One websocket: opened with a ticket, subscribed to all topics. `closed` is called once, with the reason. */
export async function listen(heard: (said: Envelope | HeatFrame) => void, closed: (why: string) => void): Promise<void> {
  const { ticket } = await post<{ ticket: string }>("/ticket");
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    socket.send(JSON.stringify({ op: "auth", ticket }));
    socket.send(JSON.stringify({ op: "subscribe", topics: ["heat", "tape", "health"] }));
  };
  socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
    heard(typeof data === "string" ? (JSON.parse(data) as Envelope) : unpack(data));
  };
  socket.onclose = (event) => closed(event.reason || (event.code === 1013 ? "too slow, or no place" : "the connection closed"));
}
