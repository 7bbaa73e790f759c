// One page that answers: who am I connected to, whom can I reach, what moves, and what needs a look.

import { BINARY, Chart, WHOLE } from "../charts.js";
import { now, watch } from "../data.js";
import { fill, h, setText } from "../dom.js";
import { bytes, clock, duration, number, plural, rate, words } from "../format.js";
import { eventText } from "./event-text.js";
import { peerLink } from "../peer-link.js";

const NEWS = 12;

export function open(main) {
  const tiles = [
    tile("Peers", "peers", () => [number(now.nearnet_peers?.length), `${number(count("inbound"))} in · ${number(count("outbound"))} out`]),
    tile("Reachable", "routes", () => [number(now.status?.nearnet.reachable), `of ${plural(Math.max(0, now.graph.present().length - 1), "peer")} with an edge`]),
    tile("Edges", "map", () => [number(now.graph.edgeCount), `${number(now.status?.nearnet.edges)} with removed ones`]),
    tile("Received", "traffic", () => [rate(latest()?.received_bytes_per_sec), "over the last 10 s"]),
    tile("Sent", "traffic", () => [rate(latest()?.sent_bytes_per_sec), `${bytes(latest()?.queued_bytes)} queued`]),
    tile("Bans", "bans", () => [number(now.nearnet_bans?.length), `${number(now.status?.nearnet.known_peers)} peers known`]),
  ];
  const attention = h("ul", { class: "attention" });
  const news = h("ol", { class: "news" });
  const charts = [
    new Chart({ label: "Traffic", format: rate, steps: BINARY, series: [{ label: "received", colour: "--series-1", fill: true }, { label: "sent", colour: "--series-2", fill: true }] }),
    new Chart({ label: "Connections", format: whole, steps: WHOLE, series: [{ label: "inbound", colour: "--series-1", stepped: true }, { label: "outbound", colour: "--series-2", stepped: true }] }),
    new Chart({ label: "Graph", format: whole, steps: WHOLE, series: [{ label: "active edges", colour: "--series-1", fill: true }, { label: "reachable", colour: "--series-3" }] }),
    new Chart({ label: "Edges that appeared and went, each 10 s", format: whole, steps: WHOLE, series: [{ label: "appeared", colour: "--series-3", stepped: true }, { label: "went", colour: "--series-4", stepped: true }] }),
  ];
  main.append(
    h("div", { class: "tiles" }, tiles.map((one) => one.element)),
    h("section", { class: "panel", "aria-labelledby": "attention-head" }, h("h2", { id: "attention-head" }, "Needs a look"), attention),
    h("div", { class: "charts" }, charts.map((chart) => chart.element)),
    h("section", { class: "panel", "aria-labelledby": "news-head" },
      h("h2", { id: "news-head" }, "Latest events"), news, h("p", {}, h("a", { href: "#/events" }, "All events"))));
  const stops = [
    watch(["status", "nearnet_peers", "nearnet_bans", "graph", "nearnet_history", "online"], () => {
      tiles.forEach((one) => one.draw());
      drawAttention(attention);
    }),
    watch(["nearnet_history"], () => {
      const samples = now.nearnet_history.samples;
      const column = (name) => samples.map((sample) => sample[name]);
      const times = column("time");
      const shown = [["received_bytes_per_sec", "sent_bytes_per_sec"], ["inbound", "outbound"], ["active_edges", "reachable"], ["edges_appeared", "edges_went"]];
      shown.forEach((names, at) => charts[at].update(times, ...names.map(column)));
    }),
    watch(["events"], () => fill(news, now.events.slice(-NEWS).reverse().map(newsLine))),
  ];
  return { close: () => [...stops, ...charts.map((chart) => () => chart.close())].forEach((stop) => stop()) };
}

const whole = (value) => number(value === null || value === undefined ? value : Math.round(value));
const latest = () => now.nearnet_history?.samples.at(-1);
const count = (direction) => now.nearnet_peers?.filter((peer) => peer.direction === direction).length;

function tile(label, view, values) {
  const big = h("span", { class: "big" });
  const small = h("span", { class: "small" });
  const draw = () => {
    const [first, second] = values();
    setText(big, first);
    setText(small, second);
  };
  draw();
  return { draw, element: h("a", { class: "tile", href: `#/${view}` }, h("span", { class: "label" }, label), big, small) };
}

function newsLine(event) {
  return h("li", {}, h("time", {}, clock(event.time)), h("span", { class: `kind kind-${event.kind}` }, words(event.kind)),
    event.peer_id ? peerLink(event.peer_id) : h("span"), h("span", { class: "what" }, eventText(event)));
}

/** As a whole sentence: a capital letter first, a full stop last. */
const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

function drawAttention(list) {
  const { status } = now;
  if (!status) return;
  const { degraded, connections, limits, protocol, clock: wall } = status.nearnet;
  const found = [];
  if (now.online === false) found.push(["bad", "The node does not answer; what is shown is old."]);
  if (degraded) found.push(["bad", `Part of the node is degraded: ${degraded}. The log says why; the rest goes on.`]);
  if (protocol && protocol.state !== "ok") found.push([protocol.state === "error" ? "bad" : "warn", sentence(protocol.sentence)]);
  if (wall && wall.state !== "ok") found.push(["warn", sentence(wall.sentence)]);
  if (!connections && status.uptime_sec > 20) found.push(["bad", "No connection. Run nearnet doctor: it says which check fails and what to do."]);
  if (connections && !count("inbound") && status.uptime_sec > 600) found.push(["warn", "Nobody has dialed this node in its uptime. Is the port open to the outside?"]);
  for (const [name, { value, used, hit }] of Object.entries(limits)) {
    if (typeof value === "number" && used >= value * 0.9 && value > 0) found.push(["warn", `${words(name)}: ${number(used)} of ${number(value)} used.`]);
    else if (hit) found.push(["note", `${words(name)} refused something ${plural(hit, "time")} since the start.`]);
  }
  if (now.graph.leftOut) found.push(["note", `The map leaves out ${plural(now.graph.leftOut, "edge")}: see graph_edges_told.`]);
  if (!found.length) found.push(["good", `Nothing. The node has been up for ${duration(status.uptime_sec)}.`]);
  fill(list, found.map(([tone, text]) => h("li", { class: tone }, text)));
}
