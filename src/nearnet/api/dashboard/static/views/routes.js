// The node's own routes: to whom, how far, and by which neighbors.

import { now, watch } from "../data.js";
import { select } from "../dialogs.js";
import { fill, h } from "../dom.js";
import { peerCell, peerLink, refreshPeerCell } from "../peer-link.js";
import { Table } from "../table.js";

const SHOWN_HOPS = 4;
const MOST = 5000;

/** What the node says; of a larger graph, what follows from the edges that are here, so that the node need not tell it all. */
function rows() {
  if (!isLarge()) return Object.entries(now.nearnet_routes ?? {}).map(([peerId, route]) => ({ peer_id: peerId, ...route }));
  const { graph } = now;
  const { distance, hops } = graph.routes();
  return graph.present().filter((peer) => distance[peer] > 0)
    .map((peer) => ({ peer_id: graph.ids[peer], distance: distance[peer], next_hops: hops(peer).map((hop) => graph.ids[hop]) }));
}

const isLarge = () => (now.status?.nearnet.reachable ?? 0) > MOST;

function hopsCell(cell, row) {
  const told = row.next_hops.join(" ");
  if (cell.dataset.told === told) return;
  cell.dataset.told = told;
  const more = row.next_hops.length - SHOWN_HOPS;
  fill(cell, row.next_hops.slice(0, SHOWN_HOPS).map((hop) => [peerLink(hop), " "]), more > 0 && h("span", { class: "quiet" }, `and ${more} more`));
}

const COLUMNS = [
  { name: "peer", label: "Peer", value: (row) => row.peer_id, cell: (row) => peerCell(row.peer_id), refresh: (cell, row) => refreshPeerCell(cell, row.peer_id) },
  { name: "distance", label: "Distance", align: "right", value: (row) => row.distance },
  { name: "ways", label: "Next hops", align: "right", value: (row) => row.next_hops.length },
  { name: "hops", label: "By", class: "hops", value: (row) => row.next_hops[0], cell: () => null, refresh: hopsCell },
  { name: "edges", label: "Its edges", align: "right", value: (row) => now.graph.near[now.graph.index.get(row.peer_id)]?.size ?? null },
];

export function open(main) {
  const table = new Table({ label: "Routes", columns: COLUMNS, key: (row) => row.peer_id, sort: ["distance", false], noun: "peer", empty: "No peer is reachable.",
    words: (row) => [row.peer_id, ...row.next_hops].join(" ") });
  const hops = select("distance", [["", "any"], ["1", "1"], ["2", "2"], ["3", "3"], ["4", "4 or more"]], {
    onchange: () => table.filter((row) => !hops.value || (hops.value === "4" ? row.distance >= 4 : row.distance === Number(hops.value))),
  });
  main.append(h("div", { class: "bar" }, table.searchField("Find a peer or next hop"), h("label", { class: "choice" }, h("span", {}, "Distance"), hops), table.count), table.element);
  return { close: watch([isLarge() ? "graph" : "nearnet_routes", "nearnet_accounts"], () => table.update(rows())) };
}
