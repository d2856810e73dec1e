// Where the page begins.
import { render } from "preact";
import { App } from "./app";
import { start } from "./store";
import "./style.css";

// the answers are on their way while the page is first drawn
void start();
const root = document.getElementById("app")!;
root.replaceChildren();
render(<App />, root);
