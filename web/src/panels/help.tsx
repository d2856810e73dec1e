// Keys, marks and the glossary, over the page.
import { useLayoutEffect, useRef } from "preact/hooks";
import { GLOSSARY } from "../parts/glossary";
import { helpShown } from "../store";

const KEYS: [string, string][] = [
  ["1 – 9", "go to a panel"],
  ["← → + − Home", "move and zoom the chart when it has the focus"],
  ["H L F N", "heatmap, levels, forced prints, fan: on or off"],
  ["Space", "play or pause the replay"],
  ["T", "dark or light"],
  ["?", "this help"],
  ["Esc", "close"],
];

export function Help() {
  const box = useRef<HTMLDialogElement>(null);
  const term = helpShown.value;
  // Laid out, not after the paint: an Escape pressed as soon as the words stand there finds it open.
  useLayoutEffect(() => {
    if (term === null) return box.current?.close();
    if (!box.current?.open) box.current?.showModal();
    if (term) box.current?.querySelector(`[data-word="${CSS.escape(term)}"]`)?.scrollIntoView({ block: "center" });
  }, [term]);
  return (
    <dialog ref={box} aria-labelledby="help-title" onClose={() => (helpShown.value = null)}>
      <header><h2 id="help-title">Help</h2><button type="button" onClick={() => (helpShown.value = null)} aria-label="close">×</button></header>
      <div class="helpbody" tabIndex={0} role="region" aria-label="help text">
        <h3>Marks</h3>
        <p>● measured: read or summed from data. ○ modelled: rests on assumptions. ◐ both. Ranges are 10 to 90 %. <i>unknown</i> is never zero: hover or focus it for the reason.</p>
        <h3>Keys</h3>
        <table class="tight"><tbody>{KEYS.map(([key, does]) => <tr key={key}><th scope="row"><kbd>{key}</kbd></th><td>{does}</td></tr>)}</tbody></table>
        <h3>Words</h3>
        <dl class="glossary">
          {GLOSSARY.map(({ word, meaning }) => <div key={word} data-word={word} class={word === term ? "found" : ""}><dt>{word}</dt><dd>{meaning}</dd></div>)}
        </dl>
        <p class="dim">How each figure is made: docs/brief.md, docs/how-the-map-works.md, docs/how-the-cascade-works.md, docs/verdict.md and docs/dashboard.md in the source.</p>
      </div>
    </dialog>
  );
}
