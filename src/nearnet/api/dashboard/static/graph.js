// The graph as the node tells it: peers as numbers, we are 0; next hops and shortest paths as the node computes them.

const MAX_HOPS = 128;
const WORDS = MAX_HOPS / 32;

export class Graph {
  constructor() {
    this.seq = 0;
    this.time = 0;
    this.leftOut = 0;
    this.ids = [];
    this.index = new Map();
    this.near = [];
    this.edgeCount = 0;
    this.cachedRoutes = null;
  }

  /** From a whole `nearnet_graph` answer. */
  static from({ seq, time, peers, first, second, since, left_out: leftOut }) {
    const graph = new Graph();
    Object.assign(graph, { seq, time, leftOut });
    peers.forEach((id) => graph.number(id));
    first.forEach((a, at) => graph.link(a, second[at], since[at]));
    return graph;
  }

  number(id) {
    let number = this.index.get(id);
    if (number === undefined) {
      number = this.ids.length;
      this.index.set(id, number);
      this.ids.push(id);
      this.near.push(new Map());
    }
    return number;
  }

  link(a, b, since) {
    if (!this.near[a].has(b)) this.edgeCount += 1;
    this.near[a].set(b, since);
    this.near[b].set(a, since);
  }

  unlink(a, b) {
    if (this.near[a].delete(b)) this.edgeCount -= 1;
    this.near[b].delete(a);
  }

  /** Apply `nearnet_graph {since}`; whether anything changed. */
  apply({ seq, time, changes }) {
    this.seq = seq;
    this.time = time;
    for (const { peer0, peer1, active, time: since } of changes) {
      const a = this.number(peer0);
      const b = this.number(peer1);
      if (active) this.link(a, b, since);
      else this.unlink(a, b);
    }
    if (changes.length) this.cachedRoutes = null;
    return changes.length > 0;
  }

  /** Peers that have an edge, and ourselves. */
  present() {
    return this.ids.map((_, number) => number).filter((number) => number === 0 || this.near[number].size);
  }

  /** [a, b, since] of each edge once, a < b. */
  edges() {
    const found = [];
    this.near.forEach((others, a) => others.forEach((since, b) => a < b && found.push([a, b, since])));
    return found;
  }

  has(a, b) {
    return this.near[a]?.has(b) ?? false;
  }

  /** Hops from one peer to each, -1 where there is no way. */
  distances(from) {
    const distance = new Int32Array(this.ids.length).fill(-1);
    distance[from] = 0;
    let frontier = [from];
    for (let hops = 1; frontier.length; hops += 1) {
      const following = [];
      for (const peer of frontier) {
        for (const other of this.near[peer].keys()) {
          if (distance[other] < 0) {
            distance[other] = hops;
            following.push(other);
          }
        }
      }
      frontier = following;
    }
    return distance;
  }

  /** Distances from us, and the sets of next hops (behaviour.md §4): bits of our first 128 neighbors. */
  routes() {
    if (this.cachedRoutes || !this.ids.length) return this.cachedRoutes ?? { distance: new Int32Array(0), neighbors: [], hops: () => [] };
    const distance = this.distances(0);
    const neighbors = [...this.near[0].keys()].sort((a, b) => a - b).slice(0, MAX_HOPS);
    const masks = new Uint32Array(this.ids.length * WORDS);
    neighbors.forEach((peer, bit) => (masks[peer * WORDS + (bit >> 5)] |= 1 << (bit & 31)));
    const order = this.ids.map((_, peer) => peer).filter((peer) => distance[peer] > 0).sort((a, b) => distance[a] - distance[b]);
    for (const peer of order) {
      for (const other of this.near[peer].keys()) {
        if (distance[other] !== distance[peer] + 1) continue;
        for (let word = 0; word < WORDS; word += 1) masks[other * WORDS + word] |= masks[peer * WORDS + word];
      }
    }
    const hops = (peer) => neighbors.filter((_, bit) => masks[peer * WORDS + (bit >> 5)] & (1 << (bit & 31)));
    this.cachedRoutes = { distance, neighbors, hops };
    return this.cachedRoutes;
  }

  /** All shortest paths between two: their length, number, the edges they take, and the first `most` of them in full. */
  shortestPaths(from, to, most = 20) {
    const distance = this.distances(to);
    const length = distance[from];
    if (length < 0) return { length: -1, count: 0, edges: [], paths: [] };
    const ways = new Map([[from, 1]]);
    const edges = [];
    let layer = [from];
    for (let left = length; left > 0; left -= 1) {
      const following = new Set();
      for (const peer of layer) {
        for (const other of this.near[peer].keys()) {
          if (distance[other] !== left - 1) continue;
          edges.push([peer, other]);
          ways.set(other, (ways.get(other) ?? 0) + ways.get(peer));
          following.add(other);
        }
      }
      layer = [...following];
    }
    return { length, count: ways.get(to) ?? 1, edges, paths: this.firstPaths(from, to, distance, most) };
  }

  firstPaths(from, to, distance, most) {
    const paths = [];
    const follow = (path) => {
      const peer = path[path.length - 1];
      if (peer === to) paths.push(path);
      for (const other of peer === to ? [] : this.near[peer].keys()) {
        if (paths.length >= most) return;
        if (distance[other] === distance[peer] - 1) follow([...path, other]);
      }
    };
    follow([from]);
    return paths;
  }

  /** What became of this graph in a later one: edges as [id, id], peers as ids. */
  changesTo(later) {
    const missing = (one, other) => one.edges().map(([a, b]) => [one.ids[a], one.ids[b]])
      .filter(([a, b]) => !other.has(other.index.get(a), other.index.get(b)));
    const peers = (one, other) => one.present().map((peer) => one.ids[peer]).filter((id) => !(other.near[other.index.get(id)]?.size || other.ids[0] === id));
    return { gone: missing(this, later), come: missing(later, this), peersGone: peers(this, later), peersCome: peers(later, this) };
  }
}
