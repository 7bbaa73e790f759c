// What the node says: polled answers that are shared by all pages, changes of the graph, and events as they happen.

import { Graph } from "./graph.js";

const FRAME = "/dashboard/";
const DATA = "/dashboard/data/";
const EVENTS_KEPT = 3000;
const TICK = 2000;
const RETRY = 5000;

/** Everything known now, by the method's name; `graph` and `events` besides. */
export const now = { graph: new Graph(), events: [], online: null, offset: 0 };

const watchers = new Map();
const tags = new Map();
const last = new Map();
const PERIODS = { nearnet_history: 5000, nearnet_limits: 4000, nearnet_known_peers: 4000, nearnet_accounts: 4000, nearnet_routes: 6000 };

/** Call `told` whenever one of `names` changes, and now if any is there; the answer ends that. */
export function watch(names, told) {
  const entry = { names, told };
  for (const name of names) {
    if (!watchers.has(name)) watchers.set(name, new Set());
    watchers.get(name).add(entry);
    last.delete(name);
  }
  if (names.some((name) => now[name] !== undefined)) told();
  void tick();
  return () => names.forEach((name) => watchers.get(name)?.delete(entry));
}

function changed(name) {
  for (const { told } of [...(watchers.get(name) ?? [])]) told(name);
}

/** The node's clock, in unix seconds. */
export const nodeTime = () => Date.now() / 1000 + now.offset;

/** A cached answer; an Error in the node's words. */
export async function ask(name, params = {}) {
  const query = new URLSearchParams(params).toString();
  return JSON.parse(await text(name + (query ? `?${query}` : ""))).result;
}

async function text(path, base = DATA) {
  const response = await fetch(base + path, { signal: AbortSignal.timeout(9000) });
  const body = await response.text();
  const error = response.ok ? JSON.parse(body).error : { message: `HTTP ${response.status}` };
  if (error) throw new Error(error.data ?? error.message);
  return body;
}

/** A call of the JSON-RPC itself; `token` for admin methods. `Unauthorized` when it is wrong. */
export async function call(method, params, token = null) {
  const headers = { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  const body = JSON.stringify({ jsonrpc: "2.0", id: "dashboard", method, params });
  const response = await fetch("/", { method: "POST", headers, body, signal: AbortSignal.timeout(12000) });
  if (response.status === 401) throw new Unauthorized("The node does not take this token.");
  const answer = await response.json();
  if (answer.error) throw new Error(reason(answer.error));
  return answer.result;
}

function reason(error) {
  if (typeof error === "string") return error;
  const info = error.cause?.info;
  return info?.error_message ?? (typeof error.data === "string" ? error.data : error.message) ?? "refused";
}

export class Unauthorized extends Error {}

// --- polling ---------------------------------------------------------------------------------------

let ticking = false;
let again = false;

async function tick() {
  again = ticking;
  if (ticking || document.hidden) return;
  ticking = true;
  const wanted = ["status", ...watchers.keys()].filter((name) => name === "status" || watchers.get(name).size);
  const due = [...new Set(wanted)].filter((name) => !(name in SPECIAL) && Date.now() - (last.get(name) ?? 0) >= (PERIODS[name] ?? TICK) - 100);
  try {
    if (!graphLoaded) await loadGraph();
    await refresh(due);
    setOnline(true);
  } catch {
    setOnline(false);
  }
  ticking = false;
  if (again) void tick();
}

const SPECIAL = { graph: true, events: true, online: true };

/** One request for all that is due, and for what changed in the graph. What is still as it was is not told again. */
async function refresh(due) {
  const query = new URLSearchParams(due.map((name) => [name, tags.get(name) ?? ""]));
  query.set("since", now.graph.seq);
  const told = JSON.parse(await text(`now?${query}`, FRAME));
  due.forEach((name) => last.set(name, Date.now()));
  const { changes, ...rest } = told;
  takeGraph(changes.answer.result);
  for (const [name, { tag, answer }] of Object.entries(rest)) {
    tags.set(name, tag);
    if (answer.error) continue;
    now[name] = answer.result;
    changed(name);
  }
}

let graphLoaded = false;

async function loadGraph() {
  takeGraph(await ask("nearnet_graph"));
  graphLoaded = true;
}

function takeGraph(answer) {
  if (answer.peers) now.graph = Graph.from(answer);
  else now.offset = answer.time - Date.now() / 1000;
  if (answer.peers || now.graph.apply(answer)) changed("graph");
}

/** Ask again at once, after something was done. */
export function refreshSoon() {
  last.clear();
  setTimeout(tick, 150);
}

function setOnline(online) {
  if (online === now.online) return;
  now.online = online;
  if (!online) graphLoaded = false;
  changed("online");
}

// --- events ----------------------------------------------------------------------------------------

let socket = null;

function take(events) {
  const known = now.events.length ? now.events[now.events.length - 1].seq : 0;
  const fresh = events.filter((event) => !(event.seq <= known));
  if (!fresh.length) return;
  now.events = [...now.events, ...fresh].slice(-EVENTS_KEPT);
  changed("events");
}

async function recentEvents() {
  const events = await ask("nearnet_events");
  const newest = events.length ? events[events.length - 1].seq : 0;
  const known = now.events.length ? now.events[now.events.length - 1].seq : 0;
  if (newest < known) now.events = []; // The node began anew.
  take(events);
}

let waiting = [];

function listen() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  socket = new WebSocket(`${scheme}://${location.host}/ws/events`);
  socket.onopen = () => void recentEvents().catch(() => {});
  socket.onmessage = ({ data }) => {
    if (!waiting.length) setTimeout(() => take(waiting.splice(0)), 200);
    waiting.push(JSON.parse(data));
  };
  socket.onclose = () => {
    socket = null;
    graphLoaded = false; // It may be another run of the node, with another count of changes.
    setTimeout(() => document.hidden || socket || listen(), RETRY);
  };
}

/** Begin. */
export function start() {
  void recentEvents().catch(() => {});
  listen();
  setInterval(() => {
    void tick();
    if (!document.hidden && socket?.readyState !== WebSocket.OPEN) void recentEvents().catch(() => {});
  }, TICK);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    if (!socket) listen();
    void tick();
  });
}
