// The page: the bar, the panels in the order in which a trader asks, and the keys.
import { useEffect } from "preact/hooks";
import { CarryPanel } from "./panels/carry";
import { CascadePanel } from "./panels/cascade";
import { ChartPanel } from "./panels/chart";
import { DrillPanel } from "./panels/drill";
import { DrillingPanel, drillKey } from "./panels/drilling";
import { FlowsPanel } from "./panels/flows";
import { FuelPanel } from "./panels/fuel";
import { HealthPanel } from "./panels/health";
import { Help } from "./panels/help";
import { LevelsPanel } from "./panels/levels";
import { PositionPanel } from "./panels/position";
import { ReplayBar, toggleReplay } from "./panels/replay";
import { Banner, Locked, Top, WatchBanner } from "./panels/top";
import { TriggerPanel } from "./panels/triggers";
import { VerdictPanel } from "./panels/verdict";
import { hideTip, TipWindow } from "./parts/tip";
import { chooseTheme, drilling, helpShown, layers, link } from "./store";

const PANELS = ["verdict", "chart", "triggers", "fuel", "cascade", "levels", "carry", "flows", "position"];
const LAYER_KEYS: Record<string, keyof typeof layers.value> = { h: "heat", l: "levels", f: "bubbles", n: "fan" };

function pressed(event: KeyboardEvent): void {
  const inside = (event.target as Element | null)?.closest("input, select, textarea, dialog");
  if (event.key === "Escape") return hideTip(false);
  if (inside || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.toLowerCase();
  if (drilling.value && drillKey(key, event)) return;
  const panel = PANELS[Number(key) - 1];
  const layer = LAYER_KEYS[key];
  if (panel) {
    const target = document.getElementById(panel);
    target?.scrollIntoView({ block: "start" });
    target?.focus({ preventScroll: true });
  } else if (layer) layers.value = { ...layers.value, [layer]: !layers.value[layer] };
  else if (key === "t") chooseTheme();
  else if (key === "?") helpShown.value = "";
  else if (key === " " && (event.target === document.body || (event.target as Element).matches(".panel"))) {
    toggleReplay();
    event.preventDefault();
  }
}

export function App() {
  useEffect(() => {
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
  if (link.value.state === "locked") return <Locked />;
  return (
    <>
      <a class="skip" href="#verdict">to the verdict</a>
      <Top />
      <Banner />
      <WatchBanner />
      <main>
        {drilling.value && <DrillingPanel />}
        <VerdictPanel />
        <ChartPanel />
        <div class="column">
          <TriggerPanel />
          <FuelPanel />
        </div>
        <CascadePanel />
        <LevelsPanel />
        <CarryPanel />
        <FlowsPanel />
        {!drilling.value && <PositionPanel />}
        <HealthPanel />
        {!drilling.value && <DrillPanel />}
      </main>
      <footer>
        <p>No order is placed from this page and nothing leaves this machine. Modelled figures can be wrong.</p>
        <p>Charts: TradingView Lightweight Charts™, Copyright © TradingView, Inc., <a href="https://www.tradingview.com/" rel="noreferrer noopener" target="_blank">tradingview.com</a>, Apache-2.0.</p>
      </footer>
      <ReplayBar />
      <TipWindow />
      <Help />
    </>
  );
}
