// The replay bar: where the recording stands, and moving it.
import { useSignal } from "@preact/signals";
import { moment } from "../format";
import { health, link, replay } from "../store";

const SPEEDS = [1, 4, 16, 60];

export function toggleReplay(): void {
  const state = health.value.value?.replay?.state;
  if (state) void replay(state === "playing" ? "pause" : "play").catch(() => undefined);
}

export function ReplayBar() {
  const why = useSignal("");
  const told = health.value.value?.replay;
  if (!told) return null;
  const first = Date.parse(told.first);
  const last = Date.parse(told.last);
  const at = Date.parse(told.at);
  const act = (...given: Parameters<typeof replay>): void => {
    why.value = "";
    replay(...given).catch((error: unknown) => (why.value = error instanceof Error ? error.message : String(error)));
  };
  const off = link.value.state !== "live";
  return (
    <div class="replay" role="group" aria-label="replay">
      <button type="button" class="do" disabled={off} onClick={toggleReplay} aria-label={told.state === "playing" ? "pause" : "play"}>{told.state === "playing" ? "❚❚" : "▶"}</button>
      <time dateTime={told.at}>{moment(told.at)}:{String(new Date(at).getUTCSeconds()).padStart(2, "0")} UTC</time>
      <input type="range" aria-label="moment of the recording" disabled={off} min={first} max={last} step="1000" value={at}
        aria-valuetext={moment(told.at, true)} onChange={(event) => act("seek", { to: new Date(Number(event.currentTarget.value)).toISOString() })} />
      <span class="choices" role="group" aria-label="speed">
        {SPEEDS.map((speed) => <button type="button" key={speed} disabled={off} aria-pressed={told.speed === speed} onClick={() => act("speed", { speed })}>{speed}×</button>)}
      </span>
      {told.state === "ended" && <span class="dim">the recording ended</span>}
      {why.value && <span class="why">{why.value}</span>}
    </div>
  );
}
