// A panel with its designed states: on its way, nothing there, refused, and shown although the newest was refused.
import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { Doc } from "../store";

export function Panel(props: { id: string; title: string; aside?: ComponentChildren; children: ComponentChildren; wide?: string }) {
  return (
    <section class={`panel ${props.wide ?? ""}`} id={props.id} aria-labelledby={`${props.id}-title`} tabIndex={-1}>
      <header>
        <h2 id={`${props.id}-title`}>{props.title}</h2>
        {props.aside && <div class="aside">{props.aside}</div>}
      </header>
      {props.children}
    </section>
  );
}

/** The answer's content once it is there; else why not. */
export function Given<T>(props: { doc: Signal<Doc<T>>; what: string; children: (value: T) => ComponentChildren }) {
  const { state, value, reason } = props.doc.value;
  if (value !== null) {
    return (
      <>
        {state === "error" && <p class="notice warn">Newer {props.what} could not be had: {reason}. Shown is what was there before.</p>}
        {props.children(value)}
      </>
    );
  }
  if (state === "error") return <p class="notice"><b>No {props.what}.</b> {reason}</p>;
  return (
    <div class="skeleton" role="status" aria-label={`${props.what} is loading`}>
      <i /><i /><i />
      {reason && <p class="dim">{reason}</p>}
    </div>
  );
}

export function Unknown({ what, why }: { what: string; why: string }) {
  return <p class="notice"><b>{what}: unknown.</b> {why}</p>;
}
