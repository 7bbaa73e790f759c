// Who is banned, why, and for how long still.

import { ban, unban } from "../actions.js";
import { nodeTime, now, watch } from "../data.js";
import { field, form } from "../dialogs.js";
import { h } from "../dom.js";
import { date, duration, shortId } from "../format.js";
import { peerCell, refreshPeerCell } from "../peer-link.js";
import { Table } from "../table.js";

const COLUMNS = [
  { name: "peer", label: "Peer", value: (one) => one.peer_id, cell: (one) => peerCell(one.peer_id), refresh: (cell, one) => refreshPeerCell(cell, one.peer_id) },
  { name: "reason", label: "Reason", value: (one) => one.reason },
  { name: "left", label: "Time left", align: "right", value: (one) => one.until, text: (one) => duration(one.until - nodeTime()), title: (one) => `until ${date(one.until)}` },
  { name: "addr", label: "Address", value: (one) => one.addr, class: "mono" },
  { name: "at", label: "Banned at", align: "right", value: (one) => one.banned_at, text: (one) => date(one.banned_at) },
  { name: "act", label: "", cell: (one, latest) => h("span", { class: "row-buttons" },
    h("button", { type: "button", "aria-label": `Lift the ban of ${shortId(one.peer_id)}`, onclick: () => unban(latest()) }, "Lift ban")) },
];

async function banSomebody() {
  const values = await form({ title: "Ban a peer", fields: [field("Peer id", h("input", { name: "peer", required: true, autocomplete: "off", spellcheck: "false", placeholder: "ed25519:…" }))], ok: "Next" });
  if (values?.peer.trim()) await ban(values.peer.trim().split("@")[0]);
}

export function open(main) {
  const table = new Table({ label: "Bans", columns: COLUMNS, key: (one) => one.peer_id, sort: ["left", false], noun: "ban", empty: "Nobody is banned." });
  main.append(
    h("div", { class: "bar" }, table.searchField("Find a peer, address or reason"), table.count,
      h("button", { type: "button", class: "primary page-action", onclick: () => void banSomebody() }, "Ban a peer")),
    table.element);
  const clock = setInterval(() => table.draw(), 1000);
  const stop = watch(["nearnet_bans", "nearnet_accounts"], () => table.update(now.nearnet_bans ?? []));
  return { close: () => { clearInterval(clock); stop(); } };
}
