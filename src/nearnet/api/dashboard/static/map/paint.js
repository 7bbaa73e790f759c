// Colours of peers and edges, by what is asked: distance, next hop, or age; and what a selection, a search or a change adds.

import { cssColour } from "../dom.js";

const DISTANCES = 6;
const AGES = [[60, "under a minute"], [600, "under 10 minutes"], [3600, "under an hour"], [Infinity, "longer"]];

/** "#rrggbb" -> [r, g, b] of 0 to 255. */
export function rgb(text) {
  const hex = text.replace("#", "");
  return [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
}

/** Hues far apart for so many neighbors as there are. */
function hue(at, isDark) {
  const h = (at * 137.508 + 200) % 360;
  const [s, l] = isDark ? [0.55, 0.64] : [0.6, 0.45];
  const f = (n) => {
    const k = (n + h / 30) % 12;
    return Math.round(255 * (l - s * Math.min(l, 1 - l) * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [f(0), f(8), f(4)];
}

/** The theme's colours, read once for each painting. */
export function theme() {
  const colour = (name) => rgb(cssColour(name));
  const back = colour("--surface");
  return {
    back,
    isDark: back[0] < 128,
    text: colour("--text"),
    edge: colour("--map-edge"),
    none: colour("--map-none"),
    mark: colour("--map-mark"),
    come: colour("--good"),
    gone: colour("--bad"),
    distances: Array.from({ length: DISTANCES }, (_, hops) => colour(`--distance-${hops}`)),
    ages: AGES.map((_, at) => colour(`--age-${at}`)),
  };
}

const ageOf = (seconds) => AGES.findIndex(([most]) => seconds < most);

/** What each colour means: [[r, g, b], label] for a legend. */
export function legend(mode, graph, colours) {
  const { distance, neighbors } = graph.routes();
  if (mode === "age") return AGES.map(([, label], at) => [colours.ages[at], label]);
  if (mode === "hop") return [[colours.none, "several, or none"], ...neighbors.slice(0, 8).map((peer, at) => [hue(at, colours.isDark), graph.ids[peer]])];
  const far = distance.reduce((most, hops) => Math.max(most, hops), 0);
  const labels = ["this node", "1 hop", "2", "3", "4", "5 or more"].slice(0, Math.min(far, DISTANCES - 1) + 1);
  const entries = labels.map((label, at) => [colours.distances[at], label]);
  return distance.some((hops) => hops < 0) ? [...entries, [colours.none, "no way"]] : entries;
}

/** A colour for each peer: (number) -> [r, g, b]. */
export function peerColours(mode, graph, colours, time) {
  const { distance, neighbors, hops } = graph.routes();
  if (mode === "hop") {
    const order = new Map(neighbors.map((peer, at) => [peer, at]));
    return (peer) => {
      const ways = hops(peer);
      return peer === 0 ? colours.distances[0] : ways.length === 1 ? hue(order.get(ways[0]), colours.isDark) : colours.none;
    };
  }
  if (mode === "age") {
    return (peer) => {
      if (peer === 0) return colours.distances[0];
      let oldest = Infinity;
      graph.near[peer].forEach((since) => (oldest = Math.min(oldest, since)));
      return colours.ages[Math.max(0, ageOf(time - oldest))];
    };
  }
  return (peer) => (distance[peer] < 0 ? colours.none : colours.distances[Math.min(distance[peer], DISTANCES - 1)]);
}

/** A colour and strength for each edge: (a, b, since) -> [[r, g, b], alpha]. */
export function edgeColours(mode, graph, colours, time) {
  const { distance } = graph.routes();
  const peers = peerColours(mode, graph, colours, time);
  const faint = Math.min(0.5, Math.max(0.045, 400 / (graph.edgeCount + 1)));
  return (a, b, since) => {
    if (mode === "age") {
      const age = Math.max(0, ageOf(time - since));
      return [colours.ages[age], Math.min(1, faint * [6, 3, 1.4, 1][age])];
    }
    const outer = distance[a] > distance[b] ? a : b;
    const onward = distance[a] !== distance[b];
    return [onward ? peers(outer) : colours.edge, onward ? faint * 1.3 : faint * 0.8];
  };
}
