// The bundle of the chart alone: draws the scene of the page that it stands in, and is a notebook's widget (anywidget).
import type { Scene } from "./scene";
import { mount, type Theme } from "./stage";

interface Model {
  get(name: "scene"): Scene;
  get(name: "theme"): Theme;
  get(name: "height"): number;
  on(event: string, heard: () => void): void;
  off(event: string, heard: () => void): void;
}

async function render({ model, el }: { model: Model; el: HTMLElement }): Promise<() => void> {
  const draw = (): Promise<() => void> => mount(el, model.get("scene"), model.get("theme"), model.get("height"));
  let drawn = draw();
  const again = (): void => {
    // what could not be drawn leaves nothing, and keeps nothing from being drawn after it
    drawn = drawn.then((remove) => remove(), () => undefined).then(draw);
  };
  const events = ["change:scene", "change:theme", "change:height"];
  for (const event of events) model.on(event, again);
  await drawn;
  return () => {
    for (const event of events) model.off(event, again);
    void drawn.then((remove) => remove());
  };
}

export default { render };

const data = document.getElementById("airpocket-scene");
const host = document.getElementById("airpocket-chart");
if (data && host) {
  host.hidden = false;
  mount(host, JSON.parse(data.textContent ?? "") as Scene).then(
    // the still pictures behind it need not show the same again
    () => document.documentElement.classList.add("drawn"),
    (error: unknown) => {
      host.hidden = true;
      console.error(error);
    },
  );
}
