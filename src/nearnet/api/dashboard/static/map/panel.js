// Beside the map: one peer with its edges, routes and history, or all shortest paths between two.

import { ban, connect, disconnect, unban } from "../actions.js";
import { call, now } from "../data.js";
import { fill, h, iconButton, setText } from "../dom.js";
import { clock, duration, millis, number, plural, shortId, words } from "../format.js";
import { accountOf, copyButton, peerLink } from "../peer-link.js";
import { eventText } from "../views/event-text.js";

const EDGES = 40;
const HISTORY = 30;

const section = (title, ...content) => h("section", {}, h("h3", {}, title), content);
const fact = (name, value) => [h("dt", {}, name), h("dd", {}, value)];

/** Nothing is selected: what the map can do. */
export function drawNothing(box, graph) {
  const { distance } = graph.routes();
  const counts = new Map();
  graph.present().forEach((peer) => peer && counts.set(distance[peer], (counts.get(distance[peer]) ?? 0) + 1));
  fill(box, h("h2", {}, "The graph"),
    h("p", {}, `${plural(graph.present().length, "peer")}, ${plural(graph.edgeCount, "active edge")}.`),
    h("dl", {}, [...counts].sort(([a], [b]) => (a < 0 ? 1 : b < 0 ? -1 : a - b)).map(([hops, count]) =>
      fact(hops < 0 ? "No way" : plural(hops, "hop"), number(count)))),
    h("p", { class: "quiet" }, "Click a peer for its edges, routes and history; a second one, with Shift or after “Paths from here”, for all shortest paths between the two."),
    h("p", { class: "quiet" }, "Keys on the map: arrows move, + and − zoom, 0 shows all, N and P go through the peers, Escape clears."));
}

/** One peer. `tools`: {pathsFrom, close}. */
export function drawPeer(box, graph, peer, tools) {
  const id = graph.ids[peer];
  const { distance, hops } = graph.routes();
  const direct = (now.nearnet_peers ?? []).find((one) => one.peer_id === id);
  const known = (now.nearnet_known_peers ?? []).find((one) => one.peer_id === id);
  const banned = (now.nearnet_bans ?? []).find((one) => one.peer_id === id);
  const account = accountOf(id);
  const away = distance[peer];
  fill(box,
    h("header", {}, h("h2", {}, peer === 0 ? "This node" : account ?? h("span", { class: "mono" }, shortId(id))), h("span", { class: "spring" }), iconButton("close", "Clear the selection", tools.close)),
    h("p", { class: "mono whole-id" }, id, copyButton(id, "the id")),
    h("dl", {},
      fact("Distance", away < 0 ? "no way" : peer === 0 ? "–" : plural(away, "hop")),
      fact("Edges", number(graph.near[peer].size)),
      account && fact("Account", account),
      (direct?.addr ?? known?.addr) && fact("Address", h("span", { class: "mono" }, direct?.addr ?? known.addr)),
      direct && fact("Connected", `${direct.direction}, ${direct.dialect}, for ${duration(direct.connected_ms / 1000)}`),
      banned && fact("Banned", `${words(banned.reason)}, ${duration(banned.until - graph.time)} left`)),
    h("div", { class: "row-buttons" },
      h("button", { type: "button", onclick: tools.pathsFrom }, "Paths from here"),
      peer !== 0 && away > 0 && pingButton(id),
      peer !== 0 && (direct ? h("button", { type: "button", onclick: () => disconnect(id) }, "Disconnect")
        : h("button", { type: "button", onclick: () => connect(known?.addr ? `${id}@${known.addr}` : id) }, "Connect")),
      peer !== 0 && (banned ? h("button", { type: "button", onclick: () => unban(banned) }, "Lift ban")
        : h("button", { type: "button", class: "danger-text", onclick: () => ban(id) }, "Ban"))),
    peer !== 0 && section("Routes", away < 0 ? h("p", {}, "There is no way to it.") : [
      h("p", {}, `${plural(graph.shortestPaths(0, peer, 0).count, "shortest path")} from this node, by ${plural(hops(peer).length, "neighbor")}:`),
      h("ul", { class: "links" }, hops(peer).map((hop) => h("li", {}, peerLink(graph.ids[hop]))))]),
    section(`Edges (${graph.near[peer].size})`, edgeList(graph, peer)),
    section("History", h("ol", { class: "news small", id: "peer-history" }, h("li", { class: "quiet" }, "Asking the node…"))));
  void drawHistory(box.querySelector("#peer-history"), id);
}

function pingButton(id) {
  const button = h("button", { type: "button", onclick: async () => {
    setText(button, "Ping…");
    try {
      const answer = await call("nearnet_ping", { peer_id: id, timeout_ms: 5000 });
      setText(button, answer.ok ? `Ping: ${millis(answer.milliseconds)}, ${plural(answer.hops, "hop")}` : `Ping: ${answer.reason}`);
    } catch (error) {
      setText(button, `Ping: ${error.message}`);
    }
  } }, "Ping");
  return button;
}

function edgeList(graph, peer) {
  const { distance } = graph.routes();
  const all = [...graph.near[peer]].sort(([a, sinceA], [b, sinceB]) => distance[a] - distance[b] || sinceB - sinceA);
  return [
    h("table", { class: "small-table" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "With"), h("th", { scope: "col", class: "right" }, "Hops"), h("th", { scope: "col", class: "right" }, "Since"))),
      h("tbody", {}, all.slice(0, EDGES).map(([other, since]) => h("tr", {}, h("td", {}, other === 0 ? "this node" : accountOf(graph.ids[other]) ?? "", " ", peerLink(graph.ids[other])),
        h("td", { class: "right" }, distance[other] < 0 ? "–" : distance[other]), h("td", { class: "right", title: clock(since) }, duration(graph.time - since)))))),
    all.length > EDGES && h("p", { class: "quiet" }, `and ${number(all.length - EDGES)} more`),
  ];
}

async function drawHistory(list, id) {
  let changes = [];
  try {
    ({ changes } = await call("nearnet_history", { peer_id: id }));
  } catch {
    // Its events are still there.
  }
  const edges = changes.map(({ time, peer0, peer1, active }) => ({ time, kind: active ? "edge_appeared" : "edge_went", other: peer0 === id ? peer1 : peer0 }));
  const events = now.events.filter((event) => event.peer_id === id);
  const all = [...edges, ...events].sort((a, b) => b.time - a.time).slice(0, HISTORY);
  fill(list, all.map((one) => h("li", {}, h("time", {}, clock(one.time)), h("span", { class: `kind kind-${one.kind}` }, words(one.kind)),
    one.other ? peerLink(one.other) : h("span", { class: "what" }, eventText(one)))), !all.length && h("li", { class: "quiet" }, "Nothing in the last hour."));
}

/** All shortest paths between two. `tools`: {close, swap}. */
export function drawPaths(box, graph, from, to, path, tools) {
  const name = (peer) => (peer === 0 ? "this node" : accountOf(graph.ids[peer]) ?? shortId(graph.ids[peer]));
  const told = path.length < 0 ? "There is no way between them." : path.length === 0 ? "That is the same peer." : `${plural(path.length, "hop")}, ${plural(path.count, "shortest path")}.`;
  fill(box,
    h("header", {}, h("h2", {}, "Shortest paths"), h("span", { class: "spring" }), iconButton("close", "Clear the selection", tools.close)),
    h("dl", {}, fact("From", from === 0 ? "this node" : peerLink(graph.ids[from])), fact("To", to === 0 ? "this node" : peerLink(graph.ids[to]))),
    h("p", { role: "status" }, told),
    h("ol", { class: "paths" }, path.paths.map((steps) => h("li", {}, steps.map((peer, at) => [at > 0 && h("span", { class: "quiet" }, " → "), h("a", { href: `#/map?peer=${encodeURIComponent(graph.ids[peer])}`, title: graph.ids[peer], class: "peer-link" }, name(peer))])))),
    path.count > path.paths.length && h("p", { class: "quiet" }, `and ${number(path.count - path.paths.length)} more, all marked on the map`));
}
