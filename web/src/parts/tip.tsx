// One small window that explains a figure: what it is, where from, how old, how sure, and where to read on.
import { signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { age, figure, interval, moment } from "../format";
import type { Estimate } from "../model";
import { helpShown, since } from "../store";
import { explain } from "./glossary";

export interface Tip {
  label: string;
  estimate?: Estimate;
  lines?: string[];
  term?: string;
}

const open = signal<{ tip: Tip; anchor: DOMRect } | null>(null);

let closing = 0;

export function showTip(element: Element, tip: Tip): void {
  clearTimeout(closing);
  open.value = { tip, anchor: element.getBoundingClientRect() };
}

export function hideTip(soon = true): void {
  clearTimeout(closing);
  if (!soon) open.value = null;
  else closing = window.setTimeout(() => (open.value = null), 180);
}

/** What an element needs to explain itself on hover, focus and tap. */
export function explains(tip: Tip) {
  return {
    tabIndex: 0,
    onMouseEnter: (event: MouseEvent) => showTip(event.currentTarget as Element, tip),
    onMouseLeave: () => hideTip(),
    onFocus: (event: FocusEvent) => showTip(event.currentTarget as Element, tip),
    onBlur: () => hideTip(),
    onClick: (event: MouseEvent) => showTip(event.currentTarget as Element, tip),
  };
}

export function TipWindow() {
  const box = useRef<HTMLDivElement>(null);
  const shown = open.value;
  useLayoutEffect(() => {
    const element = box.current;
    if (!element || !shown) return;
    const { anchor } = shown;
    const { width, height } = element.getBoundingClientRect();
    const below = anchor.bottom + 6 + height < innerHeight || anchor.top < height + 12;
    element.style.left = `${Math.max(8, Math.min(anchor.left, innerWidth - width - 8))}px`;
    element.style.top = `${Math.max(8, below ? anchor.bottom + 6 : anchor.top - height - 6)}px`;
  }, [shown]);
  if (!shown) return null;
  const { tip } = shown;
  const entry = explain(tip.term ?? tip.estimate?.unit ?? "", tip.label);
  return (
    <div class="tip" role="tooltip" ref={box} onMouseEnter={() => clearTimeout(closing)} onMouseLeave={() => hideTip()}>
      <strong>{tip.label}</strong>
      {tip.estimate && <Told estimate={tip.estimate} />}
      {tip.lines?.map((line) => <p key={line}>{line}</p>)}
      {entry && (
        <p class="explained">
          <b>{entry.word}</b>: {entry.meaning}{" "}
          <button type="button" class="link" onClick={() => { helpShown.value = entry.word; hideTip(false); }}>more</button>
        </p>
      )}
    </div>
  );
}

const WORDS = { measured: "measured: read or summed from data", modelled: "modelled: rests on assumptions", mixed: "mixed: data and assumptions" };

function Told({ estimate }: { estimate: Estimate }) {
  if (estimate.value === null) return <p class="why">unknown: {estimate.unknown}</p>;
  const range = interval(estimate);
  return (
    <dl>
      <dt>value</dt>
      <dd>{figure(estimate)}{estimate.at_least ? " or more" : ""}</dd>
      {range && <><dt>10–90 %</dt><dd>{range}</dd></>}
      <dt>unit</dt><dd>{estimate.unit}</dd>
      <dt>origin</dt><dd>{WORDS[estimate.provenance]}</dd>
      {estimate.as_of && <><dt>as of</dt><dd>{moment(estimate.as_of, true)}{estimate.age_s === null ? "" : ` (age ${age(estimate.age_s + since.value)})`}</dd></>}
      {estimate.source && <><dt>source</dt><dd>{estimate.source}</dd></>}
    </dl>
  );
}
