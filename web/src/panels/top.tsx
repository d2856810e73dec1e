// The bar that stays in sight: what it is of, the price, how fresh, whether invented, and how the server is.
import { age, moment, percent, price } from "../format";
import { Figure, tellOf } from "../parts/figure";
import { brief, chooseTheme, clock, health, helpShown, link, simulated, stale, tape, theme } from "../store";

export function Top() {
  const told = brief.value.value;
  const day = told && tellOf(told.price.tells, "move_24h");
  const live = tape.value;
  const heard = live?.prices.find(({ contract }) => contract === live.reference)?.last ?? null;
  const last = told?.price.last;
  return (
    <header class="top">
      <h1><span class="brand">airpocket</span> {told?.asset ?? health.value.value?.asset ?? ""}</h1>
      {last && (
        <span class="last">
          <Figure estimate={last} label={`price of ${told.price.reference}`} {...(heard === null ? {} : { text: price(heard) })} />
        </span>
      )}
      {day && day.estimate.value !== null && (
        <Figure estimate={day.estimate} label="price change in 24 h" text={`${percent(day.estimate.value)} 24 h`} />
      )}
      {simulated.value && <span class="badge simulated" title={health.value.value?.label ?? "an invented market"}>SIMULATED</span>}
      <span class="spring" />
      {told && <span class="asof">as of <time dateTime={told.as_of}>{moment(told.as_of, true)}</time></span>}
      <Link />
      <button type="button" onClick={chooseTheme} aria-label={`switch to ${theme.value === "dark" ? "light" : "dark"} colours`} title="Colours (T)">{theme.value === "dark" ? "☾" : "☀"}</button>
      <button type="button" onClick={() => (helpShown.value = helpShown.value === null ? "" : null)} aria-label="help and keys" title="Help and keys (?)">?</button>
    </header>
  );
}

const MODES = { live: "live", replay: "replay", store: "from the store", drill: "drill, on paper" };

function Link() {
  const { state } = link.value;
  const told = health.value.value;
  const word = state === "live" ? MODES[told?.mode ?? "store"] : state === "starting" ? "connecting" : state === "locked" ? "locked" : "not connected";
  const kind = stale.value !== null || state === "lost" || state === "locked" ? "bad" : state === "live" ? "good" : "idle";
  return <span class={`link ${kind}`} role="status"><i aria-hidden="true" />{word}</span>;
}

/** What is wrong with what is shown, over the whole width. */
export function Banner() {
  const { state, reason, retryAt } = link.value;
  if (state === "locked") return null;
  const why = stale.value;
  if (why === null) return null;
  const at = brief.value.value?.as_of;
  const wait = Math.max(0, Math.ceil((retryAt - clock.value) / 1000));
  const held = at ? ` Shown is the market of ${moment(at, true)}${brief.value.at ? `, heard ${age((clock.value - brief.value.at) / 1000)} ago` : ""}.` : "";
  return (
    <p class="banner" role="alert">
      <b>{state === "lost" ? "Connection lost" : "Stale"}</b>: {state === "lost" ? reason : why}.{held}
      {state === "lost" && ` Trying again ${wait > 0 ? `in ${wait} s` : "now"}.`}
    </p>
  );
}

/** That the alerts' watcher of this store has died: nobody would hear of it otherwise. */
export function WatchBanner() {
  const watch = health.value.value?.watch;
  if (watch?.state !== "silent") return null;
  return <p class="banner" role="alert"><b>No alerts</b>: airpocket watch has said nothing for {age(watch.age_s)}. Nothing reaches anybody until it runs again.</p>;
}

export function Locked() {
  const { reason } = link.value;
  return (
    <main class="locked">
      <h1>airpocket</h1>
      <p><b>This tab has no key.</b>{reason ? ` The server says: ${reason}.` : ""}</p>
      <p>The address that the server prints opens the page once. For another:</p>
      <pre><code>airpocket serve --link</code></pre>
    </main>
  );
}
