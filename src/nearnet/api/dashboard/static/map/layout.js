// Where peers lie. Rings: our distance to a peer is its ring, so the picture answers "how far" at a glance. Forces: on a worker.

const GAP = 5;
const TURN = Math.PI * 2;

const policy = globalThis.trustedTypes?.createPolicy("nearnet", { createScriptURL: () => "/dashboard/map/force-worker.js" });

/** Positions as [x, y] by number; `before` (id -> {ring, angle}) keeps who stays near where it was, and is brought up to date. */
export function rings(graph, before) {
  const { distance } = graph.routes();
  const present = graph.present();
  const far = Math.max(0, ...present.map((peer) => distance[peer]));
  const layers = Array.from({ length: far + 2 }, () => []);
  present.forEach((peer) => layers[distance[peer] < 0 ? far + 1 : distance[peer]].push(peer));
  const places = new Map([[0, [0, 0]]]);
  const angles = new Map();
  let inner = 0;
  layers.forEach((layer, ring) => {
    if (ring === 0 || !layer.length) return;
    const wished = new Map(layer.map((peer, at) => [peer, wish(graph, peer, ring, before, angles) ?? (TURN * at) / layer.length]));
    layer.sort((a, b) => wished.get(a) - wished.get(b) || a - b);
    const radius = inner + GAP + Math.min(6, layer.length / 12);
    const rows = Math.max(1, Math.ceil(Math.sqrt((layer.length * 1.3) / (TURN * radius)) - 0.15));
    layer.forEach((peer, at) => {
      const angle = (TURN * at) / layer.length + wished.get(layer[0]);
      const away = radius + (at % rows) * 1.7;
      angles.set(peer, angle);
      before.set(graph.ids[peer], { ring, angle: angle % TURN });
      places.set(peer, [Math.cos(angle) * away, Math.sin(angle) * away]);
    });
    inner = radius + (rows - 1) * 1.7;
  });
  return places;
}

/** Where it was on this ring, or else the middle of those nearer to us that it is joined to. */
function wish(graph, peer, ring, before, angles) {
  const old = before.get(graph.ids[peer]);
  if (old?.ring === ring) return old.angle;
  let x = 0;
  let y = 0;
  for (const other of graph.near[peer].keys()) {
    const angle = angles.get(other);
    if (angle === undefined) continue;
    x += Math.cos(angle);
    y += Math.sin(angle);
  }
  return x || y ? (Math.atan2(y, x) + TURN) % TURN : undefined;
}

/** Forces: `moved(Map number -> [x, y])` is called as it settles. `stop()` ends it. */
export class Forces {
  constructor(moved) {
    this.moved = moved;
    this.worker = null;
  }

  run(graph, places) {
    if (!this.worker) {
      const url = "/dashboard/map/force-worker.js";
      this.worker = new Worker(policy ? policy.createScriptURL(url) : url, { type: "module" });
      this.worker.onmessage = ({ data }) => data.run === this.number && this.moved(new Map(this.present.map((peer, at) => [peer, [data.places[at * 2], data.places[at * 2 + 1]]])));
    }
    this.present = graph.present();
    this.number = (this.number ?? 0) + 1;
    const at = new Map(this.present.map((peer, index) => [peer, index]));
    const start = this.present.map((peer) => places.get(peer) ?? null);
    this.worker.postMessage({ run: this.number, start, links: graph.edges().map(([a, b]) => [at.get(a), at.get(b)]) });
  }

  stop() {
    this.worker?.terminate();
    this.worker = null;
  }
}
