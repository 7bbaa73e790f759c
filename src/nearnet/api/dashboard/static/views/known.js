// Everybody in the peer store.

import { ban, connect } from "../actions.js";
import { nodeTime, now, watch } from "../data.js";
import { select } from "../dialogs.js";
import { h } from "../dom.js";
import { date, duration, shortId } from "../format.js";
import { peerCell, refreshPeerCell } from "../peer-link.js";
import { Table } from "../table.js";

const COLUMNS = [
  { name: "peer", label: "Peer", value: (peer) => peer.peer_id, cell: (peer) => peerCell(peer.peer_id), refresh: (cell, peer) => refreshPeerCell(cell, peer.peer_id) },
  { name: "addr", label: "Address", value: (peer) => peer.addr, class: "mono" },
  { name: "status", label: "Status", value: (peer) => peer.status },
  { name: "trust", label: "Trust", value: (peer) => peer.trust },
  { name: "first", label: "First seen", align: "right", value: (peer) => peer.first_seen, text: (peer) => ago(peer.first_seen), title: (peer) => date(peer.first_seen) },
  { name: "last", label: "Last seen", align: "right", value: (peer) => peer.last_seen, text: (peer) => ago(peer.last_seen), title: (peer) => date(peer.last_seen) },
  {
    name: "act", label: "", cell: (peer, latest) => h("span", { class: "row-buttons" },
      h("button", { type: "button", "aria-label": `Connect to ${shortId(peer.peer_id)}`, onclick: () => connect(latest().addr ? `${peer.peer_id}@${latest().addr}` : peer.peer_id) }, "Connect"),
      h("button", { type: "button", class: "danger-text", "aria-label": `Ban ${shortId(peer.peer_id)}`, onclick: () => ban(peer.peer_id) }, "Ban")),
  },
];

const ago = (time) => (time ? `${duration(nodeTime() - time)} ago` : "–");

export function open(main) {
  const table = new Table({ label: "Known peers", columns: COLUMNS, key: (peer) => peer.peer_id, sort: ["last", true], noun: "peer", empty: "No peer is known.",
    words: (peer) => [peer.peer_id, peer.addr, peer.status, peer.trust].join(" ") });
  const status = select("status", [["", "any"]], { onchange: () => table.filter((peer) => !status.value || peer.status === status.value) });
  main.append(
    h("div", { class: "bar" }, table.searchField("Find a peer or address"), h("label", { class: "choice" }, h("span", {}, "Status"), status), table.count, h("button", { type: "button", class: "primary page-action", onclick: () => connect() }, "Connect to a peer")),
    table.element);
  return {
    close: watch(["nearnet_known_peers", "nearnet_accounts"], () => {
      const peers = now.nearnet_known_peers ?? [];
      const listed = new Set([...status.options].map((option) => option.value));
      [...new Set(peers.map((peer) => peer.status))].sort().forEach((one) => listed.has(one) || status.append(h("option", { value: one }, one)));
      table.update(peers);
    }),
  };
}
