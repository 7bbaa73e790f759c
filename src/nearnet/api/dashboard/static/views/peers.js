// Connections: all of each, sorted and filtered, and in the drawer of one its traffic by message type.

import { ban, connect, disconnect } from "../actions.js";
import { now, watch } from "../data.js";
import { select } from "../dialogs.js";
import { fill, h, iconButton, setText } from "../dom.js";
import { bytes, duration, millis, number, plural, shortId } from "../format.js";
import { copyButton, peerCell, peerHref, refreshPeerCell } from "../peer-link.js";
import { Table } from "../table.js";

const messages = (peer) => sum(peer.received_by_type) + sum(peer.sent_by_type);
const sum = (counts) => Object.values(counts).reduce((total, count) => total + count, 0);

function columns(kind) {
  const seen = (peer) => (kind() ? (peer.received_by_type[kind()] ?? 0) + (peer.sent_by_type[kind()] ?? 0) : messages(peer));
  return [
    { name: "peer", label: "Peer", value: (peer) => peer.peer_id, cell: (peer) => peerCell(peer.peer_id), refresh: (cell, peer) => refreshPeerCell(cell, peer.peer_id) },
    { name: "addr", label: "Address", value: (peer) => peer.addr, class: "mono" },
    { name: "direction", label: "Direction", value: (peer) => peer.direction },
    { name: "dialect", label: "Dialect", value: (peer) => peer.dialect, text: (peer) => `${peer.dialect ?? "–"} ${peer.protocol_version ?? ""}` },
    { name: "connected", label: "Connected", align: "right", value: (peer) => peer.connected_ms, text: (peer) => duration(peer.connected_ms / 1000) },
    { name: "received", label: "Received", align: "right", value: (peer) => peer.received_bytes, text: (peer) => bytes(peer.received_bytes) },
    { name: "sent", label: "Sent", align: "right", value: (peer) => peer.sent_bytes, text: (peer) => bytes(peer.sent_bytes) },
    { name: "messages", label: "Messages", align: "right", value: seen, text: (peer) => number(seen(peer)) },
    { name: "queue", label: "Queue", align: "right", value: (peer) => peer.send_queue_bytes, text: (peer) => bytes(peer.send_queue_bytes) },
    { name: "ping", label: "Ping", align: "right", value: (peer) => peer.last_ping_ms, text: (peer) => millis(peer.last_ping_ms) },
    { name: "nonce", label: "Nonce", align: "right", value: (peer) => peer.nonce, class: "mono" },
    {
      name: "act", label: "", cell: (peer) => h("span", { class: "row-buttons" },
        h("button", { type: "button", "aria-label": `Disconnect ${shortId(peer.peer_id)}`, onclick: () => disconnect(peer.peer_id) }, "Disconnect"),
        h("button", { type: "button", class: "danger-text", "aria-label": `Ban ${shortId(peer.peer_id)}`, onclick: () => ban(peer.peer_id) }, "Ban")),
    },
  ];
}

export function open(main, params) {
  const chosen = { direction: "", dialect: "", kind: "", queue: "", ping: "" };
  let opened = params.get("peer");
  const table = new Table({
    label: "Peers that are connected",
    columns: columns(() => chosen.kind),
    key: (peer) => peer.peer_id,
    sort: ["connected", true], noun: "peer",
    empty: "No peer is connected.",
    onOpen: (peer) => { opened = peer.peer_id; drawDrawer(); },
    words: (peer) => [peer.peer_id, peer.addr, peer.account_id, peer.dialect].join(" "),
  });
  const filterBy = (name, label, options) => h("label", { class: "choice" }, h("span", {}, label),
    select(name, options, { onchange: (event) => { chosen[name] = event.target.value; apply(); } }));
  const kinds = filterBy("kind", "Messages", [["", "any"]]);
  const apply = () => table.filter((peer) =>
    (!chosen.direction || peer.direction === chosen.direction)
    && (!chosen.dialect || peer.dialect === chosen.dialect)
    && (!chosen.kind || peer.received_by_type[chosen.kind] || peer.sent_by_type[chosen.kind])
    && peer.send_queue_bytes >= Number(chosen.queue)
    && (!chosen.ping || (peer.last_ping_ms ?? Infinity) >= Number(chosen.ping)));
  const drawer = h("aside", { class: "drawer panel", "aria-label": "One peer", hidden: true });
  main.append(
    h("div", { class: "bar" }, table.searchField("Find a peer, address or account"),
      filterBy("direction", "Direction", [["", "any"], ["inbound", "inbound"], ["outbound", "outbound"]]),
      filterBy("dialect", "Dialect", [["", "any"], ["borsh", "borsh"], ["protobuf", "protobuf"]]),
      kinds,
      filterBy("queue", "Queue", [["", "any"], ["1", "not empty"], ["1048576", "1 MiB or more"], ["16777216", "16 MiB or more"]]),
      filterBy("ping", "Ping", [["", "any"], ["50", "50 ms or more"], ["250", "250 ms or more"], ["1000", "1 s or more"]]),
      table.count,
      h("button", { type: "button", class: "primary page-action", onclick: () => connect() }, "Connect to a peer")),
    h("div", { class: "with-drawer" }, table.element, drawer));

  const drawDrawer = () => {
    const peer = (now.nearnet_peers ?? []).find((one) => one.peer_id === opened);
    drawer.hidden = !peer;
    if (peer) drawPeer(drawer, peer, () => { opened = null; drawDrawer(); });
  };
  const stop = watch(["nearnet_peers", "nearnet_accounts"], () => {
    const peers = now.nearnet_peers ?? [];
    refreshKinds(kinds.querySelector("select"), peers);
    table.update(peers);
    drawDrawer();
  });
  return { close: stop, go: (next) => { opened = next.get("peer"); drawDrawer(); } };
}

function refreshKinds(choice, peers) {
  const known = new Set([...choice.options].map((option) => option.value));
  const found = new Set(peers.flatMap((peer) => [...Object.keys(peer.received_by_type), ...Object.keys(peer.sent_by_type)]));
  [...found].sort().forEach((kind) => known.has(kind) || choice.append(h("option", { value: kind }, kind)));
}

function drawPeer(drawer, peer, close) {
  if (drawer.dataset.peer !== peer.peer_id) {
    drawer.dataset.peer = peer.peer_id;
    const body = h("tbody");
    fill(drawer,
      h("header", {}, h("h2", { class: "mono" }, shortId(peer.peer_id)), copyButton(peer.peer_id, "the id"), h("span", { class: "spring" }), iconButton("close", "Close", close)),
      h("p", { class: "facts" }), h("p", {}, h("a", { href: peerHref(peer.peer_id) }, "Show on the map")),
      h("table", { class: "small-table" }, h("caption", {}, "Messages by type"),
        h("thead", {}, h("tr", {}, ["Type", "Received", "Sent"].map((label, at) => h("th", { scope: "col", class: at ? "right" : null }, label)))), body));
  }
  setText(drawer.querySelector(".facts"), `${peer.addr ?? "no address"} · ${peer.direction} · ${peer.dialect} ${peer.protocol_version} · nonce ${peer.nonce} · ${plural(messages(peer), "message")} in ${duration(peer.connected_ms / 1000)}`);
  const kinds = [...new Set([...Object.keys(peer.received_by_type), ...Object.keys(peer.sent_by_type)])].sort();
  fill(drawer.querySelector("tbody"), kinds.map((kind) => h("tr", {}, h("th", { scope: "row" }, kind),
    h("td", { class: "right" }, number(peer.received_by_type[kind] ?? 0)), h("td", { class: "right" }, number(peer.sent_by_type[kind] ?? 0)))));
}
