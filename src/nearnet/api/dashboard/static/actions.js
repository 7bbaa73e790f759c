// What an operator may do: each action is confirmed, needs the admin token, and offers its way back where there is one.

import { Unauthorized, call, nodeTime, now, refreshSoon } from "./data.js";
import { field, form, notice, select } from "./dialogs.js";
import { h } from "./dom.js";
import { duration, shortId, words } from "./format.js";

const REASONS = ["None", "Abusive", "BadHandshake", "InvalidEdge", "InvalidSignature", "InvalidPeerId", "InvalidHash", "BadBlock",
  "BadBlockHeader", "BadBlockApproval", "HeightFraud", "Blacklisted"];
const LENGTHS = [["", "as long as the node's config says"], ["600", "10 minutes"], ["3600", "1 hour"], ["10800", "3 hours"], ["86400", "1 day"], ["604800", "7 days"]];

let token = null;
const listeners = new Set();

export const hasToken = () => token !== null;

/** Told when a token is there, or gone. */
export const onToken = (listener) => listeners.add(listener);

/** Ask for the token. It stays in this page's memory only. */
export async function askToken() {
  const values = await form({
    title: "Admin token",
    text: "The content of the file admin_token in the node's home folder. It is kept in this page's memory, and forgotten when the page closes.",
    fields: [field("Token", h("input", { type: "password", name: "token", required: true, autocomplete: "off", spellcheck: "false" }))],
    ok: "Use this token",
  });
  if (values?.token.trim()) setToken(values.token.trim());
  return token;
}

/** Use this token, or none (null). */
export function setToken(value) {
  token = value;
  listeners.forEach((listener) => listener());
}

/** Carry out an admin method; true when it was done. */
async function carryOut(method, params, done, undo = null) {
  if (!token && !(await askToken())) return false;
  try {
    await call(method, params, token);
  } catch (error) {
    if (error instanceof Unauthorized) setToken(null);
    notice(error.message, { bad: true });
    return false;
  }
  notice(done, { undo });
  refreshSoon();
  return true;
}

const name = (peerId) => shortId(peerId);
const place = (peerId) => {
  const found = [...(now.nearnet_peers ?? []), ...(now.nearnet_known_peers ?? [])].find((peer) => peer.peer_id === peerId && peer.addr);
  return found ? `${peerId}@${found.addr}` : peerId;
};

export async function ban(peerId) {
  const values = await form({
    title: `Ban ${name(peerId)}?`,
    text: "Its connection ends at once, and it is refused until the ban ends.",
    fields: [
      field("Reason, for the record", select("reason", REASONS.map((reason) => [reason, reason === "None" ? "No reason given" : words(reason)]))),
      field("For", select("seconds", LENGTHS)),
    ],
    ok: "Ban",
    danger: true,
  });
  if (!values) return false;
  const params = { peer_id: peerId, reason: values.reason, ...(values.seconds ? { seconds: Number(values.seconds) } : {}) };
  return carryOut("nearnet_ban", params, `Banned ${name(peerId)}.`, () => carryOut("nearnet_unban", { peer_id: peerId }, `The ban of ${name(peerId)} is lifted.`));
}

export async function unban({ peer_id: peerId, reason, until }) {
  const left = until - nodeTime();
  if (!(await form({ title: `Lift the ban of ${name(peerId)}?`, text: `It was banned for ${words(reason)}; ${duration(left)} are left.`, ok: "Lift the ban" }))) return false;
  const again = { peer_id: peerId, reason, seconds: Math.max(1, left) };
  return carryOut("nearnet_unban", { peer_id: peerId }, `The ban of ${name(peerId)} is lifted.`, () => carryOut("nearnet_ban", again, `Banned ${name(peerId)} again.`));
}

export async function connect(peer = null) {
  let target = peer;
  if (target) {
    if (!(await form({ title: `Connect to ${name(target.split("@")[0])}?`, text: "The node dials it now, also when it makes no outbound connections of its own.", ok: "Connect" }))) return false;
  } else {
    const values = await form({
      title: "Connect to a peer",
      text: "The node dials it now, also when it makes no outbound connections of its own.",
      fields: [field("Peer, as KEY@IP:PORT", h("input", { name: "peer", required: true, autocomplete: "off", spellcheck: "false", placeholder: "ed25519:…@10.0.0.7:24567" }))],
      ok: "Connect",
    });
    target = values?.peer.trim();
  }
  if (!target) return false;
  const peerId = target.split("@")[0];
  return carryOut("nearnet_connect", { peer: target }, `Connected to ${name(peerId)}.`, () => carryOut("nearnet_disconnect", { peer_id: peerId }, `Disconnected from ${name(peerId)}.`));
}

export async function disconnect(peerId) {
  const target = place(peerId);
  if (!(await form({ title: `Disconnect from ${name(peerId)}?`, text: "It is told, and the connection ends. It may come back: ban it to keep it away.", ok: "Disconnect", danger: true }))) return false;
  return carryOut("nearnet_disconnect", { peer_id: peerId }, `Disconnected from ${name(peerId)}.`, () => carryOut("nearnet_connect", { peer: target }, `Connected to ${name(peerId)} again.`));
}
