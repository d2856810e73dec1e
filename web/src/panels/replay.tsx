// The replay bar: where the recording stands, and moving it.
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { moment } from "../format";
import { health, link, replay } from "../store";

const SPEEDS = [1, 4, 16, 60];

export function toggleReplay(): void {
  const state = health.value.value?.replay?.state;
  if (state) void replay(state === "playing" ? "pause" : "play").catch(() => undefined);
}

export function ReplayBar() {
  const why = useSignal("");
  const held = useSignal<number | null>(null); // where the bar is being drawn to, until the replay stands there
  const seeks = useRef(0); // on their way
  const told = health.value.value?.replay;
  if (!told) return null;
  const first = Date.parse(told.first);
  const last = Date.parse(told.last);
  const at = Date.parse(told.at);
  const act = async (...given: Parameters<typeof replay>): Promise<void> => {
    why.value = "";
    await replay(...given).catch((error: unknown) => (why.value = error instanceof Error ? error.message : String(error)));
  };
  const seek = async (to: number): Promise<void> => {
    held.value = to;
    seeks.current += 1;
    await act("seek", { to: new Date(to).toISOString() });
    seeks.current -= 1;
    if (held.value === to) held.value = null;
  };
  // drawn back to where it was, it says nothing when it is let go
  const release = (): void => void setTimeout(() => { if (seeks.current === 0) held.value = null; });
  const shown = held.value ?? at;
  const words = new Date(shown).toISOString();
  const off = link.value.state !== "live";
  return (
    <div class="replay" role="group" aria-label="replay">
      <button type="button" class="do" disabled={off} onClick={toggleReplay} aria-label={told.state === "playing" ? "pause" : "play"}>{told.state === "playing" ? "❚❚" : "▶"}</button>
      <time dateTime={words}>{moment(words)}:{String(new Date(shown).getUTCSeconds()).padStart(2, "0")} UTC</time>
      <input type="range" aria-label="moment of the recording" disabled={off} min={first} max={last} step="1000" value={shown}
        aria-valuetext={moment(words, true)} onInput={(event) => (held.value = Number(event.currentTarget.value))} onPointerUp={release} onBlur={release}
        onChange={(event) => void seek(Number(event.currentTarget.value))} />
      <span class="choices" role="group" aria-label="speed">
        {SPEEDS.map((speed) => <button type="button" key={speed} disabled={off} aria-pressed={told.speed === speed} onClick={() => void act("speed", { speed })}>{speed}×</button>)}
      </span>
      {told.state === "ended" && <span class="dim">the recording ended</span>}
      {why.value && <span class="why">{why.value}</span>}
    </div>
  );
}
