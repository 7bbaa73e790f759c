// The log of events: newest first, can be paused and filtered.

import { now, watch } from "../data.js";
import { fill, h, icon, setText } from "../dom.js";
import { clock, date, number, plural, words } from "../format.js";
import { eventText } from "./event-text.js";
import { peerLink } from "../peer-link.js";

const SHOWN = 400;

export function open(main, params) {
  let paused = null;
  let drawn = 0;
  const hidden = new Set();
  const body = h("tbody");
  const count = h("span", { class: "count", role: "status" });
  const kinds = h("div", { class: "chips", role: "group", "aria-label": "Kinds shown" });
  const search = h("input", { type: "search", class: "filter", placeholder: "Filter by peer, address or words", "aria-label": "Filter", oninput: () => redraw(), autocomplete: "off", spellcheck: "false", value: params.get("peer") ?? "" });
  const pause = h("button", { type: "button", "aria-pressed": "false", onclick: () => toggle() });
  const note = h("p", { class: "empty" });
  main.append(
    h("div", { class: "bar" }, pause, search, count), kinds,
    h("div", { class: "table-box" }, h("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": "Events" },
      h("table", { class: "log" }, h("caption", { class: "unseen" }, "Events, the newest first"),
        h("thead", {}, h("tr", {}, ["Time", "Kind", "Peer", "What"].map((label) => h("th", { scope: "col" }, label)))), body)), note));

  const matches = (event) => {
    if (hidden.has(event.kind)) return false;
    const query = search.value.trim().toLowerCase();
    return !query || `${event.kind} ${event.peer_id ?? ""} ${eventText(event)}`.toLowerCase().includes(query);
  };
  const line = (event) => h("tr", {}, h("td", { class: "mono", title: date(event.time) }, clock(event.time)),
    h("td", {}, h("span", { class: `kind kind-${event.kind}` }, words(event.kind))),
    h("td", {}, event.peer_id ? peerLink(event.peer_id) : "–"), h("td", { class: "what" }, eventText(event)));
  const shown = () => paused ?? now.events;

  function redraw() {
    const found = shown().filter(matches);
    fill(body, found.slice(-SHOWN).reverse().map(line));
    drawn = now.events.at(-1)?.seq ?? 0;
    tell(found.length);
  }
  function tell(found) {
    note.hidden = found > 0;
    setText(note, now.events.length ? "Nothing matches the filter." : "Nothing has happened yet.");
    const missed = paused ? now.events.length - paused.length : 0;
    setText(count, `${number(found)} of ${plural(shown().length, "event")}${missed > 0 ? `, ${number(missed)} since the pause` : ""}`);
  }
  function toggle() {
    paused = paused ? null : now.events;
    drawPause();
    redraw();
  }
  function drawPause() {
    fill(pause, icon(paused ? "play" : "pause"), h("span", {}, paused ? "Go on" : "Pause"));
    pause.setAttribute("aria-pressed", String(paused !== null));
  }
  function drawKinds() {
    const counts = new Map();
    shown().forEach(({ kind }) => counts.set(kind, (counts.get(kind) ?? 0) + 1));
    for (const kind of [...counts.keys()].sort()) {
      let chip = [...kinds.children].find((one) => one.dataset.kind === kind);
      if (!chip) {
        chip = h("button", { type: "button", "data-kind": kind, "aria-pressed": "true", class: "chip", onclick: () => {
          if (!hidden.delete(kind)) hidden.add(kind);
          chip.setAttribute("aria-pressed", String(!hidden.has(kind)));
          redraw();
        } }, h("span", {}, words(kind)), h("span", { class: "badge" }));
        kinds.append(chip);
      }
      setText(chip.lastChild, number(counts.get(kind)));
    }
  }
  /** Only what is new is drawn: a busy log must not cost more with its length. */
  function update() {
    if (paused) return tell(shown().filter(matches).length);
    const fresh = now.events.filter((event) => event.seq > drawn && matches(event)).map(line);
    drawn = now.events.at(-1)?.seq ?? drawn;
    body.prepend(...fresh.reverse());
    while (body.children.length > SHOWN) body.lastChild.remove();
    drawKinds();
    return tell(shown().filter(matches).length);
  }
  drawPause();
  const stop = watch(["events"], update);
  update();
  return { close: stop, go: (next) => { search.value = next.get("peer") ?? search.value; redraw(); } };
}
