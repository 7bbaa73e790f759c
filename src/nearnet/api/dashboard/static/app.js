// The frame around the views: header, navigation by the address, theme, and what is shown while the node is away.

import { askToken, hasToken, onToken, setToken } from "./actions.js";
import { repaintCharts } from "./charts.js";
import { now, start, watch } from "./data.js";
import { fill, h, icon, iconButton, setText } from "./dom.js";
import { notice } from "./dialogs.js";
import { duration, shortId } from "./format.js";
import { copyButton } from "./peer-link.js";

/** Address, name, module, and what the count beside the name is. */
const VIEWS = [
  ["overview", "Overview", null],
  ["map", "Map", () => now.graph.present().length || null],
  ["peers", "Peers", () => now.nearnet_peers?.length],
  ["known", "Known peers", () => now.status?.nearnet.known_peers],
  ["bans", "Bans", () => now.nearnet_bans?.length],
  ["routes", "Routes", () => now.status?.nearnet.reachable],
  ["accounts", "Accounts", () => now.nearnet_accounts?.length],
  ["traffic", "Traffic", null],
  ["events", "Events", null],
  ["limits", "Limits", null],
];

const main = document.getElementById("main");
let current = { name: null, view: null };

function parsed() {
  const [name, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const known = VIEWS.some(([one]) => one === name) ? name : "overview";
  return [known, new URLSearchParams(query)];
}

async function show() {
  const [name, params] = parsed();
  for (const link of document.querySelectorAll("#rail a")) {
    if (link.getAttribute("href") === `#/${name}`) {
      link.setAttribute("aria-current", "page");
      link.scrollIntoView({ block: "nearest", inline: "center" }); // On a phone the row is wider than the screen.
    } else link.removeAttribute("aria-current");
  }
  if (current.name === name && current.view?.go) {
    current.view.go(params);
    return;
  }
  const label = VIEWS.find(([one]) => one === name)[1];
  document.title = `${label} · nearnet`;
  const { open } = await import(`./views/${name}.js`);
  if (parsed()[0] !== name) return;
  const first = current.name === null;
  current.view?.close?.();
  main.className = `view view-${name}`;
  fill(main, h("h1", { class: name === "map" ? "unseen" : null }, label));
  current = { name, view: open(main, params) };
  if (!first) main.focus({ preventScroll: true });
  main.scrollTo?.(0, 0);
}

// --- theme -----------------------------------------------------------------------------------------

const dark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("nearnet-theme", theme);
  } catch {
    // The choice is then forgotten with the page.
  }
  painted();
}

function painted() {
  fill(themeButton, icon(isDark() ? "sun" : "moon"));
  const label = isDark() ? "Light theme" : "Dark theme";
  themeButton.setAttribute("aria-label", label);
  themeButton.title = label;
  repaintCharts();
  window.dispatchEvent(new Event("themed"));
}

const themeButton = iconButton("moon", "Dark theme", () => setTheme(isDark() ? "light" : "dark"));

// --- header and rail -------------------------------------------------------------------------------

const state = h("span", { class: "state", role: "status" });
const chain = h("span", { class: "chain" });
const identity = h("span", { class: "identity" });
const up = h("span", { class: "quiet up" });
const tokenButton = h("button", { type: "button", class: "token", onclick: () => (hasToken() ? forget() : void askToken()) });

function forget() {
  setToken(null);
  notice("The admin token is forgotten.");
}

function drawToken() {
  fill(tokenButton, icon("key"), h("span", {}, hasToken() ? "Admin" : "Read only"));
  tokenButton.title = hasToken() ? "Forget the admin token" : "Give the admin token, to ban, unban, connect and disconnect";
  tokenButton.classList.toggle("on", hasToken());
}

let shownId = null;

function drawHeader() {
  state.className = `state ${now.online ? "good" : "bad"}`;
  setText(state, now.online === null ? "Connecting" : now.online ? "Live" : "No answer");
  document.body.classList.toggle("offline", now.online === false);
  const { status } = now;
  if (!status) return;
  setText(chain, status.chain_id || "no chain id");
  setText(up, `up ${duration(status.uptime_sec)}`);
  if (shownId !== status.node_public_key) {
    shownId = status.node_public_key;
    fill(identity, h("span", { class: "mono", title: shownId }, shortId(shownId)), copyButton(shownId, "this node's id"));
  }
  drawCounts();
}

/** A count that grows pushes the row on: where one is stays in sight, unless it was scrolled away by hand. */
function drawCounts() {
  const rail = document.getElementById("rail").getBoundingClientRect();
  const here = document.querySelector("#rail a[aria-current]");
  const { left, right } = here.getBoundingClientRect();
  VIEWS.forEach(([name, , count]) => count && setText(document.getElementById(`count-${name}`), count() ?? ""));
  if (left >= rail.left && right <= rail.right) here.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function frame() {
  fill(document.getElementById("top"),
    h("a", { class: "brand", href: "#/overview" }, h("img", { src: "/dashboard/favicon.svg", alt: "", width: 22, height: 22 }), "nearnet"),
    state, chain, identity, up, h("span", { class: "spring" }), tokenButton, themeButton);
  fill(document.getElementById("rail"), VIEWS.map(([name, label, count], at) =>
    h("a", { href: `#/${name}`, "aria-keyshortcuts": (at + 1) % 10 }, h("span", {}, label), count && h("span", { class: "badge", id: `count-${name}` }))));
}

/** Keys for all views: / finds, g and a letter goes. */
function keys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, dialog")) return;
  if (event.key === "/") {
    const search = main.querySelector("input[type=search]");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  }
  const number = "1234567890".indexOf(event.key);
  if (number >= 0 && number < VIEWS.length) location.hash = `#/${VIEWS[number][0]}`;
}

try {
  const chosen = localStorage.getItem("nearnet-theme");
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
} catch {
  // No storage: the system's theme.
}
frame();
drawToken();
painted();
dark.addEventListener("change", painted);
onToken(drawToken);
watch(["status", "nearnet_peers", "nearnet_bans", "nearnet_accounts", "graph", "online"], drawHeader);
window.addEventListener("hashchange", () => void show());
document.addEventListener("keydown", keys);
start();
void show();
