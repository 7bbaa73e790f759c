// Announced accounts, and the way to who serves them.

import { now, watch } from "../data.js";
import { h } from "../dom.js";
import { shortId } from "../format.js";
import { peerLink } from "../peer-link.js";
import { Table } from "../table.js";

const distance = (one) => {
  const at = now.graph.index.get(one.peer_id);
  const hops = at === undefined ? -1 : now.graph.routes().distance[at];
  return hops < 0 ? null : hops;
};

const COLUMNS = [
  { name: "account", label: "Account", value: (one) => one.account_id },
  { name: "peer", label: "Served by", value: (one) => one.peer_id, cell: (one) => peerLink(one.peer_id) },
  { name: "distance", label: "Distance", align: "right", value: distance, text: (one) => distance(one) ?? "no way" },
  { name: "epoch", label: "Epoch", value: (one) => one.epoch_id, text: (one) => shortId(one.epoch_id), title: (one) => one.epoch_id, class: "mono" },
];

export function open(main) {
  const table = new Table({ label: "Announced accounts", columns: COLUMNS, key: (one) => `${one.account_id} ${one.peer_id}`, sort: ["account", false], noun: "account", empty: "No account was announced." });
  main.append(h("div", { class: "bar" }, table.searchField("Find an account or peer"), table.count), table.element);
  return { close: watch(["nearnet_accounts", "graph"], () => table.update(now.nearnet_accounts ?? [])) };
}
