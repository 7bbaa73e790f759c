// An event in words, beside its kind and peer.

import { bytes, duration, number, words } from "../format.js";

const TEXTS = {
  edges: (event) => `${number(event.added)} added, ${number(event.total)} held`,
  routes: (event) => `${number(event.reachable)} reachable`,
  banned: (event) => `${event.reason}, for ${duration(event.seconds)}`,
  announcement: (event) => `serves ${event.account_id}`,
  behind: (event) => `${bytes(event.queued)} queued`,
  pong: (event) => (event.milliseconds === undefined ? "" : `${Math.round(event.milliseconds)} ms`),
};

const ASIDE = new Set(["seq", "time", "kind", "peer_id", "epoch_id"]);

/** What it says besides kind and peer. */
export function eventText(event) {
  if (TEXTS[event.kind]) return TEXTS[event.kind](event);
  const rest = Object.entries(event).filter(([name, value]) => !ASIDE.has(name) && value !== null && value !== "");
  return rest.map(([name, value]) => (["reason", "why", "address"].includes(name) ? plain(value) : `${words(name)} ${plain(value)}`)).join(" · ");
}

const plain = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));
