// How a peer is shown everywhere: its short id, a link to it on the map, and its account where one is known.

import { now } from "./data.js";
import { h, iconButton, setText } from "./dom.js";
import { shortId } from "./format.js";
import { notice } from "./dialogs.js";

/** The account that a peer serves, as it was announced; null when none is known. */
export function accountOf(peerId) {
  const found = (now.nearnet_accounts ?? []).find((one) => one.peer_id === peerId);
  return found?.account_id ?? (now.nearnet_peers ?? []).find((peer) => peer.peer_id === peerId)?.account_id ?? null;
}

export const peerHref = (peerId) => `#/map?peer=${encodeURIComponent(peerId)}`;

/** A link with the short id; the whole id is its title. */
export function peerLink(peerId) {
  return h("a", { class: "peer-link mono", href: peerHref(peerId), title: peerId }, shortId(peerId));
}

/** A cell of a table: link and account below each other. */
export function peerCell(peerId) {
  return h("span", { class: "peer-cell" }, peerLink(peerId), h("span", { class: "account" }));
}

/** Bring the account in such a cell up to date. */
export function refreshPeerCell(cell, peerId) {
  setText(cell.querySelector(".account"), accountOf(peerId) ?? "");
}

/** A button that copies a text. */
export function copyButton(text, what) {
  return iconButton("copy", `Copy ${what}`, async () => {
    try {
      await navigator.clipboard.writeText(text);
      notice(`Copied ${what}.`);
    } catch {
      notice("This browser does not let the page copy.", { bad: true });
    }
  });
}
