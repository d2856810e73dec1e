// Where the page begins.
import { render } from "preact";
import { App } from "./app";
import { start } from "./store";
import "./style.css";

const root = document.getElementById("app")!;
root.replaceChildren();
render(<App />, root);
void start();
